/* SPDX-License-Identifier: MPL-2.0 */
/* Names: making, removing, linking, renaming; reading directories; the working directory and the root. */
#include <lib/string.h>
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/calls.h"
#include "fs/fdtable.h"
#include "mm/alloc.h"
#include "syscall/handlers.h"

/* --- One path */

static s64 mkdir_at(s32 dirfd, uaddr_t path, u64 mode)
{
	struct user_path up __uninitialized;
	s64 err = user_path_get(&up, path, 0);

	if (err)
		return err;
	err = fs_mkdir(dirfd, &up, (u32)mode);
	user_path_put(&up);
	return err;
}

s64 sys_mkdir(const struct syscall_args *a)
{
	return mkdir_at(AT_FDCWD, arg_uaddr(a, 0), a->v[1]);
}

s64 sys_mkdirat(const struct syscall_args *a)
{
	return mkdir_at((s32)a->v[0], arg_uaddr(a, 1), a->v[2]);
}

/* makedev(3): the number as programs have it. */
static u64 decode_dev(u32 dev)
{
	return dev_make(dev >> 8 & 0xfff, (dev & 0xff) | (dev >> 12 & 0xfff00));
}

static s64 mknod_at(s32 dirfd, uaddr_t path, u64 mode, u64 dev)
{
	struct user_path up __uninitialized;
	s64 err = user_path_get(&up, path, 0);

	if (err)
		return err;
	err = fs_mknod(dirfd, &up, (u32)mode & 0xffff, decode_dev((u32)dev));
	user_path_put(&up);
	return err;
}

s64 sys_mknod(const struct syscall_args *a)
{
	return mknod_at(AT_FDCWD, arg_uaddr(a, 0), a->v[1], a->v[2]);
}

s64 sys_mknodat(const struct syscall_args *a)
{
	return mknod_at((s32)a->v[0], arg_uaddr(a, 1), a->v[2], a->v[3]);
}

static s64 unlink_at(s32 dirfd, uaddr_t path, bool is_rmdir)
{
	struct user_path up __uninitialized;
	s64 err = user_path_get(&up, path, 0);

	if (err)
		return err;
	err = fs_unlink(dirfd, &up, is_rmdir);
	user_path_put(&up);
	return err;
}

s64 sys_unlink(const struct syscall_args *a)
{
	return unlink_at(AT_FDCWD, arg_uaddr(a, 0), false);
}

s64 sys_rmdir(const struct syscall_args *a)
{
	return unlink_at(AT_FDCWD, arg_uaddr(a, 0), true);
}

s64 sys_unlinkat(const struct syscall_args *a)
{
	return unlink_at((s32)a->v[0], arg_uaddr(a, 1), a->v[2] & AT_REMOVEDIR);
}

/* --- Two paths */

static s64 symlink_at(uaddr_t target, s32 dirfd, uaddr_t path)
{
	struct user_path to __uninitialized, up __uninitialized;
	s64 err = user_path_get(&to, target, 0);

	if (err)
		return err;
	err = user_path_get(&up, path, 0);
	if (!err) {
		err = fs_symlink(to.text, dirfd, &up);
		user_path_put(&up);
	}
	user_path_put(&to);
	return err;
}

s64 sys_symlink(const struct syscall_args *a)
{
	return symlink_at(arg_uaddr(a, 0), AT_FDCWD, arg_uaddr(a, 1));
}

s64 sys_symlinkat(const struct syscall_args *a)
{
	return symlink_at(arg_uaddr(a, 0), (s32)a->v[1], arg_uaddr(a, 2));
}

