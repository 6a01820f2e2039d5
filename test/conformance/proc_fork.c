/* SPDX-License-Identifier: MPL-2.0 */
/* fork(2), vfork(2), clone(2): what is copied, what is shared, which flags go together. */
#include "tap.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static char stack[65536] __attribute__((aligned(16)));

static pid_t raw_clone(unsigned long flags, void *sp, int *ptid, int *ctid, unsigned long tls)
{
	return (pid_t)syscall(SYS_clone, flags, sp, ptid, ctid, tls);
}

static int reap(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return status;
}

/* --- fork */

static int value = 1;

static void copies(void)
{
	int fds[2], *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t parent = getpid(), pid;
	char c = 0;

	if (pipe(fds))
		bail_out("pipe");
	pid = fork();
	if (pid == 0) {
		value = 2;
		*shared = getppid() == parent;
		c = 'x';
		if (write(fds[1], &c, 1) != 1)
			_exit(1);
		_exit(getpid() == parent || gettid() != getpid() ? 2 : 0);
	}
	is_int(reap(pid), 0, "the child has ids of its own");
	is_int(value, 1, "private memory is a copy");
	is_int(*shared, 1, "shared memory is shared; getppid is the parent");
	ok(read(fds[0], &c, 1) == 1 && c == 'x', "descriptors are inherited");
	close(fds[0]);
	close(fds[1]);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static int inherited(void)
{
	struct sigaction sa;
	sigset_t set;
	struct rlimit lim;
	char cwd[64];

	sigaction(SIGUSR1, NULL, &sa);
	sigprocmask(SIG_BLOCK, NULL, &set);
	getrlimit(RLIMIT_CORE, &lim);
	sigset_t pending;
	sigpending(&pending);
	return (sa.sa_handler == on_alarm) | (sigismember(&set, SIGUSR2) << 1) | (umask(0) == 027) << 2 | (lim.rlim_cur == 4096) << 3 |
	       (getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/tmp")) << 4 | (alarm(0) == 0) << 5 | !sigismember(&pending, SIGUSR2) << 6;
}

static void inheritance(void)
{
	struct rlimit lim = { 4096, 4096 };
	sigset_t set;

	mkdir("/tmp", 01777);
	if (chdir("/tmp"))
		bail_out("/tmp");
	signal(SIGUSR1, on_alarm);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	umask(027);
	setrlimit(RLIMIT_CORE, &lim);
	alarm(100);
	raise(SIGUSR2);
	is_int(in_child(inherited) >> 8, 127, "handlers, mask, umask, limits and directory are inherited; alarms and pending signals are not");
	alarm(0);
}

/* --- clone: what is shared */

static int run_shared(unsigned long flags, int (*fn)(void *), void *arg)
{
	pid_t pid = clone(fn, stack + sizeof(stack), (int)flags | SIGCHLD, arg);

	return pid < 0 ? -1 : reap(pid);
}

static int set_value(void *arg)
{
	*(int *)arg = 7;
	return 3;
}

static int open_one(void *arg)
{
	int fd = dup2(2, 100);

	(void)arg;
	umask(011);
	return fd == 100 ? 0 : 1;
}

static int ignore_usr1(void *arg)
{
	(void)arg;
	signal(SIGUSR1, SIG_IGN);
	return 0;
}

static void sharing(void)
{
	struct sigaction sa;
	int x = 0;

	is_int(run_shared(CLONE_VM, set_value, &x), 3 << 8, "the function's result is the exit status");
	is_int(x, 7, "CLONE_VM shares memory");
	umask(022);
	run_shared(0, open_one, NULL);
	is_errno(fcntl(100, F_GETFD) == -1, EBADF, "descriptors are not shared without CLONE_FILES");
	is_int(umask(022), 022, "nor the umask without CLONE_FS");
	run_shared(CLONE_FILES | CLONE_FS, open_one, NULL);
	is_int(fcntl(100, F_GETFD), 0, "CLONE_FILES");
	is_int(umask(022), 011, "CLONE_FS");
	close(100);
	signal(SIGUSR1, SIG_DFL);
	run_shared(CLONE_VM, ignore_usr1, NULL);
	sigaction(SIGUSR1, NULL, &sa);
	ok(sa.sa_handler == SIG_DFL, "handlers are not shared by CLONE_VM alone");
	run_shared(CLONE_VM | CLONE_SIGHAND, ignore_usr1, NULL);
	sigaction(SIGUSR1, NULL, &sa);
	ok(sa.sa_handler == SIG_IGN, "CLONE_SIGHAND");
	signal(SIGUSR1, SIG_DFL);
}

/* --- tids */

static void tids(void)
{
	int parent_tid = -1, child_tid = -1, *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = raw_clone(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL, &parent_tid, &child_tid, 0);

	if (pid == 0)
		_exit(child_tid == getpid() ? 0 : 1);
	is_int(reap(pid), 0, "CLONE_CHILD_SETTID stores in the child's memory");
	ok(parent_tid == pid && child_tid == -1, "CLONE_PARENT_SETTID in the parent's");
	pid = raw_clone(CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD, NULL, NULL, shared, 0);
	if (pid == 0) {
		_exit(*shared == getpid() ? 0 : 1);
	}
	is_int(reap(pid), 0, "a shared word for CLONE_CHILD_SETTID");
	ok(*shared == pid, "CLONE_CHILD_CLEARTID does nothing when the memory has no other user");
	pid = raw_clone(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL, (int *)8, (int *)8, 0);
	if (pid == 0)
		_exit(5);
	is_int(reap(pid), 5 << 8, "bad addresses for tids are ignored");
}

static int thread_body(void *arg)
{
	*(int *)arg = gettid() != getpid();
	syscall(SYS_exit, 0);
	return 0;
}

static void threads(void)
{
	int x = 0;
	static int tid_word;
	int tid = clone(thread_body, stack + sizeof(stack), CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
			CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, &x, &tid_word, NULL, &tid_word);
	int seen;

	ok(tid > 0, "a thread");
	while ((seen = *(volatile int *)&tid_word) != 0)
		syscall(SYS_futex, &tid_word, FUTEX_WAIT, seen, NULL, NULL, 0);
	is_int(x, 1, "it has a tid of its own; its end clears the word and wakes us");
	is_errno(waitpid(tid, NULL, __WALL | WNOHANG) == -1, ECHILD, "a thread is nobody's child");
}

/* --- vfork */

static void vforked(void)
{
	volatile int x = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		x = 9;
		_exit(4);
	}
	is_int(x, 9, "vfork shares memory, and the parent waited");
	is_int(reap(pid), 4 << 8, "and its child is waited for");
}

/* --- parents */

static int with_parent_flag(void)
{
	pid_t pid = raw_clone(CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0);

	if (pid == 0)
		_exit(6);
	if (waitpid(pid, NULL, 0) != -1 || errno != ECHILD)
		return 1;
	return 0;
}

static void parents(void)
{
	int status;

	is_int(in_child(with_parent_flag), 0, "CLONE_PARENT: not the caller's child");
	ok(wait(&status) > 0 && status == 6 << 8, "but its parent's");
}

/* --- exit signals */

static volatile sig_atomic_t got;

static void note(int sig)
{
	got = sig;
}

static void exit_signals(void)
{
	pid_t pid;

	signal(SIGUSR1, note);
	signal(SIGCHLD, note);
	pid = raw_clone(SIGUSR1, NULL, NULL, NULL, 0);
	if (pid == 0)
		_exit(0);
	is_errno(waitpid(pid, NULL, 0) == -1, ECHILD, "a clone child is not for plain wait");
	is_int(waitpid(pid, NULL, __WCLONE), pid, "but for __WCLONE");
	is_int(got, SIGUSR1, "the exit signal is the one asked for");
	got = 0;
	pid = raw_clone(0, NULL, NULL, NULL, 0);
	if (pid == 0)
		_exit(0);
	is_int(waitpid(pid, NULL, __WALL), pid, "__WALL waits for it too");
	is_int(got, 0, "signal 0: none comes");
	pid = fork();
	if (pid == 0)
		_exit(0);
	is_errno(waitpid(pid, NULL, __WCLONE) == -1, ECHILD, "__WCLONE is not for ordinary children");
	is_int(waitpid(pid, NULL, 0), pid, "they are waited for without");
	is_int(got, SIGCHLD, "SIGCHLD from fork");
	signal(SIGCHLD, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
}

/* --- errors */

static void errors(void)
{
	static const struct {
		unsigned long flags;
		const char *name;
	} bad[] = {
		{ CLONE_SIGHAND, "CLONE_SIGHAND without CLONE_VM" },
		{ CLONE_THREAD, "CLONE_THREAD without CLONE_SIGHAND" },
		{ CLONE_THREAD | CLONE_VM, "CLONE_THREAD without CLONE_SIGHAND but CLONE_VM" },
		{ CLONE_NEWNS | CLONE_FS, "CLONE_NEWNS with CLONE_FS" },
		{ CLONE_NEWUSER | CLONE_FS, "CLONE_NEWUSER with CLONE_FS" },
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_errno(raw_clone(bad[i].flags | SIGCHLD, NULL, NULL, NULL, 0) == -1, EINVAL, "%s", bad[i].name);
	is_errno(raw_clone(CLONE_SETTLS | SIGCHLD, NULL, NULL, NULL, 0x800000000000UL) == -1, EPERM, "a thread pointer beyond user space");
}

static int limited(void)
{
	struct rlimit lim = { 3, 3 };
	pid_t pids[8];
	int n = 0, err = 0;

	if (setgid(12345) || setuid(12345) || setrlimit(RLIMIT_NPROC, &lim))
		return 50;
	while (n < 8) {
		pids[n] = fork();
		if (pids[n] == 0) {
			pause();
			_exit(0);
		}
		if (pids[n] < 0) {
			err = errno;
			break;
		}
		n++;
	}
	for (int i = 0; i < n; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	return err == EAGAIN ? n : 60;
}

static int many(void)
{
	for (int i = 0; i < 300; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(i & 127);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status != (i & 127) << 8)
			return 1;
	}
	return 0;
}

/* A timer that fires all the time does not keep fork from succeeding. */
static int under_signals(void)
{
	signal(SIGALRM, on_alarm);
	for (int i = 0; i < 50; i++) {
		pid_t pid;

		ualarm(300, 300);
		pid = fork();
		if (pid == 0)
			_exit(0);
		if (pid < 0)
			return 1;
		while (waitpid(pid, NULL, 0) < 0)
			if (errno != EINTR)
				return 2;
	}
	ualarm(0, 0);
	return 0;
}

int main(void)
{
	copies();
	inheritance();
	sharing();
	tids();
	threads();
	vforked();
	parents();
	exit_signals();
	errors();
	is_int(in_child(limited), 2 << 8, "RLIMIT_NPROC counts processes of the user: EAGAIN");
	is_int(in_child(many), 0, "300 forks one after the other");
	is_int(in_child(under_signals), 0, "forks under a storm of signals");
	return done_testing();
}
