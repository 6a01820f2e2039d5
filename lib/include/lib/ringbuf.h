/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/ringbuf.h: a queue of bytes in a buffer whose size is a power of two.
 *
 * Contract: the buffer is the caller's; head and tail run freely and are masked on use, so all of
 * it can be filled.
 * Locking: the caller's. With exactly one writer and one reader no lock is needed: the writer
 * stores only head, the reader only tail, each with release and read by the other side with acquire
 * (ringbuf_unput, ringbuf_clear and ringbuf_peek_back are not for that use).
 */
#ifndef LIB_RINGBUF_H
#define LIB_RINGBUF_H

#include <lib/string.h>
#include <lib/types.h>

struct ringbuf {
	u8 *data;
	u32 mask; /* size - 1 */
	u32 head; /* bytes ever put */
	u32 tail; /* bytes ever got */
};

/* @size is a power of two up to 2^31. */
static inline void ringbuf_init(struct ringbuf *rb, void *data, u32 size)
{
	*rb = (struct ringbuf){ .data = data, .mask = size - 1 };
}

static inline u32 ringbuf_size(const struct ringbuf *rb)
{
	return rb->mask + 1;
}

static inline u32 ringbuf_used(const struct ringbuf *rb)
{
	return LOAD_ACQUIRE(rb->head) - LOAD_ACQUIRE(rb->tail);
}

static inline u32 ringbuf_space(const struct ringbuf *rb)
{
	return ringbuf_size(rb) - ringbuf_used(rb);
}

static inline bool ringbuf_is_empty(const struct ringbuf *rb)
{
	return ringbuf_used(rb) == 0;
}

static inline bool ringbuf_is_full(const struct ringbuf *rb)
{
	return ringbuf_space(rb) == 0;
}

/* Puts one byte in; false if it is full. */
static inline bool ringbuf_put(struct ringbuf *rb, u8 byte)
{
	if (ringbuf_is_full(rb))
		return false;
	rb->data[rb->head & rb->mask] = byte;
	STORE_RELEASE(rb->head, rb->head + 1);
	return true;
}

/* Takes one byte out; false if it is empty. */
static inline bool ringbuf_get(struct ringbuf *rb, u8 *byte)
{
	if (ringbuf_is_empty(rb))
		return false;
	*byte = rb->data[rb->tail & rb->mask];
	STORE_RELEASE(rb->tail, rb->tail + 1);
	return true;
}

/* As many as fit; returns how many. */
static inline u32 ringbuf_write(struct ringbuf *rb, const void *src, u32 len)
{
	u32 n = min(len, ringbuf_space(rb));
	u32 at = rb->head & rb->mask;
	u32 first = min(n, ringbuf_size(rb) - at);

	memcpy(rb->data + at, src, first);
	memcpy(rb->data, (const u8 *)src + first, n - first);
	STORE_RELEASE(rb->head, rb->head + n);
	return n;
}

/* Copies up to @len bytes starting @skip behind the oldest, leaving them in. */
static inline u32 ringbuf_peek(const struct ringbuf *rb, void *dst, u32 skip, u32 len)
{
	u32 used = ringbuf_used(rb);
	u32 n = skip < used ? min(len, used - skip) : 0;
	u32 at = (rb->tail + skip) & rb->mask;
	u32 first = min(n, ringbuf_size(rb) - at);

	memcpy(dst, rb->data + at, first);
	memcpy((u8 *)dst + first, rb->data, n - first);
	return n;
}

/* Drops up to @len of the oldest bytes. */
static inline u32 ringbuf_drop(struct ringbuf *rb, u32 len)
{
	u32 n = min(len, ringbuf_used(rb));

	STORE_RELEASE(rb->tail, rb->tail + n);
	return n;
}

static inline u32 ringbuf_read(struct ringbuf *rb, void *dst, u32 len)
{
	return ringbuf_drop(rb, ringbuf_peek(rb, dst, 0, len));
}

/* Takes back the newest byte (a tty's erase); false if it is empty. */
static inline bool ringbuf_unput(struct ringbuf *rb, u8 *byte)
{
	if (ringbuf_is_empty(rb))
		return false;
	*byte = rb->data[(rb->head - 1) & rb->mask];
	STORE_RELEASE(rb->head, rb->head - 1);
	return true;
}

static inline void ringbuf_clear(struct ringbuf *rb)
{
	STORE_RELEASE(rb->tail, rb->head);
}

#endif
