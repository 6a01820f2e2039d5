/* SPDX-License-Identifier: MPL-2.0 */
/* Slices, complaints, arenas. */
#include <stdarg.h>
#include <stdlib.h>
#include "text.h"

#define BLOCK_SIZE 65536

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(16) char bytes[];
};

int slice_compare(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.at, b.at, n) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

bool slice_number(struct slice s, unsigned long long *value)
{
	bool is_negative = s.len > 1 && *s.at == '-';
	size_t i = is_negative;
	int base = 10;

	*value = 0;
	if (i + 1 < s.len && s.at[i] == '0') {
		char c = s.at[i + 1];

		base = c == 'x' || c == 'X' ? 16 : 8;
		i += base == 16 || c == 'o' ? 2 : 1;
	}
	if (i >= s.len)
		return false;
	for (; i < s.len; i++) {
		int digit = digit_value(s.at[i]);

		if (digit >= base)
			return false;
		*value = *value * (unsigned int)base + (unsigned int)digit;
	}
	if (is_negative)
		*value = -*value;
	return true;
}

void slice_print(FILE *out, struct slice s, size_t max)
{
	for (size_t i = 0; i < s.len && i < max; i++) {
		unsigned char c = (unsigned char)s.at[i];

		putc(c < ' ' || c == 0x7f ? '?' : c, out);
	}
	if (s.len > max)
		fputs("...", out);
}

void complain(FILE *err, struct place place, const char *fmt, ...)
{
	va_list ap;

	fprintf(err, "%s:%zu:%zu: ", place.file, place.line, place.column);
	va_start(ap, fmt);
	vfprintf(err, fmt, ap);
	va_end(ap);
	putc('\n', err);
}

void *must_realloc(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p) {
		fputs("scml: no memory\n", stderr);
		exit(2);
	}
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *block = a->blocks;
	char *p;

	size = (size + 15) & ~(size_t)15;
	if (!block || block->size - block->used < size) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		block = must_realloc(NULL, sizeof(*block) + room);
		block->next = a->blocks;
		block->size = room;
		block->used = 0;
		a->blocks = block;
	}
	p = block->bytes + block->used;
	block->used += size;
	return memset(p, 0, size);
}

void arena_reset(struct arena *a)
{
	struct arena_block *kept = a->blocks;

	if (!kept)
		return;
	a->blocks = kept->next;
	arena_free(a);
	kept->next = NULL;
	kept->used = 0;
	a->blocks = kept;
}

void arena_free(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
}
