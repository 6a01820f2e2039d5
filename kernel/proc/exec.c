/* SPDX-License-Identifier: MPL-2.0 */
/*
 * execve(2): another program in the place of this one.
 *
 *	decode	arguments and environment are copied; the file is opened, scripts followed to their interpreter; the ELF file is checked and mapped into a
 *		new address space. Errors end the call and nothing has changed.
 *	alone	the other threads of the process are ended; if one of them was the leader, this thread takes its place and id. From here on there is no way back
 *		if there were any: an error (only memory can fail) kills the process.
 *	build	credentials, and the new stack, written from outside.
 *	commit	address space, credentials, signals, descriptors, registers: nothing fails but the copy of a shared descriptor table, which kills the process.
 *
 * A file that runs cannot be written: the denial is held by mm->exe, through vma_ops of its own.
 */
#include <lib/errno.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <frame/user.h>
#include "abi/fcntl.h"
#include "abi/process.h"
#include "abi/stat.h"
#include "mm/alloc.h"
#include "fs/fdtable.h"
#include "fs/notify.h"
#include "fs/vfs.h"
#include "proc/exec.h"
#include "proc/rseq.h"
#include "proc/vdso.h"
#include "proc/posix_timers.h"

#define INTERPRETERS_MOST 5	/* scripts on scripts; beyond: ELOOP */
#define SECURE_STACK_MOST (8ull << 20)

enum { PERM_EXEC = 1, PERM_READ = 4 };

/* --- files */

static void exe_get(struct file *f)
{
	int err = file_deny_write(file_get(f));

	BUG_ON(err);		/* it is denied already, by the mm that this one is copied from */
}

static void exe_put(struct file *f)
{
	exec_close(f);
}

static const struct vma_ops exe_ops = { .get = exe_get, .put = exe_put };

void exec_close(struct file *f)
{
	file_allow_write(f);
	file_put(f);
}

static int check_path(struct exec *x, const struct path *p)
{
	struct inode *i = p->dentry->inode;
	int err;

	if (S_ISLNK(i->mode))
		return -ELOOP;		/* AT_SYMLINK_NOFOLLOW */
	if (!S_ISREG(i->mode) || (READ_ONCE(p->mnt->flags) & MOUNT_NOEXEC))
		return -EACCES;
	err = inode_permission(i, PERM_EXEC);
	if (!err && inode_permission(i, PERM_READ))
		x->is_unreadable = true;
	return err;
}

