/* SPDX-License-Identifier: MPL-2.0 */
/*
 * mlock(2) and family: VMA_LOCKED keeps a VMA's pages from reclaim; the pages are filled in after the lock has been noted. Without swap only file pages could go.
 * RLIMIT_MEMLOCK bounds what is locked, unless CAP_IPC_LOCK: -EPERM if the limit is 0, -ENOMEM beyond it.
 */
#include <lib/errno.h>
#include "abi/mman.h"
#include "mm/internal.h"
#include "mm/policy.h"

static int lock_vma(struct mm *mm, struct vma **pv, u64 start, u64 end, u32 lock_flags)
{
	const u32 both = VMA_LOCKED | VMA_LOCK_ONFAULT;
	struct vma *v = *pv;
	u32 flags = (v->flags & ~both) | lock_flags;
	int err;

	if (flags == v->flags || (v->flags & VMA_VDSO))
		return 0;
	err = vma_isolate(&v, start, end);
	if (err)
		return err;
	mm_count_pages(mm, v->flags, -(s64)vma_pages(v));
	mm_count_pages(mm, flags, (s64)vma_pages(v));
	v->flags = flags;
	*pv = vma_merge(v);
	return 0;
}

static int lock_range(struct mm *mm, u64 start, u64 end, u32 lock_flags)
{
	struct vma *v = mm_find_vma(mm, start);
	int err;

	while (start < end) {
		u64 upto;

		if (!v || v->start > start)
			return -ENOMEM;
		upto = min(v->end, end);
		err = lock_vma(mm, &v, start, upto, lock_flags);
		if (err)
			return err;
		start = upto;
		v = mm_find_vma(mm, start);
	}
	return 0;
}

/* Pages of the range that are locked already: they don't count twice. */
static u64 locked_in(struct mm *mm, u64 start, u64 end)
{
	u64 n = 0;

	for (struct vma *v = mm_find_vma(mm, start); v && v->start < end; v = vma_next(v))
		if (v->flags & VMA_LOCKED)
			n += (min(v->end, end) - max(v->start, start)) >> PAGE_SHIFT;
	return n;
}

static int may_lock(struct mm_limits *lim)
{
	mm_policy_limits(lim);
	return lim->can_lock || lim->memlock_bytes ? 0 : -EPERM;
}

int mm_lock_range(struct mm *mm, u64 addr, u64 len, bool lock, bool on_fault)
{
	u32 flags = lock ? VMA_LOCKED | (on_fault ? VMA_LOCK_ONFAULT : 0) : 0;
	struct mm_limits lim;
	u64 start, end;
	int err;

	if (lock) {
		err = may_lock(&lim);
		if (err)
			return err;
	}
	start = ALIGN_DOWN(addr, PAGE_SIZE);
	len = ALIGN_UP(len + (addr - start), PAGE_SIZE);
	if (add_overflows(start, len, &end))
		return -EINVAL;
	err = mm_write_lock(mm);
	if (err)
		return err;
	if (lock && mm_lock_allowed(mm, (len >> PAGE_SHIFT) - locked_in(mm, start, end), &lim))
		err = -ENOMEM;
	else
		err = lock_range(mm, start, end, flags);
	mm_write_unlock(mm);
	if (err || !lock || on_fault)
		return err;
	return mm_populate_all(mm, start, end);
}

static void lock_all_vmas(struct mm *mm, u32 flags)
{
	struct vma *v = rb_entry_or_null(rb_first(&mm->vmas), struct vma, node);

	/* Whole VMAs: nothing to split, so nothing that fails. */
	for (; v; v = vma_next(v))
		(void)lock_vma(mm, &v, v->start, v->end, flags);
}

int mm_lock_all(struct mm *mm, u32 flags)
{
	u32 lock_flags = VMA_LOCKED | (flags & MCL_ONFAULT ? VMA_LOCK_ONFAULT : 0);
	struct mm_limits lim;
	int err;

	if (flags & ~(u32)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (flags) {
		err = may_lock(&lim);
		if (err)
			return err;
	}
	err = mm_write_lock(mm);
	if (err)
		return err;
	if ((flags & MCL_CURRENT) && !lim.can_lock && mm->total_pages > lim.memlock_bytes >> PAGE_SHIFT) {
		mm_write_unlock(mm);
		return -ENOMEM;
	}
	mm->def_flags = flags & MCL_FUTURE ? lock_flags : 0;
	if (!flags || (flags & MCL_CURRENT))
		lock_all_vmas(mm, flags ? lock_flags : 0);
	mm_write_unlock(mm);
	if ((flags & MCL_CURRENT) && !(flags & MCL_ONFAULT))
		mm_populate(mm, USPACE_MIN, USPACE_END);
	return 0;
}
