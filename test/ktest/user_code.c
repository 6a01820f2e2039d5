/* SPDX-License-Identifier: MPL-2.0 */
/* What the tests' user threads execute: snippets of machine code, independent of where they lie. They are data to the kernel. */
#include "user_thread.h"

#define SNIPPET(name, text)				\
	__asm__("	.pushsection .rodata.user_code, \"a\"\n"	\
		"	.balign 16\n"			\
		"	.globl " #name "\n"		\
		#name ":\n"				\
		text "\n"				\
		"	.popsection\n")

SNIPPET(user_code_start, "");
SNIPPET(snippet_syscalls, "1: syscall; jmp 1b");
SNIPPET(snippet_int3, "1: int3; jmp 1b");
SNIPPET(snippet_ud2, "ud2");
SNIPPET(snippet_divide, "xorl %ecx, %ecx; divl %ecx");
SNIPPET(snippet_int80, "int $0x80");
SNIPPET(snippet_int21, "int $0x21");
SNIPPET(snippet_hlt, "hlt");
SNIPPET(snippet_cli, "cli");
SNIPPET(snippet_out, "outb %al, $0x80");
SNIPPET(snippet_cr3, "movq %rax, %cr3");
/* Of, to, at and on the stack at rdi. */
SNIPPET(snippet_load, "movb (%rdi), %al; syscall");
SNIPPET(snippet_store, "movb $7, (%rdi); syscall");
SNIPPET(snippet_jump, "jmp *%rdi");
SNIPPET(snippet_push, "movq %rdi, %rsp; pushq %rax; syscall");
SNIPPET(snippet_spin, "1: jmp 1b");
/* Counts the word at rdi up to rsi. */
SNIPPET(snippet_count, "1: incq (%rdi); cmpq %rsi, (%rdi); jb 1b; syscall");
SNIPPET(snippet_nops, "nop; nop; nop; syscall; nop; nop");
SNIPPET(snippet_bases, "1: movq %fs:0, %rbx; movq %gs:0, %rbp; syscall; jmp 1b");
SNIPPET(snippet_set_bases, "wrfsbase %rdi; wrgsbase %rsi; syscall");
/* 1.0 / 0.0 with that exception unmasked. */
SNIPPET(snippet_x87_error, "fninit; pushq $0x37b; fldcw (%rsp); popq %rax; fld1; fldz; fdivrp; fwait; syscall");
SNIPPET(snippet_simd_error, "pushq $0x1d80; ldmxcsr (%rsp); popq %rax; movl $1, %eax; cvtsi2sd %eax, %xmm0; xorps %xmm1, %xmm1; "
			    "divsd %xmm1, %xmm0; syscall");
SNIPPET(snippet_flags, "1: pushfq; popq %rbx; syscall; jmp 1b");
SNIPPET(snippet_segments, "movl %cs, %ebx; movl %ss, %ebp; movl %ds, %r8d; movl %es, %r9d; movl %fs, %r10d; movl %gs, %r12d; syscall");
/* The FPU's registers to and from the memory at rdi. */
SNIPPET(snippet_fxsave, "1: fxsave64 (%rdi); syscall; jmp 1b");
SNIPPET(snippet_fxrstor, "fxrstor64 (%rdi); syscall");
SNIPPET(snippet_xsave, "1: movl $-1, %eax; movl $-1, %edx; xsave64 (%rdi); syscall; jmp 1b");
SNIPPET(snippet_xrstor, "movl $-1, %eax; movl $-1, %edx; xrstor64 (%rdi); syscall");
SNIPPET(user_code_end, "");
