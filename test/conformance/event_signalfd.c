/* SPDX-License-Identifier: MPL-2.0 */
/* signalfd(2): whose signals, which members, several a read, change of the set, blocking and its end, poll and epoll, fork, threads, errors. */
#include "fs_util.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#define REALTIME (SIGRTMIN + 3)

static struct signalfd_siginfo info[8];

static sigset_t set_of(int a, int b)
{
	sigset_t set;

	sigemptyset(&set);
	if (a)
		sigaddset(&set, a);
	if (b)
		sigaddset(&set, b);
	return set;
}

static ssize_t get(int fd, size_t n)
{
	memset(info, 0xee, sizeof(info));
	return read(fd, info, n * sizeof(info[0]));
}

static int is_ready(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, ms) == 1 ? p.revents : 0;
}

static void members(void)
{
	sigset_t set = set_of(SIGUSR1, REALTIME);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	union sigval v = { .sival_ptr = (void *)0x123456789abcul };
	struct itimerval it = { .it_value = { 0, 1000 } };
	int status;
	pid_t pid;

	is_errno(get(fd, 1) == -1, EAGAIN, "nothing pending");
	is_int(is_ready(fd, 0), 0, "not ready");
	kill(getpid(), SIGUSR1);
	is_int(is_ready(fd, 0), POLLIN, "a signal makes it ready");
	is_int(get(fd, 1), 128, "one siginfo");
	ok(info[0].ssi_signo == SIGUSR1 && info[0].ssi_code == SI_USER && info[0].ssi_pid == (uint32_t)getpid() && info[0].ssi_uid == 0, "kill: signal, code, pid, uid");
	ok(info[0].ssi_int == 0 && info[0].ssi_ptr == 0 && info[0].ssi_status == 0 && info[0].ssi_addr == 0 && info[0].ssi_fd == 0, "the rest is 0");
	is_int(is_ready(fd, 0), 0, "it is not pending any more");
	for (int i = 0; i < 3; i++) {
		v.sival_int = 100 + i;
		sigqueue(getpid(), REALTIME, v);
	}
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	is_int(get(fd, 8), 4 * 128, "four with one read");
	ok(info[0].ssi_signo == SIGUSR1 && info[1].ssi_signo == (uint32_t)REALTIME, "by number");
	ok(info[1].ssi_int == 100 && info[2].ssi_int == 101 && info[3].ssi_int == 102, "queued ones in order");
	ok(info[1].ssi_code == SI_QUEUE && info[1].ssi_pid == (uint32_t)getpid() && info[1].ssi_ptr >> 32 == 0x1234, "sigqueue: code, pid, value");
	sigqueue(getpid(), REALTIME, v);
	sigqueue(getpid(), REALTIME, v);
	is_int(read(fd, info, 255), 128, "room for one and a half: one");
	is_int(get(fd, 1), 128, "and the other");
	raise(SIGUSR1);
	get(fd, 1);
	ok(info[0].ssi_code == SI_TKILL && info[0].ssi_pid == (uint32_t)getpid(), "raise: SI_TKILL");

	set = set_of(SIGCHLD, SIGALRM);
	is_int(signalfd(fd, &set, 0), fd, "another set for the same descriptor");
	kill(getpid(), SIGUSR1);
	is_int(is_ready(fd, 0), 0, "the former set does not count");
	pid = fork();
	if (pid == 0)
		_exit(7);
	is_int(is_ready(fd, 20000), POLLIN, "a child ends");
	get(fd, 1);
	ok(info[0].ssi_signo == SIGCHLD && info[0].ssi_code == CLD_EXITED && info[0].ssi_pid == (uint32_t)pid && info[0].ssi_status == 7, "SIGCHLD: code, pid, status");
	waitpid(pid, &status, 0);
	setitimer(ITIMER_REAL, &it, NULL);
	is_int(is_ready(fd, 20000), POLLIN, "an interval timer");
	get(fd, 1);
	ok(info[0].ssi_signo == SIGALRM && info[0].ssi_code == SI_KERNEL, "SIGALRM of the kernel");
	set = set_of(SIGUSR1, 0);
	signalfd(fd, &set, 0);
	is_int(is_ready(fd, 0), POLLIN, "what was pending meanwhile is there");
	get(fd, 1);
	close(fd);
}

