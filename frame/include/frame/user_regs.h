/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The user register set, x86-64 (the one header here that differs by CPU). The order is that of Linux's struct pt_regs, so the
 * hardware's interrupt frame falls into place at its end. Only frame/ and kernel/abi/x86_64 name single registers; portable code
 * uses the accessors of user.h.
 */
#ifndef FRAME_USER_REGS_H
#define FRAME_USER_REGS_H

#include <lib/types.h>

struct user_regs {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 orig_rax;		/* call number of a system call, -1 otherwise */
	u64 rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct user_regs) == 21 * 8, "pt_regs layout");

#endif
