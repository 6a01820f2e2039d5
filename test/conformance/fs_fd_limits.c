/* SPDX-License-Identifier: MPL-2.0 */
/* Descriptors run out: RLIMIT_NOFILE (EMFILE) in every call that makes some, the system's file-max (ENFILE), nr_open. */
#include "tap.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

static int devnull, pidfd;

/* --- calls that make descriptors */

static long do_open(void) { return open("/dev/null", O_RDONLY); }
static long do_create(void) { return open("/tmp/fd_limits_new", O_CREAT | O_EXCL | O_RDWR, 0600); }
static long do_openat2(void) { unsigned long how[3] = { O_RDONLY, 0, 0 }; return syscall(437, AT_FDCWD, "/dev/null", how, sizeof(how)); }
static long do_path(void) { return open("/", O_PATH); }
static long do_creat(void) { return creat("/tmp/fd_limits_new", 0600); }
static long do_dup(void) { return dup(devnull); }
static long do_dupfd(void) { return fcntl(devnull, F_DUPFD, 3); }
static long do_dupfd_cloexec(void) { return fcntl(devnull, F_DUPFD_CLOEXEC, 3); }
static long do_pipe(void) { int fd[2]; return pipe(fd); }
static long do_eventfd(void) { return eventfd(0, 0); }
static long do_timerfd(void) { return timerfd_create(CLOCK_MONOTONIC, 0); }
static long do_signalfd(void) { sigset_t s; sigemptyset(&s); return signalfd(-1, &s, 0); }
static long do_epoll(void) { return epoll_create1(0); }
static long do_inotify(void) { return inotify_init1(0); }
static long do_memfd(void) { return (long)syscall(SYS_memfd_create, "x", 0); }
static long do_pidfd(void) { return syscall(SYS_pidfd_open, getpid(), 0); }
static long do_getfd(void) { return syscall(SYS_pidfd_getfd, pidfd, devnull, 0); }

static const struct {
	const char *name;
	long (*call)(void);
} makers[] = {
	{ "open", do_open }, { "open, O_CREAT", do_create }, { "openat2", do_openat2 }, { "open, O_PATH", do_path }, { "creat", do_creat }, { "dup", do_dup },
	{ "F_DUPFD", do_dupfd }, { "F_DUPFD_CLOEXEC", do_dupfd_cloexec }, { "pipe", do_pipe }, { "eventfd", do_eventfd }, { "timerfd_create", do_timerfd },
	{ "signalfd", do_signalfd }, { "epoll_create1", do_epoll }, { "inotify_init1", do_inotify }, { "memfd_create", do_memfd }, { "pidfd_open", do_pidfd },
	{ "pidfd_getfd", do_getfd },
};
#define MAKERS (sizeof(makers) / sizeof(makers[0]))

static void set_limit(rlim_t n)
{
	struct rlimit l;

	getrlimit(RLIMIT_NOFILE, &l);
	l.rlim_cur = n;
	setrlimit(RLIMIT_NOFILE, &l);
}

