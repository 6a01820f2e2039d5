/* SPDX-License-Identifier: MPL-2.0 */
/* pipe(7), fifo(7). */
#ifndef FS_PIPE_H
#define FS_PIPE_H

#include <lib/types.h>

struct file;
struct inode;

void pipe_init(void);
/* O_CLOEXEC is the caller's; flags: O_NONBLOCK, O_DIRECT. -ENFILE, -ENOMEM */
__must_check int pipe_create(struct file **read_end, struct file **write_end, u32 flags);
extern const struct file_ops fifo_ops;		/* opens of FIFO inodes */
void fifo_release_inode(struct inode *inode);

/* F_GETPIPE_SZ, F_SETPIPE_SZ: the capacity in bytes; -EBADF (no pipe), -EINVAL, -EPERM, -EBUSY, -ENOMEM */
__must_check s64 pipe_get_size(struct file *f);
__must_check s64 pipe_set_size(struct file *f, u32 bytes);

/* /proc/sys/fs/pipe-*: plain loads and stores. */
struct pipe_limits {
	u32 max_bytes;			/* pipe-max-size */
	u32 user_pages_soft;		/* pipe-user-pages-soft; 0: none */
	u32 user_pages_hard;		/* pipe-user-pages-hard; 0: none */
};
extern struct pipe_limits pipe_limits;
__must_check int pipe_limits_set_max(u32 bytes);	/* rounded as F_SETPIPE_SZ does; -EINVAL */

#endif
