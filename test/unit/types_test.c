/* SPDX-License-Identifier: MPL-2.0 */
/* lib/types.h: the arithmetic helpers. */
#include <lib/types.h>

#include "unit.h"

static int evaluated;

static int once(int x)
{
	evaluated++;
	return x;
}

static void test_min_max(void)
{
	size_t size = 5;
	u8 byte = 200;

	CHECK_EQ(min(size, 3), 3);
	CHECK_EQ(max(9, size), 9);
	CHECK_EQ(min(-1, 1), -1);
	CHECK_EQ(min(byte, 300), 200);
	CHECK_EQ(min_t(u32, -1, 7), 7);
	CHECK_EQ(max_t(int, -1, 7U), 7);
	CHECK_EQ(clamp(15, 0, 10), 10);
	CHECK_EQ(clamp(-5, 0, 10), 0);
	CHECK_EQ(clamp(size, 1, 10), 5);
	CHECK_EQ(min(min(size, 4), max(size, 7UL)), 4);
	evaluated = 0;
	CHECK_EQ(max(once(3), once(4)), 4);
	CHECK_EQ(evaluated, 2);
}

static void test_align(void)
{
	CHECK_EQ(ALIGN_UP(4097UL, 4096), 8192);
	CHECK_EQ(ALIGN_UP(4096, 4096), 4096);
	CHECK_EQ(ALIGN_DOWN(4095, 4096), 0);
	CHECK(ALIGN_DOWN(0xffffffff80001234UL, 4096) == 0xffffffff80001000UL);
	CHECK(ALIGN_UP(0x123456789abUL, 0x1000U) == 0x12345679000UL);
	CHECK(IS_ALIGNED(64, 16) && !IS_ALIGNED(65, 16));
	CHECK_EQ(DIV_ROUND_UP(9, 4), 3);
	CHECK(BITS(63, 0) == ~0UL && BITS(5, 2) == 0x3c && BITS(63, 63) == BIT(63));
	CHECK(is_power_of_two(1) && is_power_of_two(BIT(63)) && !is_power_of_two(0) &&
	      !is_power_of_two(6));
	CHECK_EQ(ilog2(1), 0);
	CHECK_EQ(ilog2(~0UL), 63);
	CHECK_EQ(roundup_pow2(1), 1);
	CHECK_EQ(roundup_pow2(5), 8);
	CHECK_EQ(roundup_pow2(8), 8);
}

static void test_overflow(void)
{
	u64 wide;
	u8 narrow;
	int plain;

	CHECK(add_overflows(U64_MAX, 1, &wide) && wide == 0);
	CHECK(!add_overflows(U64_MAX - 1, 1, &wide) && wide == U64_MAX);
	CHECK(add_overflows(200, 100, &narrow));
	CHECK(sub_overflows(1UL, 2UL, &wide));
	CHECK(!sub_overflows(1, 2, &plain) && plain == -1);
	CHECK(mul_overflows(1UL << 32, 1UL << 32, &wide));
	CHECK(size_mul(SIZE_MAX / 2, 3) == SIZE_MAX && size_mul(6, 7) == 42);
	CHECK(size_add(SIZE_MAX, 1) == SIZE_MAX && size_add(1, 2) == 3);
}

struct outer {
	int before;
	struct {
		int x;
	} inner;
	int array[3];
};

static void test_container(void)
{
	struct outer o = { .before = 7 };
	const int *element = &o.array[0];
	void *untyped = &o.inner;

	CHECK(container_of(&o.inner, struct outer, inner)->before == 7);
	CHECK(container_of(untyped, struct outer, inner) == &o);
	CHECK(container_of(element, struct outer, array[0]) == &o);
	CHECK_EQ(ARRAY_SIZE(o.array), 3);
}

static void test_bytes(void)
{
	u8 buf[9] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };

	CHECK_EQ(get_le16(buf + 1), 0x0201);
	CHECK_EQ(get_le32(buf + 1), 0x04030201);
	CHECK(get_le64(buf + 1) == 0x0807060504030201UL);
	put_le32(buf + 3, 0xaabbccdd);
	CHECK(buf[3] == 0xdd && buf[6] == 0xaa && buf[7] == 7);
	CHECK(cpu_to_be32(0x01020304) == 0x04030201 && be16_to_cpu(0x1234) == 0x3412);
}

UNIT_TESTS("types", UNIT(test_min_max), UNIT(test_align), UNIT(test_overflow), UNIT(test_container),
	   UNIT(test_bytes));
