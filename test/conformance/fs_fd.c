/* SPDX-License-Identifier: MPL-2.0 */
/* Descriptors: dup(2), dup2, dup3, close(2), close_range(2), fcntl(2)'s descriptor and status flags, lowest numbers, limits, exec and fork. */
#include "fs_util.h"
#include <pthread.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CR_UNSHARE 2
#define CR_CLOEXEC 4

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int lowest(void)
{
	int fd = open("/", O_RDONLY);

	close(fd);
	return fd;
}

static void dups(void)
{
	int base = lowest(), fd = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0644), fd2;
	char c = 0;

	is_int(fd, base, "the lowest number is used");
	fd2 = dup(fd);
	is_int(fd2, base + 1, "dup takes the lowest");
	write(fd, "abc", 3);
	is_int(lseek(fd2, 0, SEEK_CUR), 3, "the position is shared");
	is_int(fcntl(fd2, F_GETFD), 0, "close-on-exec is not");
	is_int(fcntl(fd2, F_SETFL, O_APPEND), 0, "F_SETFL");
	ok((fcntl(fd, F_GETFL) & O_APPEND) != 0, "status flags are shared");
	fcntl(fd2, F_SETFL, 0);
	close(fd);
	is_int(lowest(), base, "a closed number is free again");
	is_int(dup2(fd2, base), base, "dup2 to a free number");
	is_int(dup2(fd2, fd2), fd2, "dup2 to itself");
	is_int(dup2(fd2, 200), 200, "dup2 far up");
	lseek(fd2, 0, SEEK_SET);
	ok(read(200, &c, 1) == 1 && c == 'a', "works");
	is_int(dup2(open("/dev/null", O_WRONLY), 200), 200, "dup2 onto an open one");
	is_errno(read(200, &c, 1) == -1, EBADF, "closes it");
	is_int(dup3(fd2, 201, O_CLOEXEC), 201, "dup3");
	is_int(fcntl(201, F_GETFD), FD_CLOEXEC, "with O_CLOEXEC");
	is_errno(dup3(fd2, fd2, 0) == -1, EINVAL, "dup3 to itself");
	is_errno(dup3(fd2, 202, O_NONBLOCK) == -1, EINVAL, "dup3 with another flag");
	is_errno(dup(-1) == -1, EBADF, "dup of -1");
	is_errno(dup(150) == -1, EBADF, "dup of one that is not open");
	is_errno(dup2(150, 151) == -1, EBADF, "dup2 of one that is not open");
	is_errno(dup2(150, 150) == -1, EBADF, "the same twice");
	is_errno(dup2(fd2, -1) == -1, EBADF, "dup2 to -1");
	is_errno(dup2(fd2, 1 << 30) == -1, EBADF, "dup2 beyond the limit");
	is_errno(close(150) == -1, EBADF, "close of one that is not open");
	is_errno(close(-1) == -1, EBADF, "close of -1");
	is_int(syscall(SYS_close_range, base, ~0u, 0), 0, "close_range of all");
	ok(!is_open(200) && !is_open(201) && !is_open(fd2), "all are closed");
}

