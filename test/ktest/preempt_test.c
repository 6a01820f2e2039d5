/* SPDX-License-Identifier: MPL-2.0 */
/* Promises of frame/preempt.h: nesting, preemption of a busy thread, sleeping in atomic context caught at the place. */
#include <frame/clock.h>
#include <frame/preempt.h>
#include <frame/spinlock.h>
#include "sched/kthread.h"
#include "sync/policy.h"
#include "ktest.h"

KTEST(preempt_nests)
{
	KT_EXPECT(!in_atomic() && !in_soft() && !in_hard());
	preempt_disable();
	preempt_disable();
	irq_disable();
	irq_disable();
	soft_disable();
	KT_EXPECT(in_atomic() && in_soft() && !in_hard());
	KT_EXPECT_EQ(cpu_irq_depth_(), 2);
	soft_enable();
	irq_enable();
	KT_EXPECT_EQ(cpu_irq_depth_(), 1);
	irq_enable();
	preempt_enable();
	KT_EXPECT(in_atomic());
	preempt_enable();
	KT_EXPECT(!in_atomic());
}

KTEST(preempt_sleep_in_atomic_is_caught)
{
	static struct spinlock lock = SPINLOCK_INIT("ktest atomic");

	might_sleep();
	spin_lock(&lock);
	KT_EXPECT_REPORT(REPORT_SLEEP_ATOMIC)
		might_sleep();
	spin_unlock(&lock);
	irq_disable();
	KT_EXPECT_REPORT(REPORT_SLEEP_ATOMIC)
		might_sleep();
	irq_enable();
	soft_disable();
	KT_EXPECT_REPORT(REPORT_SLEEP_ATOMIC)
		might_sleep();
	soft_enable();
	might_sleep();
}

struct duel {
	u32 is_done;		/* [a] */
	u32 n_other;		/* [a] */
	u64 in_section;		/* turns the other had while preemption was off */
};

static void other(void *arg)
{
	struct duel *d = arg;

	while (!READ_ONCE(d->is_done))
		__atomic_fetch_add(&d->n_other, 1, __ATOMIC_RELAXED);
}

static void holder(void *arg)
{
	struct duel *d = arg;
	u64 until = clock_now_ns() + 300 * NSEC_PER_MSEC;

	/* The other one must get turns although nobody sleeps. */
	while (clock_now_ns() < until && !READ_ONCE(d->n_other))
		;
	for (u32 i = 0; i < 20; i++) {
		u32 before;

		preempt_disable();
		before = READ_ONCE(d->n_other);
		until = clock_now_ns() + 5 * NSEC_PER_MSEC;
		while (clock_now_ns() < until)
			;
		d->in_section += READ_ONCE(d->n_other) - before;
		preempt_enable();
	}
}

KTEST(preempt_of_busy_threads)
{
	struct duel d = { 0, 0, 0 };
	struct kthread *a, *b;

	if (kthread_create(&a, holder, &d, 0, "ktest holder")) {
		ktest_fail(__FILE__, __LINE__, "no thread");
		return;
	}
	if (kthread_create(&b, other, &d, 0, "ktest other")) {
		ktest_fail(__FILE__, __LINE__, "no thread");
		kthread_join(a);
		return;
	}
	kthread_join(a);
	WRITE_ONCE(d.is_done, 1);
	kthread_join(b);
	KT_EXPECT(d.n_other > 0);
	KT_EXPECT_EQ(d.in_section, 0);
}
