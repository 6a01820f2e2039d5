/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How large pipes are and who pays: F_SETPIPE_SZ and the limits of pipe(7), "Pipe capacity".
 *
 * Every user has a record while pipes of his exist: the pages that their rings could hold.
 */
#include <lib/errno.h>
#include "abi/process.h"
#include "fs/pipe.h"
#include "fs/pipe_ring.h"
#include "fs/user_count.h"
#include "mm/alloc.h"
#include "object/user_ns.h"

#define MAX_BYTES (1u << 31)

struct pipe_limits pipe_limits = { .max_bytes = 1u << 20, .user_pages_soft = 16384 };

static struct user_counts users = USER_COUNTS_INIT("pipe users");	/* pages that their pipes could hold */

static bool is_privileged(void)
{
	return capable(&init_user_ns, CAP_SYS_RESOURCE) || capable(&init_user_ns, CAP_SYS_ADMIN);
}

static bool is_beyond(u64 pages, u32 limit)
{
	return limit && pages > limit;
}

static void put_user(struct user_count *u, u64 pages)
{
	user_count_sub(u, pages);
	user_count_put(u);
}

/* A new ring: 16 slots, or 2 for a user who is beyond his soft limit. */
int pipe_alloc_slots_locked(struct pipe *p)
{
	u32 n = PIPE_SLOTS_DEFAULT, max_slots = READ_ONCE(pipe_limits.max_bytes) >> PAGE_SHIFT;
	struct user_count *u = user_count_get(&users, current_cred()->uid);
	u64 pages;

	if (!u)
		return -ENOMEM;
	if (n > max_slots && !capable(&init_user_ns, CAP_SYS_RESOURCE))
		n = max_slots;
	pages = user_count_add(u, n);
	if (is_beyond(pages, READ_ONCE(pipe_limits.user_pages_soft)) && !is_privileged() && n > PIPE_SLOTS_POOR) {
		user_count_sub(u, n - PIPE_SLOTS_POOR);
		pages -= n - PIPE_SLOTS_POOR;
		n = PIPE_SLOTS_POOR;
	}
	if (is_beyond(pages, READ_ONCE(pipe_limits.user_pages_hard)) && !is_privileged()) {
		put_user(u, n);
		return -ENFILE;
	}
	p->bufs = kmalloc_array(n, sizeof(*p->bufs), ALLOC_USER);
	if (!p->bufs) {
		put_user(u, n);
		return -ENOMEM;
	}
	p->n_slots = n;
	p->user = u;
	return 0;
}

void pipe_free_slots_locked(struct pipe *p)
{
	while (!pipe_is_empty(p))
		pipe_drop_slot_locked(p);
	for (u32 i = 0; i < PIPE_SPARES; i++)
		if (p->spare[i]) {
			page_put(p->spare[i]);
			p->spare[i] = NULL;
		}
	if (!p->bufs)
		return;
	put_user(p->user, p->n_slots);
	kfree(p->bufs);
	p->bufs = NULL;
	p->user = NULL;
}

/* --- F_SETPIPE_SZ */

static int check_charge(u64 pages)
{
	if (is_beyond(pages, READ_ONCE(pipe_limits.user_pages_soft)) || is_beyond(pages, READ_ONCE(pipe_limits.user_pages_hard)))
		return is_privileged() ? 0 : -EPERM;
	return 0;
}

/* A ring of n slots with the same contents. */
static int ring_replace_locked(struct pipe *p, u32 n)
{
	u32 used = p->head - p->tail + p->n_reserved;
	struct pipe_buf *bufs;

	if (used > n)
		return -EBUSY;
	bufs = kmalloc_array(n, sizeof(*bufs), ALLOC_USER);
	if (!bufs)
		return -ENOMEM;
	/* head and tail stay as they are: others read them without the lock. */
	for (u32 i = p->tail; i != p->head; i++)
		bufs[i & (n - 1)] = *pipe_slot(p, i);
	kfree(p->bufs);
	p->bufs = bufs;
	WRITE_ONCE(p->n_slots, n);
	return 0;
}

static int resize_locked(struct pipe *p, u32 n)
{
	u32 old = p->n_slots;
	int err = 0;

	if (n > old) {
		if ((u64)n << PAGE_SHIFT > READ_ONCE(pipe_limits.max_bytes) && !capable(&init_user_ns, CAP_SYS_RESOURCE))
			return -EPERM;
		err = check_charge(user_count_add(p->user, n - old));
	}
	if (!err)
		err = ring_replace_locked(p, n);
	if (err && n > old)
		user_count_sub(p->user, n - old);
	else if (!err && n < old)
		user_count_sub(p->user, old - n);
	return err;
}

s64 pipe_set_size(struct file *f, u32 bytes)
{
	struct pipe *p = pipe_of(f);
	u32 n, old;
	int err;

	if (!p)
		return -EBADF;
	if (bytes > MAX_BYTES)
		return -EINVAL;
	n = (u32)(roundup_pow2(max_t(u64, bytes, PAGE_SIZE)) >> PAGE_SHIFT);
	mutex_lock(&p->lock);
	old = p->n_slots;
	err = resize_locked(p, n);
	mutex_unlock(&p->lock);
	if (err)
		return err;
	if (n > old)
		pipe_wake_writers(p);
	return (s64)n << PAGE_SHIFT;
}

s64 pipe_get_size(struct file *f)
{
	struct pipe *p = pipe_of(f);

	return p ? (s64)READ_ONCE(p->n_slots) << PAGE_SHIFT : -EBADF;
}

int pipe_limits_set_max(u32 bytes)
{
	if (bytes > MAX_BYTES)
		return -EINVAL;
	WRITE_ONCE(pipe_limits.max_bytes, (u32)min_t(u64, roundup_pow2(max_t(u64, bytes, PAGE_SIZE)), MAX_BYTES));
	return 0;
}
