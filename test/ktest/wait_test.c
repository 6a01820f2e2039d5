/* SPDX-License-Identifier: MPL-2.0 */
/* Wait queues: no wake is lost, exclusive wakes go to one, sleeps end by what they say; completions; grace periods. */
#include <frame/clock.h>
#include <frame/percpu.h>
#include <frame/preempt.h>
#include <frame/rcu.h>
#include "sched/kthread.h"
#include "sync/completion.h"
#include "sync/rcu_wait.h"
#include "sync/wait.h"
#include "ktest.h"

static struct waitq queue = WAITQ_INIT("ktest wait", queue);
static u32 turn, rounds_left;

/* Two threads hand the turn to each other; a lost wake would leave both asleep. */
static void ping(void *arg)
{
	const u32 *me = arg;

	for (u32 i = 0; i < 500; i++) {
		(void)!WAIT_EVENT(&queue, LOAD_ACQUIRE(turn) == *me, SLEEP_UNINTERRUPTIBLE, SLEEP_FOREVER);
		STORE_RELEASE(turn, !*me);
		waitq_wake_all(&queue);
	}
}

static void ping_pong(s32 cpu_a, s32 cpu_b)
{
	static u32 first = 0, second = 1;
	struct kthread *a, *b;

	turn = 0;
	if (kthread_create(&a, ping, &first, cpu_a, "ping") || kthread_create(&b, ping, &second, cpu_b, "pong")) {
		ktest_fail(__FILE__, __LINE__, "no threads");
		return;
	}
	kthread_join(a);
	kthread_join(b);
	KT_EXPECT_EQ(turn, 0);
}

KTEST(wait_ping_pong_on_one_cpu)
{
	ping_pong(0, 0);
}

KTEST(wait_ping_pong_between_cpus)
{
	ping_pong(0, (s32)cpu_count() - 1);
	ping_pong(-1, -1);
}

static u32 tokens, n_consumed;

