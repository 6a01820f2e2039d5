/* SPDX-License-Identifier: MPL-2.0 */
/* splice(2), tee(2), vmsplice(2): pipes with files, devices, memory and each other. */
#include "pattern.h"
#include <pthread.h>

static void empty(int pipe_in)
{
	int flags = fcntl(pipe_in, F_GETFL);

	fcntl(pipe_in, F_SETFL, flags | O_NONBLOCK);
	while (read(pipe_in, buf, sizeof(buf)) > 0)
		;
	fcntl(pipe_in, F_SETFL, flags);
}

static int available(int fd)
{
	int n = -1;

	ioctl(fd, FIONREAD, &n);
	return n;
}

static void file_to_pipe(void)
{
	int fd = pattern_file("in", 100000), p[2], i;
	loff_t off;
	ssize_t n;

	pipe(p);
	is_int(splice(fd, NULL, p[1], NULL, 10, 0), 10, "file to pipe: 10 bytes");
	is_int(lseek(fd, 0, SEEK_CUR), 10, "the position moves");
	ok(read(p[0], buf, 100) == 10 && !memcmp(buf, pattern, 10), "they are the file's");
	off = 5000;
	is_int(splice(fd, &off, p[1], NULL, 5000, SPLICE_F_MOVE | SPLICE_F_MORE), 5000, "at an offset");
	is_int(off, 10000, "which is told on");
	is_int(lseek(fd, 0, SEEK_CUR), 10, "the position stays");
	is_int(available(p[0]), 5000, "FIONREAD");
	ok(read(p[0], buf, sizeof(buf)) == 5000 && !memcmp(buf, pattern + 5000, 5000), "the bytes from there");
	off = 0;
	n = splice(fd, &off, p[1], NULL, 1 << 20, 0);
	is_int(n, 65536, "as much as the pipe takes");
	is_errno(splice(fd, &off, p[1], NULL, 1, SPLICE_F_NONBLOCK) == -1, EAGAIN, "full: SPLICE_F_NONBLOCK");
	is_int(off, 65536, "the offset is as it was");
	ok(read(p[0], buf, 65536) == 65536 && !memcmp(buf, pattern, 65536), "all of it is right");
	for (i = 0; i < 16; i++)
		n = splice(fd, &off, p[1], NULL, 3, 0);
	is_int(n, 3, "sixteen small ones");
	is_errno(splice(fd, &off, p[1], NULL, 1, SPLICE_F_NONBLOCK) == -1, EAGAIN, "take a slot each");
	empty(p[0]);
	off = 99990;
	is_int(splice(fd, &off, p[1], NULL, 100, 0), 10, "up to the end of the file");
	is_int(splice(fd, &off, p[1], NULL, 100, 0), 0, "at the end");
	off = 1000000;
	is_int(splice(fd, &off, p[1], NULL, 100, 0), 0, "beyond it");
	empty(p[0]);
	ftruncate(fd, 0);
	ftruncate(fd, 3 * PAGE);
	off = 100;
	memset(buf, 1, PAGE);
	is_int(splice(fd, &off, p[1], NULL, PAGE, 0), PAGE, "a hole");
	ok(read(p[0], buf, PAGE) == PAGE && !buf[0] && !memcmp(buf, buf + 1, PAGE - 1), "is zeroes");
	close(fd);
	close(p[0]);
	close(p[1]);
}

/* What is in the pipe must not be touched by later writes to the pipe. */
static void no_merge(void)
{
	int fd = pattern_file("merge", PAGE), p[2];
	loff_t off = 0;

	pipe(p);
	splice(fd, &off, p[1], NULL, 10, 0);
	is_int(write(p[1], "XYZ", 3), 3, "a write behind spliced bytes");
	ok(read(p[0], buf, 100) == 13 && !memcmp(buf, pattern, 10) && !memcmp(buf + 10, "XYZ", 3), "both are read");
	ok(pread(fd, buf, PAGE, 0) == PAGE && !memcmp(buf, pattern, PAGE), "the file is untouched");
	write(p[1], "first", 5);
	off = 0;
	splice(fd, &off, p[1], NULL, 10, 0);
	read(p[0], buf, 5);
	write(p[1], "second", 6);
	ok(read(p[0], buf, 100) == 16 && !memcmp(buf, pattern, 10) && !memcmp(buf + 10, "second", 6), "after a used page as well");
	for (int i = 0; i < 100; i++) {
		off = i * 10;
		splice(fd, &off, p[1], NULL, 10, 0);
		write(p[1], "abc", 3);
		read(p[0], buf, 13);
		write(p[1], pattern, 3000);
		read(p[0], buf, 3000);
	}
	ok(pread(fd, buf, PAGE, 0) == PAGE && !memcmp(buf, pattern, PAGE), "nor by recycled pages");
	close(fd);
	close(p[0]);
	close(p[1]);
}

