/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The instructions that touch user memory. Each may fault: the fault table then leads to a label that returns what is left, and RDX
 * holds the faulting address: the second word of what is returned. Ranges were checked by ucopy.c to lie in user space.
 *
 *	struct raw ucopy_raw(void *dst, const void *src, size_t n)		eight bytes a step
 *	size_t ucopy_raw_from, ucopy_raw_to (the same)				stopped by a fault, end as ucopy.c's ucopy_go_on_… does
 *	struct raw ucopy_raw_bytes(void *dst, const void *src, size_t n)	for the exact end of a copy that stops
 *	struct raw ucopy_raw_zero(void *dst, size_t n)
 */
	.macro access_begin			/* stac, with SMAP */
771:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_table, "a"
	.balign 4
	.long 771b - ., 0xcb
	.popsection
	.endm

	.macro access_end
771:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_table, "a"
	.balign 4
	.long 771b - ., 0xca
	.popsection
	.endm

	.macro on_fault from, to
	.pushsection __ex_table, "a"
	.balign 4
	.long \from - ., \to - .
	.popsection
	.endm

	.macro function name
	.section .text.\name, "ax"
	.balign 16
	.globl \name
	.type \name, @function
\name:
	.endm

	.macro copy_eight name
	function \name
	movl %edx, %r9d
	movq %rdx, %rcx
	andl $7, %r9d
	shrq $3, %rcx
	access_begin
1:	rep movsq
	movl %r9d, %ecx
2:	rep movsb
	access_end
	xorl %eax, %eax
	ret
	on_fault 1b, 3f
	on_fault 2b, 4f
3:	leaq (%r9,%rcx,8), %rcx
4:	access_end				/* rdi, rsi: where it stopped; rcx: what is left; rdx: the fault */
	.endm

	copy_eight ucopy_raw
	movq %rcx, %rax
	ret

	copy_eight ucopy_raw_from
	xchgq %rcx, %rdx
	jmp ucopy_go_on_from

	copy_eight ucopy_raw_to
	xchgq %rcx, %rdx
	jmp ucopy_go_on_to

	function ucopy_raw_bytes
	movq %rdx, %rcx
	access_begin
1:	rep movsb
	access_end
	xorl %eax, %eax
	ret
2:	access_end
	movq %rcx, %rax
	ret
	on_fault 1b, 2b

	function ucopy_raw_zero
	movl %esi, %r9d
	movq %rsi, %rcx
	andl $7, %r9d
	shrq $3, %rcx
	xorl %eax, %eax
	access_begin
1:	rep stosq
	movl %r9d, %ecx
2:	rep stosb
	access_end
	ret
3:	access_end
	leaq (%r9,%rcx,8), %rax
	ret
4:	access_end
	movq %rcx, %rax
	ret
	on_fault 1b, 3b
	on_fault 2b, 4b

/* struct raw ucopy_raw_u16s(void *dst, const void *src, size_t n, size_t stride) */
	function ucopy_raw_u16s
	movq %rdx, %r8
	access_begin
	testq %rdx, %rdx
	jz 3f
1:	movw (%rsi), %ax
2:	movw %ax, (%rdi)
	addq %rcx, %rsi
	addq %rcx, %rdi
	decq %r8
	jnz 1b
3:	access_end
	movq %r8, %rax
	ret
	on_fault 2b, 3b

/* u64 ucopy_raw_load64(u64 addr, u64 *val): aligned. 0, or 1 on a fault. */
	function ucopy_raw_load64
	access_begin
1:	movq (%rdi), %rax
	access_end
	movq %rax, (%rsi)
	xorl %eax, %eax
	ret
	on_fault 1b, ucopy_failed

/* u64 ucopy_raw_load32(u64 addr, u32 *val): 0, or 1 on a fault. */
	function ucopy_raw_load32
	access_begin
1:	movl (%rdi), %eax
	access_end
	movl %eax, (%rsi)
	xorl %eax, %eax
	ret
	on_fault 1b, ucopy_failed

/* u64 ucopy_raw_cmpxchg32(u64 addr, u32 expect, u32 store, u32 *old) */
	function ucopy_raw_cmpxchg32
	movl %esi, %eax
	access_begin
1:	lock cmpxchgl %edx, (%rdi)
	access_end
	movl %eax, (%rcx)
	xorl %eax, %eax
	ret
	on_fault 1b, ucopy_failed

/* u64 ucopy_raw_touch_write(u64 addr): a write that changes nothing. */
	function ucopy_raw_touch_write
	access_begin
1:	lock orb $0, (%rdi)
	access_end
	xorl %eax, %eax
	ret
	on_fault 1b, ucopy_failed

	function ucopy_raw_touch_read
	access_begin
1:	movb (%rdi), %al
	access_end
	xorl %eax, %eax
	ret
	on_fault 1b, ucopy_failed

	function ucopy_failed
	access_end
	movl $1, %eax
	ret

	.section .note.GNU-stack, "", @progbits
