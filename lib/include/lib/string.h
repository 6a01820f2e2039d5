/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/string.h: memory and string functions, and number parsing.
 *
 * Contract: the names that C has behave as C says. The mem* four are in lib/mem.c (plain C, host
 * and hosted machine); a frame with better instructions leaves that file out and defines them
 * itself. Parsers take a length, never read past it, accept the whole text or fail, and leave *out
 * alone on failure.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <lib/types.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

void *memchr(const void *s, int c, size_t n);
/* The last one. */
void *memrchr(const void *s, int c, size_t n);
/* The first byte that is not @c, or NULL. */
void *memchr_inv(const void *s, int c, size_t n);
/* Where @needle lies in @hay, or NULL; an empty needle lies at the start. */
void *memmem(const void *hay, size_t hay_len, const void *needle, size_t needle_len);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *hay, const char *needle);

/*
 * Copies at most size-1 bytes and ends with NUL if size > 0; returns strlen(src), so truncation is
 * result >= size.
 */
size_t strlcpy(char *dst, const char *src, size_t size);
size_t strlcat(char *dst, const char *src, size_t size);
/*
 * Copies at most size-1 bytes and ends with NUL; returns the bytes copied, or -E2BIG if it had to
 * cut (or size is 0).
 */
ssize_t strscpy(char *dst, const char *src, size_t size); /* the result may be ignored: the text is cut and ended */

bool str_startswith(const char *s, const char *prefix);
bool str_endswith(const char *s, const char *suffix);
/* Whether the @len bytes at @s are exactly the C string @word. */
bool str_eq_len(const char *s, size_t len, const char *word);

static inline bool char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool char_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool char_is_print(char c)
{
	return c >= ' ' && c <= '~';
}

static inline char char_to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/*
 * The number that is the whole of s[0..len-1]. @base 2..36, or 0: 0x.. is 16, 0.. is 8, else 10;
 * with base 16 a leading 0x is allowed too. No sign (parse_s64: one), no blanks. 0, -EINVAL if it
 * is not a number, -ERANGE if it is too large.
 */
int __must_check parse_u64(const char *s, size_t len, unsigned int base, u64 *out);
int __must_check parse_u32(const char *s, size_t len, unsigned int base, u32 *out);
int __must_check parse_s64(const char *s, size_t len, unsigned int base, s64 *out);
/* A number with base 0 and one optional suffix K M G T P E (either case), powers of 1024. */
int __must_check parse_size(const char *s, size_t len, u64 *out);
/*
 * The longest size at the start of s[0..len-1]; *used says how many bytes it took. -EINVAL if there
 * is none, -ERANGE. For texts such as memmap=64M@1G.
 */
int __must_check parse_size_prefix(const char *s, size_t len, u64 *out, size_t *used);

#endif
