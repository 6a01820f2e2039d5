/* SPDX-License-Identifier: MPL-2.0 */
/* exit(2), exit_group(2): threads, zombies, orphans, and the signals that come of them. */
#include "tap.h"
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int status_of(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* --- threads */

static void *exit_group_3(void *arg)
{
	(void)arg;
	_exit(3);
}

static void *exit_thread_soon(void *arg)
{
	(void)arg;
	usleep(30000);
	syscall(SYS_exit, 5);
	return NULL;
}

static int group_exit(void)
{
	pthread_t t;

	pthread_create(&t, NULL, exit_group_3, NULL);
	for (;;)
		pause();
	return 0;
}

static int leader_first(void)
{
	pthread_t t;

	pthread_create(&t, NULL, exit_thread_soon, NULL);
	syscall(SYS_exit, 4);
	return 0;
}

static void *group_exit_later(void *arg)
{
	(void)arg;
	usleep(30000);
	_exit(6);
}

static int leader_first_then_group(void)
{
	pthread_t t;

	pthread_create(&t, NULL, group_exit_later, NULL);
	syscall(SYS_exit, 4);
	return 0;
}

static void *fault(void *arg)
{
	*(volatile int *)arg = 1;
	return NULL;
}

static int thread_faults(void)
{
	pthread_t t;

	pthread_create(&t, NULL, fault, (void *)8);
	for (;;)
		pause();
	return 0;
}

static int wide_status(void)
{
	syscall(SYS_exit_group, 0x12345);
	return 0;
}

static void threads(void)
{
	is_int(in_child(group_exit), 3 << 8, "exit_group of one thread ends all");
	is_int(in_child(leader_first), 5 << 8, "the process lasts until its last thread, whose status counts");
	is_int(in_child(leader_first_then_group), 6 << 8, "unless the group exits with another");
	is_int(in_child(thread_faults) & 0x7f, SIGSEGV, "a fault in a thread kills the process");
	is_int(in_child(wide_status), 0x45 << 8, "only eight bits of the status");
}

/* --- a leader that is dead while others run is not waited for */

static int go[2];

static void *exit_thread_when_told(void *arg)
{
	(void)!read(go[0], arg, 1);
	syscall(SYS_exit, 5);
	return NULL;
}

static int leader_first_until_told(void)
{
	static char byte;
	pthread_t t;

	pthread_create(&t, NULL, exit_thread_when_told, &byte);
	syscall(SYS_exit, 4);
	return 0;
}

static void dead_leader(void)
{
	pid_t pid;

	if (pipe(go))
		return;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(leader_first_until_told());
	usleep(10000);
	is_int(waitpid(pid, NULL, WNOHANG), 0, "a dead leader with a running thread is no zombie yet");
	is_int(kill(pid, 0), 0, "it can be signalled");
	is_int(write(go[1], "", 1), 1, "the thread is told");
	is_int(status_of(pid), 5 << 8, "and ends the process");
}

/* --- zombies */

static volatile sig_atomic_t n_chld;
static siginfo_t chld;

static void on_chld(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	chld = *info;
	n_chld++;
}

static int exit_2(void)
{
	return 2;
}

static void no_zombies(void)
{
	struct sigaction sa = { .sa_sigaction = on_chld, .sa_flags = SA_SIGINFO | SA_NOCLDWAIT };
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (pid == 0)
		_exit(0);
	is_errno(waitpid(pid, NULL, 0) == -1, ECHILD, "SIGCHLD ignored: wait blocks until the child is gone, then ECHILD");
	sigaction(SIGCHLD, &sa, NULL);
	pid = fork();
	if (pid == 0)
		_exit(0);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	is_int(errno, ECHILD, "SA_NOCLDWAIT: the same");
	is_int(n_chld, 1, "but the signal comes");
	sa.sa_flags = SA_SIGINFO;
	sigaction(SIGCHLD, &sa, NULL);
	n_chld = 0;
	is_int(in_child(exit_2), 2 << 8, "an ordinary child");
	ok(n_chld == 1 && chld.si_code == CLD_EXITED && chld.si_status == 2 && chld.si_uid == getuid() && chld.si_pid > 0, "siginfo of its SIGCHLD");
	signal(SIGCHLD, SIG_DFL);
}

static void pending_before_reaped(void)
{
	struct sigaction sa = { .sa_sigaction = on_chld, .sa_flags = SA_SIGINFO };
	sigset_t set, pending;
	int bad = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGCHLD, &sa, NULL);
	for (int i = 0; i < 50; i++) {
		in_child(exit_2);
		sigpending(&pending);
		bad += !sigismember(&pending, SIGCHLD);
		sigtimedwait(&set, NULL, &(struct timespec){ 0 });
	}
	is_int(bad, 0, "when wait returns the signal is pending already");
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* --- orphans */

static int subreaper(void)
{
	int fds[2], status;
	pid_t grandchild, got;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || pipe(fds))
		return 1;
	if (fork() == 0) {
		pid_t pid = fork();

		if (pid == 0) {
			usleep(30000);
			_exit(getppid() == 1 ? 9 : 8);
		}
		if (write(fds[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		_exit(0);
	}
	if (wait(&status) < 0 || read(fds[0], &grandchild, sizeof(grandchild)) != sizeof(grandchild))
		return 2;
	got = wait(&status);
	return got == grandchild && WEXITSTATUS(status) == 8 ? 0 : 3;
}

static int zombie_orphan(void)
{
	int status;
	pid_t pid;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		return 1;
	if (fork() == 0) {
		pid = fork();
		if (pid == 0)
			_exit(33);
		waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT);
		_exit(0);
	}
	if (wait(&status) < 0 || status)
		return 2;
	return wait(&status) > 0 && WEXITSTATUS(status) == 33 ? 0 : 3;
}

static int to_init(void)
{
	int fds[2];
	pid_t parent = 0;

	if (pipe(fds))
		return 1;
	if (fork() == 0) {
		pid_t me = getpid();

		if (fork() == 0) {
			while (getppid() == me)
				usleep(1000);
			parent = getppid();
			if (write(fds[1], &parent, sizeof(parent)) != sizeof(parent))
				_exit(1);
			_exit(0);
		}
		_exit(0);
	}
	wait(NULL);
	return read(fds[0], &parent, sizeof(parent)) == sizeof(parent) && parent > 0 && parent != getpid() ? 0 : 2;
}

static int pdeath(void)
{
	int fds[2];
	char c;

	if (pipe(fds))
		return 1;
	if (fork() == 0) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (write(fds[1], "r", 1) != 1)
				_exit(1);
			close(fds[0]);
			for (;;)
				pause();
		}
		if (read(fds[0], &c, 1) != 1)
			_exit(1);
		_exit(0);
	}
	wait(NULL);
	close(fds[1]);
	return read(fds[0], &c, 1) == 0 ? 0 : 2;	/* end of file: the grandchild is gone */
}

