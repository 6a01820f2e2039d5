/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of proc/ share. */
#ifndef PROC_INTERNAL_H
#define PROC_INTERNAL_H

#include "proc/thread.h"
#include "proc/user_account.h"
#include "sync/completion.h"

#define THREAD_COMM_SIZE 16

/* --- process.c */
void process_caches_init(void);
/* A process with no thread, member of nothing. Takes over `hand`'s reference on success. from: whose limits and habits it inherits; NULL: defaults. -ENOMEM */
__must_check int process_create(struct sighand *hand, struct process *from, struct process **out);
void process_abandon(struct process *p);			/* never published; gives the sighand back too */
/* proc_tree_lock is held: */
void process_link_locked(struct process *p, struct process *parent, struct thread *parent_thread);
void process_set_id_locked(struct process *p, enum pid_type type, struct pid *pid);	/* joins a group or session, leaving the former */
void process_set_ready_locked(struct process *p);		/* wait(2) of the parent may have something to say about it */
void process_unset_ready_locked(struct process *p);
void process_release_locked(struct process *p);		/* waited for: leaves the tree and its groups. The caller then puts the tree's reference */
struct process *pgrp_next_locked(struct pid *pgrp, const struct process *p);	/* members of a group; p NULL: the first */
bool pgrp_is_orphaned_locked(struct pid *pgrp, const struct process *without);
bool pgrp_has_stopped_locked(struct pid *pgrp);

/* --- thread.c */
/* A thread of p that will run fn(t), with credentials and account of its own reference, nothing else. -ENOMEM, -EAGAIN (RLIMIT_NPROC) */
__must_check int thread_create(struct process *p, void (*fn)(void *arg), struct thread **out);
void thread_abandon(struct thread *t);				/* never started: gives everything back */
/* Makes t findable under `pid` (takes the reference over) and a member of its process. proc_tree_lock is held. */
void thread_publish_locked(struct thread *t, struct pid *pid);
void thread_unlink_locked(struct thread *t);			/* not found by id, not counted any more. proc_tree_lock is held */
void thread_set_pid_locked(struct thread *t, struct pid *pid);	/* exec: takes the leader's id over */
void thread_own_put(struct thread *t);				/* the process's own reference to its leader */
struct thread *thread_live_of(struct process *p, const struct thread *except);	/* any that has not ended; proc_tree_lock is held */
void thread_stack_put(struct thread *t);			/* the last reference to its kernel stack frees it. Soft or task context */
void thread_put_tid(uaddr_t to, s32 tid);			/* where the program asked for it */

/* --- exit.c */
/* The current thread leaves its address space for `new` (NULL: none), whose reference it takes over; vfork's parent goes on. Cannot fail. */
void thread_switch_mm(struct mm *new);
/* For the parent's records; proc_tree_lock held. */
void process_tell_parent_locked(struct process *p, s32 code, s32 status);	/* CLD_*: SIGCHLD or the exit signal, and its waiters */

/* --- clone.c */
struct vfork_wait {
	struct completion done;
};

/* --- notification.c */
void deferred_thread_start(void);
void deferred_push(struct deferred *d);				/* for the kernel thread. Any context but hard */
void thread_close_notifications(void);				/* the current thread ends: later ones go to the kernel thread */

/* --- limits.c */
void limits_init_defaults(struct rlimit_k limits[RLIMIT_COUNT]);

/* --- itimers.c, cpu_timers.c */
void itimers_init(struct process *p);
void itimers_end(struct process *p);				/* none fires any more. Task context */
void cpu_timers_arm(struct process *p);				/* some deadline has changed */
void cpu_timer_fn(struct timer *timer);
void process_cpu_time(struct process *p, u64 *user_ns, u64 *system_ns);	/* any context but hard */

/* --- usage.c */
void usage_add(struct cpu_usage *to, const struct cpu_usage *from);

/* --- thread notifications of a continue: notify.c */
void notify_continued(struct deferred *d);

#endif
