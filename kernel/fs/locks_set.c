/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sets of byte-range locks.
 *
 * A range is in two trees: its owner's, where ranges are disjoint and sorted, and the set's tree of read or of write locks, an interval tree (sorted by start,
 * each node knows the largest end below it). A change touches the owner's neighbours only; a conflict is one search in the write tree, and for a writer one
 * in the read tree. Own ranges that a search meets are about to be replaced by the very change it is for, so skipping them is paid for.
 */
#include <lib/errno.h>
#include "fs/locks_set.h"
#include "mm/alloc.h"

int lock_spare_fill(struct lock_spare *sp)
{
	for (u32 i = 0; i < LOCK_SPARES; i++) {
		if (!sp->range[i])
			sp->range[i] = kmalloc(sizeof(struct lock_range), ALLOC_USER | ALLOC_ZERO);
		if (!sp->range[i])
			return -ENOLCK;
	}
	if (!sp->owner)
		sp->owner = kmalloc(sizeof(struct lock_owner), ALLOC_USER | ALLOC_ZERO);
	return sp->owner ? 0 : -ENOLCK;
}

void lock_spare_drain(struct lock_spare *sp)
{
	for (u32 i = 0; i < LOCK_SPARES; i++)
		kfree(sp->range[i]);
	kfree(sp->owner);
}

/* --- Owners */

static struct lock_owner *owner_search(struct lock_set *s, const void *key, struct rb_node **parent, struct rb_node ***link)
{
	*parent = NULL;
	*link = &s->owners.node;
	while (**link) {
		struct lock_owner *o = rb_entry(**link, struct lock_owner, node);

		*parent = **link;
		if (o->key == key)
			return o;
		*link = (uintptr_t)key < (uintptr_t)o->key ? &(*parent)->left : &(*parent)->right;
	}
	return NULL;
}

struct lock_owner *lock_owner_find(struct lock_set *s, const void *key)
{
	struct rb_node *parent, **link;

	return owner_search(s, key, &parent, &link);
}

struct lock_owner *lock_owner_get(struct lock_set *s, const void *key, struct pid *pid, struct lock_spare *sp)
{
	struct rb_node *parent, **link;
	struct lock_owner *o = owner_search(s, key, &parent, &link);

	if (o)
		return o;
	o = sp->owner;
	sp->owner = NULL;
	o->key = key;
	o->pid = pid ? pid_get(pid) : NULL;
	rb_root_init(&o->ranges);
	list_init(&o->blocks);
	rb_link_node(&o->node, parent, link);
	rb_insert_color(&o->node, &s->owners);
	return o;
}

void lock_owner_drop(struct lock_set *s, struct lock_owner *o)
{
	if (!rb_empty(&o->ranges) || !list_empty(&o->blocks))
		return;
	rb_erase(&o->node, &s->owners);
	if (o->pid)
		pid_put(o->pid);
	kfree(o);
}

/* --- The interval trees */

static void update_max(struct rb_node *node)
{
	struct lock_range *r = rb_entry(node, struct lock_range, class_node);
	u64 max_end = r->end;

	if (node->left)
		max_end = max(max_end, rb_entry(node->left, struct lock_range, class_node)->max_end);
	if (node->right)
		max_end = max(max_end, rb_entry(node->right, struct lock_range, class_node)->max_end);
	r->max_end = max_end;
}

static const struct rb_augment augment = { .update = update_max };

static void class_insert(struct lock_set *s, struct lock_range *r)
{
	struct rb_root *root = &s->by_type[r->type];
	struct rb_node **link = &root->node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = r->start < rb_entry(parent, struct lock_range, class_node)->start ? &parent->left : &parent->right;
	}
	rb_link_node(&r->class_node, parent, link);
	rb_insert_augmented(&r->class_node, root, &augment);
}

static void class_erase(struct lock_set *s, struct lock_range *r)
{
	rb_erase_augmented(&r->class_node, &s->by_type[r->type], &augment);
}

static bool reaches(const struct rb_node *node, u64 start)
{
	return node && rb_entry(node, struct lock_range, class_node)->max_end >= start;
}

/* The leftmost range of a subtree that ends at or after `start`; the subtree has one. */
static struct lock_range *leftmost_reaching(struct rb_node *node, u64 start)
{
	for (;;) {
		struct lock_range *r = rb_entry(node, struct lock_range, class_node);

		if (reaches(node->left, start))
			node = node->left;
		else if (r->end >= start)
			return r;
		else
			node = node->right;
	}
}

static struct lock_range *overlap_first(const struct rb_root *root, u64 start, u64 end)
{
	struct lock_range *r = reaches(root->node, start) ? leftmost_reaching(root->node, start) : NULL;

