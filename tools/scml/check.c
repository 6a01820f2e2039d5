/* SPDX-License-Identifier: MPL-2.0 */
/* scml check: each call of a log against the rules, what it says of those that no rule matches, and which names in rules no call used. */
#include <stdlib.h>
#include "check.h"
#include "match.h"
#include "tally.h"

struct check {
	const struct check_options *options;
	struct matcher matcher;
	struct tally calls, faults;
	size_t misses;
	FILE *out;
};

static void print_reason(struct check *c, FILE *out, const struct call *call, enum verdict verdict)
{
	slice_print(out, call->name, 40);
	fputs(": ", out);
	if (verdict == NO_RULE)
		fputs("no rule is about this call", out);
	else
		fault_print(out, &c->matcher.fault);
}

static void tell_miss(struct check *c, const struct call *call, enum verdict verdict)
{
	fprintf(c->out, "%s:%zu:%zu: ", call->place.file, call->place.line, call->place.column);
	print_reason(c, c->out, call, verdict);
	fputs("\n    ", c->out);
	slice_print(c->out, call->text, 160);
	putc('\n', c->out);
}

static void count_miss(struct check *c, const struct call *call, enum verdict verdict)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return;
	print_reason(c, f, call, verdict);
	fclose(f);
	tally_of(&c->faults, slice(text, len))->misses++;
	free(text);
}

static void check_call(struct check *c, const struct call *call)
{
	enum verdict verdict = match_call(&c->matcher, call);

	if (c->options->summary)
		tally_of(&c->calls, call->name)->calls++;
	if (verdict == MATCHED)
		return;
	c->misses++;
	if (!c->options->summary) {
		tell_miss(c, call, verdict);
		return;
	}
	tally_of(&c->calls, call->name)->misses++;
	count_miss(c, call, verdict);
}

static void print_summary(struct check *c)
{
	struct count *calls = tally_sorted(&c->calls), *faults = tally_sorted(&c->faults);

	fprintf(c->out, "%10s %10s  %s\n", "calls", "unmatched", "name");
	for (size_t i = 0; i < c->calls.n; i++) {
		fprintf(c->out, "%10zu %10zu  ", calls[i].calls, calls[i].misses);
		slice_print(c->out, slice(calls[i].name, calls[i].len), 60);
		putc('\n', c->out);
	}
	for (size_t i = 0; i < c->faults.n; i++)
		fprintf(c->out, "%10zu times  %s\n", faults[i].misses, faults[i].name);
	free(calls);
	free(faults);
}

/* --- names that nothing used */

static void tell_unused(struct check *c, const struct pattern *pattern, struct slice owner)
{
	for (size_t i = 0; pattern && i < pattern->n; i++) {
		const struct part *part;

		if (pattern->kind == PATTERN_STRUCT) {
			tell_unused(c, pattern->members[i].pattern, owner);
			continue;
		}
		if (pattern->kind == PATTERN_ARRAY) {
			tell_unused(c, pattern->elements[i], owner);
			continue;
		}
		part = &pattern->parts[i];
		if (part->used || (part->kind != PART_NAME && (part->kind != PART_NUMBER || !part->number)))
			continue;
		c->misses++;
		fprintf(c->out, "%s:%zu:%zu: %.*s of %.*s: no call that succeeded used it\n", part->place.file, part->place.line, part->place.column,
			(int)part->text.len, part->text.at, (int)owner.len, owner.at);
	}
}

static void tell_all_unused(struct check *c, const struct rules *r)
{
	for (size_t i = 0; i < r->n_calls; i++) {
		const struct rule *rule = &r->calls[i];

		if (!rule->used) {
			c->misses++;
			fprintf(c->out, "%s:%zu:%zu: %.*s: no call that succeeded matched this rule\n", rule->place.file, rule->place.line, rule->place.column,
				(int)rule->name.len, rule->name.at);
		} else {
			tell_unused(c, rule->pattern, rule->name);
		}
	}
	for (size_t i = 0; i < r->n_defs; i++)
		if (r->defs[i].kind == RULE_FLAGS || r->defs[i].kind == RULE_STRUCT)
			tell_unused(c, r->defs[i].pattern, r->defs[i].name);
}

int check_log(struct rules *r, const struct check_options *options, FILE *in, const char *file, FILE *out, FILE *err)
{
	struct check c = { .options = options, .matcher = { .rules = r }, .out = out };
	struct trace trace;
	struct call call;
	int status;

	trace_start(&trace, in, file, err);
	while (trace_next(&trace, &call)) {
		if (call.outcome == CALL_FAILED && rules_return(r, call.name, call.error))
			call.outcome = CALL_SUCCEEDED;
		if (!options->succeeded || call.outcome != CALL_FAILED)
			check_call(&c, &call);
	}
	if (options->summary)
		print_summary(&c);
	if (options->unused)
		tell_all_unused(&c, r);
	status = trace.n_bad || ferror(in) ? STATUS_BAD : c.misses ? STATUS_MISS : STATUS_OK;
	trace_free(&trace);
	matcher_free(&c.matcher);
	tally_free(&c.calls);
	tally_free(&c.faults);
	return status;
}
