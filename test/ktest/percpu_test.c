/* SPDX-License-Identifier: MPL-2.0 */
/* Promises of frame/percpu.h. */
#include <frame/percpu.h>
#include <frame/preempt.h>
#include "ktest.h"

struct sample {
	u64 value;
	u32 cpu;
};
static PERCPU(struct sample, sample) = { .value = 0x1234567, .cpu = 77 };

static void mark(void *arg)
{
	(void)arg;
	preempt_disable();
	KT_EXPECT(this_cpu(sample) == cpu_var(sample, cpu_id()));
	KT_EXPECT(cpu_id() < cpu_count());
	this_cpu(sample)->cpu = cpu_id();
	this_cpu(sample)->value += cpu_id();
	preempt_enable();
}

KTEST(percpu_copies_are_separate)
{
	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		*cpu_var(sample, cpu) = (struct sample){ .value = 0x1234567, .cpu = 77 };
	ktest_on_every_cpu(mark, NULL);
	for (u32 cpu = 0; cpu < cpu_count(); cpu++) {
		KT_EXPECT_EQ(cpu_var(sample, cpu)->cpu, cpu);
		KT_EXPECT_EQ(cpu_var(sample, cpu)->value, 0x1234567 + cpu);
	}
}

static PERCPU(struct sample, untouched) = { .value = 42, .cpu = 7 };

KTEST(percpu_initialisers_hold_everywhere)
{
	for (u32 cpu = 0; cpu < cpu_count(); cpu++) {
		KT_EXPECT_EQ(cpu_var(untouched, cpu)->value, 42);
		KT_EXPECT_EQ(cpu_var(untouched, cpu)->cpu, 7);
	}
}

KTEST(percpu_sets)
{
	struct cpuset s = { { 0 } };

	for (u32 cpu = 0; cpu < FRAME_MAX_CPUS; cpu += 3)
		cpuset_add(&s, cpu);
	for (u32 cpu = 0; cpu < FRAME_MAX_CPUS; cpu++)
		KT_EXPECT_EQ(cpuset_has(&s, cpu), cpu % 3 == 0);
	cpuset_del(&s, 63);
	cpuset_del(&s, 1);
	KT_EXPECT(!cpuset_has(&s, 63) && cpuset_has(&s, 60));
}
