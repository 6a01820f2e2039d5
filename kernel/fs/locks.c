/* SPDX-License-Identifier: MPL-2.0 */
/*
 * File locks: flock(2), and fcntl(2)'s record locks, a process's or an open file description's.
 *
 * Each inode that was ever locked has a struct file_locks with two sets (locks_set.c): flock locks, and record locks, where both kinds exclude each other. Owners
 * are a descriptor table (a process's record locks: shared with those who share the table, let go at any close), or an open file.
 *
 * Who has to wait queues, in order, behind the owner of the first range that stands in the way. When an owner lets go or gets less, all who queue behind it
 * are tried again, oldest first: who can have the lock is given it there and then and woken; the others queue behind whoever is in the way now. So nobody is
 * woken in vain. A wait needs its memory before it starts: granting cannot fail.
 *
 * Deadlock (record locks of processes): `waits` knows for which owner each waiting owner waits; a chain that leads back to the newcomer ends in EDEADLK, at the
 * start of a wait or when a wait moves behind another owner.
 *
 * Locks: fl->lock covers both sets and everything that waits for them; waits_lock nests inside; all_lock (which files there are) nests in nothing. A waiter's struct is on its stack: it leaves only
 * after it has taken fl->lock once more.
 */
#include <lib/errno.h>
#include <frame/log.h>
#include <frame/spinlock.h>
#include "fs/locks.h"
#include "fs/locks_set.h"
#include "fs/vfs.h"
#include "mm/alloc.h"
#include "object/pid_ns.h"
#include "sched/sched.h"
#include "sync/wait.h"

#define CHAIN_MAX 1000		/* longer chains of waits are not followed: no deadlock is claimed */

struct file_locks {
	struct spinlock lock;
	struct lock_set records;	/* [lock] POSIX and OFD */
	struct lock_set flocks;		/* [lock] */
	struct inode *inode;		/* [I] */
	struct list all_node;		/* [all_lock] */
};

struct lock_wait {
	struct list node;		/* [fl->lock] in blocker->blocks, or a work list */
	struct lock_set *set;		/* [I] */
	const void *key;		/* [I] */
	const struct lock_request *rq;	/* [I] */
	struct lock_owner *blocker;	/* [fl->lock] */
	struct lock_spare spare;	/* [fl->lock] */
	struct task *task;		/* [I] */
	bool is_done;			/* [fl->lock; a] */
	bool is_listed;			/* [fl->lock] while locks_list is at work */
	int result;			/* [fl->lock] */
	struct rb_node waits_node;	/* [waits_lock] in waits, by key; POSIX only */
	const void *blocker_key;	/* [waits_lock] */
};

static struct spinlock waits_lock = SPINLOCK_INIT("lock waits");
static struct rb_root waits = RB_ROOT_INIT;	/* [waits_lock] */
static struct spinlock all_lock = SPINLOCK_INIT("all file locks");
static struct list all = LIST_INIT(all);	/* [all_lock] struct file_locks */

/* --- Deadlocks */

static void waits_add_locked(struct lock_wait *w)
{
	struct rb_node **link = &waits.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = (uintptr_t)w->key < (uintptr_t)rb_entry(parent, struct lock_wait, waits_node)->key ? &parent->left : &parent->right;
	}
	rb_link_node(&w->waits_node, parent, link);
	rb_insert_color(&w->waits_node, &waits);
}

static const struct lock_wait *waits_find_locked(const void *key)
{
	struct rb_node *node = waits.node;

	while (node) {
		const struct lock_wait *w = rb_entry(node, struct lock_wait, waits_node);

		if (w->key == key)
			return w;
		node = (uintptr_t)key < (uintptr_t)w->key ? node->left : node->right;
	}
	return NULL;
}

static bool leads_back_locked(const void *me, const void *blocker_key)
{
	for (u32 i = 0; i < CHAIN_MAX; i++) {
		const struct lock_wait *w = waits_find_locked(blocker_key);

		if (!w)
			return false;
		if (w->blocker_key == me)
			return true;
		blocker_key = w->blocker_key;
	}
	return false;
}

