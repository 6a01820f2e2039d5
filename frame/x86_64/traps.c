/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Exceptions and interrupts that entry.S hands to C: interrupts from anywhere, exceptions from kernel mode. (Exceptions from user mode return
 * from user_enter: user.c.) Interrupts are off in here; irq_depth is 1 at least, as percpu.h promises.
 */
#include <lib/errno.h>
#include <frame/log.h>
#include <frame/preempt.h>
#include <frame/core/internal.h>
#include <frame/x86_64/arch.h>

enum { VECTOR_DEBUG = 1, VECTOR_NMI = 2, VECTOR_DOUBLE_FAULT = 8, VECTOR_PROTECTION = 13, VECTOR_PAGE_FAULT = 14, VECTOR_MACHINE_CHECK = 18 };

void irq_entry(struct user_regs *regs, u32 vector);
void irq_exit_kernel(void);
void trap_kernel(struct user_regs *regs, u32 vector);
void trap_paranoid(struct user_regs *regs, u32 vector);

extern const struct fault_fixup fault_table_start[], fault_table_end[];

static const char *const trap_names[32] = {
	"divide error", "debug exception", "NMI", "breakpoint", "overflow", "bound range", "invalid opcode", "no FPU", "double fault",
	"FPU segment overrun", "invalid TSS", "segment not present", "stack fault", "general protection fault", "page fault", "reserved",
	"x87 error", "alignment check", "machine check", "SIMD error", "virtualization exception", "control protection",
};

/* On the interrupt stack. */
void irq_entry(struct user_regs *regs, u32 vector)
{
	struct cpu_local *c = cpu_local_of(cpu_id());

	if (!(regs->cs & 3)) {
		ASSERT(c->irq_depth == 0);
		c->irq_depth = 1;
	}
	hard_enter();
	irq_dispatch(vector);
	hard_exit();
}

/*
 * Back on the interrupted stack. Preempts the interrupted kernel code if that may be: it had interrupts on (or none would have
 * come), so only its preempt count matters, and that it is not being preempted already.
 */
void irq_exit_kernel(void)
{
	struct task *t = current_task();

	while (unlikely(task_work(t) & TASK_WORK_RESCHED) && cpu_preempt_count_() == 0 && !t->is_preempting &&
	       CPU_ARCH_(ARCH_IRQ_NEST) == 0) {
		CPU_LOCAL_->irq_depth = 0;
		__asm__ volatile("sti" : : : "memory");
		preempt_reschedule();
		__asm__ volatile("cli" : : : "memory");
		CPU_LOCAL_->irq_depth = 1;
	}
	CPU_LOCAL_->irq_depth = 0;
}

static bool fault_fixup(struct user_regs *regs, u64 addr)
{
	for (const struct fault_fixup *f = fault_table_start; f < fault_table_end; f++) {
		if ((u64)&f->from + (u64)(s64)f->from != regs->rip)
			continue;
		regs->rip = (u64)&f->to + (u64)(s64)f->to;
		regs->rdx = addr;
		return true;
	}
	return false;
}

static __noreturn void die(const struct user_regs *regs, u32 vector, u64 cr2)
{
	if (vector == VECTOR_PAGE_FAULT)
		panic_regs(regs, "page fault in the kernel: %s of 0x%lx, error 0x%lx",
			   regs->orig_rax & 16 ? "execution" : regs->orig_rax & 2 ? "write" : "read", cr2, regs->orig_rax);
	panic_regs(regs, "%s in the kernel, error 0x%lx", trap_names[vector] ? trap_names[vector] : "unknown exception", regs->orig_rax);
}

/* A fault of kernel code on the stack that it used. Only the instructions of the fault table may fault. */
void trap_kernel(struct user_regs *regs, u32 vector)
{
	u64 cr2 = vector == VECTOR_PAGE_FAULT ? read_cr2() : 0;
	struct cpu_local *c = cpu_local_of(cpu_id());
	bool had_interrupts = regs->rflags & RFLAGS_IF;

	if (had_interrupts)
		c->irq_depth = 1;
	if (vector != VECTOR_PAGE_FAULT && vector != VECTOR_PROTECTION)
		die(regs, vector, cr2);
	if (!fault_fixup(regs, cr2))
		die(regs, vector, cr2);
	if (had_interrupts)
		c->irq_depth = 0;
}

/* On an IST stack: NMI, double fault, machine check, and debug exceptions that hit kernel code. */
void trap_paranoid(struct user_regs *regs, u32 vector)
{
	const struct task *t = current_task();
	u64 low = (u64)t->stack, cr2 = read_cr2();

	switch (vector) {
	case VECTOR_NMI:
		panic_nmi();
		return;
	case VECTOR_DEBUG:
		/* A user's single step or data breakpoint that hit the first instruction of an entry: it goes on without. */
		__asm__ volatile("mov %0, %%dr7" : : "r"(0x400ul));
		regs->rflags &= ~(u64)RFLAGS_TF;
		return;
	case VECTOR_DOUBLE_FAULT:
		/* Running into a guard page pushes no exception frame: that is what brings us here. */
		if (cr2 >= low - PAGE_SIZE && cr2 < low)
			panic_regs(regs, "kernel stack overflow: rsp 0x%lx, stack 0x%lx-0x%lx", regs->rsp, low, low + STACK_SIZE);
		low = CPU_ARCH_(ARCH_IRQ_STACK) - STACK_SIZE;
		if (cr2 >= low - PAGE_SIZE && cr2 < low)
			panic_regs(regs, "interrupt stack overflow: rsp 0x%lx, stack 0x%lx-0x%lx", regs->rsp, low, low + STACK_SIZE);
		break;
	default:
		break;
	}
	die(regs, vector, cr2);
}
