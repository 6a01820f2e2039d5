/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pages into and out of pipes: what splice(2), tee(2), vmsplice(2) and sendfile(2) are made of.
 *
 * No pipe is ever locked while another file works or two pipes meet: a terminal that nobody types on must not hold up everybody else at the pipe. Who gathers pages
 * for a pipe first has slots promised (n_reserved), so that what was read has a place. Who takes bytes out holds the right to the tail (is_draining)
 * and leaves the buffers where they are until the target has them; other readers wait, and can be interrupted, as if the pipe were empty. The right is
 * held across a sleep of the target's, never across a wait for another pipe; so pipes that are spliced in a circle cannot lock each other up.
 *
 * What is put in belongs to others as well (page cache, user memory, another pipe): it never has PIPE_BUF_MERGE.
 * All waits are shared, not exclusive: they take no wake away from a reader or writer.
 */
#include <lib/errno.h>
#include "abi/signal.h"
#include "fs/pipe.h"
#include "fs/pipe_ring.h"

int pipe_broken(void)
{
	fs_policy_signal(SIGPIPE);
	return -EPIPE;
}

int pipe_wait_input(struct pipe *p, bool nonblock)
{
	if (pipe_can_read(p))
		return 0;
	return nonblock ? -EAGAIN : WAIT_EVENT(&p->read_wait, pipe_can_read(p), SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
}

int pipe_wait_room(struct pipe *p, bool nonblock)
{
	if (pipe_can_write(p))
		return 0;
	return nonblock ? -EAGAIN : WAIT_EVENT(&p->write_wait, pipe_can_write(p), SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
}

/* --- In */

static u32 n_free_locked(const struct pipe *p)
{
	return pipe_is_full(p) ? 0 : p->n_slots - (p->head - p->tail) - p->n_reserved;
}

int pipe_reserve(struct pipe *p, u32 want, bool nonblock)
{
	for (;;) {
		int err = pipe_wait_room(p, nonblock);
		u32 n;

		if (!READ_ONCE(p->n_readers))
			return pipe_broken();
		if (err)
			return err;
		mutex_lock(&p->lock);
		n = min(want, n_free_locked(p));
		WRITE_ONCE(p->n_reserved, p->n_reserved + n);
		mutex_unlock(&p->lock);
		if (n)
			return (int)n;
	}
}

/* The slots are there. Takes the references over. */
static void put_in_locked(struct pipe *p, const struct splice_batch *b, u32 n)
{
	for (u32 i = 0; i < n; i++)
		*pipe_slot(p, p->head + i) = b->bufs[i];
	WRITE_ONCE(p->head, p->head + n);
}

static void tell_readers(struct pipe *p, bool was_empty)
{
	if (was_empty || READ_ONCE(p->is_polled))
		pipe_wake_readers(p);
}

static void batch_drop(const struct splice_batch *b, u32 from)
{
	for (u32 i = from; i < b->n; i++)
		page_put(b->bufs[i].page);
}

int pipe_fill(struct pipe *p, const struct splice_batch *b, u32 n_reserved)
{
	bool was_empty, has_room, is_broken;

	mutex_lock(&p->lock);
	was_empty = pipe_is_empty(p);
	is_broken = b->n && !p->n_readers;
	WRITE_ONCE(p->n_reserved, p->n_reserved - n_reserved);
	if (!is_broken)
		put_in_locked(p, b, b->n);
	has_room = !pipe_is_full(p);
	mutex_unlock(&p->lock);
	if (has_room)
		pipe_wake_writers(p);
	if (is_broken) {
		batch_drop(b, 0);
		return pipe_broken();
	}
	if (b->n)
		tell_readers(p, was_empty);
	return 0;
}

/* --- Out */

int pipe_drain_begin(struct pipe *p)
{
	MUTEX_GUARD(&p->lock);
	if (p->is_draining)
		return -EAGAIN;
	if (pipe_is_empty(p))
		return p->n_writers ? -EAGAIN : 0;
	WRITE_ONCE(p->is_draining, true);
	return 1;
}

size_t pipe_peek(struct pipe *p, u32 skip, size_t len, struct splice_batch *b)
{
	size_t n = 0;
	u32 at;

	MUTEX_GUARD(&p->lock);
	b->n = 0;
	for (at = p->tail + skip; at != p->head && n < len && b->n < SPLICE_BATCH; at++) {
		struct pipe_buf *buf = &b->bufs[b->n++];

		*buf = *pipe_slot(p, at);
		buf->len = (u32)min_t(size_t, buf->len, len - n);
		n += buf->len;
	}
	b->is_end = at == p->head;
	return n;
}

void pipe_drain_end(struct pipe *p, size_t used)
{
	bool was_full, has_more, is_closed;

	mutex_lock(&p->lock);
	was_full = pipe_is_full(p);
	while (used) {
		struct pipe_buf *buf = pipe_slot(p, p->tail);
		u32 n = (u32)min_t(size_t, used, buf->len);

		buf->offset += n;
		buf->len -= n;
		used -= n;
		if (!buf->len)
			pipe_drop_slot_locked(p);
	}
	WRITE_ONCE(p->is_draining, false);
	was_full &= !pipe_is_full(p);
	has_more = !pipe_is_empty(p);
	is_closed = !p->n_writers;
	mutex_unlock(&p->lock);
	if (was_full)
		pipe_wake_writers(p);
	/* Those who came meanwhile, and slept as at an empty pipe. */
	if (is_closed)
		waitq_wake_all(&p->read_wait);
	else if (has_more)
		pipe_wake_readers(p);
}

/* --- From one into another */

/* As many whole buffers as there is room for, each with a reference of its own: their number, or -EPIPE; *bytes of them. */
static int share(struct pipe *out, struct splice_batch *b, size_t *bytes)
{
	bool was_empty;
	u32 n;

	*bytes = 0;
	mutex_lock(&out->lock);
	if (!out->n_readers) {
		mutex_unlock(&out->lock);
		return pipe_broken();
	}
	was_empty = pipe_is_empty(out);
	n = min(b->n, n_free_locked(out));
	for (u32 i = 0; i < n; i++) {
		b->bufs[i].flags &= ~(u32)PIPE_BUF_MERGE;
		page_get(b->bufs[i].page);
		*bytes += b->bufs[i].len;
	}
	put_in_locked(out, b, n);
	mutex_unlock(&out->lock);
	if (n)
		tell_readers(out, was_empty);
	return (int)n;
}

ssize_t pipe_to_pipe(struct pipe *in, struct pipe *out, size_t len, bool keep)
{
	struct splice_batch batch __uninitialized;
	size_t done = 0, bytes;
	u32 skip = 0;
	int n = pipe_drain_begin(in);

	if (n <= 0)
		return n;
	while (done < len && pipe_peek(in, skip, len - done, &batch)) {
		n = share(out, &batch, &bytes);
		done += bytes;
		skip += batch.n;
		/* A writer may have added to the last buffer since: what stands behind it now does not follow on what was shared. */
		if (n < (int)batch.n || batch.is_end)
			break;
	}
	pipe_drain_end(in, keep ? 0 : done);
	return done ? (ssize_t)done : n < 0 ? n : -EAGAIN;
}
