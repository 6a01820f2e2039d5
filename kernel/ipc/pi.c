/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Priority inheritance (futex(2), "Priority-inheritance futexes"): who owns what, who waits for what, and at which priority that lets everybody run.
 *
 * A struct pi_lock exists while a futex is contended: from its first waiter to its last. It knows its owner and its waiters, by real-time priority and, among equals and
 * all who have none, by age. A thread has its contended locks in a tree by the priority of their first waiter, so what it has been lent is the first one's. When that
 * changes, and the thread waits itself, its place in that queue changes, and so on along the chain: O(log n) a step, CHAIN_MAX steps. Only real-time priorities are lent,
 * as the page has it.
 *
 * An unlocked lock is handed over to the first waiter, in the kernel and in the word, before he runs: none can slip in between. If the owner died his memory may not be
 * ours to write: is_unmarked then says that the word is not to be believed until the new owner has written it.
 *
 * Locking: a chain may cross any number of buckets, processes and CPUs, in any direction, and must be seen in one state; so chains have one lock, `chains`, under the
 * bucket's. It is taken only where a futex is contended, and never while user memory is touched. Order: bucket → chains → run queue.
 */
#include "abi/process.h"
#include "ipc/pi.h"
#include "mm/alloc.h"
#include "proc/policy.h"

#define CHAIN_MAX 1024

static struct spinlock chains = SPINLOCK_INIT("PI chains");

/* --- trees. `chains` held from here on */

/* Equals stand in the order of their coming: a node is added behind those that it is not before. */
static bool waiter_is_before(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct pi_waiter, node)->priority > rb_entry(b, struct pi_waiter, node)->priority;
}

static bool lock_is_before(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct pi_lock, owned_node)->priority > rb_entry(b, struct pi_lock, owned_node)->priority;
}

static void add_waiter(struct pi_lock *l, struct pi_waiter *w)
{
	rb_add_cached(&l->waiters, &w->node, waiter_is_before);
}

static void add_owned(struct thread *t, struct pi_lock *l)
{
	rb_add_cached(&t->pi.owned, &l->owned_node, lock_is_before);
}

static struct pi_waiter *first_waiter(const struct pi_lock *l)
{
	return rb_entry_or_null(rb_first_cached(&l->waiters), struct pi_waiter, node);
}

static struct pi_lock *first_owned(const struct thread *t)
{
	return rb_entry_or_null(rb_first_cached(&t->pi.owned), struct pi_lock, owned_node);
}

static void set_owner(struct pi_lock *l, struct thread *owner)
{
	if (l->owner)
		rb_erase_cached(&l->owned_node, &l->owner->pi.owned);
	l->owner = owner;
	if (owner)
		add_owned(owner, l);
}

/* --- chains */

static s32 priority_of(const struct thread *t)
{
	return max(READ_ONCE(t->sched.own_rt_priority), t->pi.boost);
}

/* The first waiter may be another, or have another priority. Has the lock's priority changed? */
static bool update_lock(struct pi_lock *l)
{
	const struct pi_waiter *w = first_waiter(l);
	s32 priority = w ? w->priority : 0;

	if (priority == l->priority)
		return false;
	if (l->owner)
		rb_erase_cached(&l->owned_node, &l->owner->pi.owned);
	l->priority = priority;
	if (l->owner)
		add_owned(l->owner, l);
	return true;
}

/* What the thread has been lent, or its own priority, may have changed: it, and whoever it waits for. */
static void update_thread(struct thread *t)
{
	for (u32 i = 0; t && i < CHAIN_MAX; i++) {
		const struct pi_lock *first = first_owned(t);
		s32 boost = first ? first->priority : 0;
		struct pi_waiter *w = t->pi.waits;

		if (boost != t->pi.boost) {
			t->pi.boost = boost;
			sched_set_boost(&t->sched, boost);
		}
		if (!w || w->priority == priority_of(t))
			return;
		rb_erase_cached(&w->node, &w->lock->waiters);
		w->priority = priority_of(t);
		add_waiter(w->lock, w);
		if (!update_lock(w->lock))
			return;
		t = w->lock->owner;
	}
}

