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

#include <lib/errno.h>
#include <lib/types.h>

#define IDALLOC_LEVELS 6

struct idalloc {
	u64 *level[IDALLOC_LEVELS]; /* level[0]: the ids */
	unsigned int nr_levels;
	u32 nr;                     /* ids are 0..nr-1 */
	u32 used;
	u32 lowest;                 /* all ids below it are taken: most searches begin in the word they end in */
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

/* What idalloc_alloc does when a word is full: the first free id at or after @min, or nr; the word has become full. */
u32 idalloc_find_(const struct idalloc *ida, u32 min);
void idalloc_filled_(struct idalloc *ida, u32 word);

/* The smallest free id in @min..@end-1 (and below nr); -ENOSPC if there is none. */
static inline int __must_check idalloc_alloc(struct idalloc *ida, u32 min, u32 end, u32 *id)
{
	u32 from = max(min, ida->lowest), found;
	u64 free;

	if (unlikely(from >= min(end, ida->nr)))
		return -ENOSPC;
	free = ~ida->level[0][from / 64] & ~0UL << (from % 64);
	found = likely(free) ? from / 64 * 64 + (u32)__builtin_ctzll(free) : idalloc_find_(ida, from);
	if (unlikely(found >= min(end, ida->nr)))
		return -ENOSPC;
	ida->level[0][found / 64] |= 1UL << (found % 64);
	if (unlikely(ida->level[0][found / 64] == ~0UL))
		idalloc_filled_(ida, found / 64);
	ida->used++;
	if (min <= ida->lowest)
		ida->lowest = found + 1;
	*id = found;
	return 0;
}
/*
 * The first free id after the one handed out last by this function, going round from @end to @min.
 */
int __must_check idalloc_alloc_cyclic(struct idalloc *ida, u32 min, u32 end, u32 *id);
/* This very id; -EBUSY if it is taken, -EINVAL if it is out of range. */
int __must_check idalloc_take(struct idalloc *ida, u32 id);
/* The free ids @word * 64 + i for the bits i of @ids, all at once; the word must exist. */
void idalloc_take_word(struct idalloc *ida, u32 word, u64 ids);
static inline bool idalloc_is_used(const struct idalloc *ida, u32 id)
{
	return id < ida->nr && ((ida->level[0][id / 64] >> (id % 64)) & 1);
}

void idalloc_unfill_(struct idalloc *ida, u32 word); /* the word was full */

/* Gives @id back; harmless if it was free. */
static inline void idalloc_free(struct idalloc *ida, u32 id)
{
	if (!idalloc_is_used(ida, id))
		return;
	if (unlikely(ida->level[0][id / 64] == ~0UL))
		idalloc_unfill_(ida, id / 64);
	ida->level[0][id / 64] &= ~(1UL << (id % 64));
	ida->used--;
	ida->lowest = min(ida->lowest, id);
}

/* A bit for each id that is taken; in the last word, bits from nr on are ones. */
static inline const u64 *idalloc_bits(const struct idalloc *ida)
{
	return ida->level[0];
}

#endif
