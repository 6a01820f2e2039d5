/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Arguments as strace shows them: one function a kind of argument. In-arguments are formatted before the call, out-arguments after it, and only if it succeeded.
 */
#include <lib/hash.h>
#include <lib/printf.h>
#include <lib/string.h>
#include "abi/fcntl.h"
#include "abi/process.h"
#include "abi/stat.h"
#include "mm/alloc.h"
#include "signal/signal.h"
#include "syscall/errname.h"
#include "syscall/format.h"
#include "syscall/sets.h"

#define STRING_SHOWN 32		/* bytes of a buffer or string, as strace's -s default */
#define SEGMENTS_SHOWN 16
#define FS_PATH_SHOWN 512
#define ELEMENT_ROOM 48		/* a member of an array or struct is begun only if there is so much left */

static char empty_text[1];

void text_init(struct text *t)
{
	t->buf = empty_text;
	t->len = 0;
	t->room = TEXT_MAX;
}

void text_fini(struct text *t)
{
	if (t->buf != empty_text)
		kfree(t->buf);
	text_init(t);
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	if (t->buf == empty_text) {
		char *buf = kmalloc(TEXT_MAX, ALLOC_SLEEP);

		if (!buf)
			return;
		t->buf = buf;
		buf[0] = 0;
	}
	va_start(ap, fmt);
	t->len += (size_t)vscnprintf(t->buf + t->len, TEXT_MAX - t->len, fmt, ap);
	va_end(ap);
}

/* Whether n bytes more are too much for what may be cut. */
static bool is_full(const struct text *t, size_t n)
{
	return t->len + n > t->room;
}

/* --- bytes and strings */

static void add_byte(struct text *t, u8 c, bool next_is_digit)
{
	static const char plain[] = "\t\n\v\f\r", letter[] = "tnvfr";
	const char *p = c ? strchr(plain, c) : NULL;

	if (p)
		text_add(t, "\\%c", letter[p - plain]);
	else if (c == '"' || c == '\\')
		text_add(t, "\\%c", c);
	else if (c >= ' ' && c < 0x7f)
		text_add(t, "%c", c);
	else
		text_add(t, "\\%0*o", next_is_digit ? 3 : 1, c);
}

static void add_quoted(struct text *t, const u8 *bytes, size_t n, bool is_cut)
{
	size_t i;

	text_add(t, "\"");
	for (i = 0; i < n && !is_full(t, sizeof("\\377\"...")); i++)
		add_byte(t, bytes[i], i + 1 < n && bytes[i + 1] >= '0' && bytes[i + 1] <= '7');
	text_add(t, is_cut || i < n ? "\"..." : "\"");
}

static void add_pointer(struct text *t, u64 v)
{
	if (v)
		text_add(t, "%#lx", v);
	else
		text_add(t, "NULL");
}

static void add_user_bytes(struct text *t, u64 addr, u64 n)
{
	u8 bytes[STRING_SHOWN];
	size_t shown = min(n, (u64)sizeof(bytes));

	if (uget(bytes, uaddr(addr), shown))
		add_pointer(t, addr);
	else
		add_quoted(t, bytes, shown, n > shown);
}

static void add_user_string(struct text *t, u64 addr, size_t max_shown)
{
	char *buf = addr ? kmalloc(FS_PATH_SHOWN, ALLOC_SLEEP) : NULL;
	ssize_t n = buf ? ucopy_string(current_uspace(), buf, uaddr(addr), FS_PATH_SHOWN) : -EFAULT;

	if (n == -ENAMETOOLONG)
		add_quoted(t, (const u8 *)buf, min(max_shown, (size_t)FS_PATH_SHOWN - 1), true);
	else if (n < 0)
		add_pointer(t, addr);
	else
		add_quoted(t, (const u8 *)buf, min(max_shown, (size_t)n), (size_t)n > max_shown);
	kfree(buf);
}

static void add_user_strings(struct text *t, u64 addr)
{
	u64 p;

	if (!addr) {
		text_add(t, "NULL");
		return;
	}
	text_add(t, "[");
	for (u32 i = 0; !uget(&p, uaddr(addr + i * sizeof(p)), sizeof(p)) && p; i++) {
		if (i)
			text_add(t, ", ");
		if (i == SEGMENTS_SHOWN || is_full(t, ELEMENT_ROOM)) {
			text_add(t, "...");
			break;
		}
		add_user_string(t, p, STRING_SHOWN);
	}
	text_add(t, "]");
}

