/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Deadlines of CPU time: ITIMER_VIRTUAL, ITIMER_PROF (setitimer(2)), RLIMIT_CPU (getrlimit(2)).
 *
 * There is no tick. CPU time advances at most as fast as there are threads that can run, so a deadline that is `left` away cannot be reached before
 * left / min(threads, CPUs): a timer looks then, and sets itself again (struct cpu_pace).
 */
#include "abi/signal.h"
#include "proc/internal.h"

#define NEVER (~0ull)

struct due {
	bool has_virtual, has_prof, has_cpu_soft, has_cpu_hard;
	u64 left_ns;			/* until the next deadline, of whatever clock */
};

static bool check_timer_locked(struct process *p, u32 i, u64 now, struct due *due)
{
	u64 *value = &p->cpu_timers[i].value_ns, interval = p->cpu_timers[i].interval_ns;
	bool is_due = *value && *value <= now;

	if (is_due)
		*value = interval ? *value + ((now - *value) / interval + 1) * interval : 0;
	if (*value)
		due->left_ns = min(due->left_ns, *value - now);
	return is_due;
}

static u64 limit_ns(u64 seconds)
{
	u64 ns;

	return mul_overflows(max(seconds, 1ull), NSEC_PER_SEC, &ns) ? NEVER : ns;
}

/* SIGXCPU at the soft limit and each second beyond, SIGKILL at the hard one. A limit of 0 seconds counts as one, as on Linux. */
static void check_limit_locked(struct process *p, u64 now, struct due *due)
{
	const struct rlimit_k *lim = &p->limits[KRLIMIT_CPU];
	u64 soft_ns, hard_ns;

	if (lim->soft == RLIM_UNLIMITED && lim->hard == RLIM_UNLIMITED)
		return;
	soft_ns = limit_ns(lim->soft);
	hard_ns = limit_ns(lim->hard);
	due->has_cpu_hard = now >= hard_ns;
	if (!p->cpu_limit_next_ns)
		p->cpu_limit_next_ns = soft_ns;
	if (now >= p->cpu_limit_next_ns) {
		due->has_cpu_soft = true;
		p->cpu_limit_next_ns = now + NSEC_PER_SEC;
	}
	if (!due->has_cpu_hard)
		due->left_ns = min(due->left_ns, min(hard_ns, p->cpu_limit_next_ns) - now);
}

static void set_timer_locked(struct process *p, u64 left_ns, u64 cpu_ns)
{
	if (left_ns != NEVER)
		timer_set(&p->cpu_timer, clock_now_ns() + cpu_pace_next(&p->cpu_pace, cpu_ns, left_ns, min(max(p->n_threads, 1u), cpu_count())));
}

static void look(struct process *p, struct due *due)
{
	u64 user, system;

	*due = (struct due){ .left_ns = NEVER };
	process_cpu_time(p, &user, &system);
	SPIN_GUARD_SOFT(&p->lock);
	if (p->has_ended_timers)
		return;
	due->has_virtual = check_timer_locked(p, 0, user, due);
	due->has_prof = check_timer_locked(p, 1, user + system, due);
	check_limit_locked(p, user + system, due);
	set_timer_locked(p, due->left_ns, user + system);
}

static void send(struct process *p, u32 sig)
{
	struct siginfo_k info;

	siginfo_kernel(&info, sig);
	(void)signal_send_group(&p->signal, &info);
}

static void look_and_send(struct process *p)
{
	struct due due;

	look(p, &due);
	if (due.has_virtual)
		send(p, KSIGVTALRM);
	if (due.has_prof)
		send(p, KSIGPROF);
	if (due.has_cpu_soft)
		send(p, KSIGXCPU);
	if (due.has_cpu_hard)
		send(p, KSIGKILL);
}

void cpu_timers_arm(struct process *p)
{
	spin_lock_soft(&p->lock);
	p->cpu_pace = (struct cpu_pace){ 0 };
	spin_unlock_soft(&p->lock);
	look_and_send(p);
}

/* Soft context. */
void cpu_timer_fn(struct timer *timer)
{
	look_and_send(container_of(timer, struct process, cpu_timer));
}
