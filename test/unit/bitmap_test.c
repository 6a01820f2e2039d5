/* SPDX-License-Identifier: MPL-2.0 */
/* lib/bitmap.h: against arrays of bool; what lies past the end is filled with either value. */
#include <lib/bitmap.h>

#include "unit.h"

#define MAX_BITS 200

static void randomize(u64 *map, bool *model)
{
	int density = (int)unit_random_below(5);

	for (size_t i = 0; i < BITMAP_WORDS(MAX_BITS) * 64; i++) {
		model[i] = density == 4 ? true : unit_random_below(4) < (u64)density;
		bitmap_assign(map, i, model[i]);
	}
}

static size_t model_find(const bool *model, size_t nbits, size_t from, bool value)
{
	while (from < nbits && model[from] != value)
		from++;
	return min(from, nbits);
}

static void test_find(void)
{
	BITMAP_DEFINE(map, MAX_BITS);
	bool model[MAX_BITS + 64];

	for (int round = 0; round < 3000; round++) {
		size_t nbits = unit_random_below(MAX_BITS + 1);
		size_t from = unit_random_below(MAX_BITS + 1);
		size_t count = 0, last = nbits;

		randomize(map, model);
		CHECK_EQ(bitmap_find_one(map, nbits, from), model_find(model, nbits, min(from, nbits), true));
		CHECK_EQ(bitmap_find_zero(map, nbits, from), model_find(model, nbits, min(from, nbits), false));
		for (size_t i = 0; i < nbits; i++) {
			CHECK(bitmap_test(map, i) == model[i]);
			count += model[i];
			last = model[i] ? i : last;
		}
		CHECK_EQ(bitmap_count(map, nbits), count);
		CHECK_EQ(bitmap_find_last(map, nbits), last);
		CHECK(bitmap_is_empty(map, nbits) == (count == 0));
		CHECK(bitmap_is_full(map, nbits) == (count == nbits));
		last = nbits;
		bitmap_for_each(from, map, nbits)
			CHECK(model[from] && count-- > 0);
		CHECK_EQ(count, 0);
	}
}

static void test_ranges(void)
{
	BITMAP_DEFINE(map, MAX_BITS);
	bool model[MAX_BITS + 64];

	for (int round = 0; round < 3000; round++) {
		size_t first = unit_random_below(MAX_BITS);
		size_t count = unit_random_below(MAX_BITS - first + 1);
		bool value = round % 2;

		randomize(map, model);
		if (value)
			bitmap_set_range(map, first, count);
		else
			bitmap_clear_range(map, first, count);
		for (size_t i = 0; i < MAX_BITS; i++)
			CHECK(bitmap_test(map, i) ==
			      (i >= first && i < first + count ? value : model[i]));
	}
}

static void test_runs(void)
{
	BITMAP_DEFINE(map, MAX_BITS);
	bool model[MAX_BITS + 64];

	for (int round = 0; round < 3000; round++) {
		size_t nbits = unit_random_below(MAX_BITS + 1);
		size_t from = unit_random_below(MAX_BITS);
		size_t count = 1 + unit_random_below(6);
		size_t want = nbits;

		randomize(map, model);
		for (size_t i = from; i + count <= nbits && want == nbits; i++)
			if (model_find(model, i + count, i, true) == i + count)
				want = i;
		CHECK_EQ(bitmap_find_zero_run(map, nbits, from, count), want);
	}
	bitmap_zero(map, MAX_BITS);
	CHECK_EQ(bitmap_find_zero_run(map, MAX_BITS, 0, MAX_BITS), 0);
	CHECK_EQ(bitmap_find_zero_run(map, MAX_BITS, 0, SIZE_MAX), MAX_BITS);
}

static void test_sets(void)
{
	BITMAP_DEFINE(a, MAX_BITS);
	BITMAP_DEFINE(b, MAX_BITS);
	BITMAP_DEFINE(c, MAX_BITS);
	bool ma[MAX_BITS + 64], mb[MAX_BITS + 64];

	for (int round = 0; round < 1000; round++) {
		size_t nbits = unit_random_below(MAX_BITS + 1);
		bool is_equal = true, is_subset = true, is_common = false;

		randomize(a, ma);
		randomize(b, mb);
		for (size_t i = 0; i < nbits; i++) {
			is_equal &= ma[i] == mb[i];
			is_subset &= !ma[i] || mb[i];
			is_common |= ma[i] && mb[i];
		}
		CHECK(bitmap_equal(a, b, nbits) == is_equal);
		CHECK(bitmap_is_subset(a, b, nbits) == is_subset);
		CHECK(bitmap_intersects(a, b, nbits) == is_common);
		bitmap_and(c, a, b, MAX_BITS);
		for (size_t i = 0; i < MAX_BITS; i++)
			CHECK(bitmap_test(c, i) == (ma[i] && mb[i]));
		bitmap_or(c, a, b, MAX_BITS);
		for (size_t i = 0; i < MAX_BITS; i++)
			CHECK(bitmap_test(c, i) == (ma[i] || mb[i]));
		bitmap_andnot(c, a, b, MAX_BITS);
		for (size_t i = 0; i < MAX_BITS; i++)
			CHECK(bitmap_test(c, i) == (ma[i] && !mb[i]));
		bitmap_copy(c, a, MAX_BITS);
		CHECK(bitmap_equal(c, a, MAX_BITS));
	}
}

static void test_atomic(void)
{
	BITMAP_DEFINE(map, MAX_BITS);

	bitmap_fill(map, MAX_BITS);
	CHECK(bitmap_is_full(map, MAX_BITS));
	bitmap_zero(map, MAX_BITS);
	CHECK(bitmap_is_empty(map, MAX_BITS));
	bitmap_set_atomic(map, 63);
	bitmap_set_atomic(map, 64);
	CHECK(bitmap_test(map, 63) && bitmap_test(map, 64) && bitmap_count(map, MAX_BITS) == 2);
	CHECK(bitmap_test_and_set_atomic(map, 64) && !bitmap_test_and_set_atomic(map, 65));
	bitmap_clear_atomic(map, 63);
	CHECK(!bitmap_test_and_clear_atomic(map, 63) && bitmap_test_and_clear_atomic(map, 65));
	CHECK_EQ(bitmap_find_one(map, MAX_BITS, 0), 64);
}

UNIT_TESTS("bitmap", UNIT(test_find), UNIT(test_ranges), UNIT(test_runs), UNIT(test_sets), UNIT(test_atomic));
