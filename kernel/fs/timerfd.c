/* SPDX-License-Identifier: MPL-2.0 */
/*
 * timerfd_create(2): timers that are read.
 *
 * `expiry_ns` is a time of the real clock for absolute timers on CLOCK_REALTIME, else of the monotonic one; the machine does not suspend, so CLOCK_BOOTTIME and the
 * alarm clocks are the same. The kernel timer is only a hint to look: who finds the clock short of `expiry_ns` sets it again. A periodic timer fires once and
 * then rests until it is read or asked for: only then are the periods that have passed counted and the timer set again, so that the shortest period costs
 * nothing. A timer that has once been absolute on the real clock listens to changes of that clock until it is closed.
 *
 * Locks: t->lock (hard: the clock's changes are told under the lock of their queue) guards [l]; inside it only the timer base. t->wait is woken after it.
 */
#include <frame/clock.h>
#include <lib/errno.h>
#include <lib/printf.h>
#include "abi/event.h"
#include "abi/fcntl.h"
#include "abi/process.h"
#include "abi/time.h"
#include "fs/anon.h"
#include "fs/poll.h"
#include "fs/timerfd.h"
#include "fs/vfs.h"
#include "mm/alloc.h"
#include "mm/iov.h"
#include "object/uaccess.h"
#include "object/user_ns.h"
#include "time/timer.h"
#include "time/wall.h"

struct timerfd {
	struct spinlock_hard lock;
	s32 clock;			/* [I] CLOCK_* */
	u32 flags;			/* [l] TFD_TIMER_* of the last timerfd_settime(2) */
	bool is_real;			/* [l] expiry_ns is a time of the real clock */
	bool is_armed;			/* [l] will expire at expiry_ns */
	bool has_expired;		/* [l] did, and if periodic waits to be looked at */
	bool is_cancelable;		/* [l] TFD_TIMER_CANCEL_ON_SET holds */
	u32 seen_changes;		/* [l] wall_seq() that the program has been told of */
	u64 expiry_ns, interval_ns;	/* [l] */
	u64 ticks;			/* [l, a to read] */
	struct timer timer;
	struct waiter clock_change;	/* on wall_changes() */
	struct waitq wait;		/* readers and pollers */
};

static const struct file_ops timerfd_ops;

/* --- under t->lock */

static u64 now_locked(const struct timerfd *t)
{
	return t->is_real ? (u64)max(wall_now_ns(), 0) : wall_monotonic_ns();
}

static u64 deadline_locked(const struct timerfd *t)
{
	return t->is_real ? wall_to_deadline((s64)t->expiry_ns) : wall_monotonic_to_deadline(t->expiry_ns);
}

/* Sees to an armed timer: expires it or sets the kernel's. True if it has expired: t->wait is to be woken. */
static bool look_locked(struct timerfd *t)
{
	u64 deadline_ns = deadline_locked(t);

	if (deadline_ns) {
		timer_set(&t->timer, deadline_ns);
		return false;
	}
	t->is_armed = false;
	t->has_expired = true;
	WRITE_ONCE(t->ticks, t->ticks + 1);
	return true;
}

/* Moves a periodic timer's expiry beyond now: the periods that have begun. 0 if the clock was set back behind the expiry. */
static u64 forward_locked(struct timerfd *t)
{
	u64 now = now_locked(t), n;

	if (now < t->expiry_ns)
		return 0;
	n = (now - t->expiry_ns) / t->interval_ns + 1;
	t->expiry_ns = min(t->expiry_ns + n * t->interval_ns, (u64)S64_MAX);
	return n;
}

static bool is_resting_locked(const struct timerfd *t)
{
	return t->has_expired && t->interval_ns;
}

/* A periodic timer that has expired goes on; its ticks are brought up to date. True as look_locked. */
static bool resume_locked(struct timerfd *t, u64 *ticks)
{
	*ticks += forward_locked(t) - 1;
	t->has_expired = false;
	t->is_armed = true;
	return look_locked(t);
}

static u64 left_locked(const struct timerfd *t)
{
	u64 now = now_locked(t);

	return t->expiry_ns > now ? t->expiry_ns - now : 0;
}

/* Has the clock been set since the program last heard of it? It hears of it now. */
static bool cancel_locked(struct timerfd *t)
{
	u32 changes = wall_seq();

	if (!t->is_cancelable || changes == t->seen_changes)
		return false;
	t->seen_changes = changes;
	return true;
}

/* --- what makes it expire */

