/* SPDX-License-Identifier: MPL-2.0 */
/*
 * POSIX timers (timer_create(2), timer_settime(2), timer_getoverrun(2)).
 *
 * A timer has one prepared signal (struct signal_source), so an expiry is never lost and never queued twice. A timer on a clock of the machine rests while its
 * signal is queued: when that is taken, the periods that have passed meanwhile are its overruns, and the timer goes on. So a short period costs nothing while
 * nobody takes the signal. A timer on a CPU clock goes on and counts as it looks (as cpu_timers.c: it cannot be late by more than a look).
 *
 * Deadlines are kept in the clock's own time, and the machine's timer is only a reason to look: it comes early when the clock is steered or set. Absolute times
 * of the settable clocks wait in wall_changes(), whose wake makes them look at once.
 *
 * Lock: the process's signal.lock guards all timers of the process, so that expiry, setting, deletion and the taking of the signal are steps that exclude
 * each other. CPU clocks are read before it is taken (they need process->lock), which is why a timer is counted: its id may be deleted meanwhile. Key: [g] that lock.
 */
#include <lib/errno.h>
#include <lib/radix.h>
#include "abi/process.h"
#include "abi/signal.h"
#include "abi/time.h"
#include "mm/alloc.h"
#include "object/pid_ns.h"
#include "object/uaccess.h"
#include "proc/cpu_clock.h"
#include "proc/internal.h"
#include "proc/posix_timers.h"
#include "signal/policy.h"
#include "time/wall.h"

#define LEAST_PAUSE_NS NSEC_PER_MSEC		/* between expiries whose signal nobody wants */
#define OVERRUN_MOST 0x7fffffff			/* DELAYTIMER_MAX */

enum base { BASE_MONOTONIC, BASE_REAL, BASE_TAI, BASE_CPU };

struct posix_timer {
	struct ref refs;
	struct process *process;		/* [I] whose it is; it ends its timers before it goes */
	s32 id;					/* [I] once it is in process->posix_timers */
	s32 clock;				/* [I] */
	struct posix_timer_event event;		/* [I] */
	struct pid *target;			/* [I] SIGEV_THREAD_ID: referenced */
	struct cpu_clock cpu;			/* [I] of a CPU clock: referenced */
	struct cpu_pace pace;			/* [g] */
	struct timer timer;
	struct waiter on_set;			/* in wall_changes() while base is REAL or TAI */
	struct signal_source source;
	enum base base;				/* [g] BASE_CPU: [I] */
	u64 deadline_ns, interval_ns;		/* [g] in the base's time */
	bool is_armed;				/* [g] has a deadline */
	bool is_resting;			/* [g] it is past, and goes on when the queued signal has been taken */
	bool is_deleted;			/* [g] */
	u64 overrun, last_overrun;		/* [g] of the queued signal; of the last one taken */
};

/* --- clocks */

static bool is_cpu(const struct posix_timer *t)
{
	return cpu_clock_is(t->clock);
}

static enum base base_of(s32 clock, bool is_absolute)
{
	if (cpu_clock_is(clock))
		return BASE_CPU;
	if (!is_absolute)
		return BASE_MONOTONIC;		/* setting the clock is nothing to a relative timer */
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM)
		return BASE_REAL;
	return clock == CLOCK_TAI ? BASE_TAI : BASE_MONOTONIC;
}

/* signal.lock not held. Other bases are read where they are needed. */
static u64 read_cpu(const struct posix_timer *t)
{
	return is_cpu(t) ? cpu_clock_value(&t->cpu) : 0;
}

static u64 now_locked(const struct posix_timer *t, u64 cpu_now)
{
	switch (t->base) {
	case BASE_CPU:
		return cpu_now;
	case BASE_REAL:
		return (u64)max(wall_now_ns(), 0ll);
	case BASE_TAI:
		return (u64)max(wall_tai_ns(), 0ll);
	case BASE_MONOTONIC:
		break;
	}
	return wall_monotonic_ns();
}

/* 0: is past. */
static u64 machine_deadline(const struct posix_timer *t)
{
	if (t->base == BASE_REAL)
		return wall_to_deadline((s64)t->deadline_ns);
	if (t->base == BASE_TAI)
		return wall_tai_to_deadline((s64)t->deadline_ns);
	return wall_monotonic_to_deadline(t->deadline_ns);
}

