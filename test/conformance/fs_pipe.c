/* SPDX-License-Identifier: MPL-2.0 */
/* pipe(2), pipe(7): data, atomic writes, capacity, packets, blocking and not, SIGPIPE, poll, splitting among readers and writers. */
#include "fs_util.h"
#include <pthread.h>

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#endif

static char big[1 << 20];

static void basics(void)
{
	int p[2], in, avail = -1;
	struct stat st;
	char buf[64], link[64], want[64];
	ssize_t n;

	is_int(pipe(p), 0, "pipe");
	is_int(write(p[1], "hello", 5), 5, "write 5 bytes");
	is_int(ioctl(p[0], FIONREAD, &avail), 0, "FIONREAD");
	is_int(avail, 5, "FIONREAD says 5");
	is_int(read(p[0], buf, 2), 2, "read 2 of them");
	is_int(write(p[1], "!", 1), 1, "one more");
	n = read(p[0], buf, sizeof(buf));
	ok(n == 4 && !memcmp(buf, "llo!", 4), "the rest in one read");
	is_int(read(p[0], buf, 0), 0, "a read of nothing from an empty pipe does not wait");
	is_int(write(p[1], "", 0), 0, "a write of nothing");
	fstat(p[0], &st);
	ok(S_ISFIFO(st.st_mode) && (st.st_mode & 07777) == 0600 && st.st_size == 0 && st.st_nlink == 1, "fstat: FIFO, 0600, size 0, one link");
	is_int(st.st_blksize, 4096, "st_blksize");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", p[0]);
	n = readlink(link, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	snprintf(want, sizeof(want), "pipe:[%lu]", (unsigned long)st.st_ino);
	ok(n < 0 || !strcmp(buf, want), "/proc/self/fd shows pipe:[inode]");
	is_errno(lseek(p[0], 0, SEEK_CUR) == -1, ESPIPE, "lseek");
	is_errno(pread(p[0], buf, 1, 0) == -1, ESPIPE, "pread");
	is_errno(pwrite(p[1], buf, 1, 0) == -1, ESPIPE, "pwrite");
	is_errno(read(p[1], buf, 1) == -1, EBADF, "read from the write end");
	is_errno(write(p[0], buf, 1) == -1, EBADF, "write to the read end");
	is_errno(ftruncate(p[1], 0) == -1, EINVAL, "ftruncate");
	is_errno(fsync(p[1]) == -1, EINVAL, "fsync");
	is_errno(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, p[0], 0) == MAP_FAILED, ENODEV, "mmap");
	is_errno(fchdir(p[0]) == -1, ENOTDIR, "fchdir");
	in = fcntl(p[0], F_GETFL);
	is_int(in & O_ACCMODE, O_RDONLY, "F_GETFL of the read end");
	is_int(fcntl(p[1], F_GETFL) & O_ACCMODE, O_WRONLY, "F_GETFL of the write end");
	close(p[1]);
	is_int(read(p[0], buf, 1), 0, "end of file when the writer has gone");
	close(p[0]);
}

static void errors(void)
{
	int p[2] = { -7, -7 };
	struct rlimit old, few;
	int before = dup(0), after;

	close(before);
	is_errno(pipe2(p, 0x40000000) == -1, EINVAL, "pipe2 with an unknown flag");
	is_errno(syscall(SYS_pipe2, BAD_PTR, 0) == -1, EFAULT, "pipe2 to a bad pointer");
	is_errno(syscall(SYS_pipe, KERNEL_PTR) == -1, EFAULT, "pipe to a kernel pointer");
	is_errno(syscall(SYS_pipe, fs_edge() - 4) == -1, EFAULT, "pipe to an array that is half there");
	after = dup(0);
	close(after);
	is_int(after, before, "failed calls leave no descriptors");
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = (rlim_t)before + 1;
	setrlimit(RLIMIT_NOFILE, &few);
	is_errno(pipe(p) == -1, EMFILE, "pipe with one descriptor left");
	ok(p[0] == -7 && p[1] == -7, "the array is not touched");
	after = dup(0);
	is_int(after, before, "and that one is still free");
	close(after);
	setrlimit(RLIMIT_NOFILE, &old);
	is_int(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0, "pipe2 with O_CLOEXEC and O_NONBLOCK");
	is_int(fcntl(p[0], F_GETFD), FD_CLOEXEC, "close-on-exec on the read end");
	is_int(fcntl(p[1], F_GETFD), FD_CLOEXEC, "and on the write end");
	ok((fcntl(p[0], F_GETFL) & O_NONBLOCK) && (fcntl(p[1], F_GETFL) & O_NONBLOCK), "both do not block");
	is_errno(read(p[0], big, 1) == -1, EAGAIN, "empty: EAGAIN");
	is_errno(read(p[0], BAD_PTR, 1) == -1, EAGAIN, "empty and a bad pointer: EAGAIN");
	is_int(write(p[1], "abc", 3), 3, "3 bytes");
	is_errno(read(p[0], BAD_PTR, 3) == -1, EFAULT, "read to a bad pointer");
	is_int(read(p[0], big, 10), 3, "loses nothing");
	is_errno(write(p[1], BAD_PTR, 3) == -1, EFAULT, "write from a bad pointer");
	is_errno(read(p[0], big, 10) == -1, EAGAIN, "writes nothing");
	memcpy(fs_edge() - 4, "wxyz", 4);
	is_errno(write(p[1], fs_edge() - 4, 8) == -1, EFAULT, "a write that is half there");
	is_errno(syscall(SYS_write, p[1], big, -1l) == -1, EFAULT, "a count that does not fit");
	close(p[0]);
	close(p[1]);
}

