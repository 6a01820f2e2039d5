/* SPDX-License-Identifier: MPL-2.0 */
/* lib/checksum.h: against 16 bits at a time. */
#include <lib/checksum.h>
#include <lib/string.h>

#include "unit.h"

/* RFC 1071 section 4.1, in network order. */
static u16 simple(const u8 *p, size_t n)
{
	u64 sum = 0;

	for (size_t i = 0; i < n; i += 2)
		sum += (u64)p[i] << 8 | (i + 1 < n ? p[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

/* 0 and ffff are the same number. */
static bool same(u16 ours, u16 theirs)
{
	return be16_to_cpu(ours) % 0xffff == theirs % 0xffff;
}

static void test_random(void)
{
	u8 buf[200];

	for (int round = 0; round < 5000; round++) {
		size_t n = unit_random_below(sizeof(buf) + 1);
		size_t split = unit_random_below(n + 1);
		u32 sum;

		for (size_t i = 0; i < n; i++)
			buf[i] = round % 5 ? (u8)unit_random() : 0xff;
		CHECK(same(csum(buf, n), simple(buf, n)));
		sum = csum_partial(buf, split, 0);
		sum = csum_block_add(sum, csum_partial(buf + split, n - split, 0), split);
		CHECK(same(csum_fold(sum), simple(buf, n)));
		split &= ~1UL;
		sum = csum_partial(buf + split, n - split, csum_partial(buf, split, 0));
		CHECK(same(csum_fold(sum), simple(buf, n)));
	}
}

static void test_update(void)
{
	u8 buf[64];

	for (int round = 0; round < 3000; round++) {
		u16 check, from, to;
		u32 wide;

		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = (u8)unit_random();
		check = csum(buf, sizeof(buf));
		from = get_le16(buf + 10);
		to = (u16)unit_random();
		memcpy(buf + 10, &to, 2);
		check = csum_update16(check, from, to);
		CHECK(same(check, simple(buf, sizeof(buf))));
		wide = (u32)unit_random();
		check = csum_update32(check, get_le32(buf + 20), wide);
		put_le32(buf + 20, wide);
		CHECK(same(check, simple(buf, sizeof(buf))));
	}
}

static void test_pseudo(void)
{
	u8 v4[12], v6[40];

	for (int round = 0; round < 1000; round++) {
		u16 len = (u16)unit_random();
		u8 proto = (u8)unit_random();
		u16 be_len = cpu_to_be16(len);
		u32 be_len32 = cpu_to_be32(len);

		for (size_t i = 0; i < sizeof(v6); i++)
			v6[i] = (u8)unit_random();
		memcpy(v4, v6, 8);
		v4[8] = 0;
		v4[9] = proto;
		memcpy(v4 + 10, &be_len, 2);
		CHECK(same(csum_fold(csum_pseudo_v4(v4, v4 + 4, len, proto, 0)), simple(v4, 12)));
		memcpy(v6 + 32, &be_len32, 4);
		memset(v6 + 36, 0, 3);
		v6[39] = proto;
		CHECK(same(csum_fold(csum_pseudo_v6(v6, v6 + 16, len, proto, 0)), simple(v6, 40)));
	}
}

/* A real IPv4 header sums to zero with its checksum in it. */
static void test_header(void)
{
	u8 header[20] = { 0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
			  0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7 };
	u16 check;

	CHECK_EQ(csum(header, 20), 0);
	header[10] = header[11] = 0;
	check = csum(header, 20);
	CHECK_EQ(be16_to_cpu(check), 0xb861);
}

UNIT_TESTS("checksum", UNIT(test_random), UNIT(test_update), UNIT(test_pseudo), UNIT(test_header));
