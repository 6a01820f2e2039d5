/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Signal-driven I/O: O_ASYNC, F_SETOWN, F_SETSIG (fcntl(2), "Managing signals"). Works for every file with a poll method: the file's state (file->async) hangs
 * as a waiter on the queues that poll would wait on, and sends the signal from a task context soon after each wake-up.
 */
#ifndef FS_ASYNC_H
#define FS_ASYNC_H

#include <lib/types.h>
#include "fs/policy.h"

struct file;
struct pid;

/* O_ASYNC on or off; the file's flag follows. fd is what si_fd will show. Files that cannot tell: nothing happens, or -ENOTTY if `strict`. -ENOMEM */
__must_check int async_set(struct file *f, s32 fd, bool on, bool strict);
/* Who is told (pid NULL: nobody), on behalf of the current user. Takes a reference of its own. -ENOMEM */
__must_check int async_set_owner(struct file *f, enum sigio_owner type, struct pid *pid);
void async_get_owner(struct file *f, enum sigio_owner *type, struct pid **pid);	/* pid referenced, or NULL */
__must_check int async_set_signal(struct file *f, u32 sig);	/* 0: SIGIO. -ENOMEM */
u32 async_get_signal(struct file *f);
/* A lease's holder (fcntl(2), F_SETLEASE): the current process is told, unless an owner has been set; fd is what si_fd will show. -ENOMEM */
__must_check int async_own(struct file *f, s32 fd);
void async_tell_lease(struct file *f);		/* soon: its lease is being broken. Any context */
void async_release(struct file *f);		/* the file goes; file->async is set */

#endif
