/* SPDX-License-Identifier: MPL-2.0 */
/* Names and texts of the error numbers (errno(3)). */
#ifndef SYSCALL_ERRNAME_H
#define SYSCALL_ERRNAME_H

#include <lib/errno.h>
#include <lib/types.h>

#define MAX_ERRNO_SHOWN 4095

static inline bool is_restart(s64 err)	/* an internal restart code (positive) */
{
	return err >= ERESTARTSYS && err <= ERESTART_RESTARTBLOCK;
}

const char *errno_name(u32 err);
const char *errno_text(u32 err);

#endif
