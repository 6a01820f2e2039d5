/* SPDX-License-Identifier: MPL-2.0 */
/* What the parts of futex(2) share: the hash table of words and who waits there. The big theory is in futex.c; priority inheritance in pi.c and futex_pi.c. */
#ifndef IPC_FUTEX_INTERNAL_H
#define IPC_FUTEX_INTERNAL_H

#include <lib/list.h>
#include <frame/spinlock.h>
#include "ipc/futex.h"
#include "mm/mm.h"
#include "sync/wait.h"

struct pi_waiter;

struct bucket {
	struct spinlock lock;
	struct list waiters;		/* [lock] oldest first */
	struct list pi_locks;		/* [lock] struct pi_lock: contended priority-inheritance futexes */
};

struct futex_waiter {
	struct list node;		/* [bucket->lock] */
	struct bucket *bucket;		/* [bucket->lock to write; a] NULL: woken, or moved to a priority-inheritance lock */
	struct mm_key key;		/* [bucket->lock] */
	struct task *task;		/* [I] */
	u32 bitset;			/* [I] */
	struct pi_waiter *pi;		/* [I] FUTEX_WAIT_REQUEUE_PI: to be moved to pi_key, in no other way; else NULL */
	struct mm_key pi_key;		/* [I] */
};

struct two_keys {
	struct mm_key first, second;
};

struct bucket *bucket_of(const struct mm_key *k);
bool futex_is_same(const struct mm_key *a, const struct mm_key *b);
__must_check int futex_get_key(uaddr_t addr, bool is_private, bool is_write, struct mm_key *key);
__must_check int futex_get_keys(const struct futex_request *rq, bool is_second_written, struct two_keys *keys);
void futex_put_keys(struct two_keys *keys);
/* In address order; a may be b. */
void futex_lock_both(struct bucket *a, struct bucket *b);
void futex_unlock_both(struct bucket *a, struct bucket *b);
/* Queues the waiter if the word has the value: 0, -EAGAIN, -EFAULT (absent: prefault and come again). */
__must_check int futex_enqueue(struct futex_waiter *w, const struct futex_request *rq);
/* Off the list if still on one. True if somebody else took it off. */
bool futex_dequeue(struct futex_waiter *w);

#endif
