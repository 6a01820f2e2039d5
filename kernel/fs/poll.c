/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Waiting for several files at once, and poll(2) on top of it; select(2) is in select.c.
 *
 * A first pass over the items asks each file for its events and lets it queue us on what may change them; queueing stops with the first file that is
 * ready. If none is, the task sleeps until a queue wakes it with an event that one of its waiters asked for, and asks all files again. Waiters hang on the
 * queues through all passes and are taken off at the end; the items' references keep the queues alive until then.
 *
 * No lock of its own. `is_woken` is set by wakers, under their queue's lock, before they wake the task, and cleared by the task before it looks again.
 */
#include <lib/errno.h>
#include "abi/poll.h"
#include "fs/fdtable.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "mm/alloc.h"
#include "object/uaccess.h"

#define CHUNK_ITEMS ((u32)((PAGE_SIZE - sizeof(struct poll_chunk)) / sizeof(struct poll_item)))
#define CHUNK_WAITERS ((u32)((PAGE_SIZE - sizeof(struct waiter_chunk)) / sizeof(struct poll_waiter)))
#define INLINE_WAITERS 8

u32 file_poll(struct file *f, struct poll_wait *pw)
{
	if (!f->ops->poll)
		return KPOLLIN | KPOLLOUT | KPOLLRDNORM | KPOLLWRNORM;
	return f->ops->poll(f, pw);
}

/* --- The set */

void poll_set_init(struct poll_set *s, u32 always)
{
	s->always = always;
	s->first = s->last = NULL;
	s->n = 0;
}

static struct poll_item *item_new(struct poll_set *s)
{
	struct poll_chunk *c = s->last;

	if (s->n < POLL_INLINE_ITEMS)
		return &s->items[s->n++];
	if (!c || c->n == c->max) {
		c = kmalloc(PAGE_SIZE, ALLOC_USER);
		if (!c)
			return NULL;
		c->next = NULL;
		c->n = 0;
		c->max = CHUNK_ITEMS;
		if (s->last)
			s->last->next = c;
		else
			s->first = c;
		s->last = c;
	}
	s->n++;
	return &c->items[c->n++];
}

int poll_set_add(struct poll_set *s, s32 fd, u32 events)
{
	struct poll_item *item = item_new(s);

	if (!item)
		return -ENOMEM;
	item->events = (u16)events;
	item->revents = 0;
	if (fd < 0 || fd_borrow(fd, &item->ref)) {
		item->ref.file = NULL;
		item->revents = fd < 0 ? 0 : KPOLLNVAL;
	}
	return 0;
}

struct poll_item *poll_set_next(struct poll_set *s, struct poll_cursor *c)
{
	if (c->done == s->n)
		return NULL;
	if (c->done < POLL_INLINE_ITEMS)
		return &s->items[c->done++];
	if (!c->chunk)
		c->chunk = s->first;
	if (c->i == c->chunk->n) {
		c->chunk = c->chunk->next;
		c->i = 0;
	}
	c->done++;
	return &c->chunk->items[c->i++];
}

void poll_set_end(struct poll_set *s)
{
	struct poll_cursor at = { 0 };
	struct poll_item *item;

	while ((item = poll_set_next(s, &at)))
		if (item->ref.file)
			fd_end(&item->ref);
	while (s->first) {
		struct poll_chunk *c = s->first;

		s->first = c->next;
		kfree(c);
	}
}

/* --- Waiting */

struct poller;

struct poll_waiter {
	struct waiter w;
	struct waitq *q;
	struct poller *poller;
	u32 events;
};

struct waiter_chunk {
	struct waiter_chunk *next;
	u32 n;
	struct poll_waiter waiters[];
};

struct poller {
	struct poll_wait pw;
	struct task *task;
	bool is_woken;			/* [a] */
	int error;			/* -ENOMEM: a waiter could not be queued */
	u32 n_inline;
	struct waiter_chunk *chunks;
	struct poll_waiter waiters[INLINE_WAITERS];
};

static bool wake_poller(struct waiter *w, u32 key)
{
	struct poll_waiter *pw = container_of(w, struct poll_waiter, w);
	struct poller *p = pw->poller;

	if (key && !(key & pw->events))
		return false;
	__atomic_store_n(&p->is_woken, true, __ATOMIC_SEQ_CST);
	return sched_wake(p->task);
}

static struct poll_waiter *waiter_new(struct poller *p)
{
	struct waiter_chunk *c = p->chunks;

