/* SPDX-License-Identifier: MPL-2.0 */
/* Promises of frame/user.h: how user mode is entered and why it is left. The snippets are in user_code.c. */
#include <frame/clock.h>
#include <frame/ipi.h>
#include <frame/machine.h>
#include <frame/preempt.h>
#include <frame/ucopy.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "sched/kthread.h"
#include "time/timer.h"
#include "ktest.h"
#include "user_thread.h"

#define FLAG_TF 0x100ul
#define FLAG_IF 0x200ul
#define FLAGS_FORBIDDEN 0x1ab000ul	/* IOPL, VM, VIF, VIP and the reserved bit 15 */

/* All general registers but rsp, each with a value of its own. */
static void paint(struct user_regs *r, u64 seed)
{
	u64 *const regs[] = { &r->r15, &r->r14, &r->r13, &r->r12, &r->rbp, &r->rbx, &r->r11, &r->r10, &r->r9, &r->r8, &r->rax, &r->rcx, &r->rdx,
			      &r->rsi, &r->rdi };

	for (u32 i = 0; i < ARRAY_SIZE(regs); i++)
		*regs[i] = seed + i * 0x0101010101010101;
}

/* After a system call from address `ip`: all as before but rax, rcx and r11, which SYSCALL takes. */
static void expect_syscall(const struct user_regs *r, const struct user_regs *before, u64 ip)
{
	struct user_regs expected = *before;

	expected.orig_rax = before->rax;
	expected.rax = (u64)-ENOSYS;
	expected.rip = expected.rcx = ip + 2;
	expected.r11 = r->rflags;
	expected.rflags = r->rflags;
	KT_EXPECT(memcmp(r, &expected, sizeof(expected)) == 0);
	KT_EXPECT(r->rflags & FLAG_IF);
}

static void syscalls(void *arg)
{
	struct user_regs *r = user_begin(snippet_syscalls), before;
	u64 at = user_code(snippet_syscalls);
	struct user_event ev;

	(void)arg;
	paint(r, 0x1234567812345678);
	before = *r;
	user_next(&ev);
	KT_EXPECT_EQ(ev.kind, USER_SYSCALL);
	expect_syscall(r, &before, at);
	KT_EXPECT_EQ(user_call(r), before.rax);
	KT_EXPECT_EQ(r->args.v[0], before.rdi);
	KT_EXPECT_EQ(r->args.v[1], before.rsi);
	KT_EXPECT_EQ(r->args.v[2], before.rdx);
	KT_EXPECT_EQ(r->args.v[3], before.r10);
	KT_EXPECT_EQ(r->args.v[4], before.r8);
	KT_EXPECT_EQ(r->args.v[5], before.r9);
	KT_EXPECT(user_in_syscall(r));
	KT_EXPECT_EQ(user_ip(r), at + 2);
	KT_EXPECT_EQ(user_sp(r), before.rsp);
	/* Back the fast way; the result arrives. */
	user_set_return(r, 4711);
	KT_EXPECT_EQ(user_return(r), 4711);
	before = *r;
	user_next(&ev);
	expect_syscall(r, &before, at);
	KT_EXPECT_EQ(user_call(r), 4711);
	/* Again by its own number, and as another call. */
	before = *r;
	user_restart(r);
	before.rax = 4711;
	user_next(&ev);
	expect_syscall(r, &before, at);
	user_restart_as(r, 219);
	user_next(&ev);
	KT_EXPECT_EQ(user_call(r), 219);
	user_forget_syscall(r);
	KT_EXPECT(!user_in_syscall(r));
}

KTEST(user_syscall)
{
	ktest_as_user(syscalls, NULL);
}

/* By IRET every register, rcx and r11 too, is what the kernel says. */
static void all_registers(void *arg)
{
	struct user_regs *r = user_begin(snippet_int3), before;
	struct user_event ev;

	(void)arg;
	for (u32 i = 1; i < 4; i++) {
		paint(r, i * 0x1111111111111111);
		r->rflags = FLAG_IF | 2 | (i == 2 ? 0xcd5 : 0);
		r->rip = user_code(snippet_int3);
		user_set_sp(r, 0x7000 + i);		/* need not be memory, nor aligned */
		before = *r;
		user_next(&ev);
		KT_EXPECT_EQ(ev.kind, USER_TRAP);
		KT_EXPECT_EQ(ev.trap, TRAP_BREAKPOINT);
		before.rip++;
		before.orig_rax = ~0ul;
		KT_EXPECT(memcmp(r, &before, sizeof(before)) == 0);
		KT_EXPECT(!user_in_syscall(r));
	}
}

