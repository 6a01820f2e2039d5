/* SPDX-License-Identifier: MPL-2.0 */
/* What the vDSO needs of an x86-64 machine: its counter, the number of this CPU, a system call. */
#ifndef VDSO_X86_64_MACHINE_H
#define VDSO_X86_64_MACHINE_H

#include <lib/types.h>
#include <asm/unistd.h>

/* The frame puts the CPU's number (and the node's, from bit 12) into this segment's limit: frame/x86_64/layout.h, SEL_CPU_NUMBER. */
#define SEL_CPU_NUMBER 0x7b

/* Not before what stands before it, nor after what follows: the reads of the page's sequence number. */
static inline u64 machine_cycles(void)
{
	u32 lo, hi;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(lo), "=d"(hi) : : "memory");
	return (u64)hi << 32 | lo;
}

/* LSL, which every x86-64 CPU has; the thread may move at any time, so it is never right for long. */
static inline u32 machine_cpu(void)
{
	u32 limit;

	__asm__ volatile("lsl %1, %0" : "=r"(limit) : "r"(SEL_CPU_NUMBER) : "cc");
	return limit;
}

static inline void machine_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline long machine_syscall2(long nr, long a, const void *b)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return ret;
}

#endif
