/* SPDX-License-Identifier: MPL-2.0 */
/* Calls on open files: read and write and their family, lseek, sync, sizes. open and close are in fd.c. */
#include <frame/uspace.h>
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/calls.h"
#include "fs/fdtable.h"
#include "mm/alloc.h"
#include "proc/thread.h"
#include "syscall/handlers.h"

/* --- read, write */

/* /proc/PID/io. */
static inline ssize_t account_read(ssize_t n)
{
	struct thread *t = current_thread();

	t->io_syscr++;
	if (n > 0)
		t->io_rchar += (u64)n;
	return n;
}

static inline ssize_t account_write(ssize_t n)
{
	struct thread *t = current_thread();

	t->io_syscw++;
	if (n > 0)
		t->io_wchar += (u64)n;
	return n;
}

/* Addresses no program can have are refused even if nothing is moved. */
static inline bool is_user_range(u64 base, u64 len)
{
	return likely(base <= USPACE_END && len <= USPACE_END - base);
}

/* Buffer and length are a call's second and third arguments. `pos` NULL: the file's own. */
static __always_inline s64 move_bytes(struct file *f, const struct syscall_args *a, u64 *pos, bool is_write)
{
	struct iov_iter it __uninitialized;

	if (!is_user_range(a->v[1], a->v[2]))
		return -EFAULT;
	iov_user(&it, arg_uaddr(a, 1), a->v[2]);
	return is_write ? account_write(file_write(f, &it, pos)) : account_read(file_read(f, &it, pos));
}

static __always_inline s64 transfer(const struct syscall_args *a, bool is_write)
{
	struct fdref r;
	s64 n = fd_borrow((s32)a->v[0], &r);

	if (unlikely(n))
		return n;
	n = move_bytes(r.file, a, NULL, is_write);
	fd_end(&r);
	return n;
}

s64 sys_read(const struct syscall_args *a)
{
	return transfer(a, false);
}

s64 sys_write(const struct syscall_args *a)
{
	return transfer(a, true);
}

static __always_inline s64 transfer_at(const struct syscall_args *a, bool is_write)
{
	u64 pos = a->v[3];
	struct fdref r;
	s64 n;

	if ((s64)pos < 0)
		return -EINVAL;
	n = fd_borrow((s32)a->v[0], &r);
	if (unlikely(n))
		return n;
	n = -ESPIPE;
	if (likely(r.file->mode & (is_write ? FMODE_PWRITE : FMODE_PREAD)))
		n = move_bytes(r.file, a, &pos, is_write);
	fd_end(&r);
	return n;
}

s64 sys_pread64(const struct syscall_args *a)
{
	return transfer_at(a, false);
}

s64 sys_pwrite64(const struct syscall_args *a)
{
	return transfer_at(a, true);
}

/* --- The vectored ones */

#define FAST_SEGMENTS 8

enum vector_kind { VECTOR_READ, VECTOR_WRITE };

static ssize_t run_vector(struct file *f, enum vector_kind kind, uaddr_t iov, u64 n, u64 *pos, u32 rwf)
{
	struct iov_seg fast[FAST_SEGMENTS] __uninitialized, *segs = fast;
	struct iov_iter it __uninitialized;
	ssize_t done;

	if (n > IOV_MAX_SEGMENTS)
		return -EINVAL;
	if (n > FAST_SEGMENTS) {
		segs = kmalloc_array(n, sizeof(*segs), ALLOC_SLEEP | ALLOC_USER);
		if (!segs)
			return -ENOMEM;
	}
	done = iov_import(&it, iov, n, segs);
	if (!done && kind == VECTOR_READ)
		done = account_read(file_read_flags(f, &it, pos, rwf));
	else if (!done)
		done = account_write(file_write_flags(f, &it, pos, rwf));
	if (segs != fast)
		kfree(segs);
	return done;
}

/* pos -1 with has_pos: the file's own (preadv2(2)). */
static s64 vector(const struct syscall_args *a, enum vector_kind kind, bool has_pos, u32 rwf)
{
	u64 pos = a->v[3];
	struct fdref r;
	s64 n;

	if (has_pos && (s64)pos < 0)
		return -EINVAL;
	n = fd_borrow((s32)a->v[0], &r);
	if (unlikely(n))
		return n;
	if (has_pos && !(r.file->mode & (kind == VECTOR_READ ? FMODE_PREAD : FMODE_PWRITE)))
		n = -ESPIPE;
	else
		n = run_vector(r.file, kind, arg_uaddr(a, 1), a->v[2], has_pos ? &pos : NULL, rwf);
	fd_end(&r);
	return n;
}

s64 sys_readv(const struct syscall_args *a)
{
	return vector(a, VECTOR_READ, false, 0);
}

s64 sys_writev(const struct syscall_args *a)
{
	return vector(a, VECTOR_WRITE, false, 0);
}

