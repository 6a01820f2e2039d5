/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Expected reports (frame/report.h). One expectation at a time: ktests run one after the other. All fields atomic: reporters are in any
 * context; those on other tasks, or in an interrupt on top of the expecting one, are never swallowed.
 */
#include <frame/percpu.h>
#include <frame/preempt.h>
#include <frame/report.h>
#include <frame/core/internal.h>

static struct task *expecting;		/* [a] */
static u32 expected_kind;		/* [a] enum report_kind */
static u32 caught;			/* [a] */

bool report_expect(enum report_kind kind)
{
#ifndef KEEL_DEBUG
	if (kind != REPORT_SLEEP_ATOMIC && kind != REPORT_FRAME && kind != REPORT_TASK)
		return false;
#endif
	WRITE_ONCE(caught, 0);
	WRITE_ONCE(expected_kind, kind);
	STORE_RELEASE(expecting, current_task());
	return true;
}

u32 report_caught(void)
{
	STORE_RELEASE(expecting, NULL);
	WRITE_ONCE(expected_kind, REPORT_NONE);
	return READ_ONCE(caught);
}

bool report_swallow(enum report_kind kind)
{
	struct task *t = LOAD_ACQUIRE(expecting);

	if (!t || t != current_task() || in_hard() || READ_ONCE(expected_kind) != (u32)kind)
		return false;
	__atomic_fetch_add(&caught, 1, __ATOMIC_RELAXED);
	return true;
}
