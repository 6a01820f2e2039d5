/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Files that are nothing but a descriptor: eventfd, epoll, signalfd, timerfd, inotify, pidfd. They have no name, and one inode serves them all, so they
 * have no permissions, size or times of their own; /proc/PID/fd shows "anon_inode:NAME".
 */
#ifndef FS_ANON_H
#define FS_ANON_H

#include <lib/types.h>

struct file;
struct file_ops;

void anon_init(void);

/*
 * A new open file: `flags` are its access mode and O_NONBLOCK, `private` becomes file->private. -ENFILE, -ENOMEM: `private` is still the caller's then;
 * afterwards it is ops->release's. There is no position: lseek(2) is ESPIPE, or with anon_lseek among the ops says 0 whatever it is asked; ops->open is
 * not called.
 */
__must_check int anon_file_create(const char *name, u32 flags, const struct file_ops *ops, void *private, struct file **out);

/* The same with the lowest free descriptor, O_CLOEXEC among the flags; the descriptor, or also -EMFILE. */
__must_check s64 anon_fd_create(const char *name, u32 flags, const struct file_ops *ops, void *private);

s64 anon_lseek(struct file *f, s64 off, u32 whence);

#endif
