/* SPDX-License-Identifier: MPL-2.0 */
/* sigtimedwait(2), sigsuspend(2), sigaltstack(2), ppoll's mask. */
#include "tap.h"
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define KERNEL_SIGSET 8

static volatile sig_atomic_t hits, was_on_altstack;
static char *alt;
#define ALT_SIZE 65536

static void count(int sig)
{
	char here;

	(void)sig;
	hits++;
	was_on_altstack = alt && &here >= alt && &here < alt + ALT_SIZE;
}

static void timedwait(void)
{
	struct timespec short_time = { 0, 30000000 }, bad = { 0, 1000000000 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, NULL);
	is_errno(sigtimedwait(&set, &info, &short_time) == -1, EAGAIN, "sigtimedwait times out");
	is_errno(syscall(SYS_rt_sigtimedwait, &set, NULL, &bad, KERNEL_SIGSET) == -1, EINVAL, "a bad timeout");
	is_errno(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 4) == -1, EINVAL, "a wrong size");
	is_errno(syscall(SYS_rt_sigtimedwait, 8L, NULL, NULL, KERNEL_SIGSET) == -1, EFAULT, "a bad set");
	raise(SIGUSR1);
	is_int(sigtimedwait(&set, &info, &short_time), SIGUSR1, "a pending signal is taken");
	ok(info.si_signo == SIGUSR1 && info.si_code == SI_USER && info.si_pid == getpid(), "with its siginfo (glibc shows SI_TKILL as SI_USER)");
	is_errno(sigtimedwait(&set, &info, &(struct timespec){ 0, 0 }) == -1, EAGAIN, "and gone");
	sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = 42 });
	is_int(sigwaitinfo(&set, &info), SIGRTMIN + 3, "a queued one");
	is_int(info.si_value.sival_int, 42, "with its value");
	if (fork() == 0) {
		usleep(50000);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	is_int(sigwaitinfo(&set, NULL), SIGUSR1, "one that comes later");
	wait(NULL);
	signal(SIGALRM, count);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 30000 } }, NULL);
	is_errno(sigwaitinfo(&set, NULL) == -1, EINTR, "another signal's handler interrupts it");
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void suspend(void)
{
	sigset_t set, old;

	signal(SIGUSR1, count);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	hits = 0;
	sigemptyset(&old);
	is_errno(sigsuspend(&old) == -1, EINTR, "sigsuspend returns after the handler");
	is_int(hits, 1, "which has run");
	sigprocmask(SIG_SETMASK, NULL, &old);
	ok(sigismember(&old, SIGUSR1) == 1, "and the old mask is back");
	hits = 0;
	kill(getpid(), SIGUSR1);
	is_errno(syscall(SYS_rt_sigsuspend, &(long){ 0 }, KERNEL_SIGSET) == -1, EINTR, "the bare call");
	is_int(hits, 1, "runs the handler");
	is_errno(syscall(SYS_rt_sigsuspend, 8L, KERNEL_SIGSET) == -1, EFAULT, "a bad mask");
	is_errno(syscall(SYS_rt_sigsuspend, &set, 4) == -1, EINVAL, "a wrong size");
	raise(SIGUSR1);
	hits = 0;
	sigemptyset(&old);
	is_errno(ppoll(NULL, 0, NULL, &old) == -1, EINTR, "ppoll with a mask that lets a pending signal in");
	is_int(hits, 1, "runs the handler");
	sigprocmask(SIG_SETMASK, NULL, &old);
	ok(sigismember(&old, SIGUSR1) == 1, "and restores the mask");
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* What ends pause: a handler, not a signal that is ignored, nor a stop and continue. */
static void pausing(void)
{
	struct sigaction sa = { .sa_handler = count, .sa_flags = SA_RESTART };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		hits = 0;
		sigaction(SIGUSR1, &sa, NULL);
		signal(SIGUSR2, SIG_IGN);
		kill(getppid(), SIGRTMIN + 3);
		_exit(syscall(SYS_pause) == -1 && errno == EINTR && hits >= 1 ? 7 : 8);
	}
	while (sigwaitinfo(&(sigset_t){ { 1ul << (SIGRTMIN + 2) } }, NULL) < 0)
		;
	for (int i = 0; i < 3; i++) {
		usleep(10000);
		kill(pid, SIGUSR2);
		kill(pid, SIGSTOP);
		waitpid(pid, &status, WUNTRACED);
		kill(pid, SIGCONT);
		waitpid(pid, &status, WCONTINUED);
		is_int(waitpid(pid, &status, WNOHANG), 0, "an ignored signal, a stop and a continue do not end pause");
	}
	do {
		kill(pid, SIGUSR1);	/* again, if it was not in pause yet */
		usleep(10000);
	} while (waitpid(pid, &status, WNOHANG) == 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 7, "a handler does, with EINTR, SA_RESTART or not");
}