static void pipe_to_file(void)
{
	int fd = open("out", O_CREAT | O_TRUNC | O_RDWR, 0644), p[2];
	loff_t off;

	pipe(p);
	write(p[1], pattern, 60000);
	is_int(splice(p[0], NULL, fd, NULL, 10, 0), 10, "pipe to file");
	is_int(lseek(fd, 0, SEEK_CUR), 10, "the position moves");
	is_int(available(p[0]), 59990, "10 bytes left the pipe");
	off = 100000;
	is_int(splice(p[0], NULL, fd, &off, 20000, 0), 20000, "at an offset");
	is_int(off, 120000, "which is told on");
	is_int(splice(p[0], NULL, fd, NULL, 1 << 20, 0), 39990, "what is there");
	is_int(lseek(fd, 0, SEEK_CUR), 40000, "the position");
	is_int(fs_size("out"), 120000, "the size");
	ok(pread(fd, buf, 10, 0) == 10 && !memcmp(buf, pattern, 10), "the first bytes");
	ok(pread(fd, buf, 39990, 10) == 39990 && !memcmp(buf, pattern + 20010, 39990), "the last ones");
	ok(pread(fd, buf, 20000, 100000) == 20000 && !memcmp(buf, pattern + 10, 20000), "those between");
	is_errno(splice(p[0], NULL, fd, NULL, 10, SPLICE_F_NONBLOCK) == -1, EAGAIN, "empty: SPLICE_F_NONBLOCK");
	close(p[1]);
	is_int(splice(p[0], NULL, fd, NULL, 10, 0), 0, "empty and without writers");
	close(p[0]);
	close(fd);
}

static void devices(void)
{
	int null = open("/dev/null", O_RDWR), p[2];

	pipe(p);
	write(p[1], pattern, 30000);
	is_int(splice(p[0], NULL, null, NULL, 1 << 20, 0), 30000, "pipe to /dev/null");
	is_int(available(p[0]), 0, "swallows it");
	is_int(splice(null, NULL, p[1], NULL, 100, 0) <= 0, 1, "nothing comes from there");
	close(null);
	null = open("/dev/urandom", O_RDONLY);
	is_int(splice(null, NULL, p[1], NULL, 1000, 0), 1000, "random bytes");
	is_int(read(p[0], buf, 2000), 1000, "are there");
	close(null);
	null = open("/proc/version", O_RDONLY);
	is_int(splice(null, NULL, p[1], NULL, 5, 0), 5, "a file of /proc");
	ok(read(p[0], buf, 100) == 5 && !memcmp(buf, "Linux", 5), "its text");
	close(null);
	close(p[0]);
	close(p[1]);
}

