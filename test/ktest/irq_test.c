/* SPDX-License-Identifier: MPL-2.0 */
/* Promises of frame/irq.h (lines), frame/ipi.h, frame/mmio.h and frame/pio.h. */
#include <frame/boot.h>
#include <frame/ipi.h>
#include <frame/irq.h>
#include <frame/mmio.h>
#include <frame/percpu.h>
#include <frame/pio.h>
#include <frame/preempt.h>
#include <lib/errno.h>
#include "ktest.h"

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static u32 first_free_line(void)
{
	const char *name;
	u64 count;
	u32 gsi = 3;

	while (irq_stat(gsi, 0, &count, &name) && (name || count))
		gsi++;
	return gsi;
}

KTEST(irq_attach_and_detach)
{
	int a, b;
	u32 gsi = first_free_line();
	const char *name = NULL;
	u64 count;

	if (!irq_stat(gsi, 0, &count, &name)) {
		ktest_skip("no free interrupt line");
		return;
	}
	KT_EXPECT_EQ(irq_attach(gsi, never, &a, "first"), 0);
	KT_EXPECT_EQ(irq_attach(gsi, never, &b, "second"), 0);
	KT_EXPECT(irq_stat(gsi, 0, &count, &name) && name && name[0] == 'f');
	irq_detach(gsi, &a);
	KT_EXPECT(irq_stat(gsi, 0, &count, &name) && name && name[0] == 's');
	irq_detach(gsi, &b);
	KT_EXPECT(irq_stat(gsi, 0, &count, &name) && !name);
}

KTEST(irq_refuses)
{
	const char *name;
	u64 count;

	KT_EXPECT_EQ(irq_attach(100000, never, NULL, "none"), -EINVAL);
	KT_EXPECT(!irq_stat(100000, 0, &count, &name));
	if (irq_stat(0, 0, &count, &name))
		KT_EXPECT_EQ(irq_attach(0, never, NULL, "timer"), -EBUSY);
}

struct tally {
	u32 of_cpu[FRAME_MAX_CPUS];
	u32 not_hard;
};

static void count_cpu(void *arg)
{
	struct tally *t = arg;

	__atomic_fetch_add(&t->of_cpu[cpu_id()], 1, __ATOMIC_RELAXED);
	if (!CPU_LOCAL_->irq_depth)
		__atomic_fetch_add(&t->not_hard, 1, __ATOMIC_RELAXED);
}

static struct cpuset everybody(void)
{
	struct cpuset all = { { 0 } };

	for (u32 i = 0; i < cpu_count(); i++)
		cpuset_add(&all, i);
	return all;
}

KTEST(ipi_call_runs_once_on_each)
{
	struct cpuset all = everybody(), none = { { 0 } };
	struct tally t = { { 0 }, 0 };

	ipi_call(&all, count_cpu, &t);
	ipi_call(&none, count_cpu, &t);
	for (u32 i = 0; i < FRAME_MAX_CPUS; i++)
		KT_EXPECT_EQ(t.of_cpu[i], i < cpu_count());
	KT_EXPECT_EQ(t.not_hard, 0);
}

static struct tally storm_tally;

static void storm(void *arg)
{
	struct cpuset all = everybody();

	(void)arg;
	for (u32 i = 0; i < 100; i++)
		ipi_call(&all, count_cpu, &storm_tally);
}

KTEST(ipi_call_from_everywhere_at_once)
{
	storm_tally = (struct tally){ { 0 }, 0 };
	ktest_on_every_cpu(storm, NULL);
	for (u32 i = 0; i < cpu_count(); i++)
		KT_EXPECT_EQ(storm_tally.of_cpu[i], 100 * cpu_count());
}

KTEST(mmio_refuses_the_frames_own)
{
	struct boot_range r;
	struct mmio m;

	for (u32 i = 0; boot_memory(i, &r); i++) {
		KT_EXPECT_EQ(mmio_claim(&m, r.start, 4, "ram"), -EBUSY);
		KT_EXPECT_EQ(mmio_claim(&m, r.end - 4, 4, "ram"), -EBUSY);
	}
	KT_EXPECT_EQ(mmio_claim(&m, 0xfee00000, 0x1000, "apic"), -EBUSY);
	KT_EXPECT_EQ(mmio_claim(&m, 0xfee00000, 0, "empty"), -EINVAL);
	KT_EXPECT_EQ(mmio_claim(&m, ~0ull - 3, 16, "wraps"), -EINVAL);
}

KTEST(mmio_claims_are_exclusive)
{
	/* Where no machine has anything: above RAM and the 32-bit devices. Claimed, never touched. */
	paddr_t at = 0xf000000000;
	struct mmio a, b, c;
	int err = mmio_claim(&a, at, 512, "a");

	if (err == -EINVAL) {
		ktest_skip("too few physical address bits");
		return;
	}
	KT_EXPECT_EQ(err, 0);
	KT_EXPECT_EQ(mmio_claim(&b, at + 511, 2, "b"), -EBUSY);
	KT_EXPECT_EQ(mmio_claim(&b, at + 512, 512, "b"), 0);	/* the same page */
	mmio_release(&a);
	KT_EXPECT_EQ(mmio_claim(&c, at, 8192 + 512, "c"), -EBUSY);
	mmio_release(&b);
	KT_EXPECT_EQ(mmio_claim(&c, at, 8192 + 512, "c"), 0);
	mmio_release(&c);
}

/* The firmware's ROM below 4 GiB: readable in every width, and nothing else claims it. */
KTEST(mmio_widths_agree)
{
	struct mmio m;

	if (mmio_claim(&m, 0xfffff000, 0x1000, "rom") != 0) {
		ktest_skip("the ROM is taken");
		return;
	}
	for (size_t off = 0xff0; off < 0x1000; off += 4) {
		u32 v = mmio_read32(&m, off);

		KT_EXPECT_EQ(v & 0xffff, mmio_read16(&m, off));
		KT_EXPECT_EQ(v >> 24, mmio_read8(&m, off + 3));
	}
	mmio_release(&m);
}

/* Addresses come back, after every CPU has forgotten them. */
KTEST(mmio_addresses_are_reused)
{
	u64 lowest = ~0ull, highest = 0;

	for (u32 i = 0; i < 6000; i++) {
		struct mmio m;

		if (mmio_claim(&m, 0xf000000000, 4096, "again") != 0) {
			ktest_skip("no physical address to claim");
			return;
		}
		lowest = min(lowest, m.base);
		highest = max(highest, m.base);
		mmio_release(&m);
	}
	KT_EXPECT(highest - lowest < (64u << 20));
}

KTEST(pio_refuses_the_frames_own)
{
	struct pio p;

	KT_EXPECT_EQ(pio_claim(&p, 0x20, 1, "pic"), -EBUSY);
	KT_EXPECT_EQ(pio_claim(&p, 0x3f, 2, "pit"), -EBUSY);
	KT_EXPECT_EQ(pio_claim(&p, 0x70, 2, "rtc"), -EBUSY);
	KT_EXPECT_EQ(pio_claim(&p, 0xffff, 2, "beyond"), -EINVAL);
	KT_EXPECT_EQ(pio_claim(&p, 0x5000, 0, "empty"), -EINVAL);
}
