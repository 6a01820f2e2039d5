/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The user register set, x86-64 (the one header here that differs by CPU), and what portable code may do with it. It ends with the
 * hardware's interrupt frame; a system call's arguments stand together, so that handlers read them where the entry left them.
 * Only frame/ and kernel/abi/x86_64 name single registers.
 */
#ifndef FRAME_USER_REGS_H
#define FRAME_USER_REGS_H

#include <lib/types.h>

struct syscall_args {
	u64 v[6];
};

struct user_regs {
	u64 r15, r14, r13, r12, rbp, rbx, r11, rcx, rax;
	union {
		struct { u64 rdi, rsi, rdx, r10, r8, r9; };
		struct syscall_args args;
	};
	u64 orig_rax;		/* call number of a system call, -1 otherwise */
	u64 rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct user_regs) == 21 * 8, "no padding");

/* The system call that user mode was left with. */
static inline u64 user_call(const struct user_regs *r)
{
	return r->orig_rax;
}

static inline void user_set_return(struct user_regs *r, u64 value)
{
	r->rax = value;
}

static inline u64 user_return(const struct user_regs *r)
{
	return r->rax;
}

static inline bool user_in_syscall(const struct user_regs *r)
{
	return (s64)r->orig_rax >= 0;
}

/* Makes the interrupted system call start again, as call `nr`: back over the two bytes of SYSCALL. */
static inline void user_restart_as(struct user_regs *r, u64 nr)
{
	r->rax = nr;
	r->rip -= 2;
}

static inline void user_restart(struct user_regs *r)
{
	user_restart_as(r, r->orig_rax);
}

/* Not (or no longer) in a system call: no restart will be decided on these registers. */
static inline void user_forget_syscall(struct user_regs *r)
{
	r->orig_rax = ~0ul;
}

static inline u64 user_ip(const struct user_regs *r)
{
	return r->rip;
}

static inline u64 user_sp(const struct user_regs *r)
{
	return r->rsp;
}

static inline void user_set_sp(struct user_regs *r, u64 sp)
{
	r->rsp = sp;
}

static inline void user_set_ip(struct user_regs *r, u64 ip)
{
	r->rip = ip;
}

#endif
