/* SPDX-License-Identifier: MPL-2.0 */
/* Open addressing, at most half full. */
#include <stdint.h>
#include <stdlib.h>
#include "tally.h"

/* FNV-1a */
static size_t hash(struct slice s)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.at[i]) * 1099511628211u;
	return (size_t)(h ^ h >> 32);
}

static struct count *find(const struct tally *t, struct slice name)
{
	size_t i = hash(name) & (t->room - 1);

	while (t->slots[i].name && !slice_equal(slice(t->slots[i].name, t->slots[i].len), name))
		i = (i + 1) & (t->room - 1);
	return &t->slots[i];
}

static void grow(struct tally *t)
{
	struct tally old = *t;

	t->room = old.room ? 2 * old.room : 512;
	t->slots = must_realloc(NULL, t->room * sizeof(*t->slots));
	memset(t->slots, 0, t->room * sizeof(*t->slots));
	for (size_t i = 0; i < old.room; i++)
		if (old.slots[i].name)
			*find(t, slice(old.slots[i].name, old.slots[i].len)) = old.slots[i];
	free(old.slots);
}

struct count *tally_of(struct tally *t, struct slice name)
{
	struct count *c;

	if (2 * t->n >= t->room)
		grow(t);
	c = find(t, name);
	if (!c->name) {
		c->name = must_realloc(NULL, name.len + 1);
		memcpy(c->name, name.at, name.len);
		c->name[name.len] = 0;
		c->len = name.len;
		t->n++;
	}
	return c;
}

static int by_name(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	return slice_compare(slice(x->name, x->len), slice(y->name, y->len));
}

struct count *tally_sorted(const struct tally *t)
{
	struct count *sorted = must_realloc(NULL, (t->n + 1) * sizeof(*sorted));
	size_t n = 0;

	for (size_t i = 0; i < t->room; i++)
		if (t->slots[i].name)
			sorted[n++] = t->slots[i];
	qsort(sorted, n, sizeof(*sorted), by_name);
	return sorted;
}

void tally_free(struct tally *t)
{
	for (size_t i = 0; i < t->room; i++)
		free(t->slots[i].name);
	free(t->slots);
}
