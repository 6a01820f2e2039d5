/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Kernel threads. Each has a page for its struct kthread, taken through the frame's allocator upcall, for sched/ stands below mm/.
 *
 * Who gets a handle joins, and the join frees; without a handle the thread frees itself. Either happens after dead(): off the CPU for good.
 */
#include <frame/kasan.h>
#include <frame/log.h>
#include <frame/page.h>
#include <frame/policy.h>
#include <frame/preempt.h>
#include <lib/string.h>
#include "object/cred.h"
#include "sched/kthread.h"
#include "sched/run_queue.h"
#include "sync/completion.h"

struct kthread {
	struct sched_task sched;	/* must be first */
	void (*fn)(void *arg);		/* [I] */
	void *arg;			/* [I] */
	bool should_stop;		/* [a] */
	bool is_detached;		/* [I] */
	struct completion ended;	/* after dead() */
};
_Static_assert(sizeof(struct kthread) <= PAGE_SIZE, "a page a kernel thread");

static struct kthread *kthread_of(struct sched_task *t)
{
	return container_of(t, struct kthread, sched);
}

static struct kthread *kthread_alloc(void)
{
	struct page *page = policy_frames_alloc(0, true);

	if (!page)
		return NULL;
	frames_claim(page, 1, FRAME_KERNEL);
	kasan_unpoison(page_kva(page), PAGE_SIZE);
	memset(page_kva(page), 0, PAGE_SIZE);
	return page_kva(page);
}

static void kthread_free(struct kthread *k)
{
	struct page *page = kva_page(k);

	frames_release(page, 1);
	policy_frames_free(page, 0);
}

static void kthread_main(void *arg)
{
	struct kthread *k = arg;

	k->fn(k->arg);
	sched_exit();
}

static void kthread_dead(struct sched_task *t)
{
	struct kthread *k = kthread_of(t);

	task_fini(&t->actor.task);
	if (k->is_detached)
		kthread_free(k);
	else
		completion_done(&k->ended);
}

int kthread_create(struct kthread **out, void (*fn)(void *arg), void *arg, s32 cpu, const char *name)
{
	struct kthread *k = kthread_alloc();
	struct sched_task *t;
	int err;

	if (!k)
		return -ENOMEM;
	t = &k->sched;
	err = sched_task_init(t, kthread_main, k, false);
	if (err) {
		kthread_free(k);
		return err;
	}
	/* A kernel thread is nobody's child: default policy, any CPU, or the one asked for. */
	t->policy = t->own_policy = SCHED_POLICY_NORMAL;
	t->nice = t->rt_priority = t->own_rt_priority = 0;
	fair_set_weight(NULL, &t->se, fair_weight_of(t->policy, t->nice));
	memset(&t->affinity, cpu < 0 ? 0xff : 0, sizeof(t->affinity));
	if (cpu >= 0)
		cpuset_add(&t->affinity, (u32)cpu);
	t->actor.is_kthread = true;
	t->actor.cred = &init_cred;
	t->dead = kthread_dead;
	(void)strlcpy(t->comm, name, sizeof(t->comm));
	k->fn = fn;
	k->arg = arg;
	k->is_detached = !out;
	completion_init(&k->ended);
	if (out)
		*out = k;
	sched_start(t);
	return 0;
}

void kthread_join(struct kthread *k)
{
	completion_wait(&k->ended);
	kthread_free(k);
}

void kthread_ask_stop(struct kthread *k)
{
	STORE_RELEASE(k->should_stop, true);
	kthread_wake(k);
}

bool kthread_should_stop(void)
{
	struct sched_task *t = current_sched();

	BUG_ON(!t->actor.is_kthread);
	return LOAD_ACQUIRE(kthread_of(t)->should_stop);
}

void kthread_wake(struct kthread *k)
{
	(void)sched_wake(&k->sched.actor.task);
}
