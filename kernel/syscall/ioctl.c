/* SPDX-License-Identifier: MPL-2.0 */
/* Adapter of ioctl(2): what every file has; the rest is the driver's. */
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/tty.h"
#include "fs/async.h"
#include "fs/fcntl.h"
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "syscall/handlers.h"

static s64 set_nonblock(struct file *f, uaddr_t arg)
{
	s32 on;

	if (uget(&on, arg, sizeof(on)))
		return -EFAULT;
	file_set_nonblock(f, on != 0);
	return 0;
}

static s64 set_async(struct file *f, s32 fd, uaddr_t arg)
{
	s32 on;

	if (uget(&on, arg, sizeof(on)))
		return -EFAULT;
	if (!(READ_ONCE(f->flags) & FASYNC) == !on)
		return 0;
	return async_set(f, fd, on != 0, true);
}

/* FIOQSIZE: the space it takes. */
static s64 get_space(struct file *f, uaddr_t out)
{
	u32 mode = f->inode->mode;
	struct kstat st;
	s64 bytes;
	int err;

	if (!S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode))
		return -ENOTTY;
	err = vfs_getattr(&f->path, &st);
	if (err)
		return err;
	bytes = (s64)(st.blocks * 512);
	return uput(out, &bytes, sizeof(bytes));
}

static s64 get_block_size(struct file *f, uaddr_t out)
{
	s32 size = (s32)f->inode->sb->blksize;

	return uput(out, &size, sizeof(size));
}

/* A regular file: what there is from here to its end. */
static s64 bytes_left(struct file *f, uaddr_t out)
{
	s32 n = (s32)(READ_ONCE(f->inode->mapping.size) - READ_ONCE(f->pos));

	return uput(out, &n, sizeof(n));
}

static s64 ioctl_driver(struct file *f, u32 cmd, u64 arg)
{
	s64 ret = f->ops->ioctl ? f->ops->ioctl(f, cmd, arg) : -ENOIOCTLCMD;

	return ret == -ENOIOCTLCMD ? -ENOTTY : ret;
}

static s64 ioctl_file(s32 fd, struct file *f, u32 cmd, u64 arg)
{
	switch (cmd) {
	case FIOCLEX:
		fd_set_cloexec(fd, true);
		return 0;
	case FIONCLEX:
		fd_set_cloexec(fd, false);
		return 0;
	case FIONBIO:
		return set_nonblock(f, uaddr(arg));
	case FIOASYNC:
		return set_async(f, fd, uaddr(arg));
	case FIOQSIZE:
		return get_space(f, uaddr(arg));
	case FIGETBSZ:
		return get_block_size(f, uaddr(arg));
	case FIONREAD:
		if (S_ISREG(f->inode->mode))
			return bytes_left(f, uaddr(arg));
		break;
	}
	return ioctl_driver(f, cmd, arg);
}

s64 sys_ioctl(const struct syscall_args *a)
{
	s32 fd = (s32)a->v[0];
	struct fdref r;
	s64 ret = fd_borrow(fd, &r);

	if (ret)
		return ret;
	ret = ioctl_file(fd, r.file, (u32)a->v[1], a->v[2]);
	fd_end(&r);
	return ret;
}
