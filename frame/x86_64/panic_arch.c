/* SPDX-License-Identifier: MPL-2.0 */
/* What core/panic.c needs of an x86-64: registers as text, reads that cannot fault, the ways out of QEMU. */
#include <frame/log.h>
#include <frame/core/internal.h>
#include <frame/x86_64/arch.h>

void panic_arch_regs(const struct user_regs *r)
{
	klog(LOG_EMERG, "rip 0x%lx cs %lx rflags %lx rsp 0x%lx ss %lx error/call %lx", r->rip, r->cs, r->rflags, r->rsp, r->ss, r->orig_rax);
	klog(LOG_EMERG, "rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
	klog(LOG_EMERG, "rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi, r->rbp, r->r8);
	klog(LOG_EMERG, "r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9, r->r10, r->r11, r->r12);
	klog(LOG_EMERG, "r13 %016lx r14 %016lx r15 %016lx cr2 %016lx", r->r13, r->r14, r->r15, read_cr2());
	klog(LOG_EMERG, "cr0 %lx cr3 %lx cr4 %lx", read_cr0(), read_cr3(), read_cr4());
	klog(LOG_EMERG, "backtrace: 0x%lx", r->rip);
}

u64 panic_arch_fp(const struct user_regs *r)
{
	return r->rbp;
}

u64 task_saved_fp(const struct task *t)
{
	u64 fp;

	return panic_arch_peek(t->sp + TASK_SAVED_RBP, &fp) ? fp : 0;
}

bool panic_arch_peek(u64 addr, u64 *value)
{
	u64 v, ok = 0;

	__asm__ volatile("1:	movq (%[addr]), %[v]\n"
			 "	movl $1, %k[ok]\n"
			 "2:\n"
			 "	.pushsection __ex_table, \"a\"\n"
			 "	.balign 4\n"
			 "	.long 1b - .\n"
			 "	.long 2b - .\n"
			 "	.popsection\n"
			 : [v] "=&r"(v), [ok] "+&r"(ok) : [addr] "r"(addr) : "rdx", "memory");
	*value = ok ? v : 0;
	return ok;
}

void panic_arch_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}

/* QEMU -device isa-debug-exit,iobase=0xf4: leaves with status value * 2 + 1. Elsewhere nobody listens at that port. */
void panic_arch_exit(void)
{
	outl(0xf4, 1);
}
