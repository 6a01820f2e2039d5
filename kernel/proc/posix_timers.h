/* SPDX-License-Identifier: MPL-2.0 */
/* POSIX timers: timer_create(2) and its family, for the current process. Ids are the process's own. */
#ifndef PROC_POSIX_TIMERS_H
#define PROC_POSIX_TIMERS_H

#include "proc/thread.h"

struct posix_timer_event {	/* sigevent(7), decoded */
	s32 notify;		/* SIGEV_* */
	s32 signo;
	u64 value;
	s32 tid;		/* SIGEV_THREAD_ID */
};

/* What /proc/PID/timers shows. */
struct posix_timer_info {
	s32 id, clock;
	struct posix_timer_event event;	/* tid: the thread, or else the process */
};

/* event NULL: SIGALRM with the timer's id as value. The id goes to user memory. -EINVAL (no such clock, a bad event), -EOPNOTSUPP (no timers on that clock),
 * -EPERM (CAP_WAKE_ALARM), -EAGAIN (RLIMIT_SIGPENDING, no memory), -EFAULT. */
__must_check int posix_timer_create(s32 clock, const struct posix_timer_event *event, uaddr_t to);
/* new->value_ns 0: off. All -EINVAL: no such timer; set: also -ESRCH (a CPU clock whose process has gone). */
__must_check int posix_timer_set(s32 id, bool is_absolute, const struct itimer_k *new, struct itimer_k *old);
__must_check int posix_timer_get(s32 id, struct itimer_k *out);
__must_check int posix_timer_overrun(s32 id);
__must_check int posix_timer_delete(s32 id);

/* The process execs or ends: all of them go, their queued signals too. No other thread is left that could make one. Task context. */
void posix_timers_end(struct process *p);
/* The first timer with an id ≥ from. */
__must_check bool posix_timer_next(struct process *p, s32 from, struct posix_timer_info *out);

#endif
