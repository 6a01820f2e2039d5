/* SPDX-License-Identifier: MPL-2.0 */
/*
 * user_run, and the portable view of the register set.
 *
 * user_enter (entry.S) loads the registers and comes back when user mode was left, with interrupts off. SYSRET is taken only if
 * rcx and r11 hold what it will load, rip is a user address (SYSRET to another one faults in the kernel on some CPUs) and the
 * flags are a program's, none of which needs IRET. Otherwise what the kernel may have written is made harmless first.
 */
#include <lib/errno.h>
#include <frame/lockdep.h>
#include <frame/log.h>
#include <frame/preempt.h>
#include <frame/uspace.h>
#include <frame/user.h>
#include <frame/core/internal.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/stamp.h>

_Static_assert(offsetof(struct user_regs, orig_rax) == REGS_ORIG_RAX && offsetof(struct user_regs, rip) == REGS_RIP &&
	       offsetof(struct user_regs, cs) == REGS_CS && offsetof(struct user_regs, rsp) == REGS_RSP && sizeof(struct user_regs) == REGS_SIZE, "entry.S");

#define USER_LIMIT 0x800000000000ul
/* What a program may choose: CF PF AF ZF SF TF DF OF NT RF AC ID. */
#define RFLAGS_SYSRET (0xcd5ul | RFLAGS_AC | RFLAGS_ID)
#define RFLAGS_USER (RFLAGS_SYSRET | RFLAGS_TF | RFLAGS_NT | RFLAGS_RF)
#define RFLAGS_FIXED (RFLAGS_IF | 2ul)

enum { VECTOR_DEBUG = 1, VECTOR_BREAKPOINT = 3, VECTOR_PROTECTION = 13, VECTOR_PAGE_FAULT = 14, VECTOR_FPU = 16, VECTOR_SIMD = 19 };

static bool sysret_is_safe(const struct user_regs *r)
{
	return r->rcx == r->rip && r->r11 == r->rflags && r->rip < USPACE_END && (r->rflags & ~RFLAGS_SYSRET) == RFLAGS_FIXED;
}

/* False: IRET itself would fault. */
static __noinline bool make_safe(struct user_regs *r)
{
	r->cs = SEL_USER_CS;
	r->ss = SEL_USER_DS;
	r->rflags = (r->rflags & RFLAGS_USER) | RFLAGS_FIXED;
	return r->rip < USER_LIMIT;
}

static void decode_fault(struct user_event *ev, u64 error)
{
	ev->kind = USER_FAULT;
	ev->addr = read_cr2();
	ev->error_code = error;
	ev->trap_number = VECTOR_PAGE_FAULT;
	ev->is_present = error & 1;
	ev->is_write = error & 2;
	ev->is_exec = error & 16;
}

static void decode_trap(struct user_event *ev, u32 vector, const struct user_regs *r, u64 error)
{
	static const u8 traps[32] = {
		[0] = TRAP_DIVIDE, [1] = TRAP_DEBUG, [2] = TRAP_OTHER, [3] = TRAP_BREAKPOINT, [4] = TRAP_OVERFLOW, [5] = TRAP_BOUNDS,
		[6] = TRAP_ILLEGAL, [7 ... 11] = TRAP_OTHER, [12] = TRAP_STACK, [13] = TRAP_PROTECTION, [14 ... 15] = TRAP_OTHER,
		[16] = TRAP_FPU, [17] = TRAP_ALIGNMENT, [18] = TRAP_OTHER, [19] = TRAP_SIMD, [20 ... 31] = TRAP_OTHER,
	};

	ev->kind = USER_TRAP;
	ev->trap = traps[vector];
	ev->trap_number = vector;
	ev->addr = r->rip;
	ev->error_code = error;
	if (vector == VECTOR_FPU || vector == VECTOR_SIMD)
		ev->fpu_code = fpu_pending(vector);
	if (vector == VECTOR_DEBUG)
		__asm__ volatile("mov %0, %%dr6" : : "r"(0xffff0ff0ul));
}

