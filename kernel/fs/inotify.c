/* SPDX-License-Identifier: MPL-2.0 */
/*
 * inotify(7): a group of marks (notify.h) whose events queue up to be read.
 *
 * A watch is a mark with a number. It is in the instance's tree (by number) until it is removed, by a call, with its file, or after its one event; whoever takes it out
 * of the tree queues IN_IGNORED in the same step, so nothing follows that. Events hold the watch's number only.
 * Events are allocated before the lock is taken. Without memory, or with max_queued_events waiting, the event turns into IN_Q_OVERFLOW, which the instance
 * keeps ready.
 *
 * Locks: watch_mutex (calls that add or remove watches) → lock (queue, tree). Neither is held while a mark is put: its inode may go with it.
 */
#include <lib/errno.h>
#include <lib/printf.h>
#include <lib/rbtree.h>
#include <lib/string.h>
#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/tty.h"
#include "fs/anon.h"
#include "fs/inotify.h"
#include "fs/internal.h"
#include "fs/notify.h"
#include "fs/poll.h"
#include "fs/user_count.h"
#include "mm/alloc.h"
#include "object/uaccess.h"
#include "sched/sched.h"

_Static_assert(IN_ACCESS == NOTIFY_ACCESS && IN_MOVE_SELF == NOTIFY_MOVE_SELF && IN_UNMOUNT == NOTIFY_UNMOUNT && IN_ISDIR == NOTIFY_ISDIR &&
	       IN_ALL_EVENTS == NOTIFY_ALL, "events are told by inotify's numbers");

#define WATCH_MASK (IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT)	/* what a watch keeps of its mask */
#define EVENT_SIZE sizeof(struct inotify_event)

struct queued {
	struct list node;
	s32 wd;
	u32 mask, cookie;
	u32 name_len;			/* 0: no name */
	char name[];
};

#define WATCHES_LEAST 8192u		/* of max_user_watches at start */
#define WATCHES_MOST (1u << 20)
#define WATCH_BYTES 1024		/* about what a watch keeps in memory, with its inode */

struct inotify_limits inotify_limits = { .max_queued_events = 16384, .max_user_instances = 128, .max_user_watches = WATCHES_LEAST };

static struct user_counts all_instances = USER_COUNTS_INIT("inotify instances"), all_watches = USER_COUNTS_INIT("inotify watches");

/* One hundredth of memory, as Linux has it. */
void inotify_init_limits(void)
{
	struct mem_stat ms;

	mem_stat(&ms);
	inotify_limits.max_user_watches = (u32)clamp(ms.total * PAGE_SIZE / 100 / WATCH_BYTES, (u64)WATCHES_LEAST, (u64)WATCHES_MOST);
}

struct instance {
	struct notify_group group;
	struct user_count *instances, *watched;	/* [I] the user's */
	u32 max_events;			/* [I] */
	struct mutex watch_mutex;
	struct spinlock lock;
	struct list events;		/* [lock; a to see whether empty] struct queued */
	u32 n_events;			/* [lock] */
	u64 bytes;			/* [lock; a to read] that reading all of them takes */
	struct rb_root watches;		/* [lock] by number */
	s32 last_wd;			/* [lock] */
	struct waitq wait;		/* for events */
	struct queued overflow;		/* [lock] linked: queued */
};

struct watch {
	struct notify_mark mark;	/* mask: WATCH_MASK */
	struct rb_node node;		/* [lock] in watches */
	s32 wd;				/* [I] */
	bool is_listed;			/* [lock] */
	bool is_spent;			/* [lock] IN_ONESHOT: it has had its event */
};

static const struct file_ops inotify_ops;
static const struct notify_group_ops group_ops;

static struct instance *instance_of(const struct notify_mark *m)
{
	return container_of(m->group, struct instance, group);
}

static struct watch *watch_of(struct notify_mark *m)
{
	return container_of(m, struct watch, mark);
}

/* --- The queue */

/* The name and at least one NUL, so that the next event is aligned. */
static u32 padded_len(const struct queued *q)
{
	return q->name_len ? (u32)ALIGN_UP(q->name_len + 1, EVENT_SIZE) : 0;
}

static u64 size_of(const struct queued *q)
{
	return EVENT_SIZE + padded_len(q);
}

static struct queued *queued_new(s32 wd, u32 mask, const struct notify_event *e)
{
	u32 name_len = e && e->name ? e->name_len : 0;
	struct queued *q = kmalloc(sizeof(*q) + name_len, ALLOC_USER);

	if (!q)
		return NULL;
	list_init(&q->node);
	q->wd = wd;
	q->mask = mask;
	q->cookie = e ? e->cookie : 0;
	q->name_len = name_len;
	if (name_len)
		memcpy(q->name, e->name, name_len);
	return q;
}

