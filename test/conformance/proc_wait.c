/* SPDX-License-Identifier: MPL-2.0 */
/* wait4(2), waitid(2): which child, which event, what is told, who of several waiters gets it. */
#include "tap.h"
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static pid_t child_that(int (*fn)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(fn());
	return pid;
}

static int exit_7(void)
{
	return 7;
}

static int sleeper(void)
{
	for (;;)
		pause();
	return 0;
}

static int die_by_term(void)
{
	raise(SIGTERM);
	return 1;
}

static int stop_self(void)
{
	raise(SIGSTOP);
	usleep(300000);		/* the continue is told before the end */
	return 9;
}

static void statuses(void)
{
	struct rusage usage;
	int status = -1;
	pid_t pid = child_that(exit_7);

	memset(&usage, 0xff, sizeof(usage));
	is_int(wait4(pid, &status, 0, &usage), pid, "wait4 for one child");
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 7, "its exit status");
	ok(usage.ru_utime.tv_sec == 0 && usage.ru_maxrss > 0, "its usage");
	pid = child_that(die_by_term);
	is_int(wait(&status), pid, "wait for any");
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM && !WCOREDUMP(status), "death by signal");
	pid = child_that(stop_self);
	is_int(waitpid(pid, &status, WUNTRACED), pid, "WUNTRACED");
	ok(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "the stop signal");
	is_int(waitpid(pid, &status, WUNTRACED | WNOHANG), 0, "a stop is told once");
	kill(pid, SIGCONT);
	is_int(waitpid(pid, &status, WCONTINUED), pid, "WCONTINUED");
	ok(WIFCONTINUED(status), "continued");
	is_int(waitpid(pid, &status, 0), pid, "and then its end");
	is_int(WEXITSTATUS(status), 9, "with its status");
}

static void choices(void)
{
	pid_t a, b, group;
	int status;

	is_errno(wait(NULL) == -1, ECHILD, "no children");
	a = child_that(sleeper);
	b = child_that(exit_7);
	is_int(waitpid(a, NULL, WNOHANG), 0, "WNOHANG with a running child");
	is_int(waitpid(b, &status, 0), b, "a particular one, not the oldest");
	is_errno(waitpid(b, NULL, 0) == -1, ECHILD, "only once");
	is_errno(waitpid(1, NULL, 0) == -1, ECHILD, "init is not our child");
	is_errno(wait4(-2147483647 - 1, NULL, 0, NULL) == -1, ESRCH, "wait4 of INT_MIN");
	is_errno(wait4(-1, NULL, 0x100, NULL) == -1, EINVAL, "an unknown option");
	is_errno(waitpid(-4000000, NULL, 0) == -1, ECHILD, "no such group");
	group = child_that(sleeper);
	setpgid(group, group);
	kill(group, SIGKILL);
	is_int(waitpid(0, NULL, WNOHANG), 0, "our own group: not the one in another");
	is_int(waitpid(-group, NULL, 0), group, "that group");
	kill(a, SIGKILL);
	is_int(wait(&status), a, "the last one");
	is_int(WTERMSIG(status), SIGKILL, "killed");
	b = child_that(exit_7);
	is_errno(waitpid(b, (int *)8, 0) == -1, EFAULT, "a bad status pointer");
}

