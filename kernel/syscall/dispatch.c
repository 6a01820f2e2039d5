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

static u8 flag_args[ABI_CALLS];		/* [I after syscall_table_init] */
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

static s64 check_flags(u64 nr, const struct syscall_row *row, const struct syscall_args *a)
{
	for (u32 i = 0; i < 6; i++) {
		const struct syscall_arg *arg = &row->args[i];
		u64 bits;

		if (!(flag_args[nr] >> i & 1))
			continue;
		bits = refused_bits(arg->set, arg->kind == ARG_FLAGS ? (u32)a->v[i] : a->v[i]);
		if (!bits)
			continue;
		if (first_time(said_refused, nr))
			klog(LOG_INFO, "%s: flags %#lx of %s are not supported; first used by %s[%d]", row->name, bits, arg->set->name,
			     current_sched()->comm, thread_tid(current_thread()));
		return arg->set->error;
	}
	return 0;
}

static s64 run(u64 nr, const struct syscall_row *row, const struct syscall_args *a)
{
	s64 err = flag_args[nr] ? check_flags(nr, row, a) : 0;

	return err ? err : row->handler(a);
}

static s64 run_traced(u64 nr, const struct syscall_row *row, const struct syscall_args *a)
{
	struct trace_call *tc = trace_enter(nr, row, a);
	s64 ret = row && row->handler ? run(nr, row, a) : missing(nr);

	if (tc)
		trace_leave(tc, ret);
	return ret;
}

void syscall_dispatch(u64 nr, const u64 args[6])
{
	const struct syscall_args *a = (const struct syscall_args *)(const void *)args;
	const struct syscall_row *row = nr < syscall_table_size ? &syscall_table[nr] : NULL;
	s64 ret;

	if (unlikely(trace_enabled) && trace_wants(current_thread()))
		ret = run_traced(nr, row, a);
	else if (unlikely(!row || !row->handler))
		ret = missing(nr);
	else
		ret = run(nr, row, a);
	user_set_return(current_task()->regs, (u64)ret);
	if (unlikely(is_restart(-ret)))
		task_work_set(current_task(), TASK_WORK_RESTART);
}

void syscall_table_init(void)
{
	for (u32 nr = 0; nr < syscall_table_size; nr++)
		for (u32 i = 0; i < 6; i++)
			if (syscall_table[nr].args[i].kind == ARG_FLAGS && !syscall_table[nr].args[i].aux)
				flag_args[nr] |= (u8)(1u << i);
}
