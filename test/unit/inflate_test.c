/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/inflate.h: zlib's vectors, streams written here (stored blocks and the fixed code, every
 * length and distance), and both damaged.
 */
#include <lib/errno.h>
#include <lib/inflate.h>
#include <lib/string.h>

#include "inflate_vectors.h"
#include "unit.h"

#define MAX_OUT (1 << 20)

static struct inflate_work work;
static u8 output[MAX_OUT];
static size_t out_len;

static int collect(void *ctx, const u8 *data, size_t len)
{
	(void)ctx;
	CHECK(len > 0 && len <= INFLATE_WINDOW);
	if (len > MAX_OUT - out_len)
		return -EFBIG;
	memcpy(output + out_len, data, len);
	out_len += len;
	return 0;
}

/* Decompresses a copy of exactly @len bytes. */
static int run(const u8 *data, size_t len, bool is_gzip, size_t *used)
{
	u8 *copy = malloc(len ? len : 1);
	int err;

	memcpy(copy, data, len);
	memset(&work, 0xa5, sizeof(work));
	out_len = 0;
	*used = 0;
	err = is_gzip ? gzip_inflate(copy, len, &work, collect, NULL, used) :
			raw_inflate(copy, len, &work, collect, NULL, used);
	CHECK(*used <= len);
	free(copy);
	return err;
}

static u8 expected[MAX_OUT];

/* What the vectors hold. */
static void make_text(size_t n)
{
	static const char *const words[] = { "the ", "kernel ", "maps ", "a ", "page ", "and ",
					     "returns\n", "0x7fff ", "struct ", "inode " };
	u32 s = 12345;

	for (size_t at = 0; at < n;) {
		const char *word;

		s = (s * 1103515245U + 12345) & 0x7fffffff;
		for (word = words[(s >> 16) % 10]; *word && at < n; word++)
			expected[at++] = (u8)*word;
	}
}

static void expect(const u8 *data, size_t len, size_t want)
{
	size_t used;

	CHECK_EQ(run(data, len, true, &used), 0);
	CHECK_EQ(used, len);
	CHECK_EQ(out_len, want);
	CHECK(memcmp(output, expected, want) == 0);
}

static void test_vectors(void)
{
	expect(vec_empty, sizeof(vec_empty), 0);
	memcpy(expected, "hello, hello, hello world\n", 26);
	expect(vec_hello_fixed, sizeof(vec_hello_fixed), 26);
	make_text(6000);
	expect(vec_text_dynamic, sizeof(vec_text_dynamic), 6000);
	expect(vec_text_stored, sizeof(vec_text_stored), 300);
	memset(expected, 0, 200000);
	expect(vec_zeros, sizeof(vec_zeros), 200000);
	for (size_t i = 0; i < 90000; i++)
		expected[i] = (u8)('a' + i / 300 % 26);
	expect(vec_rle, sizeof(vec_rle), 90000);
}

/*
 * Every cut is seen, and a changed bit ends in an error or changes nothing (time stamp, padding, an
 * equal match).
 */
static void damage(const u8 *data, size_t len)
{
	u8 *copy = malloc(len);
	size_t used, want;

	CHECK_EQ(run(data, len, true, &used), 0);
	want = out_len;
	memcpy(expected, output, want);
	for (size_t n = 0; n < len; n++) {
		int err = run(data, n, true, &used);

		CHECK(err == -ENODATA || (n < 2 && err == -EINVAL));
	}
	for (size_t bit = 0; bit < len * 8; bit++) {
		int err;

		memcpy(copy, data, len);
		copy[bit / 8] ^= (u8)(1 << bit % 8);
		err = run(copy, len, true, &used);
		CHECK(err == 0 || err == -EINVAL || err == -ENODATA || err == -EFBIG);
		if (!err)
			CHECK(out_len == want && memcmp(output, expected, want) == 0);
	}
	free(copy);
}

