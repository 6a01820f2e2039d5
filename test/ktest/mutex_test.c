/* SPDX-License-Identifier: MPL-2.0 */
/* Mutexes and reader-writer semaphores: exclusion, fairness, killable waits. */
#include <frame/clock.h>
#include <frame/percpu.h>
#include <lib/errno.h>
#include "sched/kthread.h"
#include "sync/mutex.h"
#include "ktest.h"

#define N_THREADS 6

static struct mutex mutex = MUTEX_INIT("ktest mutex", mutex);
static struct rwsem rwsem;
static u64 count, count2;
static bool stop;

static void add_under_mutex(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < 2000; i++) {
		mutex_lock(&mutex);
		count++;
		if (i % 512 == 0)
			sched_yield();		/* sleeping with it held is fine */
		count2++;
		mutex_unlock(&mutex);
	}
}

static void run_threads(void (*fn)(void *arg), void *arg)
{
	struct kthread *threads[N_THREADS];

	for (u32 i = 0; i < N_THREADS; i++)
		KT_EXPECT_EQ(kthread_create(&threads[i], fn, arg, -1, "mutex"), 0);
	for (u32 i = 0; i < N_THREADS; i++)
		kthread_join(threads[i]);
}

KTEST(mutex_excludes)
{
	count = count2 = 0;
	run_threads(add_under_mutex, NULL);
	KT_EXPECT_EQ(count, N_THREADS * 2000);
	KT_EXPECT_EQ(count2, N_THREADS * 2000);
	KT_EXPECT_EQ(mutex.waiters, 0);
	KT_EXPECT(mutex.owner == NULL);
}

KTEST(mutex_trylock_and_held)
{
	KT_EXPECT(!mutex_is_held(&mutex));
	KT_EXPECT(mutex_trylock(&mutex));
	KT_EXPECT(mutex_is_held(&mutex));
	KT_EXPECT(!mutex_trylock(&mutex));
	mutex_unlock(&mutex);
	KT_EXPECT(!mutex_is_held(&mutex));
}

static u64 n_hogged;

/* Holds the mutex nearly all the time and never sleeps. */
static void hog_mutex(void *arg)
{
	(void)arg;
	while (!READ_ONCE(stop)) {
		mutex_lock(&mutex);
		clock_delay_ns(50000);
		WRITE_ONCE(n_hogged, n_hogged + 1);
		mutex_unlock(&mutex);
	}
}

/* Counted in the turns that the others have meanwhile, not in time: the host may stop us all. */
KTEST(mutex_waiter_is_not_starved)
{
	struct kthread *k;
	u64 worst = 0;

	stop = false;
	n_hogged = 0;
	if (kthread_create(&k, hog_mutex, NULL, -1, "hog"))
		return;
	ktest_sleep_ms(5);
	for (u32 i = 0; i < 50; i++) {
		u64 before = READ_ONCE(n_hogged);

		mutex_lock(&mutex);
		worst = max(worst, READ_ONCE(n_hogged) - before);
		mutex_unlock(&mutex);
	}
	WRITE_ONCE(stop, true);
	kthread_join(k);
	KT_EXPECT(n_hogged > 0);
	KT_EXPECT(worst < 20000);
}

struct killed {
	struct sched_task *task;	/* [a] */
	int err;
};

static void lock_killable(void *arg)
{
	struct killed *k = arg;

	STORE_RELEASE(k->task, current_sched());
	k->err = mutex_lock_killable(&mutex);
	if (!k->err)
		mutex_unlock(&mutex);
	task_work_clear(current_task(), TASK_WORK_KILL);
}

KTEST(mutex_killable_wait_ends)
{
	struct killed victim = { .err = 1 }, patient = { .err = 1 };
	struct kthread *a, *b;

	mutex_lock(&mutex);
	if (kthread_create(&a, lock_killable, &victim, -1, "victim") || kthread_create(&b, lock_killable, &patient, -1, "patient"))
		return;
	KT_WAIT(LOAD_ACQUIRE(victim.task) && READ_ONCE(victim.task->state) == TASK_BLOCKED, 10000);
	KT_WAIT(LOAD_ACQUIRE(patient.task) && READ_ONCE(patient.task->state) == TASK_BLOCKED, 10000);
	sched_notify(&victim.task->actor.task, TASK_WORK_KILL);
	kthread_join(a);
	KT_EXPECT_EQ(victim.err, -EINTR);
	mutex_unlock(&mutex);
	kthread_join(b);
	KT_EXPECT_EQ(patient.err, 0);
	KT_EXPECT_EQ(mutex.waiters, 0);
}

/* --- rwsem */

static s32 n_inside;	/* [a] readers, or −1000 a writer */

