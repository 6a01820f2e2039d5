/* SPDX-License-Identifier: MPL-2.0 */
/*
 * clone(2): a new thread or process that shares what the flags say with the caller and has copies of the rest.
 *
 * Decode (check_flags) refuses what cannot be; then everything is made in private (struct child) and can be given back; then, under proc_tree_lock, the child becomes
 * visible in one step. If a signal has come meanwhile the whole is undone and the call starts again after it: a signal to a process group reaches
 * every member or the parent before the child exists, never neither.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <frame/user.h>
#include "abi/process.h"
#include "abi/signal.h"
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "object/pid_ns.h"
#include "object/uaccess.h"
#include "proc/internal.h"
#include "proc/pidfd.h"
#include "proc/rseq.h"
#include "proc/userloop.h"

#define CLONE_NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)

struct child {
	struct process *process;	/* NULL until made; the caller's with CLONE_THREAD */
	struct thread *thread;
	struct pid *pid;
	struct file *pidfd_file;	/* CLONE_PIDFD; its descriptor is reserved */
	s32 pidfd;
};

/* --- decode */

/* The combinations that clone(2) lists under EINVAL, and what this kernel does not have. */
static int check_flags(const struct clone_request *rq)
{
	u64 f = rq->flags;

	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && (!(f & CLONE_VM) || (f & CLONE_CLEAR_SIGHAND)))
		return -EINVAL;
	if ((f & CLONE_PARENT) && current_process()->signal.is_init)
		return -EINVAL;
	if ((f & CLONE_PIDFD) && ((f & (CLONE_THREAD | CLONE_DETACHED)) || ((f & CLONE_PARENT_SETTID) && rq->pidfd.v == rq->parent_tid.v)))
		return -EINVAL;
	if (f & (CLONE_NAMESPACES | CLONE_INTO_CGROUP))
		return -EINVAL;
	if ((f & CLONE_SETTLS) && rq->tls >= USPACE_END)
		return -EPERM;
	return 0;
}

static int check_set_tid(const struct clone_request *rq)
{
	if (!rq->n_set_tid)
		return 0;
	if (rq->n_set_tid > init_pid_ns.level + 1)
		return -EINVAL;
	for (size_t i = 0; i < rq->n_set_tid; i++)
		if (rq->set_tid[i] < 1 || rq->set_tid[i] >= pid_max_get())
			return -EINVAL;
	return capable(&init_user_ns, CAP_SYS_ADMIN) || capable(&init_user_ns, CAP_CHECKPOINT_RESTORE) ? 0 : -EPERM;
}

/* --- what the child gets */

/* CLONE_CLEAR_SIGHAND: what has a handler in the parent is default in the child. */
static void clear_handlers(struct sighand *h)
{
	for (u32 i = 0; i < SIG_COUNT; i++)
		h->action[i] = (struct sigaction_k){ .handler = h->action[i].handler == (u64)SIG_IGN ? (u64)SIG_IGN : (u64)SIG_DFL };
}

static int make_process(const struct clone_request *rq, struct child *c)
{
	struct process *me = current_process();
	struct sighand *hand;
	int err = 0;

	if (rq->flags & CLONE_THREAD) {
		c->process = me;
		return 0;
	}
	if (rq->flags & CLONE_SIGHAND)
		hand = sighand_get(me->signal.hand);
	else
		err = sighand_copy(me->signal.hand, &hand);
	if (err)
		return err;
	if (rq->flags & CLONE_CLEAR_SIGHAND)
		clear_handlers(hand);
	err = process_create(hand, me, &c->process);
	if (err)
		sighand_put(hand);
	return err;
}

static int copy_mm(const struct clone_request *rq, struct actor *a)
{
	struct mm *mm = current_mm();
	int err = 0;

	if (rq->flags & CLONE_VM)
		a->mm = mm_get(mm);
	else
		err = mm_fork(mm, &a->mm);
	if (!err)
		a->task.uspace = &a->mm->us;
	return err;
}

static int copy_resources(const struct clone_request *rq, struct thread *t)
{
	struct actor *a = &t->sched.actor, *me = current_actor();
	int err = 0;

	if (rq->flags & CLONE_FILES)
		a->files = fdtable_get(me->files);
	else
		err = fdtable_fork(me->files, &a->files);
	if (err)
		return err;
	if (rq->flags & CLONE_FS)
		a->fs = fsctx_get(me->fs);
	else
		err = fsctx_fork(me->fs, &a->fs);
	return err ? err : copy_mm(rq, a);
}

