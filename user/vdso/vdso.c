/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The vDSO (vdso(7)): user code that the kernel maps into each process, so that reading a clock or the CPU's number needs no call.
 *
 * Everything comes from one read-only page just below the image, "[vvar]" (struct clock_page), which kernel/time/wall.c keeps up to date; the arithmetic
 * is the kernel's own (lib/clock_page.h). What cannot be known here (CPU-time clocks, bad ids, a counter of no use) is asked of the kernel.
 * A bad pointer faults right here, in the program, as vdso(7)'s callers know it.
 *
 * One file, no libc, no relocations: it runs wherever it is put.
 */
#include <lib/clock_page.h>
#include <lib/types.h>
#include <asm/unistd.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include "x86_64/machine.h"

#define VDSO_EXPORT(ret, name, ...)									\
	ret __vdso_##name(__VA_ARGS__) __attribute__((visibility("default")));				\
	ret name(__VA_ARGS__) __attribute__((weak, visibility("default"), alias("__vdso_" #name)));	\
	ret __vdso_##name(__VA_ARGS__)

extern const struct clock_page clock_page __attribute__((visibility("hidden")));	/* vdso.lds: the page below the image */

struct now {
	struct clock_line line;
	u64 raw;			/* ns */
	s32 minutes_west, dst_time;
};

/* False: the kernel must be asked. */
static inline bool now_read(struct now *n)
{
	const struct clock_page *p = &clock_page;
	u64 mult = READ_ONCE(p->ns_per_cycle);
	u32 seq;

	if (unlikely(!mult))
		return false;
	do {
		while ((seq = LOAD_ACQUIRE(p->seq)) & 1)
			machine_relax();
		n->raw = clock_cycles_to_ns(machine_cycles() - p->base_cycles, mult);
		n->line.base_raw = READ_ONCE(p->line.base_raw);
		n->line.base_mono = READ_ONCE(p->line.base_mono);
		n->line.rate = READ_ONCE(p->line.rate);
		n->line.real_offset = READ_ONCE(p->line.real_offset);
		n->line.tai_offset = READ_ONCE(p->line.tai_offset);
		n->minutes_west = READ_ONCE(p->minutes_west);
		n->dst_time = READ_ONCE(p->dst_time);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (unlikely(READ_ONCE(p->seq) != seq));
	return true;
}

static inline bool is_ours(u32 id)
{
	const u32 ours = 1u << CLOCK_REALTIME | 1u << CLOCK_MONOTONIC | 1u << CLOCK_MONOTONIC_RAW | 1u << CLOCK_REALTIME_COARSE |
			 1u << CLOCK_MONOTONIC_COARSE | 1u << CLOCK_BOOTTIME | 1u << CLOCK_TAI;

	return id < 32 && (ours >> id & 1);
}

static inline s64 clock_ns(u32 id, const struct now *n)
{
	switch (id) {
	case CLOCK_REALTIME:
		return clock_line_real(&n->line, n->raw);
	case CLOCK_REALTIME_COARSE:
		return clock_line_real(&n->line, clock_coarse_raw(n->raw));
	case CLOCK_TAI:
		return clock_line_tai(&n->line, n->raw);
	case CLOCK_MONOTONIC_RAW:
		return (s64)n->raw;
	case CLOCK_MONOTONIC_COARSE:
		return (s64)clock_line_at(&n->line, clock_coarse_raw(n->raw));
	default:		/* CLOCK_MONOTONIC, CLOCK_BOOTTIME */
		return (s64)clock_line_at(&n->line, n->raw);
	}
}

VDSO_EXPORT(int, clock_gettime, __kernel_clockid_t id, struct __kernel_timespec *ts)
{
	struct now n;
	s64 rest;

	if (unlikely(!is_ours((u32)id) || !now_read(&n)))
		return (int)machine_syscall2(__NR_clock_gettime, id, ts);
	ts->tv_sec = clock_split(clock_ns((u32)id, &n), &rest);
	ts->tv_nsec = rest;
	return 0;
}

VDSO_EXPORT(int, clock_getres, __kernel_clockid_t id, struct __kernel_timespec *ts)
{
	bool is_coarse = id == CLOCK_REALTIME_COARSE || id == CLOCK_MONOTONIC_COARSE;

	if (unlikely(!is_ours((u32)id)))
		return (int)machine_syscall2(__NR_clock_getres, id, ts);
	if (ts) {
		ts->tv_sec = 0;
		ts->tv_nsec = is_coarse ? (long)CLOCK_COARSE_NS : 1;
	}
	return 0;
}

VDSO_EXPORT(int, gettimeofday, struct __kernel_old_timeval *tv, struct timezone *tz)
{
	struct now n;
	s64 rest;

	if (unlikely(!now_read(&n)))
		return (int)machine_syscall2(__NR_gettimeofday, (long)tv, tz);
	if (tv) {
		tv->tv_sec = clock_split(clock_ns(CLOCK_REALTIME, &n), &rest);
		tv->tv_usec = rest / 1000;
	}
	if (tz) {
		tz->tz_minuteswest = n.minutes_west;
		tz->tz_dsttime = n.dst_time;
	}
	return 0;
}

VDSO_EXPORT(__kernel_old_time_t, time, __kernel_old_time_t *out)
{
	struct now n;
	s64 rest, seconds;

	if (unlikely(!now_read(&n)))
		return machine_syscall2(__NR_time, (long)out, NULL);
	seconds = clock_split(clock_ns(CLOCK_REALTIME_COARSE, &n), &rest);
	if (out)
		*out = seconds;
	return seconds;
}

VDSO_EXPORT(int, getcpu, unsigned *cpu, unsigned *node, void *unused)
{
	u32 number = machine_cpu();

	(void)unused;
	if (cpu)
		*cpu = number & 0xfff;
	if (node)
		*node = number >> 12;
	return 0;
}
