/* SPDX-License-Identifier: MPL-2.0 */
/* What the kernel's own functions are called: for /proc/PID/stack and wchan, and for dumps to the log. Immutable; any context. */
#ifndef PROC_SYMBOLS_H
#define PROC_SYMBOLS_H

#include <lib/types.h>

/* From kernel.lds: the table that tools/symbols.py made, and the bounds of sched/ and sync/. */
extern const struct symbol_table symbols_start;
extern const char wait_text_start[], wait_text_end[];

struct symbol_place {
	const char *name;
	u32 offset, size;	/* into the function, of it; bytes */
};

/* Where the call stands that returns to `pc`. False: in no function of the image. O(log n) */
__must_check bool symbol_of_return(u64 pc, struct symbol_place *out);
/* Whether that is in the scheduler or the waiting primitives (sched/, sync/): who waits is their first caller outside. */
bool symbol_is_waiting(u64 pc);

#endif
