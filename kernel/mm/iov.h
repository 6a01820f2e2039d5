/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where the bytes of a read or write come from or go to: one buffer, a user iovec, kernel memory. Advances as it is used.
 * Copies return the number of bytes moved (short: -EFAULT at that point, the caller decides as read(2)/write(2) say).
 */
#ifndef MM_IOV_H
#define MM_IOV_H

#include <lib/types.h>
#include <frame/ucopy.h>

#define IOV_MAX_SEGMENTS 1024		/* UIO_MAXIOV */
#define RW_COUNT_MAX 0x7ffff000ul	/* MAX_RW_COUNT of read(2) */

struct iov_seg {
	u64 base;			/* user address, or kernel pointer for kernel iters */
	size_t len;
};

struct iov_iter {
	size_t count;			/* bytes left in all */
	struct uspace *us;		/* NULL: kernel memory */
	const struct iov_seg *seg;	/* current segment */
	size_t seg_off;
	u32 n_segs;			/* left, the current one included */
	bool is_nowait;			/* RWF_NOWAIT: fs/'s; whoever starts the iterator leaves it false */
	struct iov_seg one;		/* storage for single buffers: seg points to it, so an iterator cannot be copied */
	char *kbuf;			/* kernel memory (single buffer) */
};

void iov_user(struct iov_iter *it, uaddr_t buf, size_t len);	/* current user space; len is clamped to RW_COUNT_MAX */
void iov_kernel(struct iov_iter *it, void *buf, size_t len);
/* Reads a user array of n struct iovec into segs (caller's array of n), checks lengths: -EINVAL, -EFAULT. */
__must_check int iov_import(struct iov_iter *it, uaddr_t iovec, size_t n, struct iov_seg *segs);
size_t iov_copy_to(struct iov_iter *it, const void *src, size_t n);
size_t iov_copy_from(struct iov_iter *it, void *dst, size_t n);
size_t iov_zero(struct iov_iter *it, size_t n);
size_t iov_nofault_from(struct iov_iter *it, void *dst, size_t n);
/* Faults in up to n bytes of what comes next: 0 if at least one byte is now reachable, else -EFAULT. is_write: user memory will be written. */
__must_check int iov_prefault(struct iov_iter *it, size_t n, bool is_write);
void iov_advance(struct iov_iter *it, size_t n);
void iov_settle(struct iov_iter *it);		/* steps over used-up segments: then what comes next in one piece is seg->len - seg_off */
void iov_revert(struct iov_iter *it, size_t n);	/* only within the current segment's already consumed part or a single buffer */

#endif
