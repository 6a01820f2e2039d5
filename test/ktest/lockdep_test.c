/* SPDX-License-Identifier: MPL-2.0 */
/* Promises of frame/lockdep.h (debug build). Each test has classes of its own: the graph never forgets. */
#include <frame/ipi.h>
#include <frame/irq.h>
#include <frame/lockdep.h>
#include <frame/preempt.h>
#include <frame/spinlock.h>
#include "ktest.h"

#ifdef KEEL_DEBUG

#define NEW_LOCK(var, type, name) static struct type var = SPINLOCK_INIT(name)

static void both(struct spinlock *outer, struct spinlock *inner)
{
	spin_lock(outer);
	spin_lock(inner);
	spin_unlock(inner);
	spin_unlock(outer);
}

KTEST(lockdep_catches_ab_ba)
{
	NEW_LOCK(a, spinlock, "ktest ab a");
	NEW_LOCK(b, spinlock, "ktest ab b");

	both(&a, &b);
	both(&a, &b);
	KT_EXPECT_REPORT(REPORT_LOCKDEP)
		both(&b, &a);
}

KTEST(lockdep_catches_longer_cycles)
{
	NEW_LOCK(a, spinlock, "ktest cycle a");
	NEW_LOCK(b, spinlock, "ktest cycle b");
	NEW_LOCK(c, spinlock, "ktest cycle c");
	NEW_LOCK(d, spinlock, "ktest cycle d");

	both(&a, &b);
	both(&b, &c);
	both(&c, &d);
	both(&a, &d);
	KT_EXPECT_REPORT(REPORT_LOCKDEP)
		both(&d, &a);
}

KTEST(lockdep_classes_go_by_name)
{
	NEW_LOCK(a1, spinlock, "ktest name a");
	NEW_LOCK(a2, spinlock, "ktest name a");
	struct spinlock b;

	spin_init(&b, "ktest name b");
	both(&a1, &b);
	KT_EXPECT_REPORT(REPORT_LOCKDEP)
		both(&b, &a2);
	KT_EXPECT_REPORT(REPORT_LOCKDEP)
		both(&a1, &a2);
}

KTEST(lockdep_nesting_by_subclass)
{
	NEW_LOCK(a1, spinlock, "ktest nest");
	NEW_LOCK(a2, spinlock, "ktest nest");

	spin_lock(&a1);
	spin_lock_nested(&a2, 1);
	spin_unlock(&a1);	/* not in reverse order: fine */
	spin_unlock(&a2);
	spin_lock_nested(&a1, 1);
	KT_EXPECT_REPORT(REPORT_LOCKDEP)
		spin_lock(&a2);
	spin_unlock(&a2);
	spin_unlock(&a1);
}

KTEST(lockdep_trylock_adds_no_edge)
{
	NEW_LOCK(a, spinlock, "ktest try a");
	NEW_LOCK(b, spinlock, "ktest try b");

	spin_lock(&a);
	KT_EXPECT(spin_trylock(&b));
	spin_unlock(&b);
	spin_unlock(&a);
	both(&b, &a);
	KT_EXPECT(spin_trylock(&a));
	KT_EXPECT_REPORT(REPORT_LOCKDEP) {	/* but it is held */
		spin_lock(&b);
		spin_unlock(&b);
	}
	spin_unlock(&a);
}

KTEST(lockdep_release_of_what_is_not_held)
{
	struct lock_debug d = LOCK_DEBUG_INIT("ktest release");

	preempt_disable();
	KT_EXPECT_REPORT(REPORT_LOCKDEP)
		lock_debug_release(&d);
	lock_debug_acquire(&d, LOCK_TASK, 0);
	KT_EXPECT_REPORT(REPORT_LOCKDEP)
		lock_debug_acquire(&d, LOCK_TASK, 0);
	lock_debug_release(&d);
	lock_debug_release(&d);
	KT_EXPECT_REPORT(REPORT_LOCKDEP)
		lock_debug_release(&d);
	preempt_enable();
}

