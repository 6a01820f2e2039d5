/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters of rseq(2) and membarrier(2). */
#include "abi/rseq.h"
#include "proc/rseq.h"
#include "syscall/args.h"
#include "syscall/handlers.h"

s64 sys_membarrier(const struct syscall_args *a)
{
	return membarrier((s32)a->v[0], (u32)a->v[1], (s32)a->v[2]);
}

s64 sys_rseq(const struct syscall_args *a)
{
	if (a->v[2] & RSEQ_FLAG_UNREGISTER)
		return rseq_unregister(arg_uaddr(a, 0), (u32)a->v[1], (u32)a->v[3]);
	return rseq_register(arg_uaddr(a, 0), (u32)a->v[1], (u32)a->v[3]);
}
