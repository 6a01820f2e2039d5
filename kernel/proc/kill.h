/* SPDX-License-Identifier: MPL-2.0 */
/* Sending signals by number, with kill(2)'s permission rules. Signal 0 only checks. */
#ifndef PROC_KILL_H
#define PROC_KILL_H

#include "signal/signal.h"

__must_check int kill_pid(s32 pid, u32 sig);		/* kill(2)'s meanings of pid: > 0, 0, -1, < -1. -EINVAL, -ESRCH, -EPERM */
__must_check int kill_process(s32 tgid, const struct siginfo_k *info);		/* sigqueue(3): also -EAGAIN */
__must_check int kill_by_pid(struct pid *pid, const struct siginfo_k *info);		/* pidfd_send_signal(2): the same for the process this is the id of */
__must_check int kill_thread(s32 tgid, s32 tid, const struct siginfo_k *info);	/* tgid 0: any */

#endif
