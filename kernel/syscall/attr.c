/* SPDX-License-Identifier: MPL-2.0 */
/* Attributes of files: stat and statx, chmod, chown, times, access, statfs. */
#include <lib/string.h>
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/time.h"
#include "fs/calls.h"
#include "fs/fdtable.h"
#include "object/user_ns.h"
#include "syscall/handlers.h"

/* --- stat */

/* makedev(3): the number as programs have it in st_dev and st_rdev. */
static u64 encode_dev(u64 dev)
{
	u32 major = dev_major(dev), minor = dev_minor(dev);

	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

static s64 put_stat(uaddr_t to, const struct kstat *st)
{
	struct user_ns *ns = current_cred()->ns;
	struct stat s = {
		.st_dev = encode_dev(st->dev), .st_ino = st->ino, .st_nlink = st->nlink, .st_mode = st->mode, .st_uid = from_kuid(ns, st->uid),
		.st_gid = from_kgid(ns, st->gid), .st_rdev = encode_dev(st->rdev), .st_size = (s64)st->size, .st_blksize = st->blksize,
		.st_blocks = (s64)st->blocks, .st_atime = (u64)st->atime.sec, .st_atime_nsec = st->atime.nsec, .st_mtime = (u64)st->mtime.sec,
		.st_mtime_nsec = st->mtime.nsec, .st_ctime = (u64)st->ctime.sec, .st_ctime_nsec = st->ctime.nsec,
	};

	return uput(to, &s, sizeof(s));
}

static s64 stat_path(s32 dirfd, uaddr_t path, u32 lookup, struct kstat *st)
{
	struct user_path up __uninitialized;
	s64 err = user_path_get(&up, path, lookup);

	if (unlikely(err))
		return err;
	err = fs_stat(dirfd, &up, lookup, st);
	user_path_put(&up);
	return err;
}

static s64 stat_fd(s32 fd, struct kstat *st)
{
	struct fdref r;
	s64 err = fd_borrow_path(fd, &r);

	if (unlikely(err))
		return err;
	err = vfs_getattr(&r.file->path, st);
	fd_end(&r);
	return err;
}

/* fstatat(fd, "", AT_EMPTY_PATH) is how libraries do fstat. */
static s64 stat_at(s32 dirfd, uaddr_t path, u32 flags, struct kstat *st)
{
	u32 lookup = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
	char first;

	if ((flags & AT_EMPTY_PATH) && dirfd >= 0 && !uget(&first, path, 1) && !first)
		return stat_fd(dirfd, st);
	return stat_path(dirfd, path, lookup, st);
}

s64 sys_stat(const struct syscall_args *a)
{
	struct kstat st __uninitialized;
	s64 err = stat_path(AT_FDCWD, arg_uaddr(a, 0), LOOKUP_FOLLOW, &st);

	return err ? err : put_stat(arg_uaddr(a, 1), &st);
}

s64 sys_lstat(const struct syscall_args *a)
{
	struct kstat st __uninitialized;
	s64 err = stat_path(AT_FDCWD, arg_uaddr(a, 0), 0, &st);

	return err ? err : put_stat(arg_uaddr(a, 1), &st);
}

s64 sys_fstat(const struct syscall_args *a)
{
	struct kstat st __uninitialized;
	s64 err = stat_fd((s32)a->v[0], &st);

	return err ? err : put_stat(arg_uaddr(a, 1), &st);
}

s64 sys_newfstatat(const struct syscall_args *a)
{
	struct kstat st __uninitialized;
	s64 err = stat_at((s32)a->v[0], arg_uaddr(a, 1), (u32)a->v[3], &st);

	return err ? err : put_stat(arg_uaddr(a, 2), &st);
}

static struct statx_timestamp statx_time(const struct timespec_k *t)
{
	return (struct statx_timestamp){ .tv_sec = t->sec, .tv_nsec = t->nsec };
}

static s64 put_statx(uaddr_t to, const struct kstat *st, u32 mask)
{
	struct user_ns *ns = current_cred()->ns;
	struct statx x = {
		.stx_mask = STATX_BASIC_STATS | STATX_MNT_ID | (st->has_btime ? mask & STATX_BTIME : 0), .stx_blksize = st->blksize,
		.stx_attributes = st->attributes, .stx_nlink = st->nlink, .stx_uid = from_kuid(ns, st->uid), .stx_gid = from_kgid(ns, st->gid),
		.stx_mode = (u16)st->mode, .stx_ino = st->ino, .stx_size = st->size, .stx_blocks = st->blocks,
		.stx_attributes_mask = st->attributes_mask, .stx_atime = statx_time(&st->atime), .stx_btime = statx_time(&st->btime),
		.stx_ctime = statx_time(&st->ctime), .stx_mtime = statx_time(&st->mtime), .stx_rdev_major = dev_major(st->rdev),
		.stx_rdev_minor = dev_minor(st->rdev), .stx_dev_major = dev_major(st->dev), .stx_dev_minor = dev_minor(st->dev),
		.stx_mnt_id = st->mnt_id,
	};

	return uput(to, &x, sizeof(x));
}

s64 sys_statx(const struct syscall_args *a)
{
	struct kstat st __uninitialized;
	u32 flags = (u32)a->v[2];
	s64 err;

	if ((a->v[3] & STATX__RESERVED) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	err = stat_at((s32)a->v[0], arg_uaddr(a, 1), flags, &st);
	return err ? err : put_statx(arg_uaddr(a, 4), &st, (u32)a->v[3]);
}

/* --- chmod, chown */

static u32 lookup_of_at(u32 flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
}

static s64 chmod_at(s32 dirfd, uaddr_t path, u64 mode)
{
	struct path p;
	s64 err = path_lookup_user(dirfd, path, LOOKUP_FOLLOW, &p);

	if (err)
		return err;
	err = fs_chmod(&p, (u32)mode);
	path_put(&p);
	return err;
}

s64 sys_chmod(const struct syscall_args *a)
{
	return chmod_at(AT_FDCWD, arg_uaddr(a, 0), a->v[1]);
}

s64 sys_fchmodat(const struct syscall_args *a)
{
	return chmod_at((s32)a->v[0], arg_uaddr(a, 1), a->v[2]);
}

s64 sys_fchmod(const struct syscall_args *a)
{
	struct fdref r;
	s64 err = fd_borrow((s32)a->v[0], &r);

	if (err)
		return err;
	err = fs_chmod(&r.file->path, (u32)a->v[1]);
	fd_end(&r);
	return err;
}

static s64 chown_at(s32 dirfd, uaddr_t path, u64 uid, u64 gid, u32 lookup)
{
	struct path p;
	s64 err = path_lookup_user(dirfd, path, lookup, &p);

	if (err)
		return err;
	err = fs_chown(&p, (u32)uid, (u32)gid);
	path_put(&p);
	return err;
}

s64 sys_chown(const struct syscall_args *a)
{
	return chown_at(AT_FDCWD, arg_uaddr(a, 0), a->v[1], a->v[2], LOOKUP_FOLLOW);
}

s64 sys_lchown(const struct syscall_args *a)
{
	return chown_at(AT_FDCWD, arg_uaddr(a, 0), a->v[1], a->v[2], 0);
}

s64 sys_fchownat(const struct syscall_args *a)
{
	return chown_at((s32)a->v[0], arg_uaddr(a, 1), a->v[2], a->v[3], lookup_of_at((u32)a->v[4]));
}

s64 sys_fchown(const struct syscall_args *a)
{
	struct fdref r;
	s64 err = fd_borrow((s32)a->v[0], &r);

	if (err)
		return err;
	err = fs_chown(&r.file->path, (u32)a->v[1], (u32)a->v[2]);
	fd_end(&r);
	return err;
}

/* --- Times: utimensat(2). The older calls come down to it. */

static const struct iattr touch = { .valid = ATTR_ATIME_NOW | ATTR_MTIME_NOW | ATTR_TOUCH };

static int add_time(struct iattr *a, const struct __kernel_timespec *t, u32 set, u32 now)
{
	struct timespec_k *to = set == ATTR_ATIME ? &a->atime : &a->mtime;

	if (t->tv_nsec == UTIME_OMIT)
		return 0;
	if (t->tv_nsec == UTIME_NOW) {
		a->valid |= now;
		return 0;
	}
	if (t->tv_nsec < 0 || t->tv_nsec > 999999999)
		return -EINVAL;
	a->valid |= set;
	*to = (struct timespec_k){ t->tv_sec, (u32)t->tv_nsec };
	return 0;
}

/* Both UTIME_NOW is the same as no times at all; then write permission suffices. */
static int times_attr(const struct __kernel_timespec t[2], struct iattr *a)
{
	*a = (struct iattr){ 0 };
	if (add_time(a, &t[0], ATTR_ATIME, ATTR_ATIME_NOW) || add_time(a, &t[1], ATTR_MTIME, ATTR_MTIME_NOW))
		return -EINVAL;
	if (a->valid == (ATTR_ATIME_NOW | ATTR_MTIME_NOW))
		a->valid |= ATTR_TOUCH;
	return 0;
}

/* path NULL: the descriptor itself. */
static s64 set_times(s32 dirfd, uaddr_t path, u32 flags, const struct iattr *attr)
{
	struct iattr a = *attr;
	struct path p;
	s64 err;

	if (!path.v && dirfd != AT_FDCWD) {
		struct fdref r;

		if (flags)
			return -EINVAL;
		err = fd_borrow(dirfd, &r);
		if (err)
			return err;
		err = vfs_setattr(&r.file->path, &a);
		fd_end(&r);
		return err;
	}
	err = path_lookup_user(dirfd, path, lookup_of_at(flags), &p);
	if (err)
		return err;
	err = vfs_setattr(&p, &a);
	path_put(&p);
	return err;
}

s64 sys_utimensat(const struct syscall_args *a)
{
	struct __kernel_timespec t[2];
	struct iattr attr = touch;

	if (a->v[2]) {
		if (uget(t, arg_uaddr(a, 2), sizeof(t)))
			return -EFAULT;
		if (t[0].tv_nsec == UTIME_OMIT && t[1].tv_nsec == UTIME_OMIT)
			return 0;
		if (times_attr(t, &attr))
			return -EINVAL;
	}
	return set_times((s32)a->v[0], arg_uaddr(a, 1), (u32)a->v[3], &attr);
}

static s64 utimes_at(s32 dirfd, uaddr_t path, uaddr_t times)
{
	struct iattr attr = touch;
	struct { s64 sec, usec; } tv[2];

	if (times.v) {
		struct __kernel_timespec t[2];

		if (uget(tv, times, sizeof(tv)))
			return -EFAULT;
		for (u32 i = 0; i < 2; i++) {
			if (tv[i].usec < 0 || tv[i].usec > 999999)
				return -EINVAL;
			t[i] = (struct __kernel_timespec){ .tv_sec = tv[i].sec, .tv_nsec = tv[i].usec * 1000 };
		}
		if (times_attr(t, &attr))
			return -EINVAL;
	}
	return set_times(dirfd, path, 0, &attr);
}

s64 sys_utimes(const struct syscall_args *a)
{
	return utimes_at(AT_FDCWD, arg_uaddr(a, 0), arg_uaddr(a, 1));
}

s64 sys_futimesat(const struct syscall_args *a)
{
	return utimes_at((s32)a->v[0], arg_uaddr(a, 1), arg_uaddr(a, 2));
}

s64 sys_utime(const struct syscall_args *a)
{
	struct iattr attr = touch;
	struct utimbuf t;

	if (a->v[1]) {
		if (uget(&t, arg_uaddr(a, 1), sizeof(t)))
			return -EFAULT;
		attr = (struct iattr){ .valid = ATTR_ATIME | ATTR_MTIME, .atime.sec = t.actime, .mtime.sec = t.modtime };
	}
	return set_times(AT_FDCWD, arg_uaddr(a, 0), 0, &attr);
}

/* --- access */

static s64 access_at(s32 dirfd, uaddr_t path, u64 mode, u32 flags)
{
	struct user_path up __uninitialized;
	u32 lookup = lookup_of_at(flags);
	s64 err;

	if (mode & ~7ull)
		return -EINVAL;
	err = user_path_get(&up, path, lookup);
	if (err)
		return err;
	err = fs_access(dirfd, &up, lookup, (u32)mode, flags & AT_EACCESS);
	user_path_put(&up);
	return err;
}

s64 sys_access(const struct syscall_args *a)
{
	return access_at(AT_FDCWD, arg_uaddr(a, 0), (u32)a->v[1], 0);
}

s64 sys_faccessat(const struct syscall_args *a)
{
	return access_at((s32)a->v[0], arg_uaddr(a, 1), (u32)a->v[2], 0);
}

s64 sys_faccessat2(const struct syscall_args *a)
{
	return access_at((s32)a->v[0], arg_uaddr(a, 1), (u32)a->v[2], (u32)a->v[3]);
}

/* --- statfs */

static s64 put_statfs(const struct path *p, uaddr_t to)
{
	struct statfs_k k;
	struct statfs s;
	int err = vfs_statfs(p, &k);

	if (err)
		return err;
	s = (struct statfs){
		.f_type = (__statfs_word)k.type, .f_bsize = (__statfs_word)k.bsize, .f_blocks = k.blocks, .f_bfree = k.bfree, .f_bavail = k.bavail,
		.f_files = k.files, .f_ffree = k.ffree, .f_fsid = { { (int)(u32)k.fsid, (int)(u32)(k.fsid >> 32) } },
		.f_namelen = (__statfs_word)k.namelen, .f_frsize = (__statfs_word)k.frsize, .f_flags = (__statfs_word)k.flags,
	};
	return uput(to, &s, sizeof(s));
}

s64 sys_statfs(const struct syscall_args *a)
{
	struct path p;
	s64 err = path_lookup_user(AT_FDCWD, arg_uaddr(a, 0), LOOKUP_FOLLOW, &p);

	if (err)
		return err;
	err = put_statfs(&p, arg_uaddr(a, 1));
	path_put(&p);
	return err;
}

s64 sys_fstatfs(const struct syscall_args *a)
{
	struct fdref r;
	s64 err = fd_borrow_path((s32)a->v[0], &r);

	if (err)
		return err;
	err = put_statfs(&r.file->path, arg_uaddr(a, 1));
	fd_end(&r);
	return err;
}
