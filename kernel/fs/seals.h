/* SPDX-License-Identifier: MPL-2.0 */
/*
 * File seals: fcntl(2), "File Sealing". They are kept in the file's mapping (seals, is_sealable), since they are about contents and size alone; they only ever
 * grow, under the inode lock. Writing, truncating and punching look at them under that lock; mappings count themselves (mapping_writable_get).
 */
#ifndef FS_SEALS_H
#define FS_SEALS_H

#include <lib/types.h>

struct file;
struct mm_map_request;

__must_check s64 file_get_seals(struct file *f);		/* F_SEAL_* bits; -EINVAL: has none */
__must_check int file_add_seals(struct file *f, u64 seals);	/* -EPERM, -EINVAL, -EBUSY */

struct mapping;
/* How many of n bytes at pos may be written; -EPERM: none. A file that must not grow takes whole pages up to its end. */
__must_check ssize_t seals_check_write(const struct mapping *m, u64 pos, size_t n);
__must_check int seals_check_size(const struct mapping *m, u64 size);	/* -EPERM: must not shrink, or grow, to that */
__must_check int seals_check_punch(const struct mapping *m);
/* A shared mapping of a file whose future writes are sealed cannot be, nor become, writable. -EPERM */
__must_check int seals_check_map(struct mm_map_request *rq);

#endif