static int count_writes(int fd, size_t size)
{
	int n = 0;

	while (write(fd, big, size) == (ssize_t)size)
		n++;
	return n;
}

static void capacity(void)
{
	static const size_t sizes[] = { 1, 100, 1000, 1365, 2048, 2049, 3000, 4095, 4096 };
	int p[2];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		pipe2(p, O_NONBLOCK);
		printf("# %zu bytes at a time\n", sizes[i]);
		is_int(count_writes(p[1], sizes[i]), (long)(4096 / sizes[i] * 16), "writes of %zu bytes fill 16 pages", sizes[i]);
		is_errno(write(p[1], big, sizes[i]) == -1, EAGAIN, "then EAGAIN");
		close(p[0]);
		close(p[1]);
	}
	pipe2(p, O_NONBLOCK);
	is_int(write(p[1], big, sizeof(big)), 65536, "a large write takes what fits");
	is_errno(write(p[1], big, 1) == -1, EAGAIN, "full");
	is_int(read(p[0], big, 4095), 4095, "4095 out");
	is_errno(write(p[1], big, 1) == -1, EAGAIN, "a page is free only when all of it was read");
	is_int(read(p[0], big, 1), 1, "one more");
	is_int(write(p[1], big, 4096), 4096, "now a page fits");
	is_int(read(p[0], big, sizeof(big)), 65536, "all in one read");
	is_int(write(p[1], big, 4096 + 10), 4106, "a page and ten bytes");
	is_int(write(p[1], big, 4096 + 10), 4106, "again");
	is_int(read(p[0], big, sizeof(big)), 8212, "both");
	close(p[0]);
	close(p[1]);
}

static int resize_as_somebody(void)
{
	int p[2];

	if (pipe(p) || fcntl(p[1], F_SETPIPE_SZ, 1 << 20) != 1 << 20)
		return 1;
	errno = 0;
	if (fcntl(p[1], F_SETPIPE_SZ, 1 << 21) != -1 || errno != EPERM)
		return 2;
	if (fcntl(p[1], F_SETPIPE_SZ, 4096) != 4096)
		return 3;
	return 0;
}

static void resizing(void)
{
	int p[2], fd;
	char buf[16];

	pipe2(p, O_NONBLOCK);
	is_int(fcntl(p[0], F_GETPIPE_SZ), 65536, "F_GETPIPE_SZ");
	is_int(fcntl(p[1], F_SETPIPE_SZ, 4096), 4096, "F_SETPIPE_SZ to a page");
	is_int(write(p[1], big, 10000), 4096, "then a page fits");
	is_int(fcntl(p[1], F_SETPIPE_SZ, 8193), 16384, "rounded up to a power of two");
	is_int(write(p[1], "abcdefgh", 8), 8, "more room");
	is_int(read(p[0], big, sizeof(big)), 4104, "what was there is still there");
	is_int(fcntl(p[1], F_SETPIPE_SZ, 0), 4096, "0: the least");
	is_errno(fcntl(p[1], F_SETPIPE_SZ, -1) == -1, EINVAL, "-1");
	is_errno(fcntl(p[1], F_SETPIPE_SZ, 0x80000001u) == -1, EINVAL, "2 GiB and a byte");
	is_int(fcntl(p[1], F_SETPIPE_SZ, 65536), 65536, "back to 64 KiB");
	is_int(write(p[1], big, 9000), 9000, "three pages");
	is_errno(fcntl(p[1], F_SETPIPE_SZ, 4096) == -1, EBUSY, "too small for what is in it");
	is_int(fcntl(p[1], F_SETPIPE_SZ, 16384), 16384, "four pages will do");
	is_int(read(p[0], big, sizeof(big)), 9000, "all there");
	for (int i = 0; i < 37; i++) {		/* positions that have gone around the ring */
		ok(write(p[1], "0123456789", 10) == 10 && fcntl(p[1], F_SETPIPE_SZ, i & 1 ? 4096 : 32768) > 0 && read(p[0], buf, 16) == 10 &&
		   !memcmp(buf, "0123456789", 10), "resized on the way %d", i);
	}
	close(p[0]);
	close(p[1]);
	fd = open("file", O_CREAT | O_RDWR, 0644);
	is_errno(fcntl(fd, F_GETPIPE_SZ) == -1, EBADF, "F_GETPIPE_SZ of a file");
	is_errno(fcntl(fd, F_SETPIPE_SZ, 4096) == -1, EBADF, "F_SETPIPE_SZ of a file");
	close(fd);
	is_int(as_somebody(resize_as_somebody), 0, "up to 1 MiB without privileges, EPERM beyond");
}

