/* SPDX-License-Identifier: MPL-2.0 */
/* Signal-driven I/O: whom fs/async.c tells. The rights are those of who set the owner, not of whose wake-up it was. */
#include <lib/string.h>
#include "abi/poll.h"
#include "abi/signal.h"
#include "fs/policy.h"
#include "proc/internal.h"

/* The reason as sigaction(2) has it: the most telling event. */
static s32 code_of(u32 events)
{
	if (events & POLLMSG)
		return POLL_MSG;
	if (events & POLLERR)
		return POLL_ERR;
	if (events & POLLHUP)
		return POLL_HUP;
	if (events & POLLPRI)
		return POLL_PRI;
	return events & POLLIN ? POLL_IN : POLL_OUT;
}

static void describe(const struct sigio *s, struct siginfo_k *info)
{
	siginfo_t abi;

	if (!s->sig) {
		siginfo_kernel(info, KSIGIO);
		return;
	}
	memset(&abi, 0, sizeof(abi));
	abi.si_signo = (s32)s->sig;
	abi.si_code = code_of(s->events);
	abi.si_band = (s64)s->events;
	abi.si_fd = s->fd;
	*info = (struct siginfo_k){ .signo = (s32)s->sig, .code = abi.si_code, .is_raw = true };
	memcpy(info->raw, &abi, sizeof(abi));
}

static bool may_tell(const struct sigio *s, const struct thread *t)
{
	const struct cred *it = cred_get_of(&t->sched.actor);
	bool ok = kuid_eq(s->euid, KUID_ROOT) || kuid_eq(s->euid, it->suid) || kuid_eq(s->euid, it->uid) || kuid_eq(s->uid, it->suid) ||
		  kuid_eq(s->uid, it->uid);

	cred_put(it);
	return ok;
}

/* fcntl(2), F_SETSIG: where the queue is full, a plain SIGIO comes instead. */
static void tell_process(const struct sigio *s, struct process *p, const struct siginfo_k *info)
{
	struct siginfo_k plain;

	if (!may_tell(s, p->leader) || !signal_send_group(&p->signal, info))
		return;
	siginfo_kernel(&plain, KSIGIO);
	(void)signal_send_group(&p->signal, &plain);
}

static void tell_thread(const struct sigio *s, struct thread *t, const struct siginfo_k *info)
{
	struct siginfo_k plain;

	if (!may_tell(s, t) || !signal_send_thread(&t->signal, info))
		return;
	siginfo_kernel(&plain, KSIGIO);
	(void)signal_send_group(&t->process->signal, &plain);
}

static void tell_group(const struct sigio *s, const struct siginfo_k *info)
{
	SPIN_GUARD_SOFT(&proc_tree_lock);
	for (struct process *p = NULL; (p = pgrp_next_locked(s->pid, p)) != NULL;)
		tell_process(s, p, info);
}

/* An owner that has gone has left its number, perhaps to another: identity decides. */
void fs_policy_sigio(const struct sigio *s)
{
	s32 nr = pid_nr(s->pid, &init_pid_ns);
	struct siginfo_k info;
	struct process *p;
	struct thread *t;

	describe(s, &info);
	switch (s->type) {
	case SIGIO_TO_GROUP:
		tell_group(s, &info);
		break;
	case SIGIO_TO_THREAD:
		t = thread_find_get(nr);
		if (!t)
			break;
		if (t->pid == s->pid)
			tell_thread(s, t, &info);
		thread_put(t);
		break;
	case SIGIO_TO_PROCESS:
		p = process_find_get(nr);
		if (!p)
			break;
		if (p->pids[PID_TGID] == s->pid)
			tell_process(s, p, &info);
		process_put(p);
		break;
	}
}

struct pid *fs_policy_current_pid(void)
{
	return current_process()->pids[PID_TGID];
}