static void pipe_to_pipe(void)
{
	int a[2], b[2];

	pipe(a);
	pipe(b);
	write(a[1], pattern, 10000);
	is_int(splice(a[0], NULL, b[1], NULL, 100, 0), 100, "pipe to pipe: a part");
	is_int(splice(a[0], NULL, b[1], NULL, 1 << 20, 0), 9900, "the rest");
	is_int(available(a[0]), 0, "has gone");
	ok(read(b[0], buf, sizeof(buf)) == 10000 && !memcmp(buf, pattern, 10000), "and come");
	is_errno(splice(a[0], NULL, b[1], NULL, 10, SPLICE_F_NONBLOCK) == -1, EAGAIN, "empty: SPLICE_F_NONBLOCK");
	write(a[1], "x", 1);
	fcntl(b[1], F_SETPIPE_SZ, PAGE);
	write(b[1], pattern, PAGE);
	is_errno(splice(a[0], NULL, b[1], NULL, 10, SPLICE_F_NONBLOCK) == -1, EAGAIN, "full: SPLICE_F_NONBLOCK");
	fcntl(b[1], F_SETFL, O_NONBLOCK);
	is_errno(splice(a[0], NULL, b[1], NULL, 10, 0) == -1, EAGAIN, "full: O_NONBLOCK");
	empty(b[0]);
	is_int(splice(a[0], NULL, b[1], NULL, 10, 0), 1, "room again");
	fcntl(a[0], F_SETFL, O_NONBLOCK);
	is_errno(splice(a[0], NULL, b[1], NULL, 10, 0) == -1, EAGAIN, "empty: O_NONBLOCK");
	empty(b[0]);
	/* What was split must not grow on either side. */
	fcntl(b[1], F_SETPIPE_SZ, 4 * PAGE);
	write(a[1], "head", 4);
	splice(a[0], NULL, b[1], NULL, 2, 0);
	write(a[1], "tail", 4);
	write(b[1], "..", 2);
	ok(read(b[0], buf, 100) == 4 && !memcmp(buf, "he..", 4), "a split buffer: its first half");
	ok(read(a[0], buf, 100) == 6 && !memcmp(buf, "adtail", 6), "its second half");
	close(a[1]);
	is_int(splice(a[0], NULL, b[1], NULL, 10, 0), 0, "no writers");
	close(b[0]);
	is_errno(splice(a[0], NULL, b[1], NULL, 10, 0) == -1, EPIPE, "no writers, no readers");
	close(b[1]);
	close(a[0]);
}

static void no_readers(void)
{
	int fd = pattern_file("epipe", PAGE), a[2], b[2];
	struct iovec iov = { pattern, 10 };

	pipe(a);
	pipe(b);
	close(b[0]);
	write(a[1], "x", 1);
	is_errno(splice(fd, NULL, b[1], NULL, 10, 0) == -1, EPIPE, "file to a pipe without readers");
	is_errno(splice(a[0], NULL, b[1], NULL, 10, 0) == -1, EPIPE, "pipe to a pipe without readers");
	is_errno(tee(a[0], b[1], 10, 0) == -1, EPIPE, "tee to it");
	is_errno(vmsplice(b[1], &iov, 1, 0) == -1, EPIPE, "vmsplice to it");
	is_int(available(a[0]), 1, "nothing was lost");
	is_int(lseek(fd, 0, SEEK_CUR), 0, "nor read");
	close(a[0]);
	close(a[1]);
	close(b[1]);
	close(fd);
}

static void splice_errors(void)
{
	int fd = pattern_file("errors", PAGE), ro = open("errors", O_RDONLY), wo = open("errors", O_WRONLY), p[2], q[2], dir;
	int app = open("errors", O_RDWR | O_APPEND);
	loff_t off = 0, neg = -1;

	pipe(p);
	pipe(q);
	write(p[1], pattern, 100);
	is_int(splice(-1, NULL, -1, NULL, 0, 0), 0, "length 0: nothing is looked at");
	is_int(splice(-1, NULL, -1, NULL, 0, 0x100), 0, "not even flags");
	is_errno(splice(fd, NULL, p[1], NULL, 1, 0x10) == -1, EINVAL, "an unknown flag");
	is_errno(splice(-1, NULL, -1, NULL, 1, 0x10) == -1, EINVAL, "comes first");
	is_errno(splice(-1, NULL, p[1], NULL, 1, 0) == -1, EBADF, "a bad source");
	is_errno(splice(fd, NULL, -1, NULL, 1, 0) == -1, EBADF, "a bad target");
	is_errno(splice(wo, NULL, p[1], NULL, 1, 0) == -1, EBADF, "a source not open for reading");
	is_errno(splice(p[0], NULL, ro, NULL, 1, 0) == -1, EBADF, "a target not open for writing");
	is_errno(splice(p[1], NULL, fd, NULL, 1, 0) == -1, EBADF, "the wrong end as source");
	is_errno(splice(fd, NULL, p[0], NULL, 1, 0) == -1, EBADF, "the wrong end as target");
	is_errno(splice(fd, NULL, fd, NULL, 1, 0) == -1, EINVAL, "no pipe");
	is_errno(splice(fd, &neg, fd, &neg, 1, 0) == -1, EINVAL, "no pipe, offsets");
	is_errno(splice(p[0], NULL, p[1], NULL, 1, 0) == -1, EINVAL, "one pipe with itself");
	is_errno(splice(p[0], &off, fd, NULL, 1, 0) == -1, ESPIPE, "an offset for the source pipe");
	is_errno(splice(fd, NULL, p[1], &off, 1, 0) == -1, ESPIPE, "an offset for the target pipe");
	is_errno(splice(p[0], &off, q[1], NULL, 1, 0) == -1, ESPIPE, "with two pipes as well");
	is_errno(splice(wo, NULL, p[1], &off, 1, 0) == -1, ESPIPE, "before the modes are looked at");
	is_errno(splice(fd, BAD_PTR, p[1], NULL, 1, 0) == -1, EFAULT, "a bad pointer to an offset");
	is_errno(splice(p[0], NULL, fd, KERNEL_PTR, 1, 0) == -1, EFAULT, "for the target");
	is_errno(splice(p[0], NULL, fd, &neg, 1, 0) == -1, EINVAL, "a negative target offset");
	is_errno(splice(p[0], NULL, app, NULL, 1, 0) == -1, EINVAL, "a target with O_APPEND");
	dir = open(".", O_RDONLY);
	is_errno(splice(dir, NULL, q[1], NULL, 1, 0) == -1, EINVAL, "a directory");
	close(dir);
	dir = open("errors", O_PATH);
	is_errno(splice(dir, NULL, q[1], NULL, 1, 0) == -1, EBADF, "an O_PATH descriptor");
	is_int(available(p[0]), 100, "nothing was lost");
	is_int(available(q[0]), 0, "nothing came");
	close(dir);
	close(fd), close(ro), close(wo), close(app);
	close(p[0]), close(p[1]), close(q[0]), close(q[1]);
}