static void by_waitid(void)
{
	siginfo_t info;
	struct rusage usage;
	pid_t pid = child_that(exit_7);

	memset(&info, 0xee, sizeof(info));
	is_int(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0, "waitid with WNOWAIT");
	ok(info.si_signo == SIGCHLD && info.si_code == CLD_EXITED && info.si_pid == pid && info.si_uid == getuid() && info.si_status == 7 && info.si_errno == 0,
	   "siginfo of an exit");
	is_int(syscall(SYS_waitid, P_ALL, 0, &info, WEXITED, &usage), 0, "it is still there; with usage");
	ok(usage.ru_maxrss > 0, "usage from waitid");
	is_errno(waitid(P_PID, (id_t)pid, &info, WEXITED) == -1, ECHILD, "and now gone");
	pid = child_that(die_by_term);
	is_int(waitid(P_PID, (id_t)pid, &info, WEXITED), 0, "one that dies");
	ok(info.si_code == CLD_KILLED && info.si_status == SIGTERM, "siginfo of a death");
	pid = child_that(sleeper);
	memset(&info, 0xee, sizeof(info));
	is_int(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG), 0, "WNOHANG finds none");
	ok(info.si_signo == 0 && info.si_pid == 0, "and says so by zeros");
	kill(pid, SIGSTOP);
	is_int(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0, "a stop, left waiting");
	ok(info.si_code == CLD_STOPPED && info.si_status == SIGSTOP, "siginfo of a stop");
	is_int(waitid(P_PID, (id_t)pid, &info, WSTOPPED), 0, "and taken");
	kill(pid, SIGCONT);
	is_int(waitid(P_PGID, 0, &info, WCONTINUED), 0, "a continue, by our own group");
	ok(info.si_code == CLD_CONTINUED && info.si_status == SIGCONT && info.si_pid == pid, "siginfo of a continue");
	kill(pid, SIGKILL);
	is_int(waitid(P_PGID, (id_t)getpgrp(), NULL, WEXITED), 0, "waitid without siginfo");
}

static void waitid_errors(void)
{
	siginfo_t info;
	pid_t pid = child_that(exit_7);

	is_errno(waitid(P_ALL, 0, &info, 0) == -1, EINVAL, "no event asked for");
	is_errno(waitid(P_ALL, 0, &info, WNOHANG) == -1, EINVAL, "only WNOHANG");
	is_errno(waitid(P_ALL, 0, &info, WEXITED | 0x100) == -1, EINVAL, "an unknown option of waitid");
	is_errno(waitid((idtype_t)9, 0, &info, WEXITED) == -1, EINVAL, "an unknown id type");
	is_errno(waitid(P_PID, 0, &info, WEXITED) == -1, EINVAL, "P_PID 0");
	is_errno(waitid(P_PID, (id_t)-1, &info, WEXITED) == -1, EINVAL, "P_PID -1");
	is_errno(waitid(P_PGID, (id_t)-1, &info, WEXITED) == -1, EINVAL, "P_PGID -1");
	is_errno(waitid((idtype_t)3, 0, &info, WEXITED) == -1, EBADF, "P_PIDFD of what is none");
	is_errno(waitid((idtype_t)3, (id_t)-1, &info, WEXITED) == -1, EINVAL, "P_PIDFD -1");
	is_errno(waitid(P_PID, (id_t)pid, (siginfo_t *)8, WEXITED) == -1, EFAULT, "a bad siginfo pointer");
	is_errno(waitid(P_PID, (id_t)pid, &info, WEXITED) == -1, ECHILD, "the child was taken all the same");
}

/* --- races and interruptions */

static volatile int taken[4];

static void *wait_for_any(void *arg)
{
	int status;

	while (waitpid(-1, &status, 0) > 0)
		__atomic_add_fetch(&taken[(long)arg], 1, __ATOMIC_RELAXED);
	return (void *)(long)errno;
}

static void several_waiters(void)
{
	pthread_t threads[4];
	int all = 0, echild = 0;

	for (int i = 0; i < 40; i++)
		child_that(exit_7);
	for (long i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, wait_for_any, (void *)i);
	for (int i = 0; i < 4; i++) {
		void *err;

		pthread_join(threads[i], &err);
		echild += (long)err == ECHILD;
	}
	for (int i = 0; i < 4; i++)
		all += taken[i];
	is_int(all, 40, "four threads take forty children, each once");
	is_int(echild, 4, "and all end with ECHILD");
}

static void *sleep_in_thread(void *arg)
{
	pid_t pid = child_that(exit_7);

	*(pid_t *)arg = pid;
	usleep(100000);
	return NULL;
}

