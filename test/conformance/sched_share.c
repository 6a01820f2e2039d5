/* SPDX-License-Identifier: MPL-2.0 */
/* Who gets the CPU: shares by nice, real-time above all, sleepers soon, hogs spread over CPUs. keel-test: seconds=120 */
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

/*
 * Lets them run for a while; spent[] gets what each used, `all` the time that passed. A virtual CPU that its host leaves out for a while has whoever was running pay
 * for it: chance decides who, so it evens out, and what is true only of a longer time is true. So there are up to WINDOWS times `ms`.
 */
#define WINDOWS 8
static void measure(const pid_t *pids, long long *spent, int n, int ms, bool (*is_good)(const long long *spent, int n, long long all))
{
	long long base[64], begin = now(CLOCK_MONOTONIC);

	for (int i = 0; i < n; i++)
		base[i] = used(pids[i]);
	for (int window = 0; window < WINDOWS; window++) {
		usleep(ms * 1000);
		for (int i = 0; i < n; i++)
			spent[i] = used(pids[i]) - base[i];
		if (is_good(spent, n, now(CLOCK_MONOTONIC) - begin))
			break;
	}
}

static long long share(const long long *spent, int n, int which)
{
	long long sum = 0;

	for (int i = 0; i < n; i++)
		sum += spent[i];
	return sum ? spent[which] * 1000 / sum : 0;
}

/* The promise is 5 %; Linux keeps it less closely in so short a time, so there is some air. */
static const int nice_value[3] = { 0, 5, 10 }, weight[3] = { 1024, 335, 110 };

static bool is_due(const long long *spent, int i)
{
	long long due = weight[i] * 1000 / 1469, got = share(spent, 3, i);

	return got > due * 85 / 100 && got < due * 115 / 100;
}

static bool by_weight(const long long *spent, int n, long long all)
{
	(void)n;
	(void)all;
	return is_due(spent, 0) && is_due(spent, 1) && is_due(spent, 2);
}

static void by_nice(int cpu)
{
	long long spent[3];
	pid_t pids[3];

	for (int i = 0; i < 3; i++)
		pids[i] = hog(cpu, nice_value[i], SCHED_OTHER, 0);
	start(3);
	usleep(100000);
	measure(pids, spent, 3, 2500, by_weight);
	end(pids, 3);
	for (int i = 0; i < 3; i++)
		if (!ok(is_due(spent, i), "nice %d gets its share", nice_value[i]))
			printf("# %lld of 1000, weight %d\n", share(spent, 3, i), weight[i]);
}

static int n_equal(const long long *spent, int n)
{
	int good = 0;

	for (int i = 0; i < n; i++)
		good += share(spent, n, i) > 200 && share(spent, n, i) < 300;
	return good;
}

static bool are_equal(const long long *spent, int n, long long all)
{
	(void)all;
	return n_equal(spent, n) == n;
}

static bool second_has_8(const long long *spent, int n, long long all)
{
	(void)n;
	(void)all;
	return spent[1] > 8 * spent[0];
}

static bool second_has_30(const long long *spent, int n, long long all)
{
	(void)n;
	(void)all;
	return spent[1] > 30 * spent[0];
}

static bool each_has_a_third(const long long *spent, int n, long long all)
{
	for (int i = 0; i < n; i++)
		if (spent[i] <= all / 3)
			return false;
	return true;
}

static void equal(int cpu)
{
	long long spent[4];
	pid_t pids[4];

	for (int i = 0; i < 4; i++)
		pids[i] = hog(cpu, 0, SCHED_OTHER, 0);
	start(4);
	usleep(50000);
	measure(pids, spent, 4, 1000, are_equal);
	end(pids, 4);
	is_int(n_equal(spent, 4), 4, "equals get equal shares");
}

static void real_time(int cpu)
{
	long long spent[2];
	pid_t pids[2];

	pids[0] = hog(cpu, 0, SCHED_OTHER, 0);
	pids[1] = hog(cpu, 0, SCHED_FIFO, 5);
	start(2);
	usleep(50000);
	measure(pids, spent, 2, 1500, second_has_8);
	end(pids, 2);
	ok(second_has_8(spent, 2, 0), "SCHED_FIFO runs before SCHED_OTHER");
	pids[0] = hog(cpu, 0, SCHED_IDLE, 0);
	pids[1] = hog(cpu, 0, SCHED_OTHER, 0);
	start(2);
	usleep(50000);
	measure(pids, spent, 2, 800, second_has_30);
	end(pids, 2);
	ok(second_has_30(spent, 2, 0), "SCHED_IDLE gets what is left");
}

/* Hogs born on one CPU and set free each find a CPU. */
static void spread(int n)
{
	long long spent[64], t;
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
	t = now(CLOCK_MONOTONIC);
	measure(pids, spent, n, 1000, each_has_a_third);
	t = now(CLOCK_MONOTONIC) - t;
	end(pids, n);
	ok(each_has_a_third(spent, n, t), "as many hogs as CPUs: each gets one");
}

static long long mean_delay(void)
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
	bool is_soon = false;
	pid_t pids[2];

	for (int i = 0; i < 2; i++)
		pids[i] = hog(cpu, 0, SCHED_OTHER, 0);
	start(2);
	pin(0, cpu);
	for (int window = 0; window < WINDOWS && !is_soon; window++)
		is_soon = mean_delay() < 30 * MSEC;
	unpin(0);
	end(pids, 2);
	ok(is_soon, "who sleeps much runs soon after its time beside hogs");
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
