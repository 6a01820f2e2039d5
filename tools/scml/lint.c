/* SPDX-License-Identifier: MPL-2.0 */
/* What is odd in rules that are well formed: names said twice, definitions nobody refers to, rules that can never be reached, one parameter by two names. */
#include <stdlib.h>
#include "check.h"

struct lint {
	struct rules *rules;
	FILE *out;
	size_t finds;
	bool *is_referred;	/* of each definition, by its first rule */
};

static void find(struct lint *l, struct place place, struct slice name, const char *what)
{
	l->finds++;
	complain(l->out, place, "'%.*s' %s", (int)name.len, name.at, what);
}

static void check_flags(struct lint *l, const struct pattern *pattern)
{
	for (size_t i = 0; i < pattern->n; i++) {
		const struct part *part = &pattern->parts[i];

		if (part->kind == PART_REFERENCE)
			l->is_referred[part->target] = true;
		for (size_t k = 0; k < i; k++)
			if (part->kind == pattern->parts[k].kind && slice_equal(part->text, pattern->parts[k].text)) {
				find(l, part->place, part->text, "is said twice");
				break;
			}
	}
}

static void check_pattern(struct lint *l, const struct pattern *pattern)
{
	if (!pattern)
		return;
	if (pattern->kind == PATTERN_FLAGS)
		check_flags(l, pattern);
	for (size_t i = 0; i < pattern->n; i++) {
		if (pattern->kind == PATTERN_ARRAY)
			check_pattern(l, pattern->elements[i]);
		if (pattern->kind != PATTERN_STRUCT)
			continue;
		check_pattern(l, pattern->members[i].pattern);
		for (size_t k = 0; k < i; k++)
			if (slice_equal(pattern->members[i].name, pattern->members[k].name)) {
				find(l, pattern->members[i].place, pattern->members[i].name, "is said twice");
				break;
			}
	}
}

static bool matches_all(const struct rule *rule)
{
	for (size_t i = 0; i < rule->pattern->n; i++)
		if (rule->pattern->members[i].pattern)
			return false;
	return true;
}

/* Rules of one call: none behind one that lets all through with as many arguments; a parameter has one name. */
static void check_call(struct lint *l, const struct rule *rules, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const struct pattern *mine = rules[i].pattern;

		for (size_t k = 0; k < i; k++) {
			const struct pattern *theirs = rules[k].pattern;

			if (matches_all(&rules[k]) && (theirs->is_open ? mine->n >= theirs->n : mine->n == theirs->n && !mine->is_open)) {
				find(l, rules[i].place, rules[i].name, "has a rule here that never decides: one before it matches all that it does");
				break;
			}
		}
		for (size_t k = 0; k < mine->n && k < rules[0].pattern->n; k++)
			if (!slice_equal(mine->members[k].name, rules[0].pattern->members[k].name))
				find(l, mine->members[k].place, mine->members[k].name, "has another name in the first rule of the call");
	}
}

/* What one note says of a flag, no other says, nor the rule. */
static void check_notes(struct lint *l, const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; rules[i].kind != RULE_STRUCT && j < rules[i].pattern->n; j++)
			for (size_t k = 0; k < i; k++)
				for (size_t m = 0; m < rules[k].pattern->n; m++)
					if (slice_equal(rules[i].pattern->parts[j].text, rules[k].pattern->parts[m].text))
						find(l, rules[i].pattern->parts[j].place, rules[i].pattern->parts[j].text, "is said twice");
}

size_t lint_rules(struct rules *r, FILE *out)
{
	struct lint l = { .rules = r, .out = out };
	struct rule *first;

	l.is_referred = must_realloc(NULL, r->n_defs + 1);
	memset(l.is_referred, false, r->n_defs + 1);
	for (size_t i = 0; i < r->n_calls; i++)
		check_pattern(&l, r->calls[i].pattern);
	for (size_t i = 0; i < r->n_defs; i++)
		check_pattern(&l, r->defs[i].pattern);
	for (size_t i = 0, n; i < r->n_calls; i += n) {
		n = rules_of_call(r, r->calls[i].name, &first);
		check_call(&l, first, n);
	}
	for (size_t i = 0, n; i < r->n_defs; i += n) {
		n = rules_of_name(r, r->defs[i].name, &first);
		check_notes(&l, first, n);
		if (!l.is_referred[i])
			find(&l, first->place, first->name, "is referred to by no rule");
	}
	free(l.is_referred);
	return l.finds;
}
