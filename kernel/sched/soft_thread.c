/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The soft threads, one a CPU: they go on with soft work when there is more than its bound, in competition with other tasks.
 *
 * A CPU that comes up cannot make its own thread (that may sleep); the boot CPU's soft thread makes it.
 */
#include <frame/irq.h>
#include <frame/log.h>
#include <frame/policy.h>
#include <lib/printf.h>
#include "sched/kthread.h"
#include "sched/run_queue.h"

static u32 n_made;		/* [soft thread 0] CPUs 0 … n_made−1 have theirs */
static bool is_make_wanted;	/* [a] */

static void soft_thread(void *arg);

static void make_one(u32 cpu)
{
	char name[16];

	snprintf(name, sizeof(name), "soft/%u", cpu);
	if (kthread_create(NULL, soft_thread, rq_of(cpu), (s32)cpu, name))
		klog(LOG_ERR, "sched: no memory for the soft thread of CPU %u", cpu);
}

static void make_missing(void)
{
	WRITE_ONCE(is_make_wanted, false);
	for (; n_made < cpu_count() && READ_ONCE(rq_of(n_made)->is_online); n_made++)
		make_one(n_made);
}

static void soft_thread(void *arg)
{
	struct run_queue *rq = arg;

	STORE_RELEASE(rq->soft_thread, current_sched());
	for (;;) {
		WRITE_ONCE(rq->is_soft_wanted, false);
		while (soft_run_some())
			sched_check();
		if (rq->cpu == 0 && READ_ONCE(is_make_wanted))
			make_missing();
		sched_prepare_sleep(SLEEP_INTERRUPTIBLE);
		if (READ_ONCE(rq->is_soft_wanted) || (rq->cpu == 0 && READ_ONCE(is_make_wanted)))
			sched_cancel_sleep();
		else
			(void)sched_sleep_until(SLEEP_FOREVER);
	}
}

void policy_soft_overflow(void)
{
	struct run_queue *rq = this_rq();
	struct sched_task *t = LOAD_ACQUIRE(rq->soft_thread);

	WRITE_ONCE(rq->is_soft_wanted, true);
	if (t)
		(void)sched_wake(&t->actor.task);	/* else: it begins by running soft work when it is made */
}

void soft_thread_cpu_online(void)
{
	struct sched_task *maker = LOAD_ACQUIRE(rq_of(0)->soft_thread);

	WRITE_ONCE(is_make_wanted, true);
	if (maker)
		(void)sched_wake(&maker->actor.task);
}

void soft_thread_init(void)
{
	make_one(0);
	n_made = 1;
}
