/* SPDX-License-Identifier: MPL-2.0 */
/* Signal calls: sigaction(2), sigprocmask(2), sigpending(2), sigsuspend(2), sigtimedwait(2), sigaltstack(2), sigqueue(3), kill(2), tgkill(2). */
#include "abi/signal.h"
#include "proc/kill.h"
#include "proc/thread.h"
#include "syscall/deadline.h"
#include "syscall/handlers.h"
#include "syscall/siginfo.h"

/* --- actions and masks */

s64 sys_rt_sigaction(const struct syscall_args *a)
{
	struct sigaction_k act __uninitialized, old __uninitialized;
	int err;

	/* The same four words in the same order. */
	_Static_assert(sizeof(act) == sizeof(struct kernel_sigaction_abi) && offsetof(struct sigaction_k, flags) == offsetof(struct kernel_sigaction_abi, flags) &&
		       offsetof(struct sigaction_k, restorer) == offsetof(struct kernel_sigaction_abi, restorer), "rt_sigaction");

	if (a->v[3] != sizeof(sigset_k))
		return -EINVAL;
	if (a->v[1] && uget(&act, arg_uaddr(a, 1), sizeof(act)))
		return -EFAULT;
	err = signal_action((u32)a->v[0], a->v[1] ? &act : NULL, &old);
	if (err || !a->v[2])
		return err;
	return uput(arg_uaddr(a, 2), &old, sizeof(old));
}

s64 sys_rt_sigprocmask(const struct syscall_args *a)
{
	sigset_k old = current_thread()->signal.blocked, set;

	if (a->v[3] != sizeof(sigset_k))
		return -EINVAL;
	if (a->v[1]) {
		if (uget(&set, arg_uaddr(a, 1), sizeof(set)))
			return -EFAULT;
		switch ((s32)a->v[0]) {
		case SIG_BLOCK:
			signal_set_blocked(old | set);
			break;
		case SIG_UNBLOCK:
			signal_set_blocked(old & ~set);
			break;
		case SIG_SETMASK:
			signal_set_blocked(set);
			break;
		default:
			return -EINVAL;
		}
	}
	return a->v[2] ? uput(arg_uaddr(a, 2), &old, sizeof(old)) : 0;
}

s64 sys_rt_sigreturn(const struct syscall_args *a)
{
	(void)a;
	return signal_return();
}

s64 sys_rt_sigpending(const struct syscall_args *a)
{
	sigset_k set = signal_pending_set();

	if (a->v[1] > sizeof(set))
		return -EINVAL;
	return uput(arg_uaddr(a, 0), &set, a->v[1]);
}

s64 sys_sigaltstack(const struct syscall_args *a)
{
	struct altstack now;
	struct stack_abi in, out;
	int err;

	signal_get_altstack(&now);
	if (a->v[0]) {
		if (uget(&in, arg_uaddr(a, 0), sizeof(in)))
			return -EFAULT;
		err = signal_set_altstack(&(struct altstack){ in.ss_sp, in.ss_size, (u32)in.ss_flags });
		if (err)
			return err;
	}
	if (!a->v[1])
		return 0;
	out = (struct stack_abi){ .ss_sp = now.sp, .ss_flags = (s32)now.flags, .ss_size = now.size };
	return uput(arg_uaddr(a, 1), &out, sizeof(out));
}

/* --- waiting */

s64 sys_pause(const struct syscall_args *a)
{
	(void)a;
	return signal_suspend();
}

s64 sys_rt_sigsuspend(const struct syscall_args *a)
{
	sigset_k mask;

	if (a->v[1] != sizeof(mask))
		return -EINVAL;
	if (uget(&mask, arg_uaddr(a, 0), sizeof(mask)))
		return -EFAULT;
	signal_set_temporary(mask);
	return signal_suspend();
}

s64 sys_rt_sigtimedwait(const struct syscall_args *a)
{
	u64 deadline = SLEEP_FOREVER;
	struct siginfo_k info;
	siginfo_t abi;
	sigset_k set;
	int sig;

	if (a->v[3] != sizeof(set))
		return -EINVAL;
	if (uget(&set, arg_uaddr(a, 0), sizeof(set)))
		return -EFAULT;
	if (a->v[2]) {
		int err = deadline_get(arg_uaddr(a, 2), &deadline);

		if (err)
			return err;
	}
	sig = signal_wait(set, deadline, &info);
	if (sig < 0 || !a->v[1])
		return sig;
	siginfo_encode(&info, &abi);
	return uput(arg_uaddr(a, 1), &abi, sizeof(abi)) ? -EFAULT : sig;
}

/* --- sending */

s64 sys_kill(const struct syscall_args *a)
{
	return kill_pid((s32)a->v[0], (u32)a->v[1]);
}

s64 sys_tkill(const struct syscall_args *a)
{
	struct siginfo_k info;

	if ((s32)a->v[0] <= 0)
		return -EINVAL;
	siginfo_user(&info, (u32)a->v[1], SI_TKILL);
	return kill_thread(0, (s32)a->v[0], &info);
}

s64 sys_tgkill(const struct syscall_args *a)
{
	struct siginfo_k info;

	if ((s32)a->v[0] <= 0 || (s32)a->v[1] <= 0)
		return -EINVAL;
	siginfo_user(&info, (u32)a->v[2], SI_TKILL);
	return kill_thread((s32)a->v[0], (s32)a->v[1], &info);
}

static int get_siginfo(uaddr_t from, u32 sig, s32 target, struct siginfo_k *info)
{
	int err = siginfo_get(from, info);

	if (err)
		return err;
	info->signo = (s32)sig;
	return siginfo_check(info, target == process_tgid(current_process()));
}

s64 sys_rt_sigqueueinfo(const struct syscall_args *a)
{
	struct siginfo_k info;
	int err = get_siginfo(arg_uaddr(a, 2), (u32)a->v[1], (s32)a->v[0], &info);

	return err ? err : kill_process((s32)a->v[0], &info);
}

s64 sys_rt_tgsigqueueinfo(const struct syscall_args *a)
{
	struct siginfo_k info;
	int err;

	if ((s32)a->v[0] <= 0 || (s32)a->v[1] <= 0)
		return -EINVAL;
	err = get_siginfo(arg_uaddr(a, 3), (u32)a->v[2], (s32)a->v[0], &info);
	return err ? err : kill_thread((s32)a->v[0], (s32)a->v[1], &info);
}
