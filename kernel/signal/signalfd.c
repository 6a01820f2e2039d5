/* SPDX-License-Identifier: MPL-2.0 */
/*
 * signalfd(2): signals that are read.
 *
 * The file is but a set. Which signals it has depends on who asks: those pending for the thread that reads or polls, and for its process, whoever made the file. So it
 * waits process by process: a listener is a wait queue of one file that the signals of one process wake. It is made when a thread of the process first waits
 * and belongs to the file, since pollers (epolls above all) may hang on it for as long as the file is open. When the process ends the listener
 * rests, and serves another process once nobody hangs on it any more.
 *
 * Locks: ends_lock → s->lock, ends_lock → group->lock. ends_lock holds up the end of files and of processes while a listener is tied to or untied from a process. A
 * sender finds the listeners of a process under its group->lock: the file is still there, as its end unties each under that lock.
 */
#include <lib/errno.h>
#include <lib/printf.h>
#include <lib/string.h>
#include "abi/event.h"
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "fs/anon.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "mm/alloc.h"
#include "mm/iov.h"
#include "signal/internal.h"
#include "signal/policy.h"
#include "signal/signalfd.h"

struct signalfd {
	sigset_k set;			/* [a] */
	struct spinlock_soft lock;
	struct rb_root listeners;	/* [lock] by group */
	struct list resting;		/* [lock] those whose process has ended */
};

struct listener {
	struct rb_node node;		/* [s->lock] */
	struct list resting_node;	/* [s->lock] */
	struct signalfd *s;		/* [I] */
	struct signal_group *group;	/* [s->lock] compared only */
	struct list group_node;		/* [group->lock] in group->signalfds */
	struct waitq wait;		/* readers and pollers */
};

static struct spinlock_soft ends_lock = SPINLOCK_INIT("signalfd ends");
static const struct file_ops signalfd_ops;

/* --- Listeners */

static int compare(const void *key, const struct rb_node *node)
{
	const struct signal_group *g = container_of(node, const struct listener, node)->group;

	return (u64)key < (u64)g ? -1 : (u64)key > (u64)g;
}

static bool is_before(const struct rb_node *a, const struct rb_node *b)
{
	return compare(container_of(a, const struct listener, node)->group, b) < 0;
}

static struct listener *find_locked(struct signalfd *s, const struct signal_group *g)
{
	struct rb_node *node = rb_find(&s->listeners, g, compare);

	return node ? container_of(node, struct listener, node) : NULL;
}

static struct listener *find(struct signalfd *s, const struct signal_group *g)
{
	SPIN_GUARD_SOFT(&s->lock);
	return find_locked(s, g);
}

static struct listener *reuse_locked(struct signalfd *s)
{
	struct listener *l;

	list_for_each_entry(l, &s->resting, resting_node) {
		if (waitq_is_active(&l->wait))
			continue;
		list_del(&l->resting_node);
		return l;
	}
	return NULL;
}

static struct listener *listener_new(struct signalfd *s)
{
	struct listener *l = kmalloc(sizeof(*l), ALLOC_USER | ALLOC_ZERO);

	if (!l)
		return NULL;
	list_init(&l->resting_node);
	list_init(&l->group_node);
	l->s = s;
	waitq_init(&l->wait, "signalfd");
	return l;
}

/* Ties a listener to the group, which has none yet unless another thread was faster. `fresh` is taken, or left for the caller to free. */
static struct listener *tie(struct signalfd *s, struct signal_group *g, struct listener **fresh)
{
	struct listener *l;

	SPIN_GUARD_SOFT(&ends_lock);
	spin_lock_soft(&s->lock);
	l = find_locked(s, g);
	if (l) {
		spin_unlock_soft(&s->lock);
		return l;
	}
	l = reuse_locked(s);
	if (!l) {
		l = *fresh;
		*fresh = NULL;
	}
	if (l) {
		l->group = g;
		rb_add(&s->listeners, &l->node, is_before);
	}
	spin_unlock_soft(&s->lock);
	if (l) {
		SPIN_GUARD_SOFT(&g->lock);
		list_push_back(&g->signalfds, &l->group_node);
	}
	return l;
}

