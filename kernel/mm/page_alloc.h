/* SPDX-License-Identifier: MPL-2.0 */
/* What mm/'s own files need of the page allocator and its helpers; not for other folders. */
#ifndef MM_PAGE_ALLOC_H
#define MM_PAGE_ALLOC_H

#include <lib/types.h>
#include "mm/alloc.h"

u64 page_alloc_total(void);		/* frames under management */
u64 page_alloc_free(void);		/* of them free, per-CPU lists included */
u64 page_alloc_low(void);		/* user allocations start to reclaim below this */
u64 page_alloc_frame_pages(void);	/* handed to the frame: page tables, stacks */

/* mm/slab.c: gives empty slabs and this CPU's magazines back; returns pages freed. */
u64 slab_shrink(void);
void slab_init(void);
void kmalloc_init(void);
/* Bytes of the object that may be used, given `size` were asked for (debug: the rest is a red zone). */
void *slab_alloc_sized(struct slab_cache *c, size_t size, u32 flags);
size_t slab_object_size(const struct slab_cache *c);

/* mm/reclaim.c: frees about `want` pages, task context; returns how many it freed. */
u64 reclaim_pages(u64 want);

/* mm/fault_inject.c: should this allocation fail? */
#ifdef KEEL_DEBUG
bool alloc_inject_failure(void);
void alloc_inject_init(void);
#else
static inline bool alloc_inject_failure(void)
{
	return false;
}
static inline void alloc_inject_init(void)
{
}
#endif

#endif
