/* SPDX-License-Identifier: MPL-2.0 */
/* Descriptors: open and its family, close, dup. fcntl is in fcntl.c. */
#include <lib/string.h>
#include "abi/fcntl.h"
#include "fs/calls.h"
#include "fs/fdtable.h"
#include "syscall/handlers.h"

#define VALID_OPEN_FLAGS (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | FASYNC | O_DIRECT | O_LARGEFILE | \
			  O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | __O_TMPFILE)
#define O_PATH_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* What open(2) and openat2(2) check alike. */
static int check_open(struct open_request *rq)
{
	u32 flags = rq->flags;

	if (flags & __O_TMPFILE) {
		if ((flags & (O_TMPFILE | O_CREAT)) != O_TMPFILE || !(flags & O_ACCMODE))
			return -EINVAL;
	}
	if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
		return -EINVAL;
	if (flags & (O_SYNC & ~O_DSYNC))
		rq->flags |= O_DSYNC;
	if (!(flags & O_PATH))
		rq->flags |= O_LARGEFILE;
	if ((rq->lookup & LOOKUP_CACHED) && (flags & (O_TRUNC | O_CREAT | __O_TMPFILE)))
		return -EAGAIN;
	return 0;
}

static s64 open_path(s32 dirfd, const struct user_path *up, const struct open_request *rq)
{
	struct file *f;
	int fd, err;

	fd = fd_reserve(0, rq->flags & O_CLOEXEC);
	if (unlikely(fd < 0))
		return fd;
	err = fs_open(dirfd, up, rq, &f);
	if (unlikely(err)) {
		fd_unreserve(fd);
		return err;
	}
	fd_install(fd, f);
	return fd;
}

static s64 open_user(s32 dirfd, uaddr_t path, struct open_request *rq)
{
	struct user_path up __uninitialized;
	s64 fd = check_open(rq);

	if (unlikely(fd))
		return fd;
	fd = user_path_get(&up, path, 0);
	if (unlikely(fd))
		return fd;
	fd = open_path(dirfd, &up, rq);
	user_path_put(&up);
	return fd;
}

/* open(2) ignores flags it does not know, and with O_PATH nearly all others. */
static s64 open_at(s32 dirfd, uaddr_t path, u64 flags, u64 mode)
{
	struct open_request rq = { .flags = (u32)flags & VALID_OPEN_FLAGS, .mode = (u32)mode & 07777 };

	if (rq.flags & O_PATH)
		rq.flags &= O_PATH_FLAGS;
	return open_user(dirfd, path, &rq);
}

s64 sys_open(const struct syscall_args *a)
{
	return open_at(AT_FDCWD, arg_uaddr(a, 0), a->v[1], a->v[2]);
}

s64 sys_openat(const struct syscall_args *a)
{
	return open_at((s32)a->v[0], arg_uaddr(a, 1), a->v[2], a->v[3]);
}

s64 sys_creat(const struct syscall_args *a)
{
	return open_at(AT_FDCWD, arg_uaddr(a, 0), O_CREAT | O_WRONLY | O_TRUNC, a->v[1]);
}

/* openat2(2): an extensible struct. What a newer program says beyond what we know must be zero. */
static int get_how(struct open_how *how, uaddr_t from, u64 size)
{
	u8 rest[64];

	if (size < OPEN_HOW_SIZE_VER0)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (uget(how, from, sizeof(*how)))
		return -EFAULT;
	for (u64 at = sizeof(*how); at < size;) {
		size_t n = min(size - at, sizeof(rest));

		if (uget(rest, uaddr_add(from, at), n))
			return -EFAULT;
		if (memchr_inv(rest, 0, n))
			return -E2BIG;
		at += n;
	}
	return 0;
}

static u32 lookup_of_resolve(u64 resolve)
{
	u32 lookup = 0;

	if (resolve & RESOLVE_NO_XDEV)
		lookup |= LOOKUP_NO_XDEV;
	if (resolve & RESOLVE_NO_MAGICLINKS)
		lookup |= LOOKUP_NO_MAGICLINKS;
	if (resolve & RESOLVE_NO_SYMLINKS)
		lookup |= LOOKUP_NO_SYMLINKS | LOOKUP_NO_MAGICLINKS;
	if (resolve & RESOLVE_BENEATH)
		lookup |= LOOKUP_BENEATH;
	if (resolve & RESOLVE_IN_ROOT)
		lookup |= LOOKUP_IN_ROOT;
	if (resolve & RESOLVE_CACHED)
		lookup |= LOOKUP_CACHED;
	return lookup;
}

#define VALID_RESOLVE (RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED)

static int check_how(const struct open_how *how)
{
	bool may_create = how->flags & (O_CREAT | __O_TMPFILE);

	if ((how->flags & ~(u64)VALID_OPEN_FLAGS) || (how->resolve & ~(u64)VALID_RESOLVE))
		return -EINVAL;
	if ((how->resolve & RESOLVE_BENEATH) && (how->resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (may_create ? how->mode & ~07777ull : how->mode)
		return -EINVAL;
	return (how->flags & O_PATH) && (how->flags & ~(u64)O_PATH_FLAGS) ? -EINVAL : 0;
}

s64 sys_openat2(const struct syscall_args *a)
{
	struct open_request rq;
	struct open_how how;
	int err = get_how(&how, arg_uaddr(a, 2), a->v[3]);

	if (!err)
		err = check_how(&how);
	if (err)
		return err;
	rq = (struct open_request){ .flags = (u32)how.flags, .mode = (u32)how.mode, .lookup = lookup_of_resolve(how.resolve) };
	return open_user((s32)a->v[0], arg_uaddr(a, 1), &rq);
}

/* close(2): the descriptor is gone whatever flush says, so the call must not be restarted. */
s64 sys_close(const struct syscall_args *a)
{
	s64 err = fd_close((s32)a->v[0]);

	return unlikely(err <= -ERESTARTSYS) ? -EINTR : err;
}

s64 sys_close_range(const struct syscall_args *a)
{
	return fd_close_range((u32)a->v[0], (u32)a->v[1], a->v[2] & CLOSE_RANGE_CLOEXEC, a->v[2] & CLOSE_RANGE_UNSHARE);
}

s64 sys_dup(const struct syscall_args *a)
{
	return fd_dup((s32)a->v[0], 0, false);
}

s64 sys_dup2(const struct syscall_args *a)
{
	s32 from = (s32)a->v[0], to = (s32)a->v[1];
	struct fdref r;
	s64 err;

	if (from != to)
		return fd_dup_to(from, to, false);
	err = fd_borrow_path(from, &r);
	if (err)
		return err;
	fd_end(&r);
	return to;
}

s64 sys_dup3(const struct syscall_args *a)
{
	if ((s32)a->v[0] == (s32)a->v[1])
		return -EINVAL;
	return fd_dup_to((s32)a->v[0], (s32)a->v[1], a->v[2] & O_CLOEXEC);
}