/* Has the machine's timer look when the deadline may have come, and not before `least`. */
static void start_locked(struct posix_timer *t, u64 now, u64 least)
{
	u32 seq;

	if (t->base == BASE_CPU) {
		u64 left = t->deadline_ns > now ? t->deadline_ns - now : 0;

		timer_set(&t->timer, max(least, left ? clock_now_ns() + cpu_pace_next(&t->pace, now, left, cpu_clock_threads(&t->cpu)) : 0));
		return;
	}
	do {				/* set meanwhile: the deadline is another, and on_set may have come too early */
		seq = wall_seq();
		timer_set(&t->timer, max(least, machine_deadline(t)));
	} while (wall_seq() != seq);
}

/* Any context, under the queue's lock. */
static bool clock_was_set(struct waiter *w, u32 key)
{
	struct posix_timer *t = w->arg;

	(void)key;
	timer_set(&t->timer, 0);
	return false;
}

/* --- expiry */

/* The deadline is past: how often by now; it moves on, or the timer is off. */
static u64 advance_locked(struct posix_timer *t, u64 now)
{
	u64 n;

	if (!t->interval_ns) {
		t->is_armed = false;
		return 1;
	}
	n = (now - t->deadline_ns) / t->interval_ns + 1;
	t->deadline_ns = min(t->deadline_ns + n * t->interval_ns, (u64)S64_MAX);
	return n;
}

/* Whom the signal is for. False: a thread that has gone. */
static bool target_locked(const struct posix_timer *t, struct signal_thread **only)
{
	struct thread *th = NULL;

	*only = NULL;
	if (!t->target)
		return true;
	spin_lock_soft(&t->target->lock);
	if (!list_empty(&t->target->users[PID_TID]))
		th = container_of(t->target->users[PID_TID].next, struct thread, pid_link);
	spin_unlock_soft(&t->target->lock);
	if (!th || th->process != t->process)	/* freed after a grace period: not before the lock is released */
		return false;
	*only = &th->signal;
	return true;
}

/* False: it has no effect, being ignored, or nobody is there. */
static bool queue_locked(struct posix_timer *t, bool *tell_parent)
{
	struct siginfo_k info = { .signo = t->event.signo, .code = SI_TIMER, .timer_id = t->id, .value = t->event.value };
	struct signal_thread *only;

	return target_locked(t, &only) && signal_send_source_locked(&t->process->signal, only, &t->source, &info, tell_parent);
}

static void expire_locked(struct posix_timer *t, u64 now, bool *tell_parent)
{
	bool was_queued = t->source.is_queued, is_wanted = was_queued;
	u64 n = advance_locked(t, now);

	if (was_queued) {
		t->overrun += n;
	} else {
		t->overrun = n - 1;
		is_wanted = queue_locked(t, tell_parent);
	}
	if (!t->is_armed)
		return;
	if (is_wanted && t->base != BASE_CPU)
		t->is_resting = true;
	else
		start_locked(t, now, is_wanted ? 0 : clock_now_ns() + LEAST_PAUSE_NS);
}

/* Soft context. */
static void timer_fn(struct timer *timer)
{
	struct posix_timer *t = container_of(timer, struct posix_timer, timer);
	struct signal_group *g = &t->process->signal;
	u64 now, cpu_now = read_cpu(t);
	bool tell_parent = false;

	spin_lock_soft(&g->lock);
	if (t->is_armed && !t->is_resting) {
		now = now_locked(t, cpu_now);
		if (now < t->deadline_ns)
			start_locked(t, now, 0);
		else
			expire_locked(t, now, &tell_parent);
	}
	spin_unlock_soft(&g->lock);
	if (tell_parent)
		signal_policy_notify_parent(g, false);
}

/* The signal has left the queue: to be delivered, or thrown away (info NULL). */
static void signal_taken(struct signal_source *s, struct siginfo_k *info)
{
	struct posix_timer *t = container_of(s, struct posix_timer, source);

	if (t->is_resting) {
		u64 now = now_locked(t, 0);

		t->is_resting = false;
		if (now >= t->deadline_ns)
			t->overrun += advance_locked(t, now);
		start_locked(t, now, 0);
	}
	if (info) {
		info->overrun = (s32)min(t->overrun, (u64)OVERRUN_MOST);
		t->last_overrun = t->overrun;
	}
	t->overrun = 0;
}

