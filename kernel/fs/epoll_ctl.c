/* SPDX-License-Identifier: MPL-2.0 */
/* What an epoll watches: epoll_create(2), epoll_ctl(2), and the ends of epolls and of the files that they watch. Lifetimes and locks: epoll.c. */
#include <lib/errno.h>
#include <lib/printf.h>
#include "abi/fcntl.h"
#include "abi/process.h"
#include "fs/anon.h"
#include "fs/epoll.h"
#include "fs/epoll_internal.h"
#include "fs/user_count.h"
#include "mm/alloc.h"
#include "object/user_ns.h"

#define ALWAYS (EPOLLERR | EPOLLHUP)	/* told, asked for or not: epoll_ctl(2) */
#define EXCLUSIVE_OK (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

struct epoll_limits epoll_limits;

static struct slab_cache *item_cache, *waiter_cache;
static struct user_counts watches = USER_COUNTS_INIT("epoll watches");

/* epoll(7): a twenty-fifth of memory may go into what users watch. */
void epoll_init(void)
{
	struct mem_stat ms;

	item_cache = slab_create("epoll_item", sizeof(struct epoll_item), 0, 0, NULL);
	waiter_cache = slab_create("epoll_waiter", sizeof(struct epoll_waiter), 0, 0, NULL);
	mem_stat(&ms);
	epoll_limits.max_user_watches = ms.total * PAGE_SIZE / 25 / sizeof(struct epoll_item);
}

/* --- The watchers of a file */

static void watchers_init(struct file_watchers *w)
{
	spin_init(&w->lock, "file watchers");
	list_init(&w->items);
}

static struct file_watchers *watchers_of(struct file *f)
{
	struct file_watchers *w = LOAD_ACQUIRE(f->watchers), *mine, *nobody = NULL;

