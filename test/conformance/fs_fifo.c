/* SPDX-License-Identifier: MPL-2.0 */
/* fifo(7): how named pipes open, in all modes, blocking and not; poll at a FIFO that has had no writer; what lasts between opens. */
#include "fs_util.h"
#include <pthread.h>
#include <sched.h>

static int open_result, open_errno;
static const char *open_path;
static int open_flags;

static void *do_open(void *arg)
{
	(void)arg;
	open_result = open(open_path, open_flags);
	open_errno = errno;
	return NULL;
}

static int revents(int fd, int events)
{
	struct pollfd p = { fd, (short)events, 0 };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static void nonblocking(void)
{
	int r, w, rw;
	char buf[8];

	is_int(mkfifo("f", 0644), 0, "mkfifo");
	is_errno(mkfifo("f", 0644) == -1, EEXIST, "mkfifo again");
	is_int(fs_mode("f"), S_IFIFO | 0644, "its mode");
	is_errno(open("f", O_WRONLY | O_NONBLOCK) == -1, ENXIO, "open for writing without a reader");
	r = open("f", O_RDONLY | O_NONBLOCK);
	ok(r >= 0, "open for reading without a writer");
	is_int(read(r, buf, 8), 0, "reads end of file");
	is_int(revents(r, POLLIN), 0, "poll: no POLLHUP before there was a writer");
	w = open("f", O_WRONLY | O_NONBLOCK);
	ok(w >= 0, "open for writing with a reader");
	is_errno(read(r, buf, 8) == -1, EAGAIN, "empty, with a writer");
	is_int(write(w, "fifo", 4), 4, "write");
	is_int(revents(r, POLLIN), POLLIN, "POLLIN");
	close(w);
	is_int(revents(r, POLLIN), POLLIN | POLLHUP, "POLLHUP once the writer has gone");
	is_int(read(r, buf, 8), 4, "the data is still there");
	is_int(revents(r, POLLIN), POLLHUP, "POLLHUP");
	w = open("f", O_WRONLY);
	is_int(revents(r, POLLIN), 0, "a new writer: no POLLHUP");
	close(w);
	close(r);
	rw = open("f", O_RDWR);
	ok(rw >= 0, "O_RDWR does not wait");
	is_int(write(rw, "x", 1), 1, "write");
	is_int(revents(rw, POLLIN | POLLOUT), POLLIN | POLLOUT, "readable and writable");
	close(rw);
	r = open("f", O_RDONLY | O_NONBLOCK);
	is_int(read(r, buf, 8), 0, "what nobody read is gone with the last close");
	close(r);
}

static void blocking(void)
{
	pthread_t t;
	int fd;

	open_path = "f";
	open_flags = O_RDONLY;
	pthread_create(&t, NULL, do_open, NULL);
	sleep_ms(40);
	fd = open("f", O_WRONLY);
	pthread_join(t, NULL);
	ok(fd >= 0 && open_result >= 0, "a reader waits for a writer");
	close(fd);
	close(open_result);
	open_flags = O_WRONLY;
	pthread_create(&t, NULL, do_open, NULL);
	sleep_ms(40);
	fd = open("f", O_RDONLY | O_NONBLOCK);
	pthread_join(t, NULL);
	ok(fd >= 0 && open_result >= 0, "a writer waits for a reader");
	close(fd);
	close(open_result);
	open_flags = O_RDONLY;
	pthread_create(&t, NULL, do_open, NULL);
	sleep_ms(40);
	close(open("f", O_RDWR));
	pthread_join(t, NULL);
	ok(open_result >= 0, "a reader goes on though the writer has closed at once");
	close(open_result);
}

static void interrupted(void)
{
	catch(SIGALRM, 0);
	alarm_ms(50);
	is_errno(open("f", O_RDONLY) == -1, EINTR, "a signal ends a waiting open for reading");
	alarm_ms(50);
	is_errno(open("f", O_WRONLY) == -1, EINTR, "and one for writing");
	is_errno(open("f", O_WRONLY | O_NONBLOCK) == -1, ENXIO, "which leaves no reader behind");
}

static int as_child(void)
{
	int got = 0;

	if (access("f", R_OK) || !access("f", W_OK))
		got |= 1;
	if (open("f", O_WRONLY | O_NONBLOCK) != -1 || errno != EACCES)
		got |= 2;
	return got;
}

/* The partner of an open may have done all it wanted to and be gone before the open looks round: on one CPU it is woken, and runs, first. */
static void brief_partners(void)
{
	int good = 0;
	cpu_set_t one;
	char buf[8];

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	for (int i = 0; i < 100; i++) {
		pid_t pid;
		int fd;

		mkfifo("brief", 0644);
		pid = fork();
		if (pid == 0)
			sched_setaffinity(0, sizeof(one), &one);
		if ((pid == 0) == (i % 2)) {	/* who waits for the other's open */
			fd = open("brief", O_WRONLY);
			if (write(fd, "x", 1) == 1 && pid)
				good++;
			close(fd);
		} else {
			fd = open("brief", O_RDONLY);
			if (read(fd, buf, sizeof(buf)) == 1 && pid)
				good++;
			close(fd);
		}
		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
		unlink("brief");
	}
	is_int(good, 100, "a partner that stays for a moment only");
}

static void names(void)
{
	int r, w;
	char buf[8];
	struct stat st;

	is_int(as_somebody(as_child), 0, "permissions count");
	r = open("f", O_RDONLY | O_NONBLOCK);
	w = open("f", O_WRONLY);
	is_int(unlink("f"), 0, "unlink while open");
	is_int(write(w, "ab", 2), 2, "write after unlink");
	is_int(read(r, buf, 8), 2, "read after unlink");
	fstat(r, &st);
	is_int(st.st_nlink, 0, "no links");
	is_errno(lseek(r, 0, SEEK_SET) == -1, ESPIPE, "lseek");
	is_errno(ftruncate(w, 0) == -1, EINVAL, "ftruncate");
	close(r);
	close(w);
	is_int(mknod("g", S_IFIFO | 0600, 0), 0, "mknod makes one too");
	is_errno(truncate("g", 0) == -1, EINVAL, "truncate");
	is_int(rename("g", "h"), 0, "rename");
	is_errno(open("h", O_RDONLY | O_DIRECTORY) == -1, ENOTDIR, "O_DIRECTORY");
	is_int(unlink("h"), 0, "unlink");
	is_errno(mkfifo("no/where", 0600) == -1, ENOENT, "no such directory");
	is_errno(mkfifo(BAD_PTR, 0600) == -1, EFAULT, "a bad pointer");
	is_errno(mkfifo("", 0600) == -1, ENOENT, "an empty name");
	umask(077);
	mkfifo("masked", 0666);
	is_int(fs_mode("masked"), S_IFIFO | 0600, "the umask counts");
	umask(022);
}

int main(void)
{
	fs_begin();
	nonblocking();
	blocking();
	interrupted();
	brief_partners();
	names();
	return fs_end();
}
