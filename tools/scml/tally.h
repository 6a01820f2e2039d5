/* SPDX-License-Identifier: MPL-2.0 */
/* Counts by name, for summaries: a hash table of strings. */
#ifndef SCML_TALLY_H
#define SCML_TALLY_H

#include "text.h"

struct count {
	char *name;
	size_t len;
	size_t calls, misses;
};

struct tally {
	struct count *slots;	/* name NULL: free */
	size_t n, room;
};

/* The entry of that name, made if there is none; valid until the next call. */
struct count *tally_of(struct tally *t, struct slice name);
/* The entries, sorted by name, in a new array. The tally keeps the names. */
struct count *tally_sorted(const struct tally *t);
void tally_free(struct tally *t);

#endif
