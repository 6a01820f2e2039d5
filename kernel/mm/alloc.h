/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory for the kernel: frames by powers of two (buddy, per-CPU lists of single frames) and objects (slab caches with per-CPU magazines).
 *
 * Two modes suffice: ALLOC_SLEEP (task context, may reclaim) and ALLOC_ATOMIC (any context but hard). Failure is NULL, never a panic, in both: callers
 * handle it. Freeing never allocates and may be done in task or soft context.
 */
#ifndef MM_ALLOC_H
#define MM_ALLOC_H

#include <lib/types.h>
#include <frame/page.h>
#include "object/policy.h"	/* enum alloc_flags, kmalloc, kfree */


#define PAGE_MAX_ORDER 10

void alloc_init(void);					/* takes boot_memory over */
/* Frames that the boot no longer needs (initramfs): RESERVED → free memory. */
void page_donate(struct page *first, u64 n);
void page_count_boot(u64 n);	/* the frame gave back n frames that it never asked for, its image's: there is so much more memory */
/* 2^order frames, FREE → claimed as `state` with one reference (the head's and each tail's). */
struct page *page_alloc(u32 order, enum frame_state state, u32 flags);
void page_free(struct page *p, u32 order);		/* the caller holds the only reference, or none is left */
void *kpage_alloc(u32 order, u32 flags);		/* kernel frames by direct-map address */
void kpage_free(void *kva, u32 order);

void *kmalloc_array(size_t n, size_t size, u32 flags);	/* NULL on overflow */
void *krealloc(void *p, size_t size, u32 flags);	/* p stays valid on NULL */
char *kstrdup(const char *s, size_t max, u32 flags);
size_t kmalloc_size(const void *p);

struct slab_cache;
#define SLAB_RCU_TYPESAFE 1	/* memory of freed objects stays of this type for a grace period */
#define SLAB_RECLAIMABLE 2	/* a shrinker can free its objects (statistics) */
struct slab_cache *slab_create(const char *name, size_t size, size_t align, u32 flags, void (*ctor)(void *obj));	/* start-up only: panics without memory */
void *slab_alloc(struct slab_cache *c, u32 flags);
void slab_free(struct slab_cache *c, void *obj);
/* Debug build: logs how many objects of each cache are in use. At power-off, and with SysRq m. */
void slab_report_live(void);

/* For /proc/slabinfo: what each cache holds at the moment. No lock is held while fn runs. */
struct slab_stat {
	const char *name;
	u32 size, per_slab, pages;	/* bytes an object; objects and pages a slab */
	u64 n_active, n_slabs, n_active_slabs;	/* objects in use (or in quarantine, debug build); slabs; those with objects out */
};
void slab_each(void (*fn)(const struct slab_stat *st, void *arg), void *arg);

/* Something that can give memory back: dentries, inodes. scan() frees about `want` objects and returns how many it freed.
 * Task context; it must not allocate with ALLOC_SLEEP, enter a file system, or take a lock that is held while memory is allocated
 * (trylock instead). */
struct shrinker {
	struct list node;
	u64 (*scan)(struct shrinker *s, u64 want);
};
void shrinker_register(struct shrinker *s);
/* Gives back what can be had again: clean file pages; shrinkers' objects. Task context. */
void mem_drop_caches(bool pages, bool objects);

#ifdef KEEL_DEBUG
/* mm/fault_inject.c: which allocations fail on purpose. -EINVAL */
__must_check int alloc_inject_set(const char *words, size_t len);
void alloc_inject_get(char *words, size_t max);
#endif

struct mem_stat {		/* in pages */
	u64 total, free, available, cached, buffers, shmem, anon, mapped, dirty, writeback, slab_reclaimable, slab_unreclaimable,
	    kernel_stack, page_tables, active_anon, inactive_anon, active_file, inactive_file, unevictable, mlocked, committed, commit_limit;
};
void mem_stat(struct mem_stat *out);	/* from live counters */
/* Adjusts a live counter of mem_stat from outside mm/: `which` is offsetof(struct mem_stat, field). */
void mem_account(size_t which, s64 pages);

#endif