/* `limit`: bytes that the call moved. */
static void add_user_iovec(struct text *t, u64 addr, u64 count, u64 limit)
{
	struct iovec_k v;

	text_add(t, "[");
	for (u64 i = 0; i < count; i++) {
		u64 n;

		if (i)
			text_add(t, ", ");
		if (i == SEGMENTS_SHOWN || is_full(t, ELEMENT_ROOM) || uget(&v, uaddr(addr + i * sizeof(v)), sizeof(v))) {
			text_add(t, "...");
			break;
		}
		n = min(v.len, limit);
		text_add(t, "{iov_base=");
		add_user_bytes(t, v.base, n);
		text_add(t, ", iov_len=%lu}", v.len);
		limit -= n;
	}
	text_add(t, "]");
}

/* --- flags, enumerations, numbers */

static void add_flags(struct text *t, const struct flag_set *set, u64 value)
{
	const char *separator = "";
	u64 left = value, fields = 0;

	for (u32 i = 0; i < set->n; i++) {
		const struct flag_name *f = &set->flags[i];
		u64 mask = f->mask ? f->mask : f->value;

		if ((mask & fields) == mask || (value & mask) != f->value || (f->mask == 0 && (left & f->value) == 0))
			continue;
		if (f->mask)
			fields |= mask;
		text_add(t, "%s%s", separator, f->name);
		separator = "|";
		left &= ~f->value;
	}
	if (left)
		text_add(t, "%s%#lx", separator, left);
	else if (!*separator)
		text_add(t, "0");
}

static void add_enum(struct text *t, const struct flag_set *set, u64 value)
{
	for (u32 i = 0; i < set->n; i++)
		if ((u32)set->flags[i].value == (u32)value) {
			text_add(t, "%s", set->flags[i].name);
			return;
		}
	text_add(t, "%#x", (u32)value);
}

static void add_mode(struct text *t, u32 mode)
{
	if (mode & S_IFMT) {
		add_enum(t, &mode_types, mode & S_IFMT);
		text_add(t, "|");
	}
	text_add(t, "%04o", mode & 07777);
}

/* A clone's flags, with the signal that the parent gets. */
static void add_clone_flags(struct text *t, const struct flag_set *set, u64 value)
{
	u64 signal = value & CSIGNAL;

	if (value != signal || !signal)
		add_flags(t, set, value & ~(u64)CSIGNAL);
	if (signal) {
		text_add(t, value != signal ? "|" : "");
		add_enum(t, &signal_names, signal);
	}
}

static void add_sigset(struct text *t, u64 addr)
{
	const char *separator = "";
	bool is_inverse;
	u64 set;

	if (!addr || uget(&set, uaddr(addr), sizeof(set))) {
		add_pointer(t, addr);
		return;
	}
	is_inverse = __builtin_popcountll(set) >= SIG_COUNT * 2 / 3;
	if (is_inverse)
		set = ~set;
	text_add(t, is_inverse ? "~[" : "[");
	for (u32 i = 0; i < signal_names.n; i++)
		if (set & sig_bit((u32)signal_names.flags[i].value)) {
			text_add(t, "%s%s", separator, signal_names.flags[i].name + strlen("SIG"));
			separator = " ";
		}
	text_add(t, "]");
}

static void add_number(struct text *t, enum arg_kind kind, u64 v)
{
	switch (kind) {
	case ARG_DIRFD:
		if ((s32)v == AT_FDCWD) {
			text_add(t, "AT_FDCWD");
			break;
		}
		/* fallthrough */
	case ARG_INT:
	case ARG_FD:
	case ARG_PID:
		text_add(t, "%d", (s32)v);
		break;
	case ARG_UID:
		if ((u32)v == ~0u)
			text_add(t, "-1");
		else
			text_add(t, "%u", (u32)v);
		break;
	case ARG_UINT:
		text_add(t, "%u", (u32)v);
		break;
	case ARG_LONG:
		text_add(t, "%ld", (s64)v);
		break;
	case ARG_ULONG:
		text_add(t, "%lu", v);
		break;
	case ARG_OCTAL:
		text_add(t, "%#lo", v);
		break;
	case ARG_MODE:
		add_mode(t, (u32)v);
		break;
	case ARG_SIGNAL:
		add_enum(t, &signal_names, v);
		break;
	case ARG_DEV:
		text_add(t, "makedev(%#x, %#x)", (u32)(v >> 8 & 0xfff), (u32)((v & 0xff) | (v >> 12 & 0xfff00)));
		break;
	case ARG_PTR:
	case ARG_ADDR:
		add_pointer(t, v);
		break;
	default:
		text_add(t, "%#lx", v);
	}
}

/* --- structs */

