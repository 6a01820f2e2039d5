/* SPDX-License-Identifier: MPL-2.0 */
/*
 * High-resolution one-shot timers: a red-black tree a CPU, one clock event a CPU for the earliest. No tick.
 * fn runs in soft context on the CPU where the timer was set; it may set the timer again.
 */
#ifndef TIME_TIMER_H
#define TIME_TIMER_H

#include <lib/types.h>
#include <lib/rbtree.h>
#include <frame/clock.h>

struct timer {
	struct rb_node node;		/* [base lock] */
	u64 deadline_ns;		/* [base lock] clock_now_ns() time */
	void (*fn)(struct timer *t);	/* [I] */
	u32 cpu;			/* [a] base it is (or was last) on */
	u8 state;			/* [base lock] idle, pending, running */
};

void timer_init(struct timer *t, void (*fn)(struct timer *t));
void timer_set(struct timer *t, u64 deadline_ns);	/* sets or moves; any context */
bool timer_cancel(struct timer *t);			/* true if it was pending; fn may still be running elsewhere */
bool timer_cancel_sync(struct timer *t);		/* fn does not run any more on return; task context, may spin shortly; not from fn; no lock held that fn takes */
bool timer_is_pending(const struct timer *t);
void timers_init(void);

#endif