static void orphans(void)
{
	is_int(in_child(subreaper), 0, "a subreaper adopts its grandchild");
	is_int(in_child(zombie_orphan), 0, "and one that was a zombie already");
	is_int(in_child(to_init), 0, "others go to somebody further up");
	is_int(in_child(pdeath), 0, "PR_SET_PDEATHSIG");
}

/* --- orphaned process groups: stopped members get SIGHUP and SIGCONT */

static int orphaned_group(void)
{
	int fds[2];
	char c = 0;

	if (setsid() < 0 || pipe(fds))
		return 1;
	if (fork() == 0) {		/* the job's parent, in our group */
		pid_t pid = fork();

		if (pid == 0) {
			setpgid(0, 0);
			if (signal(SIGHUP, SIG_DFL) == SIG_ERR)
				_exit(1);
			raise(SIGSTOP);
			for (;;)
				pause();
		}
		waitpid(pid, NULL, WUNTRACED);
		_exit(0);
	}
	close(fds[1]);
	wait(NULL);
	return read(fds[0], &c, 1) == 0 ? 0 : 2;
}

int main(void)
{
	threads();
	dead_leader();
	no_zombies();
	pending_before_reaped();
	orphans();
	is_int(in_child(orphaned_group), 0, "an orphaned stopped group is hung up");
	return done_testing();
}
