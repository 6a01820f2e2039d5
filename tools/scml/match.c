/* SPDX-License-Identifier: MPL-2.0 */
/* The matcher: match.h says what matches. An attempt that fails leaves nothing behind but the fault, if it is the one that got furthest. */
#include <stdlib.h>
#include "match.h"

static bool match_pattern(struct matcher *m, const struct pattern *pattern, const struct value *v);

/* --- what went wrong */

static bool miss(struct matcher *m, struct slice found, const char *why)
{
	struct fault *f = &m->fault;

	if (f->why && (m->argument < f->argument || (m->argument == f->argument && m->steps <= f->steps)))
		return false;
	*f = (struct fault){ .argument = m->argument, .parameter = m->parameter, .levels = m->levels, .found = found, .why = why, .steps = m->steps };
	memcpy(f->path, m->path, sizeof(f->path));
	return false;
}

static bool enter(struct matcher *m, struct slice name)
{
	if (m->levels < PATH_MAX_LEVELS)
		m->path[m->levels] = name;
	m->levels++;
	return true;
}

static void count_part(struct matcher *m, struct part *part)
{
	GROW(m->parts, m->n_parts, m->parts_room);
	m->parts[m->n_parts++] = part;
	m->steps++;
}

/* --- words */

static bool is_address(struct slice word)
{
	return slice_is(word, "NULL") || slice_starts(word, "0x");
}

/* A value that is nothing but an address. */
static bool is_pointer(const struct value *v)
{
	return v->kind == VALUE_WORDS && v->items && is_address(v->items->text);
}

static bool is_integer(struct slice word)
{
	size_t i = word.len > 1 && *word.at == '-';

	return (i < word.len && word.at[i] >= '0' && word.at[i] <= '9') || slice_starts(word, "makedev(");
}

static bool is_number(struct slice word, unsigned long long number)
{
	unsigned long long value;

	return slice_number(word, &value) && value == number;
}

static bool has_flags(const struct rules *r, const struct pattern *pattern)
{
	for (size_t i = 0; i < pattern->n; i++) {
		const struct part *part = &pattern->parts[i];

		if (part->kind == PART_NAME || (part->kind == PART_REFERENCE && r->defs[part->target].kind != RULE_STRUCT))
			return true;
	}
	return false;
}

static bool match_word(struct matcher *m, const struct pattern *pattern, struct slice word);

/* The word against what a name stands for. */
static bool match_named(struct matcher *m, const struct part *part, struct slice word)
{
	struct rule *first;
	size_t n = rules_of_name(m->rules, part->text, &first);

	for (size_t i = 0; i < n; i++) {
		if (first[i].kind == RULE_STRUCT && is_address(word))
			return true;
		if ((first[i].kind == RULE_FLAGS || first[i].kind == RULE_IGNORED) && match_word(m, first[i].pattern, word))
			return true;
	}
	return false;
}

static bool match_word(struct matcher *m, const struct pattern *pattern, struct slice word)
{
	for (size_t i = 0; i < pattern->n; i++) {
		struct part *part = &pattern->parts[i];
		bool is_match = false;

		switch (part->kind) {
		case PART_NAME:
			is_match = slice_equal(part->text, word);
			break;
		case PART_NUMBER:
			is_match = is_number(word, part->number);
			break;
		case PART_INTEGER:
			is_match = is_integer(word);
			break;
		case PART_PATH:
			is_match = is_address(word);
			break;
		case PART_REFERENCE:
			is_match = match_named(m, part, word);
			break;
		}
		if (is_match) {
			count_part(m, part);
			return true;
		}
	}
	return false;
}

