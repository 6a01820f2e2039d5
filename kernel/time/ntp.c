/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The clock discipline behind adjtimex(2): a phase-locked loop after RFC 1305 and RFC 5905, the old adjtime(3) one-shot slew, and leap seconds.
 *
 * All of it comes down to the rate of the wall clock: frequency and tick are constant parts, and while a phase offset or a one-shot slew is
 * outstanding a one-second timer computes the next second's share. With nothing outstanding there is no timer. Leap seconds need one at the
 * end of the UTC day only. The maximum error grows by 500 ppm from the moment it was last set: computed when it is read.
 *
 * State: under wall_lock. Units: offsets in ns, frequency in ns/s × 2^16 inside tx (scaled ppm), kept as given.
 */
#include <frame/clock.h>
#include <frame/spinlock.h>
#include <lib/errno.h>
#include "abi/process.h"
#include "abi/time.h"
#include "object/cred.h"
#include "time/ntp.h"
#include "time/timer.h"
#include "time/wall.h"

#define MAX_FREQ_SCALED	(500ll << 16)		/* 500 ppm, scaled: adjtimex(2)'s tolerance */
#define MAX_PHASE_NS	500000000ll		/* ADJ_OFFSET is clamped to half a second */
#define ONESHOT_NS_PER_SEC 500000ll		/* adjtime(3) slews at 500 ppm */
#define MAX_ERROR_USEC	16000000ll		/* beyond: unsynchronised */
#define TICK_USEC	10000ll			/* at USER_HZ 100 */
#define SHIFT_PLL	2			/* RFC 5905's loop gain as a shift */
#define MAX_CONSTANT	10
#define DAY_NS		(86400 * (s64)NSEC_PER_SEC)

static struct {
	s64 freq_scaled;	/* ppm × 2^16 */
	s64 offset_ns;		/* phase still to be slewed away */
	s64 oneshot_ns;		/* the same of adjtime(3) */
	s64 share_ns;		/* what the current second slews */
	s64 constant;
	s64 tick_usec;
	s64 max_error_usec, est_error_usec;
	u64 max_error_at_ns;	/* when max_error was right */
	u64 offset_at_ns;	/* last ADJ_OFFSET, for the frequency part of the loop */
	s32 status;
	s32 state;		/* TIME_OK … TIME_WAIT */
	bool is_ticking;
} ntp = { .constant = 2, .tick_usec = TICK_USEC, .max_error_usec = MAX_ERROR_USEC, .est_error_usec = MAX_ERROR_USEC, .status = STA_UNSYNC };	/* [wall_lock] */

static void second(struct timer *t);
static void leap(struct timer *t);
static struct timer second_timer, leap_timer;

/* ns per second → parts of 2^48 per part: × 2^48 / 10^9. */
static s64 rate_of(s64 ns_per_sec)
{
	return ns_per_sec * 281475ll - ns_per_sec * 23289ll / 1000000;	/* × 281474.976711 */
}

static void apply_locked(void)
{
	s64 freq_ns16 = ntp.freq_scaled * 1000;					/* ns/s × 2^16 */
	s64 tick_ns = (ntp.tick_usec - TICK_USEC) * 1000 * 100;			/* per second */

	wall_set_rate_locked(rate_of(freq_ns16) / 65536 + rate_of(tick_ns + ntp.share_ns));
}

/* Takes the next second's share of what is outstanding. */
static void take_share_locked(void)
{
	s64 phase = ntp.offset_ns >> (SHIFT_PLL + ntp.constant), once;

	if (!phase && ntp.offset_ns)
		phase = ntp.offset_ns;		/* the last few ns at once */
	ntp.offset_ns -= phase;
	once = ntp.oneshot_ns;
	if (once > ONESHOT_NS_PER_SEC)
		once = ONESHOT_NS_PER_SEC;
	else if (once < -ONESHOT_NS_PER_SEC)
		once = -ONESHOT_NS_PER_SEC;
	ntp.oneshot_ns -= once;
	ntp.share_ns = phase + once;
	ntp.is_ticking = ntp.share_ns != 0;
	apply_locked();
	if (ntp.is_ticking)
		timer_set(&second_timer, clock_now_ns() + NSEC_PER_SEC);
}

