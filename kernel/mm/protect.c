/* SPDX-License-Identifier: MPL-2.0 */
/*
 * mprotect(2). VMAs are done one after the other; an error leaves the earlier ones changed, as on Linux.
 *
 * Entries keep their pages: permissions are taken away at once (with a flush), and given at once where that is safe: a page may be made writable only if
 * it is exclusive to this address space or belongs to shared memory that needs no notice of writes. All others get write permission by fault.
 */
#include <lib/errno.h>
#include "mm/internal.h"
#include "mm/policy.h"

static u32 new_bits(const struct vma *v, const struct upte *e)
{
	const u32 perms = UPTE_READ | UPTE_WRITE | UPTE_EXEC;
	u32 bits = (e->bits & ~perms) | vma_pte_bits(v);

	if (!(bits & UPTE_WRITE))
		return bits;
	if ((v->flags & VMA_SHARED) && v->mapping && !page_has(e->page, PG_ANON)) {
		if (mapping_tracks_dirty(v->mapping) && !(e->bits & UPTE_WRITE))
			bits &= ~(u32)UPTE_WRITE;
	} else if (!(e->bits & UPTE_EXCLUSIVE)) {
		bits &= ~(u32)UPTE_WRITE;
	}
	return bits;
}

static void change_entries(struct vma *v)
{
	__uninitialized struct upte run[UCURSOR_BATCH];
	__uninitialized struct ucursor c;
	u32 n;

	ucursor_open(&c, &v->mm->us, v->start, v->end);
	while ((n = ucursor_next_run(&c, run, UCURSOR_BATCH))) {
		for (const struct upte *e = run; e < run + n; e++) {
			u32 bits = new_bits(v, e);

			if (bits != e->bits)
				ucursor_protect(&c, e, bits);
			ucursor_advance(&c, 1);
		}
	}
	ucursor_close(&c);
}

/* Private memory that becomes writable is charged now. */
static int charge_writable(struct vma *v, u32 *flags)
{
	if ((*flags & VMA_ACCOUNT) || !mm_is_accountable(*flags))
		return 0;
	if (mm_commit_charge(vma_pages(v)))
		return -ENOMEM;
	*flags |= VMA_ACCOUNT;
	return 0;
}

static int protect_vma(struct mm *mm, struct vma **pv, u64 start, u64 end, u32 prot)
{
	const u32 perms = VMA_READ | VMA_WRITE | VMA_EXEC;
	struct vma *v = *pv;
	u32 flags = (v->flags & ~perms) | prot;
	struct mm_limits lim;
	u64 pages;
	int err;

	if (prot & ~(v->flags >> 4))	/* VMA_MAY_* are the permissions, four bits up */
		return -EACCES;
	if (flags == v->flags)
		return 0;
	err = vma_isolate(&v, start, end);
	if (err)
		return err;
	*pv = v;
	pages = vma_pages(v);
	mm_policy_limits(&lim);
	lim.as_bytes = ~0ul;		/* only the data may grow, not the address space */
	mm_count_pages(mm, v->flags, -(s64)pages);
	err = mm_may_expand(mm, flags, pages, &lim);
	if (err && !(v->flags & VMA_WRITE) && (flags & VMA_WRITE)) {
		mm_count_pages(mm, v->flags, (s64)pages);
		return err;
	}
	err = charge_writable(v, &flags);
	if (err) {
		mm_count_pages(mm, v->flags, (s64)pages);
		return err;
	}
	mm_count_pages(mm, flags, (s64)pages);
	v->flags = flags;
	change_entries(v);
	*pv = vma_merge(v);
	return 0;
}

static int protect_range(struct mm *mm, struct vma *v, u64 start, u64 end, u32 prot)
{
	u64 at = start;
	int err;

	while (at < end) {
		u64 upto;

		if (!v || v->start > at)
			return -ENOMEM;
		upto = min(v->end, end);
		err = protect_vma(mm, &v, at, upto, prot);
		if (err)
			return err;
		at = upto;
		v = mm_find_vma(mm, at);
	}
	return 0;
}

static int protect_locked(struct mm *mm, u64 start, u64 end, u32 prot, bool grows_down, bool grows_up)
{
	struct vma *v = mm_find_vma(mm, start);

	if (!v)
		return -ENOMEM;
	if (grows_down) {
		if (v->start >= end)
			return -ENOMEM;
		if (!(v->flags & VMA_GROWSDOWN))
			return -EINVAL;
		start = v->start;
	} else {
		if (v->start > start)
			return -ENOMEM;
		if (grows_up)		/* no stack grows upwards on this machine */
			return -EINVAL;
	}
	return protect_range(mm, v, start, end, prot);
}

int mm_protect(struct mm *mm, u64 addr, u64 len, u32 prot, bool grows_down, bool grows_up)
{
	u64 end;
	int err;

	if (grows_down && grows_up)
		return -EINVAL;
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (!len)
		return 0;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (!len || add_overflows(addr, len, &end))
		return -ENOMEM;
	err = mm_write_lock(mm);
	if (err)
		return err;
	err = protect_locked(mm, addr, end, prot, grows_down, grows_up);
	mm_write_unlock(mm);
	return err;
}
