/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/idalloc.h: hands out small numbers, always the smallest free one at or above a bound.
 *
 * Contract: a tree of bitmaps: level 0 has a bit for each id, each level above a bit for each word
 * below that is full. Every operation is O(levels), four for 16 million ids. The memory is the
 * caller's: idalloc_bytes(nr) bytes, aligned for u64, to be kept until the allocator is thrown away
 * or has grown out of it.
 * Locking: the caller's.
 */
#ifndef LIB_IDALLOC_H
#define LIB_IDALLOC_H

#include <lib/types.h>

#define IDALLOC_LEVELS 6

struct idalloc {
	u64 *level[IDALLOC_LEVELS]; /* level[0]: the ids */
	unsigned int nr_levels;
	u32 nr;                     /* ids are 0..nr-1 */
	u32 used;
	u32 next;                   /* where the cyclic search goes on */
};

/* Bytes for @nr ids (at least 1). */
size_t idalloc_bytes(u32 nr);
/* All ids free. @mem is idalloc_bytes(@nr) long. */
void idalloc_init(struct idalloc *ida, void *mem, u32 nr);
/*
 * Moves to larger memory for @nr > ida->nr ids, keeping what is handed out; the old memory is then
 * the caller's again.
 */
void idalloc_grow(struct idalloc *ida, void *mem, u32 nr);

/* The smallest free id in @min..@end-1 (and below nr); -ENOSPC if there is none. */
int __must_check idalloc_alloc(struct idalloc *ida, u32 min, u32 end, u32 *id);
/*
 * The first free id after the one handed out last by this function, going round from @end to @min.
 */
int __must_check idalloc_alloc_cyclic(struct idalloc *ida, u32 min, u32 end, u32 *id);
/* This very id; -EBUSY if it is taken, -EINVAL if it is out of range. */
int __must_check idalloc_take(struct idalloc *ida, u32 id);
/* Gives @id back; harmless if it was free. */
void idalloc_free(struct idalloc *ida, u32 id);
bool idalloc_is_used(const struct idalloc *ida, u32 id);

#endif