static void bad_offset_result(void)
{
	int fd = pattern_file("ro", PAGE), p[2];
	loff_t *ro = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	pipe(p);
	is_errno(splice(fd, ro, p[1], NULL, 10, 0) == -1, EFAULT, "an offset that cannot be written back");
	is_int(available(p[0]), 10, "after the transfer");
	munmap(ro, PAGE);
	close(fd), close(p[0]), close(p[1]);
}

static void tees(void)
{
	int a[2], b[2], c[2];
	char *page = buf;

	pipe(a);
	pipe(b);
	pipe(c);
	write(a[1], pattern, 10000);
	is_int(tee(a[0], b[1], 5000, 0), 5000, "tee");
	is_int(available(a[0]), 10000, "leaves the source alone");
	ok(read(b[0], buf, sizeof(buf)) == 5000 && !memcmp(buf, pattern, 5000), "copies");
	is_int(tee(a[0], b[1], 1 << 20, SPLICE_F_MOVE | SPLICE_F_MORE), 10000, "all there is");
	is_int(tee(b[0], c[1], 1 << 20, 0), 10000, "and on");
	read(a[0], buf, sizeof(buf));
	for (int i = 0; i < 20; i++) {	/* used pages must not be filled again while others have them */
		memset(page, 0xee, PAGE);
		write(a[1], page, PAGE);
		read(a[0], page, PAGE);
	}
	ok(read(c[0], buf, sizeof(buf)) == 10000 && !memcmp(buf, pattern, 10000), "each has its own, the third");
	ok(read(b[0], buf, sizeof(buf)) == 10000 && !memcmp(buf, pattern, 10000), "the second");
	write(a[1], "abc", 3);
	tee(a[0], b[1], 100, 0);
	write(a[1], "def", 3);
	write(b[1], "xyz", 3);
	ok(read(a[0], buf, 100) == 6 && !memcmp(buf, "abcdef", 6), "the source goes on alone");
	ok(read(b[0], buf, 100) == 6 && !memcmp(buf, "abcxyz", 6), "so does the copy");
	is_errno(tee(a[0], b[1], 10, SPLICE_F_NONBLOCK) == -1, EAGAIN, "an empty source");
	write(a[1], "abc", 3);
	fcntl(b[1], F_SETPIPE_SZ, PAGE);
	write(b[1], "x", 1);
	is_errno(tee(a[0], b[1], 10, SPLICE_F_NONBLOCK) == -1, EAGAIN, "a full target");
	is_errno(tee(a[0], a[1], 10, 0) == -1, EINVAL, "one pipe with itself");
	is_errno(tee(open("/dev/null", O_RDWR), a[1], 10, 0) == -1, EINVAL, "no pipe");
	is_errno(tee(a[1], b[1], 10, 0) == -1, EBADF, "the wrong end");
	is_errno(tee(-1, b[1], 10, 0) == -1, EBADF, "a bad descriptor");
	is_errno(tee(-1, b[1], 10, 0x10) == -1, EINVAL, "an unknown flag");
	is_errno(tee(-1, b[1], 0, 0x10) == -1, EINVAL, "even with length 0");
	is_int(tee(-1, -1, 0, 0), 0, "length 0");
	read(a[0], buf, 3);
	close(a[1]);
	empty(b[0]);
	is_int(tee(a[0], b[1], 10, 0), 0, "no writers");
	close(a[0]), close(b[0]), close(b[1]), close(c[0]), close(c[1]);
}

