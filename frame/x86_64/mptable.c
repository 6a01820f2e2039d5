/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Intel's MultiProcessor Specification 1.4 tables: where microvm with acpi=off and older Firecracker describe CPUs and the IOAPIC.
 * Used only if there is no MADT. Lengths are checked: the tables are the firmware's.
 */
#include <frame/core/internal.h>
#include <frame/x86_64/acpi.h>
#include <frame/x86_64/apic.h>
#include <frame/x86_64/arch.h>
#include <lib/string.h>

enum { MP_CPU = 0, MP_BUS = 1, MP_IOAPIC = 2, MP_INTERRUPT = 3, MP_LOCAL = 4 };

static bool sum_is_zero(const u8 *p, u64 len)
{
	u8 sum = 0;

	for (u64 i = 0; i < len; i++)
		sum = (u8)(sum + p[i]);
	return sum == 0;
}

/* ISA line `isa` arrives at IOAPIC pin `pin`. */
static void __init interrupt_found(const u8 *e)
{
	u32 flags = get_le16(e + 2), isa = e[5], pin = e[7];

	if (e[1] != 0 || isa >= 16)			/* vectored interrupts only */
		return;
	acpi_facts.isa[isa] = (struct acpi_override){ true, pin, (flags & 3) == 3, (flags >> 2 & 3) == 3 };
}

static void __init config_read(const u8 *p, u32 len, void (*found)(u32 apic_id, u32 flags))
{
	static const u8 sizes[] = { 20, 8, 8, 8, 8 };
	u32 isa_bus = ~0u;

	for (u32 at = 44; at < len && p[at] < ARRAY_SIZE(sizes) && at + sizes[p[at]] <= len; at += sizes[p[at]]) {
		const u8 *e = p + at;

		if (e[0] == MP_CPU)
			found(e[1], e[3] & 1);
		else if (e[0] == MP_BUS && memcmp(e + 2, "ISA", 3) == 0)
			isa_bus = e[1];
		else if (e[0] == MP_IOAPIC && (e[3] & 1) && !acpi_facts.n_ioapics)
			acpi_facts.ioapics[acpi_facts.n_ioapics++] = (struct acpi_ioapic){ get_le32(e + 4), 0 };
		else if (e[0] == MP_INTERRUPT && e[4] == isa_bus)
			interrupt_found(e);
	}
}

/* Firmware memory for a moment; the caller copies. False if it is not to be had. */
static bool __init read_phys(paddr_t phys, void *to, u32 len)
{
	paddr_t page = ALIGN_DOWN(phys, PAGE_SIZE);
	u64 size = ALIGN_UP(phys + len, PAGE_SIZE) - page, va = kmap_reserve(size);

	if (!va || kmap_phys(va, page, size, 0))
		return false;
	memcpy(to, (const void *)(va + (phys - page)), len);
	kmap_unmap(va, size);
	kmap_free(va, size);
	return true;
}

#define CONFIG_MAX 4096u

static bool __init floating_found(const u8 *p, void (*found)(u32 apic_id, u32 flags))
{
	u8 *config;
	u32 phys;

	if (memcmp(p, "_MP_", 4) != 0 || !sum_is_zero(p, 16))
		return false;
	phys = get_le32(p + 4);
	config = early_alloc(CONFIG_MAX, 16);
	if (!phys || !read_phys(phys, config, CONFIG_MAX))
		return false;
	if (memcmp(config, "PCMP", 4) != 0 || get_le16(config + 4) > CONFIG_MAX || !sum_is_zero(config, get_le16(config + 4)))
		return false;
	config_read(config, get_le16(config + 4), found);
	return true;
}

void __init mptable_read(void (*found)(u32 apic_id, u32 flags))
{
	/* The last KiB of base memory, and the BIOS area. */
	static const struct { u32 start, size; } areas[] = { { 0x9fc00, 0x400 }, { 0xf0000, 0x10000 }, { 0xe0000, 0x10000 } };
	u8 piece[16];

	for (u32 a = 0; a < ARRAY_SIZE(areas); a++) {
		u64 base = ALIGN_DOWN((u64)areas[a].start, PAGE_SIZE), skip = areas[a].start - base;
		u64 size = ALIGN_UP(skip + areas[a].size, PAGE_SIZE), va = kmap_reserve(size);
		bool is_found = false;

		if (!va || kmap_phys(va, base, size, 0))
			return;
		for (u64 at = skip; at < skip + areas[a].size && !is_found; at += 16) {
			memcpy(piece, (const void *)(va + at), 16);
			is_found = floating_found(piece, found);
		}
		kmap_unmap(va, size);
		kmap_free(va, size);
		if (is_found)
			return;
	}
}