KTEST(user_registers_survive)
{
	ktest_as_user(all_registers, NULL);
}

#define ANY_CODE (~0ul)

struct trap_case {
	const u8 *snippet;
	enum user_trap trap;
	u32 number;
	u64 error_code;
	u32 offset;		/* rip's, from the snippet's begin */
};

static void traps(void *arg)
{
	static const struct trap_case cases[] = {
		{ snippet_int3, TRAP_BREAKPOINT, 3, 0, 1 },
		{ snippet_ud2, TRAP_ILLEGAL, 6, 0, 0 },
		{ snippet_divide, TRAP_DIVIDE, 0, 0, 2 },
		{ snippet_int80, TRAP_INT80, 13, 0x80 << 3 | 2, 0 },
		{ snippet_int21, TRAP_PROTECTION, 13, ANY_CODE, 0 },	/* QEMU's emulation has the vector in the wrong place */
		{ snippet_hlt, TRAP_PROTECTION, 13, 0, 0 },
		{ snippet_cli, TRAP_PROTECTION, 13, 0, 0 },
		{ snippet_out, TRAP_PROTECTION, 13, 0, 0 },
		{ snippet_cr3, TRAP_PROTECTION, 13, 0, 0 },
	};
	struct user_event ev;

	(void)arg;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct trap_case *c = &cases[i];
		struct user_regs *r = user_begin(c->snippet);

		user_next(&ev);
		if (ev.kind != USER_TRAP || ev.trap != c->trap || ev.trap_number != c->number ||
		    (c->error_code != ANY_CODE && ev.error_code != c->error_code) ||
		    r->rip != user_code(c->snippet) + c->offset || ev.addr != r->rip || r->orig_rax != ~0ul)
			ktest_fail(__FILE__, __LINE__, "case %u: kind %u trap %u number %u error %lx at %lx", i, ev.kind, ev.trap,
				   ev.trap_number, ev.error_code, r->rip);
	}
}

KTEST(user_trap)
{
	ktest_as_user(traps, NULL);
}

/* Emulated CPUs may not raise SIMD errors; then the division just goes on. */
static void fpu_errors(void *arg)
{
	struct user_event ev;

	(void)arg;
	user_begin(snippet_x87_error);
	user_next(&ev);
	KT_EXPECT_EQ(ev.kind, USER_TRAP);
	KT_EXPECT_EQ(ev.trap, TRAP_FPU);
	KT_EXPECT_EQ(ev.trap_number, 16);
	KT_EXPECT_EQ(ev.fpu_code, 4);
	user_begin(snippet_simd_error);
	user_next(&ev);
	if (ev.kind == USER_SYSCALL)
		return;
	KT_EXPECT_EQ(ev.trap, TRAP_SIMD);
	KT_EXPECT_EQ(ev.trap_number, 19);
	KT_EXPECT_EQ(ev.fpu_code, 4);
}

KTEST(user_fpu_error)
{
	ktest_as_user(fpu_errors, NULL);
}

/* user_run alone: the fault as the machine tells it. */
static void expect_fault(const u8 *snippet, u64 addr, u64 error_code)
{
	struct user_regs *r = user_begin(snippet);
	struct user_event ev;

	r->rdi = addr;
	do
		user_run(&ev);
	while (ev.kind == USER_WORK && (schedule(), true));
	if (ev.kind != USER_FAULT || ev.addr != addr || ev.error_code != error_code || ev.trap_number != 14)
		ktest_fail(__FILE__, __LINE__, "at %lx: kind %u, address %lx, error %lx", addr, ev.kind, ev.addr, ev.error_code);
	KT_EXPECT_EQ(ev.is_present, error_code & 1);
	KT_EXPECT_EQ(ev.is_write, error_code >> 1 & 1);
	KT_EXPECT_EQ(ev.is_exec, error_code >> 4 & 1);
	KT_EXPECT_EQ(r->rip, snippet == snippet_jump ? addr : user_code(snippet));
	KT_EXPECT_EQ(r->orig_rax, -1);
}

