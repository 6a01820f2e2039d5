/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Job control: which session a terminal belongs to, which process group is in its foreground, and what background processes may do
 * (POSIX XBD 11.1, credentials(7), tty_ioctl(4)).
 *
 * A session's terminal is a property of the session (the struct pid that is its id), so a process has one as long as its session does; one that gave it up by
 * TIOCNOTTY has a flag of its own. job_lock guards tty->session, tty->foreground and pid->session_tty; signals are sent after releasing it.
 */
#include "abi/process.h"
#include "object/uaccess.h"
#include "object/user_ns.h"
#include "proc/pgrp.h"
#include "proc/policy.h"
#include "proc/thread.h"
#include "tty/tty.h"

static struct spinlock_soft job_lock = SPINLOCK_INIT("tty job");

/* A referenced copy of one of the process's ids. */
static struct pid *pid_of(const struct process *p, enum pid_type type)
{
	struct pid *pid;

	rcu_read_lock();
	do {
		pid = rcu_deref(p->pids[type]);
	} while (pid && !ref_try_get(&pid->refs));
	rcu_read_unlock();
	return pid;
}

static struct tty *tty_of(const struct process *p)
{
	struct pid *session = READ_ONCE(p->has_given_up_tty) ? NULL : pid_of(p, PID_SID);
	struct tty *t = NULL;

	if (!session)
		return NULL;
	spin_lock_soft(&job_lock);
	if (session->session_tty)
		t = tty_get(session->session_tty);
	spin_unlock_soft(&job_lock);
	pid_put(session);
	return t;
}

struct tty *tty_of_current(void)
{
	return tty_of(current_process());
}

u32 tty_number_of(const struct process *p, s32 *foreground)
{
	struct tty *t = tty_of(p);
	u32 number;

	*foreground = -1;
	if (!t)
		return 0;
	spin_lock_soft(&job_lock);
	if (t->foreground)
		*foreground = pid_nr(t->foreground, &init_pid_ns);
	spin_unlock_soft(&job_lock);
	number = t->major << 8 | (t->minor & 0xff) | (t->minor & ~0xffu) << 12;
	tty_put(t);
	return number;
}

/* --- gaining and losing a terminal */

static void attach_locked(struct tty *t, struct pid *session, struct pid *pgrp)
{
	t->session = session;		/* take over the references */
	t->foreground = pgrp;
	session->session_tty = t;
}

/* The current process, a session leader without terminal, gets `t`. `steal`: from another session (CAP_SYS_ADMIN). */
static int acquire(struct tty *t, bool steal)
{
	struct process *p = current_process();
	struct pid *session = pid_of(p, PID_SID), *pgrp = pid_of(p, PID_PGID), *old_session = NULL, *old_foreground = NULL;
	int err = 0;

	spin_lock_soft(&job_lock);
	if (p->is_session_leader && t->session == session && session->session_tty == t) {
		err = 1;		/* has it already */
	} else if (!p->is_session_leader || session->session_tty || (t->session && !steal)) {
		err = -EPERM;
	} else {
		old_session = t->session;
		old_foreground = t->foreground;
		if (old_session)
			old_session->session_tty = NULL;
		attach_locked(t, session, pgrp);
		p->has_given_up_tty = false;
	}
	spin_unlock_soft(&job_lock);
	if (err) {
		pid_put(session);
		pid_put(pgrp);
	}
	pid_put(old_session);
	pid_put(old_foreground);
	return err > 0 ? 0 : err;
}

void tty_opened_by_leader(struct tty *t)
{
	if (current_actor()->is_kthread || !current_process()->is_session_leader)
		return;
	(void)acquire(t, false);
}

/* The terminal and its session part; the former foreground group is returned referenced (may be NULL). */
static struct pid *detach(struct tty *t, struct pid *only_session)
{
	struct pid *session, *foreground = NULL;

	spin_lock_soft(&job_lock);
	session = t->session;
	if (session && (!only_session || session == only_session)) {
		foreground = t->foreground;
		session->session_tty = NULL;
		t->session = t->foreground = NULL;
	} else {
		session = NULL;
	}
	spin_unlock_soft(&job_lock);
	pid_put(session);
	return foreground;
}

static void signal_group(struct pid *pgrp, u32 sig)
{
	struct siginfo_k info;

	if (!pgrp)
		return;
	siginfo_kernel(&info, sig);
	if (signal_pgrp(pgrp, &info, false))
		return;		/* an empty group: nobody to tell */
}

/* The session leader and the foreground group learn that the terminal is gone. */
static void send_hangup(struct pid *foreground)
{
	signal_group(foreground, KSIGHUP);
	signal_group(foreground, KSIGCONT);
	pid_put(foreground);
}

