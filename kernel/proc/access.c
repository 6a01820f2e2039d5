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

/* What the caller is judged by: his real ids and permitted capabilities (REALCREDS), or those for file access and the effective ones (FSCREDS). */
struct examiner {
	kuid_t uid;
	kgid_t gid;
	cap_set_t caps;
};

static bool has_all_ids(const struct examiner *me, const struct cred *it)
{
	return kuid_eq(me->uid, it->euid) && kuid_eq(me->uid, it->suid) && kuid_eq(me->uid, it->uid) &&
	       kgid_eq(me->gid, it->egid) && kgid_eq(me->gid, it->sgid) && kgid_eq(me->gid, it->gid);
}

/* ptrace(2), "Ptrace access mode checking". */
static int may_ptrace(const struct thread *t, const struct examiner *me)
{
	const struct cred *it;
	bool ok;

	if (t->process == current_process())
		return 0;
	it = cred_get_of(&t->sched.actor);
	ok = (has_all_ids(me, it) && READ_ONCE(t->process->dumpable) && !(it->permitted & ~me->caps)) || capable(it->ns, CAP_SYS_PTRACE);
	cred_put(it);
	return ok ? 0 : -EPERM;
}

int may_ptrace_read(const struct thread *t)
{
	const struct cred *c = current_cred();

	return may_ptrace(t, &(struct examiner){ c->fsuid, c->fsgid, c->effective });
}

int may_ptrace_attach(const struct thread *t)
{
	const struct cred *c = current_cred();

	return may_ptrace(t, &(struct examiner){ c->uid, c->gid, c->permitted });
}
