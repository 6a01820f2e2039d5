/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pipes: pipe(7).
 *
 * A pipe is a ring of page-sized buffers between `tail` (next to drain) and `head` (next to fill). A write of at most PIPE_BUF bytes goes whole into the rest
 * of the last page or whole into a fresh one: that makes it atomic. Larger writes first bring what is beyond a multiple of the page size into the last page, if it
 * fits, then fill page after page. Drained pages are kept (two of them) for the next write, so a ping-pong touches no allocator.
 *
 * pipe->lock, a mutex, covers the ring and the counts, and stays held while bytes are copied from and to user memory (page faults take no pipe lock). poll and
 * the conditions of waits read head, tail and the counts without it.
 *
 * Waking is exact. Readers and writers wait exclusively: the write that makes an empty pipe non-empty wakes one reader, the read that makes a full pipe
 * non-full wakes one writer; who was woken and leaves something for the next wakes that one. Pollers share each wake. Wakes are synchronous hand-overs: the
 * waker is likely to sleep next. When the last reader or writer goes everybody is woken.
 *
 * splice(2) and its kin put pages of others into slots: those lack PIPE_BUF_MERGE and are never written to.
 */
#include <lib/printf.h>
#include <frame/log.h>
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "abi/stat.h"
#include "abi/tty.h"
#include "fs/pipe.h"
#include "fs/pipe_ring.h"
#include "fs/poll.h"
#include "mm/alloc.h"
#include "object/uaccess.h"

#define POLL_READ (KPOLLIN | KPOLLRDNORM)
#define POLL_WRITE (KPOLLOUT | KPOLLWRNORM)

static struct mount *pipe_mount;	/* [I after pipe_init] */

struct pipe *pipe_of(const struct file *f)
{
	return f->ops == &fifo_ops ? f->private : NULL;
}

void pipe_wake_readers(struct pipe *p)
{
	if (waitq_is_active(&p->read_wait))
		waitq_wake_sync(&p->read_wait, 1, POLL_READ);
}

void pipe_wake_writers(struct pipe *p)
{
	if (waitq_is_active(&p->write_wait))
		waitq_wake_sync(&p->write_wait, 1, POLL_WRITE);
}

/* --- Reading */

static void page_recycle(struct pipe *p, struct pipe_buf *buf)
{
	/* Others may have a share in it: tee(2). */
	if ((buf->flags & PIPE_BUF_MERGE) && page_refs(buf->page) == 1)
		for (u32 i = 0; i < PIPE_SPARES; i++)
			if (!p->spare[i]) {
				p->spare[i] = buf->page;
				return;
			}
	page_put(buf->page);
}

void pipe_drop_slot_locked(struct pipe *p)
{
	struct pipe_buf *buf = pipe_slot(p, p->tail);

	page_recycle(p, buf);
	buf->page = NULL;
	WRITE_ONCE(p->tail, p->tail + 1);
}

/* Drains buffers into the iterator. Bytes moved, or -EFAULT if none; *made_room: the pipe was full before. */
static ssize_t drain_locked(struct pipe *p, struct iov_iter *it, bool *made_room)
{
	ssize_t done = 0;

	while (it->count && !pipe_is_empty(p)) {
		struct pipe_buf *buf = pipe_slot(p, p->tail);
		u32 n = (u32)min_t(size_t, buf->len, it->count);
		bool is_packet = (buf->flags & PIPE_BUF_PACKET) != 0;
		size_t copied = iov_copy_to(it, (char *)page_kva(buf->page) + buf->offset, n);

		done += (ssize_t)copied;
		buf->offset += (u32)copied;
		buf->len -= (u32)copied;
		if (copied < n)
			return done ? done : -EFAULT;
		if (buf->len && !is_packet)
			break;
		*made_room |= pipe_is_full(p);
		pipe_drop_slot_locked(p);
		if (is_packet)
			break;
	}
	return done;
}

static ssize_t pipe_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct pipe *p = f->private;
	bool made_room = false, has_waited = false, has_more;
	ssize_t done;

	(void)pos;
	if (!it->count)
		return 0;
	mutex_lock(&p->lock);
	for (;;) {
		if (pipe_can_read(p)) {
			done = drain_locked(p, it, &made_room);		/* 0: no writers */
			break;
		}
		done = -EAGAIN;
		if (file_is_nonblocking(f, it))
			break;
		mutex_unlock(&p->lock);
		done = WAIT_EVENT_EXCLUSIVE(&p->read_wait, pipe_can_read(p), SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
		if (done)
			return done;
		has_waited = true;
		mutex_lock(&p->lock);
	}
	has_more = has_waited && !pipe_is_empty(p);
	mutex_unlock(&p->lock);
	if (made_room)
		pipe_wake_writers(p);
	if (has_more)
		pipe_wake_readers(p);
	if (done > 0)
		path_touch_atime(&f->path);
	return done;
}

