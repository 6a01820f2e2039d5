/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The scheduler: shares by weight, classes, affinity, migration, wake latency, idleness, statistics. Times are generous where a busy host can
 * disturb them. Shares are not, but time that the host takes from the guest is charged to whoever runs then, and may be all that a small share gets in a
 * window: so a share has to be right in one of several windows (SHARE_EXPECT). A scheduler that shares wrongly is wrong in all of them.
 */
#include <frame/clock.h>
#include <frame/percpu.h>
#include <frame/preempt.h>
#include "sched/kthread.h"
#include "sync/wait.h"
#include "ktest.h"

struct hog {
	struct kthread *thread;
	struct sched_task *task;	/* [a] */
	enum sched_policy policy;
	s32 nice, rt_priority;
	bool yields;
	u64 work;			/* [a] */
	u64 cpus_seen;			/* [a] */
	u32 last_cpu;			/* [a] */
	u64 last_ns, worst_gap_ns;
};

static bool stop;

static void be_hog(void *arg)
{
	struct hog *h = arg;

	sched_set_nice(current_sched(), h->nice);
	STORE_RELEASE(h->task, current_sched());	/* now: as a real-time thread it may have to wait for its betters */
	if (h->policy != SCHED_POLICY_NORMAL && sched_set_policy(current_sched(), h->policy, h->rt_priority))
		ktest_fail(__FILE__, __LINE__, "policy refused");
	while (!READ_ONCE(stop)) {
		u64 now = clock_now_ns();

		if (h->last_ns && now - h->last_ns > h->worst_gap_ns)
			h->worst_gap_ns = now - h->last_ns;
		h->last_ns = now;
		WRITE_ONCE(h->work, h->work + 1);
		WRITE_ONCE(h->last_cpu, cpu_id());
		WRITE_ONCE(h->cpus_seen, h->cpus_seen | 1ul << READ_ONCE(h->last_cpu));
		if (h->yields)
			sched_yield();
	}
}

static void hogs_start(struct hog *h, u32 n, s32 cpu)
{
	WRITE_ONCE(stop, false);
	for (u32 i = 0; i < n; i++)
		if (kthread_create(&h[i].thread, be_hog, &h[i], cpu, "hog"))
			ktest_fail(__FILE__, __LINE__, "no thread");
	for (u32 i = 0; i < n; i++)
		KT_WAIT(LOAD_ACQUIRE(h[i].task), 10000);
}

static void hogs_join(struct hog *h, u32 n)
{
	WRITE_ONCE(stop, true);
	for (u32 i = 0; i < n; i++)
		kthread_join(h[i].thread);
}

/* The test itself above all of them. */
static void outrank(bool begin)
{
	KT_EXPECT_EQ(sched_set_policy(current_sched(), begin ? SCHED_POLICY_FIFO : SCHED_POLICY_NORMAL, begin ? 90 : 0), 0);
}

static u64 parts_per_1000(u64 part, u64 whole)
{
	return whole ? part * 1000 / whole : 0;
}

#define MAX_HOGS (FRAME_MAX_CPUS + 1)
#define SHARE_WINDOWS 12

/* CPU time each hog gets in the next `ms`; returns their sum. */
static u64 measure(const struct hog *h, u32 n, u32 ms, u64 *used_ns)
{
	u64 sum = 0;

	for (u32 i = 0; i < n; i++)
		used_ns[i] = sched_cpu_time_ns(h[i].task);
	ktest_sleep_ms(ms);
	for (u32 i = 0; i < n; i++) {
		used_ns[i] = sched_cpu_time_ns(h[i].task) - used_ns[i];
		sum += used_ns[i];
	}
	return sum;
}

/* cond is about used[], the CPU times in a window of `ms`. */
#define SHARE_EXPECT(h, n, ms, used, cond) do {									\
	bool share_ok_ = false;											\
	for (u32 share_i_ = 0; share_i_ < SHARE_WINDOWS && !share_ok_; share_i_++) {				\
		(void)measure((h), (n), (ms), (used));								\
		share_ok_ = (cond);										\
	}													\
	if (!share_ok_)												\
		ktest_fail(__FILE__, __LINE__, "%s: in none of %d windows; last %lu and %lu us", #cond, SHARE_WINDOWS,	\
			   (used)[0] / 1000, (used)[1] / 1000);							\
} while (0)

