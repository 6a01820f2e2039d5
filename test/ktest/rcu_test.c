/* SPDX-License-Identifier: MPL-2.0 */
/* Promises of frame/rcu.h, and of sync/rcu_wait.h. */
#include <frame/clock.h>
#include <frame/preempt.h>
#include <frame/rcu.h>
#include "mm/alloc.h"
#include "sched/kthread.h"
#include "sync/rcu_wait.h"
#include "ktest.h"

struct item {
	struct rcu_head rcu;
	u32 number;
	u32 cpu;
};

static struct item items[600];
static u32 n_ran, n_wrong;		/* [a] */

static void on_item(struct rcu_head *head)
{
	struct item *it = container_of(head, struct item, rcu);

	if (!in_soft() || in_hard() || it->number != READ_ONCE(n_ran) || it->cpu != cpu_id())
		__atomic_fetch_add(&n_wrong, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&n_ran, 1, __ATOMIC_RELAXED);
}

static void queue_items(u32 from, u32 to)
{
	preempt_disable();
	for (u32 i = from; i < to; i++) {
		items[i].number = i;
		items[i].cpu = cpu_id();
		rcu_call(&items[i].rcu, on_item);
	}
	preempt_enable();
}

/* Also: an otherwise idle system gets to it, for this thread sleeps. */
KTEST(rcu_callbacks_run_in_order)
{
	n_ran = n_wrong = 0;
	queue_items(0, 1);
	KT_WAIT(READ_ONCE(n_ran) == 1, 2000);
	n_ran = 0;
	queue_items(0, ARRAY_SIZE(items));
	KT_WAIT(READ_ONCE(n_ran) == ARRAY_SIZE(items), 10000);
	KT_EXPECT_EQ(n_wrong, 0);
}

struct reader {
	u32 is_inside, may_leave;	/* [a] */
};

static void read_long(void *arg)
{
	struct reader *r = arg;

	rcu_read_lock();
	WRITE_ONCE(r->is_inside, 1);
	while (!READ_ONCE(r->may_leave))
		;
	WRITE_ONCE(r->is_inside, 0);
	rcu_read_unlock();
}

KTEST(rcu_waits_for_readers)
{
	struct reader r = { 0, 0 };
	struct kthread *k;

	if (cpu_count() < 2) {
		ktest_skip("one CPU");
		return;
	}
	preempt_disable();
	n_ran = n_wrong = 0;
	if (cpu_id() == 0) {
		preempt_enable();
		KT_EXPECT(!kthread_create(&k, read_long, &r, 1, "ktest reader"));
	} else {
		preempt_enable();
		KT_EXPECT(!kthread_create(&k, read_long, &r, 0, "ktest reader"));
	}
	KT_WAIT(READ_ONCE(r.is_inside), 10000);
	queue_items(0, 1);
	ktest_sleep_ms(30);
	KT_EXPECT_EQ(READ_ONCE(n_ran), 0);
	KT_EXPECT(rcu_pending() >= 1);
	WRITE_ONCE(r.may_leave, 1);
	KT_WAIT(READ_ONCE(n_ran) == 1, 2000);
	kthread_join(k);
}

static u32 is_over;		/* [a] */

static void spin_in_kernel(void *arg)
{
	(void)arg;
	while (!READ_ONCE(is_over))
		;
}

static void spin_reading(void *arg)
{
	(void)arg;
	while (!READ_ONCE(is_over)) {
		rcu_read_lock();
		for (u32 i = 0; i < 1000; i++)
			(void)READ_ONCE(is_over);
		rcu_read_unlock();
	}
}

/* CPUs that never switch, in plain code or nearly always inside a reader, hold nobody up for long. */
KTEST(rcu_does_not_need_a_switch)
{
	struct kthread *plain = NULL, *reading = NULL;
	u64 begin;
	s32 last = (s32)cpu_count() - 1;

	WRITE_ONCE(is_over, 0);
	KT_EXPECT(!kthread_create(&plain, spin_in_kernel, NULL, last, "ktest plain"));
	KT_EXPECT(!kthread_create(&reading, spin_reading, NULL, last / 2, "ktest reading"));
	for (u32 i = 0; i < 5; i++) {
		begin = clock_now_ns();
		rcu_synchronize();
		if (clock_now_ns() - begin > 60 * NSEC_PER_SEC)
			ktest_fail(__FILE__, __LINE__, "took %lu ms", (clock_now_ns() - begin) / NSEC_PER_MSEC);
	}
	WRITE_ONCE(is_over, 1);
	if (plain)
		kthread_join(plain);
	if (reading)
		kthread_join(reading);
}

/* One object after the other is published, replaced and, after a grace period, spoilt and freed; readers must never see a spoilt one. */
#define MAGIC 0x600d600du

struct object {
	struct rcu_head rcu;
	u32 magic;
};
static struct object *published;
static u64 n_reads, n_bad;		/* [a] */

static void object_free(struct rcu_head *head)
{
	struct object *o = container_of(head, struct object, rcu);

	WRITE_ONCE(o->magic, 0xdead);
	kfree(o);
}

static void read_objects(void *arg)
{
	u64 reads = 0, bad = 0;

	(void)arg;
	while (!READ_ONCE(is_over)) {
		const struct object *o;

		rcu_read_lock();
		o = rcu_deref(published);
		bad += READ_ONCE(o->magic) != MAGIC;
		for (u32 i = 0; i < 50; i++)
			(void)READ_ONCE(is_over);
		bad += READ_ONCE(o->magic) != MAGIC;
		rcu_read_unlock();
		reads++;
	}
	__atomic_fetch_add(&n_reads, reads, __ATOMIC_RELAXED);
	__atomic_fetch_add(&n_bad, bad, __ATOMIC_RELAXED);
}

static void replace_objects(void *arg)
{
	u64 until = clock_now_ns() + 300 * NSEC_PER_MSEC;
	u32 n = 0;

	(void)arg;
	while (clock_now_ns() < until) {
		struct object *new = kmalloc(sizeof(*new), ALLOC_SLEEP), *old;

		if (!new)
			continue;
		new->magic = MAGIC;
		old = __atomic_exchange_n(&published, new, __ATOMIC_ACQ_REL);
		rcu_call(&old->rcu, object_free);
		if (++n % 64 == 0)
			ktest_sleep_ms(1);
	}
	WRITE_ONCE(is_over, 1);
}

static void read_or_replace(void *arg)
{
	if (cpu_id() == 0)
		replace_objects(arg);
	else
		read_objects(arg);
}

KTEST(rcu_protects_readers)
{
	struct kthread *k = NULL;

	published = kmalloc(sizeof(*published), ALLOC_SLEEP);
	if (!published) {
		ktest_fail(__FILE__, __LINE__, "no memory");
		return;
	}
	published->magic = MAGIC;
	n_reads = n_bad = 0;
	WRITE_ONCE(is_over, 0);
	KT_EXPECT(!kthread_create(&k, read_objects, NULL, 0, "ktest reader"));
	ktest_on_every_cpu(read_or_replace, NULL);
	if (k)
		kthread_join(k);
	KT_EXPECT(n_reads > 0);
	KT_EXPECT_EQ(n_bad, 0);
	rcu_synchronize();
	kfree(published);
	KT_WAIT(rcu_pending() == 0, 10000);
}

static void synchronize_some(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < 10; i++)
		rcu_synchronize();
}

KTEST(rcu_synchronize_everywhere)
{
	u64 begin = clock_now_ns();

	ktest_on_every_cpu(synchronize_some, NULL);
	KT_EXPECT(clock_now_ns() - begin < 3 * NSEC_PER_SEC);
}