/* --- Writing */

/* Adds what is beyond whole pages to the last buffer, if it may grow and has the room: bytes moved, or -EFAULT. */
static ssize_t merge_locked(struct pipe *p, struct iov_iter *it)
{
	struct pipe_buf *buf = pipe_slot(p, p->head - 1);
	size_t n = it->count & ~PAGE_MASK, copied;
	u32 end = buf->offset + buf->len;

	if (!n || !(buf->flags & PIPE_BUF_MERGE) || end + n > PAGE_SIZE)
		return 0;
	copied = iov_copy_from(it, (char *)page_kva(buf->page) + end, n);
	if (copied < n)
		return -EFAULT;
	buf->len += (u32)copied;
	return (ssize_t)copied;
}

static struct page *page_take(struct pipe *p)
{
	for (u32 i = 0; i < PIPE_SPARES; i++)
		if (p->spare[i]) {
			struct page *page = p->spare[i];

			p->spare[i] = NULL;
			return page;
		}
	return page_alloc(0, FRAME_UNTYPED, ALLOC_SLEEP | ALLOC_USER);
}

/* One page of data into a fresh slot, all of it or nothing: bytes moved, -EFAULT, -ENOMEM. */
static ssize_t fill_slot_locked(struct pipe *p, struct iov_iter *it, bool is_packet)
{
	struct pipe_buf buf = { .page = page_take(p), .flags = is_packet ? PIPE_BUF_PACKET : PIPE_BUF_MERGE };
	size_t n = min(it->count, PAGE_SIZE);

	if (!buf.page)
		return -ENOMEM;
	buf.len = (u32)iov_copy_from(it, page_kva(buf.page), n);
	if (buf.len < n) {
		buf.flags = PIPE_BUF_MERGE;
		page_recycle(p, &buf);
		return -EFAULT;
	}
	*pipe_slot(p, p->head) = buf;
	WRITE_ONCE(p->head, p->head + 1);
	return buf.len;
}

/* Fills until all is written, the pipe is full, or an error. Bytes moved are added to *done. */
static int fill_locked(struct pipe *p, struct iov_iter *it, bool is_packet, ssize_t *done)
{
	while (it->count) {
		ssize_t n;

		if (!p->n_readers)
			return -EPIPE;
		if (pipe_is_full(p))
			return -EAGAIN;
		n = fill_slot_locked(p, it, is_packet);
		if (n < 0)
			return (int)n;
		*done += n;
	}
	return 0;
}

static int wait_for_room(struct pipe *p, bool was_empty)
{
	int err;

	mutex_unlock(&p->lock);
	if (was_empty)
		pipe_wake_readers(p);
	err = WAIT_EVENT_EXCLUSIVE(&p->write_wait, pipe_can_write(p), SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
	mutex_lock(&p->lock);
	return err;
}

/* What a write leaves behind: who is to be woken. */
static void write_end(struct pipe *p, bool has_written, bool was_empty, bool has_waited)
{
	bool has_room = has_waited && !pipe_is_full(p);

	mutex_unlock(&p->lock);
	if (has_written && (was_empty || READ_ONCE(p->is_polled)))
		pipe_wake_readers(p);
	if (has_room)
		pipe_wake_writers(p);
}

static ssize_t pipe_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct pipe *p = f->private;
	u32 flags = READ_ONCE(f->flags);
	bool was_empty, has_waited = false;
	ssize_t done = 0;
	int err = 0;

	(void)pos;
	if (!it->count)
		return 0;
	mutex_lock(&p->lock);
	was_empty = pipe_is_empty(p);
	if (!was_empty && p->n_readers && !(flags & O_DIRECT)) {
		done = merge_locked(p, it);
		if (done < 0) {
			err = (int)done;
			done = 0;
		}
	}
	while (!err) {
		err = fill_locked(p, it, (flags & O_DIRECT) != 0, &done);
		if (err != -EAGAIN || file_is_nonblocking(f, it))
			break;
		err = wait_for_room(p, was_empty);
		was_empty = pipe_is_empty(p);
		has_waited = true;
	}
	write_end(p, done > 0, was_empty, has_waited);
	if (err == -EPIPE)
		fs_policy_signal(SIGPIPE);
	if (!done)
		return err;
	inode_touch(f->inode, ATTR_MTIME | ATTR_CTIME);
	return done;
}

/* --- poll, ioctl */

