/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Waiting for several files: the one mechanism under poll, select, epoll. A file's poll method calls poll_wait_on for each wait queue that may change its answer,
 * then reads its state. Events are Linux's POLL* bits; wakers pass them as the waitq key.
 */
#ifndef FS_POLL_H
#define FS_POLL_H

#include <frame/ucopy.h>
#include "fs/fdtable.h"
#include "sync/wait.h"

struct file;

enum { KPOLLIN = 1, KPOLLPRI = 2, KPOLLOUT = 4, KPOLLERR = 8, KPOLLHUP = 0x10, KPOLLNVAL = 0x20, KPOLLRDNORM = 0x40, KPOLLRDBAND = 0x80,
       KPOLLWRNORM = 0x100, KPOLLWRBAND = 0x200, KPOLLMSG = 0x400, KPOLLRDHUP = 0x2000 };

struct poll_wait {
	void (*queue)(struct poll_wait *pw, struct waitq *q);	/* NULL once no more queueing is wanted */
	u32 events;						/* those asked for */
};

static inline void poll_wait_on(struct poll_wait *pw, struct waitq *q)
{
	if (pw && pw->queue)
		pw->queue(pw, q);
}

u32 file_poll(struct file *f, struct poll_wait *pw);

/*
 * One poll(2) or select(2): descriptors with the events asked for, in the order they were added; each holds its file from then on. The set lives on the
 * caller's stack; a few descriptors need no allocation.
 */
struct poll_item {
	struct fdref ref;		/* file NULL: none, or not open */
	u16 events, revents;
};

#define POLL_INLINE_ITEMS 8

struct poll_chunk {
	struct poll_chunk *next;
	u32 n, max;
	struct poll_item items[];
};

struct poll_set {
	struct poll_chunk *first, *last;	/* beyond the inline items; NULL: none */
	u32 n;					/* in all */
	u32 always;				/* events that are told, asked for or not */
	struct poll_item items[POLL_INLINE_ITEMS];
};

void poll_set_init(struct poll_set *s, u32 always);
/* fd < 0: an item that is never ready. One that is not open gets KPOLLNVAL at once. -ENOMEM */
__must_check int poll_set_add(struct poll_set *s, s32 fd, u32 events);
/* The items that have events (revents != 0), after waiting for one until the deadline (0: not at all); -ERESTARTNOHAND (a signal, and none is
 * ready), -ENOMEM. */
__must_check s64 poll_set_wait(struct poll_set *s, u64 deadline_ns);
void poll_set_end(struct poll_set *s);		/* lets go of files and memory */

/* Walks the items in order: struct poll_cursor c = { 0 }; while ((item = poll_set_next(s, &c))) … */
struct poll_cursor {
	struct poll_chunk *chunk;
	u32 i, done;
};
struct poll_item *poll_set_next(struct poll_set *s, struct poll_cursor *c);

/* --- poll(2) */
struct poll_request {
	uaddr_t fds;			/* struct pollfd[n] */
	u32 n;
	u64 deadline_ns;		/* 0: do not wait */
};
/* -EINVAL (n beyond RLIMIT_NOFILE), -EFAULT, -ENOMEM, -ERESTARTNOHAND; what is ready has been written to the user's array in each of the last two. */
__must_check s64 poll_run(const struct poll_request *rq);

/* --- select(2) */
struct select_request {
	s32 n;
	uaddr_t in, out, except;	/* fd_set of n bits, or NULL */
	u64 deadline_ns;
};
__must_check s64 select_run(const struct select_request *rq);	/* also -EBADF */

#endif
