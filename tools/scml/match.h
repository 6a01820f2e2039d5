/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Whether a rule matches a call, and if none does, why not.
 *
 * A parameter or field without a pattern matches anything. A flag pattern matches when each word of the value is one of its parts; 0, no flag set,
 * matches every pattern that has a flag in it. An address or NULL, where strace could not look or there was nothing, matches struct and array patterns
 * and <PATH>. Fields are matched by name; those that a rule lists must be there, unless strace cut the struct. Each element of an array must match one of the
 * pattern's. Of a call whose arguments are cut, those that are there must match.
 */
#ifndef SCML_MATCH_H
#define SCML_MATCH_H

#include "rules.h"
#include "trace.h"

#define PATH_MAX_LEVELS 8

/* Why the rule that got furthest did not match. */
struct fault {
	size_t argument;		/* from 1 */
	struct slice parameter;		/* its name in the rule; empty: the rule has none there */
	struct slice path[PATH_MAX_LEVELS];	/* fields within it */
	size_t levels;
	struct slice found;		/* what of the value is at fault; empty: something is missing */
	const char *why;
	const struct rule *refusal;	/* the note that says with which errno it is refused */
	size_t steps;
};

struct matcher {
	struct rules *rules;
	struct fault fault;
	/* of the attempt at hand */
	struct slice path[PATH_MAX_LEVELS];
	size_t levels, argument, steps;
	struct slice parameter;
	/* parts that matched, to be counted if the rule does */
	struct part **parts;
	size_t n_parts, parts_room;
};

enum verdict { MATCHED, NOT_MATCHED, NO_RULE };

/* Counts what matched in the rules if the call succeeded. `m->fault` tells of NOT_MATCHED. */
enum verdict match_call(struct matcher *m, const struct call *call);
void matcher_free(struct matcher *m);

/* "argument 3 (flags.how): 'O_FOO' is not supported, refused with EINVAL (rules.scml:12)" */
void fault_print(FILE *out, const struct fault *fault);

#endif
