/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters: setitimer(2), getitimer(2), alarm(2). */
#include <frame/clock.h>
#include "abi/time.h"
#include "proc/thread.h"
#include "syscall/args.h"
#include "syscall/handlers.h"

#define SECONDS_MAX (S64_MAX / (s64)NSEC_PER_SEC)

static bool get_time(const struct __kernel_old_timeval *tv, u64 *ns)
{
	if (tv->tv_sec < 0 || tv->tv_usec < 0 || tv->tv_usec >= 1000000)
		return false;
	*ns = tv->tv_sec >= SECONDS_MAX ? (u64)S64_MAX : (u64)tv->tv_sec * NSEC_PER_SEC + (u64)tv->tv_usec * NSEC_PER_USEC;
	return true;
}

static struct __kernel_old_timeval put_time(u64 ns)
{
	return (struct __kernel_old_timeval){ .tv_sec = (s64)(ns / NSEC_PER_SEC), .tv_usec = (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}

static int put_itimer(uaddr_t to, const struct itimer_k *it)
{
	struct __kernel_old_itimerval out = { .it_interval = put_time(it->interval_ns), .it_value = put_time(it->value_ns) };

	return uput(to, &out, sizeof(out));
}

static bool is_itimer(u64 which)
{
	return (u32)which <= ITIMER_PROF;
}

s64 sys_getitimer(const struct syscall_args *a)
{
	struct itimer_k it;

	if (!is_itimer(a->v[0]))
		return -EINVAL;
	process_itimer_get((u32)a->v[0], &it);
	return put_itimer(arg_uaddr(a, 1), &it);
}

s64 sys_setitimer(const struct syscall_args *a)
{
	struct itimer_k new = { 0, 0 }, old;
	struct __kernel_old_itimerval in;

	if (a->v[1]) {		/* without: as if zero, which Linux tolerates */
		if (uget(&in, arg_uaddr(a, 1), sizeof(in)))
			return -EFAULT;
		if (!get_time(&in.it_value, &new.value_ns) || !get_time(&in.it_interval, &new.interval_ns))
			return -EINVAL;
	}
	if (!is_itimer(a->v[0]))
		return -EINVAL;
	process_itimer_set((u32)a->v[0], &new, &old);
	return a->v[2] ? put_itimer(arg_uaddr(a, 2), &old) : 0;
}

/* The seconds that were left, rounded to the nearest but never to 0. */
s64 sys_alarm(const struct syscall_args *a)
{
	const struct itimer_k new = { (u32)min((u32)a->v[0], (u32)S32_MAX) * NSEC_PER_SEC, 0 };
	struct itimer_k old;
	u64 seconds, rest;

	process_itimer_set(ITIMER_REAL, &new, &old);
	seconds = old.value_ns / NSEC_PER_SEC;
	rest = old.value_ns % NSEC_PER_SEC;
	return (s64)(seconds + ((!seconds && rest) || rest >= NSEC_PER_SEC / 2));
}
