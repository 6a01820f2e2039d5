/* SPDX-License-Identifier: MPL-2.0 */
/* Filling in pages of a range beforehand, as far as the VMAs' protections allow: MAP_POPULATE and memory locks. Errors are not told: mmap(2), mlock(2). */
#include <lib/errno.h>
#include "mm/internal.h"

/* The part of [*at, end) in one VMA, and whether to write: private writable memory is touched for writing so that no copy is due later. */
static bool next_part(struct mm *mm, u64 *at, u64 end, u64 *upto, bool *is_write)
{
	struct vma *v;
	bool is_found;

	if (rwsem_read_lock_killable(&mm->lock))
		return false;
	v = mm_find_vma(mm, *at);
	is_found = v && v->start < end;
	if (is_found) {
		*at = max(*at, v->start);
		*upto = min(end, v->end);
		*is_write = (v->flags & (VMA_WRITE | VMA_SHARED)) == VMA_WRITE;
	}
	rwsem_read_unlock(&mm->lock);
	return is_found;
}

int mm_populate_all(struct mm *mm, u64 start, u64 end)
{
	int err = 0, first = 0;
	u64 upto;
	bool is_write;

	while (start < end && err != -EINTR && next_part(mm, &start, end, &upto, &is_write)) {
		/* A VMA without access, or beyond a file's end: go on with the next. */
		err = mm_touch_range(mm, start, upto, is_write, false);
		if (err && !first)
			first = err == -EINTR ? -EINTR : -ENOMEM;
		start = upto;
	}
	return first;
}

void mm_populate(struct mm *mm, u64 start, u64 end)
{
	int err = mm_populate_all(mm, start, end);

	(void)err;
}
