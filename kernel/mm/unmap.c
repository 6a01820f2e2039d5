/* SPDX-License-Identifier: MPL-2.0 */
/*
 * munmap(2), and taking entries out of page tables. Freed frames go after the flush, which the frame's cursor sees to.
 *
 * Page tables: a leaf table is given back only if no VMA is left in the 2 MiB it covers, and only if the hole is large or many tables are held for few
 * pages: so a program that maps and unmaps the same place again and again keeps its table.
 */
#include <lib/errno.h>
#include <frame/log.h>
#include "mm/internal.h"

void mm_rss_add(struct mm *mm, const s64 rss[3])
{
	u64 sum;

	if (rss[RSS_ANON])
		__atomic_fetch_add(&mm->rss_anon, (u64)rss[RSS_ANON], __ATOMIC_RELAXED);
	if (rss[RSS_FILE])
		__atomic_fetch_add(&mm->rss_file, (u64)rss[RSS_FILE], __ATOMIC_RELAXED);
	if (rss[RSS_SHMEM])
		__atomic_fetch_add(&mm->rss_shmem, (u64)rss[RSS_SHMEM], __ATOMIC_RELAXED);
	sum = READ_ONCE(mm->rss_anon) + READ_ONCE(mm->rss_file) + READ_ONCE(mm->rss_shmem);
	/* The peak may miss a moment between two CPUs' additions. */
	if (sum > READ_ONCE(mm->rss_peak))
		WRITE_ONCE(mm->rss_peak, sum);
}

static void count_file_page(const struct upte *e, struct mapping *m, s64 rss[3])
{
	struct page *p = e->page;

	rss[page_has(p, PG_SHMEM) ? RSS_SHMEM : RSS_FILE]--;
	if (page_map_count(p) == 1 && page_has(p, PG_MAPPED) && page_flag_test_clear(p, PG_MAPPED))
		mem_account(offsetof(struct mem_stat, mapped), -1);
	if ((e->bits & UPTE_DIRTY) && m && mapping_tracks_dirty(m))
		mapping_set_dirty(m, p);
	if (e->bits & UPTE_ACCESSED && page_has(p, PG_LRU))
		page_flag_set(p, PG_REFERENCED);
}

/* m: the VMA's mapping if it is known, for writes that only the page table has noticed. */
void mm_count_unmapped(const struct upte *e, u32 n, struct mapping *m, s64 rss[3])
{
	s64 anon = 0;

	for (const struct upte *end = e + n; e < end; e++) {
		if (unlikely(e->bits & UPTE_SPECIAL))
			continue;
		if (likely(page_has(e->page, PG_ANON)))
			anon++;
		else
			count_file_page(e, m, rss);
	}
	rss[RSS_ANON] -= anon;
}

/* Truncation that leaves private copies alone goes page by page, all else by runs. */
static void zap(struct mm *mm, struct mapping *m, u64 start, u64 end, bool even_private)
{
	__uninitialized struct upte run[UCURSOR_BATCH];
	__uninitialized struct ucursor c;
	s64 rss[3] = { 0, 0, 0 };
	u32 n;

	ucursor_open(&c, &mm->us, start, end);
	while ((n = ucursor_next_run(&c, run, even_private ? UCURSOR_BATCH : 1))) {
		if (even_private || !page_has(run[0].page, PG_ANON)) {
			mm_count_unmapped(run, n, m, rss);
			ucursor_unmap(&c, n);
		}
		ucursor_advance(&c, n);
	}
	ucursor_close(&c);
	mm_rss_add(mm, rss);
}

/* Shared mappings that track writes: their writable entries were marked dirty when they were made writable, so nothing is lost here. */
void mm_zap_range(struct mm *mm, u64 start, u64 end)
{
	zap(mm, NULL, start, end, true);
}

void mm_zap_file_pages(struct mm *mm, struct mapping *m, u64 start, u64 end, bool even_private)
{
	zap(mm, m, start, end, even_private);
}

/* Gives back leaf tables of which nothing is mapped any more, where that pays. */
static void trim_tables(struct mm *mm, u64 start, u64 end, u64 floor, u64 ceiling)
{
	u64 from = ALIGN_DOWN(start, TABLE_SPAN), to = ALIGN_UP(end, TABLE_SPAN);

	if (end - start < TABLE_SPAN && READ_ONCE(mm->us.table_pages) < 32 + (mm->rss_anon + mm->rss_file) / 128)
		return;
	from = max(from, ALIGN_UP(floor, TABLE_SPAN));
	to = min(to, ALIGN_DOWN(ceiling, TABLE_SPAN));
	to = min(to, USPACE_END);
	if (from < to)
		uspace_trim(&mm->us, from, to);
}

/* Splits the VMAs at the ends of the range. May leave a split behind if it fails: harmless. */
static int cut_ends(struct mm *mm, struct vma **first, u64 start, u64 end)
{
	struct vma *v = *first, *upper;
	int err;

	/* Refused as a whole before anything is split: Linux's rule for a hole in the middle of the last VMA allowed. */
	if (v->start < start && v->end > end && mm->n_vmas >= READ_ONCE(mm_tunables.max_map_count))
		return -ENOMEM;
	if (v->start < start) {
		err = vma_split(v, start, &upper);
		if (err)
			return err;
		*first = v = upper;
	}
	while (v && v->end < end)
		v = vma_next(v);
	if (v && v->start < end && v->end > end)
		return vma_split(v, end, &upper);
	return 0;
}

int mm_unmap_locked(struct mm *mm, u64 start, u64 end)
{
	struct vma *v = mm_find_vma(mm, start), *prev, *next;
	u64 uncharge = 0;
	int err;

	if (!v || v->start >= end)
		return 0;
	err = cut_ends(mm, &v, start, end);
	if (err)
		return err;
	prev = vma_prev(v);
	while (v && v->start < end) {
		next = vma_next(v);
		mm_count_pages(mm, v->flags, -(s64)vma_pages(v));
		if (v->flags & VMA_ACCOUNT)
			uncharge += vma_pages(v);
		vma_unlink(v);
		vma_bury(v);
		v = next;
	}
	mm_zap_range(mm, start, end);
	trim_tables(mm, start, end, prev ? prev->end : 0, v ? v->start : ALIGN_UP(USPACE_END, TABLE_SPAN));
	if (uncharge)
		mm_commit_uncharge(uncharge);
	return 0;
}

int mm_unmap(struct mm *mm, u64 addr, u64 len)
{
	int err;

	if ((addr & ~PAGE_MASK) || addr > USPACE_END || len > USPACE_END - addr)
		return -EINVAL;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (!len)
		return -EINVAL;
	err = mm_write_lock(mm);
	if (err)
		return err;
	err = mm_unmap_locked(mm, addr, addr + len);
	mm_write_unlock(mm);
	return err;
}

/* The victim will free them anyway; its own exit may be held up. Shared memory stays: others may use it. */
void mm_zap_for_oom(struct mm *mm)
{
	struct vma *v;

	if (!rwsem_read_trylock(&mm->lock))
		return;
	rb_for_each_entry(v, &mm->vmas, node)
		if (!(v->flags & (VMA_SHARED | VMA_LOCKED)))
			mm_zap_range(mm, v->start, v->end);
	rwsem_read_unlock(&mm->lock);
}
