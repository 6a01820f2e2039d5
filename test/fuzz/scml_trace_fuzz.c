/* SPDX-License-Identifier: MPL-2.0 */
/* libFuzzer on scml's reader of strace logs, and the matcher behind it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char rules_text[] =
	"openat(dirfd, path = <PATH>, flags = <open_flags>); openat(dirfd, path = <PATH>, flags = <open_flags>, mode = <INTEGER>);\n"
	"open_flags = O_RDONLY | O_CREAT; //: refused open_flags = O_PATH : EINVAL;\n"
	"rt_sigaction(signum, act = <sigaction>, old = <sigaction>, size = 8);\n"
	"struct sigaction = { sa_handler, sa_mask, sa_flags = SA_RESTART, .. }; struct sigaction = { next = <sigaction> };\n"
	"poll(fds = [ <pollfd>, <INTEGER>, [<PATH>] ], nfds, timeout); struct pollfd = { fd = <INTEGER>, events = POLLIN };\n"
	"read(fd, ..);\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct check_options options = { .summary = size % 2 };
	static FILE *null;
	struct rules rules = { 0 };
	FILE *in;

	if (!size)
		return 0;
	if (!null)
		null = fopen("/dev/null", "w");
	if (rules_parse(&rules, "f", rules_text, sizeof(rules_text) - 1, stderr) || rules_resolve(&rules, stderr))
		abort();
	in = fmemopen((void *)(uintptr_t)data, size, "r");
	(void)check_log(&rules, &options, in, "log", null, null);
	fclose(in);
	rules_free(&rules);
	return 0;
}
