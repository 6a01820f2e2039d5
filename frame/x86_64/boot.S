/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From the boot protocol to C. PVH and multiboot2 both start here in 32-bit protected mode without paging and with flat segments;
 * ebx points to the protocol's start information (eax is reliable only for multiboot2, hence two entries).
 *
 * Builds temporary tables: the first 4 GiB at 0 and at the direct map's base, the image's GiB at KERNEL_BASE, and in the debug
 * build the whole KASAN shadow as one page, because instrumented C reads it from its first instruction. All writable and
 * executable: paging_init replaces them. Then long mode, this CPU's per-CPU copy and canary, and frame_prepare(protocol, info), which
 * says how far the image is to be moved: its addresses are changed where tools/relocs.py found them, it is mapped up there, and all
 * since boot64 is done again. Then frame_start().
 *
 * 32-bit code and what it uses has physical addresses, which are not moved.
 */
#include "layout.h"

#define PHYS(sym) ((sym) - KERNEL_BASE)
#define PT_PRESENT_WRITE 0x3
#define PT_LARGE 0x83
#define DIRECT_SLOT 256		/* 0xffff800000000000 */
#define SHADOW_FIRST_SLOT 472	/* 0xffffec0000000000 */
#define SHADOW_SLOTS 32

	.section .note.pvh, "a", @note
	.balign 4
	.long 4			/* name's size */
	.long 8			/* descriptor's size */
	.long 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad PHYS(pvh_start)

	.section .boot.header, "a"
	.balign 8
mb2_header:
	.long 0xe85250d6	/* magic */
	.long 0			/* i386 */
	.long mb2_header_end - mb2_header
	.long -(0xe85250d6 + (mb2_header_end - mb2_header))
	.short 3, 0		/* entry address */
	.long 12
	.long PHYS(mb2_start)
	.balign 8
	.short 0, 0
	.long 8
mb2_header_end:

	.section .boot.text, "ax"
	.code32
	.globl pvh_start
pvh_start:
	movl $1, %ebp
	jmp boot32
mb2_start:
	movl $2, %ebp
boot32:
	cli
	cld
	movl $PHYS(boot_stack_top), %esp
	rdtsc
	movl %eax, PHYS(boot_entry_tsc)
	movl %edx, PHYS(boot_entry_tsc) + 4

	/* Four directories of 2 MiB pages. */
	movl $PHYS(boot_pd), %edi
	movl $PT_LARGE, %eax
	movl $2048, %ecx
1:	movl %eax, (%edi)
	movl $0, 4(%edi)
	addl $0x200000, %eax
	addl $8, %edi
	decl %ecx
	jnz 1b

	movl $PHYS(boot_pd) + PT_PRESENT_WRITE, %eax
	movl %eax, PHYS(boot_pdpt_high) + 510 * 8
	movl $PHYS(boot_pdpt_low), %edi
	movl $4, %ecx
1:	movl %eax, (%edi)
	addl $0x1000, %eax
	addl $8, %edi
	decl %ecx
	jnz 1b

	movl $PHYS(boot_pdpt_low) + PT_PRESENT_WRITE, PHYS(boot_pml4)
	movl $PHYS(boot_pdpt_low) + PT_PRESENT_WRITE, PHYS(boot_pml4) + DIRECT_SLOT * 8
	movl $PHYS(boot_pdpt_high) + PT_PRESENT_WRITE, PHYS(boot_pml4) + 511 * 8
#ifdef KEEL_DEBUG
	movl $PHYS(boot_shadow_pt), %edi
	movl $PHYS(boot_shadow_page) + PT_PRESENT_WRITE, %eax
	call fill_table
	movl $PHYS(boot_shadow_pd), %edi
	movl $PHYS(boot_shadow_pt) + PT_PRESENT_WRITE, %eax
	call fill_table
	movl $PHYS(boot_shadow_pdpt), %edi
	movl $PHYS(boot_shadow_pd) + PT_PRESENT_WRITE, %eax
	call fill_table
	movl $PHYS(boot_pml4) + SHADOW_FIRST_SLOT * 8, %edi
	movl $PHYS(boot_shadow_pdpt) + PT_PRESENT_WRITE, %eax
	movl $SHADOW_SLOTS, %ecx
	call fill_some
#endif

	movl %cr4, %eax
	orl $0x20, %eax				/* PAE */
	movl %eax, %cr4
	movl $PHYS(boot_pml4), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx			/* EFER.LME */
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	orl $0x80010001, %eax			/* PG, WP, PE */
	movl %eax, %cr0
	lgdt PHYS(boot_gdt_pointer)
	ljmpl $SEL_KERNEL_CS, $PHYS(boot64_low)

