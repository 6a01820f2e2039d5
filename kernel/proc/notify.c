/* SPDX-License-Identifier: MPL-2.0 */
/* What signal/ asks of proc/ (signal/policy.h): who is current, who pays for queued signals, who is told of stops and continues. */
#include <lib/errno.h>
#include "abi/signal.h"
#include "proc/internal.h"
#include "signal/policy.h"

static struct process *process_of(struct signal_group *g)
{
	return container_of(g, struct process, signal);
}

struct signal_thread *signal_current(void)
{
	return &current_thread()->signal;
}

s64 signal_policy_restart(void)
{
	struct restart_block *rb = &current_thread()->restart;

	return rb->fn ? rb->fn(rb) : -EINTR;
}

bool signal_policy_is_orphaned(struct signal_group *g)
{
	SPIN_GUARD_SOFT(&proc_tree_lock);
	return pgrp_is_orphaned_locked(process_of(g)->pids[PID_PGID], NULL);
}

/* --- who pays. While a process has signals queued, one account, the real user's when the first was queued, pays for all. group->lock is held. */

bool signal_policy_charge(struct signal_group *g)
{
	struct process *p = process_of(g);
	struct user_account *a = p->signal_account;
	u64 limit = READ_ONCE(p->limits[KRLIMIT_SIGPENDING].soft);

	if (!a) {
		rcu_read_lock();
		do {
			a = rcu_deref(p->leader->account);
		} while (!ref_try_get(&a->refs));
		rcu_read_unlock();
	}
	if (__atomic_add_fetch(&a->n_signals, 1, __ATOMIC_RELAXED) > limit) {
		__atomic_sub_fetch(&a->n_signals, 1, __ATOMIC_RELAXED);
		if (!p->signal_account)
			user_account_put(a);
		return false;
	}
	p->signal_account = a;
	g->n_queued++;
	return true;
}

void signal_policy_uncharge(struct signal_group *g)
{
	struct process *p = process_of(g);
	struct user_account *a = p->signal_account;

	__atomic_sub_fetch(&a->n_signals, 1, __ATOMIC_RELAXED);
	if (--g->n_queued)
		return;
	p->signal_account = NULL;
	user_account_put(a);
}

/* --- stops and continues */

/*
 * A stop is told by the thread that completed it. A continue is noticed in the context of whoever sent SIGCONT, who may hold proc_tree_lock: the process
 * tells of it itself once it runs. wait(2) knows before that, from group->is_continued.
 */
void signal_policy_notify_parent(struct signal_group *g, bool is_stop)
{
	struct process *p = process_of(g);
	struct signal_thread *t;

	if (is_stop) {
		SPIN_GUARD_SOFT(&proc_tree_lock);
		if (!p->parent || p->is_zombie)
			return;
		p->wait_stop_ready = true;
		process_tell_parent_locked(p, CLD_STOPPED, g->stop_signal);
		return;
	}
	if (__atomic_exchange_n(&p->is_cont_noted, true, __ATOMIC_ACQ_REL))
		return;
	process_get(p);
	p->cont_note.fn = notify_continued;
	spin_lock_soft(&g->lock);
	t = list_first_entry_or_null(&g->threads, struct signal_thread, group_node);
	if (t)
		thread_notify(container_of(t, struct thread, signal), &p->cont_note);
	spin_unlock_soft(&g->lock);
	if (!t) {			/* nobody is left to tell it: it is exiting */
		__atomic_store_n(&p->is_cont_noted, false, __ATOMIC_RELEASE);
		process_put(p);
	}
}

void notify_continued(struct deferred *d)
{
	struct process *p = container_of(d, struct process, cont_note);

	__atomic_store_n(&p->is_cont_noted, false, __ATOMIC_RELEASE);
	spin_lock_soft(&proc_tree_lock);
	if (p->parent && !p->is_zombie) {
		p->wait_cont_ready = true;
		process_tell_parent_locked(p, CLD_CONTINUED, SIGCONT);
	}
	spin_unlock_soft(&proc_tree_lock);
	process_put(p);
}

/* fs/ asks for SIGPIPE and SIGXFSZ of the caller. */
void fs_policy_signal(u32 sig)
{
	struct siginfo_k info;

	if (current_actor()->is_kthread)
		return;
	siginfo_user(&info, sig, 0);
	(void)signal_send_thread(&current_thread()->signal, &info);
}
