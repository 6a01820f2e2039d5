/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Wait queues, completions, and waiting for a grace period's end is next door (rcu_wait.c).
 *
 * A wake walks the queue under its lock: first the waiters that share every wake (front of the list), then as many exclusive ones (back of the
 * list, oldest first) as asked for. The waker holds no reference on the tasks: a waiter leaves the queue by itself, under the lock,
 * before it may go away. Waking takes the run queue's lock inside the wait queue's: a wait queue must not be woken under a run queue's lock.
 *
 * No wake is lost: the waiter queues itself, marks itself asleep (a full barrier), then looks at its condition; the waker changes the condition, then
 * takes the lock (or fences in waitq_is_active) and looks at the queue.
 */
#include "sync/wait.h"
#include "sync/completion.h"

void waitq_init(struct waitq *q, const char *lock_name)
{
	spin_init_hard(&q->lock, lock_name);
	list_init(&q->waiters);
}

void waiter_init(struct waiter *w)
{
	list_init(&w->node);
	w->task = current_task();
	w->fn = NULL;
	w->arg = NULL;
	w->is_exclusive = false;
}

void waiter_init_fn(struct waiter *w, bool (*fn)(struct waiter *w, u32 key), void *arg)
{
	list_init(&w->node);
	w->task = NULL;
	w->fn = fn;
	w->arg = arg;
	w->is_exclusive = false;
}

void waitq_add(struct waitq *q, struct waiter *w)
{
	spin_lock_hard(&q->lock);
	if (!list_is_linked(&w->node)) {
		w->is_exclusive = false;
		list_push_front(&q->waiters, &w->node);
	}
	spin_unlock_hard(&q->lock);
}

void waitq_add_exclusive(struct waitq *q, struct waiter *w)
{
	spin_lock_hard(&q->lock);
	if (!list_is_linked(&w->node)) {
		w->is_exclusive = true;
		list_push_back(&q->waiters, &w->node);
	}
	spin_unlock_hard(&q->lock);
}

void waitq_remove(struct waitq *q, struct waiter *w)
{
	spin_lock_hard(&q->lock);
	list_del(&w->node);
	spin_unlock_hard(&q->lock);
}

/* True if the waiter took the wake. An exclusive waiter that was awake already did not: the wake goes to the next one. */
static bool waiter_wake(struct waiter *w, u32 key, bool is_sync)
{
	if (w->fn)
		return w->fn(w, key);
	return is_sync ? sched_wake_sync(w->task) : sched_wake(w->task);
}

static bool wake_locked(struct waitq *q, u32 n_exclusive, u32 key, bool is_sync)
{
	struct waiter *w, *next;
	u32 left = n_exclusive;
	bool is_taken = false;

	list_for_each_entry_safe(w, next, &q->waiters, node) {
		bool is_exclusive = w->is_exclusive;	/* a callback may take its waiter off the queue */

		if (!waiter_wake(w, key, is_sync))
			continue;
		is_taken = true;
		if (is_exclusive && n_exclusive && --left == 0)
			break;
	}
	return is_taken;
}

bool waitq_wake(struct waitq *q, u32 n_exclusive, u32 key)
{
	SPIN_GUARD_HARD(&q->lock);
	return wake_locked(q, n_exclusive, key, false);
}

void waitq_wake_sync(struct waitq *q, u32 n_exclusive, u32 key)
{
	spin_lock_hard(&q->lock);
	wake_locked(q, n_exclusive, key, true);
	spin_unlock_hard(&q->lock);
}

int waitq_sleep(enum sleep_kind kind, u64 deadline_ns)
{
	if (!sched_sleep_until(deadline_ns))
		return -ETIMEDOUT;
	if (kind == SLEEP_INTERRUPTIBLE && current_interrupted())
		return -ERESTARTSYS;
	if (kind == SLEEP_KILLABLE && current_killed())
		return -ERESTARTSYS;
	return 0;
}

void completion_init(struct completion *c)
{
	waitq_init(&c->queue, "completion");
	c->is_done = false;
}

void completion_done(struct completion *c)
{
	spin_lock_hard(&c->queue.lock);
	WRITE_ONCE(c->is_done, true);
	wake_locked(&c->queue, 0, 0, false);
	spin_unlock_hard(&c->queue.lock);
}

/* With the lock, so that completion_done has let go of it when this says true. */
bool completion_is_done(struct completion *c)
{
	SPIN_GUARD_HARD(&c->queue.lock);
	return c->is_done;
}

int completion_wait_kind(struct completion *c, enum sleep_kind kind, u64 deadline_ns)
{
	int err = WAIT_EVENT(&c->queue, READ_ONCE(c->is_done), kind, deadline_ns);

	return completion_is_done(c) ? 0 : err;
}

void completion_wait(struct completion *c)
{
	while (!completion_is_done(c))
		(void)!completion_wait_kind(c, SLEEP_UNINTERRUPTIBLE, SLEEP_FOREVER);
}