static void altstack(void)
{
	struct sigaction sa = { .sa_handler = count, .sa_flags = SA_ONSTACK };
	stack_t ss = { 0 }, old;

	is_int(sigaltstack(NULL, &old), 0, "asking for the alternate stack");
	ok(old.ss_flags == SS_DISABLE, "there is none at first");
	alt = mmap(NULL, ALT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ss.ss_sp = alt;
	ss.ss_size = 1000;
	is_errno(sigaltstack(&ss, NULL) == -1, ENOMEM, "one that is too small");
	ss.ss_size = ALT_SIZE;
	ss.ss_flags = 0x1234;
	is_errno(sigaltstack(&ss, NULL) == -1, EINVAL, "unknown flags");
	ss.ss_flags = 0;
	is_int(sigaltstack(&ss, NULL), 0, "a good one");
	is_int(sigaltstack(NULL, &old), 0, "is told back");
	ok(old.ss_sp == alt && old.ss_size == ALT_SIZE && old.ss_flags == 0, "as it was given");
	sigaction(SIGUSR1, &sa, NULL);
	hits = 0;
	raise(SIGUSR1);
	ok(hits == 1 && was_on_altstack, "SA_ONSTACK handlers run on it");
	sa.sa_flags = 0;
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	ok(hits == 2 && !was_on_altstack, "others do not");
	is_errno(sigaltstack((stack_t *)8, NULL) == -1, EFAULT, "a bad pointer in");
	is_errno(sigaltstack(NULL, (stack_t *)8) == -1, EFAULT, "a bad pointer out");
	ss.ss_flags = SS_DISABLE;
	is_int(sigaltstack(&ss, NULL), 0, "disabling it");
}

static void on_overflow(int sig)
{
	(void)sig;
	_exit(was_on_altstack = 9);
}

static int overflow(void)
{
	struct sigaction sa = { .sa_handler = on_overflow, .sa_flags = SA_ONSTACK };
	stack_t ss = { .ss_sp = alt, .ss_size = ALT_SIZE };

	sigaltstack(&ss, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	for (volatile char *p = __builtin_frame_address(0); p; p -= 4096)
		*p = 1;
	return 0;
}

static int no_room(void)
{
	struct sigaction sa = { .sa_handler = count };

	sigaction(SIGSEGV, &sa, NULL);
	__asm__ volatile("movq $8, %%rsp\n\tmovl $0, (%%rsp)" ::: "memory");
	return 0;
}

int main(void)
{
	int status;

	timedwait();
	suspend();
	sigprocmask(SIG_BLOCK, &(sigset_t){ { 1ul << (SIGRTMIN + 2) } }, NULL);
	pausing();
	altstack();
	is_int(WEXITSTATUS(in_child(overflow)), 9, "a stack overflow is caught on the alternate stack");
	status = in_child(no_room);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "without room for the frame the process dies by SIGSEGV");
	return done_testing();
}
