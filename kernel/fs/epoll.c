/* SPDX-License-Identifier: MPL-2.0 */
/*
 * epoll(7): waiting for many files at a cost that does not grow with their number.
 *
 * An epoll has an item for each (open file, descriptor) that it watches. The item's waiter hangs on the file's wait queue as long as it is watched. A wake-up there
 * puts the item on a stack, ep->woken, without a lock, and wakes one sleeper; it asks nothing. epoll_wait(2) moves what is on the stack to the ready list and scans
 * that: it polls each item's file, reports what is true of it, and leaves level-triggered ones on the list, so that the next scan asks again. An item that
 * turns out not to be ready leaves the list.
 *
 * Wake-ups come from any context, hard interrupts too, under the lock of the file's queue. So what they do takes only hard locks: that of ep->sleepers (and inside
 * it a run queue). Epolls that poll an epoll are woken not from within, but by a loop around: each epoll whose pollers are to be woken is put on a list of this
 * CPU, once, and the outermost wake-up works through it. However the epolls are nested, no two locks of a kind are held at a time, the stack does not
 * grow, and an epoll that can be reached on many ways is not woken by each. Interrupts are off throughout and an epoll is freed by RCU, so one on the list
 * needs no reference.
 *
 * The ready list, and everything about items but being woken, belongs to who has ep->mutex. An item is taken off the stack before its file is asked (with a barrier, the
 * exchange of is_woken): what happens from then on puts it there again. So no event is lost between the question and the report, and a scan takes
 * no lock but the mutex. What stays ready stays on the list, so that who looks without the mutex does not find an epoll empty that is not.
 *
 * User memory is written with ep->mutex held and therefore without faulting; if a page is not there the item stays, the scan ends, the page is made
 * present and the scan begun anew.
 *
 * Lifetime. An item holds no reference on its file, a file none on its epolls. An item ends by EPOLL_CTL_DEL, by the end of its epoll, or by the end of its
 * file (epoll_forget_file, before the file is released), whichever comes first; all three take ep->mutex, and the file's end takes it for one epoll after the other,
 * with a reference on it, until no item is left. So whoever has ep->mutex has all of its items, and their files are not released.
 * An item leaves the wait queues first (no callback runs after waitq_remove), then the ready list, then its file's list of watchers: only then may the file go.
 *
 * Lock order: nest mutex → ep->mutex (watcher → watched) → what poll methods take, queues' locks → ep->lock | ep->sleepers → run queue | ep->pollers → ep->lock …
 * of the next. ep->mutex → file_watchers.lock.
 */
#include <lib/errno.h>
#include <frame/percpu.h>
#include <frame/preempt.h>
#include "fs/anon.h"
#include "fs/epoll.h"
#include "fs/epoll_internal.h"
#include "mm/alloc.h"
#include "object/current.h"
#include "object/uaccess.h"

/* --- Waking */

/* Epolls whose pollers this CPU is to wake. Interrupts off. */
struct wake_list {
	struct epoll *first, *last;
	bool is_running;
};
static PERCPU(struct wake_list, wakes);

/* Interrupts are off. If the epoll is on another CPU's list already, that CPU takes it off, under ep->lock, before it wakes: the pollers it wakes see what
 * has been woken until now. */
static void wake_pollers(struct epoll *ep)
{
	struct wake_list *here = this_cpu(wakes);
	bool was_waking;

	spin_lock_hard(&ep->lock);
	was_waking = ep->is_waking;
	ep->is_waking = true;
	spin_unlock_hard(&ep->lock);
	if (was_waking)
		return;
	ep->next_waking = NULL;
	if (here->first)
		here->last->next_waking = ep;
	else
		here->first = ep;
	here->last = ep;
	if (here->is_running)
		return;
	here->is_running = true;
	while ((ep = here->first)) {
		here->first = ep->next_waking;
		spin_lock_hard(&ep->lock);
		ep->is_waking = false;
		spin_unlock_hard(&ep->lock);
		waitq_wake(&ep->pollers, 0, KPOLLIN | KPOLLRDNORM);
	}
	here->is_running = false;
}

/* Something has been put on ep->woken or ep->ready. True if somebody was woken for it here. */
static bool announce(struct epoll *ep)
{
	bool is_taken = waitq_is_active(&ep->sleepers) && waitq_wake(&ep->sleepers, 1, 0);

	if (waitq_is_active(&ep->pollers))
		wake_pollers(ep);
	return is_taken;
}

