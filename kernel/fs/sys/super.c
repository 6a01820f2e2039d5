/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The type sysfs: one instance that all mounts show, its inodes and directories.
 *
 * An inode is a view of a node and keeps no state of its own but times: owner and mode, which may be changed (chmod(2) works here), stay with the node.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <frame/log.h>
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/internal.h"
#include "fs/sys/internal.h"
#include "mm/alloc.h"

#define SYSFS_MAGIC 0x62656572

static struct super_block *instance;	/* [I after sysfs_init] never goes: one reference is kept */

static const struct inode_ops sysfs_inode_ops;
static const struct file_ops sysfs_dir_ops;

/* --- inodes */

static struct inode *make_inode(struct super_block *sb, struct sysfs_node *n)
{
	struct inode *inode = inode_new(sb, READ_ONCE(n->mode));

	if (!inode)
		return NULL;
	inode->private = n;
	inode->ino = n->ino;
	inode->uid = (kuid_t){ READ_ONCE(n->uid.v) };
	inode->gid = (kgid_t){ READ_ONCE(n->gid.v) };
	inode->ops = &sysfs_inode_ops;
	inode->fops = n->attr ? &sysfs_file_ops : &sysfs_dir_ops;
	return inode;
}

static int sysfs_lookup(struct inode *dir, struct dentry *dentry)
{
	struct sysfs_node *n = sysfs_find(dir->private, dentry->name.name, dentry->name.len);
	struct inode *inode;

	dentry->ops = &sysfs_inode_ops;
	inode = n ? make_inode(dir->sb, n) : NULL;
	if (n && !inode)
		return -ENOMEM;
	if (!n)
		__atomic_fetch_or(&dentry->flags, D_NOCACHE, __ATOMIC_RELAXED);	/* it may be registered later */
	d_instantiate(dentry, inode);
	return 0;
}

static int sysfs_setattr(struct inode *inode, const struct iattr *a)
{
	struct sysfs_node *n = inode->private;
	struct iattr rest = *a;

	rest.valid &= ~(u32)ATTR_SIZE;	/* O_TRUNC means nothing here */
	setattr_apply(inode, &rest);
	WRITE_ONCE(n->mode, inode->mode);
	WRITE_ONCE(n->uid.v, inode->uid.v);
	WRITE_ONCE(n->gid.v, inode->gid.v);
	return 0;
}

/* stat(2): an attribute shows a page, however long its text is, and a directory has a link from each of its subdirectories. */
static int sysfs_getattr(const struct path *path, struct kstat *st)
{
	const struct inode *inode = path->dentry->inode;
	const struct sysfs_node *n = inode->private;

	generic_fill_stat(inode, st);
	st->size = n->attr ? PAGE_SIZE : 0;
	if (S_ISDIR(inode->mode))
		st->nlink = 2 + READ_ONCE(n->n_dirs);
	return 0;
}

/* "../../a/b": up to what both have in common, then down. Written from the end. */
static ssize_t sysfs_readlink(struct inode *inode, char *buf, size_t max)
{
	const struct sysfs_node *link = inode->private, *up = link->parent, *down;
	size_t at = 0, len = 0, n_up = 0;

	for (; up; up = up->parent, n_up++) {
		for (down = link->target; down && down != up; down = down->parent)
			;
		if (down)
			break;
	}
	for (down = link->target; down != up; down = down->parent)
		len += strlen(down->name) + 1;
	if (3 * n_up + len > max)
		return -ENAMETOOLONG;
	for (; n_up; n_up--, at += 3)
		memcpy(buf + at, "../", 3);
	at += len;
	for (down = link->target; down != up; down = down->parent) {
		size_t n = strlen(down->name);

		buf[--at] = '/';
		at -= n;
		memcpy(buf + at, down->name, n);
	}
	return (ssize_t)(at + len - 1);	/* without the last slash */
}

