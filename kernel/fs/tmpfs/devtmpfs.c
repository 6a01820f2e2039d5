/* SPDX-License-Identifier: MPL-2.0 */
/*
 * devtmpfs: one tmpfs instance in which the kernel makes a node for every character device, those that come later included. All mounts show that one
 * instance; what programs make in it (links, directories) is theirs and stays.
 *
 * The instance is made at the start and never goes. Nodes are made under their directory's inode lock, as mknod(2) would.
 */
#include <lib/string.h>
#include <frame/log.h>
#include "abi/stat.h"
#include "fs/chrdev.h"
#include "fs/tmpfs/internal.h"
#include "mm/alloc.h"

static struct super_block *instance;	/* [I after devtmpfs_init] */

/* Further mounts may set the limits anew, as on Linux. */
static int mount_devtmpfs(const struct fs_type *t, const char *source, u32 flags, const char *options, struct super_block **out)
{
	struct mem_stat ms;
	int err;

	(void)source;
	if (!instance) {
		struct tmpfs_sb defaults = { .mode = 0755, .uid = KUID_ROOT, .gid = KGID_ROOT };

		mem_stat(&ms);
		defaults.max_blocks = defaults.max_inodes = ms.total / 2;
		return tmpfs_mount_with(t, &defaults, options, out);
	}
	if (options && *options) {
		err = instance->ops->remount(instance, flags, options);
		if (err)
			return err;
	}
	ref_get(&instance->refs);
	*out = instance;
	return 0;
}

static struct fs_type devtmpfs_type = { .name = "devtmpfs", .mount = mount_devtmpfs };

/* `name` in `dir`: made if it is not there. The directory is locked. */
static int make_locked(struct dentry *dir, const char *name, u32 len, u32 mode, u64 rdev, struct dentry **out)
{
	const struct inode_ops *ops = dir->inode->ops;
	struct dentry *d;
	int err = d_lookup_locked(dir, name, len, &d);

	if (err)
		return err;
	if (!d->inode)
		err = S_ISDIR(mode) ? ops->mkdir(dir->inode, d, mode & 07777) : ops->mknod(dir->inode, d, mode, rdev);
	if (err) {
		d_put(d);
		return err;
	}
	*out = d;
	return 0;
}

static int make(struct dentry *dir, const char *name, u32 len, u32 mode, u64 rdev, struct dentry **out)
{
	int err;

	rwsem_write_lock(&dir->inode->lock);
	err = make_locked(dir, name, len, mode, rdev, out);
	rwsem_write_unlock(&dir->inode->lock);
	return err;
}

/* "a/b/c": the directories on the way, then the node. */
static int make_node(const struct chrdev *dev)
{
	struct dentry *dir = d_get(instance->root), *next;
	const char *name = dev->name, *slash;
	int err;

	while ((slash = strchr(name, '/'))) {
		err = make(dir, name, (u32)(slash - name), S_IFDIR | 0755, 0, &next);
		d_put(dir);
		if (err)
			return err;
		dir = next;
		name = slash + 1;
	}
	err = make(dir, name, (u32)strlen(name), S_IFCHR | dev->mode, dev->dev, &next);
	d_put(dir);
	if (!err)
		d_put(next);
	return err;
}

static void device_came(const struct chrdev *dev)
{
	int err = make_node(dev);

	if (err)
		klog(LOG_ERR, "devtmpfs: no node for %s (error %d)", dev->name, err);
}

void devtmpfs_init(void)
{
	struct super_block *sb;

	if (fs_register(&devtmpfs_type) || mount_devtmpfs(&devtmpfs_type, "devtmpfs", 0, NULL, &sb))
		panic("no memory for devtmpfs");
	(void)strscpy(sb->source, "devtmpfs", sizeof(sb->source));
	instance = sb;
	chrdev_set_listener(device_came);
}
