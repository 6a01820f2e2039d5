/* SPDX-License-Identifier: MPL-2.0 */
/* Stop and continue, and what the parent hears of it. */
#include "tap.h"
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t chld, cont;
static volatile int chld_code, chld_status;

static void on_chld(int sig, siginfo_t *info, void *uc)
{
	(void)sig;
	(void)uc;
	chld++;
	chld_code = info->si_code;
	chld_status = info->si_status;
}

static void on_cont(int sig)
{
	(void)sig;
	cont++;
}

static pid_t sleeper(int catches_cont)
{
	int fd[2];
	char c;
	pid_t pid;

	if (pipe(fd))
		bail_out("pipe");
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);		/* a job of its own: the group must not be orphaned */
		if (catches_cont)
			signal(SIGCONT, on_cont);
		if (write(fd[1], "x", 1) != 1)
			_exit(1);
		while (!cont)
			pause();
		_exit(5);
	}
	if (read(fd[0], &c, 1) != 1)
		bail_out("the child did not start");
	close(fd[0]);
	close(fd[1]);
	return pid;
}

static void stop_and_go(int sig)
{
	pid_t pid = sleeper(1);
	int status;

	kill(pid, sig);
	is_int(waitpid(pid, &status, WUNTRACED), pid, "waitpid tells of the stop by signal %d", sig);
	ok(WIFSTOPPED(status) && WSTOPSIG(status) == sig, "the status names it");
	is_int(waitpid(pid, &status, WUNTRACED | WNOHANG), 0, "once");
	kill(pid, SIGTERM + 0 * sig);
	is_int(waitpid(pid, &status, WNOHANG), 0, "a stopped process does not act on SIGTERM");
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "until it is continued");
}

static void continued(void)
{
	pid_t pid = sleeper(1);
	int status;

	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGCONT);
	waitpid(pid, &status, WCONTINUED);
	ok(WIFCONTINUED(status) || WIFEXITED(status), "waitpid tells of the continue");
	if (WIFCONTINUED(status))
		waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 5, "the handler of SIGCONT has run");
}

static void killed_while_stopped(void)
{
	pid_t pid = sleeper(0);
	int status;

	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "SIGKILL ends a stopped process");
}

static void await_chld(int n)
{
	for (int i = 0; i < 200 && chld < n; i++)
		usleep(10000);
}

static void chld_info(int flags)
{
	struct sigaction sa = { .sa_sigaction = on_chld, .sa_flags = SA_SIGINFO | SA_RESTART | flags };
	pid_t pid;

	sigaction(SIGCHLD, &sa, NULL);
	pid = sleeper(0);
	chld = 0;
	kill(pid, SIGSTOP);
	if (flags & SA_NOCLDSTOP) {
		usleep(100000);
		is_int(chld, 0, "SA_NOCLDSTOP: no SIGCHLD for a stop");
	} else {
		await_chld(1);
		ok(chld_code == CLD_STOPPED && chld_status == SIGSTOP, "SIGCHLD for the stop");
		kill(pid, SIGCONT);
		await_chld(2);
		ok(chld_code == CLD_CONTINUED && chld_status == SIGCONT, "SIGCHLD for the continue");
	}
	chld = 0;
	kill(pid, SIGKILL);
	await_chld(1);
	ok(chld_code == CLD_KILLED && chld_status == SIGKILL, "SIGCHLD for the end");
	waitpid(pid, NULL, 0);
	signal(SIGCHLD, SIG_DFL);
}

static void orphans(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setsid();
		raise(SIGTSTP);		/* an orphaned group does not stop for it */
		_exit(3);
	}
	waitpid(pid, &status, WUNTRACED);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 3, "SIGTSTP does not stop an orphaned group");
}

static void sleep_goes_on(void)
{
	struct timespec start, end;
	pid_t pid;
	int status;

	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = fork();
	if (pid == 0)
		_exit(nanosleep(&(struct timespec){ 0, 400000000 }, NULL) ? 1 : 0);
	usleep(100000);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "nanosleep survives a stop and a continue");
	ok((end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000 >= 390, "and lasts its time");
}

int main(void)
{
	stop_and_go(SIGSTOP);
	stop_and_go(SIGTSTP);
	continued();
	killed_while_stopped();
	chld_info(0);
	chld_info(SA_NOCLDSTOP);
	orphans();
	sleep_goes_on();
	return done_testing();
}
