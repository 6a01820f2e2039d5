/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters: resource limits and usage. */
#include <lib/string.h>
#include <frame/clock.h>
#include "abi/process.h"
#include "proc/thread.h"
#include "syscall/args.h"
#include "syscall/handlers.h"
#include "syscall/usage.h"

#define TICK_NS (NSEC_PER_SEC / 100)	/* sysconf(3), _SC_CLK_TCK */

_Static_assert(sizeof(struct rlimit64) == sizeof(struct rlimit_k) && offsetof(struct rlimit64, rlim_max) == offsetof(struct rlimit_k, hard), "struct rlimit64");

s64 sys_getrlimit(const struct syscall_args *a)
{
	struct rlimit_k lim;
	int err = process_rlimit(current_process(), (u32)a->v[0], NULL, &lim);

	return err ? err : uput(arg_uaddr(a, 1), &lim, sizeof(lim));
}

s64 sys_setrlimit(const struct syscall_args *a)
{
	struct rlimit_k lim;

	if (uget(&lim, arg_uaddr(a, 1), sizeof(lim)))
		return -EFAULT;
	return process_rlimit(current_process(), (u32)a->v[0], &lim, NULL);
}

static int find_target(s32 pid, struct thread **out)
{
	int err;

	if (pid == 0)
		thread_get(current_thread());
	*out = pid ? thread_find_get(pid) : current_thread();
	if (!*out)
		return -ESRCH;
	err = may_prlimit(*out);
	if (err)
		thread_put(*out);
	return err;
}

s64 sys_prlimit64(const struct syscall_args *a)
{
	struct rlimit_k new, old;
	struct thread *t;
	int err;

	if (a->v[2] && uget(&new, arg_uaddr(a, 2), sizeof(new)))
		return -EFAULT;
	err = find_target((s32)a->v[0], &t);
	if (err)
		return err;
	err = process_rlimit(t->process, (u32)a->v[1], a->v[2] ? &new : NULL, &old);
	thread_put(t);
	if (err || !a->v[3])
		return err;
	return uput(arg_uaddr(a, 3), &old, sizeof(old));
}

s64 sys_getrusage(const struct syscall_args *a)
{
	struct cpu_usage u;
	struct rusage out;

	switch ((s32)a->v[0]) {
	case RUSAGE_SELF:
		process_usage(current_process(), &u);
		break;
	case RUSAGE_CHILDREN:
		process_children_usage(current_process(), &u);
		break;
	case RUSAGE_THREAD:
		thread_usage(current_thread(), &u);
		u.max_rss_pages = current_mm()->rss_peak;
		break;
	default:
		return -EINVAL;
	}
	usage_to_abi(&u, &out);
	return uput(arg_uaddr(a, 1), &out, sizeof(out));
}

s64 sys_times(const struct syscall_args *a)
{
	struct cpu_usage me, children;
	struct tms out;

	process_usage(current_process(), &me);
	process_children_usage(current_process(), &children);
	out = (struct tms){
		.tms_utime = (s64)(me.user_ns / TICK_NS), .tms_stime = (s64)(me.system_ns / TICK_NS),
		.tms_cutime = (s64)(children.user_ns / TICK_NS), .tms_cstime = (s64)(children.system_ns / TICK_NS),
	};
	if (a->v[0] && uput(arg_uaddr(a, 0), &out, sizeof(out)))
		return -EFAULT;
	return (s64)(clock_now_ns() / TICK_NS);
}
