/* SPDX-License-Identifier: MPL-2.0 */
/* scml run: the log goes through a file without a name, so the program's own descriptors and output stay as they are. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

static void exec_strace(char *log, char *const argv[])
{
	static const char *const head[] = { "strace", "-f", "-q", "-s", "32", "-o" };
	size_t n = 0, n_head = sizeof(head) / sizeof(head[0]);
	char **args;

	while (argv[n])
		n++;
	args = must_realloc(NULL, (n_head + n + 3) * sizeof(*args));
	memcpy(args, head, sizeof(head));
	args[n_head] = log;
	args[n_head + 1] = (char[]){ "--" };
	memcpy(args + n_head + 2, argv, (n + 1) * sizeof(*args));
	execvp(args[0], args);
	fprintf(stderr, "scml: strace: %m\n");
	_exit(127);
}

/* What strace says of a program that it can't start it says itself. */
static bool trace_program(char *log, char *const argv[])
{
	int status;
	pid_t child = fork();

	if (child == 0)
		exec_strace(log, argv);
	if (child < 0) {
		fprintf(stderr, "scml: fork: %m\n");
		return false;
	}
	signal(SIGINT, SIG_IGN);	/* the program's business */
	signal(SIGQUIT, SIG_IGN);
	while (waitpid(child, &status, 0) < 0)
		;
	return true;
}

int check_program(struct rules *r, const struct check_options *options, char *const argv[])
{
	char log[] = "/tmp/scml-XXXXXX";
	int fd = mkostemp(log, O_CLOEXEC), status = STATUS_BAD;
	FILE *in = fd < 0 ? NULL : fdopen(fd, "rb");

	if (!in) {
		fprintf(stderr, "scml: %s: %m\n", log);
		return STATUS_BAD;
	}
	if (trace_program(log, argv)) {
		if (getc(in) == EOF) {
			fprintf(stderr, "scml: strace left no log\n");
		} else {
			rewind(in);
			status = check_log(r, options, in, "strace", stdout, stderr);
		}
	}
	unlink(log);
	fclose(in);
	return status;
}
