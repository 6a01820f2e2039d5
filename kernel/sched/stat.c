/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Statistics, all from live state.
 *
 * CPU times: the frame stamps user and kernel time into the task that runs; at each switch, and when somebody asks, what it has gathered since it was
 * last counted is added to its CPU's sums. Idle time is the idle loop's kernel time; it counts as I/O wait if somebody slept for I/O when it ended.
 * Interrupts' time belongs to whom they interrupt; irq and soft are therefore 0.
 *
 * The load averages are sampled every 5 s by a timer that exists only while something is runnable or blocked; periods without are made up for when
 * it starts again or somebody asks.
 */
#include <frame/clock.h>
#include <frame/spinlock.h>
#include "sched/run_queue.h"

#define SAMPLE_NS 5000000000ull
#define ONE 2048u			/* 11 fraction bits */
#define FORGOTTEN 5000u			/* periods after which every average is 0 */

static const u32 decay[3] = { 1884, 2014, 2037 };	/* ONE × e^(−5 s/1, 5, 15 min) */

static struct spinlock_hard load_lock = SPINLOCK_INIT("load average");
static u64 averages[3];			/* [load_lock] */
static u64 sampled_ns;			/* [load_lock] */
static struct timer load_timer;
static bool is_sampling;		/* [a] */
static u64 n_forks;			/* [a] */

static void add(u64 *sum, u64 delta)
{
	WRITE_ONCE(*sum, *sum + delta);
}

static u32 nr_iowait(void)
{
	s32 n = 0;

	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		n += READ_ONCE(rq_of(cpu)->n_iowait);
	return n > 0 ? (u32)n : 0;
}

/* What `t` has used since it was last counted goes to the CPU's sums. */
static void count(struct run_queue *rq, struct sched_task *t, u64 user, u64 system)
{
	u64 user_delta = user - t->counted_user_ns, system_delta = system - t->counted_system_ns;

	t->counted_user_ns = user;
	t->counted_system_ns = system;
	if (&t->actor.task == rq->idle) {
		add(nr_iowait() ? &rq->iowait_ns : &rq->idle_ns, system_delta);
		return;
	}
	if (user_delta)
		add(t->nice > 0 ? &rq->nice_ns : &rq->user_ns, user_delta);
	add(&rq->system_ns, system_delta);
}

void stat_switched(struct run_queue *rq, struct sched_task *prev)
{
	const struct task *t = &prev->actor.task;

	count(rq, prev, task_cycles_to_ns(t->user_cycles), task_cycles_to_ns(t->system_cycles));
}

static void count_running(struct run_queue *rq, struct sched_task *t)
{
	u64 user, system;

	task_times(&t->actor.task, &user, &system);
	count(rq, t, user, system);
}

void sched_cpu_stat(u32 cpu, struct sched_cpu_stat *out)
{
	struct run_queue *rq = rq_of(cpu);

	spin_lock_hard(&rq->lock);	/* the running task cannot change */
	if (rq->idle)
		count_running(rq, rq->current ? rq->current : sched_task_of(rq->idle));
	*out = (struct sched_cpu_stat){
		.user_ns = rq->user_ns, .nice_ns = rq->nice_ns, .system_ns = rq->system_ns, .idle_ns = rq->idle_ns, .iowait_ns = rq->iowait_ns,
		.n_switches = rq->n_switches,
	};
	spin_unlock_hard(&rq->lock);
}

u32 sched_nr_running(void)
{
	u32 n = 0;

	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		n += READ_ONCE(rq_of(cpu)->n_running);
	return n;
}

u32 sched_nr_blocked(void)
{
	s32 n = 0;

	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		n += READ_ONCE(rq_of(cpu)->n_blocked);
	return n > 0 ? (u32)n : 0;
}

static u64 decayed(u64 average, u32 factor, u64 active)
{
	u64 sum = average * factor + active * ONE * (ONE - factor);

	if (active * ONE >= average)
		sum += ONE - 1;		/* towards the goal, or it would never be reached */
	return sum / ONE;
}

/* Samples that were due up to now: those before the last with nothing active. */
static void sample(u64 avg[3], u64 *at_ns, u64 now_ns, u64 active, bool is_last_active)
{
	u64 n = (now_ns - *at_ns) / SAMPLE_NS;

	for (u32 i = 0; i < 3; i++) {
		u64 idle = is_last_active && n ? n - 1 : n;

		if (idle > FORGOTTEN)
			avg[i] = 0;
		for (; idle && avg[i]; idle--)
			avg[i] = decayed(avg[i], decay[i], 0);
		if (is_last_active && n)
			avg[i] = decayed(avg[i], decay[i], active);
	}
	*at_ns += n * SAMPLE_NS;
}

static void load_sample(struct timer *t)
{
	u64 active = sched_nr_running() + sched_nr_blocked(), next;

	spin_lock_hard(&load_lock);
	sample(averages, &sampled_ns, clock_now_ns(), active, true);
	next = sampled_ns + SAMPLE_NS;
	spin_unlock_hard(&load_lock);
	if (!active) {
		__atomic_store_n(&is_sampling, false, __ATOMIC_SEQ_CST);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (!sched_nr_running() || __atomic_exchange_n(&is_sampling, true, __ATOMIC_SEQ_CST))
			return;
	}
	timer_set(t, next);
}

/* With a run queue locked. */
void stat_active(void)
{
	u64 now, at;

	if (likely(READ_ONCE(is_sampling)) || __atomic_exchange_n(&is_sampling, true, __ATOMIC_SEQ_CST))
		return;
	now = clock_now_ns();
	at = READ_ONCE(sampled_ns);	/* nobody samples now */
	timer_set(&load_timer, now + SAMPLE_NS - (now - at) % SAMPLE_NS);
}

void sched_loadavg(u64 avg[3])
{
	u64 at;

	spin_lock_hard(&load_lock);
	for (u32 i = 0; i < 3; i++)
		avg[i] = averages[i];
	at = sampled_ns;
	spin_unlock_hard(&load_lock);
	if (!READ_ONCE(is_sampling))
		sample(avg, &at, clock_now_ns(), 0, false);
}

void stat_count_fork(void)
{
	__atomic_fetch_add(&n_forks, 1, __ATOMIC_RELAXED);
}

u64 sched_forks(void)
{
	return READ_ONCE(n_forks);
}

void stat_init(void)
{
	timer_init(&load_timer, load_sample);
	sampled_ns = clock_now_ns();
}
