/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/radix.h: radix tree from u64 to pointers, 64 ways a node, three tags an entry.
 *
 * Contract: depth is ceil(bits/6) for the largest index present; look-up, insert, erase, tag and
 * next are O(depth). Entries are non-NULL pointers to anything. Index 0 lives in the root itself,
 * so a tree of one page has no node. Nodes come from and go to the caller's `struct radix_alloc`;
 * an insertion allocates all it needs before it changes anything, so it happens whole or not at
 * all.
 *
 * Locking: whoever changes the tree (insert, erase, replace, tags, destroy) holds the caller's
 * lock. radix_lookup(_range), radix_next, radix_empty and radix_gang may also run inside an RCU read
 * section without it: nodes and entries are published by release stores, and `free` must defer to
 * the end of a grace period. Tagged searches without the lock are hints: an entry tagged meanwhile
 * may be missed. `alloc` may return more than a node, with room behind it for an rcu_head: readers
 * may still be in a node that `free` has been given.
 *
 * Under a spinlock the tree cannot allocate: hand in a preload, and fill it outside the lock when
 * the insertion answers -EAGAIN (one insertion in 64 for dense indices):
 *
 *	struct radix_preload pl = { 0 };
 *	do {
 *		lock; err = radix_insert(root, index, entry, &pl); unlock;
 *	} while (err == -EAGAIN && (err = radix_preload_fill(&pl, root->alloc)) == 0);
 *	radix_preload_drain(&pl, root->alloc);
 */
#ifndef LIB_RADIX_H
#define LIB_RADIX_H

#include <lib/types.h>

#define RADIX_BITS 6
#define RADIX_SLOTS 64
#define RADIX_TAGS 3
#define RADIX_MAX_DEPTH 11
/* Worst insertion: grow from one level to eleven, then ten new nodes down. */
#define RADIX_MAX_PRELOAD 20

enum radix_tag { RADIX_TAG_0, RADIX_TAG_1, RADIX_TAG_2 };

struct radix_alloc {
	/*
	 * A block of at least RADIX_NODE_SIZE bytes, aligned for pointers, any contents; NULL if
	 * there is none.
	 */
	void *(*alloc)(void *ctx);
	/* Takes a block back; if there are RCU readers, re-uses it only after a grace period. */
	void (*free)(void *ctx, void *node);
	void *ctx;
};

struct radix_node {
	struct radix_node *parent; /* NULL in the top node */
	u8 shift;                  /* slot = (index >> shift) % 64 */
	u8 offset;                 /* own slot in parent */
	u64 used;                  /* bit i: slot i is in use */
	u64 tags[RADIX_TAGS];      /* bit i: entry or something below slot i has the tag */
	void *slots[RADIX_SLOTS];  /* shift 0: entries; else struct radix_node */
};

#define RADIX_NODE_SIZE sizeof(struct radix_node)

struct radix_root {
	struct radix_node *top;
	void *zero;    /* the entry of index 0 */
	u8 zero_tags;  /* its tags */
	u64 count;     /* entries */
	const struct radix_alloc *alloc;
};

/* Nodes put by; a zeroed one is empty. */
struct radix_preload {
	void *nodes[RADIX_MAX_PRELOAD];
	unsigned int nr;
	unsigned int wanted; /* what the last -EAGAIN was short of in all */
};

static inline void radix_init(struct radix_root *root, const struct radix_alloc *alloc)
{
	*root = (struct radix_root){ .alloc = alloc };
}

static inline bool radix_empty(const struct radix_root *root)
{
	return READ_ONCE(root->count) == 0;
}

/* The entry at @index or NULL. */
void *radix_lookup(const struct radix_root *root, u64 index);

/* The entries at @index … @index + @n - 1 into @entries, NULL for those that are not there. */
void radix_lookup_range(const struct radix_root *root, u64 index, u32 n, void **entries);

/*
 * 0, -EEXIST, or with @pl == NULL -ENOMEM if `alloc` fails, else -EAGAIN if @pl holds too few nodes
 * (it then knows how many). The new entry has no tags. @entry must not be NULL.
 */
int __must_check radix_insert(struct radix_root *root, u64 index, void *entry,
			      struct radix_preload *pl);
/*
 * Brings @pl up to what the last radix_insert wanted; 0 or -ENOMEM. May be called again after
 * failure.
 */
int __must_check radix_preload_fill(struct radix_preload *pl, const struct radix_alloc *alloc);
/* Gives back all nodes in @pl. */
void radix_preload_drain(struct radix_preload *pl, const struct radix_alloc *alloc);

/* Takes the entry out and returns it, NULL if there was none. Never allocates. */
void *radix_erase(struct radix_root *root, u64 index);
/*
 * Puts another (non-NULL) entry in the place of the present one, tags unchanged; returns the old one,
 * or NULL and does nothing if there is none.
 */
void *radix_replace(struct radix_root *root, u64 index, void *entry);

/* The first entry at or after *@index: true, *@index and *@entry set; false if there is none. */
bool radix_next(const struct radix_root *root, u64 *index, void **entry);
/* Likewise, among those with @tag. */
bool radix_next_tagged(const struct radix_root *root, enum radix_tag tag, u64 *index, void **entry);
/* Up to @max entries at or after @index in order, with their indices; returns how many. */
size_t radix_gang(const struct radix_root *root, u64 index, size_t max, u64 *indices,
		  void **entries);

/* Set or clear a tag of the entry at @index; without an entry nothing happens. */
void radix_tag_set(struct radix_root *root, u64 index, enum radix_tag tag);
void radix_tag_clear(struct radix_root *root, u64 index, enum radix_tag tag);
bool radix_tag_get(const struct radix_root *root, u64 index, enum radix_tag tag);
/* Whether any entry has the tag: O(1). */
bool radix_tagged(const struct radix_root *root, enum radix_tag tag);

/*
 * Empties the tree and frees all nodes; @fn (may be NULL) is given each entry in order and must not
 * touch the tree.
 */
void radix_destroy(struct radix_root *root, void (*fn)(void *ctx, u64 index, void *entry),
		   void *ctx);

#endif
