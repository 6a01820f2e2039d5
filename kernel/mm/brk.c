/* SPDX-License-Identifier: MPL-2.0 */
/* brk(2): the heap is an anonymous VMA from start_brk to brk. The call answers the break that holds afterwards, so it cannot fail otherwise. */
#include <lib/errno.h>
#include "mm/internal.h"
#include "mm/policy.h"

/* RLIMIT_DATA bounds the program's data and its heap together: getrlimit(2). */
static bool exceeds_data_limit(const struct mm *mm, u64 brk)
{
	struct mm_limits lim;

	mm_policy_limits(&lim);
	return brk - mm->start_brk > lim.data_bytes || mm->end_data - mm->start_data > lim.data_bytes - (brk - mm->start_brk);
}

static int brk_grow(struct mm *mm, u64 from, u64 to, u32 *flags)
{
	const struct mm_map_request rq = { .addr = from, .len = to - from, .prot = VMA_READ | VMA_WRITE };
	u64 pages = (to - from) >> PAGE_SHIFT;
	struct vma *next = mm_find_vma(mm, from), *prev, *v;
	struct mm_limits lim;
	int err;

	/* A page is left free above the heap. */
	if (to >= USPACE_END || (next && vma_gap_start(next) < to + PAGE_SIZE))
		return -ENOMEM;
	*flags = VMA_READ | VMA_WRITE | VMA_MAY_READ | VMA_MAY_WRITE | VMA_MAY_EXEC | VMA_ACCOUNT | mm->def_flags;
	mm_policy_limits(&lim);
	err = mm_may_expand(mm, *flags, pages, &lim);
	if (!err && (*flags & VMA_LOCKED))
		err = mm_lock_allowed(mm, pages, &lim);
	if (err)
		return err;
	if (mm->n_vmas > READ_ONCE(mm_tunables.max_map_count) || mm_commit_charge(pages))
		return -ENOMEM;
	prev = next ? vma_prev(next) : rb_entry_or_null(rb_last(&mm->vmas), struct vma, node);
	if (prev && vma_extends(prev, &rq, *flags, from, to)) {
		vma_set_range(prev, prev->start, to, prev->pgoff);
	} else {
		v = vma_alloc(mm);
		if (!v) {
			mm_commit_uncharge(pages);
			return -ENOMEM;
		}
		v->start = from;
		v->end = to;
		v->pgoff = from >> PAGE_SHIFT;
		v->flags = *flags;
		vma_link(v);
	}
	mm_count_pages(mm, *flags, (s64)pages);
	return 0;
}

static u64 brk_locked(struct mm *mm, u64 brk, u64 *populate_from, u64 *populate_to)
{
	u64 old = ALIGN_UP(mm->brk, PAGE_SIZE), new = ALIGN_UP(brk, PAGE_SIZE);
	u32 flags;

	if (brk < mm->start_brk || new < brk || exceeds_data_limit(mm, brk))
		return mm->brk;
	if (new < old) {
		if (mm_unmap_locked(mm, new, old))
			return mm->brk;
	} else if (new > old) {
		if (brk_grow(mm, old, new, &flags))
			return mm->brk;
		if (flags & VMA_LOCKED) {
			*populate_from = old;
			*populate_to = new;
		}
	}
	return mm->brk = brk;
}

u64 mm_brk(struct mm *mm, u64 brk)
{
	u64 result, from = 0, to = 0;

	if (mm_write_lock(mm))
		return READ_ONCE(mm->brk);
	result = brk_locked(mm, brk, &from, &to);
	mm_write_unlock(mm);
	if (from < to)
		mm_populate(mm, from, to);
	return result;
}
