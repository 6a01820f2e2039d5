/* SPDX-License-Identifier: MPL-2.0 */
/* open(2), fcntl(2), *at(2), rename, fallocate, close_range, openat2: flags and structs. */
#ifndef ABI_FCNTL_H
#define ABI_FCNTL_H

#include <lib/types.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/falloc.h>
#include <linux/close_range.h>
#include <linux/fs.h>
#include <linux/fadvise.h>
#include <linux/xattr.h>

#ifndef F_ULOCK
#define F_OK 0
#define X_OK 1
#define W_OK 2
#define R_OK 4
#endif

#ifndef SPLICE_F_MOVE			/* splice(2); glibc has them, the UAPI headers do not */
#define SPLICE_F_MOVE 1
#define SPLICE_F_NONBLOCK 2
#define SPLICE_F_MORE 4
#define SPLICE_F_GIFT 8
#endif

/* The mode bits of preadv2/pwritev2 are RWF_* of <linux/fs.h>. */

struct linux_dirent64_k {	/* getdents64(2); the name follows */
	u64 d_ino;
	s64 d_off;
	u16 d_reclen;
	u8 d_type;
	char d_name[];
} __attribute__((packed, aligned(8)));
_Static_assert(offsetof(struct linux_dirent64_k, d_name) == 19, "dirent64");

struct linux_dirent_k {		/* getdents(2); name, NUL, and d_type in the last byte of the record */
	u64 d_ino;
	u64 d_off;
	u16 d_reclen;
	char d_name[];
} __attribute__((packed, aligned(8)));
_Static_assert(offsetof(struct linux_dirent_k, d_name) == 18, "dirent");

#ifndef OPEN_HOW_SIZE_VER0
#define OPEN_HOW_SIZE_VER0 24	/* openat2(2): the first published struct open_how */
#endif

struct iovec_k {
	u64 base;
	u64 len;
};

enum { ABI_DT_UNKNOWN, ABI_DT_FIFO, ABI_DT_CHR, ABI_DT_DIR = 4, ABI_DT_BLK = 6, ABI_DT_REG = 8, ABI_DT_LNK = 10, ABI_DT_SOCK = 12 };

#endif