static void packets(void)
{
	int p[2];
	char buf[8192];

	is_int(pipe2(p, O_DIRECT | O_NONBLOCK), 0, "pipe2 with O_DIRECT");
	ok((fcntl(p[1], F_GETFL) & O_DIRECT) != 0, "F_GETFL of the write end shows it");
	write(p[1], "one", 3);
	write(p[1], "twotwo", 6);
	is_int(read(p[0], buf, sizeof(buf)), 3, "one packet a read");
	is_int(read(p[0], buf, 2), 2, "a short read");
	is_errno(read(p[0], buf, sizeof(buf)) == -1, EAGAIN, "the rest of the packet is dropped");
	is_int(write(p[1], big, 5000), 5000, "more than PIPE_BUF");
	is_int(read(p[0], buf, sizeof(buf)), 4096, "comes as two packets");
	is_int(read(p[0], buf, sizeof(buf)), 904, "the second");
	is_int(count_writes(p[1], 1), 16, "each packet takes a page");
	close(p[0]);
	close(p[1]);
}

/* pipe, which the C library makes of pipe2; F_SETFL switches packets on and off. */
static void old_pipe(void)
{
	int p[2] = { -1, -1 };
	char buf[64];

	is_int(syscall(SYS_pipe, p), 0, "the call pipe");
	is_int(fcntl(p[0], F_GETFL), O_RDONLY, "one end to read");
	is_int(fcntl(p[1], F_GETFL), O_WRONLY, "one to write");
	ok(fcntl(p[0], F_GETFD) == 0 && fcntl(p[1], F_GETFD) == 0, "neither closed on exec");
	write(p[1], "ab", 2);
	write(p[1], "cd", 2);
	is_int(read(p[0], buf, sizeof(buf)), 4, "a stream");
	is_int(fcntl(p[1], F_SETFL, O_DIRECT), 0, "O_DIRECT by F_SETFL");
	is_int(fcntl(p[1], F_GETFL), O_WRONLY | O_DIRECT, "is told");
	write(p[1], "ab", 2);
	write(p[1], "cd", 2);
	is_int(read(p[0], buf, sizeof(buf)), 2, "packets from now on");
	is_int(fcntl(p[1], F_SETFL, 0), 0, "and off");
	write(p[1], "ef", 2);
	is_int(read(p[0], buf, sizeof(buf)), 2, "the second packet");
	write(p[1], "gh", 2);
	is_int(read(p[0], buf, sizeof(buf)), 4, "a stream again");
	is_errno(syscall(SYS_pipe, BAD_PTR) == -1, EFAULT, "a bad pointer");
	is_errno(syscall(SYS_pipe, fs_edge() - 4) == -1, EFAULT, "half a bad pointer");
	close(p[0]);
	close(p[1]);
	is_errno(fcntl(p[0], F_GETFD) == -1, EBADF, "which leaves no descriptor behind");
}

static volatile sig_atomic_t n_sigpipe;

static void on_sigpipe(int sig)
{
	(void)sig;
	n_sigpipe++;
}

static int die_of_sigpipe(void)
{
	int p[2];

	signal(SIGPIPE, SIG_DFL);
	pipe(p);
	close(p[0]);
	write(p[1], "x", 1);
	return 0;
}

