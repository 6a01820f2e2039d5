/* SPDX-License-Identifier: MPL-2.0 */
/* setitimer(2), getitimer(2), alarm(2). */
#include "tap.h"
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t n_alarm, n_virtual, n_prof;

static void on_signal(int sig)
{
	if (sig == SIGALRM)
		n_alarm++;
	if (sig == SIGVTALRM)
		n_virtual++;
	if (sig == SIGPROF)
		n_prof++;
}

static struct itimerval of(long value_us, long interval_us)
{
	return (struct itimerval){ { interval_us / 1000000, interval_us % 1000000 }, { value_us / 1000000, value_us % 1000000 } };
}

static long us(struct timeval tv)
{
	return tv.tv_sec * 1000000 + tv.tv_usec;
}

static long cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static long wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Until SIGALRM has come n times. It is blocked but for the wait itself: none is lost before it, however slow we are. */
static void wait_for_alarms(int n)
{
	sigset_t alarm_set, before;

	sigemptyset(&alarm_set);
	sigaddset(&alarm_set, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarm_set, &before);
	while (n_alarm < n)
		sigsuspend(&before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void real(void)
{
	struct itimerval it = of(30000, 0), old;
	long start = wall_ms();

	is_int(setitimer(ITIMER_REAL, &it, NULL), 0, "ITIMER_REAL once");
	wait_for_alarms(1);
	ok(wall_ms() - start >= 29, "not early");
	getitimer(ITIMER_REAL, &old);
	ok(us(old.it_value) == 0 && us(old.it_interval) == 0, "it is off then");
	n_alarm = 0;
	it = of(10000, 10000);
	start = wall_ms();
	setitimer(ITIMER_REAL, &it, NULL);
	wait_for_alarms(5);
	ok(wall_ms() - start >= 49, "an interval");
	it = of(0, 0);
	is_int(setitimer(ITIMER_REAL, &it, &old), 0, "off");
	ok(us(old.it_interval) == 10000 && us(old.it_value) > 0 && us(old.it_value) <= 10000, "what was left");
	n_alarm = 0;
	usleep(30000);
	is_int(n_alarm, 0, "no more signals");
	it = of(100000000, 5000000);
	setitimer(ITIMER_REAL, &it, NULL);
	getitimer(ITIMER_REAL, &old);
	ok(us(old.it_value) > 99000000 && us(old.it_value) <= 100000000 && us(old.it_interval) == 5000000, "getitimer");
	is_int(alarm(50), 100, "alarm tells what was left of the same timer");
	is_int(alarm(0), 50, "and stops it");
	is_int(alarm(0), 0, "nothing left");
}

static void cpu(void)
{
	struct itimerval it = of(40000, 0), old;
	long start = cpu_ms();

	setitimer(ITIMER_PROF, &it, NULL);
	while (!n_prof && cpu_ms() - start < 2000)
		;
	long ran = cpu_ms() - start;
	ok(n_prof == 1 && ran >= 35 && ran < 1900, "ITIMER_PROF counts CPU time");
	it = of(20000, 20000);
	start = cpu_ms();
	setitimer(ITIMER_VIRTUAL, &it, NULL);
	while (n_virtual < 3 && cpu_ms() - start < 5000)
		for (volatile int i = 0; i < 100000; i++)
			;
	ok(n_virtual >= 3, "ITIMER_VIRTUAL with an interval");
	it = of(0, 0);
	setitimer(ITIMER_VIRTUAL, &it, &old);
	ok(us(old.it_interval) == 20000 && us(old.it_value) > 0, "what was left");
	n_virtual = n_prof = 0;
	it = of(50000, 0);
	setitimer(ITIMER_VIRTUAL, &it, NULL);
	usleep(150000);
	is_int(n_virtual, 0, "it does not run in sleep");
	it = of(0, 0);
	setitimer(ITIMER_VIRTUAL, &it, NULL);
}

static void errors(void)
{
	struct itimerval it = of(0, 0), old;

	is_errno(getitimer((__itimer_which_t)3, &old) == -1, EINVAL, "no such timer");
	is_errno(setitimer((__itimer_which_t)3, &it, NULL) == -1, EINVAL, "no such timer to set");
	it.it_value.tv_usec = 1000000;
	is_errno(setitimer(ITIMER_REAL, &it, NULL) == -1, EINVAL, "a million microseconds");
	it.it_value.tv_usec = -1;
	is_errno(setitimer(ITIMER_REAL, &it, NULL) == -1, EINVAL, "negative microseconds");
	it = of(0, 0);
	it.it_value.tv_sec = -1;
	is_errno(setitimer(ITIMER_REAL, &it, NULL) == -1, EINVAL, "negative seconds");
	it = of(0, 0);
	it.it_interval.tv_usec = 1000000;
	is_errno(setitimer(ITIMER_REAL, &it, NULL) == -1, EINVAL, "a bad interval");
	it = of(0, 0);
	is_errno(syscall(SYS_setitimer, 0, 8, 0) == -1, EFAULT, "a bad new value");
	is_errno(syscall(SYS_setitimer, 0, &it, 8) == -1, EFAULT, "a bad old value");
	is_errno(syscall(SYS_getitimer, 0, 8) == -1, EFAULT, "a bad buffer");
}

static int not_inherited(void)
{
	struct itimerval old;

	getitimer(ITIMER_REAL, &old);
	return us(old.it_value) != 0;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct itimerval it = of(10000000, 0);

	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGVTALRM, &sa, NULL);
	sigaction(SIGPROF, &sa, NULL);
	real();
	cpu();
	errors();
	setitimer(ITIMER_REAL, &it, NULL);
	is_int(in_child(not_inherited), 0, "a child has no timers");
	alarm(0);
	return done_testing();
}
