/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Permissions of scheduling changes, sched(7): without CAP_SYS_NICE one may only change threads with one's own effective user id, lower what they
 * have, and raise it as far as their RLIMIT_NICE and RLIMIT_RTPRIO allow.
 */
#include <frame/rcu.h>
#include <lib/errno.h>
#include "abi/process.h"
#include "proc/policy.h"
#include "proc/scheduling.h"

static bool is_privileged(void)
{
	return capable(&init_user_ns, CAP_SYS_NICE);
}

static u64 limit_of(const struct thread *t, u32 which)
{
	return READ_ONCE(t->process->limits[which].soft);
}

/* Nice as far down as RLIMIT_NICE lets it (getrlimit(2): the ceiling is 20 − limit). */
static bool nice_is_within_limit(const struct thread *t, s32 nice)
{
	return (u64)(20 - nice) <= limit_of(t, KRLIMIT_NICE);
}

static bool is_rt(u32 policy)
{
	return policy == SCHED_POLICY_FIFO || policy == SCHED_POLICY_RR;
}

static bool needs_privilege(const struct thread *t, u32 policy, const struct scheduling *to)
{
	const struct sched_task *s = &t->sched;

	if (!is_rt(policy) && to->has_nice && to->nice < s->nice && !nice_is_within_limit(t, to->nice))
		return true;
	if (is_rt(policy)) {
		u64 limit = limit_of(t, KRLIMIT_RTPRIO);

		if (policy != s->own_policy && !limit)
			return true;
		if (to->rt_priority > s->own_rt_priority && (u64)to->rt_priority > limit)
			return true;
	}
	if (s->own_policy == SCHED_POLICY_IDLE && policy != SCHED_POLICY_IDLE && !nice_is_within_limit(t, s->nice))
		return true;
	return s->reset_on_fork && !to->reset_on_fork;
}

static bool policy_is_valid(u32 policy, s32 rt_priority)
{
	switch (policy) {
	case SCHED_POLICY_FIFO:
	case SCHED_POLICY_RR:
		return rt_priority >= 1 && rt_priority <= 99;
	case SCHED_POLICY_NORMAL:
	case SCHED_POLICY_BATCH:
	case SCHED_POLICY_IDLE:
		return rt_priority == 0;
	default:
		return false;
	}
}

int thread_set_scheduling(struct thread *t, const struct scheduling *asked)
{
	struct scheduling to = *asked;
	u32 policy = to.policy == KEEP_POLICY ? t->sched.own_policy : (u32)to.policy;
	int err;

	if (to.policy == KEEP_POLICY)
		to.reset_on_fork = t->sched.reset_on_fork;
	if (!policy_is_valid(policy, to.rt_priority))
		return -EINVAL;
	if ((needs_privilege(t, policy, &to) && !is_privileged()) || !thread_may_schedule(t))
		return -EPERM;
	err = to.keep_params ? 0 : sched_set_policy(&t->sched, policy, to.rt_priority);
	if (err)
		return err;
	if (!to.keep_params)
		proc_policy_pi_adjust(t);
	WRITE_ONCE(t->sched.reset_on_fork, to.reset_on_fork);
	if (to.has_nice && !to.keep_params && !is_rt(policy))
		sched_set_nice(&t->sched, to.nice);
	return 0;
}

void thread_get_scheduling(struct thread *t, struct scheduling *out)
{
	out->policy = (s32)READ_ONCE(t->sched.own_policy);
	out->reset_on_fork = READ_ONCE(t->sched.reset_on_fork);
	out->has_nice = true;
	out->nice = READ_ONCE(t->sched.nice);
	out->rt_priority = READ_ONCE(t->sched.own_rt_priority);
}

int thread_set_affinity(struct thread *t, const struct cpuset *cpus)
{
	if (!thread_may_schedule(t))
		return -EPERM;
	return sched_set_affinity(&t->sched, cpus);
}

/* --- getpriority, setpriority: threads by id, by process group, by user */

static bool process_is_meant(const struct process *p, s32 which, s32 who)
{
	if (which == PRIO_PGRP)
		return process_pgid(p) == (who ? who : process_pgid(current_process()));
	return true;			/* PRIO_USER: by thread */
}

static bool thread_is_meant(const struct thread *t, s32 which, s32 who)
{
	const struct cred *me = current_cred(), *c;
	kuid_t uid = me->uid;
	bool is_meant;

	if (which != PRIO_USER)
		return true;
	if (who && !make_kuid(me->ns, (u32)who, &uid))
		return false;
	c = cred_get_of(&t->sched.actor);
	is_meant = kuid_eq(c->uid, uid);
	cred_put(c);
	return is_meant;
}

/* Calls fn for every thread meant; -EINVAL, -ESRCH if there is none. */
static int for_each_meant(s32 which, s32 who, void (*fn)(struct thread *t, void *arg), void *arg)
{
	struct process *p;
	bool has_found = false;
	s32 next = 1;

	if (which == PRIO_PROCESS) {
		struct thread *t = who ? thread_find_get(who) : current_thread();

		if (!t)
			return -ESRCH;
		fn(t, arg);
		if (who)
			thread_put(t);
		return 0;
	}
	if (which != PRIO_PGRP && which != PRIO_USER)
		return -EINVAL;
	while ((p = process_next(next))) {
		struct thread *t;

		next = process_tgid(p) + 1;
		rcu_read_lock();
		if (process_is_meant(p, which, who)) {
			list_for_each_entry_rcu(t, &p->threads, process_node) {
				if (thread_is_meant(t, which, who)) {
					fn(t, arg);
					has_found = true;
				}
			}
		}
		rcu_read_unlock();
		process_put(p);
	}
	return has_found ? 0 : -ESRCH;
}

struct nice_change {
	s32 nice;
	int err;
};

static void change_nice(struct thread *t, void *arg)
{
	struct nice_change *change = arg;

	if (!thread_may_schedule(t))
		change->err = -EPERM;
	else if (change->nice < t->sched.nice && !nice_is_within_limit(t, change->nice) && !is_privileged())
		change->err = -EACCES;
	else
		sched_set_nice(&t->sched, change->nice);
}

int priority_set(s32 which, s32 who, s32 nice)
{
	struct nice_change change = { .nice = clamp(nice, -20, 19) };
	int err = for_each_meant(which, who, change_nice, &change);

	return err ? err : change.err;
}

static void look_at_nice(struct thread *t, void *arg)
{
	s32 *most = arg;

	*most = max(*most, 20 - READ_ONCE(t->sched.nice));
}

int priority_get(s32 which, s32 who)
{
	s32 most = 0;
	int err = for_each_meant(which, who, look_at_nice, &most);

	return err ? err : most;
}
