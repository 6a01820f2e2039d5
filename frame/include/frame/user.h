/* SPDX-License-Identifier: MPL-2.0 */
/*
 * User mode. user_run() enters it with the current task's registers and *returns* when there is something to do.
 *
 * The register set (current_task()->regs) is complete and may be rewritten at will between two user_run calls: by exec, signal
 * delivery, sigreturn, ptrace; the frame sanitises what would endanger the kernel (cs, ss, privileged flags, non-canonical rip)
 * and uses SYSRET only when provably safe. Interrupts in user mode are handled and go straight back while task.work is zero.
 * task.work is tested with interrupts off as the last act before entry: user_run then returns USER_WORK at once.
 * Called in task context, interrupts on, nothing held; returns likewise. CPU time is stamped here.
 */
#ifndef FRAME_USER_H
#define FRAME_USER_H

#include <lib/types.h>
#include <frame/task.h>
#include <frame/user_regs.h>

enum user_exit {
	USER_SYSCALL,		/* regs hold number and arguments; return value preset to -ENOSYS, orig_rax = number */
	USER_FAULT,		/* page fault: ev.addr, ev.is_write, ev.is_exec, ev.is_present */
	USER_TRAP,		/* any other exception: ev.trap says which */
	USER_WORK,		/* task.work is not zero */
};

enum user_trap {
	TRAP_DIVIDE, TRAP_DEBUG, TRAP_BREAKPOINT, TRAP_OVERFLOW, TRAP_BOUNDS, TRAP_ILLEGAL, TRAP_PROTECTION, TRAP_STACK,
	TRAP_FPU, TRAP_SIMD, TRAP_ALIGNMENT, TRAP_INT80, TRAP_OTHER,
};

struct user_event {
	enum user_exit kind;	/* USER_SYSCALL: nothing else is set */
	enum user_trap trap;
	u64 addr;		/* faulting address (CR2), or the instruction's for traps */
	u64 error_code;		/* as the machine gave it: signal frames show it */
	u32 trap_number;	/* as the machine numbers it: signal frames show it */
	u32 fpu_code;		/* TRAP_FPU, TRAP_SIMD: unmasked status bits, IE 1, DE 2, ZE 4, OE 8, UE 16, PE 32 */
	bool is_write, is_exec, is_present;
};

void user_run(struct user_event *ev);

/* A fresh program: everything zero but these; the FPU of the current task is reset. */
void user_start(struct user_regs *r, u64 ip, u64 sp);

/* Thread pointer and the other base (arch_prctl), of the current task. Values beyond user space: -EPERM. */
__must_check int user_set_tls(u64 base);
__must_check int user_set_gs(u64 base);
u64 user_tls(const struct task *t);
u64 user_gs(const struct task *t);

/* FPU (XSAVE area in the standard format, as signal frames and ptrace show it). */
size_t fpu_state_size(void);
void fpu_fork(struct task *child);				/* copies the current task's state, TLS and gs base to a new task */
/* Current task's state to/from a kernel buffer of fpu_state_size() bytes (64-byte aligned not required).
 * fpu_load refuses what the CPU would fault on: -EINVAL. */
void fpu_store(void *buf);
__must_check int fpu_load(const void *buf, size_t size);
/* Current task's state := initial (signal handlers, exec). */
void fpu_reset(void);
/* Layout facts a signal frame states: XCR0 mask of what is saved. */
u64 fpu_features(void);

#endif
