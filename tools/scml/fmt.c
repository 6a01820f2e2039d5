/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The one form of rule files. Tokens are printed with fixed blanks; a rule is broken, behind a comma or a |, where it gets longer than WIDTH; comments
 * keep their place among the tokens and the side of the line they stand on; of several empty lines between rules one is left.
 */
#include <stdlib.h>
#include "check.h"
#include "lexer.h"

#define WIDTH 100
#define TAB 8

struct formatter {
	FILE *out;
	size_t column;			/* 0: nothing on this line yet */
	bool in_rule, in_note;
	bool is_indented;		/* nothing but the indent on this line yet */
	bool must_break;		/* a comment ends the line */
	int last;			/* kind of the token before */
	char *chunk;			/* tokens between two places where a line may be broken */
	size_t n, room;
};

static void end_line(struct formatter *f)
{
	if (f->column)
		putc('\n', f->out);
	f->column = 0;
	f->must_break = false;
}

static void put(struct formatter *f, const char *text, size_t n)
{
	fwrite(text, 1, n, f->out);
	f->column += n;
	f->is_indented = false;
}

static void begin_rest(struct formatter *f)
{
	if (f->in_note)
		put(f, "//:", 3);
	put(f, "\t", 1);
	f->column = TAB;
	f->is_indented = true;
}

static void flush_chunk(struct formatter *f)
{
	if (!f->n)
		return;
	if (f->must_break || (f->column && f->column + 1 + f->n > WIDTH)) {
		end_line(f);
		begin_rest(f);
	}
	if (f->column && !f->is_indented)
		put(f, " ", 1);
	put(f, f->chunk, f->n);
	f->n = 0;
}

static void add(struct formatter *f, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		GROW(f->chunk, f->n, f->room);
		f->chunk[f->n++] = text[i];
	}
}

static bool is_any(int kind, const char *kinds)
{
	return kind && kind < TOKEN_END && strchr(kinds, kind);
}

static void start_rule(struct formatter *f, const struct token *t)
{
	end_line(f);
	if (f->last && t->lines_before > 1)
		putc('\n', f->out);
	f->in_rule = true;
	f->in_note = t->kind == TOKEN_NOTE;
}

static void put_comment(struct formatter *f, const struct token *t)
{
	size_t n = t->text.len;

	while (n && strchr(" \t\r", t->text.at[n - 1]))
		n--;
	flush_chunk(f);
	if (t->lines_before || !f->column) {
		end_line(f);
		if (f->in_rule && !f->in_note)
			begin_rest(f);
		else if (f->last && t->lines_before > 1 && !f->in_rule)
			putc('\n', f->out);
	} else {
		put(f, " ", 1);
	}
	put(f, t->text.at, n);
	f->must_break = true;
	if (!f->in_rule)
		f->last = TOKEN_COMMENT;
}

static void put_token(struct formatter *f, const struct token *t)
{
	if (t->kind == TOKEN_COMMENT) {
		put_comment(f, t);
		return;
	}
	if (t->kind == TOKEN_NOTE_END || (t->kind == TOKEN_NOTE && f->in_rule))
		return;
	if (!f->in_rule)
		start_rule(f, t);
	else if (f->n && !is_any(t->kind, ",;)]>(") && !is_any(f->last, "([<"))
		add(f, " ", 1);
	add(f, t->text.at, t->text.len);
	f->last = t->kind;
	if (is_any(t->kind, ",|;"))
		flush_chunk(f);
	if (t->kind == ';')
		f->in_rule = false;
}

bool format_rules(const char *file, const char *text, size_t len, FILE *out, FILE *err)
{
	struct formatter f = { .out = out };
	struct rules rules = { 0 };
	struct lexer lexer;
	struct token t;
	bool is_good = !rules_parse(&rules, file, text, len, err);

	rules_free(&rules);
	if (!is_good)
		return false;
	lexer_start(&lexer, file, text, len);
	lexer.keeps_comments = true;
	while ((t = lexer_next(&lexer)).kind != TOKEN_END)
		put_token(&f, &t);
	end_line(&f);
	free(f.chunk);
	return true;
}
