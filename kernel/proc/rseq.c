/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Restartable sequences, rseq(2) (struct rseq in <linux/rseq.h>).
 *
 * A thread names an area of its memory. Whenever it has been off its CPU (preempted, asleep, moved) and is about to go on in user mode, the CPU's number is
 * written there, and if the area points to a description of the code it is in the midst of, it goes on at the abort address instead. Likewise before a
 * handler runs, and when a membarrier asks for it.
 *
 * It costs nothing otherwise: the scheduler raises TASK_WORK_RSEQ when a thread that has such an area leaves its CPU (sched_task.switch_work), and the user
 * loop looks at work bits anyway, at last with interrupts off. What is done here may sleep in a page fault; then the bit is set again.
 */
#include <lib/errno.h>
#include <frame/percpu.h>
#include <frame/uspace.h>
#include <frame/user.h>
#include "abi/rseq.h"
#include "abi/signal.h"
#include "object/uaccess.h"
#include "proc/rseq.h"
#include "proc/thread.h"
#include "signal/policy.h"

static uaddr_t field(const struct thread *t, size_t offset)
{
	return uaddr(t->rseq.v + offset);
}

/* The description the area points to. 0: none; 1; negative: one that does not make sense. */
static int get_section(const struct thread *t, struct rseq_cs *cs)
{
	u64 at;
	u32 sig;

	if (uget(&at, field(t, offsetof(struct rseq, rseq_cs)), sizeof(at)))
		return -EFAULT;
	if (!at)
		return 0;
	if (at >= USPACE_END || uget(cs, uaddr(at), sizeof(*cs)))
		return -EFAULT;
	if (cs->version || cs->start_ip >= USPACE_END || cs->post_commit_offset >= USPACE_END - cs->start_ip || cs->abort_ip >= USPACE_END)
		return -EINVAL;
	if (cs->abort_ip - cs->start_ip < cs->post_commit_offset)
		return -EINVAL;
	/* No jump to anything but what was built as an abort handler. */
	if (cs->abort_ip < sizeof(sig) || uget(&sig, uaddr(cs->abort_ip - sizeof(sig)), sizeof(sig)) || sig != t->rseq_sig)
		return -EINVAL;
	return 1;
}

/* restarts: there is a reason to, if the thread is in a section. */
static int fix_ip(struct thread *t, bool restarts)
{
	struct user_regs *regs = current_task()->regs;
	const u64 none = 0;
	struct rseq_cs cs;
	u32 flags;
	int r = get_section(t, &cs);

	if (r <= 0)
		return r;
	if (user_ip(regs) - cs.start_ip < cs.post_commit_offset) {
		if (uget(&flags, field(t, offsetof(struct rseq, flags)), sizeof(flags)))
			return -EFAULT;
		if (cs.flags || flags)		/* Linux 6.1 has given up those there were */
			return -EINVAL;
		if (!restarts)
			return 0;
		user_set_ip(regs, cs.abort_ip);
	}
	return uput(field(t, offsetof(struct rseq, rseq_cs)), &none, sizeof(none));
}

static int put_ids(const struct thread *t, u32 start, u32 id)
{
	const u32 ids[2] = { start, id };

	_Static_assert(offsetof(struct rseq, cpu_id_start) == 0 && offsetof(struct rseq, cpu_id) == 4, "the ids are written together");
	return uput(t->rseq, ids, sizeof(ids));
}

static int update(struct thread *t, bool restarts)
{
	int err = fix_ip(t, restarts);
	u32 cpu = cpu_id();

	return err ? err : put_ids(t, cpu, cpu);
}

void rseq_work(void)
{
	struct thread *t = current_thread();

	task_work_clear(current_task(), TASK_WORK_RSEQ);
	if (t->rseq.v && update(t, true))
		signal_force_fault(KSIGSEGV, SI_KERNEL, 0);
}

/* The numbers in the area are right, or TASK_WORK_RSEQ says that they will be written before user mode. */
int signal_policy_before_handler(void)
{
	struct thread *t = current_thread();

	return t->rseq.v ? fix_ip(t, true) : 0;
}

/* What a former use of the memory has left there is not in force. */
static int clear_section(uaddr_t area)
{
	const uaddr_t at = uaddr(area.v + offsetof(struct rseq, rseq_cs));
	const u64 none = 0;
	u64 cs;

	if (uget(&cs, at, sizeof(cs)))
		return -EFAULT;
	return cs ? uput(at, &none, sizeof(none)) : 0;
}

int rseq_register(uaddr_t area, u32 len, u32 sig)
{
	struct thread *t = current_thread();

	if (t->rseq.v) {
		if (t->rseq.v != area.v || len != sizeof(struct rseq))
			return -EINVAL;
		return t->rseq_sig == sig ? -EBUSY : -EPERM;
	}
	if (area.v % _Alignof(struct rseq) || len != sizeof(struct rseq))
		return -EINVAL;
	if (!area.v || area.v > USPACE_END - len || clear_section(area))
		return -EFAULT;
	t->rseq = area;
	t->rseq_sig = sig;
	t->sched.switch_work |= TASK_WORK_RSEQ;
	if (update(t, false))
		signal_force_fault(KSIGSEGV, SI_KERNEL, 0);
	return 0;
}

int rseq_unregister(uaddr_t area, u32 len, u32 sig)
{
	struct thread *t = current_thread();

	if (!t->rseq.v || t->rseq.v != area.v || len != sizeof(struct rseq))
		return -EINVAL;
	if (t->rseq_sig != sig)
		return -EPERM;
	if (put_ids(t, 0, (u32)RSEQ_CPU_ID_UNINITIALIZED))
		return -EFAULT;
	rseq_forget(t);
	return 0;
}

/* A copy of the memory has the area, too; a thread in the same memory registers its own. */
void rseq_fork(struct thread *child, bool shares_memory)
{
	const struct thread *me = current_thread();

	if (shares_memory || !me->rseq.v)
		return;
	child->rseq = me->rseq;
	child->rseq_sig = me->rseq_sig;
	child->sched.switch_work |= TASK_WORK_RSEQ;
	task_work_set(&child->sched.actor.task, TASK_WORK_RSEQ);
}

void rseq_forget(struct thread *t)
{
	t->rseq = UADDR_NULL;
	t->rseq_sig = 0;
	t->sched.switch_work &= ~(u32)TASK_WORK_RSEQ;
}