/* --- life */

static void *node_alloc(void *ctx)
{
	(void)ctx;
	return kmalloc(RADIX_NODE_SIZE, ALLOC_SLEEP | ALLOC_USER);
}

/* At once: nobody looks without the lock. */
static void node_free(void *ctx, void *node)
{
	(void)ctx;
	kfree(node);
}

static const struct radix_alloc node_ops = { .alloc = node_alloc, .free = node_free };

/* The first with an id ≥ from. signal.lock is held. */
static struct posix_timer *first_from_locked(const struct process *p, s32 from)
{
	u64 id = (u32)from;
	void *t;

	return from >= 0 && radix_next(&p->posix_timers, &id, &t) ? t : NULL;
}

static struct posix_timer *find_locked(const struct process *p, s32 id)
{
	return radix_lookup(&p->posix_timers, (u32)id);
}

static struct posix_timer *timer_get(s32 id)
{
	struct process *p = current_process();
	struct posix_timer *t;

	SPIN_GUARD_SOFT(&p->signal.lock);
	t = find_locked(p, id);
	if (t)
		ref_get(&t->refs);
	return t;
}

static void timer_put(struct posix_timer *t)
{
	if (!ref_put(&t->refs))
		return;
	if (is_cpu(t))
		cpu_clock_close(&t->cpu);
	pid_put(t->target);
	kfree(t);
}

/* -EAGAIN: the preload lacks nodes; -ENOSPC: no id is free. */
static int take_id_locked(struct process *p, struct posix_timer *t, struct radix_preload *pl)
{
	s32 start = p->next_posix_timer;

	if (!p->posix_timers.alloc)
		radix_init(&p->posix_timers, &node_ops);
	do {
		int err;

		t->id = p->next_posix_timer;
		err = radix_insert(&p->posix_timers, (u32)t->id, t, pl);
		if (err == -EAGAIN)
			return err;
		p->next_posix_timer = t->id == S32_MAX ? 0 : t->id + 1;
		if (!err)
			return 0;
	} while (p->next_posix_timer != start);
	return -ENOSPC;
}

static int check_clock(s32 clock)
{
	switch (clock) {
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		if (!wall_has_rtc())
			return -EOPNOTSUPP;
		return capable(&init_user_ns, CAP_WAKE_ALARM) ? 0 : -EPERM;
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		return 0;
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	default:
		return cpu_clock_is(clock) ? 0 : -EINVAL;
	}
}

static int check_event(const struct posix_timer_event *e, struct pid **target)
{
	struct thread *t;

	*target = NULL;
	if (e->notify == SIGEV_NONE)
		return 0;
	if (e->notify != SIGEV_SIGNAL && e->notify != SIGEV_THREAD && e->notify != SIGEV_THREAD_ID)
		return -EINVAL;
	if (e->signo < 1 || e->signo > SIG_COUNT)
		return -EINVAL;
	if (e->notify != SIGEV_THREAD_ID)
		return 0;
	t = thread_find_get(e->tid);
	if (t && t->process == current_process())
		*target = pid_find_get(&init_pid_ns, e->tid);
	if (t)
		thread_put(t);
	return *target ? 0 : -EINVAL;
}

static int make(s32 clock, const struct posix_timer_event *event, struct pid *target, struct posix_timer **out)
{
	struct process *p = current_process();
	struct posix_timer *t = kmalloc(sizeof(*t), ALLOC_SLEEP | ALLOC_ZERO | ALLOC_USER);
	int err;

	if (!t)
		return -EAGAIN;
	ref_init(&t->refs);
	t->process = p;
	t->clock = clock;
	t->event = *event;
	t->base = base_of(clock, false);
	timer_init(&t->timer, timer_fn);
	waiter_init_fn(&t->on_set, clock_was_set, t);
	err = is_cpu(t) ? cpu_clock_open(clock, &t->cpu) : 0;
	if (!err) {
		err = signal_source_create(&p->signal, &t->source, signal_taken);
		if (err && is_cpu(t))
			cpu_clock_close(&t->cpu);
	}
	if (err) {
		kfree(t);
		return err;
	}
	t->target = target ? pid_get(target) : NULL;
	*out = t;
	return 0;
}

