/* SPDX-License-Identifier: MPL-2.0 */
/* lib/idalloc.h: against an array of bool. */
#include <lib/errno.h>
#include <lib/bitmap.h>
#include <lib/idalloc.h>
#include <lib/string.h>

#include "unit.h"

#define MAX_IDS 70000

static bool model[MAX_IDS];

static u32 model_find(u32 min, u32 end)
{
	while (min < end && model[min])
		min++;
	return min;
}

static void check_alloc(struct idalloc *ida, u32 min, u32 end)
{
	u32 want = min < end ? model_find(min, min(end, ida->nr)) : end;
	u32 id = 0;
	int err = idalloc_alloc(ida, min, end, &id);

	if (want >= end || want >= ida->nr) {
		CHECK_EQ(err, -ENOSPC);
	} else {
		CHECK_EQ(err, 0);
		CHECK_EQ(id, want);
		model[id] = true;
	}
}

/* Some of the free ids of the word that @id is in. */
static void check_take_word(struct idalloc *ida, u32 id)
{
	u64 bits = unit_random() | (unit_random_below(2) ? ~0ul : 0);

	for (u32 i = 0; i < 64; i++)
		if (id / 64 * 64 + i >= ida->nr || model[id / 64 * 64 + i])
			bits &= ~(1ul << i);
	idalloc_take_word(ida, id / 64, bits);
	for (u32 i = 0; i < 64; i++)
		if (bits & (1ul << i))
			model[id / 64 * 64 + i] = true;
}

static void random_ops(u32 nr, int steps)
{
	void *mem = malloc(idalloc_bytes(nr));
	struct idalloc ida;
	u32 used = 0;

	memset(model, 0, sizeof(model));
	idalloc_init(&ida, mem, nr);
	for (int i = 0; i < steps; i++) {
		u32 id = (u32)unit_random_below(nr);

		switch (unit_random_below(i % 16 ? 4 : 5)) {
		case 4:
			check_take_word(&ida, id);
			break;
		case 0:
			check_alloc(&ida, id, (u32)unit_random_below(nr + 10));
			break;
		case 1:
			check_alloc(&ida, (u32)unit_random_below(3), U32_MAX);
			break;
		case 2:
			idalloc_free(&ida, id);
			model[id] = false;
			break;
		default:
			CHECK_EQ(idalloc_take(&ida, id), model[id] ? -EBUSY : 0);
			model[id] = true;
			break;
		}
		CHECK(idalloc_is_used(&ida, id) == model[id]);
	}
	for (u32 i = 0; i < nr; i++) {
		used += model[i];
		CHECK(bitmap_test(idalloc_bits(&ida), i) == model[i]);
	}
	CHECK_EQ(ida.used, used);
	free(mem);
}

static void test_random(void)
{
	static const u32 sizes[] = { 1, 2, 63, 64, 65, 200, 4095, 4096, 4097, 5000 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		random_ops(sizes[i], 3000);
}

/* Fill up, empty at random places, fill again. */
static void test_full(void)
{
	void *mem = malloc(idalloc_bytes(MAX_IDS));
	struct idalloc ida;
	u32 id;

	memset(model, 0, sizeof(model));
	idalloc_init(&ida, mem, MAX_IDS);
	for (u32 i = 0; i < MAX_IDS; i++)
		CHECK(idalloc_alloc(&ida, 0, U32_MAX, &id) == 0 && id == i);
	CHECK_EQ(idalloc_alloc(&ida, 0, U32_MAX, &id), -ENOSPC);
	memset(model, 1, sizeof(model));
	for (int i = 0; i < 2000; i++) {
		u32 gone = (u32)unit_random_below(MAX_IDS);

		idalloc_free(&ida, gone);
		model[gone] = false;
		if (i % 3)
			check_alloc(&ida, (u32)unit_random_below(MAX_IDS), U32_MAX);
	}
	while (ida.used < MAX_IDS)
		check_alloc(&ida, 0, U32_MAX);
	CHECK_EQ(idalloc_take(&ida, MAX_IDS), -EINVAL);
	idalloc_free(&ida, MAX_IDS);
	free(mem);
}

static void test_cyclic(void)
{
	void *mem = malloc(idalloc_bytes(100));
	struct idalloc ida;
	u32 id;

	idalloc_init(&ida, mem, 100);
	CHECK_EQ(idalloc_take(&ida, 32), 0);
	for (u32 want = 30; want < 50; want++) {
		if (want == 32)
			continue;
		CHECK(idalloc_alloc_cyclic(&ida, 30, 50, &id) == 0 && id == want);
		if (want != 35)
			idalloc_free(&ida, id);
	}
	/* Round again, past what is taken. */
	CHECK(idalloc_alloc_cyclic(&ida, 30, 50, &id) == 0 && id == 30);
	for (int i = 0; i < 17; i++)
		CHECK_EQ(idalloc_alloc_cyclic(&ida, 30, 50, &id), 0);
	CHECK_EQ(idalloc_alloc_cyclic(&ida, 30, 50, &id), -ENOSPC);
	idalloc_free(&ida, 33);
	CHECK(idalloc_alloc_cyclic(&ida, 30, 50, &id) == 0 && id == 33);
	free(mem);
}

static void test_grow(void)
{
	static const u32 sizes[] = { 10, 64, 100, 4096, 5000, MAX_IDS };
	void *mem = malloc(idalloc_bytes(3));
	struct idalloc ida;

	memset(model, 0, sizeof(model));
	idalloc_init(&ida, mem, 3);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *larger = malloc(idalloc_bytes(sizes[i]));

		for (int n = 0; n < 300; n++)
			check_alloc(&ida, 0, U32_MAX);
		idalloc_grow(&ida, larger, sizes[i]);
		free(mem);
		mem = larger;
		for (u32 id = 0; id < ida.nr; id++)
			CHECK(idalloc_is_used(&ida, id) == model[id]);
	}
	check_alloc(&ida, 0, U32_MAX);
	free(mem);
}

static void test_huge(void)
{
	CHECK_EQ(idalloc_bytes(1), 8);
	CHECK_EQ(idalloc_bytes(64), 8);
	CHECK_EQ(idalloc_bytes(65), 24);
	CHECK(idalloc_bytes(U32_MAX) / 8 == (1UL << 26) + (1UL << 20) + (1UL << 14) + 256 + 4 + 1);
}

UNIT_TESTS("idalloc", UNIT(test_random), UNIT(test_full), UNIT(test_cyclic), UNIT(test_grow), UNIT(test_huge));
