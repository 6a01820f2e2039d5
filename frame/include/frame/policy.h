/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the frame asks of the kernel above it: declared here, defined in kernel/, bound at link time.
 * Each comment says in which context the frame calls it.
 */
#ifndef FRAME_POLICY_H
#define FRAME_POLICY_H

#include <lib/types.h>
#include <frame/ucopy.h>

struct task;
struct page;
struct uspace;

/* 2^order frames in state FRAME_FREE for the frame's own use (page tables, stacks), or NULL. may_sleep: may reclaim. The
 * frame claims them (FRAME_KERNEL) itself. kernel/mm. */
struct page *policy_frames_alloc(u32 order, bool may_sleep);
/* Takes back frames (released, FRAME_FREE). Any context but hard; never allocates. kernel/mm. */
void policy_frames_free(struct page *page, u32 order);
/* An untyped frame whose last reference the frame held has gone (unmapped and flushed): free it. Any context but hard. kernel/mm. */
void policy_untyped_free(struct page *page);

/* A user address touched by ucopy (not _nofault) faulted. Task context, may sleep. 0: try again; else -EFAULT. kernel/mm. */
__must_check int policy_ucopy_fault(uaddr_t addr, bool is_write);

/* The current task must give up the CPU now if it should (TASK_WORK_RESCHED is set). Preemption and interrupts on. kernel/sched. */
void policy_reschedule(void);
/* First act on a new stack after task_switch; interrupts disabled. `prev` is off the CPU. kernel/sched. */
void policy_switched(struct task *prev);
/* More soft work than its bound: wake this CPU's soft thread, which calls soft_run_some(). Interrupts disabled. kernel/sched. */
void policy_soft_overflow(void);
/* This CPU's clock event fired. Hard context. kernel/time. */
void policy_clock_event(void);
/* A secondary CPU has come up on its idle stack, interrupts disabled: become this CPU's idle task; never returns. kernel/sched. */
__noreturn void policy_secondary_start(u32 cpu);
/* The boot CPU, frame ready, interrupts disabled. Never returns. kernel/main.c. */
__noreturn void policy_start(void);
/* A break was received or a panic is under way: print what the kernel knows (current program). Any context; takes no locks. kernel/proc. */
void policy_panic_notes(void);

#endif
