/* SPDX-License-Identifier: MPL-2.0 */
/* stat(2), statx(2), statfs(2) layouts. */
#ifndef ABI_STAT_H
#define ABI_STAT_H

#include <lib/types.h>
#include <linux/stat.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/utime.h>

#ifndef UTIME_NOW	/* utimensat(2): glibc has them, the UAPI headers do not */
#define UTIME_NOW 0x3fffffffl
#define UTIME_OMIT 0x3ffffffel
#endif

_Static_assert(sizeof(struct stat) == 144, "x86-64 struct stat");
_Static_assert(sizeof(struct statx) == 256, "struct statx");
_Static_assert(sizeof(struct statfs) == 120, "x86-64 struct statfs");

#endif
