/* SPDX-License-Identifier: MPL-2.0 */
/* Promises of frame/spinlock.h. */
#include <frame/clock.h>
#include <frame/ipi.h>
#include <frame/preempt.h>
#include <frame/spinlock.h>
#include "ktest.h"

#define ROUNDS 5000u

static struct spinlock task_lock = SPINLOCK_INIT("ktest spin task");
static struct spinlock_soft soft_lock = SPINLOCK_INIT("ktest spin soft");
static struct spinlock_hard hard_lock = SPINLOCK_INIT("ktest spin hard");
static u64 task_sum, soft_sum, hard_sum;	/* [their locks], plain on purpose */

static void add_many(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < ROUNDS; i++) {
		spin_lock(&task_lock);
		task_sum++;
		spin_unlock(&task_lock);
		spin_lock_soft(&soft_lock);
		soft_sum++;
		spin_unlock_soft(&soft_lock);
		spin_lock_hard(&hard_lock);
		hard_sum++;
		spin_unlock_hard(&hard_lock);
	}
}

KTEST(spinlock_excludes)
{
	task_sum = soft_sum = hard_sum = 0;
	ktest_on_every_cpu(add_many, NULL);
	KT_EXPECT_EQ(task_sum, (u64)ROUNDS * cpu_count());
	KT_EXPECT_EQ(soft_sum, (u64)ROUNDS * cpu_count());
	KT_EXPECT_EQ(hard_sum, (u64)ROUNDS * cpu_count());
}

KTEST(spinlock_disables_what_its_type_says)
{
	KT_EXPECT(!in_atomic());
	spin_lock(&task_lock);
	KT_EXPECT(in_atomic() && !in_soft() && cpu_irq_depth_() == 0);
	spin_unlock(&task_lock);
	spin_lock_soft(&soft_lock);
	KT_EXPECT(in_soft() && cpu_irq_depth_() == 0);
	spin_unlock_soft(&soft_lock);
	spin_lock_hard(&hard_lock);
	KT_EXPECT_EQ(cpu_irq_depth_(), 1);
	spin_unlock_hard(&hard_lock);
	KT_EXPECT(!in_atomic());
}

static void try_all(void *arg)
{
	u32 *n = arg;

	if (spin_trylock_hard(&hard_lock)) {
		spin_unlock_hard(&hard_lock);
		__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
	}
}

KTEST(spinlock_try)
{
	u32 n = 0;

	KT_EXPECT(spin_trylock(&task_lock));
	KT_EXPECT(spin_is_locked(&task_lock));
	KT_EXPECT(!spin_trylock(&task_lock));
	spin_unlock(&task_lock);
	KT_EXPECT(!spin_is_locked(&task_lock));
	spin_lock_hard(&hard_lock);
	try_all(&n);
	KT_EXPECT_EQ(n, 0);
	spin_unlock_hard(&hard_lock);
	ktest_on_every_cpu(try_all, &n);
	KT_EXPECT(n >= 1 && n <= cpu_count());
	KT_EXPECT(!in_atomic());
}

KTEST(spinlock_guards_end_with_their_scope)
{
	{
		SPIN_GUARD(&task_lock);
		SPIN_GUARD_SOFT(&soft_lock);
		SPIN_GUARD_HARD(&hard_lock);

		KT_EXPECT(spin_is_locked(&task_lock));
		KT_EXPECT(in_atomic());
	}
	KT_EXPECT(!spin_is_locked(&task_lock));
	KT_EXPECT(!in_atomic());
}

/* A hard lock is taken by interrupts of all CPUs while tasks hold it everywhere: a mistake in disabling them would hang. */
static void add_hard(void *arg)
{
	(void)arg;
	spin_lock_hard(&hard_lock);
	hard_sum++;
	spin_unlock_hard(&hard_lock);
}

static void add_and_call(void *arg)
{
	struct cpuset all = { { 0 } };

	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		cpuset_add(&all, cpu);
	for (u32 i = 0; i < 200; i++) {
		add_hard(arg);
		ipi_call(&all, add_hard, arg);
	}
}

KTEST(spinlock_hard_against_interrupts)
{
	hard_sum = 0;
	ktest_on_every_cpu(add_and_call, NULL);
	KT_EXPECT_EQ(hard_sum, 200ul * cpu_count() * (cpu_count() + 1));
}
