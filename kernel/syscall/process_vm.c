/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters: process_vm_readv(2), process_vm_writev(2), process_madvise(2). */
#include "mm/alloc.h"
#include "proc/pidfd.h"
#include "proc/vm_copy.h"
#include "syscall/args.h"
#include "syscall/handlers.h"

/* The remote ranges are not checked before they are reached. */
static int get_remote(uaddr_t from, size_t n, struct iov_seg *segs)
{
	size_t total = 0;

	if (n && uget(segs, from, n * sizeof(*segs)))
		return -EFAULT;
	for (size_t i = 0; i < n; i++)
		if (segs[i].len > (size_t)INT64_MAX || add_overflows(total, segs[i].len, &total) || total > (size_t)INT64_MAX)
			return -EINVAL;
	return 0;
}

static s64 transfer(const struct syscall_args *a, struct iov_seg *local, struct iov_seg *remote, bool is_write)
{
	struct iov_iter it;
	int err = iov_import(&it, arg_uaddr(a, 1), a->v[2], local);

	if (err || !it.count)
		return err;
	err = get_remote(arg_uaddr(a, 3), a->v[4], remote);
	return err ? err : process_vm_copy((s32)a->v[0], &it, remote, a->v[4], is_write);
}

static s64 process_vm(const struct syscall_args *a, bool is_write)
{
	u64 n_local = a->v[2], n_remote = a->v[4];
	struct iov_seg *segs;
	s64 r;

	if (a->v[5] || n_local > IOV_MAX_SEGMENTS || n_remote > IOV_MAX_SEGMENTS)
		return -EINVAL;
	segs = kmalloc_array(n_local + n_remote + 1, sizeof(*segs), ALLOC_SLEEP | ALLOC_USER);
	if (!segs)
		return -ENOMEM;
	r = transfer(a, segs, segs + n_local, is_write);
	kfree(segs);
	return r;
}

s64 sys_process_vm_readv(const struct syscall_args *a)
{
	return process_vm(a, false);
}

s64 sys_process_vm_writev(const struct syscall_args *a)
{
	return process_vm(a, true);
}

/* --- process_madvise */

static s64 advise(s32 pidfd, const struct iov_seg *segs, size_t n, s32 advice)
{
	struct pid *pid;
	bool is_nonblock;
	s64 r = pidfd_pid(pidfd, false, &pid, &is_nonblock);

	if (r)
		return r;
	r = process_vm_advise(pid, segs, n, advice);
	pid_put(pid);
	return r;
}

s64 sys_process_madvise(const struct syscall_args *a)
{
	struct iov_seg *segs;
	struct iov_iter it;
	s64 r;

	if ((u32)a->v[4] || a->v[2] > IOV_MAX_SEGMENTS)
		return -EINVAL;
	segs = kmalloc_array(a->v[2] + 1, sizeof(*segs), ALLOC_SLEEP | ALLOC_USER);
	if (!segs)
		return -ENOMEM;
	r = iov_import(&it, arg_uaddr(a, 1), a->v[2], segs);
	if (!r)
		r = advise((s32)a->v[0], segs, a->v[2], (s32)a->v[3]);
	kfree(segs);
	return r;
}
