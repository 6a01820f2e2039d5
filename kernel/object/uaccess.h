/* SPDX-License-Identifier: MPL-2.0 */
/* Copying whole objects between the kernel and the current program: 0 or -EFAULT. Task context; may fault and sleep. */
#ifndef OBJECT_UACCESS_H
#define OBJECT_UACCESS_H

#include <lib/errno.h>
#include <lib/types.h>
#include <frame/ucopy.h>
#include "object/current.h"

static inline __must_check int uget(void *dst, uaddr_t src, size_t n)
{
	return ucopy_from(current_uspace(), dst, src, n) ? -EFAULT : 0;
}

static inline __must_check int uput(uaddr_t dst, const void *src, size_t n)
{
	return ucopy_to(current_uspace(), dst, src, n) ? -EFAULT : 0;
}

#endif
