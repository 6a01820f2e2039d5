/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Threads: their memory, their ids, how they are found.
 *
 * A thread's memory lasts while anybody refers to it: itself until its last switch (thread_dead), its process if it is the leader, whoever looked it up. Ids lead to
 * it until thread_unlink_locked: other threads leave when they exit, the leader when its process has been waited for (it may have exited long before).
 */
#include <lib/errno.h>
#include <frame/ucopy.h>
#include <frame/user.h>
#include "abi/process.h"
#include "mm/alloc.h"
#include "fs/fdtable.h"
#include "object/nsproxy.h"
#include "object/pid_ns.h"
#include "proc/internal.h"
#include "proc/userloop.h"
#include "proc/uts.h"
#include "proc/vdso.h"

#define BYTES_PER_THREAD (8 * 16384)	/* an eighth of memory for stacks, as Linux computes threads-max (proc(5)) */
#define THREADS_LEAST 20

static struct slab_cache *thread_cache;
static u32 n_all;			/* [a] */
static u32 n_most;			/* [a] */

void proc_init(void)
{
	struct mem_stat mem;

	thread_cache = slab_create("thread", sizeof(struct thread), 64, 0, NULL);
	process_caches_init();
	user_account_init();
	mem_stat(&mem);
	n_most = (u32)clamp(mem.total * PAGE_SIZE / BYTES_PER_THREAD, (u64)THREADS_LEAST, (u64)PID_LIMIT);
	init_nsproxy.uts = &init_uts_ns;
	vdso_init();
}

u32 thread_limit(void)
{
	return READ_ONCE(n_most);
}

void thread_limit_set(u32 n)
{
	WRITE_ONCE(n_most, n);
}

u32 proc_count(void)
{
	return READ_ONCE(n_all);
}

/* --- life */

static bool may_exceed_nproc(kuid_t uid)
{
	return kuid_eq(uid, KUID_ROOT) || capable(&init_user_ns, CAP_SYS_RESOURCE) || capable(&init_user_ns, CAP_SYS_ADMIN);
}

static int charge(struct user_account *a)
{
	u32 n = __atomic_add_fetch(&a->n_threads, 1, __ATOMIC_RELAXED);
	u32 all = __atomic_add_fetch(&n_all, 1, __ATOMIC_RELAXED);

	if (current_actor()->is_kthread || (all <= thread_limit() && (n <= rlimit_current(KRLIMIT_NPROC) || may_exceed_nproc(a->uid))))
		return 0;
	__atomic_sub_fetch(&a->n_threads, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&n_all, 1, __ATOMIC_RELAXED);
	return -EAGAIN;
}

static void uncharge(struct thread *t)
{
	__atomic_sub_fetch(&t->account->n_threads, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&n_all, 1, __ATOMIC_RELAXED);
}

/* Soft context, after the last switch away from it. */
static void thread_dead(struct sched_task *s)
{
	struct thread *t = container_of(s, struct thread, sched);

	thread_stack_put(t);
	thread_put(t);
}

void thread_stack_put(struct thread *t)
{
	if (ref_put(&t->stack_refs))
		task_fini(&t->sched.actor.task);
}

static int get_account(struct user_account **out)
{
	if (current_actor()->is_kthread)
		return user_account_get(KUID_ROOT, out);
	*out = user_account_ref(current_thread()->account);
	return 0;
}

int thread_create(struct process *p, void (*fn)(void *arg), struct thread **out)
{
	struct user_account *account;
	int err = get_account(&account);
	struct thread *t;

	if (err)
		return err;
	err = charge(account);
	if (err) {
		user_account_put(account);
		return err;
	}
	t = slab_alloc(thread_cache, ALLOC_SLEEP | ALLOC_ZERO | ALLOC_USER);
	if (t) {
		t->account = account;
		err = sched_task_init(&t->sched, fn, t, true);
	}
	if (!t || err) {
		__atomic_sub_fetch(&account->n_threads, 1, __ATOMIC_RELAXED);
		__atomic_sub_fetch(&n_all, 1, __ATOMIC_RELAXED);
		user_account_put(account);
		slab_free(thread_cache, t);
		return -ENOMEM;
	}
	ref_init(&t->refs);
	ref_init(&t->stack_refs);
	list_init(&t->process_node);
	list_init(&t->pid_link);
	t->process = t->sched.actor.process = p;
	t->sched.actor.cred = cred_get(current_actor()->is_kthread ? &init_cred : current_cred());
	t->sched.actor.ns = nsproxy_get(&init_nsproxy);
	t->sched.dead = thread_dead;
	signal_thread_init(&t->signal, &p->signal, &t->sched);
	*out = t;
	return 0;
}

