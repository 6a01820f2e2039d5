/* SPDX-License-Identifier: MPL-2.0 */
/* Looking at other threads from outside (procfs, ptrace-like calls): what they own, referenced, or NULL when it has gone. Task context. */
#ifndef PROC_INSPECT_H
#define PROC_INSPECT_H

#include "proc/thread.h"

struct mm *thread_mm_get(struct thread *t);		/* NULL: kernel thread, exited */
struct fdtable *thread_files_get(struct thread *t);
struct fsctx *thread_fs_get(struct thread *t);
struct file *thread_file_get(struct thread *t, s32 fd);
s32 thread_next_fd(struct thread *t, s32 from);		/* first open descriptor ≥ from; -1 none */
s32 process_next_tid(struct process *p, s32 from);	/* smallest thread id ≥ from; 0 none */

u32 thread_fd_capacity(struct thread *t);		/* descriptors its table has room for now */
u32 thread_umask(struct thread *t);
u64 process_limit(struct process *p, u32 which);	/* soft limit */

/*
 * What a thread that is off its CPU is doing, as it stood at one time: one that ran meanwhile counts as running.
 * thread_backtrace: return addresses in the kernel, innermost first; none also if it runs or has ended. thread_current_call: false if it runs.
 */
struct thread_call {
	u64 nr;				/* all ones: in no call, args are 0 */
	struct syscall_args args;
	u64 sp, ip;			/* in user mode; 0 if it has ended */
};
size_t thread_backtrace(struct thread *t, u64 *pcs, size_t max);
__must_check bool thread_current_call(struct thread *t, struct thread_call *out);

#endif
