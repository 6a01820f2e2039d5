/* SPDX-License-Identifier: MPL-2.0 */
/* /proc/PID/syscall, wchan and stack, of processes and threads: what a sleeper shows, what a running thread, what a zombie, and who may look (proc(5)). */
#include "tap.h"
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define PATIENCE 10000	/* times a millisecond, for what must come */

static char text[8192];
static volatile pid_t *shared;	/* mapped: children tell their thread ids */

/* The file's length, or -errno. */
static long look(pid_t pid, pid_t tid, const char *name)
{
	char path[96];
	long n;
	int fd;

	if (tid)
		snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
	else
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		n = -errno;
	text[n > 0 ? n : 0] = 0;
	close(fd);
	return n;
}

static void pause_ms(void)
{
	usleep(1000);
}

/* Until its file begins like that: a sleeper needs a moment to fall asleep. */
static bool comes_to(pid_t pid, pid_t tid, const char *name, const char *start)
{
	for (int i = 0; i < PATIENCE; i++, pause_ms())
		if (look(pid, tid, name) > 0 && !strncmp(text, start, strlen(start)))
			return true;
	printf("# %s", text);
	return false;
}

static char state_of(pid_t pid)
{
	return look(pid, 0, "stat") > 0 ? strrchr(text, ')')[2] : '?';
}

static pid_t start(void (*fn)(void))
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fn();
		_exit(0);
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int ends[2];

static void read_pipe(void)
{
	syscall(SYS_read, ends[0], (void *)shared, 0x123, 0x4444, 0x55555, 0xfedcba9876543210);
}

static void spin(void)
{
	for (;;)
		;
}

static void just_end(void)
{
}

static bool is_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_' && s[i] != '.')
			return false;
	return n > 0 && !isdigit((unsigned char)s[0]);
}

/* Each line "[<0>] function+0xOFF/0xSIZE". How many, -1: something else. */
static int stack_lines(void)
{
	int lines = 0;

	for (char *at = text, *next; *at; at = next + 1, lines++) {
		unsigned long off, size;
		char *plus = strchr(at, '+');
		int used = 0;

		next = strchr(at, '\n');
		if (!next || !plus || plus > next || strncmp(at, "[<0>] ", 6) || !is_name(at + 6, (size_t)(plus - at - 6)) ||
		    sscanf(plus, "+0x%lx/0x%lx%n", &off, &size, &used) != 2 || plus + used != next || off == 0 || off > size)
			return -1;
	}
	return lines;
}

static void sleeper(pid_t pid, pid_t tid, const char *what)
{
	unsigned long sp = 0, pc = 0;
	char want[128];
	int used = 0;
	long n;

	snprintf(want, sizeof(want), "0 0x%x %p 0x123 0x4444 0x55555 0xfedcba9876543210 0x", ends[0], (void *)shared);
	ok(comes_to(pid, tid, "syscall", want), "%s: number and arguments of the call", what);
	ok(sscanf(text + strlen(want) - 2, "%lx %lx%n", &sp, &pc, &used) == 2 && !strcmp(text + strlen(want) - 2 + used, "\n"), "%s: two more and no more", what);
	ok(sp > 4096 && pc > (unsigned long)syscall && pc < (unsigned long)syscall + 100, "%s: stack pointer and place in the program", what);
	n = look(pid, tid, "wchan");
	ok(n > 0 && (size_t)n == strlen(text) && is_name(text, (size_t)n), "%s: where it waits is a name without a line's end", what);
	if (!ok(look(pid, tid, "stack") > 0 && stack_lines() > 1, "%s: its stack", what))
		printf("# %s\n", text);
}

static void sleepers(void)
{
	pid_t pid;

	if (pipe(ends))
		exit(1);
	pid = start(read_pipe);
	sleeper(pid, 0, "process");
	sleeper(pid, pid, "thread");
	ok(look(pid, 0, "syscall") == look(pid, 0, "syscall"), "it stays the same");
	end(pid);
}

static void *read_in_thread(void *arg)
{
	shared[1] = (pid_t)syscall(SYS_gettid);
	read_pipe();
	return arg;
}

static void be_two(void)
{
	pthread_t t;

	pthread_create(&t, NULL, read_in_thread, NULL);
	syscall(SYS_ppoll, NULL, 0, NULL, NULL, 8);
}