static s64 link_at(s32 olddir, uaddr_t old, s32 newdir, uaddr_t new, u32 flags)
{
	u32 lookup = (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
	struct user_path from __uninitialized, to __uninitialized;
	s64 err = user_path_get(&from, old, lookup);

	if (err)
		return err;
	err = user_path_get(&to, new, 0);
	if (!err) {
		err = fs_link(olddir, &from, newdir, &to, lookup);
		user_path_put(&to);
	}
	user_path_put(&from);
	return err;
}

s64 sys_link(const struct syscall_args *a)
{
	return link_at(AT_FDCWD, arg_uaddr(a, 0), AT_FDCWD, arg_uaddr(a, 1), 0);
}

s64 sys_linkat(const struct syscall_args *a)
{
	return link_at((s32)a->v[0], arg_uaddr(a, 1), (s32)a->v[2], arg_uaddr(a, 3), (u32)a->v[4]);
}

static s64 rename_at(s32 olddir, uaddr_t old, s32 newdir, uaddr_t new, u32 flags)
{
	struct user_path from __uninitialized, to __uninitialized;
	s64 err = user_path_get(&from, old, 0);

	if (err)
		return err;
	err = user_path_get(&to, new, 0);
	if (!err) {
		err = fs_rename(olddir, &from, newdir, &to, flags);
		user_path_put(&to);
	}
	user_path_put(&from);
	return err;
}

s64 sys_rename(const struct syscall_args *a)
{
	return rename_at(AT_FDCWD, arg_uaddr(a, 0), AT_FDCWD, arg_uaddr(a, 1), 0);
}

s64 sys_renameat(const struct syscall_args *a)
{
	return rename_at((s32)a->v[0], arg_uaddr(a, 1), (s32)a->v[2], arg_uaddr(a, 3), 0);
}

s64 sys_renameat2(const struct syscall_args *a)
{
	return rename_at((s32)a->v[0], arg_uaddr(a, 1), (s32)a->v[2], arg_uaddr(a, 3), (u32)a->v[4]);
}

/* --- readlink */

static s64 readlink_at(s32 dirfd, uaddr_t path, uaddr_t buf, s32 size)
{
	struct user_path up __uninitialized;
	char *text;
	s64 n;

	if (size <= 0)
		return -EINVAL;
	n = user_path_get(&up, path, LOOKUP_EMPTY);
	if (n)
		return n;
	size = min(size, FS_PATH_MAX);
	text = kmalloc((size_t)size, ALLOC_SLEEP | ALLOC_USER);
	n = -ENOMEM;
	if (text) {
		n = up.len || dirfd != AT_FDCWD ? fs_readlink(dirfd, &up, text, (size_t)size) : -ENOENT;
		if (n > 0 && uput(buf, text, (size_t)n))
			n = -EFAULT;
		kfree(text);
	}
	user_path_put(&up);
	return n;
}

s64 sys_readlink(const struct syscall_args *a)
{
	return readlink_at(AT_FDCWD, arg_uaddr(a, 0), arg_uaddr(a, 1), (s32)a->v[2]);
}

s64 sys_readlinkat(const struct syscall_args *a)
{
	return readlink_at((s32)a->v[0], arg_uaddr(a, 1), arg_uaddr(a, 2), (s32)a->v[3]);
}

/* --- getdents: records are gathered in the kernel and copied out in lots. */

#define DENTS_LOT 1024

struct dents {
	struct dir_sink sink;
	struct file *file;
	bool is_old;			/* getdents(2): the type is in the last byte */
	bool is_too_small;		/* not even one record fits */
	bool has_fault;
	uaddr_t to;			/* where the next lot goes */
	size_t room;			/* left in the user's buffer, the lot included */
	size_t done, n;			/* copied out; in the lot */
	u64 lot_pos;			/* cookie of the lot's first entry */
	u8 lot[DENTS_LOT] __aligned(8);
};

/* After a fault the entries of the lot are read again by the next call. */
static bool flush(struct dents *d)
{
	if (!d->n)
		return true;
	if (uput(d->to, d->lot, d->n)) {
		d->has_fault = true;
		return false;
	}
	d->to = uaddr_add(d->to, d->n);
	d->done += d->n;
	d->n = 0;
	return true;
}

static size_t put_record(u8 *at, bool is_old, const char *name, u32 len, u64 next_pos, u64 ino, u8 type)
{
	size_t head = is_old ? offsetof(struct linux_dirent_k, d_name) : offsetof(struct linux_dirent64_k, d_name);
	size_t size = ALIGN_UP(head + len + (is_old ? 2 : 1), 8);
	u16 reclen = (u16)size;

	put_le64(at + size - 8, 0);
	put_le64(at, ino);
	put_le64(at + 8, next_pos);
	memcpy(at + 16, &reclen, sizeof(reclen));
	if (is_old)
		at[size - 1] = type;
	else
		at[offsetof(struct linux_dirent64_k, d_type)] = type;
	memcpy(at + head, name, len);
	at[head + len] = 0;
	if (is_old)
		at[size - 1] = type;
	return size;
}

static bool emit(struct dir_sink *s, const char *name, u32 len, u64 next_pos, u64 ino, u8 type)
{
	struct dents *d = container_of(s, struct dents, sink);
	size_t head = d->is_old ? offsetof(struct linux_dirent_k, d_name) + 2 : offsetof(struct linux_dirent64_k, d_name) + 1;
	size_t size = ALIGN_UP(head + len, 8);

	if (d->room < size) {
		d->is_too_small = !d->done && !d->n;
		return false;
	}
	if (d->n + size > DENTS_LOT && !flush(d))
		return false;
	if (!d->n)
		d->lot_pos = d->file->pos;
	d->n += put_record(d->lot + d->n, d->is_old, name, len, next_pos, ino, type);
	d->room -= size;
	return true;
}

static s64 getdents(const struct syscall_args *a, bool is_old)
{
	struct dents d __uninitialized;
	struct fdref r;
	s64 err = fd_borrow((s32)a->v[0], &r);

	if (err)
		return err;
	d.sink.emit = emit;
	d.file = r.file;
	d.is_old = is_old;
	d.is_too_small = d.has_fault = false;
	d.to = arg_uaddr(a, 1);
	d.room = (u32)a->v[2];
	d.done = d.n = 0;
	err = file_iterate(r.file, &d.sink);
	if ((d.has_fault || !flush(&d)))
		r.file->pos = d.lot_pos;
	fd_end(&r);
	if (d.done)
		return (s64)d.done;
	if (err)
		return err;
	return d.has_fault ? -EFAULT : d.is_too_small ? -EINVAL : 0;
}

s64 sys_getdents(const struct syscall_args *a)
{
	return getdents(a, true);
}

s64 sys_getdents64(const struct syscall_args *a)
{
	return getdents(a, false);
}

/* --- Where we are */

s64 sys_chdir(const struct syscall_args *a)
{
	struct path p;
	s64 err = path_lookup_user(AT_FDCWD, arg_uaddr(a, 0), LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (err)
		return err;
	err = fs_chdir(&p);
	path_put(&p);
	return err;
}

s64 sys_fchdir(const struct syscall_args *a)
{
	struct fdref r;
	s64 err = fd_borrow_path((s32)a->v[0], &r);

	if (err)
		return err;
	err = fs_chdir(&r.file->path);
	fd_end(&r);
	return err;
}

s64 sys_chroot(const struct syscall_args *a)
{
	struct path p;
	s64 err = path_lookup_user(AT_FDCWD, arg_uaddr(a, 0), LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (err)
		return err;
	err = fs_chroot(&p);
	path_put(&p);
	return err;
}

s64 sys_getcwd(const struct syscall_args *a)
{
	char *buf = kmalloc(FS_PATH_MAX, ALLOC_SLEEP | ALLOC_USER), *start;
	s64 n;

	if (!buf)
		return -ENOMEM;
	n = fs_getcwd(buf, FS_PATH_MAX, &start);
	if (n > 0 && (u64)n > a->v[1])
		n = -ERANGE;
	if (n > 0 && uput(arg_uaddr(a, 0), start, (size_t)n))
		n = -EFAULT;
	kfree(buf);
	return n;
}

s64 sys_umask(const struct syscall_args *a)
{
	return fsctx_set_umask((u32)a->v[0]);
}
