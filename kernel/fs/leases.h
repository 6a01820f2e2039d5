/* SPDX-License-Identifier: MPL-2.0 */
/* File leases (fcntl(2), "Leases"). State hangs off inode->leases, set at the first one; the hooks are called only where it is. */
#ifndef FS_LEASES_H
#define FS_LEASES_H

#include <lib/types.h>

struct file;
struct inode;

/* F_RDLCK, F_WRLCK or F_UNLCK for the open file; fd is what si_fd will show. -EINVAL, -EACCES, -EAGAIN (others have it open, or there is none), -ENOMEM */
__must_check int lease_set(struct file *f, s32 fd, s32 type);
s32 lease_get(struct file *f);			/* what it has, or is to come down to */
void lease_release(struct file *f);		/* the last reference of an open file goes */
/*
 * Somebody opens or truncates, and has been counted among the inode's readers or writers if he stays: who has a lease in the way is told and waited for, /proc/sys/fs/lease-break-time
 * at most. -EWOULDBLOCK (is_nonblock), -ERESTARTSYS.
 */
__must_check int lease_break(struct inode *i, bool is_write, bool is_nonblock);
void leases_free_inode(struct inode *i);	/* the inode is going */

#endif
