/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Waiting for one of several descriptors, for poll.c and select.c: a pass asks each with poll_ask.
 *
 * A pass over a table that nobody shares reads the table's slots in place: only this thread could change them, and it does not while it asks. If others share
 * the table each file is referenced while it is asked.
 */
#ifndef FS_POLL_INTERNAL_H
#define FS_POLL_INTERNAL_H

#include "fs/fdtable.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "sync/wait.h"

#define POLL_INLINE_WAITERS 8

struct poller;
struct waiter_chunk;

struct poll_waiter {
	struct waiter w;
	struct waitq *q;
	struct poller *poller;
	struct fdref ref;		/* keeps q */
	u32 events;
};

struct poller {
	struct poll_wait pw;
	struct fd_slots slots;		/* of this pass */
	struct fdref ref;		/* the file that is being asked, while pw.queue is set */
	struct task *task;
	bool is_woken;			/* [a] */
	int error;			/* -ENOMEM: a waiter could not be queued */
	u32 n_inline;
	struct waiter_chunk *chunks;
	struct poll_waiter waiters[POLL_INLINE_WAITERS];
};

/*
 * look(p, arg) asks each descriptor and returns how many are ready (or -errno, which ends the wait). It is called again after each wake that may matter, until
 * something is ready or the deadline (0: do not wait) has passed.
 * What look returned; 0 at the deadline; -ERESTARTNOHAND (a signal, and nothing is ready), -ENOMEM.
 */
__must_check s64 poll_until(s64 (*look)(struct poller *p, void *arg), void *arg, u64 deadline_ns);

u32 poll_ask_counted(struct poller *p, s32 fd, u32 events);	/* what is not among p->slots */

static inline u32 poll_ask_file(struct poller *p, struct fdref ref, u32 events)
{
	struct poll_wait *pw = NULL;

	if (p->pw.queue) {
		p->pw.events = events;
		p->ref = ref;
		pw = &p->pw;
	}
	return (likely(ref.file->ops->poll) ? ref.file->ops->poll(ref.file, pw) : POLL_ALWAYS) & events;
}

/* Those of `events` that the descriptor has now; KPOLLNVAL alone: not open; nothing for negative ones. Of look only. */
static inline u32 poll_ask(struct poller *p, s32 fd, u32 events)
{
	struct file *f;

	if (unlikely((u32)fd >= p->slots.n))
		return poll_ask_counted(p, fd, events);
	f = p->slots.files[(u32)fd];
	if (unlikely(!f || (f->mode & FMODE_PATH)))
		return KPOLLNVAL;
	return poll_ask_file(p, (struct fdref){ f, false }, events);
}

/* One is ready: the others need not wake us. */
static inline void poll_ask_no_more(struct poller *p)
{
	p->pw.queue = NULL;
}

#endif
