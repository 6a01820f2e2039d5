/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters of the scheduling calls: sched(7), getpriority(2), getcpu(2). */
#include <frame/clock.h>
#include <frame/page.h>
#include <frame/percpu.h>
#include <frame/preempt.h>
#include <lib/string.h>
#include "abi/process.h"
#include "abi/time.h"
#include "proc/scheduling.h"
#include "proc/thread.h"
#include "syscall/args.h"
#include "syscall/handlers.h"

s64 sys_sched_yield(const struct syscall_args *a)
{
	(void)a;
	sched_yield();
	return 0;
}

/* The thread meant, 0 being the caller; referenced. -EINVAL, -ESRCH */
static int find(u64 arg, struct thread **out)
{
	s32 tid = (s32)arg;

	if (tid < 0)
		return -EINVAL;
	if (tid == 0)
		thread_get(current_thread());
	*out = tid ? thread_find_get(tid) : current_thread();
	return *out ? 0 : -ESRCH;
}

static s64 change(u64 pid, const struct scheduling *to)
{
	struct thread *t;
	int err = find(pid, &t);

	if (err)
		return err;
	err = thread_set_scheduling(t, to);
	thread_put(t);
	return err;
}

s64 sys_sched_setscheduler(const struct syscall_args *a)
{
	s32 policy = (s32)a->v[1];
	struct scheduling to = { .policy = policy & ~SCHED_RESET_ON_FORK, .reset_on_fork = policy & SCHED_RESET_ON_FORK };
	struct sched_param param;

	if (policy < 0 || !a->v[2] || (s32)a->v[0] < 0)
		return -EINVAL;
	if (uget(&param, arg_uaddr(a, 2), sizeof(param)))
		return -EFAULT;
	to.rt_priority = param.sched_priority;
	return change(a->v[0], &to);
}

s64 sys_sched_setparam(const struct syscall_args *a)
{
	struct scheduling to = { .policy = KEEP_POLICY };
	struct sched_param param;

	if (!a->v[1] || (s32)a->v[0] < 0)
		return -EINVAL;
	if (uget(&param, arg_uaddr(a, 1), sizeof(param)))
		return -EFAULT;
	to.rt_priority = param.sched_priority;
	return change(a->v[0], &to);
}

static int look(u64 pid, struct scheduling *out)
{
	struct thread *t;
	int err = find(pid, &t);

	if (err)
		return err;
	thread_get_scheduling(t, out);
	thread_put(t);
	return 0;
}

s64 sys_sched_getscheduler(const struct syscall_args *a)
{
	struct scheduling s;
	int err = look(a->v[0], &s);

	return err ? err : s.policy | (s.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
}

s64 sys_sched_getparam(const struct syscall_args *a)
{
	struct sched_param param;
	struct scheduling s;
	int err;

	if (!a->v[1])
		return -EINVAL;
	err = look(a->v[0], &s);
	param.sched_priority = s.rt_priority;
	return err ? err : uput(arg_uaddr(a, 1), &param, sizeof(param));
}

/* struct sched_attr has grown and will: its first field says how much of it the caller knows (sched_setattr(2)). */
static int get_attr(uaddr_t from, struct sched_attr *attr)
{
	u8 more[64];
	u32 size;

	memset(attr, 0, sizeof(*attr));
	if (uget(&size, from, sizeof(size)))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		goto too_big;
	for (u32 at = sizeof(*attr); at < size; at += sizeof(more)) {
		u32 n = min((u32)sizeof(more), size - at);

		if (uget(more, uaddr_add(from, at), n))
			return -EFAULT;
		if (memchr_inv(more, 0, n))
			goto too_big;
	}
	if (uget(attr, from, min(size, (u32)sizeof(*attr))))
		return -EFAULT;
	if ((attr->sched_flags & SCHED_FLAG_UTIL_CLAMP) && size < SCHED_ATTR_SIZE_VER1)
		return -EINVAL;
	return 0;
too_big:
	size = sizeof(*attr);
	return uput(from, &size, sizeof(size)) ? -EFAULT : -E2BIG;
}

s64 sys_sched_setattr(const struct syscall_args *a)
{
	struct scheduling to = { .has_nice = true };
	struct sched_attr attr;
	int err;

	if (!a->v[1] || (s32)a->v[0] < 0 || (u32)a->v[2])
		return -EINVAL;
	err = get_attr(arg_uaddr(a, 1), &attr);
	if (err)
		return err;
	if ((s32)attr.sched_policy < 0)
		return -EINVAL;
	to.policy = attr.sched_flags & SCHED_FLAG_KEEP_POLICY ? KEEP_POLICY : (s32)attr.sched_policy;
	to.reset_on_fork = attr.sched_flags & SCHED_FLAG_RESET_ON_FORK;
	to.nice = clamp((s32)attr.sched_nice, -20, 19);
	if (attr.sched_priority > 99)
		return -EINVAL;
	to.rt_priority = (s32)attr.sched_priority;
	if (attr.sched_flags & SCHED_FLAG_KEEP_PARAMS) {
		struct scheduling now;

		err = look(a->v[0], &now);
		if (err)
			return err;
		to.keep_params = true;
		to.nice = now.nice;
		to.rt_priority = now.rt_priority;
	}
	if (attr.sched_flags & ~(u64)SCHED_FLAG_ALL)
		return -EINVAL;
	if (attr.sched_flags & SCHED_FLAG_UTIL_CLAMP)
		return -EOPNOTSUPP;	/* as Linux without CONFIG_UCLAMP_TASK, Debian's */
	return change(a->v[0], &to);
}

s64 sys_sched_getattr(const struct syscall_args *a)
{
	struct sched_attr attr = { 0 };
	u32 size = (u32)a->v[2];
	struct scheduling s;
	int err;

	if (!a->v[1] || (s32)a->v[0] < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0 || (u32)a->v[3])
		return -EINVAL;
	err = look(a->v[0], &s);
	if (err)
		return err;
	attr.size = min(size, (u32)sizeof(attr));
	attr.sched_policy = (u32)s.policy;
	attr.sched_flags = s.reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
	if (s.rt_priority)
		attr.sched_priority = (u32)s.rt_priority;
	else
		attr.sched_nice = s.nice;
	return uput(arg_uaddr(a, 1), &attr, attr.size);
}

static s64 priority_bound(u32 policy, s64 of_rt)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return of_rt;
	case SCHED_NORMAL:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return 0;
	default:
		return -EINVAL;
	}
}

