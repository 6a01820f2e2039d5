/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The tracer: prints calls in strace's format, from the rows' argument kinds (format.c) and nothing else.
 *
 * One line a call, printed when it ends, so lines of several threads never mix: `[pid    7] openat(AT_FDCWD, "x", O_RDONLY) = 3`.
 * What goes in is formatted before the call (exec destroys it), what comes out after it. With `,once` calls of a kind that has failed before are formatted
 * only if they succeed, all after the call: programs that ask again and again run on nearly as fast as untraced.
 * A thread is traced while its program's name or its pid matches; trace_lock guards the setting.
 */
#include <lib/hash.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <frame/log.h>
#include <frame/spinlock.h>
#include "proc/policy.h"
#include "proc/thread.h"
#include "syscall/errname.h"
#include "syscall/format.h"
#include "syscall/trace.h"

#define WHAT_MAX 64
#define ONCE ",once"
#define SHAPES 8192		/* a power of two; the table itself calls for some hundreds, their flags for some thousands */

bool trace_enabled;
static bool trace_all;			/* [a] "*": what every call asks first needs no lock */
static struct spinlock trace_lock = SPINLOCK_INIT("trace");
static char trace_what[WHAT_MAX];	/* [trace_lock] */
static s32 trace_pid;			/* [trace_lock] 0: by name */
static bool trace_once;			/* [a] of calls that differ in no flag, the first that succeeds, and no other */
static u64 seen_shapes[SHAPES];		/* [a] those printed, as hashes; 0: free */

/* What becomes of the calls of one shape, each a shape of its own in seen_shapes. */
enum { SHAPE_FAILED = 1, SHAPE_INTERRUPTED };

int trace_set(const char *what)
{
	size_t len = strnlen(what, WHAT_MAX);
	bool is_once;
	u64 pid = 0;

	while (len && (what[len - 1] == '\n' || what[len - 1] == ' '))
		len--;
	if (len == WHAT_MAX)
		return -EINVAL;
	is_once = len >= strlen(ONCE) && memcmp(what + len - strlen(ONCE), ONCE, strlen(ONCE)) == 0;
	len -= is_once ? strlen(ONCE) : 0;
	SPIN_GUARD(&trace_lock);
	__atomic_store_n(&trace_once, is_once, __ATOMIC_RELAXED);
	memcpy(trace_what, what, len);
	trace_what[len] = 0;
	if (parse_u64(trace_what, len, 10, &pid) || pid > PID_LIMIT)
		pid = 0;
	trace_pid = (s32)pid;
	__atomic_store_n(&trace_all, strcmp(trace_what, "*") == 0, __ATOMIC_RELAXED);
	__atomic_store_n(&trace_enabled, len != 0, __ATOMIC_RELEASE);
	return 0;
}

void proc_policy_trace_get(char *buf, size_t max)
{
	SPIN_GUARD(&trace_lock);
	(void)strscpy(buf, trace_what, max);
}

int proc_policy_trace_set(const char *what)
{
	return trace_set(what);
}

