/* SPDX-License-Identifier: MPL-2.0 */
/* Turning the machine off, random bits, and facts about the CPU. */
#ifndef FRAME_MACHINE_H
#define FRAME_MACHINE_H

#include <lib/types.h>

__noreturn void machine_power_off(void);	/* ACPI S5, isa-debug-exit, microvm's ways; halts if all fail */
__noreturn void machine_reboot(void);		/* ACPI reset register, keyboard controller, port 0xcf9, triple fault */
__noreturn void machine_halt(void);

/* Fills with hardware random numbers if the CPU has them; returns bytes of credible entropy (0: only timing jitter was mixed in). */
size_t machine_entropy(void *buf, size_t n);

struct machine_cpu_info {
	char vendor[13], model_name[49];
	u32 family, model, stepping;
	u32 hwcap, hwcap2;		/* AT_HWCAP, AT_HWCAP2 */
	u64 mhz_times_1000;
	u32 cache_line_bytes, phys_bits, virt_bits;
	char flags[1024];		/* Linux's names, space separated */
};
void machine_cpu_info(u32 cpu, struct machine_cpu_info *out);
const char *machine_name(void);		/* "x86_64" */

#endif
