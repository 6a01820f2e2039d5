/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Ways into the kernel and back.
 *
 * From user mode every entry completes the task's struct user_regs, which ends where TSS.rsp0 and the SYSCALL entry's stack
 * pointer stand. Then a call, fault or trap takes the stack pointer that user_enter left in gs:user_run_sp and *returns* from
 * user_enter with its number. An interrupt is handled on the CPU's interrupt stack and goes straight back if task.work is zero.
 * From kernel mode the registers lie on whatever stack was in use; interrupts switch to the interrupt stack at the first level.
 *
 * GS: user mode's base is in the other register while in the kernel (SWAPGS on the way in and out, decided by the saved CS).
 * Double fault, NMI, machine check and debug exceptions can come between a SWAPGS and its mode switch: they run on stacks of
 * their own, whose top names this CPU's data, and save and restore GS_BASE whatever it is ("paranoid"). A debug
 * exception from user mode moves over to the task's stack and is an ordinary trap.
 * EFLAGS.AC is cleared on every entry (SMAP), by SYSCALL's mask or by CLAC.
 */
#include "layout.h"

#define TASK_WORK 8

	.macro clac_if_smap
771:	.byte 0x0f, 0x1f, 0x00			/* nop, until cpu.c patches it */
	.pushsection .smap_table, "a"
	.balign 4
	.long 771b - ., 0xca
	.popsection
	.endm

	.macro push_registers			/* below r9, which is pushed */
	pushq %r8
	pushq %r10
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rax
	pushq %rcx
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	.endm

	.macro pop_registers			/* leaves rsp at orig_rax */
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %rcx
	popq %rax
	popq %rdi
	popq %rsi
	popq %rdx
	popq %r10
	popq %r8
	popq %r9
	.endm

	/* Makes the interrupted place look like a caller, so that frame-pointer chains pass through; aligns the stack. */
	.macro link_frame regs
	pushq REGS_RIP(\regs)
	pushq %rbp
	movq %rsp, %rbp
	andq $-16, %rsp
	.endm

	.section .entry.text, "ax"

/* 256 stubs of 16 bytes. Vectors without an error code get -1, which is what orig_rax says outside system calls. */
	.balign 16
	.globl trap_stubs
trap_stubs:
	vector = 0
	.rept 256
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq $-1
	.endif
	pushq %r9
	movl $vector, %r9d
	.if vector == 1 || vector == 2 || vector == 8 || vector == 18
	jmp paranoid_entry
	.else
	jmp trap_entry
	.endif
	vector = vector + 1
	.endr
	.balign 16

trap_entry:
	cld
	push_registers
	clac_if_smap
	movl %r9d, %edi
	testb $3, REGS_CS(%rsp)
	jz from_kernel
	swapgs
	movl %edi, %eax
	cmpl $32, %edi
	jb leave_user
	cmpl $0x80, %edi			/* INT 0x80 is no interrupt */
	je leave_user

	movq %rsp, %rbx
	incq %gs:CPU_ARCH_SLOT(ARCH_IRQ_NEST)
	movq %gs:CPU_ARCH_SLOT(ARCH_IRQ_STACK), %rsp
	xorl %ebp, %ebp
	movl %edi, %esi
	movq %rbx, %rdi
	call irq_entry
	decq %gs:CPU_ARCH_SLOT(ARCH_IRQ_NEST)
	movq %rbx, %rsp
	movq %gs:CPU_CURRENT, %rax
	cmpl $0, TASK_WORK(%rax)
	movl $LEFT_WORK, %eax
	jne leave_user
return_iret:
	pop_registers
	addq $8, %rsp
	swapgs
	iretq

from_kernel:
	movq %rsp, %rbx
	movl %edi, %esi
	movq %rbx, %rdi
	cmpl $32, %esi
	jae kernel_interrupt
	link_frame %rbx
	call trap_kernel
	jmp return_kernel
kernel_interrupt:
	incq %gs:CPU_ARCH_SLOT(ARCH_IRQ_NEST)
	cmpq $1, %gs:CPU_ARCH_SLOT(ARCH_IRQ_NEST)
	jne 1f
	movq %gs:CPU_ARCH_SLOT(ARCH_IRQ_STACK), %rsp
1:	link_frame %rbx
	call irq_entry
	decq %gs:CPU_ARCH_SLOT(ARCH_IRQ_NEST)
	movq (%rbp), %rbp
	movq %rbx, %rsp
	link_frame %rbx
	call irq_exit_kernel
return_kernel:
	movq %rbx, %rsp
	pop_registers
	addq $8, %rsp
	iretq

paranoid_entry:
	cld
	push_registers
	clac_if_smap
	movl %r9d, %edi
	movq %rsp, %rbx
	cmpl $1, %edi
	jne 1f
	testb $3, REGS_CS(%rsp)
	jnz debug_from_user
1:	movl $0xc0000101, %ecx			/* GS_BASE */
	rdmsr
	movl %eax, %r12d
	movl %edx, %r13d
	movq %rsp, %rax
	orq $(IST_STACK_SIZE - 1), %rax
	movq -15(%rax), %rax
	movq %rax, %rdx
	shrq $32, %rdx
	wrmsr
	movl %edi, %esi
	movq %rbx, %rdi
	link_frame %rbx
	call trap_paranoid
	movl $0xc0000101, %ecx
	movl %r12d, %eax
	movl %r13d, %edx
	wrmsr
	jmp return_kernel

debug_from_user:
	swapgs
	movl %edi, %eax
	movq %gs:CPU_ARCH_SLOT(ARCH_KERNEL_SP), %rdi
	subq $REGS_SIZE, %rdi
	movq %rsp, %rsi
	movl $(REGS_SIZE / 8), %ecx
	rep movsq
	jmp leave_user

	.balign 16
	.globl entry_syscall
entry_syscall:
	swapgs
	movq %rsp, %gs:CPU_SCRATCH
	movq %gs:CPU_ARCH_SLOT(ARCH_KERNEL_SP), %rsp
	pushq $SEL_USER_DS
	pushq %gs:CPU_SCRATCH
	pushq %r11
	pushq $SEL_USER_CS
	pushq %rcx
	pushq %rax				/* orig_rax */
	pushq %r9
	movq $-38, %rax				/* the return value: -ENOSYS */
	push_registers
	movl $LEFT_SYSCALL, %eax

/* eax: why. */
leave_user:
	movq %gs:CPU_USER_RUN_SP, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret

/* u32 user_enter(struct user_regs *regs, u32 use_sysret): interrupts off. The registers were checked: nothing here can fault. */
	.balign 16
	.globl user_enter
user_enter:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, %gs:CPU_USER_RUN_SP
	movq %rdi, %rsp
	testl %esi, %esi
	jz return_iret
	pop_registers				/* rcx and r11 hold rip and rflags */
	movq (REGS_RSP - REGS_ORIG_RAX)(%rsp), %rsp
	swapgs
	sysretq

	.section .note.GNU-stack, "", @progbits
