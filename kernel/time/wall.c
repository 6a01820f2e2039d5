/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The wall clock: a line through (base raw, base monotonic) with a rate, and offsets on top. The arithmetic, shared with the vDSO, is lib/clock_page.h's.
 *
 * Changes rebase the line at the present moment, so the monotonic clock has no jump and never runs backwards (|rate| is well below one), and the coarse
 * clocks tick there. Writers hold wall_lock and bump two sequence counts: the programs' page is closed before ours and opened after it, so who has seen
 * the new line in one place cannot find the old one in the other. Readers take the time inside and retry.
 */
#include <frame/clock.h>
#include <frame/spinlock.h>
#include <frame/log.h>
#include <lib/clock_page.h>
#include <lib/math64.h>
#include "sync/seqlock.h"
#include "abi/process.h"
#include "object/cred.h"
#include "time/ntp.h"
#include "time/wall.h"

#define SECONDS_MAX ((s64)(U64_MAX / 2 / NSEC_PER_SEC) - 30ll * 365 * 24 * 3600)	/* leaves thirty years of uptime before ns overflow */

struct spinlock_soft wall_lock = SPINLOCK_INIT("wall clock");
static struct seqcount seq;	/* [wall_lock to write] */
static struct clock_line line;	/* [wall_lock, seq] */
static struct clock_page *page;	/* [wall_lock] what programs read; written only, NULL before there are any */
static struct wall_zone zone;	/* [wall_lock] */
static bool is_zone_set;	/* [wall_lock] */
static bool has_rtc;		/* [I] after wall_init */
static u32 changes;		/* [a] */
static struct waitq change_queue = WAITQ_INIT("wall clock changes", change_queue);

/* The line, and the raw time at which it holds. */
static __always_inline struct clock_line line_read(u64 *raw)
{
	struct clock_line l;
	u32 s;

	do {
		s = seq_read_begin(&seq);
		*raw = clock_now_ns();
		l.base_raw = READ_ONCE(line.base_raw);
		l.base_mono = READ_ONCE(line.base_mono);
		l.rate = READ_ONCE(line.rate);
		l.real_offset = READ_ONCE(line.real_offset);
		l.tai_offset = READ_ONCE(line.tai_offset);
	} while (seq_read_retry(&seq, s));
	return l;
}

/* The raw time at which the monotonic clock will show `mono`, rounded up. */
static u64 line_raw(const struct clock_line *l, u64 mono_ns)
{
	u64 d, whole = 1ul << 48;

	if (mono_ns <= l->base_mono)
		return l->base_raw;
	d = mono_ns - l->base_mono;
	if (l->rate)
		d = mul_div_u64(d, whole, (u64)((s64)whole + l->rate)) + 1;
	return d > ~0ull - 1 - l->base_raw ? ~0ull - 1 : l->base_raw + d;
}

u64 wall_monotonic_ns(void)
{
	u64 now;
	struct clock_line l = line_read(&now);

	return clock_line_at(&l, now);
}

s64 wall_now_ns(void)
{
	u64 now;
	struct clock_line l = line_read(&now);

	return clock_line_real(&l, now);
}

s64 wall_tai_ns(void)
{
	u64 now;
	struct clock_line l = line_read(&now);

	return clock_line_tai(&l, now);
}

u64 wall_monotonic_coarse_ns(void)
{
	u64 now;
	struct clock_line l = line_read(&now);

	return clock_line_at(&l, clock_coarse_raw(now));
}

s64 wall_now_coarse_ns(void)
{
	u64 now;
	struct clock_line l = line_read(&now);

	return clock_line_real(&l, clock_coarse_raw(now));
}

u64 wall_monotonic_to_deadline(u64 monotonic_ns)
{
	u64 now;
	struct clock_line l = line_read(&now);

	return clock_line_at(&l, now) >= monotonic_ns ? 0 : line_raw(&l, monotonic_ns);
}

static u64 real_to_deadline(s64 realtime_ns, bool is_tai)
{
	u64 now;
	struct clock_line l = line_read(&now);
	s64 offset = l.real_offset + (is_tai ? l.tai_offset * (s64)NSEC_PER_SEC : 0), mono;

	if (__builtin_sub_overflow(realtime_ns, offset, &mono))
		mono = realtime_ns < 0 ? 0 : S64_MAX;
	if (mono <= 0 || clock_line_at(&l, now) >= (u64)mono)
		return 0;
	return line_raw(&l, (u64)mono);
}

