/* SPDX-License-Identifier: MPL-2.0 */
/* How fast this machine's counters run. clock.c asks once. */
#ifndef FRAME_X86_64_CALIBRATE_H
#define FRAME_X86_64_CALIBRATE_H

#include <lib/types.h>

struct clock_rates {
	u64 tsc_hz;
	u64 apic_timer_hz;	/* as apic_timer_start counts; 0 if not needed (TSC deadline) */
	const char *source;
};
void clock_calibrate(struct clock_rates *rates);

/* kvm.c: what a KVM hypervisor tells of time; 0 if it does not. */
u64 kvm_tsc_hz(void);
u64 kvm_wall_seconds(void);

#endif
