/* SPDX-License-Identifier: MPL-2.0 */
/* fallocate(2) on tmpfs, in full: modes, their combinations, holes as lseek(2) sees them, punching under mappings; RWF_* of preadv2(2). */
#include "fs_util.h"
#include <pthread.h>

#define FL_KEEP FALLOC_FL_KEEP_SIZE
#define FL_PUNCH FALLOC_FL_PUNCH_HOLE
#define FL_COLLAPSE FALLOC_FL_COLLAPSE_RANGE
#define FL_ZERO FALLOC_FL_ZERO_RANGE
#define FL_INSERT FALLOC_FL_INSERT_RANGE
#define FL_UNSHARE FALLOC_FL_UNSHARE_RANGE

static char buf[16 * PAGE], pattern[16 * PAGE];

static int pattern_file(const char *name, size_t len)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_RDWR, 0644);

	if (fd < 0 || write(fd, pattern, len) != (ssize_t)len)
		bail_out("cannot make %s", name);
	return fd;
}

static void modes(void)
{
	static const struct {
		int mode, err;
		const char *name;
	} refused[] = {
		{ FL_COLLAPSE, EOPNOTSUPP, "COLLAPSE_RANGE" }, { FL_ZERO, EOPNOTSUPP, "ZERO_RANGE" },
		{ FL_ZERO | FL_KEEP, EOPNOTSUPP, "ZERO_RANGE with KEEP_SIZE" }, { FL_INSERT, EOPNOTSUPP, "INSERT_RANGE" },
		{ FL_UNSHARE, EOPNOTSUPP, "UNSHARE_RANGE" }, { FL_UNSHARE | FL_KEEP, EOPNOTSUPP, "UNSHARE_RANGE with KEEP_SIZE" },
		{ FL_PUNCH, EOPNOTSUPP, "PUNCH_HOLE alone" }, { FL_PUNCH | FL_ZERO | FL_KEEP, EOPNOTSUPP, "PUNCH_HOLE with ZERO_RANGE" },
		{ FL_COLLAPSE | FL_KEEP, EINVAL, "COLLAPSE_RANGE with KEEP_SIZE" }, { FL_INSERT | FL_KEEP, EINVAL, "INSERT_RANGE with KEEP_SIZE" },
		{ FL_COLLAPSE | FL_INSERT, EINVAL, "COLLAPSE_RANGE with INSERT_RANGE" }, { FL_UNSHARE | FL_ZERO, EINVAL, "UNSHARE_RANGE with ZERO_RANGE" },
		{ FL_UNSHARE | FL_PUNCH | FL_KEEP, EINVAL, "UNSHARE_RANGE with PUNCH_HOLE" }, { 0x80, EOPNOTSUPP, "an unknown mode" },
		{ 4, EOPNOTSUPP, "FALLOC_FL_NO_HIDE_STALE" }, { FL_COLLAPSE | FL_KEEP | 0x80, EOPNOTSUPP, "an unknown one beside a bad pair" },
	};
	int fd = pattern_file("modes", 4 * PAGE), ro = open("modes", O_RDONLY), null = open("/dev/null", O_RDWR);

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		is_errno(fallocate(fd, refused[i].mode, 0, PAGE) == -1, refused[i].err, "%s", refused[i].name);
	is_errno(fallocate(fd, 0x80, -1, PAGE) == -1, EINVAL, "a bad range is noticed before the mode");
	is_errno(fallocate(ro, 0x80, 0, PAGE) == -1, EOPNOTSUPP, "the mode before the descriptor's");
	is_errno(fallocate(ro, FL_COLLAPSE | FL_KEEP, 0, PAGE) == -1, EINVAL, "a bad pair too");
	is_errno(fallocate(ro, FL_ZERO, 0, PAGE) == -1, EBADF, "but not what the file system lacks");
	is_errno(fallocate(null, 0, 0, PAGE) == -1, ENODEV, "a device");
	is_errno(fallocate(fd, 0, LONG_MAX - PAGE, 2 * PAGE) == -1, EFBIG, "beyond the largest file");
	ok(pread(fd, buf, sizeof(buf), 0) == 4 * PAGE && !memcmp(buf, pattern, 4 * PAGE), "none of which changes the file");
	close(fd), close(ro), close(null);
}

static bool is_zero(const char *p, size_t n)
{
	return !p[0] && !memcmp(p, p + 1, n - 1);
}

