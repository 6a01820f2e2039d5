/* SPDX-License-Identifier: MPL-2.0 */
/* tmpfs(5): files that live in the page cache and nowhere else; the first root; shared anonymous memory. */
#ifndef FS_TMPFS_TMPFS_H
#define FS_TMPFS_TMPFS_H

#include <lib/types.h>

struct file;

void tmpfs_init(void);		/* registers the type, makes the home of shared anonymous memory; after vfs_init */
/*
 * Unpacks concatenated cpio archives (newc), plain or gzipped, into the root: bootparam(7), initrd; the format is that of Linux's
 * initramfs buffers. donate: the frames of `data` (in the direct map) are given to the allocator as they are consumed; data must not be touched
 * afterwards. Errors are logged: -EINVAL corrupt, -ENOMEM, -ENOSPC …; what came before stays.
 */
__must_check int initramfs_unpack(const void *data, size_t size, bool donate);

/* memfd_create(2). flags: known MFD_*; name: at most MEMFD_NAME_MAX bytes. -ENOSYS (MFD_HUGETLB), -ENFILE, -ENOMEM */
#define MEMFD_NAME_MAX 249
__must_check int memfd_create(const char *name, u32 flags, struct file **out);

#endif
