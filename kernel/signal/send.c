/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sending: effects that happen at once (SIGCONT undoes stops and the reverse), dropping what is ignored, queueing, choosing a thread, waking it.
 *
 * A signal that will end the process starts the group's exit here and not when it is delivered, so that threads in killable sleeps die too.
 */
#include "abi/signal.h"
#include "signal/internal.h"
#include "signal/policy.h"

void siginfo_kernel(struct siginfo_k *info, u32 sig)
{
	*info = (struct siginfo_k){ .signo = (s32)sig, .code = SI_KERNEL };
}

/* --- stop and continue */

static void discard_everywhere(struct signal_group *g, sigset_k set)
{
	struct signal_thread *t;

	sig_pending_discard(g, &g->shared, set);
	list_for_each_entry(t, &g->threads, group_node)
		sig_pending_discard(g, &t->pending, set);
}

/* SIGCONT wakes stopped threads whether or not it is ignored, blocked or caught. True if the parent is to be told. */
static bool continue_group(struct signal_group *g)
{
	bool was_stopped = g->is_stopped || g->n_stopping;
	struct signal_thread *t;

	discard_everywhere(g, SIGS_STOP);
	list_for_each_entry(t, &g->threads, group_node) {
		t->stop_pending = false;
		if (t->is_stopped) {
			t->is_stopped = false;
			sched_wake_stopped(t->task);
		}
	}
	g->n_stopping = 0;
	g->is_continued = was_stopped;
	g->is_stopped = false;
	return was_stopped;
}

/* --- the end of a group */

void signal_begin_group_exit_locked(struct signal_group *g, s32 wait_status)
{
	struct signal_thread *t;

	if (!g->is_exiting) {
		g->is_exiting = true;
		g->exit_code = wait_status;
	}
	g->n_stopping = 0;
	list_for_each_entry(t, &g->threads, group_node) {
		t->stop_pending = t->is_stopped = false;
		sched_notify(&t->task->actor.task, TASK_WORK_KILL | TASK_WORK_SIGNAL);
		sched_wake_stopped(t->task);
	}
}

void signal_kill_group(struct signal_group *g, s32 wait_status)
{
	SPIN_GUARD_SOFT(&g->lock);
	signal_begin_group_exit_locked(g, wait_status);
}

/* --- whom and whether */

static bool is_default_fatal(u32 sig)
{
	return !(sig_bit(sig) & (SIGS_STOP | SIGS_IGNORED_BY_DEFAULT));
}

/* Would the signal have no effect at all? Blocked signals are kept: the action may change. */
static bool is_dropped(struct signal_group *g, u32 sig, sigset_k blocked, sigset_k waiting)
{
	u64 handler = sig_handler_of(g, sig);

	if ((blocked | waiting) & sig_bit(sig))
		return false;
	if (handler == (u64)SIG_IGN)
		return true;
	if (handler != (u64)SIG_DFL)
		return false;
	return (sig_bit(sig) & SIGS_IGNORED_BY_DEFAULT) || g->is_init;
}

/* A stopped thread takes nothing but SIGKILL until it is continued. */
static bool wants(const struct signal_thread *t, u32 sig)
{
	if (t->is_exiting || (t->is_stopped && sig != KSIGKILL))
		return false;
	return !(t->blocked & sig_bit(sig)) || (t->waiting_for & sig_bit(sig));
}

/* The current thread if it will do, else the first that takes it: a waiter for it first. NULL: everybody blocks it. */
static struct signal_thread *choose(struct signal_group *g, u32 sig)
{
	struct signal_thread *t, *found = NULL;

	list_for_each_entry(t, &g->threads, group_node) {
		if (!wants(t, sig))
			continue;
		if (t->waiting_for & sig_bit(sig))
			return t;
		if (!found || current_task() == &t->task->actor.task)
			found = t;
	}
	return found;
}

static void wake_for(struct signal_thread *t, u32 sig)
{
	if (t->waiting_for & sig_bit(sig))
		waitq_wake_all(&t->wait);
	sched_notify(&t->task->actor.task, TASK_WORK_SIGNAL);
}

/* Queued: now make something happen. */
static void act_on(struct signal_group *g, struct signal_thread *only, u32 sig)
{
	struct signal_thread *t = only ? (wants(only, sig) ? only : NULL) : choose(g, sig);

	if (!t)
		return;
	if (sig == KSIGKILL || (is_default_fatal(sig) && !(t->waiting_for & sig_bit(sig)) && !g->is_init &&
				sig_handler_of(g, sig) == (u64)SIG_DFL)) {
		signal_begin_group_exit_locked(g, (s32)sig);
		return;
	}
	wake_for(t, sig);
}