static bool is_same(const struct queued *a, const struct queued *b)
{
	return a->wd == b->wd && a->mask == b->mask && a->cookie == b->cookie && a->name_len == b->name_len && !memcmp(a->name, b->name, a->name_len);
}

static void push_locked(struct instance *in, struct queued *q, bool is_front)
{
	if (is_front)
		list_push_front(&in->events, &q->node);
	else
		list_push_back(&in->events, &q->node);
	in->n_events++;
	WRITE_ONCE(in->bytes, in->bytes + size_of(q));
}

/* Takes the event over, or not: then it is to be freed. NULL: there was no memory for it. */
static bool queue_locked(struct instance *in, struct queued *q)
{
	if (!q || in->n_events >= in->max_events) {
		if (!list_is_linked(&in->overflow.node))
			push_locked(in, &in->overflow, false);
		return false;
	}
	if (!list_empty(&in->events) && is_same(list_last_entry(&in->events, struct queued, node), q))
		return false;
	push_locked(in, q, false);
	return true;
}

static void wake_readers(struct instance *in)
{
	if (waitq_is_active(&in->wait))
		waitq_wake(&in->wait, 0, KPOLLIN | KPOLLRDNORM);
}

/* --- Watches, seen by the core */

/* Once, whoever comes first. The caller holds a reference on the mark. */
static bool watch_remove(struct watch *w, bool is_told)
{
	struct instance *in = instance_of(&w->mark);
	struct queued *q = is_told ? queued_new(w->wd, IN_IGNORED, NULL) : NULL;
	bool was_listed;

	spin_lock(&in->lock);
	was_listed = w->is_listed;
	if (was_listed) {
		w->is_listed = false;
		rb_erase(&w->node, &in->watches);
		user_count_sub(in->watched, 1);
		if (is_told && queue_locked(in, q))
			q = NULL;
	}
	spin_unlock(&in->lock);
	kfree(q);
	if (!was_listed)
		return false;
	if (is_told)
		wake_readers(in);
	notify_mark_detach(&w->mark);
	return true;
}

static void on_event(struct notify_mark *m, const struct notify_event *e)
{
	struct instance *in = instance_of(m);
	struct watch *w = watch_of(m);
	u32 mask = READ_ONCE(m->mask);
	bool is_once = mask & IN_ONESHOT, is_told;
	struct queued *q;

	if ((mask & IN_EXCL_UNLINK) && e->file && e->is_unlinked)
		return;
	q = queued_new(w->wd, e->mask & (mask | IN_ISDIR | IN_UNMOUNT), e);
	spin_lock(&in->lock);
	is_told = w->is_listed && !w->is_spent;
	if (is_told) {
		w->is_spent = is_once;
		if (queue_locked(in, q))
			q = NULL;
	}
	spin_unlock(&in->lock);
	kfree(q);
	if (is_told)
		wake_readers(in);
	if (is_told && is_once)
		(void)watch_remove(w, true);
}

static void on_gone(struct notify_mark *m)
{
	(void)watch_remove(watch_of(m), true);
}

static void free_watch(struct notify_mark *m)
{
	kfree(watch_of(m));
}

static void free_instance(struct notify_group *g)
{
	kfree(container_of(g, struct instance, group));
}

static const struct notify_group_ops group_ops = { .event = on_event, .gone = on_gone, .free_mark = free_watch, .free_group = free_instance };

/* --- Watches, seen by the calls */

/* The first watch numbered `wd` or more; NULL. */
static struct watch *find_from_locked(const struct instance *in, s32 wd)
{
	struct rb_node *node = in->watches.node;
	struct watch *found = NULL;

