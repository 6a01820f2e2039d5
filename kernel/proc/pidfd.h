/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Descriptors of processes (pidfd_open(2)). A pidfd holds the identity, struct pid: it never comes to mean another process, and holds no more of
 * one that has gone.
 */
#ifndef PROC_PIDFD_H
#define PROC_PIDFD_H

#include "proc/thread.h"

/* A new descriptor, close-on-exec; flags: O_NONBLOCK. -EINVAL no process's id, -EMFILE, -ENFILE, -ENOMEM */
__must_check s64 pidfd_open(struct pid *pid, u32 flags);
/* The same in two steps, for clone(2), whose pid is nobody's yet: the file, to be installed or put. -ENFILE, -ENOMEM */
__must_check int pidfd_file_create(struct pid *pid, u32 flags, struct file **out);

/* Whose descriptor it is, referenced. `allows_dir`: a directory of /proc will do, too (pidfd_send_signal(2)). -EBADF */
__must_check int pidfd_pid(s32 fd, bool allows_dir, struct pid **out, bool *is_nonblock);

/* A process has become a zombie: who polls for that is woken. proc_tree_lock held. */
void pidfd_notify_exit(struct process *p);

/* Another process's descriptor `fd` as a new one of ours, close-on-exec. -ESRCH, -EPERM, -EBADF, -EMFILE, -ENOMEM */
__must_check s64 pidfd_getfd(struct pid *pid, s32 fd);

#endif
