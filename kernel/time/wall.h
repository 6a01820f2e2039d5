/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The time of day and the clocks of clock_gettime(2) that are about the machine. Reading takes no lock (sequence count).
 *
 * CLOCK_MONOTONIC_RAW = clock_now_ns(). CLOCK_MONOTONIC = that, its rate steered by adjtimex; CLOCK_BOOTTIME = the same (the machine does not
 * suspend). CLOCK_REALTIME = monotonic + an offset, CLOCK_TAI = that + whole seconds. Timers and sleeps take clock_now_ns() deadlines: the
 * *_to_deadline functions translate.
 */
#ifndef TIME_WALL_H
#define TIME_WALL_H

#include <lib/clock_page.h>
#include <lib/types.h>
#include "sync/wait.h"

void wall_init(void);			/* from the RTC */
u64 wall_monotonic_ns(void);		/* CLOCK_MONOTONIC, CLOCK_BOOTTIME */
s64 wall_now_ns(void);			/* CLOCK_REALTIME, ns since 1970 UTC */
s64 wall_tai_ns(void);			/* CLOCK_TAI */
s64 wall_now_coarse_ns(void);		/* for file times, time(2); at most 4 ms old */
u64 wall_monotonic_coarse_ns(void);
#define WALL_COARSE_NS CLOCK_COARSE_NS
void wall_set(s64 realtime_ns);		/* clock_settime; wakes TIMER_CANCEL_ON_SET waiters through wall_seq */
u32 wall_seq(void);			/* changes at each discontinuous change */
struct waitq *wall_changes(void);	/* woken at each: absolute CLOCK_REALTIME sleeps look at the time again */
u64 wall_to_deadline(s64 realtime_ns);	/* clock_now_ns() deadline for an absolute real time; 0 if past */
u64 wall_tai_to_deadline(s64 tai_ns);
u64 wall_monotonic_to_deadline(u64 monotonic_ns);	/* 0 if past */
void wall_share(struct clock_page *page);	/* keeps the programs' page up to date from now on; its counter fields are the caller's */
s64 wall_boot_ns(void);			/* real time at boot (btime) */
bool wall_has_rtc(void);		/* the machine has a battery-backed clock */

/* clock_settime, settimeofday: -EINVAL (out of range; before boot, clock_settime(2)), -EPERM (CAP_SYS_TIME). */
__must_check int wall_set_checked(s64 seconds, s64 nanoseconds);
/* The kernel's idea of a time zone (gettimeofday(2)): kept and told, used for nothing but the first setting after boot, which, alone, says that the
 * battery-backed clock ran on local time. -EINVAL, -EPERM. */
struct wall_zone {
	s32 minutes_west, dst_time;
};
__must_check int wall_set_zone(const struct wall_zone *zone, bool with_time);
struct wall_zone wall_zone(void);

/* For ntp.c, under wall_lock: */
struct spinlock_soft;
extern struct spinlock_soft wall_lock;
void wall_set_rate_locked(s64 parts_2_48);	/* extra ns per ns, times 2^48; continuous */
void wall_shift_locked(s64 delta_ns);		/* real time jumps by this; call wall_announce after unlocking */
void wall_announce(void);
void wall_set_tai_offset_locked(s32 seconds);
s32 wall_tai_offset(void);

#endif
