/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Bitmaps: the functions that walk words. A last, partial word is always masked before it counts.
 */
#include <lib/bitmap.h>

/* The bits of the last word that belong to a bitmap of @nbits (not a multiple of 64). */
static inline u64 tail_mask(size_t nbits)
{
	return ~(~0UL << (nbits % 64));
}

/* The mask of bits first..63, and of bits 0..end-1, within one word. */
static inline u64 mask_from(size_t first)
{
	return ~0UL << (first % 64);
}

static inline u64 mask_below(size_t end)
{
	return ~0UL >> ((64 - end % 64) % 64);
}

void bitmap_set_range(u64 *map, size_t first, size_t count)
{
	size_t end = first + count;
	size_t word = first / 64;

	if (!count)
		return;
	if (word == (end - 1) / 64) {
		map[word] |= mask_from(first) & mask_below(end);
		return;
	}
	map[word++] |= mask_from(first);
	while (word < (end - 1) / 64)
		map[word++] = ~0UL;
	map[word] |= mask_below(end);
}

void bitmap_clear_range(u64 *map, size_t first, size_t count)
{
	size_t end = first + count;
	size_t word = first / 64;

	if (!count)
		return;
	if (word == (end - 1) / 64) {
		map[word] &= ~(mask_from(first) & mask_below(end));
		return;
	}
	map[word++] &= ~mask_from(first);
	while (word < (end - 1) / 64)
		map[word++] = 0;
	map[word] &= ~mask_below(end);
}

void bitmap_zero(u64 *map, size_t nbits)
{
	for (size_t i = 0; i < BITMAP_WORDS(nbits); i++)
		map[i] = 0;
}

void bitmap_fill(u64 *map, size_t nbits)
{
	for (size_t i = 0; i < BITMAP_WORDS(nbits); i++)
		map[i] = ~0UL;
}

void bitmap_copy(u64 *dst, const u64 *src, size_t nbits)
{
	for (size_t i = 0; i < BITMAP_WORDS(nbits); i++)
		dst[i] = src[i];
}

/* @flip: 0 to look for ones, ~0 to look for zeros. */
static inline size_t find_from(const u64 *map, size_t nbits, size_t from, u64 flip)
{
	size_t word = from / 64;
	u64 bits;

	if (from >= nbits)
		return nbits;
	bits = (READ_ONCE(map[word]) ^ flip) & mask_from(from);
	while (!bits) {
		if (++word >= BITMAP_WORDS(nbits))
			return nbits;
		bits = READ_ONCE(map[word]) ^ flip;
	}
	return min(word * 64 + (size_t)__builtin_ctzll(bits), nbits);
}

size_t bitmap_find_one(const u64 *map, size_t nbits, size_t from)
{
	return find_from(map, nbits, from, 0);
}

size_t bitmap_find_zero(const u64 *map, size_t nbits, size_t from)
{
	return find_from(map, nbits, from, ~0UL);
}

size_t bitmap_find_last(const u64 *map, size_t nbits)
{
	for (size_t word = BITMAP_WORDS(nbits); word-- > 0;) {
		u64 bits = map[word];

		if (nbits % 64 && word == nbits / 64)
			bits &= tail_mask(nbits);
		if (bits)
			return word * 64 + ilog2(bits);
	}
	return nbits;
}

size_t bitmap_find_zero_run(const u64 *map, size_t nbits, size_t from, size_t count)
{
	for (;;) {
		size_t start = bitmap_find_zero(map, nbits, from);

		if (start >= nbits || count > nbits - start)
			return nbits;
		from = bitmap_find_one(map, start + count, start);
		if (from == start + count)
			return start;
	}
}

/*
 * Without the popcnt instruction __builtin_popcountll is a call into libgcc; this is what stands
 * there.
 */
static inline size_t ones(u64 x)
{
	x -= x >> 1 & 0x5555555555555555UL;
	x = (x & 0x3333333333333333UL) + (x >> 2 & 0x3333333333333333UL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
	return x * 0x0101010101010101UL >> 56;
}

size_t bitmap_count(const u64 *map, size_t nbits)
{
	size_t count = 0;

	for (size_t i = 0; i < nbits / 64; i++)
		count += ones(map[i]);
	if (nbits % 64)
		count += ones(map[nbits / 64] & tail_mask(nbits));
	return count;
}

bool bitmap_is_empty(const u64 *map, size_t nbits)
{
	return bitmap_find_one(map, nbits, 0) == nbits;
}

bool bitmap_is_full(const u64 *map, size_t nbits)
{
	return bitmap_find_zero(map, nbits, 0) == nbits;
}

enum relation { DIFFERENT, NOT_WITHIN, COMMON };

static inline u64 related_bits(u64 a, u64 b, enum relation rel)
{
	switch (rel) {
	case DIFFERENT:
		return a ^ b;
	case NOT_WITHIN:
		return a & ~b;
	default:
		return a & b;
	}
}

/* Whether any bit of the two maps is so related. */
static inline bool any_bit(const u64 *a, const u64 *b, size_t nbits, enum relation rel)
{
	for (size_t i = 0; i < nbits / 64; i++)
		if (related_bits(a[i], b[i], rel))
			return true;
	return nbits % 64 && (related_bits(a[nbits / 64], b[nbits / 64], rel) & tail_mask(nbits));
}

bool bitmap_equal(const u64 *a, const u64 *b, size_t nbits)
{
	return !any_bit(a, b, nbits, DIFFERENT);
}

bool bitmap_is_subset(const u64 *sub, const u64 *of, size_t nbits)
{
	return !any_bit(sub, of, nbits, NOT_WITHIN);
}

bool bitmap_intersects(const u64 *a, const u64 *b, size_t nbits)
{
	return any_bit(a, b, nbits, COMMON);
}

void bitmap_and(u64 *dst, const u64 *a, const u64 *b, size_t nbits)
{
	for (size_t i = 0; i < BITMAP_WORDS(nbits); i++)
		dst[i] = a[i] & b[i];
}

void bitmap_or(u64 *dst, const u64 *a, const u64 *b, size_t nbits)
{
	for (size_t i = 0; i < BITMAP_WORDS(nbits); i++)
		dst[i] = a[i] | b[i];
}

void bitmap_andnot(u64 *dst, const u64 *a, const u64 *b, size_t nbits)
{
	for (size_t i = 0; i < BITMAP_WORDS(nbits); i++)
		dst[i] = a[i] & ~b[i];
}
