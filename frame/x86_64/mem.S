/* SPDX-License-Identifier: MPL-2.0 */
/*
 * memcpy, memmove, memset, memcmp. Eight bytes a step with the string instructions; the last, overlapping quadword is loaded before
 * anything is stored, so no byte loop is needed for the tail. The plain names are weak: KASAN replaces them by checking ones,
 * which call the __ names.
 */
	.macro function name
	.section .text.\name, "ax"
	.balign 16
	.globl \name
	.type \name, @function
\name:
	.endm

	.macro alias name, of
	.weak \name
	.set \name, \of
	.endm

/* Forward copy of rdx bytes; rax = rdi on entry. Right for overlapping buffers if dst < src. */
	function __memcpy
	movq %rdi, %rax
copy_forward:
	cmpq $16, %rdx
	jb copy_small
	movq %rdx, %rcx
	movq -8(%rsi,%rdx), %r8
	leaq -8(%rdi,%rdx), %r9
	shrq $3, %rcx
	rep movsq
	movq %r8, (%r9)
	ret

/* Fewer than 16: everything is loaded before it is stored, so the direction does not matter. */
copy_small:
	cmpl $8, %edx
	jb 1f
	movq (%rsi), %rcx
	movq -8(%rsi,%rdx), %r8
	movq %rcx, (%rdi)
	movq %r8, -8(%rdi,%rdx)
	ret
1:	cmpl $4, %edx
	jb 2f
	movl (%rsi), %ecx
	movl -4(%rsi,%rdx), %r8d
	movl %ecx, (%rdi)
	movl %r8d, -4(%rdi,%rdx)
	ret
2:	testl %edx, %edx
	jz 3f
	movzbl (%rsi), %ecx
	movzbl -1(%rsi,%rdx), %r8d
	shrl $1, %edx
	movzbl (%rsi,%rdx), %r9d
	movb %r9b, (%rdi,%rdx)
	jc 4f
	movb %cl, (%rdi)		/* two bytes: rdx is 1 */
	movb %r8b, 1(%rdi)
	ret
4:	movb %cl, (%rdi)		/* one or three: rdx is half, rounded down */
	movb %r8b, (%rdi,%rdx,2)
3:	ret
	.size __memcpy, . - __memcpy

	function __memmove
	movq %rdi, %rax
	movq %rdi, %rcx
	subq %rsi, %rcx
	cmpq %rdx, %rcx			/* unsigned: dst - src >= n means that going forward is safe */
	jae copy_forward
	cmpq $16, %rdx
	jb copy_small
	/* Backward: the first quadword is kept, the others go from the end. */
	movq (%rsi), %r8
	movq %rdi, %r9
	movq %rdx, %rcx
	leaq -8(%rsi,%rdx), %rsi
	leaq -8(%rdi,%rdx), %rdi
	shrq $3, %rcx
	std
	rep movsq
	cld
	movq %r8, (%r9)
	ret
	.size __memmove, . - __memmove

	function __memset
	movq %rdi, %r9
	movzbl %sil, %eax
	movabsq $0x0101010101010101, %r8
	imulq %r8, %rax
	cmpq $8, %rdx
	jb 1f
	movq %rax, -8(%rdi,%rdx)
	movq %rdx, %rcx
	shrq $3, %rcx
	rep stosq
	movq %r9, %rax
	ret
1:	cmpl $4, %edx
	jb 2f
	movl %eax, (%rdi)
	movl %eax, -4(%rdi,%rdx)
	movq %r9, %rax
	ret
2:	testl %edx, %edx
	jz 3f
	movb %al, (%rdi)
	movb %al, -1(%rdi,%rdx)
	shrl $1, %edx
	movb %al, (%rdi,%rdx)
3:	movq %r9, %rax
	ret
	.size __memset, . - __memset

	function __memcmp
	cmpq $8, %rdx
	jb 2f
1:	movq (%rdi), %rax
	movq (%rsi), %rcx
	cmpq %rcx, %rax
	jne 4f
	addq $8, %rdi
	addq $8, %rsi
	subq $8, %rdx
	cmpq $8, %rdx
	jae 1b
2:	testq %rdx, %rdx
	jz 3f
	movzbl (%rdi), %eax
	movzbl (%rsi), %ecx
	subl %ecx, %eax
	jnz 5f
	incq %rdi
	incq %rsi
	decq %rdx
	jmp 2b
3:	xorl %eax, %eax
5:	ret
4:	bswapq %rax
	bswapq %rcx
	cmpq %rcx, %rax
	sbbl %eax, %eax
	orl $1, %eax
	ret
	.size __memcmp, . - __memcmp

	alias memcpy, __memcpy
	alias memmove, __memmove
	alias memset, __memset
	alias memcmp, __memcmp

	.section .note.GNU-stack, "", @progbits
