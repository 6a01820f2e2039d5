/* SPDX-License-Identifier: MPL-2.0 */
/* Children to do things to. */
#ifndef CHILD_H
#define CHILD_H

#include "tap.h"
#include <signal.h>

/* A child that waits for signals. */
static pid_t sleeper(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

#endif
