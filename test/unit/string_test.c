/* SPDX-License-Identifier: MPL-2.0 */
/* lib/string.h, with lib/mem.c */
#include <lib/errno.h>
#include <lib/string.h>

#include "unit.h"

static void fill_random(u8 *buf, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf[i] = (u8)unit_random_below(4);
}

static void test_mem(void)
{
	u8 a[80], b[80], model[80];

	for (int round = 0; round < 5000; round++) {
		size_t from = unit_random_below(30), to = unit_random_below(30);
		size_t n = unit_random_below(50);

		fill_random(a, sizeof(a));
		for (size_t i = 0; i < sizeof(a); i++)
			model[i] = b[i] = a[i];
		for (size_t i = 0; i < n; i++)
			model[to + i] = a[from + i];
		CHECK(memmove(a + to, a + from, n) == a + to);
		for (size_t i = 0; i < sizeof(a); i++)
			CHECK(a[i] == model[i]);
		CHECK(memcpy(a + 1, b, n) == a + 1);
		CHECK_EQ(memcmp(a + 1, b, n), 0);
		if (n) {
			size_t at = unit_random_below(n);

			a[1 + at] += 1;
			CHECK(memcmp(a + 1, b, n) > 0);
			a[1 + at] = 0;
			b[at] = 255;
			CHECK(memcmp(a + 1, b, n) < 0);
		}
		CHECK(memset(a + from, 0x1a5, n) == a + from);
		for (size_t i = from; i < from + n; i++)
			CHECK(a[i] == 0xa5);
	}
}

static void test_search(void)
{
	u8 buf[40];

	for (int round = 0; round < 3000; round++) {
		size_t n = unit_random_below(40), first = n, last = n, other = n, where = n;
		size_t needle_len = unit_random_below(5);
		const u8 *needle;

		fill_random(buf, sizeof(buf));
		needle = buf + unit_random_below(35);
		for (size_t i = n; i-- > 0;) {
			bool is_here = i + needle_len <= n;

			first = buf[i] == 2 ? i : first;
			last = buf[i] == 2 && last == n ? i : last;
			other = buf[i] != 2 ? i : other;
			for (size_t k = 0; is_here && k < needle_len; k++)
				is_here = buf[i + k] == needle[k];
			where = is_here ? i : where;
		}
		CHECK(memchr(buf, 2, n) == (first < n ? buf + first : NULL));
		CHECK(memrchr(buf, 2, n) == (last < n ? buf + last : NULL));
		CHECK(memchr_inv(buf, 2, n) == (other < n ? buf + other : NULL));
		if (needle_len)
			CHECK(memmem(buf, n, needle, needle_len) == (where < n ? buf + where : NULL));
	}
	CHECK(memmem(buf, 0, buf, 0) == buf);
	memset(buf, 7, sizeof(buf));
	CHECK(memchr_inv(buf, 7, sizeof(buf)) == NULL);
}

static void test_str(void)
{
	const char *s = "hello world";

	CHECK_EQ(strlen(""), 0);
	CHECK_EQ(strlen(s), 11);
	CHECK_EQ(strnlen(s, 5), 5);
	CHECK_EQ(strnlen(s, 50), 11);
	CHECK(strcmp("a", "a") == 0 && strcmp("a", "b") < 0 && strcmp("ab", "a") > 0);
	CHECK(strcmp("\xff", "a") > 0);
	CHECK(strncmp("abc", "abd", 2) == 0 && strncmp("abc", "abd", 3) < 0);
	CHECK(strncmp("ab", "ab", 10) == 0 && strncmp("x", "y", 0) == 0);
	CHECK(strchr(s, 'o') == s + 4 && strrchr(s, 'o') == s + 7);
	CHECK(strchr(s, 0) == s + 11 && strrchr(s, 0) == s + 11 && strchr(s, 'z') == NULL);
	CHECK(strstr(s, "wor") == s + 6 && strstr(s, "") == s && strstr(s, "xyz") == NULL);
	CHECK(str_startswith(s, "hello") && !str_startswith("he", "hello") && str_startswith(s, ""));
	CHECK(str_endswith(s, "world") && !str_endswith("ld", "world") && str_endswith(s, ""));
	CHECK(str_eq_len("helloX", 5, "hello") && !str_eq_len("hello", 4, "hello"));
}

static void test_copy(void)
{
	char buf[8] = "xxxxxxx";

	CHECK(strlcpy(buf, "abc", sizeof(buf)) == 3 && strcmp(buf, "abc") == 0);
	CHECK(strlcpy(buf, "0123456789", sizeof(buf)) == 10 && strcmp(buf, "0123456") == 0);
	CHECK(strlcpy(buf, "abc", 0) == 3 && buf[0] == '0');
	strlcpy(buf, "ab", sizeof(buf));
	CHECK(strlcat(buf, "cd", sizeof(buf)) == 4 && strcmp(buf, "abcd") == 0);
	CHECK(strlcat(buf, "efghij", sizeof(buf)) == 10 && strcmp(buf, "abcdefg") == 0);
	CHECK(strscpy(buf, "abc", sizeof(buf)) == 3 && strcmp(buf, "abc") == 0);
	CHECK(strscpy(buf, "abcdefg", sizeof(buf)) == 7 && strcmp(buf, "abcdefg") == 0);
	CHECK(strscpy(buf, "01234567", sizeof(buf)) == -E2BIG && strcmp(buf, "0123456") == 0);
	CHECK_EQ(strscpy(buf, "a", 0), -E2BIG);
	CHECK(strscpy(buf, "", 1) == 0 && buf[0] == 0);
}

