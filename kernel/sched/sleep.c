/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sleeping, stopping, waking: the protocol of sync/policy.h. core.c tells how it fits with switching.
 *
 * Against lost wake-ups: the sleeper sets its state, fences, looks at its condition (and at its work bits, in schedule); the waker changes the condition
 * (or sets work bits), fences, looks at the state. One of them sees the other. States change from asleep to RUNNING under the lock of the task's
 * run queue, or by the task itself.
 */
#include <frame/clock.h>
#include <frame/ipi.h>
#include <frame/log.h>
#include <frame/preempt.h>
#include <frame/task.h>
#include "sched/run_queue.h"

#define STATE(s) (1u << (s))
#define ASLEEP (STATE(TASK_SLEEPING) | STATE(TASK_BLOCKED))

/* Work that does not let this kind of sleep begin, or ends it. */
u32 sleep_ending_work(u32 state, u32 kind)
{
	if (state == TASK_SLEEPING)
		return TASK_WORK_SIGNAL | TASK_WORK_KILL | TASK_WORK_STOP | TASK_WORK_NOTIFY;
	if (state == TASK_STOPPED || state == TASK_TRACED || (state == TASK_BLOCKED && kind == SLEEP_KILLABLE))
		return TASK_WORK_KILL;
	return 0;
}

static void set_state(struct sched_task *t, enum sched_state state)
{
	__atomic_store_n(&t->state, (u32)state, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* before the condition is looked at; pairs with wake_from and sched_notify */
}

void sched_prepare_sleep(enum sleep_kind kind)
{
	struct sched_task *t = current_sched();

	might_sleep();
	WRITE_ONCE(t->sleep_kind, (u32)kind);
	set_state(t, kind == SLEEP_INTERRUPTIBLE ? TASK_SLEEPING : TASK_BLOCKED);
}

void sched_cancel_sleep(void)
{
	WRITE_ONCE(current_sched()->state, TASK_RUNNING);
}

struct sleep_timer {
	struct timer timer;
	struct task *task;
	bool is_over;		/* [a] */
};

static void sleep_over(struct timer *t)
{
	struct sleep_timer *s = container_of(t, struct sleep_timer, timer);

	STORE_RELEASE(s->is_over, true);
	(void)sched_wake(s->task);
}

bool sched_sleep_until(u64 deadline_ns)
{
	struct sleep_timer s;

	if (deadline_ns == SLEEP_FOREVER) {
		schedule();
		return true;
	}
	if (READ_ONCE(current_sched()->state) == TASK_RUNNING) {
		sched_check();
		return true;
	}
	if (deadline_ns <= clock_now_ns()) {
		sched_cancel_sleep();
		sched_check();
		return false;
	}
	s.task = current_task();
	s.is_over = false;
	timer_init(&s.timer, sleep_over);
	timer_set(&s.timer, deadline_ns);
	schedule();
	(void)timer_cancel_sync(&s.timer);
	return !LOAD_ACQUIRE(s.is_over);
}

void sched_prepare_stop(enum sched_state state)
{
	BUG_ON(state != TASK_STOPPED && state != TASK_TRACED);
	set_state(current_sched(), state);
}

void sched_stop_prepared(void)
{
	schedule();
	sched_cancel_sleep();
}

/* --- Waking */

/* True if the task was in one of the states: it is RUNNING now, and queued unless it had not got off its CPU. */
static bool wake_from(struct sched_task *t, u32 states, bool is_sync)
{
	struct run_queue *rq;
	u32 cpu;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* what it waits for is visible before its state is read; pairs with set_state */
	if (!(states & STATE(READ_ONCE(t->state))))
		return false;
	rq = rq_lock_of(t);
	if (!(states & STATE(t->state))) {
		spin_unlock_hard(&rq->lock);
		return false;
	}
	WRITE_ONCE(t->state, TASK_RUNNING);
	if (t->on_rq) {
		spin_unlock_hard(&rq->lock);
		return true;
	}
	if (t->is_blocked) {
		t->is_blocked = false;
		WRITE_ONCE(rq->n_blocked, rq->n_blocked - 1);
		if (t->is_iowait)
			WRITE_ONCE(rq->n_iowait, rq->n_iowait - 1);
		t->is_iowait = false;
	}
	cpu = balance_wake_cpu(t, is_sync);
	if (cpu == rq->cpu) {
		rq_activate(rq, t, true, !is_sync || rq->cpu != cpu_id() || task_is_rt(t));
		spin_unlock_hard(&rq->lock);
		return true;
	}
	WRITE_ONCE(t->cpu, cpu);
	spin_unlock_hard(&rq->lock);
	enqueue_unqueued(t, true, !is_sync || cpu != cpu_id() || task_is_rt(t));
	return true;
}

bool sched_wake(struct task *t)
{
	return wake_from(sched_task_of(t), ASLEEP, false);
}

bool sched_wake_sync(struct task *t)
{
	return wake_from(sched_task_of(t), ASLEEP, true);
}

bool sched_wake_stopped(struct sched_task *t)
{
	return wake_from(t, STATE(TASK_STOPPED) | STATE(TASK_TRACED), false);
}

void sched_notify(struct task *task, u32 work)
{
	struct sched_task *t = sched_task_of(task);
	u32 state, cpu;

	task_work_set(task, work);			/* a full barrier: before the state is read */
	state = READ_ONCE(t->state);
	if (sleep_ending_work(state, READ_ONCE(t->sleep_kind)) & work) {
		(void)wake_from(t, STATE(state), false);
		return;
	}
	cpu = READ_ONCE(t->cpu);
	if (state == TASK_RUNNING && READ_ONCE(rq_of(cpu)->current) == t && task != current_task())
		ipi_reschedule(cpu);			/* out of user mode; harmless if it is in the kernel */
}

bool sched_runs_elsewhere(const struct task *t, u32 cpu)
{
	const struct sched_task *current = READ_ONCE(rq_of(cpu)->current);

	return cpu_id() != cpu && current && &current->actor.task == t;
}

bool sched_in_idle(void)
{
	bool is_idle;

	preempt_disable();
	is_idle = !this_rq()->idle || current_task() == this_rq()->idle;	/* none: before sched_init */
	preempt_enable_no_resched();
	return is_idle;
}