static void fcntls(void)
{
	int fd = open("file", O_RDWR), fd2, path;
	struct rlimit old, few;

	fd2 = fcntl(fd, F_DUPFD, 100);
	is_int(fd2, 100, "F_DUPFD");
	is_int(fcntl(fd, F_DUPFD, 100), 101, "the next free one");
	is_int(fcntl(fd, F_DUPFD_CLOEXEC, 100), 102, "F_DUPFD_CLOEXEC");
	is_int(fcntl(102, F_GETFD), FD_CLOEXEC, "has it");
	is_errno(fcntl(fd, F_DUPFD, -1) == -1, EINVAL, "F_DUPFD from -1");
	is_errno(fcntl(fd, F_DUPFD, 1 << 30) == -1, EINVAL, "F_DUPFD beyond the limit");
	is_int(fcntl(fd, F_SETFD, FD_CLOEXEC | 0xf0), 0, "F_SETFD takes other bits");
	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "and keeps only the one");
	is_int(fcntl(fd, F_SETFD, 0), 0, "F_SETFD 0");
	is_int(fcntl(fd, F_GETFD), 0, "F_GETFD");
	is_int(fcntl(fd, F_GETFL) & ~0100000, O_RDWR, "F_GETFL");
	is_int(fcntl(fd, F_SETFL, O_RDONLY | O_NONBLOCK | O_APPEND | O_CREAT | O_TRUNC | O_EXCL), 0, "F_SETFL ignores access mode and creation flags");
	is_int(fcntl(fd, F_GETFL) & ~0100000, O_RDWR | O_NONBLOCK | O_APPEND, "and sets the others");
	is_int(fcntl(fd, F_SETFL, 0), 0, "F_SETFL 0");
	is_int(fcntl(fd, F_GETFL) & ~0100000, O_RDWR, "clears them");
	is_int(fcntl(fd, F_SETFL, O_NOATIME), 0, "O_NOATIME by the owner");
	is_int(fcntl(fd, F_SETFL, O_SYNC), 0, "O_SYNC cannot be set later");
	is_int(fcntl(fd, F_GETFL) & ~0100000, O_RDWR, "and is ignored");
	is_errno(fcntl(fd, 9999) == -1, EINVAL, "an unknown command");
	is_errno(fcntl(999, F_GETFL) == -1, EBADF, "a bad descriptor");
	is_errno(fcntl(999, 9999) == -1, EBADF, "and an unknown command");
	path = open("file", O_PATH);
	is_int(fcntl(path, F_GETFD), 0, "O_PATH: F_GETFD");
	is_int(fcntl(path, F_GETFL) & ~0100000, O_PATH, "O_PATH: F_GETFL");
	is_errno(fcntl(path, F_SETFL, 0) == -1, EBADF, "O_PATH: F_SETFL");
	is_errno(fcntl(path, F_GETOWN) == -1, EBADF, "O_PATH: F_GETOWN");
	ok(fcntl(path, F_DUPFD, 0) >= 0, "O_PATH: F_DUPFD");
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = 60;
	setrlimit(RLIMIT_NOFILE, &few);
	is_errno(fcntl(fd, F_DUPFD, 60) == -1, EINVAL, "F_DUPFD from RLIMIT_NOFILE");
	is_errno(dup2(fd, 60) == -1, EBADF, "dup2 to RLIMIT_NOFILE");
	is_int(fcntl(100, F_GETFD), 0, "those beyond it stay");
	while (dup(fd) >= 0)
		;
	is_int(errno, EMFILE, "EMFILE at the limit");
	is_errno(fcntl(fd, F_DUPFD, 3) == -1, EMFILE, "F_DUPFD: EMFILE");
	is_errno(open("file", O_RDONLY) == -1, EMFILE, "open: EMFILE");
	setrlimit(RLIMIT_NOFILE, &old);
	syscall(SYS_close_range, 3, ~0u, 0);
}

static void ranges(void)
{
	int fd = open("file", O_RDWR);

	for (int i = 50; i < 60; i++)
		dup2(fd, i);
	is_int(syscall(SYS_close_range, 52, 54, 0), 0, "close_range");
	ok(is_open(51) && !is_open(52) && !is_open(54) && is_open(55), "closed just those");
	is_int(syscall(SYS_close_range, 55, 56, CR_CLOEXEC), 0, "CLOSE_RANGE_CLOEXEC");
	ok(fcntl(55, F_GETFD) == FD_CLOEXEC && fcntl(56, F_GETFD) == FD_CLOEXEC && fcntl(57, F_GETFD) == 0, "marked just those");
	is_int(syscall(SYS_close_range, 57, 58, CR_UNSHARE), 0, "CLOSE_RANGE_UNSHARE");
	ok(!is_open(57) && is_open(59), "closed");
	is_errno(syscall(SYS_close_range, 5, 4, 0) == -1, EINVAL, "first after last");
	is_errno(syscall(SYS_close_range, 5, 6, 64) == -1, EINVAL, "an unknown flag");
	is_int(syscall(SYS_close_range, 100000, 200000, 0), 0, "where nothing is open");
	syscall(SYS_close_range, 3, ~0u, 0);
}

static int count_open(void)
{
	int n = 0;

	for (int i = 0; i < 300; i++)
		n += is_open(i);
	return n;
}

static int keep[3];

static int child_sees(void)
{
	char c;

	return read(keep[0], &c, 1) == 1 && c == 'b' && lseek(keep[0], 0, SEEK_CUR) == 2 && count_open() == 4 ? 0 : 1;
}

