/* SPDX-License-Identifier: MPL-2.0 */
/* clone3(2): the struct's sizes and checks, set_tid, CLONE_CLEAR_SIGHAND. */
#include "tap.h"
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

struct args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static long clone3(void *args, size_t size)
{
	return syscall(SYS_clone3, args, size);
}

static int reap(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, __WALL);
	return status;
}

static void bad(const struct args *a, int err, const char *name)
{
	struct args copy = *a;

	is_errno(clone3(&copy, sizeof(copy)) == -1, err, "%s", name);
}

static void errors(void)
{
	struct args a = { .exit_signal = SIGCHLD };
	char *big = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	is_errno(clone3(&a, 63) == -1, EINVAL, "a struct that is too small");
	is_errno(clone3(big, 4097) == -1, E2BIG, "larger than a page");
	big[sizeof(a)] = 1;
	is_errno(clone3(big, sizeof(a) + 8) == -1, E2BIG, "unknown members that are set");
	is_errno(clone3((void *)8, sizeof(a)) == -1, EFAULT, "a bad pointer");
	bad(&(struct args){ .exit_signal = 65 }, EINVAL, "exit signal 65");
	bad(&(struct args){ .exit_signal = SIGCHLD, .flags = SIGCHLD }, EINVAL, "a signal in the flags");
	bad(&(struct args){ .exit_signal = SIGCHLD, .flags = CLONE_DETACHED }, EINVAL, "CLONE_DETACHED");
	bad(&(struct args){ .exit_signal = SIGCHLD, .flags = 1ULL << 40 }, EINVAL, "an unknown flag");
	bad(&(struct args){ .exit_signal = SIGCHLD, .flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM }, EINVAL, "a thread with an exit signal");
	bad(&(struct args){ .exit_signal = SIGCHLD, .flags = CLONE_PARENT }, EINVAL, "CLONE_PARENT with an exit signal");
	bad(&(struct args){ .exit_signal = SIGCHLD, .flags = CLONE_SIGHAND | CLONE_VM | CLONE_CLEAR_SIGHAND }, EINVAL, "shared and cleared handlers");
	bad(&(struct args){ .exit_signal = SIGCHLD, .stack_size = 4096 }, EINVAL, "a stack size without stack");
	bad(&(struct args){ .exit_signal = SIGCHLD, .stack = 4096 }, EINVAL, "a stack without size");
	bad(&(struct args){ .exit_signal = SIGCHLD, .stack = 0x7fffffff0000, .stack_size = 0x100000 }, EINVAL, "a stack beyond user space");
	bad(&(struct args){ .exit_signal = SIGCHLD, .set_tid_size = 1 }, EINVAL, "a count of tids without tids");
	bad(&(struct args){ .exit_signal = SIGCHLD, .set_tid = (uintptr_t)big }, EINVAL, "tids without count");
	bad(&(struct args){ .exit_signal = SIGCHLD, .set_tid = (uintptr_t)big, .set_tid_size = 33 }, EINVAL, "33 tids");
	munmap(big, 8192);
}

static void plain(void)
{
	struct args a = { .exit_signal = SIGCHLD };
	char big[256];
	pid_t pid;
	int tid = 0;

	pid = (pid_t)clone3(&a, 64);
	if (pid == 0)
		_exit(3);
	is_int(reap(pid), 3 << 8, "the first version of the struct");
	memset(big, 0, sizeof(big));
	memcpy(big, &a, sizeof(a));
	pid = (pid_t)clone3(big, sizeof(big));
	if (pid == 0)
		_exit(4);
	is_int(reap(pid), 4 << 8, "a longer one, with zeros");
	a.flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID;
	a.parent_tid = a.child_tid = (uintptr_t)&tid;
	pid = (pid_t)clone3(&a, sizeof(a));
	if (pid == 0)
		_exit(tid == getpid() ? 0 : 1);
	is_int(reap(pid), 0, "CLONE_CHILD_SETTID");
	is_int(tid, pid, "CLONE_PARENT_SETTID");
}

static void set_tid(void)
{
	pid_t want[1] = { 31999 };
	struct args a = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)want, .set_tid_size = 1 };
	pid_t pid = (pid_t)clone3(&a, sizeof(a));

	if (pid == 0)
		_exit(getpid() == want[0] ? 0 : 1);
	is_int(pid, want[0], "set_tid gives the number asked for");
	is_int(reap(pid), 0, "and the child sees it");
	want[0] = getpid();
	is_errno(clone3(&a, sizeof(a)) == -1, EEXIST, "a number in use");
	want[0] = 0;
	is_errno(clone3(&a, sizeof(a)) == -1, EINVAL, "number 0");
	want[0] = 100000000;
	is_errno(clone3(&a, sizeof(a)) == -1, EINVAL, "a number beyond the limit");
	want[0] = 31998;
	a.set_tid_size = 2;
	is_errno(clone3(&a, sizeof(a)) == -1, EINVAL, "more numbers than levels of namespaces");
	a.set_tid_size = 1;
	a.set_tid = 8;
	is_errno(clone3(&a, sizeof(a)) == -1, EFAULT, "a bad pointer to numbers");
}

static int unprivileged(void)
{
	pid_t want[1] = { 31998 };
	struct args a = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)want, .set_tid_size = 1 };

	if (setuid(12345))
		return 2;
	return clone3(&a, sizeof(a)) == -1 && errno == EPERM ? 0 : 1;
}

static void handler(int sig)
{
	(void)sig;
}

static void clear_sighand(void)
{
	struct args a = { .exit_signal = SIGCHLD, .flags = CLONE_CLEAR_SIGHAND };
	pid_t pid;

	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	pid = (pid_t)clone3(&a, sizeof(a));
	if (pid == 0) {
		struct sigaction one, two;

		sigaction(SIGUSR1, NULL, &one);
		sigaction(SIGUSR2, NULL, &two);
		_exit(one.sa_handler == SIG_DFL && two.sa_handler == SIG_IGN ? 0 : 1);
	}
	is_int(reap(pid), 0, "CLONE_CLEAR_SIGHAND: handlers become default, ignored stays ignored");
}

int main(void)
{
	errors();
	plain();
	set_tid();
	is_int(in_child(unprivileged), 0, "set_tid needs privilege: EPERM");
	clear_sighand();
	return done_testing();
}
