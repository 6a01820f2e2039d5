/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Moving bytes between open files: splice(2), vmsplice(2), sendfile(2), copy_file_range(2).
 *
 * One mechanism: pages are gathered from a source into a batch, and the batch is put into a target. Sources: files in the page cache give references to
 * their pages (what is written to the file later may show); programs' memory likewise (vmsplice(2): a reference, the same whether it is a gift or not; memory that is
 * changed later may show, as the page warns); all other files read into fresh pages. Targets: pipes take the pages (splice_pipe.c),
 * all other files write from them, memory is copied to. Nothing is lost on the way: a pipe keeps what its target did not take, and a position moves by what arrived.
 *
 * Positions of the files themselves are read before and set after a transfer without pos_lock: two transfers that share one overlap, as on Linux.
 */
#include <lib/errno.h>
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "fs/internal.h"
#include "fs/notify.h"
#include "fs/pipe.h"
#include "fs/pipe_ring.h"
#include "fs/poll.h"
#include "fs/splice.h"
#include "mm/alloc.h"
#include "sched/sched.h"

/* One end, while bytes move. */
struct end {
	struct file *file;
	u64 pos;
	struct iov_iter *user;		/* instead of a file */
};

/* --- Sources. Each fills the batch with up to `max` buffers and len bytes: bytes, 0 at the end, or -errno if none. */

static bool is_cached(const struct file *f)
{
	return f->ops->read == generic_file_read;
}

static ssize_t gather_cached(struct file *f, u64 pos, size_t len, u32 max, struct splice_batch *b)
{
	struct mapping *m = &f->inode->mapping;
	size_t done = 0;

	while (done < len && b->n < max) {
		u64 size = LOAD_ACQUIRE(m->size);
		u32 offset = (u32)(pos & ~PAGE_MASK), n;
		struct page *page;
		int err;

		if (pos >= size)
			break;
		n = (u32)min(min(len - done, PAGE_SIZE - offset), size - pos);
		err = mapping_get(m, pos >> PAGE_SHIFT, false, &page);
		if (err)
			return done ? (ssize_t)done : err;
		b->bufs[b->n++] = (struct pipe_buf){ .page = page ? page : zero_page_get(), .offset = offset, .len = n };
		pos += n;
		done += n;
	}
	file_touch_atime(f);
	return (ssize_t)done;
}

/* Would a read sleep? Only what can be polled ever does. */
static bool is_ready(const struct end *e)
{
	return !e->file || !e->file->ops->poll || (e->file->ops->poll(e->file, NULL) & (KPOLLIN | KPOLLRDNORM | KPOLLHUP | KPOLLERR));
}

static ssize_t gather_read(const struct end *e, size_t len, u32 max, struct splice_batch *b)
{
	u64 pos = e->pos;
	size_t done = 0;
	ssize_t n = 0;

	while (done < len && b->n < max && (!done || is_ready(e))) {
		struct page *page = page_alloc(0, FRAME_UNTYPED, ALLOC_SLEEP | ALLOC_USER);
		size_t want = min(len - done, PAGE_SIZE);
		struct iov_iter it;

		if (!page)
			return done ? (ssize_t)done : -ENOMEM;
		iov_kernel(&it, page_kva(page), want);
		n = e->file->ops->read(e->file, &it, &pos);
		if (n <= 0) {
			page_put(page);
			break;
		}
		b->bufs[b->n++] = (struct pipe_buf){ .page = page, .len = (u32)n };
		done += (size_t)n;
		if ((size_t)n < want)
			break;
	}
	return done ? (ssize_t)done : n;
}

static ssize_t gather_user(struct iov_iter *it, size_t len, u32 max, struct splice_batch *b)
{
	size_t done = 0;

	while (done < len && b->n < max) {
		struct page *page;
		u64 at;
		u32 n;
		int err;

		iov_settle(it);
		at = it->seg->base + it->seg_off;
		n = (u32)min(min(len - done, it->seg->len - it->seg_off), PAGE_SIZE - (at & ~PAGE_MASK));
		err = mm_get_page(current_mm(), at, &page);
		if (err)
			return done ? (ssize_t)done : err;
		b->bufs[b->n++] = (struct pipe_buf){ .page = page, .offset = (u32)(at & ~PAGE_MASK), .len = n };
		iov_advance(it, n);
		done += n;
	}
	return (ssize_t)done;
}