static void punching(void)
{
	int fd = pattern_file("punch", 8 * PAGE);
	char *m = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *priv;
	struct stat st;

	priv = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	priv[2 * PAGE] = 'P';
	is_int(fallocate(fd, FL_PUNCH | FL_KEEP, 10, 20), 0, "within a page");
	ok(!memcmp(m, pattern, 10) && is_zero(m + 10, 20) && !memcmp(m + 30, pattern + 30, PAGE - 30), "zeroes that part");
	is_int(lseek(fd, 0, SEEK_HOLE), 8 * PAGE, "which is no hole");
	is_int(fallocate(fd, FL_PUNCH | FL_KEEP, 2 * PAGE, 2 * PAGE), 0, "two whole pages");
	is_int(lseek(fd, 0, SEEK_HOLE), 2 * PAGE, "are a hole");
	is_int(lseek(fd, 2 * PAGE, SEEK_DATA), 4 * PAGE, "then comes data");
	fstat(fd, &st);
	is_int(st.st_blocks, 6 * PAGE / 512, "the blocks are given back");
	is_int(st.st_size, 8 * PAGE, "the size stays");
	is_int(priv[2 * PAGE], 'P', "a private copy stays");
	ok(pread(fd, buf, 2 * PAGE, 2 * PAGE) == 2 * PAGE && is_zero(buf, 2 * PAGE), "reading gives zeroes");
	m[2 * PAGE] = 'w';
	is_int(lseek(fd, 0, SEEK_HOLE), 3 * PAGE, "a write through a mapping makes data");
	is_int(fallocate(fd, FL_PUNCH | FL_KEEP, 5 * PAGE - 1, PAGE + 2), 0, "a page and a bit on either side");
	ok(!m[5 * PAGE - 1] && is_zero(m + 5 * PAGE, PAGE + 1) && m[5 * PAGE - 2] == pattern[5 * PAGE - 2] && m[6 * PAGE + 1] == pattern[6 * PAGE + 1],
	   "exactly that");
	is_int(fallocate(fd, FL_PUNCH | FL_KEEP, 100 * PAGE, PAGE), 0, "beyond the end");
	fstat(fd, &st);
	is_int(st.st_size, 8 * PAGE, "changes nothing");
	is_int(fallocate(fd, FL_PUNCH | FL_KEEP, 0, 1l << 40), 0, "all of it");
	is_int(lseek(fd, 0, SEEK_HOLE), 0, "a hole from the start");
	is_errno(lseek(fd, 0, SEEK_DATA) == -1, ENXIO, "and no data");
	munmap(m, 8 * PAGE), munmap(priv, 8 * PAGE);
	close(fd);
}

static void holes(void)
{
	int fd = open("holes", O_CREAT | O_RDWR, 0644);

	is_errno(lseek(fd, 0, SEEK_DATA) == -1, ENXIO, "an empty file: SEEK_DATA");
	is_errno(lseek(fd, 0, SEEK_HOLE) == -1, ENXIO, "SEEK_HOLE");
	ftruncate(fd, 10 * PAGE + 10);
	is_int(lseek(fd, 0, SEEK_HOLE), 0, "a file that is a hole: SEEK_HOLE");
	is_int(lseek(fd, 10 * PAGE + 9, SEEK_HOLE), 10 * PAGE + 9, "at its last byte");
	is_errno(lseek(fd, 0, SEEK_DATA) == -1, ENXIO, "SEEK_DATA");
	pwrite(fd, "x", 1, 3 * PAGE + 100);
	is_int(lseek(fd, 0, SEEK_DATA), 3 * PAGE, "data begins with its page");
	is_int(lseek(fd, 3 * PAGE + 5, SEEK_DATA), 3 * PAGE + 5, "within it");
	is_int(lseek(fd, 3 * PAGE + 5, SEEK_HOLE), 4 * PAGE, "and ends with it");
	pwrite(fd, "x", 1, 10 * PAGE);
	is_int(lseek(fd, 4 * PAGE, SEEK_DATA), 10 * PAGE, "the next");
	is_int(lseek(fd, 10 * PAGE + 1, SEEK_HOLE), 10 * PAGE + 10, "ends at the end");
	pread(fd, buf, PAGE, PAGE);
	is_int(lseek(fd, 0, SEEK_DATA), 3 * PAGE, "reading a hole leaves it one");
	ftruncate(fd, 3 * PAGE + 50);
	is_int(lseek(fd, 0, SEEK_DATA), 3 * PAGE, "after truncation");
	is_int(lseek(fd, 3 * PAGE, SEEK_HOLE), 3 * PAGE + 50, "its end");
	close(fd);
}

