/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters of eventfd(2): the older call has no flags. */
#include "fs/eventfd.h"
#include "syscall/handlers.h"

s64 sys_eventfd(const struct syscall_args *a)
{
	return eventfd_create((u32)a->v[0], 0);
}

s64 sys_eventfd2(const struct syscall_args *a)
{
	return eventfd_create((u32)a->v[0], (u32)a->v[1]);
}