static void processes(void)
{
	char a[16], b[16];
	int status;
	pid_t pid;
	char c;

	syscall(SYS_close_range, 3, ~0u, 0);
	keep[0] = open("file", O_RDWR);
	write(keep[0], "abc", 3);
	lseek(keep[0], 0, SEEK_SET);
	read(keep[0], &c, 1);
	is_int(in_child(child_sees), 0, "a child has the same descriptors and positions");
	is_int(lseek(keep[0], 0, SEEK_CUR), 2, "and moves the shared position");
	keep[1] = fcntl(keep[0], F_DUPFD, 30);
	keep[2] = fcntl(keep[0], F_DUPFD_CLOEXEC, 40);
	snprintf(a, sizeof(a), "%d", keep[1]);
	snprintf(b, sizeof(b), "%d", keep[2]);
	pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "fs_fd", "after-exec", a, b, (char *)NULL);
		_exit(errno == ENOENT ? 77 : 1);
	}
	waitpid(pid, &status, 0);
	if (status == 77 << 8)
		skip("no /proc");
	else
		is_int(status, 0, "exec keeps the one and closes the one marked close-on-exec");
	close(keep[0]);
	close(keep[1]);
	close(keep[2]);
}

/* What a table of some hundred looks like: every third is open, every sixth closes on exec. */
static int is_as_made(void)
{
	for (int fd = 3; fd < 600; fd++) {
		int flags = fcntl(fd, F_GETFD), want = fd % 3 ? -1 : fd % 6 ? 0 : FD_CLOEXEC;

		if (flags != want)
			return fd;
	}
	return 0;
}

static int child_sees_none(void)
{
	return count_open() == 3 && dup(0) == 3 ? 0 : 1;
}

/* The copy is whole, and one's own from then on. */
static int child_copies(void)
{
	if (is_as_made() || dup(0) != 4 || dup(0) != 5 || dup(0) != 7 || close(3) || close(597) || dup(0) != 3)
		return 1;
	for (int fd = 8; fd < 597; fd++)
		if (fd % 3 && dup(0) != fd)
			return 1;
	return dup(0) == 597 && dup(0) == 598 && fcntl(6, F_GETFD) == FD_CLOEXEC && fcntl(8, F_GETFD) == 0 ? 0 : 1;
}

static void copies(void)
{
	syscall(SYS_close_range, 3, ~0u, 0);
	for (int fd = 3; fd < 600; fd += 3)
		fcntl(0, fd % 6 ? F_DUPFD : F_DUPFD_CLOEXEC, fd);
	is_int(is_as_made(), 0, "descriptors with holes between them");
	is_int(in_child(child_copies), 0, "a child has the same ones, the same marks and the same holes");
	is_int(is_as_made(), 0, "what it does with them is its own");
	syscall(SYS_close_range, 3, ~0u, 0);
	is_int(in_child(child_sees_none), 0, "and when all are closed, a child has none");
}

/* Threads share the table; a look-up races with close and open. */
static volatile int stop_racing;

static void *race(void *arg)
{
	int fd = *(int *)arg;
	char c;

	while (!stop_racing) {
		ssize_t n = pread(fd, &c, 1, 0);

		if (n == 1 && c != 'a' && c != 'z')
			return arg;
	}
	return NULL;
}

static void sharing(void)
{
	pthread_t t[2];
	void *bad[2];
	int a = open("a", O_CREAT | O_RDWR, 0644), z = open("z", O_CREAT | O_RDWR, 0644), shared;

	write(a, "a", 1);
	write(z, "z", 1);
	shared = dup(a);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, race, &shared);
	for (int i = 0; i < 3000; i++) {
		dup2(i & 1 ? a : z, shared);
		if (i % 3 == 0) {
			close(shared);
			if (dup2(a, shared) != shared)
				break;
		}
	}
	stop_racing = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], &bad[i]);
	ok(!bad[0] && !bad[1], "readers of a descriptor that others replace see one file or the other");
	syscall(SYS_close_range, 3, ~0u, 0);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "after-exec"))
		return is_open(atoi(argv[2])) && !is_open(atoi(argv[3])) ? 0 : 1;
	syscall(SYS_close_range, 3, ~0u, 0);
	fs_begin();
	dups();
	fcntls();
	ranges();
	processes();
	copies();
	sharing();
	return fs_end();
}
