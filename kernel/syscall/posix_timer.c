/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters: timer_create(2), timer_settime(2), timer_gettime(2), timer_getoverrun(2), timer_delete(2). */
#include "abi/signal.h"
#include "proc/posix_timers.h"
#include "syscall/deadline.h"
#include "syscall/handlers.h"

s64 sys_timer_create(const struct syscall_args *a)
{
	struct posix_timer_event event;
	struct sigevent_abi in;

	if (!a->v[1])
		return posix_timer_create((s32)a->v[0], NULL, arg_uaddr(a, 2));
	if (uget(&in, arg_uaddr(a, 1), sizeof(in)))
		return -EFAULT;
	event = (struct posix_timer_event){ in.notify, in.signo, in.value, in.tid };
	return posix_timer_create((s32)a->v[0], &event, arg_uaddr(a, 2));
}

static int put_itimerspec(uaddr_t to, const struct itimer_k *it)
{
	struct __kernel_itimerspec out = {
		.it_interval = { (s64)(it->interval_ns / NSEC_PER_SEC), (s64)(it->interval_ns % NSEC_PER_SEC) },
		.it_value = { (s64)(it->value_ns / NSEC_PER_SEC), (s64)(it->value_ns % NSEC_PER_SEC) },
	};

	return uput(to, &out, sizeof(out));
}

s64 sys_timer_settime(const struct syscall_args *a)
{
	struct __kernel_itimerspec in;
	struct itimer_k new, old;
	int err;

	if (!a->v[2])
		return -EINVAL;
	if (uget(&in, arg_uaddr(a, 2), sizeof(in)))
		return -EFAULT;
	if (timeout_of(&in.it_value, &new.value_ns) || timeout_of(&in.it_interval, &new.interval_ns))
		return -EINVAL;
	err = posix_timer_set((s32)a->v[0], (a->v[1] & TIMER_ABSTIME) != 0, &new, &old);
	return err || !a->v[3] ? err : put_itimerspec(arg_uaddr(a, 3), &old);
}

s64 sys_timer_gettime(const struct syscall_args *a)
{
	struct itimer_k it;
	int err = posix_timer_get((s32)a->v[0], &it);

	return err ? err : put_itimerspec(arg_uaddr(a, 1), &it);
}

s64 sys_timer_getoverrun(const struct syscall_args *a)
{
	return posix_timer_overrun((s32)a->v[0]);
}

s64 sys_timer_delete(const struct syscall_args *a)
{
	return posix_timer_delete((s32)a->v[0]);
}
