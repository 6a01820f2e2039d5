/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Every call that can block, and what ends it: SIGKILL, another thread's exit_group, a handler with and without SA_RESTART, a stop and a continue. What is to happen is in the table, from
 * signal(7), "Interruption of system calls and library functions by signal handlers" and "by stop signals". Nothing here goes by the clock: a child is looked at (/proc/PID/stat and syscall)
 * until it sleeps in the call.
 */
#include "tap.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>

#define LOCKED "/tmp/blocked.lock"
#define FIFO "/tmp/blocked.fifo"
#define SIGSET_BYTES 8
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static struct shared {
	volatile int n_handled;
	volatile int tid;		/* who blocks */
	volatile bool stays;		/* after the call, whatever it gave */
} *shared;

static const struct timespec day = { 86400, 0 };
static char buf[65536];

static struct timespec tomorrow(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += 86400;
	return ts;
}

/* --- the calls */

static int pipe_end(int which)
{
	int fd[2];

	if (pipe(fd))
		_exit(250);
	return fd[which];
}

static int full_pipe(void)
{
	int fd[2];

	if (pipe2(fd, O_NONBLOCK))
		_exit(250);
	while (write(fd[1], buf, sizeof(buf)) > 0)
		;
	fcntl(fd[1], F_SETFL, 0);
	return fd[1];
}

static pid_t living_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static long read_pipe(void) { return read(pipe_end(0), buf, 1); }
static long readv_pipe(void) { return readv(pipe_end(0), &(struct iovec){ buf, 1 }, 1); }
static long preadv2_pipe(void) { return syscall(SYS_preadv2, pipe_end(0), &(struct iovec){ buf, 1 }, 1, -1l, -1l, 0); }
static long write_pipe(void) { return write(full_pipe(), buf, 1); }
static long writev_pipe(void) { return writev(full_pipe(), &(struct iovec){ buf, 1 }, 1); }
static long pwritev2_pipe(void) { return syscall(SYS_pwritev2, full_pipe(), &(struct iovec){ buf, 1 }, 1, -1l, -1l, 0); }
static long splice_in(void) { return splice(pipe_end(0), NULL, pipe_end(1), NULL, 1, 0); }
static long splice_out(void) { return splice(open(LOCKED, O_RDONLY), NULL, full_pipe(), NULL, 1, 0); }
static long tee_in(void) { return tee(pipe_end(0), pipe_end(1), 1, 0); }
static long vmsplice_full(void) { return vmsplice(full_pipe(), &(struct iovec){ buf, 1 }, 1, 0); }
static long sendfile_full(void) { int to = full_pipe(); return syscall(SYS_sendfile, to, open(LOCKED, O_RDONLY), NULL, 1ul); }
static long open_to_read(void) { return syscall(SYS_openat, AT_FDCWD, FIFO, O_RDONLY); }
static long open_to_write(void) { return syscall(SYS_open, FIFO, O_WRONLY); }
static long wait4_child(void) { living_child(); return syscall(SYS_wait4, -1, NULL, 0, NULL); }
static long waitid_child(void) { living_child(); return syscall(SYS_waitid, P_ALL, 0, NULL, WEXITED, NULL); }
static long waitid_pidfd(void) { return syscall(SYS_waitid, P_PIDFD, syscall(SYS_pidfd_open, living_child(), 0), NULL, WEXITED, NULL); }
static long poll_pipe(void) { struct pollfd p = { pipe_end(0), POLLIN, 0 }; return syscall(SYS_poll, &p, 1, -1); }
static long poll_timeout(void) { struct pollfd p = { pipe_end(0), POLLIN, 0 }; return syscall(SYS_poll, &p, 1, 86400000); }
static long ppoll_pipe(void) { struct pollfd p = { pipe_end(0), POLLIN, 0 }; return syscall(SYS_ppoll, &p, 1, NULL, NULL, SIGSET_BYTES); }
static long ppoll_timeout(void) { struct pollfd p = { pipe_end(0), POLLIN, 0 }; struct timespec ts = day; return syscall(SYS_ppoll, &p, 1, &ts, NULL, SIGSET_BYTES); }

static long select_pipe(void)
{
	int fd = pipe_end(0);
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return syscall(SYS_select, fd + 1, &set, NULL, NULL, NULL);
}

static long pselect_pipe(void)
{
	int fd = pipe_end(0);
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return syscall(SYS_pselect6, fd + 1, &set, NULL, NULL, NULL, NULL);
}

static int epoll_of_pipe(void)
{
	int ep = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN };

	epoll_ctl(ep, EPOLL_CTL_ADD, pipe_end(0), &e);
	return ep;
}

