/* SPDX-License-Identifier: MPL-2.0 */
/* lib/math64.h: against the host's 128-bit division. */
#include <lib/math64.h>

#include "unit.h"

typedef unsigned __int128 u128;

static u64 random_number(void)
{
	u64 x = unit_random() >> unit_random_below(64);

	switch (unit_random_below(6)) {
	case 0:
		return ~x;
	case 1:
		return (1UL << unit_random_below(64)) - (x & 1);
	case 2:
		return x << 32;
	default:
		return x;
	}
}

static void test_division(void)
{
	for (int round = 0; round < 500000; round++) {
		u64 a = random_number(), b = random_number(), d = random_number(), rem, q;
		u128 product = (u128)a * b;

		if (!d) {
			CHECK(mul_div_u64(a, b, d) == U64_MAX);
			continue;
		}
		if (product / d > U64_MAX) {
			CHECK(mul_div_u64(a, b, d) == U64_MAX);
			continue;
		}
		CHECK(mul_div_u64(a, b, d) == (u64)(product / d));
		q = div_u128_u64((u64)(product >> 64), (u64)product, d, &rem);
		CHECK(q == (u64)(product / d) && rem == (u64)(product % d));
		b = b % d;
		q = div_u128_u64(b, a, d, &rem);
		product = (u128)b << 64 | a;
		CHECK(q == (u64)(product / d) && rem == (u64)(product % d));
	}
}

static void test_shift(void)
{
	CHECK(mul_u64_u64_shr(U64_MAX, U64_MAX, 64) == U64_MAX - 1);
	CHECK(mul_u64_u64_shr(U64_MAX, U64_MAX, 0) == 1);
	CHECK(mul_u64_u64_shr(3000000000UL, 1431655765UL, 32) == 999999999UL);
	CHECK(mul_u64_u32_shr(1UL << 40, 1U << 31, 40) == 1UL << 31);
	CHECK(mul_u64_u64_shr(U64_MAX, U64_MAX, 127) == 1);
}

static void test_sqrt(void)
{
	CHECK(isqrt_u64(0) == 0 && isqrt_u64(1) == 1 && isqrt_u64(3) == 1 && isqrt_u64(4) == 2);
	CHECK(isqrt_u64(U64_MAX) == U32_MAX);
	for (int round = 0; round < 100000; round++) {
		u64 x = random_number();
		u64 r = isqrt_u64(x);

		CHECK(r * r <= x && (u128)(r + 1) * (r + 1) > x);
	}
}

UNIT_TESTS("math64", UNIT(test_division), UNIT(test_shift), UNIT(test_sqrt));
