/* SPDX-License-Identifier: MPL-2.0 */
/*
 * mmap(2): choosing an address, checking limits, making or extending a VMA, populating.
 *
 * Order of the checks, as the man page's errors and running Linux have it: length, address, number of mappings, existing mappings
 * (MAP_FIXED_NOREPLACE), locking limits, size limits; only then are old mappings replaced (MAP_FIXED) and memory charged.
 */
#include <lib/errno.h>
#include "abi/process.h"
#include "object/cred.h"
#include "mm/internal.h"
#include "mm/policy.h"

#define LOW_START 0x40000000ul		/* MAP_32BIT: the second GiB */
#define LOW_END 0x80000000ul

int mm_check_min_addr(u64 addr)
{
	if (addr >= READ_ONCE(mm_tunables.mmap_min_addr) || capable(&init_user_ns, CAP_SYS_RAWIO))
		return 0;
	return -EPERM;
}

static u64 min_addr(void)
{
	return max(ALIGN_UP(READ_ONCE(mm_tunables.mmap_min_addr), PAGE_SIZE), USPACE_MIN);
}

static bool is_range_free(struct mm *mm, u64 start, u64 end)
{
	struct vma *v = mm_find_vma(mm, start);

	return !v || vma_gap_start(v) >= end;
}

/* The hint if it is free; else the highest hole below mmap_base; else any. */
int mm_choose_addr(struct mm *mm, u64 hint, u64 len, bool is_low, u64 *addr)
{
	u64 low = min_addr(), high = is_low ? LOW_END : USPACE_END;

	if (len > USPACE_END - low)
		return -ENOMEM;
	hint = ALIGN_DOWN(hint, PAGE_SIZE);
	if (hint) {
		hint = max(hint, low);
		if (hint <= high && len <= high - hint && is_range_free(mm, hint, hint + len)) {
			*addr = hint;
			return 0;
		}
	}
	if (is_low)
		return vma_find_gap(mm, len, LOW_START, LOW_END, addr) ? 0 : -ENOMEM;
	if (vma_find_gap(mm, len, low, mm->mmap_base, addr) || vma_find_gap(mm, len, low, USPACE_END, addr))
		return 0;
	return -ENOMEM;
}

static int place(struct mm *mm, const struct mm_map_request *rq, u64 len, u64 *addr)
{
	if (!rq->is_fixed)
		return mm_choose_addr(mm, rq->addr, len, rq->is_low, addr);
	if (len > USPACE_END || rq->addr > USPACE_END - len)
		return -ENOMEM;
	if (rq->addr & ~PAGE_MASK)
		return -EINVAL;
	*addr = rq->addr;
	return mm_check_min_addr(rq->addr);
}

/* Pages of [start, end) that are mapped now: MAP_FIXED replaces them, so they don't count against the limits. */
static u64 mapped_pages(struct mm *mm, u64 start, u64 end)
{
	u64 n = 0;

	for (struct vma *v = mm_find_vma(mm, start); v && v->start < end; v = vma_next(v))
		n += (min(v->end, end) - max(v->start, start)) >> PAGE_SHIFT;
	return n;
}

static u32 request_flags(const struct mm *mm, const struct mm_map_request *rq)
{
	const u32 may = VMA_MAY_READ | VMA_MAY_WRITE | VMA_MAY_EXEC;
	u32 flags = rq->prot | rq->vma_flags | mm->def_flags;

	if (!(flags & may))
		flags |= may;
	if (mm_is_accountable(flags))
		flags |= VMA_ACCOUNT;
	return flags;
}

static int check_limits(struct mm *mm, const struct mm_map_request *rq, u32 flags, u64 addr, u64 len)
{
	u64 pages = len >> PAGE_SHIFT, replaced = 0;
	struct mm_limits lim;
	int err;

	mm_policy_limits(&lim);
	if (flags & VMA_LOCKED) {
		if ((rq->vma_flags & VMA_LOCKED) && !lim.can_lock && !lim.memlock_bytes)
			return -EPERM;
		err = mm_lock_allowed(mm, pages, &lim);
		if (err)
			return err;
	}
	if (rq->is_fixed)
		replaced = mapped_pages(mm, addr, addr + len);
	return mm_may_expand(mm, flags, pages - replaced, &lim);
}

