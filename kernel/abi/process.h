/* SPDX-License-Identifier: MPL-2.0 */
/* clone(2), wait(2), prctl(2), limits, capabilities, uname, sysinfo, reboot. */
#ifndef ABI_PROCESS_H
#define ABI_PROCESS_H

#include <lib/types.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/wait.h>
#include <linux/resource.h>
#include <linux/prctl.h>
#include <asm/prctl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <linux/personality.h>
#include <linux/reboot.h>
#include <linux/utsname.h>
#include <linux/sysinfo.h>
#include <linux/times.h>
#include <linux/random.h>
#include <linux/futex.h>
#include <linux/pidfd.h>
#include <linux/auxvec.h>
#include <asm/auxvec.h>

_Static_assert(sizeof(struct rusage) == 144, "struct rusage");
_Static_assert(sizeof(struct clone_args) == CLONE_ARGS_SIZE_VER2, "struct clone_args");

#endif
