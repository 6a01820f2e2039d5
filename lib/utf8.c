/* SPDX-License-Identifier: MPL-2.0 */
/* UTF-8, after the syntax of RFC 3629 section 4. */
#include <lib/errno.h>
#include <lib/utf8.h>

#define MAX_CODE_POINT 0x10ffff

unsigned int utf8_len(u8 first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2) /* continuations, and C0, C1 which could only be overlong */
		return 0;
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;
	return first < 0xf5 ? 4 : 0;
}

/* The second byte's range rules out overlong forms, surrogates and what is past the end. */
static bool is_good_second(u8 first, u8 second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return utf8_is_continuation(second);
	}
}

int utf8_decode(const u8 *s, size_t len, u32 *cp)
{
	unsigned int n;
	u32 value;

	if (len == 0)
		return -EAGAIN;
	n = utf8_len(s[0]);
	if (n == 0)
		return -EILSEQ;
	value = n == 1 ? s[0] : s[0] & (0x7fU >> n);
	for (unsigned int i = 1; i < n; i++) {
		if (i == len)
			return -EAGAIN;
		if (i == 1 ? !is_good_second(s[0], s[1]) : !utf8_is_continuation(s[i]))
			return -EILSEQ;
		value = value << 6 | (s[i] & 0x3f);
	}
	*cp = value;
	return (int)n;
}

int utf8_encode(u32 cp, u8 out[UTF8_MAX_BYTES])
{
	unsigned int n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

	if (cp > MAX_CODE_POINT || (cp >= 0xd800 && cp <= 0xdfff))
		return -EILSEQ;
	for (unsigned int i = n - 1; i > 0; i--, cp >>= 6)
		out[i] = (u8)(0x80 | (cp & 0x3f));
	out[0] = (u8)(n == 1 ? cp : cp | (0xf0U << (4 - n) & 0xff));
	return (int)n;
}

unsigned int utf8_last_len(const u8 *s, size_t len)
{
	u32 cp;

	for (unsigned int n = 1; n <= UTF8_MAX_BYTES && n <= len; n++)
		if (!utf8_is_continuation(s[len - n]))
			return utf8_decode(s + len - n, n, &cp) == (int)n ? n : 1;
	return len ? 1 : 0;
}