u64 wall_to_deadline(s64 realtime_ns)
{
	return real_to_deadline(realtime_ns, false);
}

u64 wall_tai_to_deadline(s64 tai_ns)
{
	return real_to_deadline(tai_ns, true);
}

u32 wall_seq(void)
{
	return LOAD_ACQUIRE(changes);
}

struct waitq *wall_changes(void)
{
	return &change_queue;
}

s64 wall_boot_ns(void)
{
	u64 now;

	return line_read(&now).real_offset;
}

void wall_announce(void)
{
	__atomic_fetch_add(&changes, 1, __ATOMIC_SEQ_CST);
	waitq_wake_all(&change_queue);
}

/* --- Changes, under wall_lock: begin, write the line's other fields, end. */

static void change_begin(void)
{
	u64 now, mono;

	if (page) {
		WRITE_ONCE(page->seq, page->seq + 1);
		__atomic_thread_fence(__ATOMIC_RELEASE);
	}
	seq_write_begin(&seq);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* both are seen to be odd before the moment of the change */
	now = clock_now_ns();
	mono = clock_line_at(&line, now);
	WRITE_ONCE(line.base_raw, now);
	WRITE_ONCE(line.base_mono, mono);
}

static void change_end(void)
{
	seq_write_end(&seq);
	if (!page)
		return;
	page->line = line;
	page->minutes_west = zone.minutes_west;
	page->dst_time = zone.dst_time;
	STORE_RELEASE(page->seq, page->seq + 1);
}

void wall_share(struct clock_page *new)
{
	spin_lock_soft(&wall_lock);
	page = new;
	change_begin();
	change_end();
	spin_unlock_soft(&wall_lock);
}

void wall_shift_locked(s64 delta_ns)
{
	change_begin();
	WRITE_ONCE(line.real_offset, line.real_offset + delta_ns);
	change_end();
}

void wall_set(s64 realtime_ns)
{
	spin_lock_soft(&wall_lock);
	wall_shift_locked(realtime_ns - wall_now_ns());
	spin_unlock_soft(&wall_lock);
	wall_announce();
}

int wall_set_checked(s64 seconds, s64 nanoseconds)
{
	s64 ns;

	if (seconds < 0 || seconds >= SECONDS_MAX || nanoseconds < 0 || nanoseconds >= (s64)NSEC_PER_SEC)
		return -EINVAL;
	if (!capable(&init_user_ns, CAP_SYS_TIME))
		return -EPERM;
	ns = seconds * (s64)NSEC_PER_SEC + nanoseconds;
	if (ns < (s64)wall_monotonic_ns())
		return -EINVAL;
	ntp_clear();
	wall_set(ns);
	return 0;
}

int wall_set_zone(const struct wall_zone *new, bool with_time)
{
	bool has_warped = false;

	if (!capable(&init_user_ns, CAP_SYS_TIME))
		return -EPERM;
	if (new->minutes_west > 15 * 60 || new->minutes_west < -15 * 60)
		return -EINVAL;
	spin_lock_soft(&wall_lock);
	change_begin();
	zone = *new;
	change_end();
	if (!is_zone_set && !with_time && new->minutes_west) {
		wall_shift_locked(new->minutes_west * 60 * (s64)NSEC_PER_SEC);
		has_warped = true;
	}
	is_zone_set = true;
	spin_unlock_soft(&wall_lock);
	if (has_warped)
		wall_announce();
	return 0;
}

struct wall_zone wall_zone(void)
{
	SPIN_GUARD_SOFT(&wall_lock);
	return zone;
}

bool wall_has_rtc(void)
{
	return has_rtc;
}

void wall_set_rate_locked(s64 rate)
{
	if (rate == line.rate)
		return;
	change_begin();
	WRITE_ONCE(line.rate, rate);
	change_end();
}

void wall_set_tai_offset_locked(s32 seconds)
{
	change_begin();
	WRITE_ONCE(line.tai_offset, seconds);
	change_end();
}

s32 wall_tai_offset(void)
{
	return (s32)READ_ONCE(line.tai_offset);
}

void wall_init(void)
{
	u64 seconds = clock_wall_seconds();

	if (!seconds)
		klog(LOG_NOTICE, "time: no wall clock in this machine; the time of day starts in 1970");
	has_rtc = seconds != 0;
	ntp_init();
	wall_set((s64)(seconds * NSEC_PER_SEC));
}
