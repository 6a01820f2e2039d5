/* SPDX-License-Identifier: MPL-2.0 */
/* Arguments and results as strace shows them. Bad pointers show as addresses; nothing here can fail but by cutting text short. */
#ifndef SYSCALL_FORMAT_H
#define SYSCALL_FORMAT_H

#include "syscall/row.h"

#define TEXT_MAX 1024
#define LINE_LONG 660		/* of a line's bytes, those for what may be cut; names, numbers and flags fit into the rest of a log's record */

/* Text that grows to TEXT_MAX bytes and is cut there. Strings, arrays and structs cut themselves as strace does, at `room`. */
struct text {
	char *buf;		/* "" until something is added, and if there was no memory */
	size_t len, room;
};

void text_init(struct text *t);
void text_fini(struct text *t);
__printf(2, 3) void text_add(struct text *t, const char *fmt, ...);

/* Equal for calls that differ in no flag, enumeration value or command, their structs' included (as far as those can be read). */
u64 format_shape(const struct syscall_row *row, const struct syscall_args *a);
void format_before(struct text *t, const struct syscall_row *row, const struct syscall_args *a, u32 i);
void format_after(struct text *t, const struct syscall_row *row, const struct syscall_args *a, u32 i, s64 ret);
void format_result(struct text *t, const struct syscall_row *row, s64 ret);	/* ") = 3", ") = -1 ENOENT (…)" */

#endif
