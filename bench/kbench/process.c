/* SPDX-License-Identifier: MPL-2.0 */
/* Rows about processes and threads: how they begin and end. */
#define _GNU_SOURCE
#include "kbench.h"

#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void wait_for(pid_t pid)
{
	check(pid, "a new process");
	check(waitpid(pid, NULL, 0), "waitpid");
}

static void touch_mib(int mib)
{
	touched((size_t)mib << 20);
}

static void fork_exit(unsigned int ops)
{
	while (ops-- > 0) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		wait_for(pid);
	}
}

static void execute_self(void)
{
	execl(OWN_PATH, "kbench", "--exit", (char *)NULL);
	_exit(127);
}

static void fork_exec(unsigned int ops)
{
	while (ops-- > 0) {
		pid_t pid = fork();

		if (pid == 0)
			execute_self();
		wait_for(pid);
	}
}

static void vfork_exec(unsigned int ops)
{
	while (ops-- > 0) {
		pid_t pid = vfork();

		if (pid == 0)
			execute_self();
		wait_for(pid);
	}
}

static void spawn(unsigned int ops)
{
	char name[] = "kbench", option[] = "--exit", *argv[] = {name, option, NULL};

	while (ops-- > 0) {
		pid_t pid = -1;

		if (posix_spawn(&pid, OWN_PATH, NULL, NULL, argv, environ) != 0)
			check(-1, "posix_spawn");
		wait_for(pid);
	}
}

static void shell(unsigned int ops)
{
	while (ops-- > 0)
		check(run_quietly(":") == 0 ? 0 : -1, "sh -c :");
}

static void *thread(void *arg)
{
	return arg;
}

static void create_join(unsigned int ops)
{
	while (ops-- > 0) {
		pthread_t id;

		check(pthread_create(&id, NULL, thread, NULL) == 0 ? 0 : -1, "pthread_create");
		pthread_join(id, NULL);
	}
}

static void no_slack(int arg)
{
	(void)arg;
	prctl(PR_SET_TIMERSLACK, 1);
}

static void sleep_briefly(unsigned int ops)
{
	struct timespec time = {0, 1000};

	while (ops-- > 0)
		check(nanosleep(&time, NULL), "nanosleep");
}

const struct row process_rows[] = {
	{"fork-exit", 20, NULL, fork_exit, 0, NULL},
	{"fork-exit-32m", 5, touch_mib, fork_exit, 32, NULL},
	{"fork-exec", 20, NULL, fork_exec, 0, NULL},
	{"vfork-exec", 20, NULL, vfork_exec, 0, NULL},
	{"posix-spawn", 20, NULL, spawn, 0, NULL},
	{"sh-c", 10, NULL, shell, 0, NULL},
	{"thread", 50, NULL, create_join, 0, NULL},
	{"nanosleep", 100, no_slack, sleep_briefly, 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};
