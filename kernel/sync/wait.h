/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The one wait queue: under blocking calls, poll, select, epoll.
 *
 * Wakes come from any context, hard interrupts included; so do the callbacks, under the queue's lock: they may wake tasks and
 * take hard locks, nothing else. A waiter is on at most one queue. Exclusive waiters are woken one at a time, after all others (those are woken each time).
 */
#ifndef SYNC_WAIT_H
#define SYNC_WAIT_H

#include <lib/types.h>
#include <lib/list.h>
#include <lib/errno.h>
#include <frame/spinlock.h>
#include <frame/clock.h>
#include "object/current.h"
#include "sync/policy.h"

struct waitq {
	struct spinlock_hard lock;
	struct list waiters;		/* [lock] exclusive ones at the back */
};

struct waiter {
	struct list node;		/* [q->lock] */
	struct task *task;		/* [I] woken if fn is NULL */
	/* [I] what to do on a wake; key as given to the wake (poll events, 0: any). Returns true if this waiter consumed an exclusive wake. */
	bool (*fn)(struct waiter *w, u32 key);
	void *arg;			/* [I] fn's */
	bool is_exclusive;		/* [I] */
};

#define WAITQ_INIT(name, q) { .lock = SPINLOCK_INIT(name), .waiters = { &(q).waiters, &(q).waiters } }

void waitq_init(struct waitq *q, const char *lock_name);
void waiter_init(struct waiter *w);				/* wakes the current task */
void waiter_init_fn(struct waiter *w, bool (*fn)(struct waiter *w, u32 key), void *arg);
void waitq_add(struct waitq *q, struct waiter *w);		/* no-op if it is on the queue */
void waitq_add_exclusive(struct waitq *q, struct waiter *w);
void waitq_remove(struct waitq *q, struct waiter *w);		/* fn does not run any more on return */
/* All non-exclusive, and n exclusive (0: all of them too). True if one of them took it: a task was asleep, a callback said so. */
bool waitq_wake(struct waitq *q, u32 n_exclusive, u32 key);
void waitq_wake_sync(struct waitq *q, u32 n_exclusive, u32 key);

static inline void waitq_wake_all(struct waitq *q)
{
	waitq_wake(q, 0, 0);
}

static inline void waitq_wake_one(struct waitq *q)
{
	waitq_wake(q, 1, 0);
}

static inline bool waitq_is_active(const struct waitq *q)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !list_empty(&q->waiters);
}

/* One turn of a wait loop: 0 go on, -ERESTARTSYS interrupted, -ETIMEDOUT. The waiter has been queued and the sleep prepared. */
__must_check int waitq_sleep(enum sleep_kind kind, u64 deadline_ns);

/*
 * Sleeps until `cond` is true: 0, -ERESTARTSYS (SLEEP_INTERRUPTIBLE and a signal, SLEEP_KILLABLE and a kill), -ETIMEDOUT.
 * cond is evaluated without any lock held and must not sleep.
 */
#define WAIT_EVENT_(q, cond, kind, deadline, add) ({						\
	struct waiter wait_w_;									\
	int wait_err_ = 0;									\
	if (!(cond)) {										\
		waiter_init(&wait_w_);								\
		for (;;) {									\
			add((q), &wait_w_);							\
			sched_prepare_sleep(kind);						\
			if (cond)								\
				break;								\
			wait_err_ = waitq_sleep((kind), (deadline));				\
			if (wait_err_ && !(cond))						\
				break;								\
			wait_err_ = 0;								\
		}										\
		sched_cancel_sleep();								\
		waitq_remove((q), &wait_w_);							\
	}											\
	wait_err_;										\
})
#define WAIT_EVENT(q, cond, kind, deadline) WAIT_EVENT_(q, cond, kind, deadline, waitq_add)
#define WAIT_EVENT_EXCLUSIVE(q, cond, kind, deadline) WAIT_EVENT_(q, cond, kind, deadline, waitq_add_exclusive)

#endif
