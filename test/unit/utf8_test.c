/* SPDX-License-Identifier: MPL-2.0 */
/* lib/utf8.h */
#include <lib/errno.h>
#include <lib/utf8.h>

#include "unit.h"

static void test_round_trip(void)
{
	for (u32 cp = 0; cp < 0x110100; cp++) {
		bool is_char = cp <= 0x10ffff && !(cp >= 0xd800 && cp <= 0xdfff);
		u8 buf[4];
		u32 back;
		int n = utf8_encode(cp, buf);

		if (!is_char) {
			CHECK_EQ(n, -EILSEQ);
			continue;
		}
		CHECK(n > 0 && utf8_len(buf[0]) == (unsigned int)n);
		CHECK(utf8_decode(buf, (size_t)n, &back) == n && back == cp);
		CHECK_EQ(utf8_last_len(buf, (size_t)n), n);
		for (int len = 0; len < n; len++)
			CHECK_EQ(utf8_decode(buf, (size_t)len, &back), -EAGAIN);
	}
}

/*
 * Every sequence of up to three bytes that decodes is what encoding gives: nothing overlong, no
 * surrogate.
 */
static void test_strict(void)
{
	for (u32 i = 0; i < 1U << 24; i += 1 + (i & 1)) {
		u8 s[4] = { (u8)(i >> 16), (u8)(i >> 8), (u8)i, 0x80 }, back[4];
		u32 cp;
		int n = utf8_decode(s, 4, &cp);

		if (n < 0)
			continue;
		if (utf8_encode(cp, back) != n || back[0] != s[0] || (n > 1 && back[1] != s[1]) ||
		    (n > 2 && back[2] != s[2]))
			CHECK(!"not the shortest form");
	}
}

static void test_last(void)
{
	const u8 text[] = { 'a', 0xc3, 0xa4, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0x80, 0xc3, 'b' };

	CHECK_EQ(utf8_last_len(text, 0), 0);
	CHECK_EQ(utf8_last_len(text, 1), 1);
	CHECK_EQ(utf8_last_len(text, 3), 2);
	CHECK_EQ(utf8_last_len(text, 6), 3);
	CHECK_EQ(utf8_last_len(text, 5), 1);
	CHECK_EQ(utf8_last_len(text, 10), 4);
	CHECK_EQ(utf8_last_len(text, 11), 1);
	CHECK_EQ(utf8_last_len(text, 12), 1);
	CHECK_EQ(utf8_last_len(text, 13), 1);
	CHECK_EQ(utf8_last_len(text + 4, 2), 1);
}

UNIT_TESTS("utf8", UNIT(test_round_trip), UNIT(test_strict), UNIT(test_last));
