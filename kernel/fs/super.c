/* SPDX-License-Identifier: MPL-2.0 */
/*
 * File-system types and their instances.
 *
 * A super block lives while a mount refers to it; then its cached names go, the file system frees what is left (kill), and the memory follows after a
 * grace period, since path walkers look at inode->sb under RCU.
 */
#include <lib/string.h>
#include <frame/log.h>
#include "abi/stat.h"
#include "fs/calls.h"
#include "fs/internal.h"
#include "fs/notify.h"
#include "mm/alloc.h"
#include "object/user_ns.h"

static struct mutex types_mutex = MUTEX_INIT("fs types", types_mutex);
static struct fs_type *first_type, *last_type;	/* [types_mutex; a to read] in the order of registration */
static struct mutex supers_mutex = MUTEX_INIT("super blocks", supers_mutex);
static struct list supers = LIST_INIT(supers);	/* [supers_mutex] */
static u32 next_minor;			/* [a] */

int fs_register(struct fs_type *t)
{
	MUTEX_GUARD(&types_mutex);
	if (fs_find(t->name))
		return -EBUSY;
	t->next = NULL;
	if (last_type)
		rcu_publish(last_type->next, t);
	else
		rcu_publish(first_type, t);
	last_type = t;
	return 0;
}

const struct fs_type *fs_find(const char *name)
{
	for (const struct fs_type *t = rcu_deref(first_type); t; t = rcu_deref(t->next))
		if (!strcmp(t->name, name))
			return t;
	return NULL;
}

int fs_each_type(int (*fn)(const struct fs_type *t, void *arg), void *arg)
{
	int err = 0;

	for (const struct fs_type *t = rcu_deref(first_type); t && !err; t = rcu_deref(t->next))
		err = fn(t, arg);
	return err;
}

int super_create(const struct fs_type *t, const struct super_ops *ops, struct super_block **out)
{
	struct super_block *sb = kmalloc(sizeof(*sb), ALLOC_SLEEP | ALLOC_ZERO);

	if (!sb)
		return -ENOMEM;
	ref_init(&sb->refs);
	sb->type = t;
	sb->ops = ops;
	sb->dev = dev_make(0, __atomic_add_fetch(&next_minor, 1, __ATOMIC_RELAXED));
	sb->blksize = PAGE_SIZE;
	sb->max_bytes = INT64_MAX;
	mutex_init(&sb->rename_mutex, "rename mutex");
	spin_init(&sb->inodes_lock, "super inodes");
	list_init(&sb->inodes);
	list_init(&sb->marked);
	list_init(&sb->mounts);
	sb->user_ns = &init_user_ns;
	mutex_lock(&supers_mutex);
	list_push_back(&supers, &sb->all_node);
	mutex_unlock(&supers_mutex);
	*out = sb;
	return 0;
}

int super_create_bare(const struct fs_type *t, const struct super_ops *ops, u64 magic, struct super_block **out)
{
	struct super_block *sb;
	struct inode *root;
	int err = super_create(t, ops, &sb);

	if (err)
		return err;
	sb->magic = magic;
	root = inode_new(sb, S_IFDIR | 0500);
	sb->root = root ? d_make_root(sb, root) : NULL;
	if (!sb->root) {
		super_put(sb);
		return -ENOMEM;
	}
	*out = sb;
	return 0;
}

void super_get(struct super_block *sb)
{
	ref_get(&sb->refs);
}

static void free_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct super_block, rcu));
}

static int super_sync(struct super_block *sb)
{
	return sb->ops->sync ? sb->ops->sync(sb) : 0;
}

void super_put(struct super_block *sb)
{
	if (!ref_put(&sb->refs))
		return;
	mutex_lock(&supers_mutex);
	list_del(&sb->all_node);
	mutex_unlock(&supers_mutex);
	notify_unmount(sb);
	if (sb->root)
		d_shrink_tree(sb->root);
	if (super_sync(sb))
		klog(LOG_ERR, "%s: data was lost at unmount", sb->type->name);
	if (sb->ops->kill)
		sb->ops->kill(sb);
	if (sb->root)
		d_put(sb->root);
	rcu_call(&sb->rcu, free_rcu);
}

int super_mount(const struct fs_type *t, const char *source, u32 flags, const char *options, struct super_block **out)
{
	int err;

	if (t->needs_device && (!source || !*source))
		return -EINVAL;
	err = t->mount(t, source, flags, options, out);
	if (err)
		return err;
	strlcpy((*out)->source, source ? source : "none", sizeof((*out)->source));
	if (flags & SB_RDONLY)
		(*out)->flags |= SB_RDONLY;
	return 0;
}

/* mount(2), MS_REMOUNT: the instance's own flags and options. Read-only needs every mount of it free of writers. */
int super_remount(struct super_block *sb, u32 flags, const char *options)
{
	bool to_readonly = (flags & SB_RDONLY) && !(READ_ONCE(sb->flags) & SB_RDONLY);
	int err = to_readonly ? mounts_hold_writers(sb) : 0;

	if (!err && sb->ops->remount)
		err = sb->ops->remount(sb, flags, options);
	if (!err && (flags & SB_RDONLY))
		__atomic_fetch_or(&sb->flags, SB_RDONLY, __ATOMIC_SEQ_CST);
	else if (!err)
		__atomic_fetch_and(&sb->flags, ~(u32)SB_RDONLY, __ATOMIC_SEQ_CST);
	if (to_readonly)
		mounts_release_writers(sb);
	return err;
}

void fs_sync(void)
{
	struct super_block *sb;

	MUTEX_GUARD(&supers_mutex);
	list_for_each_entry(sb, &supers, all_node)
		if (super_sync(sb))
			klog(LOG_ERR, "%s on %s: write error", sb->type->name, sb->source);
}

int fs_syncfs(struct file *f)
{
	return super_sync(f->inode->sb);
}

int vfs_statfs(const struct path *p, struct statfs_k *out)
{
	struct super_block *sb = p->dentry->sb;
	u32 flags = READ_ONCE(p->mnt->flags);
	int err;

	*out = (struct statfs_k){ .type = sb->magic, .bsize = sb->blksize, .frsize = sb->blksize, .namelen = FS_NAME_MAX, .fsid = sb->dev };
	err = sb->ops->statfs ? sb->ops->statfs(sb, out) : 0;
	if (err)
		return err;
	/* statfs(2): ST_*; ST_VALID says that the field is filled in. */
	out->flags = 0x20 | (flags & (MOUNT_RDONLY | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC));
	if (READ_ONCE(sb->flags) & SB_RDONLY)
		out->flags |= 1;
	if (flags & MOUNT_NOATIME)
		out->flags |= 1024;
	if (flags & MOUNT_NODIRATIME)
		out->flags |= 2048;
	if (flags & MOUNT_RELATIME)
		out->flags |= 4096;
	return 0;
}
