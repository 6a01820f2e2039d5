/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters of the inotify calls. */
#include "abi/inotify.h"
#include "fs/fdtable.h"
#include "fs/inotify.h"
#include "fs/vfs.h"
#include "syscall/handlers.h"

s64 sys_inotify_init(const struct syscall_args *a)
{
	(void)a;
	return inotify_create(0);
}

s64 sys_inotify_init1(const struct syscall_args *a)
{
	return inotify_create((u32)a->v[0]);
}

static s64 watch_path(struct file *f, uaddr_t pathname, u32 mask)
{
	u32 lookup = (mask & IN_DONT_FOLLOW ? 0 : LOOKUP_FOLLOW) | (mask & IN_ONLYDIR ? LOOKUP_DIRECTORY : 0);
	struct path p;
	s64 wd;

	if (!inotify_is(f) || ((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE)))
		return -EINVAL;
	wd = path_lookup_user(AT_FDCWD_KEEL, pathname, lookup, &p);
	if (wd)
		return wd;
	wd = inotify_watch(f, &p, mask);
	path_put(&p);
	return wd;
}

s64 sys_inotify_add_watch(const struct syscall_args *a)
{
	u32 mask = (u32)a->v[2];
	struct fdref r;
	s64 wd;

	if (!mask)
		return -EINVAL;
	wd = fd_borrow((s32)a->v[0], &r);
	if (wd)
		return wd;
	wd = watch_path(r.file, arg_uaddr(a, 1), mask);
	fd_end(&r);
	return wd;
}

s64 sys_inotify_rm_watch(const struct syscall_args *a)
{
	struct fdref r;
	s64 ret = fd_borrow((s32)a->v[0], &r);

	if (ret)
		return ret;
	ret = inotify_is(r.file) ? inotify_unwatch(r.file, (s32)a->v[1]) : -EINVAL;
	fd_end(&r);
	return ret;
}
