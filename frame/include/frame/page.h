/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Physical frames: one `struct page` (64 bytes) per 4 KiB frame, in an array at frame_pages.
 *
 * The frame owns the state and the reference count; the other 48 bytes are the kernel's. States:
 *
 *	RESERVED	not memory we may use (firmware, the image, holes)
 *	FREE		in the kernel's allocator; nobody may touch it
 *	KERNEL		stacks, page tables, slabs: never mapped for the user
 *	UNTYPED		user pages, page cache, DMA buffers: contents may change at any moment
 *
 * They change by compare-and-swap: claiming a frame that is not free, or releasing one that is mapped or referenced,
 * panics, so an allocator's mistake is caught here and not as corruption later.
 * References: a claimed frame starts with one. page_put() of the last one hands it to policy_untyped_free (untyped frames only).
 * Locks: none taken; all atomic. Fields: [a] atomic, [k] the kernel's rules (mm/page_flags.h).
 */
#ifndef FRAME_PAGE_H
#define FRAME_PAGE_H

#include <lib/types.h>
#include <lib/list.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

typedef u64 paddr_t;

enum frame_state { FRAME_RESERVED, FRAME_FREE, FRAME_KERNEL, FRAME_UNTYPED };

struct page {
	u32 f_state;		/* [a] enum frame_state */
	u32 f_refs;		/* [a] */
	u32 f_pt_lock;		/* [f] page tables: their lock */
	u32 f_pt_live;		/* [f] page tables: entries in use */

	void *owner;		/* [k] mapping, anonymous family, slab cache … */
	u64 index;		/* [k] page offset in owner; buddy order while free */
	struct list lru;	/* [k] */
	u32 flags;		/* [k, a] */
	s32 map_count;		/* [k, a] user page-table entries that map it */
	u32 pins;		/* [k, a] long-term users */
	u32 charge;		/* [k] id of who pays */
};
_Static_assert(sizeof(struct page) == 64, "struct page is one cache line");

extern struct page *frame_pages;	/* indexed by frame number */
extern u64 frame_pfn_end;		/* first frame number beyond memory */
extern u64 frame_direct_base;		/* direct map: virtual = base + physical */

static inline u64 page_pfn(const struct page *p)
{
	return (u64)(p - frame_pages);
}

static inline paddr_t page_phys(const struct page *p)
{
	return page_pfn(p) << PAGE_SHIFT;
}

static inline struct page *pfn_page(u64 pfn)
{
	return &frame_pages[pfn];
}

/* The frame's contents in the direct map. */
static inline void *page_kva(const struct page *p)
{
	return (void *)(frame_direct_base + page_phys(p));
}

/* The page of a direct-map address (never of stack, image or device addresses). */
static inline struct page *kva_page(const void *kva)
{
	return &frame_pages[((u64)kva - frame_direct_base) >> PAGE_SHIFT];
}

/* FREE → `to` (KERNEL or UNTYPED) for n consecutive frames, each with one reference. Panics if one is not free. */
void frames_claim(struct page *first, u64 n, enum frame_state to);
/* Claimed → FREE. Each must have no references (f_refs 0) or exactly the claimer's one, and map_count 0. Panics otherwise. */
void frames_release(struct page *first, u64 n);
/* RESERVED → FREE, once, for memory the boot no longer needs (initramfs, init sections). */
void frames_donate(struct page *first, u64 n);

static inline void page_get(struct page *p)
{
	__atomic_fetch_add(&p->f_refs, 1, __ATOMIC_RELAXED);
}

/* Takes a reference unless there is none (a lock-free look-up met a frame on its way out). */
static inline __must_check bool page_try_get(struct page *p)
{
	u32 n = __atomic_load_n(&p->f_refs, __ATOMIC_RELAXED);

	while (n)
		if (__atomic_compare_exchange_n(&p->f_refs, &n, n + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

static inline u32 page_refs(const struct page *p)
{
	return __atomic_load_n(&p->f_refs, __ATOMIC_RELAXED);
}

/* Drops a reference; true if it was the last: the caller frees the frame. */
static inline bool page_drop(struct page *p)
{
	return __atomic_sub_fetch(&p->f_refs, 1, __ATOMIC_ACQ_REL) == 0;
}

void page_put(struct page *p);

/* If exactly `expected` references are held, makes it zero so that no look-up can succeed any more (reclaim). */
static inline bool page_freeze(struct page *p, u32 expected)
{
	return __atomic_compare_exchange_n(&p->f_refs, &expected, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

#endif
