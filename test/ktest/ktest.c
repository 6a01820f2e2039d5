/* SPDX-License-Identifier: MPL-2.0 */
/* Runs the tests of ktest.h and reports in TAP on the early console, past the log. */
#include <lib/printf.h>
#include <lib/string.h>
#include <frame/clock.h>
#include <frame/irq.h>
#include <frame/log.h>
#include <frame/percpu.h>
#include "sched/kthread.h"
#include "sync/policy.h"
#include "ktest.h"

extern const struct ktest __ktest_start[], __ktest_end[];

static u32 failures;			/* [a] of the test that runs */
static char skip_reason[80];

static __printf(1, 2) void tap(const char *fmt, ...)
{
	char line[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	line[len++] = '\n';
	log_console_raw(line, (size_t)len);
}

void ktest_fail(const char *file, int line, const char *fmt, ...)
{
	char text[160];
	va_list args;

	va_start(args, fmt);
	(void)vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* A loop of failures says no more than the first few. */
	if (__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED) < 10)
		tap("# %s:%d: %s", file, line, text);
}

bool ktest_report_end(const char *file, int line, const char *kind)
{
	if (!report_caught())
		ktest_fail(file, line, "no report: %s", kind);
	return false;
}

void ktest_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vscnprintf(skip_reason, sizeof(skip_reason), fmt, args);
	va_end(args);
}

void ktest_sleep_ms(u32 ms)
{
	u64 until = clock_now_ns() + ms * NSEC_PER_MSEC;

	while (clock_now_ns() < until) {
		sched_prepare_sleep(SLEEP_UNINTERRUPTIBLE);
		(void)sched_sleep_until(until);
	}
}

void ktest_on_every_cpu(void (*fn)(void *arg), void *arg)
{
	struct kthread *threads[FRAME_MAX_CPUS];
	u32 n = cpu_count();

	for (u32 i = 0; i < n; i++) {
		if (kthread_create(&threads[i], fn, arg, (s32)i, "ktest")) {
			ktest_fail(__FILE__, __LINE__, "no thread on CPU %u", i);
			threads[i] = NULL;
		}
	}
	for (u32 i = 0; i < n; i++)
		if (threads[i])
			kthread_join(threads[i]);
}

static bool (*soft_handler)(void);	/* [a] */

static bool run_soft(void)
{
	return READ_ONCE(soft_handler)();
}

void ktest_set_soft(bool (*handler)(void))
{
	bool is_first = !READ_ONCE(soft_handler);

	WRITE_ONCE(soft_handler, handler);
	if (is_first)
		soft_register(SOFT_TEST, run_soft);
}

static bool is_chosen(const struct ktest *t, const char *filter)
{
	if (t->is_fatal)
		return filter && !strcmp(t->name, filter);
	return !filter || str_startswith(t->name, filter);
}

/* The chosen test that comes after `last` by name; NULL: none. */
static const struct ktest *next_by_name(const struct ktest *last, const char *filter)
{
	const struct ktest *best = NULL;

	for (const struct ktest *t = __ktest_start; t < __ktest_end; t++)
		if (is_chosen(t, filter) && (!last || strcmp(t->name, last->name) > 0) && (!best || strcmp(t->name, best->name) < 0))
			best = t;
	return best;
}

static bool run_one(const struct ktest *t, u32 number)
{
	u64 warnings = kwarn_count(), begin = clock_now_ns(), ms;
	bool is_ok;

	failures = 0;
	skip_reason[0] = '\0';
	t->fn();
	if (kwarn_count() != warnings)
		ktest_fail(__FILE__, __LINE__, "%lu kernel warnings", kwarn_count() - warnings);
	is_ok = failures == 0;
	ms = (clock_now_ns() - begin) / NSEC_PER_MSEC;
	if (is_ok && skip_reason[0])
		tap("ok %u - %s # SKIP %s", number, t->name, skip_reason);
	else
		tap("%s %u - %s # %lu ms", is_ok ? "ok" : "not ok", number, t->name, ms);
	return is_ok;
}

u32 ktest_run(const char *filter)
{
	u32 n = 0, failed = 0;

	for (const struct ktest *t = __ktest_start; t < __ktest_end; t++)
		n += is_chosen(t, filter);
	tap("\n1..%u", n);	/* the console may stand in the middle of a line of the firmware's */
	n = 0;
	for (const struct ktest *t = next_by_name(NULL, filter); t; t = next_by_name(t, filter))
		failed += !run_one(t, ++n);
	tap("# ktest done: %u passed, %u failed", n - failed, failed);
	return failed;
}
