/* SPDX-License-Identifier: MPL-2.0 */
/* Process groups and sessions: setpgid(2), setsid(2), getpgid(2), getsid(2). */
#include "child.h"
#include <signal.h>
#include <sys/syscall.h>

static char self[256];

static int leader(void)
{
	if (setsid() != getpid() || getsid(0) != getpid() || getpgrp() != getpid())
		return 1;
	if (setsid() != -1 || errno != EPERM)
		return 2;
	if (setpgid(0, 0) != -1 || errno != EPERM)
		return 3;
	return 0;
}

static int group_leader(void)
{
	if (setpgid(0, 0) || getpgrp() != getpid() || setpgid(0, 0))
		return 1;
	if (setsid() != -1 || errno != EPERM)
		return 2;
	return 0;
}

/* A group whose id is ours, though we have left it: setsid is still refused. */
static int left_group(void)
{
	pid_t a, group = getpgrp();
	int r;

	if (setpgid(0, 0))
		return 1;
	a = sleeper();
	if (setpgid(0, group))
		return 2;
	r = setsid() == -1 && errno == EPERM ? 0 : 3;
	end(a);
	if (!r && setsid() != getpid())
		r = 4;
	return r;
}

static void sessions(void)
{
	is_int(in_child(leader), 0, "setsid: leader of a session and a group; not twice, and its group is fixed");
	is_int(in_child(group_leader), 0, "a group leader cannot setsid");
	is_int(in_child(left_group), 0, "nor one whose number is a group's");
	is_int(getsid(0), getsid(getpid()), "getsid of oneself");
	is_int(getpgid(0), getpgrp(), "getpgid of oneself");
	is_errno(getsid(4000000) == -1, ESRCH, "getsid of nobody");
	is_errno(getpgid(4000000) == -1, ESRCH, "getpgid of nobody");
	is_errno(getpgid(-1) == -1, ESRCH, "getpgid of -1");
}

static int execed(void)
{
	pid_t pid = fork();
	int r;

	if (pid == 0) {
		execl(self, "x", "sleep", NULL);
		_exit(99);
	}
	usleep(100000);
	r = setpgid(pid, pid) == -1 && errno == EACCES ? 0 : 1;
	end(pid);
	return r;
}

static int other_session(void)
{
	pid_t pid = fork();
	int r;

	if (pid == 0) {
		setsid();
		for (;;)
			pause();
	}
	while (getsid(pid) != pid)
		usleep(1000);
	r = setpgid(pid, getpgrp()) == -1 && errno == EPERM ? 0 : 1;
	if (!r && (setpgid(0, pid) != -1 || errno != EPERM))
		r = 2;
	end(pid);
	return r;
}

static int grandchild(void)
{
	int fds[2];
	pid_t pid = 0, child;
	int r;

	if (pipe(fds))
		return 1;
	child = fork();
	if (child == 0) {
		pid = sleeper();
		if (write(fds[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		for (;;)
			pause();
	}
	if (read(fds[0], &pid, sizeof(pid)) != sizeof(pid))
		return 2;
	r = setpgid(pid, pid) == -1 && errno == ESRCH ? 0 : 3;
	kill(pid, SIGKILL);
	end(child);
	return r;
}

static void groups(void)
{
	pid_t a = sleeper(), b = sleeper();

	is_int(setpgid(a, a), 0, "a child into a group of its own");
	is_int(getpgid(a), a, "getpgid of a child");
	is_int(setpgid(b, a), 0, "another joins");
	is_int(getpgid(b), a, "and is there");
	is_int(setpgid(b, 0), 0, "pgid 0 means its own id");
	is_int(getpgid(b), b, "own group");
	is_errno(setpgid(b, 4000000) == -1, EPERM, "no such group");
	is_errno(setpgid(b, -1) == -1, EINVAL, "a negative group");
	is_errno(setpgid(4000000, 0) == -1, ESRCH, "no such process");
	is_errno(setpgid(1, 0) == -1, ESRCH, "somebody else's process");
	is_int(kill(-a, SIGTERM), 0, "a signal to the first group");
	is_int(waitpid(-a, NULL, 0), a, "hits the one");
	is_int(waitpid(b, NULL, WNOHANG), 0, "not the other");
	is_errno(setpgid(b, a) == -1, EPERM, "a group that is empty is gone");
	end(b);
	is_int(in_child(execed), 0, "not after the child has called execve: EACCES");
	is_int(in_child(other_session), 0, "not into or out of another session: EPERM");
	is_int(in_child(grandchild), 0, "not for a grandchild: ESRCH");
}

/* A signal to a group reaches children that are being made. */
static int fork_storm(void)
{
	int fds[2];
	char c;

	if (setpgid(0, 0) || pipe(fds))
		return 1;
	if (fork() == 0) {
		close(fds[0]);
		for (int i = 0; i < 3; i++)
			fork();
		for (;;) {
			pid_t pid = fork();

			if (pid == 0) {
				usleep(2000);
				_exit(0);
			}
			waitpid(pid, NULL, 0);
		}
	}
	close(fds[1]);
	signal(SIGTERM, SIG_IGN);
	usleep(50000);
	kill(0, SIGTERM);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return read(fds[0], &c, 1) == 0 ? 0 : 2;	/* no writer is left */
}

int main(int argc, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		strcpy(self, argv[0]);
	if (argc > 1) {
		sleep(10);
		return 0;
	}
	if (getpgrp() == 0)
		setsid();		/* run by an init that has no group */
	sessions();
	groups();
	is_int(in_child(fork_storm), 0, "no child escapes a signal to its group");
	return done_testing();
}
