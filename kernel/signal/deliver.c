/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Delivery: what happens to a thread that is about to enter user mode and has signal work.
 *
 * One call takes signals until a handler frame has been built, nothing is left, the thread has stopped and gone on, or the process ends. Restart of an
 * interrupted call is decided here and nowhere else (signal(7), "Interruption of system calls and library functions by signal handlers").
 */
#include <frame/log.h>
#include "abi/number.h"
#include "abi/signal.h"
#include "abi/x86_64/sigframe.h"
#include "mm/alloc.h"
#include "signal/internal.h"
#include "signal/policy.h"

/* --- stopping */

/* Starts a group stop: every other thread is told; the current one counts itself and stops in stop_here. */
static void begin_stop_locked(struct signal_group *g, struct signal_thread *self, u32 sig)
{
	struct signal_thread *t;

	if (g->n_stopping == 0 && !g->is_stopped)
		g->stop_signal = (s32)sig;
	list_for_each_entry(t, &g->threads, group_node) {
		if (t->stop_pending || t->is_stopped || t->is_exiting)
			continue;
		t->stop_pending = true;
		g->n_stopping++;
		if (t != self)
			sched_notify(&t->task->actor.task, TASK_WORK_SIGNAL);
	}
}

/* group->lock is held on entry and released. The last thread to stop tells the parent. */
static void stop_here(struct signal_group *g, struct signal_thread *t)
{
	bool is_last;

	t->stop_pending = false;
	t->is_stopped = true;
	is_last = --g->n_stopping == 0;
	if (is_last) {
		g->is_stopped = true;
		g->is_continued = false;
	}
	spin_unlock_soft(&g->lock);
	if (is_last)
		signal_policy_notify_parent(g, true);
	for (;;) {
		sched_prepare_stop(TASK_STOPPED);
		if (!READ_ONCE(t->is_stopped) || current_killed())
			break;
		schedule();
	}
	sched_cancel_sleep();
}

/* --- restart */

enum outcome { NO_HANDLER, HANDLER, HANDLER_RESTARTS };

static void decide_restart(enum outcome outcome)
{
	struct user_regs *regs = current_task()->regs;
	s64 ret = (s64)user_return(regs);

	if (!user_in_syscall(regs) || ret > -ERESTARTSYS || ret < -ERESTART_RESTARTBLOCK)
		return;
	switch (ret) {
	case -ERESTARTNOINTR:
		user_restart(regs);
		break;
	case -ERESTARTSYS:
		if (outcome == HANDLER)
			user_set_return(regs, (u64)-EINTR);
		else
			user_restart(regs);
		break;
	case -ERESTARTNOHAND:
		if (outcome == NO_HANDLER)
			user_restart(regs);
		else
			user_set_return(regs, (u64)-EINTR);
		break;
	case -ERESTART_RESTARTBLOCK:
		if (outcome == NO_HANDLER)
			user_restart_as(regs, __NR_restart_syscall);
		else
			user_set_return(regs, (u64)-EINTR);
		break;
	default:
		break;
	}
	user_forget_syscall(regs);
}

/* --- running a handler */

static bool is_on_altstack(const struct altstack *alt, u64 sp)
{
	return !(alt->flags & SS_DISABLE) && sp - alt->sp <= alt->size && sp != alt->sp;
}

/* Where the frame goes, or 0 if it does not fit the alternate stack. */
static u64 frame_stack(struct signal_thread *t, const struct sigaction_k *act)
{
	u64 sp = user_sp(current_task()->regs);

	if (!(act->flags & SA_ONSTACK) || (t->alt.flags & SS_DISABLE))
		return sp - SIGFRAME_RED_ZONE;
	if (is_on_altstack(&t->alt, sp) && !(t->alt.flags & SS_AUTODISARM))
		return sp - SIGFRAME_RED_ZONE - t->alt.sp > t->alt.size ? 0 : sp - SIGFRAME_RED_ZONE;
	return t->alt.sp + t->alt.size;
}

/* NULL: no memory. */
static inline void *fpu_buffer(struct signal_thread *t)
{
	if (unlikely(!t->fpu_buffer))
		t->fpu_buffer = kmalloc(sigframe_fpu_size(), ALLOC_SLEEP | ALLOC_USER);
	return t->fpu_buffer;
}

static int push_frame(struct signal_thread *t, u32 sig, const struct sigaction_k *act, const struct siginfo_k *info)
{
	struct sigframe_request rq = {
		.sig = sig, .handler = act->handler, .flags = act->flags, .restorer = act->restorer,
		.mask = t->has_saved_mask ? t->saved_mask : t->blocked,
		.stack = { .ss_sp = t->alt.sp, .ss_flags = (s32)t->alt.flags, .ss_size = t->alt.size },
		.trap_number = t->trap_number, .error_code = t->error_code, .fault_addr = t->fault_addr,
		.sp = frame_stack(t, act), .fpu = fpu_buffer(t),
	};

	if (!rq.sp)
		return -EFAULT;
	if (!rq.fpu)
		return -ENOMEM;
	siginfo_encode(info, &rq.info);
	return sigframe_push(&rq, !(t->alt.flags & SS_DISABLE) && rq.sp == t->alt.sp + t->alt.size ? t->alt.sp : 0);
}

