/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tasks: kernel stacks that are switched between.
 *
 * The frame gives a task a stack (16 KiB, 32 under KASAN, guard page below, vmapped in the 0xffffc900… window), its
 * FPU area, and the switch. Which task runs next is the scheduler's: frame/policy.h.
 * Promise: a task never runs on two CPUs, whatever the scheduler says: task_switch() panics instead.
 *
 * Key: [o] only the task itself or its creator before the first run; [a] atomic; [f] frame only.
 */
#ifndef FRAME_TASK_H
#define FRAME_TASK_H

#include <lib/types.h>
#include <frame/percpu.h>
#include <frame/lockdep.h>

struct uspace;
struct user_regs;
struct fpu_area;

/* Bits of task.work: what must be done before user mode is entered (again). */
enum {
	TASK_WORK_RESCHED = 1 << 0,	/* call the scheduler */
	TASK_WORK_SIGNAL  = 1 << 1,	/* signals to look at; also ends interruptible sleeps */
	TASK_WORK_KILL	  = 1 << 2,	/* dying: also ends killable sleeps */
	TASK_WORK_STOP	  = 1 << 3,	/* job control or ptrace stop */
	TASK_WORK_RESTART = 1 << 4,	/* a call returned a restart code */
	TASK_WORK_TRACE	  = 1 << 5,	/* entry/exit tracing */
	TASK_WORK_NOTIFY  = 1 << 6,	/* callbacks queued by the kernel (task work) */
	TASK_WORK_RSEQ	  = 1 << 7,	/* it was off its CPU: a restartable sequence may have been cut */
};

struct task {
	u64 sp;				/* [f] saved while not running */
	u32 work;			/* [a] TASK_WORK_* */
	u32 on_cpu;			/* [a] set by task_switch from the moment it runs until its registers are saved */
	struct user_regs *regs;		/* [f] user registers, at the top of the stack; valid for every task */
	struct uspace *uspace;		/* [o] user space to be loaded when it runs; NULL for kernel tasks */
	struct fpu_area *fpu;		/* [f] saved user FPU state; NULL for tasks that never enter user mode */
	void *stack;			/* [f] lowest usable stack address */
	u64 fs_base, gs_base;		/* [f] user bases while not running */
	u64 user_cycles, system_cycles;	/* [f] CPU time, read by task_times(); the one that runs less the time it started */
	bool is_preempting;		/* [f] preempt_reschedule is at work on this stack: do not nest */
#ifdef KEEL_DEBUG
	struct lock_held_stack locks;	/* [o] sleeping locks it holds: frame/debug/lockdep.c */
#endif
};

/*
 * Makes `t` (zeroed by the caller) a task that will run fn(arg) when first switched to; fn never returns.
 * `is_user`: gets an FPU area and may call user_run. May sleep. Errors: -ENOMEM.
 */
__must_check int task_init(struct task *t, void (*fn)(void *arg), void *arg, bool is_user);

/* Frees stack and FPU area. The task must have been switched away from for good. May be called in soft context; never allocates. */
void task_fini(struct task *t);
u64 task_stack_frames(void);	/* in stacks, spare ones included */

/*
 * Runs `next` on this CPU in place of the current task; returns when the current task is switched to again.
 * Called by the scheduler with interrupts disabled, preemption enabled but for what policy_switched() undoes: both tasks' counts must be
 * such that irq_depth is 1 and preempt 0 after policy_switched (one irq_disable, plus e.g. a run-queue lock that it releases). The first thing done on the new task's stack is
 * policy_switched(prev) with interrupts still disabled, then (for a new task) interrupts are enabled and fn is called.
 * Loads next's uspace if it has one and it differs; saves and restores the FPU eagerly for user tasks.
 */
void task_switch(struct task *next);

/* Changes the current task's user space (exec, thread exit): `us` may be NULL. The old one is no longer in use by this CPU on return. */
void task_set_uspace(struct uspace *us);

static inline void task_work_set(struct task *t, u32 bits)
{
	__atomic_fetch_or(&t->work, bits, __ATOMIC_SEQ_CST);
}

static inline void task_work_clear(struct task *t, u32 bits)
{
	__atomic_fetch_and(&t->work, ~bits, __ATOMIC_SEQ_CST);
}

static inline u32 task_work(const struct task *t)
{
	return __atomic_load_n(&t->work, __ATOMIC_ACQUIRE);
}

/* Waits for an interrupt with the CPU asleep; called by the idle task with interrupts disabled, returns with them disabled
 * after at least one was taken (or at once if TASK_WORK_RESCHED is set). RCU sees this CPU as quiescent inside. */
void cpu_idle_wait(void);

/* CPU time in user mode and in the kernel, up to now even if it is running (on any CPU). Any context. */
void task_times(const struct task *t, u64 *user_ns, u64 *system_ns);
u64 task_cycles_to_ns(u64 cycles);	/* of user_cycles and system_cycles, which whoever has just been switched to may read of the former task */

/* Makes the running start-up stack of this CPU the task `t` (zeroed by the caller; a kernel task), its idle task: the first act of
 * policy_start and policy_secondary_start. Until then a stand-in of the frame's is current. */
void task_adopt(struct task *t);

/* Return addresses of a task that is not running (or of the caller for t == NULL), innermost first. Returns how many were written. If it runs
 * meanwhile they are of any of its frames, old or new; nothing but its own stack is read. */
size_t task_backtrace(const struct task *t, u64 *pcs, size_t max);

#endif
