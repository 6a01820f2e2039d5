/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters of splice(2), tee(2), vmsplice(2), sendfile(2), copy_file_range(2), memfd_create(2). */
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "fs/fdtable.h"
#include "fs/splice.h"
#include "fs/tmpfs/tmpfs.h"
#include "fs/vfs.h"
#include "mm/alloc.h"
#include "proc/thread.h"
#include "syscall/handlers.h"

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

/* --- Two files, each with an offset or without */

struct two_ends {
	struct fdref in_ref, out_ref;
	struct splice_end in, out;
	uaddr_t in_pos, out_pos;
};

static int ends_begin(struct two_ends *t, s32 in, uaddr_t in_pos, s32 out, uaddr_t out_pos)
{
	int err = fd_borrow(in, &t->in_ref);

	if (err)
		return err;
	err = fd_borrow(out, &t->out_ref);
	if (err) {
		fd_end(&t->in_ref);
		return err;
	}
	t->in = (struct splice_end){ .file = t->in_ref.file, .has_pos = in_pos.v != 0 };
	t->out = (struct splice_end){ .file = t->out_ref.file, .has_pos = out_pos.v != 0 };
	t->in_pos = in_pos;
	t->out_pos = out_pos;
	return 0;
}

static void ends_end(struct two_ends *t)
{
	fd_end(&t->out_ref);
	fd_end(&t->in_ref);
}

static int offsets_get(struct two_ends *t)
{
	if (t->out.has_pos && uget(&t->out.pos, t->out_pos, sizeof(t->out.pos)))
		return -EFAULT;
	if (t->in.has_pos && uget(&t->in.pos, t->in_pos, sizeof(t->in.pos)))
		return -EFAULT;
	return 0;
}

static s64 offsets_put(const struct two_ends *t, s64 n)
{
	if (n < 0)
		return n;
	if (t->out.has_pos && uput(t->out_pos, &t->out.pos, sizeof(t->out.pos)))
		return -EFAULT;
	if (t->in.has_pos && uput(t->in_pos, &t->in.pos, sizeof(t->in.pos)))
		return -EFAULT;
	return n;
}

s64 sys_splice(const struct syscall_args *a)
{
	struct two_ends t;
	s64 n;

	if (!a->v[4])
		return 0;
	if ((u32)a->v[5] & ~(u32)SPLICE_FLAGS)
		return -EINVAL;
	n = ends_begin(&t, (s32)a->v[0], arg_uaddr(a, 1), (s32)a->v[2], arg_uaddr(a, 3));
	if (n)
		return n;
	n = splice_check_offsets(&t.in, &t.out);
	if (!n)
		n = offsets_get(&t);
	if (!n)
		n = offsets_put(&t, fs_splice(&t.in, &t.out, a->v[4], (u32)a->v[5]));
	ends_end(&t);
	return n;
}

/* /proc/PID/io counts these as reading and writing. */
static s64 account(s64 n)
{
	struct thread *t = current_thread();

	t->io_syscr++;
	t->io_syscw++;
	if (n > 0) {
		t->io_rchar += (u64)n;
		t->io_wchar += (u64)n;
	}
	return n;
}

s64 sys_copy_file_range(const struct syscall_args *a)
{
	struct two_ends t;
	s64 n = ends_begin(&t, (s32)a->v[0], arg_uaddr(a, 1), (s32)a->v[2], arg_uaddr(a, 3));

	if (n)
		return n;
	n = offsets_get(&t);
	if (!n && a->v[5])
		n = -EINVAL;
	if (!n)
		n = account(fs_copy_range(&t.in, &t.out, a->v[4]));
	if (n)
		n = offsets_put(&t, n);
	ends_end(&t);
	return n;
}

s64 sys_sendfile(const struct syscall_args *a)
{
	uaddr_t where = arg_uaddr(a, 2);
	struct two_ends t;
	u64 pos = 0;
	s64 n;

	if (where.v && uget(&pos, where, sizeof(pos)))
		return -EFAULT;
	n = ends_begin(&t, (s32)a->v[1], where, (s32)a->v[0], uaddr(0));
	if (n)
		return n;
	t.in.pos = pos;
	n = offsets_put(&t, account(fs_sendfile(t.out.file, &t.in, a->v[3])));
	ends_end(&t);
	return n;
}

/* --- Pipes alone */

s64 sys_tee(const struct syscall_args *a)
{
	struct two_ends t;
	s64 n;

	if ((u32)a->v[3] & ~(u32)SPLICE_FLAGS)
		return -EINVAL;
	if (!a->v[2])
		return 0;
	n = ends_begin(&t, (s32)a->v[0], uaddr(0), (s32)a->v[1], uaddr(0));
	if (n)
		return n;
	n = fs_tee(t.in.file, t.out.file, a->v[2], (u32)a->v[3]);
	ends_end(&t);
	return n;
}

static s64 vmsplice(struct file *f, uaddr_t iov, u64 n_segs, u32 flags)
{
	struct iov_iter it __uninitialized;
	struct iov_seg *segs;
	s64 n;

	if (n_segs > IOV_MAX_SEGMENTS)
		return -EINVAL;
	if (!n_segs)
		return 0;
	segs = kmalloc_array(n_segs, sizeof(*segs), ALLOC_SLEEP | ALLOC_USER);
	if (!segs)
		return -ENOMEM;
	n = iov_import(&it, iov, n_segs, segs);
	if (!n)
		n = fs_vmsplice(f, &it, flags);
	kfree(segs);
	return n;
}

s64 sys_vmsplice(const struct syscall_args *a)
{
	struct fdref r;
	s64 n;

	if ((u32)a->v[3] & ~(u32)SPLICE_FLAGS)
		return -EINVAL;
	n = fd_borrow((s32)a->v[0], &r);
	if (n)
		return n;
	n = vmsplice(r.file, arg_uaddr(a, 1), a->v[2], (u32)a->v[3]);
	fd_end(&r);
	return n;
}

/* --- memfd_create(2) */

static int name_get(char *name, uaddr_t from)
{
	ssize_t len = ucopy_string(current_uspace(), name, from, MEMFD_NAME_MAX + 1);

	return len == -ENAMETOOLONG ? -EINVAL : len < 0 ? (int)len : 0;
}

/* A size of huge pages only with MFD_HUGETLB. */
static bool are_known(u32 flags)
{
	u32 known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB;

	if (flags & MFD_HUGETLB)
		known |= (u32)MFD_HUGE_MASK << MFD_HUGE_SHIFT;
	return !(flags & ~known);
}

s64 sys_memfd_create(const struct syscall_args *a)
{
	char name[MEMFD_NAME_MAX + 1];
	struct file *f;
	s64 fd;
	int err;

	if (!are_known((u32)a->v[1]))
		return -EINVAL;
	err = name_get(name, arg_uaddr(a, 0));
	if (err)
		return err;
	fd = fd_reserve(0, (a->v[1] & MFD_CLOEXEC) != 0);
	if (fd < 0)
		return fd;
	err = memfd_create(name, (u32)a->v[1], &f);
	if (err) {
		fd_unreserve((s32)fd);
		return err;
	}
	fd_install((s32)fd, f);
	return fd;
}
