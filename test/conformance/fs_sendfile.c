/* SPDX-License-Identifier: MPL-2.0 */
/* sendfile(2): from files to files, pipes, devices. */
#include "pattern.h"
#include <pthread.h>
#include <sys/sendfile.h>

#define SIZE 200000

static void files(void)
{
	int in = pattern_file("in", SIZE), out = open("out", O_CREAT | O_TRUNC | O_RDWR, 0644);
	off_t off = 100;

	is_int(sendfile(out, in, NULL, 10), 10, "file to file");
	is_int(lseek(in, 0, SEEK_CUR), 10, "the source's position moves");
	is_int(lseek(out, 0, SEEK_CUR), 10, "so does the target's");
	is_int(sendfile(out, in, &off, 5000), 5000, "at an offset");
	is_int(off, 5100, "which is told on");
	is_int(lseek(in, 0, SEEK_CUR), 10, "the position stays");
	ok(pread(out, buf, 10000, 0) == 5010 && !memcmp(buf, pattern, 10) && !memcmp(buf + 10, pattern + 100, 5000), "the bytes");
	off = 0;
	ftruncate(out, 0);
	lseek(out, 3, SEEK_SET);
	is_int(sendfile(out, in, &off, 1 << 30), SIZE, "all of it");
	ok(pread(out, buf, sizeof(buf), 3) == SIZE && !memcmp(buf, pattern, SIZE), "in its place");
	is_int(sendfile(out, in, &off, 10), 0, "at the end");
	off = SIZE + 1000;
	is_int(sendfile(out, in, &off, 10), 0, "beyond it");
	is_int(sendfile(out, in, &off, 0), 0, "length 0");
	ftruncate(in, 0);
	ftruncate(in, 3 * PAGE);
	off = PAGE;
	lseek(out, 0, SEEK_SET);
	is_int(sendfile(out, in, &off, PAGE), PAGE, "a hole");
	ok(pread(out, buf, PAGE, 0) == PAGE && !buf[0] && !memcmp(buf, buf + 1, PAGE - 1), "is zeroes");
	close(in), close(out);
	in = pattern_file("same", 3 * PAGE);
	off = 0;
	lseek(in, PAGE, SEEK_SET);
	is_int(sendfile(in, in, &off, PAGE), PAGE, "a file to itself");
	ok(pread(in, buf, PAGE, PAGE) == PAGE && !memcmp(buf, pattern, PAGE), "is copied");
	is_int(lseek(in, 0, SEEK_CUR), 2 * PAGE, "and the target's position moves");
	close(in);
}

static void others(void)
{
	int in = pattern_file("in", SIZE), fd, p[2];
	off_t off = 0;

	pipe(p);
	is_int(sendfile(p[1], in, &off, 100), 100, "file to pipe");
	ok(read(p[0], buf, 1000) == 100 && !memcmp(buf, pattern, 100), "the bytes");
	off = 0;
	is_int(sendfile(p[1], in, &off, SIZE), 65536, "as much as the pipe takes");
	is_int(off, 65536, "so far");
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	is_errno(sendfile(p[1], in, &off, SIZE) == -1, EAGAIN, "full and O_NONBLOCK");
	is_int(off, 65536, "the offset stays");
	ok(read(p[0], buf, sizeof(buf)) == 65536 && !memcmp(buf, pattern, 65536), "all is right");
	close(p[0]);
	is_errno(sendfile(p[1], in, &off, 10) == -1, EPIPE, "a pipe without readers");
	close(p[1]);
	fd = open("/dev/null", O_RDWR);
	off = 0;
	is_int(sendfile(fd, in, &off, SIZE), SIZE, "to /dev/null");
	close(fd);
	fd = open("/proc/version", O_RDONLY);
	close(in);
	in = open("version", O_CREAT | O_RDWR, 0644);
	ok(sendfile(in, fd, NULL, SIZE) > 10, "from /proc");
	pread(in, buf, 5, 0);
	ok(!memcmp(buf, "Linux", 5), "the text");
	close(fd), close(in);
}