static void copy_thread_state(const struct clone_request *rq, struct thread *t)
{
	struct thread *me = current_thread();
	struct user_regs *regs = t->sched.actor.task.regs;

	*regs = *current_task()->regs;
	user_set_return(regs, 0);
	if (rq->stack_top)
		user_set_sp(regs, rq->stack_top);
	fpu_fork(&t->sched.actor.task);
	if (rq->flags & CLONE_SETTLS) {
		t->has_first_tls = true;
		t->first_tls = rq->tls;
	}
	if (rq->flags & CLONE_CHILD_SETTID)
		t->set_child_tid = rq->child_tid;
	if (rq->flags & CLONE_CHILD_CLEARTID)
		t->clear_child_tid = rq->child_tid;
	rseq_fork(t, rq->flags & CLONE_VM);
	memcpy(t->sched.comm, me->sched.comm, sizeof(t->sched.comm));
	t->timer_slack_ns = t->default_slack_ns = me->timer_slack_ns;
	/* sigaltstack(2): not inherited by a child that shares the memory, but for vfork's. */
	if (!(rq->flags & CLONE_VM) || (rq->flags & CLONE_VFORK))
		t->signal.alt = me->signal.alt;
}

static int make_pidfd(const struct clone_request *rq, struct child *c)
{
	int fd, err;

	if (!(rq->flags & CLONE_PIDFD))
		return 0;
	fd = fd_reserve(0, true);
	if (fd < 0)
		return fd;
	c->pidfd = fd;
	err = pidfd_file_create(c->pid, 0, &c->pidfd_file);
	if (err)
		fd_unreserve(fd);
	return err ? err : uput(rq->pidfd, &fd, sizeof(fd));
}

static int make_child(const struct clone_request *rq, struct child *c)
{
	int err = make_process(rq, c);

	if (err)
		return err;
	err = thread_create(c->process, user_loop, &c->thread);
	if (err)
		return err;
	err = copy_resources(rq, c->thread);
	if (err)
		return err;
	copy_thread_state(rq, c->thread);
	err = pid_create(&init_pid_ns, rq->set_tid, rq->n_set_tid, &c->pid);
	return err ? err : make_pidfd(rq, c);
}

static void undo_child(struct child *c)
{
	if (c->pidfd_file) {
		fd_unreserve(c->pidfd);
		file_put(c->pidfd_file);
	}
	if (c->pid)
		pid_abandon(c->pid);
	if (c->thread)
		thread_abandon(c->thread);
	if (c->process && c->process != current_process())
		process_abandon(c->process);
}

/* --- becoming visible */

static void publish_process(const struct clone_request *rq, struct child *c)
{
	struct process *me = current_process(), *p = c->process, *parent = me;
	struct thread *parent_thread = current_thread();

	p->exit_signal = rq->exit_signal;
	if (rq->flags & CLONE_PARENT) {
		parent = me->parent;
		parent_thread = me->parent_thread;
		p->exit_signal = me->exit_signal;
	}
	p->leader = c->thread;
	ref_get(&c->thread->refs);	/* the process's own */
	process_set_id_locked(p, PID_TGID, c->pid);
	process_set_id_locked(p, PID_PGID, me->pids[PID_PGID]);
	process_set_id_locked(p, PID_SID, me->pids[PID_SID]);
	process_link_locked(p, parent, parent_thread);
}

static int publish(const struct clone_request *rq, struct child *c)
{
	SPIN_GUARD_SOFT(&proc_tree_lock);
	if (task_work(current_task()) & (TASK_WORK_SIGNAL | TASK_WORK_KILL))
		return -ERESTARTNOINTR;
	if (!(rq->flags & CLONE_THREAD))
		publish_process(rq, c);
	thread_publish_locked(c->thread, c->pid);
	return 0;
}

/* --- vfork(2): the parent sleeps until the child has its own memory. Whoever takes the pointer out of child->vfork sees to the other. */

static void vfork_wait(struct thread *child, struct vfork_wait *w)
{
	if (completion_wait_kind(&w->done, SLEEP_KILLABLE, SLEEP_FOREVER) == 0)
		return;
	if (!__atomic_exchange_n(&child->vfork, NULL, __ATOMIC_ACQ_REL))
		completion_wait(&w->done);
}

s64 proc_clone(const struct clone_request *rq)
{
	struct child c = { .process = NULL };
	struct vfork_wait wait;
	s32 tid;
	int err = check_flags(rq);

	if (!err)
		err = check_set_tid(rq);
	if (err)
		return err;
	err = make_child(rq, &c);
	if (!err && (rq->flags & CLONE_VFORK)) {
		completion_init(&wait.done);
		c.thread->vfork = &wait;
	}
	if (!err)
		err = publish(rq, &c);
	if (err) {
		undo_child(&c);
		return err;
	}
	if (c.pidfd_file)
		fd_install(c.pidfd, c.pidfd_file);
	tid = thread_tid(c.thread);
	if (rq->flags & CLONE_PARENT_SETTID)
		thread_put_tid(rq->parent_tid, tid);
	if (rq->flags & CLONE_VFORK)
		thread_get(c.thread);
	if (!(rq->flags & CLONE_THREAD) && READ_ONCE(c.process->limits[KRLIMIT_CPU].soft) != RLIM_UNLIMITED)
		cpu_timers_arm(c.process);
	sched_start_and_yield(&c.thread->sched);
	if (rq->flags & CLONE_VFORK) {
		vfork_wait(c.thread, &wait);
		thread_put(c.thread);
	}
	return tid;
}