static u64 worst_error(struct hog *h, const u64 *weight, u32 n, u64 weights)
{
	u64 used[MAX_HOGS], sum = measure(h, n, 1500, used), worst = 0;

	for (u32 i = 0; i < n; i++) {
		u64 due = sum * weight[i] / weights, off = used[i] > due ? used[i] - due : due - used[i];

		worst = max(worst, parts_per_1000(off, due));
	}
	return worst;
}

/* Nice 0, 5 and 10 on one CPU: 1024 : 335 : 110, within 5 % of each one's due. */
KTEST(sched_shares_by_weight)
{
	struct hog h[3] = { { .nice = 0 }, { .nice = 5 }, { .nice = 10 } };
	static const u64 weight[3] = { 1024, 335, 110 };
	u64 error = 1000;

	hogs_start(h, 3, (s32)cpu_count() - 1);
	for (u32 tries = 0; tries < SHARE_WINDOWS && error > 50; tries++)
		error = worst_error(h, weight, 3, 1469);
	hogs_join(h, 3);
	if (error > 50)
		ktest_fail(__FILE__, __LINE__, "off by %lu/1000", error);
}

KTEST(sched_equals_share_equally)
{
	static const u64 weight[5] = { 1024, 1024, 1024, 1024, 1024 };
	struct hog h[5] = { 0 };
	u64 error = 1000;

	hogs_start(h, 5, 0);
	for (u32 tries = 0; tries < SHARE_WINDOWS && error > 100; tries++)
		error = worst_error(h, weight, 5, 5 * 1024);
	hogs_join(h, 5);
	if (error > 100)
		ktest_fail(__FILE__, __LINE__, "off by %lu/1000", error);
}

/* Nice may change at any time: here of a thread that runs and of one that waits. */
KTEST(sched_nice_changes_take_effect)
{
	struct hog h[2] = { 0 };
	u64 used[2];

	hogs_start(h, 2, 0);
	for (u32 i = 0; i < 40; i++)
		sched_set_nice(h[i % 2].task, (s32)(i % 3));
	sched_set_nice(h[0].task, 0);
	sched_set_nice(h[1].task, 10);
	SHARE_EXPECT(h, 2, 700, used, used[0] > used[1] * 8 && used[0] < used[1] * 11);	/* 1024 : 110 = 9.3 */
	hogs_join(h, 2);
}

/* Threads that yield all the time share with each other, and a hog does not wait for ever for them. */
KTEST(sched_yield_lets_others_run)
{
	struct hog h[3] = { { .yields = true }, { .yields = true }, { 0 } };

	hogs_start(h, 3, 0);
	KT_WAIT(READ_ONCE(h[0].work) > 10 && READ_ONCE(h[1].work) > 10 && READ_ONCE(h[2].work) > 10, 10000);
	hogs_join(h, 3);
}

KTEST(sched_idle_policy_gets_leftovers)
{
	struct hog h[2] = { { .policy = SCHED_POLICY_IDLE }, { 0 } };
	u64 used[2];

	hogs_start(h, 2, 0);
	SHARE_EXPECT(h, 2, 500, used, used[1] > used[0] * 50);
	KT_WAIT(READ_ONCE(h[0].work) > 0, 20000);	/* its turn: a slice in 342, so not in every second */
	hogs_join(h, 2);
}

/* Real-time runs, fair waits, until the throttle gives it 50 ms of the second. */
KTEST(sched_realtime_above_fair)
{
	struct hog h[2] = { { 0 }, { .policy = SCHED_POLICY_FIFO, .rt_priority = 10 } };
	u64 used[2];

	hogs_start(h, 2, (s32)cpu_count() - 1);
	SHARE_EXPECT(h, 2, 2100, used, used[1] > used[0] * 8 && used[0] > 40 * NSEC_PER_MSEC);
	hogs_join(h, 2);
}

