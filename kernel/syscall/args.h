/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a system-call handler gets: six raw argument words, in the register set itself (a handler that rewrites that, as exec does, reads its
 * arguments first). A handler `s64 sys_NAME(const struct syscall_args *a)` decodes, calls, encodes, and holds no logic; it returns a
 * result ≥ 0, or -errno, or an internal restart code. Flag words that the table gives a flag set have been checked before it runs: unknown
 * bits never reach it.
 */
#ifndef SYSCALL_ARGS_H
#define SYSCALL_ARGS_H

#include <lib/types.h>
#include <lib/errno.h>
#include <frame/ucopy.h>
#include <frame/user_regs.h>
#include "object/uaccess.h"

static inline uaddr_t arg_uaddr(const struct syscall_args *a, u32 i)
{
	return uaddr(a->v[i]);
}

#endif