static struct epoll_event event;
static long epoll_wait_pipe(void) { return syscall(SYS_epoll_wait, epoll_of_pipe(), &event, 1, -1); }
static long epoll_pwait_pipe(void) { return syscall(SYS_epoll_pwait, epoll_of_pipe(), &event, 1, -1, NULL, SIGSET_BYTES); }
static long epoll_pwait2_pipe(void) { return syscall(SYS_epoll_pwait2, epoll_of_pipe(), &event, 1, &day, NULL, SIGSET_BYTES); }

static long pause_only(void) { return syscall(SYS_pause); }
static long suspend(void) { unsigned long none = 0; return syscall(SYS_rt_sigsuspend, &none, SIGSET_BYTES); }
static const unsigned long waited_for = 1ul << (SIGUSR2 - 1);
static long wait_signal(void) { return syscall(SYS_rt_sigtimedwait, &waited_for, NULL, NULL, SIGSET_BYTES); }
static long wait_signal_a_day(void) { return syscall(SYS_rt_sigtimedwait, &waited_for, NULL, &day, SIGSET_BYTES); }
static long sleep_a_day(void) { return syscall(SYS_nanosleep, &day, NULL); }
static long clock_sleep(void) { return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &day, NULL) ? -1 : 0; }
static long clock_sleep_until(void) { struct timespec ts = tomorrow(); return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL); }
static long flock_wait(void) { return flock(open(LOCKED, O_RDWR), LOCK_EX); }

static long lock_wait(int cmd, off_t at)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return syscall(SYS_fcntl, open(LOCKED, O_RDWR), cmd, &l);
}

static long record_lock(void) { return lock_wait(F_SETLKW, 0); }
static long ofd_lock(void) { return lock_wait(F_OFD_SETLKW, 1); }

static unsigned word;
static long futex_wait(void) { return syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0); }
static long futex_wait_a_day(void) { return syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &day, NULL, 0); }
static long futex_bitset(void) { return syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 1); }
static long futex_bitset_until(void) { struct timespec ts = tomorrow(); return syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &ts, NULL, 1); }

static long waitv(const struct timespec *until)
{
	struct { unsigned long val, uaddr; unsigned flags, reserved; } w[2] = { { 0, (unsigned long)&word, 2, 0 }, { 0, (unsigned long)&word, 2 | FUTEX_PRIVATE_FLAG, 0 } };

	return syscall(449 /* futex_waitv */, w, 2, 0, until, CLOCK_MONOTONIC);
}

static unsigned owned = 1;		/* by init, who never lets go */
static long lock_pi(void) { return syscall(SYS_futex, &owned, FUTEX_LOCK_PI, 0, NULL, NULL, 0); }
static long wait_requeue_pi(void) { return syscall(SYS_futex, &word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &owned, 0); }
static long futex_waitv_two(void) { return waitv(NULL); }
static long futex_waitv_until(void) { struct timespec ts = tomorrow(); return waitv(&ts); }
static long read_eventfd(void) { return read(eventfd(0, 0), buf, 8); }
static long write_eventfd(void) { unsigned long most = ~1ul; int fd = eventfd(0, EFD_NONBLOCK); (void)!write(fd, &most, 8); fcntl(fd, F_SETFL, 0); return write(fd, &most, 8); }
static long read_timerfd(void) { return read(timerfd_create(CLOCK_MONOTONIC, 0), buf, 8); }
static long read_signalfd(void) { sigset_t s; sigemptyset(&s); sigaddset(&s, SIGUSR2); return read(signalfd(-1, &s, 0), buf, sizeof(struct signalfd_siginfo)); }
static long read_inotify(void) { int fd = inotify_init1(0); inotify_add_watch(fd, LOCKED, IN_MODIFY); return read(fd, buf, 4096); }