/* Whether that shape has been printed; `is_new` says that it is about to be, and then only one caller gets false. A full table: all have. */
static bool shape_seen(u64 shape, bool is_new)
{
	for (u32 i = 0; i < 64; i++) {
		u64 *slot = &seen_shapes[(shape + i) % SHAPES], old = __atomic_load_n(slot, __ATOMIC_RELAXED);

		if (!old && !is_new)
			return false;
		if (!old && __atomic_compare_exchange_n(slot, &old, shape, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return false;
		if (old == shape)
			return true;
	}
	return true;
}

static u64 non_zero(u64 shape)
{
	return shape ? shape : 1;
}

static u64 shape_of(u64 nr, const struct syscall_row *row, const struct syscall_args *a)
{
	return non_zero(hash_u64((row && row->handler ? format_shape(row, a) : 0) + nr));
}

static u64 outcome_shape(u64 shape, u64 outcome)
{
	return non_zero(hash_u64(shape + outcome));
}

bool trace_wants(const struct thread *t)
{
	if (__atomic_load_n(&trace_all, __ATOMIC_RELAXED))
		return true;
	SPIN_GUARD(&trace_lock);
	if (trace_pid)
		return process_tgid(t->process) == trace_pid;
	return strncmp(trace_what, t->sched.comm, sizeof(t->sched.comm) - 1) == 0;
}

static void add_arguments(struct text *line, const struct trace_call *tc)
{
	bool is_clone = tc->row && tc->row->args[0].kind == ARG_CLONE_FLAGS;
	const char *separator = "";

	for (u32 i = 0; i < 6; i++) {
		const struct text *arg = &tc->arg[is_clone && i < 2 ? 1 - i : i];

		if (!arg->len)
			continue;
		text_add(line, "%s%s", separator, arg->buf);
		separator = ", ";
	}
}

static void print_call(struct trace_call *tc, s64 ret, bool has_returned)
{
	struct text line;

	text_init(&line);
	text_add(&line, "[pid %4d] ", thread_tid(current_thread()));
	if (tc->row && tc->row->handler)
		text_add(&line, "%s(", tc->row->name);
	else
		text_add(&line, "syscall_%#lx(", tc->nr);
	add_arguments(&line, tc);
	if (has_returned)
		format_result(&line, tc->row, ret);
	else
		text_add(&line, ") = ?");
	klog(LOG_INFO, "%s", line.buf);
	text_fini(&line);
}

static void free_call(struct trace_call *tc)
{
	for (u32 i = 0; i < 6; i++)
		text_fini(&tc->arg[i]);
}

/* Calls that do not come back are printed before they go. */
static bool never_returns(const struct syscall_row *row)
{
	return row && row->name && (strcmp(row->name, "exit") == 0 || strcmp(row->name, "exit_group") == 0);
}

static bool is_exec(const struct syscall_row *row)
{
	return row && (row->args[1].kind == ARG_STRINGS || row->args[2].kind == ARG_STRINGS);
}

static void format_in(struct trace_call *tc)
{
	const struct syscall_row *row = tc->row && tc->row->handler ? tc->row : NULL;

	for (u32 i = 0; i < 6; i++) {
		if (!row)
			text_add(&tc->arg[i], "%#lx", tc->args.v[i]);
		else if (row->args[i].kind == ARG_NONE)
			break;
		else
			format_before(&tc->arg[i], row, &tc->args, i);
	}
}

bool trace_enter(struct trace_call *tc, u64 nr, const struct syscall_row *row, const struct syscall_args *a)
{
	u64 shape = __atomic_load_n(&trace_once, __ATOMIC_RELAXED) ? shape_of(nr, row, a) : 0;

	if (shape && shape_seen(shape, never_returns(row)))
		return false;
	tc->nr = nr;
	tc->shape = shape;
	tc->row = row;
	tc->args = *a;
	tc->is_late = shape && !is_exec(row) && shape_seen(outcome_shape(shape, SHAPE_FAILED), false);
	for (u32 i = 0; i < 6; i++)
		text_init(&tc->arg[i]);
	if (!tc->is_late)
		format_in(tc);
	if (never_returns(row)) {
		print_call(tc, 0, false);
		free_call(tc);
		return false;
	}
	current_thread()->traced = tc;
	return true;
}

void trace_last(void)
{
	struct trace_call *tc = current_thread()->traced;

	if (!tc)
		return;
	if (tc->is_late)
		format_in(tc);
	print_call(tc, 0, false);
}

/* Of calls traced once, those that failed are not; what a signal ended is another kind than what came to its own end. */
static bool is_to_print(const struct trace_call *tc, s64 ret)
{
	if (!tc->shape)
		return true;
	if (ret >= 0 || ret < -MAX_ERRNO_SHOWN)
		return !shape_seen(tc->shape, true);
	if (is_restart(-ret))
		return !shape_seen(outcome_shape(tc->shape, SHAPE_INTERRUPTED), true);
	if (!tc->is_late)
		(void)shape_seen(outcome_shape(tc->shape, SHAPE_FAILED), true);
	return false;
}

void trace_leave(struct trace_call *tc, s64 ret)
{
	current_thread()->traced = NULL;
	if (!is_to_print(tc, ret)) {
		free_call(tc);
		return;
	}
	if (tc->is_late)
		format_in(tc);
	if (tc->row && tc->row->handler)
		for (u32 i = 0; i < 6 && tc->row->args[i].kind != ARG_NONE; i++)
			format_after(&tc->arg[i], tc->row, &tc->args, i, ret);
	print_call(tc, ret, true);
	free_call(tc);
}