static int try_u64(const char *s, unsigned int base, u64 *out)
{
	*out = 4711;
	return parse_u64(s, strlen(s), base, out);
}

static void test_parse_u64(void)
{
	u64 v;
	u32 w = 1;

	CHECK(try_u64("0", 10, &v) == 0 && v == 0);
	CHECK(try_u64("18446744073709551615", 10, &v) == 0 && v == U64_MAX);
	CHECK(try_u64("18446744073709551616", 10, &v) == -ERANGE && v == 4711);
	CHECK(try_u64("99999999999999999999999", 10, &v) == -ERANGE);
	CHECK(try_u64("0x1F", 0, &v) == 0 && v == 31);
	CHECK(try_u64("0x1f", 16, &v) == 0 && v == 31);
	CHECK(try_u64("ffffffffffffffff", 16, &v) == 0 && v == U64_MAX);
	CHECK(try_u64("017", 0, &v) == 0 && v == 15);
	CHECK(try_u64("0", 0, &v) == 0 && v == 0);
	CHECK(try_u64("08", 0, &v) == -EINVAL);
	CHECK(try_u64("", 10, &v) == -EINVAL);
	CHECK(try_u64("0x", 0, &v) == -EINVAL);
	CHECK(try_u64("0x", 16, &v) == -EINVAL);
	CHECK(try_u64("-1", 10, &v) == -EINVAL && try_u64(" 1", 10, &v) == -EINVAL);
	CHECK(try_u64("12a", 10, &v) == -EINVAL && v == 4711);
	CHECK(try_u64("zz", 36, &v) == 0 && v == 35 * 36 + 35);
	CHECK(try_u64("1", 1, &v) == -EINVAL && try_u64("1", 37, &v) == -EINVAL);
	CHECK(parse_u64("123456", 3, 10, &v) == 0 && v == 123);
	CHECK(parse_u32("4294967295", 10, 10, &w) == 0 && w == U32_MAX);
	CHECK(parse_u32("4294967296", 10, 10, &w) == -ERANGE && w == U32_MAX);
}

static void test_parse_s64(void)
{
	s64 v = 1;

	CHECK(parse_s64("-1", 2, 10, &v) == 0 && v == -1);
	CHECK(parse_s64("+7", 2, 10, &v) == 0 && v == 7);
	CHECK(parse_s64("-9223372036854775808", 20, 10, &v) == 0 && v == S64_MIN);
	CHECK(parse_s64("9223372036854775807", 19, 10, &v) == 0 && v == S64_MAX);
	CHECK(parse_s64("9223372036854775808", 19, 10, &v) == -ERANGE && v == S64_MAX);
	CHECK(parse_s64("-9223372036854775809", 20, 10, &v) == -ERANGE);
	CHECK(parse_s64("-", 1, 10, &v) == -EINVAL && parse_s64("--1", 3, 10, &v) == -EINVAL);
	CHECK(parse_s64("", 0, 10, &v) == -EINVAL);
}

static void test_parse_size(void)
{
	u64 v = 0;
	size_t used = 0;

	CHECK(parse_size("64M", 3, &v) == 0 && v == 64UL << 20);
	CHECK(parse_size("1k", 2, &v) == 0 && v == 1024);
	CHECK(parse_size("0x10G", 5, &v) == 0 && v == 16UL << 30);
	CHECK(parse_size("15E", 3, &v) == 0 && v == 15UL << 60);
	CHECK(parse_size("16E", 3, &v) == -ERANGE && v == 15UL << 60);
	CHECK(parse_size("12", 2, &v) == 0 && v == 12);
	CHECK(parse_size("12Mb", 4, &v) == -EINVAL && parse_size("M", 1, &v) == -EINVAL);
	CHECK(parse_size("1\0", 2, &v) == -EINVAL);
	CHECK(parse_size_prefix("64M@1G", 6, &v, &used) == 0 && v == 64UL << 20 && used == 3);
	CHECK(parse_size_prefix("5", 1, &v, &used) == 0 && v == 5 && used == 1);
	CHECK(parse_size_prefix("@", 1, &v, &used) == -EINVAL);
}

UNIT_TESTS("string", UNIT(test_mem), UNIT(test_search), UNIT(test_str), UNIT(test_copy), UNIT(test_parse_u64),
	   UNIT(test_parse_s64), UNIT(test_parse_size));
