/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The fair class: earliest eligible virtual deadline first (Stoica and Abdel-Wahab, 1995).
 *
 * Each entity has a weight and a virtual time that runs at 1024/weight of its time on the CPU. V, the weighted mean of all virtual times on the
 * queue, is where a perfectly fair machine would have everybody; lag = V − vruntime is what an entity is owed. It may run when it is owed something
 * (eligible), and asks for slices: a request's deadline is its vruntime at the start plus the slice in virtual time. Among the eligible the earliest
 * deadline runs. So shares are by weight, and nobody is ever more than a slice away from his due.
 *
 * V is kept as a sum relative to a moving base; eligibility then is one multiplication. The tree is by deadline, each node knowing the least vruntime
 * below it, so the pick is one walk down. The running entity stays out of the tree but counts in sum and weight.
 *
 * Who leaves the queue takes its lag along and gets it back where it joins again, so neither sleeping nor migrating gains or loses; sleeping
 * pays debts off as time passes, and up to half a slice of credit, so that who sleeps much is served quickly when it wakes.
 *
 * Functions take a fair_queue and entities, not tasks: a group will be an entity with a queue of its own. Locking: the run queue's lock.
 */
#include <lib/math64.h>
#include <frame/log.h>
#include "sched/run_queue.h"

#define UNIT 1024u				/* weight of nice 0 */
#define IDLE_WEIGHT 3u				/* SCHED_IDLE */
#define REBASE (1ll << 30)			/* ns that V may be away from base */

/* Nice −20 … 19: each step is a factor of 1.25 (setpriority(2), sched(7)); 1024 at 0. */
static const u32 nice_weight[40] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
	9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991, 1586, 1277,
	1024, 820, 655, 526, 423, 335, 272, 215, 172, 137,
	110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
};

u32 fair_weight_of(u32 policy, s32 nice)
{
	return policy == SCHED_POLICY_IDLE ? IDLE_WEIGHT : nice_weight[nice + 20];
}

/* Real to virtual ns. */
static u64 to_virtual(const struct sched_entity *se, u64 ns)
{
	return likely(se->weight == UNIT) ? ns : mul_u64_u64_shr(ns, (u64)se->inverse * UNIT, 32);
}

static struct sched_entity *entity_of(const struct rb_node *node)
{
	return container_of(node, struct sched_entity, node);
}

static bool deadline_less(const struct rb_node *a, const struct rb_node *b)
{
	return (s64)(entity_of(a)->deadline - entity_of(b)->deadline) < 0;
}

static void update_min(struct rb_node *node)
{
	struct sched_entity *se = entity_of(node);
	u64 least = se->vruntime;

	if (node->left && (s64)(entity_of(node->left)->min_vruntime - least) < 0)
		least = entity_of(node->left)->min_vruntime;
	if (node->right && (s64)(entity_of(node->right)->min_vruntime - least) < 0)
		least = entity_of(node->right)->min_vruntime;
	se->min_vruntime = least;
}

static const struct rb_augment augment = { .update = update_min };

static u64 mean(const struct fair_queue *fq)
{
	s64 w = (s64)fq->weight, d;

	if (!w)
		return fq->base;
	d = fq->sum / w;
	if (fq->sum < 0 && d * w != fq->sum)
		d--;			/* rounded down, so that the mean is eligible */
	return fq->base + (u64)d;
}

static bool is_eligible(const struct fair_queue *fq, u64 vruntime)
{
	return (__int128)(s64)(vruntime - fq->base) * (s64)fq->weight <= fq->sum;
}

static void rebase(struct fair_queue *fq)
{
	u64 v = mean(fq);

	fq->sum -= (s64)(v - fq->base) * (s64)fq->weight;
	fq->base = v;
}

void fair_charge(struct fair_queue *fq, struct sched_entity *se, u64 delta_ns)
{
	u64 dv = to_virtual(se, delta_ns);

	se->vruntime += dv;
	if (fq->weight == se->weight) {		/* alone: V is its own time */
		fq->base = se->vruntime;
		fq->sum = 0;
	} else {
		s64 limit = REBASE * (s64)fq->weight;

		fq->sum += (s64)(min(dv, (u64)REBASE * 64) * se->weight);
		if (unlikely(dv > (u64)REBASE * 64))
			se->vruntime -= dv - (u64)REBASE * 64;	/* the machine stood still; sums must not overflow */
		if (fq->sum > limit || fq->sum < -limit)
			rebase(fq);
	}
	if ((s64)(se->vruntime - se->deadline) >= 0)
		se->deadline = se->vruntime + to_virtual(se, se->slice_ns);	/* the next request; who is better goes first */
}

/* What it is owed, within two slices either way. */
static s64 lag_of(const struct fair_queue *fq, const struct sched_entity *se)
{
	s64 lag = (s64)(mean(fq) - se->vruntime), limit = (s64)to_virtual(se, 2 * se->slice_ns);

	if (fq->n == 1)
		return 0;
	return lag > limit ? limit : lag < -limit ? -limit : lag;
}

/* Half a slice is the most that sleeping can earn. */
static s64 lag_after_sleep(const struct sched_entity *se, u64 slept_ns)
{
	s64 credit = (s64)to_virtual(se, SLICE_NS / 2), lag = se->lag;

	if (lag >= credit)
		return lag;
	return slept_ns > (u64)(credit - lag) ? credit : lag + (s64)slept_ns;
}

