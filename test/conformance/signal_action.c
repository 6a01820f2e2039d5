/* SPDX-License-Identifier: MPL-2.0 */
/* sigaction(2), sigprocmask(2), sigpending(2): actions, flags, masks, what a handler sees. */
#include "tap.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define KERNEL_SIGSET 8

static volatile sig_atomic_t hits, last_sig, last_code, depth, deepest;
static volatile long last_value;
static volatile pid_t last_pid;
static sigset_t mask_inside;

static void count(int sig)
{
	hits++;
	last_sig = sig;
}

static void look(int sig, siginfo_t *info, void *uc)
{
	hits++;
	last_sig = sig;
	last_code = info->si_code;
	last_pid = info->si_pid;
	last_value = (long)info->si_value.sival_ptr;
	sigprocmask(SIG_SETMASK, NULL, &mask_inside);
	(void)uc;
}

static void nest(int sig)
{
	if (++depth > deepest)
		deepest = depth;
	if (hits++ < 2)
		raise(sig);
	depth--;
}

static void set(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

static void set_info(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = look, .sa_flags = SA_SIGINFO | flags };

	sigaction(sig, &sa, NULL);
}

static void errors(void)
{
	struct sigaction sa = { .sa_handler = count };

	is_errno(sigaction(0, &sa, NULL) == -1, EINVAL, "signal 0");
	is_errno(syscall(SYS_rt_sigaction, 65, NULL, NULL, KERNEL_SIGSET) == -1, EINVAL, "signal 65");
	is_errno(syscall(SYS_rt_sigaction, -1, NULL, NULL, KERNEL_SIGSET) == -1, EINVAL, "signal -1");
	is_errno(sigaction(SIGKILL, &sa, NULL) == -1, EINVAL, "catching SIGKILL");
	is_errno(sigaction(SIGSTOP, &sa, NULL) == -1, EINVAL, "catching SIGSTOP");
	is_int(sigaction(SIGKILL, NULL, &sa), 0, "asking about SIGKILL is allowed");
	ok(sa.sa_handler == SIG_DFL, "its action is the default");
	is_errno(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4) == -1, EINVAL, "a wrong size of the set");
	is_errno(syscall(SYS_rt_sigaction, SIGUSR1, 8L, NULL, KERNEL_SIGSET) == -1, EFAULT, "a bad new action");
	is_errno(syscall(SYS_rt_sigaction, SIGUSR1, NULL, 8L, KERNEL_SIGSET) == -1, EFAULT, "a bad place for the old");
	is_errno(syscall(SYS_rt_sigprocmask, 7, &sa, NULL, KERNEL_SIGSET) == -1, EINVAL, "an unknown way to change the mask");
	is_int(syscall(SYS_rt_sigprocmask, 7, NULL, NULL, KERNEL_SIGSET), 0, "which does not matter without a set");
	is_errno(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8L, NULL, KERNEL_SIGSET) == -1, EFAULT, "a bad set");
	is_errno(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, 8L, KERNEL_SIGSET) == -1, EFAULT, "a bad place for the old set");
	is_errno(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 16) == -1, EINVAL, "a wrong size");
	is_errno(syscall(SYS_rt_sigpending, 8L, KERNEL_SIGSET) == -1, EFAULT, "sigpending to a bad place");
	is_errno(syscall(SYS_rt_sigpending, &sa, 16) == -1, EINVAL, "sigpending with a larger set");
}

static void handlers(void)
{
	struct sigaction old;
	sigset_t none;

	sigemptyset(&none);
	set(SIGUSR1, count, 0);
	hits = 0;
	raise(SIGUSR1);
	ok(hits == 1 && last_sig == SIGUSR1, "a handler runs");
	set_info(SIGUSR1, 0);
	hits = 0;
	kill(getpid(), SIGUSR1);
	ok(hits == 1 && last_code == SI_USER && last_pid == getpid(), "siginfo of kill");
	ok(sigismember(&mask_inside, SIGUSR1) == 1, "the signal is blocked inside its handler");
	sigprocmask(SIG_SETMASK, NULL, &none);
	ok(sigismember(&none, SIGUSR1) == 0, "and not after it");
	raise(SIGUSR1);
	is_int(last_code, SI_TKILL, "siginfo of raise");
	sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_ptr = (void *)0x1234567890 });
	ok(last_code == SI_QUEUE && last_value == 0x1234567890, "siginfo of sigqueue carries the value");
	set(SIGUSR1, nest, 0);
	hits = deepest = 0;
	raise(SIGUSR1);
	ok(hits == 3 && deepest == 1, "a signal raised in its handler waits for its end");
	set(SIGUSR1, nest, SA_NODEFER);
	hits = deepest = 0;
	raise(SIGUSR1);
	ok(hits == 3 && deepest == 3, "with SA_NODEFER it nests");
	set(SIGUSR1, count, SA_RESETHAND);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &old);
	ok(old.sa_handler == SIG_DFL, "SA_RESETHAND resets the action");
	ok(old.sa_flags & SA_RESETHAND, "but keeps the flags");
}

