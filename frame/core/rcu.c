/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Read-copy-update without a tick.
 *
 * Grace periods are numbered: `started` counts those begun, `completed` those over; at most one is under way (started = completed + 1).
 * Beginning one puts every CPU that is not idle into `waiting` and sets its cpu_local.rcu_need_qs; a CPU that passes a quiescent state
 * (task switch, entry to user mode, idle, an interrupt of code with nothing disabled) takes itself out, and the last one ends the period. Who asked
 * for one (callbacks) needs a period that begins after the asking: started + 1 at that moment.
 *
 * Idle CPUs are skipped: rcu_cpu.is_idle is set between rcu_idle_enter and the first interrupt (hard_enter clears it). The beginner
 * stores need_qs, fences, loads is_idle; a CPU leaving idle clears is_idle and fences before it reads anything: whichever
 * comes first, either the beginner waits for the CPU or the CPU sees all that was written before the beginning.
 *
 * Callbacks of a CPU move through three lists: gathering → waiting (for period wait_gp) → ready, run by SOFT_RCU in order. Gathering ends
 * after GATHER_NS, at GATHER_MAX callbacks or by rcu_hurry, when nothing is waiting: so one period serves many. Time comes from
 * rcu_poll (kernel/time). When a period ends, the CPUs that wait for it are interrupted, asleep or not.
 *
 * Locking: rcu_lock guards the numbers and `waiting`. The lists are their CPU's own, with interrupts disabled.
 */
#include <frame/clock.h>
#include <frame/ipi.h>
#include <frame/irq.h>
#include <frame/log.h>
#include <frame/rcu.h>
#include <frame/spinlock.h>
#include <frame/core/internal.h>

#define GATHER_NS (1 * NSEC_PER_MSEC)
#define GATHER_MAX 128u
#define STRAGGLER_NS (2 * NSEC_PER_MSEC)
#define STALL_NS (30 * NSEC_PER_SEC)
#define ITEM_CALLBACKS 8u		/* callbacks in one item of soft work */

struct rcu_list {
	struct rcu_head *first, **end;
};

struct rcu_cpu {
	struct rcu_list gathering, waiting, ready;	/* [o] */
	u32 n_gathering;	/* [o] */
	bool is_hurried;	/* [o] */
	u64 gather_since_ns;	/* [o] */
	u64 n_pending;		/* [o, a] queued and not yet run */
	u64 wait_gp;		/* [a] written under rcu_lock; 0: waiting is empty */
	u32 is_idle;		/* [a] */
	u32 is_kicked;		/* [a] a period it waited for has ended */
	u32 is_urgent;		/* [a] straggler: quiescent state wanted at the next chance */
};
static PERCPU(struct rcu_cpu, rcu_cpu);

static struct spinlock_hard rcu_lock = SPINLOCK_INIT("rcu");
static u64 started, completed;		/* [rcu_lock, a] */
static u64 wanted;			/* [rcu_lock] the latest period anybody asked for */
static u64 gp_start_ns;			/* [rcu_lock] */
static u64 gp_checked_ns;		/* [rcu_lock] */
static u32 gp_cpu;			/* [rcu_lock] whose clock watches over the current period */
static bool has_stalled;		/* [rcu_lock] the current period: reported */
static struct cpuset waiting;		/* [rcu_lock] */

static void list_move(struct rcu_list *to, struct rcu_list *from)
{
	if (!from->first)
		return;
	if (!to->first)
		to->end = &to->first;
	*to->end = from->first;
	to->end = from->end;
	from->first = NULL;
}

static void list_append(struct rcu_list *to, struct rcu_head *head)
{
	head->next = NULL;
	if (!to->first)
		to->end = &to->first;
	*to->end = head;
	to->end = &head->next;
}

/* --- Grace periods, under rcu_lock */

static bool waiting_is_empty(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(waiting.bits); i++)
		if (READ_ONCE(waiting.bits[i]))
			return false;
	return true;
}