void tty_drop_session(struct tty *t)
{
	struct pid *session;

	spin_lock_soft(&job_lock);
	session = t->session ? pid_get(t->session) : NULL;
	spin_unlock_soft(&job_lock);
	if (!session)
		return;
	signal_session_leader(session, KSIGHUP);
	send_hangup(detach(t, session));
	pid_put(session);
}

void proc_policy_session_leader_exit(struct process *p)
{
	struct tty *t = tty_of(p);
	struct pid *session;

	if (!t)
		return;
	session = pid_of(p, PID_SID);
	send_hangup(detach(t, session));
	pid_put(session);
	tty_put(t);
}

/* --- the foreground */

void tty_signal_foreground(struct tty *t, u32 sig)
{
	struct pid *pgrp;

	spin_lock_soft(&job_lock);
	pgrp = t->foreground ? pid_get(t->foreground) : NULL;
	spin_unlock_soft(&job_lock);
	signal_group(pgrp, sig);
	pid_put(pgrp);
}

static bool is_in_background(struct tty *t, struct pid *session, struct pid *pgrp)
{
	SPIN_GUARD_SOFT(&job_lock);
	return t->session == session && t->foreground && t->foreground != pgrp;
}

int tty_check_background(struct tty *t, u32 sig)
{
	struct pid *session = pid_of(current_process(), PID_SID), *pgrp = pid_of(current_process(), PID_PGID);
	int err = 0;

	if (current_process()->has_given_up_tty || !is_in_background(t, session, pgrp))
		err = 0;
	else if (signal_is_ignored_or_blocked(sig))
		err = sig == KSIGTTIN ? -EIO : 0;
	else if (pgrp_is_orphaned(pgrp))
		err = -EIO;
	else {
		signal_group(pgrp, sig);
		err = -ERESTARTSYS;
	}
	pid_put(session);
	pid_put(pgrp);
	return err;
}

/* --- ioctls */

static int put_number(u64 arg, struct pid *pid)
{
	s32 nr = pid_nr(pid, &init_pid_ns);

	return uput(uaddr(arg), &nr, sizeof(nr));
}

/* A referenced copy of the tty's session or foreground group if the terminal is the caller's own. */
static int own_id(struct tty *t, bool wants_session, struct pid **out)
{
	struct tty *mine = tty_of_current();
	int err = mine == t ? 0 : -ENOTTY;

	*out = NULL;
	spin_lock_soft(&job_lock);
	if (!err) {
		struct pid *pid = wants_session ? t->session : t->foreground;

		*out = pid ? pid_get(pid) : NULL;
	}
	spin_unlock_soft(&job_lock);
	if (mine)
		tty_put(mine);
	return err;
}

static int set_foreground(struct tty *t, s32 nr)
{
	struct pid *pgrp, *session, *old = NULL;
	int err = tty_check_background(t, KSIGTTOU);

	if (err)
		return err;
	err = own_id(t, true, &session);
	if (err || !session)
		return -ENOTTY;
	pgrp = nr > 0 ? pid_find_get(&init_pid_ns, nr) : NULL;
	if (nr < 0)
		err = -EINVAL;
	else if (!pgrp || !pgrp_exists(pgrp))
		err = -ESRCH;
	else if (!pgrp_is_in_session(pgrp, session))
		err = -EPERM;
	spin_lock_soft(&job_lock);
	if (!err && t->session == session) {
		old = t->foreground;
		t->foreground = pgrp;
		pgrp = NULL;
	}
	spin_unlock_soft(&job_lock);
	pid_put(old);
	pid_put(pgrp);
	pid_put(session);
	return err;
}

static int give_up(struct tty *t)
{
	struct tty *mine = tty_of_current();

	if (mine)
		tty_put(mine);
	if (mine != t)
		return -ENOTTY;
	if (current_process()->is_session_leader)
		proc_policy_session_leader_exit(current_process());
	else
		current_process()->has_given_up_tty = true;
	return 0;
}

int tty_job_ioctl(struct tty *t, u32 cmd, u64 arg)
{
	struct pid *pid;
	s32 nr;
	int err;

	switch (cmd) {
	case TIOCSCTTY:
		return acquire(t, arg == 1 && capable(&init_user_ns, CAP_SYS_ADMIN));
	case TIOCNOTTY:
		return give_up(t);
	case TIOCGPGRP:
	case TIOCGSID:
		err = own_id(t, cmd == TIOCGSID, &pid);
		if (err)
			return err;
		err = put_number(arg, pid);
		pid_put(pid);
		return err;
	case TIOCSPGRP:
		return uget(&nr, uaddr(arg), sizeof(nr)) ? -EFAULT : set_foreground(t, nr);
	default:
		return -ENOIOCTLCMD;
	}
}
