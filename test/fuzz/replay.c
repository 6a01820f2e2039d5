/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Runs a fuzz target over its kept corpus (CORPUS, a folder), without a fuzzer: what was once found stays mended. One TAP test. Inputs are malloc'ed to
 * size, so that ASan sees overruns; if one ends the program, its name is the last word.
 */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

static const char *name = "";

const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}

static void tell(int sig)
{
	static const char text[] = "ended by the input " CORPUS "/";
	size_t len = 0;

	while (name[len])
		len++;
	if (write(2, text, sizeof(text) - 1) < 0 || write(2, name, len) < 0 || write(2, "\n", 1) < 0)
		_exit(1);
	signal(sig, SIG_DFL);
	raise(sig);
}

static int run_file(void)
{
	FILE *f = fopen(name, "rb");
	long size;
	uint8_t *data;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
		return -1;
	data = malloc(size ? (size_t)size : 1);
	if (!data || fread(data, 1, (size_t)size, f) != (size_t)size)
		return -1;
	fclose(f);
	(void)LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	return 0;
}

int main(void)
{
	DIR *dir = chdir(CORPUS) ? NULL : opendir(".");
	struct dirent *e;
	int n = 0, failed = 0;

	printf("1..1\n");
	signal(SIGABRT, tell);
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		name = e->d_name;
		failed += run_file() != 0;
		n++;
	}
	printf("%sok 1 - corpus: %s # %d inputs\n", n && !failed ? "" : "not ", CORPUS, n);
	if (dir)
		closedir(dir);
	return !n || failed;
}