static void gp_begin_locked(void)
{
	u32 n = cpu_count();

	WRITE_ONCE(started, started + 1);
	gp_start_ns = gp_checked_ns = clock_now_ns();
	gp_cpu = cpu_id();
	has_stalled = false;
	for (u32 i = 0; i < n; i++) {
		cpuset_add(&waiting, i);
		WRITE_ONCE(cpu_local_of(i)->rcu_need_qs, 1);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* pairs with those of rcu_idle_enter and rcu_idle_exit */
	for (u32 i = 0; i < n; i++)
		if (READ_ONCE(cpu_var(rcu_cpu, i)->is_idle))
			cpuset_del(&waiting, i);
	soft_raise(SOFT_TIMER);		/* rcu_poll watches over it from here */
}

/* Tells the CPUs whose callbacks have become ready. */
static void gp_announce_locked(void)
{
	u32 n = cpu_count();

	for (u32 i = 0; i < n; i++) {
		struct rcu_cpu *rc = cpu_var(rcu_cpu, i);
		u64 gp = READ_ONCE(rc->wait_gp);

		if (!gp || gp > completed || READ_ONCE(rc->is_kicked))
			continue;
		STORE_RELEASE(rc->is_kicked, 1);
		if (i == cpu_id())
			soft_raise(SOFT_RCU);
		else
			ipi_reschedule(i);
	}
}

static void gp_end_if_over_locked(void)
{
	while (started != completed && waiting_is_empty()) {
		WRITE_ONCE(completed, started);
		gp_announce_locked();
		if (wanted > completed)
			gp_begin_locked();
	}
}

/* --- This CPU's part, interrupts disabled */

/* Callbacks gathered so far get a period. */
static void gather_end(struct rcu_cpu *rc)
{
	if (!rc->gathering.first || rc->waiting.first)
		return;
	list_move(&rc->waiting, &rc->gathering);
	rc->n_gathering = 0;
	rc->is_hurried = false;
	spin_lock_hard(&rcu_lock);
	WRITE_ONCE(rc->wait_gp, started + 1);
	wanted = started + 1;
	if (started == completed)
		gp_begin_locked();
	spin_unlock_hard(&rcu_lock);
}

static bool gather_is_due(const struct rcu_cpu *rc, u64 now_ns)
{
	return rc->gathering.first && (rc->is_hurried || rc->n_gathering >= GATHER_MAX || now_ns >= rc->gather_since_ns + GATHER_NS);
}

/* waiting → ready if its period is over; then the next batch may start waiting. */
static void lists_advance(struct rcu_cpu *rc)
{
	u64 gp = READ_ONCE(rc->wait_gp);

	if (gp && gp <= LOAD_ACQUIRE(completed)) {
		WRITE_ONCE(rc->wait_gp, 0);
		list_move(&rc->ready, &rc->waiting);
	}
	if (!rc->gathering.first)
		return;
	if (gather_is_due(rc, clock_now_ns()))
		gather_end(rc);
	else
		soft_raise(SOFT_TIMER);	/* rcu_poll knows when it is */
}

void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	struct rcu_cpu *rc;

	head->fn = fn;
	irq_disable();
	rc = this_cpu(rcu_cpu);
	WRITE_ONCE(rc->n_pending, rc->n_pending + 1);
	if (!rc->gathering.first) {
		rc->gather_since_ns = clock_now_ns();
		soft_raise(SOFT_TIMER);
	}
	list_append(&rc->gathering, head);
	if (++rc->n_gathering >= GATHER_MAX)
		gather_end(rc);
	irq_enable();
}

void rcu_hurry(void)
{
	struct rcu_cpu *rc;

	irq_disable();
	rc = this_cpu(rcu_cpu);
	rc->is_hurried = rc->gathering.first != NULL;
	gather_end(rc);
	irq_enable();
}

/* SOFT_RCU: runs some ready callbacks. */
static bool rcu_soft(void)
{
	struct rcu_cpu *rc;
	bool has_more;

	irq_disable();
	rc = this_cpu(rcu_cpu);
	WRITE_ONCE(rc->is_kicked, 0);
	lists_advance(rc);
	for (u32 i = 0; i < ITEM_CALLBACKS && rc->ready.first; i++) {
		struct rcu_head *head = rc->ready.first;

		rc->ready.first = head->next;
		irq_enable();
		head->fn(head);
		irq_disable();
		WRITE_ONCE(rc->n_pending, rc->n_pending - 1);
	}
	has_more = rc->ready.first != NULL;
	irq_enable();
	return has_more;
}

u64 rcu_pending(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < cpu_count(); i++)
		sum += READ_ONCE(cpu_var(rcu_cpu, i)->n_pending);
	return sum;
}

