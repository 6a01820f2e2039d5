/* SPDX-License-Identifier: MPL-2.0 */
/* A siginfo that a program sends: rt_sigqueueinfo(2), pidfd_send_signal(2). */
#ifndef SYSCALL_SIGINFO_H
#define SYSCALL_SIGINFO_H

#include <lib/string.h>
#include "abi/signal.h"
#include "signal/signal.h"
#include "syscall/args.h"

/* It is shown to the receiver as it was given. -EFAULT */
static inline __must_check int siginfo_get(uaddr_t from, struct siginfo_k *info)
{
	siginfo_t abi;

	if (uget(&abi, from, sizeof(abi)))
		return -EFAULT;
	*info = (struct siginfo_k){ .signo = abi.si_signo, .code = abi.si_code, .pid = abi.si_pid, .uid = abi.si_uid, .is_raw = true };
	_Static_assert(sizeof(abi) == sizeof(info->raw), "raw siginfo");
	memcpy(info->raw, &abi, sizeof(abi));
	return 0;
}

/* Only a process itself may be told that the kernel, kill or tkill sent it. */
static inline __must_check int siginfo_check(const struct siginfo_k *info, bool is_to_self)
{
	return (info->code >= 0 || info->code == SI_TKILL) && !is_to_self ? -EPERM : 0;
}

#endif
