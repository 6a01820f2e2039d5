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

static volatile sig_atomic_t last, last_code;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)context;
	last = info->si_signo == sig ? sig : -1;
	last_code = info->si_code;
}

static bool comes(int sig, int code)
{
	bool came = last == sig && last_code == code;

	last = 0;
	return came;
}

/* Each signal that can have a handler, by each call that sends one. */
static void every_signal(void)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0), bad = 0;
	sigset_t all, pending;

	sigfillset(&all);
	for (int sig = 1; sig <= 64; sig++) {
		siginfo_t info = { .si_signo = sig, .si_code = SI_QUEUE };
		struct { void *handler; long flags; void *restorer; long mask; } raw = { 0 };
		long unblock = 1l << (sig - 1);

		if (sig == SIGKILL || sig == SIGSTOP)
			continue;
		sigaction(SIGUSR1, &sa, NULL);
		syscall(SYS_rt_sigaction, SIGUSR1, NULL, &raw, 8);	/* glibc keeps 32 and 33 to itself, and a restorer */
		bad += syscall(SYS_rt_sigaction, sig, &raw, NULL, 8) != 0;
		syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &unblock, NULL, 8);
		bad += syscall(SYS_kill, getpid(), sig) || !comes(sig, SI_USER);
		bad += syscall(SYS_tkill, gettid(), sig) || !comes(sig, SI_TKILL);
		bad += syscall(SYS_tgkill, getpid(), gettid(), sig) || !comes(sig, SI_TKILL);
		bad += syscall(SYS_rt_sigqueueinfo, getpid(), sig, &info) || !comes(sig, SI_QUEUE);
		bad += syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), sig, &info) || !comes(sig, SI_QUEUE);
		bad += syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) || !comes(sig, SI_USER);
		syscall(SYS_rt_sigprocmask, SIG_BLOCK, &unblock, NULL, 8);
		bad += syscall(SYS_kill, getpid(), sig) || last != 0;
		syscall(SYS_rt_sigpending, &pending, 8);
		bad += memcmp(&pending, &unblock, 8) != 0;
		syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &unblock, NULL, 8);
		bad += !comes(sig, SI_USER);
		raw.handler = SIG_DFL;
		syscall(SYS_rt_sigaction, sig, &raw, NULL, 8);
		if (bad) {
			printf("# signal %d\n", sig);
			break;
		}
	}
	is_int(bad, 0, "62 signals reach their handlers by kill, tkill, tgkill, sigqueue and pidfd, and pend while blocked");
	is_errno(sigaction(SIGKILL, &sa, NULL) == -1, EINVAL, "SIGKILL has no handler");
	is_errno(sigaction(SIGSTOP, &sa, NULL) == -1, EINVAL, "nor has SIGSTOP");
	is_int(sigaction(SIGKILL, NULL, &sa), 0, "but it may be asked");
	ok(sa.sa_handler == SIG_DFL, "and is the default");
	close(pidfd);
}

/* What stops by default, and what is ignored. */
static void harmless(void)
{
	static const int stops[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU }, ignored[] = { SIGCHLD, SIGCONT, SIGURG, SIGWINCH };
	pid_t pid = sleeper();
	int status;

	setpgid(pid, pid);
	for (unsigned i = 0; i < 4; i++) {
		kill(pid, ignored[i]);
		kill(pid, stops[i]);
		waitpid(pid, &status, WUNTRACED);
		ok(WIFSTOPPED(status) && WSTOPSIG(status) == stops[i], "signal %d is ignored by default, %d stops", ignored[i], stops[i]);
		kill(pid, SIGCONT);
		waitpid(pid, &status, WCONTINUED);
		ok(WIFCONTINUED(status), "and SIGCONT goes on");
	}
	kill(pid, SIGKILL);
	is_int(end_of(pid), SIGKILL, "until SIGKILL");
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
	every_signal();
	harmless();
	interrupts();
	return done_testing();
}
