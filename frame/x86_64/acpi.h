/* SPDX-License-Identifier: MPL-2.0 */
/* What the frame's x86-64 half takes from ACPI's fixed tables. [I] after acpi_init. */
#ifndef FRAME_X86_64_ACPI_H
#define FRAME_X86_64_ACPI_H

#include <lib/types.h>
#include <frame/page.h>

/* Generic address structure: where a register is. */
enum { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_IO = 1 };
struct acpi_register {
	u64 address;		/* 0: there is none */
	u8 space;
	u8 bits;
};

struct acpi_ioapic {
	paddr_t address;
	u32 gsi_base;
};

struct acpi_override {
	bool is_set;
	u32 gsi;
	bool is_low, is_level;
};

#define ACPI_MAX_IOAPICS 8

struct acpi_facts {
	bool has_tables, has_madt, has_fadt;
	bool has_pic;			/* a pair of 8259s */
	paddr_t lapic;			/* 0: as the CPU says */
	u32 n_ioapics;
	struct acpi_ioapic ioapics[ACPI_MAX_IOAPICS];
	struct acpi_override isa[16];

	bool is_reduced;		/* hardware-reduced: no PM1 registers, sleep control instead */
	struct acpi_register pm1a_control, pm1b_control, pm_timer, sleep_control, reset;
	bool pm_timer_is_32bit;
	u8 reset_value, enable_value, century_index;
	u16 smi_command;		/* port; 0: always in ACPI mode */
	bool has_s5;
	u8 s5_type_a, s5_type_b;
	paddr_t hpet;			/* 0: none */
};
extern struct acpi_facts acpi_facts;

#endif
