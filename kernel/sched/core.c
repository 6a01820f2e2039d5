/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The scheduler: switching, sleeping, waking.
 *
 * Each CPU has a run queue with two classes, real-time above fair, and an idle loop for when both are empty. The running task stays counted on its
 * queue but is in no list or tree. There is no tick: what ends a slice is a one-shot timer, armed only while somebody else waits.
 *
 * The queue's lock is held across task_switch: taken by who leaves, released by who arrives (policy_switched). So whoever holds the lock of the
 * queue a task is on knows that the task either runs there or is off the CPU for good, registers saved: it may be woken, moved and stolen
 * without waiting for anything, and two CPUs that wake each other's half-switched tasks cannot meet.
 *
 * t->cpu says which queue's lock guards the task, on the queue or not. To change queues, t->cpu is set to the new CPU under the old lock, then
 * the new lock is taken and the task is enqueued. In between the task is TASK_RUNNING and on no queue: nobody else will wake, run
 * or move it; its affinity may change, so that is looked at again. Two locks at once are taken in CPU order (balance.c).
 *
 * Sleeping (sleep.c): sched_prepare_sleep sets the state, with a full barrier, while the task still runs; it then looks at its condition; schedule() takes it
 * off the queue if the state is still a sleeping one and no work bit forbids it. Waking, under the lock, sets TASK_RUNNING, and enqueues
 * unless the task had not got off yet. Preemption in the meantime leaves the task on the queue whatever its state.
 *
 * Lock order: wait queue → run queue → timer base. Nothing is woken with a run queue locked.
 */
#include <frame/clock.h>
#include <frame/ipi.h>
#include <frame/irq.h>
#include <frame/log.h>
#include <frame/policy.h>
#include <frame/preempt.h>
#include <frame/task.h>
#include "sched/run_queue.h"

PERCPU(struct run_queue, run_queues_) = { .lock = SPINLOCK_INIT("run queue"), .slice_armed_ns = SLICE_UNARMED };

struct run_queue *rq_lock_of(struct sched_task *t)
{
	for (;;) {
		u32 cpu = READ_ONCE(t->cpu);
		struct run_queue *rq = rq_of(cpu);

		spin_lock_hard(&rq->lock);
		if (likely(READ_ONCE(t->cpu) == cpu))
			return rq;
		spin_unlock_hard(&rq->lock);
	}
}

/* --- The queue */

static struct sched_task *task_of(struct sched_entity *se)
{
	return container_of(se, struct sched_task, se);
}

static struct task *running_task(const struct run_queue *rq)
{
	return rq->current ? &rq->current->actor.task : rq->idle;
}

void rq_resched(struct run_queue *rq)
{
	struct task *t = running_task(rq);

	if (task_work(t) & TASK_WORK_RESCHED)
		return;			/* its CPU is on the way, and will find what we did under this lock */
	task_work_set(t, TASK_WORK_RESCHED);
	if (rq->cpu != cpu_id())
		ipi_reschedule(rq->cpu);
}

void rq_update(struct run_queue *rq)
{
	struct sched_task *t = rq->current;
	u64 now = clock_now_ns(), delta;

	rq->now_ns = now;
	if (!t)
		return;
	delta = now - t->se.exec_start_ns;
	t->se.exec_start_ns = now;
	if ((s64)delta <= 0)
		return;
	WRITE_ONCE(t->se.sum_exec_ns, t->se.sum_exec_ns + delta);
	if (!t->on_rq)
		return;
	if (unlikely(task_is_rt(t))) {
		if (rt_charge(rq, t, delta))
			rq_resched(rq);
	} else {
		u64 deadline = t->se.deadline;

		fair_charge(&rq->fair, &t->se, delta);
		if (t->se.deadline != deadline && rq->n_running > 1)
			rq_resched(rq);
	}
}

static void rq_arm_slice(struct run_queue *rq)
{
	u64 at = SLICE_UNARMED;

	if (likely(rq->n_running < 2))
		return;			/* one that is armed already finds nothing to do */
	if (rq->fair.running && rq->fair.n > 1)
		at = rq->now_ns + fair_left_ns(rq->fair.running);
	if (unlikely(rq->rt.n))
		at = min(at, rt_event_ns(rq));
	if (at >= rq->slice_armed_ns)
		return;			/* armed for earlier: looks again then */
	rq->slice_armed_ns = at;
	timer_set(&rq->slice_timer, at);
}