KTEST(lockdep_sleeping_locks)
{
	struct lock_debug m1 = LOCK_DEBUG_INIT("ktest sleep 1"), m2 = LOCK_DEBUG_INIT("ktest sleep 2");
	NEW_LOCK(s, spinlock, "ktest sleep spin");

	lock_debug_acquire(&m1, LOCK_SLEEP, 0);
	lock_debug_acquire(&m2, LOCK_SLEEP, 0);
	spin_lock(&s);
	spin_unlock(&s);
	lock_debug_release(&m1);
	lock_debug_release(&m2);
	lock_debug_acquire(&m2, LOCK_SLEEP, 0);
	KT_EXPECT_REPORT(REPORT_LOCKDEP) {
		lock_debug_acquire(&m1, LOCK_SLEEP, 0);
		lock_debug_release(&m1);
	}
	lock_debug_release(&m2);
	spin_lock(&s);
	KT_EXPECT_REPORT(REPORT_LOCKDEP) {
		lock_debug_acquire(&m1, LOCK_SLEEP, 0);
		lock_debug_release(&m1);
	}
	spin_unlock(&s);
}

KTEST(lockdep_locks_on_return_to_user_mode)
{
	struct lock_debug m = LOCK_DEBUG_INIT("ktest user mutex");
	NEW_LOCK(s, spinlock, "ktest user spin");

	lock_debug_user_entry();
	lock_debug_acquire(&m, LOCK_SLEEP, 0);
	KT_EXPECT_REPORT(REPORT_LOCKDEP)
		lock_debug_user_entry();
	lock_debug_release(&m);
	spin_lock(&s);
	KT_EXPECT_REPORT(REPORT_LOCKDEP)
		lock_debug_user_entry();
	spin_unlock(&s);
	lock_debug_user_entry();
}

KTEST(lockdep_declared_order)
{
	NEW_LOCK(a, spinlock, "ktest declared a");
	NEW_LOCK(c, spinlock, "ktest declared c");

	lock_debug_order("ktest declared a", "ktest declared b");
	lock_debug_order("ktest declared b", "ktest declared c");
	both(&a, &c);
	KT_EXPECT_REPORT(REPORT_LOCKDEP)
		both(&c, &a);
	KT_EXPECT_REPORT(REPORT_LOCKDEP)
		lock_debug_order("ktest declared c", "ktest declared a");
}

/* Interrupts that take a lock which tasks hold with interrupts enabled; reported in the task, where it is expected. */
static struct spinlock_hard irq_lock = SPINLOCK_INIT("ktest irq hard");
static struct spinlock irq_plain = SPINLOCK_INIT("ktest irq plain");

static void lock_in_hard(void *arg)
{
	(void)arg;
	spin_lock_hard(&irq_lock);
	spin_unlock_hard(&irq_lock);
}

KTEST(lockdep_hard_context)
{
	struct cpuset others = { { 0 } };

	if (cpu_count() < 2) {
		ktest_skip("one CPU");
		return;
	}
	/* irq_lock is taken in hard context on the other CPUs; irq_plain is held here with interrupts on. */
	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		cpuset_add(&others, cpu);
	ipi_call(&others, lock_in_hard, NULL);
	spin_lock(&irq_plain);
	spin_unlock(&irq_plain);
	KT_EXPECT_REPORT(REPORT_LOCKDEP) {
		spin_lock_hard(&irq_lock);
		spin_lock(&irq_plain);
		spin_unlock(&irq_plain);
		spin_unlock_hard(&irq_lock);
	}
}

static struct spinlock_soft soft_lock = SPINLOCK_INIT("ktest context soft");
static struct spinlock soft_inner = SPINLOCK_INIT("ktest context inner");

static bool lock_in_soft(void)
{
	spin_lock_soft(&soft_lock);
	spin_unlock_soft(&soft_lock);
	return false;
}

KTEST(lockdep_soft_context)
{
	ktest_set_soft(lock_in_soft);
	soft_raise(SOFT_TEST);
	spin_lock(&soft_inner);		/* with soft work enabled: fine as long as nothing that soft work waits for waits for it */
	spin_unlock(&soft_inner);
	KT_EXPECT_REPORT(REPORT_LOCKDEP) {
		spin_lock_soft(&soft_lock);
		spin_lock(&soft_inner);
		spin_unlock(&soft_inner);
		spin_unlock_soft(&soft_lock);
	}
}

#endif