static void test_damaged(void)
{
	damage(vec_empty, sizeof(vec_empty));
	damage(vec_hello_fixed, sizeof(vec_hello_fixed));
	damage(vec_text_dynamic, sizeof(vec_text_dynamic));
	damage(vec_text_stored, sizeof(vec_text_stored));
	damage(vec_zeros, sizeof(vec_zeros));
}

/* A writer of streams. */
static u8 stream[MAX_OUT];
static size_t stream_bits;

static void put_bits(u32 value, unsigned int n)
{
	for (; n; n--, value >>= 1, stream_bits++) {
		if (stream_bits % 8 == 0)
			stream[stream_bits / 8] = 0;
		stream[stream_bits / 8] |= (u8)((value & 1) << stream_bits % 8);
	}
}

/* Huffman codes go with their highest bit first. */
static void put_code(u32 code, unsigned int n)
{
	while (n--)
		put_bits(code >> n & 1, 1);
}

/* RFC 1951 section 3.2.6. */
static void put_literal(u32 symbol)
{
	if (symbol < 144)
		put_code(0x30 + symbol, 8);
	else if (symbol < 256)
		put_code(0x190 + symbol - 144, 9);
	else if (symbol < 280)
		put_code(symbol - 256, 7);
	else
		put_code(0xc0 + symbol - 280, 8);
}

/* The largest symbol whose base is at most @value; bases grow as the RFC's tables say. */
static u32 symbol_for(u32 value, u32 first_base, u32 per_bit, u32 *base, unsigned int *extra)
{
	u32 symbol = 0, next = first_base, at = first_base;

	for (;;) {
		unsigned int bits = symbol < 2 * per_bit ? 0 : symbol / per_bit - 1;

		next = at + (1U << bits);
		if (value < next) {
			*base = at;
			*extra = bits;
			return symbol;
		}
		at = next;
		symbol++;
	}
}

static void put_match(u32 len, u32 distance)
{
	unsigned int extra;
	u32 base, symbol;

	if (len == 258) {
		put_literal(285);
	} else {
		symbol = symbol_for(len, 3, 4, &base, &extra);
		put_literal(257 + symbol);
		put_bits(len - base, extra);
	}
	symbol = symbol_for(distance, 1, 2, &base, &extra);
	put_code(symbol, 5);
	put_bits(distance - base, extra);
}

static size_t write_fixed_block(size_t at, size_t end, bool is_last)
{
	put_bits(is_last | 1 << 1, 3);
	while (at < end) {
		u32 len = 3 + (u32)unit_random_below(256);
		u32 distance = 1 + (u32)(unit_random_below(32768) >> unit_random_below(15));

		if (unit_random_below(3) == 0 || distance > at || at + len > end) {
			expected[at] = (u8)(unit_random() >> 9);
			put_literal(expected[at++]);
			continue;
		}
		put_match(len, distance);
		for (; len; len--, at++)
			expected[at] = expected[at - distance];
	}
	put_literal(256);
	return at;
}

static size_t write_stored_block(size_t at, size_t end, bool is_last)
{
	u32 len = (u32)(end - at);

	put_bits(is_last, 3);
	put_bits(0, (unsigned int)(-stream_bits % 8));
	put_bits(len, 16);
	put_bits(~len & 0xffff, 16);
	for (; at < end; at++) {
		expected[at] = (u8)unit_random();
		put_bits(expected[at], 8);
	}
	return at;
}

static size_t write_stream(size_t max_block, unsigned int blocks)
{
	size_t at = 0;

	stream_bits = 0;
	while (blocks-- > 0) {
		size_t end = at + unit_random_below(max_block);

		if (unit_random_below(2))
			at = write_fixed_block(at, end, blocks == 0);
		else
			at = write_stored_block(at, end, blocks == 0);
	}
	return at;
}

static void test_written(void)
{
	for (int round = 0; round < 60; round++) {
		size_t want = write_stream(round < 30 ? 300 : 60000, 1 + (u32)unit_random_below(5));
		size_t len = (stream_bits + 7) / 8, used;

		/* What follows is not touched. */
		stream[len] = 0xff;
		CHECK_EQ(run(stream, len + 1, false, &used), 0);
		CHECK_EQ(used, len);
		CHECK_EQ(out_len, want);
		CHECK(memcmp(output, expected, want) == 0);
		CHECK_EQ(run(stream, len - 1, false, &used), -ENODATA);
	}
}