s64 sys_sched_get_priority_max(const struct syscall_args *a)
{
	return priority_bound((u32)a->v[0], 99);
}

s64 sys_sched_get_priority_min(const struct syscall_args *a)
{
	return priority_bound((u32)a->v[0], 1);
}

s64 sys_sched_rr_get_interval(const struct syscall_args *a)
{
	struct __kernel_timespec ts;
	struct thread *t;
	int err = find(a->v[0], &t);
	u64 ns;

	if (err)
		return err;
	ns = sched_rr_interval_ns(&t->sched);
	thread_put(t);
	ts = (struct __kernel_timespec){ .tv_sec = (s64)(ns / NSEC_PER_SEC), .tv_nsec = (s64)(ns % NSEC_PER_SEC) };
	return uput(arg_uaddr(a, 1), &ts, sizeof(ts));
}

s64 sys_sched_setaffinity(const struct syscall_args *a)
{
	size_t n = min((size_t)(u32)a->v[1], sizeof(struct cpuset));
	struct cpuset cpus = { { 0 } };
	struct thread *t;
	int err;

	if (uget(cpus.bits, arg_uaddr(a, 2), n))
		return -EFAULT;
	err = (s32)a->v[0] < 0 ? -ESRCH : find(a->v[0], &t);
	if (err)
		return err;
	err = thread_set_affinity(t, &cpus);
	thread_put(t);
	return err;
}

s64 sys_sched_getaffinity(const struct syscall_args *a)
{
	u32 size = (u32)a->v[1];
	struct cpuset cpus;
	struct thread *t;
	int err;

	if (size * 8ull < cpu_count() || size % sizeof(u64))
		return -EINVAL;
	err = (s32)a->v[0] < 0 ? -ESRCH : find(a->v[0], &t);
	if (err)
		return err;
	cpus = t->sched.affinity;
	thread_put(t);
	for (u32 cpu = cpu_count(); cpu < FRAME_MAX_CPUS; cpu++)
		cpuset_del(&cpus, cpu);
	size = min(size, (u32)(DIV_ROUND_UP(cpu_count(), 64) * sizeof(u64)));
	return uput(arg_uaddr(a, 2), cpus.bits, size) ? -EFAULT : (s64)size;
}

s64 sys_getpriority(const struct syscall_args *a)
{
	return priority_get((s32)a->v[0], (s32)a->v[1]);
}

s64 sys_setpriority(const struct syscall_args *a)
{
	return priority_set((s32)a->v[0], (s32)a->v[1], (s32)a->v[2]);
}

s64 sys_getcpu(const struct syscall_args *a)
{
	u32 cpu = cpu_id(), node = 0;

	if (a->v[0] && uput(arg_uaddr(a, 0), &cpu, sizeof(cpu)))
		return -EFAULT;
	return a->v[1] ? uput(arg_uaddr(a, 1), &node, sizeof(node)) : 0;
}
