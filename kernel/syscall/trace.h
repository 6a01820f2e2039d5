/* SPDX-License-Identifier: MPL-2.0 */
/* The built-in tracer: `trace=NAME|PID` on the command line or in /proc/sys/kernel/keel_trace prints calls in strace's format to the kernel log. */
#ifndef SYSCALL_TRACE_H
#define SYSCALL_TRACE_H

#include "syscall/row.h"

struct thread;

/* What is traced: a program name (comm) or a pid in decimal; "" stops. -EINVAL if too long. */
__must_check int trace_set(const char *what);

extern bool trace_enabled;		/* [a] anything traced at all: the one test on the fast path */
bool trace_wants(const struct thread *t);

struct trace_call;
/* Formats what is known before the call. NULL without memory: the call is then not traced. */
struct trace_call *trace_enter(u64 nr, const struct syscall_row *row, const struct syscall_args *a);
/* Adds results and prints the line; frees. */
void trace_leave(struct trace_call *tc, s64 ret);

#endif
