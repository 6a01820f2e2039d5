/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The ends of pipes: how FIFOs are opened (fifo(7)), and how both kinds close.
 *
 * A FIFO's pipe hangs off its inode from the first open until the inode goes; its buffers, and who pays for them, last only while somebody has it open.
 * An open for reading waits for a writer to come and the other way round: what is waited for is that the count of opens changes, so that an end which opens
 * and closes at once still lets the other go on.
 */
#include <lib/errno.h>
#include "abi/fcntl.h"
#include "fs/pipe.h"
#include "fs/pipe_ring.h"
#include "fs/poll.h"
#include "mm/alloc.h"

static struct pipe *pipe_new(void)
{
	struct pipe *p = kmalloc(sizeof(*p), ALLOC_ZERO | ALLOC_USER);

	if (!p)
		return NULL;
	mutex_init(&p->lock, "pipe");
	waitq_init(&p->read_wait, "pipe readers");
	waitq_init(&p->write_wait, "pipe writers");
	return p;
}

int pipe_attach(struct inode *inode)
{
	struct pipe *p = pipe_new();
	int err;

	if (!p)
		return -ENOMEM;
	err = pipe_alloc_slots_locked(p);	/* nobody else knows it yet */
	if (err) {
		kfree(p);
		return err;
	}
	p->n_readers = p->n_writers = p->reader_opens = p->writer_opens = 1;
	p->n_files = 2;
	inode->pipe = p;
	return 0;
}

/* The inode's pipe, made if need be. Of two that make one, one wins. */
static struct pipe *fifo_pipe(struct inode *inode)
{
	struct pipe *p = LOAD_ACQUIRE(inode->pipe), *mine;
	void *nobody = NULL;

	if (p)
		return p;
	mine = pipe_new();
	if (!mine)
		return NULL;
	if (__atomic_compare_exchange_n(&inode->pipe, &nobody, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return mine;
	kfree(mine);
	return nobody;
}

void fifo_release_inode(struct inode *inode)
{
	struct pipe *p = inode->pipe;

	if (!p)
		return;
	inode->pipe = NULL;
	pipe_free_slots_locked(p);	/* nobody knows it any more */
	kfree(p);
}

/* --- Closing */

/* An end goes; the others hear of it if it was the last of its kind. */
static void leave(struct pipe *p, u32 mode)
{
	bool is_last = false;

	mutex_lock(&p->lock);
	if (mode & FMODE_READ) {
		WRITE_ONCE(p->n_readers, p->n_readers - 1);
		is_last |= !p->n_readers;
	}
	if (mode & FMODE_WRITE) {
		WRITE_ONCE(p->n_writers, p->n_writers - 1);
		is_last |= !p->n_writers;
	}
	if (--p->n_files == 0)
		pipe_free_slots_locked(p);
	mutex_unlock(&p->lock);
	if (!is_last)
		return;
	waitq_wake(&p->read_wait, 0, KPOLLIN | KPOLLRDNORM | KPOLLHUP | KPOLLERR);
	waitq_wake(&p->write_wait, 0, KPOLLOUT | KPOLLWRNORM | KPOLLHUP | KPOLLERR);
}

void fifo_release(struct file *file)
{
	if (file->private)
		leave(file->private, file->mode);
}

/* --- Opening */

/* Both kinds of waits end with a writer's or reader's open; the counts are read again under no lock: they only grow. */
static int wait_for_writer(struct pipe *p, u32 seen)
{
	return WAIT_EVENT(&p->read_wait, READ_ONCE(p->writer_opens) != seen, SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
}

static int wait_for_reader(struct pipe *p, u32 seen)
{
	return WAIT_EVENT(&p->write_wait, READ_ONCE(p->reader_opens) != seen, SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
}

/* Counts the ends that `mode` opens and lets go who waits for them. */
static void enter_locked(struct pipe *p, u32 mode)
{
	p->n_files++;
	if (mode & FMODE_READ) {
		WRITE_ONCE(p->n_readers, p->n_readers + 1);
		WRITE_ONCE(p->reader_opens, p->reader_opens + 1);
	}
	if (mode & FMODE_WRITE) {
		WRITE_ONCE(p->n_writers, p->n_writers + 1);
		WRITE_ONCE(p->writer_opens, p->writer_opens + 1);
	}
}

static void wake_partners(struct pipe *p, u32 mode)
{
	if (mode & FMODE_READ)
		waitq_wake_all(&p->write_wait);
	if (mode & FMODE_WRITE)
		waitq_wake_all(&p->read_wait);
}

/* pipe(2)'s, opened again through /proc/PID/fd, has had both its ends: such an open never waits, and reading finds the end of the file. */
static bool has_name(const struct inode *inode)
{
	return !(inode->flags & INODE_PRIVATE);
}

/* What an open finds, under the lock: its partner may do all it wants to and be gone again by the time we look for it. */
struct found {
	u32 writer_opens, reader_opens;
	bool has_partner;
};

static void look_locked(const struct pipe *p, u32 mode, struct found *f)
{
	f->writer_opens = p->writer_opens;
	f->reader_opens = p->reader_opens;
	f->has_partner = mode == FMODE_READ ? p->n_writers : mode == FMODE_WRITE ? p->n_readers : true;
}

static int wait_for_partner(struct pipe *p, struct file *file, u32 mode, const struct found *f)
{
	if (f->has_partner)
		return 0;
	if (mode == FMODE_WRITE)
		return wait_for_reader(p, f->reader_opens);
	if (!(file->flags & O_NONBLOCK))
		return wait_for_writer(p, f->writer_opens);
	file->pos = f->writer_opens;	/* no POLLHUP before a writer has come: pipe_poll */
	return 0;
}

int fifo_open(struct inode *inode, struct file *file)
{
	u32 mode = file->mode & (FMODE_READ | FMODE_WRITE);
	struct pipe *p = fifo_pipe(inode);
	struct found found;
	int err = 0;

	if (!p)
		return -ENOMEM;
	mutex_lock(&p->lock);
	look_locked(p, mode, &found);
	if (mode == FMODE_WRITE && (file->flags & O_NONBLOCK) && !found.has_partner && has_name(inode))
		err = -ENXIO;
	if (!err && !p->bufs)
		err = pipe_alloc_slots_locked(p);
	if (!err)
		enter_locked(p, mode);
	mutex_unlock(&p->lock);
	if (err)
		return err;
	wake_partners(p, mode);
	err = has_name(inode) ? wait_for_partner(p, file, mode, &found) : 0;
	if (err) {
		leave(p, mode);
		return err;
	}
	file->private = p;
	file->mode = (file->mode & ~(FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE)) | FMODE_STREAM | FMODE_DIRECT;
	return 0;
}
