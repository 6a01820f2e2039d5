/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which CPU: placement when a task wakes or is born, and moving tasks later.
 *
 * Placement: the former CPU if it idles (its caches know the task), the waker's for a synchronous wake, else any idle CPU, else the former one;
 * a new task goes to the least loaded. An idle CPU steals a waiting task before it goes to sleep. A CPU with more than one runnable task
 * looks every BALANCE_NS whether others have less to do, and gives: by weight, so that heavier tasks find quieter CPUs; when weights cannot
 * get more even (three hogs on two CPUs), every EVEN_ROUNDS-th time it swaps sides, so that in the long run everybody gets the same. No timer runs
 * for this on a CPU with one task or none.
 *
 * Load figures are read without locks and are hints. Moving holds both queues' locks, taken in CPU order.
 */
#include <frame/clock.h>
#include <frame/log.h>
#include "sched/run_queue.h"

#define BALANCE_NS 20000000ull
#define EVEN_ROUNDS 8u
#define SCAN_MAX 32u			/* waiting tasks looked at for one that may move */
#define MOVES_MAX 8u
#define RT_LOAD 100000ull		/* a real-time task weighs more than any fair one */

static bool cpu_is_usable(const struct cpuset *allowed, u32 cpu)
{
	return cpuset_has(allowed, cpu) && READ_ONCE(rq_of(cpu)->is_online);
}

static u64 load_of(u32 cpu)
{
	const struct run_queue *rq = rq_of(cpu);

	return READ_ONCE(rq->fair.weight) + READ_ONCE(rq->rt.n) * RT_LOAD;
}

static bool find_idle(const struct cpuset *allowed, u32 from, u32 *out)
{
	u32 n = cpu_count(), cpu = from;

	for (u32 i = 0; i < n; i++, cpu = cpu + 1 < n ? cpu + 1 : 0) {
		if (READ_ONCE(rq_of(cpu)->n_running) == 0 && cpu_is_usable(allowed, cpu)) {
			*out = cpu;
			return true;
		}
	}
	return false;
}

u32 balance_any_cpu(const struct cpuset *allowed, u32 preferred)
{
	u32 best = ~0u;
	u64 least = ~0ull;

	for (u32 cpu = 0; cpu < cpu_count(); cpu++) {
		u64 load = load_of(cpu);

		if (cpu_is_usable(allowed, cpu) && (load < least || (load == least && cpu == preferred))) {
			best = cpu;
			least = load;
		}
	}
	BUG_ON(best == ~0u);		/* sched_set_affinity keeps an online CPU in every set */
	return best;
}

/* The allowed CPU that runs the least urgent task, if that is less urgent than `priority`. */
static bool find_less_urgent(const struct sched_task *t, u32 from, u32 *out)
{
	s32 least = t->rt_priority;
	u32 n = cpu_count(), cpu = from;

	for (u32 i = 0; i < n; i++, cpu = cpu + 1 < n ? cpu + 1 : 0) {
		s32 urgency = READ_ONCE(rq_of(cpu)->urgency);

		if (urgency < least && cpu_is_usable(&t->affinity, cpu)) {
			least = urgency;
			*out = cpu;
		}
	}
	return least < t->rt_priority;
}

u32 balance_wake_cpu(const struct sched_task *t, bool is_sync)
{
	u32 prev = t->cpu, here = cpu_id(), cpu;

	if (cpu_count() == 1)
		return prev;
	if (is_sync && READ_ONCE(rq_of(here)->n_running) <= 1 && cpu_is_usable(&t->affinity, here))
		return here;
	if (find_idle(&t->affinity, prev, &cpu))
		return cpu;
	if (task_is_rt(t) && find_less_urgent(t, prev, &cpu))
		return cpu;
	return cpu_is_usable(&t->affinity, prev) ? prev : balance_any_cpu(&t->affinity, here);
}

u32 balance_fork_cpu(const struct sched_task *t)
{
	return balance_any_cpu(&t->affinity, cpu_id());
}

/* --- Moving */

static void lock_two(struct run_queue *a, struct run_queue *b)
{
	spin_lock_hard(a->cpu < b->cpu ? &a->lock : &b->lock);
	spin_lock_hard_nested(a->cpu < b->cpu ? &b->lock : &a->lock, 1);
}

