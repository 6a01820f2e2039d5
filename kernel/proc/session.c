/* SPDX-License-Identifier: MPL-2.0 */
/* Process groups and sessions: setpgid(2), setsid(2), credentials(7). Membership changes under proc_tree_lock. */
#include <lib/errno.h>
#include "object/pid_ns.h"
#include "proc/internal.h"

/* The process that setpgid's pid means: the caller or a child of it that has not called execve(2). Locked. */
static int find_subject(s32 pid, struct process **out)
{
	struct process *me = current_process(), *p = me;
	struct thread *t;

	if (pid && pid != process_tgid(me)) {
		t = thread_find_get(pid);
		if (!t)
			return -ESRCH;
		p = t->process;		/* stays while the lock is held: it is found by an id */
		if (t != p->leader) {
			thread_put(t);
			return -EINVAL;
		}
		thread_put(t);
		if (p->parent != me)
			return -ESRCH;
		if (p->pids[PID_SID] != me->pids[PID_SID])
			return -EPERM;
		if (p->has_execed)
			return -EACCES;
	}
	*out = p;
	return p->is_session_leader ? -EPERM : 0;
}

static int setpgid_locked(s32 pid, s32 pgid)
{
	struct process *p;
	struct pid *group;
	int err = find_subject(pid, &p);

	if (err)
		return err;
	if (!pgid || pgid == process_tgid(p)) {
		process_set_id_locked(p, PID_PGID, p->pids[PID_TGID]);
		return 0;
	}
	group = pid_find_get(&init_pid_ns, pgid);
	if (group && pgrp_next_locked(group, NULL) && pgrp_next_locked(group, NULL)->pids[PID_SID] == current_process()->pids[PID_SID])
		process_set_id_locked(p, PID_PGID, group);
	else
		err = -EPERM;
	pid_put(group);
	return err;
}

int proc_setpgid(s32 pid, s32 pgid)
{
	if (pgid < 0)
		return -EINVAL;
	if (pid < 0)
		return -ESRCH;
	SPIN_GUARD_SOFT(&proc_tree_lock);
	return setpgid_locked(pid, pgid);
}

s64 proc_setsid(void)
{
	struct process *me = current_process();
	struct pid *id = me->pids[PID_TGID];

	SPIN_GUARD_SOFT(&proc_tree_lock);
	if (me->is_session_leader || pgrp_next_locked(id, NULL))
		return -EPERM;
	process_set_id_locked(me, PID_SID, id);
	process_set_id_locked(me, PID_PGID, id);
	me->is_session_leader = true;
	me->has_given_up_tty = false;
	return pid_nr(id, &init_pid_ns);
}
