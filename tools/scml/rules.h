/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Rules, as a tree. A rule file holds
 *
 *	openat(dirfd, path, flags = <open_flags>, ..);		a call
 *	struct timespec = { tv_sec, tv_nsec = <INTEGER> };	a struct
 *	open_flags = O_RDONLY | O_WRONLY | <more_flags>;	named flags
 *
 * and, our own extension, notes: comments to any other reader of SCML, so that such a reader takes the flags they name for unsupported, which is safe.
 *
 *	//: ignored open_flags = O_LARGEFILE;			accepted, and of no effect, as on Linux: matches as the flags of the rule do
 *	//: refused mode_flags = X_A | X_B : EOPNOTSUPP;	Linux has them; here the call fails with that errno: never matches
 *	//: returns pause = EINTR | ERESTARTNOHAND;		a call that only ever returns with these: that is how it succeeds
 *
 * A note goes on in the next line after a `|`, behind another `//:`. Names may begin with an underscore (`__WALL`): our second extension.
 * Several rules for a call or a struct mean any of them.
 */
#ifndef SCML_RULES_H
#define SCML_RULES_H

#include <stdint.h>
#include "text.h"

enum part_kind {
	PART_NAME,
	PART_NUMBER,
	PART_INTEGER,			/* <INTEGER> */
	PART_PATH,			/* <PATH> */
	PART_REFERENCE,			/* <name> of flags or a struct */
};

struct part {
	enum part_kind kind;
	struct slice text;
	unsigned long long number;
	struct place place;
	size_t target;			/* PART_REFERENCE: index of the first rule of that name */
	uint64_t used;			/* how many succeeded calls matched it */
};

enum pattern_kind { PATTERN_FLAGS, PATTERN_STRUCT, PATTERN_ARRAY };

struct pattern {
	enum pattern_kind kind;
	struct place place;
	struct part *parts;		/* FLAGS */
	struct member *members;		/* STRUCT */
	struct pattern **elements;	/* ARRAY: what an element may be */
	size_t n;
	bool is_open;			/* STRUCT: ends in .. */
};

/* A parameter or a field. */
struct member {
	struct slice name;
	struct place place;
	struct pattern *pattern;	/* NULL: anything */
};

enum rule_kind { RULE_CALL, RULE_STRUCT, RULE_FLAGS, RULE_IGNORED, RULE_REFUSED, RULE_RETURNS };

struct rule {
	enum rule_kind kind;
	struct slice name;
	struct place place;
	struct pattern *pattern;	/* of a call: its parameters, as a struct */
	struct slice error;		/* RULE_REFUSED: name of the errno */
	uint64_t used;
};

/* Sorted by name and, of one name, by file and line, once resolved. Calls are apart: a call and a struct may have one name. So are notes on calls. */
struct rules {
	struct arena arena;
	struct rule *calls, *defs, *returns;
	size_t n_calls, n_defs, n_returns, calls_room, defs_room, returns_room;
	char **texts;			/* of the files: slices point into them */
	size_t n_texts, texts_room;
};

/* Adds what `text` says; complains of what is wrong with it. Returns the number of faults. `file` and `text` must live as long as the rules. */
size_t rules_parse(struct rules *r, const char *file, const char *text, size_t len, FILE *err);

/* To be called after the last file: sorts, and binds references. Returns the number of faults. */
size_t rules_resolve(struct rules *r, FILE *err);

/* Reads, parses and resolves; false, with complaints made, if anything is wrong. */
bool rules_load(struct rules *r, char *const files[], size_t n, FILE *err);
void rules_free(struct rules *r);

/* The rules of one name: `*first` is set; how many. Not for notes: look at the kind. */
size_t rules_of_call(const struct rules *r, struct slice name, struct rule **first);
size_t rules_of_name(const struct rules *r, struct slice name, struct rule **first);
/* Whether a note says that the call succeeds by returning with that errno. */
bool rules_return(const struct rules *r, struct slice call, struct slice error);

/* The whole file in memory of its own; NULL, with a complaint made. */
char *read_file(const char *path, size_t *len, FILE *err);

#endif
