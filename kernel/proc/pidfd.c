/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Descriptors of processes (pidfd_open(2), clone(2) with CLONE_PIDFD).
 *
 * All pidfds of one struct pid share a struct pid_watch, where pollers wait; it is made with the first of them and freed with the last, so that a process
 * without pidfds pays nothing. pid->lock guards pid->watch and its count. The state of the process is looked up at each poll: the pid has no
 * process (any more), or a zombie.
 */
#include <lib/errno.h>
#include <lib/printf.h>
#include "abi/fcntl.h"
#include "fs/anon.h"
#include "fs/fdtable.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "mm/alloc.h"
#include "object/pid_ns.h"
#include "proc/inspect.h"
#include "proc/pidfd.h"
#include "proc/policy.h"
#include "sync/wait.h"

#define FILE_NAME "[pidfd]"

struct pid_watch {
	struct pid *pid;	/* [I] referenced */
	u32 n_files;		/* [pid->lock] */
	struct waitq wait;
};

/* --- the file */

static struct pid *pid_of(const struct file *f)
{
	const struct pid_watch *w = f->private;

	return w->pid;
}

static u32 pidfd_poll(struct file *f, struct poll_wait *pw)
{
	struct pid_watch *w = f->private;
	struct process *p;
	bool has_ended;

	poll_wait_on(pw, &w->wait);
	p = process_of_pid(w->pid);
	has_ended = !p || READ_ONCE(p->is_zombie);
	if (p)
		process_put(p);
	return has_ended ? KPOLLIN | KPOLLRDNORM : 0;
}

/* One file less. */
static void watch_put(struct pid_watch *w)
{
	struct pid *pid = w->pid;
	bool is_last;

	spin_lock_soft(&pid->lock);
	is_last = --w->n_files == 0;
	if (is_last)
		pid->watch = NULL;
	spin_unlock_soft(&pid->lock);
	if (!is_last)
		return;
	kfree(w);
	pid_put(pid);
}

static void pidfd_release(struct file *f)
{
	watch_put(f->private);
}

/* proc(5) has no section on it; pidfd_open(2)'s example and systemd read these lines. -1: waited for. */
static void pidfd_show(struct file *f, char *buf, size_t max)
{
	struct process *p = process_of_pid(pid_of(f));
	s32 nr = p ? pid_nr(pid_of(f), &init_pid_ns) : -1;

	if (p)
		process_put(p);
	(void)snprintf(buf, max, "Pid:\t%d\nNSpid:\t%d\n", nr, nr);
}

static const struct file_ops pidfd_ops = { .poll = pidfd_poll, .release = pidfd_release, .show_fdinfo = pidfd_show };

/* --- making one */

static int watch_get(struct pid *pid, struct pid_watch **out)
{
	struct pid_watch *fresh = kmalloc(sizeof(*fresh), ALLOC_SLEEP | ALLOC_ZERO | ALLOC_USER);

	if (!fresh)
		return -ENOMEM;
	fresh->pid = pid;
	waitq_init(&fresh->wait, "pidfd");
	spin_lock_soft(&pid->lock);
	if (!pid->watch) {
		pid->watch = fresh;
		pid_get(pid);
		fresh = NULL;
	}
	*out = pid->watch;
	pid->watch->n_files++;
	spin_unlock_soft(&pid->lock);
	kfree(fresh);
	return 0;
}

int pidfd_file_create(struct pid *pid, u32 flags, struct file **out)
{
	struct pid_watch *w;
	int err = watch_get(pid, &w);

	if (err)
		return err;
	err = anon_file_create(FILE_NAME, O_RDWR | flags, &pidfd_ops, w, out);
	if (err)
		watch_put(w);
	return err;
}

s64 pidfd_open(struct pid *pid, u32 flags)
{
	struct process *p = process_of_pid(pid);
	struct pid_watch *w;
	s64 fd;
	int err;

	if (!p)
		return -EINVAL;
	process_put(p);
	err = watch_get(pid, &w);
	if (err)
		return err;
	fd = anon_fd_create(FILE_NAME, O_RDWR | O_CLOEXEC | flags, &pidfd_ops, w);
	if (fd < 0)
		watch_put(w);
	return fd;
}

/* --- using one */

int pidfd_pid(s32 fd, bool allows_dir, struct pid **out, bool *is_nonblock)
{
	struct fdref ref;
	int err = fd_borrow(fd, &ref);

	if (err)
		return err;
	if (ref.file->ops == &pidfd_ops)
		*out = pid_get(pid_of(ref.file));
	else
		*out = allows_dir ? proc_policy_pid_of_dir(ref.file) : NULL;
	*is_nonblock = (READ_ONCE(ref.file->flags) & O_NONBLOCK) != 0;
	fd_end(&ref);
	return *out ? 0 : -EBADF;
}

void pidfd_notify_exit(struct process *p)
{
	struct pid *pid = p->pids[PID_TGID];

	SPIN_GUARD_SOFT(&pid->lock);
	if (pid->watch)
		waitq_wake(&pid->watch->wait, 0, KPOLLIN | KPOLLRDNORM);
}

s64 pidfd_getfd(struct pid *pid, s32 fd)
{
	struct process *p = process_of_pid(pid);
	struct thread *t;
	struct file *f = NULL;
	int r;

	if (!p)
		return -ESRCH;
	t = process_leader_get(p);
	process_put(p);
	r = may_ptrace_attach(t);
	if (!r) {
		f = thread_file_get(t, fd);
		r = f ? fd_install_new(f, true) : -EBADF;
	}
	if (f && r < 0)
		file_put(f);
	thread_put(t);
	return r;
}
