/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a conformance test prints: TAP (one line a check), the same on Linux and on Keel.
 *
 *	int main(void)
 *	{
 *		ok(getpid() > 0, "getpid gives a positive number");
 *		is_errno(close(-1) == -1, EBADF, "close of a bad descriptor");
 *		return done_testing();
 *	}
 *
 * Descriptions must not hold anything that differs from run to run (addresses, pids, times). Checks made in a child process count there, not here:
 * let the child exit with a status and check that (in_child).
 */
#ifndef TAP_H
#define TAP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int tap_count, tap_failed;

__attribute__((unused, format(printf, 2, 0))) static void tap_line(bool good, const char *fmt, va_list args)
{
	printf("%s %d - ", good ? "ok" : "not ok", ++tap_count);
	vprintf(fmt, args);
	putchar('\n');
	fflush(stdout);
	if (!good)
		tap_failed++;
}

/* Returns the condition, so that what follows can depend on it. */
__attribute__((unused, format(printf, 2, 3))) static bool ok(bool good, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tap_line(good, fmt, args);
	va_end(args);
	return good;
}

__attribute__((unused, format(printf, 3, 4))) static bool is_int(long got, long want, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tap_line(got == want, fmt, args);
	va_end(args);
	if (got != want)
		printf("# got %ld, want %ld\n", got, want);
	return got == want;
}

/* The call failed, as it should, and errno says why. `failed` is evaluated before errno is looked at. */
__attribute__((unused, format(printf, 3, 4))) static bool is_errno(bool failed, int want, const char *fmt, ...)
{
	int got = errno;
	bool good = failed && got == want;
	va_list args;

	va_start(args, fmt);
	tap_line(good, fmt, args);
	va_end(args);
	if (!failed)
		printf("# succeeded, want errno %d (%s)\n", want, strerror(want));
	else if (!good)
		printf("# errno %d (%s), want %d (%s)\n", got, strerror(got), want, strerror(want));
	return good;
}

__attribute__((unused, format(printf, 1, 2))) static void skip(const char *fmt, ...)
{
	va_list args;

	printf("ok %d # SKIP ", ++tap_count);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* For what makes the rest pointless. */
__attribute__((unused, format(printf, 1, 2), noreturn)) static void bail_out(const char *fmt, ...)
{
	va_list args;

	printf("Bail out! ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	exit(1);
}

/* Runs fn in a child and returns its wait status: exit status × 256, or the signal that killed it. */
__attribute__((unused)) static int in_child(int (*fn)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(fn());
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* The plan; the exit status for main. */
__attribute__((unused)) static int done_testing(void)
{
	printf("1..%d\n", tap_count);
	if (tap_failed)
		printf("# %d of %d failed\n", tap_failed, tap_count);
	fflush(stdout);
	return tap_failed ? 1 : 0;
}

#endif
