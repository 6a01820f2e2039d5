/* SPDX-License-Identifier: MPL-2.0 */
/* Promises of frame/task.h. Which task runs is the scheduler's (sched_test.c); here is what a switch and a stack must do. */
#include <frame/clock.h>
#include <frame/preempt.h>
#include <frame/task.h>
#include <frame/ucopy.h>
#include <lib/string.h>
#include "sched/kthread.h"
#include "ktest.h"
#include "user_thread.h"

/* --- What a function may rely on over a switch: the registers it saves for its callers, its stack, its flags. */

static void give_way(void)
{
	sched_yield();
}

static u64 switch_with_registers(u64 seed)
{
	u64 bad;

	__asm__ volatile("	movq %[seed], %%rbx\n"
			 "	leaq 1(%%rbx), %%r12\n"
			 "	leaq 2(%%rbx), %%r13\n"
			 "	leaq 3(%%rbx), %%r14\n"
			 "	leaq 4(%%rbx), %%r15\n"
			 "	pushq %%rbx\n"
			 "	pushq %%rbp\n"
			 "	movq %%rsp, %%rbp\n"
			 "	andq $-16, %%rsp\n"
			 "	call *%[fn]\n"
			 "	movq %%rbp, %%rsp\n"
			 "	popq %%rbp\n"
			 "	popq %%rax\n"
			 "	xorq %%rbx, %%rax\n"
			 "	subq %%rbx, %%r12\n"
			 "	subq %%rbx, %%r13\n"
			 "	subq %%rbx, %%r14\n"
			 "	subq %%rbx, %%r15\n"
			 "	xorq $1, %%r12\n"
			 "	xorq $2, %%r13\n"
			 "	xorq $3, %%r14\n"
			 "	xorq $4, %%r15\n"
			 "	orq %%r12, %%rax\n"
			 "	orq %%r13, %%rax\n"
			 "	orq %%r14, %%rax\n"
			 "	orq %%r15, %%rax\n"
			 : "=&a"(bad)
			 : [seed] "D"(seed), [fn] "S"(give_way)
			 : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
	return bad;
}

static void switch_a_lot(void *arg)
{
	u64 seed = (u64)arg * 0x1234567;

	for (u32 i = 0; i < 500; i++) {
		if (switch_with_registers(seed + i)) {
			ktest_fail(__FILE__, __LINE__, "registers lost in round %u", i);
			return;
		}
		KT_EXPECT(!in_atomic());
	}
}

KTEST(task_switch_keeps_registers)
{
	struct kthread *threads[6];
	u32 n = 0;

	for (; n < ARRAY_SIZE(threads); n++)
		if (kthread_create(&threads[n], switch_a_lot, (void *)(u64)(n + 1), n < 3 ? 0 : -1, "ktest switch"))
			break;
	KT_EXPECT_EQ(n, ARRAY_SIZE(threads));
	while (n--)
		kthread_join(threads[n]);
}

/* --- Stacks: each its own, empty enough, with the registers at its top. */

struct stack_user {
	struct kthread *thread;
	u64 stack, regs, local;
	bool may_go;		/* [a] */
	bool has_looked;	/* [a] */
};

static void look_at_stack(void *arg)
{
	struct stack_user *s = arg;
	const struct task *t = current_task();

	s->stack = (u64)t->stack;
	s->regs = (u64)t->regs;
	s->local = (u64)__builtin_frame_address(0);
	WRITE_ONCE(s->has_looked, true);
	while (!READ_ONCE(s->may_go))
		ktest_sleep_ms(1);
}

KTEST(task_stacks_are_apart)
{
	struct stack_user users[8] = { 0 };
	u32 n = 0;

	for (; n < ARRAY_SIZE(users); n++)
		if (kthread_create(&users[n].thread, look_at_stack, &users[n], -1, "ktest stack"))
			break;
	for (u32 i = 0; i < n; i++) {
		KT_WAIT(READ_ONCE(users[i].has_looked), 10000);
		KT_EXPECT_EQ(users[i].stack % PAGE_SIZE, 0);
		KT_EXPECT(users[i].local - users[i].stack >= 12288);
		KT_EXPECT(users[i].regs > users[i].local && users[i].regs - users[i].stack <= 32768);
		for (u32 j = 0; j < i; j++)	/* at least a stack and a guard page from the next */
			KT_EXPECT(users[i].stack - users[j].stack >= 16384 + PAGE_SIZE && users[j].stack - users[i].stack >= 16384 + PAGE_SIZE);
	}
	for (u32 i = 0; i < n; i++) {
		WRITE_ONCE(users[i].may_go, true);
		kthread_join(users[i].thread);
	}
	KT_EXPECT_EQ(n, ARRAY_SIZE(users));
}

/* --- A task never runs on two CPUs. */

static struct task *spinning;		/* [a] */
static bool is_over;			/* [a] */

static void spin(void *arg)
{
	(void)arg;
	STORE_RELEASE(spinning, current_task());
	while (!READ_ONCE(is_over))
		;
	STORE_RELEASE(spinning, NULL);
}

KTEST(task_never_runs_twice)
{
	struct kthread *k;

	irq_disable();
	KT_EXPECT_REPORT(REPORT_TASK)
		task_switch(current_task());
	irq_enable();
	KT_EXPECT_EQ(current_task()->on_cpu, 1);
	if (cpu_count() < 2)
		return;
	WRITE_ONCE(is_over, false);
	if (kthread_create(&k, spin, NULL, (s32)cpu_count() - 1, "ktest spin")) {
		ktest_fail(__FILE__, __LINE__, "no thread");
		return;
	}
	KT_WAIT(LOAD_ACQUIRE(spinning), 10000);
	for (u32 i = 0; i < 100 && LOAD_ACQUIRE(spinning); i++) {
		bool was_running;

		/* From another CPU, to be refused; on its own CPU it would be preempted by this very thread. */
		preempt_disable();
		was_running = cpu_id() != cpu_count() - 1;
		irq_disable();
		if (was_running)
			KT_EXPECT_REPORT(REPORT_TASK)
				task_switch(LOAD_ACQUIRE(spinning));
		irq_enable();
		preempt_enable();
	}
	WRITE_ONCE(is_over, true);
	kthread_join(k);
}

/* --- Backtraces */

struct sleeper {
	bool may_go;		/* [a] */
	struct task *task;	/* [a] */
};

static __noinline void sleep_innermost(struct sleeper *s)
{
	STORE_RELEASE(s->task, current_task());
	while (!READ_ONCE(s->may_go))
		ktest_sleep_ms(20);
	__asm__ volatile("" : : : "memory");		/* no tail call */
}

static __noinline void sleep_outer(struct sleeper *s)
{
	sleep_innermost(s);
	__asm__ volatile("" : : : "memory");
}

static void sleep_outermost(void *arg)
{
	sleep_outer(arg);
	__asm__ volatile("" : : : "memory");
}

/* Whether one of the addresses is in the function, which is not longer than 1 KiB. */
static bool passes(const u64 *pcs, size_t n, u64 fn)
{
	for (size_t i = 0; i < n; i++)
		if (pcs[i] > fn && pcs[i] < fn + 1024)
			return true;
	return false;
}

KTEST(task_backtrace_of_a_sleeper)
{
	struct sleeper s = { 0 };
	struct kthread *k;
	bool is_seen = false;
	u64 pcs[24];
	size_t n;

	if (kthread_create(&k, sleep_outermost, &s, -1, "ktest sleeper")) {
		ktest_fail(__FILE__, __LINE__, "no thread");
		return;
	}
	KT_WAIT(LOAD_ACQUIRE(s.task), 10000);
	for (u32 i = 0; i < 100 && s.task && !is_seen; i++) {
		ktest_sleep_ms(1);
		n = task_backtrace(s.task, pcs, ARRAY_SIZE(pcs));
		is_seen = n < ARRAY_SIZE(pcs) && passes(pcs, n, (u64)sleep_innermost) && passes(pcs, n, (u64)sleep_outer) &&
			  passes(pcs, n, (u64)sleep_outermost);
		KT_EXPECT(task_backtrace(s.task, pcs, 1) <= 1);
	}
	KT_EXPECT(is_seen);
	WRITE_ONCE(s.may_go, true);
	kthread_join(k);
}

static __noinline size_t trace_here(u64 *pcs, size_t max)
{
	size_t n = task_backtrace(NULL, pcs, max);

	__asm__ volatile("" : : : "memory");
	return n;
}

KTEST(task_backtrace_of_the_caller)
{
	u64 pcs[24];
	size_t n = trace_here(pcs, ARRAY_SIZE(pcs));

	KT_EXPECT(n > 2 && n < ARRAY_SIZE(pcs));
	KT_EXPECT(passes(pcs, n, (u64)trace_here));
	KT_EXPECT_EQ(trace_here(pcs, 2), 2);
}

/* Whatever lies where a stack should be, the trace ends: the guard page too, which is not there to be read. */
KTEST(task_backtrace_of_nonsense)
{
	u64 loop[8] __aligned(16) = { 0 }, pcs[16];
	u64 stack = (u64)current_task()->stack;
	const u64 bad[] = { 0, 1, 0x1000, 0x8000000000000000, stack - PAGE_SIZE, stack - 8, stack - 48, ~0ul - 47, ~0ul, (u64)loop };

	for (u32 i = 0; i < 8; i++)
		loop[i] = (u64)loop;		/* a frame that is its own caller */
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		for (u32 j = 0; j < ARRAY_SIZE(bad); j++) {
			u64 sp = bad[i], low = bad[j] & PAGE_MASK;
			struct task fake = { .sp = sp };

			memcpy(&fake.stack, &low, sizeof(low));
			KT_EXPECT(task_backtrace(&fake, pcs, ARRAY_SIZE(pcs)) <= 1);
		}
	}
}

