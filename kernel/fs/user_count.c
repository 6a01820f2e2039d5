/* SPDX-License-Identifier: MPL-2.0 */
/* How much of something each user has: a tree of records that exist while somebody counts in them. */
#include "fs/user_count.h"
#include "mm/alloc.h"

/* The record of `uid`; `fresh` is hung in if there is none (and then belongs to the tree). */
static struct user_count *find_locked(struct user_counts *all, kuid_t uid, struct user_count *fresh)
{
	struct rb_node **link = &all->users.node, *parent = NULL;

	while (*link) {
		struct user_count *u = rb_entry(*link, struct user_count, node);

		parent = *link;
		if (kuid_eq(u->uid, uid))
			return u;
		link = uid.v < u->uid.v ? &parent->left : &parent->right;
	}
	if (!fresh)
		return NULL;
	fresh->all = all;
	fresh->uid = uid;
	rb_link_node(&fresh->node, parent, link);
	rb_insert_color(&fresh->node, &all->users);
	return fresh;
}

static struct user_count *get(struct user_counts *all, kuid_t uid, struct user_count *fresh)
{
	struct user_count *u;

	SPIN_GUARD(&all->lock);
	u = find_locked(all, uid, fresh);
	if (u)
		u->refs++;
	return u;
}

struct user_count *user_count_get(struct user_counts *all, kuid_t uid)
{
	struct user_count *u = get(all, uid, NULL), *fresh;

	if (u)
		return u;
	fresh = kmalloc(sizeof(*fresh), ALLOC_ZERO | ALLOC_USER);
	if (!fresh)
		return NULL;
	u = get(all, uid, fresh);
	if (u != fresh)
		kfree(fresh);
	return u;
}

void user_count_put(struct user_count *u)
{
	struct user_counts *all = u->all;
	bool is_last;

	spin_lock(&all->lock);
	is_last = --u->refs == 0;
	if (is_last)
		rb_erase(&u->node, &all->users);
	spin_unlock(&all->lock);
	if (is_last)
		kfree(u);
}

u64 user_count_add(struct user_count *u, u64 n)
{
	return __atomic_add_fetch(&u->n, n, __ATOMIC_RELAXED);
}

void user_count_sub(struct user_count *u, u64 n)
{
	__atomic_fetch_sub(&u->n, n, __ATOMIC_RELAXED);
}

bool user_count_charge(struct user_count *u, u64 limit)
{
	if (user_count_add(u, 1) <= limit)
		return true;
	user_count_sub(u, 1);
	return false;
}
