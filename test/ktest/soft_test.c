/* SPDX-License-Identifier: MPL-2.0 */
/* Promises about soft work: frame/irq.h, frame/preempt.h. */
#include <frame/ipi.h>
#include <frame/irq.h>
#include <frame/preempt.h>
#include <frame/spinlock.h>
#include "ktest.h"

struct soft_seen {
	u32 n;			/* [a] */
	u32 wanted;		/* [a] items still to do */
};
static PERCPU(struct soft_seen, seen);
static u32 wrong_context;	/* [a] */

static bool on_soft(void)
{
	struct soft_seen *s = this_cpu(seen);

	if (!in_soft() || in_hard() || cpu_irq_depth_() != 0)
		__atomic_fetch_add(&wrong_context, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&s->n, 1, __ATOMIC_RELAXED);
	if (!READ_ONCE(s->wanted))
		return false;
	return __atomic_sub_fetch(&s->wanted, 1, __ATOMIC_RELAXED) != 0;
}

static void prepare(void)
{
	ktest_set_soft(on_soft);
	WRITE_ONCE(wrong_context, 0);
	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		*cpu_var(seen, cpu) = (struct soft_seen){ 0, 0 };
}

/* This CPU's count; preemption off, so that it stays this CPU. */
static u32 count(void)
{
	return READ_ONCE(this_cpu(seen)->n);
}

KTEST(soft_runs_at_once_when_allowed)
{
	prepare();
	preempt_disable();
	soft_raise(SOFT_TEST);
	KT_EXPECT_EQ(count(), 1);
	soft_raise(SOFT_TEST);
	KT_EXPECT_EQ(count(), 2);
	preempt_enable();
	KT_EXPECT_EQ(wrong_context, 0);
}

KTEST(soft_waits_while_disabled)
{
	prepare();
	preempt_disable();
	soft_disable();
	soft_disable();
	soft_raise(SOFT_TEST);
	soft_enable();
	KT_EXPECT_EQ(count(), 0);
	soft_enable();
	KT_EXPECT_EQ(count(), 1);
	irq_disable();
	soft_raise(SOFT_TEST);
	KT_EXPECT_EQ(count(), 1);
	soft_disable();
	irq_enable();
	KT_EXPECT_EQ(count(), 1);
	soft_enable();
	KT_EXPECT_EQ(count(), 2);
	preempt_enable();
	KT_EXPECT_EQ(wrong_context, 0);
}

KTEST(soft_runs_under_a_task_lock)
{
	static struct spinlock outer = SPINLOCK_INIT("ktest soft outer");
	static struct spinlock_soft inner = SPINLOCK_INIT("ktest soft inner");

	prepare();
	spin_lock(&outer);
	spin_lock_soft(&inner);
	soft_raise(SOFT_TEST);
	KT_EXPECT_EQ(count(), 0);
	spin_unlock_soft(&inner);
	KT_EXPECT_EQ(count(), 1);
	spin_unlock(&outer);
}

static void raise_hard(void *arg)
{
	(void)arg;
	if (!in_hard() && cpu_irq_depth_() == 0)
		__atomic_fetch_add(&wrong_context, 1, __ATOMIC_RELAXED);
	soft_raise(SOFT_TEST);
}

KTEST(soft_runs_on_the_cpu_that_raised)
{
	struct cpuset all = { { 0 } };

	prepare();
	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		cpuset_add(&all, cpu);
	ipi_call(&all, raise_hard, NULL);
	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		KT_WAIT(READ_ONCE(cpu_var(seen, cpu)->n) == 1, 10000);
	KT_EXPECT_EQ(wrong_context, 0);
}

static void flood(void *arg)
{
	u32 at_once;

	(void)arg;
	preempt_disable();
	WRITE_ONCE(this_cpu(seen)->wanted, 1000);
	soft_raise(SOFT_TEST);
	at_once = count();
	preempt_enable();
	/* 64 by itself; interrupts that came meanwhile may each have done one of each kind more. */
	if (at_once < 1 || at_once > 64 + 100)
		ktest_fail(__FILE__, __LINE__, "%u items at once", at_once);
	KT_WAIT(READ_ONCE(cpu_var(seen, cpu_id())->n) == 1000, 10000);
}

KTEST(soft_overflow_goes_to_the_thread)
{
	prepare();
	ktest_on_every_cpu(flood, NULL);
	KT_EXPECT_EQ(wrong_context, 0);
}
