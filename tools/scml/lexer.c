/* SPDX-License-Identifier: MPL-2.0 */
/* Tokens of rule files: lexer.h says which. */
#include "lexer.h"

void lexer_start(struct lexer *lx, const char *file, const char *text, size_t len)
{
	*lx = (struct lexer){ .at = text, .end = text + len, .place = { file, 1, 1 } };
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

static bool at_text(const struct lexer *lx, const char *s)
{
	return slice_starts(slice_between(lx->at, lx->end), s);
}

static void step(struct lexer *lx)
{
	if (*lx->at++ == '\n') {
		lx->place.line++;
		lx->place.column = 1;
	} else {
		lx->place.column++;
	}
}

static void step_line(struct lexer *lx)
{
	while (lx->at < lx->end && *lx->at != '\n')
		step(lx);
}

/* Passes blanks and, unless they are kept, comments. Stops at the line end that ends a note. */
static void skip_blanks(struct lexer *lx, unsigned int *lines)
{
	while (lx->at < lx->end) {
		char c = *lx->at;

		if (c == '\n') {
			if (lx->in_note)
				return;
			(*lines)++;
			step(lx);
		} else if (c == ' ' || c == '\t' || c == '\r') {
			step(lx);
		} else if (at_text(lx, "//") && !at_text(lx, "//:") && !lx->keeps_comments) {
			step_line(lx);
		} else {
			return;
		}
	}
}

static int scan(struct lexer *lx)
{
	char c = *lx->at;

	if (at_text(lx, "//:") && !lx->in_note) {
		step(lx), step(lx), step(lx);
		lx->in_note = true;
		return TOKEN_NOTE;
	}
	if (at_text(lx, "//")) {
		step_line(lx);
		return TOKEN_COMMENT;
	}
	if (at_text(lx, "..")) {
		step(lx), step(lx);
		return TOKEN_DOTS;
	}
	if (is_word(c) || (c == '-' && lx->at + 1 < lx->end && is_digit(lx->at[1]))) {
		int kind = is_digit(c) || c == '-' ? TOKEN_NUMBER : TOKEN_WORD;

		do
			step(lx);
		while (lx->at < lx->end && is_word(*lx->at));
		return kind;
	}
	step(lx);
	return c && strchr("(){}[]<>=|,;:", c) ? c : TOKEN_BAD;
}

struct token lexer_next(struct lexer *lx)
{
	struct token t = { .kind = TOKEN_END };
	unsigned long long value;
	const char *start;

	skip_blanks(lx, &t.lines_before);
	t.place = lx->place;
	start = lx->at;
	if (lx->in_note && (lx->at == lx->end || *lx->at == '\n')) {
		lx->in_note = false;
		t.kind = TOKEN_NOTE_END;
	} else if (lx->at < lx->end) {
		t.kind = scan(lx);
	}
	t.text = slice_between(start, lx->at);
	if (t.kind == TOKEN_NUMBER && !slice_number(t.text, &value))
		t.kind = TOKEN_BAD;
	return t;
}

const char *token_kind_name(int kind)
{
	static const struct {
		int kind;
		const char *name;
	} names[] = {
		{ '(', "'('" }, { ')', "')'" }, { '{', "'{'" }, { '}', "'}'" }, { '[', "'['" }, { ']', "']'" }, { '<', "'<'" }, { '>', "'>'" },
		{ '=', "'='" }, { '|', "'|'" }, { ',', "','" }, { ';', "';'" }, { ':', "':'" }, { TOKEN_END, "the end of the file" },
		{ TOKEN_WORD, "a name" }, { TOKEN_NUMBER, "a number" }, { TOKEN_DOTS, "'..'" }, { TOKEN_NOTE, "a note (//:)" },
		{ TOKEN_NOTE_END, "the end of the line" }, { TOKEN_COMMENT, "a comment" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].kind == kind)
			return names[i].name;
	return "something else";
}