static void threads(void)
{
	char reader[sizeof(text)];
	pid_t pid;

	shared[1] = 0;
	pid = start(be_two);
	for (int i = 0; i < PATIENCE && !shared[1]; i++)
		pause_ms();
	sleeper(pid, shared[1], "second thread");
	ok(comes_to(pid, 0, "syscall", "271 0x0 0x0 0x0 0x0 0x8 0x"), "the first is in a call of its own");
	ok(comes_to(pid, pid, "syscall", "271 0x0 0x0 0x0 0x0 0x8 0x"), "by its thread id too");
	look(pid, shared[1], "wchan");
	snprintf(reader, sizeof(reader), "%s", text);
	ok(look(pid, pid, "wchan") > 0 && strcmp(text, reader), "and waits elsewhere than the second");
	is_int(look(pid, pid + 100000, "syscall"), -ENOENT, "no such thread");
	end(pid);
}

static void running(void)
{
	pid_t pid = start(spin);
	bool is_zero = true;

	ok(comes_to(pid, 0, "syscall", "running\n") && !text[8], "a running process has no call");
	for (int i = 0; i < 20; i++, pause_ms())
		is_zero &= look(pid, 0, "wchan") == 1 && !strcmp(text, "0");
	ok(is_zero, "and waits nowhere");
	end(pid);
	ok(look(getpid(), 0, "syscall") > 0 && !strncmp(text, "0 0x", 4), "one's own call is the read");
	ok(look(getpid(), 0, "wchan") == 1 && !strcmp(text, "0"), "one waits nowhere");
	ok(look(getpid(), 0, "stack") >= 0 && stack_lines() >= 0, "one's own stack");
}

static void zombies(void)
{
	pid_t pid = start(just_end);

	for (int i = 0; i < PATIENCE && state_of(pid) != 'Z'; i++)
		pause_ms();
	for (int i = 0; i < PATIENCE && !(look(pid, 0, "stack") == 0); i++)	/* the last switch away from it comes a little later */
		pause_ms();
	is_int(look(pid, 0, "stack"), 0, "a zombie has no stack");
	ok(look(pid, 0, "wchan") == 1 && !strcmp(text, "0"), "and waits nowhere");
	if (!ok(look(pid, 0, "syscall") > 0 && !strcmp(text, "-1 0x0 0x0\n"), "and is in no call"))
		printf("# %s", text);
	waitpid(pid, NULL, 0);
}

static bool sees_nothing(pid_t pid)
{
	return look(pid, 0, "wchan") == 1 && !strcmp(text, "0") && look(pid, 0, "syscall") == -EACCES && look(pid, 0, "stack") == -EACCES;
}

static int as_user(void)
{
	pid_t mine;
	int code = 0;

	if (setuid(5) || prctl(PR_SET_DUMPABLE, 1))
		return 1;
	if (!sees_nothing(getppid()))
		return 2;
	mine = start(read_pipe);
	if (!comes_to(mine, 0, "syscall", "0 0x"))
		code = 3;
	else if (look(mine, 0, "wchan") < 1 || !is_name(text, strlen(text)))
		code = 4;
	else if (look(mine, 0, "stack") != -EACCES)	/* CAP_SYS_ADMIN is missing */
		code = 5;
	end(mine);
	return code;
}

static void drop(unsigned int cap)
{
	struct { unsigned int version; int pid; } head = { 0x20080522, 0 };
	struct { unsigned int effective, permitted, inheritable; } data[2];

	syscall(SYS_capget, &head, data);
	data[cap / 32].effective &= ~(1u << cap % 32);
	data[cap / 32].permitted &= ~(1u << cap % 32);
	syscall(SYS_capset, &head, data);
}

static int without_admin(void)
{
	pid_t mine;
	int code = 0;

	drop(21 /* CAP_SYS_ADMIN */);
	mine = start(read_pipe);
	if (!comes_to(mine, 0, "syscall", "0 0x"))
		code = 1;
	else if (look(mine, 0, "stack") != -EACCES)
		code = 2;
	end(mine);
	return code;
}

/* Root's files can be opened by root; what they would tell of somebody with more capabilities is another matter. */
static int without_ptrace(void)
{
	drop(19 /* CAP_SYS_PTRACE */);
	if (look(getppid(), 0, "syscall") != -EPERM)
		return 1;
	if (look(getppid(), 0, "stack") != -EPERM)
		return 2;
	return look(getppid(), 0, "wchan") == 1 && !strcmp(text, "0") ? 0 : 3;
}