static int race_fd;
static volatile int stop;

static void *puncher(void *arg)
{
	while (!stop)
		fallocate(race_fd, FL_PUNCH | FL_KEEP, PAGE, 2 * PAGE);
	return arg;
}

static void race(void)
{
	pthread_t t;
	int bad = 0;
	char *m;

	race_fd = pattern_file("race", 4 * PAGE);
	m = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, race_fd, 0);
	pthread_create(&t, NULL, puncher, NULL);
	for (int i = 0; i < 3000; i++) {
		m[PAGE] = (char)i;
		pwrite(race_fd, pattern, PAGE, 2 * PAGE);
		if (pread(race_fd, buf, 4 * PAGE, 0) != 4 * PAGE || memcmp(buf, pattern, PAGE) || memcmp(buf + 3 * PAGE, pattern + 3 * PAGE, PAGE))
			bad++;
	}
	stop = 1;
	pthread_join(t, NULL);
	is_int(bad, 0, "punching while others write and read");
	munmap(m, 4 * PAGE);
	close(race_fd);
}

/* --- preadv2(2), pwritev2(2) */

static void rwf(void)
{
	struct iovec iov = { buf, 10 };
	int fd = pattern_file("rwf", 100), p[2];

	is_int(preadv2(fd, &iov, 1, 0, RWF_HIPRI), 10, "RWF_HIPRI is a hint");
	is_int(pwritev2(fd, &iov, 1, 0, RWF_HIPRI), 10, "for writing too");
	is_int(preadv2(fd, &iov, 1, 0, RWF_DSYNC), 10, "RWF_DSYNC, reading");
	is_int(preadv2(fd, &iov, 1, 0, RWF_APPEND), 10, "RWF_APPEND, reading");
	is_errno(preadv2(fd, &iov, 1, 0, 0x20) == -1, EOPNOTSUPP, "an unknown flag");
	is_errno(preadv2(fd, &iov, 1, 0, RWF_NOWAIT) == -1, EOPNOTSUPP, "RWF_NOWAIT on tmpfs");
	is_errno(pwritev2(fd, &iov, 1, 0, RWF_NOWAIT) == -1, EOPNOTSUPP, "for writing too");
	lseek(fd, 5, SEEK_SET);
	is_int(pwritev2(fd, &iov, 1, -1, RWF_APPEND), 10, "RWF_APPEND at the position");
	is_int(lseek(fd, 0, SEEK_CUR), 110, "which moves to the end");
	is_int(pwritev2(fd, &iov, 1, 7, RWF_APPEND | RWF_SYNC), 10, "RWF_APPEND at an offset");
	is_int(lseek(fd, 0, SEEK_CUR), 110, "which does not matter, nor move");
	is_int(fs_size("rwf"), 120, "the size");
	close(fd);
	pipe(p);
	is_errno(preadv2(p[0], &iov, 1, -1, RWF_NOWAIT) == -1, EOPNOTSUPP, "RWF_NOWAIT at a pipe");
	is_errno(pwritev2(p[1], &iov, 1, -1, RWF_NOWAIT) == -1, EOPNOTSUPP, "for writing too");
	is_int(pwritev2(p[1], &iov, 1, -1, RWF_APPEND | RWF_DSYNC), 10, "other flags");
	is_errno(preadv2(p[0], &iov, 1, 0, 0) == -1, ESPIPE, "an offset");
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	is_errno(pwritev2(p[1], &iov, 1, -1, RWF_NOWAIT) == -1, EOPNOTSUPP, "even with O_NONBLOCK");
	close(p[0]), close(p[1]);
	mkfifo("fifo", 0644);
	fd = open("fifo", O_RDWR);
	is_errno(preadv2(fd, &iov, 1, -1, RWF_NOWAIT) == -1, EOPNOTSUPP, "at a FIFO");
	close(fd);
}

int main(void)
{
	fs_begin();
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)(i * 7 + i / 251);
	modes();
	punching();
	holes();
	race();
	rwf();
	return fs_end();
}
