/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/hash.h, lib/siphash.h, lib/chacha20.h: test vectors, and how evenly the fast hashes spread.
 */
#include <lib/chacha20.h>
#include <lib/hash.h>
#include <lib/printf.h>
#include <lib/siphash.h>
#include <lib/string.h>

#include "unit.h"

/* The worst of 1024 buckets of 16 on average: by chance it stays below 45. */
static u32 worst(u64 (*hash)(u64 i))
{
	static u32 bucket[1024];
	u32 most = 0;

	memset(bucket, 0, sizeof(bucket));
	for (u64 i = 0; i < 16 * 1024; i++) {
		u64 h = hash(i);
		u32 n = ++bucket[hash_bits(h, 10)];

		most = max(most, n);
	}
	return most;
}

static u64 of_number(u64 i)
{
	return hash_u64(i);
}

static u64 of_page(u64 i)
{
	return hash_u64(0xffff888000000000UL + i * 4096);
}

static u64 of_name(u64 i)
{
	char name[32];

	return hash_bytes(name, (size_t)snprintf(name, sizeof(name), "file%d.txt", (int)i), 42);
}

static u64 of_low_bits(u64 i)
{
	return of_page(i) << 54;
}

static u64 of_pair(u64 i)
{
	return hash_combine(hash_u64(i >> 7), i & 127);
}

static void test_spread(void)
{
	CHECK(worst(of_number) < 45);
	CHECK(worst(of_page) < 45);
	CHECK(worst(of_name) < 45);
	CHECK(worst(of_low_bits) < 45);
	CHECK(worst(of_pair) < 45);
}

static void test_bytes(void)
{
	u8 buf[40] = { 0 };
	u64 seen[40];

	/* Zeros of every length differ, and every bit and the seed count. */
	for (size_t n = 0; n < 40; n++) {
		seen[n] = hash_bytes(buf, n, 1);
		for (size_t k = 0; k < n; k++) {
			CHECK(seen[k] != seen[n]);
			buf[k] = 0x10;
			CHECK(hash_bytes(buf, n, 1) != seen[n]);
			buf[k] = 0;
		}
		CHECK(hash_bytes(buf, n, 2) != seen[n]);
	}
}

static void test_siphash(void)
{
	/*
	 * The paper's appendix A: key 00..0f, message 00..0e; and the first of the reference
	 * vectors.
	 */
	const struct siphash_key key = { 0x0706050403020100UL, 0x0f0e0d0c0b0a0908UL };
	u8 msg[64];

	for (u8 i = 0; i < 64; i++)
		msg[i] = i;
	CHECK(siphash24(msg, 15, &key) == 0xa129ca6149be45e5UL);
	CHECK(siphash24(msg, 0, &key) == 0x726fdb47dd0e0e31UL);
	CHECK(siphash24(msg, 1, &key) == 0x74f839c593dc67fdUL);
	CHECK(siphash24(msg, 8, &key) == 0x93f5f5799a932462UL);
	CHECK(siphash24(msg, 63, &key) == 0x958a324ceb064572UL);
	CHECK(siphash13(msg, 0, &key) == 0xabac0158050fc4dcUL);
	CHECK(siphash13(msg, 15, &key) != siphash24(msg, 15, &key));
}

static void test_chacha20(void)
{
	/* RFC 8439, 2.3.2. */
	static const u8 nonce[12] = { 0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0 };
	static const u8 want[64] = {
		0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3,
		0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22,
		0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa,
		0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1,
		0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e,
	};
	struct chacha20 state;
	u8 key[32], out[64];

	for (u8 i = 0; i < 32; i++)
		key[i] = i;
	chacha20_init(&state, key, nonce, 1);
	chacha20_block(&state, out);
	CHECK(memcmp(out, want, 64) == 0);
	CHECK_EQ(state.word[12], 2);
	chacha20_block(&state, out);
	CHECK(memcmp(out, want, 64) != 0);
}

UNIT_TESTS("hash", UNIT(test_spread), UNIT(test_bytes), UNIT(test_siphash), UNIT(test_chacha20));
