/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Signals (signal(7)): queues, masks, actions, delivery, stop and continue. Knows threads and groups only through the two structs below, which proc/
 * embeds in struct thread and struct process.
 *
 * Locks: group->lock (soft: timers send signals) guards pending sets, masks, the thread list and stop state; sighand->lock nests inside it and guards actions
 * (a sighand may be shared by several groups, CLONE_SIGHAND). Senders need no reference on the target beyond RCU or the pid lock.
 * Key: [g] group->lock, [h] sighand->lock, [o] the thread itself (others read under group->lock), [a] atomic.
 */
#ifndef SIGNAL_SIGNAL_H
#define SIGNAL_SIGNAL_H

#include <lib/types.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <frame/spinlock.h>
#include <frame/user.h>
#include "object/ref.h"
#include "object/pid.h"
#include "object/cred.h"
#include "sched/sched.h"
#include "sync/wait.h"

#define SIG_COUNT 64

typedef u64 sigset_k;		/* bit n-1 = signal n */

static inline sigset_k sig_bit(u32 sig) { return 1ul << (sig - 1); }

enum { KSIGHUP = 1, KSIGINT, KSIGQUIT, KSIGILL, KSIGTRAP, KSIGABRT, KSIGBUS, KSIGFPE, KSIGKILL, KSIGUSR1, KSIGSEGV, KSIGUSR2, KSIGPIPE,
       KSIGALRM, KSIGTERM, KSIGSTKFLT, KSIGCHLD, KSIGCONT, KSIGSTOP, KSIGTSTP, KSIGTTIN, KSIGTTOU, KSIGURG, KSIGXCPU, KSIGXFSZ,
       KSIGVTALRM, KSIGPROF, KSIGWINCH, KSIGIO, KSIGPWR, KSIGSYS, KSIGRTMIN };

/* siginfo_t's contents; abi/siginfo.h encodes it in Linux's layout by si_code and signal. */
struct siginfo_k {
	s32 signo, code, errno_;
	s32 pid;		/* as the receiver's namespace numbers it */
	u32 uid;
	s32 status;		/* SIGCHLD */
	u64 utime_ticks, stime_ticks;
	u64 value;		/* sigval */
	u64 addr;		/* faults */
	s32 timer_id, overrun;
	s32 band, fd;
	s32 syscall_nr;		/* SIGSYS */
	bool is_raw;		/* rt_sigqueueinfo: `raw` below is shown as it was given */
	u8 raw[128];
};

struct sigaction_k {
	u64 handler;		/* 0 SIG_DFL, 1 SIG_IGN */
	u64 flags;		/* SA_* */
	u64 restorer;
	sigset_k mask;
};

struct sighand {
	struct ref refs;
	struct spinlock_soft lock;
	struct sigaction_k action[SIG_COUNT];	/* [h] */
};

struct sig_pending {
	struct rb_root queue;	/* [g] struct sig_entry by (signal, arrival) */
	u64 arrivals;		/* [g] */
	sigset_k set;		/* [g] a bit may be set without an entry: sent when there was no memory */
};

struct altstack {
	u64 sp, size;
	u32 flags;		/* SS_* */
};

struct signal_group;

struct signal_thread {
	struct sched_task *task;	/* [I] */
	struct signal_group *group;	/* [I] */
	struct list group_node;		/* [g] in group->threads */
	struct sig_pending pending;	/* [g] */
	sigset_k blocked;		/* [o, g to write] */
	sigset_k saved_mask;		/* [o] to be restored after sigsuspend/ppoll … */
	bool has_saved_mask;		/* [o] */
	sigset_k waiting_for;		/* [g] sigtimedwait */
	struct waitq wait;		/* sigtimedwait sleeps here */
	struct altstack alt;		/* [o] */
	bool stop_pending, is_stopped;	/* [g] */
	bool is_exiting;		/* [g] takes no more signals */
	u64 trap_number, error_code, fault_addr;	/* [o] of the last trap, as signal frames show them */
	void *fpu_buffer;		/* [o] scratch for frames: made for the first, kept for others */
};

struct signal_group {
	struct spinlock_soft lock;
	struct sighand *hand;		/* [o; g to read by others] */
	struct sig_pending shared;	/* [g] */
	struct list threads;		/* [g] struct signal_thread */
	u32 n_threads;			/* [g] */
	bool is_exiting;		/* [g] exit_group or fatal signal: everybody dies with exit_code */
	s32 exit_code;			/* [g] wait status */
	bool is_stopped, is_continued;	/* [g] job control state, for wait; */
	s32 stop_signal;		/* [g] */
	u32 n_stopping;			/* [g] threads that have yet to stop */
	bool is_init;			/* [I] init of its PID namespace: unhandled signals from inside are ignored */
	u64 n_queued;			/* [a] entries, for RLIMIT_SIGPENDING: per user in proc */
	struct list signalfds;		/* [g] those that wait for signals of this process: by signalfd.c */
};

