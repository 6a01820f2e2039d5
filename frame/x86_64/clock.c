/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Time: the time stamp counter as a clock, the local APIC's timer for this CPU's next event.
 *
 *	clock_now_ns = (TSC - its value at entry) * mult >> 32,	mult = 2^32 * 10^9 / Hz		(lib/clock_page.h)
 *
 * No lock and nothing shared is written. The counters of all CPUs are taken to run in step, as virtual machines and CPUs with an
 * invariant TSC have them. Where the rate comes from: clock_calibrate.c.
 *
 * Events: TSC-deadline mode where the CPU has it, else one-shot counting. An event that fires early (the count has 32 bits; two
 * clocks never agree to the last digit) is armed again for the rest, so policy_clock_event never runs before its time.
 */
#include <frame/boot.h>
#include <frame/clock.h>
#include <frame/core/internal.h>
#include <frame/log.h>
#include <frame/policy.h>
#include <frame/x86_64/apic.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/calibrate.h>
#include <lib/clock_page.h>
#include <lib/math64.h>

#define ARM_MAX_NS (600 * NSEC_PER_SEC)		/* what is farther away is armed again when that has passed */

static u64 base_cycles __ro_after_init;
static u64 cycle_hz __ro_after_init;
static u64 ns_per_cycle __ro_after_init;	/* 32.32; 0 until clock_init: the time is 0 */
static u64 cycles_per_ns __ro_after_init;	/* 32.32 */
static u64 counts_per_ns __ro_after_init;	/* 32.32, of the APIC timer */
static bool is_deadline __ro_after_init;

static PERCPU(u64, event_deadline) = CLOCK_EVENT_NONE;	/* [this CPU, interrupts off] */

u64 clock_now_ns(void)
{
	return clock_cycles_to_ns(rdtsc_ordered() - base_cycles, ns_per_cycle);
}

void clock_user_counter(u64 *base, u64 *mult)
{
	*base = base_cycles;
	*mult = ns_per_cycle;
}

u64 clock_resolution_ns(void)
{
	return 1;
}

u64 clock_cycle_hz(void)
{
	return cycle_hz;
}

void clock_delay_ns(u64 ns)
{
	u64 until = clock_now_ns() + ns;

	while (clock_now_ns() < until)
		cpu_relax();
}

static void arm(u64 delta_ns)
{
	delta_ns = min(delta_ns, (u64)ARM_MAX_NS);
	if (is_deadline)
		wrmsr(MSR_TSC_DEADLINE, rdtsc() + mul_u64_u64_shr(delta_ns, cycles_per_ns, 32) + 1);
	else
		apic_timer_start((u32)min(mul_u64_u64_shr(delta_ns, counts_per_ns, 32) + 1, (u64)U32_MAX));
}

void clock_event_set(u64 deadline_ns)
{
	u64 now, *deadline = this_cpu(event_deadline);

	if (*deadline == deadline_ns && deadline_ns == CLOCK_EVENT_NONE)
		return;
	*deadline = deadline_ns;
	if (deadline_ns == CLOCK_EVENT_NONE) {
		if (is_deadline)
			wrmsr(MSR_TSC_DEADLINE, 0);
		else
			apic_timer_start(0);
		return;
	}
	now = clock_now_ns();
	arm(deadline_ns > now ? deadline_ns - now : 0);
}

void clock_event_fired(void)
{
	u64 *deadline = this_cpu(event_deadline), now = clock_now_ns();

	if (*deadline == CLOCK_EVENT_NONE)
		return;				/* disarmed while it was on its way */
	if (*deadline > now) {
		arm(*deadline - now);
		return;
	}
	*deadline = CLOCK_EVENT_NONE;
	policy_clock_event();
}

void clock_init_secondary(void)
{
	apic_timer_mode(is_deadline);
}

void __init clock_init(void)
{
	struct clock_rates rates;

	clock_calibrate(&rates);
	cycle_hz = rates.tsc_hz;
	base_cycles = boot_entry_cycles();
	is_deadline = cpu_features.tsc_deadline;
	cycles_per_ns = mul_div_u64(cycle_hz, 1ull << 32, NSEC_PER_SEC);
	counts_per_ns = mul_div_u64(rates.apic_timer_hz, 1ull << 32, NSEC_PER_SEC);
	ns_per_cycle = mul_div_u64(NSEC_PER_SEC, 1ull << 32, cycle_hz);
	apic_timer_mode(is_deadline);
	klog(LOG_INFO, "clock: TSC %lu.%03lu MHz (%s), events by %s", cycle_hz / 1000000, cycle_hz / 1000 % 1000, rates.source,
	     is_deadline ? "TSC deadline" : "APIC timer");
}
