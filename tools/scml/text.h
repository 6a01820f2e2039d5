/* SPDX-License-Identifier: MPL-2.0 */
/* What all parts of scml share: slices of text, places in files, and memory that is freed all at once. */
#ifndef SCML_TEXT_H
#define SCML_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Bytes of somebody else's text, not terminated. */
struct slice {
	const char *at;
	size_t len;
};

static inline struct slice slice(const char *at, size_t len)
{
	return (struct slice){ at, len };
}

static inline struct slice slice_between(const char *at, const char *end)
{
	return (struct slice){ at, (size_t)(end - at) };
}

static inline struct slice slice_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (!a.len || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *s)
{
	return slice_equal(a, slice_of(s));
}

static inline bool slice_starts(struct slice a, const char *s)
{
	size_t n = strlen(s);

	return a.len >= n && memcmp(a.at, s, n) == 0;
}

/* As strcmp orders. */
int slice_compare(struct slice a, struct slice b);

/* An integer as strace or C write it: 12, -100, 0xdead, 0644, 0o644. False if the slice is anything else. */
bool slice_number(struct slice s, unsigned long long *value);

/* Prints at most `max` bytes, dots if there were more, and no control characters. */
void slice_print(FILE *out, struct slice s, size_t max);

/* Lines and columns count from 1; columns in bytes. */
struct place {
	const char *file;
	size_t line, column;
};

/* "file:line:column: message" on `err`. */
void complain(FILE *err, struct place place, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Memory freed all at once, zeroed when handed out. Ends the program when there is none left. */
struct arena {
	struct arena_block *blocks;
};

void *arena_alloc(struct arena *a, size_t size);
void arena_reset(struct arena *a);	/* keeps one block for the next round */
void arena_free(struct arena *a);

/* malloc and realloc that end the program when there is no memory. */
void *must_realloc(void *p, size_t size);

/* Makes room in a growing array for one element more. */
#define GROW(array, n, capacity)								\
	do {											\
		if ((n) == (capacity)) {							\
			(capacity) = (capacity) ? 2 * (capacity) : 8;				\
			(array) = must_realloc((array), (capacity) * sizeof(*(array)));		\
		}										\
	} while (0)

#endif