	if (w)
		return w;
	if (file_is_epoll(f)) {
		STORE_RELEASE(f->watchers, &((struct epoll *)f->private)->watchers);
		return f->watchers;
	}
	mine = kmalloc(sizeof(*mine), ALLOC_USER);
	if (!mine)
		return NULL;
	watchers_init(mine);
	if (__atomic_compare_exchange_n(&f->watchers, &nobody, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return mine;
	kfree(mine);
	return nobody;
}

/* --- The tree, under ep->mutex */

struct item_key {
	const struct file *file;
	s32 fd;
};

static int compare(const void *key, const struct rb_node *node)
{
	const struct epoll_item *it = container_of(node, const struct epoll_item, node);
	const struct item_key *k = key;

	if (k->file != it->file)
		return (u64)k->file < (u64)it->file ? -1 : 1;
	return k->fd < it->fd ? -1 : k->fd > it->fd;
}

static bool is_before(const struct rb_node *a, const struct rb_node *b)
{
	const struct epoll_item *it = container_of(a, const struct epoll_item, node);
	const struct item_key key = { it->file, it->fd };

	return compare(&key, b) < 0;
}

static struct epoll_item *find_locked(const struct epoll *ep, const struct file *file, s32 fd)
{
	const struct item_key key = { file, fd };
	struct rb_node *node = rb_find(&ep->items, &key, compare);

	return node ? container_of(node, struct epoll_item, node) : NULL;
}

/* The file may be gone on return. */
static void remove_locked(struct epoll_item *it)
{
	struct file_watchers *w = it->file->watchers;
	struct epoll *ep = it->ep;

	for (struct epoll_waiter *ew = &it->first, *next; ew; ew = next) {
		next = ew->next;
		if (ew->q)
			waitq_remove(ew->q, &ew->w);
		if (ew != &it->first)
			slab_free(waiter_cache, ew);
	}
	epoll_item_withdraw(it);
	rb_erase(&it->node, &ep->items);
	list_del(&it->nested_node);
	spin_lock(&w->lock);
	list_del(&it->file_node);
	spin_unlock(&w->lock);
	user_count_sub(ep->user, 1);
	slab_free(item_cache, it);
}

/* --- EPOLL_CTL_ADD */

struct first_poll {
	struct poll_wait pw;
	struct epoll_item *it;
	int error;
};

static struct epoll_waiter *waiter_new(struct epoll_item *it)
{
	struct epoll_waiter *ew;

	if (!it->first.q)
		return &it->first;
	ew = slab_alloc(waiter_cache, ALLOC_USER);
	if (!ew)
		return NULL;
	ew->next = it->first.next;
	it->first.next = ew;
	return ew;
}

static void queue_item(struct poll_wait *pw, struct waitq *q)
{
	struct first_poll *p = container_of(pw, struct first_poll, pw);
	struct epoll_waiter *ew = waiter_new(p->it);

	if (!ew) {
		p->error = -ENOMEM;
		pw->queue = NULL;
		return;
	}
	waiter_init_fn(&ew->w, epoll_item_wake, p->it);
	ew->q = q;
	if (p->it->events & EPOLLEXCLUSIVE)
		waitq_add_exclusive(q, &ew->w);
	else
		waitq_add(q, &ew->w);
}

static struct epoll_item *item_new(struct epoll *ep, struct file *file, s32 fd, const struct epoll_event *e)
{
	struct epoll_item *it = slab_alloc(item_cache, ALLOC_USER | ALLOC_ZERO);

	if (!it)
		return NULL;
	list_init(&it->nested_node);
	list_init(&it->ready_node);
	list_init(&it->file_node);
	it->ep = ep;
	it->file = file;
	it->fd = fd;
	it->events = e->events | ALWAYS;
	it->data = e->data;
	return it;
}

/* Into the tree and the file's list; then the file may call back, and what is true of it already counts as an event. */
static int link_locked(struct epoll_item *it, struct file_watchers *w)
{
	struct first_poll p = { .pw = { .queue = queue_item, .events = ~0u }, .it = it };
	u32 events;

	rb_add(&it->ep->items, &it->node, is_before);
	if (file_is_epoll(it->file))
		list_push_back(&it->ep->nested, &it->nested_node);
	spin_lock(&w->lock);
	list_push_back(&w->items, &it->file_node);
	spin_unlock(&w->lock);
	events = epoll_item_poll(it, &p.pw);
	if (p.error)
		remove_locked(it);
	else if (events & it->events)
		epoll_item_ready(it);
	return p.error;
}

static int add_locked(struct epoll *ep, s32 fd, struct file *file, const struct epoll_event *e)
{
	struct file_watchers *w = watchers_of(file);
	struct epoll_item *it;

	if (find_locked(ep, file, fd))
		return -EEXIST;
	if (!w)
		return -ENOMEM;
	if (!user_count_charge(ep->user, READ_ONCE(epoll_limits.max_user_watches)))
		return -ENOSPC;
	it = item_new(ep, file, fd, e);
	if (!it) {
		user_count_sub(ep->user, 1);
		return -ENOMEM;
	}
	return link_locked(it, w);
}

static int add(struct epoll *ep, s32 fd, struct file *file, const struct epoll_event *e)
{
	bool is_nested = file_is_epoll(file);
	int err = 0;

	if (is_nested) {
		epoll_nest_lock();
		err = epoll_nest_check(ep, file->private);
	}
	if (!err) {
		mutex_lock(&ep->mutex);
		err = add_locked(ep, fd, file, e);
		mutex_unlock(&ep->mutex);
	}
	if (is_nested)
		epoll_nest_unlock();
	return err;
}

/* --- EPOLL_CTL_MOD, EPOLL_CTL_DEL */

/* A wake-up before the new events are in place is seen by the poll, one after them by the item. */
static int modify_locked(struct epoll_item *it, const struct epoll_event *e)
{
	if (it->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	WRITE_ONCE(it->events, e->events | ALWAYS);
	it->data = e->data;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (epoll_item_poll(it, NULL) & it->events & ~EPOLL_OPTIONS)
		epoll_item_ready(it);
	return 0;
}

static int change(struct epoll *ep, s32 fd, const struct file *file, const struct epoll_event *e)
{
	struct epoll_item *it;

	MUTEX_GUARD(&ep->mutex);
	it = find_locked(ep, file, fd);
	if (!it)
		return -ENOENT;
	if (e)
		return modify_locked(it, e);
	remove_locked(it);
	return 0;
}

/* EPOLLEXCLUSIVE is for EPOLL_CTL_ADD of what is no epoll, with few other bits. */
static bool is_exclusive_ok(u32 op, const struct file *target, u32 events)
{
	if (!(events & EPOLLEXCLUSIVE))
		return true;
	return op == EPOLL_CTL_ADD && !file_is_epoll(target) && !(events & ~EXCLUSIVE_OK);
}

int epoll_control(struct file *f, u32 op, s32 fd, struct file *target, const struct epoll_event *event)
{
	struct epoll_event e;

	if (!target->ops->poll)
		return -EPERM;
	if (f == target || !file_is_epoll(f))
		return -EINVAL;
	if (op == EPOLL_CTL_DEL)
		return change(f->private, fd, target, NULL);
	if ((op != EPOLL_CTL_ADD && op != EPOLL_CTL_MOD) || !is_exclusive_ok(op, target, event->events))
		return -EINVAL;
	e = *event;
	if ((e.events & EPOLLWAKEUP) && !capable(&init_user_ns, CAP_BLOCK_SUSPEND))
		e.events &= ~EPOLLWAKEUP;
	return op == EPOLL_CTL_ADD ? add(f->private, fd, target, &e) : change(f->private, fd, target, &e);
}

/* --- Ends */

/* The epoll of the file's first watcher, referenced. */
static struct epoll *first_watcher(struct file_watchers *w)
{
	struct epoll_item *it;

	SPIN_GUARD(&w->lock);
	it = list_first_entry_or_null(&w->items, struct epoll_item, file_node);
	return it ? epoll_get(it->ep) : NULL;
}

/* The first watcher if it is of this epoll, whose mutex is held. */
static struct epoll_item *first_item_of(struct file_watchers *w, const struct epoll *ep)
{
	struct epoll_item *it;

	SPIN_GUARD(&w->lock);
	it = list_first_entry_or_null(&w->items, struct epoll_item, file_node);
	return it && it->ep == ep ? it : NULL;
}

void epoll_forget_file(struct file *f)
{
	struct file_watchers *w = f->watchers;
	struct epoll *ep;

	while ((ep = first_watcher(w))) {
		struct epoll_item *it;

		mutex_lock(&ep->mutex);
		while ((it = first_item_of(w, ep)))
			remove_locked(it);
		mutex_unlock(&ep->mutex);
		epoll_put(ep);
	}
	if (!file_is_epoll(f))
		kfree(w);
}

void epoll_release(struct file *f)
{
	struct epoll *ep = f->private;
	struct rb_node *node;

	mutex_lock(&ep->mutex);
	while ((node = ep->items.node))
		remove_locked(container_of(node, struct epoll_item, node));
	mutex_unlock(&ep->mutex);
	user_count_put(ep->user);
	epoll_put(ep);
}

s64 epoll_create(u32 flags)
{
	struct epoll *ep = kmalloc(sizeof(*ep), ALLOC_USER | ALLOC_ZERO);
	s64 fd = -ENOMEM;

	if (!ep)
		return -ENOMEM;
	ep->user = user_count_get(&watches, current_cred()->uid);
	if (!ep->user)
		goto free;
	ref_init(&ep->refs);
	mutex_init(&ep->mutex, "epoll");
	list_init(&ep->nested);
	spin_init_hard(&ep->lock, "epoll waking");
	list_init(&ep->ready);
	waitq_init(&ep->sleepers, "epoll sleepers");
	waitq_init(&ep->pollers, "epoll pollers");
	watchers_init(&ep->watchers);
	list_init(&ep->walk_node);
	fd = anon_fd_create("[eventpoll]", O_RDWR | (flags & O_CLOEXEC), &epoll_ops, ep);
	if (fd >= 0)
		return fd;
	user_count_put(ep->user);
free:
	kfree(ep);
	return fd;
}

/* --- /proc/PID/fdinfo: proc(5) */

void epoll_fdinfo(struct file *f, char *buf, size_t max)
{
	struct epoll *ep = f->private;
	struct epoll_item *it;
	size_t len = 0;

	MUTEX_GUARD(&ep->mutex);
	rb_for_each_entry(it, &ep->items, node)
		len += (size_t)scnprintf(buf + len, max - len, "tfd: %8d events: %8x data: %16lx  pos:%lu ino:%lx sdev:%lx\n", it->fd, it->events,
					 it->data, it->file->pos, it->file->inode->ino, dev_packed(it->file->inode->sb->dev));
}
