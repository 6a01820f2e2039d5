/* SPDX-License-Identifier: MPL-2.0 */
/* inotify(7): what the calls of syscall/ ask for. */
#ifndef FS_INOTIFY_H
#define FS_INOTIFY_H

#include <lib/types.h>

struct file;
struct path;

/* /proc/sys/fs/inotify. Plain loads and stores. */
struct inotify_limits {
	u32 max_queued_events, max_user_instances, max_user_watches;
};
extern struct inotify_limits inotify_limits;

void inotify_init_limits(void);				/* max_user_watches by the memory there is */
/* The descriptor of a new instance; IN_CLOEXEC, IN_NONBLOCK. -EMFILE (this user has too many, or the process), -ENFILE, -ENOMEM */
__must_check s64 inotify_create(u32 flags);
bool inotify_is(const struct file *f);
/* The following expect inotify_is(f). The watch's number; mask: IN_*, known bits only. -EACCES, -EEXIST, -ENOSPC, -ENOMEM */
__must_check s64 inotify_watch(struct file *f, const struct path *p, u32 mask);
__must_check int inotify_unwatch(struct file *f, s32 wd);	/* -EINVAL */

#endif
