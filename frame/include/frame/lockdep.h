/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The lock-order checker (debug build; in the release build these vanish).
 *
 * Each lock belongs to a class, named by a string literal. Whenever a lock is taken while others are held, "held before taken"
 * becomes an edge between classes; an edge that would close a cycle is a deadlock waiting to happen: reported once with both
 * places, then panic. Also checked: a lock taken in a soft or hard context that is elsewhere held with that context enabled;
 * release of a lock that is not held; sleeping locks taken in atomic context; locks still held on return to user mode.
 * Sleeping locks (kernel/sync) use the same functions with LOCK_SLEEP, accounted to the task.
 */
#ifndef FRAME_LOCKDEP_H
#define FRAME_LOCKDEP_H

#include <lib/types.h>

enum lock_context { LOCK_TASK, LOCK_SOFT, LOCK_HARD, LOCK_SLEEP };

#ifdef KEEL_DEBUG
struct lock_debug {
	const char *name;
	void *owner;		/* task or CPU that holds it, for the release check */
	u32 class_id;		/* 0: not yet looked up */
	u32 subclass;
};
#define LOCK_DEBUG_INIT(n) { .name = (n) }

/* What a task (LOCK_SLEEP) or a CPU (the others) holds. */
#define LOCK_HELD_MAX 32
struct lock_held {
	struct lock_debug *lock;
	u32 pc;			/* low half of where it was taken */
	u16 class_id, ctx;
};
struct lock_held_stack {
	u32 n;
	struct lock_held held[LOCK_HELD_MAX];
};

static inline void lock_debug_init(struct lock_debug *d, const char *name)
{
	*d = (struct lock_debug){ .name = name };
}
void lock_debug_acquire(struct lock_debug *d, enum lock_context ctx, u32 subclass);
void lock_debug_acquired_try(struct lock_debug *d, enum lock_context ctx);	/* a trylock that succeeded: adds no edge */
void lock_debug_release(struct lock_debug *d);
void lock_debug_user_entry(void);	/* panics if the current task holds any lock */
/* States the order `before` → `after` without taking anything: kernel/sync/lock_order.c is the one file that lists it. */
void lock_debug_order(const char *before, const char *after);
#else
struct lock_debug {
};
#define LOCK_DEBUG_INIT(n) { }
static inline void lock_debug_init(struct lock_debug *d, const char *name)
{
	(void)d;
	(void)name;
}
static inline void lock_debug_acquire(struct lock_debug *d, enum lock_context ctx, u32 subclass)
{
	(void)d;
	(void)ctx;
	(void)subclass;
}
static inline void lock_debug_acquired_try(struct lock_debug *d, enum lock_context ctx)
{
	(void)d;
	(void)ctx;
}
static inline void lock_debug_release(struct lock_debug *d)
{
	(void)d;
}
static inline void lock_debug_user_entry(void)
{
}
static inline void lock_debug_order(const char *before, const char *after)
{
	(void)before;
	(void)after;
}
#endif

#endif