static void vmsplices(void)
{
	static char page[4 * PAGE] __attribute__((aligned(PAGE)));
	struct iovec iov[3] = { { page + 10, PAGE }, { page, 0 }, { page + 3 * PAGE, 20 } };
	char *edge = fs_edge();
	int p[2], fd;

	pipe(p);
	memcpy(page, pattern, sizeof(page));
	is_int(vmsplice(p[1], iov, 3, 0), PAGE + 20, "vmsplice into a pipe");
	is_int(available(p[0]), PAGE + 20, "is in it");
	ok(read(p[0], buf, sizeof(buf)) == PAGE + 20 && !memcmp(buf, pattern + 10, PAGE) && !memcmp(buf + PAGE, pattern + 3 * PAGE, 20), "the bytes");
	is_int(vmsplice(p[1], iov, 1, SPLICE_F_GIFT), PAGE, "SPLICE_F_GIFT: alignment is not asked for");
	empty(p[0]);
	iov[0] = (struct iovec){ edge - 100, 200 };
	memset(edge - 100, 'e', 100);
	is_int(vmsplice(p[1], iov, 1, 0), 100, "up to memory that is not there");
	empty(p[0]);
	iov[0] = (struct iovec){ edge, 10 };
	is_errno(vmsplice(p[1], iov, 1, 0) == -1, EFAULT, "none of it");
	iov[0] = (struct iovec){ KERNEL_PTR, 10 };
	is_errno(vmsplice(p[1], iov, 1, 0) == -1, EFAULT, "not a user's");
	is_errno(vmsplice(p[1], BAD_PTR, 1, 0) == -1, EFAULT, "a bad vector");
	is_errno(vmsplice(p[1], iov, 1025, 0) == -1, EINVAL, "too many segments");
	iov[0] = (struct iovec){ page, -1 };
	is_errno(vmsplice(p[1], iov, 1, 0) == -1, EINVAL, "a negative length");
	is_int(vmsplice(p[1], NULL, 0, 0), 0, "none");
	is_errno(vmsplice(p[1], iov, 1, 0x10) == -1, EINVAL, "an unknown flag");
	is_errno(vmsplice(-1, iov, 1, 0x10) == -1, EINVAL, "comes first");
	is_errno(vmsplice(-1, iov, 1, 0) == -1, EBADF, "a bad descriptor");
	fd = open("/dev/null", O_RDWR);
	iov[0] = (struct iovec){ page, 10 };
	is_errno(vmsplice(fd, iov, 1, 0) == -1, EBADF, "no pipe");
	close(fd);
	iov[0] = (struct iovec){ pattern, sizeof(pattern) };
	is_int(vmsplice(p[1], iov, 1, 0), 16 * PAGE - ((uintptr_t)pattern & (PAGE - 1)), "as much as there are slots");
	is_errno(vmsplice(p[1], iov, 1, SPLICE_F_NONBLOCK) == -1, EAGAIN, "full: SPLICE_F_NONBLOCK");
	is_int(vmsplice(p[0], &(struct iovec){ buf, 10 }, 1, 0), 10, "vmsplice out of a pipe");
	ok(!memcmp(buf, pattern, 10), "the bytes");
	is_int(vmsplice(p[0], (struct iovec[]){ { buf, 10000 }, { buf + 20000, 1 << 17 } }, 2, 0),
	       16 * PAGE - 10 - ((uintptr_t)pattern & (PAGE - 1)), "all that is there");
	ok(!memcmp(buf, pattern + 10, 10000) && !memcmp(buf + 20000, pattern + 10010, 40000), "in the right places");
	is_errno(vmsplice(p[0], &(struct iovec){ buf, 10 }, 1, SPLICE_F_NONBLOCK) == -1, EAGAIN, "empty: SPLICE_F_NONBLOCK");
	write(p[1], "abc", 3);
	is_errno(vmsplice(p[0], &(struct iovec){ edge, 10 }, 1, 0) == -1, EFAULT, "to memory that is not there");
	is_int(available(p[0]), 3, "nothing was lost");
	close(p[0]), close(p[1]);
}