static void faults(void *arg)
{
	struct user_regs *r;
	struct user_event ev;

	(void)arg;
	expect_fault(snippet_load, 0, 4);
	expect_fault(snippet_load, USER_DATA + 5, 4);
	expect_fault(snippet_store, USER_DATA + 5, 6);
	KT_EXPECT_EQ(mm_fault(current_mm(), USER_CONST, false, false), FAULT_OK);
	expect_fault(snippet_store, USER_CONST + 0xfff, 7);
	expect_fault(snippet_jump, USER_DATA, 0x14);
	KT_EXPECT_EQ(mm_fault(current_mm(), USER_DATA, true, false), FAULT_OK);
	expect_fault(snippet_jump, USER_DATA, 0x15);
	expect_fault(snippet_load, USER_NONE, 4);
	/* The kernel's memory is there, and not the program's. */
	expect_fault(snippet_load, (u64)page_kva(kva_page(page_kva(pfn_page(frame_pfn_end - 1)))), 5);
	expect_fault(snippet_store, (u64)&snippet_load, 7);
	expect_fault(snippet_load, 0xfffffffffffff000, 4);
	/* Served, the same instruction goes on. */
	r = user_begin(snippet_store);
	r->rdi = USER_DATA + 3 * PAGE_SIZE;
	user_next(&ev);
	KT_EXPECT_EQ(ev.kind, USER_SYSCALL);
	KT_EXPECT_EQ(mm_access(current_mm(), USER_DATA + 3 * PAGE_SIZE, &ev, 1, false, false), 1);
	KT_EXPECT_EQ(*(u8 *)&ev, 7);
}

KTEST(user_fault)
{
	ktest_as_user(faults, NULL);
}

static void non_canonical(void *arg)
{
	static const u64 bad[] = { 0x800000000000, 0x8000000000000000, 0xffff7fffffffffff, 0xffff800000000000, 0xffffffff80200000, ~0ul };
	struct user_event ev;
	struct user_regs *r;

	(void)arg;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		r = user_begin(snippet_syscalls);
		/* As SYSRET would like to see it. */
		r->rip = r->rcx = bad[i];
		r->r11 = r->rflags;
		user_next(&ev);
		KT_EXPECT_EQ(ev.kind, USER_TRAP);
		KT_EXPECT_EQ(ev.trap, TRAP_PROTECTION);
		KT_EXPECT_EQ(ev.trap_number, 13);
		KT_EXPECT_EQ(ev.addr, bad[i]);
		KT_EXPECT_EQ(r->rip, bad[i]);
		KT_EXPECT(!user_in_syscall(r));
	}
	/* Loads, jumps and stacks of the program's own. */
	r = user_begin(snippet_load);
	r->rdi = 0x8000000000000000;
	user_next(&ev);
	KT_EXPECT(ev.kind == USER_TRAP && ev.trap == TRAP_PROTECTION && r->rip == user_code(snippet_load));
	r = user_begin(snippet_jump);
	r->rdi = 0x800000000000;
	user_next(&ev);
	KT_EXPECT(ev.kind == USER_TRAP && ev.trap == TRAP_PROTECTION);
	r = user_begin(snippet_push);
	r->rdi = 0x8000000000000000;
	user_next(&ev);
	KT_EXPECT(ev.kind == USER_TRAP && (ev.trap == TRAP_STACK || ev.trap == TRAP_PROTECTION));	/* QEMU's emulation raises the latter */
}

KTEST(user_non_canonical)
{
	ktest_as_user(non_canonical, NULL);
}

/* A call whose next instruction lies just beyond user space: to return there must be the program's fault, not the kernel's. */
static void last_call(void *arg)
{
	struct mm_map_request rq = { .addr = USPACE_END - PAGE_SIZE, .len = PAGE_SIZE, .prot = VMA_READ | VMA_WRITE | VMA_EXEC, .is_fixed = true };
	struct user_event ev;
	struct user_regs *r = user_begin(snippet_syscalls);
	u64 addr;

	(void)arg;
	KT_EXPECT_EQ(mm_map(current_mm(), &rq, &addr), 0);
	KT_EXPECT_EQ(ucopy_to(current_uspace(), uaddr(USPACE_END - 2), snippet_syscalls, 2), 0);
	r->rip = USPACE_END - 2;
	user_next(&ev);
	KT_EXPECT_EQ(ev.kind, USER_SYSCALL);
	KT_EXPECT_EQ(r->rip, USPACE_END);
	user_next(&ev);
	KT_EXPECT(ev.kind == USER_FAULT && ev.addr == USPACE_END && ev.is_exec);
}

