/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A task's life as the scheduler sees it, and its parameters: policy, priority, nice, affinity.
 *
 * Changing a parameter of a queued task takes it off its queue, changes it, and puts it back, under the queue's lock; of a running one, likewise
 * without its leaving the CPU.
 */
#include <frame/clock.h>
#include <frame/log.h>
#include <frame/preempt.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "sched/run_queue.h"

static void set_weight_fields(struct sched_task *t)
{
	fair_set_weight(NULL, &t->se, fair_weight_of(t->policy, t->nice));
}

/* Policy, nice and affinity of the current task, or the defaults for the first ones. */
static void inherit(struct sched_task *t)
{
	const struct sched_task *from = sched_in_idle() ? NULL : current_sched();

	if (from) {
		t->policy = t->own_policy = from->own_policy;
		t->nice = from->nice;
		t->rt_priority = t->own_rt_priority = from->own_rt_priority;
		t->affinity = from->affinity;
	} else {
		memset(&t->affinity, 0xff, sizeof(t->affinity));
	}
	if (!from || !from->reset_on_fork)
		return;
	if (task_is_rt(t)) {		/* sched(7), "Resetting scheduling policy for child processes" */
		t->policy = t->own_policy = SCHED_POLICY_NORMAL;
		t->rt_priority = t->own_rt_priority = 0;
	}
	t->nice = max(t->nice, 0);
}

int sched_task_init(struct sched_task *t, void (*fn)(void *arg), void *arg, bool is_user)
{
	int err = task_init(&t->actor.task, fn, arg, is_user);

	if (err)
		return err;
	list_init(&t->rt_node);
	t->state = TASK_NEW;
	fair_init_entity(&t->se);
	inherit(t);
	set_weight_fields(t);
	t->cpu = 0;
	t->start_ns = clock_now_ns();
	return 0;
}

void sched_task_abort(struct sched_task *t)
{
	BUG_ON(t->state != TASK_NEW);
	task_fini(&t->actor.task);
}

void sched_start(struct sched_task *t)
{
	BUG_ON(t->state != TASK_NEW);
	if (!t->actor.is_kthread)
		stat_count_fork();
	preempt_disable();
	WRITE_ONCE(t->cpu, balance_fork_cpu(t));
	WRITE_ONCE(t->state, TASK_RUNNING);
	enqueue_unqueued(t, false, true);
	preempt_enable();
}

/* The child of fork gains nothing from running first on this CPU: both have to be served, and an idle CPU takes it at once. */
void sched_start_and_yield(struct sched_task *t)
{
	sched_start(t);
}

/* Runs change(t) with t off its queue. */
static void reconfigure(struct sched_task *t, void (*change)(struct sched_task *t, const void *arg), const void *arg)
{
	struct run_queue *rq = rq_lock_of(t);
	bool was_queued = t->on_rq, is_running = rq->current == t;

	rq_update(rq);
	if (was_queued)
		rq_deactivate(rq, t);
	change(t, arg);
	if (was_queued) {
		rq_activate(rq, t, false, true);
		if (is_running) {
			if (task_is_rt(t))
				rt_take(&rq->rt, t);
			else
				fair_run(&rq->fair, &t->se);
			WRITE_ONCE(rq->urgency, t->rt_priority);
			rq_resched(rq);		/* somebody else may be better now */
		}
	}
	spin_unlock_hard(&rq->lock);
}

struct policy_change {
	u32 policy;
	s32 rt_priority;
};

/* Its own policy, or what it has been lent. */
static void set_effective(struct sched_task *t)
{
	bool is_boosted = t->boost > t->own_rt_priority;

	t->policy = is_boosted && !policy_is_rt(t->own_policy) ? SCHED_POLICY_FIFO : t->own_policy;
	t->rt_priority = is_boosted ? t->boost : t->own_rt_priority;
	t->to_tail = false;
	t->se.slice_ns = policy_is_rt(t->policy) ? RR_SLICE_NS : SLICE_NS;
	set_weight_fields(t);
}

static void change_policy(struct sched_task *t, const void *arg)
{
	const struct policy_change *to = arg;

	t->own_policy = to->policy;
	t->own_rt_priority = to->rt_priority;
	set_effective(t);
}

static void change_boost(struct sched_task *t, const void *arg)
{
	t->boost = *(const s32 *)arg;
	set_effective(t);
}

static void change_nice(struct sched_task *t, const void *arg)
{
	t->nice = *(const s32 *)arg;
	set_weight_fields(t);
}

int sched_set_policy(struct sched_task *t, enum sched_policy p, s32 rt_priority)
{
	struct policy_change to = { .policy = p, .rt_priority = rt_priority };

	switch (p) {
	case SCHED_POLICY_FIFO:
	case SCHED_POLICY_RR:
		if (rt_priority < 1 || rt_priority > RT_LEVELS)
			return -EINVAL;
		break;
	case SCHED_POLICY_NORMAL:
	case SCHED_POLICY_BATCH:
	case SCHED_POLICY_IDLE:
		if (rt_priority)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	reconfigure(t, change_policy, &to);
	return 0;
}

void sched_set_boost(struct sched_task *t, s32 rt_priority)
{
	reconfigure(t, change_boost, &rt_priority);
}

void sched_set_nice(struct sched_task *t, s32 nice)
{
	nice = clamp(nice, -20, 19);
	reconfigure(t, change_nice, &nice);
}

static bool has_online(const struct cpuset *cpus)
{
	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		if (cpuset_has(cpus, cpu) && READ_ONCE(rq_of(cpu)->is_online))
			return true;
	return false;
}

int sched_set_affinity(struct sched_task *t, const struct cpuset *cpus)
{
	struct run_queue *rq;
	bool must_move = false;

	if (!has_online(cpus))
		return -EINVAL;
	rq = rq_lock_of(t);
	for (u32 i = 0; i < ARRAY_SIZE(cpus->bits); i++)
		WRITE_ONCE(t->affinity.bits[i], cpus->bits[i]);
	if (t->on_rq && !cpuset_has(cpus, rq->cpu)) {
		if (rq->current == t) {
			rq_resched(rq);		/* schedule() sends it on */
		} else if (t->state <= TASK_BLOCKED) {
			rq_update(rq);
			WRITE_ONCE(t->state, TASK_RUNNING);	/* preempted while about to sleep: it looks again */
			rq_deactivate(rq, t);
			WRITE_ONCE(t->cpu, balance_any_cpu(cpus, rq->cpu));
			must_move = true;
		}
	}
	spin_unlock_hard(&rq->lock);
	if (must_move)
		enqueue_unqueued(t, false, true);
	return 0;
}

u64 sched_rr_interval_ns(const struct sched_task *t)
{
	if (READ_ONCE(t->own_policy) == SCHED_POLICY_FIFO)
		return 0;
	return READ_ONCE(t->own_policy) == SCHED_POLICY_RR ? RR_SLICE_NS : SLICE_NS;
}

u64 sched_cpu_time_ns(const struct sched_task *t)
{
	for (;;) {
		u32 cpu = READ_ONCE(t->cpu);
		struct run_queue *rq = rq_of(cpu);
		u64 sum;
		bool is_right;

		spin_lock_hard(&rq->lock);
		is_right = READ_ONCE(t->cpu) == cpu;
		sum = t->se.sum_exec_ns;
		if (rq->current == t) {
			u64 now = clock_now_ns();

			sum += now - min(now, t->se.exec_start_ns);
		}
		spin_unlock_hard(&rq->lock);
		if (is_right)
			return sum;
	}
}
