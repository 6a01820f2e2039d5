/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The kernel's part of struct page: what `flags`, `owner`, `index` and `lru` mean.
 *
 *	kind		flags			owner			index			lru
 *	free block	PG_BUDDY (head)		NULL			order			free list
 *	slab		PG_SLAB (+PG_TAIL)	cache			free bitmap (tail: distance to the head)	partial list
 *	large kmalloc	PG_LARGE		NULL			order			-
 *	anonymous	PG_ANON			family			page number in it	-
 *	page cache	PG_CACHE		mapping			page number in it	LRU, if reclaimable
 *
 * All changes of flags of a page that others may see are atomic. A frame is handed out with every one of these fields zero.
 */
#ifndef MM_PAGE_FLAGS_H
#define MM_PAGE_FLAGS_H

#include <lib/types.h>
#include <frame/page.h>

enum page_flags {
	PG_LOCKED	= 1 << 0,	/* page lock: mm/page_lock.c */
	PG_WAITERS	= 1 << 1,	/* somebody may wait for PG_LOCKED or PG_WRITEBACK */
	PG_UPTODATE	= 1 << 2,	/* contents are those of the file */
	PG_DIRTY	= 1 << 3,	/* must be written out before it may go */
	PG_WRITEBACK	= 1 << 4,	/* being written out */
	PG_ANON		= 1 << 5,
	PG_CACHE	= 1 << 6,	/* in a mapping's tree */
	PG_SHMEM	= 1 << 7,	/* … one whose home is memory */
	PG_LRU		= 1 << 8,	/* [lru lock] on an LRU list */
	PG_ACTIVE	= 1 << 9,	/* [lru lock] … the active one */
	PG_REFERENCED	= 1 << 10,	/* used since the LRU last looked */
	PG_MAPPED	= 1 << 11,	/* counted in mem_stat.mapped */
	PG_SLAB		= 1 << 12,
	PG_TAIL		= 1 << 13,
	PG_LARGE	= 1 << 14,
	PG_BUDDY	= 1 << 15,	/* [zone lock] head of a free block */
	PG_MLOCKED	= 1 << 16,	/* counted in mem_stat.mlocked */
};

static inline bool page_has(const struct page *p, u32 flags)
{
	return (__atomic_load_n(&p->flags, __ATOMIC_ACQUIRE) & flags) != 0;
}

static inline void page_flag_set(struct page *p, u32 flags)
{
	__atomic_fetch_or(&p->flags, flags, __ATOMIC_RELEASE);
}

static inline void page_flag_clear(struct page *p, u32 flags)
{
	__atomic_fetch_and(&p->flags, ~flags, __ATOMIC_RELEASE);
}

/* Sets or clears; true if the flag was set before. */
static inline bool page_flag_test_set(struct page *p, u32 flag)
{
	return (__atomic_fetch_or(&p->flags, flag, __ATOMIC_ACQ_REL) & flag) != 0;
}

static inline bool page_flag_test_clear(struct page *p, u32 flag)
{
	return (__atomic_fetch_and(&p->flags, ~flag, __ATOMIC_ACQ_REL) & flag) != 0;
}

static inline s32 page_map_count(const struct page *p)
{
	return __atomic_load_n(&p->map_count, __ATOMIC_RELAXED);
}

#endif
