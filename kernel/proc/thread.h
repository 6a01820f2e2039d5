/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Threads and processes.
 *
 * struct thread: one kernel-scheduled flow of a user program; its first member chain is sched_task → actor → task. struct process: a thread group, what its
 * threads share by definition (identity, parent and children, limits, timers, session). A process lives until its parent has waited for it.
 * Locks: proc_tree_lock (spinlock, soft: SIGCHLD paths) guards parent/children/sibling, group and session membership, ptrace links; process->lock guards the fields marked [p].
 * Order: proc_tree_lock → process->lock → signal.lock → sighand lock; pid->lock innermost. Signals may be sent with proc_tree_lock held.
 * References: a process has one of the tree (until it has been waited for) and one for each reference to one of its threads that is held outside of it, a running
 * thread's own included; it owns its leader, whose memory lasts as long as the process's. So a referenced thread's process is there, and a process's leader.
 * Key: [t] proc_tree_lock, [p] process->lock, [g] signal.lock, [o] the thread itself, [I] immutable, [a] atomic.
 */
#ifndef PROC_THREAD_H
#define PROC_THREAD_H

#include <lib/types.h>
#include <lib/list.h>
#include <lib/radix.h>
#include "object/ref.h"
#include "object/pid.h"
#include "object/cred.h"
#include "sched/sched.h"
#include "signal/signal.h"
#include "time/timer.h"
#include "mm/mm.h"
#include "fs/policy.h"

struct file;
struct user_account;
struct uts_ns;

struct rlimit_k {
	u64 soft, hard;
};
#define RLIMIT_COUNT 16
enum { KRLIMIT_CPU, KRLIMIT_FSIZE, KRLIMIT_DATA, KRLIMIT_STACK, KRLIMIT_CORE, KRLIMIT_RSS, KRLIMIT_NPROC, KRLIMIT_NOFILE, KRLIMIT_MEMLOCK,
       KRLIMIT_AS, KRLIMIT_LOCKS, KRLIMIT_SIGPENDING, KRLIMIT_MSGQUEUE, KRLIMIT_NICE, KRLIMIT_RTPRIO, KRLIMIT_RTTIME };
#define RLIM_UNLIMITED (~0ull)

/* What a call that sleeps leaves behind so that it can go on after a stop or an ignored signal (restart_syscall(2)). */
struct restart_block {
	s64 (*fn)(struct restart_block *rb);	/* NULL: -EINTR */
	u64 args[6];
};

struct cpu_usage {
	u64 user_ns, system_ns;
	u64 min_faults, maj_faults, n_voluntary, n_involuntary, in_blocks, out_blocks;
	u64 max_rss_pages;
};

/*
 * When to look at a clock of CPU time again: it cannot advance by `left` before left / threads; it is looked at once a millisecond at most, and less and less
 * often (up to 32 of them) while it stands still. Zero at first. cpu_clock.c
 */
struct cpu_pace {
	u64 seen_ns, pause_ns;
};
u64 cpu_pace_next(struct cpu_pace *pace, u64 now_ns, u64 left_ns, u32 threads);

/* A thread's place among priority-inheritance futexes. All of it is guarded by ipc/pi.c's lock. */
struct pi_waiter;
struct pi_thread {
	struct rb_root_cached owned;	/* struct pi_lock by the priority of its first waiter */
	struct pi_waiter *waits;	/* NULL: not for any */
	s32 boost;			/* what its waiters lend it */
	bool is_over;			/* it has begun to exit: owns none, and will not */
};