static void enter_and_leave(s32 amount, bool must_be_alone)
{
	s32 now = __atomic_add_fetch(&n_inside, amount, __ATOMIC_SEQ_CST);

	if (must_be_alone ? now != amount : now < 0)
		ktest_fail(__FILE__, __LINE__, "%d inside", now);
	if ((count++ & 255) == 0)
		sched_yield();
	__atomic_sub_fetch(&n_inside, amount, __ATOMIC_SEQ_CST);
}

static void read_and_write(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < 400; i++) {
		if (i % 8 == 0) {
			rwsem_write_lock(&rwsem);
			enter_and_leave(-1000, true);
			if (i % 16 == 0) {
				rwsem_downgrade(&rwsem);
				enter_and_leave(1, false);
				rwsem_read_unlock(&rwsem);
			} else {
				rwsem_write_unlock(&rwsem);
			}
		} else {
			rwsem_read_lock(&rwsem);
			enter_and_leave(1, false);
			rwsem_read_unlock(&rwsem);
		}
	}
}

KTEST(rwsem_excludes)
{
	rwsem_init(&rwsem, "ktest rwsem");
	n_inside = 0;
	run_threads(read_and_write, NULL);
	KT_EXPECT_EQ(n_inside, 0);
	KT_EXPECT_EQ(rwsem.state, 0);
	KT_EXPECT(list_empty(&rwsem.waiters));
}

KTEST(rwsem_try)
{
	rwsem_init(&rwsem, "ktest rwsem");
	KT_EXPECT(rwsem_read_trylock(&rwsem));
	KT_EXPECT(!rwsem_write_trylock(&rwsem));
	rwsem_read_unlock(&rwsem);
	KT_EXPECT(rwsem_write_trylock(&rwsem));
	KT_EXPECT(!rwsem_read_trylock(&rwsem));
	rwsem_downgrade(&rwsem);
	KT_EXPECT(!rwsem_write_trylock(&rwsem));
	rwsem_read_unlock(&rwsem);
}

static void read_for_ever(void *arg)
{
	(void)arg;
	while (!READ_ONCE(stop)) {
		rwsem_read_lock(&rwsem);
		clock_delay_ns(20000);
		__atomic_add_fetch(&n_hogged, 1, __ATOMIC_RELAXED);
		rwsem_read_unlock(&rwsem);
	}
}

/* Overlapping readers never leave it free; the writer gets in because they queue behind it. */
KTEST(rwsem_writer_is_not_starved)
{
	struct kthread *threads[4];
	u64 worst = 0;

	rwsem_init(&rwsem, "ktest rwsem");
	stop = false;
	for (u32 i = 0; i < 4; i++)
		KT_EXPECT_EQ(kthread_create(&threads[i], read_for_ever, NULL, -1, "reader"), 0);
	for (u32 i = 0; i < 30; i++) {
		u64 before = READ_ONCE(n_hogged);

		rwsem_write_lock(&rwsem);
		worst = max(worst, READ_ONCE(n_hogged) - before);
		rwsem_write_unlock(&rwsem);
	}
	WRITE_ONCE(stop, true);
	for (u32 i = 0; i < 4; i++)
		kthread_join(threads[i]);
	KT_EXPECT(worst < 20000);
}

static void write_killable(void *arg)
{
	struct killed *k = arg;

	STORE_RELEASE(k->task, current_sched());
	k->err = rwsem_write_lock_killable(&rwsem);
	if (!k->err)
		rwsem_write_unlock(&rwsem);
	task_work_clear(current_task(), TASK_WORK_KILL);
}

static void read_killable(void *arg)
{
	struct killed *k = arg;

	STORE_RELEASE(k->task, current_sched());
	k->err = rwsem_read_lock_killable(&rwsem);
	if (!k->err)
		rwsem_read_unlock(&rwsem);
}

/* A writer that is killed while it waits lets the readers behind it pass. */
KTEST(rwsem_killed_writer_makes_way)
{
	struct killed writer = { .err = 1 }, reader = { .err = 1 };
	struct kthread *a, *b;

	rwsem_init(&rwsem, "ktest rwsem");
	rwsem_read_lock(&rwsem);
	if (kthread_create(&a, write_killable, &writer, -1, "writer"))
		return;
	KT_WAIT(LOAD_ACQUIRE(writer.task) && READ_ONCE(writer.task->state) == TASK_BLOCKED, 10000);
	if (kthread_create(&b, read_killable, &reader, -1, "reader"))
		return;
	KT_WAIT(LOAD_ACQUIRE(reader.task) && READ_ONCE(reader.task->state) == TASK_BLOCKED, 10000);
	sched_notify(&writer.task->actor.task, TASK_WORK_KILL);
	kthread_join(a);
	kthread_join(b);
	KT_EXPECT_EQ(writer.err, -EINTR);
	KT_EXPECT_EQ(reader.err, 0);
	rwsem_read_unlock(&rwsem);
	KT_EXPECT_EQ(rwsem.state, 0);
}