static u64 field_value(const u8 *base, const struct field *f)
{
	u64 v = 0;

	memcpy(&v, base + f->offset, min((size_t)f->size, sizeof(v)));
	if (f->size == 4 && (f->kind == ARG_INT || f->kind == ARG_LONG))
		v = (u64)(s64)(s32)v;
	return v;
}

static void add_struct(struct text *t, const struct layout *layout, u64 addr)
{
	u8 *copy = addr ? kmalloc(layout->size, ALLOC_SLEEP) : NULL;

	if (!copy || uget(copy, uaddr(addr), layout->size)) {
		add_pointer(t, addr);
		kfree(copy);
		return;
	}
	text_add(t, "{");
	for (u32 i = 0; i < layout->n; i++) {
		const struct field *f = &layout->fields[i];

		if (i && is_full(t, ELEMENT_ROOM)) {
			text_add(t, ", ...");
			break;
		}
		text_add(t, "%s%s=", i ? ", " : "", f->name);
		if (f->kind == ARG_PATH)
			add_quoted(t, copy + f->offset, strnlen((const char *)copy + f->offset, f->size), false);
		else if (f->set)
			add_flags(t, f->set, field_value(copy, f));
		else
			add_number(t, f->kind, field_value(copy, f));
	}
	text_add(t, "}");
	kfree(copy);
}

static void add_structs(struct text *t, const struct layout *layout, u64 addr, u64 n)
{
	text_add(t, "[");
	for (u64 i = 0; i < n; i++) {
		if (i)
			text_add(t, ", ");
		if (i == SEGMENTS_SHOWN || is_full(t, ELEMENT_ROOM)) {
			text_add(t, "...");
			break;
		}
		add_struct(t, layout, addr + i * layout->size);
	}
	text_add(t, "]");
}

static void add_ints(struct text *t, u64 addr, u32 n)
{
	s32 v[2];

	if (!addr || uget(v, uaddr(addr), n * sizeof(v[0])))
		add_pointer(t, addr);
	else if (n == 1)
		text_add(t, "[%d]", v[0]);
	else
		text_add(t, "[%d, %d]", v[0], v[1]);
}

/* --- one argument */

/* The sub-row that the command argument before argument i selects. */
static const struct command *find_command(const struct syscall_row *row, const struct syscall_args *a, u32 i)
{
	const struct command_set *set = row->args[i].commands;

	for (u32 c = 0; c < set->n; c++)
		if ((u32)set->commands[c].value == (u32)a->v[i])
			return &set->commands[c];
	return NULL;
}

static struct syscall_arg resolve(const struct syscall_row *row, const struct syscall_args *a, u32 i)
{
	struct syscall_arg arg = row->args[i];

	if (arg.kind == ARG_BY_COMMAND) {
		const struct command *c = find_command(row, a, i - 1);

		arg.kind = c ? c->kind : ARG_HEX;
		arg.layout = c ? c->layout : NULL;
		arg.set = c ? c->set : NULL;
	}
	return arg;
}

static u64 mix(u64 shape, u64 v)
{
	return hash_u64(shape ^ hash_u64(v));
}

static u64 mix_struct(u64 shape, const struct layout *layout, u64 addr)
{
	for (u32 i = 0; addr && i < layout->n; i++) {
		const struct field *f = &layout->fields[i];
		u64 v = 0;

		if (f->set && !uget(&v, uaddr(addr + f->offset), min((size_t)f->size, sizeof(v))))
			shape = mix(shape, v);
	}
	return shape;
}

u64 format_shape(const struct syscall_row *row, const struct syscall_args *a)
{
	u64 shape = 1;

	for (u32 i = 0; i < 6 && row->args[i].kind != ARG_NONE; i++) {
		struct syscall_arg resolved;
		const struct syscall_arg *arg = &row->args[i];

		if (arg->kind == ARG_BY_COMMAND) {
			resolved = resolve(row, a, i);
			arg = &resolved;
		}
		switch (arg->kind) {
		case ARG_FLAGS:
		case ARG_CLONE_FLAGS:
		case ARG_ENUM:
		case ARG_COMMAND:
		case ARG_SIGNAL:
			shape = mix(shape, a->v[i]);
			break;
		case ARG_STRUCT_IN:
		case ARG_STRUCT_INOUT:
			shape = mix_struct(shape, arg->layout, a->v[i]);
			break;
		case ARG_STRUCTS_IN:
			for (u64 k = 0; k < min(a->v[arg->aux], (u64)SEGMENTS_SHOWN); k++)
				shape = mix_struct(shape, arg->layout, a->v[i] + k * arg->layout->size);
			break;
		default:
			break;
		}
	}
	return shape;
}

