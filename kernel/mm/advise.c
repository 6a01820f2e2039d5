/* SPDX-License-Identifier: MPL-2.0 */
/*
 * madvise(2). Advice is of three kinds: what changes a VMA's flags (mm->lock for writing), what acts on pages (for reading), and what fills in
 * pages. Unmapped parts of the range are passed over and answered with -ENOMEM at the end, as the man page says.
 *
 * MADV_FREE lets the kernel take pages back whenever it likes: it takes them at once. MADV_COLD, MADV_PAGEOUT move file pages down the LRU; anonymous pages
 * have nowhere to go without swap.
 */
#include <lib/errno.h>
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "mm/internal.h"

enum advice_kind { ADVICE_FLAGS, ADVICE_PAGES, ADVICE_FILL, ADVICE_UNKNOWN };

static enum advice_kind kind_of(s32 advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
		return ADVICE_FLAGS;
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
	case MADV_REMOVE:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return ADVICE_PAGES;
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return ADVICE_FILL;
	default:
		return ADVICE_UNKNOWN;
	}
}

/* --- Flags. */

static int advised_flags(const struct vma *v, s32 advice, u32 *flags)
{
	const u32 reading = VMA_RAND_READ | VMA_SEQ_READ, huge = VMA_HUGE | VMA_NOHUGE;

	switch (advice) {
	case MADV_NORMAL:
		*flags &= ~reading;
		return 0;
	case MADV_RANDOM:
		*flags = (*flags & ~reading) | VMA_RAND_READ;
		return 0;
	case MADV_SEQUENTIAL:
		*flags = (*flags & ~reading) | VMA_SEQ_READ;
		return 0;
	case MADV_DONTFORK:
		*flags |= VMA_DONTFORK;
		return 0;
	case MADV_DOFORK:
		*flags &= ~(u32)VMA_DONTFORK;
		return 0;
	case MADV_WIPEONFORK:
		*flags |= VMA_WIPEONFORK;
		return v->mapping || (v->flags & VMA_SHARED) ? -EINVAL : 0;
	case MADV_KEEPONFORK:
		*flags &= ~(u32)VMA_WIPEONFORK;
		return 0;
	case MADV_HUGEPAGE:
		*flags = (*flags & ~huge) | VMA_HUGE;
		return 0;
	case MADV_NOHUGEPAGE:
		*flags = (*flags & ~huge) | VMA_NOHUGE;
		return 0;
	case MADV_DONTDUMP:
		*flags |= VMA_DONTDUMP;
		return 0;
	default:
		*flags &= ~(u32)VMA_DONTDUMP;
		return v->flags & VMA_VDSO ? -EINVAL : 0;
	}
}

static int advise_flags(struct vma **pv, u64 start, u64 end, s32 advice)
{
	u32 flags = (*pv)->flags;
	int err = advised_flags(*pv, advice, &flags);

	if (err || flags == (*pv)->flags)
		return err;
	err = vma_isolate(pv, start, end);
	if (err)
		return err == -ENOMEM ? -EAGAIN : err;	/* "a kernel resource was temporarily unavailable" */
	(*pv)->flags = flags;
	*pv = vma_merge(*pv);
	return 0;
}

/* --- Pages. */