static int try_publish(struct posix_timer *t, bool has_event, struct radix_preload *pl)
{
	int err;

	SPIN_GUARD_SOFT(&t->process->signal.lock);
	err = take_id_locked(t->process, t, pl);
	if (!err && !has_event)
		t->event.value = (u32)t->id;
	return err;
}

/* Its id is the program's first, so that no other thread needs to guess it. */
static int publish(struct posix_timer *t, bool has_event)
{
	struct signal_group *g = &t->process->signal;
	struct radix_preload pl = { 0 };
	int err;

	do {
		err = try_publish(t, has_event, &pl);
	} while (err == -EAGAIN && (err = radix_preload_fill(&pl, &node_ops)) == 0);
	radix_preload_drain(&pl, &node_ops);
	if (!err)
		return 0;
	SPIN_GUARD_SOFT(&g->lock);
	signal_source_destroy_locked(g, &t->source, false);
	return -EAGAIN;
}

/* signal.lock is held: from now on nothing finds or starts it. The rest is done without the lock, by destroy. */
static void withdraw_locked(struct posix_timer *t, bool keeps_signal)
{
	(void)radix_erase(&t->process->posix_timers, (u32)t->id);
	t->is_deleted = true;
	t->is_armed = t->is_resting = false;
	signal_source_destroy_locked(&t->process->signal, &t->source, keeps_signal);
}

static void destroy(struct posix_timer *t)
{
	waitq_remove(wall_changes(), &t->on_set);
	(void)timer_cancel_sync(&t->timer);
	timer_put(t);
}

/* A queued signal of it is delivered all the same, as on Linux (timer_delete(2) leaves that open). */
static int delete_timer(struct posix_timer *t)
{
	bool was_deleted;

	spin_lock_soft(&t->process->signal.lock);
	was_deleted = t->is_deleted;
	if (!was_deleted)
		withdraw_locked(t, true);
	spin_unlock_soft(&t->process->signal.lock);
	if (!was_deleted)
		destroy(t);
	return was_deleted ? -EINVAL : 0;
}

int posix_timer_create(s32 clock, const struct posix_timer_event *event, uaddr_t to)
{
	static const struct posix_timer_event standard = { .notify = SIGEV_SIGNAL, .signo = SIGALRM };
	struct pid *target = NULL;
	struct posix_timer *t;
	int err = check_clock(clock);

	if (!err && event)
		err = check_event(event, &target);
	if (err)
		return err;
	err = make(clock, event ? event : &standard, target, &t);
	pid_put(target);
	if (err)
		return err;
	ref_get(&t->refs);
	err = publish(t, event != NULL);
	if (err) {
		timer_put(t);
	} else {
		err = uput(to, &t->id, sizeof(t->id));
		if (err && delete_timer(t))
			err = -EFAULT;
	}
	timer_put(t);
	return err;
}

int posix_timer_delete(s32 id)
{
	struct posix_timer *t = timer_get(id);
	int err;

	if (!t)
		return -EINVAL;
	err = delete_timer(t);
	timer_put(t);
	return err;
}

void posix_timers_end(struct process *p)
{
	struct posix_timer *t;

	do {
		spin_lock_soft(&p->signal.lock);
		t = first_from_locked(p, 0);
		if (t)
			withdraw_locked(t, false);
		spin_unlock_soft(&p->signal.lock);
		if (t)
			destroy(t);
	} while (t);
}

/* --- setting and reading */

/* What is left: at least a nanosecond while a signal is to come, since 0 means off. */
static u64 left_locked(const struct posix_timer *t, u64 now)
{
	if (!t->is_armed)
		return 0;
	if (t->deadline_ns > now)
		return t->deadline_ns - now;
	if (t->interval_ns && (t->is_resting || t->event.notify == SIGEV_NONE))
		return t->interval_ns - (now - t->deadline_ns) % t->interval_ns;
	return t->event.notify == SIGEV_NONE ? 0 : 1;
}

