/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Who gets the CPU: shares by nice, real-time above all, sleepers soon, hogs spread over CPUs.
 *
 * A virtual machine's pauses are charged to whoever runs then: a share has to be right in one of several windows.
 */
#include "tap.h"
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#define NSEC 1000000000LL
#define MSEC 1000000LL

static long long now(int id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

static void pin(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(pid, sizeof(set), &set);
}

static void unpin(pid_t pid)
{
	cpu_set_t set;

	memset(&set, 0xff, sizeof(set));
	sched_setaffinity(pid, sizeof(set), &set);
}

/* A hog that has been set up and waits in front of its loop until *go. */
static volatile int *go;

static pid_t hog(int cpu, int nice, int policy, int priority)
{
	struct sched_param p = { .sched_priority = priority };
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	if (cpu >= 0)
		pin(0, cpu);
	setpriority(PRIO_PROCESS, 0, nice);
	if (policy != SCHED_OTHER)
		sched_setscheduler(0, policy, &p);
	__atomic_add_fetch(&go[1], 1, __ATOMIC_SEQ_CST);
	while (!*go)
		usleep(1000);
	for (;;)
		;
}

static long long used(pid_t pid)
{
	clockid_t id;

	return clock_getcpuclockid(pid, &id) ? -1 : now(id);
}

static void start(int n)
{
	while (go[1] < n)
		usleep(1000);
	*go = 1;
}

static void end(const pid_t *pids, int n)
{
	int status;

	for (int i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < n; i++)
		waitpid(pids[i], &status, 0);
	go[0] = go[1] = 0;
}

#define WINDOWS 8

static void look(const pid_t *pids, long long *spent, int n, int ms)
{
	for (int i = 0; i < n; i++)
		spent[i] = used(pids[i]);
	usleep(ms * 1000);
	for (int i = 0; i < n; i++)
		spent[i] = used(pids[i]) - spent[i];
}

/* Lets them run for `ms`, again and again until what each used (spent) is as it should be. */
static int comes_right(const pid_t *pids, int n, int ms, int (*is_right)(const long long *spent, int n))
{
	long long spent[64];

	for (int i = 0; i < WINDOWS; i++) {
		look(pids, spent, n, ms);
		if (is_right(spent, n))
			return 1;
	}
	for (int i = 0; i < n; i++)
		printf("# %d used %lld us\n", i, spent[i] / 1000);
	return 0;
}

static long long sum_of(const long long *spent, int n)
{
	long long sum = 0;

	for (int i = 0; i < n; i++)
		sum += spent[i];
	return sum ? sum : 1;
}

/* The promise is 5 %; Linux keeps it less closely in so short a time, so there is some air. */
static int are_by_nice(const long long *spent, int n)
{
	static const int weight[3] = { 1024, 335, 110 };
	long long sum = sum_of(spent, n);

	for (int i = 0; i < n; i++) {
		long long due = weight[i] * 1000 / 1469, got = spent[i] * 1000 / sum;

		if (got <= due * 85 / 100 || got >= due * 115 / 100)
			return 0;
	}
	return 1;
}

static void by_nice(int cpu)
{
	static const int nice[3] = { 0, 5, 10 };
	pid_t pids[3];

	for (int i = 0; i < 3; i++)
		pids[i] = hog(cpu, nice[i], SCHED_OTHER, 0);
	start(3);
	usleep(100000);
	ok(comes_right(pids, 3, 2500, are_by_nice), "nice 0, 5 and 10 get their shares");
	end(pids, 3);
}

static int are_equal(const long long *spent, int n)
{
	long long sum = sum_of(spent, n);

	for (int i = 0; i < n; i++)
		if (spent[i] * 1000 / sum <= 200 || spent[i] * 1000 / sum >= 300)
			return 0;
	return 1;
}

static void equal(int cpu)
{
	pid_t pids[4];

	for (int i = 0; i < 4; i++)
		pids[i] = hog(cpu, 0, SCHED_OTHER, 0);
	start(4);
	usleep(50000);
	ok(comes_right(pids, 4, 1000, are_equal), "equals get equal shares");
	end(pids, 4);
}

static int is_8_times(const long long *spent, int n)
{
	return spent[n - 1] > 8 * spent[0];
}

static int is_30_times(const long long *spent, int n)
{
	return spent[n - 1] > 30 * spent[0];
}

static void real_time(int cpu)
{
	pid_t pids[2];

	pids[0] = hog(cpu, 0, SCHED_OTHER, 0);
	pids[1] = hog(cpu, 0, SCHED_FIFO, 5);
	start(2);
	usleep(50000);
	ok(comes_right(pids, 2, 1500, is_8_times), "SCHED_FIFO runs before SCHED_OTHER");
	end(pids, 2);
	pids[0] = hog(cpu, 0, SCHED_IDLE, 0);
	pids[1] = hog(cpu, 0, SCHED_OTHER, 0);
	start(2);
	usleep(50000);
	ok(comes_right(pids, 2, 800, is_30_times), "SCHED_IDLE gets what is left");
	end(pids, 2);
}

static int have_a_third_second(const long long *spent, int n)
{
	for (int i = 0; i < n; i++)
		if (spent[i] <= NSEC / 3)
			return 0;
	return 1;
}

/* Hogs born on one CPU and set free each find a CPU. */
static void spread(int n)
{
	pid_t pids[64];

	if (n < 2 || n > 64) {
		skip("one CPU");
		return;
	}
	for (int i = 0; i < n; i++)
		pids[i] = hog(0, 0, SCHED_OTHER, 0);
	start(n);
	for (int i = 0; i < n; i++)
		unpin(pids[i]);
	usleep(100000);
	ok(comes_right(pids, n, 1000, have_a_third_second), "as many hogs as CPUs: each gets one");
	end(pids, n);
}

static long long mean_lateness(void)
{
	long long late = 0;

	for (int i = 0; i < 50; i++) {
		long long until = now(CLOCK_MONOTONIC) + 2 * MSEC;

		usleep(2000);
		late += now(CLOCK_MONOTONIC) - until;
	}
	return late / 50;
}

static void latency(int cpu)
{
	long long late = NSEC;
	pid_t pids[2];

	for (int i = 0; i < 2; i++)
		pids[i] = hog(cpu, 0, SCHED_OTHER, 0);
	start(2);
	pin(0, cpu);
	for (int i = 0; i < WINDOWS && late >= 30 * MSEC; i++)
		late = mean_lateness();
	unpin(0);
	end(pids, 2);
	ok(late < 30 * MSEC, "who sleeps much runs soon after its time beside hogs");
}

int main(void)
{
	int n = sysconf(_SC_NPROCESSORS_ONLN);

	go = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	setpriority(PRIO_PROCESS, 0, -10);	/* the observer's own sleeps shall be short */
	by_nice(n - 1);
	equal(n - 1);
	real_time(n - 1);
	spread(n);
	setpriority(PRIO_PROCESS, 0, 0);
	latency(n - 1);
	return done_testing();
}
