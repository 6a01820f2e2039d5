/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Rules for other programs, one fact a line, fields apart by tabs:
 *
 *	call	NAME	FILE	LINE	MEMBERS
 *	struct	NAME	FILE	LINE	MEMBERS
 *	flags	NAME	FILE	LINE	supported|ignored|refused	PARTS	ERRNO
 *	returns	NAME	FILE	LINE	PARTS
 *
 * MEMBERS are apart by commas: `name`, `name=A|<b>|3`, `name={…}`, `name=[…]`, and `..` at the end of an open list. PARTS are apart by |.
 */
#include "check.h"

static void put_members(FILE *out, const struct pattern *pattern);

static void put_flags(FILE *out, const struct pattern *pattern)
{
	for (size_t i = 0; i < pattern->n; i++) {
		const struct part *part = &pattern->parts[i];
		bool is_name = part->kind == PART_NAME || part->kind == PART_NUMBER;

		fprintf(out, is_name ? "%s%.*s" : "%s<%.*s>", i ? "|" : "", (int)part->text.len, part->text.at);
	}
}

static void put_pattern(FILE *out, const struct pattern *pattern)
{
	if (pattern->kind == PATTERN_FLAGS) {
		put_flags(out, pattern);
		return;
	}
	putc(pattern->kind == PATTERN_STRUCT ? '{' : '[', out);
	if (pattern->kind == PATTERN_STRUCT)
		put_members(out, pattern);
	for (size_t i = 0; pattern->kind == PATTERN_ARRAY && i < pattern->n; i++) {
		fputs(i ? "," : "", out);
		put_pattern(out, pattern->elements[i]);
	}
	putc(pattern->kind == PATTERN_STRUCT ? '}' : ']', out);
}

static void put_members(FILE *out, const struct pattern *pattern)
{
	for (size_t i = 0; i < pattern->n; i++) {
		const struct member *m = &pattern->members[i];

		fprintf(out, "%s%.*s", i ? "," : "", (int)m->name.len, m->name.at);
		if (m->pattern) {
			putc('=', out);
			put_pattern(out, m->pattern);
		}
	}
	if (pattern->is_open)
		fputs(pattern->n ? ",.." : "..", out);
}

static void put_rule(FILE *out, const struct rule *rule)
{
	static const char *const kinds[] = { "call", "struct", "flags", "flags", "flags", "returns" };
	static const char *const states[] = { "", "", "supported", "ignored", "refused" };

	fprintf(out, "%s\t%.*s\t%s\t%zu\t", kinds[rule->kind], (int)rule->name.len, rule->name.at, rule->place.file, rule->place.line);
	if (rule->kind == RULE_CALL || rule->kind == RULE_STRUCT) {
		put_members(out, rule->pattern);
	} else if (rule->kind == RULE_RETURNS) {
		put_pattern(out, rule->pattern);
	} else {
		fprintf(out, "%s\t", states[rule->kind]);
		put_pattern(out, rule->pattern);
		fprintf(out, "\t%.*s", (int)rule->error.len, rule->error.at);
	}
	putc('\n', out);
}

void list_rules(const struct rules *r, FILE *out)
{
	for (size_t i = 0; i < r->n_calls; i++)
		put_rule(out, &r->calls[i]);
	for (size_t i = 0; i < r->n_defs; i++)
		put_rule(out, &r->defs[i]);
	for (size_t i = 0; i < r->n_returns; i++)
		put_rule(out, &r->returns[i]);
}
