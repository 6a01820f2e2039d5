/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One row a system call: number, name, handler, and for each argument its kind. Dispatch, flag checks and the tracer are made from these rows,
 * and so will be the compatibility pages and the call fuzzer. table.h holds the rows, sets.h the flag sets, commands and struct layouts.
 */
#ifndef SYSCALL_ROW_H
#define SYSCALL_ROW_H

#include <lib/types.h>
#include "syscall/args.h"

enum arg_kind {
	ARG_NONE,
	ARG_INT, ARG_UINT, ARG_LONG, ARG_ULONG, ARG_HEX, ARG_OCTAL,	/* numbers */
	ARG_FD, ARG_DIRFD, ARG_PID, ARG_UID, ARG_SIGNAL, ARG_MODE, ARG_DEV,
	ARG_HIDDEN,			/* what strace does not show: the upper half of an offset, which 64-bit programs leave 0 */
	ARG_PTR,			/* an address, printed as such */
	ARG_ADDR,			/* the same, of a call that returns an address too */
	ARG_PATH,			/* in: string */
	ARG_STRINGS,			/* in: NULL-terminated array of strings */
	ARG_BUF_IN,			/* in: bytes; `aux` is the index of the size argument */
	ARG_BUF_OUT,			/* out: bytes, as many as the call returned */
	ARG_IOVEC_IN, ARG_IOVEC_OUT,	/* `aux`: index of the count */
	ARG_FLAGS,			/* bits of `set` */
	ARG_CLONE_FLAGS,		/* the same with a signal in the low byte; strace shows the argument behind it first */
	ARG_ENUM,			/* one value of `set` */
	ARG_STRUCT_IN, ARG_STRUCT_OUT, ARG_STRUCT_INOUT,	/* `layout` */
	ARG_STRUCTS_IN,			/* an array of `layout`; `aux`: index of the count */
	ARG_STRUCTS_OUT,		/* an array of `layout`, as many as the call returned */
	ARG_INT_OUT,			/* int * */
	ARG_INTS_OUT,			/* int[2]: pipe */
	ARG_SIGSET_IN, ARG_SIGSET_OUT,	/* `aux`: index of the size */
	ARG_PATH_OUT,			/* out: string, as long as returned */
	ARG_COMMAND,			/* selects a sub-row of `commands`: what the next argument is */
	ARG_BY_COMMAND,			/* kind given by the sub-row that the ARG_COMMAND before it selected */
};

/* How a flag of a set is treated. */
enum flag_state {
	FLAG_SUPPORTED,
	FLAG_IGNORED,			/* ignored as Linux ignores it */
	FLAG_REFUSED,			/* known on Linux, not here: refused with the set's errno */
};

struct flag_name {
	u64 value;
	u64 mask;			/* 0: the value's own bits; else a multi-bit field */
	enum flag_state state;
	const char *name;
};

struct flag_set {
	const char *name;
	const struct flag_name *flags;
	u32 n;
	bool ignores_unknown;		/* Linux ignores bits it does not know here (open(2)) */
	s32 error;			/* negative errno for refused and unknown bits */
};

struct field {				/* of a struct layout */
	const char *name;
	u16 offset;
	u8 size;			/* bytes */
	enum arg_kind kind;
	const struct flag_set *set;
};

struct layout {
	const char *name;
	const struct field *fields;
	u32 n, size;
};

struct command {			/* sub-row: ioctl, fcntl, prctl … */
	u64 value;
	const char *name;
	enum arg_kind kind;		/* of the ARG_BY_COMMAND argument */
	const struct layout *layout;
	const struct flag_set *set;
};

struct command_set {
	const char *name;
	const struct command *commands;
	u32 n;
};

struct syscall_arg {
	const char *name;
	enum arg_kind kind;
	u8 aux;
	const struct flag_set *set;
	const struct layout *layout;
	const struct command_set *commands;
};

struct syscall_row {
	const char *name;
	s64 (*handler)(const struct syscall_args *a);
	struct syscall_arg args[6];
};

extern const struct syscall_row syscall_table[];
extern const u32 syscall_table_size;

/* Names of calls that are not implemented, for the log line; "?" beyond the table. */
const char *syscall_name(u64 nr);

/* Built once at start-up from the rows: bit i set, argument i has a flag set to be checked. */
void syscall_table_init(void);

#endif
