/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The user loop: the one place where a user thread goes to user mode and comes back.
 *
 * What came back (call, fault, trap) is done. Then user_run, which tests the work word last, with interrupts off, goes on or comes back at once for work:
 * reschedule, notifications, restartable sequences, stop, kill and signals, restart of an interrupted call (signal_deliver decides it).
 */
#include <frame/lockdep.h>
#include <frame/log.h>
#include <frame/user.h>
#include "abi/signal.h"
#include "proc/oom.h"
#include "proc/policy.h"
#include "proc/rseq.h"
#include "proc/thread.h"
#include "proc/userloop.h"

/* A page fault: serve it, or tell the program as sigaction(2)'s si_code table says. */
static void do_fault(const struct user_event *ev)
{
	struct thread *t = current_thread();

	switch (mm_fault(current_mm(), ev->addr, ev->is_write, ev->is_exec)) {
	case FAULT_OK:
		t->min_faults++;
		break;
	case FAULT_MAPERR:
		signal_force_trap(KSIGSEGV, SEGV_MAPERR, ev);
		break;
	case FAULT_ACCERR:
		signal_force_trap(KSIGSEGV, SEGV_ACCERR, ev);
		break;
	case FAULT_SIGBUS:
		signal_force_trap(KSIGBUS, BUS_ADRERR, ev);
		break;
	case FAULT_OOM:
		oom_no_victim();
		break;
	case FAULT_KILLED:
		break;
	}
}

static void do_trap(const struct user_event *ev)
{
	static const struct {
		u32 sig;
		s32 code;
	} traps[] = {
		[TRAP_DIVIDE] = { KSIGFPE, FPE_INTDIV },
		[TRAP_DEBUG] = { KSIGTRAP, TRAP_TRACE },
		[TRAP_BREAKPOINT] = { KSIGTRAP, SI_KERNEL },
		[TRAP_OVERFLOW] = { KSIGSEGV, SI_KERNEL },
		[TRAP_BOUNDS] = { KSIGSEGV, SI_KERNEL },
		[TRAP_ILLEGAL] = { KSIGILL, ILL_ILLOPN },
		[TRAP_PROTECTION] = { KSIGSEGV, SI_KERNEL },
		[TRAP_STACK] = { KSIGBUS, SI_KERNEL },
		[TRAP_FPU] = { KSIGFPE, FPE_FLTINV },
		[TRAP_SIMD] = { KSIGFPE, FPE_FLTINV },
		[TRAP_ALIGNMENT] = { KSIGBUS, BUS_ADRALN },
		[TRAP_INT80] = { KSIGSEGV, SI_KERNEL },
		[TRAP_OTHER] = { KSIGSEGV, SI_KERNEL },
	};
	s32 code = traps[ev->trap].code;

	if (ev->trap == TRAP_FPU || ev->trap == TRAP_SIMD) {	/* the first unmasked status bit, in the order of siginfo's codes */
		if (ev->fpu_code & 1)
			code = FPE_FLTINV;
		else if (ev->fpu_code & 4)
			code = FPE_FLTDIV;
		else if (ev->fpu_code & 8)
			code = FPE_FLTOVF;
		else if (ev->fpu_code & (16 | 2))
			code = FPE_FLTUND;
		else if (ev->fpu_code & 32)
			code = FPE_FLTRES;
	}
	signal_force_trap(traps[ev->trap].sig, code, ev);
}

static void do_work(void)
{
	u32 work = task_work(current_task());

	if (work & TASK_WORK_RESCHED)
		schedule();
	if (work & TASK_WORK_NOTIFY)
		thread_run_notifications();
	if (work & TASK_WORK_KILL)
		thread_die_if_doomed();
	if (work & TASK_WORK_RSEQ)
		rseq_work();
	if (work & (TASK_WORK_SIGNAL | TASK_WORK_KILL | TASK_WORK_STOP | TASK_WORK_RESTART))
		signal_deliver();
}

void user_loop(void *arg)
{
	struct user_event ev;

	thread_first_return(arg);
	for (;;) {
		lock_debug_user_entry();
		user_run(&ev);
		switch (ev.kind) {
		case USER_SYSCALL:
			syscall_dispatch(current_task()->regs);
			break;
		case USER_FAULT:
			do_fault(&ev);
			break;
		case USER_TRAP:
			do_trap(&ev);
			break;
		case USER_WORK:
			do_work();
			break;
		}
	}
}
