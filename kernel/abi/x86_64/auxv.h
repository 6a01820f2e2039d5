/* SPDX-License-Identifier: MPL-2.0 */
/* The machine's part of the auxiliary vector (getauxval(3)), x86-64. */
#ifndef ABI_X86_64_AUXV_H
#define ABI_X86_64_AUXV_H

#include <lib/types.h>
#include <asm/auxvec.h>

#define AUXV_PLATFORM "x86_64"	/* AT_PLATFORM; with its NUL it fits a word */

/* AT_MINSIGSTKSZ: what a signal frame takes (abi/x86_64/sigframe.c): return address, ucontext, siginfo; the FPU state with its end mark; alignments. */
static inline u64 auxv_min_sigstack(u64 fpu_bytes)
{
	return ALIGN_UP(8 + 304 + 128 + 16 + fpu_bytes + 4 + 64, 16);
}

#endif
