/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Waiting for several files at once, and poll(2) on top of it; select(2) is in select.c.
 *
 * A first pass asks each file for its events and lets it queue us on what may change them; queueing stops with the first file that is ready. If none is,
 * the task sleeps until a queue wakes it with an event that one of its waiters asked for, and asks all files again. Waiters hang on the queues through
 * all passes and are taken off at the end. A waiter keeps its file, so its queue; each pass looks the descriptors up anew, as Linux does.
 *
 * No lock of its own. `is_woken` is set by wakers, under their queue's lock, before they wake the task, and cleared by the task before it looks again.
 */
#include <lib/errno.h>
#include "abi/poll.h"
#include "fs/poll_internal.h"
#include "mm/alloc.h"
#include "object/uaccess.h"

#define CHUNK_WAITERS ((u32)((PAGE_SIZE - sizeof(struct waiter_chunk)) / sizeof(struct poll_waiter)))

u32 file_poll(struct file *f, struct poll_wait *pw)
{
	if (!f->ops->poll)
		return POLL_ALWAYS;
	return f->ops->poll(f, pw);
}

struct waiter_chunk {
	struct waiter_chunk *next;
	u32 n;
	struct poll_waiter waiters[];
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

	if (p->n_inline < POLL_INLINE_WAITERS)
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
	pw->ref = p->ref;
	if (pw->ref.is_counted)
		file_get(pw->ref.file);
	waitq_add(q, &pw->w);
}

static void unqueue(struct poll_waiter *waiters, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		waitq_remove(waiters[i].q, &waiters[i].w);
		fd_end(&waiters[i].ref);
	}
}

static void unqueue_all(struct poller *p)
{
	unqueue(p->waiters, p->n_inline);
	while (p->chunks) {
		struct waiter_chunk *c = p->chunks;

		unqueue(c->waiters, c->n);
		p->chunks = c->next;
		kfree(c);
	}
}

u32 poll_ask_counted(struct poller *p, s32 fd, u32 events)
{
	struct fdref ref;
	u32 got;

	if (fd < 0)
		return 0;
	if (fd_borrow(fd, &ref))
		return KPOLLNVAL;
	got = poll_ask_file(p, ref, events);
	fd_end(&ref);
	return got;
}

s64 poll_until(s64 (*look)(struct poller *p, void *arg), void *arg, u64 deadline_ns)
{
	struct poller p __uninitialized;
	bool has_timed_out = deadline_ns == 0;
	s64 n;

	p.pw.queue = has_timed_out ? NULL : queue_poller;
	p.task = current_task();
	p.is_woken = false;
	p.error = 0;
	p.n_inline = 0;
	p.chunks = NULL;
	for (;;) {
		p.slots = fd_slots();
		n = look(&p, arg);
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

#define INLINE_FDS 32u
#define CHUNK_FDS ((u32)((PAGE_SIZE - sizeof(struct fds_chunk)) / sizeof(struct pollfd)))

/* The program's array, in pieces: the first on the stack. */
struct fds_chunk {
	struct fds_chunk *next;
	struct pollfd *fds;
	u32 n;
};

static void fds_free(struct fds_chunk *first)
{
	while (first->next) {
		struct fds_chunk *c = first->next;

		first->next = c->next;
		kfree(c);
	}
}

/* Beyond the first piece. */
static int fds_alloc(struct fds_chunk *last, u32 n)
{
	while (n) {
		struct fds_chunk *c = kmalloc(PAGE_SIZE, ALLOC_USER);

		if (!c)
			return -ENOMEM;
		*c = (struct fds_chunk){ NULL, (struct pollfd *)(c + 1), min(n, CHUNK_FDS) };
		last->next = c;
		last = c;
		n -= c->n;
	}
	return 0;
}

static int fds_get(struct fds_chunk *c, uaddr_t from)
{
	for (; c; from = uaddr_add(from, c->n * sizeof(*c->fds)), c = c->next)
		if (uget(c->fds, from, c->n * sizeof(*c->fds)))
			return -EFAULT;
	return 0;
}

/* Only revents are written: the rest of the array is the program's. */
static int fds_put(const struct fds_chunk *c, uaddr_t to)
{
	for (; c; to = uaddr_add(to, c->n * sizeof(*c->fds)), c = c->next)
		if (ucopy_to_u16s(current_uspace(), uaddr_add(to, offsetof(struct pollfd, revents)), (const u16 *)&c->fds->revents, c->n, sizeof(*c->fds)))
			return -EFAULT;
	return 0;
}

static s64 look_fds(struct poller *p, void *arg)
{
	s64 n = 0;

	for (struct fds_chunk *c = arg; c; c = c->next)
		for (struct pollfd *f = c->fds, *end = f + c->n; f < end; f++) {
			f->revents = (s16)poll_ask(p, f->fd, (u16)f->events | KPOLLERR | KPOLLHUP);
			if (!f->revents)
				continue;
			n++;
			poll_ask_no_more(p);
		}
	return n;
}

s64 poll_run(const struct poll_request *rq)
{
	struct pollfd inlined[INLINE_FDS] __uninitialized;
	struct fds_chunk first = { NULL, inlined, min(rq->n, INLINE_FDS) };
	s64 n;

	if (rq->n > fd_limit())
		return -EINVAL;
	n = fds_alloc(&first, rq->n - first.n);
	if (!n)
		n = fds_get(&first, rq->fds);
	if (!n) {
		n = poll_until(look_fds, &first, rq->deadline_ns);
		if (fds_put(&first, rq->fds))
			n = -EFAULT;
	}
	fds_free(&first);
	return n;
}