/* Gives vruntime and deadline such that the lag is right once the entity counts itself. */
static void place(struct fair_queue *fq, struct sched_entity *se)
{
	u64 v = mean(fq);
	s64 lag = se->lag;

	if (fq->weight)
		lag += lag * se->weight / (s64)fq->weight;	/* lag × weight is at most some slices of real time */
	else
		lag = 0;
	se->vruntime = v - (u64)lag;
	se->deadline = se->vruntime + to_virtual(se, se->slice_ns);
}

static void tree_add(struct fair_queue *fq, struct sched_entity *se)
{
	se->min_vruntime = se->vruntime;
	rb_add_augmented(&fq->tree, &se->node, deadline_less, &augment);
}

static void count_in(struct fair_queue *fq, const struct sched_entity *se)
{
	fq->sum += (s64)(se->vruntime - fq->base) * se->weight;
	WRITE_ONCE(fq->weight, fq->weight + se->weight);
	fq->n++;
}

static void count_out(struct fair_queue *fq, const struct sched_entity *se)
{
	if (fq->n == 1)
		fq->base = mean(fq);
	fq->sum -= (s64)(se->vruntime - fq->base) * se->weight;
	WRITE_ONCE(fq->weight, fq->weight - se->weight);
	if (--fq->n == 0)
		fq->sum = 0;
}

void fair_enqueue(struct fair_queue *fq, struct sched_entity *se, u64 now_ns, bool is_wake)
{
	if (is_wake)
		se->lag = lag_after_sleep(se, now_ns - se->off_since_ns);
	place(fq, se);
	count_in(fq, se);
	se->on_queue = true;
	tree_add(fq, se);
}

void fair_dequeue(struct fair_queue *fq, struct sched_entity *se, u64 now_ns)
{
	se->lag = lag_of(fq, se);
	se->off_since_ns = now_ns;
	if (fq->running == se)
		fq->running = NULL;
	else
		rb_erase_augmented(&se->node, &fq->tree, &augment);
	count_out(fq, se);
	se->on_queue = false;
}

/* Earliest deadline among the eligible that wait. */
static struct sched_entity *tree_best(const struct fair_queue *fq)
{
	struct rb_node *node = fq->tree.node;

	while (node) {
		if (node->left && is_eligible(fq, entity_of(node->left)->min_vruntime)) {
			node = node->left;
			continue;
		}
		if (is_eligible(fq, entity_of(node)->vruntime))
			return entity_of(node);
		node = node->right;
	}
	return NULL;
}

struct sched_entity *fair_pick(struct fair_queue *fq)
{
	struct sched_entity *running = fq->running, *best;

	if (rb_empty(&fq->tree))
		return running;
	best = tree_best(fq);
	if (fq->has_yielded) {
		fq->has_yielded = false;
		return best ? best : entity_of(rb_first(&fq->tree));
	}
	if (!best)
		return running ? running : entity_of(rb_first(&fq->tree));
	if (running && is_eligible(fq, running->vruntime) && (s64)(running->deadline - best->deadline) <= 0)
		return running;
	return best;
}

void fair_run(struct fair_queue *fq, struct sched_entity *se)
{
	if (fq->running == se)
		return;
	if (fq->running)
		tree_add(fq, fq->running);
	if (se)
		rb_erase_augmented(&se->node, &fq->tree, &augment);
	fq->running = se;
}

bool fair_preempts(const struct fair_queue *fq, const struct sched_entity *se)
{
	const struct sched_entity *running = fq->running;

	if (!running)
		return true;
	if (!is_eligible(fq, se->vruntime))
		return false;
	return !is_eligible(fq, running->vruntime) || (s64)(se->deadline - running->deadline) < 0;
}

u64 fair_left_ns(const struct sched_entity *se)
{
	s64 left = (s64)(se->deadline - se->vruntime);

	return left <= 0 ? 0 : (u64)left * se->weight / UNIT + 1;
}

/* Gives up what it was owed, and its turn. */
void fair_yield(struct fair_queue *fq)
{
	struct sched_entity *se = fq->running;
	u64 v = mean(fq);

	if (!se || rb_empty(&fq->tree))
		return;
	if ((s64)(v + 1 - se->vruntime) > 0) {
		fq->sum += (s64)(v + 1 - se->vruntime) * se->weight;
		se->vruntime = v + 1;
	}
	se->deadline = se->vruntime + to_virtual(se, se->slice_ns);
	fq->has_yielded = true;		/* it may still be eligible, for its step moved the mean */
}

void fair_set_weight(struct fair_queue *fq, struct sched_entity *se, u32 weight)
{
	bool is_running = fq && fq->running == se, is_queued = se->on_queue;

	if (is_queued)
		fair_dequeue(fq, se, se->off_since_ns);
	se->lag = se->lag * (s64)se->weight / (s64)weight;	/* the same service in real time */
	se->weight = weight;
	se->inverse = (u32)((1ul << 32) / weight);
	if (!is_queued)
		return;
	fair_enqueue(fq, se, 0, false);
	if (is_running)
		fair_run(fq, se);
}

void fair_init_entity(struct sched_entity *se)
{
	rb_node_init(&se->node);
	se->parent = NULL;
	se->vruntime = se->deadline = 0;
	se->lag = 0;
	se->sum_exec_ns = 0;
	se->slice_ns = SLICE_NS;
	se->on_queue = false;
}
