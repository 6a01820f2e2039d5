/* SPDX-License-Identifier: MPL-2.0 */
/* Priority inheritance: locks with an owner and waiters by priority, and the chains they make. See pi.c. */
#ifndef IPC_PI_H
#define IPC_PI_H

#include "ipc/futex_internal.h"
#include "proc/thread.h"

enum pi_stage {
	PI_QUEUED,		/* among the waiters */
	PI_OWNER,		/* was given the lock */
};

struct pi_waiter {
	struct rb_node node;		/* [pi] in lock->waiters */
	struct pi_lock *lock;		/* [pi] */
	struct thread *thread;		/* [I] */
	s32 priority;			/* [pi] real-time priority it waits with, 0: none */
	u32 stage;			/* [bucket and pi to write; a] enum pi_stage; after it has changed, the waiter may be gone */
	bool must_mark;			/* [before stage] the new owner is to write the word: the former one died */
};

/* Key: [b] lock of the bucket it is in, [pi] pi.c's lock; both to write, either to read. */
struct pi_lock {
	struct list node;		/* [b] */
	struct mm_key key;		/* [I] without a reference: its waiters have one each */
	struct rb_root_cached waiters;	/* [pi] by priority, then by age */
	struct rb_node owned_node;	/* [pi] in owner->pi.owned */
	struct thread *owner;		/* [b, pi] never one that has ended: it hands on first */
	s32 priority;			/* [pi] of its first waiter */
	bool is_unmarked;		/* [b, pi] the word does not name the owner yet */
};

/* All with the lock's bucket locked. */
struct pi_lock *pi_find(struct bucket *b, const struct mm_key *key);
/* A fresh lock, zeroed, comes to life with an owner and no waiters. -ESRCH: the owner is ending. */
__must_check int pi_begin(struct bucket *b, struct pi_lock *l, const struct mm_key *key, struct thread *owner);
/* No waiters, and nobody who has still to mark the word: out of the table; the caller frees it outside the lock. */
__must_check bool pi_end_if_idle(struct pi_lock *l);
/* The waiter (thread set) queues up and lends its priority: 0 or -EDEADLK. */
__must_check int pi_join(struct pi_lock *l, struct pi_waiter *w);
void pi_leave(struct pi_waiter *w);			/* one that is queued */
struct pi_waiter *pi_first(struct pi_lock *l);		/* NULL: nobody waits */
void pi_hand_over(struct pi_lock *l, struct pi_waiter *to);	/* that waiter is the owner; then to be granted: */
void pi_grant(struct pi_waiter *w, bool must_mark);	/* wakes it; it may be gone on return */
void pi_set_unmarked(struct pi_lock *l, bool is_unmarked);

void pi_exit(struct thread *t, bool is_end);		/* its locks go to their first waiters. No lock held */

#endif
