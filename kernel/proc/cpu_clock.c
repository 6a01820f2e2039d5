/* SPDX-License-Identifier: MPL-2.0 */
/*
 * CPU-time clocks. Reading sums live times. Sleeping on one cannot be early: n running threads advance the clock by at most n ns a ns, so the sleeper
 * sleeps what is left divided by that, looks again, and so closes in; it looks at most once a GRAIN_NS, which Linux's own tick would be.
 */
#include <frame/clock.h>
#include <frame/task.h>
#include <lib/errno.h>
#include "proc/cpu_clock.h"
#include "proc/thread.h"
#include "sync/wait.h"

#define GRAIN_NS 4000000ull
#define PACE_NS NSEC_PER_MSEC
#define PACE_MOST_NS (32 * PACE_NS)

enum { WHICH_PROF, WHICH_VIRT, WHICH_SCHED, WHICH_FD };
enum { ID_PROCESS = 2, ID_THREAD = 3 };

static bool clock_of_thread(s32 tid, struct cpu_clock *out)
{
	struct thread *t;

	if (tid == 0) {
		thread_get(current_thread());
		out->thread = current_thread();
		return true;
	}
	t = thread_find_get(tid);
	if (!t)
		return false;
	if (t->process != current_process()) {
		thread_put(t);
		return false;
	}
	out->thread = t;
	return true;
}

static bool clock_of_process(s32 tgid, struct cpu_clock *out)
{
	if (tgid == 0) {
		process_get(current_process());
		out->process = current_process();
		return true;
	}
	out->process = process_find_get(tgid);
	return out->process != NULL;
}

static bool find(s32 id, struct cpu_clock *out)
{
	*out = (struct cpu_clock){ .which = WHICH_SCHED };
	if (id == ID_PROCESS)
		return clock_of_process(0, out);
	if (id == ID_THREAD)
		return clock_of_thread(0, out);
	out->which = (u32)id & 3;
	if (id >= 0 || out->which == WHICH_FD)
		return false;
	return id & 4 ? clock_of_thread(~(id >> 3), out) : clock_of_process(~(id >> 3), out);
}

int cpu_clock_open(s32 id, struct cpu_clock *out)
{
	return find(id, out) ? 0 : -EINVAL;
}

void cpu_clock_close(const struct cpu_clock *c)
{
	if (c->process)
		process_put(c->process);
	if (c->thread)
		thread_put(c->thread);
}

u64 cpu_clock_value(const struct cpu_clock *c)
{
	u64 user, system;

	if (c->thread) {
		if (c->which == WHICH_SCHED)
			return sched_cpu_time_ns(&c->thread->sched);
		task_times(&c->thread->sched.actor.task, &user, &system);
	} else {
		struct cpu_usage usage;

		process_usage(c->process, &usage);
		user = usage.user_ns;
		system = usage.system_ns;
	}
	return c->which == WHICH_VIRT ? user : user + system;
}

u32 cpu_clock_threads(const struct cpu_clock *c)
{
	return c->process ? min(max(process_thread_count(c->process), 1u), cpu_count()) : 1;
}

bool cpu_clock_has_gone(const struct cpu_clock *c)
{
	struct process *p;

	if (c->thread)
		return READ_ONCE(c->thread->is_dead);
	p = process_of_pid(c->process->pids[PID_TGID]);
	if (p)
		process_put(p);
	return !p;
}

u64 cpu_pace_next(struct cpu_pace *pace, u64 now_ns, u64 left_ns, u32 threads)
{
	pace->pause_ns = pace->pause_ns && now_ns == pace->seen_ns ? min(pace->pause_ns * 2, PACE_MOST_NS) : PACE_NS;
	pace->seen_ns = now_ns;
	return min(max(left_ns / threads, pace->pause_ns), 3600 * NSEC_PER_SEC);
}

int cpu_clock_read(s32 id, u64 *ns)
{
	struct cpu_clock c;

	if (cpu_clock_open(id, &c))
		return -EINVAL;
	*ns = cpu_clock_value(&c);
	cpu_clock_close(&c);
	return 0;
}

static int sleep_on(const struct cpu_clock *c, u64 until_ns)
{
	u64 idle_ns = GRAIN_NS, former = 0;

	for (;;) {
		u64 now = cpu_clock_value(c), rate, wait_ns;
		int err;

		if (now >= until_ns)
			return 0;
		rate = cpu_clock_threads(c);
		/* Not running at all: look less and less often. */
		idle_ns = now == former ? min(idle_ns * 2, 16 * GRAIN_NS) : GRAIN_NS;
		former = now;
		wait_ns = max((until_ns - now) / rate, idle_ns);
		sched_prepare_sleep(SLEEP_INTERRUPTIBLE);
		err = waitq_sleep(SLEEP_INTERRUPTIBLE, clock_now_ns() + min(wait_ns, U64_MAX / 4));
		if (err == -ERESTARTSYS)
			return err;
	}
}

int cpu_clock_sleep_until(s32 id, u64 until_ns)
{
	struct cpu_clock c;
	int err;

	if (id == ID_THREAD)
		return -EOPNOTSUPP;
	if (cpu_clock_open(id, &c))
		return -EINVAL;
	err = c.thread == current_thread() ? -EINVAL : sleep_on(&c, until_ns);
	cpu_clock_close(&c);
	return err;
}
