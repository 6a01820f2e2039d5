/* SPDX-License-Identifier: MPL-2.0 */
/* Strings, and numbers in them. The mem* four that compilers call are in mem.c. */
#include <lib/errno.h>
#include <lib/string.h>

#if defined(__GNUC__) && !defined(__clang__)
/* Else gcc turns the loop of strlen into a call of strlen. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

void *memchr(const void *s, int c, size_t n)
{
	const u8 *p = s;

	for (; n; n--, p++)
		if (*p == (u8)c)
			return (void *)p;
	return NULL;
}

void *memrchr(const void *s, int c, size_t n)
{
	const u8 *p = s;

	while (n--)
		if (p[n] == (u8)c)
			return (void *)(p + n);
	return NULL;
}

void *memchr_inv(const void *s, int c, size_t n)
{
	const u8 *p = s;
	u64 word = (u8)c * 0x0101010101010101UL;

	for (; n >= 8 && get_le64(p) == word; n -= 8)
		p += 8;
	for (; n; n--, p++)
		if (*p != (u8)c)
			return (void *)p;
	return NULL;
}

void *memmem(const void *hay, size_t hay_len, const void *needle, size_t needle_len)
{
	const u8 *p = hay;

	for (; hay_len >= needle_len; hay_len--, p++) {
		if (memcmp(p, needle, needle_len) == 0)
			return (void *)p;
		if (!hay_len)
			break;
	}
	return NULL;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++)
		b++;
	return (int)(u8)*a - (int)(u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (int)(u8)*a - (int)(u8)*b;
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	return memrchr(s, c, strlen(s) + 1);
}

char *strstr(const char *hay, const char *needle)
{
	return memmem(hay, strlen(hay), needle, strlen(needle));
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size) {
		size_t n = min(len, size - 1);

		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

size_t strlcat(char *dst, const char *src, size_t size)
{
	size_t used = strnlen(dst, size);

	return used + strlcpy(dst + used, src, size - used);
}

ssize_t strscpy(char *dst, const char *src, size_t size)
{
	size_t len = strnlen(src, size);
	size_t n = min(len, size - 1);

	if (!size)
		return -E2BIG;
	memcpy(dst, src, n);
	dst[n] = '\0';
	return len == size ? -E2BIG : (ssize_t)n;
}

bool str_startswith(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_endswith(const char *s, const char *suffix)
{
	size_t len = strlen(s);
	size_t n = strlen(suffix);

	return len >= n && memcmp(s + len - n, suffix, n) == 0;
}

bool str_eq_len(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(s, word, len) == 0;
}

/* The value of a digit in any base up to 36, or 36. */
static unsigned int digit_value(char c)
{
	c = char_to_lower(c);
	if (char_is_digit(c))
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned int)(c - 'a') + 10;
	return 36;
}

/* Settles @base and returns how many bytes of prefix (0x) there are. */
static size_t number_prefix(const char *s, size_t len, unsigned int *base)
{
	bool is_hex = len > 2 && s[0] == '0' && char_to_lower(s[1]) == 'x' && digit_value(s[2]) < 16;

	if (is_hex && (*base == 0 || *base == 16)) {
		*base = 16;
		return 2;
	}
	if (*base == 0)
		*base = len && s[0] == '0' ? 8 : 10;
	return 0;
}

/* The longest number at the start; *used 0 if there is none. */
static int number_at_start(const char *s, size_t len, unsigned int base, u64 *out, size_t *used)
{
	size_t start = number_prefix(s, len, &base);
	size_t i = start;
	bool is_too_large = false;
	u64 value = 0;

	for (; i < len && digit_value(s[i]) < base; i++)
		if (mul_overflows(value, (u64)base, &value) ||
		    add_overflows(value, (u64)digit_value(s[i]), &value))
			is_too_large = true;
	*used = i;
	if (i == start)
		return -EINVAL;
	if (is_too_large)
		return -ERANGE;
	*out = value;
	return 0;
}

int parse_u64(const char *s, size_t len, unsigned int base, u64 *out)
{
	size_t used;
	u64 value;
	int err;

	if (base == 1 || base > 36)
		return -EINVAL;
	err = number_at_start(s, len, base, &value, &used);
	if (used != len)
		return -EINVAL;
	if (!err)
		*out = value;
	return err;
}

int parse_u32(const char *s, size_t len, unsigned int base, u32 *out)
{
	u64 value;
	int err = parse_u64(s, len, base, &value);

	if (err)
		return err;
	if (value > U32_MAX)
		return -ERANGE;
	*out = (u32)value;
	return 0;
}

int parse_s64(const char *s, size_t len, unsigned int base, s64 *out)
{
	bool is_negative = len && s[0] == '-';
	size_t sign = len && (s[0] == '-' || s[0] == '+');
	u64 value;
	int err = parse_u64(s + sign, len - sign, base, &value);

	if (err)
		return err;
	if (value > (u64)S64_MAX + is_negative)
		return -ERANGE;
	*out = (s64)(is_negative ? 0 - value : value);
	return 0;
}

int parse_size_prefix(const char *s, size_t len, u64 *out, size_t *used)
{
	static const char suffixes[] = "kmgtpe";
	const char *suffix;
	size_t n;
	u64 value;
	int err = number_at_start(s, len, 0, &value, &n);

	if (err)
		return err;
	suffix = n < len && s[n] ? strchr(suffixes, char_to_lower(s[n])) : NULL;
	if (suffix) {
		unsigned int shift = 10 * (unsigned int)(suffix - suffixes + 1);

		if (value > U64_MAX >> shift)
			return -ERANGE;
		value <<= shift;
		n++;
	}
	*out = value;
	*used = n;
	return 0;
}

int parse_size(const char *s, size_t len, u64 *out)
{
	size_t used;
	u64 value;
	int err = parse_size_prefix(s, len, &value, &used);

	if (err)
		return err;
	if (used != len)
		return -EINVAL;
	*out = value;
	return 0;
}