static void second(struct timer *t)
{
	(void)t;
	spin_lock_soft(&wall_lock);
	take_share_locked();
	spin_unlock_soft(&wall_lock);
}

static void kick_locked(void)
{
	if (!ntp.is_ticking)
		take_share_locked();
	else
		apply_locked();
}

/* --- Leap seconds: STA_INS or STA_DEL arms the end of the UTC day. */

static void leap_arm_locked(void)
{
	s64 now = wall_now_ns(), midnight = (now / DAY_NS + 1) * DAY_NS;

	if (ntp.status & STA_INS)
		ntp.state = TIME_INS;
	else if (ntp.status & STA_DEL) {
		ntp.state = TIME_DEL;
		midnight -= (s64)NSEC_PER_SEC;	/* 23:59:59 does not take place */
	} else {
		ntp.state = TIME_OK;
		(void)timer_cancel(&leap_timer);
		return;
	}
	timer_set(&leap_timer, wall_to_deadline(midnight));
}

static void leap(struct timer *t)
{
	bool has_jumped = false;

	spin_lock_soft(&wall_lock);
	if (ntp.state == TIME_INS && wall_now_ns() % DAY_NS < DAY_NS / 2) {
		wall_shift_locked(-(s64)NSEC_PER_SEC);
		wall_set_tai_offset_locked(wall_tai_offset() + 1);
		ntp.state = TIME_OOP;
		has_jumped = true;
		timer_set(t, clock_now_ns() + NSEC_PER_SEC);
	} else if (ntp.state == TIME_DEL && wall_now_ns() % DAY_NS >= DAY_NS - (s64)NSEC_PER_SEC) {
		wall_shift_locked((s64)NSEC_PER_SEC);
		wall_set_tai_offset_locked(wall_tai_offset() - 1);
		ntp.state = TIME_WAIT;
		has_jumped = true;
	} else if (ntp.state == TIME_OOP) {
		ntp.state = TIME_WAIT;
	} else if (ntp.state == TIME_INS || ntp.state == TIME_DEL) {
		leap_arm_locked();		/* the clock was set meanwhile */
	}
	spin_unlock_soft(&wall_lock);
	if (has_jumped)
		wall_announce();
}

/* --- adjtimex(2) */

static s64 max_error_locked(void)
{
	u64 seconds = (clock_now_ns() - ntp.max_error_at_ns) / NSEC_PER_SEC;
	s64 error = ntp.max_error_usec + (s64)min(seconds, (u64)MAX_ERROR_USEC) * 500;

	if (error >= MAX_ERROR_USEC) {
		error = MAX_ERROR_USEC;
		ntp.status |= STA_UNSYNC;
	}
	return error;
}

static s64 clamp64(s64 v, s64 limit)
{
	return v > limit ? limit : v < -limit ? -limit : v;
}

/* A new phase offset: kept for slewing, and integrated into the frequency unless that is held (RFC 5905, clock discipline). */
static void set_offset_locked(s64 offset)
{
	u64 now = clock_now_ns();
	s64 seconds = (s64)((now - ntp.offset_at_ns) / NSEC_PER_SEC), ns;

	if (!(ntp.status & STA_PLL))
		return;
	ns = ntp.status & STA_NANO ? clamp64(offset, MAX_PHASE_NS) : clamp64(offset, MAX_PHASE_NS / 1000) * 1000;
	if (ntp.status & STA_FREQHOLD)
		seconds = 0;
	seconds = min(seconds, 1ll << (SHIFT_PLL + 1 + ntp.constant));
	ntp.offset_at_ns = now;
	ntp.offset_ns = ns;
	/* freq += offset × interval / (4 × 2^constant)²: in scaled ppm, ns/s × 65536 / 1000 */
	ntp.freq_scaled = clamp64(ntp.freq_scaled + ((ns * seconds * 8192 / 125) >> (2 * (SHIFT_PLL + ntp.constant))), MAX_FREQ_SCALED);
	if ((ntp.status & STA_FLL) && seconds >= 256)
		ntp.status |= STA_MODE;
	else
		ntp.status &= ~STA_MODE;
}