	while (node) {
		struct watch *w = rb_entry(node, struct watch, node);

		if (w->wd >= wd) {
			found = w;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
}

/* Numbers go round: the next one that is free. */
static s32 next_wd_locked(struct instance *in)
{
	for (;;) {
		const struct watch *w;

		in->last_wd = in->last_wd == S32_MAX ? 1 : in->last_wd + 1;
		w = find_from_locked(in, in->last_wd);
		if (!w || w->wd != in->last_wd)
			return in->last_wd;
	}
}

static bool wd_less(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct watch, node)->wd < rb_entry(b, struct watch, node)->wd;
}

static s32 list_watch(struct instance *in, struct watch *w)
{
	SPIN_GUARD(&in->lock);
	w->wd = next_wd_locked(in);
	w->is_listed = true;
	rb_add(&in->watches, &w->node, wd_less);
	return w->wd;
}

static void unlist_watch(struct instance *in, struct watch *w)
{
	SPIN_GUARD(&in->lock);
	rb_erase(&w->node, &in->watches);
}

static s64 watch_new(struct instance *in, const struct path *p, u32 mask)
{
	struct watch *w;
	s32 wd;
	int err;

	if (!user_count_charge(in->watched, READ_ONCE(inotify_limits.max_user_watches)))
		return -ENOSPC;
	w = kmalloc(sizeof(*w), ALLOC_USER | ALLOC_ZERO);
	if (!w) {
		user_count_sub(in->watched, 1);
		return -ENOMEM;
	}
	wd = list_watch(in, w);		/* its number is known before the first event comes */
	err = notify_mark_attach(&in->group, &w->mark, p, mask & WATCH_MASK);
	if (!err)
		return wd;
	unlist_watch(in, w);
	kfree(w);
	user_count_sub(in->watched, 1);
	return err;
}

static s64 watch_change(struct notify_mark *m, const struct path *p, u32 mask)
{
	if (mask & IN_MASK_CREATE)
		return -EEXIST;
	if (mask & IN_MASK_ADD)
		mask |= READ_ONCE(m->mask);
	notify_mark_set(m, p, mask & WATCH_MASK);
	return watch_of(m)->wd;
}

s64 inotify_watch(struct file *f, const struct path *p, u32 mask)
{
	struct instance *in = f->private;
	s64 wd = inode_permission(p->dentry->inode, MAY_READ);
	struct notify_mark *m;

	if (wd)
		return wd;
	mutex_lock(&in->watch_mutex);
	m = notify_mark_find(&in->group, p);
	wd = m ? watch_change(m, p, mask) : watch_new(in, p, mask);
	mutex_unlock(&in->watch_mutex);
	if (m)
		notify_mark_put(m);
	return wd;
}

static struct watch *get_watch(struct instance *in, s32 wd)
{
	struct watch *w;

	SPIN_GUARD(&in->lock);
	w = find_from_locked(in, wd);
	return w && w->wd == wd && ref_try_get(&w->mark.refs) ? w : NULL;
}

int inotify_unwatch(struct file *f, s32 wd)
{
	struct instance *in = f->private;
	struct watch *w;
	bool was_there;

	mutex_lock(&in->watch_mutex);	/* so that one that is being made is wholly there */
	w = get_watch(in, wd);
	mutex_unlock(&in->watch_mutex);
	if (!w)
		return -EINVAL;
	was_there = watch_remove(w, true);
	notify_mark_put(&w->mark);
	return was_there ? 0 : -EINVAL;
}

/* --- The file */

static bool has_events(const struct instance *in)
{
	return !list_empty(&in->events);
}

/* The oldest event, if it fits (else -EINVAL). *head is what to tell: that one is anybody's again at once, if it is the overflow. */
static int pop(struct instance *in, size_t room, struct queued **out, struct queued *head)
{
	struct queued *q;

	*out = NULL;
	SPIN_GUARD(&in->lock);
	if (list_empty(&in->events))
		return 0;
	q = list_first_entry(&in->events, struct queued, node);
	if (size_of(q) > room)
		return -EINVAL;
	list_del(&q->node);
	in->n_events--;
	WRITE_ONCE(in->bytes, in->bytes - size_of(q));
	*head = *q;
	*out = q;
	return 0;
}

static bool give(const struct queued *head, const char *name, struct iov_iter *it)
{
	struct inotify_event e = { .wd = head->wd, .mask = head->mask, .cookie = head->cookie, .len = padded_len(head) };
	u32 pad = e.len - head->name_len;

	return iov_copy_to(it, &e, EVENT_SIZE) == EVENT_SIZE && iov_copy_to(it, name, head->name_len) == head->name_len && iov_zero(it, pad) == pad;
}

static void done_with(struct instance *in, struct queued *q, bool is_given)
{
	if (is_given && q != &in->overflow) {
		kfree(q);
	} else if (!is_given) {
		SPIN_GUARD(&in->lock);
		if (!list_is_linked(&q->node))
			push_locked(in, q, true);
	}
}

/* One event: its size, 0 if there is none. */
static ssize_t read_one(struct instance *in, struct iov_iter *it)
{
	struct queued *q, head;
	bool is_given;
	int err = pop(in, it->count, &q, &head);

	if (err || !q)
		return err;
	is_given = give(&head, q->name, it);
	done_with(in, q, is_given);
	return is_given ? (ssize_t)size_of(&head) : -EFAULT;
}

static ssize_t inotify_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct instance *in = f->private;
	ssize_t done = 0, n;

	(void)pos;
	for (;;) {
		n = read_one(in, it);
		if (n > 0)
			done += n;
		else if (n < 0 || done)
			return done ? done : n;
		else if (READ_ONCE(f->flags) & O_NONBLOCK)
			return -EAGAIN;
		else if (WAIT_EVENT(&in->wait, has_events(in), SLEEP_INTERRUPTIBLE, SLEEP_FOREVER))
			return -ERESTARTSYS;
	}
}