	if (p->n_inline < INLINE_WAITERS)
		return &p->waiters[p->n_inline++];
	if (!c || c->n == CHUNK_WAITERS) {
		c = kmalloc(PAGE_SIZE, ALLOC_USER);
		if (!c)
			return NULL;
		c->n = 0;
		c->next = p->chunks;
		p->chunks = c;
	}
	return &c->waiters[c->n++];
}

static void queue_poller(struct poll_wait *wait, struct waitq *q)
{
	struct poller *p = container_of(wait, struct poller, pw);
	struct poll_waiter *pw = waiter_new(p);

	if (!pw) {
		p->error = -ENOMEM;
		wait->queue = NULL;
		return;
	}
	waiter_init_fn(&pw->w, wake_poller, NULL);
	pw->q = q;
	pw->poller = p;
	pw->events = wait->events;
	waitq_add(q, &pw->w);
}

static void unqueue_all(struct poller *p)
{
	for (u32 i = 0; i < p->n_inline; i++)
		waitq_remove(p->waiters[i].q, &p->waiters[i].w);
	while (p->chunks) {
		struct waiter_chunk *c = p->chunks;

		for (u32 i = 0; i < c->n; i++)
			waitq_remove(c->waiters[i].q, &c->waiters[i].w);
		p->chunks = c->next;
		kfree(c);
	}
}

/* Asks every file: how many items have events. */
static s64 look(struct poll_set *s, struct poller *p)
{
	struct poll_cursor at = { 0 };
	struct poll_item *item;
	s64 n = 0;

	while ((item = poll_set_next(s, &at))) {
		if (item->ref.file) {
			p->pw.events = item->events | s->always;
			item->revents = (u16)(file_poll(item->ref.file, p->pw.queue ? &p->pw : NULL) & p->pw.events);
		}
		if (!item->revents)
			continue;
		n++;
		p->pw.queue = NULL;
	}
	return n;
}

s64 poll_set_wait(struct poll_set *s, u64 deadline_ns)
{
	struct poller p FS_UNINITIALIZED;
	bool has_timed_out = deadline_ns == 0;
	s64 n;

	p.pw.queue = has_timed_out ? NULL : queue_poller;
	p.task = current_task();
	p.is_woken = false;
	p.error = 0;
	p.n_inline = 0;
	p.chunks = NULL;
	for (;;) {
		n = look(s, &p);
		p.pw.queue = NULL;
		if (!n && p.error)
			n = p.error;
		if (!n && current_interrupted())
			n = -ERESTARTNOHAND;
		if (n || has_timed_out)
			break;
		sched_prepare_sleep(SLEEP_INTERRUPTIBLE);
		if (__atomic_load_n(&p.is_woken, __ATOMIC_SEQ_CST))
			sched_cancel_sleep();
		else
			has_timed_out = waitq_sleep(SLEEP_INTERRUPTIBLE, deadline_ns) == -ETIMEDOUT;
		__atomic_store_n(&p.is_woken, false, __ATOMIC_SEQ_CST);
	}
	unqueue_all(&p);
	return n;
}

/* --- poll(2) */

#define COPY_FDS 32u

static int add_user_fds(struct poll_set *s, const struct poll_request *rq)
{
	struct pollfd fds[COPY_FDS] FS_UNINITIALIZED;
	int err = 0;

	for (u32 done = 0; done < rq->n && !err; done += COPY_FDS) {
		u32 n = min(rq->n - done, COPY_FDS);

		if (uget(fds, uaddr_add(rq->fds, done * sizeof(*fds)), n * sizeof(*fds)))
			return -EFAULT;
		for (u32 i = 0; i < n && !err; i++)
			err = poll_set_add(s, fds[i].fd, (u16)fds[i].events);
	}
	return err;
}

/* Only revents are written: the rest of the array is the program's. */
static int put_revents(struct poll_set *s, uaddr_t fds)
{
	struct poll_cursor at = { 0 };
	struct poll_item *item;

	for (; (item = poll_set_next(s, &at)); fds = uaddr_add(fds, sizeof(struct pollfd)))
		if (uput(uaddr_add(fds, offsetof(struct pollfd, revents)), &item->revents, sizeof(item->revents)))
			return -EFAULT;
	return 0;
}

s64 poll_run(const struct poll_request *rq)
{
	struct poll_set set FS_UNINITIALIZED;
	s64 n;

	if (rq->n > fd_limit())
		return -EINVAL;
	poll_set_init(&set, KPOLLERR | KPOLLHUP);
	n = add_user_fds(&set, rq);
	if (!n) {
		n = poll_set_wait(&set, rq->deadline_ns);
		if (put_revents(&set, rq->fds))
			n = -EFAULT;
	}
	poll_set_end(&set);
	return n;
}
