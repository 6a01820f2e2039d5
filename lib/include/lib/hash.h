/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/hash.h: fast hashes for hash tables.
 *
 * Contract: inline, no state. All 64 bits of a result are usable, so a table of 2^n buckets may
 * take any n of them (hash_bits takes the top n). Not for keys that an attacker chooses without the
 * seed being secret: there lib/siphash.h is the tool; hash_bytes with a secret random seed
 * withstands accidents and casual attacks. Values depend on the byte order and on this version of
 * the file: don't store them.
 */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include <lib/types.h>

/*
 * Odd constants with bits well spread: fractions of the golden ratio and of square roots of primes.
 */
#define HASH_K0 0x9e3779b97f4a7c15UL
#define HASH_K1 0xbb67ae8584caa73bUL
#define HASH_K2 0x3c6ef372fe94f82bUL

/* Both halves of the 128-bit product, folded. */
static inline u64 hash_mix(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

static inline u64 hash_u64(u64 x)
{
	x ^= x >> 32;
	x *= HASH_K0;
	x ^= x >> 29;
	x *= HASH_K1;
	return x ^ (x >> 32);
}

static inline u64 hash_u64_seed(u64 x, u64 seed)
{
	return hash_mix(x ^ HASH_K0, seed ^ hash_u64(x));
}

static inline u64 hash_ptr(const void *p)
{
	return hash_u64((u64)(uintptr_t)p);
}

/* The top @bits (1..63) of a hash. */
static inline u64 hash_bits(u64 hash, unsigned int bits)
{
	return hash >> (64 - bits);
}

static inline u64 hash_combine(u64 hash, u64 value)
{
	return hash_mix(hash ^ HASH_K2, value ^ HASH_K1);
}

/* The last 1..7 bytes as a number. */
static inline u64 __hash_tail(const u8 *p, size_t n)
{
	if (n >= 4)
		return get_le32(p) | (u64)get_le32(p + n - 4) << 32;
	return p[0] | (u64)p[n / 2] << 8 | (u64)p[n - 1] << 16;
}

static inline u64 hash_bytes(const void *data, size_t len, u64 seed)
{
	const u8 *p = data;
	size_t n = len;
	u64 h = seed ^ HASH_K0;

	for (; n >= 8; n -= 8, p += 8)
		h = hash_mix(h ^ get_le64(p), HASH_K1);
	if (n)
		h = hash_mix(h ^ __hash_tail(p, n), HASH_K2);
	return hash_mix(h ^ len, HASH_K0);
}

#endif