static void waits_remove(struct lock_wait *w)
{
	SPIN_GUARD(&waits_lock);
	if (rb_is_linked(&w->waits_node))
		rb_erase(&w->waits_node, &waits);
}

/* --- Waiting in the queue of an owner; fl->lock is held */

/* Queues behind the owner of `in_way`: 0, or -EDEADLK. */
static int block_locked(struct lock_wait *w, struct lock_range *in_way)
{
	if (w->rq->class == LOCK_CLASS_POSIX) {
		SPIN_GUARD(&waits_lock);
		if (leads_back_locked(w->key, in_way->owner->key))
			return -EDEADLK;
		w->blocker_key = in_way->owner->key;
		if (!rb_is_linked(&w->waits_node))
			waits_add_locked(w);
	}
	w->blocker = in_way->owner;
	list_push_back(&in_way->owner->blocks, &w->node);
	return 0;
}

static void finish_locked(struct lock_wait *w, int result)
{
	waits_remove(w);
	w->blocker = NULL;
	w->result = result;
	STORE_RELEASE(w->is_done, true);
	(void)sched_wake(w->task);
}

/* Takes what is asked, which nothing stands in the way of. */
static struct lock_owner *take_locked(struct lock_wait *w)
{
	struct lock_owner *o = lock_owner_get(w->set, w->key, w->rq->pid, &w->spare);

	lock_apply(w->set, o, w->rq->type, w->rq->start, w->rq->end, &w->spare);
	return o;
}

/* An owner holds less than before: those behind it are tried again. One who is granted may itself give something up by it (a write lock turned into a read lock),
 * so those behind him are tried too. */
static void retry_locked(struct lock_set *s, struct lock_owner *o)
{
	struct list todo = LIST_INIT(todo);

	list_splice_back(&todo, &o->blocks);
	lock_owner_drop(s, o);
	while (!list_empty(&todo)) {
		struct lock_wait *w = list_entry(list_pop_front(&todo), struct lock_wait, node);
		struct lock_range *in_way = lock_conflict(s, w->key, w->rq->type, w->rq->start, w->rq->end);
		int err;

		if (in_way) {
			err = block_locked(w, in_way);
			if (err)
				finish_locked(w, err);
			continue;
		}
		o = take_locked(w);
		finish_locked(w, 0);
		list_splice_back(&todo, &o->blocks);
	}
}

static void change_locked(struct lock_set *s, struct lock_owner *o, enum lock_type type, u64 start, u64 end, struct lock_spare *sp)
{
	lock_apply(s, o, type, start, end, sp);
	retry_locked(s, o);
}

/* --- Setting */

static struct file_locks *locks_of(struct inode *i)
{
	return LOAD_ACQUIRE(i->locks);
}

static struct file_locks *locks_get(struct inode *i)
{
	struct file_locks *fl = locks_of(i), *mine;
	void *nobody = NULL;

