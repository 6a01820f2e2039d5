/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The end of threads and processes (exit(2), _exit(2)). Nothing here allocates or fails.
 *
 * A thread gives up what it uses in its own context: memory, files, directory, namespaces. Then, in one step under proc_tree_lock, it is dead: its children get
 * another parent thread, and if it was its process's last, they get another parent process, orphaned stopped groups are hung up, and the process becomes a zombie
 * that its parent may wait for, with the signal queued before anybody can see the zombie. What is left of the thread is freed after its last switch (thread.c).
 */
#include <lib/errno.h>
#include "abi/process.h"
#include "abi/signal.h"
#include "fs/fdtable.h"
#include "object/nsproxy.h"
#include "object/pid_ns.h"
#include "proc/internal.h"
#include "proc/kill.h"
#include "proc/pidfd.h"
#include "proc/policy.h"
#include "proc/posix_timers.h"
#include "signal/policy.h"

/* --- memory */

static void vfork_release(struct thread *t)
{
	struct vfork_wait *w = __atomic_exchange_n(&t->vfork, NULL, __ATOMIC_ACQ_REL);

	if (w)
		completion_done(&w->done);
}

/* set_tid_address(2): a joining thread waits for the word to become 0. Only if somebody may be left to look. */
static void clear_child_tid(struct thread *t)
{
	uaddr_t at = t->clear_child_tid;

	t->clear_child_tid = UADDR_NULL;
	if (!at.v || ref_count(&current_mm()->users) < 2)
		return;
	thread_put_tid(at, 0);
	proc_policy_futex_wake(at);
}

void thread_switch_mm(struct mm *new)
{
	struct thread *t = current_thread();
	struct process *p = t->process;
	struct mm *old = current_mm();

	if (old) {
		u64 peak = READ_ONCE(old->rss_peak);

		proc_policy_robust_exit(!new);
		clear_child_tid(t);
		spin_lock_soft(&p->lock);
		p->dead_threads.max_rss_pages = max(p->dead_threads.max_rss_pages, peak);
		t->sched.actor.mm = new;
		spin_unlock_soft(&p->lock);
	} else {
		t->sched.actor.mm = new;
	}
	task_set_uspace(new ? &new->us : NULL);
	vfork_release(t);
	mm_put(old);
}

static void give_up_files(struct thread *t)
{
	struct actor *a = &t->sched.actor;
	struct fdtable *files = a->files;
	struct fsctx *fs = a->fs;
	struct nsproxy *ns = a->ns;

	spin_lock_soft(&t->process->lock);
	a->files = NULL;
	a->fs = NULL;
	a->ns = NULL;
	spin_unlock_soft(&t->process->lock);
	if (files)
		fdtable_put(files);
	if (fs)
		fsctx_put(fs);
	nsproxy_put(ns);
}

/* --- children */

/* Who adopts the children of p: the nearest living ancestor that asked for it (PR_SET_CHILD_SUBREAPER), or init. */
static struct process *find_reaper_locked(const struct process *p)
{
	for (struct process *a = p->parent; a && !a->signal.is_init; a = a->parent)
		if (a->is_subreaper && a->n_threads)
			return a;
	return init_process();
}

/* prctl(2): the signal comes when the thread that made the process ends. */
static void send_pdeath_locked(struct process *child)
{
	struct siginfo_k info;
	struct thread *t;

	list_for_each_entry_rcu(t, &child->threads, process_node) {
		s32 sig = READ_ONCE(t->pdeath_signal);

		if (!sig)
			continue;
		siginfo_user(&info, (u32)sig, SI_USER);
		(void)signal_send_group(&child->signal, &info);
	}
}

static void hang_up_locked(struct pid *pgrp)
{
	static const u32 sigs[] = { KSIGHUP, KSIGCONT };
	struct siginfo_k info;

	for (u32 i = 0; i < ARRAY_SIZE(sigs); i++) {
		siginfo_kernel(&info, sigs[i]);
		for (struct process *p = NULL; (p = pgrp_next_locked(pgrp, p)) != NULL;)
			(void)signal_send_group(&p->signal, &info);
	}
}

/*
 * POSIX _exit: if the exit of `dying` orphans a group that has stopped members, they get SIGHUP and SIGCONT. p is dying itself (its parent was the link
 * to the rest of the session), or a child of it.
 */
static void hang_up_if_orphaned_locked(struct process *p, const struct process *parent, const struct process *without)
{
	struct pid *pgrp = p->pids[PID_PGID];

	if (!parent || parent->pids[PID_PGID] == pgrp || parent->pids[PID_SID] != p->pids[PID_SID])
		return;
	if (pgrp_is_orphaned_locked(pgrp, without) && pgrp_has_stopped_locked(pgrp))
		hang_up_locked(pgrp);
}

/* A zombie that nobody waits for any more; the tree's reference is put later, outside the lock. */
static void bury_locked(struct process *p, struct list *buried)
{
	process_release_locked(p);
	list_push_back(buried, &p->sibling);
}

static void announce_zombie_locked(struct process *p, struct list *buried);

static void reparent_children_locked(struct process *p, struct list *buried)
{
	struct process *reaper = find_reaper_locked(p), *child, *tmp;
	struct thread *t = thread_live_of(reaper, NULL);

	if (reaper == p || list_empty(&p->children))
		return;
	list_for_each_entry_safe(child, tmp, &p->children, sibling) {
		process_link_locked(child, reaper, t);
		child->exit_signal = SIGCHLD;
		if (child->is_zombie)
			announce_zombie_locked(child, buried);
		hang_up_if_orphaned_locked(child, p, NULL);
	}
}