static void of_other_threads(void)
{
	volatile pid_t pid = 0;
	siginfo_t info;
	pthread_t t;

	pthread_create(&t, NULL, sleep_in_thread, (void *)&pid);
	while (!pid)
		sched_yield();
	is_errno(waitpid(pid, NULL, __WNOTHREAD) == -1, ECHILD, "__WNOTHREAD: not another thread's child");
	is_errno(waitid(P_PID, (id_t)pid, NULL, WEXITED | __WNOTHREAD) == -1, ECHILD, "nor for waitid");
	is_int(waitpid(pid, NULL, 0), pid, "but without it");
	pthread_join(t, NULL);
	pid = child_that(exit_7);
	is_int(wait4(pid, NULL, __WNOTHREAD, NULL), pid, "__WNOTHREAD: one's own child");
	pid = child_that(exit_7);
	is_int(waitid(P_PID, (id_t)pid, &info, WEXITED | __WNOTHREAD), 0, "by waitid");
	ok(info.si_pid == pid && info.si_status == 7, "likewise");
}

/* A clone child: one that ends without SIGCHLD. */
static pid_t clone_child(int sig)
{
	pid_t pid = (pid_t)syscall(SYS_clone, sig, NULL, NULL, NULL, 0);

	if (pid == 0)
		_exit(8);
	return pid;
}

static void clone_children(void)
{
	siginfo_t info;
	pid_t pid = clone_child(0), ordinary = child_that(exit_7);

	is_errno(waitid(P_PID, (id_t)pid, &info, WEXITED) == -1, ECHILD, "a clone child is not for a plain waitid");
	is_errno(waitid(P_PID, (id_t)ordinary, &info, WEXITED | __WCLONE) == -1, ECHILD, "nor an ordinary one for __WCLONE");
	is_int(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | __WCLONE), 0, "waitid with __WCLONE");
	ok(info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 8 && info.si_signo == SIGCHLD, "finds it");
	is_int(waitid(P_ALL, 0, &info, WEXITED | __WCLONE), 0, "and takes it");
	is_errno(waitid(P_ALL, 0, &info, WEXITED | __WCLONE | WNOHANG) == -1, ECHILD, "it was the only one");
	is_int(waitid(P_PID, (id_t)ordinary, &info, WEXITED | __WALL), 0, "__WALL takes ordinary ones");
	ok(info.si_pid == ordinary && info.si_status == 7, "likewise");
	signal(SIGUSR2, SIG_IGN);
	pid = clone_child(SIGUSR2);
	is_int(waitid(P_PID, (id_t)pid, &info, WEXITED | __WALL | __WCLONE), 0, "and clone children that end with another signal");
	ok(info.si_pid == pid && info.si_status == 8, "likewise");
	pid = clone_child(0);
	is_int(wait4(pid, NULL, __WCLONE | __WNOTHREAD, NULL), pid, "wait4 with __WCLONE and __WNOTHREAD");
	is_errno(waitid(P_ALL, 0, &info, __WALL) == -1, EINVAL, "__WALL alone asks for no event");
}

static void nothing(int sig)
{
	(void)sig;
}

static void interrupted(void)
{
	struct sigaction sa = { .sa_handler = nothing };
	pid_t pid = child_that(sleeper);

	sigaction(SIGALRM, &sa, NULL);
	ualarm(20000, 0);
	is_errno(waitpid(pid, NULL, 0) == -1, EINTR, "a handler without SA_RESTART ends the wait");
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	ualarm(20000, 0);
	if (fork() == 0) {
		usleep(60000);
		kill(pid, SIGKILL);
		_exit(0);
	}
	is_int(waitpid(pid, NULL, 0), pid, "with SA_RESTART it goes on");
	wait(NULL);
}

static void in_order(void)
{
	pid_t pids[8];
	bool right = true;

	for (int i = 0; i < 8; i++)
		pids[i] = child_that(exit_7);
	for (int i = 0; i < 8; i++)
		waitid(P_PID, (id_t)pids[7 - i], NULL, WEXITED | WNOWAIT);
	for (int i = 0; i < 8; i++)
		right &= wait(NULL) == pids[i];
	ok(right, "of several zombies the oldest child comes first");
}

int main(void)
{
	statuses();
	choices();
	by_waitid();
	waitid_errors();
	several_waiters();
	of_other_threads();
	clone_children();
	interrupted();
	in_order();
	return done_testing();
}
