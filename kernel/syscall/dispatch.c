/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From a number to its handler: look the row up, refuse flags that its sets do not allow, trace if asked, call.
 *
 * Nothing here knows a particular call. A call without a row answers ENOSYS and says so once in the log; so does the first refused flag of each row.
 */
#include <lib/bitmap.h>
#include <frame/log.h>
#include "abi/number.h"
#include "proc/policy.h"
#include "proc/thread.h"
#include "syscall/errname.h"
#include "syscall/row.h"
#include "syscall/trace.h"

/* The arguments that have a flag set, row by row. */
struct flag_check {
	u32 passes;			/* bits that never refuse anything, whatever goes with them */
	u8 arg;				/* its lower 32 bits count */
};

#define MAX_CHECKS 256

static struct flag_check checks[MAX_CHECKS];	/* [I after syscall_table_init] */
static struct {
	u8 first, n;
} row_checks[ABI_CALLS];		/* [I after syscall_table_init] */
static u64 said_missing[(ABI_CALLS + 63) / 64];	/* [a] */
static u64 said_refused[(ABI_CALLS + 63) / 64];	/* [a] */

static bool first_time(u64 *map, u64 nr)
{
	u64 bit = 1ul << (nr % 64);

	return !(__atomic_fetch_or(&map[nr / 64], bit, __ATOMIC_RELAXED) & bit);
}

static s64 missing(u64 nr)
{
	const struct thread *t = current_thread();

	if (nr < ABI_CALLS && first_time(said_missing, nr))
		klog(LOG_INFO, "call %lu (%s) is not supported; first used by %s[%d]", nr, syscall_name(nr), t->sched.comm, thread_tid(t));
	return -ENOSYS;
}

/* Bits of `value` that the set does not let through. */
static u64 refused_bits(const struct flag_set *set, u64 value)
{
	u64 known = 0, refused = 0;

	for (u32 i = 0; i < set->n; i++) {
		const struct flag_name *f = &set->flags[i];
		u64 mask = f->mask ? f->mask : f->value;

		known |= mask;
		if (f->state == FLAG_REFUSED && (value & mask) == f->value && f->value)
			refused |= f->value;
	}
	return refused | (set->ignores_unknown ? 0 : value & ~known);
}

/* False: the set names no error of its own, the handler has it. */
static bool refuse(u64 nr, const struct syscall_row *row, const struct flag_set *set, u64 bits)
{
	if (first_time(said_refused, nr))
		klog(LOG_INFO, "%s: flags %#lx of %s are not supported; first used by %s[%d]", row->name, bits, set->name, current_sched()->comm,
		     thread_tid(current_thread()));
	return set->error != 0;
}

/* A row that has checks. */
static __noinline s64 check_and_run(u64 nr, const struct syscall_row *row, const struct syscall_args *a)
{
	const struct flag_check *c = &checks[row_checks[nr].first], *end = c + row_checks[nr].n;

	for (; c < end; c++) {
		u32 value = (u32)a->v[c->arg];
		u64 bits;

		if (likely(!(value & ~c->passes)))
			continue;
		bits = refused_bits(row->args[c->arg].set, value);
		if (bits && refuse(nr, row, row->args[c->arg].set, bits))
			return row->args[c->arg].set->error;
	}
	return row->handler(a);
}

/* With a handler. Inline: on the way of every call. */
static __always_inline s64 run(u64 nr, const struct syscall_row *row, const struct syscall_args *a)
{
	return row_checks[nr].n ? check_and_run(nr, row, a) : row->handler(a);
}

static inline void finish(struct user_regs *r, s64 ret)
{
	user_set_return(r, (u64)ret);
	if (unlikely(is_restart(-ret)))
		task_work_set(current_task(), TASK_WORK_RESTART);
}

/* A call that may be traced, or has no handler. */
static __noinline void syscall_dispatch_slowly(struct user_regs *r)
{
	u64 nr = user_call(r);
	const struct syscall_args *a = &r->args;
	const struct syscall_row *row = nr < syscall_table_size ? &syscall_table[nr] : NULL;
	struct trace_call tc;
	bool is_traced = trace_enabled && trace_wants(current_thread()) && trace_enter(&tc, nr, row, a);
	s64 ret = row && row->handler ? run(nr, row, a) : missing(nr);

	if (is_traced)
		trace_leave(&tc, ret);
	finish(r, ret);
}

void syscall_dispatch(struct user_regs *r)
{
	u64 nr = user_call(r);

	if (unlikely(trace_enabled) || unlikely(nr >= syscall_table_size) || unlikely(!syscall_table[nr].handler))
		syscall_dispatch_slowly(r);
	else
		finish(r, run(nr, &syscall_table[nr], &r->args));
}

/* Bits of fields and flags none of whose values is refused. */
static u64 passing_bits(const struct flag_set *set)
{
	u64 known = set->ignores_unknown ? ~0ul : 0, refusing = 0;

	for (u32 i = 0; i < set->n; i++) {
		const struct flag_name *f = &set->flags[i];
		u64 mask = f->mask ? f->mask : f->value;

		known |= mask;
		if (f->state == FLAG_REFUSED)
			refusing |= mask;
	}
	return known & ~refusing;
}

void syscall_table_init(void)
{
	u32 n = 0;

	for (u32 nr = 0; nr < syscall_table_size; nr++) {
		row_checks[nr].first = (u8)n;
		for (u8 i = 0; i < 6; i++) {
			const struct syscall_arg *arg = &syscall_table[nr].args[i];

			if (arg->kind != ARG_FLAGS || arg->aux)
				continue;
			BUG_ON(n == MAX_CHECKS);
			checks[n++] = (struct flag_check){ (u32)passing_bits(arg->set), i };
			row_checks[nr].n++;
		}
	}
}
