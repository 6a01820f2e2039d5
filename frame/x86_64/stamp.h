/* SPDX-License-Identifier: MPL-2.0 */
/* Time stamps for CPU time: raw cycles where the clock is the TSC, else nanoseconds. Only differences on one CPU are used. */
#ifndef FRAME_X86_64_STAMP_H
#define FRAME_X86_64_STAMP_H

#include <frame/clock.h>
#include <frame/task.h>
#include <frame/x86_64/arch.h>

extern bool stamp_is_tsc;	/* [I] after task_times_init */

static inline u64 stamp_now(void)
{
	return likely(stamp_is_tsc) ? rdtsc() : clock_now_ns();
}

/*
 * From now on time is `to`'s, no longer `from`'s. A counter that runs holds its sum less the time it started at, a negative number: time is older than any sum.
 * `to` starts first: where two of one task run, a reader on another CPU (task_times) came in between. Interrupts off, on the CPU of the task that runs.
 */
static inline void stamp_turn(u64 *to, u64 *from)
{
	u64 now = stamp_now();

	__asm__ volatile("subq %1, %0" : "+m"(*to) : "r"(now) : "cc");
	__asm__ volatile("addq %1, %0" : "+m"(*from) : "r"(now) : "cc");
}

void arch_load_bases(const struct task *t);	/* FS and GS of user mode; interrupts off */

#endif