/* The current process's; it stays as long as file and process do. NULL: no memory. */
static struct listener *listener_of_current(struct signalfd *s)
{
	struct signal_group *g = signal_current()->group;
	struct listener *l = find(s, g), *fresh;

	if (likely(l))
		return l;
	fresh = listener_new(s);
	l = tie(s, g, &fresh);
	kfree(fresh);
	return l;
}

void signalfd_notify_locked(struct signal_group *g, u32 sig)
{
	struct listener *l;

	list_for_each_entry(l, &g->signalfds, group_node)
		if (READ_ONCE(l->s->set) & sig_bit(sig))
			waitq_wake(&l->wait, 1, KPOLLIN);
}

static struct listener *take_listener(struct signal_group *g)
{
	struct list *node;

	SPIN_GUARD_SOFT(&g->lock);
	node = list_pop_front(&g->signalfds);
	return node ? container_of(node, struct listener, group_node) : NULL;
}

void signalfd_group_end(struct signal_group *g)
{
	struct listener *l;

	if (list_empty(&g->signalfds))	/* no thread is left to make one; who is about to take one off has group->lock, which our caller takes next */
		return;
	SPIN_GUARD_SOFT(&ends_lock);
	while ((l = take_listener(g))) {
		spin_lock_soft(&l->s->lock);
		rb_erase(&l->node, &l->s->listeners);
		list_push_back(&l->s->resting, &l->resting_node);
		spin_unlock_soft(&l->s->lock);
	}
}

/* --- read(2) */

enum kind { BY_USER, WITH_VALUE, TIMER, POLL, FAULT, CHILD, SYSCALL };

/* Which members of siginfo_t mean something: sigaction(2). */
static enum kind kind_of(const siginfo_t *in)
{
	if (in->si_code <= 0 || in->si_code >= SI_KERNEL) {
		if (in->si_code == SI_TIMER)
			return TIMER;
		if (in->si_code == SI_SIGIO)
			return POLL;
		return in->si_code < 0 ? WITH_VALUE : BY_USER;
	}
	switch (in->si_signo) {
	case KSIGILL:
	case KSIGFPE:
	case KSIGSEGV:
	case KSIGBUS:
	case KSIGTRAP:
		return FAULT;
	case KSIGCHLD:
		return CHILD;
	case KSIGSYS:
		return SYSCALL;
	default:
		return in->si_code <= NSIGPOLL ? POLL : BY_USER;
	}
}

static void fill_value(struct signalfd_siginfo *out, const siginfo_t *in)
{
	memcpy(&out->ssi_ptr, &in->si_ptr, sizeof(out->ssi_ptr));
	out->ssi_int = in->si_int;
}

static void fill_sender(struct signalfd_siginfo *out, const siginfo_t *in)
{
	out->ssi_pid = (u32)in->si_pid;
	out->ssi_uid = in->si_uid;
}

static void fill(struct signalfd_siginfo *out, const siginfo_t *in)
{
	*out = (struct signalfd_siginfo){ .ssi_signo = (u32)in->si_signo, .ssi_errno = in->si_errno, .ssi_code = in->si_code };
	switch (kind_of(in)) {
	case BY_USER:
		fill_sender(out, in);
		break;
	case WITH_VALUE:
		fill_sender(out, in);
		fill_value(out, in);
		break;
	case TIMER:
		out->ssi_tid = (u32)in->si_tid;
		out->ssi_overrun = (u32)in->si_overrun;
		fill_value(out, in);
		break;
	case POLL:
		out->ssi_band = (u32)in->si_band;
		out->ssi_fd = in->si_fd;
		break;
	case FAULT:
		memcpy(&out->ssi_addr, &in->si_addr, sizeof(out->ssi_addr));
		break;
	case CHILD:
		fill_sender(out, in);
		out->ssi_status = in->si_status;
		out->ssi_utime = (u64)in->si_utime;
		out->ssi_stime = (u64)in->si_stime;
		break;
	case SYSCALL:
		memcpy(&out->ssi_call_addr, &in->si_call_addr, sizeof(out->ssi_call_addr));
		out->ssi_syscall = in->si_syscall;
		out->ssi_arch = in->si_arch;
		break;
	}
}

