/* SPDX-License-Identifier: MPL-2.0 */
/* Sending signals by number: kill(2), tgkill(2), sigqueue(3). */
#include "abi/process.h"
#include "object/pid.h"
#include "object/pid_ns.h"
#include "proc/kill.h"
#include "proc/thread.h"

void siginfo_user(struct siginfo_k *info, u32 sig, s32 code)
{
	*info = (struct siginfo_k){
		.signo = (s32)sig, .code = code, .pid = process_tgid(current_process()), .uid = from_kuid(current_cred()->ns, current_cred()->uid),
	};
}

/* "The real or effective user ID of the sending process must equal the real or saved set-user-ID of the target", or CAP_KILL; SIGCONT within the session. */
int may_signal(const struct thread *t, u32 sig)
{
	const struct cred *me = current_cred(), *it;
	bool ok;

	if (t->process == current_process())
		return 0;
	it = cred_get_of(&t->sched.actor);
	ok = kuid_eq(me->euid, it->suid) || kuid_eq(me->euid, it->uid) || kuid_eq(me->uid, it->suid) || kuid_eq(me->uid, it->uid) ||
	     capable(it->ns, CAP_KILL) || (sig == KSIGCONT && process_sid(t->process) == process_sid(current_process()));
	cred_put(it);
	return ok ? 0 : -EPERM;
}

static int send_to_process(struct process *p, const struct siginfo_k *info)
{
	int err = 0;

	if (p != current_process()) {
		struct thread *leader = process_leader_get(p);

		err = may_signal(leader, (u32)info->signo);
		thread_put(leader);
	}
	return err ? err : signal_send_group(&p->signal, info);
}

/* p NULL: no such process; its reference is taken over. */
static int send_and_put(struct process *p, const struct siginfo_k *info)
{
	int err;

	if (!p)
		return -ESRCH;
	err = (u32)info->signo > SIG_COUNT ? -EINVAL : send_to_process(p, info);
	process_put(p);
	return err;
}

int kill_process(s32 tgid, const struct siginfo_k *info)
{
	return send_and_put(process_find_get(tgid), info);
}

int kill_by_pid(struct pid *pid, const struct siginfo_k *info)
{
	return send_and_put(process_of_pid(pid), info);
}

int kill_thread(s32 tgid, s32 tid, const struct siginfo_k *info)
{
	struct thread *t = thread_find_get(tid);
	int err;

	if (!t)
		return -ESRCH;
	if (tgid && process_tgid(t->process) != tgid)
		err = -ESRCH;
	else if ((u32)info->signo > SIG_COUNT)
		err = -EINVAL;
	else
		err = may_signal(t, (u32)info->signo);
	if (err == 0)
		err = signal_send_thread(&t->signal, info);
	thread_put(t);
	return err;
}

/* -1: everybody but init and the caller. */
static int kill_all(const struct siginfo_k *info)
{
	int err = -ESRCH;
	struct process *p;

	for (s32 at = 2; (p = process_next(at)) != NULL; process_put(p)) {
		at = process_tgid(p) + 1;
		if (p == current_process())
			continue;
		if (send_to_process(p, info) != -EPERM)
			err = 0;
		else if (err == -ESRCH)
			err = -EPERM;
	}
	return err;
}

int kill_pid(s32 pid, u32 sig)
{
	struct siginfo_k info;
	struct pid *pgrp;
	int err;

	siginfo_user(&info, sig, 0);
	if (pid > 0)
		return kill_process(pid, &info);
	if (pid == -2147483647 - 1)
		return -ESRCH;
	if (sig > SIG_COUNT)
		return -EINVAL;
	if (pid == -1)
		return kill_all(&info);
	pgrp = pid ? pid_find_get(&init_pid_ns, -pid) : process_id_get(current_process(), PID_PGID);
	if (!pgrp)
		return -ESRCH;
	err = signal_pgrp(pgrp, &info, true);
	pid_put(pgrp);
	return err;
}