/* --- Times */

KTEST(task_times_of_another_grow)
{
	struct kthread *k;
	u64 user, system, first = 0, last = 0, begin;

	if (cpu_count() < 2) {
		ktest_skip("needs two CPUs");
		return;
	}
	WRITE_ONCE(is_over, false);
	if (kthread_create(&k, spin, NULL, (s32)cpu_count() - 1, "ktest spin")) {
		ktest_fail(__FILE__, __LINE__, "no thread");
		return;
	}
	KT_WAIT(LOAD_ACQUIRE(spinning), 10000);
	begin = clock_now_ns();
	task_times(LOAD_ACQUIRE(spinning), &user, &first);
	last = first;
	while (clock_now_ns() - begin < 50 * NSEC_PER_MSEC) {
		task_times(LOAD_ACQUIRE(spinning), &user, &system);
		KT_EXPECT(system >= last);
		KT_EXPECT_EQ(user, 0);
		last = system;
	}
	KT_EXPECT(last - first >= 5 * NSEC_PER_MSEC && last - first <= clock_now_ns() - begin + NSEC_PER_MSEC);
	WRITE_ONCE(is_over, true);
	kthread_join(k);
}

/* --- Life and death: as many as come and go, no memory stays away. */

static void do_nothing(void *arg)
{
	(void)arg;
}

KTEST(task_stacks_come_back)
{
	for (u32 round = 0; round < 3; round++) {
		struct kthread *threads[40];
		u32 n = 0;

		while (n < ARRAY_SIZE(threads) && !kthread_create(&threads[n], do_nothing, NULL, -1, "ktest life"))
			n++;
		KT_EXPECT_EQ(n, ARRAY_SIZE(threads));
		while (n--)
			kthread_join(threads[n]);
	}
}

static bool is_deep_enough;

static __noinline u64 descend(u64 depth)
{
	u8 pad[256];

	memset(pad, (int)depth, sizeof(pad));
	return READ_ONCE(is_deep_enough) ? 0 : descend(depth + 1) + pad[depth % sizeof(pad)];
}

/* The guard page below a kernel stack tells what happened. */
KTEST_FATAL(fatal_stack_overflow)
{
	ktest_fail(__FILE__, __LINE__, "came back with %lu", descend(0));
}
