/* SPDX-License-Identifier: MPL-2.0 */
/* libFuzzer on scml's rule parser: what was accepted has one form that formatting keeps, and can be looked at, listed and matched. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *format(const char *text, size_t len, size_t *new_len, FILE *null)
{
	char *new = NULL;
	FILE *f = open_memstream(&new, new_len);
	bool is_good = format_rules("f", text, len, f, null);

	fclose(f);
	if (is_good)
		return new;
	free(new);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct check_options options = { .unused = true };
	static const char log[] = "a(b, A|B, {c=1, d=A}, [1, \"s\"]) = 0\n";
	static FILE *null;
	struct rules rules = { 0 };
	size_t len, again_len;
	char *once, *twice;

	if (!null)
		null = fopen("/dev/null", "w");
	once = format((const char *)data, size, &len, null);
	if (!once)
		return 0;
	twice = format(once, len, &again_len, null);
	if (!twice || len != again_len || memcmp(once, twice, len) != 0)
		abort();
	if (rules_parse(&rules, "f", once, len, null) == 0 && rules_resolve(&rules, null) == 0) {
		FILE *in = fmemopen((void *)(uintptr_t)log, sizeof(log) - 1, "r");

		(void)lint_rules(&rules, null);
		list_rules(&rules, null);
		(void)check_log(&rules, &options, in, "log", null, null);
		fclose(in);
	}
	rules_free(&rules);
	free(once);
	free(twice);
	return 0;
}