struct process {
	struct ref refs;
	struct rcu_head rcu;
	struct spinlock_soft lock;
	struct signal_group signal;
	struct list threads;			/* [g] struct thread by process_node; RCU to read */
	struct thread *leader;			/* [t, g to write; RCU] changes by exec of another thread */
	u32 n_threads;				/* [t] threads whose exit is not complete */
	struct thread *exec_thread;		/* [t] it is ending all others */
	struct waitq exec_wait;			/* … and waits for n_threads to be 1 here */
	struct pid *pids[PID_TYPES];		/* [t; RCU] TGID, PGID, SID */
	struct list pid_links[PID_TYPES];	/* [pid->lock] in pid->users */
	struct process *parent;			/* [t] never NULL but for init */
	struct thread *parent_thread;		/* [t] the parent's thread that made it (or took it over); never a dead one's; for comparison and __WNOTHREAD */
	struct list children, sibling;		/* [t] in the order they became children */
	struct rb_root ready_children;		/* [t] by ready_node: those wait(2) may have something to say about, by child_seq */
	struct rb_node ready_node;		/* [t] */
	u64 child_seq;				/* [t] position among all children ever linked */
	bool is_ready;				/* [t] in parent->ready_children */
	bool is_subreaper;			/* [t] PR_SET_CHILD_SUBREAPER */
	bool is_zombie;				/* [t] every thread has exited */
	bool has_execed;			/* [t] setpgid's EACCES rule */
	s32 exit_signal;			/* [t] to the parent, 0 none, -1: a clone thread-like child without */
	s32 exit_status;			/* [t] wait status once zombie */
	bool wait_stop_ready, wait_cont_ready;	/* [t] unreported stop / continue for wait */
	struct deferred cont_note;		/* [t, while not queued] tells the parent of a continue, from the process's own context */
	bool is_cont_noted;			/* [a] cont_note is queued */
	struct waitq child_wait;		/* parents wait for children here */
	struct rlimit_k limits[RLIMIT_COUNT];	/* [p] */
	struct cpu_usage dead_threads, waited_children;	/* [p] */
	bool has_given_up_tty;			/* [a] TIOCNOTTY by a process that is not the session's leader; inherited over fork */
	bool is_session_leader;			/* [t] */
	struct timer real_timer;		/* ITIMER_REAL, alarm */
	u64 real_deadline_ns;			/* [p] 0: off */
	u64 real_interval_ns;			/* [p] */
	struct { u64 value_ns, interval_ns; } cpu_timers[2];	/* [p] ITIMER_VIRTUAL, PROF as deadlines of CPU time; value 0: off */
	struct timer cpu_timer;			/* looks at cpu_timers and RLIMIT_CPU */
	struct cpu_pace cpu_pace;		/* [p] of its looks */
	struct radix_root posix_timers;		/* [g] by id (posix_timers.c) */
	s32 next_posix_timer;			/* [g] the next id to try */
	u64 cpu_limit_next_ns;			/* [p] CPU time of the next SIGXCPU beyond the soft limit */
	bool has_ended_timers;			/* [p] exiting: no timer is armed any more */
	struct user_account *signal_account;	/* [g] who pays for queued signals while there are any */
	u64 start_ns;				/* [I] */
	u32 personality;			/* [a] */
	bool dumpable;				/* [a] */
	bool is_thp_disabled;			/* [a] PR_SET_THP_DISABLE: remembered, there are no huge pages to disable */
	s32 oom_score_adj, oom_score_adj_min;	/* [a] */
	bool is_oom_done;			/* [a] was killed for its memory and did not end in time: not chosen again */
	u32 n_live;				/* [a] threads that have not begun to exit */
};