/* The note that refuses the word, of the names the pattern refers to. */
static const struct rule *find_refusal(const struct rules *r, const struct pattern *pattern, struct slice word)
{
	const struct rule *found = NULL;

	for (size_t i = 0; i < pattern->n && !found; i++) {
		struct rule *first;
		size_t n;

		if (pattern->parts[i].kind != PART_REFERENCE)
			continue;
		n = rules_of_name(r, pattern->parts[i].text, &first);
		for (size_t k = 0; k < n && !found; k++) {
			if (first[k].kind == RULE_FLAGS)
				found = find_refusal(r, first[k].pattern, word);
			for (size_t j = 0; first[k].kind == RULE_REFUSED && j < first[k].pattern->n && !found; j++)
				if (slice_equal(first[k].pattern->parts[j].text, word))
					found = &first[k];
		}
	}
	return found;
}

static bool match_words(struct matcher *m, const struct pattern *pattern, const struct value *v)
{
	const struct value *word, *last;

	for (word = v->items; word; word = last->next) {
		bool is_match = match_word(m, pattern, word->text);

		for (last = word; last->next && last->next->is_other; last = last->next)
			is_match = is_match || match_word(m, pattern, last->next->text);
		if (is_match)
			continue;
		if (is_number(word->text, 0) && has_flags(m->rules, pattern)) {
			m->steps++;
			continue;
		}
		miss(m, word->text, "is not supported");
		if (m->fault.found.at == word->text.at && !m->fault.refusal)
			m->fault.refusal = find_refusal(m->rules, pattern, word->text);
		return false;
	}
	return true;
}

/* --- structs and arrays */

static const struct member *find_member(const struct pattern *pattern, struct slice name)
{
	for (size_t i = 0; i < pattern->n; i++)
		if (slice_equal(pattern->members[i].name, name))
			return &pattern->members[i];
	return NULL;
}

static bool has_field(const struct value *v, struct slice name)
{
	for (const struct value *f = v->items; f; f = f->next)
		if (slice_equal(f->name, name))
			return true;
	return false;
}

static bool match_field(struct matcher *m, const struct pattern *pattern, const struct value *field)
{
	const struct member *member = field->name.len ? find_member(pattern, field->name) : NULL;
	bool is_match = true;

	if (!member)
		return pattern->is_open || miss(m, field->name.len ? field->name : field->text, "is a field that no rule knows");
	enter(m, field->name);
	if (member->pattern)
		is_match = match_pattern(m, member->pattern, field);
	m->levels--;
	m->steps += is_match;
	return is_match;
}

static bool match_struct(struct matcher *m, const struct pattern *pattern, const struct value *v)
{
	if (is_pointer(v))
		return true;
	if (v->kind != VALUE_STRUCT)
		return miss(m, v->text, "is not a struct");
	for (const struct value *field = v->items; field; field = field->next)
		if (!match_field(m, pattern, field))
			return false;
	for (size_t i = 0; i < pattern->n && !v->is_cut; i++)
		if (!has_field(v, pattern->members[i].name)) {
			enter(m, pattern->members[i].name);
			miss(m, slice(NULL, 0), "is missing");
			m->levels--;
			return false;
		}
	return true;
}

static bool match_element(struct matcher *m, const struct pattern *pattern, const struct value *v)
{
	for (size_t i = 0; i < pattern->n; i++) {
		size_t n_parts = m->n_parts;

		if (match_pattern(m, pattern->elements[i], v))
			return true;
		m->n_parts = n_parts;
	}
	return false;
}

static bool match_array(struct matcher *m, const struct pattern *pattern, const struct value *v)
{
	if (is_pointer(v))
		return true;
	if (v->kind != VALUE_ARRAY)
		return miss(m, v->text, "is not an array");
	for (const struct value *element = v->items; element; element = element->next)
		if (!match_element(m, pattern, element))
			return false;
	return true;
}