static long vfork_parent(void)
{
	if (vfork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return 0;
}

enum { RESTARTS, NEVER, ALWAYS, UNINTERRUPTED };	/* under SA_RESTART; ALWAYS: without, too */
enum { GOES_ON, ENDS };				/* after a stop and a continue */

static const struct blocking {
	const char *name;
	int nr;
	long (*call)(void);
	int on_handler, on_stop;
} table[] = {
	{ "read, a pipe", SYS_read, read_pipe, RESTARTS, GOES_ON },
	{ "readv, a pipe", SYS_readv, readv_pipe, RESTARTS, GOES_ON },
	{ "preadv2, a pipe", SYS_preadv2, preadv2_pipe, RESTARTS, GOES_ON },
	{ "write, a pipe", SYS_write, write_pipe, RESTARTS, GOES_ON },
	{ "writev, a pipe", SYS_writev, writev_pipe, RESTARTS, GOES_ON },
	{ "pwritev2, a pipe", SYS_pwritev2, pwritev2_pipe, RESTARTS, GOES_ON },
	{ "splice from an empty pipe", SYS_splice, splice_in, RESTARTS, GOES_ON },
	{ "splice to a full pipe", SYS_splice, splice_out, RESTARTS, GOES_ON },
	{ "tee", SYS_tee, tee_in, RESTARTS, GOES_ON },
	{ "vmsplice", SYS_vmsplice, vmsplice_full, RESTARTS, GOES_ON },
	{ "sendfile to a full pipe", SYS_sendfile, sendfile_full, RESTARTS, GOES_ON },
	{ "open of a FIFO to read", SYS_openat, open_to_read, RESTARTS, GOES_ON },
	{ "open of a FIFO to write", SYS_open, open_to_write, RESTARTS, GOES_ON },
	{ "wait4", SYS_wait4, wait4_child, RESTARTS, GOES_ON },
	{ "waitid", SYS_waitid, waitid_child, RESTARTS, GOES_ON },
	{ "waitid, a pidfd", SYS_waitid, waitid_pidfd, RESTARTS, GOES_ON },
	{ "poll", SYS_poll, poll_pipe, NEVER, GOES_ON },
	{ "poll, a timeout", SYS_poll, poll_timeout, NEVER, GOES_ON },
	{ "ppoll", SYS_ppoll, ppoll_pipe, NEVER, GOES_ON },
	{ "ppoll, a timeout", SYS_ppoll, ppoll_timeout, NEVER, GOES_ON },
	{ "select", SYS_select, select_pipe, NEVER, GOES_ON },
	{ "pselect", SYS_pselect6, pselect_pipe, NEVER, GOES_ON },
	{ "epoll_wait", SYS_epoll_wait, epoll_wait_pipe, NEVER, ENDS },
	{ "epoll_pwait", SYS_epoll_pwait, epoll_pwait_pipe, NEVER, ENDS },
	{ "epoll_pwait2", SYS_epoll_pwait2, epoll_pwait2_pipe, NEVER, ENDS },
	{ "pause", SYS_pause, pause_only, NEVER, GOES_ON },
	{ "sigsuspend", SYS_rt_sigsuspend, suspend, NEVER, GOES_ON },
	{ "sigwaitinfo", SYS_rt_sigtimedwait, wait_signal, NEVER, ENDS },
	{ "sigtimedwait", SYS_rt_sigtimedwait, wait_signal_a_day, NEVER, ENDS },
	{ "nanosleep", SYS_nanosleep, sleep_a_day, NEVER, GOES_ON },
	{ "clock_nanosleep", SYS_clock_nanosleep, clock_sleep, NEVER, GOES_ON },
	{ "clock_nanosleep until", SYS_clock_nanosleep, clock_sleep_until, NEVER, GOES_ON },
	{ "flock", SYS_flock, flock_wait, RESTARTS, GOES_ON },
	{ "F_SETLKW", SYS_fcntl, record_lock, RESTARTS, GOES_ON },
	{ "F_OFD_SETLKW", SYS_fcntl, ofd_lock, RESTARTS, GOES_ON },
	{ "FUTEX_WAIT", SYS_futex, futex_wait, RESTARTS, GOES_ON },
	{ "FUTEX_WAIT, a timeout", SYS_futex, futex_wait_a_day, NEVER, GOES_ON },
	{ "FUTEX_WAIT_BITSET", SYS_futex, futex_bitset, RESTARTS, GOES_ON },
	{ "FUTEX_WAIT_BITSET, a time", SYS_futex, futex_bitset_until, NEVER, GOES_ON },
	{ "FUTEX_LOCK_PI", SYS_futex, lock_pi, ALWAYS, GOES_ON },
	{ "FUTEX_WAIT_REQUEUE_PI", SYS_futex, wait_requeue_pi, ALWAYS, GOES_ON },
	{ "futex_waitv", 449, futex_waitv_two, RESTARTS, GOES_ON },
	{ "futex_waitv, a time", 449, futex_waitv_until, RESTARTS, GOES_ON },
	{ "read, eventfd", SYS_read, read_eventfd, RESTARTS, GOES_ON },
	{ "write, eventfd", SYS_write, write_eventfd, RESTARTS, GOES_ON },
	{ "read, timerfd", SYS_read, read_timerfd, RESTARTS, GOES_ON },
	{ "read, signalfd", SYS_read, read_signalfd, RESTARTS, GOES_ON },
	{ "read, inotify", SYS_read, read_inotify, RESTARTS, GOES_ON },
	{ "vfork's parent", SYS_vfork, vfork_parent, UNINTERRUPTED, GOES_ON },
};

/* --- watching */

static bool read_text(const char *path, char *text, size_t max)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, max - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	return true;
}

