/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A small TAP harness for host unit tests. A test is a function; it fails if any CHECK in it does:
 *
 *	static void test_empty(void) { CHECK(list_empty(&head)); }
 *	UNIT_TESTS("list", UNIT(test_empty));
 *
 * The sanitizers abort the program at once; test/unit/run.sh turns that into a failed test of the
 * module.
 */
#ifndef TEST_UNIT_UNIT_H
#define TEST_UNIT_UNIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct unit_test {
	const char *name;
	void (*fn)(void);
};

static int unit_failed;

/* A test may fail in a loop: the first few times tell enough. */
#define UNIT_MAX_REPORTS 20

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond) && unit_failed++ < UNIT_MAX_REPORTS)                                   \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);                        \
	} while (0)
#define CHECK_EQ(a, b)                                                                             \
	do {                                                                                       \
		long long unit_a = (long long)(a), unit_b = (long long)(b);                        \
		if (unit_a != unit_b && unit_failed++ < UNIT_MAX_REPORTS)                          \
			printf("# %s:%d: %s is %lld (0x%llx), not %s, %lld (0x%llx)\n", __FILE__,  \
			       __LINE__, #a, unit_a, (unsigned long long)unit_a, #b, unit_b,       \
			       (unsigned long long)unit_b);                                        \
	} while (0)

static inline int unit_run(const char *module, const struct unit_test *tests, int n)
{
	int failed = 0;

	printf("1..%d\n", n);
	fflush(stdout);
	for (int i = 0; i < n; i++) {
		unit_failed = 0;
		tests[i].fn();
		printf("%sok %d - %s: %s\n", unit_failed ? "not " : "", i + 1, module, tests[i].name);
		fflush(stdout);
		failed += unit_failed != 0;
	}
	return failed != 0;
}

#define UNIT(fn)                                                                                   \
	{                                                                                          \
		#fn, fn                                                                            \
	}
#define UNIT_TESTS(module, ...)                                                                    \
	int main(void)                                                                             \
	{                                                                                          \
		static const struct unit_test tests[] = { __VA_ARGS__ };                           \
		return unit_run(module, tests, (int)(sizeof(tests) / sizeof(tests[0])));           \
	}

/* The same numbers in every run (xorshift64*). */
static uint64_t unit_seed = 88172645463325252UL;

static inline uint64_t unit_random(void)
{
	unit_seed ^= unit_seed >> 12;
	unit_seed ^= unit_seed << 25;
	unit_seed ^= unit_seed >> 27;
	return unit_seed * 2685821657736338717UL;
}

/* 0..n-1 */
static inline uint64_t unit_random_below(uint64_t n)
{
	return (unit_random() >> 11) % n;
}

#endif