/* The pipe keeps the bytes when the memory goes. */
static void vmsplice_unmapped(void)
{
	char *m = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int p[2], file = pattern_file("mapped", 2 * PAGE);
	int status;

	pipe(p);
	memcpy(m, pattern, 2 * PAGE);
	is_int(vmsplice(p[1], &(struct iovec){ m, 2 * PAGE }, 1, 0), 2 * PAGE, "memory");
	munmap(m, 2 * PAGE);
	m = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(m, 1, 2 * PAGE);
	ok(read(p[0], buf, sizeof(buf)) == 2 * PAGE && !memcmp(buf, pattern, 2 * PAGE), "outlives its mapping");
	memcpy(m, pattern, 2 * PAGE);
	fflush(stdout);
	if (fork() == 0) {
		vmsplice(p[1], &(struct iovec){ m, 2 * PAGE }, 1, 0);
		_exit(0);
	}
	wait(&status);
	memset(m, 2, 2 * PAGE);
	ok(read(p[0], buf, sizeof(buf)) == 2 * PAGE && !memcmp(buf, pattern, 2 * PAGE), "and its process");
	munmap(m, 2 * PAGE);
	m = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	is_int(vmsplice(p[1], &(struct iovec){ m + 5, PAGE }, 1, 0), PAGE, "a file's pages");
	munmap(m, 2 * PAGE);
	close(file);
	unlink("mapped");
	ok(read(p[0], buf, sizeof(buf)) == PAGE && !memcmp(buf, pattern + 5, PAGE), "outlive the file");
	m = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	is_int(vmsplice(p[1], &(struct iovec){ m, PAGE }, 1, 0), PAGE, "memory never touched");
	write(p[1], "x", 1);
	ok(read(p[0], buf, sizeof(buf)) == PAGE + 1 && !buf[0] && !memcmp(buf, buf + 1, PAGE - 1), "is zeroes");
	ok(!m[0] && !m[1], "and stays so");
	munmap(m, PAGE);
	close(p[0]), close(p[1]);
}

/* --- Waiting */

static int to_pipe, from_fd;

static void *late_writer(void *arg)
{
	sleep_ms(50);
	write(to_pipe, arg, strlen(arg));
	return NULL;
}

static void *late_reader(void *arg)
{
	static char sink[1 << 16];

	(void)arg;
	sleep_ms(50);
	read(from_fd, sink, sizeof(sink));
	return NULL;
}

static void waiting(void)
{
	int fd = open("waits", O_CREAT | O_RDWR, 0644), a[2], b[2];
	pthread_t t;
	loff_t off = 0;

	pipe(a);
	pipe(b);
	to_pipe = a[1];
	pthread_create(&t, NULL, late_writer, "late");
	is_int(splice(a[0], NULL, fd, NULL, 100, 0), 4, "an empty pipe is waited for");
	pthread_join(t, NULL);
	pthread_create(&t, NULL, late_writer, "later");
	is_int(splice(a[0], NULL, b[1], NULL, 100, 0), 5, "pipe to pipe too");
	pthread_join(t, NULL);
	pthread_create(&t, NULL, late_writer, "tee");
	is_int(tee(a[0], b[1], 100, 0), 3, "tee too");
	pthread_join(t, NULL);
	empty(a[0]);
	empty(b[0]);
	pthread_create(&t, NULL, late_writer, "vmsplice");
	is_int(vmsplice(a[0], &(struct iovec){ buf, 100 }, 1, 0), 8, "vmsplice too");
	pthread_join(t, NULL);
	fcntl(b[1], F_SETPIPE_SZ, PAGE);
	from_fd = b[0];
	write(b[1], pattern, PAGE);
	pthread_create(&t, NULL, late_reader, NULL);
	is_int(splice(fd, &off, b[1], NULL, 100, 0), 4, "a full pipe is waited for");
	pthread_join(t, NULL);
	empty(b[0]);
	write(a[1], "pipe", 4);
	write(b[1], pattern, PAGE);
	pthread_create(&t, NULL, late_reader, NULL);
	is_int(splice(a[0], NULL, b[1], NULL, 100, 0), 4, "pipe to a full pipe");
	pthread_join(t, NULL);
	catch(SIGALRM, 0);
	alarm_ms(50);
	is_errno(splice(a[0], NULL, fd, NULL, 100, 0) == -1, EINTR, "a signal ends the wait for data");
	alarm_ms(50);
	is_errno(tee(a[0], b[1], 100, 0) == -1, EINTR, "tee's");
	empty(b[0]);
	write(b[1], pattern, PAGE);
	off = 0;
	alarm_ms(50);
	is_errno(splice(fd, &off, b[1], NULL, 100, 0) == -1, EINTR, "and the wait for room");
	catch(SIGALRM, SA_RESTART);
	alarm_ms(50);
	pthread_create(&t, NULL, late_writer, "restart");
	is_int(splice(a[0], NULL, fd, NULL, 100, 0), 7, "SA_RESTART");
	pthread_join(t, NULL);
	close(a[0]), close(a[1]), close(b[0]), close(b[1]), close(fd);
}

