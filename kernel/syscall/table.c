/* SPDX-License-Identifier: MPL-2.0 */
/* The rows of table.h made into the array that dispatch and the tracer read, the handlers' prototypes, and the names of all calls that Linux has. */
#include "abi/number.h"
#include "syscall/handlers.h"
#include "syscall/row.h"
#include "syscall/sets.h"

#define FD(n)			{ .name = #n, .kind = ARG_FD }
#define DIRFD(n)		{ .name = #n, .kind = ARG_DIRFD }
#define PID(n)			{ .name = #n, .kind = ARG_PID }
#define UID(n)			{ .name = #n, .kind = ARG_UID }
#define SIGNAL(n)		{ .name = #n, .kind = ARG_SIGNAL }
#define MODE(n)			{ .name = #n, .kind = ARG_MODE }
#define DEV(n)			{ .name = #n, .kind = ARG_DEV }
#define INT(n)			{ .name = #n, .kind = ARG_INT }
#define UINT(n)			{ .name = #n, .kind = ARG_UINT }
#define LONG(n)			{ .name = #n, .kind = ARG_LONG }
#define SIZE(n)			{ .name = #n, .kind = ARG_ULONG }
#define HEX(n)			{ .name = #n, .kind = ARG_HEX }
#define HIDDEN(n)		{ .name = #n, .kind = ARG_HIDDEN }
#define PTR(n)			{ .name = #n, .kind = ARG_PTR }
#define ADDR(n)			{ .name = #n, .kind = ARG_ADDR }
#define PATH(n)			{ .name = #n, .kind = ARG_PATH }
#define PATH_OUT(n)		{ .name = #n, .kind = ARG_PATH_OUT }
#define STRINGS(n)		{ .name = #n, .kind = ARG_STRINGS }
#define BUF_IN(n, size)		{ .name = #n, .kind = ARG_BUF_IN, .aux = (size) }
#define BUF_OUT(n)		{ .name = #n, .kind = ARG_BUF_OUT }
#define IOVEC_IN(n, count)	{ .name = #n, .kind = ARG_IOVEC_IN, .aux = (count) }
#define IOVEC_OUT(n, count)	{ .name = #n, .kind = ARG_IOVEC_OUT, .aux = (count) }
#define FLAGS(n, s)		{ .name = #n, .kind = ARG_FLAGS, .set = &(s) }
/* Bits whose check needs more than a set: the handler makes it. */
#define FLAGS_UNCHECKED(n, s)	{ .name = #n, .kind = ARG_FLAGS, .aux = 1, .set = &(s) }
#define ENUM_BITS(n, s)		FLAGS_UNCHECKED(n, s)
#define CLONE_FLAGS(n, s)	{ .name = #n, .kind = ARG_CLONE_FLAGS, .set = &(s) }
#define ENUM(n, s)		{ .name = #n, .kind = ARG_ENUM, .set = &(s) }
#define STRUCT_IN(n, l)		{ .name = #n, .kind = ARG_STRUCT_IN, .layout = &(l) }
#define STRUCT_OUT(n, l)	{ .name = #n, .kind = ARG_STRUCT_OUT, .layout = &(l) }
#define STRUCTS_IN(n, l, count)	{ .name = #n, .kind = ARG_STRUCTS_IN, .layout = &(l), .aux = (count) }
#define STRUCTS_OUT(n, l)	{ .name = #n, .kind = ARG_STRUCTS_OUT, .layout = &(l) }
#define INT_OUT(n)		{ .name = #n, .kind = ARG_INT_OUT }
#define INTS_OUT(n)		{ .name = #n, .kind = ARG_INTS_OUT }
#define SIGSET_IN(n, size)	{ .name = #n, .kind = ARG_SIGSET_IN, .aux = (size) }
#define SIGSET_OUT(n, size)	{ .name = #n, .kind = ARG_SIGSET_OUT, .aux = (size) }
#define COMMAND(n, c)		{ .name = #n, .kind = ARG_COMMAND, .commands = &(c) }
#define BY_COMMAND(n)		{ .name = #n, .kind = ARG_BY_COMMAND }

const struct syscall_row syscall_table[ABI_CALLS] = {
#define ROW(nr, call, ...) [nr] = { .name = #call, .handler = sys_##call, .args = { __VA_ARGS__ } },
#include "syscall/table.h"
#undef ROW
};
const u32 syscall_table_size = ABI_CALLS;

/* The rows' numbers are those of the UAPI header. */
#define ROW(nr, call, ...) _Static_assert((nr) == __NR_##call, #call);
#include "syscall/table.h"
#undef ROW

/* Names of the calls without a row, for the one log line a first use gets. */
static const char *const other_names[ABI_CALLS] = {
#define NAME(n) [__NR_##n] = #n,
#include "syscall/names.h"
#undef NAME
};

const char *syscall_name(u64 nr)
{
	if (nr >= ABI_CALLS)
		return "?";
	if (syscall_table[nr].name)
		return syscall_table[nr].name;
	return other_names[nr] ? other_names[nr] : "?";
}