/* Does whoever holds the lock wait for `t`, over however many others? */
static bool is_deadlock(const struct pi_lock *l, const struct thread *t)
{
	for (u32 i = 0; i < CHAIN_MAX; i++) {
		if (l->owner == t)
			return true;
		if (!l->owner->pi.waits)
			return false;
		l = l->owner->pi.waits->lock;
	}
	return true;		/* too long to tell */
}

static void unlink_waiter(struct pi_waiter *w)
{
	rb_erase_cached(&w->node, &w->lock->waiters);
	w->thread->pi.waits = NULL;
}

/* --- with the bucket locked */

struct pi_lock *pi_find(struct bucket *b, const struct mm_key *key)
{
	struct pi_lock *l;

	list_for_each_entry(l, &b->pi_locks, node)
		if (futex_is_same(&l->key, key))
			return l;
	return NULL;
}

int pi_begin(struct bucket *b, struct pi_lock *l, const struct mm_key *key, struct thread *owner)
{
	SPIN_GUARD(&chains);
	if (owner->pi.is_over)
		return -ESRCH;
	l->key = *key;
	set_owner(l, owner);
	list_push_back(&b->pi_locks, &l->node);
	return 0;
}

bool pi_end_if_idle(struct pi_lock *l)
{
	SPIN_GUARD(&chains);
	if (first_waiter(l) || l->is_unmarked)
		return false;
	set_owner(l, NULL);
	list_del(&l->node);
	return true;
}

int pi_join(struct pi_lock *l, struct pi_waiter *w)
{
	SPIN_GUARD(&chains);
	if (is_deadlock(l, w->thread))
		return -EDEADLK;
	w->lock = l;
	w->priority = priority_of(w->thread);
	w->thread->pi.waits = w;
	add_waiter(l, w);
	if (update_lock(l))
		update_thread(l->owner);
	return 0;
}

void pi_leave(struct pi_waiter *w)
{
	struct pi_lock *l = w->lock;

	SPIN_GUARD(&chains);
	unlink_waiter(w);
	if (update_lock(l))
		update_thread(l->owner);
}

struct pi_waiter *pi_first(struct pi_lock *l)
{
	SPIN_GUARD(&chains);
	return first_waiter(l);
}

void pi_hand_over(struct pi_lock *l, struct pi_waiter *to)
{
	struct thread *old = l->owner;

	SPIN_GUARD(&chains);
	unlink_waiter(to);
	set_owner(l, to->thread);
	(void)update_lock(l);
	update_thread(to->thread);
	update_thread(old);
}

void pi_grant(struct pi_waiter *w, bool must_mark)
{
	struct task *task = &w->thread->sched.actor.task;

	w->must_mark = must_mark;
	STORE_RELEASE(w->stage, PI_OWNER);	/* its stack frame may be gone after this */
	sched_wake(task);
}

void pi_set_unmarked(struct pi_lock *l, bool is_unmarked)
{
	SPIN_GUARD(&chains);
	l->is_unmarked = is_unmarked;
}

/* --- threads */

/* One of the thread's locks by its key; false: it has none. With is_end, it will get none any more. */
static bool next_owned(struct thread *t, bool is_end, struct mm_key *key)
{
	const struct pi_lock *l;

	SPIN_GUARD(&chains);
	t->pi.is_over |= is_end;
	l = first_owned(t);
	if (l)
		*key = l->key;
	return l != NULL;
}

void pi_exit(struct thread *t, bool is_end)
{
	struct mm_key key;

	while (next_owned(t, is_end, &key)) {
		struct bucket *b = bucket_of(&key);
		struct pi_lock *l, *idle = NULL;
		struct pi_waiter *w;

		spin_lock(&b->lock);
		l = pi_find(b, &key);
		if (l && l->owner == t) {
			w = pi_first(l);
			if (w) {
				pi_hand_over(l, w);
				pi_set_unmarked(l, true);
				pi_grant(w, true);
			} else if (pi_end_if_idle(l)) {
				idle = l;
			}
		}
		spin_unlock(&b->lock);
		kfree(idle);
	}
}

void proc_policy_pi_adjust(struct thread *t)
{
	SPIN_GUARD(&chains);
	update_thread(t);
}
