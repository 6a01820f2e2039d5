/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Waiting for children: wait4(2), waitid(2).
 *
 * What a child has to say is found and taken in one step under proc_tree_lock, so that of several waiting threads one gets it. Children with news are in
 * parent->ready_children, oldest child first; a continue is recorded by signal/ before the child itself comes round to being put there, so who
 * asks for continues looks at every child. A zombie taken leaves the tree at once; its memory goes with the last reference.
 */
#include <lib/errno.h>
#include "abi/process.h"
#include "abi/signal.h"
#include "object/pid_ns.h"
#include "proc/internal.h"
#include "proc/pidfd.h"

struct wait_state {
	const struct wait_request *rq;
	struct pid *pid;		/* P_PID, P_PGID, P_PIDFD: referenced; NULL: no such, or P_ALL */
	struct process *taken;		/* a zombie: the tree's reference is ours now */
	struct cpu_usage children;	/* … what it has waited for itself */
	bool has_candidate;		/* there is a child that may have news one day */
};

static bool is_about_one(const struct wait_state *w)
{
	return w->rq->id_type == P_PID || w->rq->id_type == P_PIDFD;
}

/* wait(2): "clone" children are those that send another signal than SIGCHLD. */
static bool is_eligible(const struct wait_state *w, const struct process *p)
{
	u32 options = w->rq->options;

	if (is_about_one(w) && p->pids[PID_TGID] != w->pid)
		return false;
	if (w->rq->id_type == P_PGID && p->pids[PID_PGID] != w->pid)
		return false;
	if ((options & __WNOTHREAD) && p->parent_thread != current_thread())
		return false;
	return (options & __WALL) || (p->exit_signal != SIGCHLD) == !!(options & __WCLONE);
}

static void fill_identity(struct process *p, struct wait_result *out)
{
	const struct cred *c = cred_get_of(&p->leader->sched.actor);

	*out = (struct wait_result){ .pid = process_tgid(p), .uid = from_kuid(current_cred()->ns, c->uid) };
	cred_put(c);
}

static void take_zombie(struct wait_state *w, struct process *p, struct wait_result *out)
{
	s32 sig = p->exit_status & 0x7f;

	fill_identity(p, out);
	out->code = sig ? (p->exit_status & 0x80 ? CLD_DUMPED : CLD_KILLED) : CLD_EXITED;
	out->status = sig ? sig : p->exit_status >> 8;
	out->wait_status = p->exit_status;
	out->usage = p->dead_threads;
	usage_add(&out->usage, &p->waited_children);
	if (w->rq->options & WNOWAIT)
		return;
	w->children = out->usage;
	process_release_locked(p);
	w->taken = p;
}

static void take_stop(struct wait_state *w, struct process *p, struct wait_result *out)
{
	fill_identity(p, out);
	out->code = CLD_STOPPED;
	out->status = p->signal.stop_signal;
	out->wait_status = p->signal.stop_signal << 8 | 0x7f;
	process_usage(p, &out->usage);
	if (!(w->rq->options & WNOWAIT)) {
		p->wait_stop_ready = false;
		process_unset_ready_locked(p);
	}
}

/* True if there was an unreported continue. */
static bool take_continue(struct wait_state *w, struct process *p, struct wait_result *out)
{
	spin_lock_soft(&p->signal.lock);
	if (!p->signal.is_continued) {
		spin_unlock_soft(&p->signal.lock);
		return false;
	}
	if (!(w->rq->options & WNOWAIT))
		p->signal.is_continued = false;
	spin_unlock_soft(&p->signal.lock);
	fill_identity(p, out);
	out->code = CLD_CONTINUED;
	out->status = SIGCONT;
	out->wait_status = 0xffff;
	process_usage(p, &out->usage);
	if (!(w->rq->options & WNOWAIT)) {
		p->wait_cont_ready = false;
		process_unset_ready_locked(p);
	}
	return true;
}