struct thread {
	struct sched_task sched;		/* must be first */
	struct ref refs;
	struct ref stack_refs;			/* its kernel stack and the registers there: until it has ended, and while somebody looks */
	struct rcu_head rcu;
	struct process *process;		/* [I] same as sched.actor.process */
	struct list process_node;		/* [g] in process->threads; RCU */
	struct pid *pid;			/* [t to write; RCU] thread id; changes when exec makes it the leader */
	struct list pid_link;			/* [pid->lock] in pid->users[PID_TID] */
	struct signal_thread signal;
	struct user_account *account;		/* [o to write; RCU] of the real user; this thread is counted there until it ends */
	struct deferred *notifications;		/* [a] newest first; see thread_notify */
	struct restart_block restart;		/* [o] */
	uaddr_t set_child_tid, clear_child_tid;	/* [o] */
	uaddr_t robust_list; size_t robust_len;	/* [o] */
	uaddr_t rseq; u32 rseq_sig;		/* [o] NULL: none is registered */
	struct vfork_wait *vfork;		/* [a] the parent waits until this thread execs or exits */
	s32 pdeath_signal;			/* [o] PR_SET_PDEATHSIG */
	u32 timer_slack_ns, default_slack_ns;	/* [o] PR_SET_TIMERSLACK */
	struct trace_call *traced;		/* [o] the call it is in, if that is to be printed */
	bool is_dead;				/* [t, p] */
	bool is_doomed;				/* [a] exec by another thread ends this one */
	bool is_over_nproc;			/* [o] set*uid took it beyond RLIMIT_NPROC: execve(2) answers EAGAIN */
	bool has_first_tls;			/* [o] CLONE_SETTLS: first_tls is to be loaded before user mode */
	u64 first_tls;				/* [o] */
	s32 exit_code;				/* [o] */
	u64 min_faults, maj_faults;		/* [o] */
	u64 io_rchar, io_wchar, io_syscr, io_syscw;	/* [o] /proc/PID/io */
	struct pi_thread pi;			/* priority-inheritance futexes it owns and waits for; ipc/pi.c */
	struct list ptraced, ptrace_node;	/* later */
};

static inline struct thread *current_thread(void)
{
	return container_of(current_sched(), struct thread, sched);
}

static inline struct process *current_process(void)
{
	return current_actor()->process;
}

extern struct spinlock_soft proc_tree_lock;

void proc_init(void);
/* Makes process 1 out of nothing: it runs the program at `path` with these strings; called by main.c's start-up thread. */
__must_check int proc_start_init(const char *path, const char *const argv[], const char *const envp[]);

/* /proc/sys/kernel/threads-max: at first what fits the machine; half of that is RLIMIT_NPROC's default. */
u32 thread_limit(void);
void thread_limit_set(u32 n);

/* --- look-up and references; pids as the current PID namespace numbers them */
struct thread *thread_find_get(s32 tid);
struct process *process_find_get(s32 tgid);
void thread_get(struct thread *t);
void thread_put(struct thread *t);
struct process *process_of_pid(struct pid *pid);	/* whose id it is, referenced; NULL: no process's, or it has been waited for. The caller holds the pid, by reference or RCU */
struct thread *process_leader_get(struct process *p);
void process_get(struct process *p);
void process_put(struct process *p);
s32 thread_tid(const struct thread *t);		/* in the current namespace; 0 if not visible */
s32 process_tgid(const struct process *p);
s32 process_ppid(const struct process *p);
s32 process_pgid(const struct process *p);
s32 process_sid(const struct process *p);
struct pid *process_id_get(const struct process *p, enum pid_type type);	/* its id, group or session; referenced */
struct process *init_process(void);

/* --- clone(2) */
struct clone_request {
	u64 flags;			/* CLONE_* without the signal */
	s32 exit_signal;
	u64 stack_top;			/* 0: the same stack pointer */
	uaddr_t pidfd, child_tid, parent_tid;
	u64 tls;
	const s32 *set_tid; size_t n_set_tid;
};
__must_check s64 proc_clone(const struct clone_request *rq);	/* tid of the child in the caller's namespace */

/* --- execve(2): args are user arrays */
struct exec_request {
	s32 dirfd;
	uaddr_t path, argv, envp;
	u32 at_flags;
};
__must_check int proc_exec(const struct exec_request *rq);	/* 0: the new program starts at the next user_run */