static void errors(void)
{
	sigset_t set = set_of(SIGUSR1, SIGKILL);
	int fd, p[2], in;
	char path[64], buf[512];
	ssize_t n;

	sigaddset(&set, SIGSTOP);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	pipe(p);
	ok(fd >= 0, "SIGKILL and SIGSTOP are ignored silently");
	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "SFD_CLOEXEC");
	is_int(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR | O_NONBLOCK, "SFD_NONBLOCK");
	is_errno(signalfd(-1, &set, 0x10) == -1, EINVAL, "an unknown flag");
	is_errno(syscall(SYS_signalfd4, -1, &set, 4, 0) == -1, EINVAL, "a set of 4 bytes");
	is_errno(syscall(SYS_signalfd4, -1, BAD_PTR, 8, 0) == -1, EFAULT, "a bad pointer");
	is_errno(syscall(SYS_signalfd4, 99, BAD_PTR, 8, 0) == -1, EFAULT, "which is looked at before the descriptor");
	is_errno(signalfd(99, &set, 0) == -1, EBADF, "a bad descriptor");
	is_errno(signalfd(-2, &set, 0) == -1, EBADF, "a negative one other than -1");
	is_errno(signalfd(p[0], &set, 0) == -1, EINVAL, "a pipe");
	in = (int)syscall(SYS_signalfd, -1, &set, 8);
	ok(in >= 0 && fcntl(in, F_GETFD) == 0, "the older call");
	close(in);
	is_errno(read(fd, info, 127) == -1, EINVAL, "a read of 127 bytes");
	is_errno(write(fd, info, 128) == -1, EINVAL, "a write");
	is_int(lseek(fd, 1, SEEK_SET), 0, "lseek says 0");
	is_errno(pread(fd, info, 128, 0) == -1, ESPIPE, "pread");
	kill(getpid(), SIGUSR1);
	is_errno(read(fd, BAD_PTR, 128) == -1, EFAULT, "a read to a bad pointer");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	in = open(path, O_RDONLY);
	n = read(in, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	ok(strstr(buf, "\nsigmask:\t0000000000000200\n") != NULL, "fdinfo shows the set");
	close(in);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	ok(!strcmp(buf, "anon_inode:[signalfd]"), "its link in /proc/self/fd");
	close(p[0]);
	close(p[1]);
	close(fd);
}

/* --- Whose signals */

static int shared;

static int child_alone(void)
{
	if (get(shared, 1) != -1 || errno != EAGAIN)
		return 1;
	kill(getpid(), SIGUSR1);
	return get(shared, 1) == 128 && info[0].ssi_pid == (uint32_t)getpid() ? 0 : 2;
}

static void *thread_alone(void *arg)
{
	long r = is_ready(shared, 0) ? 1 : 0;

	raise(SIGUSR1);
	return (void *)(r + (get(shared, 1) == 128 ? 0 : 2));
}

static void *waits(void *arg)
{
	struct signalfd_siginfo si;

	return (void *)(uintptr_t)(read(shared, &si, sizeof(si)) == sizeof(si) ? si.ssi_signo : 0);
}

static int child_loops(void)
{
	/* Each process that waits on the shared description waits for its own signals. */
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			sleep_ms(i % 4);
			alarm_ms(1);
			_exit(is_ready(shared, 20000) == POLLIN && get(shared, 1) == 128 && info[0].ssi_signo == SIGALRM ? 0 : 1);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			return 1;
	}
	return 0;
}

