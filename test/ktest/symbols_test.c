/* SPDX-License-Identifier: MPL-2.0 */
/* The kernel's names for its own functions. */
#include <lib/string.h>
#include <frame/task.h>
#include "ktest.h"
#include "proc/symbols.h"
#include "sched/sched.h"

KTEST(symbols_of_functions)
{
	struct symbol_place p;

	KT_EXPECT(symbol_of_return((u64)schedule + 1, &p) && !strcmp(p.name, "schedule") && p.offset == 1 && p.size > 1);
	KT_EXPECT(symbol_of_return((u64)symbol_of_return + 5, &p) && !strcmp(p.name, "symbol_of_return") && p.offset == 5);
	/* What returns behind a function's end was its last call. */
	KT_EXPECT(symbol_of_return((u64)symbol_of_return + p.size, &p) && !strcmp(p.name, "symbol_of_return") && p.offset == p.size);
	KT_EXPECT(symbol_is_waiting((u64)schedule + 1) && !symbol_is_waiting((u64)symbol_of_return + 1) && !symbol_is_waiting(0));
}

KTEST(symbols_of_nothing)
{
	const u64 bad[] = { 0, 1, 0x7fffffffffff, 0xffff800000000000, 0xffffffff80000000, (u64)&bad, ~0ul };
	struct symbol_place p;

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		KT_EXPECT(!symbol_of_return(bad[i], &p));
}

KTEST(symbols_of_this_stack)
{
	struct symbol_place p;
	u64 pcs[32];
	size_t n = task_backtrace(NULL, pcs, ARRAY_SIZE(pcs));

	KT_EXPECT(n > 1);
	for (size_t i = 0; i < n; i++)
		KT_EXPECT(symbol_of_return(pcs[i], &p) && p.offset > 0 && p.offset <= p.size);
}
