/* SPDX-License-Identifier: MPL-2.0 */
/*
 * An event that happens once and may be waited for. Unlike a flag beside a wait queue it may live on the waiter's stack or in an object that the
 * waiter frees: when completion_wait returns (and completion_is_done() held the lock), completion_done touches it no more.
 */
#ifndef SYNC_COMPLETION_H
#define SYNC_COMPLETION_H

#include "sync/wait.h"

struct completion {
	struct waitq queue;
	bool is_done;		/* [queue.lock] */
};

void completion_init(struct completion *c);
void completion_done(struct completion *c);				/* any context; all waiters, present and future, go on */
bool completion_is_done(struct completion *c);
void completion_wait(struct completion *c);				/* uninterruptible */
__must_check int completion_wait_kind(struct completion *c, enum sleep_kind kind, u64 deadline_ns);	/* as WAIT_EVENT */

#endif
