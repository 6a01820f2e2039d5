/* SPDX-License-Identifier: MPL-2.0 */
/* mmap(2) of files: who may map what, and what a VMA asks of its file. */
#include <lib/string.h>
#include "abi/fcntl.h"
#include "fs/fdtable.h"
#include "fs/internal.h"
#include "fs/mmap.h"
#include "fs/seals.h"

static void vma_get(struct file *f)
{
	file_get(f);
}

static ssize_t vma_name(struct file *f, char *buf, size_t max)
{
	struct path root;
	char *start;
	int err;

	fsctx_root(&root);
	err = path_text(&f->path, &root, buf, max, &start);
	path_put(&root);
	if (err)
		return err;
	max -= (size_t)(start - buf);
	memmove(buf, start, max);
	return (ssize_t)max - 1;
}

static void vma_ids(struct file *f, u32 *major, u32 *minor, u64 *ino)
{
	*major = dev_major(f->inode->sb->dev);
	*minor = dev_minor(f->inode->sb->dev);
	*ino = f->inode->ino;
}

static void vma_written(struct file *f)
{
	inode_touch(f->inode, ATTR_MTIME | ATTR_CTIME);
}

const struct vma_ops file_vma_ops = {
	.get = vma_get, .put = file_put, .name = vma_name, .ids = vma_ids, .written = vma_written,
};

int generic_file_mmap(struct file *f, struct mm_map_request *rq)
{
	file_touch_atime(f);
	rq->mapping = &f->inode->mapping;
	return seals_check_map(rq);
}

static int may_map(const struct file *f, u32 prot, bool is_shared, u32 *vma_flags)
{
	u32 may = VMA_MAY_READ | VMA_MAY_WRITE | VMA_MAY_EXEC;

	if (is_shared && !(f->mode & FMODE_WRITE)) {
		if (prot & VMA_WRITE)
			return -EACCES;
		may &= ~(u32)VMA_MAY_WRITE;
	}
	if (is_shared && (f->inode->flags & INODE_APPEND) && (f->mode & FMODE_WRITE))
		return -EACCES;
	if (!(f->mode & FMODE_READ))
		return -EACCES;
	if (READ_ONCE(f->path.mnt->flags) & MOUNT_NOEXEC) {
		if (prot & VMA_EXEC)
			return -EPERM;
		may &= ~(u32)VMA_MAY_EXEC;
	}
	*vma_flags |= may;
	return 0;
}

int file_mmap_request(s32 fd, u32 prot, bool is_shared, struct mm_map_request *rq)
{
	struct file *f = fd_get(fd);
	int err;

	if (!f)
		return -EBADF;
	rq->file = f;
	rq->ops = &file_vma_ops;
	rq->vma_flags |= is_shared ? VMA_SHARED : 0;
	err = f->mode & FMODE_PATH ? -EBADF : may_map(f, prot, is_shared, &rq->vma_flags);
	if (!err)
		err = f->ops->mmap ? f->ops->mmap(f, rq) : -ENODEV;
	if (err)
		file_put(f);
	return err;
}

void file_mmap_done(struct mm_map_request *rq)
{
	rq->ops->put(rq->file);
}