static const struct inode_ops sysfs_inode_ops = {
	.lookup = sysfs_lookup, .setattr = sysfs_setattr, .getattr = sysfs_getattr, .readlink = sysfs_readlink,
};

/* --- directories. Positions: 0 ".", 1 "..", then the number of the next child, all above 1. */

static u8 type_of(const struct sysfs_node *n)
{
	return (u8)(READ_ONCE(n->mode) >> 12);
}

static int sysfs_iterate(struct file *file, struct dir_sink *sink)
{
	const struct sysfs_node *dir = file->inode->private, *child;

	if (file->pos == 0) {
		if (!sink->emit(sink, ".", 1, 1, dir->ino, ABI_DT_DIR))
			return 0;
		file->pos = 1;
	}
	if (file->pos == 1) {
		if (!sink->emit(sink, "..", 2, 2, file->path.dentry->parent->inode->ino, ABI_DT_DIR))
			return 0;
		file->pos = 2;
	}
	while ((child = sysfs_next(dir, file->pos)) != NULL) {
		if (!sink->emit(sink, child->name, (u32)strlen(child->name), child->ino + 1, child->ino, type_of(child)))
			return 0;
		file->pos = child->ino + 1;
	}
	return 0;
}

static const struct file_ops sysfs_dir_ops = { .iterate = sysfs_iterate };

/* --- the type */

static int sysfs_statfs(struct super_block *sb, struct statfs_k *out)
{
	(void)sb;
	*out = (struct statfs_k){ .type = SYSFS_MAGIC, .bsize = PAGE_SIZE, .frsize = PAGE_SIZE, .namelen = FS_NAME_MAX };
	return 0;
}

static const struct super_ops sysfs_super_ops = { .statfs = sysfs_statfs };

static int make_instance(const struct fs_type *type)
{
	struct super_block *sb;
	struct inode *root;
	int err = super_create(type, &sysfs_super_ops, &sb);

	if (err)
		return err;
	sb->magic = SYSFS_MAGIC;
	root = make_inode(sb, &sysfs_root);
	sb->root = root ? d_make_root(sb, root) : NULL;
	if (!sb->root) {
		super_put(sb);
		return -ENOMEM;
	}
	instance = sb;
	return 0;
}

static int sysfs_mount(const struct fs_type *type, const char *source, u32 flags, const char *options, struct super_block **out)
{
	(void)type;
	(void)source;
	(void)flags;
	(void)options;
	ref_get(&instance->refs);
	*out = instance;
	return 0;
}

static struct fs_type sysfs_type = { .name = "sysfs", .is_user_mountable = true, .mount = sysfs_mount };

/* Linux's first level, as far as there is or may come something to show. */
static int add_first_level(struct sysfs_node **devices)
{
	static const char *const names[] = { "block", "bus", "class", "firmware", "fs", "module" };
	struct sysfs_node *n;
	int err = sysfs_add(NULL, "devices", NULL, 0, NULL, devices);

	for (u32 i = 0; !err && i < ARRAY_SIZE(names); i++)
		err = sysfs_add(NULL, names[i], NULL, 0, NULL, NULL);
	if (!err)
		err = sysfs_add(NULL, "dev", NULL, 0, NULL, &n);
	if (!err)
		err = sysfs_add(n, "block", NULL, 0, NULL, NULL);
	if (!err)
		err = sysfs_add(n, "char", NULL, 0, NULL, NULL);
	if (!err)
		err = sysfs_add(NULL, "kernel", NULL, 0, NULL, &n);
	return err ? err : sysfs_add(n, "mm", NULL, 0, NULL, NULL);
}

void sysfs_init(void)
{
	struct sysfs_node *devices;
	int err;

	sysfs_tree_init();
	err = add_first_level(&devices);
	if (!err)
		err = sysfs_add_system(devices);
	if (err || make_instance(&sysfs_type) || fs_register(&sysfs_type))
		panic("no memory for sysfs");
}
