/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters of timerfd_create(2) and its family. */
#include <frame/clock.h>
#include "abi/time.h"
#include "fs/fdtable.h"
#include "fs/timerfd.h"
#include "syscall/handlers.h"

/* Times beyond 292 years mean that. */
static bool get_time(const struct __kernel_timespec *ts, u64 *ns)
{
	if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= (s64)NSEC_PER_SEC)
		return false;
	if (mul_overflows((u64)ts->tv_sec, NSEC_PER_SEC, ns) || add_overflows(*ns, (u64)ts->tv_nsec, ns) || *ns > (u64)S64_MAX)
		*ns = (u64)S64_MAX;
	return true;
}

static struct __kernel_timespec put_time(u64 ns)
{
	return (struct __kernel_timespec){ .tv_sec = (s64)(ns / NSEC_PER_SEC), .tv_nsec = (s64)(ns % NSEC_PER_SEC) };
}

static int put_times(uaddr_t to, const struct timerfd_time *t)
{
	struct __kernel_itimerspec out = { .it_interval = put_time(t->interval_ns), .it_value = put_time(t->value_ns) };

	return uput(to, &out, sizeof(out));
}

s64 sys_timerfd_create(const struct syscall_args *a)
{
	return timerfd_create((s32)a->v[0], (u32)a->v[1]);
}

s64 sys_timerfd_settime(const struct syscall_args *a)
{
	struct __kernel_itimerspec in;
	struct timerfd_time new, old;
	struct fdref ref;
	int err;

	if (uget(&in, arg_uaddr(a, 2), sizeof(in)))
		return -EFAULT;
	if (!get_time(&in.it_value, &new.value_ns) || !get_time(&in.it_interval, &new.interval_ns))
		return -EINVAL;
	err = fd_borrow((s32)a->v[0], &ref);
	if (err)
		return err;
	err = timerfd_set(ref.file, (u32)a->v[1], &new, &old);
	fd_end(&ref);
	return err || !a->v[3] ? err : put_times(arg_uaddr(a, 3), &old);
}

s64 sys_timerfd_gettime(const struct syscall_args *a)
{
	struct timerfd_time now;
	struct fdref ref;
	int err = fd_borrow((s32)a->v[0], &ref);

	if (err)
		return err;
	err = timerfd_get(ref.file, &now);
	fd_end(&ref);
	return err ? err : put_times(arg_uaddr(a, 1), &now);
}
