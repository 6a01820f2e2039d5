/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Soft work: what interrupts leave for later, and where interrupts begin and end.
 *
 * A kind that was raised is a bit in this CPU's soft_pending. It runs, one bounded item at a time and all kinds in turn, at the first
 * moment when nothing forbids it: the outermost interrupt exit, or soft_enable / irq_enable of the last section (preemption may be
 * off: soft work does not sleep). So a bit never stays while the CPU could run it.
 * After BOUND items the CPU's soft thread is called in; until that has emptied the queue, interrupts do one item of each kind only,
 * so that neither the interrupted task nor the timers starve.
 *
 * Locking: everything is this CPU's own, changed with interrupts disabled.
 */
#include <frame/irq.h>
#include <frame/policy.h>
#include <frame/preempt.h>
#include <frame/log.h>
#include <frame/core/internal.h>

#define BOUND 64u

struct soft_cpu {
	u32 running;		/* depth of soft_run, 0 or 1 */
	bool is_threaded;	/* the soft thread has been called and has not yet finished */
};
static PERCPU(struct soft_cpu, soft_cpu);

static bool (*handlers[SOFT_KINDS])(void);	/* [a] */

void soft_register(enum soft_kind kind, bool (*handler)(void))
{
	BUG_ON(kind >= SOFT_KINDS || READ_ONCE(handlers[kind]));
	STORE_RELEASE(handlers[kind], handler);
}

void soft_raise(enum soft_kind kind)
{
	irq_disable();
	CPU_LOCAL_->soft_pending |= 1ul << kind;
	irq_enable();		/* runs it if we are not in hard or soft context or inside a disabled section */
}

bool soft_running(void)
{
	return this_cpu(soft_cpu)->running != 0;
}

/* One item of the kind, with interrupts on. */
static void soft_item(u32 kind)
{
	bool (*handler)(void) = LOAD_ACQUIRE(handlers[kind]);
	bool has_more;
	u32 depth;

	CPU_LOCAL_->soft_pending &= ~(1ul << kind);
	if (!handler)
		return;
	depth = CPU_LOCAL_->preempt;
	irq_enable();		/* in soft context: runs nothing by itself */
	has_more = handler();
	irq_disable();
	if (CPU_LOCAL_->preempt != depth)
		panic("soft handler %u left preempt count %x, was %x", kind, CPU_LOCAL_->preempt, depth);
	if (has_more)
		CPU_LOCAL_->soft_pending |= 1ul << kind;
}

/* Interrupts disabled once, soft allowed otherwise. Runs at most `bound` items; true if more remains. */
static bool soft_run(u32 bound)
{
	struct soft_cpu *sc;
	u32 done = 0;

	CPU_LOCAL_->preempt += PREEMPT_SOFT;
	sc = this_cpu(soft_cpu);
	sc->running++;
	while (CPU_LOCAL_->soft_pending && done < bound) {
		u64 round = CPU_LOCAL_->soft_pending;

		for (; round && done < bound; round &= round - 1, done++)
			soft_item((u32)__builtin_ctzl(round));
	}
	sc->running--;
	CPU_LOCAL_->preempt -= PREEMPT_SOFT;
	return CPU_LOCAL_->soft_pending != 0;
}

/* The same from interrupt exit and the enables. */
static void soft_run_inline(void)
{
	struct soft_cpu *sc = this_cpu(soft_cpu);

	if (sc->is_threaded) {
		(void)soft_run((u32)__builtin_popcountl(CPU_LOCAL_->soft_pending));
	} else if (soft_run(BOUND)) {
		sc->is_threaded = true;
		policy_soft_overflow();
	}
}

void soft_run_pending(void)
{
	irq_disable();
	/* What the thread has taken over waits for it, or every irq_enable would do some. */
	if (CPU_LOCAL_->soft_pending && !this_cpu(soft_cpu)->is_threaded)
		soft_run_inline();
	irq_enable_only();
}

bool soft_run_some(void)
{
	bool has_more;

	might_sleep();		/* task context, or it would not be the thread's */
	irq_disable();
	has_more = soft_run(BOUND);
	this_cpu(soft_cpu)->is_threaded = has_more;
	irq_enable_only();
	if (preempt_resched_wanted())
		preempt_reschedule();
	return has_more;
}

/* Entry code calls these around each interrupt, with interrupts disabled (irq_depth at least 1). */
void hard_enter(void)
{
	CPU_LOCAL_->preempt += PREEMPT_HARD;
	rcu_hard_enter();
}

void hard_exit(void)
{
	CPU_LOCAL_->preempt -= PREEMPT_HARD;
	if (CPU_LOCAL_->preempt & (PREEMPT_HARD_MASK | PREEMPT_SOFT_MASK))
		return;
	/* Twice: soft work may begin a grace period that this very interrupt can end, whose callbacks are soft work. */
	for (u32 i = 0; i < 2; i++) {
		rcu_hard_exit();
		if (!CPU_LOCAL_->soft_pending)
			break;
		soft_run_inline();
	}
}
