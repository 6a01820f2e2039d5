/* SPDX-License-Identifier: MPL-2.0 */
/*
 * select(2): three bit maps turned into a poll set, and its answers back into bits. A descriptor is in the set once, with the events of all maps it is in.
 *
 * As on Linux, n is cut to the size of the process's descriptor table: bits beyond it are neither looked at nor changed (select(2), "BUGS").
 */
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "fs/fdtable.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "mm/alloc.h"
#include "object/uaccess.h"

/* select(2), "Correspondence between select() and poll() notifications". */
#define SELECT_IN (KPOLLRDNORM | KPOLLRDBAND | KPOLLIN | KPOLLHUP | KPOLLERR)
#define SELECT_OUT (KPOLLWRBAND | KPOLLWRNORM | KPOLLOUT | KPOLLERR)
#define SELECT_EXCEPT KPOLLPRI

#define INLINE_WORDS 24		/* three maps of 512 bits */

struct maps {
	u64 *in, *out, *except;
	u32 n_words;
	u32 n;
	u64 small[INLINE_WORDS];
};

static size_t maps_bytes(const struct maps *m)
{
	return m->n_words * sizeof(u64);
}

static int maps_create(struct maps *m, u32 n)
{
	u64 *mem = m->small;

	m->n = n;
	m->n_words = (n + 63) / 64;
	if (m->n_words * 3 > INLINE_WORDS) {
		mem = kmalloc(3 * maps_bytes(m), ALLOC_USER);
		if (!mem)
			return -ENOMEM;
	}
	m->in = mem;
	m->out = mem + m->n_words;
	m->except = m->out + m->n_words;
	return 0;
}

static void maps_destroy(struct maps *m)
{
	if (m->in != m->small)
		kfree(m->in);
}

static int get_map(const struct maps *m, u64 *map, uaddr_t from)
{
	memset(map, 0, maps_bytes(m));
	return from.v ? uget(map, from, maps_bytes(m)) : 0;
}

static int put_map(const struct maps *m, const u64 *map, uaddr_t to)
{
	return to.v ? uput(to, map, maps_bytes(m)) : 0;
}

static bool has_bit(const u64 *map, u32 i)
{
	return map[i / 64] >> (i % 64) & 1;
}

/* Walks the descriptors that are in any map. */
static u32 next_fd(const struct maps *m, u32 from)
{
	for (u32 w = from / 64; w < m->n_words; w++, from = w * 64) {
		u64 bits = (m->in[w] | m->out[w] | m->except[w]) & (~0ul << from % 64);

		if (bits)
			return min(w * 64 + (u32)__builtin_ctzl(bits), m->n);
	}
	return m->n;
}

static int add_fds(struct poll_set *s, const struct maps *m)
{
	for (u32 fd = next_fd(m, 0); fd < m->n; fd = next_fd(m, fd + 1)) {
		u32 events = (has_bit(m->in, fd) ? SELECT_IN : 0) | (has_bit(m->out, fd) ? SELECT_OUT : 0) |
			     (has_bit(m->except, fd) ? SELECT_EXCEPT : 0);
		int err = poll_set_add(s, (s32)fd, events);

		if (err)
			return err;
	}
	return 0;
}

static int check_open(struct poll_set *s)
{
	struct poll_cursor at = { 0 };
	struct poll_item *item;

	while ((item = poll_set_next(s, &at)))
		if (!item->ref.file)
			return -EBADF;
	return 0;
}

/* Which maps' questions are answered: 1 in, 2 out, 4 except. */
static u32 ready_bits(const struct poll_item *item, const struct maps *m, u32 fd)
{
	return (has_bit(m->in, fd) && (item->revents & SELECT_IN) ? 1u : 0) | (has_bit(m->out, fd) && (item->revents & SELECT_OUT) ? 2u : 0) |
	       (has_bit(m->except, fd) && (item->revents & SELECT_EXCEPT) ? 4u : 0);
}

static void keep_bit(u64 *map, u32 fd, bool is_ready)
{
	if (!is_ready)
		map[fd / 64] &= ~(1ul << fd % 64);
}

/* Leaves in the maps what is ready; how many bits. */
static s64 reap(struct poll_set *s, struct maps *m)
{
	struct poll_cursor at = { 0 };
	s64 n = 0;

	for (u32 fd = next_fd(m, 0); fd < m->n; fd = next_fd(m, fd + 1)) {
		u32 bits = ready_bits(poll_set_next(s, &at), m, fd);

		keep_bit(m->in, fd, bits & 1);
		keep_bit(m->out, fd, bits & 2);
		keep_bit(m->except, fd, bits & 4);
		n += __builtin_popcount(bits);
	}
	/* Beyond n the last words hold what was copied in: it goes back cleared, as nobody asked. */
	for (u32 i = m->n; i < m->n_words * 64; i++) {
		keep_bit(m->in, i, false);
		keep_bit(m->out, i, false);
		keep_bit(m->except, i, false);
	}
	return n;
}

static s64 wait_maps(struct maps *m, u64 deadline_ns)
{
	struct poll_set set FS_UNINITIALIZED;
	s64 n;

	poll_set_init(&set, 0);
	n = add_fds(&set, m);
	if (!n)
		n = check_open(&set);
	if (!n)
		n = poll_set_wait(&set, deadline_ns);
	if (n >= 0)
		n = reap(&set, m);
	poll_set_end(&set);
	return n;
}

s64 select_run(const struct select_request *rq)
{
	struct maps maps FS_UNINITIALIZED;
	s64 n;

	if (rq->n < 0)
		return -EINVAL;
	n = maps_create(&maps, min((u32)rq->n, fdtable_size(current_actor()->files)));
	if (n)
		return n;
	if (get_map(&maps, maps.in, rq->in) || get_map(&maps, maps.out, rq->out) || get_map(&maps, maps.except, rq->except))
		n = -EFAULT;
	if (!n)
		n = wait_maps(&maps, rq->deadline_ns);
	if (n >= 0 && (put_map(&maps, maps.in, rq->in) || put_map(&maps, maps.out, rq->out) || put_map(&maps, maps.except, rq->except)))
		n = -EFAULT;
	maps_destroy(&maps);
	return n;
}
