/* SPDX-License-Identifier: MPL-2.0 */
/* Who may change whose scheduling, and how: sched(7), sched_setattr(2), setpriority(2), sched_setaffinity(2). */
#ifndef PROC_SCHEDULING_H
#define PROC_SCHEDULING_H

#include <lib/types.h>
#include "proc/thread.h"

#define KEEP_POLICY (-1)

struct scheduling {
	s32 policy;		/* enum sched_policy; KEEP_POLICY: as it is */
	bool reset_on_fork;
	bool keep_params;	/* check the rest, but change reset_on_fork only (SCHED_FLAG_KEEP_PARAMS; the policy stays, too) */
	bool has_nice;		/* nice is meant (sched_setattr); else it stays */
	s32 nice;
	s32 rt_priority;
};

/* -EINVAL, -EPERM */
__must_check int thread_set_scheduling(struct thread *t, const struct scheduling *to);
void thread_get_scheduling(struct thread *t, struct scheduling *out);
/* -EPERM, -EINVAL (no allowed CPU is online) */
__must_check int thread_set_affinity(struct thread *t, const struct cpuset *cpus);

/* which: PRIO_PROCESS 0, PRIO_PGRP 1, PRIO_USER 2. */
__must_check int priority_set(s32 which, s32 who, s32 nice);	/* -EINVAL, -ESRCH, -EPERM, -EACCES */
__must_check int priority_get(s32 which, s32 who);		/* 20 − nice of the most favoured: 1 … 40; -EINVAL, -ESRCH */

#endif