static void whose(void)
{
	sigset_t set = set_of(SIGUSR1, SIGALRM);
	pthread_t t;
	void *got;
	int copy;

	shared = signalfd(-1, &set, SFD_NONBLOCK);
	kill(getpid(), SIGUSR1);
	is_int(in_child(child_alone), 0, "a child reads its own signals, not its parent's");
	is_int(get(shared, 1), 128, "the parent's is still there");
	raise(SIGUSR1);
	pthread_create(&t, NULL, thread_alone, NULL);
	pthread_join(t, &got);
	is_int((long)got, 0, "a thread has the signals sent to it, not those sent to another");
	is_int(get(shared, 1), 128, "which the other has");
	is_int(in_child(child_loops), 0, "processes that wait on one description one after the other");
	copy = dup(shared);
	kill(getpid(), SIGUSR1);
	is_int(is_ready(copy, 0), POLLIN, "a duplicate is the same");
	close(shared);
	is_int(get(copy, 1), 128, "and stays when the first is closed");
	close(copy);

	shared = signalfd(-1, &set, 0);
	pthread_create(&t, NULL, waits, NULL);
	sleep_ms(20);
	kill(getpid(), SIGUSR1);
	pthread_join(t, &got);
	is_int((long)got, SIGUSR1, "a blocked thread gets a signal of the process");
	pthread_create(&t, NULL, waits, NULL);
	sleep_ms(20);
	pthread_kill(t, SIGUSR1);
	pthread_join(t, &got);
	is_int((long)got, SIGUSR1, "and one of its own");
	pthread_create(&t, NULL, waits, NULL);
	sleep_ms(20);
	set = set_of(SIGUSR2, 0);
	kill(getpid(), SIGUSR2);
	signalfd(shared, &set, 0);
	pthread_join(t, &got);
	is_int((long)got, SIGUSR2, "a change of the set lets a blocked read go on");
	close(shared);
}

/* --- Waiting */

static volatile int n_caught;

static void on_count(int sig)
{
	n_caught++;
	if (n_caught == 2)
		kill(getpid(), SIGUSR1);
}

static void waiting(void)
{
	sigset_t set = set_of(SIGUSR1, 0), alarm = set_of(SIGALRM, 0);
	struct sigaction sa = { .sa_handler = on_count, .sa_flags = SA_RESTART };
	struct itimerval it = { .it_value = { 0, 20000 }, .it_interval = { 0, 20000 } }, off = { 0 };
	struct epoll_event e = { .events = EPOLLIN }, out[2];
	int fd = signalfd(-1, &set, 0), ep = epoll_create1(0);

	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
	catch(SIGALRM, 0);
	alarm_ms(30);
	is_errno(get(fd, 1) == -1, EINTR, "a caught signal ends a blocked read");
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	is_int(get(fd, 1), 128, "with SA_RESTART it goes on");
	setitimer(ITIMER_REAL, &off, NULL);
	ok(n_caught >= 2, "after the handler");
	sigprocmask(SIG_BLOCK, &alarm, NULL);

	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
	is_int(epoll_wait(ep, out, 2, 0), 0, "epoll: nothing");
	set = set_of(SIGALRM, 0);
	signalfd(fd, &set, 0);
	alarm_ms(20);
	is_int(epoll_wait(ep, out, 2, 20000), 1, "epoll wakes up for a signal");
	is_int(epoll_wait(ep, out, 2, 0), 1, "and says it again");
	get(fd, 1);
	is_int(epoll_wait(ep, out, 2, 0), 0, "until it is read");
	raise(SIGALRM);
	is_int(epoll_wait(ep, out, 2, 20000), 1, "a signal to the thread");
	close(fd);
	is_int(epoll_wait(ep, out, 2, 0), 0, "a closed one has gone");
	close(ep);
}

int main(void)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR2);

	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, REALTIME);
	sigprocmask(SIG_BLOCK, &set, NULL);
	members();
	errors();
	whose();
	waiting();
	return done_testing();
}