KTEST(user_call_at_the_end)
{
	ktest_as_user(last_call, NULL);
}

static void forged(void *arg)
{
	static const u64 selectors[] = { 0, 3, 0x10, 0x18, 0x40, 0xffff, ~0ul };
	struct user_event ev;
	struct user_regs *r;

	(void)arg;
	for (u32 i = 0; i < ARRAY_SIZE(selectors); i++) {
		r = user_begin(snippet_flags);
		r->cs = r->ss = selectors[i];
		r->rflags = ~FLAG_TF & ~FLAG_IF;
		user_next(&ev);
		KT_EXPECT_EQ(ev.kind, USER_SYSCALL);
		KT_EXPECT_EQ(r->rbx & FLAGS_FORBIDDEN, 0);
		KT_EXPECT(r->rbx & FLAG_IF);
		KT_EXPECT_EQ(r->cs, 0x33);
		KT_EXPECT_EQ(r->ss, 0x2b);
		/* Likewise on the fast way. */
		r->cs = 0x10;
		r->r11 = r->rflags = FLAGS_FORBIDDEN;
		user_next(&ev);
		KT_EXPECT_EQ(ev.kind, USER_SYSCALL);
		KT_EXPECT_EQ(r->rbx & FLAGS_FORBIDDEN, 0);
		KT_EXPECT(r->rbx & FLAG_IF);
	}
	r = user_begin(snippet_segments);
	user_next(&ev);
	KT_EXPECT(r->rbx == 0x33 && r->rbp == 0x2b && !(r->r8 | r->r9 | r->r10 | r->r12));
}

KTEST(user_forged_registers)
{
	ktest_as_user(forged, NULL);
}

static void steps(void *arg)
{
	struct user_regs *r = user_begin(snippet_nops);
	u64 at = user_code(snippet_nops);
	struct user_event ev;

	(void)arg;
	for (u32 i = 1; i <= 3; i++) {
		r->rflags |= FLAG_TF;
		user_next(&ev);
		KT_EXPECT(ev.kind == USER_TRAP && ev.trap == TRAP_DEBUG && ev.trap_number == 1);
		KT_EXPECT_EQ(r->rip, at + i);
		KT_EXPECT_EQ(ev.addr, at + i);
		KT_EXPECT(r->rflags & FLAG_TF);
	}
	/* A call comes out as a call, with the flag still set; after it the next instruction is stepped. */
	user_next(&ev);
	KT_EXPECT_EQ(ev.kind, USER_SYSCALL);
	KT_EXPECT(r->rflags & FLAG_TF);
	user_next(&ev);
	KT_EXPECT(ev.kind == USER_TRAP && ev.trap == TRAP_DEBUG);
	KT_EXPECT(r->rip == at + 5 || r->rip == at + 6);
	r->rflags &= ~FLAG_TF;
	r->rip = user_code(snippet_syscalls);
	user_next(&ev);
	KT_EXPECT_EQ(ev.kind, USER_SYSCALL);
}

KTEST(user_single_step)
{
	ktest_as_user(steps, NULL);
}

static void bases(void *arg)
{
	static const u64 bad[] = { USPACE_END, 0x800000000000, 0x8000000000000000, 0xffff800000000000, ~0ul };
	struct uspace *us = current_uspace();
	struct user_event ev;
	struct user_regs *r;

	(void)arg;
	for (u64 i = 0; i < 64; i++)
		KT_EXPECT_EQ(ucopy_to(us, uaddr(USER_DATA + i * 8), &i, 8), 0);
	r = user_begin(snippet_bases);
	KT_EXPECT_EQ(user_tls(current_task()) | user_gs(current_task()), 0);
	for (u64 i = 0; i < 50; i++) {
		KT_EXPECT_EQ(user_set_tls(USER_DATA + i * 8), 0);
		KT_EXPECT_EQ(user_set_gs(USER_DATA + (i + 7) * 8), 0);
		for (u32 j = 0; j < ARRAY_SIZE(bad); j++) {
			KT_EXPECT_EQ(user_set_tls(bad[j]), -EPERM);
			KT_EXPECT_EQ(user_set_gs(bad[j]), -EPERM);
		}
		if (i % 2)
			ktest_sleep_ms(1);		/* through a switch, to another CPU perhaps */
		user_next(&ev);
		KT_EXPECT_EQ(ev.kind, USER_SYSCALL);
		KT_EXPECT_EQ(r->rbx, i);
		KT_EXPECT_EQ(r->rbp, i + 7);
		KT_EXPECT_EQ(user_tls(current_task()), USER_DATA + i * 8);
		KT_EXPECT_EQ(user_gs(current_task()), USER_DATA + (i + 7) * 8);
	}
	/* Set by the program itself, where the CPU lets it. */
	r = user_begin(snippet_set_bases);
	r->rdi = USER_DATA + 80;
	r->rsi = USER_DATA + 88;
	user_next(&ev);
	if (ev.kind != USER_SYSCALL) {
		KT_EXPECT(ev.kind == USER_TRAP && ev.trap == TRAP_ILLEGAL);
		return;
	}
	ktest_sleep_ms(1);
	KT_EXPECT_EQ(user_tls(current_task()), USER_DATA + 80);
	KT_EXPECT_EQ(user_gs(current_task()), USER_DATA + 88);
	r->rip = user_code(snippet_bases);
	user_next(&ev);
	KT_EXPECT(r->rbx == 10 && r->rbp == 11);
}

