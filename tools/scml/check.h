/* SPDX-License-Identifier: MPL-2.0 */
/* scml's commands. Each returns the exit status: 0 all is well, 1 something did not match, 2 bad rules, input or usage. */
#ifndef SCML_CHECK_H
#define SCML_CHECK_H

#include "rules.h"

enum { STATUS_OK, STATUS_MISS, STATUS_BAD };

struct check_options {
	bool summary;		/* counts by call instead of each miss */
	bool succeeded;		/* calls that failed are not looked at */
	bool unused;		/* names in rules that no succeeded call used are misses, too */
};

/* Checks the log on `in`, called `file` in messages, against resolved rules. Finds go to `out`, complaints to `err`. */
int check_log(struct rules *r, const struct check_options *options, FILE *in, const char *file, FILE *out, FILE *err);

/* Runs a program under strace and checks its log. */
int check_program(struct rules *r, const struct check_options *options, char *const argv[]);

/* Prints a rule file in its one form. False, with complaints made, if its tokens can't be told apart. */
bool format_rules(const char *file, const char *text, size_t len, FILE *out, FILE *err);

/* Tells on `out` what is odd in resolved rules: how many finds. */
size_t lint_rules(struct rules *r, FILE *out);

/* Prints what resolved rules say, one fact a line, fields apart by tabs, for other programs: see list.c. */
void list_rules(const struct rules *r, FILE *out);

#endif