static void broken(void)
{
	struct pollfd pfd;
	int p[2];

	pipe(p);
	signal(SIGPIPE, on_sigpipe);
	pfd = (struct pollfd){ p[1], POLLOUT, 0 };
	is_int(poll(&pfd, 1, 0), 1, "poll the write end");
	is_int(pfd.revents, POLLOUT, "POLLOUT");
	close(p[0]);
	is_int(poll(&pfd, 1, 0), 1, "poll the write end without readers");
	is_int(pfd.revents, POLLOUT | POLLERR, "POLLOUT and POLLERR");
	is_errno(write(p[1], "x", 1) == -1, EPIPE, "write without readers");
	is_int(n_sigpipe, 1, "SIGPIPE");
	is_int(write(p[1], "", 0), 0, "a write of nothing is no error");
	signal(SIGPIPE, SIG_IGN);
	is_errno(write(p[1], "x", 1) == -1, EPIPE, "SIGPIPE ignored");
	close(p[1]);
	is_int(in_child(die_of_sigpipe), SIGPIPE, "SIGPIPE kills by default");
	pipe(p);
	pfd = (struct pollfd){ p[0], POLLIN, 0 };
	is_int(poll(&pfd, 1, 0), 0, "an empty pipe is not readable");
	write(p[1], "x", 1);
	is_int(poll(&pfd, 1, 0), 1, "now it is");
	is_int(pfd.revents, POLLIN, "POLLIN");
	close(p[1]);
	poll(&pfd, 1, 0);
	is_int(pfd.revents, POLLIN | POLLHUP, "POLLIN and POLLHUP: the writer has gone, the byte is there");
	read(p[0], big, 1);
	poll(&pfd, 1, 0);
	is_int(pfd.revents, POLLHUP, "POLLHUP alone");
	close(p[0]);
}

/* --- blocking */

struct job {
	int fd;
	size_t n;
	ssize_t result;
	int error;
	char *buf;
};

static void *do_read(void *arg)
{
	struct job *j = arg;

	j->result = read(j->fd, j->buf, j->n);
	j->error = errno;
	return NULL;
}

static void *do_write(void *arg)
{
	struct job *j = arg;

	j->result = write(j->fd, j->buf, j->n);
	j->error = errno;
	return NULL;
}

static void blocking(void)
{
	static char in[300000], out[300000];
	struct job w, r;
	pthread_t t;
	size_t got = 0;
	int p[2];

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + i / 4096);
	pipe(p);
	w = (struct job){ .fd = p[1], .n = sizeof(out), .buf = out };
	pthread_create(&t, NULL, do_write, &w);
	while (got < sizeof(in)) {
		ssize_t n = read(p[0], in + got, 1 + got % 9999);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	pthread_join(t, NULL);
	is_int(w.result, sizeof(out), "a large blocking write writes all");
	ok(got == sizeof(in) && !memcmp(in, out, sizeof(in)), "and the reader gets it unchanged");

	r = (struct job){ .fd = p[0], .n = 100, .buf = in };
	pthread_create(&t, NULL, do_read, &r);
	sleep_ms(30);
	write(p[1], "abc", 3);
	pthread_join(t, NULL);
	is_int(r.result, 3, "a blocked read returns with the first bytes");

	pthread_create(&t, NULL, do_read, &r);
	sleep_ms(30);
	close(p[1]);
	pthread_join(t, NULL);
	is_int(r.result, 0, "a blocked read ends when the last writer closes");
	close(p[0]);

	pipe(p);
	w = (struct job){ .fd = p[1], .n = 100000, .buf = out };
	pthread_create(&t, NULL, do_write, &w);
	sleep_ms(30);
	close(p[0]);
	pthread_join(t, NULL);
	is_int(w.result, 65536, "a blocked write tells what it wrote when the last reader closes");
	w.n = 10;
	do_write(&w);
	ok(w.result == -1 && w.error == EPIPE, "and EPIPE the next time");
	close(p[1]);
}

static void interrupted(void)
{
	static char buf[200000];
	int p[2];

	pipe(p);
	catch(SIGALRM, 0);
	alarm_ms(50);
	is_errno(read(p[0], buf, 1) == -1, EINTR, "a signal ends a blocked read");
	alarm_ms(50);
	is_int(write(p[1], buf, sizeof(buf)), 65536, "a signal cuts a blocked write short");
	alarm_ms(50);
	is_errno(write(p[1], buf, 1) == -1, EINTR, "a signal ends a blocked write that wrote nothing");
	close(p[0]);
	close(p[1]);
}

static int restarting(void)
{
	int p[2];
	pid_t pid;
	char c;

	pipe(p);
	catch(SIGALRM, SA_RESTART);
	pid = fork();
	if (pid == 0) {
		sleep_ms(120);
		write(p[1], "r", 1);
		_exit(0);
	}
	alarm_ms(40);
	if (read(p[0], &c, 1) != 1 || c != 'r')
		return 1;
	waitpid(pid, NULL, 0);
	return 0;
}

