/* SPDX-License-Identifier: MPL-2.0 */
/*
 * mremap(2): shrink, grow in place, or move. A moved VMA keeps its page numbers (pgoff), so anonymous pages stay the same member of the same
 * family and only their table entries move. Pages of files are not moved: the next fault finds them.
 *
 * Entries are carried over in small batches, out of one cursor and into another, since two cursors of one address space could meet in one table. mm->lock is held for
 * writing, so no fault sees the gap; mapping->invalidate is held for reading, so truncation does not miss a private copy in between.
 */
#include <lib/errno.h>
#include "abi/mman.h"
#include "sched/sched.h"
#include "mm/internal.h"
#include "mm/policy.h"

#define BATCH 32

struct carried {
	u64 at;
	struct upte e;
};

/* Takes up to BATCH private pages out of [*at, end); *at is where to go on. */
static u32 take_entries(struct mm *mm, u64 *at, u64 end, struct carried *out)
{
	__uninitialized struct ucursor c;
	struct upte e;
	u32 n = 0;

	ucursor_open(&c, &mm->us, *at, end);
	while (n < BATCH && ucursor_next(&c, &e)) {
		*at = c.at + PAGE_SIZE;
		if (!(e.bits & UPTE_SPECIAL) && page_has(e.page, PG_ANON)) {
			page_get(e.page);
			out[n++] = (struct carried){ c.at, e };
			ucursor_unmap(&c, 1);
		}
		ucursor_advance(&c, 1);
	}
	if (n < BATCH)
		*at = end;
	ucursor_close(&c);
	return n;
}

static void put_entries(struct mm *mm, const struct carried *in, u32 n, u64 distance)
{
	__uninitialized struct ucursor c;
	struct upte e;

	if (!n)
		return;
	ucursor_open(&c, &mm->us, in[0].at + distance, in[n - 1].at + distance + PAGE_SIZE);
	for (u32 i = 0; i < n; i++)
		if (ucursor_seek(&c, in[i].at + distance, &e))
			ucursor_map(&c, in[i].e.page, in[i].e.bits);
	ucursor_close(&c);
}

/* Tables for the new place are made first, only where there is something to move; so nothing can fail once pages are in the air. */
static int prepare_tables(struct mm *mm, u64 from, u64 end, u64 distance)
{
	__uninitialized struct ucursor c;
	struct upte e;
	bool is_present;
	int err = 0;

	while (!err && from < end) {
		ucursor_open(&c, &mm->us, from, end);
		is_present = ucursor_next(&c, &e);
		from = is_present ? c.at : end;
		ucursor_close(&c);
		if (is_present) {
			u64 upto = min(ALIGN_DOWN(from, TABLE_SPAN) + TABLE_SPAN, end);

			err = uspace_prepare(&mm->us, from + distance, upto + distance);
			from = upto;
		}
	}
	return err;
}

static void move_entries(struct mm *mm, u64 from, u64 end, u64 distance)
{
	struct carried batch[BATCH];

	while (from < end) {
		u32 n = take_entries(mm, &from, end, batch);

		put_entries(mm, batch, n, distance);
		sched_check();
	}
}

/* A VMA of new_len bytes at `to`, whose pages are numbered as those at `from` in v are. Linked. */
static int make_moved(struct vma *v, u64 from, u64 to, u64 new_len, struct vma **out)
{
	struct vma *n = vma_alloc(v->mm);

	if (!n)
		return -ENOMEM;
	n->start = to;
	n->end = to + new_len;
	n->pgoff = vma_index(v, from);
	n->flags = v->flags;
	if (v->mapping && (v->flags & VMA_SHARED) && (v->flags & VMA_MAY_WRITE) && mapping_writable_get(v->mapping)) {
		vma_free(n);
		return -EPERM;
	}
	n->mapping = v->mapping;
	n->file = v->file;
	n->ops = v->ops;
	n->special = v->special;
	if (n->file)
		n->ops->get(n->file);
	if (v->family)
		anon_family_join(n, v->family);
	vma_link(n);
	*out = n;
	return 0;
}

