/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Interval timers, setitimer(2), alarm(2). ITIMER_REAL is a timer of the machine's clock; the other two are deadlines of CPU time (cpu_timers.c).
 * process->lock guards all; a timer that fires looks at the deadline under it, so that one that was moved or switched off meanwhile does nothing.
 */
#include "abi/signal.h"
#include "abi/time.h"
#include "proc/internal.h"

#define LEAST_PERIOD_NS (100 * NSEC_PER_USEC)	/* signals of a shorter period would only merge, while the timer took the whole CPU */

static void real_timer_fn(struct timer *timer)
{
	struct process *p = container_of(timer, struct process, real_timer);
	u64 now = clock_now_ns();
	struct siginfo_k info;

	spin_lock_soft(&p->lock);
	if (!p->real_deadline_ns || p->real_deadline_ns > now) {
		spin_unlock_soft(&p->lock);
		return;
	}
	if (p->real_interval_ns) {
		u64 missed = (now - p->real_deadline_ns) / p->real_interval_ns;

		p->real_deadline_ns += (missed + 1) * p->real_interval_ns;
		timer_set(timer, max(p->real_deadline_ns, now + LEAST_PERIOD_NS));
	} else {
		p->real_deadline_ns = 0;
	}
	spin_unlock_soft(&p->lock);
	siginfo_kernel(&info, KSIGALRM);
	(void)signal_send_group(&p->signal, &info);
}

void itimers_init(struct process *p)
{
	timer_init(&p->real_timer, real_timer_fn);
	timer_init(&p->cpu_timer, cpu_timer_fn);
}

void itimers_end(struct process *p)
{
	spin_lock_soft(&p->lock);
	p->has_ended_timers = true;
	p->real_deadline_ns = 0;
	spin_unlock_soft(&p->lock);
	(void)timer_cancel_sync(&p->real_timer);
	(void)timer_cancel_sync(&p->cpu_timer);
}

/* What is left until `deadline`; at least a microsecond while it is armed, since 0 means off. */
static u64 left_until(u64 deadline_ns, u64 now_ns)
{
	if (!deadline_ns)
		return 0;
	return deadline_ns > now_ns + NSEC_PER_USEC ? deadline_ns - now_ns : NSEC_PER_USEC;
}

static u64 deadline_after(u64 now_ns, u64 value_ns)
{
	u64 at;

	if (!value_ns)
		return 0;
	return add_overflows(now_ns, value_ns, &at) ? SLEEP_FOREVER - 1 : at;
}

static u64 now_of(struct process *p, u32 which)
{
	u64 user, system;

	if (which == ITIMER_REAL)
		return clock_now_ns();
	process_cpu_time(p, &user, &system);
	return which == ITIMER_VIRTUAL ? user : user + system;
}

static void get_locked(struct process *p, u32 which, u64 now, struct itimer_k *out)
{
	if (which == ITIMER_REAL)
		*out = (struct itimer_k){ left_until(p->real_deadline_ns, now), p->real_interval_ns };
	else
		*out = (struct itimer_k){ left_until(p->cpu_timers[which - 1].value_ns, now), p->cpu_timers[which - 1].interval_ns };
}

void process_itimer_get(u32 which, struct itimer_k *out)
{
	struct process *p = current_process();
	u64 now = now_of(p, which);

	SPIN_GUARD_SOFT(&p->lock);
	get_locked(p, which, now, out);
}

static void set_real_locked(struct process *p, const struct itimer_k *new, u64 now)
{
	p->real_deadline_ns = deadline_after(now, new->value_ns);
	p->real_interval_ns = new->interval_ns;
	if (p->real_deadline_ns && !p->has_ended_timers)
		timer_set(&p->real_timer, p->real_deadline_ns);
	else
		(void)timer_cancel(&p->real_timer);
}

void process_itimer_set(u32 which, const struct itimer_k *new, struct itimer_k *old)
{
	struct process *p = current_process();
	u64 now = now_of(p, which);

	spin_lock_soft(&p->lock);
	get_locked(p, which, now, old);
	if (which == ITIMER_REAL) {
		set_real_locked(p, new, now);
	} else {
		p->cpu_timers[which - 1].value_ns = deadline_after(now, new->value_ns);
		p->cpu_timers[which - 1].interval_ns = new->interval_ns;
	}
	spin_unlock_soft(&p->lock);
	if (which != ITIMER_REAL)
		cpu_timers_arm(p);
}
