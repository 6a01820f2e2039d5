/* SPDX-License-Identifier: MPL-2.0 */
/* null(4), zero(4), full(4), random(4), and /dev/kmsg. The nodes are made here, so that it does not matter what /dev is. */
#include "fs_util.h"
#include <linux/random.h>
#include <sys/sysmacros.h>

static char buf[1 << 16];

static bool all(const char *p, size_t n, char c)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != c)
			return false;
	return true;
}

static int node(const char *name, int minor, int flags)
{
	mknod(name, S_IFCHR | 0666, makedev(1, minor));
	return open(name, flags);
}

static int revents(int fd)
{
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static void null(void)
{
	int fd = node("null", 3, O_RDWR);
	struct iovec iov[2] = { { "ab", 2 }, { "cde", 3 } };
	struct stat st;

	is_int(read(fd, buf, 10), 0, "null reads end of file");
	is_int(write(fd, buf, 1000), 1000, "null takes everything");
	is_int(write(fd, BAD_PTR, 1000), 1000, "without looking at it");
	is_int(writev(fd, iov, 2), 5, "writev");
	is_int(lseek(fd, 100, SEEK_SET), 0, "lseek stays at 0");
	is_int(pwrite(fd, "x", 1, 50), 1, "pwrite");
	is_int(pread(fd, buf, 1, 50), 0, "pread");
	is_int(revents(fd), POLLIN | POLLOUT, "poll: always ready");
	is_errno(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED, ENODEV, "mmap");
	is_errno(ioctl(fd, 0x1234, 0) == -1, ENOTTY, "ioctl");
	is_errno(ftruncate(fd, 0) == -1, EINVAL, "ftruncate");
	is_int(truncate("null", 0) == -1 ? errno : 0, EINVAL, "truncate");
	close(open("null", O_WRONLY | O_TRUNC | O_CREAT, 0644));
	fstat(fd, &st);
	ok(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3), "fstat");
	close(fd);
}

