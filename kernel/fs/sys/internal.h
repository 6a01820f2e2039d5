/* SPDX-License-Identifier: MPL-2.0 */
/* What sysfs's files ask of each other. */
#ifndef FS_SYS_INTERNAL_H
#define FS_SYS_INTERNAL_H

#include <lib/rbtree.h>
#include "fs/sys/sysfs.h"
#include "fs/vfs.h"

struct sysfs_node {
	const char *name;			/* [I] */
	u64 ino;				/* [I] in the order of registration; the cookie of directory reading */
	struct sysfs_node *parent;		/* [I] NULL: the root */
	const struct sysfs_attr *attr;		/* [I] NULL: a directory or a link */
	const void *object;			/* [I] */
	const struct sysfs_node *target;	/* [I] of a link */
	struct rb_root by_name, by_ino;		/* [tree lock] children */
	struct rb_node name_node, ino_node;	/* [tree lock] */
	u32 n_dirs;				/* [a] subdirectories, for the link count */
	u32 mode;				/* [a] as struct inode's; changed under the inode's lock */
	kuid_t uid;				/* [inode lock of whoever changes it; a to read] */
	kgid_t gid;				/* the same */
};

/* --- tree.c */
extern struct sysfs_node sysfs_root;
void sysfs_tree_init(void);
struct sysfs_node *sysfs_find(const struct sysfs_node *dir, const char *name, u32 len);	/* NULL: no such child */
struct sysfs_node *sysfs_next(const struct sysfs_node *dir, u64 ino);			/* the first child from `ino` on; NULL: none */

/* --- system.c */
__must_check int sysfs_add_system(struct sysfs_node *devices);

/* --- file.c */
extern const struct file_ops sysfs_file_ops;

#endif
