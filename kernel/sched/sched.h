/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Scheduling: per-CPU run queues with classes (real-time FIFO/RR above fair above idle; sched(7)), stealing by idle CPUs and periodic balancing by need.
 *
 * Fair: weighted virtual deadlines over a tree of entities (a task, or a group for cgroups later). Nice levels weigh as on Linux (1.25 a step).
 * Run-queue locks are hard spinlocks, taken one at a time or in CPU order. A task's queue may change only under its queue's lock.
 * Key: [r] the run queue's lock of the CPU it is on; [a] atomic; [I] immutable; [o] owner.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include <lib/types.h>
#include <lib/rbtree.h>
#include <lib/list.h>
#include <frame/task.h>
#include <frame/percpu.h>
#include "object/current.h"
#include "sync/policy.h"

enum sched_policy { SCHED_POLICY_NORMAL = 0, SCHED_POLICY_FIFO = 1, SCHED_POLICY_RR = 2, SCHED_POLICY_BATCH = 3, SCHED_POLICY_IDLE = 5 };

/* What a task is doing, for /proc and wait loops. */
enum sched_state { TASK_RUNNING, TASK_SLEEPING /* S */, TASK_BLOCKED /* D */, TASK_STOPPED /* T */, TASK_TRACED /* t */, TASK_DEAD /* X, Z */, TASK_NEW };

struct sched_entity {
	struct rb_node node;		/* [r] in the fair tree */
	struct sched_entity *parent;	/* [r] group's entity; NULL at the root */
	u64 vruntime, deadline;		/* [r] weighted ns */
	u64 min_vruntime;		/* [r] least of the subtree below node */
	s64 lag;			/* [r] weighted ns it is owed (or owes, < 0) while off the queue */
	u64 off_since_ns;		/* [r] when it left the queue to sleep */
	u64 exec_start_ns;		/* [r] */
	u64 sum_exec_ns;		/* [r] total time on a CPU */
	u64 slice_ns;			/* [r] fair: length of its requests; round robin: what is left */
	u32 weight;			/* [r] */
	u32 inverse;			/* [r] 2^32 / weight */
	bool on_queue;			/* [r] counted in a fair queue: in its tree, or running */
};

struct sched_task {
	struct actor actor;		/* must be first */
	struct sched_entity se;
	struct list rt_node;		/* [r] */
	u32 state;			/* [a] enum sched_state */
	u32 sleep_kind;			/* [o] enum sleep_kind while sleeping */
	u32 cpu;			/* [r] its run queue */
	u32 policy;			/* [r] enum sched_policy it runs under */
	s32 nice;			/* [r] -20 … 19 */
	s32 rt_priority;		/* [r] 1 … 99 it runs at, 0 for the others */
	u32 own_policy;			/* [r] what it asked for: differs while it is boosted */
	s32 own_rt_priority;		/* [r] likewise */
	s32 boost;			/* [r] real-time priority lent by those who wait for it (priority inheritance); 0: none */
	bool reset_on_fork;		/* [r] */
	bool in_iowait;			/* [o] */
	u32 switch_work;		/* [o; a] TASK_WORK_* bits to be raised whenever it leaves its CPU */
	struct cpuset affinity;		/* [r] allowed CPUs, never empty of online ones */
	bool on_rq;			/* [r] runnable there, whatever its class; the running task included */
	bool is_blocked, is_iowait;	/* [r] off the queue and counted in n_blocked, n_iowait */
	bool to_tail;			/* [r] real-time: goes behind its equals when it stops running */
	u64 n_voluntary, n_involuntary;	/* [r] context switches */
	u64 counted_user_ns, counted_system_ns;	/* [r] of its CPU time: in some CPU's statistics */
	u64 start_ns;			/* [I] clock_now_ns() at creation */
	char comm[16];			/* [o] with NUL; readers may see a mix while it changes */
	void (*dead)(struct sched_task *t);	/* [I] after the last switch away from it; soft context; sees to task_fini */
};

static inline struct sched_task *current_sched(void)
{
	return (struct sched_task *)(void *)current_task();
}

/* The idle loop, start-up code before it, or what interrupted them. */
bool sched_in_idle(void);

void sched_init(void);			/* first act of policy_start: boot CPU's run queue; the running stack becomes its idle task */
/* From policy_start, once: makes a kernel thread out of fn and enters the idle loop on the boot CPU. */
__noreturn void sched_begin(void (*fn)(void *arg), void *arg);

/* Prepares a zeroed task (calls task_init) that inherits policy, nice and affinity of the current one; not runnable yet. -ENOMEM */
__must_check int sched_task_init(struct sched_task *t, void (*fn)(void *arg), void *arg, bool is_user);
void sched_task_abort(struct sched_task *t);	/* never started: frees what sched_task_init made */
void sched_start(struct sched_task *t);		/* first enqueue, on a CPU of the scheduler's choice */
void sched_start_and_yield(struct sched_task *t);	/* fork: child is likely to exec; hint only */
__noreturn void sched_exit(void);		/* the current task never runs again; dead() gets it */
void schedule(void);				/* voluntary switch if a better task waits or the current one sleeps */
void sched_yield(void);				/* sched_yield(2) */
void sched_check(void);				/* in long loops: switches if TASK_WORK_RESCHED */
/*
 * Stops the current task in TASK_STOPPED or TASK_TRACED until sched_wake_stopped or a kill. A continue must not slip in between the decision to
 * stop and the stop: sched_prepare_stop is called under the lock that sched_wake_stopped's callers hold, sched_stop_prepared after releasing it.
 */
void sched_prepare_stop(enum sched_state state);
void sched_stop_prepared(void);
bool sched_wake_stopped(struct sched_task *t);	/* any context; false: it was not stopped (or preparing to) */

__must_check int sched_set_affinity(struct sched_task *t, const struct cpuset *cpus);	/* -EINVAL if no online CPU; moves it if needed */
__must_check int sched_set_policy(struct sched_task *t, enum sched_policy p, s32 rt_priority);	/* -EINVAL */
void sched_set_nice(struct sched_task *t, s32 nice);
/* Lends it a real-time priority (0: takes it back): above its own it runs as SCHED_FIFO, or SCHED_RR if it is that. Any context. */
void sched_set_boost(struct sched_task *t, s32 rt_priority);
u64 sched_rr_interval_ns(const struct sched_task *t);
u64 sched_cpu_time_ns(const struct sched_task *t);	/* live sum of time on a CPU */

/* Statistics from live state. */
struct sched_cpu_stat {
	u64 user_ns, nice_ns, system_ns, idle_ns, iowait_ns, irq_ns, soft_ns;
	u64 n_switches;
};
void sched_cpu_stat(u32 cpu, struct sched_cpu_stat *out);
u32 sched_nr_running(void);		/* runnable tasks, all CPUs */
u32 sched_nr_blocked(void);		/* in state D */
void sched_loadavg(u64 avg[3]);		/* 1, 5, 15 minutes, fixed point with 11 fraction bits */
u64 sched_forks(void);

#endif