KTEST(sched_realtime_by_priority)
{
	struct hog h[2] = { { .policy = SCHED_POLICY_FIFO, .rt_priority = 10 }, { .policy = SCHED_POLICY_FIFO, .rt_priority = 20 } };
	u64 low;

	outrank(true);
	hogs_start(h, 2, 0);
	ktest_sleep_ms(5);
	low = READ_ONCE(h[0].work);
	ktest_sleep_ms(200);
	KT_EXPECT_EQ(READ_ONCE(h[0].work), low);
	hogs_join(h, 2);
	outrank(false);
}

KTEST(sched_round_robin_turns)
{
	struct hog h[2] = { { .policy = SCHED_POLICY_RR, .rt_priority = 10 }, { .policy = SCHED_POLICY_RR, .rt_priority = 10 } };
	u64 used[2];

	outrank(true);
	hogs_start(h, 2, 0);
	for (u32 i = 0; i < 2; i++)
		KT_WAIT(READ_ONCE(h[i].task->policy) == SCHED_POLICY_RR, 10000);	/* the second has to wait for the throttle */
	SHARE_EXPECT(h, 2, 800, used, used[0] > 150 * NSEC_PER_MSEC && used[1] > 150 * NSEC_PER_MSEC);
	hogs_join(h, 2);
	outrank(false);
}

static u64 least(const u64 *of, u32 n)
{
	u64 least = of[0];

	for (u32 i = 1; i < n; i++)
		least = min(least, of[i]);
	return least;
}

static u64 most(const u64 *of, u32 n)
{
	u64 most = of[0];

	for (u32 i = 1; i < n; i++)
		most = max(most, of[i]);
	return most;
}

/* As many hogs as CPUs, all born where the test runs: each ends up with a CPU of its own. */
KTEST(sched_spreads_hogs)
{
	struct hog h[FRAME_MAX_CPUS] = { 0 };
	u64 seen = 0, used[MAX_HOGS];
	u32 n = cpu_count();

	if (n < 2) {
		ktest_skip("one CPU");
		return;
	}
	hogs_start(h, n, 0);
	for (u32 i = 0; i < n; i++) {
		struct cpuset all = { { ~0ul } };

		KT_EXPECT_EQ(sched_set_affinity(h[i].task, &all), 0);
	}
	SHARE_EXPECT(h, n, 600, used, least(used, n) > 300 * NSEC_PER_MSEC);
	for (u32 i = 0; i < n; i++)
		seen |= READ_ONCE(h[i].cpus_seen);
	hogs_join(h, n);
	KT_EXPECT_EQ(seen, n == 64 ? ~0ul : (1ul << n) - 1);
}

/* One more hog than CPUs: in the long run all get the same. */
KTEST(sched_odd_hog_rotates)
{
	struct hog h[5] = { 0 };
	u64 used[5];
	u32 n = cpu_count() + 1;

	if (n < 3 || n > 5) {
		ktest_skip("for 2 to 4 CPUs");
		return;
	}
	hogs_start(h, n, -1);
	SHARE_EXPECT(h, n, 3000, used, least(used, n) * 5 > most(used, n) * 3);	/* if nobody moved: 1 : 2 */
	hogs_join(h, n);
}

KTEST(sched_affinity_moves_and_holds)
{
	struct hog h[1] = { 0 };
	struct cpuset none = { { 0 } }, beyond = { { 0 } };
	u32 n = cpu_count();

	hogs_start(h, 1, -1);
	KT_EXPECT_EQ(sched_set_affinity(h[0].task, &none), -EINVAL);
	if (n < 64) {
		cpuset_add(&beyond, 63);
		KT_EXPECT_EQ(sched_set_affinity(h[0].task, &beyond), -EINVAL);
	}
	for (u32 i = 0; i < 3 * n; i++) {
		struct cpuset one = { { 0 } };
		u64 work;

		cpuset_add(&one, i % n);
		KT_EXPECT_EQ(sched_set_affinity(h[0].task, &one), 0);
		KT_WAIT(READ_ONCE(h[0].last_cpu) == i % n, 10000);
		for (u32 j = 0; j < 20; j++) {
			work = READ_ONCE(h[0].work);
			while (READ_ONCE(h[0].work) == work)
				sched_yield();
			KT_EXPECT_EQ(READ_ONCE(h[0].last_cpu), i % n);
		}
	}
	hogs_join(h, 1);
}

