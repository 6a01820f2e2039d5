/* SPDX-License-Identifier: MPL-2.0 */
/* See user_thread.h. */
#include <frame/ucopy.h>
#include <lib/string.h>
#include "object/cred.h"
#include "ktest.h"
#include "user_thread.h"

static void map(u64 addr, u64 len, u32 prot)
{
	struct mm_map_request rq = { .addr = addr, .len = len, .prot = prot, .is_fixed = true };
	u64 got;

	KT_EXPECT_EQ(mm_map(current_mm(), &rq, &got), 0);
}

static void user_thread_main(void *arg)
{
	struct user_thread *t = arg;
	struct mm *mm;

	if (mm_create(&mm)) {
		ktest_fail(__FILE__, __LINE__, "no memory");
		sched_exit();
	}
	current_actor()->mm = mm;
	task_set_uspace(&mm->us);
	map(USER_CODE, PAGE_SIZE, VMA_READ | VMA_WRITE | VMA_EXEC);
	map(USER_DATA, USER_DATA_PAGES * PAGE_SIZE, VMA_READ | VMA_WRITE);
	map(USER_CONST, PAGE_SIZE, VMA_READ);
	map(USER_NONE, PAGE_SIZE, 0);
	KT_EXPECT_EQ(ucopy_to(&mm->us, uaddr(USER_CODE), user_code_start, (size_t)(user_code_end - user_code_start)), 0);
	t->fn(t->arg);
	current_actor()->mm = NULL;
	task_set_uspace(NULL);
	mm_put(mm);
	sched_exit();
}

static void user_thread_dead(struct sched_task *s)
{
	struct user_thread *t = container_of(s, struct user_thread, sched);

	task_fini(&s->actor.task);
	completion_done(&t->ended);
}

bool user_thread_create(struct user_thread *t, void (*fn)(void *arg), void *arg, s32 cpu)
{
	memset(t, 0, sizeof(*t));
	t->fn = fn;
	t->arg = arg;
	completion_init(&t->ended);
	if (sched_task_init(&t->sched, user_thread_main, t, true)) {
		ktest_fail(__FILE__, __LINE__, "no memory");
		return false;
	}
	t->sched.actor.cred = &init_cred;
	t->sched.actor.is_kthread = true;
	t->sched.dead = user_thread_dead;
	(void)strlcpy(t->sched.comm, "ktest user", sizeof(t->sched.comm));
	memset(&t->sched.affinity, cpu < 0 ? 0xff : 0, sizeof(t->sched.affinity));
	if (cpu >= 0)
		cpuset_add(&t->sched.affinity, (u32)cpu);
	return true;
}

void user_thread_start(struct user_thread *t)
{
	sched_start(&t->sched);
}

void user_thread_join(struct user_thread *t)
{
	completion_wait(&t->ended);
}

void ktest_as_user(void (*fn)(void *arg), void *arg)
{
	static struct user_thread t;

	if (!user_thread_create(&t, fn, arg, -1))
		return;
	user_thread_start(&t);
	user_thread_join(&t);
}

u64 user_code(const u8 *snippet)
{
	return USER_CODE + (u64)(snippet - user_code_start);
}

struct user_regs *user_begin(const u8 *snippet)
{
	user_start(current_task()->regs, user_code(snippet), USER_DATA_END);
	return current_task()->regs;
}

void user_next(struct user_event *ev)
{
	for (;;) {
		user_run(ev);
		if (ev->kind == USER_WORK && !(task_work(current_task()) & ~(u32)TASK_WORK_RESCHED))
			sched_check();		/* unless an interrupt has seen to it already */
		else if (ev->kind != USER_FAULT || mm_fault(current_mm(), ev->addr, ev->is_write, ev->is_exec) != FAULT_OK)
			return;
	}
}