static void move_pages(struct vma *v, u64 from, u64 len, u64 to)
{
	struct mapping *m = v->mapping;
	struct mm *mm = v->mm;

	if (!v->family)
		return;
	if (m)
		rwsem_read_lock(&m->invalidate);
	move_entries(mm, from, from + len, to - from);
	if (m)
		rwsem_read_unlock(&m->invalidate);
}

struct remap {
	u64 old, old_len, new_len, to;
	u32 flags;
	bool is_locked;		/* out: the new pages want populating */
};

/* Moves [old, old+old_len) of v to r->to, with the new length. The growth has been checked. */
static int move_vma(struct mm *mm, struct vma *v, struct remap *r)
{
	bool keeps_old = r->flags & MREMAP_DONTUNMAP, copies = r->old_len == 0;
	u64 len = min(r->old_len, r->new_len), new_pages = r->new_len >> PAGE_SHIFT;
	u32 flags = v->flags;
	struct vma *n;
	int err;

	/* At most the new one, and two by cutting the old one. */
	if (mm->n_vmas + 2 >= READ_ONCE(mm_tunables.max_map_count))
		return -ENOMEM;
	if ((flags & VMA_ACCOUNT) && mm_commit_charge(new_pages))
		return -ENOMEM;
	err = prepare_tables(mm, r->old, r->old + len, r->to - r->old);
	if (!err)
		err = make_moved(v, r->old, r->to, r->new_len, &n);
	if (err) {
		if (flags & VMA_ACCOUNT)
			mm_commit_uncharge(new_pages);
		return err;
	}
	mm_count_pages(mm, flags, (s64)new_pages);
	move_pages(v, r->old, len, r->to);
	(void)vma_merge(n);
	r->is_locked = (flags & VMA_LOCKED) && !(flags & VMA_LOCK_ONFAULT);
	if (copies)
		return 0;
	if (!keeps_old)
		return mm_unmap_locked(mm, r->old, r->old + r->old_len);
	/* What stays behind is empty and not locked. */
	v = mm_find_vma(mm, r->old);
	if (v && (v->flags & VMA_LOCKED) && !vma_isolate(&v, r->old, r->old + r->old_len)) {
		mm_count_pages(mm, v->flags, -(s64)vma_pages(v));
		v->flags &= ~(u32)(VMA_LOCKED | VMA_LOCK_ONFAULT);
		mm_count_pages(mm, v->flags, (s64)vma_pages(v));
	}
	return 0;
}

/* May [old, old+old_len) of v become new_len bytes? In the man page's order. */
static int check_resize(struct mm *mm, const struct vma *v, const struct remap *r)
{
	u64 more = r->new_len > r->old_len ? (r->new_len - r->old_len) >> PAGE_SHIFT : 0, last;
	struct mm_limits lim;
	int err;

	if (!r->old_len && !(v->flags & VMA_SHARED))
		return -EINVAL;
	if ((r->flags & MREMAP_DONTUNMAP) && ((v->flags & VMA_SHARED) || v->mapping))
		return -EINVAL;
	if (r->old_len > v->end - r->old)
		return -EFAULT;
	if (r->new_len == r->old_len && !(r->flags & MREMAP_DONTUNMAP))
		return 0;
	if (add_overflows(vma_index(v, r->old), r->new_len >> PAGE_SHIFT, &last))
		return -EINVAL;
	if (v->flags & VMA_VDSO)
		return -EFAULT;
	if (r->flags & MREMAP_DONTUNMAP)
		more = r->new_len >> PAGE_SHIFT;
	mm_policy_limits(&lim);
	err = v->flags & VMA_LOCKED ? mm_lock_allowed(mm, more, &lim) : 0;
	return err ? err : mm_may_expand(mm, v->flags, more, &lim);
}

