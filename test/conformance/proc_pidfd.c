/* SPDX-License-Identifier: MPL-2.0 */
/* pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), CLONE_PIDFD, waitid(P_PIDFD), polling, fdinfo. */
#include "child.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

struct args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static int pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int pidfd_send(int fd, int sig, void *info, unsigned flags)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, sig, info, flags);
}

static int pidfd_getfd(int fd, int target, unsigned flags)
{
	return (int)syscall(SYS_pidfd_getfd, fd, target, flags);
}

static int revents_of(int fd, int timeout)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDNORM | POLLOUT | POLLHUP };

	return poll(&p, 1, timeout) < 0 ? -1 : p.revents;
}

/* --- opening */

static void *idle_thread(void *arg)
{
	int *tid = arg;

	__atomic_store_n(tid, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return NULL;
}

static void opening(void)
{
	int tid = 0, fd = pidfd_open(getpid(), 0), nb;
	char link[64], path[64];
	pthread_t t;
	ssize_t n;
	pid_t pid;

	ok(fd >= 0, "pidfd_open of oneself");
	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "it is close-on-exec");
	is_int(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR, "and read-write");
	nb = pidfd_open(getpid(), O_NONBLOCK);
	is_int(fcntl(nb, F_GETFL) & O_NONBLOCK, O_NONBLOCK, "PIDFD_NONBLOCK");
	close(nb);
	is_errno(pidfd_open(getpid(), 1) == -1, EINVAL, "an unknown flag");
	is_errno(pidfd_open(getpid(), O_CLOEXEC) == -1, EINVAL, "O_CLOEXEC is not a flag of it");
	is_errno(pidfd_open(0, 0) == -1, EINVAL, "pid 0");
	is_errno(pidfd_open(-1, 0) == -1, EINVAL, "pid -1");
	is_errno(pidfd_open(4000000, 0) == -1, ESRCH, "no such process");
	pthread_create(&t, NULL, idle_thread, &tid);
	while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
		sched_yield();
	is_errno(pidfd_open(tid, 0) == -1, EINVAL, "a thread that is no leader");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, link, sizeof(link) - 1);
	link[n < 0 ? 0 : n] = 0;
	ok(strcmp(link, "anon_inode:[pidfd]") == 0, "its link text");
	is_errno(read(fd, link, 1) == -1, EINVAL, "it is not read");
	is_errno(write(fd, link, 1) == -1, EINVAL, "nor written");
	is_errno(lseek(fd, 0, SEEK_SET) == -1, ESPIPE, "nor sought in");
	close(fd);
	pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	is_errno(pidfd_open(pid, 0) == -1, ESRCH, "a process that has been waited for");
}

static void fdinfo_of(int fd, const char *key, char *value)
{
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	*value = 0;
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, key, strlen(key)) == 0)
			strcpy(value, line + strlen(key));
	}
	if (f)
		fclose(f);
}

static void fdinfo(void)
{
	pid_t pid = sleeper();
	int fd = pidfd_open(pid, 0);
	char value[128];

	fdinfo_of(fd, "Pid:\t", value);
	is_int(atoi(value), pid, "fdinfo has Pid:");
	fdinfo_of(fd, "NSpid:\t", value);
	is_int(atoi(value), pid, "and NSpid:");
	end(pid);
	fdinfo_of(fd, "Pid:\t", value);
	is_int(atoi(value), -1, "Pid: is -1 once it has been waited for");
	fdinfo_of(fd, "NSpid:\t", value);
	is_int(atoi(value), -1, "NSpid: too");
	close(fd);
}

/* --- signals */

static volatile int got_sig, got_code, got_value, got_pid;

static void on_info(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	got_sig = sig;
	got_code = si->si_code;
	got_value = si->si_value.sival_int;
	got_pid = si->si_pid;
}

