/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/clock_page.h: the arithmetic of the clocks, and the page through which programs read them without a call ("[vvar]").
 *
 * The frame, the kernel and the vDSO (user/vdso) all compute with these functions, so mixing calls and the vDSO gives one clock:
 *
 *	raw		= (cycles − base) × mult >> 32
 *	monotonic	= base_mono + d + (d × rate >> 48),	d = raw − base_raw
 *	real		= monotonic + real_offset,	TAI = real + tai_offset
 *
 * A coarse clock shows what was at the last tick of an imagined 4 ms clock or at the last change of the line, whichever came later. A change rebases the
 * line at its moment, where it is continuous, so neither the fine nor the coarse clock steps back.
 *
 * Protocol of the page: `seq` is odd while it is being written. A reader takes its cycles between reading seq and reading it again; the writer takes
 * the moment of the change after seq has become odd. So whoever goes by an old line read his cycles before the new one began.
 *
 * Contract: no state; the same on every machine.
 */
#ifndef LIB_CLOCK_PAGE_H
#define LIB_CLOCK_PAGE_H

#include <lib/math64.h>
#include <lib/types.h>

#define CLOCK_COARSE_NS 4000000ull
#define CLOCK_SECOND_NS 1000000000ll

struct clock_line {
	u64 base_raw, base_mono;
	s64 rate;			/* extra ns per ns: parts of 2^48 */
	s64 real_offset;		/* ns */
	s64 tai_offset;			/* seconds */
};

struct clock_page {
	u32 seq;			/* [a] odd while the rest is written */
	u32 reserved;
	u64 base_cycles;		/* [I] */
	u64 ns_per_cycle;		/* [I] 32.32; 0: the counter is of no use to programs, they must ask the kernel */
	struct clock_line line;		/* [seq] */
	s32 minutes_west, dst_time;	/* [seq] gettimeofday(2)'s time zone */
};

static inline u64 clock_cycles_to_ns(u64 cycles, u64 ns_per_cycle)
{
	return mul_u64_u64_shr(cycles, ns_per_cycle, 32);
}

/* CLOCK_MONOTONIC at `raw`. Counters of two CPUs may differ a little: before the base is at the base. */
static inline u64 clock_line_at(const struct clock_line *l, u64 raw)
{
	u64 d = raw > l->base_raw ? raw - l->base_raw : 0, extra;

	if (likely(l->rate == 0))
		return l->base_mono + d;
	extra = mul_u64_u64_shr(d, l->rate < 0 ? -(u64)l->rate : (u64)l->rate, 48);
	return l->base_mono + d + (l->rate < 0 ? -extra : extra);
}

/* The raw time that coarse clocks go by. */
static inline u64 clock_coarse_raw(u64 raw)
{
	return raw - raw % CLOCK_COARSE_NS;
}

static inline s64 clock_line_real(const struct clock_line *l, u64 raw)
{
	return (s64)clock_line_at(l, raw) + l->real_offset;
}

static inline s64 clock_line_tai(const struct clock_line *l, u64 raw)
{
	return clock_line_real(l, raw) + l->tai_offset * CLOCK_SECOND_NS;
}

/* Whole seconds, rounded down, and the rest, never negative. */
static inline s64 clock_split(s64 ns, s64 *rest)
{
	s64 seconds = ns / CLOCK_SECOND_NS;

	*rest = ns % CLOCK_SECOND_NS;
	if (*rest < 0) {
		*rest += CLOCK_SECOND_NS;
		seconds--;
	}
	return seconds;
}

#endif