static void set_affinities(void *arg)
{
	struct hog *h = arg;
	u64 seed = clock_now_ns() ^ cpu_id();

	for (u32 i = 0; i < 150; i++) {
		struct cpuset some = { { 0 } };

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		some.bits[0] = seed >> 33 | 1;
		KT_EXPECT_EQ(sched_set_affinity(h[seed >> 60 & 3].task, &some), 0);
		sched_set_nice(h[seed >> 58 & 3].task, (s32)(seed >> 50 & 15));
		if (i % 16 == 0)
			ktest_sleep_ms(1);
	}
}

static struct waitq churn_queue = WAITQ_INIT("ktest churn", churn_queue);

static void churn(void *arg)
{
	struct hog *h = arg;

	STORE_RELEASE(h->task, current_sched());
	while (!READ_ONCE(stop)) {
		(void)!WAIT_EVENT(&churn_queue, READ_ONCE(stop), SLEEP_UNINTERRUPTIBLE, clock_now_ns() + 100000);
		waitq_wake_all(&churn_queue);
		WRITE_ONCE(h->work, h->work + 1);
	}
}

/* Sleeping, waking, moving and changing the same threads from every CPU at once. */
KTEST(sched_storm)
{
	struct hog h[4] = { 0 };

	WRITE_ONCE(stop, false);
	for (u32 i = 0; i < 4; i++)
		KT_EXPECT_EQ(kthread_create(&h[i].thread, churn, &h[i], -1, "churn"), 0);
	for (u32 i = 0; i < 4; i++)
		KT_WAIT(LOAD_ACQUIRE(h[i].task), 10000);
	ktest_on_every_cpu(set_affinities, h);
	for (u32 i = 0; i < 4; i++) {
		u64 work = READ_ONCE(h[i].work);

		KT_WAIT(READ_ONCE(h[i].work) > work, 10000);	/* none got lost */
	}
	WRITE_ONCE(stop, true);
	waitq_wake_all(&churn_queue);
	for (u32 i = 0; i < 4; i++)
		kthread_join(h[i].thread);
}

static u64 mean_lateness_ns(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < 50; i++) {
		u64 until = clock_now_ns() + 2 * NSEC_PER_MSEC;

		ktest_sleep_ms(2);
		sum += clock_now_ns() - until;
	}
	return sum / 50;
}

/* A thread that sleeps gets the CPU soon after its time, however many hogs there are. */
KTEST(sched_wake_latency)
{
	struct cpuset last = { { 0 } }, all = { { ~0ul } };
	struct hog h[3] = { 0 };
	u64 late = ~0ul;

	hogs_start(h, 3, (s32)cpu_count() - 1);
	cpuset_add(&last, cpu_count() - 1);
	KT_EXPECT_EQ(sched_set_affinity(current_sched(), &last), 0);
	for (u32 tries = 0; tries < SHARE_WINDOWS && late >= 20 * NSEC_PER_MSEC; tries++)
		late = mean_lateness_ns();
	KT_EXPECT_EQ(sched_set_affinity(current_sched(), &all), 0);
	hogs_join(h, 3);
	KT_EXPECT(late < 20 * NSEC_PER_MSEC);
}

/* While everybody sleeps the CPUs idle: nearly all the time is idle time, and there are few switches. */
KTEST(sched_sleep_does_not_spin)
{
	struct sched_cpu_stat before, after;
	u64 start = clock_now_ns(), elapsed, used = sched_cpu_time_ns(current_sched());

	ktest_sleep_ms(50);
	for (u32 cpu = 0; cpu < cpu_count(); cpu++) {
		sched_cpu_stat(cpu, &before);
		start = clock_now_ns();
		ktest_sleep_ms(200);
		elapsed = clock_now_ns() - start;
		sched_cpu_stat(cpu, &after);
		KT_EXPECT(after.idle_ns + after.iowait_ns - before.idle_ns - before.iowait_ns > elapsed * 8 / 10);
		KT_EXPECT(after.n_switches - before.n_switches < 40);
	}
	KT_EXPECT(sched_cpu_time_ns(current_sched()) - used < 50 * NSEC_PER_MSEC);
	KT_EXPECT_EQ(sched_nr_blocked(), 0);
}

