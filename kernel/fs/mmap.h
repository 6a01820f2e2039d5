/* SPDX-License-Identifier: MPL-2.0 */
/* mmap(2)'s view of a descriptor. */
#ifndef FS_MMAP_H
#define FS_MMAP_H

#include "mm/mm.h"

/* Fills mapping, file, ops, VMA_MAY_* for descriptor `fd`: -EBADF, -EACCES (not open for reading; shared writable without write access; append-only), -ENODEV, -EPERM (noexec
 * mount with PROT_EXEC). On success the file is referenced: file_mmap_done gives it back after mm_map. */
__must_check int file_mmap_request(s32 fd, u32 prot, bool is_shared, struct mm_map_request *rq);
void file_mmap_done(struct mm_map_request *rq);

#endif
