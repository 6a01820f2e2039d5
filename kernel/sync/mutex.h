/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sleeping mutual exclusion: mutex and reader-writer semaphore. Task context; sleeping while held is fine. Spins briefly while the owner runs on another
 * CPU. Nobody waits for ever: who has been passed once is next, and a waiting writer stops new readers. Debug build: owner checked, order checked (LOCK_SLEEP).
 */
#ifndef SYNC_MUTEX_H
#define SYNC_MUTEX_H

#include <lib/types.h>
#include <frame/lockdep.h>
#include "sync/wait.h"

/* Turns that mutex and rwsem wait for an owner who runs: some microseconds, as one pauses for up to 140 cycles; less than two switches cost. */
#define LOCK_SPIN_TURNS 100u

struct mutex {
	struct task *owner;		/* [a] NULL: free */
	u32 waiters;			/* [a] */
	u32 owner_cpu;			/* [a] where the owner ran when it took the mutex: a hint for spinning */
	struct waitq queue;		/* struct waiter of a struct mutex_waiter, oldest first */
	struct lock_debug debug;
};

void mutex_init(struct mutex *m, const char *name);
/* Static initialiser: struct mutex m = MUTEX_INIT("name", m); */
#define MUTEX_INIT(name, m) { .queue = WAITQ_INIT("mutex queue", (m).queue), .debug = LOCK_DEBUG_INIT(name) }
void mutex_lock(struct mutex *m);
void mutex_lock_nested(struct mutex *m, u32 subclass);		/* for the lock-order checker: one of several of a class */
__must_check int mutex_lock_killable(struct mutex *m);		/* -EINTR */
__must_check bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool mutex_is_held(const struct mutex *m);			/* by the current task */

struct rwsem {
	u32 state;			/* [a] who is in, and bits about the queue: RW_* in rwsem.c */
	u32 owner_cpu;			/* [a] where the writer ran when it got in: a hint for spinning */
	struct task *owner;		/* [a] writer */
	struct spinlock_hard lock;
	struct list waiters;		/* [lock] oldest first */
	struct lock_debug debug;
};

void rwsem_init(struct rwsem *s, const char *name);
void rwsem_read_lock(struct rwsem *s);
__must_check int rwsem_read_lock_killable(struct rwsem *s);	/* -EINTR */
__must_check bool rwsem_read_trylock(struct rwsem *s);
void rwsem_read_unlock(struct rwsem *s);
void rwsem_write_lock(struct rwsem *s);
void rwsem_write_lock_nested(struct rwsem *s, u32 subclass);
__must_check int rwsem_write_lock_killable(struct rwsem *s);	/* -EINTR */
__must_check bool rwsem_write_trylock(struct rwsem *s);
void rwsem_write_unlock(struct rwsem *s);
void rwsem_downgrade(struct rwsem *s);				/* writer → reader */

static inline struct mutex *mutex_guard_begin(struct mutex *m)
{
	mutex_lock(m);
	return m;
}

static inline void mutex_guard_end(struct mutex **m)
{
	mutex_unlock(*m);
}

#define MUTEX_GUARD(m) struct mutex *FRAME_GUARD_CAT_(guard_, __LINE__) \
	__attribute__((cleanup(mutex_guard_end), unused)) = mutex_guard_begin(m)

#endif