/* Grows a neighbour that is alike, or makes a new VMA. Memory has been charged. */
static int make_vma(struct mm *mm, const struct mm_map_request *rq, u32 flags, u64 start, u64 end)
{
	struct vma *next = mm_find_vma(mm, end), *prev, *v;

	prev = next ? vma_prev(next) : rb_entry_or_null(rb_last(&mm->vmas), struct vma, node);
	if (prev && vma_extends(prev, rq, flags, start, end)) {
		vma_set_range(prev, prev->start, end, prev->pgoff);
		(void)vma_merge(prev);
		return 0;
	}
	if (next && vma_extends(next, rq, flags, start, end)) {
		vma_set_range(next, start, next->end, next->pgoff - ((end - start) >> PAGE_SHIFT));
		return 0;
	}
	v = vma_alloc(mm);
	if (!v)
		return -ENOMEM;
	v->start = start;
	v->end = end;
	v->flags = flags;
	v->pgoff = rq->mapping ? rq->pgoff : start >> PAGE_SHIFT;
	v->special = rq->special;
	if (rq->mapping && (flags & VMA_SHARED) && (flags & VMA_MAY_WRITE) && mapping_writable_get(rq->mapping)) {
		vma_free(v);
		return -EPERM;
	}
	v->mapping = rq->mapping;
	v->file = rq->file;
	v->ops = rq->ops;
	if (v->file)
		v->ops->get(v->file);
	vma_link(v);
	return 0;
}

static int map_locked(struct mm *mm, const struct mm_map_request *rq, u64 len, u64 *addr, u32 *flags)
{
	u64 start, end;
	int err;

	err = place(mm, rq, len, &start);
	if (err)
		return err;
	end = start + len;
	if (rq->is_fixed && rq->is_noreplace && mapped_pages(mm, start, end))
		return -EEXIST;
	*flags = request_flags(mm, rq);
	err = check_limits(mm, rq, *flags, start, len);
	if (err)
		return err;
	if (rq->is_fixed) {
		err = mm_unmap_locked(mm, start, end);
		if (err)
			return err;
	}
	if ((*flags & VMA_ACCOUNT) && mm_commit_charge(len >> PAGE_SHIFT))
		return -ENOMEM;
	err = make_vma(mm, rq, *flags, start, end);
	if (err) {
		if (*flags & VMA_ACCOUNT)
			mm_commit_uncharge(len >> PAGE_SHIFT);
		return err;
	}
	mm_count_pages(mm, *flags, (s64)(len >> PAGE_SHIFT));
	*addr = start;
	return 0;
}

int mm_map(struct mm *mm, const struct mm_map_request *rq, u64 *addr)
{
	const u64 file_pages_max = (u64)S64_MAX >> PAGE_SHIFT;
	u64 len = ALIGN_UP(rq->len, PAGE_SIZE);
	u32 flags;
	int err;

	if (!rq->len)
		return -EINVAL;
	if (!len || len > USPACE_END)
		return -ENOMEM;
	if (rq->mapping && (len >> PAGE_SHIFT > file_pages_max || rq->pgoff > file_pages_max - (len >> PAGE_SHIFT)))
		return -EOVERFLOW;
	err = mm_write_lock(mm);
	if (err)
		return err;
	/* One may be added in excess, as on Linux: the check is for more than the maximum. */
	err = mm->n_vmas > READ_ONCE(mm_tunables.max_map_count) ? -ENOMEM : map_locked(mm, rq, len, addr, &flags);
	mm_write_unlock(mm);
	if (err)
		return err;
	if (rq->is_populate || ((flags & VMA_LOCKED) && !(flags & VMA_LOCK_ONFAULT)))
		mm_populate(mm, *addr, *addr + len);
	return 0;
}
