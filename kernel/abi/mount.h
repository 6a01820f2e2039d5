/* SPDX-License-Identifier: MPL-2.0 */
/* mount(2), umount2(2). */
#ifndef ABI_MOUNT_H
#define ABI_MOUNT_H

#include <lib/types.h>
#include <linux/mount.h>

/* The header has 1 << 31: a negative int, which would reach beyond 32 bits. */
#undef MS_NOUSER
#define MS_NOUSER 0x80000000ul

#ifndef MNT_FORCE
#define MNT_FORCE 1
#define MNT_DETACH 2
#define MNT_EXPIRE 4
#define UMOUNT_NOFOLLOW 8
#endif

#endif
