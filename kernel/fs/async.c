/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Signal-driven I/O: see async.h.
 *
 * struct async is made at the first F_SETOWN, F_SETSIG or O_ASYNC of a file and lives as long as the file, and until a notification under way is done. A wake-up
 * may come from any context, under a queue's lock: it only queues the notification, at most one at a time, which then looks at the file and sends.
 * Lock: a->lock guards the fields marked [l]; innermost but for the references it takes.
 */
#include <lib/errno.h>
#include "abi/fcntl.h"
#include "abi/poll.h"
#include "fs/async.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "mm/alloc.h"
#include "object/pid.h"

#define ASYNC_QUEUES 4		/* as many as any poll method waits on */

struct async_waiter {
	struct waiter w;
	struct waitq *q;
};

struct async {
	struct ref refs;
	struct spinlock lock;
	struct file *file;		/* [l] NULL: closed */
	struct pid *pid;		/* [l] */
	enum sigio_owner type;		/* [l] */
	kuid_t uid, euid;		/* [l] of who set the owner */
	u32 sig;			/* [l] */
	s32 fd;				/* [l] */
	bool is_queued;			/* [a] the notification is on its way */
	bool is_lease_breaking;		/* [a] and that is its reason */
	struct deferred deferred;
	struct poll_wait pw;
	struct mutex mutex;		/* O_ASYNC on and off */
	u32 n_queues;			/* [mutex] */
	struct async_waiter queues[ASYNC_QUEUES];	/* [mutex] */
};

static void async_put(struct async *a)
{
	if (!ref_put(&a->refs))
		return;
	if (a->pid)
		pid_put(a->pid);
	kfree(a);
}

static struct async *async_get(struct file *f)
{
	struct async *a = LOAD_ACQUIRE(f->async), *mine;
	void *nobody = NULL;

