/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tokens of rule files. Comments run from // to the end of the line and are skipped, but for notes: `//:` begins a statement of our own extension
 * (rules.h), whose tokens are handed out as any others, between TOKEN_NOTE and the TOKEN_NOTE_END at the end of the line.
 */
#ifndef SCML_LEXER_H
#define SCML_LEXER_H

#include "text.h"

/* A token's kind: one of these, or the character itself: ( ) { } [ ] < > = | , ; : */
enum token_kind {
	TOKEN_END = 256,
	TOKEN_WORD,		/* letter or _, then letters, digits and _ */
	TOKEN_NUMBER,
	TOKEN_DOTS,		/* .. */
	TOKEN_NOTE,		/* //: */
	TOKEN_NOTE_END,
	TOKEN_COMMENT,		/* only if the lexer keeps comments */
	TOKEN_BAD,		/* nothing that rules are made of */
};

struct token {
	int kind;
	struct slice text;
	struct place place;
	unsigned int lines_before;	/* line ends between this token and the one before */
};

struct lexer {
	const char *at, *end;
	struct place place;		/* of `at` */
	bool in_note, keeps_comments;
};

void lexer_start(struct lexer *lx, const char *file, const char *text, size_t len);
struct token lexer_next(struct lexer *lx);

/* For messages: "'('", "a name" … */
const char *token_kind_name(int kind);

#endif