/* Children made by this thread alone: another thread of the process is their parent thread from now on. */
static void hand_over_children_locked(struct thread *t)
{
	struct process *child, *p = t->process;
	struct thread *heir = thread_live_of(p, t);

	list_for_each_entry(child, &p->children, sibling) {
		if (child->parent_thread != t)
			continue;
		child->parent_thread = heir;
		send_pdeath_locked(child);
	}
}

/* --- telling the parent */

static void fill_child_info(struct process *p, struct siginfo_k *info, s32 code, s32 status)
{
	const struct cred *c = cred_get_of(&p->leader->sched.actor);
	struct cpu_usage usage;

	process_usage(p, &usage);
	info->code = code;
	info->pid = process_tgid(p);
	info->uid = from_kuid(&init_user_ns, c->uid);
	info->status = status;
	info->utime_ticks = usage.user_ns / (NSEC_PER_SEC / 100);
	info->stime_ticks = usage.system_ns / (NSEC_PER_SEC / 100);
	cred_put(c);
}

void process_tell_parent_locked(struct process *p, s32 code, s32 status)
{
	struct process *parent = p->parent;
	bool is_end = code == CLD_EXITED || code == CLD_KILLED || code == CLD_DUMPED;
	struct siginfo_k info = { .signo = is_end ? p->exit_signal : SIGCHLD };

	if (info.signo > 0 && info.signo <= SIG_COUNT &&
	    (is_end || (!signal_is_ignored(&parent->signal, KSIGCHLD) && !signal_has_flag(&parent->signal, KSIGCHLD, SA_NOCLDSTOP)))) {
		fill_child_info(p, &info, code, status);
		(void)signal_send_group(&parent->signal, &info);
	}
	process_set_ready_locked(p);
	waitq_wake_all(&parent->child_wait);
}

/* p is a zombie and its parent has not heard of it. wait(2), "NOTES": with SIGCHLD ignored, or SA_NOCLDWAIT, there are no zombies. */
static void announce_zombie_locked(struct process *p, struct list *buried)
{
	struct signal_group *g = &p->parent->signal;
	s32 sig = p->exit_status & 0x7f;
	bool is_ignored = p->exit_signal == SIGCHLD && signal_is_ignored(g, KSIGCHLD);
	bool is_unwanted = is_ignored || (p->exit_signal == SIGCHLD && signal_has_flag(g, KSIGCHLD, SA_NOCLDWAIT));
	s32 code = sig ? (p->exit_status & 0x80 ? CLD_DUMPED : CLD_KILLED) : CLD_EXITED;
	struct process *parent = p->parent;

	if (is_ignored)
		p->exit_signal = 0;
	process_tell_parent_locked(p, code, sig ? sig : p->exit_status >> 8);
	if (is_unwanted) {
		bury_locked(p, buried);
		waitq_wake_all(&parent->child_wait);
	}
}

/* --- the end itself */

/* The last thread: proc_tree_lock is held. */
static void end_process_locked(struct process *p, struct list *buried)
{
	reparent_children_locked(p, buried);
	hang_up_if_orphaned_locked(p, p->parent, p);
	p->exit_status = p->signal.exit_code;
	WRITE_ONCE(p->is_zombie, true);
	pidfd_notify_exit(p);
	announce_zombie_locked(p, buried);
}

static void count_usage(struct thread *t)
{
	struct process *p = t->process;
	struct cpu_usage u;

	SPIN_GUARD_SOFT(&p->lock);
	thread_usage(t, &u);
	usage_add(&p->dead_threads, &u);
	t->is_dead = true;
}

static void become_dead(struct thread *t)
{
	struct process *p = t->process, *dead, *tmp;
	LIST_HEAD_DEFINE(buried);

	spin_lock_soft(&proc_tree_lock);
	count_usage(t);
	hand_over_children_locked(t);
	if (t != p->leader)
		thread_unlink_locked(t);
	if (--p->n_threads == 0)
		end_process_locked(p, &buried);
	else if (p->exec_thread)
		waitq_wake_all(&p->exec_wait);
	spin_unlock_soft(&proc_tree_lock);
	list_for_each_entry_safe(dead, tmp, &buried, sibling) {
		list_del(&dead->sibling);
		process_put(dead);
	}
}

/* Without init there is nobody to adopt orphans: the system ends, by no fault of its own. */
static __noreturn void init_has_ended(s32 status)
{
	if (status & 0x7f)
		panic("init was killed by signal %d", status & 0x7f);
	panic("init exited with status %d", status >> 8);
}

static __noreturn void do_exit(s32 wait_status)
{
	struct thread *t = current_thread();
	struct process *p = t->process;

	t->exit_code = wait_status;
	if (__atomic_sub_fetch(&p->n_live, 1, __ATOMIC_ACQ_REL) == 0) {
		signal_kill_group(&p->signal, wait_status);	/* nothing is queued any more; the last one's status, unless all had to go */
		if (p->signal.is_init)
			init_has_ended(p->signal.exit_code);
		itimers_end(p);
		posix_timers_end(p);
		if (p->is_session_leader)
			proc_policy_session_leader_exit(p);
	}
	thread_switch_mm(NULL);
	give_up_files(t);
	thread_close_notifications();
	signal_thread_remove(&t->signal);
	become_dead(t);
	sched_exit();
}

void thread_exit(s32 code)
{
	do_exit((code & 0xff) << 8);
}

void process_exit(s32 wait_status)
{
	signal_kill_group(&current_process()->signal, wait_status);
	signal_policy_die();
}

void signal_policy_die(void)
{
	do_exit(current_process()->signal.exit_code);
}

void thread_die_if_doomed(void)
{
	if (READ_ONCE(current_thread()->is_doomed))
		do_exit(0);
}
