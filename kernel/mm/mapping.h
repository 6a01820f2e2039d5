/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The page cache: what a file (or any object with pages) has in memory, shared by read, write and mmap.
 *
 * A struct mapping is a radix tree index → page (look-up under RCU, no lock), its dirty and write-back marks, and the tree of VMAs that map it.
 * tmpfs keeps its data here and nowhere else: its pages are never clean. mm knows mappings, never files.
 * Page lock: PG_LOCKED bit; serialises filling, truncation and write-back of one page. Order: mapping invalidation (rwsem) → page lock → tree lock.
 */
#ifndef MM_MAPPING_H
#define MM_MAPPING_H

#include <lib/types.h>
#include <lib/radix.h>
#include <lib/rbtree.h>
#include <frame/page.h>
#include <frame/spinlock.h>
#include "sync/mutex.h"
#include "mm/iov.h"

struct mapping;
struct vma;

struct mapping_ops {
	/* Fills a locked new page (uptodate on success). NULL: pages start zeroed (tmpfs). May sleep. */
	int (*read_page)(struct mapping *m, struct page *page);
	/* Writes a locked dirty page out. NULL: memory is the home, pages stay (tmpfs): never reclaimed without swap. */
	int (*write_page)(struct mapping *m, struct page *page);
	/* Before the first write to a page (block reservation, quota, seals): 0 or -errno (-ENOSPC → SIGBUS for mmap). May be NULL. */
	int (*reserve)(struct mapping *m, u64 index);
	/* n pages have been removed (accounting). May be NULL. Must not sleep. */
	void (*released)(struct mapping *m, u64 n_pages);
	bool is_memory;			/* counts as shmem */
};

struct mapping {
	struct radix_root pages;	/* [tree_lock; RCU to read] */
	struct spinlock_soft tree_lock;
	u64 n_pages;			/* [tree_lock] */
	u64 size;			/* [a] bytes: the file's size; faults at or beyond its last page get SIGBUS. Written by the owner under its inode lock */
	struct rwsem invalidate;	/* faults and reads take it shared, truncation exclusive */
	struct rb_root vmas;		/* [vmas_lock] interval tree by page offset */
	struct mutex vmas_lock;
	s32 n_writable;			/* [a] shared VMAs that may become writable (or <0: denied), for seals */
	u32 seals;			/* [a] F_SEAL_*: what must not be done to it; written by the owner under its inode lock */
	bool is_sealable;		/* [I once known to programs] */
	u32 error_seq;			/* [a] write errors: sampled per open file */
	const struct mapping_ops *ops;	/* [I] */
	void *host;			/* [I] the inode */
};

void mapping_init(struct mapping *m, const struct mapping_ops *ops, void *host);
void mapping_fini(struct mapping *m);	/* drops every page; no VMA may map it */

/* The page at `index`, uptodate and referenced (page_put after use). create: a hole is filled (reserve + zero or read_page);
 * otherwise a hole gives 0 with *out NULL (only for mappings without read_page). -EIO, -ENOMEM, -ENOSPC, -EINTR(killed). May sleep. */
__must_check int mapping_get(struct mapping *m, u64 index, bool create, struct page **out);
struct page *mapping_lookup(struct mapping *m, u64 index);	/* referenced, or NULL; never sleeps */
void mapping_set_dirty(struct mapping *m, struct page *page);
/* Generic file read and write through the cache. Read: from `pos`, stops at m->size. Write: the caller holds the inode lock, has checked limits; extends m->size.
 * Return bytes done or -errno if none. */
__must_check ssize_t mapping_read(struct mapping *m, u64 pos, struct iov_iter *it);
__must_check ssize_t mapping_write(struct mapping *m, u64 pos, struct iov_iter *it);
/* Sets the size; pages wholly beyond go (also from page tables), the tail of the last one is zeroed. The inode lock is held. Never fails. */
void mapping_truncate(struct mapping *m, u64 size);
/* Removes [start, end) bytes (hole punching): whole pages go, partial ones are zeroed. */
void mapping_punch(struct mapping *m, u64 start, u64 end);
/* First index ≥ start with a page (SEEK_DATA) / without (SEEK_HOLE). */
bool mapping_next_data(struct mapping *m, u64 start, u64 *index);
u64 mapping_next_hole(struct mapping *m, u64 start);
/* Shared writable VMAs: get fails with -EPERM while they are denied (n_writable < 0). */
__must_check int mapping_writable_get(struct mapping *m);
void mapping_writable_put(struct mapping *m);
__must_check int mapping_writable_deny(struct mapping *m);	/* -EBUSY while there are any */
/* Writes dirty pages of [start, end) bytes out and waits: 0, or the first -errno. Nothing to do for mappings without write_page. */
__must_check int mapping_sync(struct mapping *m, u64 start, u64 end);
/* Adopts a ready page (initramfs unpacking, read-ahead). Takes the reference over. -EEXIST, -ENOMEM */
__must_check int mapping_insert(struct mapping *m, u64 index, struct page *page);

#endif
