/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where secondary CPUs begin: real mode, at a page below 1 MiB to which smp.c copies this and which it fills in. Real to protected to
 * long mode in one go, with tables that map the page's own 2 MiB at its physical address besides the kernel's half; then
 * secondary_start(cpu) on the CPU's own first stack.
 */
#include "layout.h"

#define AT(sym) ((sym) - trampoline_start)

	.section .rodata.trampoline, "a"
	.balign 16
	.globl trampoline_start, trampoline_end, trampoline_args
	.code16
trampoline_start:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	xorl %ebx, %ebx
	movw %ax, %bx
	shll $4, %ebx				/* the page's physical address */
	leal AT(trampoline_gdt)(%ebx), %eax
	movl %eax, AT(trampoline_gdt_pointer) + 2
	leal AT(protected)(%ebx), %eax
	movl %eax, AT(far_protected)
	leal AT(long_mode)(%ebx), %eax
	movl %eax, AT(far_long)
	lgdtl AT(trampoline_gdt_pointer)
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl *AT(far_protected)

	.code32
protected:
	movl $SEL_KERNEL_DS, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $0x20, %eax			/* PAE */
	movl %eax, %cr4
	movl AT(trampoline_args)(%ebx), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl AT(trampoline_args) + 4(%ebx), %eax
	wrmsr
	movl $0x80010031, %eax			/* PG, WP, NE, ET, PE */
	movl %eax, %cr0
	ljmpl *AT(far_long)(%ebx)

	.code64
long_mode:
	movq AT(trampoline_args) + 8(%rbx), %rsp
	movq AT(trampoline_args) + 16(%rbx), %rax
	movl AT(trampoline_args) + 24(%rbx), %edi
	xorl %ebp, %ebp
	pushq $0				/* end of the frame-pointer chain, and the ABI's alignment */
	pushq $0
	callq *%rax
1:	hlt
	jmp 1b

	.balign 8
trampoline_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff		/* 0x08: 32-bit code */
	.quad 0x00af9b000000ffff		/* 0x10: 64-bit code */
	.quad 0x00cf93000000ffff		/* 0x18: data */
trampoline_gdt_pointer:
	.short . - trampoline_gdt - 1
	.long 0
far_protected:
	.long 0
	.short 0x08
far_long:
	.long 0
	.short SEL_KERNEL_CS
	.balign 8
trampoline_args:				/* struct trampoline_args in smp.c */
	.skip 32
trampoline_end:

	.section .note.GNU-stack, "", @progbits
