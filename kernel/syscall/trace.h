/* SPDX-License-Identifier: MPL-2.0 */
/* The built-in tracer: `trace=NAME|PID` on the command line or in /proc/sys/kernel/keel_trace prints calls in strace's format to the kernel log. */
#ifndef SYSCALL_TRACE_H
#define SYSCALL_TRACE_H

#include "syscall/format.h"

struct thread;

/* What is traced: a program name (comm) or a pid in decimal; "" stops. -EINVAL if too long. */
__must_check int trace_set(const char *what);

extern bool trace_enabled;		/* [a] anything traced at all: the one test on the fast path */
bool trace_wants(const struct thread *t);

struct trace_call {			/* on the stack of the thread that calls */
	u64 nr, shape;
	const struct syscall_row *row;
	struct syscall_args args;	/* a copy: exec rewrites the register set */
	bool is_late;			/* nothing is formatted yet */
	struct text arg[6];
};

/* Formats what is known before the call. False: this call is not to be printed, nor to be left. */
bool trace_enter(struct trace_call *tc, u64 nr, const struct syscall_row *row, const struct syscall_args *a);
/* Adds results and prints the line. */
void trace_leave(struct trace_call *tc, s64 ret);
/* Prints the current thread's call, which from here on succeeds and does not come back: the machine ends. */
void trace_last(void);

#endif
