/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The four functions that compilers call by themselves, in plain C: for the host and for machines
 * without better ones. The x86-64 frame has its own (rep movs) and leaves this file out.
 */
#include <lib/string.h>

#if defined(__GNUC__) && !defined(__clang__)
/* Else gcc turns these very loops into calls of themselves. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	for (; n >= 8; n -= 8, d += 8, s += 8)
		put_le64(d, get_le64(s));
	while (n--)
		*d++ = *s++;
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	if ((uintptr_t)dst - (uintptr_t)src < n) {
		/* dst lies inside src: from the end. */
		for (; n >= 8; n -= 8)
			put_le64(d + n - 8, get_le64(s + n - 8));
		while (n--)
			d[n] = s[n];
		return dst;
	}
	for (; n >= 8; n -= 8, d += 8, s += 8)
		put_le64(d, get_le64(s));
	while (n--)
		*d++ = *s++;
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u8 *d = dst;
	u64 word = (u8)c * 0x0101010101010101UL;

	for (; n >= 8; n -= 8, d += 8)
		put_le64(d, word);
	while (n--)
		*d++ = (u8)c;
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *p = a;
	const u8 *q = b;

	for (; n >= 8 && get_le64(p) == get_le64(q); n -= 8)
		p += 8, q += 8;
	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p < *q ? -1 : 1;
	return 0;
}