static ssize_t gather(struct end *e, size_t len, u32 max, struct splice_batch *b)
{
	b->n = 0;
	if (e->user)
		return gather_user(e->user, len, max, b);
	return is_cached(e->file) ? gather_cached(e->file, e->pos, len, max, b) : gather_read(e, len, max, b);
}

/* --- Targets but pipes */

static ssize_t put_buf(struct end *e, const struct pipe_buf *buf)
{
	char *from = (char *)page_kva(buf->page) + buf->offset;
	struct iov_iter it;
	size_t n;

	if (e->user) {
		n = iov_copy_to(e->user, from, buf->len);
		return n ? (ssize_t)n : -EFAULT;
	}
	iov_kernel(&it, from, buf->len);
	return e->file->ops->write(e->file, &it, &e->pos);
}

/* Buffer by buffer until one is not taken whole. Bytes taken; *err: 0 if all, else what stopped it (-EAGAIN: it just took less). */
static size_t put_batch(struct end *e, const struct splice_batch *b, int *err)
{
	size_t done = 0;

	*err = 0;
	for (u32 i = 0; i < b->n && !*err; i++) {
		ssize_t n = put_buf(e, &b->bufs[i]);

		if (n > 0)
			done += (size_t)n;
		if (n < (ssize_t)b->bufs[i].len)
			*err = n < 0 ? (int)n : -EAGAIN;
	}
	return done;
}

/* Between batches of a long transfer: must it end here? */
static bool must_stop(void)
{
	sched_check();
	return current_interrupted();
}

/* --- Transfers */

/* What may sleep in its read gets one slot at a time: the others stay free for those who have something to write. */
static u32 slots_for(const struct end *e, size_t len)
{
	if (e->file && !is_cached(e->file) && e->file->ops->poll)
		return 1;
	return (u32)min_t(size_t, len / PAGE_SIZE + 2, SPLICE_BATCH);
}

/* Room is waited for only once. */
static ssize_t into_pipe(struct end *src, struct pipe *p, size_t len, bool nonblock)
{
	struct splice_batch batch __uninitialized;
	size_t done = 0;

	while (done < len) {
		int room = pipe_reserve(p, slots_for(src, len - done), nonblock || done), err;
		ssize_t n;

		if (room < 0)
			return done ? (ssize_t)done : room;
		n = gather(src, len - done, (u32)room, &batch);
		err = pipe_fill(p, &batch, (u32)room);
		if (n <= 0 || err)
			return done ? (ssize_t)done : err ? err : n;
		src->pos += (u64)n;
		done += (size_t)n;
		if (must_stop() || !is_ready(src))
			break;
	}
	return (ssize_t)done;
}

static int drain_begin(struct pipe *p, bool nonblock)
{
	for (;;) {
		int r = pipe_wait_input(p, nonblock);

		if (r)
			return r;
		r = pipe_drain_begin(p);
		if (r >= 0 || nonblock)
			return r;
	}
}

/* Input is waited for only once. */
static ssize_t out_of_pipe(struct pipe *p, struct end *to, size_t len, bool nonblock)
{
	struct splice_batch batch __uninitialized;
	size_t done = 0, used;
	int err;

	while (done < len) {
		err = drain_begin(p, nonblock || done);
		if (err <= 0)
			return done ? (ssize_t)done : err;
		(void)pipe_peek(p, 0, len - done, &batch);
		used = put_batch(to, &batch, &err);
		pipe_drain_end(p, used);
		done += used;
		if (err)
			return done ? (ssize_t)done : err;
		if (must_stop())
			break;
	}
	return (ssize_t)done;
}

/* Neither end is a pipe. The source's position moves by what the target took. */
static ssize_t file_to_file(struct end *src, struct end *to, size_t len)
{
	struct splice_batch batch __uninitialized;
	size_t done = 0;
	int err = 0;

	while (done < len && !err) {
		ssize_t n = gather(src, len - done, SPLICE_BATCH, &batch);
		size_t used;

		if (n <= 0)
			return done ? (ssize_t)done : n;
		used = put_batch(to, &batch, &err);
		for (u32 i = 0; i < batch.n; i++)
			page_put(batch.bufs[i].page);
		src->pos += used;
		done += used;
		if (must_stop())
			break;
	}
	return done ? (ssize_t)done : err;
}

