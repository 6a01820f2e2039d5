/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The mutex.
 *
 * `owner` is the lock: taken by compare-and-swap from NULL. Who does not get it spins while the owner runs on another CPU and nobody queues, then
 * queues (oldest first) and sleeps. A newcomer may take a free mutex before a woken waiter gets there; a waiter to whom that has happened asks for
 * the mutex to be handed over: unlock then makes it the owner, so nobody waits for ever.
 *
 * `waiters` and the list change under queue.lock. Unlock without waiters takes no lock: it frees the owner word, fences, and looks for
 * waiters again; a waiter counts itself (a full barrier) before it tries the owner word. Unlock may touch the mutex after the next owner has it: an
 * object is not freed by someone who only knows that he holds its mutex.
 */
#include <frame/preempt.h>
#include <frame/log.h>
#include "sync/mutex.h"

struct mutex_waiter {
	struct waiter w;
	bool wants_handover;	/* [queue.lock] */
};

void mutex_init(struct mutex *m, const char *name)
{
	m->owner = NULL;
	m->waiters = 0;
	m->owner_cpu = 0;
	waitq_init(&m->queue, "mutex queue");
	lock_debug_init(&m->debug, name);
}

static inline bool owner_take(struct mutex *m)
{
	struct task *nobody = NULL;

	if (!__atomic_compare_exchange_n(&m->owner, &nobody, current_task(), false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	WRITE_ONCE(m->owner_cpu, cpu_id());
	return true;
}

/* True if it got the mutex. The owner is compared, never looked into: it may be gone. */
static bool owner_spin(struct mutex *m)
{
	for (u32 i = 0; i < LOCK_SPIN_TURNS; i++) {
		struct task *owner = READ_ONCE(m->owner);

		if (!owner) {
			if (owner_take(m))
				return true;
			continue;
		}
		if (READ_ONCE(m->waiters) || preempt_resched_wanted() || !sched_runs_elsewhere(owner, READ_ONCE(m->owner_cpu)))
			return false;
		arch_relax();
	}
	return false;
}

/* One try with the queue's lock held: owner already by hand-over, or the word is free. */
static bool waiter_try(struct mutex *m, struct mutex_waiter *mw, bool has_slept)
{
	if (READ_ONCE(m->owner) == current_task()) {
		WRITE_ONCE(m->owner_cpu, cpu_id());
		return true;
	}
	if (owner_take(m))
		return true;
	mw->wants_handover = has_slept;
	return false;
}

/* Leaving without the mutex: if it is free, whoever is next must hear of it, for the wake may have been ours. */
static void waiter_pass_on(struct mutex *m)
{
	if (!READ_ONCE(m->owner) && !list_empty(&m->queue.waiters))
		(void)sched_wake(list_first_entry(&m->queue.waiters, struct waiter, node)->task);
}

static int lock_slow(struct mutex *m, enum sleep_kind kind)
{
	struct mutex_waiter mw = { .wants_handover = false };
	bool has_slept = false;
	int err = 0;

	waiter_init(&mw.w);
	spin_lock_hard(&m->queue.lock);
	list_push_back(&m->queue.waiters, &mw.w.node);
	__atomic_fetch_add(&m->waiters, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		if (waiter_try(m, &mw, has_slept))
			break;
		if (kind == SLEEP_KILLABLE && current_killed()) {
			err = -EINTR;
			break;
		}
		spin_unlock_hard(&m->queue.lock);
		sched_prepare_sleep(kind);
		if (!READ_ONCE(m->owner) || READ_ONCE(m->owner) == current_task())
			sched_cancel_sleep();
		else
			(void)sched_sleep_until(SLEEP_FOREVER);
		has_slept = true;
		spin_lock_hard(&m->queue.lock);
	}
	list_del(&mw.w.node);
	__atomic_fetch_sub(&m->waiters, 1, __ATOMIC_SEQ_CST);
	if (err)
		waiter_pass_on(m);
	spin_unlock_hard(&m->queue.lock);
	return err;
}

static __noinline int lock_contended(struct mutex *m, enum sleep_kind kind)
{
	int err = 0;

	ASSERT(READ_ONCE(m->owner) != current_task());
	if (!owner_spin(m))
		err = lock_slow(m, kind);
	if (err)
		lock_debug_release(&m->debug);
	return err;
}

static __always_inline int lock_kind(struct mutex *m, enum sleep_kind kind, u32 subclass)
{
	might_sleep();
	lock_debug_acquire(&m->debug, LOCK_SLEEP, subclass);
	return likely(owner_take(m)) ? 0 : lock_contended(m, kind);
}

void mutex_lock(struct mutex *m)
{
	(void)!lock_kind(m, SLEEP_UNINTERRUPTIBLE, 0);
}

void mutex_lock_nested(struct mutex *m, u32 subclass)
{
	(void)!lock_kind(m, SLEEP_UNINTERRUPTIBLE, subclass);
}

int mutex_lock_killable(struct mutex *m)
{
	return lock_kind(m, SLEEP_KILLABLE, 0);
}

bool mutex_trylock(struct mutex *m)
{
	if (!owner_take(m))
		return false;
	lock_debug_acquired_try(&m->debug, LOCK_SLEEP);
	return true;
}

/* There is a waiter: hand over if it asks for that, else free the word and wake it to try. */
static void unlock_slow(struct mutex *m, bool is_free)
{
	struct mutex_waiter *first;

	spin_lock_hard(&m->queue.lock);
	if (list_empty(&m->queue.waiters)) {
		if (!is_free)
			STORE_RELEASE(m->owner, NULL);
	} else {
		first = container_of(list_first_entry(&m->queue.waiters, struct waiter, node), struct mutex_waiter, w);
		if (!is_free)
			STORE_RELEASE(m->owner, first->wants_handover ? first->w.task : NULL);
		(void)sched_wake(first->w.task);
	}
	spin_unlock_hard(&m->queue.lock);
}

void mutex_unlock(struct mutex *m)
{
	BUG_ON(READ_ONCE(m->owner) != current_task());
	lock_debug_release(&m->debug);
	if (unlikely(READ_ONCE(m->waiters))) {
		unlock_slow(m, false);
		return;
	}
	__atomic_store_n(&m->owner, NULL, __ATOMIC_SEQ_CST);
	if (unlikely(__atomic_load_n(&m->waiters, __ATOMIC_SEQ_CST)))
		unlock_slow(m, true);
}

bool mutex_is_held(const struct mutex *m)
{
	return READ_ONCE(m->owner) == current_task();
}
