/* SPDX-License-Identifier: MPL-2.0 */
/* Fast user-space locks: futex(2), get_robust_list(2). */
#ifndef IPC_FUTEX_H
#define IPC_FUTEX_H

#include <lib/types.h>
#include <frame/ucopy.h>

void futex_init(void);

struct futex_request {
	uaddr_t addr, addr2;
	bool is_private;
	u32 value;
	u32 bitset;
	u64 deadline_ns;	/* clock_now_ns; SLEEP_FOREVER */
};

/* 0 woken; -EAGAIN the word is not `value`; -ETIMEDOUT; -ERESTARTSYS; -EFAULT; -EINVAL unaligned or bitset 0. */
__must_check int futex_wait(const struct futex_request *rq);
/* The same on n words at once, until rq[0].deadline_ns: the index of one that was woken. Also -ENOMEM. */
__must_check int futex_wait_any(const struct futex_request *rq, u32 n);
/* How many of at most n waiters were woken; -EFAULT, -EINVAL. */
__must_check s64 futex_wake(const struct futex_request *rq, u32 n);
/* Wakes n, moves up to n_move to addr2; `expect`: first checks that the word is rq->value (-EAGAIN). How many were woken or moved (woken only without expect). */
__must_check s64 futex_requeue(const struct futex_request *rq, u32 n, u32 n_move, bool expect);
/* FUTEX_WAKE_OP: changes the word at addr2 as `op` says, wakes n at addr, and n2 at addr2 if the comparison held. -ENOSYS: unknown operation. */
__must_check s64 futex_wake_op(const struct futex_request *rq, u32 n, u32 n2, u32 op);

/*
 * Priority inheritance. Lock: 0 with the lock; -EAGAIN (is_trying: it is taken), -EDEADLK, -EINVAL, -ESRCH, -ENOMEM, -ETIMEDOUT, -EFAULT, -ERESTARTNOINTR. Unlock: also -EPERM.
 */
__must_check int futex_lock_pi(const struct futex_request *rq, bool is_trying);
__must_check int futex_unlock_pi(const struct futex_request *rq);
/* Waits at addr to be moved to the lock at addr2, and for that. -EAGAIN also: interrupted after it had been moved. */
__must_check int futex_wait_requeue_pi(const struct futex_request *rq);
/* Moves at most n (1) + n_move such waiters if the word at addr is rq->value (-EAGAIN); how many. The first gets the lock if it is free. */
__must_check s64 futex_requeue_pi(const struct futex_request *rq, u32 n, u32 n_move);

#endif
