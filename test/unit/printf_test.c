/* SPDX-License-Identifier: MPL-2.0 */
/* lib/printf.h: against the host's vsnprintf. */
#include <lib/printf.h>
#include <lib/string.h>

#include "unit.h"

#pragma GCC diagnostic ignored "-Wformat"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wformat-overflow"
#endif
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

/* Not marked __printf: the formats are made at random. */
static void same(size_t size, const char *fmt, ...)
{
	char ours[600], theirs[600];
	va_list args;
	int n, want;

	memset(ours, 'Z', sizeof(ours));
	memset(theirs, 'Z', sizeof(theirs));
	va_start(args, fmt);
	n = vsnprintf(ours, size, fmt, args);
	va_end(args);
	va_start(args, fmt);
	want = host_vsnprintf(theirs, size, fmt, args);
	va_end(args);
	if ((n != want || memcmp(ours, theirs, sizeof(ours)) != 0) &&
	    unit_failed++ < UNIT_MAX_REPORTS)
		printf("# format \"%s\", size %zu: %d \"%.*s\", not %d \"%.*s\"\n", fmt, size, n,
		       size ? 300 : 0, ours, want, size ? 300 : 0, theirs);
}

static u64 random_value(void)
{
	static const u64 edges[] = { 0, 1, 7, 8, 9, 10, 127, 128, 255, 256, 32767, 32768, 65535,
				     0x7fffffff, 0x80000000, 0xffffffff, S64_MAX, 1UL << 63, U64_MAX };

	if (unit_random_below(2))
		return edges[unit_random_below(ARRAY_SIZE(edges))];
	return unit_random() >> unit_random_below(64);
}

static size_t random_size(void)
{
	return unit_random_below(3) ? 600 : unit_random_below(30);
}

/* %, flags, width and precision; *stars is how many of the two come from arguments. */
static char *random_spec(char *p, int *stars)
{
	static const char flags[] = "-+ #0";

	*stars = 0;
	*p++ = '%';
	for (int i = 0; i < 5; i++)
		if (unit_random_below(3) == 0)
			*p++ = flags[i];
	switch (unit_random_below(4)) {
	case 0:
		p += sprintf(p, "%d", 1 + (int)unit_random_below(40));
		break;
	case 1:
		*p++ = '*';
		++*stars;
		break;
	}
	switch (unit_random_below(5)) {
	case 0:
		p += sprintf(p, ".%d", (int)unit_random_below(40));
		break;
	case 1:
		*p++ = '.';
		break;
	case 2:
		*p++ = '.';
		*p++ = '*';
		++*stars;
		break;
	}
	*p = 0;
	return p;
}

static int random_star(void)
{
	return (int)unit_random_below(60) - 20;
}

static void test_integers(void)
{
	static const char *const lengths[] = { "hh", "h", "", "l", "ll", "z", "t", "j" };
	static const char convs[] = "diuoxX";

	for (int round = 0; round < 60000; round++) {
		char fmt[64] = "<";
		const char *length = lengths[unit_random_below(ARRAY_SIZE(lengths))];
		u64 value = random_value();
		int stars;
		char *p = random_spec(fmt + 1, &stars);

		sprintf(p, "%s%c>", length, convs[unit_random_below(6)]);
		if (length[0] == 'h' || !length[0])
			value = (u32)value;
		if (stars == 0)
			same(random_size(), fmt, value);
		else if (stars == 1)
			same(random_size(), fmt, random_star(), value);
		else
			same(random_size(), fmt, random_star(), random_star(), value);
	}
}

static void test_text(void)
{
	static const char *const texts[] = { "", "a", "hello", "a longer text than any precision is: 1234567890" };

	for (int round = 0; round < 20000; round++) {
		const char *text = texts[unit_random_below(ARRAY_SIZE(texts))];
		bool is_char = unit_random_below(4) == 0;
		char fmt[64] = "[";
		u64 value = is_char ? 'x' : (u64)(uintptr_t)text;
		int stars;
		char *p = random_spec(fmt + 1, &stars);

		sprintf(p, "%c]%%%%", is_char ? 'c' : 's');
		if (stars == 0)
			same(random_size(), fmt, value);
		else if (stars == 1)
			same(random_size(), fmt, random_star(), value);
		else
			same(random_size(), fmt, random_star(), random_star(), value);
	}
}

static void test_special(void)
{
	char buf[64];
	char unterminated[3] = { 'a', 'b', 'c' };

	same(600, "%p %20p|%-20p|", (void *)buf, (void *)buf, (void *)buf);
	same(600, "%d%s%c%%%x", 1, "two", '3', 4);
	same(600, "%.*s|%.3s", 3, unterminated, unterminated);
	same(600, "%c%c", 0, 'x');
	same(600, "plain");
	same(600, "");
	same(0, "%d", 5);
	same(1, "%d", 5);
	CHECK_EQ(snprintf(buf, sizeof(buf), "%p", (void *)NULL), 3);
	CHECK(strcmp(buf, "0x0") == 0);
	CHECK_EQ(snprintf(buf, sizeof(buf), "%s", (char *)NULL), 6);
	CHECK(strcmp(buf, "(null)") == 0);
	snprintf(buf, sizeof(buf), "%.2s", (char *)NULL);
	CHECK(strcmp(buf, "(n") == 0);
	/* Unknown conversions stand as they are; the end of the format is respected. */
	snprintf(buf, sizeof(buf), "%-5f %n %");
	CHECK(strcmp(buf, "%-5f %n %") == 0);
	snprintf(buf, sizeof(buf), "%5.");
	CHECK(strcmp(buf, "%5.") == 0);
	snprintf(buf, sizeof(buf), "%hh");
	CHECK(strcmp(buf, "%hh") == 0);
	/* Absurd widths are counted, not overflowed. */
	CHECK_EQ(snprintf(buf, 4, "%99999999999d", 1), S32_MAX);
	CHECK(strcmp(buf, "   ") == 0);
}

static void test_scnprintf(void)
{
	char buf[8];

	CHECK_EQ(scnprintf(buf, sizeof(buf), "%s", "abc"), 3);
	CHECK_EQ(scnprintf(buf, sizeof(buf), "%s", "0123456789"), 7);
	CHECK(strcmp(buf, "0123456") == 0);
	CHECK_EQ(scnprintf(buf, 0, "%s", "abc"), 0);
	CHECK_EQ(scnprintf(buf, 1, "%s", "abc"), 0);
	CHECK(buf[0] == 0 && buf[1] == '1');
}

UNIT_TESTS("printf", UNIT(test_integers), UNIT(test_text), UNIT(test_special), UNIT(test_scnprintf));
