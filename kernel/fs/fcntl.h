/* SPDX-License-Identifier: MPL-2.0 */
/* What fcntl(2) and ioctl(2) change about an open file. */
#ifndef FS_FCNTL_H
#define FS_FCNTL_H

#include <lib/types.h>

struct file;

/* F_SETFL: only O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME and O_ASYNC can change. -EPERM, -EINVAL, -ENOMEM */
__must_check int file_set_flags(struct file *f, s32 fd, u32 flags);
void file_set_nonblock(struct file *f, bool on);

#endif