static void errors(void)
{
	int fd = pattern_file("errors", PAGE), ro = open("errors", O_RDONLY), wo = open("errors", O_WRONLY), app = open("errors", O_RDWR | O_APPEND);
	int out = open("errors-out", O_CREAT | O_RDWR, 0644), p[2], other;
	off_t off = 0, neg = -1;

	pipe(p);
	write(p[1], "x", 1);
	is_errno(sendfile(out, -1, NULL, 1) == -1, EBADF, "a bad source");
	is_errno(sendfile(-1, fd, NULL, 1) == -1, EBADF, "a bad target");
	is_errno(sendfile(out, wo, NULL, 1) == -1, EBADF, "a source not open for reading");
	is_errno(sendfile(ro, fd, NULL, 1) == -1, EBADF, "a target not open for writing");
	is_errno(sendfile(out, fd, BAD_PTR, 1) == -1, EFAULT, "a bad offset pointer");
	is_errno(sendfile(-1, -1, BAD_PTR, 1) == -1, EFAULT, "is looked at first");
	is_errno(sendfile(out, fd, &neg, 1) == -1, EINVAL, "a negative offset");
	is_errno(sendfile(out, fd, NULL, -1) == -1, EINVAL, "a negative length");
	is_errno(sendfile(app, fd, NULL, 1) == -1, EINVAL, "a target with O_APPEND");
	is_errno(sendfile(out, p[0], NULL, 1) == -1, EINVAL, "from a pipe");
	is_errno(sendfile(out, p[0], &off, 1) == -1, ESPIPE, "from a pipe at an offset");
	other = open(".", O_RDONLY);
	is_errno(sendfile(out, other, NULL, 1) == -1, EINVAL, "from a directory");
	close(other);
	other = open("/dev/null", O_RDWR);
	is_errno(sendfile(out, other, NULL, 1) == -1, EINVAL, "from a character device");
	close(other);
	other = open("errors", O_PATH);
	is_errno(sendfile(out, other, NULL, 1) == -1, EBADF, "an O_PATH descriptor");
	close(other);
	off = LONG_MAX - 10;
	is_errno(sendfile(out, fd, &off, 20) == -1, EINVAL, "an offset that overflows");
	is_int(fs_size("errors-out"), 0, "nothing was written");
	is_int(lseek(fd, 0, SEEK_CUR), 0, "or read");
	close(fd), close(ro), close(wo), close(app), close(out), close(p[0]), close(p[1]);
}

static volatile sig_atomic_t n_xfsz;

static void on_xfsz(int sig)
{
	(void)sig;
	n_xfsz++;
}

static void limits(void)
{
	struct rlimit rl = { 10000, RLIM_INFINITY };
	int in = pattern_file("in", SIZE), out = open("limit", O_CREAT | O_RDWR, 0644), full = open("/dev/full", O_WRONLY);
	off_t off = 0;

	signal(SIGXFSZ, on_xfsz);
	setrlimit(RLIMIT_FSIZE, &rl);
	is_int(sendfile(out, in, &off, SIZE), 10000, "RLIMIT_FSIZE: up to it");
	is_int(off, 10000, "the offset says so");
	n_xfsz = 0;
	is_errno(sendfile(out, in, &off, SIZE) == -1, EFBIG, "at it");
	is_int(n_xfsz, 1, "SIGXFSZ");
	is_int(off, 10000, "the offset stays");
	rl.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &rl);
	off = 7;
	ok(sendfile(full, in, &off, 10) == -1 && off == 7, "/dev/full: an error, and nothing moves");
	close(out), close(full);
	mkdir("small", 0755);
	mount("small", "small", "tmpfs", 0, "size=16k");
	out = open("small/f", O_CREAT | O_RDWR, 0644);
	off = 0;
	is_int(sendfile(out, in, &off, SIZE), 4 * PAGE, "a full file system: what it takes");
	is_errno(sendfile(out, in, &off, SIZE) == -1, ENOSPC, "then ENOSPC");
	is_int(off, 4 * PAGE, "the offset is right");
	close(out), close(in);
	umount("small");
}

/* --- Long ones */

static int in_fd, out_fd;

static int send_forever(void)
{
	off_t off;

	for (;;) {
		off = 0;
		lseek(out_fd, 0, SEEK_SET);
		if (sendfile(out_fd, in_fd, &off, 1 << 24) <= 0)
			return 1;
	}
}

static void *writer(void *arg)
{
	for (int i = 0; i < 300; i++) {
		pwrite(in_fd, pattern, 60000, 0);
		ftruncate(in_fd, 10000);
	}
	return arg;
}

static void races(void)
{
	int status, bad = 0;
	pthread_t t;
	pid_t pid;
	off_t off;

	in_fd = open("big", O_CREAT | O_RDWR, 0644);
	out_fd = open("big-out", O_CREAT | O_RDWR, 0644);
	ftruncate(in_fd, 1 << 24);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(send_forever());
	sleep_ms(50);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a long transfer can be killed");
	ftruncate(in_fd, 10000);
	pwrite(in_fd, pattern, 10000, 0);
	pthread_create(&t, NULL, writer, NULL);
	for (int i = 0; i < 300; i++) {
		ssize_t n;

		off = 0;
		lseek(out_fd, 0, SEEK_SET);
		n = sendfile(out_fd, in_fd, &off, 60000);
		if (n < 10000 || n > 60000 || off != n || pread(out_fd, buf, n, 0) != n || memcmp(buf, pattern, 10000))
			bad++;
	}
	pthread_join(t, NULL);
	is_int(bad, 0, "from a file that grows and shrinks");
	close(in_fd), close(out_fd);
}

int main(void)
{
	fs_begin();
	pattern_begin();
	files();
	others();
	errors();
	limits();
	races();
	return fs_end();
}