	return r && r->start <= end ? r : NULL;
}

/* The next one in order of starts: below to the right, or up to the first ancestor that we are left of and that (or whose right side) reaches. */
static struct lock_range *overlap_next(struct lock_range *r, u64 start, u64 end)
{
	struct rb_node *node = &r->class_node;
	struct lock_range *next = NULL;

	if (reaches(node->right, start)) {
		next = leftmost_reaching(node->right, start);
	} else {
		for (; node->parent && !next; node = node->parent) {
			struct rb_node *parent = node->parent;

			if (node != parent->left)
				continue;
			if (rb_entry(parent, struct lock_range, class_node)->end >= start)
				next = rb_entry(parent, struct lock_range, class_node);
			else if (reaches(parent->right, start))
				next = leftmost_reaching(parent->right, start);
		}
	}
	return next && next->start <= end ? next : NULL;
}

static struct lock_range *first_of_others(const struct rb_root *root, const void *key, u64 start, u64 end)
{
	struct lock_range *r = overlap_first(root, start, end);

	while (r && r->owner->key == key)
		r = overlap_next(r, start, end);
	return r;
}

struct lock_range *lock_conflict(struct lock_set *s, const void *key, enum lock_type type, u64 start, u64 end)
{
	struct lock_range *w, *r;

	if (type == LOCK_TYPE_NONE)
		return NULL;
	w = first_of_others(&s->by_type[LOCK_TYPE_WRITE], key, start, end);
	if (type == LOCK_TYPE_READ)
		return w;
	r = first_of_others(&s->by_type[LOCK_TYPE_READ], key, start, end);
	return !w || (r && r->start < w->start) ? r : w;
}

/* --- Changing what an owner holds */

static void range_insert(struct lock_set *s, struct lock_range *r)
{
	struct rb_node **link = &r->owner->ranges.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = r->start < rb_entry(parent, struct lock_range, owner_node)->start ? &parent->left : &parent->right;
	}
	rb_link_node(&r->owner_node, parent, link);
	rb_insert_color(&r->owner_node, &r->owner->ranges);
	class_insert(s, r);
}

static void range_remove(struct lock_set *s, struct lock_range *r)
{
	class_erase(s, r);
	rb_erase(&r->owner_node, &r->owner->ranges);
}

/* A new range in memory from the spare. */
static void range_add(struct lock_set *s, struct lock_owner *o, enum lock_type type, u64 start, u64 end, struct lock_spare *sp)
{
	u32 i = sp->range[0] ? 0 : 1;
	struct lock_range *r = sp->range[i];

	sp->range[i] = NULL;
	*r = (struct lock_range){ .start = start, .end = end, .type = type, .owner = o };
	range_insert(s, r);
}

/* The owner's first range that ends at or after `at`. */
static struct lock_range *owned_from(struct lock_owner *o, u64 at)
{
	struct rb_node *node = o->ranges.node;
	struct lock_range *found = NULL;

	while (node) {
		struct lock_range *r = rb_entry(node, struct lock_range, owner_node);

		if (r->end >= at) {
			found = r;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
}

/* Takes [start, end] out of a range of another type. Both ends may stay: then the right one is new. */
static void range_cut(struct lock_set *s, struct lock_range *r, u64 start, u64 end, struct lock_spare *sp)
{
	u64 old_start = r->start, old_end = r->end;

	range_remove(s, r);
	if (old_start < start && old_end > end)
		range_add(s, r->owner, r->type, end + 1, old_end, sp);
	if (old_start < start) {
		r->end = start - 1;
		range_insert(s, r);
	} else if (old_end > end) {
		r->start = end + 1;
		range_insert(s, r);
	} else {
		kfree(r);
	}
}

void lock_apply(struct lock_set *s, struct lock_owner *o, enum lock_type type, u64 start, u64 end, struct lock_spare *sp)
{
	/* Neighbours that touch count: alike ones are merged. */
	u64 from = start ? start - 1 : 0, to = end < S64_MAX ? end + 1 : end;
	struct lock_range *r = owned_from(o, from);

	while (r && r->start <= to) {
		struct lock_range *next = rb_entry_or_null(rb_next(&r->owner_node), struct lock_range, owner_node);

		if (r->type == type) {
			start = min(start, r->start);
			end = max(end, r->end);
			range_remove(s, r);
			kfree(r);
		} else if (r->start <= end && r->end >= start) {
			range_cut(s, r, start, end, sp);
		}
		r = next;
	}
	if (type != LOCK_TYPE_NONE)
		range_add(s, o, type, start, end, sp);
}
