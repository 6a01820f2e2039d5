/* SPDX-License-Identifier: MPL-2.0 */
/* What tmpfs' files ask of each other. */
#ifndef FS_TMPFS_INTERNAL_H
#define FS_TMPFS_INTERNAL_H

#include "fs/vfs.h"

struct tmpfs_sb {
	u64 max_blocks, max_inodes;	/* [a] 0: no limit */
	u64 used_blocks, used_inodes;	/* [a] */
	u32 mode;			/* [I] of the root */
	kuid_t uid;
	kgid_t gid;
	bool has_uid, has_gid;		/* [I] to be shown */
};

static inline struct tmpfs_sb *tmpfs_of(const struct super_block *sb)
{
	return sb->private;
}

/* --- dir.c. Directories are locked for writing. */
extern const struct inode_ops tmpfs_dir_ops;
extern const struct file_ops tmpfs_dir_fops;
__must_check int tmpfs_dir_init(struct inode *dir);	/* -ENOMEM */
void tmpfs_dir_free(struct inode *dir);			/* empty by now */
struct tmpfs_entry;
/* Takes every entry of `dir` out, in front of the chain; then tmpfs_entries_put without locks. For the end of the super block. */
void tmpfs_dir_take_all(struct inode *dir, struct tmpfs_entry **chain);
void tmpfs_entries_put(struct tmpfs_entry *chain);

/* --- inode.c */
__must_check int tmpfs_inode_new(struct super_block *sb, const struct inode *dir, u32 mode, u64 rdev, struct inode **out);	/* -ENOSPC, -ENOMEM */
__must_check int tmpfs_set_link(struct inode *inode, const char *target, u32 len);	/* -ENOMEM */
__must_check bool tmpfs_reserve_inode(struct tmpfs_sb *ts);
void tmpfs_release_inode(struct tmpfs_sb *ts);
void tmpfs_evict(struct inode *inode);
void tmpfs_free_inode(struct inode *inode);
extern const struct file_ops tmpfs_file_ops;

/* --- super.c */
extern struct mount *tmpfs_hidden;	/* where files live that have no name: shared anonymous memory, memfd_create(2) */
/* A new instance of type t with these defaults, changed by options. -EINVAL, -ENOMEM */
__must_check int tmpfs_mount_with(const struct fs_type *t, const struct tmpfs_sb *defaults, const char *options, struct super_block **out);
void tmpfs_rootfs_settle(void);		/* the initramfs is unpacked: half of what is left is what the root may grow by */

/* --- devtmpfs.c */
void devtmpfs_init(void);

#endif
