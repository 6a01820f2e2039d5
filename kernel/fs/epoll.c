/* SPDX-License-Identifier: MPL-2.0 */
/*
 * epoll(7): waiting for many files at a cost that does not grow with their number.
 *
 * An epoll has an item for each (open file, descriptor) that it watches. The item's waiter hangs on the file's wait queue as long as it is watched. A wake-up there
 * moves the item to the epoll's ready list and wakes one sleeper; it asks nothing. epoll_wait(2) scans the ready list: it polls each item's file, reports
 * what is true of it, and leaves level-triggered ones on the list, so that the next scan asks again. An item that turns out not to be ready leaves the list.
 *
 * Wake-ups come from any context, hard interrupts too, under the lock of the file's queue. So waking takes only hard locks: ep->lock, then, after it, the
 * lock of ep->sleepers (and inside that a run queue). Epolls that poll an epoll are woken not from within, but by a loop around: each epoll whose pollers
 * are to be woken is put on a list of this CPU, once, and the outermost wake-up works through it. However the epolls are nested, no two locks of a kind
 * are held at a time, the stack does not grow, and an epoll that can be reached on many ways is not woken by each. Interrupts are off throughout and an epoll
 * is freed by RCU, so one on the list needs no reference.
 *
 * A scan has the ready list to itself: it goes through it without ep->lock, ep->mutex keeps the items. While is_scanning is set wake-ups put their item on ep->late,
 * wherever else it is; the end of the scan makes those ready that are not. So no event is lost between the question and the report, and a scan takes
 * ep->lock twice, whatever the number of events. Outside scans ep->late is empty.
 * User memory is written with ep->mutex held and therefore without faulting; if a page is not there the item goes back, the scan ends, the page is made
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
 * has been put on ep->ready until now. */
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

/* Something has been put on ep->ready. True if somebody was woken for it here. */
static bool announce(struct epoll *ep)
{
	bool is_taken = waitq_is_active(&ep->sleepers) && waitq_wake(&ep->sleepers, 1, 0);

	if (waitq_is_active(&ep->pollers))
		wake_pollers(ep);
	return is_taken;
}

/* An exclusive item (EPOLLEXCLUSIVE) has consumed the wake-up if somebody was waiting. */
bool epoll_item_wake(struct waiter *w, u32 key)
{
	struct epoll_item *it = w->arg;
	struct epoll *ep = it->ep;
	bool is_wanted;

	spin_lock_hard(&ep->lock);
	is_wanted = (it->events & ~EPOLL_OPTIONS) && (!key || (key & it->events));
	if (is_wanted && ep->is_scanning) {
		if (!list_is_linked(&it->late_node))
			list_push_back(&ep->late, &it->late_node);
	} else if (is_wanted && !list_is_linked(&it->ready_node)) {
		list_push_back(&ep->ready, &it->ready_node);
	}
	spin_unlock_hard(&ep->lock);
	return is_wanted && announce(ep);
}

/* ep->mutex is held, so nobody scans. */
void epoll_item_ready(struct epoll_item *it)
{
	struct epoll *ep = it->ep;

	irq_disable();
	spin_lock_hard(&ep->lock);
	if (!list_is_linked(&it->ready_node))
		list_push_back(&ep->ready, &it->ready_node);
	spin_unlock_hard(&ep->lock);
	announce(ep);
	irq_enable();
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

static inline void scan_begin(struct epoll *ep)
{
	SPIN_GUARD_HARD(&ep->lock);
	ep->is_scanning = true;
}

/* Woken while others were asked: ready, unless the scan left it so. */
static __attribute__((noinline)) void make_late_ready_locked(struct epoll *ep)
{
	struct list *node;

	while ((node = list_pop_front(&ep->late))) {
		struct epoll_item *it = container_of(node, struct epoll_item, late_node);

		if (!list_is_linked(&it->ready_node))
			list_push_back(&ep->ready, &it->ready_node);
	}
}

/* If anything is left another sleeper may have it. */
static inline void scan_end(struct epoll *ep)
{
	bool has_more;

	spin_lock_hard(&ep->lock);
	if (unlikely(!list_empty(&ep->late)))
		make_late_ready_locked(ep);
	ep->is_scanning = false;
	has_more = !list_empty(&ep->ready);
	spin_unlock_hard(&ep->lock);
	if (has_more && waitq_is_active(&ep->sleepers))
		waitq_wake(&ep->sleepers, 1, 0);
}

static void disarm(struct epoll_item *it)
{
	SPIN_GUARD_HARD(&it->ep->lock);
	it->events &= EPOLL_OPTIONS;
}

/* Reports the item if it has events: 1, 0, or -EFAULT. */
static inline int report(const struct epoll_item *it, uaddr_t to)
{
	struct epoll_event e = { .events = item_poll(it, NULL, 0) & it->events & ~EPOLL_OPTIONS, .data = it->data };

	if (!e.events)
		return 0;
	return ucopy_nofault_to(current_uspace(), to, &e, sizeof(e)) ? -EFAULT : 1;
}

/* The item has been asked and is not on the list now. Level-triggered ones that were reported are asked again, after all others. */
static inline void settle(struct epoll *ep, struct epoll_item *it, bool is_reported)
{
	if (!is_reported)
		return;
	if (it->events & EPOLLONESHOT)
		disarm(it);
	else if (!(it->events & EPOLLET))
		list_push_back(&ep->ready, &it->ready_node);
}

static s64 scan_locked(struct epoll *ep, uaddr_t to, u32 max)
{
	struct list *node, *last = ep->ready.prev;	/* beyond it are those to be asked by the next scan */
	u32 n = 0;

	while (n < max && (node = list_pop_front(&ep->ready))) {
		struct epoll_item *it = container_of(node, struct epoll_item, ready_node);
		int got = report(it, uaddr_add(to, n * sizeof(struct epoll_event)));

		if (unlikely(got < 0)) {
			list_push_front(&ep->ready, node);
			return n ? (s64)n : got;
		}
		settle(ep, it, got);
		n += (u32)got;
		if (node == last)
			break;
	}
	return n;
}

static s64 scan(struct epoll *ep, uaddr_t to, u32 max)
{
	s64 n;

	MUTEX_GUARD(&ep->mutex);
	scan_begin(ep);
	n = scan_locked(ep, to, max);
	scan_end(ep);
	return n;
}

/* --- epoll_wait(2) */

#define PREFAULT_EVENTS 1024u

static bool is_available(struct epoll *ep)
{
	SPIN_GUARD_HARD(&ep->lock);
	return ep->is_scanning || !list_empty(&ep->ready);
}

/* Without the lock: may say no wrongly, but only while another thread's scan ends and the next begins. Nobody goes to sleep by it. */
static inline bool looks_available(const struct epoll *ep)
{
	return !list_empty(&ep->ready) || READ_ONCE(ep->is_scanning) || !list_empty(&ep->ready);
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
static __attribute__((noinline)) s64 wait_until(struct epoll *ep, uaddr_t events, u32 max, u64 deadline_ns)
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
		has_timed_out = WAIT_EVENT_EXCLUSIVE(&ep->sleepers, is_available(ep), SLEEP_INTERRUPTIBLE, deadline_ns) == -ETIMEDOUT;
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

	scan_begin(ep);
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
	if (!is_available(ep))
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