static void tell(struct timerfd *t, bool has_news)
{
	if (has_news && waitq_is_active(&t->wait))
		waitq_wake(&t->wait, 1, KPOLLIN);	/* readers do not wait exclusively: all of them */
}

static void timer_fn(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);
	bool has_expired;

	spin_lock_hard(&t->lock);
	has_expired = t->is_armed && look_locked(t);
	spin_unlock_hard(&t->lock);
	tell(t, has_expired);
}

/* The real clock was set. Under the lock of wall_changes(). */
static bool clock_changed(struct waiter *w, u32 key)
{
	struct timerfd *t = w->arg;
	bool has_news;

	(void)key;
	spin_lock_hard(&t->lock);
	has_news = t->is_cancelable && t->seen_changes != wall_seq();
	if (has_news)
		WRITE_ONCE(t->ticks, t->ticks + 1);	/* the read that it lets through finds out */
	if (t->is_armed && t->is_real)
		has_news |= look_locked(t);
	spin_unlock_hard(&t->lock);
	tell(t, has_news);
	return false;
}

/* --- timerfd_settime(2), timerfd_gettime(2) */

static bool is_alarm(s32 clock)
{
	return clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
}

static bool is_on_real_clock(const struct timerfd *t, u32 flags)
{
	return (flags & TFD_TIMER_ABSTIME) && (t->clock == CLOCK_REALTIME || t->clock == CLOCK_REALTIME_ALARM);
}

static bool set_locked(struct timerfd *t, u32 flags, const struct timerfd_time *new)
{
	t->flags = flags;
	t->is_real = is_on_real_clock(t, flags);
	t->is_cancelable = t->is_real && (flags & TFD_TIMER_CANCEL_ON_SET);
	WRITE_ONCE(t->ticks, 0);
	t->has_expired = false;
	t->interval_ns = new->interval_ns;
	t->expiry_ns = new->value_ns;
	if (!(flags & TFD_TIMER_ABSTIME))
		t->expiry_ns = min(now_locked(t) + new->value_ns, (u64)S64_MAX);
	t->is_armed = new->value_ns != 0;
	if (t->is_armed)
		return look_locked(t);
	(void)timer_cancel(&t->timer);
	return false;
}

int timerfd_set(struct file *f, u32 flags, const struct timerfd_time *new, struct timerfd_time *old)
{
	struct timerfd *t = f->private;
	bool has_expired, is_canceled;

	if (f->ops != &timerfd_ops)
		return -EINVAL;
	if (is_alarm(t->clock) && !capable(&init_user_ns, CAP_WAKE_ALARM))
		return -EPERM;
	if (is_on_real_clock(t, flags))
		waitq_add(wall_changes(), &t->clock_change);
	spin_lock_hard(&t->lock);
	if (is_resting_locked(t))
		(void)forward_locked(t);
	*old = (struct timerfd_time){ t->is_armed || is_resting_locked(t) ? left_locked(t) : 0, t->interval_ns };
	has_expired = set_locked(t, flags, new);
	is_canceled = new->value_ns && cancel_locked(t);
	spin_unlock_hard(&t->lock);
	tell(t, has_expired);
	return is_canceled ? -ECANCELED : 0;
}

int timerfd_get(struct file *f, struct timerfd_time *out)
{
	struct timerfd *t = f->private;
	bool has_expired = false;
	u64 ticks;

	if (f->ops != &timerfd_ops)
		return -EINVAL;
	spin_lock_hard(&t->lock);
	if (is_resting_locked(t)) {
		ticks = t->ticks;
		t->ticks = 0;
		has_expired = resume_locked(t, &ticks);
		WRITE_ONCE(t->ticks, t->ticks + ticks);
	}
	*out = (struct timerfd_time){ t->is_armed ? left_locked(t) : 0, t->interval_ns };
	spin_unlock_hard(&t->lock);
	tell(t, has_expired);
	return 0;
}

/* --- the file */

/* -EAGAIN: nothing yet. 0 ticks: the clock was set back after the expiry (timerfd_create(2), "read(2)"). */
static int read_locked(struct timerfd *t, u64 *ticks, bool *has_expired)
{
	if (cancel_locked(t)) {
		WRITE_ONCE(t->ticks, 0);
		t->has_expired = false;		/* no more periods either: the program is to think again */
		return -ECANCELED;
	}
	if (!t->ticks)
		return -EAGAIN;
	*ticks = t->ticks;
	WRITE_ONCE(t->ticks, 0);
	if (is_resting_locked(t))
		*has_expired = resume_locked(t, ticks);
	else
		t->has_expired = false;
	return 0;
}