/* A signal that could not be copied is lost, as on Linux. */
static int put_signal(struct iov_iter *it, const struct siginfo_k *info)
{
	struct signalfd_siginfo out;
	siginfo_t abi;

	siginfo_encode(info, &abi);
	fill(&out, &abi);
	return iov_copy_to(it, &out, sizeof(out)) == sizeof(out) ? 0 : -EFAULT;
}

static int wait_for_signal(struct signalfd *s)
{
	struct listener *l = listener_of_current(s);

	return l ? WAIT_EVENT(&l->wait, signal_is_pending(READ_ONCE(s->set)), SLEEP_INTERRUPTIBLE, SLEEP_FOREVER) : -ENOMEM;
}

static ssize_t signalfd_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct signalfd *s = f->private;
	ssize_t done = 0;

	(void)pos;
	if (it->count < sizeof(struct signalfd_siginfo))
		return -EINVAL;
	while (it->count >= sizeof(struct signalfd_siginfo)) {
		struct siginfo_k info;
		int err;

		while (!signal_take(READ_ONCE(s->set), &info)) {
			if (done)
				return done;
			err = READ_ONCE(f->flags) & O_NONBLOCK ? -EAGAIN : wait_for_signal(s);
			if (err)
				return err;
		}
		err = put_signal(it, &info);
		if (err)
			return done ? done : err;
		done += (ssize_t)sizeof(struct signalfd_siginfo);
	}
	return done;
}

/* --- The file */

static u32 signalfd_poll(struct file *f, struct poll_wait *pw)
{
	struct signalfd *s = f->private;

	if (current_actor()->is_kthread)	/* on behalf of nobody that has signals */
		return 0;
	if (pw && pw->queue) {
		struct listener *l = listener_of_current(s);

		if (!l)
			return KPOLLERR;	/* rather than wait for what would not wake us */
		poll_wait_on(pw, &l->wait);
	}
	return signal_is_pending(READ_ONCE(s->set)) ? KPOLLIN : 0;
}

static void signalfd_fdinfo(struct file *f, char *buf, size_t max)
{
	const struct signalfd *s = f->private;

	snprintf(buf, max, "sigmask:\t%016lx\n", READ_ONCE(s->set));
}

static void signalfd_release(struct file *f)
{
	struct signalfd *s = f->private;
	struct listener *l, *next_resting;
	struct rb_node *next;

	spin_lock_soft(&ends_lock);
	rb_for_each_entry(l, &s->listeners, node) {
		spin_lock_soft(&l->group->lock);
		list_del(&l->group_node);
		spin_unlock_soft(&l->group->lock);
	}
	spin_unlock_soft(&ends_lock);
	rb_for_each_entry_postorder_safe(l, next, &s->listeners, node)
		kfree(l);
	list_for_each_entry_safe(l, next_resting, &s->resting, resting_node)
		kfree(l);
	kfree(s);
}

static const struct file_ops signalfd_ops = {
	.release = signalfd_release,
	.read = signalfd_read,
	.lseek = anon_lseek,
	.poll = signalfd_poll,
	.show_fdinfo = signalfd_fdinfo,
};

s64 signalfd_create(sigset_k set, u32 flags)
{
	struct signalfd *s = kmalloc(sizeof(*s), ALLOC_USER | ALLOC_ZERO);
	s64 fd;

	if (!s)
		return -ENOMEM;
	s->set = set & ~SIGS_UNBLOCKABLE;
	spin_init_soft(&s->lock, "signalfd listeners");
	list_init(&s->resting);
	fd = anon_fd_create("[signalfd]", O_RDWR | (flags & (O_CLOEXEC | O_NONBLOCK)), &signalfd_ops, s);
	if (fd < 0)
		kfree(s);
	return fd;
}

/* Who waits may now wait for what has come already. */
int signalfd_change(struct file *f, sigset_k set)
{
	struct signalfd *s = f->private;
	struct listener *l;

	if (f->ops != &signalfd_ops)
		return -EINVAL;
	__atomic_store_n(&s->set, set & ~SIGS_UNBLOCKABLE, __ATOMIC_SEQ_CST);
	SPIN_GUARD_SOFT(&s->lock);
	rb_for_each_entry(l, &s->listeners, node)
		waitq_wake(&l->wait, 1, KPOLLIN);
	return 0;
}
