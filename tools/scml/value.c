/* SPDX-License-Identifier: MPL-2.0 */
/* The parser of values: recursive descent over text, at most DEPTH_MAX deep, tolerant of expressions and strict about brackets and strings. */
#include "value.h"

#define DEPTH_MAX 100

static struct value *parse_value(struct value_parser *p, bool in_array);

static bool at_end(const struct value_parser *p)
{
	return p->at == p->end;
}

static char peek(const struct value_parser *p)
{
	return at_end(p) ? 0 : *p->at;
}

static bool at_text(const struct value_parser *p, const char *s)
{
	return slice_starts(slice_between(p->at, p->end), s);
}

static bool fail(struct value_parser *p, const char *expected)
{
	if (!p->expected) {
		p->fault = p->at;
		p->expected = expected;
	}
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

/* Blanks and comments. */
static void skip_blanks(struct value_parser *p)
{
	while (!at_end(p)) {
		if (*p->at == ' ' || *p->at == '\t') {
			p->at++;
		} else if (at_text(p, "/*")) {
			const char *close = memmem(p->at + 2, (size_t)(p->end - p->at - 2), "*/", 2);

			p->at = close ? close + 2 : p->end;
		} else {
			return;
		}
	}
}

static bool skip_string(struct value_parser *p)
{
	for (p->at++; !at_end(p); p->at++) {
		if (*p->at == '"') {
			p->at++;
			return true;
		}
		if (*p->at == '\\' && p->at + 1 < p->end)
			p->at++;
	}
	return fail(p, "'\"', the string's end");
}

/* To behind the bracket that closes the one at `at`. An arrow's head closes nothing. */
static bool skip_brackets(struct value_parser *p, char open, char close)
{
	size_t depth = 0;

	while (!at_end(p)) {
		char c = *p->at;

		if (c == '"' && open == '(') {
			if (!skip_string(p))
				return false;
			continue;
		}
		if (c == '-' && open == '<' && at_text(p, "->"))
			p->at++;
		else if (c == open)
			depth++;
		else if (c == close && --depth == 0) {
			p->at++;
			return true;
		}
		p->at++;
	}
	return fail(p, open == '(' ? "')'" : "'>'");
}

static struct value *new_value(struct value_parser *p, enum value_kind kind)
{
	struct value *v = arena_alloc(p->arena, sizeof(*v));

	v->kind = kind;
	v->text.at = p->at;
	return v;
}

/* A word ends at a blank or what separates values. `text` leaves a final <…>, as in 3</path>, out. */
static struct value *parse_word(struct value_parser *p)
{
	struct value *word = new_value(p, VALUE_WORD);
	const char *start = p->at, *end = NULL;

	while (!at_end(p) && !strchr(" \t,)]}|{[", *p->at) && !at_text(p, "=>") && !at_text(p, "/*")) {
		if (at_text(p, "<<")) {
			p->at += 2;
		} else if (*p->at == '<') {
			end = p->at > start ? p->at : end;
			if (!skip_brackets(p, '<', '>'))
				return NULL;
		} else if (*p->at == '(') {
			if (!skip_brackets(p, '(', ')'))
				return NULL;
		} else if (*p->at == '"') {
			if (!skip_string(p))
				return NULL;
		} else {
			p->at++;
		}
	}
	if (p->at == start)
		return fail(p, "a value"), NULL;
	word->text.len = (size_t)((end ? end : p->at) - start);
	return word;
}

/* `|`, or `or` between two names of one value. */
static bool accept_joint(struct value_parser *p, bool *is_or)
{
	*is_or = false;
	if (peek(p) == '|') {
		p->at++;
		return true;
	}
	if (!at_text(p, "or "))
		return false;
	p->at += 3;
	*is_or = true;
	return true;
}

/* Words joined by | or `or`. Outside arrays, where blanks separate elements, what else follows belongs to an expression that nobody looks into. */
static struct value *parse_words(struct value_parser *p, bool in_array)
{
	struct value *words = new_value(p, VALUE_WORDS), **tail = &words->items;
	bool is_or = false;

	do {
		skip_blanks(p);
		if (words->items && !at_end(p) && strchr(",)}", *p->at))
			break;		/* strace's `c_oflag=NL0|CR0|, c_lflag=, ` */
		*tail = parse_word(p);
		if (!*tail)
			return NULL;
		(*tail)->is_other = is_or;
		tail = &(*tail)->next;
		words->text.len = (size_t)(p->at - words->text.at);
		skip_blanks(p);
	} while (accept_joint(p, &is_or));
	while (!in_array && !at_end(p) && !strchr(",)]}", *p->at) && !at_text(p, "=>")) {
		struct value *word = *p->at == '|' || *p->at == '{' || *p->at == '[' ? (p->at++, NULL) : parse_word(p);

		if (p->expected)
			return NULL;
		*tail = word;
		tail = word ? &word->next : tail;
		words->text.len = (size_t)(p->at - words->text.at);
		skip_blanks(p);
	}
	return words;
}

static struct value *parse_string(struct value_parser *p)
{
	struct value *v = new_value(p, VALUE_STRING);

	if (!skip_string(p))
		return NULL;
	if (at_text(p, "...")) {
		p->at += 3;
		v->is_cut = true;
	}
	v->text.len = (size_t)(p->at - v->text.at);
	return v;
}

/* NAME= before a value: letters, then also what is in `c_cc[VMIN]` and `a.b`. Empty if there is none. */
static struct slice parse_name(struct value_parser *p)
{
	const char *start = p->at, *at = start;

	if (at == p->end || !is_name(*at) || is_digit(*at))
		return slice(start, 0);
	while (at < p->end && (is_name(*at) || *at == '[' || *at == ']' || *at == '.'))
		at++;
	if (at == p->end || *at != '=' || (at + 1 < p->end && (at[1] == '=' || at[1] == '>')))
		return slice(start, 0);
	p->at = at + 1;
	return slice_between(start, at);
}

/* Items up to the closing bracket. */
static bool parse_items(struct value_parser *p, struct value *list, char close)
{
	struct value **tail = &list->items;
	bool in_array = close == ']';

	for (;;) {
		struct slice name;

		skip_blanks(p);
		if (peek(p) == ',') {
			p->at++;
			continue;
		}
		if (peek(p) == close) {
			p->at++;
			list->text.len = (size_t)(p->at - list->text.at);
			return true;
		}
		if (at_text(p, "...")) {
			p->at += 3;
			list->is_cut = true;
			continue;
		}
		if (at_end(p) || strchr(")]}", peek(p)))
			return fail(p, in_array ? "',' or ']'" : "',' or '}'");
		name = in_array ? slice(p->at, 0) : parse_name(p);
		if (name.len && (peek(p) == ',' || peek(p) == close)) {		/* nothing: no flags */
			*tail = new_value(p, VALUE_WORDS);
			(*tail)->name = name;
			tail = &(*tail)->next;
			continue;
		}
		*tail = parse_value(p, in_array);
		if (!*tail)
			return false;
		(*tail)->name = name;
		tail = &(*tail)->next;
	}
}

static struct value *parse_list(struct value_parser *p, enum value_kind kind)
{
	struct value *v = new_value(p, kind);

	if (*p->at == '~')
		p->at++;
	p->at++;
	return parse_items(p, v, kind == VALUE_ARRAY ? ']' : '}') ? v : NULL;
}

static struct value *parse_plain(struct value_parser *p, bool in_array)
{
	char c = peek(p);

	if (c == '"')
		return parse_string(p);
	if (c == '{')
		return parse_list(p, VALUE_STRUCT);
	if (c == '[' || at_text(p, "~["))
		return parse_list(p, VALUE_ARRAY);
	return parse_words(p, in_array);
}

/* A value, the index before it in an array (`[2]=`), and an arrow with another behind it. */
static struct value *parse_value(struct value_parser *p, bool in_array)
{
	struct value *v;

	if (p->depth == DEPTH_MAX)
		return fail(p, "no deeper nesting"), NULL;
	p->depth++;
	v = parse_plain(p, in_array);
	if (v && in_array && v->kind == VALUE_ARRAY && peek(p) == '=' && !at_text(p, "=>")) {
		p->at++;
		v = parse_plain(p, in_array);
	}
	if (v)
		skip_blanks(p);
	while (v && at_text(p, "=>")) {
		p->at += 2;
		skip_blanks(p);
		if (!parse_plain(p, in_array))
			v = NULL;
		else
			skip_blanks(p);
	}
	p->depth--;
	return v;
}

/* `<unfinished ...>` and its like, or the text's end: passes it. */
static bool accept_cut(struct value_parser *p, bool may_end)
{
	static const char *const words[] = { "<unfinished", "<detached", "<pid changed", "<unavailable" };

	p->is_cut = at_end(p) && may_end;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (at_text(p, words[i])) {
			p->is_cut = true;
			if (skip_brackets(p, '<', '>') && peek(p) == ')')
				p->at++;
		}
	return p->is_cut;
}

bool value_parse_arguments(struct value_parser *p, bool may_end, struct value **args)
{
	struct value **tail = args;

	*args = NULL;
	for (;;) {
		struct slice name;

		skip_blanks(p);
		if (peek(p) == ')') {
			p->at++;
			return true;
		}
		if (accept_cut(p, may_end))
			return true;
		if (*args) {
			if (peek(p) != ',')
				return fail(p, "',' or ')'");
			p->at++;
			skip_blanks(p);
			if (accept_cut(p, may_end))
				return true;
		}
		name = parse_name(p);
		*tail = parse_value(p, false);
		if (!*tail)
			return false;
		(*tail)->name = name;
		tail = &(*tail)->next;
	}
}