/* A struct against the structs that a flag pattern's references name. */
static bool match_struct_names(struct matcher *m, const struct pattern *pattern, const struct value *v)
{
	bool has_struct = false;

	for (size_t i = 0; i < pattern->n; i++) {
		struct part *part = &pattern->parts[i];
		struct rule *first;
		size_t n = part->kind == PART_REFERENCE ? rules_of_name(m->rules, part->text, &first) : 0;

		for (size_t k = 0; k < n; k++) {
			size_t n_parts = m->n_parts;

			if (first[k].kind != RULE_STRUCT)
				continue;
			has_struct = true;
			if (match_struct(m, first[k].pattern, v)) {
				count_part(m, part);
				return true;
			}
			m->n_parts = n_parts;
		}
	}
	return has_struct ? false : miss(m, v->text, "is a struct, and no rule has one there");
}

static bool match_string(struct matcher *m, const struct pattern *pattern, const struct value *v)
{
	for (size_t i = 0; i < pattern->n; i++)
		if (pattern->parts[i].kind == PART_PATH) {
			count_part(m, &pattern->parts[i]);
			return true;
		}
	return miss(m, v->text, "is a string, and no rule has one there");
}

static bool match_pattern(struct matcher *m, const struct pattern *pattern, const struct value *v)
{
	if (pattern->kind == PATTERN_STRUCT)
		return match_struct(m, pattern, v);
	if (pattern->kind == PATTERN_ARRAY)
		return match_array(m, pattern, v);
	switch (v->kind) {
	case VALUE_STRUCT:
		return match_struct_names(m, pattern, v);
	case VALUE_STRING:
		return match_string(m, pattern, v);
	case VALUE_ARRAY:
		return miss(m, v->text, "is an array, and no rule has one there");
	default:
		return match_words(m, pattern, v);
	}
}

/* --- calls */

static bool match_rule(struct matcher *m, const struct rule *rule, const struct call *call)
{
	const struct pattern *list = rule->pattern;
	const struct value *arg = call->args;

	m->argument = m->steps = m->levels = m->n_parts = 0;
	for (size_t i = 0; i < list->n; i++) {
		const struct member *member = &list->members[i];

		m->argument = i + 1;
		m->parameter = member->name;
		if (!arg)
			return call->is_cut || miss(m, slice(NULL, 0), "is missing");
		if (member->pattern && !match_pattern(m, member->pattern, arg))
			return false;
		arg = arg->next;
	}
	m->argument++;
	m->parameter = slice(NULL, 0);
	return !arg || list->is_open || miss(m, arg->text, "is an argument that no rule knows");
}

enum verdict match_call(struct matcher *m, const struct call *call)
{
	struct rule *first;
	size_t n = rules_of_call(m->rules, call->name, &first);

	m->fault.why = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!match_rule(m, &first[i], call))
			continue;
		if (call->outcome == CALL_SUCCEEDED || (call->outcome == CALL_LEFT && !call->is_cut)) {	/* exit never returns */
			first[i].used++;
			for (size_t k = 0; k < m->n_parts; k++)
				m->parts[k]->used++;
		}
		return MATCHED;
	}
	return n ? NOT_MATCHED : NO_RULE;
}

void matcher_free(struct matcher *m)
{
	free(m->parts);
}

void fault_print(FILE *out, const struct fault *f)
{
	fprintf(out, "argument %zu", f->argument);
	if (f->parameter.len)
		fprintf(out, " (%.*s", (int)f->parameter.len, f->parameter.at);
	for (size_t i = 0; i < f->levels && i < PATH_MAX_LEVELS; i++)
		fprintf(out, ".%.*s", (int)(f->path[i].len < 40 ? f->path[i].len : 40), f->path[i].at);
	fputs(f->parameter.len ? "): " : ": ", out);
	if (f->found.len) {
		putc('\'', out);
		slice_print(out, f->found, 60);
		fputs("' ", out);
	}
	fputs(f->why, out);
	if (f->refusal)
		fprintf(out, ", refused with %.*s (%s:%zu)", (int)f->refusal->error.len, f->refusal->error.at, f->refusal->place.file, f->refusal->place.line);
}
