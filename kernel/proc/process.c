/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Processes: their memory, their place in the tree, in process groups and sessions, and how they are found.
 *
 * A process exists from clone(2) until it has been waited for and nobody refers to it. It is in the tree (its parent's list of children), and found by its id,
 * until process_release_locked. Children with news for wait(2) are in a tree of their own by age, so that waiting for any child costs O(log n).
 * Pointers to struct pid are replaced under proc_tree_lock and freed after a grace period: reading a number takes only RCU.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include "mm/alloc.h"
#include "object/pid_ns.h"
#include "proc/internal.h"

struct spinlock_soft proc_tree_lock = SPINLOCK_INIT("process tree");
static struct slab_cache *process_cache;
static u64 last_child_seq;		/* [t] */

void process_caches_init(void)
{
	process_cache = slab_create("process", sizeof(struct process), 0, 0, NULL);
}

static void inherit(struct process *p, struct process *from)
{
	SPIN_GUARD_SOFT(&from->lock);
	memcpy(p->limits, from->limits, sizeof(p->limits));
	p->personality = from->personality;
	p->dumpable = from->dumpable;
	p->is_thp_disabled = from->is_thp_disabled;
	p->oom_score_adj = from->oom_score_adj;
	p->oom_score_adj_min = from->oom_score_adj_min;
	p->has_given_up_tty = from->has_given_up_tty;
}

int process_create(struct sighand *hand, struct process *from, struct process **out)
{
	struct process *p = slab_alloc(process_cache, ALLOC_SLEEP | ALLOC_ZERO | ALLOC_USER);

	if (!p)
		return -ENOMEM;
	ref_init(&p->refs);
	spin_init_soft(&p->lock, "process");
	signal_group_init(&p->signal, hand);
	list_init(&p->threads);
	list_init(&p->children);
	list_init(&p->sibling);
	for (u32 i = 0; i < PID_TYPES; i++)
		list_init(&p->pid_links[i]);
	waitq_init(&p->child_wait, "child wait");
	waitq_init(&p->exec_wait, "exec wait");
	itimers_init(p);
	p->start_ns = clock_now_ns();
	p->dumpable = true;
	if (from)
		inherit(p, from);
	else
		limits_init_defaults(p->limits);
	*out = p;
	return 0;
}

void process_abandon(struct process *p)
{
	signal_group_fini(&p->signal);
	sighand_put(p->signal.hand);
	slab_free(process_cache, p);
}

/* --- references */

static void process_free(struct rcu_head *head)
{
	struct process *p = container_of(head, struct process, rcu);

	for (u32 i = 0; i < PID_TYPES; i++)
		pid_put(p->pids[i]);
	thread_own_put(p->leader);
	process_abandon(p);
}

void process_get(struct process *p)
{
	ref_get(&p->refs);
}

void process_put(struct process *p)
{
	if (ref_put(&p->refs))
		rcu_call(&p->rcu, process_free);
}

struct process *process_of_pid(struct pid *pid)
{
	struct process *p = NULL;

	SPIN_GUARD_SOFT(&pid->lock);
	if (!list_empty(&pid->users[PID_TGID])) {
		p = container_of(pid->users[PID_TGID].next, struct process, pid_links[PID_TGID]);
		process_get(p);
	}
	return p;
}

/* exec may replace the leader meanwhile. */
struct thread *process_leader_get(struct process *p)
{
	struct thread *t;

	rcu_read_lock();
	do {
		t = rcu_deref(p->leader);
	} while (!ref_try_get(&t->refs));
	rcu_read_unlock();
	process_get(p);
	return t;
}

struct process *process_find_get(s32 tgid)
{
	struct process *p = NULL;
	struct pid *pid;

	rcu_read_lock();
	pid = pid_find(&init_pid_ns, tgid);
	if (pid)
		p = process_of_pid(pid);
	rcu_read_unlock();
	return p;
}

struct process *process_next(s32 from_tgid)
{
	struct process *p = NULL;
	struct pid *pid;

	while (!p && (pid = pid_next(&init_pid_ns, from_tgid)) != NULL) {
		p = process_of_pid(pid);
		from_tgid = pid_nr(pid, &init_pid_ns) + 1;
		pid_put(pid);
	}
	return p;
}

/* --- numbers */

static s32 number(const struct process *p, enum pid_type type)
{
	s32 nr;

	rcu_read_lock();
	nr = pid_nr(rcu_deref(p->pids[type]), &init_pid_ns);
	rcu_read_unlock();
	return nr;
}

s32 process_tgid(const struct process *p)
{
	return number(p, PID_TGID);
}

s32 process_pgid(const struct process *p)
{
	return number(p, PID_PGID);
}

s32 process_sid(const struct process *p)
{
	return number(p, PID_SID);
}

s32 process_ppid(const struct process *p)
{
	const struct process *parent;
	s32 nr;

	rcu_read_lock();
	parent = rcu_deref(p->parent);
	nr = parent ? pid_nr(rcu_deref(parent->pids[PID_TGID]), &init_pid_ns) : 0;
	rcu_read_unlock();
	return nr;
}

u32 process_thread_count(const struct process *p)
{
	return READ_ONCE(p->n_threads);
}

struct pid *process_id_get(const struct process *p, enum pid_type type)
{
	struct pid *pid;

	rcu_read_lock();
	do {
		pid = rcu_deref(p->pids[type]);
	} while (!ref_try_get(&pid->refs));
	rcu_read_unlock();
	return pid;
}

/* --- the tree */

static bool is_older(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, const struct process, ready_node)->child_seq < container_of(b, const struct process, ready_node)->child_seq;
}

