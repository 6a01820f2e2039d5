/* SPDX-License-Identifier: MPL-2.0 */
/* Promises of frame/log.h. LOG_DEBUG records stay off the console. */
#include <lib/printf.h>
#include <lib/string.h>
#include <frame/clock.h>
#include <frame/ipi.h>
#include <frame/log.h>
#include <frame/percpu.h>
#include <frame/preempt.h>
#include "ktest.h"

static char text[LOG_TEXT_MAX];

/* Reads the next record from *seq on that begins with `prefix`; leaves *seq behind it. */
static bool find(u64 *seq, const char *prefix, struct log_record *rec)
{
	size_t len = strlen(prefix);

	while (log_read(seq, rec, text, sizeof(text))) {
		++*seq;
		if (rec->len >= len && !memcmp(text, prefix, len))
			return true;
	}
	return false;
}

KTEST(log_reads_back)
{
	u64 before = clock_now_ns(), seq = log_next_seq();
	struct log_record rec, next;

	klog(LOG_DEBUG, "ktest-one %d\n", 42);
	klog(LOG_DEBUG, "ktest-two");
	KT_EXPECT(find(&seq, "ktest-one", &rec));
	KT_EXPECT_EQ(rec.len, strlen("ktest-one 42"));
	KT_EXPECT(!memcmp(text, "ktest-one 42", 12));
	KT_EXPECT_EQ(rec.level, LOG_DEBUG);
	KT_EXPECT_EQ(rec.facility, 0);
	KT_EXPECT(rec.time_ns >= before && rec.time_ns <= clock_now_ns());
	KT_EXPECT(find(&seq, "ktest-two", &next));
	KT_EXPECT(next.seq > rec.seq && next.time_ns >= rec.time_ns);
	seq = log_next_seq();
	KT_EXPECT(!find(&seq, "ktest-one", &rec));
}

KTEST(log_cuts_long_texts)
{
	static char big[2000];
	u64 seq = log_next_seq();
	struct log_record rec;
	char few[8];

	memset(big, 'x', sizeof(big) - 1);
	klog(LOG_DEBUG, "ktest-long%s", big);
	KT_EXPECT(find(&seq, "ktest-long", &rec));
	KT_EXPECT_EQ(rec.len, LOG_TEXT_MAX);
	KT_EXPECT(text[LOG_TEXT_MAX - 1] == 'x');
	seq = rec.seq;
	KT_EXPECT(log_read(&seq, &rec, few, sizeof(few)));
	KT_EXPECT_EQ(rec.len, sizeof(few));
	KT_EXPECT(!memcmp(few, "ktest-lo", 8));
}

KTEST(log_user_records)
{
	u64 seq = log_next_seq();
	struct log_record rec;

	log_write_user(3 << 3 | LOG_DEBUG, "ktest-user\0!", 12);
	KT_EXPECT(find(&seq, "ktest-user", &rec));
	KT_EXPECT_EQ(rec.len, 12);
	KT_EXPECT_EQ(rec.facility, 3);
	KT_EXPECT_EQ(rec.level, LOG_DEBUG);
}

#define WRAP_TEXT " some words to make it of an ordinary length"

/* The number of a record of the test below, or -1 if it is somebody else's. */
static s64 wrap_number(const struct log_record *rec)
{
	size_t head = strlen("ktest-wrap "), tail = strlen(WRAP_TEXT);
	u64 number;

	if (rec->len < head || memcmp(text, "ktest-wrap ", head))
		return -1;
	if (rec->len <= head + tail || memcmp(text + rec->len - tail, WRAP_TEXT, tail) ||
	    parse_u64(text + head, rec->len - head - tail, 10, &number)) {
		ktest_fail(__FILE__, __LINE__, "torn: %.*s", (int)rec->len, text);
		return -1;
	}
	return (s64)number;
}