static void sending(void)
{
	struct sigaction sa = { .sa_sigaction = on_info, .sa_flags = SA_SIGINFO };
	siginfo_t si;
	int fd = pidfd_open(getpid(), 0), file = open("/", O_RDONLY), dir, other, status = 0;
	pid_t pid;
	char path[64];

	sigaction(SIGUSR1, &sa, NULL);
	is_int(pidfd_send(fd, SIGUSR1, NULL, 0), 0, "a signal to oneself");
	ok(got_sig == SIGUSR1 && got_code == SI_USER && got_pid == getpid(), "comes as from kill");
	memset(&si, 0, sizeof(si));
	si.si_signo = SIGUSR1;
	si.si_code = SI_QUEUE;
	si.si_value.sival_int = 77;
	is_int(pidfd_send(fd, SIGUSR1, &si, 0), 0, "with a siginfo");
	ok(got_code == SI_QUEUE && got_value == 77, "which arrives");
	si.si_code = SI_KERNEL;
	is_int(pidfd_send(fd, SIGUSR1, &si, 0), 0, "to oneself any code will do");
	is_int(got_code, SI_KERNEL, "and is told");
	is_int(pidfd_send(fd, 0, NULL, 0), 0, "signal 0");
	is_errno(pidfd_send(fd, 65, NULL, 0) == -1, EINVAL, "signal 65");
	is_errno(pidfd_send(fd, -1, NULL, 0) == -1, EINVAL, "signal -1");
	is_errno(pidfd_send(fd, SIGUSR2, &si, 0) == -1, EINVAL, "a siginfo of another signal");
	is_errno(pidfd_send(fd, SIGUSR1, (void *)8, 0) == -1, EFAULT, "a bad siginfo");
	is_errno(pidfd_send(fd, SIGUSR1, NULL, 1) == -1, EINVAL, "flags");
	is_errno(pidfd_send(999, SIGUSR1, NULL, 0) == -1, EBADF, "not open");
	is_errno(pidfd_send(file, SIGUSR1, NULL, 0) == -1, EBADF, "a descriptor of another kind");
	close(file);
	file = open("/proc/self", O_PATH);
	is_errno(pidfd_send(file, 0, NULL, 0) == -1, EBADF, "an O_PATH descriptor");
	close(file);
	pid = sleeper();
	other = pidfd_open(pid, 0);
	snprintf(path, sizeof(path), "/proc/%d", pid);
	dir = open(path, O_RDONLY | O_DIRECTORY);
	is_int(pidfd_send(dir, 0, NULL, 0), 0, "a directory of /proc will do");
	snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, pid);
	file = open(path, O_RDONLY | O_DIRECTORY);
	is_errno(pidfd_send(file, 0, NULL, 0) == -1, EBADF, "a thread's directory will not");
	close(file);
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	file = open(path, O_RDONLY | O_DIRECTORY);
	is_errno(pidfd_send(file, 0, NULL, 0) == -1, EBADF, "nor that of all its threads");
	close(file);
	is_errno(pidfd_send(other, SIGUSR1, &si, 0) == -1, EPERM, "another process is not told that the kernel sent it");
	si.si_code = SI_TKILL;
	is_errno(pidfd_send(other, SIGUSR1, &si, 0) == -1, EPERM, "nor tkill");
	is_errno(pidfd_send(other, SIGUSR2, &si, 0) == -1, EINVAL, "the number is looked at first");
	is_int(pidfd_send(other, SIGTERM, NULL, 0), 0, "a signal that ends it");
	siginfo_t w;
	waitid(P_PID, (id_t)pid, &w, WEXITED | WNOWAIT);
	is_int(pidfd_send(other, SIGTERM, NULL, 0), 0, "a zombie takes signals");
	waitpid(pid, &status, 0);
	is_int(status, SIGTERM, "it died of it");
	is_errno(pidfd_send(other, 0, NULL, 0) == -1, ESRCH, "gone");
	is_errno(pidfd_send(dir, 0, NULL, 0) == -1, ESRCH, "gone, by its directory");
	close(dir);
	close(other);
	close(fd);
}

static int unprivileged_send(void)
{
	int fd = pidfd_open(getppid(), 0);

	if (fd < 0 || setresuid(12345, 12345, 12345))
		return 2;
	return pidfd_send(fd, 0, NULL, 0) == -1 && errno == EPERM ? 0 : 1;
}

/* --- getting descriptors */

