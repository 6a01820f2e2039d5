/* SPDX-License-Identifier: MPL-2.0 */
/* Sets of locks that exclude each other, for locks.c alone: no waiting, no policy; the caller's lock covers everything. */
#ifndef FS_LOCKS_SET_H
#define FS_LOCKS_SET_H

#include <lib/list.h>
#include <lib/rbtree.h>
#include "fs/locks.h"
#include "object/pid.h"

struct lock_owner;

/* One range held by one owner. An owner's ranges never overlap. */
struct lock_range {
	struct rb_node owner_node;	/* in owner->ranges, by start */
	struct rb_node class_node;	/* in set->by_type[type], by start; augmented */
	u64 start, end;
	u64 max_end;			/* of the subtree below class_node */
	enum lock_type type;		/* READ or WRITE */
	struct lock_owner *owner;
};

/* Somebody who holds or waits for locks of this set: a process's descriptor table or an open file. Lives while it has either. */
struct lock_owner {
	struct rb_node node;		/* in set->owners, by key */
	const void *key;
	struct pid *pid;		/* referenced; NULL: an open file */
	struct rb_root ranges;
	struct list blocks;		/* struct lock_wait: those who wait for one of our ranges to go */
};

struct lock_set {
	struct rb_root by_type[2];	/* READ, WRITE */
	struct rb_root owners;
};

/* Memory for one change, got before the set is locked: a change makes at most two ranges more and one owner. */
#define LOCK_SPARES 2
struct lock_spare {
	struct lock_range *range[LOCK_SPARES];
	struct lock_owner *owner;
};
__must_check int lock_spare_fill(struct lock_spare *sp);	/* -ENOLCK */
void lock_spare_drain(struct lock_spare *sp);

static inline bool lock_set_is_empty(const struct lock_set *s)
{
	return rb_empty(&s->owners);
}

struct lock_owner *lock_owner_find(struct lock_set *s, const void *key);
/* The owner for key, made of the spare if there is none. */
struct lock_owner *lock_owner_get(struct lock_set *s, const void *key, struct pid *pid, struct lock_spare *sp);
/* Forgets an owner that holds nothing and blocks nobody; its memory goes to the spare (or is freed). */
void lock_owner_drop(struct lock_set *s, struct lock_owner *o);
/* The first range that stands in the way of `key` taking [start, end] as `type`; NULL: none. */
struct lock_range *lock_conflict(struct lock_set *s, const void *key, enum lock_type type, u64 start, u64 end);
/* Makes [start, end] of the owner be `type`, NONE included; conflicts have been ruled out. */
void lock_apply(struct lock_set *s, struct lock_owner *o, enum lock_type type, u64 start, u64 end, struct lock_spare *sp);

#endif