/* --- Ends */

static void end_open(const struct splice_end *e, struct end *out)
{
	*out = (struct end){ .file = e->file, .pos = e->has_pos ? e->pos : READ_ONCE(e->file->pos) };
	if (!e->has_pos && (e->file->mode & FMODE_STREAM))
		out->pos = 0;
}

static void end_close(struct splice_end *e, const struct end *x)
{
	if (e->has_pos)
		e->pos = x->pos;
	else if (!(e->file->mode & FMODE_STREAM))
		WRITE_ONCE(e->file->pos, x->pos);
}

int splice_check_offsets(const struct splice_end *in, const struct splice_end *out)
{
	return (in->has_pos && pipe_of(in->file)) || (out->has_pos && pipe_of(out->file)) ? -ESPIPE : 0;
}

static bool is_nonblocking(const struct file *f)
{
	return (READ_ONCE(f->flags) & O_NONBLOCK) != 0;
}

/* Who watches the files hears of it. */
static ssize_t moved(const struct file *in, const struct file *out, ssize_t n)
{
	if (n > 0) {
		notify_access(in);
		notify_modify(out);
	}
	return n;
}

/* --- splice(2) */

static ssize_t from_file(struct splice_end *in, struct pipe *p, size_t len, bool nonblock)
{
	struct end src;
	ssize_t n;

	end_open(in, &src);
	if ((in->has_pos && !(in->file->mode & FMODE_PREAD)) || !in->file->ops->read || passes_end(src.pos, len))
		return -EINVAL;
	n = into_pipe(&src, p, len, nonblock);
	end_close(in, &src);
	return n;
}

static ssize_t to_file(struct pipe *p, struct splice_end *out, size_t len, bool nonblock)
{
	struct end to;
	ssize_t n;

	end_open(out, &to);
	if ((out->has_pos && !(out->file->mode & FMODE_PWRITE)) || !out->file->ops->write || (READ_ONCE(out->file->flags) & O_APPEND) ||
	    passes_end(to.pos, len))
		return -EINVAL;
	n = out_of_pipe(p, &to, len, nonblock);
	end_close(out, &to);
	return n;
}

/* Waits at the one and the other until both are ready, holding nothing. */
static ssize_t between_pipes(struct pipe *in, struct pipe *out, size_t len, bool nonblock, bool keep)
{
	for (;;) {
		ssize_t n = pipe_wait_input(in, nonblock);

		if (!n)
			n = pipe_wait_room(out, nonblock);
		if (!READ_ONCE(out->n_readers))
			return pipe_broken();
		if (!n)
			n = pipe_to_pipe(in, out, len, keep);
		if (n != -EAGAIN || nonblock)
			return n;
	}
}

static ssize_t splice_ends(struct splice_end *in, struct splice_end *out, size_t len, u32 flags)
{
	struct pipe *from = pipe_of(in->file), *to = pipe_of(out->file);
	bool nonblock = (flags & SPLICE_F_NONBLOCK) != 0;

	if (!(in->file->mode & FMODE_READ) || !(out->file->mode & FMODE_WRITE))
		return -EBADF;
	len = min(len, RW_COUNT_MAX);
	if (from && to) {
		nonblock |= is_nonblocking(in->file) || is_nonblocking(out->file);
		return from == to ? -EINVAL : between_pipes(from, to, len, nonblock, false);
	}
	if (from)
		return to_file(from, out, len, nonblock || is_nonblocking(in->file));
	if (to)
		return from_file(in, to, len, nonblock || is_nonblocking(out->file));
	return -EINVAL;
}

ssize_t fs_splice(struct splice_end *in, struct splice_end *out, size_t len, u32 flags)
{
	return moved(in->file, out->file, splice_ends(in, out, len, flags));
}

ssize_t fs_tee(struct file *in, struct file *out, size_t len, u32 flags)
{
	struct pipe *from = pipe_of(in), *to = pipe_of(out);
	bool nonblock = (flags & SPLICE_F_NONBLOCK) || is_nonblocking(in) || is_nonblocking(out);

	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE))
		return -EBADF;
	if (!from || !to || from == to)
		return -EINVAL;
	return between_pipes(from, to, len, nonblock, true);
}