/* Shown as Linux without a 32-bit ABI shows it: a protection fault of the two-byte instruction, naming the gate. */
static void decode_int80(struct user_event *ev, struct user_regs *r)
{
	r->rip -= 2;
	ev->kind = USER_TRAP;
	ev->trap = TRAP_INT80;
	ev->trap_number = VECTOR_PROTECTION;
	ev->error_code = 0x80 << 3 | 2;
	ev->addr = r->rip;
}

/* Anything but a system call. */
static __noinline void decode(struct user_event *ev, u32 left, struct user_regs *r)
{
	u64 error;

	*ev = (struct user_event){ .kind = USER_WORK };
	if (left == LEFT_WORK)
		return;
	/* The stub left the error code, or -1, in orig_rax. */
	error = r->orig_rax == ~0ul ? 0 : r->orig_rax;
	r->orig_rax = ~0ul;
	if (left == VECTOR_PAGE_FAULT)
		decode_fault(ev, error);
	else if (left == VECTOR_INT80)
		decode_int80(ev, r);
	else
		decode_trap(ev, left, r, error);
}

/* What IRET itself would raise. */
static __noinline void bad_ip(struct user_event *ev, const struct task *t)
{
	*ev = (struct user_event){ .kind = USER_TRAP, .trap = TRAP_PROTECTION, .trap_number = VECTOR_PROTECTION, .addr = t->regs->rip };
	if (task_work(t))
		ev->kind = USER_WORK;
}

void user_run(struct user_event *ev)
{
	struct task *t = current_task();
	struct user_regs *r = t->regs;
	bool by_sysret = sysret_is_safe(r);
	u32 left;

	if (unlikely(!by_sysret) && !make_safe(r)) {
		bad_ip(ev, t);
		return;
	}
	irq_disable();
	lock_debug_user_entry();
	if (unlikely(CPU_LOCAL_->rcu_need_qs))
		rcu_quiescent();
	if (unlikely(task_work(t))) {
		irq_enable_only();
		ev->kind = USER_WORK;
		return;
	}
	stamp_turn(&t->user_cycles, &t->system_cycles);
	left = user_enter(r, by_sysret);
	stamp_turn(&t->system_cycles, &t->user_cycles);
	if (likely(left == LEFT_SYSCALL))
		ev->kind = USER_SYSCALL;
	else
		decode(ev, left, r);
	irq_enable_only();	/* an interrupt of user mode has run its soft work; TASK_WORK_RESCHED is the caller's to see */
}

void user_start(struct user_regs *r, u64 ip, u64 sp)
{
	struct task *t = current_task();

	*r = (struct user_regs){ .rip = ip, .rsp = sp, .rflags = RFLAGS_FIXED, .cs = SEL_USER_CS, .ss = SEL_USER_DS, .orig_rax = ~0ul };
	fpu_reset();
	irq_disable();
	t->fs_base = 0;
	t->gs_base = 0;
	arch_load_bases(t);
	irq_enable();
}

int user_set_tls(u64 base)
{
	struct task *t = current_task();

	if (base >= USPACE_END)
		return -EPERM;
	irq_disable();
	t->fs_base = base;
	cpu_set_fs_base(base);
	irq_enable();
	return 0;
}

int user_set_gs(u64 base)
{
	struct task *t = current_task();

	if (base >= USPACE_END)
		return -EPERM;
	irq_disable();
	t->gs_base = base;
	cpu_set_user_gs_base(base);
	irq_enable();
	return 0;
}

u64 user_tls(const struct task *t)
{
	return t == current_task() && cpu_features.fsgsbase ? cpu_fs_base() : t->fs_base;
}

u64 user_gs(const struct task *t)
{
	u64 base;

	if (t != current_task() || !cpu_features.fsgsbase)
		return t->gs_base;
	irq_disable();
	base = cpu_user_gs_base();
	irq_enable();
	return base;
}
