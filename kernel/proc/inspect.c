/* SPDX-License-Identifier: MPL-2.0 */
/* Looking at other threads: their tables are exchanged by their owners under process->lock (exec, exit, unshare), so a look under it finds a live one or none. */
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "object/pid_ns.h"
#include "proc/inspect.h"

struct mm *thread_mm_get(struct thread *t)
{
	SPIN_GUARD_SOFT(&t->process->lock);
	return t->sched.actor.mm ? mm_get(t->sched.actor.mm) : NULL;
}

struct fdtable *thread_files_get(struct thread *t)
{
	SPIN_GUARD_SOFT(&t->process->lock);
	return t->sched.actor.files ? fdtable_get(t->sched.actor.files) : NULL;
}

struct fsctx *thread_fs_get(struct thread *t)
{
	SPIN_GUARD_SOFT(&t->process->lock);
	return t->sched.actor.fs ? fsctx_get(t->sched.actor.fs) : NULL;
}

struct file *thread_file_get(struct thread *t, s32 fd)
{
	struct fdtable *table = thread_files_get(t);
	struct file *f = table ? fdtable_file(table, fd) : NULL;

	if (table)
		fdtable_put(table);
	return f;
}

s32 thread_next_fd(struct thread *t, s32 from)
{
	struct fdtable *table = thread_files_get(t);
	s32 fd = table ? fdtable_next(table, from) : -1;

	if (table)
		fdtable_put(table);
	return fd;
}

s32 process_next_tid(struct process *p, s32 from)
{
	struct thread *t;
	s32 best = 0;

	SPIN_GUARD_SOFT(&p->signal.lock);
	list_for_each_entry(t, &p->threads, process_node) {
		s32 tid = thread_tid(t);

		if (tid >= from && (!best || tid < best))
			best = tid;
	}
	return best;
}

u32 thread_fd_capacity(struct thread *t)
{
	struct fdtable *table = thread_files_get(t);
	u32 n = table ? fdtable_size(table) : 0;

	if (table)
		fdtable_put(table);
	return n;
}

u32 thread_umask(struct thread *t)
{
	struct fsctx *fs = thread_fs_get(t);
	u32 mask = fs ? fsctx_umask_of(fs) : 0;

	if (fs)
		fsctx_put(fs);
	return mask;
}

u64 process_limit(struct process *p, u32 which)
{
	SPIN_GUARD_SOFT(&p->lock);
	return p->limits[which].soft;
}