/* --- start and end, called by proc/ */
void signal_init(void);
void signal_group_init(struct signal_group *g, struct sighand *hand);
void signal_thread_init(struct signal_thread *t, struct signal_group *g, struct sched_task *task);	/* inherits the current thread's mask */
void signal_thread_add(struct signal_thread *t);		/* joins the group; fails by dying at first entry if the group is exiting */
void signal_thread_remove(struct signal_thread *t);		/* leaving; hands its unblocked shared signals to others; flushes its queue */
void signal_group_fini(struct signal_group *g);
__must_check int sighand_create(struct sighand **out);		/* all default */
__must_check int sighand_copy(struct sighand *old, struct sighand **out);
struct sighand *sighand_get(struct sighand *h);
void sighand_put(struct sighand *h);
void signal_exec_reset(struct signal_thread *t);		/* handlers → default, alt stack off; sighand is private by then */

/* --- sending. sig 0: nothing is sent. Return 0 or -EAGAIN (queue limit, for sigqueue). Any context but hard. */
int signal_send_thread(struct signal_thread *t, const struct siginfo_k *info);	/* the result may be ignored */
int signal_send_group(struct signal_group *g, const struct siginfo_k *info);	/* the result may be ignored */
/*
 * A signal prepared beforehand (a POSIX timer's): it is queued once at most, whatever else is, and needs no memory then; its place counts against
 * RLIMIT_SIGPENDING as long as it exists.
 */
struct sig_entry;
struct signal_source {
	struct sig_entry *entry;	/* [I] */
	bool is_queued;			/* [g] */
	/* [I] It has left the queue, to be delivered, and *info may be completed; or it was thrown away (info NULL). group->lock is held. */
	void (*taken)(struct signal_source *s, struct siginfo_k *info);
};
__must_check int signal_source_create(struct signal_group *g, struct signal_source *s, void (*taken)(struct signal_source *s, struct siginfo_k *info));	/* -EAGAIN */
/* group->lock held: */
void signal_source_destroy_locked(struct signal_group *g, struct signal_source *s, bool keeps_signal);	/* a queued signal may stay without it; taken is not called any more */
/* To the group or one of its threads; it is not queued. False: dropped. *tell_parent becomes true if signal_policy_notify_parent(g, false) is to be called later. */
__must_check bool signal_send_source_locked(struct signal_group *g, struct signal_thread *only, struct signal_source *s, const struct siginfo_k *info, bool *tell_parent);
/* A synchronous fault of the current thread: unblocks and resets to default if it was blocked or ignored. */
void signal_force(const struct siginfo_k *info);
void signal_force_fault(u32 sig, s32 code, u64 addr);
/* The same for a fault or trap in user mode: addr, trap number and error code go into siginfo and the signal frame. */
void signal_force_trap(u32 sig, s32 code, const struct user_event *ev);
/* Kills: every thread of the group dies with this wait status. */
void signal_kill_group(struct signal_group *g, s32 wait_status);
void siginfo_kernel(struct siginfo_k *info, u32 sig);		/* SI_KERNEL */
void siginfo_user(struct siginfo_k *info, u32 sig, s32 code);	/* SI_USER, SI_TKILL from the current thread */

/* --- the user loop (proc/userloop.c) */
/* Delivers what is deliverable, builds at most one handler frame; stops the thread if it has to; ends it if it is killed (does not return then).
 * Decides restart of an interrupted call. */
void signal_deliver(void);

/* --- masks and waits */
void signal_set_blocked(sigset_k mask);				/* of the current thread; SIGKILL and SIGSTOP are taken out; re-evaluates work */
void signal_set_temporary(sigset_k mask);			/* ppoll, pselect, sigsuspend: until return to user mode … */
void signal_end_temporary(void);				/* … or until the call found something and was not interrupted */
sigset_k signal_pending_set(void);				/* thread and shared, blocked ones, for sigpending */
__must_check int signal_wait(sigset_k set, u64 deadline_ns, struct siginfo_k *info);	/* sigtimedwait: signo, -EAGAIN, -EINTR */
/* signalfd: takes a pending signal of the current thread or its process, blocked or not, without waiting. Its number, 0: none */
__must_check u32 signal_take(sigset_k set, struct siginfo_k *info);
bool signal_is_pending(sigset_k set);				/* is there one? */
/* sigsuspend, pause: sleeps until a signal was caught or the process ends. Returns -ERESTARTNOHAND. */
__must_check int signal_suspend(void);
bool signal_is_ignored_or_blocked(u32 sig);			/* current thread: for tty's SIGTTOU/SIGTTIN rule */
bool signal_is_ignored(struct signal_group *g, u32 sig);	/* SIG_IGN is set (SIGCHLD: no zombies) */
bool signal_has_flag(struct signal_group *g, u32 sig, u64 sa_flag);
/* sigaction(2): -EINVAL; old and act may be NULL. */
__must_check int signal_action(u32 sig, const struct sigaction_k *act, struct sigaction_k *old);
/* rt_sigreturn(2): the frame on the user stack becomes the register set; a bad one ends in SIGSEGV. Returns what to leave in the result register. */
s64 signal_return(void);
__must_check int signal_set_altstack(const struct altstack *alt);	/* sigaltstack(2): -EPERM, -EINVAL, -ENOMEM */
void signal_get_altstack(struct altstack *out);
void siginfo_encode(const struct siginfo_k *info, void *abi);	/* into a siginfo_t (abi/signal.h) */

/* Upcalls that proc/ defines: signal/policy.h. */

#endif