KTEST(user_bases)
{
	ktest_as_user(bases, NULL);
}

/* --- Work and interrupts. The thread is a real-time one, so that the scheduler has no wish of its own. */

static void outrank(void)
{
	KT_EXPECT_EQ(sched_set_policy(current_sched(), SCHED_POLICY_FIFO, 50), 0);
}

static void work_first(void *arg)
{
	static const u32 bits[] = { TASK_WORK_SIGNAL, TASK_WORK_KILL, TASK_WORK_STOP, TASK_WORK_RESTART, TASK_WORK_TRACE, TASK_WORK_NOTIFY };
	struct user_regs *r = user_begin(snippet_syscalls), before;
	struct user_event ev;

	(void)arg;
	outrank();
	for (u32 i = 0; i < ARRAY_SIZE(bits); i++) {
		before = *r;
		task_work_set(current_task(), bits[i]);
		user_run(&ev);
		KT_EXPECT_EQ(ev.kind, USER_WORK);
		KT_EXPECT(memcmp(r, &before, sizeof(before)) == 0);
		task_work_clear(current_task(), bits[i]);
	}
	/* Even before what can't be entered at all. */
	task_work_set(current_task(), TASK_WORK_SIGNAL);
	r->rip = ~0ul;
	user_run(&ev);
	KT_EXPECT_EQ(ev.kind, USER_WORK);
	task_work_clear(current_task(), TASK_WORK_SIGNAL);
}

KTEST(user_work_comes_first)
{
	ktest_as_user(work_first, NULL);
}

struct kick {
	struct timer timer;
	struct task *target;
	u32 n_fired;		/* [a] */
	u32 seed;
	bool sets_work;
	bool is_over;		/* [a] */
};

static void kick_fires(struct timer *timer)
{
	struct kick *k = container_of(timer, struct kick, timer);

	__atomic_add_fetch(&k->n_fired, 1, __ATOMIC_RELAXED);
	if (k->sets_work)
		task_work_set(k->target, TASK_WORK_NOTIFY);
	else if (!READ_ONCE(k->is_over))
		timer_set(timer, clock_now_ns() + 100 * NSEC_PER_USEC);
}

/* A program that is interrupted all the time and does not notice. */
static void interrupted(void *arg)
{
	struct user_regs *r = user_begin(snippet_count);
	struct kick k = { .target = current_task() };
	u64 until, counted = 0;
	struct user_event ev;

	(void)arg;
	outrank();
	timer_init(&k.timer, kick_fires);
	timer_set(&k.timer, clock_now_ns());
	until = clock_now_ns() + 5 * NSEC_PER_SEC;
	while (READ_ONCE(k.n_fired) < 50 && clock_now_ns() < until) {
		r->rip = user_code(snippet_count);
		r->rdi = USER_DATA;
		r->rsi = counted += 300000;
		r->rbx = 0x1122334455667788;
		user_next(&ev);
		if (ev.kind != USER_SYSCALL) {
			ktest_fail(__FILE__, __LINE__, "kind %u", ev.kind);
			break;
		}
		KT_EXPECT(r->rdi == USER_DATA && r->rsi == counted && r->rbx == 0x1122334455667788);
		KT_EXPECT(r->rsp == USER_DATA_END);
	}
	WRITE_ONCE(k.is_over, true);
	(void)timer_cancel_sync(&k.timer);
	KT_EXPECT(k.n_fired >= 50);
}