/* Who opened it counts: a more powerful reader gets no more out of it. */
static void opened_by_another(void)
{
	char path[64];
	pid_t pid = start(read_pipe);
	int fds[2], status;
	bool is_refused;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	comes_to(pid, 0, "syscall", "0 0x");
	fds[0] = open(path, O_RDONLY);
	ok(read(fds[0], text, 100) == 100, "the stack file, by who may");
	close(fds[0]);
	if (pipe(fds))
		exit(1);
	/* With vfork's kin the table is shared: the child opens, the parent reads. */
	if (!syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0)) {
		drop(21);
		dprintf(fds[1], "%d", open(path, O_RDONLY));
		_exit(0);
	}
	wait(&status);
	memset(text, 0, 20);
	is_refused = read(fds[0], text, 20) > 0 && read(atoi(text), text, 100) == -1;
	is_errno(is_refused, EACCES, "one that was opened without CAP_SYS_ADMIN");
	end(pid);
}

static void permission(void)
{
	is_int(in_child(as_user), 0, "a user sees his own only");
	is_int(in_child(without_admin), 0, "no stacks without CAP_SYS_ADMIN");
	is_int(in_child(without_ptrace), 0, "nothing of who can do more, without CAP_SYS_PTRACE");
	opened_by_another();
}


/* Looking while they wake, sleep and die: every answer is one of the forms. */
static void *look_often(void *arg)
{
	const pid_t *pid = arg;
	char path[64], got[512];
	static const char *const names[] = { "stack", "syscall", "wchan" };
	long bad = 0;

	for (int i = 0; i < 3000; i++) {
		int fd;
		long n;

		snprintf(path, sizeof(path), "/proc/%d/%s", __atomic_load_n(pid, __ATOMIC_RELAXED), names[i % 3]);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		n = read(fd, got, sizeof(got));
		bad += n < 0 && errno != ESRCH;
		close(fd);
	}
	return (void *)bad;
}

static void be_busy(void)
{
	for (int i = 0; i < 50; i++) {
		usleep(10);
		sched_yield();
	}
}

static void races(void)
{
	static pid_t pid;
	pthread_t lookers[2];
	void *bad[2];

	pid = start(be_busy);
	for (int i = 0; i < 2; i++)
		pthread_create(&lookers[i], NULL, look_often, &pid);
	for (int i = 0; i < 60; i++) {
		pid_t old = pid;

		waitpid(old, NULL, 0);
		__atomic_store_n(&pid, start(be_busy), __ATOMIC_RELAXED);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(lookers[i], &bad[i]);
	end(pid);
	ok(!bad[0] && !bad[1], "looked at while they come and go");
}

/* --- /proc/TID: there for any thread, listed for processes only */

static bool is_listed(const char *dir, pid_t id)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool found = false;

	while (d && (e = readdir(d)) != NULL)
		found |= atoi(e->d_name) == id;
	if (d)
		closedir(d);
	return found;
}

static void *stay(void *arg)
{
	shared[1] = (pid_t)syscall(SYS_gettid);
	while (!__atomic_load_n((int *)arg, __ATOMIC_SEQ_CST))
		usleep(1000);
	return NULL;
}

static void by_thread_id(void)
{
	pid_t pid = getpid(), tid;
	char path[96];
	pthread_t t;
	int is_over = 0;

	shared[1] = 0;
	pthread_create(&t, NULL, stay, &is_over);
	while ((tid = shared[1]) == 0)
		usleep(1000);
	ok(look(tid, 0, "stat") > 0 && atoi(text) == tid, "/proc/TID/stat of a thread");
	ok(look(tid, 0, "status") > 0 && strstr(text, "Tgid:") && atoi(strstr(text, "Tgid:") + 5) == pid, "its status names the process");
	ok(look(tid, pid, "stat") > 0 && look(tid, tid, "stat") > 0, "its task directory has all threads");
	snprintf(path, sizeof(path), "/proc/%d/task", tid);
	ok(is_listed(path, pid) && is_listed(path, tid), "and lists them");
	ok(is_listed("/proc", pid) && !is_listed("/proc", tid), "/proc lists processes only");
	__atomic_store_n(&is_over, 1, __ATOMIC_SEQ_CST);
	pthread_join(t, NULL);
}

int main(void)
{
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sleepers();
	threads();
	running();
	zombies();
	permission();
	by_thread_id();
	races();
	return done_testing();
}
