/* SPDX-License-Identifier: MPL-2.0 */
/* From parsed files to rules that can be matched: sorted for look-up, references bound, no flags that contain themselves. */
#include <stdlib.h>
#include "rules.h"

static int by_name(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;
	int order = slice_compare(x->name, y->name);

	if (!order)
		order = strcmp(x->place.file, y->place.file);
	if (!order)
		order = (x->place.line > y->place.line) - (x->place.line < y->place.line);
	return order ? order : (x->place.column > y->place.column) - (x->place.column < y->place.column);
}

static size_t find(struct rule *rules, size_t n, struct slice name, struct rule **first)
{
	size_t lo = 0, hi = n, count = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (slice_compare(rules[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*first = lo ? rules + lo : rules;
	while (lo + count < n && slice_equal((*first)[count].name, name))
		count++;
	return count;
}

size_t rules_of_call(const struct rules *r, struct slice name, struct rule **first)
{
	return find(r->calls, r->n_calls, name, first);
}

size_t rules_of_name(const struct rules *r, struct slice name, struct rule **first)
{
	return find(r->defs, r->n_defs, name, first);
}

bool rules_return(const struct rules *r, struct slice call, struct slice error)
{
	struct rule *first;
	size_t n = find(r->returns, r->n_returns, call, &first);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < first[i].pattern->n; k++)
			if (slice_equal(first[i].pattern->parts[k].text, error))
				return true;
	return false;
}

/* Notes on calls that there are. */
static size_t check_returns(const struct rules *r, FILE *err)
{
	size_t faults = 0;

	for (size_t i = 0; i < r->n_returns; i++) {
		struct rule *rule = &r->returns[i], *first;

		if (rules_of_call(r, rule->name, &first))
			continue;
		complain(err, rule->place, "the note's call '%.*s' has no rule", (int)rule->name.len, rule->name.at);
		faults++;
	}
	return faults;
}

static size_t bind_pattern(const struct rules *r, struct pattern *pattern, FILE *err)
{
	size_t faults = 0;

	if (!pattern)
		return 0;
	for (size_t i = 0; i < pattern->n; i++) {
		struct rule *first;
		struct part *part;

		if (pattern->kind == PATTERN_STRUCT) {
			faults += bind_pattern(r, pattern->members[i].pattern, err);
			continue;
		}
		if (pattern->kind == PATTERN_ARRAY) {
			faults += bind_pattern(r, pattern->elements[i], err);
			continue;
		}
		part = &pattern->parts[i];
		if (part->kind != PART_REFERENCE)
			continue;
		if (!rules_of_name(r, part->text, &first)) {
			complain(err, part->place, "<%.*s> is defined nowhere", (int)part->text.len, part->text.at);
			faults++;
		}
		part->target = (size_t)(first - r->defs);
	}
	return faults;
}

/* One name means structs, or flags with their notes. */
static size_t check_names(const struct rules *r, FILE *err)
{
	size_t faults = 0;

	for (size_t i = 0, n; i < r->n_defs; i += n) {
		struct rule *first;
		size_t structs = 0, flags = 0;

		n = rules_of_name(r, r->defs[i].name, &first);
		for (size_t k = 0; k < n; k++) {
			structs += first[k].kind == RULE_STRUCT;
			flags += first[k].kind == RULE_FLAGS;
		}
		if (flags > 1 || (flags && structs) || (structs != n && !flags)) {
			struct rule *last = &first[n - 1];

			complain(err, last->place, !flags ? "the note's flags '%.*s' are defined nowhere" : "'%.*s' is defined more than once",
				 (int)last->name.len, last->name.at);
			faults++;
		}
	}
	return faults;
}

#define OPEN (-1)
#define HEIGHT_MAX 64

/*
 * Over how many references the longest way from a name leads: depth first, each name once. HEIGHT_MAX for a name that leads back to itself.
 * Through structs a name may: each level of those takes a level of the value.
 */
static int height(const struct rules *r, size_t i, int *heights, int depth)
{
	struct rule *first;
	size_t n = rules_of_name(r, r->defs[i].name, &first), base = (size_t)(first - r->defs);
	int highest = 0;

	if (heights[base] == OPEN || depth == HEIGHT_MAX)
		return HEIGHT_MAX;
	if (heights[base])
		return heights[base];
	heights[base] = OPEN;
	for (size_t k = 0; k < n; k++) {
		const struct pattern *pattern = first[k].pattern;

		for (size_t j = 0; first[k].kind != RULE_STRUCT && j < pattern->n; j++)
			if (pattern->parts[j].kind == PART_REFERENCE) {
				int h = height(r, pattern->parts[j].target, heights, depth + 1);

				highest = h > highest ? h : highest;
			}
	}
	heights[base] = highest < HEIGHT_MAX ? highest + 1 : HEIGHT_MAX;
	return heights[base];
}

static size_t check_heights(const struct rules *r, FILE *err)
{
	int *heights = must_realloc(NULL, (r->n_defs + 1) * sizeof(*heights));
	size_t faults = 0;

	memset(heights, 0, (r->n_defs + 1) * sizeof(*heights));
	for (size_t i = 0; i < r->n_defs && !faults; i++)
		if (height(r, i, heights, 0) >= HEIGHT_MAX) {
			complain(err, r->defs[i].place, "'%.*s' leads back to itself, or over more than %d names", (int)r->defs[i].name.len,
				 r->defs[i].name.at, HEIGHT_MAX);
			faults++;
		}
	free(heights);
	return faults;
}

size_t rules_resolve(struct rules *r, FILE *err)
{
	size_t faults = 0;

	if (r->n_calls)
		qsort(r->calls, r->n_calls, sizeof(*r->calls), by_name);
	if (r->n_defs)
		qsort(r->defs, r->n_defs, sizeof(*r->defs), by_name);
	if (r->n_returns)
		qsort(r->returns, r->n_returns, sizeof(*r->returns), by_name);
	for (size_t i = 0; i < r->n_calls; i++)
		faults += bind_pattern(r, r->calls[i].pattern, err);
	for (size_t i = 0; i < r->n_defs; i++)
		faults += bind_pattern(r, r->defs[i].pattern, err);
	faults += check_names(r, err);
	faults += check_returns(r, err);
	return faults ? faults : check_heights(r, err);
}

char *read_file(const char *path, size_t *len, FILE *err)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "rb") : stdin;
	size_t room = 0, got;
	char *text = NULL;

	*len = 0;
	if (!f) {
		fprintf(err, "%s: %m\n", path);
		return NULL;
	}
	do {
		GROW(text, *len, room);
		got = fread(text + *len, 1, room - *len, f);
		*len += got;
	} while (got);
	if (ferror(f)) {
		fprintf(err, "%s: %m\n", path);
		free(text);
		text = NULL;
	}
	if (f != stdin)
		fclose(f);
	return text;
}

bool rules_load(struct rules *r, char *const files[], size_t n, FILE *err)
{
	bool is_good = true;

	for (size_t i = 0; i < n; i++) {
		size_t len;
		char *text = read_file(files[i], &len, err);

		if (!text) {
			is_good = false;
			continue;
		}
		GROW(r->texts, r->n_texts, r->texts_room);
		r->texts[r->n_texts++] = text;
		is_good &= !rules_parse(r, files[i], text, len, err);
	}
	return is_good && !rules_resolve(r, err);
}

void rules_free(struct rules *r)
{
	for (size_t i = 0; i < r->n_texts; i++)
		free(r->texts[i]);
	free(r->texts);
	free(r->calls);
	free(r->defs);
	free(r->returns);
	arena_free(&r->arena);
}
