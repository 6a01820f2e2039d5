/* SPDX-License-Identifier: MPL-2.0 */
/*
 * File leases (fcntl(2), "Leases"): an open file's owner is told before somebody else opens or truncates the file, and has some time to put it in order.
 *
 * A lease is an open file's. A read lease exists only while nobody has the inode open for writing, a write lease only while nobody else has it open. Breakers count themselves in
 * first and then look for leases; who sets one puts it on the list first and then looks at the counts: one of them sees the other (the list's lock orders them).
 * A break gives the lease a target to come down to, and a time; whoever is in its way waits for a change of the list or for that time, when the lease comes down by itself.
 *
 * Lock: set->lock, innermost but for waking and the notification's.
 */
#include <lib/errno.h>
#include "abi/fcntl.h"
#include "abi/process.h"
#include "abi/stat.h"
#include "fs/async.h"
#include "fs/leases.h"
#include "fs/vfs.h"
#include "mm/alloc.h"
#include "object/user_ns.h"
#include "sync/wait.h"

struct lease {
	struct list node;	/* [set->lock] */
	struct file *file;	/* [I] */
	s32 type;		/* [set->lock] F_RDLCK, F_WRLCK */
	s32 target;		/* [set->lock] what it is to come down to while is_breaking */
	bool is_breaking;	/* [set->lock] */
	u64 deadline_ns;	/* [set->lock] while is_breaking */
};

struct lease_set {
	struct spinlock lock;
	struct list leases;	/* [lock] */
	struct waitq changed;
	u64 n_changes;		/* [lock; a] */
};

static struct lease_set *set_of(struct inode *i)
{
	return LOAD_ACQUIRE(i->leases);
}

static struct lease_set *set_get(struct inode *i)
{
	struct lease_set *s = set_of(i), *mine;
	void *nobody = NULL;

	if (s)
		return s;
	mine = kmalloc(sizeof(*mine), ALLOC_SLEEP | ALLOC_USER | ALLOC_ZERO);
	if (!mine)
		return NULL;
	spin_init(&mine->lock, "leases");
	list_init(&mine->leases);
	waitq_init(&mine->changed, "lease changes");
	if (__atomic_compare_exchange_n(&i->leases, &nobody, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return mine;
	kfree(mine);
	return nobody;
}

void leases_free_inode(struct inode *i)
{
	kfree(i->leases);
	i->leases = NULL;
}

/* --- with the lock held */

static struct lease *find(struct lease_set *s, const struct file *f)
{
	struct lease *l;

	list_for_each_entry(l, &s->leases, node)
		if (l->file == f)
			return l;
	return NULL;
}

static void note_change(struct lease_set *s)
{
	STORE_RELEASE(s->n_changes, s->n_changes + 1);
	waitq_wake_all(&s->changed);
}

/* F_UNLCK: it goes. A break that asked for this much, or less, is over. */
static void come_down(struct lease_set *s, struct lease *l, s32 type)
{
	note_change(s);
	if (type == F_UNLCK) {
		list_del(&l->node);
		kfree(l);
		return;
	}
	l->type = type;
	if (l->target == type)
		l->is_breaking = false;
}

/* Is the inode open to others in a way that such a lease excludes? */
static bool is_open_to_others(const struct file *f, s32 type)
{
	const struct inode *i = f->inode;
	s32 writers = __atomic_load_n(&i->n_writers, __ATOMIC_SEQ_CST), readers = __atomic_load_n(&i->n_readers, __ATOMIC_SEQ_CST);

	if (type == F_RDLCK)
		return writers > 0;
	return writers != ((f->mode & FMODE_WRITER) != 0) || readers != ((f->mode & FMODE_READER) != 0);
}

static bool excludes(struct lease_set *s, const struct file *f, s32 type)
{
	const struct lease *l;

	list_for_each_entry(l, &s->leases, node)
		if (l->file != f && (type == F_WRLCK || (l->is_breaking && l->target == F_UNLCK)))
			return true;
	return false;
}

/* --- setting */

static int add_locked(struct lease_set *s, struct file *f, s32 type, struct lease **spare)
{
	struct lease *l = find(s, f);

	if (excludes(s, f, type) || is_open_to_others(f, type))
		return -EAGAIN;
	if (l) {
		come_down(s, l, type);
		return 0;
	}
	l = *spare;
	*l = (struct lease){ .file = f, .type = type };
	list_push_back(&s->leases, &l->node);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);	/* pairs with the counting before lease_break */
	if (is_open_to_others(f, type)) {
		list_del(&l->node);
		return -EAGAIN;
	}
	*spare = NULL;
	return 0;
}

static int add(struct file *f, s32 fd, s32 type)
{
	struct lease_set *s = set_get(f->inode);
	struct lease *spare = kmalloc(sizeof(*spare), ALLOC_SLEEP | ALLOC_USER);
	int err = s && spare ? async_own(f, fd) : -ENOMEM;

	if (!err) {
		spin_lock(&s->lock);
		err = add_locked(s, f, type, &spare);
		spin_unlock(&s->lock);
	}
	kfree(spare);
	return err;
}

static int drop(struct file *f)
{
	struct lease_set *s = set_of(f->inode);
	struct lease *l;

	if (!s)
		return -EAGAIN;
	SPIN_GUARD(&s->lock);
	l = find(s, f);
	if (!l)
		return -EAGAIN;
	come_down(s, l, F_UNLCK);
	return 0;
}

int lease_set(struct file *f, s32 fd, s32 type)
{
	if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK)
		return -EINVAL;
	if (!kuid_eq(current_cred()->fsuid, f->inode->uid) && !capable(&init_user_ns, CAP_LEASE))
		return -EACCES;
	if (!S_ISREG(f->inode->mode) || (type != F_UNLCK && !READ_ONCE(fs_tunables.leases_enable)))
		return -EINVAL;
	return type == F_UNLCK ? drop(f) : add(f, fd, type);
}

