/* SPDX-License-Identifier: MPL-2.0 */
/* eventfd(2). */
#ifndef FS_EVENTFD_H
#define FS_EVENTFD_H

#include <lib/types.h>

/* flags: EFD_*, checked. The descriptor, -EMFILE, -ENFILE, -ENOMEM */
__must_check s64 eventfd_create(u32 count, u32 flags);

#endif