	if (a)
		return a;
	mine = kmalloc(sizeof(*mine), ALLOC_USER | ALLOC_ZERO);
	if (!mine)
		return NULL;
	ref_init(&mine->refs);
	spin_init(&mine->lock, "async");
	mutex_init(&mine->mutex, "async queues");
	mine->file = f;
	if (__atomic_compare_exchange_n(&f->async, &nobody, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return mine;
	kfree(mine);
	return nobody;
}

/* --- A wake-up and what follows */

/* The file, if it is still open; and what to send. */
static struct file *snapshot(struct async *a, struct sigio *out)
{
	SPIN_GUARD(&a->lock);
	if (!a->file || !a->pid || !ref_try_get(&a->file->refs))
		return NULL;
	*out = (struct sigio){ .type = a->type, .pid = pid_get(a->pid), .uid = a->uid, .euid = a->euid, .sig = a->sig, .fd = a->fd };
	return a->file;
}

static void notify(struct deferred *d)
{
	struct async *a = container_of(d, struct async, deferred);
	struct sigio s;
	struct file *f;
	bool is_lease;

	__atomic_store_n(&a->is_queued, false, __ATOMIC_SEQ_CST);
	is_lease = __atomic_exchange_n(&a->is_lease_breaking, false, __ATOMIC_SEQ_CST);
	f = snapshot(a, &s);
	if (f) {
		s.events = is_lease ? POLLIN | POLLRDNORM | POLLMSG : file_poll(f, NULL);
		fs_policy_sigio(&s);
		pid_put(s.pid);
		file_put(f);
	}
	async_put(a);
}

static void queue_notification(struct async *a)
{
	if (__atomic_exchange_n(&a->is_queued, true, __ATOMIC_SEQ_CST))
		return;
	ref_get(&a->refs);
	a->deferred.fn = notify;
	fs_policy_defer(&a->deferred);
}

static bool wake_async(struct waiter *w, u32 key)
{
	(void)key;
	queue_notification(w->arg);
	return false;
}

void async_tell_lease(struct file *f)
{
	struct async *a = LOAD_ACQUIRE(f->async);

	if (!a)
		return;
	__atomic_store_n(&a->is_lease_breaking, true, __ATOMIC_SEQ_CST);
	queue_notification(a);
}

/* --- O_ASYNC */

static void queue_async(struct poll_wait *pw, struct waitq *q)
{
	struct async *a = container_of(pw, struct async, pw);
	struct async_waiter *aw = &a->queues[a->n_queues];

	BUG_ON(a->n_queues == ASYNC_QUEUES);
	a->n_queues++;
	aw->q = q;
	waiter_init_fn(&aw->w, wake_async, a);
	waitq_add(q, &aw->w);
}

static void unqueue_locked(struct async *a)
{
	while (a->n_queues) {
		struct async_waiter *aw = &a->queues[--a->n_queues];

		waitq_remove(aw->q, &aw->w);
	}
}

static void set_locked(struct async *a, struct file *f, s32 fd, bool on)
{
	spin_lock(&a->lock);
	a->fd = fd;
	spin_unlock(&a->lock);
	if (!on) {
		unqueue_locked(a);
		__atomic_fetch_and(&f->flags, ~(u32)FASYNC, __ATOMIC_RELAXED);
	} else if (!a->n_queues) {
		a->pw = (struct poll_wait){ .queue = queue_async, .events = ~0u };
		(void)file_poll(f, &a->pw);
		__atomic_fetch_or(&f->flags, FASYNC, __ATOMIC_RELAXED);
	}
}

int async_set(struct file *f, s32 fd, bool on, bool strict)
{
	struct async *a;

	if (!f->ops->poll)
		return strict ? -ENOTTY : 0;
	if (!on && !LOAD_ACQUIRE(f->async))
		return 0;
	a = async_get(f);
	if (!a)
		return -ENOMEM;
	MUTEX_GUARD(&a->mutex);
	set_locked(a, f, fd, on);
	return 0;
}

void async_release(struct file *f)
{
	struct async *a = f->async;

	mutex_lock(&a->mutex);
	unqueue_locked(a);
	mutex_unlock(&a->mutex);
	spin_lock(&a->lock);
	a->file = NULL;
	spin_unlock(&a->lock);
	f->async = NULL;
	async_put(a);
}

/* --- Owner and signal */

int async_set_owner(struct file *f, enum sigio_owner type, struct pid *pid)
{
	struct async *a = async_get(f);
	struct pid *old;

	if (!a)
		return -ENOMEM;
	spin_lock(&a->lock);
	old = a->pid;
	a->pid = pid ? pid_get(pid) : NULL;
	a->type = type;
	a->uid = current_cred()->uid;
	a->euid = current_cred()->euid;
	spin_unlock(&a->lock);
	if (old)
		pid_put(old);
	return 0;
}

void async_get_owner(struct file *f, enum sigio_owner *type, struct pid **pid)
{
	struct async *a = LOAD_ACQUIRE(f->async);

	*type = SIGIO_TO_PROCESS;
	*pid = NULL;
	if (!a)
		return;
	SPIN_GUARD(&a->lock);
	*type = a->type;
	*pid = a->pid ? pid_get(a->pid) : NULL;
}

int async_set_signal(struct file *f, u32 sig)
{
	struct async *a = async_get(f);

	if (!a)
		return -ENOMEM;
	SPIN_GUARD(&a->lock);
	a->sig = sig;
	return 0;
}

u32 async_get_signal(struct file *f)
{
	struct async *a = LOAD_ACQUIRE(f->async);

	if (!a)
		return 0;
	SPIN_GUARD(&a->lock);
	return a->sig;
}

int async_own(struct file *f, s32 fd)
{
	struct async *a = async_get(f);
	bool is_owned;

	if (!a)
		return -ENOMEM;
	spin_lock(&a->lock);
	a->fd = fd;
	is_owned = a->pid != NULL;
	spin_unlock(&a->lock);
	return is_owned ? 0 : async_set_owner(f, SIGIO_TO_PROCESS, fs_policy_current_pid());
}