static void thread_free(struct rcu_head *head)
{
	struct thread *t = container_of(head, struct thread, rcu);

	cred_put(t->sched.actor.cred);
	user_account_put(t->account);
	pid_put(t->pid);
	slab_free(thread_cache, t);
}

void thread_abandon(struct thread *t)
{
	struct actor *a = &t->sched.actor;

	uncharge(t);
	if (a->files)
		fdtable_put(a->files);
	if (a->fs)
		fsctx_put(a->fs);
	mm_put(a->mm);
	nsproxy_put(a->ns);
	sched_task_abort(&t->sched);
	thread_free(&t->rcu);
}

void thread_get(struct thread *t)
{
	ref_get(&t->refs);
	process_get(t->process);
}

void thread_own_put(struct thread *t)
{
	if (ref_put(&t->refs))
		rcu_call(&t->rcu, thread_free);
}

void thread_put(struct thread *t)
{
	struct process *p = t->process;

	thread_own_put(t);
	process_put(p);
}

/* --- ids */

void thread_publish_locked(struct thread *t, struct pid *pid)
{
	struct process *p = t->process;

	t->pid = pid;
	process_get(p);			/* the running thread's own */
	pid_attach(pid, PID_TID, &t->pid_link);
	p->n_threads++;
	__atomic_add_fetch(&p->n_live, 1, __ATOMIC_RELAXED);
	spin_lock_soft(&p->signal.lock);
	list_push_back_rcu(&p->threads, &t->process_node);
	spin_unlock_soft(&p->signal.lock);
	signal_thread_add(&t->signal);
}

void thread_unlink_locked(struct thread *t)
{
	struct process *p = t->process;

	pid_detach(t->pid, &t->pid_link);
	spin_lock_soft(&p->signal.lock);
	list_del_rcu(&t->process_node);
	spin_unlock_soft(&p->signal.lock);
	uncharge(t);
}

void thread_set_pid_locked(struct thread *t, struct pid *pid)
{
	struct pid *old = t->pid;

	pid_detach(old, &t->pid_link);
	pid_attach(pid, PID_TID, &t->pid_link);
	rcu_publish(t->pid, pid_get(pid));
	pid_put(old);
}

struct thread *thread_live_of(struct process *p, const struct thread *except)
{
	struct thread *t;

	list_for_each_entry_rcu(t, &p->threads, process_node)
		if (t != except && !t->is_dead)
			return t;
	return NULL;
}

struct thread *thread_find_get(s32 tid)
{
	struct thread *t = NULL;
	struct pid *pid;

	rcu_read_lock();
	pid = pid_find(&init_pid_ns, tid);
	if (pid) {
		SPIN_GUARD_SOFT(&pid->lock);
		if (!list_empty(&pid->users[PID_TID])) {
			t = container_of(pid->users[PID_TID].next, struct thread, pid_link);
			thread_get(t);
		}
	}
	rcu_read_unlock();
	return t;
}

s32 thread_tid(const struct thread *t)
{
	s32 nr;

	rcu_read_lock();
	nr = pid_nr(rcu_deref(t->pid), &init_pid_ns);
	rcu_read_unlock();
	return nr;
}

/* --- states */

char sched_state_letter(const struct thread *t)
{
	if (READ_ONCE(t->is_dead))
		return 'Z';
	switch ((enum sched_state)READ_ONCE(t->sched.state)) {
	case TASK_RUNNING:
	case TASK_NEW:
		return 'R';
	case TASK_SLEEPING:
		return 'S';
	case TASK_BLOCKED:
		return 'D';
	case TASK_STOPPED:
		return 'T';
	case TASK_TRACED:
		return 't';
	case TASK_DEAD:
		break;
	}
	return 'X';
}

/* A bad address is ignored: by then the thread exists, and clone(2) has no error for it. */
void thread_put_tid(uaddr_t to, s32 tid)
{
	size_t left = ucopy_to(current_uspace(), to, &tid, sizeof(tid));

	(void)left;
}

void thread_first_return(void *arg)
{
	struct thread *t = arg;

	if (t->has_first_tls) {
		int err = user_set_tls(t->first_tls);

		ASSERT(err == 0);	/* clone(2) has checked it */
		t->has_first_tls = false;
	}
	if (t->set_child_tid.v)
		thread_put_tid(t->set_child_tid, thread_tid(t));
}
