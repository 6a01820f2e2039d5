/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Starting the other CPUs: INIT, start-up interrupt, again if that was not heard (Intel SDM 3A, 8.4.4). One at a time, since they
 * share the trampoline page and its arguments.
 *
 * A CPU counts from the moment it says so itself, with all of its machine state set up; numbers are given in that order without
 * gaps, so a CPU that does not come up leaves none: its number goes to the next. Afterwards it may still wake up late: it
 * finds the mark `is_wanted` gone and halts for good.
 */
#include <frame/boot.h>
#include <frame/clock.h>
#include <frame/core/internal.h>
#include <frame/log.h>
#include <frame/policy.h>
#include <frame/x86_64/apic.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/paging.h>
#include <lib/string.h>

struct trampoline_args {
	u32 cr3;
	u32 efer;
	u64 stack;
	u64 entry;
	u32 cpu;
	u32 pad;
};
_Static_assert(sizeof(struct trampoline_args) == 32, "trampoline.S");

extern const u8 trampoline_start[], trampoline_args[], trampoline_end[];

static u32 n_cpus = 1;			/* [a] running */
static u32 is_wanted;			/* [a] number of the CPU that may come up now; 0: none */
static u64 *start_root __ro_after_init;	/* kernel half, and 2 MiB at the bottom as they are; below 4 GiB */

u32 cpu_count(void)
{
	return __atomic_load_n(&n_cpus, __ATOMIC_ACQUIRE);
}

void __init smp_init(void)
{
	u64 *l3, *l2;

	if (acpi_cpu_count() < 2 || !smp_trampoline_page)
		return;
	start_root = table_alloc();
	l3 = table_alloc();
	l2 = table_alloc();
	if ((u64)start_root - frame_direct_base >= 1ull << 32)
		panic("no memory below 4 GiB to start CPUs with");
	memcpy(start_root, phys_kva(paging_kernel_root()), PAGE_SIZE);
	start_root[0] = ((u64)l3 - frame_direct_base) | PTE_PRESENT | PTE_WRITE;
	l3[0] = ((u64)l2 - frame_direct_base) | PTE_PRESENT | PTE_WRITE;
	l2[0] = PTE_PRESENT | PTE_WRITE | PTE_LARGE;
}

/* First C on a secondary CPU, on its idle stack, interrupts off; GS is not set yet. */
static __noreturn __attribute__((no_stack_protector)) void secondary_start(u32 cpu)
{
	u32 me = cpu;

	if (!__atomic_compare_exchange_n(&is_wanted, &me, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		for (;;)
			__asm__ volatile("cli; hlt");
	cpu_init_secondary(cpu);
	paging_load_kernel();
	apic_init_secondary();
	clock_init_secondary();
	__atomic_store_n(&n_cpus, cpu + 1, __ATOMIC_RELEASE);
	policy_secondary_start(cpu);
}

static bool wait_until_up(u32 cpu, u64 ns)
{
	u64 until = clock_now_ns() + ns;

	while (cpu_count() <= cpu)
		if (clock_now_ns() > until)
			return false;
		else
			cpu_relax();
	return true;
}

static bool start_one(u32 cpu, u32 apic_id)
{
	u8 *page = phys_kva(smp_trampoline_page);
	struct trampoline_args args = {
		.cr3 = (u32)((u64)start_root - frame_direct_base),
		.efer = (u32)(EFER_LME | (cpu_features.nx ? EFER_NXE : 0)),
		.stack = cpu_idle_stack_top(cpu),
		.entry = (u64)secondary_start,
		.cpu = cpu,
	};
	u32 expected = cpu;

	memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	memcpy(page + (trampoline_args - trampoline_start), &args, sizeof(args));
	__atomic_store_n(&is_wanted, cpu, __ATOMIC_SEQ_CST);
	apic_send_init(apic_id);
	clock_delay_ns(200 * NSEC_PER_USEC);
	for (int tries = 0; tries < 2; tries++) {
		apic_send_startup(apic_id, smp_trampoline_page);
		if (wait_until_up(cpu, tries ? NSEC_PER_SEC : 50 * NSEC_PER_MSEC))
			return true;
	}
	if (__atomic_compare_exchange_n(&is_wanted, &expected, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	/* It is on its way after all. */
	if (!wait_until_up(cpu, 10 * NSEC_PER_SEC))
		panic("CPU %u stopped on its way up", cpu);
	return true;
}

void boot_start_cpus(u32 limit)
{
	u32 found = acpi_cpu_count(), dead = 0;

	if (!start_root)
		return;
	if (!limit || limit > FRAME_MAX_CPUS)
		limit = FRAME_MAX_CPUS;
	for (u32 i = 1; i < found && cpu_count() < limit; i++) {
		u32 cpu = cpu_count();

		acpi_set_apic_id(cpu, acpi_apic_id(i));	/* i > cpu if one before it is dead */
		if (!dead && cpu_alloc(cpu)) {
			klog(LOG_ERR, "smp: no memory for CPU %u", cpu);
			break;
		}
		dead = start_one(cpu, acpi_apic_id(i)) ? 0 : dead + 1;
		if (dead)
			klog(LOG_ERR, "smp: the CPU with APIC id %u does not start", acpi_apic_id(i));
	}
	klog(LOG_INFO, "smp: %u of %u CPUs run", cpu_count(), found);
}