/* Soft context, on whichever CPU armed it. */
void rq_slice_timer(struct timer *timer)
{
	struct run_queue *rq = container_of(timer, struct run_queue, slice_timer);

	spin_lock_hard(&rq->lock);
	rq->slice_armed_ns = SLICE_UNARMED;
	rq_update(rq);
	if (rq->current && !task_is_rt(rq->current) && rq->rt.n && rt_may_run(rq))
		rq_resched(rq);		/* throttling is over */
	if (!(task_work(running_task(rq)) & TASK_WORK_RESCHED))
		rq_arm_slice(rq);
	spin_unlock_hard(&rq->lock);
}

/* Is `t`, just enqueued, to run rather than the running task? */
static bool preempts(struct run_queue *rq, const struct sched_task *t)
{
	const struct sched_task *cur = rq->current;

	if (task_is_rt(t))
		return rt_may_run(rq) && (!task_is_rt(cur) || t->rt_priority > cur->rt_priority);
	if (task_is_rt(cur))
		return !rt_may_run(rq);
	if (cur->policy == SCHED_POLICY_IDLE && t->policy != SCHED_POLICY_IDLE)
		return true;
	if (t->policy != SCHED_POLICY_NORMAL)
		return false;		/* batch and idle tasks do not preempt (sched(7)) */
	return fair_preempts(&rq->fair, &t->se);
}

static void enqueue(struct run_queue *rq, struct sched_task *t, bool is_wake)
{
	if (unlikely(task_is_rt(t)))
		rt_enqueue(&rq->rt, t);
	else
		fair_enqueue(&rq->fair, &t->se, rq->now_ns, is_wake);
	t->on_rq = true;
	WRITE_ONCE(rq->n_running, rq->n_running + 1);
}

void rq_deactivate(struct run_queue *rq, struct sched_task *t)
{
	if (unlikely(task_is_rt(t)))
		rt_dequeue(&rq->rt, t, rq->current == t);
	else
		fair_dequeue(&rq->fair, &t->se, rq->now_ns);
	t->on_rq = false;
	WRITE_ONCE(rq->n_running, rq->n_running - 1);
}

void rq_activate(struct run_queue *rq, struct sched_task *t, bool is_wake, bool may_preempt)
{
	rq_update(rq);
	enqueue(rq, t, is_wake);
	stat_active();
	if (!rq->current || (may_preempt && preempts(rq, t)))
		rq_resched(rq);
	else
		rq_arm_slice(rq);
	if (rq->n_running > 1 && !rq->is_balancing && cpu_count() > 1)
		balance_begin(rq);
}

/* Puts a task that is on no queue (its state is RUNNING) on the queue of t->cpu; that may have ceased to be allowed. No lock held. */
void enqueue_unqueued(struct sched_task *t, bool is_wake, bool may_preempt)
{
	struct run_queue *rq;

	for (;;) {
		u32 cpu;

		rq = rq_of(READ_ONCE(t->cpu));
		spin_lock_hard(&rq->lock);
		if (likely(cpuset_has(&t->affinity, rq->cpu)))
			break;
		cpu = balance_any_cpu(&t->affinity, rq->cpu);
		WRITE_ONCE(t->cpu, cpu);
		spin_unlock_hard(&rq->lock);
	}
	rq_activate(rq, t, is_wake, may_preempt);
	spin_unlock_hard(&rq->lock);
}

/* --- Switching */

static struct sched_task *pick(struct run_queue *rq)
{
	struct sched_task *cur = rq->current, *first;

	if (unlikely(rq->rt.n) && rt_may_run(rq)) {
		first = rt_first(&rq->rt);
		if (!cur || !cur->on_rq || !task_is_rt(cur))
			return first;
		if (!first || first->rt_priority < cur->rt_priority || (first->rt_priority == cur->rt_priority && !cur->to_tail)) {
			cur->to_tail = false;
			return cur;
		}
		return first;
	}
	return rq->fair.n ? task_of(fair_pick(&rq->fair)) : NULL;
}

/* Queue bookkeeping for the change of the running task. */
static void change_current(struct run_queue *rq, struct sched_task *prev, struct sched_task *next)
{
	if (prev && prev->on_rq && unlikely(task_is_rt(prev)))
		rt_put_back(&rq->rt, prev);
	if (next && unlikely(task_is_rt(next)))
		rt_take(&rq->rt, next);
	fair_run(&rq->fair, next && !task_is_rt(next) ? &next->se : NULL);
	if (next)
		next->se.exec_start_ns = rq->now_ns;
	if (prev && prev->switch_work)
		task_work_set(&prev->actor.task, prev->switch_work);
	WRITE_ONCE(rq->current, next);
	WRITE_ONCE(rq->urgency, next ? next->rt_priority : -1);
	WRITE_ONCE(rq->n_switches, rq->n_switches + 1);
}

