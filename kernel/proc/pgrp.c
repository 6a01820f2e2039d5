/* SPDX-License-Identifier: MPL-2.0 */
/* Process groups and sessions as sets of processes: the users of a struct pid. pid->lock guards the lists; signals are sent under it (order: pid → signal). */
#include "object/pid.h"
#include "proc/pgrp.h"
#include "proc/thread.h"

static struct process *first_member(struct pid *pid, enum pid_type type)
{
	return list_empty(&pid->users[type]) ? NULL : container_of(pid->users[type].next, struct process, pid_links[type]);
}

bool pgrp_exists(struct pid *pgrp)
{
	SPIN_GUARD_SOFT(&pgrp->lock);
	return first_member(pgrp, PID_PGID) != NULL;
}

bool pgrp_is_in_session(struct pid *pgrp, const struct pid *session)
{
	const struct process *p;

	SPIN_GUARD_SOFT(&pgrp->lock);
	p = first_member(pgrp, PID_PGID);
	return p && READ_ONCE(p->pids[PID_SID]) == session;
}

void signal_session_leader(struct pid *session, u32 sig)
{
	struct process *leader = NULL;
	struct siginfo_k info;

	spin_lock_soft(&session->lock);
	leader = first_member(session, PID_TGID);
	if (leader)
		process_get(leader);
	spin_unlock_soft(&session->lock);
	if (!leader)
		return;
	siginfo_kernel(&info, sig);
	(void)signal_send_group(&leader->signal, &info);
	process_put(leader);
}
