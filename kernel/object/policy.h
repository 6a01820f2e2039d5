/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory for the folders below mm/ (object, sync, time, sched): declared here, defined by mm/, bound at link time. mm/alloc.h has the rest of the
 * allocator's face and the contract.
 */
#ifndef OBJECT_POLICY_H
#define OBJECT_POLICY_H

#include <lib/types.h>

enum alloc_flags {
	ALLOC_SLEEP = 0,
	ALLOC_ATOMIC = 1,
	ALLOC_ZERO = 2,
	ALLOC_USER = 4,		/* on behalf of a user program: may not use the last reserves, may trigger the OOM killer */
};

void *kmalloc(size_t size, u32 flags);			/* at most 4 MiB; 16-byte aligned (powers of two: naturally); NULL without memory */
void kfree(void *p);					/* NULL is fine; task or soft context */

#endif
