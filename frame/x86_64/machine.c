/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Turning the machine off and on again, and random bits.
 *
 * Off: ACPI S5, through the PM1 control registers or, on hardware-reduced machines (microvm, Cloud Hypervisor), the sleep control
 * register. Machines without ACPI (microvm with acpi=off, Firecracker) end when the keyboard controller is asked to reset them.
 * Registers in memory are mapped at start-up: the end comes in any state of the kernel, also in a panic, and takes no locks.
 */
#include <frame/clock.h>
#include <frame/core/internal.h>
#include <frame/log.h>
#include <frame/machine.h>
#include <frame/preempt.h>
#include <frame/x86_64/acpi.h>
#include <frame/x86_64/arch.h>
#include <lib/string.h>

#define PM1_SCI_ENABLED 0x1u
#define PM1_TYPE_SHIFT 10
#define PM1_TYPE_MASK 0x1c00u
#define PM1_SLEEP 0x2000u
#define SLEEP_TYPE_SHIFT 2
#define SLEEP_ENABLE 0x20u
#define KEYBOARD_STATUS 0x64
#define KEYBOARD_RESET 0xfe
#define RESET_CONTROL 0xcf9

/* Registers in memory that the frame keeps mapped. */
static volatile u8 *sleep_control __ro_after_init, *reset_register __ro_after_init;

static volatile u8 *__init map_register(const struct acpi_register *r)
{
	u64 va;

	if (r->space != ACPI_SPACE_MEMORY || !r->address || r->address >> cpu_features.phys_bits)
		return NULL;
	va = kmap_reserve(PAGE_SIZE);
	if (!va || kmap_phys(va, ALIGN_DOWN(r->address, PAGE_SIZE), PAGE_SIZE, KMAP_WRITE | KMAP_UNCACHED))
		return NULL;
	return (volatile u8 *)(va + r->address % PAGE_SIZE);
}

void __init machine_init(void)
{
	sleep_control = map_register(&acpi_facts.sleep_control);
	reset_register = map_register(&acpi_facts.reset);
}

static bool overlaps(const struct acpi_register *r, paddr_t start, u64 size)
{
	return r->space == ACPI_SPACE_MEMORY && r->address && start <= r->address && r->address < start + size;
}

bool machine_owns_mmio(paddr_t start, u64 size)
{
	return overlaps(&acpi_facts.sleep_control, start, size) || overlaps(&acpi_facts.reset, start, size);
}

static void write8(const struct acpi_register *r, volatile u8 *mapped, u8 v)
{
	if (!r->address)
		return;
	if (r->space == ACPI_SPACE_IO)
		outb((u16)r->address, v);
	else if (mapped)
		*mapped = v;
}

static void wait_ms(u32 ms)
{
	clock_delay_ns(ms * NSEC_PER_MSEC);
}

static void pm1_sleep(const struct acpi_register *r, u8 type)
{
	u16 v;

	if (!r->address || r->space != ACPI_SPACE_IO)
		return;
	v = inw((u16)r->address) & (u16)~(PM1_TYPE_MASK | PM1_SLEEP);
	v = (u16)(v | (type & 7u) << PM1_TYPE_SHIFT);
	outw((u16)r->address, v);
	outw((u16)r->address, (u16)(v | PM1_SLEEP));
}

static void acpi_enable(void)
{
	u16 port = (u16)acpi_facts.pm1a_control.address;

	if (!acpi_facts.smi_command || acpi_facts.pm1a_control.space != ACPI_SPACE_IO || (inw(port) & PM1_SCI_ENABLED))
		return;
	outb(acpi_facts.smi_command, acpi_facts.enable_value);
	for (u32 i = 0; i < 100 && !(inw(port) & PM1_SCI_ENABLED); i++)
		wait_ms(1);
}

static void acpi_s5(void)
{
	if (!acpi_facts.has_s5)
		return;
	if (acpi_facts.is_reduced) {
		write8(&acpi_facts.sleep_control, sleep_control,
		       (u8)((acpi_facts.s5_type_a & 7) << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
	} else {
		if (acpi_facts.pm1a_control.address)
			acpi_enable();
		pm1_sleep(&acpi_facts.pm1a_control, acpi_facts.s5_type_a);
		pm1_sleep(&acpi_facts.pm1b_control, acpi_facts.s5_type_b);
	}
	wait_ms(500);
}

static void keyboard_reset(void)
{
	for (u32 i = 0; i < 50 && (inb(KEYBOARD_STATUS) & 2); i++)
		wait_ms(1);
	outb(KEYBOARD_STATUS, KEYBOARD_RESET);
	wait_ms(50);
}

static __noreturn void triple_fault(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed none = { 0, 0 };

	__asm__ volatile("lidt %0; int3" : : "m"(none));
	machine_halt();
}

void machine_power_off(void)
{
	irq_disable();
	acpi_s5();
	if (!acpi_facts.has_fadt) {
		keyboard_reset();
		triple_fault();			/* microvm: with -no-reboot, QEMU ends */
	}
	klog(LOG_EMERG, "this machine cannot be turned off; halted");
	machine_halt();
}

void machine_reboot(void)
{
	irq_disable();
	write8(&acpi_facts.reset, reset_register, acpi_facts.reset_value);
	wait_ms(20);
	keyboard_reset();
	outb(RESET_CONTROL, 0x02);
	outb(RESET_CONTROL, 0x06);
	wait_ms(50);
	triple_fault();
}

void machine_halt(void)
{
	irq_disable();
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}

const char *machine_name(void)
{
	return "x86_64";
}

/* --- Random bits */

static bool hardware_word(u64 *v)
{
	bool ok = false;

	/* RDSEED may be drained by others: some tries (Intel SDM 1, 7.3.17). */
	for (u32 i = 0; cpu_features.rdseed && i < 32 && !ok; i++) {
		__asm__ volatile("rdseed %0" : "=r"(*v), "=@ccc"(ok));
		if (!ok)
			cpu_relax();
	}
	for (u32 i = 0; cpu_features.rdrand && i < 10 && !ok; i++)
		__asm__ volatile("rdrand %0" : "=r"(*v), "=@ccc"(ok));
	return ok;
}

/* What the counter shows between reads of a device port: a little is unpredictable, how much nobody vouches for. */
static u64 jitter_word(void)
{
	u64 v = 0;

	for (u32 i = 0; i < 8; i++) {
		v = (v << 9 | v >> 55) ^ (rdtsc() * 0x9e3779b97f4a7c15ull);
		(void)inb(0x80);
	}
	return v;
}

size_t machine_entropy(void *buf, size_t n)
{
	size_t credible = 0;
	u8 *p = buf;

	for (size_t done = 0; done < n; done += sizeof(u64)) {
		size_t part = min(n - done, sizeof(u64));
		u64 v;

		if (hardware_word(&v))
			credible += part;
		else
			v = jitter_word();
		memcpy(p + done, &v, part);
	}
	return credible;
}
