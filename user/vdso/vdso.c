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

/* vdso.lds: the page below the image. It is read-only but not const: const would let the compiler read it anywhere. */
extern struct clock_page clock_page __attribute__((visibility("hidden")));

static inline u32 page_begin(void)
{
	u32 seq;

	while ((seq = LOAD_ACQUIRE(clock_page.seq)) & 1)
		machine_relax();
	return seq;
}

/* The reads in between are plain, so that only those are made that a clock needs; the fences keep them in their place. */
static inline bool page_has_changed(u32 seq)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return unlikely(READ_ONCE(clock_page.seq) != seq);
}

static inline bool is_ours(u32 id)
{
	const u32 ours = 1u << CLOCK_REALTIME | 1u << CLOCK_MONOTONIC | 1u << CLOCK_MONOTONIC_RAW | 1u << CLOCK_REALTIME_COARSE |
			 1u << CLOCK_MONOTONIC_COARSE | 1u << CLOCK_BOOTTIME | 1u << CLOCK_TAI;

	return id < 32 && (ours >> id & 1);
}

static __always_inline s64 clock_ns(u32 id, const struct clock_line *l, u64 raw)
{
	switch (id) {
	case CLOCK_REALTIME:
		return clock_line_real(l, raw);
	case CLOCK_REALTIME_COARSE:
		return clock_line_real(l, clock_coarse_raw(raw));
	case CLOCK_TAI:
		return clock_line_tai(l, raw);
	case CLOCK_MONOTONIC_RAW:
		return (s64)raw;
	case CLOCK_MONOTONIC_COARSE:
		return (s64)clock_line_at(l, clock_coarse_raw(raw));
	default:		/* CLOCK_MONOTONIC, CLOCK_BOOTTIME */
		return (s64)clock_line_at(l, raw);
	}
}

/* False: the kernel must be asked. */
static __always_inline bool clock_read(u32 id, s64 *ns)
{
	u64 mult = clock_page.ns_per_cycle;
	u32 seq;

	if (unlikely(!mult))
		return false;
	do {
		seq = page_begin();
		*ns = clock_ns(id, &clock_page.line, clock_cycles_to_ns(machine_cycles() - clock_page.base_cycles, mult));
	} while (page_has_changed(seq));
	return true;
}

static inline int put(s64 ns, struct __kernel_timespec *ts)
{
	s64 rest;

	ts->tv_sec = clock_split(ns, &rest);
	ts->tv_nsec = rest;
	return 0;
}

static __noinline int gettime_rarer(__kernel_clockid_t id, struct __kernel_timespec *ts)
{
	s64 ns;

	if (!is_ours((u32)id) || !clock_read((u32)id, &ns))
		return (int)machine_syscall2(__NR_clock_gettime, id, ts);
	return put(ns, ts);
}

VDSO_EXPORT(int, clock_gettime, __kernel_clockid_t id, struct __kernel_timespec *ts)
{
	s64 ns;

	static_assert(CLOCK_REALTIME == 0 && CLOCK_MONOTONIC == 1, "the two that everybody asks for");
	if (unlikely((u32)id > CLOCK_MONOTONIC || !clock_read((u32)id, &ns)))
		return gettime_rarer(id, ts);
	return put(ns, ts);
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
	s64 ns, rest;
	u32 seq;

	if (unlikely(!clock_read(CLOCK_REALTIME, &ns)))
		return (int)machine_syscall2(__NR_gettimeofday, (long)tv, tz);
	if (tv) {
		tv->tv_sec = clock_split(ns, &rest);
		tv->tv_usec = rest / 1000;
	}
	if (tz) {
		do {
			seq = page_begin();
			tz->tz_minuteswest = clock_page.minutes_west;
			tz->tz_dsttime = clock_page.dst_time;
		} while (page_has_changed(seq));
	}
	return 0;
}

VDSO_EXPORT(__kernel_old_time_t, time, __kernel_old_time_t *out)
{
	s64 ns, rest, seconds;

	if (unlikely(!clock_read(CLOCK_REALTIME_COARSE, &ns)))
		return machine_syscall2(__NR_time, (long)out, NULL);
	seconds = clock_split(ns, &rest);
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
