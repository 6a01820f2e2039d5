/* SPDX-License-Identifier: MPL-2.0 */
/* getpriority and setpriority: of processes, groups, users. */
#include "tap.h"
#include <sched.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define NO_PID 4194303

static long get(int which, int who)
{
	return syscall(SYS_getpriority, which, who);
}

static long set(int which, int who, int nice)
{
	return syscall(SYS_setpriority, which, who, nice);
}

static void own(void)
{
	is_int(get(PRIO_PROCESS, 0), 20, "the raw call returns 20 - nice");
	for (int nice = -20; nice <= 19; nice += 13) {
		is_int(set(PRIO_PROCESS, 0, nice), 0, "nice %d", nice);
		is_int(get(PRIO_PROCESS, getpid()), 20 - nice, "is told");
	}
	is_int(set(PRIO_PROCESS, getpid(), 100), 0, "nice 100");
	is_int(get(PRIO_PROCESS, 0), 1, "is 19");
	is_int(set(PRIO_PROCESS, 0, INT_MIN), 0, "the least number");
	is_int(get(PRIO_PROCESS, 0), 40, "is -20");
	set(PRIO_PROCESS, 0, 0);
}

static void errors(void)
{
	is_errno(get(-1, 0) == -1, EINVAL, "getpriority: which is -1");
	is_errno(get(3, 0) == -1, EINVAL, "which is 3");
	is_errno(set(-1, 0, 0) == -1, EINVAL, "setpriority: which is -1");
	is_errno(set(3, 0, 0) == -1, EINVAL, "which is 3");
	is_errno(get(PRIO_PROCESS, NO_PID) == -1, ESRCH, "getpriority: no such process");
	is_errno(get(PRIO_PROCESS, -1) == -1, ESRCH, "a negative process");
	is_errno(get(PRIO_PGRP, NO_PID) == -1, ESRCH, "no such group");
	is_errno(get(PRIO_USER, 54321) == -1, ESRCH, "a user without processes");
	is_errno(set(PRIO_PROCESS, NO_PID, 0) == -1, ESRCH, "setpriority: no such process");
	is_errno(set(PRIO_PGRP, NO_PID, 0) == -1, ESRCH, "no such group");
	is_errno(set(PRIO_USER, 54321, 0) == -1, ESRCH, "a user without processes");
}

static void groups(void)
{
	pid_t a, b;
	int status;

	fflush(stdout);
	a = fork();
	if (a == 0) {
		pause();
		_exit(0);
	}
	setpgid(a, a);
	b = fork();
	if (b == 0) {
		pause();
		_exit(0);
	}
	setpgid(b, a);
	is_int(set(PRIO_PGRP, a, 7), 0, "nice 7 for a group");
	is_int(get(PRIO_PROCESS, a), 13, "one member has it");
	is_int(get(PRIO_PROCESS, b), 13, "the other has it");
	is_int(get(PRIO_PROCESS, 0), 20, "we do not");
	set(PRIO_PROCESS, b, 3);
	is_int(get(PRIO_PGRP, a), 17, "of a group the most favoured one's is told");
	kill(a, SIGKILL);
	kill(b, SIGKILL);
	waitpid(a, &status, 0);
	waitpid(b, &status, 0);
	is_errno(get(PRIO_PGRP, a) == -1, ESRCH, "the group is gone");
}

static int by_user(void)
{
	if (setuid(54322))
		return 1;
	if (set(PRIO_USER, 0, 3) || get(PRIO_PROCESS, 0) != 17)
		return 2;
	if (set(PRIO_USER, 54322, 5) || get(PRIO_USER, 54322) != 15 || get(PRIO_USER, 0) != 15)
		return 3;
	return get(PRIO_PROCESS, getppid()) == 20 ? 0 : 4;
}

static int unprivileged(void)
{
	struct rlimit lim = { 0, 0 };

	setrlimit(RLIMIT_NICE, &lim);
	if (setuid(65534))
		return 1;
	if (set(PRIO_PROCESS, 0, -1) != -1 || errno != EACCES)
		return 2;
	if (set(PRIO_PROCESS, 0, 5))
		return 3;
	if (set(PRIO_PROCESS, 0, 4) != -1 || errno != EACCES)
		return 4;
	if (set(PRIO_PROCESS, 1, 5) != -1 || errno != EPERM)
		return 5;
	if (get(PRIO_PROCESS, 1) < 1)
		return 6;
	return 0;
}

static int limited(void)
{
	struct rlimit lim = { 25, 25 };		/* nice down to 20 - 25 */

	setrlimit(RLIMIT_NICE, &lim);
	if (setuid(65534))
		return 1;
	if (set(PRIO_PROCESS, 0, -5))
		return 2;
	if (set(PRIO_PROCESS, 0, -6) != -1 || errno != EACCES)
		return 3;
	return 0;
}

static int inherits(void)
{
	return get(PRIO_PROCESS, 0) == 9 ? 0 : 1;
}

int main(void)
{
	own();
	errors();
	groups();
	is_int(in_child(by_user), 0, "by user");
	is_int(in_child(unprivileged), 0, "an unprivileged process may only become nicer");
	is_int(in_child(limited), 0, "or as far as RLIMIT_NICE lets it");
	set(PRIO_PROCESS, 0, 11);
	is_int(in_child(inherits), 0, "a child inherits nice");
	return done_testing();
}
