/* SPDX-License-Identifier: MPL-2.0 */
/* Timers: order, moving, cancelling, races of all that between CPUs; the wall clock. */
#include <frame/clock.h>
#include <frame/percpu.h>
#include <frame/preempt.h>
#include <lib/list.h>
#include "sched/kthread.h"
#include "time/timer.h"
#include "time/wall.h"
#include "ktest.h"

struct probe {
	struct timer timer;
	u64 fired_ns;		/* [a] */
	u32 n_fired, order;	/* [a] */
	u32 n_inside;		/* [a] */
	bool again;
};

static u32 sequence;
static struct probe shared;	/* of timer_race_between_cpus */

static void fire(struct timer *t)
{
	struct probe *p = container_of(t, struct probe, timer);

	if (__atomic_add_fetch(&p->n_inside, 1, __ATOMIC_SEQ_CST) != 1)
		ktest_fail(__FILE__, __LINE__, "a timer runs on two CPUs");
	if (!in_soft() || in_hard())
		ktest_fail(__FILE__, __LINE__, "not in soft context");
	p->fired_ns = clock_now_ns();
	if (p->fired_ns < t->deadline_ns && p != &shared)	/* others change the shared one's deadline at any moment */
		ktest_fail(__FILE__, __LINE__, "%lu ns early", t->deadline_ns - p->fired_ns);
	p->order = __atomic_fetch_add(&sequence, 1, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&p->n_inside, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&p->n_fired, 1, __ATOMIC_SEQ_CST);
	if (READ_ONCE(p->again))
		timer_set(t, clock_now_ns() + 20000);
}

KTEST(timer_runs_in_order)
{
	static const u32 ms[8] = { 7, 3, 12, 1, 3, 20, 5, 9 };
	struct probe p[8] = { 0 };
	u64 start;

	sequence = 0;
	preempt_disable();		/* one CPU's tree */
	start = clock_now_ns() + 300 * NSEC_PER_MSEC;	/* all are set before the first is due, however the host pauses us */
	for (u32 i = 0; i < 8; i++) {
		timer_init(&p[i].timer, fire);
		timer_set(&p[i].timer, start + ms[i] * NSEC_PER_MSEC);
	}
	preempt_enable();
	KT_EXPECT(timer_is_pending(&p[5].timer));
	for (u32 i = 0; i < 8; i++)
		KT_WAIT(LOAD_ACQUIRE(p[i].n_fired) == 1, 10000);
	for (u32 i = 0; i < 8; i++)
		for (u32 j = 0; j < 8; j++)
			if (ms[i] < ms[j] || (ms[i] == ms[j] && i < j))
				KT_EXPECT(p[i].order < p[j].order);
	KT_EXPECT(!timer_is_pending(&p[5].timer));
}

KTEST(timer_moves_and_cancels)
{
	struct probe p = { 0 };
	u64 now = clock_now_ns();

	timer_init(&p.timer, fire);
	KT_EXPECT(!timer_cancel(&p.timer));
	KT_EXPECT(!timer_cancel_sync(&p.timer));
	timer_set(&p.timer, now + 10 * NSEC_PER_MSEC);
	KT_EXPECT(timer_cancel(&p.timer));
	KT_EXPECT(!timer_cancel(&p.timer));
	ktest_sleep_ms(15);
	KT_EXPECT_EQ(p.n_fired, 0);
	timer_set(&p.timer, clock_now_ns() + 10000 * NSEC_PER_MSEC);
	timer_set(&p.timer, clock_now_ns() + 2 * NSEC_PER_MSEC);	/* earlier */
	KT_WAIT(LOAD_ACQUIRE(p.n_fired) == 1, 10000);
	timer_set(&p.timer, clock_now_ns() + 2 * NSEC_PER_MSEC);
	timer_set(&p.timer, clock_now_ns() + 10000 * NSEC_PER_MSEC);	/* later */
	ktest_sleep_ms(10);
	KT_EXPECT_EQ(p.n_fired, 1);
	KT_EXPECT(timer_cancel_sync(&p.timer));
	timer_set(&p.timer, 0);						/* past: at once */
	KT_WAIT(LOAD_ACQUIRE(p.n_fired) == 2, 10000);
}

/* Sets, moves and cancels the same timer as everybody else does. */
static void meddle(void *arg)
{
	u64 seed = clock_now_ns() ^ (u64)cpu_id() << 32;

	(void)arg;
	for (u32 i = 0; i < 3000; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		switch (seed >> 61) {
		case 0:
			(void)timer_cancel(&shared.timer);
			break;
		case 1:
			(void)timer_cancel_sync(&shared.timer);
			break;
		default:
			timer_set(&shared.timer, clock_now_ns() + (seed >> 40) % 50000);
			break;
		}
	}
}

