/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Clocks that run while a process or thread does: CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, and the ids that clock_getcpuclockid(3) and
 * pthread_getcpuclockid(3) make: ~pid << 3 | 4 for a thread | which (0 user and system, 1 user, 2 user and system).
 */
#ifndef PROC_CPU_CLOCK_H
#define PROC_CPU_CLOCK_H

#include "proc/thread.h"

static inline bool cpu_clock_is(s32 id)
{
	return id < 0 || id == 2 || id == 3;
}

struct cpu_clock {
	u32 which;
	struct process *process;	/* referenced; NULL for a thread's clock */
	struct thread *thread;		/* referenced */
};

/* A clock to be read more than once. -EINVAL: as below. */
__must_check int cpu_clock_open(s32 id, struct cpu_clock *out);
void cpu_clock_close(const struct cpu_clock *c);
u64 cpu_clock_value(const struct cpu_clock *c);		/* any context but hard; takes process->lock */
u32 cpu_clock_threads(const struct cpu_clock *c);	/* how many CPUs it may run on at a time, at most */
bool cpu_clock_has_gone(const struct cpu_clock *c);	/* the process has been waited for, the thread has ended */

/* -EINVAL: no such clock, process or thread, or another process's thread. */
__must_check int cpu_clock_read(s32 id, u64 *ns);
/* Sleeps until the clock shows that. 0, -EINVAL (as above, or the caller's own thread clock), -EOPNOTSUPP (CLOCK_THREAD_CPUTIME_ID), -ERESTARTSYS. */
__must_check int cpu_clock_sleep_until(s32 id, u64 until_ns);

#endif
