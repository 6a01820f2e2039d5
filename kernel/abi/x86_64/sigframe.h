/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Signal frames on x86-64: what a handler finds on the stack and what rt_sigreturn takes back (System V ABI; layouts of <asm/sigcontext.h>, <asm/ucontext.h>).
 * All work on the current task's registers. Task context; may fault and sleep.
 */
#ifndef ABI_X86_64_SIGFRAME_H
#define ABI_X86_64_SIGFRAME_H

#include <lib/types.h>
#include "abi/signal.h"

#define SIGFRAME_RED_ZONE 128	/* bytes below the stack pointer that leaf functions may use (System V ABI 3.2.2) */

struct sigframe_request {
	u32 sig;
	u64 handler, flags, restorer;	/* of the action */
	u64 mask;			/* to be restored by sigreturn */
	struct stack_abi stack;
	u64 trap_number, error_code, fault_addr;
	u64 sp;				/* top of the room for the frame */
	siginfo_t info;
	void *fpu;			/* scratch: sigframe_fpu_size() bytes, any contents */
};

size_t sigframe_fpu_size(void);

/* Writes the frame below rq->sp (not below `limit`) and points the registers at the handler. -EFAULT: nothing changed. */
__must_check int sigframe_push(const struct sigframe_request *rq, u64 limit);
/* Reads the frame at the stack pointer back into the registers and the FPU. -EFAULT, -EINVAL. `fpu`: scratch as above. */
__must_check int sigframe_pop(void *fpu, u64 *mask, struct stack_abi *stack);

#endif
