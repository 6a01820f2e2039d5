/* SPDX-License-Identifier: MPL-2.0 */
/* Sleeping until every RCU reader that began before has ended: a callback on the stack of who waits. */
#include <frame/rcu.h>
#include <frame/preempt.h>
#include "sync/completion.h"
#include "sync/rcu_wait.h"

struct rcu_waiter {
	struct rcu_head head;
	struct completion done;
};

static void grace_period_over(struct rcu_head *head)
{
	completion_done(&container_of(head, struct rcu_waiter, head)->done);
}

void rcu_synchronize(void)
{
	struct rcu_waiter w;

	might_sleep();
	completion_init(&w.done);
	preempt_disable();		/* hurry what was queued here */
	rcu_call(&w.head, grace_period_over);
	rcu_hurry();
	preempt_enable();
	completion_wait(&w.done);
}
