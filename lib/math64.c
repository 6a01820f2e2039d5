/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Division of 128 by 64 bits in plain C: Knuth, The Art of Computer Programming 2, 4.3.1, algorithm
 * D in base 2^32.
 */
#include <lib/math64.h>

/*
 * One digit of the quotient: (rem:digit) / d for rem < d, with d normalised and split in two
 * halves.
 */
static u64 quotient_digit(u64 rem, u64 digit, u64 d)
{
	u64 d_hi = d >> 32;
	u64 d_lo = d & U32_MAX;
	u64 q = rem / d_hi;
	u64 r = rem % d_hi;

	/* The estimate is too large by at most two. */
	while (q > U32_MAX || q * d_lo > (r << 32 | digit)) {
		q--;
		r += d_hi;
		if (r > U32_MAX)
			break;
	}
	return q;
}

u64 div_u128_u64(u64 hi, u64 lo, u64 d, u64 *rem)
{
	unsigned int shift = (unsigned int)__builtin_clzll(d);
	u64 q_hi, q_lo;

	if (hi == 0) {
		*rem = lo % d;
		return lo / d;
	}
	d <<= shift;
	if (shift) {
		hi = hi << shift | lo >> (64 - shift);
		lo <<= shift;
	}
	q_hi = quotient_digit(hi, lo >> 32, d);
	hi = (hi << 32 | lo >> 32) - q_hi * d;
	q_lo = quotient_digit(hi, lo & U32_MAX, d);
	hi = (hi << 32 | (lo & U32_MAX)) - q_lo * d;
	*rem = hi >> shift;
	return q_hi << 32 | q_lo;
}

u64 mul_div_u64(u64 a, u64 b, u64 d)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	u64 rem;

	if ((u64)(product >> 64) >= d)
		return U64_MAX;
	return div_u128_u64((u64)(product >> 64), (u64)product, d, &rem);
}

u32 isqrt_u64(u64 x)
{
	u64 root = 0;

	for (u64 bit = 1UL << 31; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= x)
			root |= bit;
	return (u32)root;
}
