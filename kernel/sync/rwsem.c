/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The reader-writer semaphore: fair, first come first served, readers that stand side by side in the queue enter together.
 *
 * Everything is under its spinlock, which is held for a few instructions. Who must wait queues and sleeps until *granted*: the
 * releaser does the counting on its behalf, so a woken waiter has nothing left to compete for. A newcomer does not pass those who wait;
 * if nobody does it first spins a little while a writer runs on another CPU.
 */
#include <frame/preempt.h>
#include <frame/log.h>
#include "sync/mutex.h"

#define SPIN_TURNS 400u

struct rwsem_waiter {
	struct list node;	/* [s->lock] */
	struct task *task;	/* [I] */
	bool is_writer;		/* [I] */
	bool is_granted;	/* [s->lock, a] */
};

void rwsem_init(struct rwsem *s, const char *name)
{
	spin_init_hard(&s->lock, "rwsem");
	s->count = 0;
	s->writers_waiting = 0;
	list_init(&s->waiters);
	s->owner = NULL;
	s->owner_cpu = 0;
	lock_debug_init(&s->debug, name);
}

/* Lets in, from the front of the queue, whoever fits now. */
static void grant_locked(struct rwsem *s)
{
	while (!list_empty(&s->waiters)) {
		struct rwsem_waiter *w = list_first_entry(&s->waiters, struct rwsem_waiter, node);
		struct task *task = w->task;

		if (s->count < 0 || (w->is_writer && s->count > 0))
			return;
		if (w->is_writer) {
			s->count = -1;
			WRITE_ONCE(s->owner, task);
			WRITE_ONCE(s->owner_cpu, cpu_id());	/* where it does not run: nobody spins until it does */
			s->writers_waiting--;
		} else {
			s->count++;
		}
		list_del(&w->node);
		STORE_RELEASE(w->is_granted, true);
		(void)sched_wake(task);
	}
}

static void spin_while_written(const struct rwsem *s)
{
	for (u32 i = 0; i < SPIN_TURNS; i++) {
		const struct task *owner = READ_ONCE(s->owner);

		if (!owner || !list_empty(&s->waiters) || preempt_resched_wanted() || !sched_runs_elsewhere(owner, READ_ONCE(s->owner_cpu)))
			return;
	}
}

static bool read_try_locked(struct rwsem *s)
{
	if (s->count < 0 || !list_empty(&s->waiters))
		return false;
	s->count++;
	return true;
}

static bool write_try_locked(struct rwsem *s)
{
	if (s->count != 0 || !list_empty(&s->waiters))
		return false;
	s->count = -1;
	WRITE_ONCE(s->owner, current_task());
	WRITE_ONCE(s->owner_cpu, cpu_id());
	return true;
}

/* With s->lock held; returns without it. */
static int wait_locked(struct rwsem *s, bool is_writer, enum sleep_kind kind)
{
	struct rwsem_waiter w = { .task = current_task(), .is_writer = is_writer };
	int err = 0;

	list_push_back(&s->waiters, &w.node);
	if (is_writer)
		s->writers_waiting++;
	spin_unlock_hard(&s->lock);
	for (;;) {
		sched_prepare_sleep(kind);
		if (LOAD_ACQUIRE(w.is_granted))
			break;
		if (kind == SLEEP_KILLABLE && current_killed()) {
			err = -EINTR;
			break;
		}
		(void)sched_sleep_until(SLEEP_FOREVER);
	}
	sched_cancel_sleep();
	spin_lock_hard(&s->lock);	/* also: who granted has let go of w */
	if (w.is_granted) {
		err = 0;
		if (is_writer)
			WRITE_ONCE(s->owner_cpu, cpu_id());
	} else {
		list_del(&w.node);
		if (is_writer)
			s->writers_waiting--;
		grant_locked(s);
	}
	spin_unlock_hard(&s->lock);
	return err;
}

static int read_lock_kind(struct rwsem *s, enum sleep_kind kind)
{
	int err;

	might_sleep();
	lock_debug_acquire(&s->debug, LOCK_SLEEP, 0);
	for (u32 i = 0; i < 2; i++) {
		spin_lock_hard(&s->lock);
		if (likely(read_try_locked(s))) {
			spin_unlock_hard(&s->lock);
			return 0;
		}
		if (i == 0) {
			spin_unlock_hard(&s->lock);
			spin_while_written(s);
		}
	}
	err = wait_locked(s, false, kind);
	if (err)
		lock_debug_release(&s->debug);
	return err;
}

static int write_lock_kind(struct rwsem *s, enum sleep_kind kind, u32 subclass)
{
	int err;

	might_sleep();
	lock_debug_acquire(&s->debug, LOCK_SLEEP, subclass);
	for (u32 i = 0; i < 2; i++) {
		spin_lock_hard(&s->lock);
		ASSERT(s->owner != current_task());
		if (likely(write_try_locked(s))) {
			spin_unlock_hard(&s->lock);
			return 0;
		}
		if (i == 0) {
			spin_unlock_hard(&s->lock);
			spin_while_written(s);
		}
	}
	err = wait_locked(s, true, kind);
	if (err)
		lock_debug_release(&s->debug);
	return err;
}

void rwsem_read_lock(struct rwsem *s)
{
	(void)!read_lock_kind(s, SLEEP_UNINTERRUPTIBLE);
}

int rwsem_read_lock_killable(struct rwsem *s)
{
	return read_lock_kind(s, SLEEP_KILLABLE);
}

bool rwsem_read_trylock(struct rwsem *s)
{
	bool ok;

	spin_lock_hard(&s->lock);
	ok = read_try_locked(s);
	spin_unlock_hard(&s->lock);
	if (ok)
		lock_debug_acquired_try(&s->debug, LOCK_SLEEP);
	return ok;
}

void rwsem_read_unlock(struct rwsem *s)
{
	lock_debug_release(&s->debug);
	spin_lock_hard(&s->lock);
	BUG_ON(s->count <= 0);
	if (--s->count == 0)
		grant_locked(s);
	spin_unlock_hard(&s->lock);
}

void rwsem_write_lock(struct rwsem *s)
{
	(void)!write_lock_kind(s, SLEEP_UNINTERRUPTIBLE, 0);
}

void rwsem_write_lock_nested(struct rwsem *s, u32 subclass)
{
	(void)!write_lock_kind(s, SLEEP_UNINTERRUPTIBLE, subclass);
}

int rwsem_write_lock_killable(struct rwsem *s)
{
	return write_lock_kind(s, SLEEP_KILLABLE, 0);
}

bool rwsem_write_trylock(struct rwsem *s)
{
	bool ok;

	spin_lock_hard(&s->lock);
	ok = write_try_locked(s);
	spin_unlock_hard(&s->lock);
	if (ok)
		lock_debug_acquired_try(&s->debug, LOCK_SLEEP);
	return ok;
}

void rwsem_write_unlock(struct rwsem *s)
{
	lock_debug_release(&s->debug);
	spin_lock_hard(&s->lock);
	BUG_ON(s->owner != current_task());
	WRITE_ONCE(s->owner, NULL);
	s->count = 0;
	grant_locked(s);
	spin_unlock_hard(&s->lock);
}

void rwsem_downgrade(struct rwsem *s)
{
	spin_lock_hard(&s->lock);
	BUG_ON(s->owner != current_task());
	WRITE_ONCE(s->owner, NULL);
	s->count = 1;
	grant_locked(s);	/* readers at the front of the queue */
	spin_unlock_hard(&s->lock);
}
