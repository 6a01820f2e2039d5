/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Waiting for several files: the one mechanism under poll, select, epoll. A file's poll method calls poll_wait_on for each wait queue that may change its answer,
 * then reads its state. Events are Linux's POLL* bits; wakers pass them as the waitq key.
 */
#ifndef FS_POLL_H
#define FS_POLL_H

#include <frame/ucopy.h>
#include "sync/wait.h"

struct file;

enum { KPOLLIN = 1, KPOLLPRI = 2, KPOLLOUT = 4, KPOLLERR = 8, KPOLLHUP = 0x10, KPOLLNVAL = 0x20, KPOLLRDNORM = 0x40, KPOLLRDBAND = 0x80,
       KPOLLWRNORM = 0x100, KPOLLWRBAND = 0x200, KPOLLMSG = 0x400, KPOLLRDHUP = 0x2000 };

struct poll_wait {
	void (*queue)(struct poll_wait *pw, struct waitq *q);	/* NULL once no more queueing is wanted */
	u32 events;						/* those asked for */
};

/* The barrier stands between being on the queue and looking at the state: wakers change the state, fence, and look at the queue (waitq_is_active). */
static inline void poll_wait_on(struct poll_wait *pw, struct waitq *q)
{
	if (pw && pw->queue) {
		pw->queue(pw, q);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
}

#define POLL_ALWAYS (KPOLLIN | KPOLLOUT | KPOLLRDNORM | KPOLLWRNORM)	/* files without a poll method */
u32 file_poll(struct file *f, struct poll_wait *pw);

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