/* Takes from an eligible child what the options ask for. */
static bool take_from(struct wait_state *w, struct process *p, struct wait_result *out)
{
	u32 options = w->rq->options;

	w->has_candidate = true;
	if (p->is_zombie) {
		if (!(options & WEXITED))
			return false;
		take_zombie(w, p, out);
		return true;
	}
	if ((options & WSTOPPED) && p->wait_stop_ready && READ_ONCE(p->signal.is_stopped)) {
		take_stop(w, p, out);
		return true;
	}
	return (options & WCONTINUED) && take_continue(w, p, out);
}

/* A zombie that the options do not ask for will never have anything else to say. */
static bool can_have_news(const struct wait_state *w, const struct process *p)
{
	return !p->is_zombie || (w->rq->options & WEXITED);
}

static bool look_at_one(struct wait_state *w, struct wait_result *out)
{
	struct process *p;

	if (!w->pid || list_empty(&w->pid->users[PID_TGID]))
		return false;
	p = container_of(w->pid->users[PID_TGID].next, struct process, pid_links[PID_TGID]);
	return p->parent == current_process() && is_eligible(w, p) && take_from(w, p, out);
}

static bool look_at_all(struct wait_state *w, struct wait_result *out)
{
	struct process *me = current_process(), *p;

	if (w->rq->options & WCONTINUED) {
		list_for_each_entry(p, &me->children, sibling)
			if (is_eligible(w, p) && take_from(w, p, out))
				return true;
		return false;
	}
	rb_for_each_entry(p, &me->ready_children, ready_node)
		if (is_eligible(w, p) && take_from(w, p, out))
			return true;
	list_for_each_entry(p, &me->children, sibling) {
		if (w->has_candidate)
			break;
		w->has_candidate = is_eligible(w, p) && can_have_news(w, p);
	}
	return false;
}

/* 1 found, 0 nothing now, -ECHILD nothing ever. */
static int look(struct wait_state *w, struct wait_result *out)
{
	bool has_found;

	SPIN_GUARD_SOFT(&proc_tree_lock);
	w->has_candidate = false;
	if (w->rq->id_type == P_PGID && !w->pid)
		return -ECHILD;
	has_found = is_about_one(w) ? look_at_one(w, out) : look_at_all(w, out);
	return has_found ? 1 : w->has_candidate ? 0 : -ECHILD;
}

static int look_and_sleep(struct wait_state *w, struct wait_result *out)
{
	struct process *me = current_process();
	struct waiter waiter;
	int r;

	waiter_init(&waiter);
	for (;;) {
		waitq_add(&me->child_wait, &waiter);
		sched_prepare_sleep(SLEEP_INTERRUPTIBLE);
		r = look(w, out);
		if (r)
			break;
		r = waitq_sleep(SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
		if (r) {
			sched_cancel_sleep();
			r = look(w, out);
			if (r == 0)
				r = -ERESTARTSYS;
			break;
		}
	}
	sched_cancel_sleep();
	waitq_remove(&me->child_wait, &waiter);
	return r;
}

static void account_child(struct wait_state *w)
{
	struct process *me = current_process();

	if (!w->taken)
		return;
	spin_lock_soft(&me->lock);
	usage_add(&me->waited_children, &w->children);
	spin_unlock_soft(&me->lock);
	process_put(w->taken);
}

static int find_pid(const struct wait_request *rq, struct pid **pid, bool *is_nonblock)
{
	*pid = NULL;
	*is_nonblock = false;
	switch (rq->id_type) {
	case P_ALL:
		return 0;
	case P_PIDFD:
		return pidfd_pid(rq->id, false, pid, is_nonblock);
	case P_PID:
	case P_PGID:
		*pid = rq->id || rq->id_type == P_PID ? pid_find_get(&init_pid_ns, rq->id) : process_id_get(current_process(), PID_PGID);
		return 0;
	default:
		return -EINVAL;
	}
}

int proc_wait(const struct wait_request *rq, struct wait_result *out)
{
	struct wait_state w = { .rq = rq };
	bool is_nonblock;
	int r = find_pid(rq, &w.pid, &is_nonblock);

	if (r)
		return r;
	r = look(&w, out);
	if (r == 0 && !(rq->options & WNOHANG))
		r = is_nonblock ? -EAGAIN : look_and_sleep(&w, out);
	account_child(&w);
	pid_put(w.pid);
	return r;
}