/* --- Races */

static int ring_a[2], ring_b[2];

#define TURNS 3000

static void *mover(void *arg)
{
	int forth = arg != NULL;

	for (int i = 0; i < TURNS; i++) {
		if (forth)
			splice(ring_a[0], NULL, ring_b[1], NULL, 100 + i % 5000, SPLICE_F_NONBLOCK);
		else
			splice(ring_b[0], NULL, ring_a[1], NULL, 100 + i % 3000, SPLICE_F_NONBLOCK);
		if (i % 7 == 0)
			tee(forth ? ring_a[0] : ring_b[0], forth ? ring_b[1] : ring_a[1], 0, 0);
	}
	return NULL;
}

static void both_ways(void)
{
	pthread_t t[4];
	long total, count = 0;
	ssize_t n;

	pipe(ring_a);
	pipe(ring_b);
	for (int i = 0; i < 40000; i++)
		buf[i] = 'a' + i % 2;
	write(ring_a[1], buf, 40000);
	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, mover, (void *)(i & 1));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	total = available(ring_a[0]) + available(ring_b[0]);
	is_int(total, 40000, "two pipes, four threads, both ways: no byte is lost or made");
	close(ring_a[1]), close(ring_b[1]);
	while ((n = read(ring_a[0], buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			count += buf[i] == 'a';
	while ((n = read(ring_b[0], buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			count += buf[i] == 'a';
	is_int(count, 20000, "or changed");
	close(ring_a[0]), close(ring_b[0]);
}

static int race_in[2];
static int race_out[2];

static void *drain_by_splice(void *arg)
{
	ssize_t n;

	while ((n = splice(race_in[0], NULL, race_out[(long)arg], NULL, 777, 0)) > 0)
		;
	return NULL;
}

static void many_readers(void)
{
	pthread_t t[2];
	long size;

	pipe(race_in);
	race_out[0] = open("race0", O_CREAT | O_RDWR, 0644);
	race_out[1] = open("race1", O_CREAT | O_RDWR, 0644);
	for (long i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, drain_by_splice, (void *)i);
	for (int i = 0; i < 64; i++)
		write(race_in[1], pattern, 10000);
	close(race_in[1]);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	size = fs_size("race0") + fs_size("race1");
	is_int(size, 640000, "two threads splice from one pipe: every byte once");
	close(race_in[0]), close(race_out[0]), close(race_out[1]);
}

static volatile int stop;

static void *truncater(void *arg)
{
	int fd = *(int *)arg;

	while (!stop) {
		ftruncate(fd, 100);
		pwrite(fd, pattern, 40000, 0);
	}
	return NULL;
}

static void truncation_race(void)
{
	int fd = pattern_file("trunc", 40000), p[2], bad = 0;
	pthread_t t;

	pipe(p);
	pthread_create(&t, NULL, truncater, &fd);
	for (int i = 0; i < 2000; i++) {
		loff_t off = 0;
		ssize_t n = splice(fd, &off, p[1], NULL, 40000, 0);

		if (n < 100 || n > 40000 || read(p[0], buf, sizeof(buf)) != n || memcmp(buf, pattern, 100))
			bad++;
	}
	stop = 1;
	pthread_join(t, NULL);
	is_int(bad, 0, "splicing from a file that is truncated and written meanwhile");
	close(fd), close(p[0]), close(p[1]);
}

static void killed(void)
{
	int a[2], status;
	pid_t pid;

	pipe(a);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int fd = open("stuck", O_CREAT | O_RDWR, 0644);

		splice(a[0], NULL, fd, NULL, 100, 0);
		_exit(1);
	}
	sleep_ms(30);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a blocked splice can be killed");
	write(a[1], "x", 1);
	is_int(read(a[0], buf, 1), 1, "and leaves the pipe in order");
	close(a[0]), close(a[1]);
}

static void limits(void)
{
	struct rlimit rl = { 1000, RLIM_INFINITY };
	int fd = open("limit", O_CREAT | O_RDWR, 0644), p[2];

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &rl);
	pipe(p);
	write(p[1], pattern, 3000);
	is_int(splice(p[0], NULL, fd, NULL, 3000, 0), 1000, "RLIMIT_FSIZE: up to it");
	is_int(available(p[0]), 2000, "the rest stays in the pipe");
	is_errno(splice(p[0], NULL, fd, NULL, 3000, 0) == -1, EFBIG, "at it");
	is_int(available(p[0]), 2000, "which takes nothing away");
	rl.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &rl);
	close(fd), close(p[0]), close(p[1]);
	fd = open("/dev/full", O_WRONLY);
	pipe(p);
	write(p[1], "x", 1);
	is_int(splice(p[0], NULL, fd, NULL, 10, 0) == -1 && (errno == ENOSPC || errno == EINVAL), 1, "/dev/full");
	is_int(available(p[0]), 1, "leaves the byte");
	close(fd), close(p[0]), close(p[1]);
}

static void packets(void)
{
	int p[2], fd = open("packets", O_CREAT | O_RDWR, 0644);

	pipe2(p, O_DIRECT);
	write(p[1], "abcd", 4);
	write(p[1], "efgh", 4);
	is_int(splice(p[0], NULL, fd, NULL, 6, 0), 6, "a pipe of packets: bytes are taken");
	is_int(read(p[0], buf, 100), 2, "what is left of one");
	ok(pread(fd, buf, 100, 0) == 6 && !memcmp(buf, "abcdef", 6), "none is dropped");
	close(fd), close(p[0]), close(p[1]);
}

#define NUMBERS 200000

static void *count_into(void *arg)
{
	for (long i = 0; i < NUMBERS; i++)
		if (write(*(int *)arg, &i, sizeof(i)) != sizeof(i))
			break;
	close(*(int *)arg);
	return NULL;
}

static void *count_out_of(void *arg)
{
	static long bad;
	long got, want = 0;

	bad = 0;
	while (read(*(int *)arg, &got, sizeof(got)) == sizeof(got))
		bad += got != want++;
	bad += want != NUMBERS;
	return &bad;
}

/* Small writes are added to the last page of a pipe while that is passed on to another one: nothing is lost, doubled or out of order. */
static void growing(bool by_tee)
{
	int a[2], b[2], null = open("/dev/null", O_WRONLY);
	pthread_t writer, reader;
	void *bad;
	ssize_t n;

	pipe(a);
	pipe(b);
	pthread_create(&writer, NULL, count_into, &a[1]);
	pthread_create(&reader, NULL, count_out_of, &b[0]);
	if (by_tee) {
		while ((n = tee(a[0], b[1], 1 << 20, 0)) > 0)
			for (ssize_t used; n > 0 && (used = splice(a[0], NULL, null, NULL, (size_t)n, 0)) > 0;)
				n -= used;
	} else {
		while (splice(a[0], NULL, b[1], NULL, 1 << 20, 0) > 0)
			;
	}
	close(b[1]);
	pthread_join(writer, NULL);
	pthread_join(reader, &bad);
	is_int(*(long *)bad, 0, "a stream of small writes, passed on by %s", by_tee ? "tee" : "splice");
	close(a[0]);
	close(b[0]);
	close(null);
}

int main(void)
{
	fs_begin();
	pattern_begin();
	file_to_pipe();
	no_merge();
	pipe_to_file();
	devices();
	pipe_to_pipe();
	no_readers();
	splice_errors();
	bad_offset_result();
	tees();
	vmsplices();
	vmsplice_unmapped();
	waiting();
	both_ways();
	many_readers();
	truncation_race();
	killed();
	limits();
	packets();
	growing(true);
	growing(false);
	return fs_end();
}