/* A FIFO's reader that came before any writer sees no POLLHUP until one has been there: file->pos, unused by streams, holds writer_opens at that open. */
static __always_inline u32 events_now(const struct file *f, const struct pipe *p)
{
	u32 events = 0;

	if (f->mode & FMODE_READ) {
		if (!pipe_is_empty(p))
			events |= POLL_READ;
		if (unlikely(!READ_ONCE(p->n_writers)) && f->pos != READ_ONCE(p->writer_opens))
			events |= KPOLLHUP;
	}
	if (f->mode & FMODE_WRITE) {
		if (!pipe_is_full(p))
			events |= POLL_WRITE;
		if (!READ_ONCE(p->n_readers))
			events |= KPOLLERR;
	}
	return events;
}

/* Apart, so that asking without waiting saves no registers. */
static __noinline u32 queue_and_ask(const struct file *f, struct pipe *p, struct poll_wait *pw)
{
	if (!READ_ONCE(p->is_polled))
		WRITE_ONCE(p->is_polled, true);
	if (f->mode & FMODE_READ)
		poll_wait_on(pw, &p->read_wait);
	if (f->mode & FMODE_WRITE)
		poll_wait_on(pw, &p->write_wait);
	return events_now(f, p);
}

static u32 pipe_poll(struct file *f, struct poll_wait *pw)
{
	return pw ? queue_and_ask(f, f->private, pw) : events_now(f, f->private);
}

static s64 bytes_available(struct pipe *p)
{
	s64 n = 0;

	MUTEX_GUARD(&p->lock);
	for (u32 i = p->tail; i != p->head; i++)
		n += pipe_slot(p, i)->len;
	return n;
}

static s64 pipe_ioctl(struct file *f, u32 cmd, u64 arg)
{
	s32 n;

	if (cmd != FIONREAD)
		return -ENOIOCTLCMD;
	n = (s32)bytes_available(f->private);
	return uput(uaddr(arg), &n, sizeof(n));
}

static s64 pipe_lseek(struct file *f, s64 off, u32 whence)
{
	(void)f;
	(void)off;
	(void)whence;
	return -ESPIPE;
}

const struct file_ops fifo_ops = {
	.open = fifo_open,
	.release = fifo_release,
	.read = pipe_read,
	.write = pipe_write,
	.lseek = pipe_lseek,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
};

/* --- pipe(2) */

static const struct super_ops pipefs_super_ops;
static const struct inode_ops pipefs_inode_ops;

static int pipefs_mount(const struct fs_type *t, const char *source, u32 flags, const char *options, struct super_block **out)
{
	(void)source;
	(void)flags;
	(void)options;
	return super_create_bare(t, &pipefs_super_ops, 0x50495045 /* PIPEFS_MAGIC */, out);
}

static struct fs_type pipefs_type = { .name = "pipefs", .mount = pipefs_mount };

void pipe_init(void)
{
	if (fs_register(&pipefs_type) || mount_internal(&pipefs_type, &pipe_mount))
		panic("pipe: no memory at start-up");
}

static struct inode *pipe_inode(struct mount *m)
{
	struct inode *inode = inode_new(m->sb, S_IFIFO | 0600);

	if (!inode)
		return NULL;
	inode->uid = current_cred()->fsuid;
	inode->gid = current_cred()->fsgid;
	inode->ops = &pipefs_inode_ops;
	inode->fops = &fifo_ops;
	inode->flags |= INODE_PRIVATE;
	return inode;
}

static void open_end(struct file *f, struct pipe *p)
{
	f->private = p;
	f->mode = (f->mode & ~(FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE)) | FMODE_STREAM | FMODE_DIRECT | FMODE_OPENED;
}

/* The inode owns the pipe from here on; its files are attached when all of them exist, so a half-made one is just dropped. */
int pipe_create(struct file **read_end, struct file **write_end, u32 flags)
{
	struct inode *inode = pipe_inode(pipe_mount);
	struct file *in, *out;
	char name[32];
	int err;

	if (!inode)
		return -ENOMEM;
	err = pipe_attach(inode);
	snprintf(name, sizeof(name), "pipe:[%lu]", inode->ino);
	if (!err)
		err = file_alloc_anon(pipe_mount, inode, name, O_RDONLY | (flags & O_NONBLOCK), &fifo_ops, &in);
	if (err) {
		inode_put(inode);
		return err;
	}
	err = file_alloc(&in->path, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)), &fifo_ops, &out);
	if (err) {
		file_put(in);
		return err;
	}
	open_end(in, inode->pipe);
	open_end(out, inode->pipe);
	*read_end = in;
	*write_end = out;
	return 0;
}
