/* SPDX-License-Identifier: MPL-2.0 */
/* scml: checks system calls, as strace prints them, against rules that say which are supported. */
#include <stdlib.h>
#include <unistd.h>
#include "check.h"

static const char usage_text[] =
	"usage: scml check [--summary] [--succeeded] [--unused] RULES... < STRACE.LOG\n"
	"       scml run [--summary] [--succeeded] RULES... -- PROGRAM [ARGS...]\n"
	"       scml fmt [--check | --write] RULES...\n"
	"       scml lint RULES...\n"
	"       scml list RULES...\n"
	"\n"
	"check  tells each call of the log that no rule matches, with the argument and flag at fault\n"
	"run    the same of a program, run under strace\n"
	"       --summary    counts by call instead\n"
	"       --succeeded  only calls that did not fail\n"
	"       --unused     tells flags of the rules that no succeeded call used, too\n"
	"fmt    prints rule files in their one form; --write: in place; --check: tells which are not in it\n"
	"lint   tells what is odd in rules\n"
	"list   prints what rules say for other programs\n"
	"\n"
	"Exit status: 0 all is well, 1 something did not match or is odd, 2 bad rules, input or usage.\n";

static int usage(FILE *out)
{
	fputs(usage_text, out);
	return out == stdout ? STATUS_OK : STATUS_BAD;
}

/* Sets what they say, returns how many arguments they were; -1: one is unknown. */
static int parse_options(char **argv, const char *const names[], bool *const values[])
{
	int n = 0;

	for (; argv[n] && strncmp(argv[n], "--", 2) == 0 && argv[n][2]; n++) {
		int i = 0;

		while (names[i] && strcmp(argv[n] + 2, names[i]))
			i++;
		if (!names[i]) {
			fprintf(stderr, "scml: no option %s\n", argv[n]);
			return -1;
		}
		*values[i] = true;
	}
	return n;
}

static size_t count_files(char **argv)
{
	size_t n = 0;

	while (argv[n] && strcmp(argv[n], "--"))
		n++;
	return n;
}

static int main_check(char **argv, bool is_run)
{
	struct check_options options = { 0 };
	static const char *const names[] = { "summary", "succeeded", "unused", NULL };
	bool *const values[] = { &options.summary, &options.succeeded, &options.unused };
	struct rules rules = { 0 };
	int n = parse_options(argv, names, values), status;
	size_t n_files;

	if (n < 0)
		return STATUS_BAD;
	argv += n;
	n_files = count_files(argv);
	if (!n_files || (is_run ? !argv[n_files] || !argv[n_files + 1] : argv[n_files] != NULL))
		return usage(stderr);
	if (!rules_load(&rules, argv, n_files, stderr))
		status = STATUS_BAD;
	else if (is_run)
		status = check_program(&rules, &options, argv + n_files + 1);
	else
		status = check_log(&rules, &options, stdin, "stdin", stdout, stderr);
	rules_free(&rules);
	return status;
}

static int write_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(text, 1, len, f) != len || fclose(f)) {
		fprintf(stderr, "%s: %m\n", path);
		return STATUS_BAD;
	}
	return STATUS_OK;
}

static int format_file(const char *path, bool is_check, bool is_write)
{
	size_t len, new_len;
	char *text = read_file(path, &len, stderr), *new = NULL;
	FILE *f = text ? open_memstream(&new, &new_len) : NULL;
	bool is_good = f && format_rules(path, text, len, f, stderr);
	bool is_same;
	int status = STATUS_OK;

	if (f)
		fclose(f);
	is_same = is_good && slice_equal(slice(text, len), slice(new, new_len));
	if (!is_good) {
		status = STATUS_BAD;
	} else if (is_check && !is_same) {
		printf("%s: not in the form that scml fmt gives\n", path);
		status = STATUS_MISS;
	} else if (is_write && !is_same) {
		status = write_file(path, new, new_len);
	} else if (!is_check && !is_write) {
		fwrite(new, 1, new_len, stdout);
	}
	free(text);
	free(new);
	return status;
}

static int main_fmt(char **argv)
{
	bool is_check = false, is_write = false;
	static const char *const names[] = { "check", "write", NULL };
	bool *const values[] = { &is_check, &is_write };
	int n = parse_options(argv, names, values), status = STATUS_OK;

	if (n < 0)
		return STATUS_BAD;
	argv += n;
	if (!*argv || (is_check && is_write))
		return usage(stderr);
	for (; *argv; argv++) {
		int s = format_file(*argv, is_check, is_write);

		status = s > status ? s : status;
	}
	return status;
}

static int main_rules(char **argv, bool is_lint)
{
	struct rules rules = { 0 };
	int status = STATUS_OK;

	if (!*argv)
		return usage(stderr);
	if (!rules_load(&rules, argv, count_files(argv), stderr))
		status = STATUS_BAD;
	else if (is_lint)
		status = lint_rules(&rules, stdout) ? STATUS_MISS : STATUS_OK;
	else
		list_rules(&rules, stdout);
	rules_free(&rules);
	return status;
}

static int run_command(char **argv)
{
	const char *name = argv[1];

	if (strcmp(name, "check") == 0 || strcmp(name, "run") == 0)
		return main_check(argv + 2, *name == 'r');
	if (strcmp(name, "fmt") == 0)
		return main_fmt(argv + 2);
	if (strcmp(name, "lint") == 0 || strcmp(name, "list") == 0)
		return main_rules(argv + 2, name[2] == 'n');
	if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0)
		return usage(stdout);
	return usage(stderr);
}

int main(int argc, char **argv)
{
	int status = argc < 2 ? usage(stderr) : run_command(argv);

	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "scml: standard output: %m\n");
		return STATUS_BAD;
	}
	return status;
}
