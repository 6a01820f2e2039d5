/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Turning preemption, soft work and interrupts off and on again. All nest. None may sleep in between:
 * the scheduler panics at the place ("sleep in atomic") in every build.
 * Soft work raised while soft is disabled runs when the outermost soft_enable() is reached.
 */
#ifndef FRAME_PREEMPT_H
#define FRAME_PREEMPT_H

#include <frame/percpu.h>
#include <frame/task.h>

/* Out of line: the rare ends of the enables. Called with everything enabled. */
void preempt_reschedule(void);		/* current->work has TASK_WORK_RESCHED: give up the CPU */
void soft_run_pending(void);		/* runs soft work on this CPU */

static inline bool in_atomic(void)
{
	return cpu_preempt_count_() != 0 || cpu_irq_depth_() != 0;
}

static inline bool in_hard(void)
{
	return (cpu_preempt_count_() & PREEMPT_HARD_MASK) != 0;
}

static inline bool in_soft(void)
{
	return (cpu_preempt_count_() & PREEMPT_SOFT_MASK) != 0;
}

/* Whether soft work may run here: not in soft or hard context and interrupts on (preemption may be off). */
static inline bool soft_allowed(void)
{
	return (cpu_preempt_count_() & (PREEMPT_SOFT_MASK | PREEMPT_HARD_MASK)) == 0 && cpu_irq_depth_() == 0;
}

void sleep_in_atomic(void);		/* panics, unless a ktest expects it */

/* Every function that may sleep says so first, whether it will or not. */
static inline void might_sleep(void)
{
	if (__builtin_expect(in_atomic(), 0))
		sleep_in_atomic();
}

static inline u64 soft_pending_here_(void)
{
	u64 pending;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(pending) : "i"(offsetof(struct cpu_local, soft_pending)));
	return pending;
}

static inline bool preempt_resched_wanted(void)
{
	return __builtin_expect(task_work(current_task()) & TASK_WORK_RESCHED, 0) && !in_atomic();
}

static inline void preempt_disable(void)
{
	cpu_preempt_add_(PREEMPT_ONE);
}

/* For callers about to schedule anyway, and for nested sections. */
static inline void preempt_enable_no_resched(void)
{
	cpu_preempt_add_(-PREEMPT_ONE);
}

static inline void preempt_enable(void)
{
	preempt_enable_no_resched();
	if (preempt_resched_wanted())
		preempt_reschedule();
}

static inline void soft_disable(void)
{
	cpu_preempt_add_(PREEMPT_SOFT);
}

static inline void soft_enable(void)
{
	cpu_preempt_add_(-PREEMPT_SOFT);
	if (__builtin_expect(soft_pending_here_() != 0, 0) && soft_allowed())
		soft_run_pending();
	if (preempt_resched_wanted())
		preempt_reschedule();
}

static inline void irq_disable(void)
{
	__asm__ volatile("cli; incl %%gs:%c0" : : "i"(offsetof(struct cpu_local, irq_depth)) : "memory", "cc");
}

/* For soft.c and user_run: looks at neither soft work nor the scheduler. */
static inline void irq_enable_only(void)
{
	__asm__ volatile("" ::: "memory");
	if (--CPU_LOCAL_->irq_depth == 0)
		__asm__ volatile("sti" ::: "memory");
}

static inline void irq_enable(void)
{
	bool is_last;

	__asm__ volatile("decl %%gs:%c1" : "=@ccz"(is_last) : "i"(offsetof(struct cpu_local, irq_depth)) : "memory");
	if (is_last) {
		__asm__ volatile("sti" ::: "memory");
		if (__builtin_expect(soft_pending_here_() != 0, 0) && soft_allowed())
			soft_run_pending();
		if (preempt_resched_wanted())
			preempt_reschedule();
	}
}
void arch_relax(void);				/* in a loop that waits for another CPU */

#endif
