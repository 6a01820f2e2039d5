/* SPDX-License-Identifier: MPL-2.0 */
/* msync(2) and mincore(2). */
#include <lib/errno.h>
#include <lib/string.h>
#include "abi/mman.h"
#include "sched/sched.h"
#include "mm/internal.h"

/* One VMA's part, written out with mm->lock dropped and the file held. *start moves on. -ENOMEM at a hole is only noted. */
static int sync_part(struct mm *mm, u64 *start, u64 end, u32 flags, int *unmapped)
{
	const struct vma_ops *ops;
	struct mapping *m;
	struct file *file;
	struct vma *v;
	u64 from, upto;
	int err;

	err = rwsem_read_lock_killable(&mm->lock);
	if (err)
		return err;
	v = mm_find_vma(mm, *start);
	if (!v || v->start >= end) {
		rwsem_read_unlock(&mm->lock);
		*start = end;
		return -ENOMEM;
	}
	if (v->start > *start) {
		*unmapped = -ENOMEM;
		*start = v->start;
	}
	if ((flags & MS_INVALIDATE) && (v->flags & VMA_LOCKED)) {
		rwsem_read_unlock(&mm->lock);
		return -EBUSY;
	}
	upto = min(v->end, end);
	m = v->mapping;
	file = v->file;
	ops = v->ops;
	from = vma_index(v, *start) << PAGE_SHIFT;
	err = (flags & MS_SYNC) && file && m && (v->flags & VMA_SHARED) && mapping_tracks_dirty(m);
	if (err)
		ops->get(file);
	rwsem_read_unlock(&mm->lock);
	if (err) {
		err = mapping_sync(m, from, from + (upto - *start));
		ops->put(file);
	}
	*start = upto;
	return err;
}

int mm_sync(struct mm *mm, u64 addr, u64 len, u32 flags)
{
	int unmapped = 0, err = 0;
	u64 end;

	if (flags & ~(u32)(MS_ASYNC | MS_INVALIDATE | MS_SYNC))
		return -EINVAL;
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if ((flags & MS_ASYNC) && (flags & MS_SYNC))
		return -EINVAL;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (add_overflows(addr, len, &end))
		return -ENOMEM;
	while (!err && addr < end)
		err = sync_part(mm, &addr, end, flags, &unmapped);
	return err ? err : unmapped;
}

/* --- mincore */

#define CHUNK 256		/* pages answered at a time */

static void core_of_table(struct vma *v, u64 start, u64 end, u8 *vec)
{
	__uninitialized struct ucursor c;
	struct upte e;

	ucursor_open(&c, &v->mm->us, start, end);
	while (ucursor_next(&c, &e)) {
		vec[(c.at - start) >> PAGE_SHIFT] = 1;
		ucursor_advance(&c, 1);
	}
	ucursor_close(&c);
}

static void core_of_mapping(struct vma *v, u64 start, u64 end, u8 *vec)
{
	for (u64 at = start; at < end; at += PAGE_SIZE) {
		struct page *page = mapping_lookup(v->mapping, vma_index(v, at));

		if (!page)
			continue;
		if (page_has(page, PG_UPTODATE))
			vec[(at - start) >> PAGE_SHIFT] = 1;
		page_put(page);
	}
}

/* Fills vec for [start, end): at most CHUNK pages. */
static int core_chunk(struct mm *mm, u64 start, u64 end, u8 *vec)
{
	struct vma *v;
	int err;

	memset(vec, 0, CHUNK);
	err = rwsem_read_lock_killable(&mm->lock);
	if (err)
		return err;
	for (u64 at = start; !err && at < end;) {
		u64 upto;

		v = mm_find_vma(mm, at);
		if (!v || v->start > at) {
			err = -ENOMEM;
			break;
		}
		upto = min(v->end, end);
		core_of_table(v, at, upto, vec + ((at - start) >> PAGE_SHIFT));
		if (v->mapping)
			core_of_mapping(v, at, upto, vec + ((at - start) >> PAGE_SHIFT));
		at = upto;
	}
	rwsem_read_unlock(&mm->lock);
	return err;
}

int mm_incore(struct mm *mm, u64 addr, u64 len, uaddr_t vec)
{
	u8 chunk[CHUNK];
	u64 end;
	int err;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (addr > USPACE_END || len > USPACE_END - addr)
		return -ENOMEM;
	len = ALIGN_UP(len, PAGE_SIZE);
	end = addr + len;
	if (vec.v > USPACE_END || (len >> PAGE_SHIFT) > USPACE_END - vec.v)
		return -EFAULT;
	while (addr < end) {
		u64 upto = min(end, addr + CHUNK * PAGE_SIZE), n = (upto - addr) >> PAGE_SHIFT;

		err = core_chunk(mm, addr, upto, chunk);
		if (err)
			return err;
		if (ucopy_to(current_uspace(), vec, chunk, n))
			return -EFAULT;
		vec = uaddr_add(vec, n);
		addr = upto;
		sched_check();
	}
	return 0;
}
