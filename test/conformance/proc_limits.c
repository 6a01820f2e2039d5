/* SPDX-License-Identifier: MPL-2.0 */
/* Resource limits and usage: getrlimit(2), prlimit(2), getrusage(2), times(2). */
#include "tap.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <time.h>

static int prlim(pid_t pid, int which, const struct rlimit *new, struct rlimit *old)
{
	return (int)syscall(SYS_prlimit64, pid, which, new, old);
}

static bool has(int which, rlim_t soft, rlim_t hard)
{
	struct rlimit lim;

	if (getrlimit(which, &lim))
		return false;
	return lim.rlim_cur == soft && lim.rlim_max == hard;
}

static int as_user(void)
{
	struct rlimit lim = { 100, 200 }, old;

	if (setrlimit(RLIMIT_NOFILE, &lim) || setgid(5) || setuid(5))
		return 1;
	lim.rlim_max = 201;
	if (setrlimit(RLIMIT_NOFILE, &lim) != -1 || errno != EPERM)
		return 2;
	lim = (struct rlimit){ 200, 200 };
	if (setrlimit(RLIMIT_NOFILE, &lim))
		return 3;
	lim = (struct rlimit){ 50, 100 };
	if (setrlimit(RLIMIT_NOFILE, &lim) || !has(RLIMIT_NOFILE, 50, 100))
		return 4;
	if (prlim(1, RLIMIT_NOFILE, NULL, &old) != -1 || errno != EPERM)
		return 5;
	return 0;
}

static int others(void)
{
	struct rlimit lim = { 77, 88 }, old;
	pid_t pid = fork();
	int r = 0;

	if (pid == 0)
		for (;;)
			pause();
	if (prlim(pid, RLIMIT_CORE, &lim, NULL) || prlim(pid, RLIMIT_CORE, NULL, &old) || old.rlim_cur != 77 || old.rlim_max != 88)
		r = 1;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return r;
}

static void limits(void)
{
	struct rlimit lim, old;
	int bad = 0;

	for (int i = 0; i < 16; i++)
		bad += getrlimit(i, &lim) != 0 || lim.rlim_cur > lim.rlim_max;
	is_int(bad, 0, "sixteen limits");
	is_errno(syscall(SYS_getrlimit, 16, &lim) == -1, EINVAL, "there is no seventeenth");
	is_errno(syscall(SYS_getrlimit, -1, &lim) == -1, EINVAL, "nor one before the first");
	is_errno(syscall(SYS_getrlimit, 0, 8) == -1, EFAULT, "a bad pointer to getrlimit");
	is_errno(syscall(SYS_setrlimit, 0, 8) == -1, EFAULT, "and to setrlimit");
	lim = (struct rlimit){ 2, 1 };
	is_errno(setrlimit(RLIMIT_CORE, &lim) == -1, EINVAL, "soft above hard");
	lim = (struct rlimit){ 1, 1UL << 40 };
	is_errno(syscall(SYS_setrlimit, RLIMIT_NOFILE, &lim) == -1, EPERM, "too many files, even for root");
	lim = (struct rlimit){ 1000, 2000 };
	is_int(prlim(0, RLIMIT_CORE, &lim, &old), 0, "prlimit sets and gets");
	ok(has(RLIMIT_CORE, 1000, 2000), "and it is set");
	is_errno(prlim(4000000, RLIMIT_CORE, NULL, &old) == -1, ESRCH, "nobody's limits");
	is_errno(prlim(0, 16, NULL, &old) == -1, EINVAL, "prlimit of no such limit");
	is_errno(prlim(0, 0, (void *)8, NULL) == -1, EFAULT, "a bad new limit");
	is_errno(prlim(0, 0, NULL, (void *)8) == -1, EFAULT, "a bad old limit");
	is_int(prlim(0, RLIMIT_CORE, NULL, NULL), 0, "neither");
	is_int(in_child(as_user), 0, "a user may lower the hard limit, not raise it");
	is_int(in_child(others), 0, "root sets a child's");
}

/* getrlimit and setrlimit, which the C library makes of prlimit64. */
static void old_calls(void)
{
	int bad = 0;

	for (int i = 0; i < 16; i++) {
		struct rlimit lim = { 1, 2 }, new;

		bad += syscall(SYS_getrlimit, i, &lim) != 0 || !has(i, lim.rlim_cur, lim.rlim_max);
		new = (struct rlimit){ lim.rlim_cur / 2, lim.rlim_max };
		bad += syscall(SYS_setrlimit, i, &new) != 0 || !has(i, new.rlim_cur, new.rlim_max);
		bad += syscall(SYS_setrlimit, i, &lim) != 0 || !has(i, lim.rlim_cur, lim.rlim_max);
	}
	is_int(bad, 0, "the calls getrlimit and setrlimit agree with prlimit64 about sixteen limits");
	is_errno(syscall(SYS_setrlimit, 16, &(struct rlimit){ 1, 2 }) == -1, EINVAL, "setrlimit of a seventeenth");
	is_errno(syscall(SYS_setrlimit, RLIMIT_CORE, &(struct rlimit){ 2, 1 }) == -1, EINVAL, "and soft above hard");
}

static void defaults(void)
{
	ok(has(RLIMIT_STACK, 8 << 20, RLIM_INFINITY) && has(RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY) && has(RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY) &&
	   has(RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY) && has(RLIMIT_FSIZE, RLIM_INFINITY, RLIM_INFINITY), "defaults: stack, time, memory, file size");
	ok(has(RLIMIT_NOFILE, 1024, 4096), "open files");
	ok(has(RLIMIT_MSGQUEUE, 819200, 819200) && has(RLIMIT_NICE, 0, 0) && has(RLIMIT_RTPRIO, 0, 0), "message queues, nice, real-time priority");
	ok(has(RLIMIT_CORE, 0, RLIM_INFINITY), "core files");
	ok(has(RLIMIT_MEMLOCK, 8 << 20, 8 << 20), "locked memory");
}