KTEST(timer_race_between_cpus)
{
	shared = (struct probe){ 0 };
	timer_init(&shared.timer, fire);
	ktest_on_every_cpu(meddle, NULL);
	timer_set(&shared.timer, clock_now_ns());
	KT_WAIT(!timer_is_pending(&shared.timer), 10000);
	(void)timer_cancel_sync(&shared.timer);
	KT_EXPECT(shared.n_fired > 0);
}

/* After timer_cancel_sync the function runs no more, though it sets itself again and again. */
KTEST(timer_cancel_sync_is_final)
{
	for (u32 i = 0; i < 100; i++) {
		struct probe p = { .again = true };
		u32 n;

		timer_init(&p.timer, fire);
		timer_set(&p.timer, clock_now_ns() + 10000);
		KT_WAIT(LOAD_ACQUIRE(p.n_fired) > 0, 10000);
		WRITE_ONCE(p.again, i % 2);
		(void)timer_cancel_sync(&p.timer);
		n = LOAD_ACQUIRE(p.n_fired);
		KT_EXPECT(!timer_is_pending(&p.timer));
		clock_delay_ns(50000);
		KT_EXPECT_EQ(LOAD_ACQUIRE(p.n_fired), n);
	}
}

#define N_MANY 500

static struct probe many[N_MANY];

KTEST(timer_many_at_random)
{
	u64 seed = 12345, latest = 0;

	for (u32 i = 0; i < N_MANY; i++) {
		many[i] = (struct probe){ 0 };
		timer_init(&many[i].timer, fire);
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		timer_set(&many[i].timer, clock_now_ns() + (seed >> 33) % (30 * NSEC_PER_MSEC));
	}
	for (u32 i = 0; i < N_MANY; i++) {
		KT_WAIT(LOAD_ACQUIRE(many[i].n_fired) == 1, 10000);
		latest = max(latest, many[i].fired_ns - many[i].timer.deadline_ns);
	}
	KT_EXPECT(latest < 500 * NSEC_PER_MSEC);
}

KTEST(wall_clock_is_consistent)
{
	s64 real = wall_now_ns(), coarse = wall_now_coarse_ns();
	u64 mono = wall_monotonic_ns(), raw = clock_now_ns(), deadline;
	u32 seq = wall_seq();

	KT_EXPECT(coarse <= wall_now_ns() && wall_now_ns() - coarse < (s64)(500 * NSEC_PER_MSEC));
	KT_EXPECT(mono <= raw + 100 * NSEC_PER_MSEC && raw <= mono + 100 * NSEC_PER_MSEC);
	wall_set(real + (s64)(3600 * NSEC_PER_SEC));
	KT_EXPECT(wall_seq() != seq);
	KT_EXPECT(wall_now_ns() >= real + (s64)(3600 * NSEC_PER_SEC));
	deadline = wall_to_deadline(wall_now_ns() + (s64)NSEC_PER_SEC);
	KT_EXPECT(deadline > clock_now_ns() + 500 * NSEC_PER_MSEC && deadline < clock_now_ns() + 1500 * NSEC_PER_MSEC);
	KT_EXPECT_EQ(wall_to_deadline(wall_now_ns() - 1), 0);
	KT_EXPECT_EQ(wall_to_deadline(S64_MIN), 0);
	KT_EXPECT(wall_to_deadline(S64_MAX) > clock_now_ns());
	wall_set(real + (s64)(wall_monotonic_ns() - mono));
	KT_EXPECT(wall_monotonic_ns() >= mono);
}

/* 100,000 ppm faster for a while: the monotonic clock shows it, without a jump, and deadlines allow for it. */
KTEST(wall_rate_steers)
{
	u64 raw0 = clock_now_ns(), mono0 = wall_monotonic_ns(), raw, mono, deadline;
	s64 tenth = (1l << 48) / 10;

	spin_lock_soft(&wall_lock);
	wall_set_rate_locked(tenth);
	spin_unlock_soft(&wall_lock);
	deadline = wall_monotonic_to_deadline(wall_monotonic_ns() + 110 * NSEC_PER_MSEC);
	KT_EXPECT(deadline > raw0 + 95 * NSEC_PER_MSEC && deadline < clock_now_ns() + 101 * NSEC_PER_MSEC);
	while (clock_now_ns() < deadline)
		ktest_sleep_ms(5);
	KT_EXPECT(wall_monotonic_ns() - mono0 >= 110 * NSEC_PER_MSEC);
	raw = clock_now_ns() - raw0;
	mono = wall_monotonic_ns() - mono0;
	spin_lock_soft(&wall_lock);
	wall_set_rate_locked(0);
	spin_unlock_soft(&wall_lock);
	KT_EXPECT(mono > raw + raw / 20);
	KT_EXPECT(wall_monotonic_ns() - mono0 >= mono);
}