static ssize_t timerfd_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct timerfd *t = f->private;
	u64 ticks;

	(void)pos;
	if (it->count < sizeof(ticks))
		return -EINVAL;
	for (;;) {
		bool has_expired = false;
		int err;

		spin_lock_hard(&t->lock);
		err = read_locked(t, &ticks, &has_expired);
		spin_unlock_hard(&t->lock);
		tell(t, has_expired);
		if (!err)
			break;
		if (err != -EAGAIN || (READ_ONCE(f->flags) & O_NONBLOCK))
			return err;
		err = WAIT_EVENT(&t->wait, READ_ONCE(t->ticks) != 0, SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
		if (err)
			return err;
	}
	if (!ticks)
		return READ_ONCE(f->flags) & O_NONBLOCK ? -EAGAIN : 0;
	return iov_copy_to(it, &ticks, sizeof(ticks)) == sizeof(ticks) ? (ssize_t)sizeof(ticks) : -EFAULT;
}

static u32 timerfd_poll(struct file *f, struct poll_wait *pw)
{
	struct timerfd *t = f->private;

	poll_wait_on(pw, &t->wait);
	return READ_ONCE(t->ticks) ? KPOLLIN : 0;
}

static s64 set_ticks(struct timerfd *t, u64 ticks)
{
	bool is_canceled;

	if (!ticks)
		return -EINVAL;
	spin_lock_hard(&t->lock);
	is_canceled = cancel_locked(t);
	if (!is_canceled)
		WRITE_ONCE(t->ticks, ticks);
	spin_unlock_hard(&t->lock);
	tell(t, !is_canceled);
	return is_canceled ? -ECANCELED : 0;
}

static s64 timerfd_ioctl(struct file *f, u32 cmd, u64 arg)
{
	u64 ticks;

	if (cmd != TFD_IOC_SET_TICKS)
		return -ENOIOCTLCMD;
	return uget(&ticks, uaddr(arg), sizeof(ticks)) ? -EFAULT : set_ticks(f->private, ticks);
}

static void timerfd_fdinfo(struct file *f, char *buf, size_t max)
{
	struct timerfd *t = f->private;
	u64 ticks, left, interval;
	u32 flags;

	spin_lock_hard(&t->lock);
	ticks = t->ticks;
	left = t->is_armed ? left_locked(t) : 0;
	interval = t->interval_ns;
	flags = t->flags;
	spin_unlock_hard(&t->lock);
	snprintf(buf, max, "clockid: %d\nticks: %lu\nsettime flags: 0%o\nit_value: (%lu, %lu)\nit_interval: (%lu, %lu)\n", t->clock, ticks, flags,
		 left / NSEC_PER_SEC, left % NSEC_PER_SEC, interval / NSEC_PER_SEC, interval % NSEC_PER_SEC);
}

static void timerfd_destroy(struct timerfd *t)
{
	waitq_remove(wall_changes(), &t->clock_change);
	spin_lock_hard(&t->lock);
	t->is_armed = false;		/* a timer_fn under way does not set it again */
	spin_unlock_hard(&t->lock);
	(void)timer_cancel_sync(&t->timer);
	kfree(t);
}

static void timerfd_release(struct file *f)
{
	timerfd_destroy(f->private);
}

static const struct file_ops timerfd_ops = {
	.release = timerfd_release,
	.read = timerfd_read,
	.lseek = anon_lseek,
	.poll = timerfd_poll,
	.ioctl = timerfd_ioctl,
	.show_fdinfo = timerfd_fdinfo,
};

s64 timerfd_create(s32 clock, u32 flags)
{
	struct timerfd *t;
	s64 fd;

	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME && !is_alarm(clock))
		return -EINVAL;
	if (is_alarm(clock) && !capable(&init_user_ns, CAP_WAKE_ALARM))
		return -EPERM;
	t = kmalloc(sizeof(*t), ALLOC_USER | ALLOC_ZERO);
	if (!t)
		return -ENOMEM;
	spin_init_hard(&t->lock, "timerfd");
	t->clock = clock;
	t->seen_changes = wall_seq();
	timer_init(&t->timer, timer_fn);
	waiter_init_fn(&t->clock_change, clock_changed, t);
	waitq_init(&t->wait, "timerfd wait");
	fd = anon_fd_create("[timerfd]", O_RDWR | (flags & (O_CLOEXEC | O_NONBLOCK)), &timerfd_ops, t);
	if (fd < 0)
		timerfd_destroy(t);
	return fd;
}
