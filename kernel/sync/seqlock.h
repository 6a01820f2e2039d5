/* SPDX-License-Identifier: MPL-2.0 */
/* Sequence counters: readers retry when a writer was there; writers are serialised by a lock of their own (and not preempted meanwhile). */
#ifndef SYNC_SEQLOCK_H
#define SYNC_SEQLOCK_H

#include <lib/types.h>
#include <frame/preempt.h>

struct seqcount {
	u32 seq;	/* [a] odd while a writer is at it */
};

static inline u32 seq_read_begin(const struct seqcount *s)
{
	u32 v;

	while ((v = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE)) & 1)
		;
	return v;
}

static inline bool seq_read_retry(const struct seqcount *s, u32 begin)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&s->seq, __ATOMIC_RELAXED) != begin;
}

/* Preemption disabled until the end, so that a reader on this CPU cannot spin on us. */
static inline void seq_write_begin(struct seqcount *s)
{
	preempt_disable();
	__atomic_store_n(&s->seq, s->seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void seq_write_end(struct seqcount *s)
{
	__atomic_store_n(&s->seq, s->seq + 1, __ATOMIC_RELEASE);
	preempt_enable();
}

#endif
