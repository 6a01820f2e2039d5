/* SPDX-License-Identifier: MPL-2.0 */
/* Restartable sequences and the barrier that belongs to them: rseq.c, membarrier.c. */
#ifndef PROC_RSEQ_H
#define PROC_RSEQ_H

#include <lib/types.h>
#include <frame/ucopy.h>

struct thread;

/* rseq(2), for the current thread. -EINVAL, -EPERM (signature), -EBUSY, -EFAULT */
__must_check int rseq_register(uaddr_t area, u32 len, u32 sig);
__must_check int rseq_unregister(uaddr_t area, u32 len, u32 sig);
void rseq_fork(struct thread *child, bool shares_memory);
void rseq_forget(struct thread *t);	/* exec */
/* Work of the user loop (TASK_WORK_RSEQ): the thread has been off its CPU, or a membarrier asks. */
void rseq_work(void);

/* membarrier(2); flags have been checked against what the call knows at all. */
__must_check s64 membarrier(s32 cmd, u32 flags, s32 cpu);

#endif