KTEST(log_ring_wraps)
{
	u64 first = log_first_seq(), seq, last_seq = 0;
	struct log_record rec;
	s64 last = -1;
	u32 n = 0;

	for (u32 i = 0; i < 20000; i++)
		klog(LOG_DEBUG, "ktest-wrap %u" WRAP_TEXT, i);
	KT_EXPECT(log_first_seq() > first);
	for (seq = log_first_seq(); log_read(&seq, &rec, text, sizeof(text)); seq++, n++) {
		s64 number = wrap_number(&rec);

		if (n && rec.seq != last_seq + 1)
			ktest_fail(__FILE__, __LINE__, "record %lu after %lu", rec.seq, last_seq);
		last_seq = rec.seq;
		if (number < 0)
			continue;
		if (last >= 0 && number != last + 1)
			ktest_fail(__FILE__, __LINE__, "number %ld after %ld", number, last);
		last = number;
	}
	KT_EXPECT(n > 500);
	KT_EXPECT_EQ(last, 19999);
	KT_EXPECT_EQ(last_seq + 1, log_next_seq());
}

/* Together fewer than the ring of the release build has room for. */
static u32 each(void)
{
	return min(300u, 500u / cpu_count());
}

static void write_some(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < each(); i++)
		klog(LOG_DEBUG, "ktest-cpu %u %u", cpu_id(), i);
}

KTEST(log_many_writers)
{
	static u32 next[FRAME_MAX_CPUS];
	u64 seq = log_next_seq();
	struct log_record rec;

	memset(next, 0, sizeof(next));
	ktest_on_every_cpu(write_some, NULL);
	for (u32 total = 0; find(&seq, "ktest-cpu ", &rec); total++) {
		char expected[48];
		u32 cpu;

		for (cpu = 0; cpu < cpu_count(); cpu++) {
			int len = snprintf(expected, sizeof(expected), "ktest-cpu %u %u", cpu, next[cpu]);

			if (rec.len == (size_t)len && !memcmp(text, expected, rec.len))
				break;
		}
		if (cpu == cpu_count())
			ktest_fail(__FILE__, __LINE__, "out of order or torn: %.*s", (int)rec.len, text);
		else
			next[cpu]++;
	}
	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		KT_EXPECT_EQ(next[cpu], each());
}

static void write_hard(void *arg)
{
	(void)arg;
	klog(LOG_DEBUG, "ktest-hard %u", cpu_id());
}

KTEST(log_hard_context)
{
	u64 seq = log_next_seq();
	struct cpuset all = { { 0 } };
	struct log_record rec;
	u32 n = 0;

	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		cpuset_add(&all, cpu);
	ipi_call(&all, write_hard, NULL);
	while (find(&seq, "ktest-hard ", &rec))
		n++;
	KT_EXPECT_EQ(n, cpu_count());
}

KTEST(log_console_level_is_bounded)
{
	u32 old = log_console_level(~0u);

	KT_EXPECT_EQ(log_console_level(3), old);
	KT_EXPECT_EQ(log_console_level(0), 3);
	KT_EXPECT_EQ(log_console_level(99), 1);
	KT_EXPECT_EQ(log_console_level(old), 15);
	KT_EXPECT_EQ(log_console_level(~0u), old);
}

static u32 n_heard, n_heard_wrong;	/* [a] */

static void on_record(void)
{
	if (!in_soft() || in_hard())
		__atomic_fetch_add(&n_heard_wrong, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&n_heard, 1, __ATOMIC_RELAXED);
}

/* Last by name, for it takes the place of the kernel's own listener. */
KTEST(zz_log_listener)
{
	n_heard = n_heard_wrong = 0;
	log_set_listener(on_record);
	klog(LOG_DEBUG, "ktest-listen");
	KT_EXPECT_EQ(READ_ONCE(n_heard), 1);
	irq_disable();
	klog(LOG_DEBUG, "ktest-listen");
	KT_EXPECT_EQ(READ_ONCE(n_heard), 1);
	irq_enable();
	KT_EXPECT_EQ(READ_ONCE(n_heard), 2);
	KT_EXPECT_EQ(n_heard_wrong, 0);
	log_set_listener(NULL);
	klog(LOG_DEBUG, "ktest-listen");
	KT_EXPECT_EQ(READ_ONCE(n_heard), 2);
}