KTEST(user_interrupts_go_straight_back)
{
	ktest_as_user(interrupted, NULL);
}

/* Work that comes at any moment, in an interrupt on this CPU, ends an endless loop. */
static void work_any_time(void *arg)
{
	struct kick k = { .target = current_task(), .sets_work = true };
	struct user_event ev;
	u64 worst = 0;

	(void)arg;
	outrank();
	user_begin(snippet_spin);
	timer_init(&k.timer, kick_fires);
	for (u32 i = 0; i < 1000; i++) {
		u64 begin = clock_now_ns();

		timer_set(&k.timer, begin + (i * 7919) % 40000);
		user_run(&ev);			/* not user_next: whatever else comes is counted as such */
		while (!(task_work(current_task()) & TASK_WORK_NOTIFY))
			user_run(&ev);
		KT_EXPECT_EQ(ev.kind, USER_WORK);
		task_work_clear(current_task(), TASK_WORK_NOTIFY | TASK_WORK_RESCHED);
		worst = max(worst, clock_now_ns() - begin);
	}
	(void)timer_cancel_sync(&k.timer);
	KT_EXPECT(worst < NSEC_PER_SEC);
}

KTEST(user_work_from_an_interrupt)
{
	ktest_as_user(work_any_time, NULL);
}

/* The same from another CPU: the bit, then an interrupt. */
static void set_work(void *arg)
{
	struct kick *k = arg;

	while (!READ_ONCE(k->is_over)) {
		u32 n = READ_ONCE(k->n_fired);
		u64 until = clock_now_ns() + 5 * NSEC_PER_SEC;

		clock_delay_ns((n * 7919) % 20000);
		sched_notify(k->target, TASK_WORK_NOTIFY);
		while (READ_ONCE(k->n_fired) == n && !READ_ONCE(k->is_over))
			if (clock_now_ns() > until) {
				ktest_fail(__FILE__, __LINE__, "work not seen for 5 s");
				break;
			}
	}
}

static void work_from_elsewhere(void *arg)
{
	struct kick *k = arg;
	struct kthread *other;
	struct user_event ev;

	k->target = current_task();
	user_begin(snippet_spin);
	if (kthread_create(&other, set_work, k, 1, "ktest kick")) {
		ktest_fail(__FILE__, __LINE__, "no thread");
		return;
	}
	while (READ_ONCE(k->n_fired) < 1000) {
		user_next(&ev);
		KT_EXPECT_EQ(ev.kind, USER_WORK);
		KT_EXPECT(task_work(current_task()) & TASK_WORK_NOTIFY);
		task_work_clear(current_task(), TASK_WORK_NOTIFY);
		__atomic_add_fetch(&k->n_fired, 1, __ATOMIC_RELEASE);
	}
	WRITE_ONCE(k->is_over, true);
	kthread_join(other);
	task_work_clear(current_task(), TASK_WORK_NOTIFY);
}

KTEST(user_work_from_another_cpu)
{
	static struct user_thread t;
	struct kick k = { 0 };

	if (cpu_count() < 2) {
		ktest_skip("needs two CPUs");
		return;
	}
	if (!user_thread_create(&t, work_from_elsewhere, &k, 0))
		return;
	user_thread_start(&t);
	user_thread_join(&t);
}

static void time_in_user_mode(void *arg)
{
	struct user_regs *r = user_begin(snippet_count);
	u64 user, system, user_before, system_before, count = 0;
	struct user_event ev;

	(void)arg;
	task_times(current_task(), &user_before, &system_before);
	do {
		r->rip = user_code(snippet_count);
		r->rdi = USER_DATA;
		r->rsi = count += 1000000;
		user_next(&ev);
		task_times(current_task(), &user, &system);
	} while (user - user_before < 20 * NSEC_PER_MSEC && count < 1000 * 1000000ul);
	KT_EXPECT(user - user_before >= 20 * NSEC_PER_MSEC);
	KT_EXPECT(system - system_before < user - user_before);
	clock_delay_ns(5 * NSEC_PER_MSEC);
	user_before = user;
	system_before = system;
	task_times(current_task(), &user, &system);
	KT_EXPECT(system - system_before >= 5 * NSEC_PER_MSEC);
	KT_EXPECT_EQ(user - user_before, 0);
}

KTEST(user_time_is_told_apart)
{
	ktest_as_user(time_in_user_mode, NULL);
}
