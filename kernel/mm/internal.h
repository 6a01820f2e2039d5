/* SPDX-License-Identifier: MPL-2.0 */
/* What mm/'s files ask of each other; not for other folders. Each group names its file. */
#ifndef MM_INTERNAL_H
#define MM_INTERNAL_H

#include <lib/types.h>
#include <lib/list.h>
#include <frame/page.h>
#include <frame/uspace.h>
#include "mm/alloc.h"
#include "mm/mapping.h"
#include "mm/mm.h"
#include "mm/page_flags.h"

#define STACK_GUARD_GAP (256 * PAGE_SIZE)	/* kept free below a stack; as Linux's default stack_guard_gap */
#define TABLE_SPAN (512 * PAGE_SIZE)		/* what one leaf page table covers */

static inline u64 vma_pages(const struct vma *v)
{
	return (v->end - v->start) >> PAGE_SHIFT;
}

/* The page number of `addr` in the VMA's mapping or family. */
static inline u64 vma_index(const struct vma *v, u64 addr)
{
	return v->pgoff + ((addr - v->start) >> PAGE_SHIFT);
}

static inline bool vma_is_anon(const struct vma *v)
{
	return !v->mapping;
}

/* Page-table bits that the VMA's protection allows. Writable or executable implies readable on x86; PROT_NONE has none. */
static inline u32 vma_pte_bits(const struct vma *v)
{
	_Static_assert((u32)VMA_READ == (u32)UPTE_READ && (u32)VMA_WRITE == (u32)UPTE_WRITE && (u32)VMA_EXEC == (u32)UPTE_EXEC, "one numbering");
	u32 bits = v->flags & (VMA_READ | VMA_WRITE | VMA_EXEC);

	return bits ? bits | UPTE_READ : 0;
}

/* Must writes through shared mappings of it be noticed? Not where memory is the home: there pages are never clean. */
static inline bool mapping_tracks_dirty(const struct mapping *m)
{
	return m->ops->write_page != NULL;
}

/* --- mm/vma.c: the tree. [m] = mm->lock held for writing. */
void vma_caches_init(void);
struct vma *vma_alloc(struct mm *mm);			/* zeroed; NULL */
void vma_free(struct vma *v);				/* not in any tree */
void vma_link(struct vma *v);				/* [m] into the tree, its mapping's tree; family list if it has one */
/* For an empty address space: VMAs by ascending addresses, in their mappings' trees as they are added, in the mm's all at once. [m] */
struct vma_chain {
	struct vma *first, *last;
	u32 n;
};
void vma_chain_add(struct vma_chain *c, struct vma *v);
void vma_chain_link(struct vma_chain *c, struct mm *mm);
void vma_unlink(struct vma *v);				/* [m] out of them; the file is kept until vma_free */
void vma_bury(struct vma *v);				/* [m] unlinked: freed by mm_write_unlock */
void vma_set_range(struct vma *v, u64 start, u64 end, u64 pgoff);	/* [m] linked; may not pass its neighbours */
struct vma *vma_next(const struct vma *v);
struct vma *vma_prev(const struct vma *v);
__must_check int vma_split(struct vma *v, u64 addr, struct vma **upper);	/* [m] -ENOMEM, -EINVAL (the vDSO is not cut); v keeps the lower half */
__must_check int vma_isolate(struct vma **v, u64 start, u64 end);		/* [m] splits so that *v is within [start, end) */
struct vma *vma_merge(struct vma *v);			/* [m] with its neighbours if they are alike; the result */
/* Would a mapping of [start, end) touch v and be like it in all, so that v can simply grow? */
bool vma_extends(const struct vma *v, const struct mm_map_request *rq, u32 flags, u64 start, u64 end);
__must_check bool vma_find_gap(const struct mm *mm, u64 len, u64 low, u64 high, u64 *addr);	/* highest hole of len in [low, high) */
u64 vma_gap_start(const struct vma *v);			/* start, less the guard gap of a stack */
__must_check int mm_write_lock(struct mm *mm);		/* -EINTR (killed) */
void mm_write_unlock(struct mm *mm);			/* and frees buried VMAs */

/* --- mm/mm.c. Without VMAs, with the parent's layout, auxiliary vector and executable; the parent is locked. -ENOMEM */
__must_check int mm_create_like(const struct mm *parent, struct mm **out);

