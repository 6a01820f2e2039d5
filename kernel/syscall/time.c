/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters of the clock and sleep calls: time(2), gettimeofday(2), clock_getres(2), clock_nanosleep(2), adjtimex(2). */
#include <frame/clock.h>
#include "abi/process.h"
#include "abi/time.h"
#include "object/cred.h"
#include "proc/cpu_clock.h"
#include "proc/thread.h"
#include "syscall/args.h"
#include "syscall/deadline.h"
#include "syscall/handlers.h"
#include "time/ntp.h"
#include "time/sleep.h"
#include "time/wall.h"


static struct __kernel_timespec to_timespec(u64 ns)
{
	return (struct __kernel_timespec){ .tv_sec = (s64)(ns / NSEC_PER_SEC), .tv_nsec = (s64)(ns % NSEC_PER_SEC) };
}

static struct __kernel_timespec to_timespec_signed(s64 ns)
{
	s64 rest, sec = clock_split(ns, &rest);

	return (struct __kernel_timespec){ .tv_sec = sec, .tv_nsec = rest };
}

/* Goes by the coarse clock, as on Linux: a file changed after time() has no earlier time stamp. */
s64 sys_time(const struct syscall_args *a)
{
	s64 rest, now = clock_split(wall_now_coarse_ns(), &rest);

	if (a->v[0] && uput(arg_uaddr(a, 0), &now, sizeof(now)))
		return -EFAULT;
	return now;
}

s64 sys_gettimeofday(const struct syscall_args *a)
{
	struct wall_zone zone = wall_zone();
	struct timezone tz = { .tz_minuteswest = zone.minutes_west, .tz_dsttime = zone.dst_time };
	struct __kernel_timespec now = to_timespec_signed(wall_now_ns());
	struct __kernel_old_timeval tv = { .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };

	if (a->v[0] && uput(arg_uaddr(a, 0), &tv, sizeof(tv)))
		return -EFAULT;
	return a->v[1] ? uput(arg_uaddr(a, 1), &tz, sizeof(tz)) : 0;
}

s64 sys_settimeofday(const struct syscall_args *a)
{
	struct __kernel_old_timeval tv = { 0 };
	struct timezone tz;
	int err = 0;

	if (a->v[0]) {
		if (uget(&tv, arg_uaddr(a, 0), sizeof(tv)))
			return -EFAULT;
		if (tv.tv_usec < 0 || tv.tv_usec >= 1000000 || tv.tv_sec < 0)
			return -EINVAL;
	}
	if (a->v[1]) {
		if (uget(&tz, arg_uaddr(a, 1), sizeof(tz)))
			return -EFAULT;
		err = wall_set_zone(&(struct wall_zone){ tz.tz_minuteswest, tz.tz_dsttime }, a->v[0] != 0);
	}
	if (!err && a->v[0])
		err = wall_set_checked(tv.tv_sec, tv.tv_usec * 1000);
	else if (!a->v[1] && !capable(&init_user_ns, CAP_SYS_TIME))
		err = -EPERM;
	return err;
}

static bool is_alarm_clock(s32 id)
{
	return id == CLOCK_REALTIME_ALARM || id == CLOCK_BOOTTIME_ALARM;
}

static int clock_read(s32 id, struct __kernel_timespec *out)
{
	u64 ns;
	int err;

	if (cpu_clock_is(id)) {
		err = cpu_clock_read(id, &ns);
		if (!err)
			*out = to_timespec(ns);
		return err;
	}
	if (is_alarm_clock(id) && !wall_has_rtc())
		return -EINVAL;
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
		*out = to_timespec_signed(wall_now_ns());
		return 0;
	case CLOCK_REALTIME_COARSE:
		*out = to_timespec_signed(wall_now_coarse_ns());
		return 0;
	case CLOCK_TAI:
		*out = to_timespec_signed(wall_tai_ns());
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*out = to_timespec(wall_monotonic_ns());
		return 0;
	case CLOCK_MONOTONIC_RAW:
		*out = to_timespec(clock_now_ns());
		return 0;
	case CLOCK_MONOTONIC_COARSE:
		*out = to_timespec(wall_monotonic_coarse_ns());
		return 0;
	default:
		return -EINVAL;
	}
}

s64 sys_clock_gettime(const struct syscall_args *a)
{
	struct __kernel_timespec ts;
	int err = clock_read((s32)a->v[0], &ts);

	return err ? err : uput(arg_uaddr(a, 1), &ts, sizeof(ts));
}

s64 sys_clock_settime(const struct syscall_args *a)
{
	struct __kernel_timespec ts;
	s32 id = (s32)a->v[0];
	u64 ns;

	if (id != CLOCK_REALTIME && id >= 0)
		return -EINVAL;		/* no such clock, or one that is not set */
	if (uget(&ts, arg_uaddr(a, 1), sizeof(ts)))
		return -EFAULT;
	if (id < 0)
		return cpu_clock_read(id, &ns) ? -EINVAL : -EPERM;
	return wall_set_checked(ts.tv_sec, ts.tv_nsec);
}