static void getting(void)
{
	int p[2], back[2], fd, got, r;
	char c = 0;
	pid_t pid;

	pipe(p);
	pipe(back);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int mine = dup2(p[1], 50);

		close(p[1]);
		if (mine != 50 || open("/", O_PATH) < 0 || dup2(mine, 51) != 51)
			_exit(1);
		write(back[1], "x", 1);
		for (;;)
			pause();
	}
	close(p[1]);
	read(back[0], &c, 1);
	fd = pidfd_open(pid, 0);
	got = pidfd_getfd(fd, 50, 0);
	ok(got >= 0, "pidfd_getfd");
	is_int(fcntl(got, F_GETFD), FD_CLOEXEC, "close-on-exec");
	ok(write(got, "y", 1) == 1 && read(p[0], &c, 1) == 1 && c == 'y', "it is the same file");
	is_int(fcntl(got, F_SETFL, O_NONBLOCK), 0, "flags of the description");
	r = pidfd_getfd(fd, 51, 0);
	is_int(fcntl(r, F_GETFL) & O_NONBLOCK, O_NONBLOCK, "are shared");
	is_errno(pidfd_getfd(fd, 999, 0) == -1, EBADF, "not open there");
	is_errno(pidfd_getfd(fd, -1, 0) == -1, EBADF, "-1");
	is_errno(pidfd_getfd(fd, 50, 1) == -1, EINVAL, "flags");
	is_errno(pidfd_getfd(999, 50, 0) == -1, EBADF, "no pidfd");
	is_errno(pidfd_getfd(p[0], 50, 0) == -1, EBADF, "a pipe is no pidfd");
	end(pid);
	is_errno(pidfd_getfd(fd, 50, 0) == -1, ESRCH, "the process has gone");
	close(fd);
	fd = pidfd_open(getpid(), 0);
	r = pidfd_getfd(fd, fd, 0);
	ok(r >= 0 && r != fd, "one's own");
	close(fd);
	close(got);
	close(r);
	close(p[0]);
	close(back[0]);
	close(back[1]);
}

static int unprivileged_getfd(void)
{
	int fd = pidfd_open(getppid(), 0);

	if (fd < 0 || setresuid(12345, 12345, 12345))
		return 2;
	return pidfd_getfd(fd, 0, 0) == -1 && errno == EPERM ? 0 : 1;
}

/* Real ids count, not those for file access: euid 0 alone is no help without the capability. */
static int undumpable(void)
{
	int p[2], r;
	char c;
	pid_t pid;

	if (pipe(p) || setresgid(12345, 12345, 12345) || setresuid(12345, 12345, 12345))
		return 2;
	prctl(PR_SET_DUMPABLE, 1);
	pid = fork();
	if (pid == 0) {
		read(p[0], &c, 1);
		prctl(PR_SET_DUMPABLE, 0);
		write(p[1], "x", 1);
		for (;;)
			pause();
	}
	int fd = pidfd_open(pid, 0);
	r = pidfd_getfd(fd, p[0], 0) >= 0 ? 0 : 4;	/* same ids, dumpable: allowed */
	write(p[1], "x", 1);
	for (;;) {	/* until the child has made itself undumpable */
		int got = pidfd_getfd(fd, p[0], 0);

		if (got < 0 && errno == EPERM)
			break;
		close(got);
		sched_yield();
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return r;
}

/* --- polling */

static void polling(void)
{
	pid_t pid = sleeper();
	int fd = pidfd_open(pid, 0), status;
	fd_set in, out;
	struct timeval zero = { 0, 0 };
	siginfo_t si;

	is_int(revents_of(fd, 0), 0, "a process that runs: nothing");
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fd, &in);
	FD_SET(fd, &out);
	is_int(select(fd + 1, &in, &out, NULL, &zero), 0, "select sees nothing");
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	is_int(revents_of(fd, 0), 0, "stopped: nothing");
	kill(pid, SIGKILL);
	is_int(revents_of(fd, -1), POLLIN | POLLRDNORM, "poll waits for its end");
	waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
	is_int(revents_of(fd, 0), POLLIN | POLLRDNORM, "a zombie is readable");
	FD_ZERO(&in);
	FD_SET(fd, &in);
	is_int(select(fd + 1, &in, NULL, NULL, NULL), 1, "select sees it");
	int late = pidfd_open(pid, 0);
	is_int(revents_of(late, 0), POLLIN | POLLRDNORM, "also one opened on the zombie");
	close(late);
	waitpid(pid, NULL, 0);
	is_int(revents_of(fd, 0), POLLIN | POLLRDNORM, "still, after it has been waited for");
	close(fd);
}

static int p_go[2];

static void *outlive(void *arg)
{
	char c;

	(void)arg;
	read(p_go[0], &c, 1);
	_exit(5);
}

