/* SPDX-License-Identifier: MPL-2.0 */
/* How much of something each user has: for limits that hold over all his processes. */
#ifndef FS_USER_COUNT_H
#define FS_USER_COUNT_H

#include <lib/rbtree.h>
#include <frame/spinlock.h>
#include "object/cred.h"

struct user_counts {
	struct spinlock lock;		/* innermost */
	struct rb_root users;		/* [lock] struct user_count by uid */
};

#define USER_COUNTS_INIT(name) { .lock = SPINLOCK_INIT(name) }

struct user_count {
	struct rb_node node;
	struct user_counts *all;	/* [I] */
	kuid_t uid;			/* [I] */
	u32 refs;			/* [all->lock] */
	u64 n;				/* [a] */
};

/* The user's record, made if there is none; NULL: no memory. It lives as long as anybody refers to it. */
struct user_count *user_count_get(struct user_counts *all, kuid_t uid);
void user_count_put(struct user_count *u);
u64 user_count_add(struct user_count *u, u64 n);		/* the new count */
void user_count_sub(struct user_count *u, u64 n);
/* One more, unless that would be more than `limit`. */
__must_check bool user_count_charge(struct user_count *u, u64 limit);

#endif