/* Does the thread sleep (killably or not) in this call, or in its restart with what is left of a timeout? */
static bool is_in(pid_t tid, int nr)
{
	char path[64], text[512], *paren;

	snprintf(path, sizeof(path), "/proc/%d/syscall", tid);
	if (!read_text(path, text, sizeof(text)) || text[0] < '0' || text[0] > '9' || (atoi(text) != nr && atoi(text) != SYS_restart_syscall))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	paren = read_text(path, text, sizeof(text)) ? strrchr(text, ')') : NULL;
	return paren && (paren[2] == 'S' || paren[2] == 'D');
}

/* Until it sleeps in the call (true) or has ended (*status). */
static bool blocks_or_ends(pid_t pid, int nr, int *status)
{
	for (;;) {
		if (is_in(pid, nr))
			return true;
		if (waitpid(pid, status, WNOHANG) == pid)
			return false;
		usleep(200);
	}
}

static void on_signal(int sig)
{
	(void)sig;
	shared->n_handled++;
}

static pid_t start(const struct blocking *b, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };
	pid_t pid;
	int status;

	shared->n_handled = 0;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		sigaction(SIGUSR1, &sa, NULL);
		status = b->call() == -1 ? errno : 200;
		while (shared->stays)
			pause();
		_exit(status);
	}
	if (!blocks_or_ends(pid, b->nr, &status))
		bail_out("%s did not block: status %x", b->name, status);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* --- what ends the wait */

static void killed(const struct blocking *b)
{
	pid_t pid = start(b, 0);
	int status = 0;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%s: killed", b->name);
}

static void *block_in_thread(void *arg)
{
	const struct blocking *b = arg;

	shared->tid = (int)syscall(SYS_gettid);
	b->call();
	_exit(201);
}

static void exited_around(const struct blocking *b)
{
	int status = 0;
	pid_t pid;

	shared->tid = 0;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		pthread_t t;

		pthread_create(&t, NULL, block_in_thread, (void *)b);
		while (!shared->tid || !is_in(shared->tid, b->nr))
			usleep(200);
		_exit(77);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 77, "%s: another thread's exit", b->name);
}

static void handled(const struct blocking *b)
{
	pid_t pid = start(b, 0);
	int status = 0;

	kill(pid, SIGUSR1);
	waitpid(pid, &status, 0);
	ok(status == EINTR << 8 && shared->n_handled == 1, "%s: a handler: EINTR", b->name);
	if (status != EINTR << 8)
		printf("# status %x\n", status);
}

static void restarted(const struct blocking *b)
{
	pid_t pid = start(b, b->on_handler == ALWAYS ? 0 : SA_RESTART);
	int status = 0;
	bool is_blocked;

	kill(pid, SIGUSR1);
	while (!shared->n_handled)
		usleep(200);
	is_blocked = blocks_or_ends(pid, b->nr, &status);
	if (b->on_handler != NEVER)
		ok(is_blocked, "%s: %s: goes on", b->name, b->on_handler == ALWAYS ? "a handler" : "SA_RESTART");
	else
		ok(!is_blocked && status == EINTR << 8, "%s: SA_RESTART: EINTR nevertheless", b->name);
	if (is_blocked)
		end(pid);
}

static void stopped(const struct blocking *b)
{
	pid_t pid = start(b, 0);
	int status = 0;
	bool is_blocked;

	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGCONT);
	is_blocked = blocks_or_ends(pid, b->nr, &status);
	if (b->on_stop == GOES_ON)
		ok(is_blocked, "%s: stopped and continued: goes on", b->name);
	else
		ok(!is_blocked && status == EINTR << 8, "%s: stopped and continued: EINTR", b->name);
	if (is_blocked)
		end(pid);
}

/* A handler and the kill come while it is blocked: it dies, though the handler's frame may be half built. */
static void handled_and_killed(const struct blocking *b)
{
	int status = 0;
	pid_t pid;

	shared->stays = true;
	pid = start(b, SA_RESTART);
	kill(pid, SIGUSR1);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	shared->stays = false;
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%s: a handler and a kill", b->name);
}

int main(void)
{
	struct flock own = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	int fd;

	mkdir("/tmp", 01777);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fd = open(LOCKED, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "text", 4) != 4 || flock(fd, LOCK_EX) || fcntl(fd, F_SETLK, &own) || mkfifo(FIFO, 0600))
		bail_out("cannot prepare");
	own.l_start = 1;
	if (fcntl(fd, F_OFD_SETLK, &own))
		bail_out("cannot lock");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		killed(&table[i]);
		exited_around(&table[i]);
		if (table[i].on_handler == UNINTERRUPTED)
			continue;
		if (table[i].on_handler != ALWAYS)
			handled(&table[i]);
		restarted(&table[i]);
		stopped(&table[i]);
		handled_and_killed(&table[i]);
	}
	unlink(LOCKED);
	unlink(FIFO);
	return done_testing();
}
