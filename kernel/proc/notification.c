/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Notifications: work that must be done in a task's context without locks, queued from where neither is at hand (a file's last reference dropped under a spinlock, …).
 *
 * Each thread has a stack of them, pushed by compare-and-swap and taken whole. A thread that ends closes its stack with a mark; what comes after, or comes from no
 * user thread at all, goes to a kernel thread's stack of the same kind.
 */
#include <lib/errno.h>
#include <frame/preempt.h>
#include "proc/internal.h"
#include "sched/kthread.h"
#include "sync/wait.h"

static struct deferred closed;			/* the mark */
static struct deferred *orphans;		/* [a] */
static struct waitq orphans_wait = WAITQ_INIT("deferred work", orphans_wait);

/* False if the stack is closed. */
static bool push(struct deferred **stack, struct deferred *d)
{
	struct deferred *head = __atomic_load_n(stack, __ATOMIC_RELAXED);

	do {
		if (head == &closed)
			return false;
		d->next = head;
	} while (!__atomic_compare_exchange_n(stack, &head, d, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return true;
}

/* Runs what was on the stack, oldest first. */
static void run_all(struct deferred *newest)
{
	struct deferred *oldest = NULL;

	while (newest) {
		struct deferred *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	while (oldest) {
		struct deferred *next = oldest->next;

		oldest->fn(oldest);
		oldest = next;
	}
}

void deferred_push(struct deferred *d)
{
	(void)push(&orphans, d);
	waitq_wake_all(&orphans_wait);
}

void thread_notify(struct thread *t, struct deferred *d)
{
	if (push(&t->notifications, d))
		sched_notify(&t->sched.actor.task, TASK_WORK_NOTIFY);
	else
		deferred_push(d);
}

void thread_run_notifications(void)
{
	struct thread *t = current_thread();

	task_work_clear(current_task(), TASK_WORK_NOTIFY);
	run_all(__atomic_exchange_n(&t->notifications, NULL, __ATOMIC_ACQ_REL));
}

void thread_close_notifications(void)
{
	run_all(__atomic_exchange_n(&current_thread()->notifications, &closed, __ATOMIC_ACQ_REL));
}

void fs_policy_defer(struct deferred *d)
{
	if (in_soft() || in_hard() || sched_in_idle() || current_actor()->is_kthread)
		deferred_push(d);
	else
		thread_notify(current_thread(), d);
}

static void deferred_thread(void *arg)
{
	(void)arg;
	for (;;) {
		if (WAIT_EVENT(&orphans_wait, LOAD_ACQUIRE(orphans) != NULL, SLEEP_INTERRUPTIBLE, SLEEP_FOREVER))
			continue;
		run_all(__atomic_exchange_n(&orphans, NULL, __ATOMIC_ACQ_REL));
	}
}

void deferred_thread_start(void)
{
	if (kthread_create(NULL, deferred_thread, NULL, -1, "deferred"))
		panic("no memory for the thread of deferred work");
}
