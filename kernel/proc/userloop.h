/* SPDX-License-Identifier: MPL-2.0 */
/* The loop every user thread runs: enter user mode, see why it came back, do it. One page of code: proc/userloop.c. */
#ifndef PROC_USERLOOP_H
#define PROC_USERLOOP_H

#include <lib/types.h>

/* The body of a user thread (arg: struct thread); never returns. */
__noreturn void user_loop(void *arg);

#endif
