/* SPDX-License-Identifier: MPL-2.0 */
/*
 * sched/'s own: the run queue and what its parts ask of each other. core.c switches, wakes and sleeps; fair.c and rt.c are the classes;
 * balance.c chooses CPUs and moves tasks; the big theory is in core.c.
 * Key: [r] the run queue's lock; [a] may be read without it (READ_ONCE); [I] immutable after sched_init.
 */
#ifndef SCHED_RUN_QUEUE_H
#define SCHED_RUN_QUEUE_H

#include <frame/percpu.h>
#include <frame/spinlock.h>
#include "sched/sched.h"
#include "time/timer.h"

#define RT_LEVELS 99			/* level = 99 − rt_priority: 0 runs first */
#define SLICE_NS 3000000ull		/* of a fair task's request */
#define RR_SLICE_NS 100000000ull	/* sched_rr_get_interval(2) */

struct fair_queue {
	struct rb_root tree;		/* [r] entities that wait, by deadline; subtrees know their least vruntime */
	struct sched_entity *running;	/* [r] on the queue but not in the tree */
	u64 base;			/* [r] vruntime that sum is relative to */
	s64 sum;			/* [r] Σ weight × (vruntime − base), the running one included */
	u64 weight;			/* [r, a] Σ weight, likewise */
	u32 n;				/* [r] likewise */
	bool has_yielded;		/* [r] the next pick passes over the running one */
};

struct rt_queue {
	u64 levels[(RT_LEVELS + 63) / 64];	/* [r] bit: list not empty */
	struct list lists[RT_LEVELS];	/* [r] sched_task.rt_node of those who wait */
	u32 n;				/* [r] the running one included */
	u64 period_start_ns, used_ns;	/* [r] throttling */
	bool is_throttled;		/* [r] */
};

struct run_queue {
	struct spinlock_hard lock;
	u32 cpu;			/* [I] */
	bool is_online;			/* [a] takes tasks */
	bool is_balancing;		/* [r] balance_timer is set or running */
	u32 n_running;			/* [r, a] runnable tasks, the running one included, idle not */
	struct sched_task *current;	/* [r, a] NULL: idle */
	s32 urgency;			/* [r, a] of the running task: −1 idle, 0 fair, rt_priority */
	struct task *idle;		/* [I once online] */
	struct sched_task *push;	/* [r] being switched away from, belongs on another CPU */
	struct sched_task *soft_thread;	/* [a] */
	bool is_soft_wanted;		/* [a] it has been called */
	u64 now_ns;			/* [r] as of the last rq_update */
	u64 slice_armed_ns;		/* [r] deadline slice_timer was set for; SLICE_UNARMED */
	struct fair_queue fair;
	struct rt_queue rt;
	struct timer slice_timer, balance_timer;
	u32 n_balanced;			/* [r] balance rounds */
	struct list dead;		/* [this CPU, interrupts off] sched_task.rt_node */

	s32 n_blocked, n_iowait;	/* [r, a] sleepers counted here; another queue may count them off again: only the sum over CPUs means anything */
	u64 n_switches;			/* [r, a] */
	u64 user_ns, nice_ns, system_ns, idle_ns, iowait_ns;	/* [r] */
};
#define SLICE_UNARMED (~0ull)

extern struct run_queue run_queues_;	/* PERCPU; use the two below */

static inline struct run_queue *rq_of(u32 cpu)
{
	return cpu_var(run_queues_, cpu);
}

static inline struct run_queue *this_rq(void)	/* preemption off */
{
	return this_cpu(run_queues_);
}

static inline struct sched_task *sched_task_of(struct task *t)
{
	return container_of(container_of(t, struct actor, task), struct sched_task, actor);
}

static inline bool policy_is_rt(u32 policy)
{
	return policy == SCHED_POLICY_FIFO || policy == SCHED_POLICY_RR;
}

static inline bool task_is_rt(const struct sched_task *t)
{
	return policy_is_rt(t->policy);
}

