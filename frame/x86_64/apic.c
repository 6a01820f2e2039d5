/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The local APIC, as xAPIC (registers in memory) or x2APIC (registers as MSRs, used where the CPU offers it). Intel SDM 3A, ch. 10 (11).
 * Interrupts come by vector only; the 8259 pair is masked for good. The registers are this CPU's own, so no lock; sending an IPI
 * through the xAPIC takes two writes, done with interrupts disabled.
 */
#include <frame/core/internal.h>
#include <frame/log.h>
#include <frame/preempt.h>
#include <frame/x86_64/acpi.h>
#include <frame/x86_64/apic.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/paging.h>

#define REG_ID		0x020
#define REG_TPR		0x080
#define REG_EOI		0x0b0
#define REG_SPURIOUS	0x0f0
#define REG_ICR		0x300
#define REG_ICR_HIGH	0x310
#define REG_LVT_TIMER	0x320
#define REG_LVT_THERMAL	0x330
#define REG_LVT_PERF	0x340
#define REG_LVT_LINT0	0x350
#define REG_LVT_LINT1	0x360
#define REG_LVT_ERROR	0x370
#define REG_TIMER_INIT	0x380
#define REG_TIMER_NOW	0x390
#define REG_TIMER_DIV	0x3e0

#define APIC_BASE_ENABLE 0x800ul
#define APIC_BASE_X2 0x400ul
#define SPURIOUS_ENABLE 0x100u
#define ICR_BUSY 0x1000u
#define ICR_NMI 0x400u
#define ICR_INIT 0x500u
#define ICR_STARTUP 0x600u
#define ICR_ASSERT 0x4000u
#define ICR_OTHERS 0xc0000u
#define LVT_MASKED 0x10000u
#define LVT_NMI 0x400u
#define LVT_DEADLINE 0x40000u
#define TIMER_DIV_16 0x3u
#define MSR_X2APIC_BASE 0x800u

static bool is_x2 __ro_after_init;
static volatile u32 *regs __ro_after_init;		/* xAPIC */
static paddr_t regs_phys __ro_after_init;

static u32 reg_read(u32 reg)
{
	return is_x2 ? (u32)rdmsr(MSR_X2APIC_BASE + reg / 16) : regs[reg / 4];
}

static void reg_write(u32 reg, u32 v)
{
	if (is_x2)
		wrmsr(MSR_X2APIC_BASE + reg / 16, v);
	else
		regs[reg / 4] = v;
}

static void icr_send(u32 apic_id, u32 command)
{
	if (is_x2) {
		/* The MSR write is not serialising: what the receiver shall see must be visible first. */
		__asm__ volatile("mfence; lfence" : : : "memory");
		wrmsr(MSR_X2APIC_BASE + REG_ICR / 16, (u64)apic_id << 32 | command);
		return;
	}
	irq_disable();
	while (reg_read(REG_ICR) & ICR_BUSY)
		cpu_relax();
	reg_write(REG_ICR_HIGH, apic_id << 24);
	reg_write(REG_ICR, command);
	irq_enable_only();
}

void apic_eoi(void)
{
	reg_write(REG_EOI, 0);
}

void apic_send_ipi(u32 cpu, u8 vector)
{
	icr_send(acpi_apic_id(cpu), ICR_ASSERT | vector);
}

void apic_send_nmi_others(void)
{
	if (is_x2 || regs)
		icr_send(0, ICR_OTHERS | ICR_ASSERT | ICR_NMI);
}

void apic_send_init(u32 apic_id)
{
	icr_send(apic_id, ICR_ASSERT | ICR_INIT);
}

void apic_send_startup(u32 apic_id, paddr_t page)
{
	icr_send(apic_id, ICR_ASSERT | ICR_STARTUP | (u32)(page >> PAGE_SHIFT));
}

void apic_timer_mode(bool is_deadline)
{
	reg_write(REG_TIMER_DIV, TIMER_DIV_16);
	reg_write(REG_LVT_TIMER, VECTOR_TIMER | (is_deadline ? LVT_DEADLINE : 0));
	/* The mode must be in force before the first deadline is written (SDM 10.5.4.1). */
	if (is_deadline)
		__asm__ volatile("mfence" : : : "memory");
	else
		reg_write(REG_TIMER_INIT, 0);
}

void apic_timer_start(u32 count)
{
	reg_write(REG_TIMER_INIT, count);
}

u32 apic_timer_count(void)
{
	return reg_read(REG_TIMER_NOW);
}

void apic_init_secondary(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	if (is_x2 && !(base & APIC_BASE_X2)) {
		/* xAPIC first: there is no direct way from disabled to x2APIC. */
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2);
	} else if (!(base & APIC_BASE_ENABLE)) {
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
	}
	reg_write(REG_TPR, 0);
	reg_write(REG_LVT_TIMER, LVT_MASKED);
	reg_write(REG_LVT_LINT0, LVT_MASKED);
	reg_write(REG_LVT_LINT1, LVT_NMI);
	reg_write(REG_LVT_ERROR, LVT_MASKED);
	reg_write(REG_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	reg_write(REG_EOI, 0);			/* whatever the firmware left in service */
}

static void __init pic_mask(void)
{
	/* Initialised once, away from the exceptions: a masked 8259 may still raise its spurious lines 7 and 15. */
	static const u8 setup[][2] = { { 0x20, 0x11 }, { 0xa0, 0x11 }, { 0x21, 0x20 }, { 0xa1, 0x28 }, { 0x21, 4 }, { 0xa1, 2 },
				       { 0x21, 1 }, { 0xa1, 1 }, { 0x21, 0xff }, { 0xa1, 0xff } };

	for (u32 i = 0; i < ARRAY_SIZE(setup); i++)
		outb(setup[i][0], setup[i][1]);
}

void __init apic_init(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	is_x2 = cpu_features.x2apic || (base & APIC_BASE_X2);
	regs_phys = base & PTE_ADDR;
	if (!is_x2) {
		u64 va = kmap_reserve(PAGE_SIZE);

		if (!va || kmap_phys(va, regs_phys, PAGE_SIZE, KMAP_WRITE | KMAP_UNCACHED))
			panic("no memory to map the local APIC");
		regs = (volatile u32 *)va;
	}
	if (acpi_facts.has_pic)
		pic_mask();
	apic_init_secondary();
	ioapic_init();
	smp_init();
}

bool apic_owns_mmio(paddr_t start, u64 size)
{
	return start < regs_phys + PAGE_SIZE && regs_phys < start + size;
}