/* --- the user loop's helpers */
/* A new thread's first act (clone's CLONE_CHILD_SETTID store, scheduling tail); arg is the struct thread. */
void thread_first_return(void *arg);
/* The current thread has TASK_WORK_KILL: ends it if an exec by another thread asked for that (a group's exit is signal_deliver's). */
void thread_die_if_doomed(void);
/* Work queued for this thread to run in its own context before user mode (deferred releases …), or in a kernel thread's if it ends before; any
 * context may queue; never fails. Oldest first. */
void thread_notify(struct thread *t, struct deferred *d);
void thread_run_notifications(void);

/* --- the end */
__noreturn void thread_exit(s32 code);		/* exit(2) */
__noreturn void process_exit(s32 wait_status);	/* exit_group(2): code << 8, or by signal */

/* --- interval timers (setitimer(2)): relative times, 0: off */
struct itimer_k {
	u64 value_ns, interval_ns;
};
void process_itimer_get(u32 which, struct itimer_k *out);	/* which: ITIMER_*, checked */
void process_itimer_set(u32 which, const struct itimer_k *new, struct itimer_k *old);

/* --- wait */
struct wait_request {
	u32 id_type;			/* P_ALL 0, P_PID 1, P_PGID 2, P_PIDFD 3 */
	s32 id;				/* P_PIDFD: the descriptor */
	u32 options;			/* W* */
};
struct wait_result {
	s32 pid; u32 uid;
	s32 code, status;		/* CLD_*, exit code or signal */
	s32 wait_status;		/* as wait4 gives it */
	struct cpu_usage usage;
};
__must_check int proc_wait(const struct wait_request *rq, struct wait_result *out);	/* 1 one found, 0 none ready (WNOHANG), -ECHILD, -ERESTARTSYS, -EINVAL; P_PIDFD: also -EBADF, -EAGAIN (O_NONBLOCK) */

/* --- limits, sessions, usage, permission */
u64 rlimit_current(u32 which);			/* soft limit of the current process; kernel threads: none */
/* prlimit(2): new and old may be NULL. -EINVAL, -EPERM. may_prlimit: -EPERM */
__must_check int process_rlimit(struct process *p, u32 which, const struct rlimit_k *new, struct rlimit_k *old);
__must_check int may_prlimit(const struct thread *t);
__must_check int proc_setpgid(s32 pid, s32 pgid);
__must_check s64 proc_setsid(void);
void thread_usage(const struct thread *t, struct cpu_usage *out);
void process_usage(struct process *p, struct cpu_usage *out);	/* all threads, live and dead */
void process_children_usage(struct process *p, struct cpu_usage *out);	/* those it has waited for */
void thread_usage(const struct thread *t, struct cpu_usage *out);	/* without memory */
/* kill(2)'s and ptrace(2)'s permission rules for the current thread against another. */
__must_check int may_signal(const struct thread *t, u32 sig);
/* PR_SET_DUMPABLE, and every change of identity. */
void process_set_dumpable(struct process *p, bool is_dumpable);
bool thread_may_schedule(const struct thread *t);		/* same euid, or CAP_SYS_NICE */
__must_check int may_ptrace_read(const struct thread *t);	/* PTRACE_MODE_READ_FSCREDS of ptrace(2) */
__must_check int may_ptrace_attach(const struct thread *t);	/* PTRACE_MODE_ATTACH_REALCREDS */
/* Sends to a process group, a session … 0, -ESRCH, -EPERM as kill(2). */
__must_check int signal_pgrp(struct pid *pgrp, const struct siginfo_k *info, bool check);
bool pgrp_is_orphaned(struct pid *pgrp);
/* For /proc and tools: every process, in pid order; referenced. NULL at the end. */
struct process *process_next(s32 from_tgid);
u32 process_thread_count(const struct process *p);
char sched_state_letter(const struct thread *t);		/* R S D T t Z X I, as proc(5) */
u32 proc_count(void);						/* threads of user programs */

#endif
