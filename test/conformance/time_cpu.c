/* SPDX-License-Identifier: MPL-2.0 */
/* CPU-time clocks of processes and threads, by number and by id; sleeping on them. */
#include "tap.h"
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <time.h>

#define NSEC 1000000000LL
#define MSEC 1000000LL

static long long now(int id)
{
	struct timespec ts;

	if (syscall(SYS_clock_gettime, id, &ts))
		return -1;
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

static void burn(long long ns)
{
	long long until = now(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (now(CLOCK_THREAD_CPUTIME_ID) < until)
		for (volatile int i = 0; i < 1000; i++)
			;
}

static int process_clock(pid_t pid, int which)
{
	return (~pid << 3) | which;
}

static int thread_clock(pid_t tid, int which)
{
	return (~tid << 3) | 4 | which;
}

static volatile int stop, tid_of_other;

static void *spin(void *arg)
{
	(void)arg;
	tid_of_other = syscall(SYS_gettid);
	while (!stop)
		;
	return NULL;
}

static void own(void)
{
	long long process = now(CLOCK_PROCESS_CPUTIME_ID), thread = now(CLOCK_THREAD_CPUTIME_ID), user = now(process_clock(0, 1)), all = now(process_clock(0, 0));
	struct rusage ru;
	struct tms tms;
	long long sum;

	burn(100 * MSEC);
	ok(now(CLOCK_PROCESS_CPUTIME_ID) - process >= 100 * MSEC, "the process's clock counts work");
	ok(now(CLOCK_THREAD_CPUTIME_ID) - thread >= 100 * MSEC, "so does the thread's");
	for (int i = 0; i < 20 && (now(process_clock(0, 0)) - all < 90 * MSEC || now(process_clock(0, 1)) - user < 10 * MSEC); i++)
		burn(50 * MSEC);	/* Linux samples these with its tick, and a virtual machine loses some */
	ok(now(process_clock(0, 0)) - all >= 90 * MSEC, "so does the clock of user and system time");
	ok(now(process_clock(0, 1)) - user >= 10 * MSEC, "so does the clock of user time");
	ok(now(process_clock(0, 1)) <= now(process_clock(0, 0)), "user time is not more than all");
	ok(now(process_clock(getpid(), 2)) >= process + 100 * MSEC, "the process's clock by its id");
	ok(now(thread_clock(0, 2)) >= thread + 100 * MSEC, "the thread's clock by id 0");
	ok(now(thread_clock(syscall(SYS_gettid), 2)) >= thread + 100 * MSEC, "the thread's clock by its id");
	getrusage(RUSAGE_SELF, &ru);
	sum = (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * NSEC + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1000LL;
	ok(sum >= 100 * MSEC && sum <= now(CLOCK_PROCESS_CPUTIME_ID) + 50 * MSEC, "getrusage agrees");
	times(&tms);
	ok((tms.tms_utime + tms.tms_stime) * 10 * MSEC <= now(CLOCK_PROCESS_CPUTIME_ID) + 50 * MSEC, "times agrees");
	process = now(CLOCK_PROCESS_CPUTIME_ID);
	usleep(300000);
	ok(now(CLOCK_PROCESS_CPUTIME_ID) - process < 200 * MSEC, "sleeping does not count");
}

static void of_others(void)
{
	pthread_t t;
	clockid_t id;
	long long thread, process;
	int status;
	pid_t pid;

	stop = 0;
	pthread_create(&t, NULL, spin, NULL);
	while (!tid_of_other)
		usleep(1000);
	thread = now(thread_clock(tid_of_other, 2));
	process = now(CLOCK_PROCESS_CPUTIME_ID);
	usleep(200000);
	ok(now(thread_clock(tid_of_other, 2)) - thread >= 20 * MSEC, "another thread's clock runs");
	ok(now(CLOCK_PROCESS_CPUTIME_ID) - process >= 20 * MSEC, "and the process's with it");
	is_int(pthread_getcpuclockid(t, &id), 0, "pthread_getcpuclockid");
	is_int(id, thread_clock(tid_of_other, 2), "makes that id");
	is_errno(now(process_clock(tid_of_other, 2)) == -1, EINVAL, "a thread that does not lead is no process");
	stop = 1;
	pthread_join(t, NULL);		/* returns a little before the thread is gone */
	for (int i = 0; i < 1000 && now(thread_clock(tid_of_other, 2)) != -1; i++)
		usleep(1000);
	is_errno(now(thread_clock(tid_of_other, 2)) == -1, EINVAL, "the clock of a thread that has ended");

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		burn(60 * MSEC);
		pause();
	}
	is_int(clock_getcpuclockid(pid, &id), 0, "clock_getcpuclockid");
	is_int(id, process_clock(pid, 2), "makes the process's id");
	for (int i = 0; i < 1000 && now(id) < 60 * MSEC; i++)
		usleep(10000);
	ok(now(id) >= 60 * MSEC, "another process's clock");
	is_errno(now(thread_clock(pid, 2)) == -1, EINVAL, "but not its thread's");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	is_errno(now(id) == -1, EINVAL, "the clock of a process that has ended");
}

static void *come_and_go(void *arg)
{
	(void)arg;
	while (!stop)
		usleep(1);
	return NULL;
}

/* Read while a thread goes on and off its CPU all the time. */
static void never_back(void)
{
	long long last = 0, t;
	int back = 0;
	pthread_t thread;

	stop = 0;
	pthread_create(&thread, NULL, come_and_go, NULL);
	for (int i = 0; i < 100000; i++) {
		t = now(CLOCK_PROCESS_CPUTIME_ID);
		back += t < last;
		last = t;
	}
	stop = 1;
	pthread_join(thread, NULL);
	is_int(back, 0, "the process's clock never steps back");
}

static void on_signal(int sig)
{
	(void)sig;
}

static void sleeping(void)
{
	struct timespec ts = { 0, 50 * MSEC }, rem = { 0, 0 };
	struct sigaction sa = { .sa_handler = on_signal };
	long long start;
	pthread_t t;

	stop = 0;
	pthread_create(&t, NULL, spin, NULL);
	start = now(CLOCK_PROCESS_CPUTIME_ID);
	is_int(syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &ts, NULL), 0, "sleep for CPU time that another thread uses");
	ok(now(CLOCK_PROCESS_CPUTIME_ID) - start >= 50 * MSEC, "it was used");
	start = now(CLOCK_PROCESS_CPUTIME_ID) + 50 * MSEC;
	ts = (struct timespec){ start / NSEC, start % NSEC };
	is_int(syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &ts, NULL), 0, "until a CPU time");
	ok(now(CLOCK_PROCESS_CPUTIME_ID) >= start, "it is reached");
	stop = 1;
	pthread_join(t, NULL);
	sigaction(SIGALRM, &sa, NULL);
	ts = (struct timespec){ 100, 0 };
	ualarm(50000, 0);
	is_errno(syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &ts, &rem) == -1, EINTR, "nobody works, a signal ends it");
	ok(rem.tv_sec >= 90 && rem.tv_sec <= 100, "what remains");
}

int main(void)
{
	own();
	of_others();
	sleeping();
	never_back();
	return done_testing();
}
