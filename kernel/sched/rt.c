/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The real-time classes, SCHED_FIFO and SCHED_RR (sched(7)): a list a priority and a bitmap of those not empty.
 *
 * The running task is on no list; preempted, it goes back to the head of its list, having yielded or used up its round-robin slice to the
 * tail. Throttling as sched(7) has it: of each second real-time tasks together get 950 ms while fair tasks wait on the same CPU, so that
 * a runaway one leaves a shell alive. Locking: the run queue's lock.
 */
#include <frame/log.h>
#include "sched/run_queue.h"

#define PERIOD_NS 1000000000ull		/* sched_rt_period_us, sched_rt_runtime_us */
#define RUNTIME_NS 950000000ull

void rt_init(struct rt_queue *q)
{
	for (u32 i = 0; i < RT_LEVELS; i++)
		list_init(&q->lists[i]);
}

static u32 level_of(const struct sched_task *t)
{
	return RT_LEVELS - (u32)t->rt_priority;
}

static void list_in(struct rt_queue *q, struct sched_task *t, bool at_head)
{
	u32 level = level_of(t);

	if (at_head)
		list_push_front(&q->lists[level], &t->rt_node);
	else
		list_push_back(&q->lists[level], &t->rt_node);
	q->levels[level / 64] |= 1ul << (level % 64);
}

static void list_out(struct rt_queue *q, struct sched_task *t)
{
	u32 level = level_of(t);

	list_del(&t->rt_node);
	if (list_empty(&q->lists[level]))
		q->levels[level / 64] &= ~(1ul << (level % 64));
}

void rt_enqueue(struct rt_queue *q, struct sched_task *t)
{
	if (!t->se.slice_ns || t->se.slice_ns > RR_SLICE_NS)
		t->se.slice_ns = RR_SLICE_NS;
	q->n++;
	list_in(q, t, false);
}

void rt_dequeue(struct rt_queue *q, struct sched_task *t, bool is_running)
{
	q->n--;
	if (!is_running)
		list_out(q, t);
}

void rt_put_back(struct rt_queue *q, struct sched_task *t)
{
	list_in(q, t, !t->to_tail);
	t->to_tail = false;
}

void rt_take(struct rt_queue *q, struct sched_task *t)
{
	list_out(q, t);
}

struct sched_task *rt_first(const struct rt_queue *q)
{
	for (u32 i = 0; i < ARRAY_SIZE(q->levels); i++)
		if (q->levels[i])
			return list_first_entry(&q->lists[i * 64 + (u32)__builtin_ctzl(q->levels[i])], struct sched_task, rt_node);
	return NULL;
}

static void throttle_end_if_over(struct rt_queue *q, u64 now_ns)
{
	if (!q->is_throttled || now_ns - q->period_start_ns < PERIOD_NS)
		return;
	q->period_start_ns = now_ns;
	q->used_ns = 0;
	q->is_throttled = false;
}

/* The charge may come late: what counts is the time used, and fair tasks get their part of the period in full after it. */
static void throttle_charge(struct rt_queue *q, u64 now_ns, u64 delta_ns)
{
	if (now_ns - delta_ns - q->period_start_ns >= PERIOD_NS && !q->is_throttled) {
		q->period_start_ns = now_ns - delta_ns;
		q->used_ns = 0;
	}
	q->used_ns += delta_ns;
	if (q->used_ns >= RUNTIME_NS && !q->is_throttled) {
		q->is_throttled = true;
		q->period_start_ns = now_ns - RUNTIME_NS;
	}
	throttle_end_if_over(q, now_ns);
}

bool rt_charge(struct run_queue *rq, struct sched_task *t, u64 delta_ns)
{
	struct rt_queue *q = &rq->rt;
	u32 level = level_of(t);

	throttle_charge(q, rq->now_ns, delta_ns);
	if (t->policy == SCHED_POLICY_RR) {
		if (delta_ns < t->se.slice_ns) {
			t->se.slice_ns -= delta_ns;
		} else {
			t->se.slice_ns = RR_SLICE_NS;
			t->to_tail = true;
			if (!list_empty(&q->lists[level]))
				return true;
		}
	}
	return q->is_throttled && rq->fair.n;
}

bool rt_may_run(struct run_queue *rq)
{
	if (!rq->rt.is_throttled)
		return true;
	throttle_end_if_over(&rq->rt, rq->now_ns);
	return !rq->rt.is_throttled || !rq->fair.n;
}

u64 rt_event_ns(const struct run_queue *rq)
{
	const struct rt_queue *q = &rq->rt;
	const struct sched_task *t = rq->current;
	u64 at = ~0ull;

	if (!q->n)
		return at;
	if (!t || !task_is_rt(t))
		return q->period_start_ns + PERIOD_NS;		/* throttled: fair tasks have the rest of the period */
	if (rq->fair.n)
		at = rq->now_ns + (q->used_ns < RUNTIME_NS ? RUNTIME_NS - q->used_ns : 0);
	if (t->policy == SCHED_POLICY_RR && !list_empty(&q->lists[level_of(t)]))
		at = min(at, rq->now_ns + t->se.slice_ns);
	return at;
}
