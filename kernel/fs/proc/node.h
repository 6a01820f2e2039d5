/* SPDX-License-Identifier: MPL-2.0 */
/* Inodes of /proc, shared by tree.c and file.c. */
#ifndef FS_PROC_NODE_H
#define FS_PROC_NODE_H

#include "fs/proc/internal.h"

struct proc_inode {		/* inode->private; immutable */
	const struct proc_node *node;
	struct pid *pid;	/* referenced; NULL outside /proc/PID */
	s32 fd;			/* -1: none */
	bool is_task;		/* below /proc/PID/task */
};

extern const struct inode_ops proc_inode_ops;
extern const struct file_ops proc_dir_ops, proc_file_ops, proc_mem_ops, proc_mounts_ops;

/* The thread it is about, referenced: -ESRCH when it has gone. */
__must_check int proc_subject_get(const struct inode *inode, struct proc_subject *s);
void proc_subject_put(struct proc_subject *s);

#endif
