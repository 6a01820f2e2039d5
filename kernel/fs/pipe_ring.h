/* SPDX-License-Identifier: MPL-2.0 */
/* The inside of a pipe, for fs core's own files: pipe.c (data), fifo.c (ends come and go), pipe_size.c (capacity and who pays), splice.c
 * and splice_pipe.c (pages in and out). */
#ifndef FS_PIPE_RING_H
#define FS_PIPE_RING_H

#include <lib/types.h>
#include <frame/page.h>
#include "fs/vfs.h"
#include "object/cred.h"
#include "sync/mutex.h"
#include "sync/wait.h"

enum {
	PIPE_BUF_MERGE = 1,	/* the page is the pipe's own: later writes may be added behind what is there */
	PIPE_BUF_PACKET = 2,	/* O_DIRECT: one read takes it whole and what did not fit is dropped */
};

struct pipe_buf {
	struct page *page;	/* referenced */
	u32 offset, len;	/* bytes of the page that are data */
	u32 flags;
};

#define PIPE_SPARES 2
#define PIPE_SLOTS_DEFAULT 16u	/* 64 KiB: pipe(7) */
#define PIPE_SLOTS_POOR 2u	/* for users beyond pipe-user-pages-soft */

struct user_count;

/* Key: [l] lock; [l; a] also read without it, by poll and by wait conditions. */
struct pipe {
	struct mutex lock;
	struct pipe_buf *bufs;		/* [l] n_slots of them; NULL: a FIFO that nobody has open */
	u32 head, tail;			/* [l; a] next to fill, next to drain; they run freely and are masked on use */
	u32 n_slots;			/* [l; a] a power of two */
	u32 n_reserved;			/* [l; a] free slots promised to splices that gather pages for them */
	bool is_draining;		/* [l; a] a splice works on what is at the tail: nobody else takes anything out until it is done */
	u32 n_readers, n_writers;	/* [l; a] open ends */
	u32 reader_opens, writer_opens;	/* [l; a] how often an end was opened: fifo(7)'s opens wait for a change */
	u32 n_files;			/* [l] open files, and opens under way */
	bool is_polled;			/* [a] somebody polls: tell of every write, not only of the first (edge-triggered watchers) */
	struct page *spare[PIPE_SPARES];	/* [l] drained pages, to be filled next */
	struct user_count *user;		/* [l] who is charged for n_slots pages */
	struct waitq read_wait, write_wait;
};

static inline bool pipe_is_empty(const struct pipe *p)
{
	return READ_ONCE(p->head) == READ_ONCE(p->tail);
}

static inline bool pipe_is_full(const struct pipe *p)
{
	return READ_ONCE(p->head) - READ_ONCE(p->tail) + READ_ONCE(p->n_reserved) >= READ_ONCE(p->n_slots);
}

/* What readers and writers wait for. */
static inline bool pipe_can_read(const struct pipe *p)
{
	return !READ_ONCE(p->is_draining) && (!pipe_is_empty(p) || !READ_ONCE(p->n_writers));
}

static inline bool pipe_can_write(const struct pipe *p)
{
	return !pipe_is_full(p) || !READ_ONCE(p->n_readers);
}

static inline struct pipe_buf *pipe_slot(struct pipe *p, u32 position)
{
	return &p->bufs[position & (p->n_slots - 1)];
}

/* pipe.c */
struct pipe *pipe_of(const struct file *f);	/* NULL: not a pipe */
void pipe_wake_readers(struct pipe *p);
void pipe_wake_writers(struct pipe *p);
void pipe_drop_slot_locked(struct pipe *p);	/* the oldest buffer is used up */

/* fifo.c */
__must_check int fifo_open(struct inode *inode, struct file *file);
void fifo_release(struct file *file);
__must_check int pipe_attach(struct inode *inode);	/* pipe(2)'s: a pipe with both ends open, for a new inode. -ENFILE, -ENOMEM */

/* --- splice_pipe.c: pages in and out. Only the *_wait functions sleep for others. */
#define SPLICE_BATCH 16

struct splice_batch {
	struct pipe_buf bufs[SPLICE_BATCH];
	u32 n;
	bool is_end;	/* pipe_peek: no buffer stood behind these */
};

/* Room for at least one buffer: how many slots, at most `want`, are promised (a pipe_fill must follow); -EAGAIN, -EPIPE (SIGPIPE has been sent), -ERESTARTSYS */
__must_check int pipe_reserve(struct pipe *p, u32 want, bool nonblock);
/* Hands the batch over, or drops it (-EPIPE, if the last reader has gone); gives the rest of the promise back. */
__must_check int pipe_fill(struct pipe *p, const struct splice_batch *b, u32 n_reserved);
/* The right to what is at the tail: 1 (a pipe_drain_end must follow), 0 (empty, no writers), -EAGAIN (nothing there, or somebody else has the right). */
__must_check int pipe_drain_begin(struct pipe *p);
/* The buffers from the skip-th on, at most len bytes of them; no references of its own. Bytes. */
size_t pipe_peek(struct pipe *p, u32 skip, size_t len, struct splice_batch *b);
void pipe_drain_end(struct pipe *p, size_t used);	/* the first `used` bytes are taken out */
/* Moves (or shares) up to len bytes of buffers without waiting: bytes, 0 (empty, no writers), -EAGAIN, -EPIPE. */
__must_check ssize_t pipe_to_pipe(struct pipe *in, struct pipe *out, size_t len, bool keep);
__must_check int pipe_wait_input(struct pipe *p, bool nonblock);	/* -EAGAIN, -ERESTARTSYS */
__must_check int pipe_wait_room(struct pipe *p, bool nonblock);
__must_check int pipe_broken(void);	/* SIGPIPE and -EPIPE */

/* pipe_size.c */
__must_check int pipe_alloc_slots_locked(struct pipe *p);	/* -ENFILE, -ENOMEM */
void pipe_free_slots_locked(struct pipe *p);			/* drops what is in it */

#endif
