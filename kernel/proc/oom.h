/* SPDX-License-Identifier: MPL-2.0 */
/* How likely the OOM killer is to choose a process: /proc/PID/oom_score (proc(5)). */
#ifndef PROC_OOM_H
#define PROC_OOM_H

#include <lib/types.h>

struct process;

u64 oom_score(struct process *p);	/* 0 never … about 667 uses nothing … 1333 uses all memory; oom_score_adj shifts it */

/* The current process cannot go on for want of memory and nobody else can be killed: it dies, whatever its oom_score_adj; if it is init, the system ends. */
void oom_no_victim(void);

#endif
