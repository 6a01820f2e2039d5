/* SPDX-License-Identifier: MPL-2.0 */
/*
 * select(2): three bit maps of descriptors to ask for, and three of answers. A descriptor is asked once, for the events of all maps it is in.
 *
 * As on Linux, n is cut to the size of the process's descriptor table: bits beyond it are neither looked at nor changed (select(2), "BUGS").
 */
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "fs/poll_internal.h"
#include "mm/alloc.h"
#include "object/uaccess.h"

/* select(2), "Correspondence between select() and poll() notifications". */
#define SELECT_IN (KPOLLRDNORM | KPOLLRDBAND | KPOLLIN | KPOLLHUP | KPOLLERR)
#define SELECT_OUT (KPOLLWRBAND | KPOLLWRNORM | KPOLLOUT | KPOLLERR)
#define SELECT_EXCEPT KPOLLPRI

enum { IN, OUT, EXCEPT, N_MAPS };

static const u32 map_events[N_MAPS] = { SELECT_IN, SELECT_OUT, SELECT_EXCEPT };

#define INLINE_WORDS (8 * 2 * N_MAPS)	/* maps of 512 bits */

struct maps {
	u64 *ask[N_MAPS], *ready[N_MAPS];
	u32 n_words;
	u32 n;
	bool has_looked;
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
	m->has_looked = false;
	if (m->n_words * 2 * N_MAPS > INLINE_WORDS) {
		mem = kmalloc(2 * N_MAPS * maps_bytes(m), ALLOC_USER);
		if (!mem)
			return -ENOMEM;
	}
	for (u32 i = 0; i < N_MAPS; i++) {
		m->ask[i] = mem + 2 * i * m->n_words;
		m->ready[i] = m->ask[i] + m->n_words;
	}
	return 0;
}

static void maps_destroy(struct maps *m)
{
	if (m->ask[0] != m->small)
		kfree(m->ask[0]);
}

/* Bits beyond n are not asked for. */
static int get_map(const struct maps *m, u64 *map, uaddr_t from)
{
	if (!from.v)
		memset(map, 0, maps_bytes(m));
	else if (uget(map, from, maps_bytes(m)))
		return -EFAULT;
	if (m->n % 64)
		map[m->n_words - 1] &= (1ul << m->n % 64) - 1;
	return 0;
}

static int put_map(const struct maps *m, const u64 *map, uaddr_t to)
{
	return to.v ? uput(to, map, maps_bytes(m)) : 0;
}

/* What one descriptor answered: how many of its questions that makes. */
static __noinline s64 answer(struct maps *m, u32 word, u64 bit, u32 got)
{
	s64 n = 0;

	if (got == KPOLLNVAL) {
		if (!m->has_looked)
			return -EBADF;
		got = ~0u;	/* closed meanwhile: the program finds out by using it, as on Linux */
	}
	for (u32 i = 0; i < N_MAPS; i++)
		if (m->ask[i][word] & bit && got & map_events[i]) {
			m->ready[i][word] |= bit;
			n++;
		}
	return n;
}

static inline u32 events_of(u64 bit, u64 in, u64 out, u64 except)
{
	return (bit & in ? SELECT_IN : 0) | (bit & out ? SELECT_OUT : 0) | (bit & except ? SELECT_EXCEPT : 0);
}

/* The descriptors of one word of the maps: how many answers. */
static inline s64 look_word(struct poller *p, struct maps *m, u32 word)
{
	u64 in = m->ask[IN][word], out = m->ask[OUT][word], except = m->ask[EXCEPT][word], rest = in | out | except;
	s64 ready = 0;

	for (; rest; rest &= rest - 1) {
		u64 bit = rest & -rest;
		u32 got = poll_ask(p, (s32)(word * 64 + (u32)__builtin_ctzl(rest)), events_of(bit, in, out, except));
		s64 n;

		if (likely(!got))
			continue;
		n = answer(m, word, bit, got);
		if (n < 0)
			return n;
		if (n)
			poll_ask_no_more(p);
		ready += n;
	}
	return ready;
}

static s64 look_maps(struct poller *p, void *arg)
{
	struct maps *m = arg;
	s64 ready = 0;

	for (u32 w = 0; w < m->n_words; w++) {
		s64 n;

		m->ready[IN][w] = m->ready[OUT][w] = m->ready[EXCEPT][w] = 0;
		n = look_word(p, m, w);
		if (n < 0)
			return n;
		ready += n;
	}
	m->has_looked = true;
	return ready;
}

static s64 wait_maps(struct maps *m, const struct select_request *rq)
{
	s64 n;

	if (get_map(m, m->ask[IN], rq->in) || get_map(m, m->ask[OUT], rq->out) || get_map(m, m->ask[EXCEPT], rq->except))
		return -EFAULT;
	n = poll_until(look_maps, m, rq->deadline_ns);
	if (n >= 0 && (put_map(m, m->ready[IN], rq->in) || put_map(m, m->ready[OUT], rq->out) || put_map(m, m->ready[EXCEPT], rq->except)))
		return -EFAULT;
	return n;
}

s64 select_run(const struct select_request *rq)
{
	struct maps maps __uninitialized;
	s64 n;

	if (rq->n < 0)
		return -EINVAL;
	n = maps_create(&maps, min((u32)rq->n, fdtable_size(current_actor()->files)));
	if (n)
		return n;
	n = wait_maps(&maps, rq);
	maps_destroy(&maps);
	return n;
}