int exec_open(struct exec *x, s32 dirfd, const char *text, u32 at_flags, struct file **out)
{
	u32 lookup = (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (at_flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
	struct path path;
	struct file *f;
	int err = path_lookup(dirfd, text, lookup, &path);

	if (err)
		return err;
	err = check_path(x, &path);
	if (!err)
		err = file_open_path(&path, O_RDONLY, current_cred(), &f);
	path_put(&path);
	if (err)
		return err;
	notify_open(f);
	err = file_deny_write(f);
	if (err)
		file_put(f);
	else
		*out = f;
	return err;
}

int exec_read_head(struct exec *x)
{
	ssize_t n = kern_read(x->file, x->head, sizeof(x->head), 0);

	if (n < 0)
		return (int)n;
	x->head_len = (size_t)n;
	return 0;
}

static int load(struct exec *x)
{
	int err = exec_read_head(x);

	for (u32 depth = 0; !err && is_script(x); depth++)
		err = depth < INTERPRETERS_MOST ? load_script(x) : -ELOOP;
	if (!err && x->head_len == 0)
		err = -ENOEXEC;
	return err ? err : load_elf(x);
}

/* --- alone */

static void doom_others_locked(struct process *p, const struct thread *me)
{
	struct thread *t;

	list_for_each_entry_rcu(t, &p->threads, process_node) {
		if (t == me || t->is_dead)
			continue;
		WRITE_ONCE(t->is_doomed, true);
		sched_notify(&t->sched.actor.task, TASK_WORK_KILL | TASK_WORK_SIGNAL);
		(void)sched_wake_stopped(&t->sched);
	}
}

/* The dead leader's id, and its place, are ours from now on. Returns the former leader, whose reference is to be put. */
static struct thread *take_leadership_locked(struct process *p, struct thread *me)
{
	struct thread *old = p->leader;

	if (old == me)
		return NULL;
	thread_unlink_locked(old);
	thread_set_pid_locked(me, p->pids[PID_TGID]);
	ref_get(&me->refs);
	spin_lock_soft(&p->signal.lock);
	rcu_publish(p->leader, me);
	spin_unlock_soft(&p->signal.lock);
	return old;
}

static int end_other_threads(struct exec *x)
{
	struct thread *me = current_thread(), *old;
	struct process *p = me->process;
	int err;

	spin_lock_soft(&proc_tree_lock);
	if (p->n_threads == 1 && p->leader == me) {
		spin_unlock_soft(&proc_tree_lock);
		return 0;
	}
	if (p->exec_thread || current_killed()) {
		spin_unlock_soft(&proc_tree_lock);
		return -EINTR;		/* dies before it sees that */
	}
	p->exec_thread = me;
	doom_others_locked(p, me);
	spin_unlock_soft(&proc_tree_lock);
	x->has_ended_threads = true;
	err = WAIT_EVENT(&p->exec_wait, READ_ONCE(p->n_threads) == 1, SLEEP_KILLABLE, SLEEP_FOREVER);
	spin_lock_soft(&proc_tree_lock);
	p->exec_thread = NULL;
	old = err ? NULL : take_leadership_locked(p, me);
	spin_unlock_soft(&proc_tree_lock);
	if (old)
		thread_own_put(old);
	return err ? -EINTR : 0;
}

/* Handlers shared with another process (CLONE_SIGHAND) stay that one's. */
static int own_sighand(struct process *p)
{
	struct signal_group *g = &p->signal;
	struct sighand *old = g->hand, *new;
	int err;

	if (ref_count(&old->refs) == 1)
		return 0;
	err = sighand_copy(old, &new);
	if (err)
		return err;
	spin_lock_soft(&g->lock);
	g->hand = new;
	spin_unlock_soft(&g->lock);
	sighand_put(old);
	return 0;
}

/* --- commit */

static void set_name(struct thread *t, const char *path)
{
	const char *slash = strrchr(path, '/');

	(void)strlcpy(t->sched.comm, slash ? slash + 1 : path, sizeof(t->sched.comm));
}

static void commit_process(struct exec *x, struct process *p)
{
	const struct cred *c = x->cred;
	u32 personality = READ_ONCE(p->personality) & ~(u32)READ_IMPLIES_EXEC;

	if (x->is_secure) {
		personality &= ~(u32)PER_CLEAR_ON_SETID;
		spin_lock_soft(&p->lock);
		if (p->limits[KRLIMIT_STACK].soft > SECURE_STACK_MOST)
			p->limits[KRLIMIT_STACK].soft = SECURE_STACK_MOST;
		spin_unlock_soft(&p->lock);
		current_thread()->pdeath_signal = 0;
	}
	WRITE_ONCE(p->personality, personality);
	p->dumpable = kuid_eq(c->euid, c->uid) && kgid_eq(c->egid, c->gid) && !x->is_unreadable;
	x->mm->dumpable = p->dumpable;
	spin_lock_soft(&proc_tree_lock);
	p->has_execed = true;
	p->exit_signal = KSIGCHLD;
	spin_unlock_soft(&proc_tree_lock);
}

static void commit(struct exec *x)
{
	struct thread *t = current_thread();
	struct process *p = t->process;

	mm_set_exe(x->mm, x->file, &exe_ops);
	x->file = NULL;
	commit_process(x, p);
	posix_timers_end(p);
	set_name(t, x->args.name);
	thread_switch_mm(x->mm);
	x->mm = NULL;
	signal_exec_reset(&t->signal);
	cred_commit(x->cred);
	x->cred = NULL;
	t->restart = (struct restart_block){ .fn = NULL };
	t->set_child_tid = UADDR_NULL;
	rseq_forget(t);
	if (fdtable_exec())
		signal_kill_group(&p->signal, KSIGKILL);
	user_start(current_task()->regs, x->entry, x->sp);
}

static int build_and_commit(struct exec *x)
{
	int err = end_other_threads(x);

	if (!err)
		err = own_sighand(current_process());
	if (!err)
		err = exec_make_cred(x);
	if (!err)
		err = exec_stack_write(x);
	if (!err)
		commit(x);
	else if (x->has_ended_threads)
		signal_kill_group(&current_process()->signal, KSIGKILL);
	return err;
}

/* --- the call */

static void exec_fini(struct exec *x)
{
	if (x->file)
		exec_close(x->file);
	if (x->cred)
		cred_abandon(x->cred);
	mm_put(x->mm);
	kfree(x->path_copy);
	exec_args_fini(&x->args);
}

/* x->args has strings and name; x->path is to be opened. */
static int exec_run(struct exec *x, s32 dirfd, const char *path, u32 at_flags)
{
	int err = exec_open(x, dirfd, path, at_flags, &x->file);

	if (!err)
		err = load(x);
	if (!err)
		err = exec_stack_map(x);
	if (!err)
		err = vdso_map(x);
	return err ? err : build_and_commit(x);
}

/* execveat(2): a program found by descriptor is called /dev/fd/N or /dev/fd/N/path. Into x->path_copy. */
static int make_fd_name(struct exec *x, s32 fd, const char *path, size_t len)
{
	size_t size = len + 24;

	x->path_copy = kmalloc(size, ALLOC_SLEEP | ALLOC_USER);
	if (!x->path_copy)
		return -ENOMEM;
	(void)snprintf(x->path_copy, size, len ? "/dev/fd/%d/%s" : "/dev/fd/%d", fd, path);
	x->is_path_closing = fdtable_is_cloexec(current_actor()->files, fd);
	return 0;
}

/* set*uid(2) lets a user go over RLIMIT_NPROC; the program he then runs is refused (execve(2), EAGAIN). */
static int check_nproc(void)
{
	struct thread *t = current_thread();

	if (!t->is_over_nproc)
		return 0;
	if (READ_ONCE(t->account->n_threads) > rlimit_current(KRLIMIT_NPROC))
		return -EAGAIN;
	t->is_over_nproc = false;
	return 0;
}

static int exec_user(struct exec *x, const struct exec_request *rq, const struct user_path *up)
{
	int err = 0;

	x->path = up->text;
	if (rq->dirfd != AT_FDCWD_KEEL && up->text[0] != '/') {
		err = make_fd_name(x, rq->dirfd, up->text, up->len);
		x->path = x->path_copy;
	}
	if (!err)
		err = exec_args_set_name(&x->args, x->path);
	if (!err)
		err = exec_args_from_user(&x->args, rq->argv, rq->envp);
	return err ? err : exec_run(x, rq->dirfd, up->text, rq->at_flags);
}

int proc_exec(const struct exec_request *rq)
{
	struct user_path up;
	struct exec x = { .path = NULL };
	int err = user_path_get(&up, rq->path, rq->at_flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);

	if (err)
		return err;
	exec_args_init(&x.args);
	err = check_nproc();
	if (!err)
		err = exec_user(&x, rq, &up);
	exec_fini(&x);
	user_path_put(&up);
	return err;
}

int exec_kernel(const char *path, const char *const argv[], const char *const envp[])
{
	struct exec x = { .path = path };
	int err;

	exec_args_init(&x.args);
	err = exec_args_set_name(&x.args, path);
	if (!err)
		err = exec_args_from_kernel(&x.args, argv, envp);
	if (!err)
		err = exec_run(&x, AT_FDCWD_KEEL, path, 0);
	exec_fini(&x);
	return err;
}