s64 sys_preadv(const struct syscall_args *a)
{
	return vector(a, VECTOR_READ, true, 0);
}

s64 sys_pwritev(const struct syscall_args *a)
{
	return vector(a, VECTOR_WRITE, true, 0);
}

s64 sys_preadv2(const struct syscall_args *a)
{
	return vector(a, VECTOR_READ, a->v[3] != ~0ull, (u32)a->v[5]);
}

s64 sys_pwritev2(const struct syscall_args *a)
{
	return vector(a, VECTOR_WRITE, a->v[3] != ~0ull, (u32)a->v[5]);
}

/* --- Position, size, data on its way to a disk */

s64 sys_lseek(const struct syscall_args *a)
{
	struct fdref r;
	s64 pos = fd_borrow((s32)a->v[0], &r);

	if (pos)
		return pos;
	pos = file_lseek(r.file, (s64)a->v[1], (u32)a->v[2]);
	fd_end(&r);
	return pos;
}

s64 sys_truncate(const struct syscall_args *a)
{
	struct path p;
	s64 err;

	if ((s64)a->v[1] < 0)
		return -EINVAL;
	err = path_lookup_user(AT_FDCWD, arg_uaddr(a, 0), LOOKUP_FOLLOW, &p);
	if (err)
		return err;
	err = fs_truncate(&p, (s64)a->v[1]);
	path_put(&p);
	return err;
}

s64 sys_ftruncate(const struct syscall_args *a)
{
	struct fdref r;
	s64 err;

	if ((s64)a->v[1] < 0)
		return -EINVAL;
	err = fd_borrow((s32)a->v[0], &r);
	if (err)
		return err;
	err = file_truncate(r.file, (s64)a->v[1]);
	fd_end(&r);
	return err;
}

s64 sys_fallocate(const struct syscall_args *a)
{
	struct fdref r;
	s64 err = fd_borrow((s32)a->v[0], &r);

	if (err)
		return err;
	err = file_fallocate(r.file, (u32)a->v[1], (s64)a->v[2], (s64)a->v[3]);
	fd_end(&r);
	return err;
}

static s64 sync_fd(s32 fd, bool data_only)
{
	struct fdref r;
	s64 err = fd_borrow(fd, &r);

	if (err)
		return err;
	err = file_sync(r.file, 0, INT64_MAX, data_only);
	fd_end(&r);
	return err;
}

s64 sys_fsync(const struct syscall_args *a)
{
	return sync_fd((s32)a->v[0], false);
}

s64 sys_fdatasync(const struct syscall_args *a)
{
	return sync_fd((s32)a->v[0], true);
}

s64 sys_sync(const struct syscall_args *a)
{
	(void)a;
	fs_sync();
	return 0;
}

s64 sys_syncfs(const struct syscall_args *a)
{
	struct fdref r;
	s64 err = fd_borrow((s32)a->v[0], &r);

	if (err)
		return err;
	err = fs_syncfs(r.file);
	fd_end(&r);
	return err;
}

s64 sys_sync_file_range(const struct syscall_args *a)
{
	s64 start = (s64)a->v[1], len = (s64)a->v[2];
	struct inode *i;
	struct fdref r;
	s64 err, end;

	err = fd_borrow((s32)a->v[0], &r);
	if (err)
		return err;
	i = r.file->inode;
	if (start < 0 || len < 0 || add_overflows(start, len, &end))
		err = -EINVAL;
	else if (!S_ISREG(i->mode) && !S_ISBLK(i->mode) && !S_ISDIR(i->mode) && !S_ISLNK(i->mode))
		err = -ESPIPE;
	else if (a->v[3])
		err = mapping_sync(&i->mapping, (u64)start, len ? (u64)end : ~0ull);
	fd_end(&r);
	return err;
}

/* --- Advice. What is in memory is found in the cache anyway; read-ahead is each file system's own. */

s64 sys_fadvise64(const struct syscall_args *a)
{
	struct fdref r;
	s64 err = fd_borrow((s32)a->v[0], &r);

	if (err)
		return err;
	if (S_ISFIFO(r.file->inode->mode))
		err = -ESPIPE;
	else if ((s64)a->v[2] < 0 || (u32)a->v[3] > POSIX_FADV_NOREUSE)
		err = -EINVAL;
	fd_end(&r);
	return err;
}

s64 sys_readahead(const struct syscall_args *a)
{
	struct fdref r;
	s64 err = fd_borrow((s32)a->v[0], &r);

	if (err)
		return err;
	if (!(r.file->mode & FMODE_READ))
		err = -EBADF;
	else if (!S_ISREG(r.file->inode->mode) && !S_ISBLK(r.file->inode->mode))
		err = -EINVAL;
	fd_end(&r);
	return err;
}
