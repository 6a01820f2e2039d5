/* SPDX-License-Identifier: MPL-2.0 */
/* The parser of rule files: recursive descent, one token ahead. After a fault it goes on behind the next semicolon. */
#include <stdlib.h>
#include "lexer.h"
#include "rules.h"

#define DEPTH_MAX 32
#define FAULTS_MAX 20

struct parser {
	struct rules *rules;
	struct lexer lexer;
	struct token token;		/* the one looked at */
	FILE *err;
	size_t faults;
	bool is_lost;			/* a fault was told; skip to the next rule */
	unsigned int depth;
};

static void next(struct parser *p)
{
	p->token = lexer_next(&p->lexer);
}

static void expected(struct parser *p, const char *what)
{
	struct slice found = p->token.text;

	if (p->is_lost)
		return;
	p->is_lost = true;
	if (p->faults++ >= FAULTS_MAX)
		return;
	if (p->token.kind == TOKEN_END || p->token.kind == TOKEN_NOTE_END)
		complain(p->err, p->token.place, "expected %s, found %s", what, token_kind_name(p->token.kind));
	else
		complain(p->err, p->token.place, "expected %s, found '%.*s'", what, (int)(found.len < 40 ? found.len : 40), found.at);
}

static bool accept(struct parser *p, int kind)
{
	if (p->is_lost || p->token.kind != kind)
		return false;
	next(p);
	return true;
}

static void expect(struct parser *p, int kind, const char *what)
{
	if (!accept(p, kind))
		expected(p, what);
}

static struct slice expect_word(struct parser *p, const char *what)
{
	struct slice text = p->token.text;

	expect(p, TOKEN_WORD, what);
	return text;
}

/* A note goes on in the next line, behind another //:. */
static void cross_note_line(struct parser *p)
{
	if (accept(p, TOKEN_NOTE_END))
		expect(p, TOKEN_NOTE, "'//:' and the rest of the note");
}

static struct part parse_part(struct parser *p)
{
	struct part part = { .text = p->token.text, .place = p->token.place };

	if (p->token.kind == TOKEN_NUMBER) {
		part.kind = PART_NUMBER;
		(void)slice_number(part.text, &part.number);
		next(p);
	} else if (accept(p, '<')) {
		part.text = expect_word(p, "a name behind '<'");
		part.kind = slice_is(part.text, "INTEGER") ? PART_INTEGER : slice_is(part.text, "PATH") ? PART_PATH : PART_REFERENCE;
		expect(p, '>', "'>'");
	} else {
		part.kind = PART_NAME;
		(void)expect_word(p, "a flag, a number, '<', '{' or '['");
	}
	return part;
}

/* The parser's growing arrays are its own; a finished one moves to the arena. */
static void *keep(struct parser *p, void *array, size_t size)
{
	void *kept = arena_alloc(&p->rules->arena, size);

	if (size)
		memcpy(kept, array, size);
	free(array);
	return kept;
}

static struct pattern *new_pattern(struct parser *p, enum pattern_kind kind)
{
	struct pattern *pattern = arena_alloc(&p->rules->arena, sizeof(*pattern));

	pattern->kind = kind;
	pattern->place = p->token.place;
	return pattern;
}

static struct pattern *parse_flags(struct parser *p)
{
	struct pattern *pattern = new_pattern(p, PATTERN_FLAGS);
	struct part *parts = NULL;
	size_t n = 0, room = 0;

	do {
		if (n)
			cross_note_line(p);
		GROW(parts, n, room);
		parts[n++] = parse_part(p);
	} while (accept(p, '|'));
	pattern->parts = keep(p, parts, n * sizeof(*parts));
	pattern->n = n;
	return pattern;
}

static struct pattern *parse_pattern(struct parser *p);

static struct pattern *parse_array(struct parser *p)
{
	struct pattern *pattern = new_pattern(p, PATTERN_ARRAY), **elements = NULL;
	size_t n = 0, room = 0;

	next(p);
	do {
		if (n && p->token.kind == ']')
			break;
		GROW(elements, n, room);
		elements[n++] = parse_pattern(p);
	} while (accept(p, ','));
	expect(p, ']', "',' or ']'");
	pattern->elements = keep(p, elements, n * sizeof(*elements));
	pattern->n = n;
	return pattern;
}

/* Parameters or fields up to `close`, which the token before them opened. */
static struct pattern *parse_members(struct parser *p, int close, const char *what_else)
{
	struct pattern *pattern = new_pattern(p, PATTERN_STRUCT);
	struct member *members = NULL;
	size_t n = 0, room = 0;

