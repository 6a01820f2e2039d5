/* SPDX-License-Identifier: MPL-2.0 */
/* The frame's start-up, in order. Entered from boot.S on the boot stack with interrupts off. */
#include <frame/policy.h>
#include <frame/core/internal.h>

#include <frame/x86_64/start.h>

void __init frame_start(void)
{
	early_console_init();
	cpu_init_boot();
	log_init();
	memory_init();
	kasan_init();
	acpi_init();
	apic_init();
	clock_init();
	task_times_init();
	rcu_init();
	policy_start();
}
