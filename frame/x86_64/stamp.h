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

#define STAMP_OFF (~0ull)	/* the task does not run */

/*
 * Charges the time since the task's last stamp to one of its counters; now, or STAMP_OFF as it leaves the CPU, becomes the stamp. Interrupts off, on the task's
 * CPU. A stamp of 0 tells readers on other CPUs (task_times) that the fields do not fit together at the moment. Returns the time.
 */
static inline u64 stamp_charge(struct task *t, u64 *cycles, bool in_user, bool stays)
{
	u64 now = stamp_now(), then = t->stamp;

	WRITE_ONCE(t->stamp, 0);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	*cycles += now - then;
	t->in_user = in_user;
	STORE_RELEASE(t->stamp, stays ? now : STAMP_OFF);
	return now;
}

void arch_load_bases(const struct task *t);	/* FS and GS of user mode; interrupts off */

#endif