ssize_t fs_vmsplice(struct file *f, struct iov_iter *it, u32 flags)
{
	struct pipe *p = pipe_of(f);
	struct end user = { .user = it };

	if (!(f->mode & (FMODE_READ | FMODE_WRITE)))
		return -EBADF;
	if (!it->count)
		return 0;
	if (!p)
		return -EBADF;
	if (f->mode & FMODE_WRITE)
		return into_pipe(&user, p, it->count, flags & SPLICE_F_NONBLOCK);
	return out_of_pipe(p, &user, it->count, flags & SPLICE_F_NONBLOCK);
}

/* --- sendfile(2) */

ssize_t fs_sendfile(struct file *out, struct splice_end *in, size_t len)
{
	struct splice_end target = { .file = out };
	struct pipe *p = pipe_of(out);
	struct end src, to;
	ssize_t n;

	if (!(in->file->mode & FMODE_READ) || !(out->mode & FMODE_WRITE))
		return -EBADF;
	if (in->has_pos && !(in->file->mode & FMODE_PREAD))
		return -ESPIPE;
	end_open(in, &src);
	end_open(&target, &to);
	if ((ssize_t)len < 0 || (s64)src.pos < 0 || passes_end(src.pos, min(len, RW_COUNT_MAX)))
		return -EINVAL;
	len = min(len, RW_COUNT_MAX);
	if (!p && passes_end(to.pos, len))
		return -EINVAL;
	if (!in->file->ops->read || (!S_ISREG(in->file->inode->mode) && !S_ISBLK(in->file->inode->mode)))
		return -EINVAL;
	if (!out->ops->write || (READ_ONCE(out->flags) & O_APPEND))
		return -EINVAL;
	n = p ? into_pipe(&src, p, len, is_nonblocking(out)) : file_to_file(&src, &to, len);
	end_close(in, &src);
	if (!p)
		end_close(&target, &to);
	return moved(in->file, out, n);
}

/* --- copy_file_range(2) */

static int check_copy_files(const struct file *in, const struct file *out)
{
	if (S_ISDIR(in->inode->mode) || S_ISDIR(out->inode->mode))
		return -EISDIR;
	if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE) || (READ_ONCE(out->flags) & O_APPEND))
		return -EBADF;
	if (in->inode->sb != out->inode->sb)
		return -EXDEV;
	if (out->inode->flags & INODE_IMMUTABLE)
		return -EPERM;
	return in->ops->read && out->ops->write ? 0 : -EOPNOTSUPP;
}

/* What may be copied of len bytes: cut at the end of the source and at the limits of the target. */
static ssize_t copy_length(const struct end *from, const struct end *to, size_t len)
{
	u64 size = LOAD_ACQUIRE(from->file->inode->mapping.size);
	struct inode *i = to->file->inode;
	u64 limit = fs_policy_file_size_limit(), end;

	if (add_overflows(from->pos, (u64)len, &end) || add_overflows(to->pos, (u64)len, &end))
		return -EOVERFLOW;
	if (passes_end(from->pos, 0) || passes_end(to->pos, 0))
		return -EINVAL;
	len = from->pos < size ? min(len, size - from->pos) : 0;
	if (to->pos >= limit) {
		fs_policy_signal(SIGXFSZ);
		return -EFBIG;
	}
	if (to->pos >= i->sb->max_bytes)
		return -EFBIG;
	len = min(len, min(limit, i->sb->max_bytes) - to->pos);
	if (from->file->inode == i && to->pos + len > from->pos && to->pos < from->pos + len)
		return -EINVAL;
	return (ssize_t)min(len, RW_COUNT_MAX);
}

ssize_t fs_copy_range(struct splice_end *in, struct splice_end *out, size_t len)
{
	int err = check_copy_files(in->file, out->file);
	struct end from, to;
	ssize_t n;

	if (err)
		return err;
	end_open(in, &from);
	end_open(out, &to);
	n = copy_length(&from, &to, len);
	if (n <= 0)
		return n;
	n = file_to_file(&from, &to, (size_t)n);
	end_close(in, &from);
	end_close(out, &to);
	return moved(in->file, out->file, n);
}
