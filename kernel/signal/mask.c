/* SPDX-License-Identifier: MPL-2.0 */
/* Signal masks, and waiting for signals: sigprocmask(2), sigpending(2), sigsuspend(2), sigtimedwait(2). */
#include "abi/signal.h"
#include "signal/internal.h"
#include "signal/policy.h"

void signal_recalculate_locked(struct signal_thread *t)
{
	struct signal_group *g = t->group;

	if (g->is_exiting || t->stop_pending || ((t->pending.set | g->shared.set) & ~t->blocked))
		task_work_set(&t->task->actor.task, TASK_WORK_SIGNAL);
	else
		task_work_clear(&t->task->actor.task, TASK_WORK_SIGNAL);
}

void signal_retarget_locked(struct signal_thread *t, sigset_k set)
{
	sigset_k left = t->group->shared.set & set;
	struct signal_thread *other;

	list_for_each_entry(other, &t->group->threads, group_node) {
		sigset_k takes = left & ~other->blocked;

		if (!left)
			return;
		if (other == t || other->is_exiting || !takes)
			continue;
		sched_notify(&other->task->actor.task, TASK_WORK_SIGNAL);
		left &= ~takes;
	}
}

static void set_blocked_locked(struct signal_thread *t, sigset_k mask)
{
	sigset_k newly = mask & ~t->blocked;

	t->blocked = mask & ~SIGS_UNBLOCKABLE;
	if (newly && t->group->n_threads > 1)
		signal_retarget_locked(t, newly);
	signal_recalculate_locked(t);
}

void signal_set_blocked(sigset_k mask)
{
	struct signal_thread *t = signal_current();

	if ((mask & ~SIGS_UNBLOCKABLE) == t->blocked)
		return;
	SPIN_GUARD_SOFT(&t->group->lock);
	set_blocked_locked(t, mask);
}

void signal_set_temporary(sigset_k mask)
{
	struct signal_thread *t = signal_current();

	SPIN_GUARD_SOFT(&t->group->lock);
	t->saved_mask = t->blocked;
	t->has_saved_mask = true;
	set_blocked_locked(t, mask);
	task_work_set(current_task(), TASK_WORK_RESTART);	/* signal_deliver puts the saved mask back */
}

void signal_end_temporary(void)
{
	struct signal_thread *t = signal_current();

	if (!t->has_saved_mask)
		return;
	SPIN_GUARD_SOFT(&t->group->lock);
	t->has_saved_mask = false;
	set_blocked_locked(t, t->saved_mask);
}

sigset_k signal_pending_set(void)
{
	struct signal_thread *t = signal_current();

	SPIN_GUARD_SOFT(&t->group->lock);
	return (t->pending.set | t->group->shared.set) & t->blocked;
}

bool signal_is_ignored_or_blocked(u32 sig)
{
	struct signal_thread *t = signal_current();

	SPIN_GUARD_SOFT(&t->group->lock);
	return (t->blocked & sig_bit(sig)) || sig_handler_of(t->group, sig) == (u64)SIG_IGN;
}

static u32 take_one(struct signal_thread *t, sigset_k set, struct siginfo_k *info)
{
	u32 sig;

	SPIN_GUARD_SOFT(&t->group->lock);
	sig = sig_pending_take(t->group, &t->pending, set, info);
	if (!sig)
		sig = sig_pending_take(t->group, &t->group->shared, set, info);
	signal_recalculate_locked(t);
	return sig;
}

static bool is_any_pending(struct signal_thread *t, sigset_k set)
{
	return ((READ_ONCE(t->pending.set) | READ_ONCE(t->group->shared.set)) & set) != 0;
}

u32 signal_take(sigset_k set, struct siginfo_k *info)
{
	struct signal_thread *t = signal_current();

	return is_any_pending(t, set) ? take_one(t, set, info) : 0;
}

bool signal_is_pending(sigset_k set)
{
	return is_any_pending(signal_current(), set);
}

static void await(struct signal_thread *t, sigset_k set)
{
	SPIN_GUARD_SOFT(&t->group->lock);
	t->waiting_for = set;
}

int signal_wait(sigset_k set, u64 deadline_ns, struct siginfo_k *info)
{
	struct signal_thread *t = signal_current();
	u32 sig;
	int err;

	set &= ~SIGS_UNBLOCKABLE;
	sig = take_one(t, set, info);
	if (sig)
		return (int)sig;
	await(t, set);
	err = WAIT_EVENT(&t->wait, is_any_pending(t, set), SLEEP_INTERRUPTIBLE, deadline_ns);
	await(t, 0);
	sig = take_one(t, set, info);
	if (sig)
		return (int)sig;
	return err == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

int signal_suspend(void)
{
	struct signal_thread *t = signal_current();

	if (WAIT_EVENT(&t->wait, false, SLEEP_INTERRUPTIBLE, SLEEP_FOREVER) == 0)
		return -EINTR;
	return -ERESTARTNOHAND;
}