#ifdef KEEL_DEBUG
fill_table:
	movl $512, %ecx
fill_some:
	movl %eax, (%edi)
	movl $0, 4(%edi)
	addl $8, %edi
	decl %ecx
	jnz fill_some
	ret
#endif

	.code64
boot64_low:
	movl %ebp, %r12d
	movl %ebx, %r13d
	xorl %r14d, %r14d			/* 1: has been moved */
to_boot64:
	movabsq $boot64, %rax
	jmp *%rax
boot64:
	xorl %eax, %eax
	movl %eax, %ss
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movq $boot_stack_top, %rsp

	/* The boot CPU's copy of the per-CPU data. */
	movq $percpu_start, %rsi
	movq $percpu_boot, %rdi
	movq $percpu_end, %rcx
	subq %rsi, %rcx
	rep movsb
	movq $percpu_boot, %rdi
	movq %rdi, CPU_SELF(%rdi)
	movq %rdi, %rax
	subq $percpu_start, %rax
	movq %rax, 8(%rdi)
	movl $1, CPU_IRQ_DEPTH(%rdi)
	movq %rdi, %rax
	movq %rdi, %rdx
	shrq $32, %rdx
	movl $0xc0000101, %ecx			/* GS_BASE */
	wrmsr

	/* The canary: the same on every CPU, since tasks migrate. A zero byte stops string overruns from passing it. */
	rdtsc
	shlq $32, %rdx
	orq %rdx, %rax
	movabsq $0x9e3779b97f4a7c15, %rcx
	mulq %rcx
	xorq %rdx, %rax
	shlq $8, %rax
	movq %rax, %gs:CPU_CANARY

	xorl %ebp, %ebp
	pushq $0				/* end of the frame-pointer chain */
	pushq $0
	testl %r14d, %r14d
	jnz start
	movl %r12d, %edi
	movl %r13d, %esi
	call frame_prepare
	movl $PHYS(move), %ecx
	testq %rax, %rax
	jz start
	jmp *%rcx
start:
	call frame_start
1:	hlt
	jmp 1b

/* At its physical address. rax: by how much; a multiple of 2 MiB, and there is room for the image in its GiB. */
move:
	movl $PHYS(relocs_start), %esi
	movl $PHYS(relocs_end), %ecx
1:	cmpq %rcx, %rsi
	jae 3f
	movl (%rsi), %edi
	addq $4, %rsi
	btrl $31, %edi
	jc 2f
	addl %eax, (%rdi)
	jmp 1b
2:	addq %rax, (%rdi)
	jmp 1b
3:	movl $PHYS(boot_pd_moved), %edi
	shrq $(21 - 3), %rax
	addq %rax, %rdi
	movl $PT_LARGE, %eax
4:	movq %rax, (%rdi)
	addq $0x200000, %rax
	addq $8, %rdi
	testl $0xfff, %edi
	jnz 4b
	movl $PHYS(boot_pd_moved) + PT_PRESENT_WRITE, %eax
	movl $PHYS(boot_pdpt_high) + 510 * 8, %edi
	movl %eax, (%rdi)
	movq %cr3, %rax
	movq %rax, %cr3				/* serialises: from here on the changed code is seen, too */
	movl $1, %r14d
	jmp to_boot64

	.section .rodata.boot, "a"
	.balign 8
boot_gdt:
	.quad 0, 0
	.quad 0x00af9b000000ffff		/* 0x10: 64-bit code */
	.quad 0x00cf93000000ffff		/* 0x18: data */
boot_gdt_pointer:
	.short . - boot_gdt - 1
	.long PHYS(boot_gdt)

	.section .data.ro_after_init, "aw"
	.balign 8
	.globl boot_entry_tsc
boot_entry_tsc:
	.quad 0

	.section .bss.page, "aw", @nobits
	.balign 4096
	.globl boot_pml4, boot_pdpt_low, boot_pdpt_direct
boot_pml4:
	.skip 4096
boot_pdpt_low:
	.skip 4096
boot_pdpt_direct:				/* kaslr.c */
	.skip 4096
boot_pdpt_high:
	.skip 4096
boot_pd_moved:
	.skip 4096
boot_pd:
	.skip 4 * 4096
#ifdef KEEL_DEBUG
boot_shadow_pdpt:
	.skip 4096
boot_shadow_pd:
	.skip 4096
boot_shadow_pt:
	.skip 4096
boot_shadow_page:
	.skip 4096
#endif
	/* boot_free_init unmaps the page below the stack, so that running over it is noticed there too. */
	.globl boot_stack_guard, boot_stack, boot_stack_top
boot_stack_guard:
	.skip 4096
boot_stack:
	.skip STACK_SIZE
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
