/* SPDX-License-Identifier: MPL-2.0 */
/* Looking at other threads: their tables are exchanged by their owners under process->lock (exec, exit, unshare), so a look under it finds a live one or none. */
#include <frame/user.h>
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "object/pid_ns.h"
#include "proc/inspect.h"
#include "proc/internal.h"

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

/* --- Threads that are off their CPUs */

/* True if it is; two equal stamps: it did not run in between. */
static bool is_off_cpu(const struct thread *t, u64 *stamp)
{
	const struct sched_task *s = &t->sched;
	u32 state = LOAD_ACQUIRE(s->state);

	*stamp = READ_ONCE(s->n_voluntary) + READ_ONCE(s->n_involuntary);
	return state != TASK_RUNNING && state != TASK_NEW && !LOAD_ACQUIRE(s->actor.task.on_cpu);
}

static bool has_stayed_off(const struct thread *t, u64 stamp)
{
	u64 now;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return is_off_cpu(t, &now) && now == stamp;
}

size_t thread_backtrace(struct thread *t, u64 *pcs, size_t max)
{
	size_t n = 0;
	u64 stamp;

	if (!ref_try_get(&t->stack_refs))
		return 0;
	if (is_off_cpu(t, &stamp))
		n = task_backtrace(&t->sched.actor.task, pcs, max);
	if (n && !has_stayed_off(t, stamp))
		n = 0;
	thread_stack_put(t);
	return n;
}

bool thread_current_call(struct thread *t, struct thread_call *out)
{
	const struct user_regs *r;
	bool is_off;
	u64 stamp;

	*out = (struct thread_call){ .nr = ~0ul };
	if (!ref_try_get(&t->stack_refs))
		return true;
	r = t->sched.actor.task.regs;
	/* One that looks at itself is in the call that looks. */
	is_off = t == current_thread() || is_off_cpu(t, &stamp);
	if (is_off) {
		if (user_in_syscall(r)) {
			out->nr = user_call(r);
			out->args = r->args;
		}
		out->sp = user_sp(r);
		out->ip = user_ip(r);
		is_off = t == current_thread() || has_stayed_off(t, stamp);
	}
	thread_stack_put(t);
	return is_off;
}