static u32 inotify_poll(struct file *f, struct poll_wait *pw)
{
	struct instance *in = f->private;

	poll_wait_on(pw, &in->wait);
	return has_events(in) ? KPOLLIN | KPOLLRDNORM : 0;
}

static s64 inotify_ioctl(struct file *f, u32 cmd, u64 arg)
{
	const struct instance *in = f->private;
	s32 n;

	if (cmd != FIONREAD)
		return -ENOIOCTLCMD;
	n = (s32)READ_ONCE(in->bytes);
	return uput(uaddr(arg), &n, sizeof(n));
}

/* One line of fdinfo, of the first watch from *wd on, which moves behind it: its length, 0 if there is none. proc(5) */
static size_t show_one(struct instance *in, s32 *wd, char *buf, size_t max)
{
	const struct watch *w;
	const struct inode *i;

	SPIN_GUARD(&in->lock);
	w = *wd < S32_MAX ? find_from_locked(in, *wd) : NULL;
	if (!w)
		return 0;
	*wd = w->wd + 1;
	i = w->mark.inode;
	return (size_t)snprintf(buf, max, "inotify wd:%x ino:%lx sdev:%lx mask:%x ignored_mask:0\n", w->wd, i ? i->ino : 0,
				i ? dev_packed(i->sb->dev) : 0, READ_ONCE(w->mark.mask));
}

static void inotify_show(struct file *f, char *buf, size_t max)
{
	size_t at = 0, n;
	s32 wd = 0;

	while (at < max && (n = show_one(f->private, &wd, buf + at, max - at)))
		at += n;
}

static struct watch *get_any(struct instance *in)
{
	struct watch *w;

	SPIN_GUARD(&in->lock);
	w = rb_entry_or_null(rb_first(&in->watches), struct watch, node);
	if (w && !ref_try_get(&w->mark.refs))
		BUG_ON(true);		/* listed ones have the instance's reference */
	return w;
}

static void uncount_for_user(struct instance *in)
{
	user_count_put(in->watched);
	user_count_sub(in->instances, 1);
	user_count_put(in->instances);
}

static void inotify_release(struct file *f)
{
	struct instance *in = f->private;
	struct watch *w;

	while ((w = get_any(in))) {
		(void)watch_remove(w, false);
		notify_mark_put(&w->mark);
	}
	for (;;) {
		struct queued *q, head;

		if (pop(in, SIZE_MAX, &q, &head) || !q)
			break;
		done_with(in, q, true);
	}
	uncount_for_user(in);
	notify_group_put(&in->group);
}

static const struct file_ops inotify_ops = {
	.read = inotify_read, .poll = inotify_poll, .ioctl = inotify_ioctl, .release = inotify_release, .show_fdinfo = inotify_show,
};

bool inotify_is(const struct file *f)
{
	return f->ops == &inotify_ops;
}

/* --- New instances */

static struct instance *instance_new(void)
{
	struct instance *in = kmalloc(sizeof(*in), ALLOC_USER | ALLOC_ZERO);

	if (!in)
		return NULL;
	notify_group_init(&in->group, &group_ops);
	in->max_events = READ_ONCE(inotify_limits.max_queued_events);
	mutex_init(&in->watch_mutex, "inotify watches");
	spin_init(&in->lock, "inotify");
	list_init(&in->events);
	rb_root_init(&in->watches);
	waitq_init(&in->wait, "inotify events");
	list_init(&in->overflow.node);
	in->overflow.wd = -1;
	in->overflow.mask = IN_Q_OVERFLOW;
	return in;
}

/* inotify(7) says the real user; running Linux takes the effective one. */
static int count_for_user(struct instance *in)
{
	kuid_t uid = current_cred()->euid;

	in->instances = user_count_get(&all_instances, uid);
	in->watched = in->instances ? user_count_get(&all_watches, uid) : NULL;
	if (!in->watched) {
		if (in->instances)
			user_count_put(in->instances);
		return -ENOMEM;
	}
	if (user_count_charge(in->instances, READ_ONCE(inotify_limits.max_user_instances)))
		return 0;
	user_count_put(in->watched);
	user_count_put(in->instances);
	return -EMFILE;
}

s64 inotify_create(u32 flags)
{
	struct instance *in = instance_new();
	s64 fd;

	if (!in)
		return -ENOMEM;
	fd = count_for_user(in);
	if (!fd) {
		fd = anon_fd_create("inotify", O_RDONLY | (flags & (O_CLOEXEC | O_NONBLOCK)), &inotify_ops, in);
		if (fd < 0)
			uncount_for_user(in);
	}
	if (fd < 0)
		notify_group_put(&in->group);
	return fd;
}
