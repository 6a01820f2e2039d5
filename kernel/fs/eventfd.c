/* SPDX-License-Identifier: MPL-2.0 */
/*
 * eventfd(2): a 64-bit counter that is waited for.
 *
 * The counter is the whole state, changed by compare-and-swap: no lock. Blocked readers and writers wait exclusively on queues of their own, so that a write
 * wakes as many readers as it can serve and no more; pollers share one queue for both directions.
 */
#include <lib/errno.h>
#include <lib/printf.h>
#include "abi/event.h"
#include "abi/fcntl.h"
#include "fs/anon.h"
#include "fs/eventfd.h"
#include "fs/fdtable.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "mm/alloc.h"
#include "mm/iov.h"

#define COUNT_MAX (U64_MAX - 1)

struct eventfd {
	u64 count;			/* [a] */
	bool is_semaphore;		/* [I] */
	u32 id;				/* [I] for /proc/PID/fdinfo */
	struct waitq readers, writers, pollers;
};

static u32 next_id;			/* [a] */

static u64 count_of(const struct eventfd *e)
{
	return __atomic_load_n(&e->count, __ATOMIC_ACQUIRE);
}

/* What a read gets; 0: nothing yet. */
static u64 take(struct eventfd *e)
{
	u64 count = count_of(e), n;

	do {
		if (!count)
			return 0;
		n = e->is_semaphore ? 1 : count;
	} while (!__atomic_compare_exchange_n(&e->count, &count, count - n, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE));
	return n;
}

static bool give(struct eventfd *e, u64 n)
{
	u64 count = count_of(e);

	do {
		if (count > COUNT_MAX - n)
			return false;
	} while (!__atomic_compare_exchange_n(&e->count, &count, count + n, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE));
	return true;
}

static ssize_t eventfd_read(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct eventfd *e = f->private;
	u64 n;

	(void)pos;
	if (it->count < sizeof(n))
		return -EINVAL;
	while (!(n = take(e))) {
		int err;

		if (file_is_nonblocking(f, it))
			return -EAGAIN;
		err = WAIT_EVENT_EXCLUSIVE(&e->readers, count_of(e) != 0, SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
		if (err)
			return err;
	}
	if (waitq_is_active(&e->writers))	/* each has its own idea of enough room */
		waitq_wake_all(&e->writers);
	if (waitq_is_active(&e->pollers))
		waitq_wake(&e->pollers, 1, KPOLLOUT);
	return iov_copy_to(it, &n, sizeof(n)) == sizeof(n) ? (ssize_t)sizeof(n) : -EFAULT;
}

static ssize_t eventfd_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	struct eventfd *e = f->private;
	u64 n;

	(void)pos;
	if (it->count < sizeof(n))
		return -EINVAL;
	if (iov_copy_from(it, &n, sizeof(n)) < sizeof(n))
		return -EFAULT;
	if (n > COUNT_MAX)
		return -EINVAL;
	while (!give(e, n)) {
		int err;

		if (file_is_nonblocking(f, it))
			return -EAGAIN;
		err = WAIT_EVENT_EXCLUSIVE(&e->writers, count_of(e) <= COUNT_MAX - n, SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
		if (err)
			return err;
	}
	if (n && waitq_is_active(&e->readers))
		waitq_wake(&e->readers, e->is_semaphore ? (u32)min_t(u64, n, U32_MAX) : 1, 0);
	if (waitq_is_active(&e->pollers))
		waitq_wake(&e->pollers, 1, KPOLLIN);
	return sizeof(n);
}

static inline u32 events_now(const struct eventfd *e)
{
	u64 count = count_of(e);

	return (count ? KPOLLIN : 0) | (count < COUNT_MAX ? KPOLLOUT : 0);
}

/* Apart, so that asking without waiting saves no registers. */
static __noinline u32 queue_and_ask(struct eventfd *e, struct poll_wait *pw)
{
	poll_wait_on(pw, &e->pollers);
	return events_now(e);
}

static u32 eventfd_poll(struct file *f, struct poll_wait *pw)
{
	return pw ? queue_and_ask(f->private, pw) : events_now(f->private);
}

static void eventfd_release(struct file *f)
{
	kfree(f->private);
}

static void eventfd_fdinfo(struct file *f, char *buf, size_t max)
{
	const struct eventfd *e = f->private;

	snprintf(buf, max, "eventfd-count: %16lx\neventfd-id: %u\n", count_of(e), e->id);
}

static const struct file_ops eventfd_ops = {
	.release = eventfd_release,
	.read = eventfd_read,
	.write = eventfd_write,
	.lseek = anon_lseek,
	.poll = eventfd_poll,
	.show_fdinfo = eventfd_fdinfo,
};

s64 eventfd_create(u32 count, u32 flags)
{
	struct eventfd *e = kmalloc(sizeof(*e), ALLOC_USER);
	struct file *f;
	int fd;

	if (!e)
		return -ENOMEM;
	e->count = count;
	e->is_semaphore = (flags & EFD_SEMAPHORE) != 0;
	e->id = __atomic_fetch_add(&next_id, 1, __ATOMIC_RELAXED);
	waitq_init(&e->readers, "eventfd");
	waitq_init(&e->writers, "eventfd");
	waitq_init(&e->pollers, "eventfd");
	fd = anon_file_create("[eventfd]", O_RDWR | (flags & O_NONBLOCK), &eventfd_ops, e, &f);
	if (fd) {
		kfree(e);
		return fd;
	}
	f->mode |= FMODE_NOWAIT;
	fd = fd_install_new(f, (flags & O_CLOEXEC) != 0);
	if (fd < 0)
		file_put(f);
	return fd;
}