/* core.c: all with the queue locked */
struct run_queue *rq_lock_of(struct sched_task *t);		/* locks the queue t is on */
void rq_update(struct run_queue *rq);				/* charges the running task up to now */
/* Enqueues; may_preempt: and runs it at once if it is better. is_wake: it has slept. */
void rq_activate(struct run_queue *rq, struct sched_task *t, bool is_wake, bool may_preempt);
void rq_deactivate(struct run_queue *rq, struct sched_task *t);	/* dequeues; t waits or runs there */
void rq_resched(struct run_queue *rq);				/* its CPU passes the scheduler soon */
void rq_slice_timer(struct timer *timer);
void enqueue_unqueued(struct sched_task *t, bool is_wake, bool may_preempt);	/* not locked: onto the queue of t->cpu, or of an allowed CPU */

/* fair.c */
void fair_init_entity(struct sched_entity *se);
void fair_charge(struct fair_queue *fq, struct sched_entity *se, u64 delta_ns);	/* se is running */
void fair_enqueue(struct fair_queue *fq, struct sched_entity *se, u64 now_ns, bool is_wake);
void fair_dequeue(struct fair_queue *fq, struct sched_entity *se, u64 now_ns);
struct sched_entity *fair_pick(struct fair_queue *fq);
void fair_run(struct fair_queue *fq, struct sched_entity *se);	/* becomes the running one; NULL: none */
bool fair_preempts(const struct fair_queue *fq, const struct sched_entity *se);	/* rather than the running one */
u64 fair_left_ns(const struct sched_entity *se);		/* of its slice */
void fair_yield(struct fair_queue *fq);
void fair_set_weight(struct fair_queue *fq, struct sched_entity *se, u32 weight);	/* fq NULL: not queued */
u32 fair_weight_of(u32 policy, s32 nice);

/* rt.c */
void rt_init(struct rt_queue *q);
void rt_enqueue(struct rt_queue *q, struct sched_task *t);
void rt_dequeue(struct rt_queue *q, struct sched_task *t, bool is_running);
void rt_put_back(struct rt_queue *q, struct sched_task *t);	/* was running, still wants to */
void rt_take(struct rt_queue *q, struct sched_task *t);	/* starts running */
struct sched_task *rt_first(const struct rt_queue *q);		/* of those who wait; NULL */
bool rt_charge(struct run_queue *rq, struct sched_task *t, u64 delta_ns);	/* true: must give way */
u64 rt_event_ns(const struct run_queue *rq);			/* when the queue must be looked at again; ~0: never */
bool rt_may_run(struct run_queue *rq);				/* not throttled */

/* balance.c */
u32 balance_wake_cpu(const struct sched_task *t, bool is_sync);	/* t->cpu's queue locked */
u32 balance_fork_cpu(const struct sched_task *t);
u32 balance_any_cpu(const struct cpuset *allowed, u32 preferred);	/* least loaded of them */
bool balance_steal(struct run_queue *rq);			/* idle: no lock held. True if something was brought */
bool balance_rt_push(void);					/* SOFT_SCHED: waiting real-time tasks to CPUs that run less urgent ones */
void balance_timer_fn(struct timer *timer);
void balance_begin(struct run_queue *rq);			/* locked: more than one task is runnable */

/* soft_thread.c */
void soft_thread_cpu_online(void);				/* a CPU has come up: its soft thread is to be made. Any context */
void soft_thread_init(void);					/* the boot CPU's; task context */

/* stat.c */
void stat_switched(struct run_queue *rq, struct sched_task *prev);	/* first act after a switch, locked */
void stat_active(void);						/* something became runnable: the load average needs its timer */
void stat_init(void);
void stat_count_fork(void);

/* sleep.c */
u32 sleep_ending_work(u32 state, u32 kind);			/* work bits that do not let such a sleep begin, or end it */

/* core.c: SOFT_SCHED */
bool sched_soft(void);

#endif