/* --- many */

#define WRITERS 4
#define LINES 400
#define LINE 333

/* Writes of at most PIPE_BUF bytes are not mixed with others'. */
static void atomic_writes(void)
{
	static char all[WRITERS * LINES * LINE];
	size_t got = 0;
	int p[2], bad = 0;
	ssize_t n;

	pipe(p);
	for (int w = 0; w < WRITERS; w++) {
		if (fork() == 0) {
			char line[LINE];

			memset(line, 'A' + w, LINE);
			for (int i = 0; i < LINES; i++)
				if (write(p[1], line, LINE) != LINE)
					_exit(1);
			_exit(0);
		}
	}
	close(p[1]);
	while ((n = read(p[0], all + got, 700)) > 0)
		got += (size_t)n;
	is_int((long)got, (long)sizeof(all), "all lines of all writers");
	for (size_t i = 0; i < got; i += LINE)
		for (size_t k = 1; k < LINE; k++)
			bad += all[i + k] != all[i];
	is_int(bad, 0, "no line is mixed with another");
	for (int w = 0; w < WRITERS; w++) {
		int status;

		wait(&status);
		ok(status == 0, "writer %d", w);
	}
	close(p[0]);
}

/* Several readers, several writers: each byte comes out once. */
static void many_readers(void)
{
	enum { READERS = 3, BYTES = 3000 };
	int p[2], sums[2];
	long total = 0, part;

	pipe(p);
	pipe(sums);
	for (int r = 0; r < READERS; r++) {
		if (fork() == 0) {
			long sum = 0;
			unsigned char c;

			close(p[1]);
			while (read(p[0], &c, 1) == 1)
				sum += c + 1000;
			write(sums[1], &sum, sizeof(sum));
			_exit(0);
		}
	}
	for (int w = 0; w < 2; w++) {
		if (fork() == 0) {
			for (int i = 0; i < BYTES; i++)
				if (write(p[1], "\1", 1) != 1)
					_exit(1);
			_exit(0);
		}
	}
	close(p[0]);
	close(p[1]);
	for (int r = 0; r < READERS; r++)
		if (read(sums[0], &part, sizeof(part)) == sizeof(part))
			total += part;
	is_int(total, 2l * BYTES * 1001, "each byte is read by one reader");
	while (wait(NULL) > 0)
		;
	close(sums[0]);
	close(sums[1]);
}

static void vectors(void)
{
	struct iovec iov[3] = { { "one", 3 }, { "", 0 }, { "three", 5 } };
	char a[4], b[16];
	int p[2];

	pipe(p);
	is_int(writev(p[1], iov, 3), 8, "writev");
	iov[0] = (struct iovec){ a, 4 };
	iov[1] = (struct iovec){ b, 16 };
	is_int(readv(p[0], iov, 2), 8, "readv");
	ok(!memcmp(a, "onet", 4) && !memcmp(b, "hree", 4), "scattered");
	close(p[0]);
	close(p[1]);
}

static void reopened(void)
{
	char path[64], buf[8];
	int p[2], fd;

	pipe(p);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
	fd = open(path, O_WRONLY);
	if (fd < 0 && errno == ENOENT) {
		skip("no /proc");
	} else {
		ok(fd >= 0 && write(fd, "via", 3) == 3, "a pipe opened again through /proc");
		is_int(read(p[0], buf, 8), 3, "is the same pipe");
		close(fd);
		close(p[1]);
		fd = open(path, O_RDONLY);
		ok(fd >= 0 && read(fd, buf, 8) == 0, "whose writers have gone: to open it does not wait, and it is at its end");
		close(fd);
		fd = open(path, O_RDONLY | O_NONBLOCK);
		ok(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0) == 1, "and so it is without waiting");
		close(fd);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", p[1] = open(path, O_WRONLY));
		close(p[0]);
		fd = open(path, O_WRONLY | O_NONBLOCK);
		ok(fd >= 0, "a writer need not find a reader");
		is_errno(write(fd, "x", 1) == -1, EPIPE, "but misses it when it writes");
		close(fd);
		p[0] = -1;
	}
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	fs_begin();
	basics();
	errors();
	capacity();
	resizing();
	packets();
	old_pipe();
	broken();
	blocking();
	interrupted();
	is_int(in_child(restarting), 0, "SA_RESTART restarts a read");
	atomic_writes();
	many_readers();
	vectors();
	reopened();
	return fs_end();
}
