/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/cmdline.h: takes a kernel command line apart (bootparam(7)).
 *
 * Contract: words are separated by white space; double quotes keep blanks together, around the
 * whole word ("key=a b") or the value (key="a b"), and are taken off there; elsewhere they stay. An
 * unclosed quote runs to the end. Words are slices of the text, which is not changed; nothing is
 * allocated. In names - and _ are the same. A word that is "--" ends the kernel's part: everything
 * behind it belongs to init.
 */
#ifndef LIB_CMDLINE_H
#define LIB_CMDLINE_H

#include <lib/types.h>

struct cmdline_word {
	const char *key;
	size_t key_len;
	const char *value; /* NULL: there is no '=' */
	size_t value_len;
	bool is_for_init;  /* behind "--" */
};

struct cmdline_iter {
	const char *text;
	size_t len;
	size_t pos;
	bool is_for_init;
};

void cmdline_init(struct cmdline_iter *it, const char *text, size_t len);
/* The next word; false at the end. The "--" itself is not handed out. */
bool cmdline_next(struct cmdline_iter *it, struct cmdline_word *word);

bool cmdline_key_is(const struct cmdline_word *word, const char *name);
/* Writes key or key=value with a NUL, as init gets it; the length without the NUL, or
 * -E2BIG (the result may be ignored: nothing was written then). */
ssize_t cmdline_word_copy(const struct cmdline_word *word, char *buf, size_t size);
/* The last word with this key before "--": 0, or -ENOENT (may be ignored: @word is then untouched). */
int cmdline_find(const char *text, size_t len, const char *name, struct cmdline_word *word);

struct cmdline_option {
	const char *name;
	/*
	 * 0, or -errno if the value is bad (value NULL: there was no '='); then it counts as
	 * unknown.
	 */
	int (*set)(void *ctx, const char *value, size_t value_len);
};

/*
 * Every word, in order, goes to the option of its name, or if there is none, or it is behind "--",
 * to @unknown (may be NULL). Linux's rule for those: behind "--", to init's arguments; with a '.'
 * in the key, dropped (a module's); with '=', to init's environment; else to its arguments.
 */
void cmdline_parse(const char *text, size_t len, const struct cmdline_option *options,
		   size_t nr_options, void (*unknown)(void *ctx, const struct cmdline_word *word),
		   void *ctx);

#endif