/* The leader exits first: the process has not ended before its last thread. */
static void threads(void)
{
	int fd, status = 0, zombie = 0;
	char path[64], text[256], *at;
	pid_t pid;
	FILE *f;

	pipe(p_go);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		pthread_t t;

		pthread_create(&t, NULL, outlive, NULL);
		syscall(SYS_exit, 3);
	}
	fd = pidfd_open(pid, 0);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	while (!zombie) {
		f = fopen(path, "r");
		text[fread(text, 1, sizeof(text) - 1, f)] = 0;
		fclose(f);
		at = strrchr(text, ')');
		zombie = at && at[2] == 'Z';
		sched_yield();
	}
	is_int(revents_of(fd, 0), 0, "the leader has exited, another thread has not: nothing");
	write(p_go[1], "x", 1);
	is_int(revents_of(fd, -1), POLLIN | POLLRDNORM, "the last one has");
	waitpid(pid, &status, 0);
	is_int(WEXITSTATUS(status), 5, "its status");
	close(fd);
	close(p_go[0]);
	close(p_go[1]);
}

struct watcher {
	int fd, result;
};

static void *watch(void *arg)
{
	struct watcher *w = arg;

	w->result = revents_of(w->fd, -1);
	return NULL;
}

/* Several pollers, on several pidfds; one of them is closed meanwhile. SIGCHLD ignored: no zombie ever. */
static void watchers(void)
{
	struct watcher w[4];
	pthread_t t[4];
	int good = 0;
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = sleeper();
	int extra = pidfd_open(pid, 0);
	for (int i = 0; i < 4; i++) {
		w[i].fd = pidfd_open(pid, 0);
		w[i].result = 0;
		pthread_create(&t[i], NULL, watch, &w[i]);
	}
	close(extra);
	usleep(20000);
	kill(pid, SIGKILL);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		good += w[i].result == (POLLIN | POLLRDNORM);
		close(w[i].fd);
	}
	is_int(good, 4, "four pollers are woken by a process that leaves no zombie");
	signal(SIGCHLD, SIG_DFL);
}

/* --- waitid */

static void waiting(void)
{
	siginfo_t si;
	pid_t pid = sleeper();
	int fd = pidfd_open(pid, 0), nb = pidfd_open(pid, O_NONBLOCK), file = open("/", O_RDONLY);

	memset(&si, 0, sizeof(si));
	is_int(waitid(P_PIDFD, (id_t)fd, &si, WEXITED | WNOHANG), 0, "P_PIDFD with WNOHANG");
	is_int(si.si_pid, 0, "nothing yet");
	is_errno(waitid(P_PIDFD, (id_t)nb, &si, WEXITED) == -1, EAGAIN, "PIDFD_NONBLOCK: EAGAIN");
	is_int(waitid(P_PIDFD, (id_t)nb, &si, WEXITED | WNOHANG), 0, "with WNOHANG it is 0 again");
	is_errno(waitid(P_PIDFD, (id_t)file, &si, WEXITED) == -1, EBADF, "a descriptor of another kind");
	is_errno(waitid(P_PIDFD, 999, &si, WEXITED) == -1, EBADF, "not open");
	is_errno(waitid(P_PIDFD, (id_t)-1, &si, WEXITED) == -1, EINVAL, "-1");
	is_errno(waitid(P_PIDFD, (id_t)fd, &si, 0) == -1, EINVAL, "no options");
	kill(pid, SIGSTOP);
	is_int(waitid(P_PIDFD, (id_t)fd, &si, WSTOPPED), 0, "a stop");
	ok(si.si_pid == pid && si.si_code == CLD_STOPPED && si.si_status == SIGSTOP, "is told");
	kill(pid, SIGKILL);
	is_int(waitid(P_PIDFD, (id_t)fd, &si, WEXITED | WNOWAIT), 0, "its end, left waitable");
	ok(si.si_pid == pid && si.si_code == CLD_KILLED && si.si_status == SIGKILL, "killed");
	is_int(waitid(P_PIDFD, (id_t)nb, &si, WEXITED), 0, "and taken through the other");
	is_errno(waitid(P_PIDFD, (id_t)fd, &si, WEXITED) == -1, ECHILD, "no child any more");
	is_errno(waitid(P_PIDFD, (id_t)nb, &si, WEXITED) == -1, ECHILD, "nor for the non-blocking");
	close(fd);
	close(nb);
	fd = pidfd_open(getpid(), 0);
	is_errno(waitid(P_PIDFD, (id_t)fd, &si, WEXITED) == -1, ECHILD, "oneself is no child");
	close(fd);
	close(file);
}

/* --- clone */