	while (!p->is_lost && p->token.kind != close) {
		if (accept(p, TOKEN_DOTS)) {
			pattern->is_open = true;
			(void)accept(p, ',');
			break;
		}
		GROW(members, n, room);
		members[n].place = p->token.place;
		members[n].name = expect_word(p, n ? "a name or '..'" : what_else);
		members[n].pattern = accept(p, '=') ? parse_pattern(p) : NULL;
		n++;
		if (!accept(p, ','))
			break;
	}
	if (p->token.kind == close)
		next(p);
	else
		expected(p, pattern->is_open ? token_kind_name(close) : close == ')' ? "',' or ')'" : "',' or '}'");
	pattern->members = keep(p, members, n * sizeof(*members));
	pattern->n = n;
	return pattern;
}

static struct pattern *parse_struct(struct parser *p)
{
	struct place place = p->token.place;
	struct pattern *pattern;

	expect(p, '{', "'{'");
	pattern = parse_members(p, '}', "a field, '..' or '}'");
	pattern->place = place;
	if (!pattern->n && !pattern->is_open)
		expected(p, "a field in the struct before this");
	return pattern;
}

static struct pattern *parse_pattern(struct parser *p)
{
	struct pattern *pattern;

	if (p->depth == DEPTH_MAX) {
		expected(p, "no deeper nesting");
		return NULL;
	}
	p->depth++;
	pattern = p->token.kind == '{' ? parse_struct(p) : p->token.kind == '[' ? parse_array(p) : parse_flags(p);
	p->depth--;
	return pattern;
}

static void add_rule(struct parser *p, const struct rule *rule)
{
	struct rules *r = p->rules;

	if (p->is_lost)
		return;
	if (rule->kind == RULE_CALL) {
		GROW(r->calls, r->n_calls, r->calls_room);
		r->calls[r->n_calls++] = *rule;
	} else if (rule->kind == RULE_RETURNS) {
		GROW(r->returns, r->n_returns, r->returns_room);
		r->returns[r->n_returns++] = *rule;
	} else {
		GROW(r->defs, r->n_defs, r->defs_room);
		r->defs[r->n_defs++] = *rule;
	}
}

static void parse_note(struct parser *p)
{
	struct slice word = expect_word(p, "'ignored', 'refused' or 'returns'");
	struct rule rule = { .kind = slice_is(word, "ignored") ? RULE_IGNORED : slice_is(word, "returns") ? RULE_RETURNS : RULE_REFUSED,
			     .place = p->token.place };

	if (!p->is_lost && rule.kind == RULE_REFUSED && !slice_is(word, "refused")) {
		p->token.text = word;
		expected(p, "'ignored', 'refused' or 'returns' before this");
	}
	rule.name = expect_word(p, rule.kind == RULE_RETURNS ? "the name of the call that the note is about" : "the name of the flags that the note is about");
	expect(p, '=', "'='");
	rule.pattern = parse_flags(p);
	if (rule.kind == RULE_REFUSED) {
		expect(p, ':', "'|', or ':' and the errno");
		rule.error = expect_word(p, "the name of an errno");
	}
	expect(p, ';', "';'");
	expect(p, TOKEN_NOTE_END, "the end of the line");
	add_rule(p, &rule);
}

static void parse_rule(struct parser *p)
{
	struct rule rule = { .kind = RULE_FLAGS, .place = p->token.place };
	bool is_struct = p->token.kind == TOKEN_WORD && slice_is(p->token.text, "struct");

	if (is_struct)
		next(p);
	rule.name = expect_word(p, is_struct ? "the struct's name" : "a rule: a call, a struct or flags");
	if (is_struct) {
		rule.kind = RULE_STRUCT;
		expect(p, '=', "'='");
		rule.pattern = parse_struct(p);
	} else if (accept(p, '(')) {
		rule.kind = RULE_CALL;
		rule.pattern = parse_members(p, ')', "a parameter, '..' or ')'");
	} else {
		expect(p, '=', "'(' or '='");
		rule.pattern = parse_flags(p);
	}
	expect(p, ';', rule.kind == RULE_FLAGS ? "'|' or ';'" : "';'");
	add_rule(p, &rule);
}

/* Behind the next semicolon, or at the next note or end. */
static void find_way(struct parser *p)
{
	while (p->token.kind != TOKEN_END && p->token.kind != TOKEN_NOTE && p->token.kind != ';' && p->token.kind != TOKEN_NOTE_END)
		next(p);
	if (p->token.kind == ';')
		next(p);
	if (p->token.kind == TOKEN_NOTE_END)
		next(p);
	p->is_lost = false;
}

size_t rules_parse(struct rules *r, const char *file, const char *text, size_t len, FILE *err)
{
	struct parser p = { .rules = r, .err = err };

	lexer_start(&p.lexer, file, text, len);
	next(&p);
	while (p.token.kind != TOKEN_END) {
		if (accept(&p, TOKEN_NOTE))
			parse_note(&p);
		else
			parse_rule(&p);
		if (p.is_lost)
			find_way(&p);
	}
	if (p.faults > FAULTS_MAX)
		fprintf(err, "%s: and %zu faults more\n", file, p.faults - FAULTS_MAX);
	return p.faults;
}
