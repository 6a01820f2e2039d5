/* SPDX-License-Identifier: MPL-2.0 */
/*
 * struct task *switch_stacks(u64 *save_sp, u64 load_sp, struct task *prev): leaves this stack for another that left the same way (or was made
 * so by arch_task_setup). Returns, on the other stack, the `prev` of the one who switched to it.
 * What it saves, from the saved stack pointer up: r15 r14 r13 r12 rbx rbp, return address (TASK_SAVED_RBP in layout.h).
 */
	.section .entry.text, "ax"
	.balign 16
	.globl switch_stacks
switch_stacks:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	movq %rdx, %rax
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret

/* Where a new task begins: r12 the function, r13 its argument, rbp 0. */
	.globl task_trampoline
task_trampoline:
	movq %rax, %rdi
	movq %r12, %rsi
	movq %r13, %rdx
	call task_begin
	ud2

	.section .note.GNU-stack, "", @progbits
