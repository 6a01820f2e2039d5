/* SPDX-License-Identifier: MPL-2.0 */
/* kill(2), tkill, tgkill, sigqueue: whom they reach and whom not. */
#include "tap.h"
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>

static volatile sig_atomic_t hits;

static void count(int sig)
{
	(void)sig;
	hits++;
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

static int end_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void errors(void)
{
	is_errno(kill(getpid(), 65) == -1, EINVAL, "kill with signal 65");
	is_errno(kill(getpid(), -1) == -1, EINVAL, "kill with signal -1");
	is_errno(kill(4000000, 0) == -1, ESRCH, "kill of nobody");
	is_errno(kill(-4000000, 0) == -1, ESRCH, "kill of no group");
	is_int(kill(getpid(), 0), 0, "signal 0 checks");
	is_errno(syscall(SYS_tkill, 0, 0) == -1, EINVAL, "tkill of thread 0");
	is_errno(syscall(SYS_tkill, -1, 0) == -1, EINVAL, "tkill of thread -1");
	is_errno(syscall(SYS_tkill, 4000000, 0) == -1, ESRCH, "tkill of nobody");
	is_errno(syscall(SYS_tgkill, 0, getpid(), 0) == -1, EINVAL, "tgkill of group 0");
	is_errno(syscall(SYS_tgkill, getpid(), 0, 0) == -1, EINVAL, "tgkill of thread 0");
	is_errno(syscall(SYS_tgkill, 4000000, getpid(), 0) == -1, ESRCH, "tgkill with the wrong group");
	is_errno(syscall(SYS_tgkill, getpid(), getpid(), 65) == -1, EINVAL, "tgkill with signal 65");
	is_int(syscall(SYS_tgkill, getpid(), getpid(), 0), 0, "tgkill with signal 0");
	is_errno(sigqueue(getpid(), 65, (union sigval){ 0 }) == -1, EINVAL, "sigqueue with signal 65");
	is_errno(sigqueue(4000000, 0, (union sigval){ 0 }) == -1, ESRCH, "sigqueue to nobody");
	is_errno(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, 8L) == -1, EFAULT, "a bad siginfo");
}

static void forged(void)
{
	pid_t pid = sleeper();
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_USER };

	is_errno(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info) == -1, EPERM, "nobody may forge SI_USER");
	info.si_code = SI_TKILL;
	is_errno(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info) == -1, EPERM, "nor SI_TKILL");
	info.si_code = SI_QUEUE;
	is_int(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), 0, "SI_QUEUE is fine");
	is_int(end_of(pid), SIGUSR1, "and arrives");
}

static int as_user(void)
{
	if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		return 1;
	if (kill(1, 0) != -1 || errno != EPERM)
		return 2;
	if (kill(getppid(), SIGTERM) != -1 || errno != EPERM)
		return 3;
	return kill(getpid(), 0) ? 4 : 0;
}

static void groups(void)
{
	pid_t a = sleeper(), b = sleeper();

	setpgid(a, a);
	setpgid(b, a);
	is_int(kill(-a, SIGTERM), 0, "kill of a group");
	is_int(end_of(a), SIGTERM, "ends its leader");
	is_int(end_of(b), SIGTERM, "and its member");
	is_errno(kill(-a, 0) == -1, ESRCH, "then the group is gone");
	is_int(WEXITSTATUS(in_child(as_user)), 0, "users may not signal others");
}

static void fatal(void)
{
	static const int sigs[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM,
				    SIGTERM, SIGSTKFLT, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSYS, 34, 64 };

	for (unsigned i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		pid_t pid = sleeper();

		kill(pid, sigs[i]);
		is_int(end_of(pid), sigs[i], "signal %d ends a process by default", sigs[i]);
	}
}

static void interrupts(void)
{
	struct sigaction sa = { .sa_handler = count };
	int fd[2];
	char c;

	sigaction(SIGALRM, &sa, NULL);
	if (pipe(fd))
		bail_out("pipe");
	hits = 0;
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 50000 } }, NULL);
	is_errno(read(fd[0], &c, 1) == -1, EINTR, "a handler interrupts a blocked read");
	is_int(hits, 1, "after it has run");
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	if (fork() == 0) {
		usleep(200000);
		if (write(fd[1], "x", 1) != 1)
			_exit(1);
		_exit(0);
	}
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 50000 } }, NULL);
	is_int(read(fd[0], &c, 1), 1, "with SA_RESTART the read goes on");
	is_int(hits, 2, "after the handler");
	wait(NULL);
	is_errno((setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 50000 } }, NULL), pause()) == -1, EINTR, "pause ends even with SA_RESTART");
}

int main(void)
{
	errors();
	forged();
	groups();
	fatal();
	interrupts();
	return done_testing();
}
