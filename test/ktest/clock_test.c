/* SPDX-License-Identifier: MPL-2.0 */
/* Promises of frame/clock.h, and frame/machine.h's facts. */
#include <frame/clock.h>
#include <frame/machine.h>
#include <frame/preempt.h>
#include <lib/string.h>
#include "ktest.h"

static u64 latest;			/* [a] the greatest time anybody has seen */

static void watch(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < 20000; i++) {
		u64 seen = __atomic_load_n(&latest, __ATOMIC_SEQ_CST), now = clock_now_ns();

		if (now < seen)
			ktest_fail(__FILE__, __LINE__, "time %lu after %lu", now, seen);
		while (seen < now && !__atomic_compare_exchange_n(&latest, &seen, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
	}
}

KTEST(clock_never_goes_back)
{
	latest = 0;
	ktest_on_every_cpu(watch, NULL);
	KT_EXPECT(latest > 0);
	KT_EXPECT(clock_resolution_ns() >= 1 && clock_resolution_ns() <= NSEC_PER_MSEC);
}

KTEST(clock_delay_is_long_enough)
{
	for (u64 ns = 100; ns <= 1000000; ns *= 10) {
		u64 start = clock_now_ns();

		clock_delay_ns(ns);
		KT_EXPECT(clock_now_ns() - start >= ns);
	}
}

static void sleep_some(void *arg)
{
	(void)arg;
	for (u32 ms = 1; ms <= 16; ms *= 2) {
		u64 start = clock_now_ns(), took;

		ktest_sleep_ms(ms);
		took = clock_now_ns() - start;
		KT_EXPECT(took >= ms * NSEC_PER_MSEC);
		KT_EXPECT(took < ms * NSEC_PER_MSEC + 500 * NSEC_PER_MSEC);
	}
}

KTEST(clock_events_on_every_cpu)
{
	ktest_on_every_cpu(sleep_some, NULL);
}

/* When the wall clock's second changes. */
static u64 next_second(void)
{
	u64 was = clock_wall_seconds(), begun = clock_now_ns();

	while (clock_wall_seconds() == was && clock_now_ns() - begun < 3 * NSEC_PER_SEC)
		ktest_sleep_ms(1);
	return clock_now_ns();
}

KTEST(clock_wall_advances)
{
	u64 a = clock_wall_seconds();

	if (!a) {
		ktest_skip("this machine has no wall clock");
		return;
	}
	KT_EXPECT(a > 1577836800);		/* 2020 */
	KT_EXPECT(a < 4102444800);		/* 2100 */
	/* From one change of second to the next. A busy host may make us late for either, so one good measurement is enough. */
	for (u32 tries = 0; tries < 8; tries++) {
		u64 start = next_second(), took = next_second() - start;

		if (took > 800 * NSEC_PER_MSEC && took < 1200 * NSEC_PER_MSEC)
			return;
	}
	ktest_fail(__FILE__, __LINE__, "no second took a second");
}

KTEST(machine_facts)
{
	struct machine_cpu_info info;
	u8 a[32] = { 0 }, b[32] = { 0 };

	machine_cpu_info(0, &info);
	KT_EXPECT(info.vendor[0] && strlen(info.vendor) == 12);
	KT_EXPECT(str_startswith(info.flags, "fpu "));
	KT_EXPECT(strstr(info.flags, " sse2 ") && strstr(info.flags, " lm"));
	KT_EXPECT(info.phys_bits >= 36 && info.virt_bits >= 48);
	KT_EXPECT(info.mhz_times_1000 > 100000);
	KT_EXPECT(machine_entropy(a, sizeof(a)) <= sizeof(a));
	(void)machine_entropy(b, sizeof(b));
	KT_EXPECT(memcmp(a, b, sizeof(a)) != 0);
}
