/* SPDX-License-Identifier: MPL-2.0 */
/*
 * User address spaces as the machine sees them: page tables and the CPUs that may cache them.
 *
 * Rules the frame keeps: only UNTYPED frames can be mapped; a mapping holds one reference and one map_count of its frame;
 * an entry that is removed or made stricter is not forgotten until every CPU that may hold its translation has acknowledged:
 * the frame drops the removed frames' references only after that. Flushes go to the CPUs in the space's set and to the range.
 *
 * All changes go through a cursor over [start, end). Page tables are allocated beforehand (uspace_prepare), so a cursor never
 * sleeps or allocates; it holds the spinlock of one leaf table at a time and is used in task context. The kernel must not sleep
 * between ucursor_open and ucursor_close. Cursors of two spaces may be open together if the parent's was opened first (fork).
 * On addresses: user space is [USPACE_MIN, USPACE_END); everything is in bytes, page aligned.
 */
#ifndef FRAME_USPACE_H
#define FRAME_USPACE_H

#include <lib/types.h>
#include <frame/page.h>
#include <frame/percpu.h>
#include <frame/spinlock.h>

#define USPACE_MIN 0x1000ul
#define USPACE_END 0x7ffffffff000ul

struct uspace {
	paddr_t root;			/* [I] top-level table */
	struct cpuset cpus;		/* [a] CPUs that may hold translations */
	u64 table_pages;		/* [a] frames used for tables (accounting) */
	struct spinlock lock;
	struct list tables;		/* [lock] their frames, but the root's, by page.lru: for uspace_fini */
};

enum {
	/* the values are those of x86-64's entries where these have such a bit */
	UPTE_READ = 1, UPTE_WRITE = 2, UPTE_EXEC = 4,
	UPTE_DIRTY = 0x40, UPTE_ACCESSED = 0x20,	/* reported by the machine */
	UPTE_EXCLUSIVE = 0x200,				/* kernel's: an anonymous page that belongs to this space alone */
	UPTE_SPECIAL = 0x400,				/* kernel's mark, e.g. the zero page: no reference, no map_count is held */
};

struct upte {
	struct page *page;		/* NULL: not present */
	u32 bits;			/* UPTE_* */
};

__must_check int uspace_init(struct uspace *us);	/* -ENOMEM; may sleep */
void uspace_fini(struct uspace *us);			/* no CPU may have it loaded; every page must be unmapped; frees the tables */

/* Allocates the tables for [start, end). -ENOMEM (what was allocated stays, harmless). May sleep. */
__must_check int uspace_prepare(struct uspace *us, u64 start, u64 end);

#define UCURSOR_BATCH 64

struct ucursor {
	struct uspace *us;
	u64 at;				/* the address the cursor stands on */
	u64 end;
	u64 *leaf;			/* [f] locked leaf table of `at`, or NULL */
	struct page *leaf_page;		/* [f] */
	u64 leaf_end;			/* [f] end of what it covers of the range */
	u64 flush_start, flush_end;	/* [f] what must be flushed before the removed pages go */
	u32 n_removed;
	struct page *removed[UCURSOR_BATCH];	/* [f] references to drop after the flush */
};

void ucursor_open(struct ucursor *c, struct uspace *us, u64 start, u64 end);
/*
 * Moves to the first entry ≥ c->at that is present, within the range; skips absent tables quickly. Reports it and those that follow without a gap in its
 * table, `most` at most: how many. 0 at the end.
 */
u32 ucursor_next_run(struct ucursor *c, struct upte *out, u32 most);
static inline bool ucursor_next(struct ucursor *c, struct upte *out)
{
	return ucursor_next_run(c, out, 1) != 0;
}
/* Stands on `va` (within the range): reads the entry, which may be absent (page NULL). False if there is no table for it. */
bool ucursor_seek(struct ucursor *c, u64 va, struct upte *out);
/*
 * The following act on the entry the cursor stands on; share and unmap on n of a run from there (unmap: UCURSOR_BATCH at most). replace,
 * protect and unmap return the former entry's UPTE_* bits as the machine left them: DIRTY or ACCESSED may have been set since the entry
 * was reported, and here is the last chance to learn it (a page whose unmap returns UPTE_DIRTY has been written, whatever
 * ucursor_next said before). Of a run unmap returns all bits that any entry had.
 */
void ucursor_map(struct ucursor *c, struct page *page, u32 bits);	/* must be absent; takes over the caller's reference, adds map_count */
/* Maps pages[i] (NULL: nothing) at c->at + i pages, within a table, where nothing is; that of `accessed` with UPTE_ACCESSED. Bit i of the result: pages[i] is
 * mapped, and its reference taken over. n ≤ 64. */
u64 ucursor_map_run(struct ucursor *c, struct page *const *pages, u32 n, u32 bits, u32 accessed);
/* fork: what `from` stands on also at the same addresses in to's space, where nothing is and tables are; neither entry then has the bits `without`.
 * Takes over a reference to each page and adds map_count, as ucursor_map does. */
void ucursor_share(struct ucursor *from, struct ucursor *to, u32 without, u32 n);
u32 ucursor_replace(struct ucursor *c, struct page *page, u32 bits);	/* was present: no CPU sees the old page any more on return; its reference goes later */
u32 ucursor_protect(struct ucursor *c, const struct upte *reported, u32 bits);	/* new bits for the same page; flushes if stricter. DIRTY/ACCESSED as given */
u32 ucursor_unmap(struct ucursor *c, u32 n);				/* old page's reference and map_count go after the flush */
void ucursor_advance(struct ucursor *c, u32 n);				/* by n pages within a table; may flush a full batch */
/* Unlocks, flushes what is due, drops the removed pages. */
void ucursor_close(struct ucursor *c);

/* Frees leaf tables that became empty within [start, end): called under the mm write lock, after unmapping. */
void uspace_trim(struct uspace *us, u64 start, u64 end);

#endif