void process_set_ready_locked(struct process *p)
{
	if (p->is_ready || !p->parent)
		return;
	p->is_ready = true;
	rb_add(&p->parent->ready_children, &p->ready_node, is_older);
}

void process_unset_ready_locked(struct process *p)
{
	if (!p->is_ready)
		return;
	p->is_ready = false;
	rb_erase(&p->ready_node, &p->parent->ready_children);
}

void process_link_locked(struct process *p, struct process *parent, struct thread *parent_thread)
{
	bool was_ready = p->is_ready;

	process_unset_ready_locked(p);
	if (list_is_linked(&p->sibling))
		list_del(&p->sibling);
	rcu_publish(p->parent, parent);
	p->parent_thread = parent_thread;
	p->child_seq = ++last_child_seq;
	list_push_back(&parent->children, &p->sibling);
	if (was_ready)
		process_set_ready_locked(p);
}

void process_set_id_locked(struct process *p, enum pid_type type, struct pid *pid)
{
	struct pid *old = p->pids[type];

	if (old == pid)
		return;
	if (old)
		pid_detach(old, &p->pid_links[type]);
	pid_attach(pid, type, &p->pid_links[type]);
	rcu_publish(p->pids[type], pid_get(pid));
	pid_put(old);
}

void process_release_locked(struct process *p)
{
	process_unset_ready_locked(p);
	list_del(&p->sibling);
	thread_unlink_locked(p->leader);
	for (u32 i = PID_TGID; i < PID_TYPES; i++)
		pid_detach(p->pids[i], &p->pid_links[i]);
}

/* --- process groups */

struct process *pgrp_next_locked(struct pid *pgrp, const struct process *p)
{
	const struct list *next = p ? p->pid_links[PID_PGID].next : pgrp->users[PID_PGID].next;

	return next == &pgrp->users[PID_PGID] ? NULL : container_of(next, struct process, pid_links[PID_PGID]);
}

/*
 * POSIX: "a process group in which the parent of every member is either itself a member of the group or is not a member of the group's session".
 * Processes that have ended, and the one that is about to, do not count; nor does init as a parent: it does no job control.
 */
bool pgrp_is_orphaned_locked(struct pid *pgrp, const struct process *without)
{
	for (struct process *p = NULL; (p = pgrp_next_locked(pgrp, p)) != NULL;) {
		const struct process *parent = p->parent;

		if (p == without || p->is_zombie || !parent || parent->signal.is_init)
			continue;
		if (parent->pids[PID_PGID] != pgrp && parent->pids[PID_SID] == p->pids[PID_SID])
			return false;
	}
	return true;
}

bool pgrp_is_orphaned(struct pid *pgrp)
{
	SPIN_GUARD_SOFT(&proc_tree_lock);
	return pgrp_is_orphaned_locked(pgrp, NULL);
}

bool pgrp_has_stopped_locked(struct pid *pgrp)
{
	for (struct process *p = NULL; (p = pgrp_next_locked(pgrp, p)) != NULL;)
		if (READ_ONCE(p->signal.is_stopped))
			return true;
	return false;
}

/*
 * To every member, in one step against fork and exit: a child that is being made either is a member already, or its parent has the signal first and starts
 * the call again (clone.c). -EPERM only if none of them may be signalled.
 */
int signal_pgrp(struct pid *pgrp, const struct siginfo_k *info, bool check)
{
	int err = -ESRCH;

	SPIN_GUARD_SOFT(&proc_tree_lock);
	for (struct process *p = NULL; (p = pgrp_next_locked(pgrp, p)) != NULL;) {
		int one = check ? may_signal(p->leader, (u32)info->signo) : 0;

		if (one == 0)
			one = signal_send_group(&p->signal, info);
		if (err)
			err = one;
	}
	return err;
}
