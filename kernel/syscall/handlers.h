/* SPDX-License-Identifier: MPL-2.0 */
/* The handlers' prototypes, made from the table. Every file that defines sys_NAME includes this. */
#ifndef SYSCALL_HANDLERS_H
#define SYSCALL_HANDLERS_H

#include "syscall/args.h"

#define ROW(nr, call, ...) s64 sys_##call(const struct syscall_args *a);
#include "syscall/table.h"
#undef ROW

#endif
