/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/bitmap.h: sets of small numbers as arrays of 64-bit words.
 *
 * Contract: bit i is bit i%64 of word i/64. A bitmap of n bits has BITMAP_WORDS(n) words; bits past
 * n in the last word may have any value, no function looks at them. Searches return n ("none") when
 * nothing is found. The plain functions need the caller's lock. The _atomic ones change one word by
 * one atomic operation and may run beside each other: set and clear are relaxed, test_and_* are
 * full barriers (acquire and release).
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include <lib/types.h>

#define BITMAP_WORDS(nbits) (((nbits) + 63) / 64)
#define BITMAP_DEFINE(name, nbits) u64 name[BITMAP_WORDS(nbits)]

static inline void bitmap_set(u64 *map, size_t bit)
{
	map[bit / 64] |= 1UL << (bit % 64);
}

static inline void bitmap_clear(u64 *map, size_t bit)
{
	map[bit / 64] &= ~(1UL << (bit % 64));
}

static inline void bitmap_assign(u64 *map, size_t bit, bool value)
{
	if (value)
		bitmap_set(map, bit);
	else
		bitmap_clear(map, bit);
}

static inline bool bitmap_test(const u64 *map, size_t bit)
{
	return (READ_ONCE(map[bit / 64]) >> (bit % 64)) & 1;
}

static inline void bitmap_set_atomic(u64 *map, size_t bit)
{
	__atomic_fetch_or(&map[bit / 64], 1UL << (bit % 64), __ATOMIC_RELAXED);
}

static inline void bitmap_clear_atomic(u64 *map, size_t bit)
{
	__atomic_fetch_and(&map[bit / 64], ~(1UL << (bit % 64)), __ATOMIC_RELAXED);
}

/* The old value. */
static inline bool bitmap_test_and_set_atomic(u64 *map, size_t bit)
{
	u64 mask = 1UL << (bit % 64);

	return __atomic_fetch_or(&map[bit / 64], mask, __ATOMIC_SEQ_CST) & mask;
}

static inline bool bitmap_test_and_clear_atomic(u64 *map, size_t bit)
{
	u64 mask = 1UL << (bit % 64);

	return __atomic_fetch_and(&map[bit / 64], ~mask, __ATOMIC_SEQ_CST) & mask;
}

/* @count bits from @first on. */
void bitmap_set_range(u64 *map, size_t first, size_t count);
void bitmap_clear_range(u64 *map, size_t first, size_t count);
/* All bits 0..n-1. */
void bitmap_zero(u64 *map, size_t nbits);
void bitmap_fill(u64 *map, size_t nbits);
void bitmap_copy(u64 *dst, const u64 *src, size_t nbits);

/* The first bit at or after @from that is 1 (or 0); @nbits if there is none. */
size_t bitmap_find_one(const u64 *map, size_t nbits, size_t from);
size_t bitmap_find_zero(const u64 *map, size_t nbits, size_t from);
/* The highest bit that is 1; @nbits if there is none. */
size_t bitmap_find_last(const u64 *map, size_t nbits);
/* The first run of @count zero bits at or after @from; @nbits if there is none. */
size_t bitmap_find_zero_run(const u64 *map, size_t nbits, size_t from, size_t count);

/* How many bits are 1. */
size_t bitmap_count(const u64 *map, size_t nbits);
bool bitmap_is_empty(const u64 *map, size_t nbits);
bool bitmap_is_full(const u64 *map, size_t nbits);
bool bitmap_equal(const u64 *a, const u64 *b, size_t nbits);
bool bitmap_is_subset(const u64 *sub, const u64 *of, size_t nbits);
bool bitmap_intersects(const u64 *a, const u64 *b, size_t nbits);
/* dst = a op b; dst may be a or b. */
void bitmap_and(u64 *dst, const u64 *a, const u64 *b, size_t nbits);
void bitmap_or(u64 *dst, const u64 *a, const u64 *b, size_t nbits);
void bitmap_andnot(u64 *dst, const u64 *a, const u64 *b, size_t nbits);

#define bitmap_for_each(bit, map, nbits)                                                           \
	for ((bit) = bitmap_find_one(map, nbits, 0); (bit) < (nbits);                              \
	     (bit) = bitmap_find_one(map, nbits, (bit) + 1))

#endif