static void masks(void)
{
	sigset_t set1, old, pending;

	set(SIGUSR1, count, 0);
	set(SIGUSR2, count, 0);
	sigemptyset(&set1);
	sigaddset(&set1, SIGUSR1);
	sigaddset(&set1, SIGKILL);
	sigaddset(&set1, SIGSTOP);
	sigprocmask(SIG_BLOCK, &set1, NULL);
	sigprocmask(SIG_BLOCK, NULL, &old);
	ok(sigismember(&old, SIGUSR1) && !sigismember(&old, SIGKILL) && !sigismember(&old, SIGSTOP), "SIGKILL and SIGSTOP cannot be blocked");
	hits = 0;
	raise(SIGUSR1);
	raise(SIGUSR1);
	is_int(hits, 0, "a blocked signal waits");
	sigpending(&pending);
	ok(sigismember(&pending, SIGUSR1) == 1 && sigismember(&pending, SIGUSR2) == 0, "and is pending");
	sigprocmask(SIG_UNBLOCK, &set1, NULL);
	is_int(hits, 1, "a standard signal is delivered once");
	sigpending(&pending);
	is_int(sigismember(&pending, SIGUSR1), 0, "and no longer pending");
	sigprocmask(SIG_BLOCK, &set1, NULL);
	raise(SIGUSR1);
	set(SIGUSR1, SIG_IGN, 0);
	sigpending(&pending);
	is_int(sigismember(&pending, SIGUSR1), 0, "ignoring a signal discards the pending one");
	raise(SIGUSR1);
	sigpending(&pending);
	is_int(sigismember(&pending, SIGUSR1), 1, "a blocked signal is kept though it is ignored");
	sigprocmask(SIG_UNBLOCK, &set1, NULL);
	set(SIGCHLD, SIG_DFL, 0);
}

static sig_atomic_t volatile order[8], n_order;

static void note_order(int sig)
{
	if (n_order < 8)
		order[n_order++] = sig;
}

static void realtime(void)
{
	struct sigaction sa = { .sa_handler = note_order };
	sigset_t set1;

	sigfillset(&sa.sa_mask);
	sigemptyset(&set1);
	for (int i = 0; i < 3; i++) {
		sigaction(SIGRTMIN + i, &sa, NULL);
		sigaddset(&set1, SIGRTMIN + i);
	}
	sigaction(SIGUSR1, &sa, NULL);
	sigaddset(&set1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set1, NULL);
	raise(SIGRTMIN + 2);
	raise(SIGRTMIN + 1);
	raise(SIGRTMIN + 1);
	raise(SIGRTMIN);
	raise(SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &set1, NULL);
	is_int(n_order, 5, "real-time signals queue each instance");
	/* Frames are stacked: the last one built runs first. Each handler blocks all, so delivery goes one by one, lowest number first. */
	ok(order[0] == SIGUSR1 && order[1] == SIGRTMIN && order[2] == SIGRTMIN + 1 && order[3] == SIGRTMIN + 1 && order[4] == SIGRTMIN + 2, "lowest numbers first");
}

static int killed_by_default(void)
{
	raise(SIGTERM);
	return 0;
}

static int ignores(void)
{
	raise(SIGCHLD);
	raise(SIGURG);
	raise(SIGWINCH);
	raise(SIGCONT);
	return 7;
}

static int blocked_fault(void)
{
	sigset_t all;

	set(SIGSEGV, count, 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	*(volatile int *)8 = 1;
	return 0;
}

static void default_actions(void)
{
	int status = in_child(killed_by_default);

	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "SIGTERM ends a process");
	is_int(WEXITSTATUS(in_child(ignores)), 7, "SIGCHLD, SIGURG, SIGWINCH, SIGCONT do nothing");
	status = in_child(blocked_fault);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a blocked fault ends the process though it is caught");
}

static volatile double fpu_before, fpu_after;
static volatile unsigned long rip_inside;

static void clobber(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	volatile double x = 1.5;

	for (int i = 0; i < 100; i++)
		x = x * 1.01 + i;
	fpu_after = x;
	rip_inside = (unsigned long)uc->uc_mcontext.gregs[REG_RIP];
	hits++;
	(void)sig;
	(void)info;
}

static void registers(void)
{
	struct sigaction sa = { .sa_sigaction = clobber, .sa_flags = SA_SIGINFO };
	double a = 3.25, b = -17.5, c = 1e300;
	unsigned long r12 = 0x1122334455667788, out;

	sigaction(SIGUSR1, &sa, NULL);
	hits = 0;
	fpu_before = a;
	__asm__ volatile("movq %1, %%r12\n\tmovl $39, %%eax\n\tsyscall\n\tmovl %%eax, %%edi\n\tmovl $10, %%esi\n\tmovl $62, %%eax\n\tsyscall\n\tmovq %%r12, %0"
			 : "=r"(out) : "r"(r12) : "rax", "rdi", "rsi", "rcx", "r11", "r12", "memory");
	ok(hits == 1 && out == r12, "general registers survive a handler");
	ok(a * 2 == 6.5 && b == -17.5 && c == 1e300, "so does the FPU state");
	ok(rip_inside != 0, "the context names the interrupted instruction");
}

int main(void)
{
	errors();
	handlers();
	masks();
	realtime();
	default_actions();
	registers();
	return done_testing();
}
