/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of epoll share: epoll.c (waking, waiting), epoll_ctl.c (what is watched), epoll_nest.c (epolls that watch epolls). */
#ifndef FS_EPOLL_INTERNAL_H
#define FS_EPOLL_INTERNAL_H

#include <lib/list.h>
#include <lib/rbtree.h>
#include <frame/rcu.h>
#include <frame/spinlock.h>
#include "abi/event.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "object/ref.h"
#include "sync/mutex.h"
#include "sync/wait.h"

struct user_count;

/* Bits of `events` that are no events. */
#define EPOLL_OPTIONS (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)
#define EPOLL_NEST_MAX 5	/* epolls in a chain, each watching the next: epoll_ctl(2), ELOOP */

/* Who watches an open file: made when it is first watched, lives as long as the file. An epoll's own is part of it. */
struct file_watchers {
	struct spinlock lock;		/* innermost */
	struct list items;		/* [lock] struct epoll_item by file_node */
};

struct epoll {
	struct ref refs;		/* its file, and who has met it through an item */
	struct rcu_head rcu;
	struct mutex mutex;		/* what is watched, and a scan of what is ready. Of nested ones the watcher's first, the watched one's as subclass */
	struct rb_root items;		/* [mutex] struct epoll_item by (file, descriptor) */
	struct list nested;		/* [mutex] those whose file is an epoll, by nested_node */
	struct user_count *user;	/* [I] whose watches they are */
	struct list ready;		/* [mutex; a if empty] struct epoll_item by ready_node */
	struct epoll_item *woken;	/* [a] a stack by next_woken: to be put on `ready` */
	struct spinlock_hard lock;	/* taken under the locks of other wait queues; inside it nothing */
	bool is_waking;			/* [lock] on a CPU's list of epolls whose pollers are to be woken */
	struct epoll *next_waking;	/* [that CPU, interrupts off] */
	struct waitq sleepers;		/* in epoll_wait(2) */
	struct waitq pollers;		/* who polls this epoll: other epolls, poll(2) … */
	struct file_watchers watchers;	/* of its own file */
	struct list walk_node;		/* [nest mutex] */
	u64 walk;			/* [nest mutex] */
};

struct epoll_waiter {
	struct waiter w;		/* its arg is the item */
	struct waitq *q;		/* [I] NULL: not used */
	struct epoll_waiter *next;	/* [I after the first poll] */
};

/* One file that one epoll watches. Exists while it is in ep->items; ep->mutex held keeps it, and its file from being released. */
struct epoll_item {
	struct rb_node node;		/* [ep->mutex] */
	struct list nested_node;	/* [ep->mutex] */
	struct list ready_node;		/* [ep->mutex] linked: it may have events */
	struct epoll_item *next_woken;	/* [who put it on ep->woken, then who took it off] */
	bool is_woken;			/* [a] it is on ep->woken */
	struct list file_node;		/* [file's watchers' lock] */
	struct epoll *ep;		/* [I] */
	struct file *file;		/* [I] no reference */
	s32 fd;				/* [I] */
	u32 events;			/* [a, ep->mutex to change] */
	u64 data;			/* [ep->mutex] */
	struct epoll_waiter first;	/* on one wait queue of the file; most have but one */
};

/* --- epoll.c */
extern const struct file_ops epoll_ops;
bool epoll_item_wake(struct waiter *w, u32 key);		/* the waiters' fn */
/* With ep->mutex held: */
void epoll_item_ready(struct epoll_item *it);
void epoll_item_withdraw(struct epoll_item *it);		/* neither ready nor woken any more; it is on no wait queue */
u32 epoll_item_poll(const struct epoll_item *it, struct poll_wait *pw);

static inline bool file_is_epoll(const struct file *f)
{
	return f->ops == &epoll_ops;
}

static inline struct epoll *epoll_get(struct epoll *ep)
{
	ref_get(&ep->refs);
	return ep;
}
void epoll_put(struct epoll *ep);				/* any context */

/* --- epoll_ctl.c */
void epoll_release(struct file *f);
void epoll_fdinfo(struct file *f, char *buf, size_t max);

/* --- epoll_nest.c. The lock is held until the registration has been made. */
void epoll_nest_lock(void);
void epoll_nest_unlock(void);
__must_check int epoll_nest_check(struct epoll *outer, struct epoll *inner);	/* -ELOOP */

#endif