static void push_woken(struct epoll *ep, struct epoll_item *it)
{
	if (__atomic_exchange_n(&it->is_woken, true, __ATOMIC_SEQ_CST))
		return;
	it->next_woken = READ_ONCE(ep->woken);
	while (!__atomic_compare_exchange_n(&ep->woken, &it->next_woken, it, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
}

/* An exclusive item (EPOLLEXCLUSIVE) has consumed the wake-up if somebody was waiting. */
bool epoll_item_wake(struct waiter *w, u32 key)
{
	struct epoll_item *it = w->arg;
	u32 events;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* the file has changed, then we look at the events: epoll_ctl(2) does it the other way round */
	events = READ_ONCE(it->events);
	if (!(events & ~EPOLL_OPTIONS) || (key && !(key & events)))
		return false;
	push_woken(it->ep, it);
	return announce(it->ep);
}

static void make_ready(struct epoll_item *it)
{
	if (!list_is_linked(&it->ready_node))
		list_push_back(&it->ep->ready, &it->ready_node);
}

/* The bottom of a stack that is being moved: what was on it is on neither, but `woken` is not NULL. */
static struct epoll_item moving;

static __noinline void take_woken_slow(struct epoll *ep)
{
	struct epoll_item *it = __atomic_exchange_n(&ep->woken, &moving, __ATOMIC_SEQ_CST), *first = NULL, *next;

	for (; it && it != &moving; it = next) {	/* oldest first */
		next = it->next_woken;
		it->next_woken = first;
		first = it;
	}
	for (it = first; it; it = next) {
		next = it->next_woken;
		(void)__atomic_exchange_n(&it->is_woken, false, __ATOMIC_SEQ_CST);
		make_ready(it);
	}
	it = &moving;		/* stays where others have been put on it meanwhile */
	(void)__atomic_compare_exchange_n(&ep->woken, &it, NULL, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* ep->mutex is held. */
static inline void take_woken(struct epoll *ep)
{
	if (READ_ONCE(ep->woken))
		take_woken_slow(ep);
}

void epoll_item_ready(struct epoll_item *it)
{
	irq_disable();
	make_ready(it);
	announce(it->ep);
	irq_enable();
}

void epoll_item_withdraw(struct epoll_item *it)
{
	take_woken(it->ep);
	list_del(&it->ready_node);
}

/* --- Asking an item's file, which has a poll method: epoll_control sees to that */

static u32 poll_at(struct epoll *ep, struct poll_wait *pw, u32 depth);

/* No deeper than EPOLL_NEST_MAX: epoll_nest.c sees to that. */
static inline u32 item_poll(const struct epoll_item *it, struct poll_wait *pw, u32 depth)
{
	return unlikely(file_is_epoll(it->file)) ? poll_at(it->file->private, pw, depth + 1) : it->file->ops->poll(it->file, pw);
}

u32 epoll_item_poll(const struct epoll_item *it, struct poll_wait *pw)
{
	return item_poll(it, pw, 0);
}

/* --- Scanning what is ready. ep->mutex is held. */

/* If anything is left another sleeper may have it. */
static inline void scan_end(struct epoll *ep)
{
	if (!list_empty(&ep->ready) && waitq_is_active(&ep->sleepers))
		waitq_wake(&ep->sleepers, 1, 0);
}

/* Reports the item if it has events: 1, 0, or -EFAULT. */
static inline int report(const struct epoll_item *it, uaddr_t to)
{
	struct epoll_event e = { .events = item_poll(it, NULL, 0) & it->events & ~EPOLL_OPTIONS, .data = it->data };

	if (!e.events)
		return 0;
	return ucopy_nofault_to(current_uspace(), to, &e, sizeof(e)) ? -EFAULT : 1;
}

/* The item has been asked. Level-triggered ones that were reported stay, to be asked again after all others; who looks at the list meanwhile does not find it empty. */
static inline void settle(struct epoll *ep, struct epoll_item *it, bool is_reported)
{
	if (is_reported && !(it->events & (EPOLLONESHOT | EPOLLET))) {
		if (ep->ready.prev != &it->ready_node)
			list_move_back(&ep->ready, &it->ready_node);
		return;
	}
	if (is_reported && (it->events & EPOLLONESHOT))
		WRITE_ONCE(it->events, it->events & EPOLL_OPTIONS);	/* no wake-up wants it any more */
	list_del(&it->ready_node);
}

static s64 scan_locked(struct epoll *ep, uaddr_t to, u32 max)
{
	const struct list *last = ep->ready.prev;	/* beyond it are those to be asked by the next scan */
	bool is_over = list_empty(&ep->ready);
	u32 n = 0;

	while (!is_over && n < max) {
		struct epoll_item *it = list_first_entry(&ep->ready, struct epoll_item, ready_node);
		int got = report(it, uaddr_add(to, n * sizeof(struct epoll_event)));

		if (unlikely(got < 0))
			return n ? (s64)n : got;
		is_over = &it->ready_node == last;
		settle(ep, it, got);
		n += (u32)got;
	}
	return n;
}

static s64 scan(struct epoll *ep, uaddr_t to, u32 max)
{
	s64 n;

	MUTEX_GUARD(&ep->mutex);
	take_woken(ep);
	n = scan_locked(ep, to, max);
	scan_end(ep);
	return n;
}

/* --- epoll_wait(2) */

#define PREFAULT_EVENTS 1024u

/* Without the mutex. What has been woken is always on the one or, before it leaves that, on the other. */
static inline bool looks_available(const struct epoll *ep)
{
	return LOAD_ACQUIRE(ep->woken) || !list_empty(&ep->ready);
}

/* Makes room for at least one event present; for as many as are likely, if that can be. */
static int prefault(uaddr_t to, u32 max)
{
	struct uspace *us = current_uspace();
	int err = ucopy_prefault(us, to, sizeof(struct epoll_event), true);

	if (!err && max > 1)
		(void)!ucopy_prefault(us, to, min(max, PREFAULT_EVENTS) * sizeof(struct epoll_event), true);
	return err;
}

/* Apart from epoll_wait, which often has nothing to do. */
static __noinline s64 wait_until(struct epoll *ep, uaddr_t events, u32 max, u64 deadline_ns)
{
	bool has_timed_out = deadline_ns == 0;

	for (;;) {
		if (looks_available(ep)) {
			s64 n = scan(ep, events, max);

			if (n == -EFAULT && !current_killed() && !prefault(events, max))
				continue;
			if (n)
				return n;
		}
		if (has_timed_out)
			return 0;
		if (current_interrupted())
			return -EINTR;	/* never restarted: signal(7) */
		/* Whatever ends it, the list is looked at once more: a wake-up that was ours alone is not lost. */
		has_timed_out = WAIT_EVENT_EXCLUSIVE(&ep->sleepers, looks_available(ep), SLEEP_INTERRUPTIBLE, deadline_ns) == -ETIMEDOUT;
	}
}

s64 epoll_wait(struct file *f, uaddr_t events, u32 max, u64 deadline_ns)
{
	if (unlikely(!file_is_epoll(f)))
		return -EINVAL;
	if (!deadline_ns && !looks_available(f->private))
		return 0;
	return wait_until(f->private, events, max, deadline_ns);
}

/* --- Polling an epoll: it is readable if one of its items has events */

static bool has_events(struct epoll *ep, u32 depth)
{
	bool is_ready = false;

	take_woken(ep);
	while (!is_ready && !list_empty(&ep->ready)) {
		struct epoll_item *it = list_first_entry(&ep->ready, struct epoll_item, ready_node);

		is_ready = item_poll(it, NULL, depth) & it->events & ~EPOLL_OPTIONS;
		if (!is_ready)
			list_del(&it->ready_node);
	}
	scan_end(ep);
	return is_ready;
}

static u32 poll_at(struct epoll *ep, struct poll_wait *pw, u32 depth)
{
	bool is_ready;

	poll_wait_on(pw, &ep->pollers);
	if (!looks_available(ep))
		return 0;
	mutex_lock_nested(&ep->mutex, depth);
	is_ready = has_events(ep, depth);
	mutex_unlock(&ep->mutex);
	return is_ready ? KPOLLIN | KPOLLRDNORM : 0;
}

static u32 epoll_poll(struct file *f, struct poll_wait *pw)
{
	return poll_at(f->private, pw, 0);
}

/* --- The file */

const struct file_ops epoll_ops = {
	.release = epoll_release,
	.lseek = anon_lseek,
	.poll = epoll_poll,
	.show_fdinfo = epoll_fdinfo,
};

static void epoll_free(struct rcu_head *head)
{
	kfree(container_of(head, struct epoll, rcu));
}

void epoll_put(struct epoll *ep)
{
	if (ref_put(&ep->refs))
		rcu_call(&ep->rcu, epoll_free);
}