s64 sys_clock_getres(const struct syscall_args *a)
{
	s32 id = (s32)a->v[0];
	bool is_coarse = id == CLOCK_REALTIME_COARSE || id == CLOCK_MONOTONIC_COARSE;
	struct __kernel_timespec ts;
	int err = clock_read(id, &ts);

	if (err || !a->v[1])
		return err;
	ts = (struct __kernel_timespec){ .tv_nsec = is_coarse ? (s64)WALL_COARSE_NS : 1 };
	return uput(arg_uaddr(a, 1), &ts, sizeof(ts));
}

/* --- Sleeping. A relative sleep is one until a time of the monotonic (or CPU) clock, which a restart goes on with. */

static s64 sleep_restart(struct restart_block *rb);

static int sleep_on(s32 id, u64 until_ns)
{
	if (cpu_clock_is(id))
		return cpu_clock_sleep_until(id, until_ns);
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_ALARM)
		return clock_sleep_until(SLEEP_REALTIME, (s64)until_ns);
	return clock_sleep_until(id == CLOCK_TAI ? SLEEP_TAI : SLEEP_MONOTONIC, (s64)until_ns);
}

static u64 now_on(s32 id)
{
	u64 ns = 0;

	if (!cpu_clock_is(id))
		return wall_monotonic_ns();
	return cpu_clock_read(id, &ns) ? 0 : ns;
}

static s64 sleep_relative(s32 id, u64 until_ns, uaddr_t rem)
{
	struct restart_block *rb = &current_thread()->restart;
	int err = sleep_on(id, until_ns);
	u64 now;

	if (err != -ERESTARTSYS)
		return err;
	now = now_on(id);
	if (now >= until_ns)
		return 0;
	if (rem.v) {
		struct __kernel_timespec left = to_timespec(until_ns - now);

		if (uput(rem, &left, sizeof(left)))
			return -EFAULT;
	}
	*rb = (struct restart_block){ .fn = sleep_restart, .args = { (u64)(s64)id, until_ns, rem.v } };
	return -ERESTART_RESTARTBLOCK;
}

static s64 sleep_restart(struct restart_block *rb)
{
	return sleep_relative((s32)rb->args[0], rb->args[1], uaddr(rb->args[2]));
}

static s64 sleep_begin(s32 id, u64 ns, uaddr_t rem)
{
	u64 now = now_on(id);

	return sleep_relative(id, ns > (u64)S64_MAX - now ? (u64)S64_MAX : now + ns, rem);
}

s64 sys_nanosleep(const struct syscall_args *a)
{
	u64 ns;
	int err = timeout_get(arg_uaddr(a, 0), &ns);

	return err ? err : sleep_begin(CLOCK_MONOTONIC, ns, arg_uaddr(a, 1));
}

/* May one sleep on it? -EINVAL: there is no such clock; -EOPNOTSUPP: it is for reading only. */
static int check_sleep_clock(s32 id)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		return 0;
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		return wall_has_rtc() ? 0 : -EINVAL;
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_THREAD_CPUTIME_ID:
		return -EOPNOTSUPP;
	default:
		return cpu_clock_is(id) ? 0 : -EINVAL;
	}
}

s64 sys_clock_nanosleep(const struct syscall_args *a)
{
	s32 id = (s32)a->v[0];
	int err = check_sleep_clock(id);
	u64 ns;

	if (err)
		return err;
	err = timeout_get(arg_uaddr(a, 2), &ns);
	if (err)
		return err;
	if (is_alarm_clock(id) && !capable(&init_user_ns, CAP_WAKE_ALARM))
		return -EPERM;
	if (!(a->v[1] & TIMER_ABSTIME))
		return sleep_begin(cpu_clock_is(id) ? id : CLOCK_MONOTONIC, ns, arg_uaddr(a, 3));
	err = sleep_on(id, ns);
	return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
}

s64 sys_adjtimex(const struct syscall_args *a)
{
	struct __kernel_timex tx;
	int state;

	if (uget(&tx, arg_uaddr(a, 0), sizeof(tx)))
		return -EFAULT;
	state = ntp_adjust(&tx);
	if (state >= 0 && uput(arg_uaddr(a, 0), &tx, sizeof(tx)))
		return -EFAULT;
	return state;
}

s64 sys_clock_adjtime(const struct syscall_args *a)
{
	const struct syscall_args rest = { .v = { a->v[1] } };
	struct __kernel_timespec ts;
	struct __kernel_timex tx;

	if (uget(&tx, arg_uaddr(a, 1), sizeof(tx)))
		return -EFAULT;
	if ((s32)a->v[0] == CLOCK_REALTIME)
		return sys_adjtimex(&rest);
	return (s32)a->v[0] >= 0 && clock_read((s32)a->v[0], &ts) ? -EINVAL : -EOPNOTSUPP;
}
