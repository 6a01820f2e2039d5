/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Copying between the caller's memory and another process's (process_vm_readv(2)): page by page through a buffer, so that neither address space is held
 * while the other faults. The remote one is seen with its own protections: nothing is forced. No locks but mm_access's.
 */
#include <lib/errno.h>
#include "mm/alloc.h"
#include "proc/inspect.h"
#include "proc/vm_copy.h"

/* The address space, referenced, if the caller may. */
static int remote_mm_get(s32 tid, struct mm **out)
{
	struct thread *t = thread_find_get(tid);
	struct mm *mm;
	int err;

	if (!t)
		return -ESRCH;
	mm = thread_mm_get(t);
	if (!mm)
		err = -ESRCH;
	else
		err = mm == current_mm() ? 0 : may_ptrace_attach(t);
	thread_put(t);
	if (err)
		mm_put(mm);
	else
		*out = mm;
	return err;
}

/* Within one remote page. Bytes moved, or -errno if none. */
static ssize_t copy_piece(struct mm *mm, u64 at, struct iov_iter *local, size_t n, bool is_write, void *buf)
{
	ssize_t done;

	if (is_write) {
		n = iov_copy_from(local, buf, n);
		done = n ? mm_access(mm, at, buf, n, true, false) : -EFAULT;
	} else {
		done = mm_access(mm, at, buf, n, false, false);
		if (done > 0)
			done = (ssize_t)iov_copy_to(local, buf, (size_t)done);
	}
	return done > 0 ? done : done == 0 || done == -EIO ? -EFAULT : done;
}

/* Until a piece falls short. */
static ssize_t copy_all(struct mm *mm, struct iov_iter *local, const struct iov_seg *remote, size_t n_remote, bool is_write, void *buf)
{
	ssize_t total = 0;

	for (size_t i = 0; i < n_remote; i++) {
		for (size_t off = 0; off < remote[i].len && local->count;) {
			u64 at = remote[i].base + off;
			size_t n = min(min(remote[i].len - off, local->count), PAGE_SIZE - (at & ~PAGE_MASK));
			ssize_t done = copy_piece(mm, at, local, n, is_write, buf);

			if (done < 0)
				return total ? total : done;
			total += done;
			off += (size_t)done;
			if ((size_t)done < n)
				return total;
		}
	}
	return total;
}

ssize_t process_vm_copy(s32 tid, struct iov_iter *local, const struct iov_seg *remote, size_t n, bool is_write)
{
	struct mm *mm;
	void *buf;
	ssize_t r = remote_mm_get(tid, &mm);

	if (r)
		return r;
	buf = kpage_alloc(0, ALLOC_SLEEP | ALLOC_USER);
	r = -ENOMEM;
	if (buf) {
		r = copy_all(mm, local, remote, n, is_write, buf);
		kpage_free(buf, 0);
	}
	mm_put(mm);
	return r;
}