	if (fl)
		return fl;
	mine = kmalloc(sizeof(*mine), ALLOC_USER | ALLOC_ZERO);
	if (!mine)
		return NULL;
	spin_init(&mine->lock, "file locks");
	list_init(&mine->all_node);
	mine->inode = i;
	if (!__atomic_compare_exchange_n(&i->locks, &nobody, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		kfree(mine);
		return nobody;
	}
	SPIN_GUARD(&all_lock);
	list_push_back(&all, &mine->all_node);
	return mine;
}

static struct lock_set *set_of(struct file_locks *fl, enum lock_class class)
{
	return class == LOCK_CLASS_FLOCK ? &fl->flocks : &fl->records;
}

static const void *key_of(struct file *f, enum lock_class class)
{
	return class == LOCK_CLASS_POSIX ? (const void *)current_actor()->files : f;
}

/* Locked, unlocked, or in the way of something (-EAGAIN, with *in_way). */
static int try_locked(struct lock_wait *w, struct lock_range **in_way)
{
	const struct lock_request *rq = w->rq;
	struct lock_owner *o = lock_owner_find(w->set, w->key);

	/* flock(2): a conversion first lets the old lock go, and is not atomic. */
	if (o && rq->class == LOCK_CLASS_FLOCK) {
		const struct lock_range *old = rb_entry_or_null(rb_first(&o->ranges), struct lock_range, owner_node);

		if (old && old->type == rq->type)
			return 0;
		change_locked(w->set, o, LOCK_TYPE_NONE, 0, S64_MAX, &w->spare);
		o = NULL;
	}
	if (rq->type == LOCK_TYPE_NONE) {
		if (o)
			change_locked(w->set, o, LOCK_TYPE_NONE, rq->start, rq->end, &w->spare);
		return 0;
	}
	*in_way = lock_conflict(w->set, w->key, rq->type, rq->start, rq->end);
	if (*in_way)
		return -EAGAIN;
	retry_locked(w->set, take_locked(w));
	return 0;
}

static int sleep_until_done(struct lock_wait *w)
{
	int err = 0;

	for (;;) {
		sched_prepare_sleep(SLEEP_INTERRUPTIBLE);
		if (LOAD_ACQUIRE(w->is_done))
			break;
		err = waitq_sleep(SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
		if (err)
			break;
	}
	sched_cancel_sleep();
	return err;
}

/* The wait is over, one way or the other; its outcome. */
static int wait_done(struct file_locks *fl, struct lock_wait *w)
{
	int err = sleep_until_done(w);

	SPIN_GUARD(&fl->lock);
	if (w->is_done)
		return w->result;
	list_del(&w->node);
	waits_remove(w);
	return err;
}

int lock_set(struct file *f, const struct lock_request *rq)
{
	struct file_locks *fl = rq->type == LOCK_TYPE_NONE ? locks_of(f->inode) : locks_get(f->inode);
	struct lock_wait w = { .rq = rq, .key = key_of(f, rq->class), .task = current_task() };
	struct lock_range *in_way = NULL;
	bool must_wait = false;
	int err;

	if (!fl)
		return rq->type == LOCK_TYPE_NONE ? 0 : -ENOLCK;
	w.set = set_of(fl, rq->class);
	list_init(&w.node);
	err = lock_spare_fill(&w.spare);
	if (!err) {
		spin_lock(&fl->lock);
		err = try_locked(&w, &in_way);
		if (err == -EAGAIN && rq->can_wait) {
			err = block_locked(&w, in_way);
			must_wait = !err;
		}
		spin_unlock(&fl->lock);
	}
	if (must_wait)
		err = wait_done(fl, &w);
	lock_spare_drain(&w.spare);
	return err;
}

void lock_test(struct file *f, const struct lock_request *rq, struct lock_holder *out)
{
	struct file_locks *fl = locks_of(f->inode);
	struct lock_range *r;

	*out = (struct lock_holder){ .type = LOCK_TYPE_NONE };
	if (!fl)
		return;
	SPIN_GUARD(&fl->lock);
	r = lock_conflict(set_of(fl, rq->class), key_of(f, rq->class), rq->type, rq->start, rq->end);
	if (r)
		*out = (struct lock_holder){ r->type, r->start, r->end, r->owner->pid ? pid_get(r->owner->pid) : NULL };
}

/* --- Letting go */

/* The whole range goes: no memory is needed. */
static void release_locked(struct lock_set *s, const void *key)
{
	struct lock_owner *o = lock_owner_find(s, key);

	if (o)
		change_locked(s, o, LOCK_TYPE_NONE, 0, S64_MAX, NULL);
}

void locks_release_file(struct file *f)
{
	struct file_locks *fl = locks_of(f->inode);

	SPIN_GUARD(&fl->lock);
	release_locked(&fl->flocks, f);
	release_locked(&fl->records, f);
}

void locks_release_owner(struct fdtable *t, struct file *f)
{
	struct file_locks *fl = locks_of(f->inode);

	SPIN_GUARD(&fl->lock);
	release_locked(&fl->records, t);
}

void locks_free_inode(struct inode *i)
{
	struct file_locks *fl = i->locks;

	BUG_ON(!lock_set_is_empty(&fl->records) || !lock_set_is_empty(&fl->flocks));
	i->locks = NULL;
	spin_lock(&all_lock);
	list_del(&fl->all_node);
	spin_unlock(&all_lock);
	kfree(fl);
}

/* --- /proc */

struct listing {
	enum lock_class class;		/* POSIX: or OFD, as the owner is */
	struct lock_info *out;
	u32 n, max;
};

static void list_one(struct listing *l, enum lock_type type, u64 start, u64 end, const struct pid *pid, bool is_waiting)
{
	enum lock_class class = l->class == LOCK_CLASS_POSIX && !pid ? LOCK_CLASS_OFD : l->class;

	if (l->n < l->max)
		l->out[l->n] = (struct lock_info){ class, type, is_waiting, pid ? pid_nr(pid, &init_pid_ns) : -1, start, end };
	l->n++;
}

/* Those who wait for this range, and were not shown with an earlier one of its owner's. */
static void list_waiters(struct listing *l, const struct lock_range *r)
{
	struct lock_wait *w;

	list_for_each_entry(w, &r->owner->blocks, node) {
		const struct lock_request *rq = w->rq;

		if (w->is_listed || rq->start > r->end || rq->end < r->start || (rq->type == LOCK_TYPE_READ && r->type == LOCK_TYPE_READ))
			continue;
		w->is_listed = true;
		list_one(l, rq->type, rq->start, rq->end, rq->pid, true);
	}
}

static void list_owner(struct listing *l, struct lock_owner *o, bool has_waiters)
{
	struct lock_wait *w;

	list_for_each_entry(w, &o->blocks, node)
		w->is_listed = false;
	for (struct rb_node *node = rb_first(&o->ranges); node; node = rb_next(node)) {
		const struct lock_range *r = rb_entry(node, struct lock_range, owner_node);

		list_one(l, r->type, r->start, r->end, o->pid, false);
		if (has_waiters)
			list_waiters(l, r);
	}
}

static void list_set(struct listing *l, struct lock_set *s)
{
	for (struct rb_node *node = rb_first(&s->owners); node; node = rb_next(node))
		list_owner(l, rb_entry(node, struct lock_owner, node), true);
}

static void list_key(struct listing *l, struct lock_set *s, const void *key)
{
	struct lock_owner *o = lock_owner_find(s, key);

	if (o)
		list_owner(l, o, false);
}

u32 locks_list(struct inode *i, const struct file *f, const struct fdtable *t, struct lock_info *out, u32 max)
{
	struct listing l = { .class = LOCK_CLASS_FLOCK, .out = out, .max = max };
	struct file_locks *fl = locks_of(i);

	if (!fl)
		return 0;
	SPIN_GUARD(&fl->lock);
	if (f)
		list_key(&l, &fl->flocks, f);
	else
		list_set(&l, &fl->flocks);
	l.class = LOCK_CLASS_POSIX;
	if (f) {
		list_key(&l, &fl->records, f);
		list_key(&l, &fl->records, t);
	} else {
		list_set(&l, &fl->records);
	}
	return l.n;
}

struct inode *locks_next_inode(struct inode *prev)
{
	struct inode *found = NULL;
	struct list *node;

	spin_lock(&all_lock);
	for (node = prev ? locks_of(prev)->all_node.next : all.next; node != &all && !found; node = node->next) {
		struct inode *i = list_entry(node, struct file_locks, all_node)->inode;

		if (ref_try_get(&i->refs))
			found = i;
	}
	spin_unlock(&all_lock);
	if (prev)
		inode_put(prev);
	return found;
}