/* Blocked and awaited sets to judge dropping by: of the thread, or of the whole group (a signal is kept if anybody blocks or awaits it). */
static void judge_sets(struct signal_group *g, struct signal_thread *only, sigset_k *blocked, sigset_k *waiting)
{
	struct signal_thread *t;

	*blocked = only ? only->blocked : ~0ull;
	*waiting = only ? only->waiting_for : 0;
	if (only)
		return;
	list_for_each_entry(t, &g->threads, group_node) {
		*blocked &= t->blocked;
		*waiting |= t->waiting_for;
	}
}

/* What happens at once. True if the signal is to be queued, too. */
static bool begin_locked(struct signal_group *g, struct signal_thread *only, u32 sig, bool *tell_parent)
{
	sigset_k blocked, waiting;

	if (g->is_exiting || (only && only->is_exiting))
		return false;
	if (sig_bit(sig) & SIGS_STOP)
		discard_everywhere(g, sig_bit(KSIGCONT));
	else if (sig == KSIGCONT)
		*tell_parent = continue_group(g);
	judge_sets(g, only, &blocked, &waiting);
	return !is_dropped(g, sig, blocked, waiting);
}

static int send_locked(struct signal_group *g, struct signal_thread *only, const struct siginfo_k *info, bool *tell_parent)
{
	u32 sig = (u32)info->signo;
	int err;

	if (!begin_locked(g, only, sig, tell_parent))
		return 0;
	err = sig_pending_add(g, only ? &only->pending : &g->shared, info);
	if (err == 0) {
		signalfd_notify_locked(g, sig);
		act_on(g, only, sig);
	}
	return err;
}

bool signal_send_source_locked(struct signal_group *g, struct signal_thread *only, struct signal_source *s, const struct siginfo_k *info, bool *tell_parent)
{
	u32 sig = (u32)info->signo;

	if (!begin_locked(g, only, sig, tell_parent))
		return false;
	sig_pending_add_source(only ? &only->pending : &g->shared, s, info);
	act_on(g, only, sig);
	return true;
}

static int send(struct signal_group *g, struct signal_thread *only, const struct siginfo_k *info)
{
	bool tell_parent = false;
	int err;

	if (info->signo == 0)
		return 0;
	spin_lock_soft(&g->lock);
	err = send_locked(g, only, info, &tell_parent);
	spin_unlock_soft(&g->lock);
	if (tell_parent)
		signal_policy_notify_parent(g, false);
	return err;
}

int signal_send_thread(struct signal_thread *t, const struct siginfo_k *info)
{
	return send(t->group, t, info);
}

int signal_send_group(struct signal_group *g, const struct siginfo_k *info)
{
	return send(g, NULL, info);
}

/* --- synchronous signals of the current thread: they cannot be blocked or ignored away, or the instruction would fault for ever. */

void signal_force(const struct siginfo_k *info)
{
	struct signal_thread *t = signal_current();
	struct signal_group *g = t->group;
	u32 sig = (u32)info->signo;
	u64 handler;

	/* It ends before it sees user mode again, maybe by another thread's execve: its memory may have been out of reach for that alone, and the process
	 * must not die of it. */
	if (current_killed())
		return;
	SPIN_GUARD_SOFT(&g->lock);
	handler = sig_handler_of(g, sig);
	if (handler == (u64)SIG_DFL || handler == (u64)SIG_IGN || (t->blocked & sig_bit(sig))) {
		signal_begin_group_exit_locked(g, (s32)sig);
		return;
	}
	if (sig_pending_add(g, &t->pending, info) == 0)
		task_work_set(current_task(), TASK_WORK_SIGNAL);
}

void signal_force_fault(u32 sig, s32 code, u64 addr)
{
	struct siginfo_k info = { .signo = (s32)sig, .code = code, .addr = addr };

	signal_force(&info);
}

void signal_force_trap(u32 sig, s32 code, const struct user_event *ev)
{
	struct signal_thread *t = signal_current();

	t->trap_number = ev->trap_number;
	t->error_code = ev->error_code;
	if (ev->kind == USER_FAULT)
		t->fault_addr = ev->addr;
	signal_force_fault(sig, code, code == SI_KERNEL ? 0 : ev->addr);
}