/* Punches the pages out of the file under a shared mapping that is or could be made writable. A write(2) to them at the same time comes before or after. */
static int remove_pages(struct vma *v, u64 start, u64 end)
{
	struct mapping *m = v->mapping;
	u64 from = vma_index(v, start) << PAGE_SHIFT, to = from + (end - start);

	if (v->flags & VMA_LOCKED)
		return -EINVAL;
	if (!m || !v->file)
		return -EINVAL;
	if ((v->flags & (VMA_SHARED | VMA_MAY_WRITE)) != (VMA_SHARED | VMA_MAY_WRITE))
		return -EACCES;
	if (mapping_tracks_dirty(m))
		return -EOPNOTSUPP;
	if (READ_ONCE(m->seals) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	mapping_punch(m, from, to);
	return 0;
}

static void age_pages(struct vma *v, u64 start, u64 end)
{
	__uninitialized struct ucursor c;
	struct upte e;

	ucursor_open(&c, &v->mm->us, start, end);
	while (ucursor_next(&c, &e)) {
		if (!(e.bits & UPTE_SPECIAL) && page_has(e.page, PG_LRU)) {
			ucursor_protect(&c, &e, e.bits & ~(u32)UPTE_ACCESSED);
			page_flag_clear(e.page, PG_REFERENCED);
		}
		ucursor_advance(&c, 1);
	}
	ucursor_close(&c);
}

static void read_ahead(struct vma *v, u64 start, u64 end)
{
	struct mapping *m = v->mapping;
	u64 last = min(vma_index(v, end), DIV_ROUND_UP(LOAD_ACQUIRE(m->size), PAGE_SIZE));

	for (u64 i = vma_index(v, start); m->ops->read_page && i < last; i++) {
		struct page *page;

		if (mapping_get(m, i, false, &page))
			return;
		if (page)
			page_put(page);
	}
}

static int advise_pages(struct vma *v, u64 start, u64 end, s32 advice)
{
	switch (advice) {
	case MADV_WILLNEED:
		if (v->mapping)		/* anonymous memory would come from swap: Linux says EBADF only where it is built without */
			read_ahead(v, start, end);
		return 0;
	case MADV_DONTNEED:
		if (v->flags & (VMA_LOCKED | VMA_IO))
			return -EINVAL;
		__fallthrough_;
	case MADV_DONTNEED_LOCKED:
		mm_zap_file_pages(v->mm, v->mapping, start, end, true);
		return 0;
	case MADV_FREE:
		if (v->mapping || (v->flags & (VMA_SHARED | VMA_LOCKED)))
			return -EINVAL;
		mm_zap_range(v->mm, start, end);
		return 0;
	case MADV_REMOVE:
		return remove_pages(v, start, end);
	default:
		if (v->flags & VMA_LOCKED)
			return -EINVAL;
		age_pages(v, start, end);
		return 0;
	}
}

/* --- The walk. */

static int advise_range(struct mm *mm, u64 start, u64 end, s32 advice, bool changes_flags)
{
	struct vma *v = mm_find_vma(mm, start);
	int unmapped = 0, err;

	while (start < end) {
		u64 upto;

		if (!v || v->start >= end)
			return -ENOMEM;
		if (v->start > start) {
			unmapped = -ENOMEM;
			start = v->start;
		}
		upto = min(v->end, end);
		err = changes_flags ? advise_flags(&v, start, upto, advice) : advise_pages(v, start, upto, advice);
		if (err)
			return err;
		start = upto;
		v = mm_find_vma(mm, start);
	}
	return unmapped;
}

int mm_advise(struct mm *mm, u64 addr, u64 len, s32 advice)
{
	enum advice_kind kind = kind_of(advice);
	u64 end;
	int err;

	if (kind == ADVICE_UNKNOWN || (addr & ~PAGE_MASK))
		return -EINVAL;
	if (len && !ALIGN_UP(len, PAGE_SIZE))
		return -EINVAL;
	if (add_overflows(addr, ALIGN_UP(len, PAGE_SIZE), &end))
		return -EINVAL;
	if (addr == end)
		return 0;
	if (kind == ADVICE_FILL) {
		err = mm_touch_range(mm, addr, end, advice == MADV_POPULATE_WRITE, false);
		return err == -EACCES ? -EINVAL : err;
	}
	err = kind == ADVICE_FLAGS ? mm_write_lock(mm) : rwsem_read_lock_killable(&mm->lock);
	if (err)
		return err;
	err = advise_range(mm, addr, end, advice, kind == ADVICE_FLAGS);
	if (kind == ADVICE_FLAGS)
		mm_write_unlock(mm);
	else
		rwsem_read_unlock(&mm->lock);
	return err;
}