/* --- mm/account.c */
__must_check int mm_may_expand(struct mm *mm, u32 vma_flags, u64 pages, const struct mm_limits *lim);	/* RLIMIT_AS, RLIMIT_DATA */
void mm_count_pages(struct mm *mm, u32 vma_flags, s64 pages);		/* [m] */
bool mm_is_accountable(u32 vma_flags);
u64 mm_committed_pages(void);
u64 mm_commit_limit(void);
__must_check int mm_lock_allowed(const struct mm *mm, u64 more_pages, const struct mm_limits *lim);	/* -EAGAIN beyond RLIMIT_MEMLOCK */

/* --- mm/anon.c: families. */
__must_check int anon_family_prepare(struct vma *v);	/* mm->lock held; -ENOMEM */
void anon_family_join(struct vma *v, struct anon_family *f);	/* takes a reference */
void anon_family_leave(struct vma *v);
void anon_page_init(struct page *p, const struct vma *v, u64 addr);

/* --- mm/unmap.c */
__must_check int mm_unmap_locked(struct mm *mm, u64 start, u64 end);	/* [m] page aligned, in user space. -ENOMEM (too many VMAs) */
void mm_zap_range(struct mm *mm, u64 start, u64 end);	/* drops page-table entries; the VMAs stay */
void mm_zap_file_pages(struct mm *mm, struct mapping *m, u64 start, u64 end, bool even_private);
void mm_count_unmapped(const struct upte *e, u32 n, struct mapping *m, s64 rss[3]);	/* bookkeeping for entries about to go */
enum { RSS_ANON, RSS_FILE, RSS_SHMEM };
void mm_rss_add(struct mm *mm, const s64 rss[3]);

/* --- mm/map.c */
__must_check int mm_check_min_addr(u64 addr);		/* -EPERM below mmap_min_addr */
__must_check int mm_choose_addr(struct mm *mm, u64 hint, u64 len, bool is_low, u64 *addr);
/* --- mm/populate.c; mm->lock not held */
void mm_populate(struct mm *mm, u64 start, u64 end);	/* best effort */
__must_check int mm_populate_all(struct mm *mm, u64 start, u64 end);	/* -ENOMEM if a page could not be had (mlock(2)), -EINTR */

/* --- mm/fault.c */
struct fault {
	struct mm *mm;
	struct vma *v;
	u64 addr;		/* page aligned */
	struct page *spare;	/* a page allocated while sleeping was allowed, for the retry; zeroed */
	bool is_write, is_exec;
	bool is_forced;		/* ptrace: write beyond the protection, into a private copy */
	bool was_retried;	/* the page was waited for with mm->lock dropped: don't drop it again */
	bool is_unlocked;	/* out: mm->lock has been dropped */
};
enum { FAULT_RETRY = 100 };	/* beside enum mm_fault_result: look the VMA up again */
/* Makes one page present; f->v allows the access. mm->lock held for reading (or writing: then was_retried is set). */
__must_check int fault_page(struct fault *f);
void fault_finish(struct fault *f);			/* gives back what was not used */
__must_check int fault_file(struct fault *f);		/* mm/fault_file.c */
extern struct page *zero_page;
/* Makes the pages of [start, end) present, as a touch would: 0, -ENOMEM (a hole), -EACCES (protection), -EFAULT (SIGBUS), -EINTR. mm->lock not held. */
__must_check int mm_touch_range(struct mm *mm, u64 start, u64 end, bool is_write, bool is_forced);
__must_check int vma_grow_down(struct vma *v, u64 addr);	/* [m] */

/* --- mm/mapping.c */
struct vma *mapping_vma_first(struct mapping *m, u64 first, u64 last);	/* vmas_lock held: overlapping VMAs, in turn */
struct vma *mapping_vma_next(struct vma *v, u64 first, u64 last);
void mapping_vma_link(struct vma *v);			/* vmas_lock held */
void mapping_vma_unlink(struct vma *v);
void mapping_unmap_range(struct mapping *m, u64 first, u64 last, bool even_private);
/* Referenced, uptodate pages of indices first … first+n-1 into out[] (NULL: none). Never sleeps. Returns how many. */
u32 mapping_gang_lookup(struct mapping *m, u64 first, u32 n, struct page **out);
void mapping_remove_page_locked(struct mapping *m, struct page *p);	/* tree_lock held; the tree's reference is the caller's now */
void mapping_init_caches(void);

/* --- mm/reclaim.c */
void lru_add(struct page *p);
void lru_remove(struct page *p);

#endif
