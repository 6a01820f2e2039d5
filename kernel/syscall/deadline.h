/* SPDX-License-Identifier: MPL-2.0 */
/* Timeouts as calls take them: a struct timespec from user memory. */
#ifndef SYSCALL_DEADLINE_H
#define SYSCALL_DEADLINE_H

#include <frame/clock.h>
#include "abi/time.h"
#include "syscall/args.h"

#define DEADLINE_FAR (~0ull >> 1)	/* 292 years: longer timeouts mean this */

/* In nanoseconds: 0, -EINVAL (negative, or nanoseconds beyond a second). Huge ones are cut at DEADLINE_FAR. */
static inline __must_check int timeout_of(const struct __kernel_timespec *ts, u64 *ns)
{
	if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= (s64)NSEC_PER_SEC)
		return -EINVAL;
	if (mul_overflows((u64)ts->tv_sec, NSEC_PER_SEC, ns) || add_overflows(*ns, (u64)ts->tv_nsec, ns) || *ns > DEADLINE_FAR)
		*ns = DEADLINE_FAR;
	return 0;
}

/* The same of the timespec at `from`; also -EFAULT. */
static inline __must_check int timeout_get(uaddr_t from, u64 *ns)
{
	struct __kernel_timespec ts;

	return uget(&ts, from, sizeof(ts)) ? -EFAULT : timeout_of(&ts, ns);
}

/* The same as a deadline from now. */
static inline __must_check int deadline_get(uaddr_t from, u64 *deadline_ns)
{
	int err = timeout_get(from, deadline_ns);

	if (!err)
		*deadline_ns = min(clock_now_ns() + *deadline_ns, DEADLINE_FAR);
	return err;
}

#endif