static void zero(void)
{
	int fd = node("zero", 5, O_RDWR), status;
	char *m, *m2;
	pid_t pid;

	memset(buf, 1, sizeof(buf));
	is_int(read(fd, buf, sizeof(buf)), sizeof(buf), "zero gives as much as one wants");
	ok(all(buf, sizeof(buf), 0), "zeros");
	is_int(write(fd, buf, 100), 100, "and takes everything");
	is_errno(read(fd, BAD_PTR, 10) == -1, EFAULT, "to a bad pointer");
	ok(read(fd, fs_edge() - 5, 10) == 5 || errno == EFAULT, "to half a buffer");
	is_int(pread(fd, buf, 10, 1l << 40), 10, "pread far out");
	m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ok(m != MAP_FAILED && all(m, 8192, 0), "a private mapping: zeros");
	memset(m, 'p', 8192);
	m2 = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ok(m2 != MAP_FAILED && all(m2, 8192, 0), "a shared one");
	pid = fork();
	if (pid == 0) {
		memcpy(m2, "child", 5);
		memcpy(m, "child", 5);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(!memcmp(m2, "child", 5), "which is shared with a child");
	ok(all(m, 8192, 'p'), "while the private one is not");
	munmap(m, 8192);
	munmap(m2, 8192);
	m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ok(m != MAP_FAILED && all(m, 4096, 0), "a new mapping is new");
	munmap(m, 4096);
	close(fd);
}

static void full(void)
{
	int fd = node("full", 7, O_RDWR);

	memset(buf, 1, 100);
	is_int(read(fd, buf, 100), 100, "full reads");
	ok(all(buf, 100, 0), "zeros");
	is_errno(write(fd, buf, 1) == -1, ENOSPC, "and takes nothing");
	is_errno(write(fd, BAD_PTR, 1) == -1, ENOSPC, "whatever it is");
	is_int(lseek(fd, 9, SEEK_SET), 0, "lseek stays at 0");
	close(fd);
}

static int body(void)
{
	int fd = open("urandom", O_RDWR), n = 1;

	if (ERRNO_OF(ioctl(fd, RNDADDTOENTCNT, &n)) != EPERM)
		return 1;
	if (ERRNO_OF(ioctl(fd, RNDZAPENTCNT, 0)) != EPERM || ERRNO_OF(ioctl(fd, RNDCLEARPOOL, 0)) != EPERM)
		return 2;
	if (ERRNO_OF(ioctl(fd, RNDADDENTROPY, &n)) != EPERM || ERRNO_OF(ioctl(fd, RNDRESEEDCRNG, 0)) != EPERM)
		return 4;
	return write(fd, "seed", 4) == 4 ? 0 : 3;
}

/* What root may do to the pool makes no output foreseeable. */
static void entropy(void)
{
	struct {
		int bits, size;
		char bytes[64];
	} info = { 8 * 64, 64, "always the same" };
	int fd = open("random", O_RDWR), bits;
	char seen[6][32];
	bool is_new = true;

	is_int(ioctl(fd, RNDADDENTROPY, &info), 0, "RNDADDENTROPY");
	read(fd, seen[0], 32);
	is_int(ioctl(fd, RNDADDENTROPY, &info), 0, "the same once more");
	read(fd, seen[1], 32);
	is_int(ioctl(fd, RNDZAPENTCNT, 0), 0, "RNDZAPENTCNT");
	read(fd, seen[2], 32);
	is_int(ioctl(fd, RNDCLEARPOOL, 0), 0, "RNDCLEARPOOL");
	read(fd, seen[3], 32);
	is_int(ioctl(fd, RNDRESEEDCRNG, 0), 0, "RNDRESEEDCRNG");
	read(fd, seen[4], 32);
	read(fd, seen[5], 32);
	for (int i = 0; i < 6; i++)
		for (int k = 0; k < i; k++)
			is_new &= memcmp(seen[i], seen[k], 32) != 0;
	ok(is_new, "what is read is new each time");
	is_int(ioctl(fd, RNDGETENTCNT, &bits), 0, "RNDGETENTCNT after them");
	ok(bits >= 0 && bits <= 4096, "a count still");
	info.bits = -1;
	is_errno(ioctl(fd, RNDADDENTROPY, &info) == -1, EINVAL, "RNDADDENTROPY of less than no bits");
	is_errno(ioctl(fd, RNDADDENTROPY, BAD_PTR) == -1, EFAULT, "from a bad pointer");
	memcpy(fs_edge() - 8, &(int[2]){ 8, 64 }, 8);
	is_errno(ioctl(fd, RNDADDENTROPY, fs_edge() - 8) == -1, EFAULT, "from half a pointer");
	close(fd);
}

static void randoms(void)
{
	static const struct {
		const char *name;
		int minor;
	} which[] = { { "random", 8 }, { "urandom", 9 } };
	char other[64];

	for (int i = 0; i < 2; i++) {
		int fd = node(which[i].name, which[i].minor, O_RDWR), bits = -1, n = 0, ones = 0;

		is_int(read(fd, buf, 40000), 40000, "%s: 40000 bytes in one read", which[i].name);
		for (int k = 0; k < 40000; k++)
			ones += __builtin_popcount((unsigned char)buf[k]);
		ok(ones > 157000 && ones < 163000, "%s: about half of the bits are set", which[i].name);
		read(fd, buf, 64);
		read(fd, other, 64);
		ok(memcmp(buf, other, 64) != 0, "%s: never the same again", which[i].name);
		is_int(write(fd, "some entropy", 12), 12, "%s: can be written", which[i].name);
		is_errno(write(fd, BAD_PTR, 12) == -1, EFAULT, "%s: not from a bad pointer", which[i].name);
		is_errno(read(fd, BAD_PTR, 12) == -1, EFAULT, "%s: read to a bad pointer", which[i].name);
		is_int(ioctl(fd, RNDGETENTCNT, &bits), 0, "%s: RNDGETENTCNT", which[i].name);
		ok(bits >= 0 && bits <= 4096, "%s: a count", which[i].name);
		is_int(ioctl(fd, RNDADDTOENTCNT, &n), 0, "%s: RNDADDTOENTCNT", which[i].name);
		is_errno(ioctl(fd, 0x5299, 0) == -1, EINVAL, "%s: an unknown ioctl", which[i].name);
		is_int(revents(fd) & POLLIN, POLLIN, "%s: poll", which[i].name);
		close(fd);
	}
	entropy();
	chmod("urandom", 0666);
	is_int(as_somebody(body), 0, "entropy is credited by the privileged only");
}

static void missing(void)
{
	is_errno(node("nothing", 200, O_RDWR) == -1, ENXIO, "a minor that nobody has");
}

/* Reads records until one has this text. */
static bool finds(int fd, const char *text, char *record, size_t max)
{
	ssize_t n;

	while ((n = read(fd, record, max - 1)) > 0 || (n == -1 && errno == EPIPE)) {
		record[n > 0 ? n : 0] = 0;
		if (strstr(record, text))
			return true;
	}
	return false;
}

static int kmsg_body(void)
{
	return ERRNO_OF(open("kmsg", O_RDONLY)) == EPERM ? 0 : 1;
}

static void kmsg(void)
{
	unsigned prio;
	unsigned long seq, seq2, usec;
	char record[8192], flag;
	int rd = node("kmsg", 11, O_RDONLY | O_NONBLOCK), wr = open("kmsg", O_WRONLY);

	ok(rd >= 0 && wr >= 0, "kmsg opens");
	is_int(lseek(rd, 0, SEEK_END), 0, "SEEK_END");
	is_int(write(wr, "<12>keel test: first\n", 21), 21, "a record with a priority");
	ok(finds(rd, "keel test: first", record, sizeof(record)), "comes back");
	is_int(sscanf(record, "%u,%lu,%lu,%c", &prio, &seq, &usec, &flag), 4, "priority, sequence, time, flags");
	is_int(prio, 12, "the priority");
	ok(strchr(record, ';') && !strcmp(strchr(record, ';'), ";keel test: first\n"), "the text, one line");
	write(wr, "keel test: second \t\\\n", 21);
	ok(finds(rd, "keel test: second", record, sizeof(record)), "a record without a priority");
	sscanf(record, "%u,%lu", &prio, &seq2);
	is_int(prio, 12, "is the user's, a warning");
	ok(seq2 > seq, "later in sequence");
	ok(strstr(record, "second \\x09\\x5c\n") != NULL, "what is not printable is escaped");
	ok(!finds(rd, "never there", record, sizeof(record)) && errno == EAGAIN, "what was never written is not found");
	is_int(lseek(rd, 0, SEEK_SET), 0, "SEEK_SET: the first that there is");
	ok(finds(rd, "keel test: first", record, sizeof(record)), "again");
	is_errno(lseek(rd, 1, SEEK_SET) == -1, ESPIPE, "lseek to 1");
	is_errno(lseek(rd, 0, SEEK_CUR) == -1, EINVAL, "SEEK_CUR");
	lseek(rd, 0, SEEK_SET);
	is_errno(read(rd, record, 3) == -1, EINVAL, "a buffer too small for the record");
	is_errno(read(wr, record, 10) == -1, EBADF, "reading the write end");
	memset(record, 'x', sizeof(record));
	is_errno(write(wr, record, 5000) == -1, EINVAL, "a record too long");
	is_errno(write(wr, BAD_PTR, 10) == -1, EFAULT, "from a bad pointer");
	chmod("kmsg", 0666);
	is_int(as_somebody(kmsg_body), 0, "reading is for the privileged");
	close(rd);
	close(wr);
}

int main(void)
{
	fs_begin();
	null();
	zero();
	full();
	randoms();
	missing();
	kmsg();
	return fs_end();
}
