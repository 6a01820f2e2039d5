/* SPDX-License-Identifier: MPL-2.0 */
/*
 * IOAPICs: from line to vector. Addresses and line numbers are the MADT's (or the MP table's). All lines go to the boot CPU, by
 * physical destination. ISA lines are edge-triggered and active high, others level-triggered and active low (PCI), unless the
 * firmware says otherwise. A machine may have none: then there are no lines.
 * Locking: `lock` for the index and window registers; taken in hard context too.
 */
#include <frame/core/internal.h>
#include <frame/log.h>
#include <frame/spinlock.h>
#include <frame/x86_64/acpi.h>
#include <frame/x86_64/apic.h>
#include <frame/x86_64/arch.h>

#define IOAPIC_VERSION 1u
#define IOAPIC_ENTRY(i) (0x10u + 2 * (i))
#define ENTRY_LOW 0x2000u
#define ENTRY_LEVEL 0x8000u
#define ENTRY_MASKED 0x10000u

struct ioapic {
	volatile u32 *regs;		/* [l] */
	paddr_t phys;			/* [I] */
	u32 gsi_base, n_lines;		/* [I] */
};

static struct spinlock_hard lock = SPINLOCK_INIT("ioapic");
static struct ioapic ioapics[ACPI_MAX_IOAPICS] __ro_after_init;
static u32 n_ioapics __ro_after_init, n_lines __ro_after_init;

static u32 reg_read(const struct ioapic *io, u32 reg)
{
	io->regs[0] = reg;
	return io->regs[4];
}

static void reg_write(const struct ioapic *io, u32 reg, u32 v)
{
	io->regs[0] = reg;
	io->regs[4] = v;
}

static void __init ioapic_add(paddr_t phys, u32 gsi_base)
{
	struct ioapic *io = &ioapics[n_ioapics];
	u64 va = kmap_reserve(PAGE_SIZE);
	u32 version;

	if (!va || kmap_phys(va, ALIGN_DOWN(phys, PAGE_SIZE), PAGE_SIZE, KMAP_WRITE | KMAP_UNCACHED))
		panic("no memory to map an IOAPIC");
	*io = (struct ioapic){ .regs = (volatile u32 *)(va + phys % PAGE_SIZE), .phys = phys, .gsi_base = gsi_base };
	version = reg_read(io, IOAPIC_VERSION);
	if (version == ~0u || !version)
		return;				/* nobody there */
	io->n_lines = (version >> 16 & 0xff) + 1;
	for (u32 i = 0; i < io->n_lines; i++)
		reg_write(io, IOAPIC_ENTRY(i), ENTRY_MASKED);
	n_lines = max(n_lines, gsi_base + io->n_lines);
	n_ioapics++;
}

void __init ioapic_init(void)
{
	for (u32 i = 0; i < acpi_facts.n_ioapics; i++)
		ioapic_add(acpi_facts.ioapics[i].address, acpi_facts.ioapics[i].gsi_base);
	klog(LOG_INFO, "irq: %u interrupt lines on %u IOAPIC(s)", n_lines, n_ioapics);
}

static const struct ioapic *find(u32 gsi)
{
	for (u32 i = 0; i < n_ioapics; i++)
		if (gsi - ioapics[i].gsi_base < ioapics[i].n_lines)
			return &ioapics[i];
	return NULL;
}

u32 irqchip_lines(void)
{
	return n_lines;
}

u32 irqchip_resolve(u32 gsi)
{
	return gsi < 16 && acpi_facts.isa[gsi].is_set ? acpi_facts.isa[gsi].gsi : gsi;
}

bool irqchip_is_reserved(u32 gsi)
{
	return gsi == irqchip_resolve(0);	/* the interval timer's, of which the frame reads the count */
}

/* Trigger and polarity bits of a line. */
static u32 line_mode(u32 gsi)
{
	for (u32 i = 0; i < 16; i++) {
		const struct acpi_override *o = &acpi_facts.isa[i];

		if (o->is_set && o->gsi == gsi)
			return (o->is_low ? ENTRY_LOW : 0) | (o->is_level ? ENTRY_LEVEL : 0);
	}
	return gsi < 16 ? 0 : ENTRY_LOW | ENTRY_LEVEL;
}

void irqchip_enable(u32 gsi, u8 vector)
{
	const struct ioapic *io = find(gsi);
	u32 pin;

	if (!io)
		return;				/* a gap between two IOAPICs: nothing will ever fire */
	pin = gsi - io->gsi_base;
	SPIN_GUARD_HARD(&lock);
	reg_write(io, IOAPIC_ENTRY(pin) + 1, acpi_apic_id(0) << 24);
	reg_write(io, IOAPIC_ENTRY(pin), line_mode(gsi) | vector);
}

void irqchip_disable(u32 gsi)
{
	const struct ioapic *io = find(gsi);

	if (!io)
		return;
	SPIN_GUARD_HARD(&lock);
	reg_write(io, IOAPIC_ENTRY(gsi - io->gsi_base), ENTRY_MASKED);
}

bool ioapic_owns_mmio(paddr_t start, u64 size)
{
	for (u32 i = 0; i < n_ioapics; i++)
		if (start < ioapics[i].phys + 0x20 && ioapics[i].phys < start + size)
			return true;
	return false;
}
