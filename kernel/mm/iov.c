/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sources and targets of reads and writes: mm/iov.h. A kernel iterator is one buffer; a user iterator walks its segments; segments of length 0 are
 * stepped over. Not shared between tasks: no locks.
 */
#include <lib/string.h>
#include <frame/uspace.h>
#include "object/current.h"
#include "mm/iov.h"

void iov_user(struct iov_iter *it, uaddr_t buf, size_t len)
{
	it->count = min(len, RW_COUNT_MAX);
	it->us = current_uspace();
	it->one = (struct iov_seg){ buf.v, it->count };
	it->seg = &it->one;
	it->seg_off = 0;
	it->n_segs = 1;
	it->is_nowait = false;
	it->kbuf = NULL;
}

void iov_kernel(struct iov_iter *it, void *buf, size_t len)
{
	it->count = len;
	it->us = NULL;
	it->one = (struct iov_seg){ 0, len };
	it->seg = &it->one;
	it->seg_off = 0;
	it->n_segs = 1;
	it->is_nowait = false;
	it->kbuf = buf;
}

/* readv(2): EINVAL if a length or the sum does not fit ssize_t. What exceeds one transfer's maximum is cut off, as write(2) says. */
int iov_import(struct iov_iter *it, uaddr_t iovec, size_t n, struct iov_seg *segs)
{
	size_t total = 0;

	if (n > IOV_MAX_SEGMENTS)
		return -EINVAL;
	if (n && ucopy_from(current_uspace(), segs, iovec, n * sizeof(*segs)))
		return -EFAULT;
	for (size_t i = 0; i < n; i++) {
		if (segs[i].len > (size_t)INT64_MAX)
			return -EINVAL;
		if (segs[i].len && (segs[i].base >= USPACE_END || segs[i].len > USPACE_END - segs[i].base))
			return -EFAULT;
		segs[i].len = min(segs[i].len, RW_COUNT_MAX - total);
		total += segs[i].len;
	}
	it->count = total;
	it->us = current_uspace();
	it->seg = segs;
	it->seg_off = 0;
	it->n_segs = (u32)n;
	it->is_nowait = false;
	it->kbuf = NULL;
	return 0;
}

void iov_advance(struct iov_iter *it, size_t n)
{
	n = min(n, it->count);
	it->count -= n;
	it->seg_off += n;
	/* Not at once past the end of a segment: so iov_revert can still go back in it. */
	while (it->n_segs > 1 && it->seg_off > it->seg->len) {
		it->seg_off -= it->seg->len;
		it->seg++;
		it->n_segs--;
	}
}

void iov_settle(struct iov_iter *it)
{
	while (it->n_segs > 1 && it->seg_off >= it->seg->len) {
		it->seg_off -= it->seg->len;
		it->seg++;
		it->n_segs--;
	}
}

void iov_revert(struct iov_iter *it, size_t n)
{
	it->count += n;
	it->seg_off -= n;
}

/* The user bytes in one piece that come next, at most n. Kernel iterators have no empty ends. */
static size_t next_piece(struct iov_iter *it, size_t n, uaddr_t *at)
{
	iov_settle(it);
	n = min(n, it->count);
	if (!n)
		return 0;
	*at = uaddr(it->seg->base + it->seg_off);
	return min(n, it->seg->len - it->seg_off);
}

enum direction { TO_USER, FROM_USER, ZERO_USER, FROM_USER_NOFAULT };

/* One copy: from `src` for TO_USER, to `dst` for the FROM kinds. Returns the bytes not copied. */
static size_t piece_user(struct uspace *us, enum direction dir, uaddr_t at, void *dst, const void *src, size_t n)
{
	switch (dir) {
	case TO_USER:
		return ucopy_to(us, at, src, n);
	case FROM_USER:
		return ucopy_from(us, dst, at, n);
	case ZERO_USER:
		return ucopy_zero(us, at, n);
	case FROM_USER_NOFAULT:
		return ucopy_nofault_from(us, dst, at, n);
	}
	return n;
}

static void piece_kernel(char *at, enum direction dir, void *dst, const void *src, size_t n)
{
	switch (dir) {
	case TO_USER:
		memcpy(at, src, n);
		break;
	case FROM_USER:
	case FROM_USER_NOFAULT:
		memcpy(dst, at, n);
		break;
	case ZERO_USER:
		memset(at, 0, n);
		break;
	}
}

static size_t move(struct iov_iter *it, enum direction dir, void *dst, const void *src, size_t n)
{
	size_t done = 0, piece, missed;
	uaddr_t at;

	if (!it->us) {
		n = min(n, it->count);
		piece_kernel(it->kbuf + it->seg_off, dir, dst, src, n);
		iov_advance(it, n);
		return n;
	}
	while (done < n && (piece = next_piece(it, n - done, &at))) {
		missed = piece_user(it->us, dir, at, dst ? (char *)dst + done : NULL,
				    src ? (const char *)src + done : NULL, piece);
		iov_advance(it, piece - missed);
		done += piece - missed;
		if (missed)
			break;
	}
	return done;
}

/* The rule: n bytes of user memory in one piece. */
static inline bool is_one_piece(const struct iov_iter *it, size_t n)
{
	return likely(it->us && n <= it->count && n <= it->seg->len - it->seg_off);
}

static inline size_t take(struct iov_iter *it, size_t n)
{
	it->count -= n;
	it->seg_off += n;
	return n;
}

size_t iov_copy_to(struct iov_iter *it, const void *src, size_t n)
{
	if (!is_one_piece(it, n))
		return move(it, TO_USER, NULL, src, n);
	return take(it, n - ucopy_to(it->us, uaddr(it->seg->base + it->seg_off), src, n));
}

size_t iov_copy_from(struct iov_iter *it, void *dst, size_t n)
{
	if (!is_one_piece(it, n))
		return move(it, FROM_USER, dst, NULL, n);
	return take(it, n - ucopy_from(it->us, dst, uaddr(it->seg->base + it->seg_off), n));
}

size_t iov_zero(struct iov_iter *it, size_t n)
{
	if (!is_one_piece(it, n))
		return move(it, ZERO_USER, NULL, NULL, n);
	return take(it, n - ucopy_zero(it->us, uaddr(it->seg->base + it->seg_off), n));
}

size_t iov_nofault_from(struct iov_iter *it, void *dst, size_t n)
{
	if (!is_one_piece(it, n))
		return move(it, FROM_USER_NOFAULT, dst, NULL, n);
	return take(it, n - ucopy_nofault_from(it->us, dst, uaddr(it->seg->base + it->seg_off), n));
}

/* The first piece decides: a failure further on is met when the copy gets there. */
int iov_prefault(struct iov_iter *it, size_t n, bool is_write)
{
	size_t piece;
	uaddr_t at;

	if (!it->us)
		return 0;
	piece = next_piece(it, n, &at);
	if (!piece)
		return 0;
	if (!ucopy_prefault(it->us, at, piece, is_write))
		return 0;
	/* A later page of the piece is bad; the first byte alone may still be good. */
	return ucopy_prefault(it->us, at, 1, is_write) ? -EFAULT : 0;
}
