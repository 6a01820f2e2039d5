/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The rates of TSC and APIC timer: told by the CPU or hypervisor, or else measured against a counter whose rate is known.
 *
 * Machines differ in what they have: microvm has no port 0x61, PM timer or HPET by default, Firecracker none of them but kvm-clock,
 * so each is looked at before it is believed: a reference is one whose count moves. Each end is read several times and the reading
 * that took the fewest cycles counts. Measuring takes MEASURE_MS, which keeps the error near 0.01%, or ends before that once the
 * error can't be more than 2/PRECISION: what one tick (of the APIC timer: half a tick) and the shortest reading leave open.
 */
#include <frame/clock.h>
#include <frame/core/internal.h>
#include <frame/log.h>
#include <frame/x86_64/acpi.h>
#include <frame/x86_64/apic.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/calibrate.h>
#include <lib/math64.h>

#define MEASURE_MS 4u
#define PRECISION 40000u
#define READINGS 6u
#define PROBES 200u
#define FALLBACK_HZ 1000000000ull
#define PM_TIMER_HZ 3579545ull
#define PIT_HZ 1193182ull
#define APIC_HZ (1000000000ull / 16)	/* apic.c divides by 16 */
#define PIT_CHANNEL0 0x40
#define PIT_COMMAND 0x43

struct reference {
	const char *name;
	bool (*probe)(struct reference *r);
	u32 (*read)(const struct reference *r);	/* counts up */
	u64 hz;
	u32 mask;			/* of the bits that count */
	u64 where;			/* port, or mapped address */
};

static u32 __init pm_timer_read(const struct reference *r)
{
	return inl((u16)r->where);
}

static bool __init pm_timer_probe(struct reference *r)
{
	r->where = acpi_facts.pm_timer.address;
	r->mask = acpi_facts.pm_timer_is_32bit ? ~0u : 0xffffffu;
	return r->where && acpi_facts.pm_timer.space == ACPI_SPACE_IO;
}

static u32 __init hpet_read(const struct reference *r)
{
	return *(volatile u32 *)(r->where + 0xf0);
}

static bool __init hpet_probe(struct reference *r)
{
	u64 va, femtoseconds;

	if (!acpi_facts.hpet || acpi_facts.hpet % PAGE_SIZE)
		return false;
	va = kmap_reserve(PAGE_SIZE);
	if (!va || kmap_phys(va, acpi_facts.hpet, PAGE_SIZE, KMAP_WRITE | KMAP_UNCACHED))
		return false;
	r->where = va;
	femtoseconds = *(volatile u32 *)(va + 4);
	if (!femtoseconds || femtoseconds > 100000000)		/* IA-PC HPET 1.0a, 2.3.4 */
		return false;
	r->hz = 1000000000000000ull / femtoseconds;
	*(volatile u32 *)(va + 0x10) |= 1;			/* counts */
	return true;
}

/* Counts down and only 16 bits of it; reading latches first. */
static u32 __init pit_read(const struct reference *r)
{
	u32 low;

	(void)r;
	outb(PIT_COMMAND, 0x00);
	low = inb(PIT_CHANNEL0);
	return ~(low | (u32)inb(PIT_CHANNEL0) << 8);
}

static bool __init pit_probe(struct reference *r)
{
	(void)r;
	outb(PIT_COMMAND, 0x34);				/* channel 0, both bytes, rate generator; its line is masked */
	outb(PIT_CHANNEL0, 0);
	outb(PIT_CHANNEL0, 0);
	return true;
}

static bool __init is_moving(const struct reference *r)
{
	u32 first = r->read(r);

	for (u32 i = 0; i < PROBES; i++)
		if ((r->read(r) ^ first) & r->mask)
			return true;
	return false;
}

/* QEMU and KVM count an APIC's timer at 1 GHz; only where nothing better is. */
static u32 __init apic_read(const struct reference *r)
{
	(void)r;
	return ~apic_timer_count();
}

static bool __init apic_probe(struct reference *r)
{
	(void)r;
	apic_timer_mode(false);
	apic_timer_start(~0u);
	return cpu_features.hypervisor;
}

/* Where the TSC's rate is known, and the APIC timer's not. */
static u32 __init tsc_read(const struct reference *r)
{
	(void)r;
	return (u32)rdtsc();
}