/* What may be cut gets an equal share each. */
static size_t room_of(const struct syscall_row *row, const struct syscall_args *a)
{
	size_t n = 0;

	for (u32 i = 0; i < 6; i++)
		switch (resolve(row, a, i).kind) {
		case ARG_PATH:
		case ARG_STRINGS:
		case ARG_BUF_IN:
		case ARG_BUF_OUT:
		case ARG_PATH_OUT:
		case ARG_IOVEC_IN:
		case ARG_IOVEC_OUT:
		case ARG_STRUCT_IN:
		case ARG_STRUCT_OUT:
		case ARG_STRUCT_INOUT:
		case ARG_STRUCTS_IN:
		case ARG_STRUCTS_OUT:
		case ARG_SIGSET_IN:
		case ARG_SIGSET_OUT:
			n++;
			break;
		default:
			break;
		}
	return LINE_LONG / (n ? n : 1);
}

void format_before(struct text *t, const struct syscall_row *row, const struct syscall_args *a, u32 i)
{
	struct syscall_arg arg = resolve(row, a, i);
	u64 v = a->v[i];

	t->room = room_of(row, a);
	switch (arg.kind) {
	case ARG_NONE:
	case ARG_HIDDEN:
	case ARG_BUF_OUT:
	case ARG_PATH_OUT:
	case ARG_IOVEC_OUT:
	case ARG_STRUCT_OUT:
	case ARG_STRUCTS_OUT:
	case ARG_STRUCT_INOUT:
	case ARG_SIGSET_OUT:
	case ARG_INT_OUT:
	case ARG_INTS_OUT:
		break;
	case ARG_PATH:
		add_user_string(t, v, FS_PATH_SHOWN);
		break;
	case ARG_STRINGS:
		add_user_strings(t, v);
		break;
	case ARG_BUF_IN:
		add_user_bytes(t, v, a->v[arg.aux]);
		break;
	case ARG_IOVEC_IN:
		add_user_iovec(t, v, a->v[arg.aux], ~0ull);
		break;
	case ARG_FLAGS:
		add_flags(t, arg.set, (u32)v);
		break;
	case ARG_CLONE_FLAGS:
		add_clone_flags(t, arg.set, v);
		break;
	case ARG_ENUM:
		add_enum(t, arg.set, v);
		break;
	case ARG_STRUCTS_IN:
		if (v)
			add_structs(t, arg.layout, v, a->v[arg.aux]);
		else
			add_pointer(t, v);
		break;
	case ARG_STRUCT_IN:
		add_struct(t, arg.layout, v);
		break;
	case ARG_SIGSET_IN:
		add_sigset(t, v);
		break;
	case ARG_COMMAND: {
		const struct command *c = find_command(row, a, i);

		if (c)
			text_add(t, "%s", c->name);
		else
			text_add(t, "%#x", (u32)v);
		break;
	}
	default:
		add_number(t, arg.kind, v);
	}
}

void format_after(struct text *t, const struct syscall_row *row, const struct syscall_args *a, u32 i, s64 ret)
{
	struct syscall_arg arg = resolve(row, a, i);
	u64 v = a->v[i];

	if (t->len || arg.kind == ARG_NONE || arg.kind == ARG_HIDDEN)
		return;
	if (ret < 0) {
		add_pointer(t, v);
		return;
	}
	switch (arg.kind) {
	case ARG_BUF_OUT:
	case ARG_PATH_OUT:
		add_user_bytes(t, v, (u64)ret);
		break;
	case ARG_IOVEC_OUT:
		add_user_iovec(t, v, a->v[arg.aux], (u64)ret);
		break;
	case ARG_STRUCT_OUT:
	case ARG_STRUCT_INOUT:
		add_struct(t, arg.layout, v);
		break;
	case ARG_STRUCTS_OUT:
		add_structs(t, arg.layout, v, (u64)ret);
		break;
	case ARG_SIGSET_OUT:
		add_sigset(t, v);
		break;
	case ARG_INT_OUT:
		add_ints(t, v, 1);
		break;
	case ARG_INTS_OUT:
		add_ints(t, v, 2);
		break;
	default:
		add_pointer(t, v);
	}
}

void format_result(struct text *t, const struct syscall_row *row, s64 ret)
{
	bool is_address = row && row->handler && row->args[0].kind == ARG_ADDR;

	text_add(t, ") = ");
	if (ret >= 0 || ret < -MAX_ERRNO_SHOWN)
		add_number(t, is_address ? ARG_PTR : ARG_LONG, (u64)ret);
	else if (is_restart(-ret))
		text_add(t, "? %s (To be restarted)", errno_name((u32)-ret));
	else
		text_add(t, "-1 %s (%s)", errno_name((u32)-ret), errno_text((u32)-ret));
}
