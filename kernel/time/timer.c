/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Timers.
 *
 * Each CPU has a base: a tree by deadline and the one clock event, armed for the earliest. The event (hard context) raises SOFT_TIMER; its handler
 * runs one expired timer an item, and when none is left lets RCU look at its clock and arms the event again. Cancelling leaves the event as it
 * is: one idle wake-up at worst, cheaper than arming twice for every timeout that does not come about.
 *
 * A timer belongs to the base `cpu`, whose lock guards it. timer_set moves it to the base of the CPU it is called on, unless its fn is running
 * on the former one (then it stays there, so that fn never runs twice at the same time). While it is between two bases `cpu` is CPU_MOVING,
 * interrupts are off, and others spin for those few instructions. The handler forgets a timer before it calls fn, except for the address in
 * base->running: fn may free what the timer is part of.
 *
 * Lock: base->lock (hard), below run-queue locks; no other lock is taken inside it.
 */
#include <frame/irq.h>
#include <frame/log.h>
#include <frame/percpu.h>
#include <frame/policy.h>
#include <frame/rcu.h>
#include <frame/spinlock.h>
#include "time/timer.h"

#define CPU_MOVING (~0u)

enum timer_state { TIMER_IDLE, TIMER_PENDING };

struct timer_base {
	struct spinlock_hard lock;
	struct rb_root_cached tree;	/* [lock] */
	struct timer *running;		/* [lock, a] whose fn runs on this CPU; compared only */
	u64 armed_ns;			/* [own CPU, interrupts off] */
};
static PERCPU(struct timer_base, timer_base) = { .lock = SPINLOCK_INIT("timer base"), .armed_ns = CLOCK_EVENT_NONE };

static bool timer_before(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, const struct timer, node)->deadline_ns < container_of(b, const struct timer, node)->deadline_ns;
}

static u64 base_first_ns(const struct timer_base *base)
{
	const struct rb_node *first = rb_first_cached(&base->tree);

	return first ? container_of(first, const struct timer, node)->deadline_ns : CLOCK_EVENT_NONE;
}

/* On its own CPU, interrupts off. */
static void base_arm(struct timer_base *base, u64 deadline_ns)
{
	if (deadline_ns == base->armed_ns)
		return;
	base->armed_ns = deadline_ns;
	clock_event_set(deadline_ns);
}

/* Locks the base the timer belongs to. */
static struct timer_base *timer_lock(const struct timer *t)
{
	for (;;) {
		u32 cpu = LOAD_ACQUIRE(t->cpu);
		struct timer_base *base;

		if (cpu == CPU_MOVING)
			continue;
		base = cpu_var(timer_base, cpu);
		spin_lock_hard(&base->lock);
		if (likely(READ_ONCE(t->cpu) == cpu))
			return base;
		spin_unlock_hard(&base->lock);
	}
}

static bool timer_take_off(struct timer_base *base, struct timer *t)
{
	if (t->state != TIMER_PENDING)
		return false;
	rb_erase_cached(&t->node, &base->tree);
	t->state = TIMER_IDLE;
	return true;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	rb_node_init(&t->node);
	t->deadline_ns = 0;
	t->fn = fn;
	t->state = TIMER_IDLE;
	STORE_RELEASE(t->cpu, cpu_id());
}

void timer_set(struct timer *t, u64 deadline_ns)
{
	struct timer_base *base, *here;

	irq_disable();
	here = this_cpu(timer_base);
	base = timer_lock(t);
	(void)timer_take_off(base, t);
	if (base != here && base->running != t) {
		STORE_RELEASE(t->cpu, CPU_MOVING);
		spin_unlock_hard(&base->lock);
		spin_lock_hard(&here->lock);
		base = here;
		STORE_RELEASE(t->cpu, cpu_id());
	}
	t->deadline_ns = deadline_ns;
	t->state = TIMER_PENDING;
	rb_add_cached(&base->tree, &t->node, timer_before);
	if (base == here && deadline_ns < base->armed_ns)	/* another CPU's handler arms its event when fn returns */
		base_arm(base, deadline_ns);
	spin_unlock_hard(&base->lock);
	irq_enable();
}

bool timer_cancel(struct timer *t)
{
	struct timer_base *base = timer_lock(t);
	bool was_pending = timer_take_off(base, t);

	spin_unlock_hard(&base->lock);
	return was_pending;
}

bool timer_cancel_sync(struct timer *t)
{
	bool was_pending = false;

	for (;;) {
		struct timer_base *base = timer_lock(t);
		bool is_running = base->running == t;

		was_pending |= timer_take_off(base, t);
		spin_unlock_hard(&base->lock);
		if (!is_running)
			return was_pending;
		while (READ_ONCE(base->running) == t)	/* fn neither sleeps nor is preempted: shortly */
			;
	}
}

bool timer_is_pending(const struct timer *t)
{
	struct timer_base *base = timer_lock(t);
	bool is_pending = t->state == TIMER_PENDING;

	spin_unlock_hard(&base->lock);
	return is_pending;
}

/* Runs the earliest timer if it is due. True if the next one is due, too. */
static bool base_run_one(struct timer_base *base, u64 now_ns)
{
	bool has_more = false;

	spin_lock_hard(&base->lock);
	if (base_first_ns(base) <= now_ns) {
		struct timer *t = container_of(rb_first_cached(&base->tree), struct timer, node);
		void (*fn)(struct timer *t) = t->fn;

		(void)timer_take_off(base, t);
		WRITE_ONCE(base->running, t);
		spin_unlock_hard(&base->lock);
		fn(t);
		spin_lock_hard(&base->lock);
		STORE_RELEASE(base->running, NULL);
		has_more = base_first_ns(base) <= now_ns;
	}
	spin_unlock_hard(&base->lock);
	return has_more;
}

static bool timer_soft(void)
{
	struct timer_base *base = this_cpu(timer_base);	/* soft context: not preempted */
	u64 rcu_ns = CLOCK_EVENT_NONE;

	if (base_run_one(base, clock_now_ns()))
		return true;
	if (!rcu_poll(clock_now_ns(), &rcu_ns))
		rcu_ns = CLOCK_EVENT_NONE;
	spin_lock_hard(&base->lock);
	base_arm(base, min(base_first_ns(base), rcu_ns));
	spin_unlock_hard(&base->lock);
	return false;
}

void policy_clock_event(void)
{
	this_cpu(timer_base)->armed_ns = CLOCK_EVENT_NONE;
	soft_raise(SOFT_TIMER);
}

void timers_init(void)
{
	soft_register(SOFT_TIMER, timer_soft);
}
