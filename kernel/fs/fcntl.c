/* SPDX-License-Identifier: MPL-2.0 */
/* File status flags after open: fcntl(2), F_SETFL. f->flags is changed atomically, bit by bit: others read it at any time. */
#include "abi/fcntl.h"
#include "fs/async.h"
#include "fs/fcntl.h"
#include "fs/internal.h"

#define CHANGEABLE ((u32)(O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME))

static int check(struct file *f, u32 flags)
{
	u32 new = flags & ~READ_ONCE(f->flags), gone = READ_ONCE(f->flags) & ~flags;

	if ((gone & O_APPEND) && (f->inode->flags & INODE_APPEND))
		return -EPERM;
	if ((new & O_NOATIME) && !inode_owner_or_capable(f->inode))
		return -EPERM;
	if ((flags & O_DIRECT) && !(f->mode & FMODE_DIRECT))
		return -EINVAL;
	return f->ops->set_flags ? f->ops->set_flags(f, flags) : 0;
}

int file_set_flags(struct file *f, s32 fd, u32 flags)
{
	u32 old = READ_ONCE(f->flags);
	int err = check(f, flags);

	if (!err && ((old ^ flags) & FASYNC))
		err = async_set(f, fd, (flags & FASYNC) != 0, false);
	if (err)
		return err;
	__atomic_fetch_and(&f->flags, flags | ~CHANGEABLE, __ATOMIC_RELAXED);
	__atomic_fetch_or(&f->flags, flags & CHANGEABLE, __ATOMIC_RELAXED);
	return 0;
}

void file_set_nonblock(struct file *f, bool on)
{
	if (on)
		__atomic_fetch_or(&f->flags, O_NONBLOCK, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&f->flags, ~(u32)O_NONBLOCK, __ATOMIC_RELAXED);
}
