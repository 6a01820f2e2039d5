/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who acts: the part of a thread that every folder may need, whatever it knows of processes.
 *
 * `struct actor` is the first member of sched/'s struct sched_task, which is the first member of proc/'s struct thread; it starts with the frame's
 * struct task. What Linux shares separately, we share separately: each pointer below is its own reference.
 * Key: [o] changed only by the thread itself (or its creator before it first runs), read by others under process->lock.
 */
#ifndef OBJECT_CURRENT_H
#define OBJECT_CURRENT_H

#include <lib/types.h>
#include <frame/task.h>

struct cred;
struct mm;
struct fdtable;
struct fsctx;
struct sighand;
struct nsproxy;
struct process;

struct actor {
	struct task task;		/* must be first */
	const struct cred *cred;	/* [o] immutable object, replaced whole; others read it with cred_get_of() under RCU */
	struct mm *mm;			/* [o] NULL for kernel threads and after exit */
	struct fdtable *files;		/* [o] */
	struct fsctx *fs;		/* [o] root, working directory, umask */
	struct nsproxy *ns;		/* [o] */
	struct process *process;	/* [I] NULL for kernel threads */
	u64 charge;			/* [o] who pays for pages (cgroups, later) */
	bool is_kthread;		/* [I] */
};

static inline struct actor *current_actor(void)
{
	return container_of(current_task(), struct actor, task);
}

static inline struct uspace *current_uspace(void)
{
	return current_task()->uspace;
}

/* A signal, kill or other reason to end an interruptible sleep. */
static inline bool current_interrupted(void)
{
	return (task_work(current_task()) & (TASK_WORK_SIGNAL | TASK_WORK_KILL | TASK_WORK_STOP | TASK_WORK_NOTIFY)) != 0;
}

static inline bool current_killed(void)
{
	return (task_work(current_task()) & TASK_WORK_KILL) != 0;
}

#endif
