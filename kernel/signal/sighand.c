/* SPDX-License-Identifier: MPL-2.0 */
/* Signal actions (sigaction(2)) and the life of the groups' and threads' signal state. */
#include <frame/log.h>
#include "abi/signal.h"
#include "mm/alloc.h"
#include "signal/internal.h"
#include "signal/policy.h"

int sighand_create(struct sighand **out)
{
	struct sighand *h = kmalloc(sizeof(*h), ALLOC_SLEEP | ALLOC_ZERO | ALLOC_USER);

	if (!h)
		return -ENOMEM;
	ref_init(&h->refs);
	spin_init_soft(&h->lock, "sighand");
	*out = h;
	return 0;
}

int sighand_copy(struct sighand *old, struct sighand **out)
{
	int err = sighand_create(out);

	if (err)
		return err;
	SPIN_GUARD_SOFT(&old->lock);
	for (u32 i = 0; i < SIG_COUNT; i++)
		(*out)->action[i] = old->action[i];
	return 0;
}

struct sighand *sighand_get(struct sighand *h)
{
	ref_get(&h->refs);
	return h;
}

void sighand_put(struct sighand *h)
{
	if (ref_put(&h->refs))
		kfree(h);
}

struct sigaction_k sig_action_of(struct signal_group *g, u32 sig)
{
	SPIN_GUARD_SOFT(&g->hand->lock);
	return g->hand->action[sig - 1];
}

bool signal_is_ignored(struct signal_group *g, u32 sig)
{
	SPIN_GUARD_SOFT(&g->lock);
	return sig_handler_of(g, sig) == (u64)SIG_IGN;
}

bool signal_has_flag(struct signal_group *g, u32 sig, u64 sa_flag)
{
	SPIN_GUARD_SOFT(&g->lock);
	return (sig_action_of(g, sig).flags & sa_flag) != 0;
}

static inline bool is_ignoring(u32 sig, const struct sigaction_k *act)
{
	return act->handler == (u64)SIG_IGN || (act->handler == (u64)SIG_DFL && (sig_bit(sig) & SIGS_IGNORED_BY_DEFAULT));
}

/* POSIX: setting an action that ignores a signal discards its pending instances, blocked or not. */
static void discard_locked(struct signal_group *g, u32 sig)
{
	struct signal_thread *t;

	sig_pending_discard(g, &g->shared, sig_bit(sig));
	list_for_each_entry(t, &g->threads, group_node)
		sig_pending_discard(g, &t->pending, sig_bit(sig));
}

static inline void exchange(struct sighand *h, struct sigaction_k *own, const struct sigaction_k *act, struct sigaction_k *old)
{
	SPIN_GUARD_SOFT(&h->lock);
	*old = *own;
	if (act) {
		*own = *act;
		own->mask &= ~SIGS_UNBLOCKABLE;
	}
}

static __noinline void exchange_and_discard(struct signal_group *g, u32 sig, const struct sigaction_k *act, struct sigaction_k *old)
{
	SPIN_GUARD_SOFT(&g->lock);
	exchange(g->hand, &g->hand->action[sig - 1], act, old);
	discard_locked(g, sig);
}

int signal_action(u32 sig, const struct sigaction_k *act, struct sigaction_k *old)
{
	struct signal_group *g = signal_current()->group;

	if (sig < 1 || sig > SIG_COUNT || (act && (sig_bit(sig) & SIGS_UNBLOCKABLE)))
		return -EINVAL;
	if (unlikely(act && is_ignoring(sig, act)))
		exchange_and_discard(g, sig, act, old);
	else
		exchange(g->hand, &g->hand->action[sig - 1], act, old);
	return 0;
}

void signal_exec_reset(struct signal_thread *t)
{
	struct sighand *h = t->group->hand;

	SPIN_GUARD_SOFT(&h->lock);
	for (u32 i = 0; i < SIG_COUNT; i++)
		h->action[i] = (struct sigaction_k){ .handler = h->action[i].handler == (u64)SIG_IGN ? (u64)SIG_IGN : (u64)SIG_DFL };
	t->alt = (struct altstack){ .flags = SS_DISABLE };
}

/* --- groups and threads */

void signal_group_init(struct signal_group *g, struct sighand *hand)
{
	*g = (struct signal_group){ .hand = hand };
	spin_init_soft(&g->lock, "signal group");
	list_init(&g->threads);
	list_init(&g->signalfds);
	sig_pending_init(&g->shared);
}

void signal_group_fini(struct signal_group *g)
{
	signalfd_group_end(g);
	SPIN_GUARD_SOFT(&g->lock);
	sig_pending_discard(g, &g->shared, ~0ull);
}

void signal_thread_init(struct signal_thread *t, struct signal_group *g, struct sched_task *task)
{
	struct signal_thread *parent = current_actor()->is_kthread ? NULL : signal_current();

	*t = (struct signal_thread){ .task = task, .group = g, .alt = { .flags = SS_DISABLE } };
	list_init(&t->group_node);
	sig_pending_init(&t->pending);
	waitq_init(&t->wait, "signal wait");
	if (parent)
		t->blocked = parent->blocked;
}

void signal_thread_add(struct signal_thread *t)
{
	struct signal_group *g = t->group;

	SPIN_GUARD_SOFT(&g->lock);
	list_push_back(&g->threads, &t->group_node);
	g->n_threads++;
	if (g->is_exiting)
		task_work_set(&t->task->actor.task, TASK_WORK_KILL | TASK_WORK_SIGNAL);
	else if (g->n_stopping || g->is_stopped || ((t->pending.set | g->shared.set) & ~t->blocked))
		task_work_set(&t->task->actor.task, TASK_WORK_SIGNAL);
}

void signal_thread_remove(struct signal_thread *t)
{
	struct signal_group *g = t->group;
	bool has_completed_stop = false;

	spin_lock_soft(&g->lock);
	t->is_exiting = true;
	list_del(&t->group_node);
	g->n_threads--;
	if (t->stop_pending) {
		t->stop_pending = false;
		has_completed_stop = --g->n_stopping == 0 && g->n_threads > 0;
		g->is_stopped |= has_completed_stop;
	}
	sig_pending_discard(g, &t->pending, ~0ull);
	signal_retarget_locked(t, ~t->blocked);
	spin_unlock_soft(&g->lock);
	kfree(t->fpu_buffer);
	t->fpu_buffer = NULL;
	if (has_completed_stop)
		signal_policy_notify_parent(g, true);
}