KTEST(sched_statistics_add_up)
{
	struct hog h[1] = { 0 };
	struct sched_cpu_stat before, after;
	u64 start, elapsed, sum;
	u64 avg[3];

	sched_cpu_stat(0, &before);
	start = clock_now_ns();
	hogs_start(h, 1, 0);
	ktest_sleep_ms(300);
	KT_EXPECT(sched_nr_running() >= 1);
	sched_cpu_stat(0, &after);
	elapsed = clock_now_ns() - start;
	hogs_join(h, 1);
	sum = after.system_ns + after.idle_ns + after.iowait_ns + after.user_ns + after.nice_ns;
	sum -= before.system_ns + before.idle_ns + before.iowait_ns + before.user_ns + before.nice_ns;
	KT_EXPECT(sum < elapsed + elapsed / 10 && sum > elapsed - elapsed / 5);
	KT_EXPECT(after.system_ns - before.system_ns > elapsed / 2);
	sched_loadavg(avg);
	KT_EXPECT(avg[0] < 100 * 2048);
}

static void return_at_once(void *arg)
{
	__atomic_add_fetch((u32 *)arg, 1, __ATOMIC_SEQ_CST);
}

/* Threads end and are buried, detached ones too. */
KTEST(sched_many_threads_come_and_go)
{
	u32 n = 0;

	for (u32 i = 0; i < 500; i++) {
		struct kthread *k;

		KT_EXPECT_EQ(kthread_create(&k, return_at_once, &n, -1, "brief"), 0);
		KT_EXPECT_EQ(kthread_create(NULL, return_at_once, &n, -1, "detached"), 0);
		kthread_join(k);
	}
	KT_WAIT(LOAD_ACQUIRE(n) == 1000, 10000);
}

static void until_stopped(void *arg)
{
	u32 *n = arg;

	while (!kthread_should_stop()) {
		sched_prepare_sleep(SLEEP_INTERRUPTIBLE);
		if (kthread_should_stop())
			sched_cancel_sleep();
		else
			(void)sched_sleep_until(SLEEP_FOREVER);
		__atomic_add_fetch(n, 1, __ATOMIC_SEQ_CST);
	}
}

KTEST(sched_kthread_stop)
{
	struct kthread *k;
	u32 n = 0;

	if (kthread_create(&k, until_stopped, &n, -1, "stoppable"))
		return;
	ktest_sleep_ms(5);
	kthread_wake(k);
	KT_WAIT(LOAD_ACQUIRE(n) == 1, 10000);
	kthread_ask_stop(k);
	kthread_join(k);
	KT_EXPECT_EQ(n, 2);
}

KTEST(sched_refuses)
{
	struct sched_task *t = current_sched();

	KT_EXPECT_EQ(sched_set_policy(t, SCHED_POLICY_FIFO, 0), -EINVAL);
	KT_EXPECT_EQ(sched_set_policy(t, SCHED_POLICY_RR, 100), -EINVAL);
	KT_EXPECT_EQ(sched_set_policy(t, SCHED_POLICY_NORMAL, 1), -EINVAL);
	KT_EXPECT_EQ(sched_set_policy(t, (enum sched_policy)4, 0), -EINVAL);
	KT_EXPECT_EQ(sched_set_policy(t, SCHED_POLICY_NORMAL, 0), 0);
}

KTEST(sched_sleep_in_atomic_is_caught)
{
	KT_EXPECT_REPORT(REPORT_SLEEP_ATOMIC) {
		preempt_disable();
		sched_prepare_sleep(SLEEP_UNINTERRUPTIBLE);
		sched_cancel_sleep();
		preempt_enable();
	}
}