/* The running task asked to sleep: takes it off the queue, unless something came up. */
static void put_to_sleep(struct run_queue *rq, struct sched_task *t)
{
	u32 state = t->state;

	if (task_work(&t->actor.task) & sleep_ending_work(state, t->sleep_kind)) {
		WRITE_ONCE(t->state, TASK_RUNNING);
		return;
	}
	t->n_voluntary++;
	if (state == TASK_BLOCKED) {
		t->is_blocked = true;
		WRITE_ONCE(rq->n_blocked, rq->n_blocked + 1);
		if (t->in_iowait) {
			t->is_iowait = true;
			WRITE_ONCE(rq->n_iowait, rq->n_iowait + 1);
		}
	}
	rq_deactivate(rq, t);
}

/* Off to the queue of another CPU, because its affinity forbids this one. A stop or death about to begin goes first. */
static void push_away(struct run_queue *rq, struct sched_task *t)
{
	if (t->state > TASK_BLOCKED)
		return;
	WRITE_ONCE(t->state, TASK_RUNNING);	/* about to sleep: looks at its condition again instead */
	rq_deactivate(rq, t);
	rq->push = t;
}

/* Task context, nothing disabled. is_preempt: the current task did not ask, and stays on the queue. */
static void schedule_common(bool is_preempt)
{
	struct sched_task *prev, *next;
	struct run_queue *rq;

	irq_disable();
	rq = this_rq();
	spin_lock_hard(&rq->lock);
	rq_update(rq);
	prev = rq->current;
	if (task_work(running_task(rq)) & TASK_WORK_RESCHED)
		task_work_clear(running_task(rq), TASK_WORK_RESCHED);
	if (prev) {
		if (!is_preempt && prev->state != TASK_RUNNING)
			put_to_sleep(rq, prev);
		if (prev->on_rq && unlikely(!cpuset_has(&prev->affinity, rq->cpu)))
			push_away(rq, prev);
	}
	next = pick(rq);
	if (next == prev && (!prev || prev->on_rq)) {
		rq_arm_slice(rq);
		spin_unlock_hard(&rq->lock);
	} else {
		if (prev && prev->on_rq)
			prev->n_involuntary++;
		change_current(rq, prev, next);
		rq_arm_slice(rq);
		task_switch(running_task(rq));	/* returns on any CPU, long after; the lock was released in policy_switched */
	}
	irq_enable();
}

/* On the new task's stack, this CPU's queue locked by the former task. */
void policy_switched(struct task *prev)
{
	struct run_queue *rq = this_rq();
	struct sched_task *push = rq->push, *t = sched_task_of(prev);
	bool is_rt_waiting = rq->rt.n && rt_first(&rq->rt);

	stat_switched(rq, t);
	rq->push = NULL;
	if (push)
		WRITE_ONCE(push->cpu, balance_any_cpu(&push->affinity, rq->cpu));
	if (unlikely(t->state == TASK_DEAD) && !t->on_rq) {
		list_push_back(&rq->dead, &t->rt_node);
		soft_raise(SOFT_SCHED);
	}
	spin_unlock_hard(&rq->lock);
	if (push)
		enqueue_unqueued(push, false, true);
	if (is_rt_waiting && cpu_count() > 1)
		soft_raise(SOFT_SCHED);
}

/* SOFT_SCHED: buries the dead, one an item; then sees whether waiting real-time tasks can run elsewhere. */
bool sched_soft(void)
{
	struct run_queue *rq = this_rq();
	struct list *node;

	irq_disable();
	node = list_pop_front(&rq->dead);
	irq_enable();
	if (node) {
		struct sched_task *t = container_of(node, struct sched_task, rt_node);

		t->dead(t);
		return true;
	}
	return balance_rt_push();
}

void policy_reschedule(void)
{
	schedule_common(true);
}

void schedule(void)
{
	might_sleep();
	schedule_common(false);
}

void sched_check(void)
{
	might_sleep();
	if (task_work(current_task()) & TASK_WORK_RESCHED)
		schedule_common(true);
}

void sched_yield(void)
{
	struct run_queue *rq;
	struct sched_task *t;

	might_sleep();
	irq_disable();
	rq = this_rq();
	spin_lock_hard(&rq->lock);
	rq_update(rq);
	t = rq->current;
	if (t && task_is_rt(t))
		t->to_tail = true;
	else if (t)
		fair_yield(&rq->fair);
	spin_unlock_hard(&rq->lock);
	irq_enable();
	schedule_common(true);
}

void sched_exit(void)
{
	struct sched_task *t = current_sched();

	might_sleep();
	WRITE_ONCE(t->state, TASK_DEAD);
	schedule_common(false);
	panic("a dead task runs");
}
