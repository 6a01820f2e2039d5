/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Process 1. The first call of proc_start_init makes it out of nothing: a thread of its own that opens the console, tries the program, and says how it went. If there is
 * no such program it stays and waits to be told another; once one runs it is an ordinary process, but for signals (signal.is_init) and orphans.
 *
 * Its process group and session are those of "process 0", which is no process: a struct pid with the number 0 that nothing finds.
 */
#include <lib/errno.h>
#include "abi/fcntl.h"
#include "mm/alloc.h"
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "object/pid_ns.h"
#include "proc/exec.h"
#include "proc/userloop.h"
#include "sync/mutex.h"

struct init_order {
	const char *path;
	const char *const *argv, *const *envp;
	int result;
	struct completion done;
};

static struct process *init;			/* [I once made] */
static struct init_order *order;		/* [a] what it is to try next */
static struct waitq order_wait = WAITQ_INIT("init order", order_wait);

struct process *init_process(void)
{
	return init;
}

/* --- in its own thread */

static void open_console(void)
{
	struct file *f;
	int err = kern_open("/dev/console", O_RDWR, 0, &f);

	if (err) {
		klog(LOG_WARNING, "no console for init: /dev/console: error %d", -err);
		return;
	}
	for (u32 i = 0; i < 3; i++) {
		err = fd_install_new(file_get(f), false);
		if (err < 0)
			file_put(f);
	}
	file_put(f);
}

static void init_body(void *arg)
{
	open_console();
	for (;;) {
		struct init_order *o;
		int err;

		if (WAIT_EVENT(&order_wait, READ_ONCE(order) != NULL, SLEEP_INTERRUPTIBLE, SLEEP_FOREVER))
			continue;
		o = __atomic_exchange_n(&order, NULL, __ATOMIC_ACQ_REL);
		err = exec_kernel(o->path, o->argv, o->envp);
		o->result = err;
		completion_done(&o->done);
		if (!err)
			user_loop(arg);
	}
}

/* --- making it */

static struct pid *make_pid_zero(void)
{
	static struct list holder;	/* a user, so that the number is never given back */
	struct pid *pid = kmalloc(sizeof(*pid) + sizeof(pid->numbers[0]), ALLOC_SLEEP | ALLOC_ZERO);

	if (!pid)
		return NULL;
	ref_init(&pid->refs);
	spin_init_soft(&pid->lock, "pid");
	for (u32 i = 0; i < PID_TYPES; i++)
		list_init(&pid->users[i]);
	pid->numbers[0].ns = &init_pid_ns;
	pid_attach(pid, PID_TID, &holder);
	return pid;
}

static int make_init(void)
{
	struct pid *pid, *zero = make_pid_zero();
	struct sighand *hand;
	struct actor *a;
	struct thread *t;
	const s32 one = 1;
	int err;

	if (!zero)
		return -ENOMEM;
	err = sighand_create(&hand);
	if (!err)
		err = process_create(hand, NULL, &init);
	if (!err)
		err = thread_create(init, init_body, &t);
	if (err)
		return err;
	a = &t->sched.actor;
	t->timer_slack_ns = t->default_slack_ns = 50000;	/* prctl(2), PR_SET_TIMERSLACK */
	err = fdtable_create(&a->files);
	if (!err)
		err = fsctx_create_initial(&a->fs);
	if (!err)
		err = pid_create(&init_pid_ns, &one, 1, &pid);
	if (err)
		return err;
	init->signal.is_init = true;
	init->leader = t;
	ref_get(&t->refs);
	spin_lock_soft(&proc_tree_lock);
	process_set_id_locked(init, PID_TGID, pid);
	process_set_id_locked(init, PID_PGID, zero);
	process_set_id_locked(init, PID_SID, zero);
	thread_publish_locked(t, pid);
	spin_unlock_soft(&proc_tree_lock);
	sched_start(&t->sched);
	return 0;
}

int proc_start_init(const char *path, const char *const argv[], const char *const envp[])
{
	struct init_order o = { .path = path, .argv = argv, .envp = envp };

	if (!init) {
		deferred_thread_start();
		if (make_init())
			panic("no memory for init");
	}
	completion_init(&o.done);
	__atomic_store_n(&order, &o, __ATOMIC_RELEASE);
	waitq_wake_all(&order_wait);
	completion_wait(&o.done);
	return o.result;
}