/* --- CPU time */

static volatile sig_atomic_t n_xcpu;

static void on_xcpu(int sig)
{
	(void)sig;
	n_xcpu++;
}

static void burn(long ms)
{
	struct timespec ts;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	while (ts.tv_sec * 1000 + ts.tv_nsec / 1000000 < ms);
}

static int cpu_soft(void)
{
	struct rlimit lim = { 1, 10 };
	struct timespec ts;

	signal(SIGXCPU, on_xcpu);
	if (setrlimit(RLIMIT_CPU, &lim))
		return 1;
	while (!n_xcpu)
		;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000 >= 900 && ts.tv_sec < 2 ? 0 : 2;
}

static int cpu_hard(void)
{
	struct rlimit lim = { 1, 1 };

	signal(SIGXCPU, on_xcpu);
	if (setrlimit(RLIMIT_CPU, &lim))
		return 1;
	for (;;)
		;
	return 0;
}

static int cpu_default(void)
{
	struct rlimit lim = { 1, 10 };

	if (setrlimit(RLIMIT_CPU, &lim))
		return 1;
	for (;;)
		;
	return 0;
}

static void cpu(void)
{
	is_int(in_child(cpu_soft), 0, "RLIMIT_CPU: SIGXCPU after a second");
	is_int(in_child(cpu_hard) & 0x7f, SIGKILL, "SIGKILL at the hard limit");
	is_int(in_child(cpu_default) & 0x7f, SIGXCPU, "SIGXCPU kills by default");
}

/* --- usage */

static long ms_of(struct timeval tv)
{
	return tv.tv_sec * 1000 + tv.tv_usec / 1000;
}

static int burner(void)
{
	burn(100);
	return 0;
}

static void *burn_in_thread(void *arg)
{
	struct rusage u;
	struct timespec ts;

	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	while (ts.tv_nsec < 50000000 && !ts.tv_sec);
	getrusage(RUSAGE_THREAD, &u);
	*(long *)arg = ms_of(u.ru_utime) + ms_of(u.ru_stime);
	return NULL;
}

static void usage(void)
{
	struct rusage before, after, children;
	struct tms tms;
	pthread_t t;
	long in_thread = 0;
	char *p;

	getrusage(RUSAGE_SELF, &before);
	burn(ms_of(before.ru_utime) + ms_of(before.ru_stime) + 150);
	getrusage(RUSAGE_SELF, &after);
	long ran = ms_of(after.ru_utime) + ms_of(after.ru_stime) - ms_of(before.ru_utime) - ms_of(before.ru_stime);
	ok(ran >= 120 && ran < 400, "RUSAGE_SELF counts CPU time");
	p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < 1 << 20; i += 4096)
		p[i] = 1;
	getrusage(RUSAGE_SELF, &after);
	ok(after.ru_minflt - before.ru_minflt >= 16, "faults");
	ok(after.ru_maxrss >= 1024, "the peak of memory");
	getrusage(RUSAGE_CHILDREN, &before);
	in_child(burner);
	getrusage(RUSAGE_CHILDREN, &children);
	ran = ms_of(children.ru_utime) + ms_of(children.ru_stime) - ms_of(before.ru_utime) - ms_of(before.ru_stime);
	ok(ran >= 80 && ran < 400, "RUSAGE_CHILDREN: those waited for");
	pthread_create(&t, NULL, burn_in_thread, &in_thread);
	pthread_join(t, NULL);
	ok(in_thread >= 30 && in_thread < 200, "RUSAGE_THREAD");
	is_errno(getrusage(7, &after) == -1, EINVAL, "nobody's usage");
	is_errno(syscall(SYS_getrusage, RUSAGE_SELF, 8) == -1, EFAULT, "a bad pointer");
	ok(times(&tms) > 0 && tms.tms_utime + tms.tms_stime >= 10 && tms.tms_cutime + tms.tms_cstime >= 8, "times, in hundredths of a second");
	is_errno(syscall(SYS_times, 8) == -1, EFAULT, "a bad pointer to times");
	ok(syscall(SYS_times, NULL) > 0, "times without a buffer");
}

static pid_t sleeper_4321(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (setgid(4321) || setuid(4321))
			_exit(1);
		for (;;)
			pause();
	}
	return pid;
}

static int nproc_exec(void)
{
	struct rlimit lim = { 1, 1 };
	pid_t a = sleeper_4321(), b = sleeper_4321(), pid;
	int status;

	usleep(50000);
	if (setrlimit(RLIMIT_NPROC, &lim))
		return 2;
	pid = fork();
	if (pid == 0) {
		if (setgid(4321) || setuid(4321))
			_exit(3);
		execl("/proc/self/exe", "x", "x", NULL);
		_exit(errno == EAGAIN ? 0 : 4);
	}
	waitpid(pid, &status, 0);
	kill(a, SIGKILL);
	kill(b, SIGKILL);
	waitpid(a, NULL, 0);
	waitpid(b, NULL, 0);
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 9;
	defaults();
	limits();
	old_calls();
	cpu();
	usage();
	is_int(in_child(nproc_exec), 0, "over RLIMIT_NPROC after setuid: execve fails with EAGAIN");
	return done_testing();
}
