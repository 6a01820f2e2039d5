/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Read-copy-update. A reader disables preemption; quiescent are task switch, user mode and idle. There is no tick: user_run, the idle
 * loop and switches record them when asked, stragglers get an IPI. Callbacks run in soft context on the CPU that queued them, in order.
 * rcu_synchronize (sleeping) lives in kernel/sync/rcu_wait.h.
 */
#ifndef FRAME_RCU_H
#define FRAME_RCU_H

#include <lib/types.h>
#include <frame/preempt.h>

struct rcu_head {
	struct rcu_head *next;
	void (*fn)(struct rcu_head *head);
};

static inline void rcu_read_lock(void)
{
	preempt_disable();
}

static inline void rcu_read_unlock(void)
{
	preempt_enable();
}

/* fn(head) after every reader that may see the object has ended. Never allocates. Any context. */
void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *head));

/* Somebody waits for what was queued last on this CPU: start its grace period now rather than gather more callbacks. Any context. */
void rcu_hurry(void);

/*
 * RCU's clock. There is no tick, so kernel/time calls this from its SOFT_TIMER handler each time it runs (soft context) and arms this CPU's
 * clock event for min(its first timer, *next_ns) when true is returned; false: nothing to wait for on this CPU. When RCU comes to need
 * a call it raises SOFT_TIMER itself. It starts grace periods for callbacks that have waited long enough, and sends interrupts to CPUs
 * that have not passed a quiescent state for 2 ms.
 */
bool rcu_poll(u64 now_ns, u64 *next_ns);
/* Callbacks queued and not yet run, all CPUs; a snapshot. */
u64 rcu_pending(void);

#define rcu_deref(p)		__atomic_load_n(&(p), __ATOMIC_CONSUME)
#define rcu_publish(p, v)	__atomic_store_n(&(p), (v), __ATOMIC_RELEASE)

#endif
