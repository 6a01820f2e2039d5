/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Arguments as strace prints them, as a tree. Everything strace 6.1 writes has a place in it; what no pattern could look into (bits of C such as
 * `20 * sizeof(struct ifreq)`) is kept as words. Comments and what stands behind `=>` (the out-half of an argument) are passed over.
 */
#ifndef SCML_VALUE_H
#define SCML_VALUE_H

#include "text.h"

enum value_kind {
	VALUE_WORDS,		/* A|0x40, 12, -1, 3</path>, makedev(0x8, 0x1): items are its words */
	VALUE_WORD,
	VALUE_STRING,		/* "…", perhaps cut */
	VALUE_STRUCT,		/* {…}: items are fields, named or not */
	VALUE_ARRAY,		/* […] or ~[…]: items are elements */
};

struct value {
	enum value_kind kind;
	bool is_cut;		/* "…" stands for some of it */
	bool is_other;		/* of a word: `or` stands before it, another name of the same value */
	struct slice text;	/* of a word: without the <…> of -y */
	struct slice name;	/* NAME=…, else empty */
	struct value *items, *next;
};

struct value_parser {
	struct arena *arena;
	const char *at, *end;
	const char *fault;	/* where it went wrong, and what was expected there */
	const char *expected;
	unsigned int depth;
	bool is_cut;		/* the list ended in <unfinished ...> or the like */
};

/*
 * Parses what stands between a call's parentheses, the closing one included. False on a fault. A list that ends in <…>, or with the text if
 * `may_end` says so, is cut: arguments are missing.
 */
bool value_parse_arguments(struct value_parser *p, bool may_end, struct value **args);

#endif