static void listen_locked(struct posix_timer *t, bool listens)
{
	if (listens)
		waitq_add(wall_changes(), &t->on_set);
	else if (list_is_linked(&t->on_set.node))	/* by whom signal.lock is held alone */
		waitq_remove(wall_changes(), &t->on_set);
}

/* now: by the base until now. A timer without a signal has no use for the machine's, and one that is armed again only moves it. */
static void set_locked(struct posix_timer *t, bool is_absolute, const struct itimer_k *new, u64 cpu_now, u64 now)
{
	bool has_signal = t->event.notify != SIGEV_NONE;
	enum base base = base_of(t->clock, is_absolute);

	t->overrun = t->last_overrun = 0;
	t->is_resting = false;
	t->is_armed = new->value_ns != 0;
	t->interval_ns = t->is_armed ? new->interval_ns : 0;
	t->pace = (struct cpu_pace){ 0 };
	if (base != t->base) {
		t->base = base;
		now = now_locked(t, cpu_now);
	}
	listen_locked(t, t->is_armed && has_signal && (base == BASE_REAL || base == BASE_TAI));
	if (!t->is_armed) {
		if (has_signal)
			(void)timer_cancel(&t->timer);
		return;
	}
	t->deadline_ns = is_absolute ? new->value_ns : min(now + new->value_ns, (u64)S64_MAX);
	if (has_signal)
		start_locked(t, now, 0);
}

/* Reads the timer and, if new is not NULL, sets it. */
static void exchange_locked(struct posix_timer *t, bool is_absolute, const struct itimer_k *new, struct itimer_k *old, u64 cpu_now)
{
	u64 now = now_locked(t, cpu_now);

	*old = (struct itimer_k){ left_locked(t, now), t->interval_ns };
	if (new)
		set_locked(t, is_absolute, new, cpu_now, now);
}

/* On a CPU clock, which is read without the lock. */
static int exchange_cpu(s32 id, bool is_absolute, const struct itimer_k *new, struct itimer_k *old)
{
	struct posix_timer *t = timer_get(id);
	u64 cpu_now;
	int err = 0;

	if (!t)
		return -EINVAL;
	if (new && cpu_clock_has_gone(&t->cpu)) {
		timer_put(t);
		return -ESRCH;
	}
	cpu_now = read_cpu(t);
	spin_lock_soft(&t->process->signal.lock);
	if (new && t->is_deleted)
		err = -EINVAL;
	else
		exchange_locked(t, is_absolute, new, old, cpu_now);
	spin_unlock_soft(&t->process->signal.lock);
	timer_put(t);
	return err;
}

static int exchange(s32 id, bool is_absolute, const struct itimer_k *new, struct itimer_k *old)
{
	struct signal_group *g = &current_process()->signal;
	struct posix_timer *t;
	bool is_on_cpu;

	spin_lock_soft(&g->lock);
	t = find_locked(current_process(), id);
	is_on_cpu = t && is_cpu(t);
	if (t && !is_on_cpu)
		exchange_locked(t, is_absolute, new, old, 0);
	spin_unlock_soft(&g->lock);
	if (unlikely(is_on_cpu))
		return exchange_cpu(id, is_absolute, new, old);
	return t ? 0 : -EINVAL;
}

int posix_timer_set(s32 id, bool is_absolute, const struct itimer_k *new, struct itimer_k *old)
{
	return exchange(id, is_absolute, new, old);
}

int posix_timer_get(s32 id, struct itimer_k *out)
{
	return exchange(id, false, NULL, out);
}

int posix_timer_overrun(s32 id)
{
	struct process *p = current_process();
	struct posix_timer *t;

	SPIN_GUARD_SOFT(&p->signal.lock);
	t = find_locked(p, id);
	return t ? (int)min(t->last_overrun, (u64)OVERRUN_MOST) : -EINVAL;
}

bool posix_timer_next(struct process *p, s32 from, struct posix_timer_info *out)
{
	struct posix_timer *t;

	SPIN_GUARD_SOFT(&p->signal.lock);
	t = first_from_locked(p, from);
	if (!t)
		return false;
	*out = (struct posix_timer_info){ .id = t->id, .clock = t->clock, .event = t->event };
	if (!t->target)
		out->event.tid = process_tgid(p);
	return true;
}
