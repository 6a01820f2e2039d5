/* SPDX-License-Identifier: MPL-2.0 */
/* epoll(7). How it works and what locks it takes: epoll.c. */
#ifndef FS_EPOLL_H
#define FS_EPOLL_H

#include <lib/types.h>
#include <frame/ucopy.h>

struct file;
struct epoll_event;

void epoll_init(void);

/* flags: EPOLL_CLOEXEC, checked. The descriptor, -EMFILE, -ENFILE, -ENOMEM */
__must_check s64 epoll_create(u32 flags);

/* epoll_ctl(2): `fd` is the number that `target` was given by; `event` is not looked at for EPOLL_CTL_DEL.
 * -EPERM, -EINVAL, -EEXIST, -ENOENT, -ELOOP, -ENOSPC, -ENOMEM */
__must_check int epoll_control(struct file *epoll, u32 op, s32 fd, struct file *target, const struct epoll_event *event);

/* epoll_wait(2): up to `max` (> 0) events into the user's array; deadline 0: do not wait. Their number, -EINVAL (no epoll), -EFAULT, -EINTR */
__must_check s64 epoll_wait(struct file *epoll, uaddr_t events, u32 max, u64 deadline_ns);

/* The last reference of an open file goes: it leaves all epolls that watch it. Task context. */
void epoll_forget_file(struct file *f);

/* /proc/sys/fs/epoll: plain loads and stores. */
struct epoll_limits {
	u64 max_user_watches;
};
extern struct epoll_limits epoll_limits;

#endif
