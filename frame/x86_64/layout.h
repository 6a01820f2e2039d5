/* SPDX-License-Identifier: MPL-2.0 */
/* Numbers that C and assembly share: selectors, offsets in struct cpu_local and struct user_regs, addresses. */
#ifndef FRAME_X86_64_LAYOUT_H
#define FRAME_X86_64_LAYOUT_H

/* The image: linked at KERNEL_BASE + its physical address. */
#define KERNEL_BASE 0xffffffff80000000
#define KERNEL_PHYS_START 0x200000

/* Selectors, in the order that SYSCALL and SYSRET want. User programs see 0x33 and 0x2b, as on Linux. */
#define SEL_KERNEL_CS 0x10
#define SEL_KERNEL_DS 0x18
#define SEL_USER_BASE 0x23
#define SEL_USER_DS 0x2b
#define SEL_USER_CS 0x33
#define SEL_TSS 0x40
#define SEL_CPU_NUMBER 0x7b	/* no segment: its limit is the CPU's number, which LSL reads in user mode (user/vdso). Linux has it there, too */

/* struct cpu_local (frame/percpu.h): fixed part, and indices of arch[]. */
#define CPU_SELF 0
#define CPU_CURRENT 16
#define CPU_PREEMPT 24
#define CPU_IRQ_DEPTH 28
#define CPU_CANARY 40
#define CPU_USER_RUN_SP 48
#define CPU_SCRATCH 56
#define CPU_ARCH 72

#define ARCH_KERNEL_SP 0	/* where the current task's user_regs end: RSP on entry from user mode */
#define ARCH_IRQ_STACK 1	/* top of this CPU's interrupt stack */
#define ARCH_IRQ_NEST 2		/* users of the interrupt stack: 0 = not on it */
#define ARCH_STATE 3		/* struct arch_cpu *: GDT, TSS */
#define ARCH_IST_STACKS 4	/* lowest address of this CPU's IST stacks */
#define ARCH_IDLE_STACK 5	/* a secondary's first stack */
#define ARCH_FREE 6		/* the first unused slot */
#define CPU_ARCH_SLOT(i) (CPU_ARCH + 8 * (i))

/* struct user_regs. */
#define REGS_ORIG_RAX 120
#define REGS_RIP 128
#define REGS_CS 136
#define REGS_RSP 152
#define REGS_SIZE 168

#define RFLAGS_TF 0x100
#define RFLAGS_IF 0x200
#define RFLAGS_DF 0x400
#define RFLAGS_IOPL 0x3000
#define RFLAGS_NT 0x4000
#define RFLAGS_RF 0x10000
#define RFLAGS_VM 0x20000
#define RFLAGS_AC 0x40000
#define RFLAGS_ID 0x200000

/* Stacks, in bytes: KASAN's red zones double what a function needs. */
#ifdef KEEL_DEBUG
#define STACK_SIZE 32768
#define IST_STACK_SIZE 16384
#else
#define STACK_SIZE 16384
#define IST_STACK_SIZE 8192
#endif

#define TASK_SAVED_RBP 40	/* from a switched-out task's sp: see switch.S */

/* What user_enter returns besides an exception's number. */
#define LEFT_SYSCALL 256
#define LEFT_WORK 257

#endif
