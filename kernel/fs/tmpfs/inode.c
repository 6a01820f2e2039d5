/* SPDX-License-Identifier: MPL-2.0 */
/*
 * tmpfs inodes: files without methods of their own for data, since the page cache is their home, and the accounts of blocks and inodes.
 */
#include <lib/string.h>
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "abi/stat.h"
#include "fs/seals.h"
#include "fs/notify.h"
#include "fs/tmpfs/internal.h"
#include "fs/xattr.h"
#include "mm/alloc.h"

/* --- Accounts: [a], a limit of 0 is none */

static bool account_take(u64 *used, const u64 *max)
{
	u64 limit = READ_ONCE(*max);

	if (__atomic_add_fetch(used, 1, __ATOMIC_RELAXED) <= limit || !limit)
		return true;
	__atomic_fetch_sub(used, 1, __ATOMIC_RELAXED);
	return false;
}

bool tmpfs_reserve_inode(struct tmpfs_sb *ts)
{
	return account_take(&ts->used_inodes, &ts->max_inodes);
}

void tmpfs_release_inode(struct tmpfs_sb *ts)
{
	__atomic_fetch_sub(&ts->used_inodes, 1, __ATOMIC_RELAXED);
}

static struct tmpfs_sb *of_mapping(const struct mapping *m)
{
	const struct inode *i = m->host;

	return tmpfs_of(i->sb);
}

static int reserve(struct mapping *m, u64 index)
{
	struct tmpfs_sb *ts = of_mapping(m);

	(void)index;
	return account_take(&ts->used_blocks, &ts->max_blocks) ? 0 : -ENOSPC;
}

static void released(struct mapping *m, u64 n_pages)
{
	__atomic_fetch_sub(&of_mapping(m)->used_blocks, n_pages, __ATOMIC_RELAXED);
}

static const struct mapping_ops mapping_ops = { .reserve = reserve, .released = released, .is_memory = true };

/* --- Life */

static const struct inode_ops plain_ops = { .xattrs = &memory_xattr_ops };	/* attributes by the generic methods */

static int set_methods(struct inode *i)
{
	i->ops = &plain_ops;
	switch (i->mode & S_IFMT) {
	case S_IFREG:
		i->fops = &tmpfs_file_ops;
		i->mapping.ops = &mapping_ops;
		i->mapping.seals = F_SEAL_SEAL;
		i->mapping.is_sealable = true;
		return 0;
	case S_IFDIR:
		i->ops = &tmpfs_dir_ops;
		i->fops = &tmpfs_dir_fops;
		return tmpfs_dir_init(i);
	default:
		return 0;
	}
}

int tmpfs_inode_new(struct super_block *sb, const struct inode *dir, u32 mode, u64 rdev, struct inode **out)
{
	struct tmpfs_sb *ts = tmpfs_of(sb);
	struct inode *i;

	if (!tmpfs_reserve_inode(ts))
		return -ENOSPC;
	i = inode_new(sb, mode);
	if (!i) {
		tmpfs_release_inode(ts);
		return -ENOMEM;
	}
	inode_init_owner(i, dir);
	i->rdev = rdev;
	if (set_methods(i)) {
		inode_put(i);
		return -ENOMEM;
	}
	*out = i;
	return 0;
}

int tmpfs_set_link(struct inode *i, const char *target, u32 len)
{
	char *text = kmalloc(len + 1, ALLOC_SLEEP | ALLOC_USER);

	if (!text)
		return -ENOMEM;
	memcpy(text, target, len);
	text[len] = 0;
	i->link = text;
	i->private = text;
	i->mapping.size = len;
	return 0;
}

void tmpfs_evict(struct inode *i)
{
	tmpfs_release_inode(tmpfs_of(i->sb));
}

void tmpfs_free_inode(struct inode *i)
{
	if (S_ISDIR(i->mode))
		tmpfs_dir_free(i);
	else
		kfree(i->private);
}

/* --- fallocate(2) */

static u64 count_holes(struct mapping *m, u64 first, u64 end)
{
	u64 n = 0, data;

	for (u64 at = mapping_next_hole(m, first); at < end; at = mapping_next_hole(m, data)) {
		if (!mapping_next_data(m, at, &data) || data > end)
			data = end;
		n += data - at;
	}
	return n;
}

/* All or nothing as far as the file system's size goes; memory may still run out on the way, which leaves pages allocated, as the man page allows. */
static int fill(struct mapping *m, u64 first, u64 end)
{
	struct tmpfs_sb *ts = of_mapping(m);
	u64 limit = READ_ONCE(ts->max_blocks);

	if (limit && count_holes(m, first, end) > limit - min(limit, READ_ONCE(ts->used_blocks)))
		return -ENOSPC;
	for (u64 index = first; index < end; index++) {
		struct page *page;
		int err = current_interrupted() ? -EINTR : mapping_get(m, index, true, &page);

		if (err)
			return err;
		page_put(page);
	}
	return 0;
}

static int allocate_locked(struct file *f, u32 mode, u64 off, u64 len)
{
	struct inode *i = f->inode;
	struct mapping *m = &i->mapping;
	int err;

	if (mode & FALLOC_FL_PUNCH_HOLE) {
		err = seals_check_punch(m);
		if (err)
			return err;
		mapping_punch(m, off, off + len);
	} else {
		bool grows = !(mode & FALLOC_FL_KEEP_SIZE) && off + len > m->size;

		if (grows && off + len > fs_policy_file_size_limit()) {
			fs_policy_signal(SIGXFSZ);
			return -EFBIG;
		}
		err = off + len > m->size ? seals_check_size(m, off + len) : 0;
		if (!err)
			err = fill(m, off >> PAGE_SHIFT, (off + len + PAGE_SIZE - 1) >> PAGE_SHIFT);
		if (err)
			return err;
		if (grows)
			STORE_RELEASE(m->size, off + len);
	}
	if (inode_drop_privileges(i))
		notify_file(f, NOTIFY_ATTRIB);
	inode_touch(i, ATTR_MTIME | ATTR_CTIME);
	return 0;
}

static int allocate(struct file *f, u32 mode, u64 off, u64 len)
{
	int err;

	if (mode & ~(u32)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	rwsem_write_lock(&f->inode->lock);
	err = allocate_locked(f, mode, off, len);
	rwsem_write_unlock(&f->inode->lock);
	return err;
}

/* Memory is the home of the data: there is nothing to wait for. */
static int sync(struct file *f, u64 start, u64 end, bool data_only)
{
	(void)f;
	(void)start;
	(void)end;
	(void)data_only;
	return 0;
}

const struct file_ops tmpfs_file_ops = {
	.read = generic_file_read, .write = generic_file_write, .lseek = generic_file_lseek, .mmap = generic_file_mmap, .fsync = sync,
	.fallocate = allocate,
};
