/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The machine's clocks. All times in nanoseconds since boot unless they say otherwise; monotonic and the same on every CPU.
 * Source: invariant TSC calibrated against what the machine has (CPUID leaf, PIT, ACPI PM timer, HPET, kvm-clock).
 */
#ifndef FRAME_CLOCK_H
#define FRAME_CLOCK_H

#include <lib/types.h>

#define NSEC_PER_SEC 1000000000ul
#define NSEC_PER_MSEC 1000000ul
#define NSEC_PER_USEC 1000ul

u64 clock_now_ns(void);				/* any context; read in program order */
u64 clock_resolution_ns(void);
u64 clock_cycle_hz(void);			/* of the counter behind clock_now_ns; 0 if it is not the TSC */
/* For struct clock_page: how a program can compute clock_now_ns from the counter it reads; *ns_per_cycle 0 if it cannot. */
void clock_user_counter(u64 *base_cycles, u64 *ns_per_cycle);
/* Arms this CPU's one event: policy_clock_event() runs in hard context at or soon after the deadline (a past one: at once). Replaces
 * the former. CLOCK_EVENT_NONE disarms. Interrupts disabled. */
#define CLOCK_EVENT_NONE (~0ull)
void clock_event_set(u64 deadline_ns);
/* Battery-backed wall clock, seconds since 1970 UTC; 0 if the machine has none. Task context, slow. */
u64 clock_wall_seconds(void);
/* Busy-waits; for device start-up only. */
void clock_delay_ns(u64 ns);

#endif