static void run_handler(struct signal_thread *t, u32 sig, const struct sigaction_k *act, const struct siginfo_k *info)
{
	struct signal_group *g = t->group;
	sigset_k blocked;

	decide_restart(act->flags & SA_RESTART ? HANDLER_RESTARTS : HANDLER);
	if (signal_policy_before_handler() || push_frame(t, sig, act, info)) {
		/* No room for the frame, or nothing to go back to: SIGSEGV; if that was the one, no handler can help. */
		if (sig == KSIGSEGV)
			signal_kill_group(g, KSIGSEGV);
		else
			signal_force_fault(KSIGSEGV, SI_KERNEL, 0);
		return;
	}
	if (t->alt.flags & SS_AUTODISARM)
		t->alt = (struct altstack){ .flags = SS_DISABLE };
	blocked = t->blocked | act->mask | (act->flags & SA_NODEFER ? 0 : sig_bit(sig));
	t->has_saved_mask = false;
	signal_set_blocked(blocked);
}

/* --- choosing what to do */

static void reset_if_oneshot(struct signal_group *g, u32 sig, const struct sigaction_k *act)
{
	if (!(act->flags & SA_RESETHAND))
		return;
	SPIN_GUARD_SOFT(&g->hand->lock);
	g->hand->action[sig - 1].handler = (u64)SIG_DFL;
}

static u32 take_signal(struct signal_thread *t, struct siginfo_k *info)
{
	struct signal_group *g = t->group;
	u32 sig = sig_pending_take(g, &t->pending, ~t->blocked, info);

	return sig ? sig : sig_pending_take(g, &g->shared, ~t->blocked, info);
}

/* A default stop signal. group->lock is held on entry and released. */
static void default_stop(struct signal_group *g, struct signal_thread *t, u32 sig)
{
	if (sig != KSIGSTOP) {
		bool is_orphaned;

		spin_unlock_soft(&g->lock);
		is_orphaned = signal_policy_is_orphaned(g);
		spin_lock_soft(&g->lock);
		/* SIGCONT or SIGKILL may have come meanwhile: then there is nothing to stop for. */
		if (is_orphaned || g->is_exiting || ((t->pending.set | g->shared.set) & sig_bit(KSIGCONT))) {
			spin_unlock_soft(&g->lock);
			return;
		}
	}
	begin_stop_locked(g, t, sig);
	stop_here(g, t);
}

/* One step: true if there may be more to do. */
static bool deliver_one(struct signal_group *g, struct signal_thread *t)
{
	struct siginfo_k info;
	struct sigaction_k act;
	u32 sig;

	spin_lock_soft(&g->lock);
	if (g->is_exiting) {
		spin_unlock_soft(&g->lock);
		signal_policy_die();
	}
	if (t->stop_pending) {
		stop_here(g, t);
		return true;
	}
	sig = take_signal(t, &info);
	if (!sig) {
		signal_recalculate_locked(t);
		spin_unlock_soft(&g->lock);
		return false;
	}
	act = sig_action_of(g, sig);
	if (act.handler != (u64)SIG_DFL && act.handler != (u64)SIG_IGN) {
		reset_if_oneshot(g, sig, &act);
		spin_unlock_soft(&g->lock);
		run_handler(t, sig, &act, &info);
		return true;
	}
	if (act.handler == (u64)SIG_IGN || (sig_bit(sig) & SIGS_IGNORED_BY_DEFAULT) || (g->is_init && sig != KSIGKILL)) {
		spin_unlock_soft(&g->lock);
		return true;
	}
	if (sig_bit(sig) & SIGS_STOP) {
		default_stop(g, t, sig);
		return true;
	}
	signal_begin_group_exit_locked(g, (s32)sig);
	spin_unlock_soft(&g->lock);
	signal_policy_die();
}

void signal_deliver(void)
{
	struct signal_thread *t = signal_current();

	while (deliver_one(t->group, t))
		;
	decide_restart(NO_HANDLER);
	signal_end_temporary();
	task_work_clear(current_task(), TASK_WORK_RESTART);
}

/* --- coming back from a handler */

s64 signal_return(void)
{
	void *fpu = fpu_buffer(signal_current());
	struct stack_abi stack;
	u64 mask;
	int err = fpu ? sigframe_pop(fpu, &mask, &stack) : -ENOMEM;

	if (err) {
		signal_force_fault(KSIGSEGV, SI_KERNEL, 0);
		return 0;
	}
	signal_set_blocked(mask);
	/* One that cannot be set leaves the old: sigreturn has no error to give. */
	err = signal_set_altstack(&(struct altstack){ stack.ss_sp, stack.ss_size, (u32)stack.ss_flags });
	(void)err;
	return (s64)user_return(current_task()->regs);
}

int signal_set_altstack(const struct altstack *alt)
{
	struct signal_thread *t = signal_current();
	u32 mode = alt->flags & ~SS_AUTODISARM;

	if (is_on_altstack(&t->alt, user_sp(current_task()->regs)) && !(t->alt.flags & SS_AUTODISARM))
		return -EPERM;
	if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		t->alt = (struct altstack){ .flags = alt->flags };
		return 0;
	}
	if (alt->size < MINSIGSTKSZ)
		return -ENOMEM;
	t->alt = (struct altstack){ alt->sp, alt->size, alt->flags & SS_AUTODISARM };
	return 0;
}

void signal_get_altstack(struct altstack *out)
{
	struct signal_thread *t = signal_current();

	*out = t->alt;
	if (!(t->alt.flags & SS_DISABLE) && is_on_altstack(&t->alt, user_sp(current_task()->regs)) && !(t->alt.flags & SS_AUTODISARM))
		out->flags |= SS_ONSTACK;
}