static void test_far_matches(void)
{
	/* Distances of exactly a window, across the wrap. */
	size_t used, want;

	stream_bits = 0;
	want = write_stored_block(0, 32768, false);
	put_bits(3, 3);
	for (int i = 0; i < 300; i++) {
		put_match(258, 32768);
		for (int k = 0; k < 258; k++, want++)
			expected[want] = expected[want - 32768];
	}
	put_literal(256);
	CHECK_EQ(run(stream, (stream_bits + 7) / 8, false, &used), 0);
	CHECK(out_len == want && memcmp(output, expected, want) == 0);
	/* One byte further back than there is. */
	stream_bits = 0;
	write_stored_block(0, 100, false);
	put_bits(3, 3);
	put_match(3, 101);
	put_literal(256);
	CHECK_EQ(run(stream, (stream_bits + 7) / 8, false, &used), -EINVAL);
}

static void test_bad_blocks(void)
{
	static const u8 cases[][6] = {
		{ 0x07 },                               /* block type 3 */
		{ 0x01, 0x01, 0x00, 0xff, 0xff, 0x41 }, /* length and complement differ */
		{ 0x05, 0x00, 0x00, 0x00, 0x00, 0x00 }, /* dynamic, no codes at all */
		{ 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff }, /* dynamic, too many symbols */
	};
	size_t used;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		CHECK_EQ(run(cases[i], sizeof(cases[i]), false, &used), -EINVAL);
	/* Symbols 286, 287 and distances 30, 31 of the fixed code. */
	for (u32 symbol = 286; symbol < 288; symbol++) {
		stream_bits = 0;
		put_bits(3, 3);
		put_literal('x');
		put_literal(symbol);
		put_bits(0, 32);
		CHECK_EQ(run(stream, stream_bits / 8, false, &used), -EINVAL);
		stream_bits = 0;
		put_bits(3, 3);
		put_literal('x');
		put_literal(257);
		put_code(symbol - 286 + 30, 5);
		put_bits(0, 32);
		CHECK_EQ(run(stream, stream_bits / 8, false, &used), -EINVAL);
	}
}

static void test_random_bytes(void)
{
	u8 buf[64];
	size_t used;

	for (int round = 0; round < 20000; round++) {
		size_t len = unit_random_below(sizeof(buf) + 1);
		int err;

		for (size_t i = 0; i < len; i++)
			buf[i] = (u8)unit_random();
		/* Mostly dynamic blocks: they have most to get wrong. */
		if (len && round % 4)
			buf[0] = (u8)((buf[0] & ~7) | 4 | (round & 1));
		err = run(buf, len, false, &used);
		CHECK(err == 0 || err == -EINVAL || err == -ENODATA);
	}
}

static int refuse(void *ctx, const u8 *data, size_t len)
{
	(void)data;
	(void)len;
	return --*(int *)ctx ? 0 : -ENOSPC;
}

static void test_sink_stops(void)
{
	int calls = 2;
	size_t used;

	CHECK_EQ(gzip_inflate(vec_zeros, sizeof(vec_zeros), &work, refuse, &calls, &used), -ENOSPC);
	CHECK_EQ(calls, 0);
}

static void test_crc(void)
{
	static u32 table[4][256];

	crc32_init(table);
	CHECK_EQ(crc32_update(table, 0, "123456789", 9), 0xcbf43926);
	CHECK_EQ(crc32_update(table, crc32_update(table, 0, "12345", 5), "6789", 4), 0xcbf43926);
	CHECK_EQ(crc32_update(table, 0, "", 0), 0);
}

UNIT_TESTS("inflate", UNIT(test_vectors), UNIT(test_damaged), UNIT(test_written), UNIT(test_far_matches),
	   UNIT(test_bad_blocks), UNIT(test_random_bytes), UNIT(test_sink_stops), UNIT(test_crc));