/* To a place the program names (MREMAP_FIXED), or any (MREMAP_DONTUNMAP). */
static int remap_to(struct mm *mm, struct remap *r)
{
	bool is_fixed = r->flags & MREMAP_FIXED;
	struct vma *v;
	int err;

	if ((r->to & ~PAGE_MASK) || r->new_len > USPACE_END || r->to > USPACE_END - r->new_len)
		return -EINVAL;
	if (r->old < r->to + r->new_len && r->to < r->old + r->old_len)
		return -EINVAL;
	if (mm->n_vmas + 2 >= READ_ONCE(mm_tunables.max_map_count))
		return -ENOMEM;
	if (is_fixed) {
		err = mm_check_min_addr(r->to);
		if (!err)
			err = mm_unmap_locked(mm, r->to, r->to + r->new_len);
		if (err)
			return err;
	}
	if (r->old_len > r->new_len) {
		err = mm_unmap_locked(mm, r->old + r->new_len, r->old + r->old_len);
		if (err)
			return err;
		r->old_len = r->new_len;
	}
	v = mm_find_vma(mm, r->old);
	if (!v || v->start > r->old)
		return -EFAULT;
	err = check_resize(mm, v, r);
	if (err)
		return err;
	if (!is_fixed) {
		err = mm_choose_addr(mm, r->to, r->new_len, false, &r->to);
		if (err)
			return err;
	}
	return move_vma(mm, v, r);
}

/* Grows v at its end if the addresses there are free. */
static int grow_in_place(struct mm *mm, struct vma *v, const struct remap *r)
{
	u64 end = r->old + r->new_len, pages = (end - v->end) >> PAGE_SHIFT;
	struct vma *next = vma_next(v);

	if (end > USPACE_END || end < r->old || (next && vma_gap_start(next) < end))
		return -ENOMEM;
	if ((v->flags & VMA_ACCOUNT) && mm_commit_charge(pages))
		return -ENOMEM;
	mm_count_pages(mm, v->flags, (s64)pages);
	vma_set_range(v, v->start, end, v->pgoff);
	(void)vma_merge(v);
	return 0;
}

static int remap_locked(struct mm *mm, struct remap *r)
{
	struct vma *v = mm_find_vma(mm, r->old);
	int err;

	if (!v || v->start > r->old)
		return -EFAULT;
	if (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return remap_to(mm, r);
	r->to = r->old;
	if (r->old_len >= r->new_len) {
		if (r->old_len > USPACE_END - r->old)
			return -EINVAL;
		return r->old_len == r->new_len ? 0 : mm_unmap_locked(mm, r->old + r->new_len, r->old + r->old_len);
	}
	err = check_resize(mm, v, r);
	if (err)
		return err;
	if (r->old_len && r->old_len == v->end - r->old && !grow_in_place(mm, v, r)) {
		r->is_locked = (v->flags & VMA_LOCKED) && !(v->flags & VMA_LOCK_ONFAULT);
		return 0;
	}
	if (!(r->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	err = mm_choose_addr(mm, 0, r->new_len, false, &r->to);
	return err ? err : move_vma(mm, v, r);
}

int mm_remap(struct mm *mm, u64 old, u64 old_len, u64 new_len, u32 flags, u64 new_addr, u64 *addr)
{
	struct remap r = { .old = old, .flags = flags };
	int err;

	if (flags & ~(u32)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && old_len != new_len)
		return -EINVAL;
	if (old & ~PAGE_MASK)
		return -EINVAL;
	r.old_len = ALIGN_UP(old_len, PAGE_SIZE);
	r.new_len = ALIGN_UP(new_len, PAGE_SIZE);
	r.to = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? new_addr : 0;
	if (!r.new_len)
		return -EINVAL;
	err = mm_write_lock(mm);
	if (err)
		return err;
	err = remap_locked(mm, &r);
	mm_write_unlock(mm);
	if (err)
		return err;
	if (r.is_locked)
		mm_populate(mm, r.to + min(r.old_len, r.new_len), r.to + r.new_len);
	*addr = r.to;
	return 0;
}
