/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/math64.h: products wider than 64 bits, for clocks and shares.
 *
 * Contract: no state; no call to the compiler's 128-bit division helper, which a kernel does not
 * link.
 */
#ifndef LIB_MATH64_H
#define LIB_MATH64_H

#include <lib/types.h>

/* a * b >> shift, of the 128-bit product; shift 0..127; higher bits of the result are cut off. */
static inline u64 mul_u64_u64_shr(u64 a, u64 b, unsigned int shift)
{
	return (u64)(((unsigned __int128)a * b) >> shift);
}

static inline u64 mul_u64_u32_shr(u64 a, u32 mul, unsigned int shift)
{
	return mul_u64_u64_shr(a, mul, shift);
}

/* (hi:lo) / d, and the remainder; hi < d, so that the quotient fits. */
u64 div_u128_u64(u64 hi, u64 lo, u64 d, u64 *rem);
/*
 * a * b / d with a 128-bit product, rounded down; U64_MAX if the quotient does not fit or d is 0.
 */
u64 mul_div_u64(u64 a, u64 b, u64 d);

/* Rounded down. */
u32 isqrt_u64(u64 x);

#endif
