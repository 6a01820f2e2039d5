/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Expecting a report. The checkers (sleep in atomic, lock order, KASAN, UBSAN) end in a panic or a warning; a ktest that plants a bug
 * announces it first, and the report is counted instead. It must come from the same task and be of the announced kind.
 */
#ifndef FRAME_REPORT_H
#define FRAME_REPORT_H

#include <lib/types.h>

enum report_kind {
	REPORT_NONE, REPORT_SLEEP_ATOMIC, REPORT_LOCKDEP, REPORT_UBSAN,
	REPORT_KASAN_HEAP, REPORT_KASAN_FREED, REPORT_KASAN_STACK, REPORT_KASAN_GLOBAL, REPORT_KASAN_OTHER,
	REPORT_FRAME,		/* frame/page.h, frame/uspace.h: a frame in the wrong state; the operation is refused */
	REPORT_TASK,		/* frame/task.h: a switch to a task that is running; refused */
};

/* From now on the current task expects reports of this kind. False (and nothing armed) if this build has no such checker. */
bool report_expect(enum report_kind kind);
/* Ends it: how many came. */
u32 report_caught(void);

#endif