static void set_status_locked(s32 status)
{
	bool was_leap = ntp.status & (STA_INS | STA_DEL);

	if ((ntp.status & STA_PLL) && !(status & STA_PLL)) {
		ntp.state = TIME_OK;
		ntp.status = STA_UNSYNC | (ntp.status & STA_RONLY);
	}
	if (!(ntp.status & STA_PLL) && (status & STA_PLL))
		ntp.offset_at_ns = clock_now_ns();
	ntp.status = (ntp.status & STA_RONLY) | (status & ~STA_RONLY);
	if (was_leap || (status & (STA_INS | STA_DEL)))
		leap_arm_locked();
}

/* In the order of adjtimex(2)'s errors on Linux. */
static int check(const struct __kernel_timex *tx)
{
	s64 limit = tx->modes & ADJ_NANO ? (s64)NSEC_PER_SEC : 1000000, seconds_max = S64_MAX / 2 / (s64)NSEC_PER_SEC;

	if (tx->modes & 0x8000) {		/* ADJ_OFFSET_SINGLESHOT, ADJ_OFFSET_SS_READ: nothing else is looked at */
		if ((tx->modes & ADJ_OFFSET_SINGLESHOT) != ADJ_OFFSET_SINGLESHOT)
			return -EINVAL;
		return tx->modes & 0x2000 || capable(&init_user_ns, CAP_SYS_TIME) ? 0 : -EPERM;
	}
	if (tx->modes && !capable(&init_user_ns, CAP_SYS_TIME))
		return -EPERM;
	if ((tx->modes & ADJ_TICK) && (tx->tick < 900000 / 100 || tx->tick > 1100000 / 100))
		return -EINVAL;
	if ((tx->modes & ADJ_SETOFFSET) && (tx->time.tv_usec < 0 || tx->time.tv_usec >= limit || tx->time.tv_sec > seconds_max || tx->time.tv_sec < -seconds_max))
		return -EINVAL;
	if ((tx->modes & ADJ_FREQUENCY) && (tx->freq > S64_MAX / 1000 || tx->freq < S64_MIN / 1000))
		return -EINVAL;
	return 0;
}

static void change_locked(const struct __kernel_timex *tx)
{
	u32 modes = tx->modes;

	if (modes & ADJ_STATUS)
		set_status_locked(tx->status);
	if (modes & ADJ_NANO)
		ntp.status |= STA_NANO;
	if (modes & ADJ_MICRO)
		ntp.status &= ~STA_NANO;
	if (modes & ADJ_FREQUENCY)
		ntp.freq_scaled = clamp64(tx->freq, MAX_FREQ_SCALED);
	if (modes & ADJ_MAXERROR) {
		ntp.max_error_usec = clamp(tx->maxerror, 0ll, MAX_ERROR_USEC);
		ntp.max_error_at_ns = clock_now_ns();
	}
	if (modes & ADJ_ESTERROR)
		ntp.est_error_usec = clamp(tx->esterror, 0ll, MAX_ERROR_USEC);
	if (modes & ADJ_TIMECONST) {
		ntp.constant = clamp(tx->constant, 0ll, (long long)MAX_CONSTANT);
		if (!(ntp.status & STA_NANO))
			ntp.constant = min(ntp.constant + 4, (s64)MAX_CONSTANT);
	}
	if ((modes & ADJ_TAI) && tx->constant >= 0 && tx->constant <= 100000)
		wall_set_tai_offset_locked((s32)tx->constant);
	if (modes & ADJ_OFFSET)
		set_offset_locked(tx->offset);
	if (modes & ADJ_TICK)
		ntp.tick_usec = tx->tick;
	if (modes & (ADJ_TICK | ADJ_FREQUENCY | ADJ_OFFSET))
		kick_locked();
}