s32 lease_get(struct file *f)
{
	struct lease_set *s = set_of(f->inode);
	const struct lease *l;

	if (!s)
		return F_UNLCK;
	SPIN_GUARD(&s->lock);
	l = find(s, f);
	return !l ? F_UNLCK : l->is_breaking ? l->target : l->type;
}

void lease_release(struct file *f)
{
	(void)!drop(f);
}

/* --- breaking. Locked: the time of the first lease in the way to come down by itself; 0: none is in the way. */

static void begin_break(struct lease *l, s32 target)
{
	u64 seconds = READ_ONCE(fs_tunables.lease_break_time);

	if (l->is_breaking && (l->target == target || l->target == F_UNLCK))
		return;			/* has been told, of this or more */
	l->deadline_ns = seconds ? clock_now_ns() + seconds * NSEC_PER_SEC : SLEEP_FOREVER;
	l->is_breaking = true;
	l->target = target;
	async_tell_lease(l->file);
}

static u64 break_locked(struct lease_set *s, bool is_write)
{
	struct lease *l, *next;
	u64 first = 0;

	list_for_each_entry_safe(l, next, &s->leases, node) {
		if (!is_write && l->type != F_WRLCK)
			continue;
		begin_break(l, is_write ? F_UNLCK : F_RDLCK);
		if (l->deadline_ns <= clock_now_ns())
			come_down(s, l, l->target);
		else
			first = first ? min(first, l->deadline_ns) : l->deadline_ns;
	}
	return first;
}

int lease_break(struct inode *i, bool is_write, bool is_nonblock)
{
	struct lease_set *s = set_of(i);

	for (;;) {
		u64 until, seen;
		int err;

		spin_lock(&s->lock);
		until = break_locked(s, is_write);
		seen = s->n_changes;
		spin_unlock(&s->lock);
		if (!until)
			return 0;
		if (is_nonblock)
			return -EWOULDBLOCK;
		err = WAIT_EVENT(&s->changed, LOAD_ACQUIRE(s->n_changes) != seen, SLEEP_INTERRUPTIBLE, until);
		if (err && err != -ETIMEDOUT)
			return err;
	}
}
