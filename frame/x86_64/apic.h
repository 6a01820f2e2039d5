/* SPDX-License-Identifier: MPL-2.0 */
/* The local APIC's timer for clock.c, and start-up interrupts for smp.c. */
#ifndef FRAME_X86_64_APIC_H
#define FRAME_X86_64_APIC_H

#include <lib/types.h>
#include <frame/page.h>

void apic_timer_mode(bool is_deadline);	/* this CPU; one-shot, VECTOR_TIMER, not armed */
void apic_timer_start(u32 count);	/* 0 stops. Counts down by apic_timer_hz */
u32 apic_timer_count(void);
void apic_send_init(u32 apic_id);
void apic_send_startup(u32 apic_id, paddr_t page);

void ioapic_init(void);
bool apic_owns_mmio(paddr_t start, u64 size);
bool ioapic_owns_mmio(paddr_t start, u64 size);

/* mptable.c: the older tables, where there is no MADT: CPUs beyond the boot CPU through found(), IOAPICs into acpi_facts. */
void mptable_read(void (*found)(u32 apic_id, u32 flags));

#endif