static void cloning(void)
{
	struct args a = { .flags = CLONE_PIDFD, .exit_signal = SIGCHLD };
	int fd = -1, tid = -1, same = -1, err;
	siginfo_t si;
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd, 0, 0);

	if (pid == 0)
		_exit(fcntl(fd, F_GETFD) == -1 && errno == EBADF ? 7 : 8);
	ok(pid > 0 && fd >= 0, "clone with CLONE_PIDFD");
	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "close-on-exec");
	is_int(waitid(P_PIDFD, (id_t)fd, &si, WEXITED), 0, "it is the child's");
	ok(si.si_pid == pid && si.si_status == 7, "who has not got it");
	close(fd);
	a.pidfd = (uintptr_t)&fd;
	a.parent_tid = (uintptr_t)&tid;
	a.flags |= CLONE_PARENT_SETTID;
	fd = -1;
	pid = (pid_t)syscall(SYS_clone3, &a, sizeof(a));
	if (pid == 0)
		_exit(9);
	ok(pid > 0 && fd >= 0 && tid == pid, "clone3 gives pidfd and tid");
	is_int(waitid(P_PIDFD, (id_t)fd, &si, WEXITED), 0, "waited for");
	close(fd);
	a.pidfd = a.parent_tid = (uintptr_t)&same;
	is_errno(syscall(SYS_clone3, &a, sizeof(a)) == -1, EINVAL, "clone3: both to one place");
	is_errno(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &fd, 0, 0) == -1, EINVAL, "clone: with CLONE_PARENT_SETTID");
	is_errno(syscall(SYS_clone, CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, 0, &fd, 0, 0) == -1, EINVAL, "with CLONE_DETACHED");
	is_errno(syscall(SYS_clone, CLONE_PIDFD | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0, &fd, 0, 0) == -1, EINVAL, "with CLONE_THREAD");
	err = (int)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, 8, 0, 0);
	if (err == 0)
		_exit(0);
	is_errno(err == -1, EFAULT, "a bad pointer");
	is_errno(waitpid(-1, NULL, WNOHANG) == -1, ECHILD, "and no child then");
	a.flags = CLONE_PIDFD;
	a.pidfd = 8;
	err = (int)syscall(SYS_clone3, &a, sizeof(a));
	if (err == 0)
		_exit(0);
	is_errno(err == -1, EFAULT, "clone3: a bad pointer");
	fd = dup(0);
	close(fd);
	int next = dup(0);
	is_int(next, fd, "no descriptor has leaked");
	close(next);
}

/* The number is given to another process: the pidfd does not follow it. */
static void reuse(void)
{
	pid_t want[1], pid = sleeper();
	struct args a = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)want, .set_tid_size = 1 };
	int fd = pidfd_open(pid, 0), fresh;
	siginfo_t si;

	end(pid);
	want[0] = pid;
	if (syscall(SYS_clone3, &a, sizeof(a)) == 0)
		for (;;)
			pause();
	is_errno(pidfd_send(fd, SIGKILL, NULL, 0) == -1, ESRCH, "a new process of the same number is not signalled");
	is_int(revents_of(fd, 0), POLLIN | POLLRDNORM, "nor polled");
	is_errno(waitid(P_PIDFD, (id_t)fd, &si, WEXITED | WNOHANG) == -1, ECHILD, "nor waited for");
	fresh = pidfd_open(pid, 0);
	is_int(revents_of(fresh, 0), 0, "a new pidfd is about the new one");
	end(pid);
	close(fd);
	close(fresh);
}

/* Opening and closing while processes end. */
static void race(void)
{
	int bad = 0;

	for (int i = 0; i < 200; i++) {
		int fd, fd2;
		pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd, 0, 0);

		if (pid == 0)
			_exit(0);
		fd2 = pidfd_open(pid, 0);
		if (i & 1)
			close(fd);
		bad += revents_of(fd2, -1) != (POLLIN | POLLRDNORM);
		close(fd2);
		if (!(i & 1))
			close(fd);
		waitpid(pid, NULL, 0);
	}
	is_int(bad, 0, "200 short lives, polled");
}

int main(void)
{
	opening();
	fdinfo();
	sending();
	is_int(in_child(unprivileged_send), 0, "signals need permission: EPERM");
	getting();
	is_int(in_child(unprivileged_getfd), 0, "descriptors need permission: EPERM");
	is_int(in_child(undumpable), 0, "a process with the same ids allows it while it is dumpable");
	polling();
	threads();
	watchers();
	waiting();
	cloning();
	reuse();
	race();
	return done_testing();
}
