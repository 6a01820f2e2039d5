/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tests inside the kernel, for what no program can see: frame contracts, locks, allocators, the scheduler.
 *
 *	KTEST(log_reads_back)
 *	{
 *		KT_EXPECT(log_next_seq() > 0);
 *	}
 *
 * keel.ktest on the command line runs all, keel.ktest=NAME those whose names begin with NAME. They run one after the other in one kernel
 * thread, in the order of their names; each may start threads of its own, and must be done with them before it returns. A test
 * fails by an expectation that does not hold, or by a kernel warning.
 */
#ifndef KTEST_H
#define KTEST_H

#include "start/policy.h"	/* ktest_run */
#include <lib/types.h>
#include <frame/report.h>

struct ktest {
	const char *name;
	void (*fn)(void);
	bool is_fatal;
};

#define KTEST_ENTRY(id, is_fatal)										\
static void ktest_##id(void);											\
static const struct ktest ktest_entry_##id __attribute__((section(".ktest"), used, aligned(8))) = { #id, ktest_##id, is_fatal };	\
static void ktest_##id(void)
#define KTEST(id) KTEST_ENTRY(id, false)
/* One that ends in a panic: run only by its full name (test/fault/kernel.py). */
#define KTEST_FATAL(id) KTEST_ENTRY(id, true)

#define KT_EXPECT(cond) do { if (!(cond)) ktest_fail(__FILE__, __LINE__, "%s", #cond); } while (0)
#define KT_EXPECT_EQ(a, b) do {											\
	s64 kt_a_ = (s64)(a), kt_b_ = (s64)(b);									\
	if (kt_a_ != kt_b_)											\
		ktest_fail(__FILE__, __LINE__, "%s is %ld, not %s = %ld", #a, kt_a_, #b, kt_b_);		\
} while (0)

/* The statement that follows must cause at least one report of this kind. Not run in a build that cannot make one. No break or return inside. */
#define KT_EXPECT_REPORT(kind)											\
	for (bool kt_go_ = report_expect(kind); kt_go_; kt_go_ = ktest_report_end(__FILE__, __LINE__, #kind))

/* Waits until cond holds, but not longer than `ms`; sleeps between the looks. */
#define KT_WAIT(cond, ms) do {											\
	for (u32 kt_ms_ = 0; !(cond) && kt_ms_ < (ms); kt_ms_++)						\
		ktest_sleep_ms(1);										\
	KT_EXPECT(cond);											\
} while (0)

__printf(3, 4) void ktest_fail(const char *file, int line, const char *fmt, ...);	/* any context */
bool ktest_report_end(const char *file, int line, const char *kind);
__printf(1, 2) void ktest_skip(const char *fmt, ...);		/* the test cannot say anything here: reported as such */
void ktest_sleep_ms(u32 ms);
/* Runs fn(arg) in a thread on each CPU at the same time and waits for all. */
void ktest_on_every_cpu(void (*fn)(void *arg), void *arg);

/* What SOFT_TEST runs from now on. */
void ktest_set_soft(bool (*handler)(void));

#endif