static int count_open(void)
{
	int n = 0;

	for (int i = 0; i < 4096; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

static void process_limit(void)
{
	int fd[2], before, last;

	set_limit(40);
	while ((last = open("/dev/null", O_RDONLY)) >= 0)
		;
	is_errno(last == -1, EMFILE, "the fortieth descriptor");
	before = count_open();
	for (size_t i = 0; i < MAKERS; i++)
		is_errno(makers[i].call() == -1, EMFILE, "%s: EMFILE", makers[i].name);
	ok(access("/tmp/fd_limits_new", F_OK) == -1, "no file was made");
	is_errno(dup2(devnull, 40) == -1, EBADF, "dup2 beyond the limit");
	is_errno(fcntl(devnull, F_DUPFD, 40) == -1, EINVAL, "F_DUPFD from the limit on");
	is_int(dup2(devnull, 39), 39, "dup2 below it");
	close(39);
	is_errno(pipe(fd) == -1, EMFILE, "one is not enough for a pipe");
	is_int(open("/dev/null", O_RDONLY), 39, "and it is still there");
	is_int(count_open(), before, "nothing leaked");
	set_limit(20);
	is_errno(open("/dev/null", O_RDONLY) == -1, EMFILE, "a limit below what is open");
	is_int(fcntl(39, F_GETFD), 0, "what is open stays open");
	is_errno(dup2(devnull, 30) == -1, EBADF, "but is no target any more");
	for (int i = 10; i < 40; i++)
		close(i);
	set_limit(0);
	close(9);
	is_errno(open("/dev/null", O_RDONLY) == -1, EMFILE, "a limit of none");
	set_limit(1024);
}

/* --- the whole system's */

static long read_number(const char *path, int which)
{
	char text[128], *at = text;
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	long v = -1;

	close(fd);
	if (n <= 0)
		return -1;
	text[n] = 0;
	for (int i = 0; i <= which; i++)
		v = strtol(at, &at, 10);
	return v;
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool is_good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int e = errno;

	close(fd);
	errno = e;
	return is_good;
}

static bool write_number(const char *path, long v)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld\n", v);
	return write_text(path, text);
}

#define FILE_MAX "/proc/sys/fs/file-max"
#define FILE_NR "/proc/sys/fs/file-nr"
#define NR_OPEN "/proc/sys/fs/nr_open"

static int as_nobody(void)
{
	struct rlimit l = { 4000, 4000 };
	long n = 0;
	int fd[2];

	if (setrlimit(RLIMIT_NOFILE, &l) || setgid(65534) || setuid(65534))
		return 1;
	while (n < 3000 && open("/dev/null", O_RDONLY) >= 0)
		n++;
	if (n == 3000 || errno != ENFILE)
		return 2;
	if (pipe(fd) != -1 || errno != ENFILE)
		return 3;
	if (dup(1) < 0)		/* no new open file */
		return 4;
	for (int i = 0; i < 50; i++)
		if (open("/dev/null", O_RDONLY) >= 0 || errno != ENFILE)
			return 5;
	return 0;
}

static int as_root(void)
{
	struct rlimit l = { 4000, 4000 };

	if (setrlimit(RLIMIT_NOFILE, &l))
		return 1;
	for (int i = 0; i < 3000; i++)
		if (open("/dev/null", O_RDONLY) < 0)
			return 2;
	return read_number(FILE_NR, 0) > read_number(FILE_MAX, 0) ? 0 : 3;
}

static void system_limit(void)
{
	long max = read_number(FILE_MAX, 0), now = read_number(FILE_NR, 0);

	ok(max > 0 && now > 0 && read_number(FILE_NR, 1) == 0 && read_number(FILE_NR, 2) == max, "file-nr: open, 0, and file-max");
	ok(write_number(FILE_MAX, now + 1000) && read_number(FILE_MAX, 0) == now + 1000 && read_number(FILE_NR, 2) == now + 1000, "file-max is set");
	is_int(in_child(as_nobody), 0, "a user is refused: ENFILE");
	is_int(in_child(as_root), 0, "root is not");
	is_errno(!write_text(FILE_MAX, "many\n"), EINVAL, "not a number");
	is_int(read_number(FILE_MAX, 0), now + 1000, "it stays");
	ok(write_number(FILE_MAX, max), "and is set back");
}

static int raise_to(long n)
{
	struct rlimit l = { (rlim_t)n, (rlim_t)n };

	return setrlimit(RLIMIT_NOFILE, &l);
}

static int nr_open(void)
{
	if (raise_to(65536))
		return 1;
	if (raise_to(65537) != -1 || errno != EPERM)
		return 2;
	if (dup2(devnull, 65535) != 65535)
		return 3;
	return 0;
}

static void per_process_ceiling(void)
{
	is_int(read_number(NR_OPEN, 0), 1048576, "nr_open");
	ok(write_number(NR_OPEN, 65536), "is set");
	is_int(in_child(nr_open), 0, "nobody raises RLIMIT_NOFILE beyond it");
	is_errno(!write_number(NR_OPEN, 10), EINVAL, "not below 64");
	is_errno(!write_number(NR_OPEN, 1l << 31), EINVAL, "nor beyond what there can be");
	ok(write_number(NR_OPEN, 1048576), "and set back");
}

int main(void)
{
	mkdir("/tmp", 01777);
	unlink("/tmp/fd_limits_new");
	devnull = open("/dev/null", O_RDWR);
	pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	process_limit();
	for (int i = 5; i < 64; i++)
		close(i);
	system_limit();
	per_process_ceiling();
	return done_testing();
}
