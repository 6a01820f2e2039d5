/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Start-up of each CPU's run queue, and the idle loop: what a CPU does when its queue is empty.
 *
 * The idle loop runs on the CPU's start-up stack, as a sched_task that is on no list: run_queue.current is NULL while it runs. on_rq is set for good, so
 * that start-up code that "sleeps" (before there is another task to switch to) just looks at its condition again. Before the loop
 * sleeps it looks for tasks that wait elsewhere.
 */
#include <frame/irq.h>
#include <frame/log.h>
#include <frame/policy.h>
#include <frame/preempt.h>
#include <frame/task.h>
#include <lib/printf.h>
#include "object/cred.h"
#include "sched/kthread.h"
#include "sched/run_queue.h"

static PERCPU(struct sched_task, idle_tasks);

/* By the CPU itself, before it is online. */
static void rq_init(struct run_queue *rq, u32 cpu)
{
	struct sched_task *idle = this_cpu(idle_tasks);

	task_adopt(&idle->actor.task);
	idle->actor.is_kthread = true;
	idle->actor.cred = &init_cred;
	idle->cpu = cpu;
	idle->on_rq = true;
	idle->policy = SCHED_POLICY_IDLE;
	snprintf(idle->comm, sizeof(idle->comm), "idle/%u", cpu);
	rq->cpu = cpu;
	rq->idle = &idle->actor.task;
	rq->urgency = -1;
	list_init(&rq->dead);
	rt_init(&rq->rt);
	timer_init(&rq->slice_timer, rq_slice_timer);
	timer_init(&rq->balance_timer, balance_timer_fn);
}

static __noreturn void idle_loop(void)
{
	struct run_queue *rq = this_rq();	/* the idle loop does not migrate */

	for (;;) {
		(void)balance_steal(rq);
		irq_disable();
		while (!READ_ONCE(rq->n_running) && !(task_work(rq->idle) & TASK_WORK_RESCHED))
			cpu_idle_wait();
		irq_enable();
		schedule();
	}
}

void sched_init(void)
{
	rq_init(this_rq(), cpu_id());
	soft_register(SOFT_SCHED, sched_soft);
	stat_init();
}

void sched_begin(void (*fn)(void *arg), void *arg)
{
	if (in_atomic())
		irq_enable();		/* policy_start comes with interrupts disabled once */
	STORE_RELEASE(this_rq()->is_online, true);
	soft_thread_init();
	if (kthread_create(NULL, fn, arg, -1, "start"))
		panic("no memory for the first thread");
	idle_loop();
}

void policy_secondary_start(u32 cpu)
{
	struct run_queue *rq = this_rq();

	rq_init(rq, cpu);
	STORE_RELEASE(rq->is_online, true);
	irq_enable();
	soft_thread_cpu_online();
	idle_loop();
}