/* ADJ_SETOFFSET; as with clock_settime, not before boot. */
static int shift_locked(const struct __kernel_timex *tx)
{
	s64 delta = tx->time.tv_sec * (s64)NSEC_PER_SEC + tx->time.tv_usec * (tx->modes & ADJ_NANO ? 1 : 1000), result;

	if (__builtin_add_overflow(wall_now_ns(), delta, &result) || result < (s64)wall_monotonic_ns())
		return -EINVAL;
	wall_shift_locked(delta);
	if (ntp.state != TIME_OK)
		leap_arm_locked();
	return 0;
}

static void fill_locked(struct __kernel_timex *tx, bool is_oneshot, s64 oneshot_ns)
{
	s64 now, unit = ntp.status & STA_NANO ? 1 : 1000;

	tx->maxerror = max_error_locked();
	tx->offset = is_oneshot ? oneshot_ns / 1000 : ntp.offset_ns / unit;
	tx->freq = ntp.freq_scaled;
	tx->esterror = ntp.est_error_usec;
	tx->status = ntp.status;
	tx->constant = ntp.constant;
	tx->precision = 1;
	tx->tolerance = MAX_FREQ_SCALED;
	tx->tick = ntp.tick_usec;
	tx->ppsfreq = tx->jitter = tx->stabil = 0;	/* no pulse-per-second source */
	tx->jitcnt = tx->calcnt = tx->errcnt = tx->stbcnt = 0;
	tx->shift = 0;
	tx->tai = wall_tai_offset();
	now = wall_now_ns();
	tx->time.tv_sec = now / (s64)NSEC_PER_SEC;
	tx->time.tv_usec = now % (s64)NSEC_PER_SEC / unit;
}

int ntp_adjust(struct __kernel_timex *tx)
{
	bool is_oneshot = tx->modes & 0x8000, is_read = (tx->modes & ADJ_OFFSET_SS_READ) == ADJ_OFFSET_SS_READ, has_jumped = false;
	int state = 0, err = check(tx);
	s64 former_ns;

	if (err)
		return err;
	spin_lock_soft(&wall_lock);
	former_ns = ntp.oneshot_ns;
	if (is_oneshot && !is_read) {
		ntp.oneshot_ns = clamp64(tx->offset, S64_MAX / 2000) * 1000;
		kick_locked();
	} else if (!is_oneshot) {
		if (tx->modes & ADJ_SETOFFSET) {
			err = shift_locked(tx);
			has_jumped = !err;
		}
		if (!err) {
			s32 tai = wall_tai_offset();

			change_locked(tx);
			has_jumped |= tai != wall_tai_offset();
		}
	}
	fill_locked(tx, is_oneshot, former_ns);
	state = err ? err : ntp.status & (STA_UNSYNC | STA_CLOCKERR) ? TIME_ERROR : ntp.state;
	spin_unlock_soft(&wall_lock);
	if (has_jumped)
		wall_announce();
	return state;
}

void ntp_clear(void)
{
	spin_lock_soft(&wall_lock);
	ntp.oneshot_ns = ntp.offset_ns = ntp.share_ns = 0;
	ntp.status |= STA_UNSYNC;
	ntp.max_error_usec = ntp.est_error_usec = MAX_ERROR_USEC;
	apply_locked();
	if (ntp.state != TIME_OK)
		leap_arm_locked();
	spin_unlock_soft(&wall_lock);
}

void ntp_init(void)
{
	timer_init(&second_timer, second);
	timer_init(&leap_timer, leap);
	ntp.max_error_at_ns = clock_now_ns();
}