static void consume(void *arg)
{
	(void)arg;
	for (;;) {
		u32 n;

		(void)!WAIT_EVENT_EXCLUSIVE(&queue, LOAD_ACQUIRE(tokens) || !LOAD_ACQUIRE(rounds_left), SLEEP_UNINTERRUPTIBLE, SLEEP_FOREVER);
		n = LOAD_ACQUIRE(tokens);
		while (n && !__atomic_compare_exchange_n(&tokens, &n, n - 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
		if (n)
			__atomic_fetch_add(&n_consumed, 1, __ATOMIC_RELAXED);
		else if (!LOAD_ACQUIRE(rounds_left))
			return;
	}
}

/* One exclusive wake a token: every token is taken, though each wake reaches one of many sleepers. */
KTEST(wait_exclusive_storm)
{
	struct kthread *threads[6];

	tokens = n_consumed = 0;
	rounds_left = 1;
	for (u32 i = 0; i < 6; i++)
		KT_EXPECT_EQ(kthread_create(&threads[i], consume, NULL, -1, "consumer"), 0);
	for (u32 i = 0; i < 1000; i++) {
		__atomic_fetch_add(&tokens, 1, __ATOMIC_SEQ_CST);
		waitq_wake_one(&queue);
		if (i % 64 == 0)
			ktest_sleep_ms(1);
	}
	KT_WAIT(LOAD_ACQUIRE(n_consumed) == 1000, 10000);
	STORE_RELEASE(rounds_left, 0);
	waitq_wake_all(&queue);
	for (u32 i = 0; i < 6; i++)
		kthread_join(threads[i]);
	KT_EXPECT_EQ(tokens, 0);
}

static u32 n_awake;
static bool is_open;

static void wait_shut(void *arg)
{
	(void)arg;
	(void)!WAIT_EVENT_EXCLUSIVE(&queue, LOAD_ACQUIRE(is_open), SLEEP_UNINTERRUPTIBLE, SLEEP_FOREVER);
	__atomic_fetch_add(&n_awake, 1, __ATOMIC_SEQ_CST);
}

KTEST(wait_exclusive_wakes_one)
{
	struct kthread *threads[4];

	is_open = false;
	n_awake = 0;
	for (u32 i = 0; i < 4; i++)
		KT_EXPECT_EQ(kthread_create(&threads[i], wait_shut, NULL, -1, "exclusive"), 0);
	ktest_sleep_ms(20);
	STORE_RELEASE(is_open, true);
	for (u32 i = 1; i <= 4; i++) {
		waitq_wake_one(&queue);
		KT_WAIT(LOAD_ACQUIRE(n_awake) == i, 10000);
		ktest_sleep_ms(5);
		KT_EXPECT_EQ(n_awake, i);
	}
	for (u32 i = 0; i < 4; i++)
		kthread_join(threads[i]);
}

KTEST(wait_times_out)
{
	for (u64 ns = NSEC_PER_MSEC; ns <= 16 * NSEC_PER_MSEC; ns *= 4) {
		u64 start = clock_now_ns();
		int err = WAIT_EVENT(&queue, false, SLEEP_UNINTERRUPTIBLE, start + ns);

		KT_EXPECT_EQ(err, -ETIMEDOUT);
		KT_EXPECT(clock_now_ns() >= start + ns);
	}
	KT_EXPECT_EQ(WAIT_EVENT(&queue, false, SLEEP_UNINTERRUPTIBLE, 1), -ETIMEDOUT);	/* past */
	KT_EXPECT_EQ(WAIT_EVENT(&queue, true, SLEEP_UNINTERRUPTIBLE, 1), 0);
	KT_EXPECT(list_empty(&queue.waiters));
}

static u32 seen_key, n_calls;

static bool on_wake(struct waiter *w, u32 key)
{
	seen_key = key;
	n_calls++;
	return *(bool *)w->arg;
}

KTEST(wait_callbacks)
{
	bool consumes = false;
	struct waiter a, b;

	n_calls = 0;
	waiter_init_fn(&a, on_wake, &consumes);
	waiter_init_fn(&b, on_wake, &consumes);
	waitq_add_exclusive(&queue, &a);
	waitq_add_exclusive(&queue, &b);
	waitq_add_exclusive(&queue, &b);
	waitq_wake(&queue, 1, 42);
	KT_EXPECT_EQ(n_calls, 2);		/* a did not consume it: b's turn */
	KT_EXPECT_EQ(seen_key, 42);
	consumes = true;
	waitq_wake(&queue, 1, 43);
	KT_EXPECT_EQ(n_calls, 3);
	waitq_wake_all(&queue);
	KT_EXPECT_EQ(n_calls, 5);
	waitq_remove(&queue, &a);
	waitq_remove(&queue, &a);
	waitq_remove(&queue, &b);
	waitq_wake_all(&queue);
	KT_EXPECT_EQ(n_calls, 5);
}

struct sleeper {
	enum sleep_kind kind;
	struct sched_task *task;	/* [a] */
	int err;
	bool is_done;			/* [a] */
};

static void sleep_kind(void *arg)
{
	struct sleeper *s = arg;

	STORE_RELEASE(s->task, current_sched());
	s->err = WAIT_EVENT(&queue, LOAD_ACQUIRE(is_open), s->kind, SLEEP_FOREVER);
	task_work_clear(current_task(), TASK_WORK_SIGNAL | TASK_WORK_KILL);
	STORE_RELEASE(s->is_done, true);
}

static void sleep_and_notify(enum sleep_kind kind, u32 work, bool ends)
{
	struct sleeper s = { .kind = kind };
	struct kthread *k;

	is_open = false;
	if (kthread_create(&k, sleep_kind, &s, -1, "sleeper")) {
		ktest_fail(__FILE__, __LINE__, "no thread");
		return;
	}
	KT_WAIT(LOAD_ACQUIRE(s.task), 10000);
	KT_WAIT(READ_ONCE(s.task->state) != TASK_RUNNING, 10000);
	sched_notify(&s.task->actor.task, work);
	ktest_sleep_ms(10);
	KT_EXPECT_EQ(LOAD_ACQUIRE(s.is_done), ends);
	STORE_RELEASE(is_open, true);
	waitq_wake_all(&queue);
	kthread_join(k);
	KT_EXPECT_EQ(s.err, ends ? -ERESTARTSYS : 0);
}

KTEST(wait_ends_by_signal_or_kill)
{
	sleep_and_notify(SLEEP_INTERRUPTIBLE, TASK_WORK_SIGNAL, true);
	sleep_and_notify(SLEEP_INTERRUPTIBLE, TASK_WORK_KILL, true);
	sleep_and_notify(SLEEP_KILLABLE, TASK_WORK_SIGNAL, false);
	sleep_and_notify(SLEEP_KILLABLE, TASK_WORK_KILL, true);
	sleep_and_notify(SLEEP_UNINTERRUPTIBLE, TASK_WORK_SIGNAL, false);
	sleep_and_notify(SLEEP_UNINTERRUPTIBLE, TASK_WORK_KILL, false);
}

static void stop_once(void *arg)
{
	struct sleeper *s = arg;

	sched_prepare_stop(TASK_STOPPED);
	STORE_RELEASE(s->task, current_sched());
	sched_stop_prepared();
	STORE_RELEASE(s->is_done, true);
}

/* A continue that comes between the decision to stop and the stop is not lost. */
KTEST(wait_stop_and_continue)
{
	for (u32 i = 0; i < 200; i++) {
		struct sleeper s = { 0 };
		struct kthread *k;

		if (kthread_create(&k, stop_once, &s, -1, "stopper"))
			break;
		while (!LOAD_ACQUIRE(s.task))
			sched_yield();
		if (i % 4 == 0)
			ktest_sleep_ms(1);
		KT_EXPECT(!sched_wake(&s.task->actor.task));	/* not that kind of sleep */
		KT_EXPECT(sched_wake_stopped(s.task));
		kthread_join(k);
		KT_EXPECT(s.is_done);
	}
}

static void complete(void *arg)
{
	completion_done(arg);
}

/* The completion is gone as soon as the wait returns. */
KTEST(wait_completion_on_the_stack)
{
	for (u32 i = 0; i < 300; i++) {
		struct completion c;

		completion_init(&c);
		if (kthread_create(NULL, complete, &c, -1, "completer"))
			break;
		completion_wait(&c);
		KT_EXPECT(completion_is_done(&c));
	}
	ktest_sleep_ms(10);
}

static u32 *published;

static void read_under_rcu(void *arg)
{
	const bool *stop = arg;

	while (!READ_ONCE(*stop)) {
		u32 *p;

		rcu_read_lock();
		p = rcu_deref(published);
		if (p && READ_ONCE(*p) != 1)
			ktest_fail(__FILE__, __LINE__, "a reader saw what was taken back");
		rcu_read_unlock();
	}
}

KTEST(wait_for_grace_periods)
{
	u32 values[20] = { 0 };
	bool stop = false;
	struct kthread *k;

	if (kthread_create(&k, read_under_rcu, &stop, -1, "reader"))
		return;
	for (u32 i = 0; i < 20; i++) {
		values[i] = 1;
		rcu_publish(published, &values[i]);
		ktest_sleep_ms(1);
		rcu_publish(published, NULL);
		rcu_synchronize();
		WRITE_ONCE(values[i], 2);
	}
	WRITE_ONCE(stop, true);
	kthread_join(k);
}
