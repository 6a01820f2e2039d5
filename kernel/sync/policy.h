/* SPDX-License-Identifier: MPL-2.0 */
/* Sleeping and waking, which sync/ needs and sched/ defines (bound at link time). */
#ifndef SYNC_POLICY_H
#define SYNC_POLICY_H

#include <lib/types.h>
#include <frame/task.h>

enum sleep_kind {
	SLEEP_UNINTERRUPTIBLE,		/* ends by a wake only; for waits that are sure to be short */
	SLEEP_KILLABLE,			/* also by TASK_WORK_KILL */
	SLEEP_INTERRUPTIBLE,		/* also by a signal */
};

#define SLEEP_FOREVER (~0ull)

/*
 * The protocol against lost wake-ups: sched_prepare_sleep(kind) marks the current task as about to sleep; then the condition is looked at;
 * then sched_sleep_until(), which returns at once if a wake came in between, or sched_cancel_sleep(). Waking marks it running again.
 * A task with work that ends this kind of sleep does not fall asleep. Panics in atomic context.
 */
void sched_prepare_sleep(enum sleep_kind kind);
void sched_cancel_sleep(void);
/* Sleeps until woken, interrupted as its kind allows, or the deadline (clock_now_ns; SLEEP_FOREVER). True unless the deadline ended it. */
bool sched_sleep_until(u64 deadline_ns);
/* Same, for I/O waits (iowait accounting, state D). */
/* Makes a sleeping task runnable. True if it was asleep (or about to be). Any context. */
bool sched_wake(struct task *t);
/* The same, from a waker about to sleep itself: prefer this CPU and a direct hand-over. */
bool sched_wake_sync(struct task *t);
/* Ends the task's sleep if it is of a kind that `work` bits end; sets the bits first. Any context. Kicks it out of user mode if it runs elsewhere. */
void sched_notify(struct task *t, u32 work);

/* Is `t` what CPU `cpu`, not this one, is running? Compares pointers only: t may be gone. */
bool sched_runs_elsewhere(const struct task *t, u32 cpu);

#endif