static void unlock_two(struct run_queue *a, struct run_queue *b)
{
	spin_unlock_hard(&a->lock);
	spin_unlock_hard(&b->lock);
}

static void move(struct run_queue *from, struct run_queue *to, struct sched_task *t)
{
	rq_deactivate(from, t);
	WRITE_ONCE(t->cpu, to->cpu);
	rq_activate(to, t, false, true);
}

/* Moves one waiting task that may run there and weighs no more than that. Both locked and up to date. */
static bool move_one(struct run_queue *from, struct run_queue *to, u64 max_weight)
{
	struct sched_task *t = rt_first(&from->rt);
	struct rb_node *node;
	u32 scanned = 0;

	if (t && max_weight >= RT_LOAD && cpuset_has(&t->affinity, to->cpu)) {
		move(from, to, t);
		return true;
	}
	for (node = rb_first(&from->fair.tree); node && scanned < SCAN_MAX; node = rb_next(node), scanned++) {
		struct sched_entity *se = container_of(node, struct sched_entity, node);

		t = container_of(se, struct sched_task, se);
		if (se->weight <= max_weight && cpuset_has(&t->affinity, to->cpu)) {
			move(from, to, t);
			return true;
		}
	}
	return false;
}

bool balance_steal(struct run_queue *rq)
{
	u32 n = cpu_count(), cpu = rq->cpu;

	for (u32 i = 1; i < n; i++) {
		struct run_queue *from;
		bool has_moved = false;

		cpu = cpu + 1 < n ? cpu + 1 : 0;
		from = rq_of(cpu);
		if (READ_ONCE(from->n_running) < 2 || !READ_ONCE(from->is_online))
			continue;
		lock_two(rq, from);
		if (!rq->n_running && from->n_running >= 2) {
			rq_update(from);
			rq_update(rq);
			has_moved = move_one(from, rq, ~0ull);
		}
		unlock_two(rq, from);
		if (has_moved)
			return true;
	}
	return READ_ONCE(rq->n_running) != 0;
}

/* Gives tasks from one to another while that makes them more even; even out of turn: also if it only swaps sides. */
static void even_out(struct run_queue *from, struct run_queue *to, bool may_swap)
{
	lock_two(from, to);
	rq_update(from);
	rq_update(to);
	for (u32 i = 0; i < MOVES_MAX && from->n_running > 1; i++) {
		u64 here = load_of(from->cpu), there = load_of(to->cpu);

		if (here <= there || !move_one(from, to, here - there - (may_swap ? 0 : 1)))
			break;
		may_swap = false;
	}
	unlock_two(from, to);
}

void balance_begin(struct run_queue *rq)
{
	rq->is_balancing = true;
	timer_set(&rq->balance_timer, rq->now_ns + BALANCE_NS);
}

void balance_timer_fn(struct timer *timer)
{
	struct run_queue *rq = container_of(timer, struct run_queue, balance_timer);
	u32 n = cpu_count(), cpu = rq->cpu, round = ++rq->n_balanced;

	for (u32 i = 1; i < n && READ_ONCE(rq->n_running) > 1; i++) {
		cpu = cpu + 1 < n ? cpu + 1 : 0;
		if (READ_ONCE(rq_of(cpu)->is_online) && load_of(cpu) < load_of(rq->cpu))
			even_out(rq, rq_of(cpu), round % EVEN_ROUNDS == 0);
	}
	spin_lock_hard(&rq->lock);
	rq->is_balancing = false;
	if (rq->n_running > 1) {
		rq_update(rq);
		balance_begin(rq);
	}
	spin_unlock_hard(&rq->lock);
}

bool balance_rt_push(void)
{
	struct run_queue *rq = this_rq(), *to;
	struct sched_task *t;
	bool has_target;
	u32 cpu = 0;

	spin_lock_hard(&rq->lock);
	t = rt_first(&rq->rt);
	has_target = t && find_less_urgent(t, rq->cpu, &cpu) && cpu != rq->cpu;
	spin_unlock_hard(&rq->lock);
	if (!has_target)
		return false;
	to = rq_of(cpu);
	lock_two(rq, to);
	rq_update(rq);
	rq_update(to);
	t = rt_first(&rq->rt);
	if (t && t->rt_priority > to->urgency && cpuset_has(&t->affinity, cpu))
		move(rq, to, t);
	else
		has_target = false;
	unlock_two(rq, to);
	return has_target;
}