/* --- Quiescent states */

static void quiescent(void)
{
	CPU_LOCAL_->rcu_need_qs = 0;
	WRITE_ONCE(this_cpu(rcu_cpu)->is_urgent, 0);
	spin_lock_hard(&rcu_lock);
	cpuset_del(&waiting, cpu_id());
	gp_end_if_over_locked();
	spin_unlock_hard(&rcu_lock);
}

void rcu_quiescent(void)
{
	u64 pending;

	irq_disable();
	pending = CPU_LOCAL_->soft_pending;
	quiescent();
	/* Who called may go on to user mode or to sleep with interrupts off until then: soft work raised here must not be left. */
	if (CPU_LOCAL_->soft_pending & ~pending)
		ipi_reschedule(cpu_id());
	irq_enable();
}

void rcu_idle_enter(void)
{
	__atomic_store_n(&this_cpu(rcu_cpu)->is_idle, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (CPU_LOCAL_->rcu_need_qs)
		rcu_quiescent();
}

void rcu_idle_exit(void)
{
	struct rcu_cpu *rc = this_cpu(rcu_cpu);

	if (!READ_ONCE(rc->is_idle))
		return;
	__atomic_store_n(&rc->is_idle, 0, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void rcu_hard_enter(void)
{
	rcu_idle_exit();	/* the interrupt may read; cpu_idle_wait returns after it */
}

void rcu_hard_exit(void)
{
	struct rcu_cpu *rc = this_cpu(rcu_cpu);

	if (READ_ONCE(rc->is_kicked))
		CPU_LOCAL_->soft_pending |= 1ul << SOFT_RCU;
	if (!CPU_LOCAL_->rcu_need_qs)
		return;
	if (CPU_LOCAL_->preempt == 0)
		quiescent();	/* what was interrupted had nothing disabled: it is no reader */
	else if (READ_ONCE(rc->is_urgent))
		task_work_set(current_task(), TASK_WORK_RESCHED);	/* preempt_enable then passes the scheduler */
}

/* --- The clock */

/* True if the period is stuck, once. Interrupts CPUs that have not answered for a while. A CPU asleep or in user mode passes a quiescent state by taking the interrupt. */
static bool gp_chase_locked(u64 now_ns)
{
	for (u32 i = 0; i < cpu_count(); i++) {
		if (!cpuset_has(&waiting, i) || i == cpu_id())
			continue;	/* this CPU: rcu_hard_exit, or whatever it does next */
		WRITE_ONCE(cpu_var(rcu_cpu, i)->is_urgent, 1);
		ipi_reschedule(i);
	}
	if (cpuset_has(&waiting, cpu_id()))
		WRITE_ONCE(this_cpu(rcu_cpu)->is_urgent, 1);
	if (now_ns - gp_start_ns < STALL_NS || has_stalled)
		return false;
	has_stalled = true;
	return true;
}

bool rcu_poll(u64 now_ns, u64 *next_ns)
{
	struct rcu_cpu *rc;
	u64 next = ~0ull;
	bool is_stuck = false;

	irq_disable();
	rc = this_cpu(rcu_cpu);
	if (READ_ONCE(rc->wait_gp) && READ_ONCE(rc->wait_gp) <= LOAD_ACQUIRE(completed))
		soft_raise(SOFT_RCU);
	if (!rc->waiting.first && gather_is_due(rc, now_ns))
		gather_end(rc);
	if (rc->gathering.first && !rc->waiting.first)
		next = rc->gather_since_ns + GATHER_NS;
	spin_lock_hard(&rcu_lock);
	if (started != completed && gp_cpu == cpu_id()) {
		if (now_ns >= gp_checked_ns + STRAGGLER_NS) {
			gp_checked_ns = now_ns;
			is_stuck = gp_chase_locked(now_ns);
		}
		next = min(next, gp_checked_ns + STRAGGLER_NS);
	}
	spin_unlock_hard(&rcu_lock);
	irq_enable();
	if (is_stuck)
		klog(LOG_WARNING, "rcu: grace period %lu does not end, waits for CPUs %lx", READ_ONCE(started), READ_ONCE(waiting.bits[0]));
	*next_ns = next;
	return next != ~0ull;
}

void rcu_init(void)
{
	soft_register(SOFT_RCU, rcu_soft);
}
