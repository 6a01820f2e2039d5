/* SPDX-License-Identifier: MPL-2.0 */
/* What one thread may do to another, besides signals (kill.c) and scheduling (scheduling.c). */
#include <lib/errno.h>
#include "abi/process.h"
#include "proc/internal.h"

bool thread_may_schedule(const struct thread *t)
{
	const struct cred *me = current_cred(), *it = cred_get_of(&t->sched.actor);
	bool ok = kuid_eq(me->euid, it->euid) || kuid_eq(me->euid, it->uid) || capable(it->ns, CAP_SYS_NICE);

	cred_put(it);
	return ok;
}

void process_set_dumpable(struct process *p, bool is_dumpable)
{
	WRITE_ONCE(p->dumpable, is_dumpable);
	if (p == current_process() && current_mm())
		WRITE_ONCE(current_mm()->dumpable, is_dumpable);
}

static bool has_all_ids(const struct cred *me, const struct cred *it)
{
	return kuid_eq(me->fsuid, it->euid) && kuid_eq(me->fsuid, it->suid) && kuid_eq(me->fsuid, it->uid) &&
	       kgid_eq(me->fsgid, it->egid) && kgid_eq(me->fsgid, it->sgid) && kgid_eq(me->fsgid, it->gid);
}

/* ptrace(2), "Ptrace access mode checking". */
int may_ptrace_read(const struct thread *t)
{
	const struct cred *me = current_cred(), *it;
	bool ok;

	if (t->process == current_process())
		return 0;
	it = cred_get_of(&t->sched.actor);
	ok = (has_all_ids(me, it) && READ_ONCE(t->process->dumpable) && !(it->permitted & ~me->effective)) || capable(it->ns, CAP_SYS_PTRACE);
	cred_put(it);
	return ok ? 0 : -EPERM;
}
