/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a C program needs below it when there is no C library: an entry point,
 * the raw system call, and the block-memory functions that gcc may call by
 * itself (gcc manual, "Standards": memcpy, memmove, memset, memcmp).
 *
 * Stack at entry (System V AMD64 ABI 3.4.1): argc, argv[], NULL, envp[], NULL, auxv.
 */
	.text

	.globl	_start
	.type	_start, @function
_start:
	xorl	%ebp, %ebp
	movq	(%rsp), %rdi			/* argc */
	leaq	8(%rsp), %rsi			/* argv */
	leaq	16(%rsp,%rdi,8), %rdx		/* envp */
	andq	$-16, %rsp
	call	program_main
	movl	%eax, %edi
	movl	$231, %eax			/* exit_group */
	syscall
	ud2
	.size	_start, . - _start

/* long syscall6(long nr, long a, long b, long c, long d, long e, long f) */
	.globl	syscall6
	.type	syscall6, @function
syscall6:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
	syscall
	ret
	.size	syscall6, . - syscall6

	.globl	memcpy
	.type	memcpy, @function
memcpy:
	movq	%rdi, %rax
	movq	%rdx, %rcx
	rep movsb
	ret
	.size	memcpy, . - memcpy

/* memmove: copies backwards when the destination lies inside the source */
	.globl	memmove
	.type	memmove, @function
memmove:
	movq	%rdi, %rax
	movq	%rdx, %rcx
	movq	%rdi, %r8
	subq	%rsi, %r8
	cmpq	%rdx, %r8
	jb	1f
	rep movsb
	ret
1:	leaq	-1(%rdi,%rdx), %rdi
	leaq	-1(%rsi,%rdx), %rsi
	std
	rep movsb
	cld
	ret
	.size	memmove, . - memmove

	.globl	memset
	.type	memset, @function
memset:
	movq	%rdi, %r8
	movl	%esi, %eax
	movq	%rdx, %rcx
	rep stosb
	movq	%r8, %rax
	ret
	.size	memset, . - memset

	.globl	memcmp
	.type	memcmp, @function
memcmp:
	xorl	%eax, %eax
	movq	%rdx, %rcx
	testq	%rcx, %rcx
	je	1f
	repe cmpsb
	je	1f
	movzbl	-1(%rdi), %eax
	movzbl	-1(%rsi), %ecx
	subl	%ecx, %eax
1:	ret
	.size	memcmp, . - memcmp

	.section .note.GNU-stack, "", @progbits
