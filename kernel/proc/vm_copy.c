/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Other processes' memory. Copying between the caller's memory and another process's (process_vm_readv(2)): page by page through a buffer, so that neither address space is held
 * while the other faults. The remote one is seen with its own protections: nothing is forced. No locks but mm_access's.
 */
#include <lib/errno.h>
#include "abi/mman.h"
#include "abi/process.h"
#include "mm/alloc.h"
#include "object/pid_ns.h"
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

/* --- process_madvise(2) */

static int advised_mm_get(struct pid *pid, struct mm **out)
{
	struct thread *t = thread_find_get(pid_nr(pid, &init_pid_ns));
	int err;

	if (!t)
		return -ESRCH;
	*out = thread_mm_get(t);
	err = *out ? 0 : -ESRCH;
	if (!err && *out != current_mm() && may_ptrace_read(t))
		err = -EACCES;		/* not EPERM as the page has it: what Linux 6.1 says */
	if (!err && !capable(&init_user_ns, CAP_SYS_NICE))
		err = -EPERM;
	thread_put(t);
	if (err && *out)
		mm_put(*out);
	return err;
}

s64 process_vm_advise(struct pid *pid, const struct iov_seg *ranges, size_t n, s32 advice)
{
	struct mm *mm;
	s64 done = 0;
	int err = advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED ? 0 : -EINVAL;

	if (!err)
		err = advised_mm_get(pid, &mm);
	if (err)
		return err;
	for (size_t i = 0; !err && i < n; i++) {
		err = mm_advise(mm, ranges[i].base, ranges[i].len, advice);
		if (!err)
			done += (s64)ranges[i].len;
	}
	mm_put(mm);
	return done ? done : err;
}