static struct reference references[] __initdata = {
	{ .name = "HPET", .probe = hpet_probe, .read = hpet_read, .mask = ~0u },
	{ .name = "PM timer", .probe = pm_timer_probe, .read = pm_timer_read, .hz = PM_TIMER_HZ },
	{ .name = "PIT", .probe = pit_probe, .read = pit_read, .hz = PIT_HZ, .mask = 0xffffu },
	{ .name = "APIC timer", .probe = apic_probe, .read = apic_read, .hz = APIC_HZ, .mask = ~0u },
};

static const struct reference *__init reference_find(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(references); i++)
		if (references[i].probe(&references[i]) && is_moving(&references[i]))
			return &references[i];
	return NULL;
}

struct reading {
	u64 tsc, took;
	u32 count, apic;
};

/* All counters at one moment, as nearly as can be. */
static struct reading __init read_all(const struct reference *r)
{
	struct reading best = { .took = ~0ull };

	for (u32 i = 0; i < READINGS; i++) {
		u64 before = rdtsc();
		u32 count = r->read(r);
		u64 after = rdtsc();
		u32 apic = apic_timer_count();

		if (after - before < best.took)
			best = (struct reading){ before + (after - before) / 2, after - before, count, apic };
	}
	return best;
}

static void __init measure(const struct reference *r, struct clock_rates *rates)
{
	u64 wanted = r->hz * MEASURE_MS / 1000, ticks;
	struct reading start, end;

	apic_timer_mode(false);
	apic_timer_start(~0u);
	start = read_all(r);
	do {
		cpu_relax();
		ticks = (r->read(r) - start.count) & r->mask;
	} while (ticks < wanted && (ticks < PRECISION || start.apic - apic_timer_count() < PRECISION / 2 ||
				    rdtsc() - start.tsc < start.took * PRECISION));
	end = read_all(r);
	apic_timer_start(0);
	ticks = (end.count - start.count) & r->mask;
	if (!rates->tsc_hz) {
		rates->tsc_hz = mul_div_u64(end.tsc - start.tsc, r->hz, ticks);
		rates->source = r->name;
	}
	rates->apic_timer_hz = mul_div_u64(start.apic - end.apic, r->hz, ticks);
}

/* CPUID 0x40000010: kHz of TSC and APIC bus, from hypervisors that tell. */
static void __init rates_from_hypervisor(struct clock_rates *rates)
{
	struct cpuid c;

	if (!cpu_features.hypervisor)
		return;
	c = cpuid(0x40000000, 0);
	if (c.a >= 0x40000010 && c.a < 0x40010000) {
		c = cpuid(0x40000010, 0);
		rates->tsc_hz = (u64)c.a * 1000;
		rates->apic_timer_hz = (u64)c.b * 1000 / 16;
		rates->source = "hypervisor";
	}
	if (!rates->tsc_hz) {
		rates->tsc_hz = kvm_tsc_hz();
		rates->source = "kvm-clock";
	}
}

/* CPUID 0x15: crystal and ratio; 0x16: base frequency (Intel SDM 2A). */
static void __init rates_from_cpu(struct clock_rates *rates)
{
	struct cpuid c;
	u64 crystal;

	if (cpu_features.max_leaf < 0x15)
		return;
	c = cpuid(0x15, 0);
	crystal = c.c;
	if (!c.a || !c.b)
		return;
	if (!crystal && cpu_features.max_leaf >= 0x16)
		crystal = mul_div_u64((u64)(cpuid(0x16, 0).a & 0xffff) * 1000000, c.a, c.b);
	if (!crystal)
		return;
	rates->tsc_hz = mul_div_u64(crystal, c.b, c.a);
	rates->apic_timer_hz = crystal / 16;
	rates->source = "CPUID";
}

void __init clock_calibrate(struct clock_rates *rates)
{
	const struct reference *r;

	*rates = (struct clock_rates){ 0 };
	rates_from_hypervisor(rates);
	if (!rates->tsc_hz)
		rates_from_cpu(rates);
	if (!rates->tsc_hz) {
		r = reference_find();
		if (r)
			measure(r, rates);
	}
	if (!rates->tsc_hz) {
		klog(LOG_WARNING, "clock: nothing to measure the TSC by; times will be wrong");
		rates->tsc_hz = FALLBACK_HZ;
		rates->source = "guess";
	}
	if (!rates->apic_timer_hz && !cpu_features.tsc_deadline)
		measure(&(struct reference){ .read = tsc_read, .hz = rates->tsc_hz, .mask = ~0u }, rates);
}
