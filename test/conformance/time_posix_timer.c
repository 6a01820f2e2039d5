/* SPDX-License-Identifier: MPL-2.0 */
/* POSIX timers: timer_create(2), timer_settime(2), timer_gettime(2), timer_getoverrun(2), timer_delete(2), /proc/PID/timers. */
#include "tap.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

struct event {		/* as the kernel has it */
	union sigval value;
	int signo, notify, tid;
	int pad[11];
};

static int create(clockid_t clock, const void *event, int *id)
{
	return (int)syscall(SYS_timer_create, clock, event, id);
}

static int settime(int id, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	return (int)syscall(SYS_timer_settime, id, flags, new, old);
}

static int gettime(int id, struct itimerspec *it)
{
	return (int)syscall(SYS_timer_gettime, id, it);
}

static int getoverrun(int id)
{
	return (int)syscall(SYS_timer_getoverrun, id);
}

static int delete(int id)
{
	return (int)syscall(SYS_timer_delete, id);
}

static struct timespec ts_of(long ns)
{
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

static struct itimerspec of(long value, long interval)
{
	return (struct itimerspec){ .it_value = ts_of(value), .it_interval = ts_of(interval) };
}

static long ns_of(struct timespec ts)
{
	return ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static long now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ns_of(ts);
}

#define MS 1000000L

static sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

/* The next `sig`, which is blocked; waits up to ten seconds, or not at all. */
static int take(int sig, siginfo_t *si, bool waits)
{
	sigset_t set = set_of(sig);
	struct timespec ts = { waits ? 10 : 0, 0 };
	int r;

	do {
		r = sigtimedwait(&set, si, &ts);
	} while (r < 0 && errno == EINTR);
	return r;
}

static void block(int sig)
{
	sigset_t set = set_of(sig);

	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* --- the clocks */

static void once(clockid_t clock, const char *name)
{
	struct event e = { .value.sival_ptr = (void *)0x123456789abcl, .signo = SIGRTMIN, .notify = SIGEV_SIGNAL };
	struct itimerspec it = of(20 * MS, 0);
	int id = -1;
	siginfo_t si;
	long start;

	is_int(create(clock, &e, &id), 0, "%s: create", name);
	start = now(clock);
	is_int(settime(id, 0, &it, NULL), 0, "%s: relative", name);
	is_int(take(SIGRTMIN, &si, true), SIGRTMIN, "%s: its signal", name);
	ok(now(clock) - start >= 20 * MS, "%s: not early", name);
	ok(si.si_code == SI_TIMER && si.si_timerid == id && si.si_overrun == 0 && si.si_value.sival_ptr == e.value.sival_ptr, "%s: siginfo", name);
	gettime(id, &it);
	ok(ns_of(it.it_value) == 0 && ns_of(it.it_interval) == 0, "%s: it is off then", name);
	start = now(clock) + 20 * MS;
	it = of(start, 0);
	is_int(settime(id, TIMER_ABSTIME, &it, NULL), 0, "%s: absolute", name);
	is_int(take(SIGRTMIN, &si, true), SIGRTMIN, "%s: its signal", name);
	ok(now(clock) >= start, "%s: not early", name);
	it = of(1, 0);
	settime(id, TIMER_ABSTIME, &it, NULL);
	is_int(take(SIGRTMIN, &si, true), SIGRTMIN, "%s: a time in the past", name);
	is_int(delete(id), 0, "%s: delete", name);
}

static void clocks(void)
{
	int id;

	block(SIGRTMIN);
	once(CLOCK_REALTIME, "CLOCK_REALTIME");
	once(CLOCK_MONOTONIC, "CLOCK_MONOTONIC");
	once(CLOCK_BOOTTIME, "CLOCK_BOOTTIME");
	once(CLOCK_TAI, "CLOCK_TAI");
	is_errno(create(CLOCK_MONOTONIC_RAW, NULL, &id) == -1, EOPNOTSUPP, "CLOCK_MONOTONIC_RAW: EOPNOTSUPP");
	is_errno(create(CLOCK_REALTIME_COARSE, NULL, &id) == -1, EOPNOTSUPP, "CLOCK_REALTIME_COARSE: EOPNOTSUPP");
	is_errno(create(CLOCK_MONOTONIC_COARSE, NULL, &id) == -1, EOPNOTSUPP, "CLOCK_MONOTONIC_COARSE: EOPNOTSUPP");
	is_errno(create(99, NULL, &id) == -1, EINVAL, "no such clock");
}

static void alarm_clocks(void)
{
	struct timespec ts;
	int id;

	if (clock_gettime(CLOCK_REALTIME_ALARM, &ts)) {
		skip("no battery-backed clock");
		return;
	}
	once(CLOCK_REALTIME_ALARM, "CLOCK_REALTIME_ALARM");
	once(CLOCK_BOOTTIME_ALARM, "CLOCK_BOOTTIME_ALARM");
	(void)id;
}

static int unprivileged_alarm(void)
{
	int id;

	if (setresuid(12345, 12345, 12345))
		return 2;
	if (create(CLOCK_REALTIME_ALARM, NULL, &id) != -1 || (errno != EPERM && errno != EOPNOTSUPP))
		return 3;
	return create(CLOCK_BOOTTIME_ALARM, NULL, &id) == -1 && (errno == EPERM || errno == EOPNOTSUPP) ? 0 : 1;
}

/* --- errors */

static void errors(void)
{
	struct event e = { .signo = SIGRTMIN, .notify = SIGEV_SIGNAL };
	struct itimerspec it = of(0, 0);
	int id = -1;

	is_errno(create(CLOCK_MONOTONIC, (void *)8, &id) == -1, EFAULT, "a bad event");
	is_errno(create(CLOCK_MONOTONIC, &e, (int *)8) == -1, EFAULT, "a bad place for the id");
	e.signo = 0;
	is_errno(create(CLOCK_MONOTONIC, &e, &id) == -1, EINVAL, "signal 0");
	e.signo = 65;
	is_errno(create(CLOCK_MONOTONIC, &e, &id) == -1, EINVAL, "signal 65");
	e.signo = SIGRTMIN;
	e.notify = 3;
	is_errno(create(CLOCK_MONOTONIC, &e, &id) == -1, EINVAL, "notification 3");
	e.notify = SIGEV_THREAD_ID;
	e.tid = 1;
	is_errno(create(CLOCK_MONOTONIC, &e, &id) == -1, EINVAL, "a thread of another process");
	e.tid = 0;
	is_errno(create(CLOCK_MONOTONIC, &e, &id) == -1, EINVAL, "thread 0");
	e.notify = SIGEV_NONE;
	e.signo = 99;
	is_int(create(CLOCK_MONOTONIC, &e, &id), 0, "SIGEV_NONE: the signal is not looked at");
	it.it_value.tv_nsec = 1000000000;
	is_errno(settime(id, 0, &it, NULL) == -1, EINVAL, "a thousand million nanoseconds");
	it = of(0, 0);
	it.it_interval.tv_nsec = -1;
	is_errno(settime(id, 0, &it, NULL) == -1, EINVAL, "a bad interval");
	it = of(0, 0);
	it.it_value.tv_sec = -1;
	is_errno(settime(id, 0, &it, NULL) == -1, EINVAL, "negative seconds");
	it = of(50 * MS, 0);
	is_errno(settime(id, 0, NULL, NULL) == -1, EINVAL, "no new value");
	is_errno(settime(id, 0, (void *)8, NULL) == -1, EFAULT, "a bad new value");
	is_errno(settime(id, 0, &it, (void *)8) == -1, EFAULT, "a bad old value");
	is_errno(gettime(id, (void *)8) == -1, EFAULT, "a bad buffer");
	is_int(settime(id, 0x7ffffffe, &it, NULL), 0, "unknown flags are ignored");
	is_int(delete(id), 0, "delete");
	is_errno(delete(id) == -1, EINVAL, "delete again");
	is_errno(settime(id, 0, &it, NULL) == -1, EINVAL, "set one that is not there");
	is_errno(gettime(id, &it) == -1, EINVAL, "get one that is not there");
	is_errno(getoverrun(id) == -1, EINVAL, "overruns of one that is not there");
	is_errno(gettime(-1, &it) == -1, EINVAL, "-1");
	is_errno(gettime(INT_MAX, &it) == -1, EINVAL, "INT_MAX");
}

/* --- values */

static void none(void)
{
	struct event e = { .notify = SIGEV_NONE };
	struct itimerspec it = of(20 * MS, 0), old;
	int id;

	create(CLOCK_MONOTONIC, &e, &id);
	gettime(id, &old);
	ok(ns_of(old.it_value) == 0 && ns_of(old.it_interval) == 0, "a new one is off");
	settime(id, 0, &it, NULL);
	usleep(30000);
	gettime(id, &old);
	is_int(ns_of(old.it_value), 0, "SIGEV_NONE: over");
	it = of(20 * MS, 30000 * MS);
	settime(id, 0, &it, NULL);
	usleep(40000);
	gettime(id, &old);
	ok(ns_of(old.it_value) > 0 && ns_of(old.it_value) <= 30000 * MS && ns_of(old.it_interval) == 30000 * MS, "SIGEV_NONE: an interval goes on");
	it = of(100000 * MS, 7);
	settime(id, 0, &it, &old);
	ok(ns_of(old.it_value) > 20000 * MS && ns_of(old.it_interval) == 30000 * MS, "what it was");
	gettime(id, &old);
	ok(ns_of(old.it_value) > 90000 * MS && ns_of(old.it_value) <= 100000 * MS && ns_of(old.it_interval) == 7, "what it is");
	it = (struct itimerspec){ .it_value = { LONG_MAX, 999999999 }, .it_interval = { LONG_MAX, 999999999 } };
	is_int(settime(id, 0, &it, NULL), 0, "the longest time");
	gettime(id, &old);
	ok(old.it_value.tv_sec > 9000000000L, "is long");
	it = of(now(CLOCK_MONOTONIC) + 50000 * MS, 0);
	settime(id, TIMER_ABSTIME, &it, NULL);
	gettime(id, &old);
	ok(ns_of(old.it_value) > 0 && ns_of(old.it_value) <= 50000 * MS, "an absolute time is shown as what is left");
	is_int(getoverrun(id), 0, "no overruns");
	delete(id);
}

/* One with a signal: Linux 6.1 shows the former time of a SIGEV_NONE timer that was switched off. */
static void off(void)
{
	struct itimerspec it = of(100000 * MS, 0), old;
	int id;

	create(CLOCK_MONOTONIC, NULL, &id);
	settime(id, 0, &it, NULL);
	it = of(0, 5 * MS);
	settime(id, 0, &it, &old);
	ok(ns_of(old.it_value) > 90000 * MS, "switched off");
	gettime(id, &old);
	is_int(ns_of(old.it_value), 0, "nothing is left");
	is_int(ns_of(old.it_interval), 0, "no interval either");
	delete(id);
}

static void standard_event(void)
{
	struct itimerspec it = of(MS, 0);
	siginfo_t si;
	int id = -1;

	block(SIGALRM);
	is_int(create(CLOCK_MONOTONIC, NULL, &id), 0, "no event");
	settime(id, 0, &it, NULL);
	is_int(take(SIGALRM, &si, true), SIGALRM, "means SIGALRM");
	is_int(si.si_value.sival_int, id, "with the timer's id");
	delete(id);
}

/* --- intervals and overruns */

/* What the C library asks for when a program wants a thread: the kernel sends the signal to the process. */
static void for_a_thread(void)
{
	struct event e = { .value.sival_int = 777, .signo = SIGRTMIN + 1, .notify = SIGEV_THREAD };
	struct itimerspec it = of(MS, 0);
	siginfo_t si;
	int id;

	block(SIGRTMIN + 1);
	is_int(create(CLOCK_MONOTONIC, &e, &id), 0, "SIGEV_THREAD");
	is_int(settime(id, 0, &it, NULL), 0, "set");
	is_int(take(SIGRTMIN + 1, &si, true), SIGRTMIN + 1, "comes as a signal");
	ok(si.si_code == SI_TIMER && si.si_value.sival_int == 777 && si.si_overrun == 0, "with the timer's value");
	delete(id);
	e.signo = 0;
	is_errno(create(CLOCK_MONOTONIC, &e, &id) == -1, EINVAL, "no signal");
	e.signo = 65;
	is_errno(create(CLOCK_MONOTONIC, &e, &id) == -1, EINVAL, "signal 65");
}

static void intervals(void)
{
	struct event e = { .signo = SIGRTMIN, .notify = SIGEV_SIGNAL };
	struct itimerspec it = of(5 * MS, 5 * MS), old;
	long start = now(CLOCK_MONOTONIC), periods = 0;
	int id, bad = 0;
	siginfo_t si;

	create(CLOCK_MONOTONIC, &e, &id);
	settime(id, 0, &it, NULL);
	for (int i = 0; i < 10; i++) {
		bad += take(SIGRTMIN, &si, true) != SIGRTMIN || si.si_overrun < 0 || getoverrun(id) != si.si_overrun;
		periods += 1 + si.si_overrun;
	}
	is_int(bad, 0, "ten signals");
	ok(now(CLOCK_MONOTONIC) - start >= periods * 5 * MS, "signals and overruns are no more than periods");
	usleep(60000);
	gettime(id, &old);
	ok(ns_of(old.it_value) > 0 && ns_of(old.it_value) <= 5 * MS, "while its signal is pending the time goes round");
	is_int(take(SIGRTMIN, &si, true), SIGRTMIN, "one signal for many periods");
	ok(si.si_overrun >= 9, "and the rest are overruns");
	is_int(getoverrun(id), si.si_overrun, "timer_getoverrun tells them, too");
	it = of(0, 0);
	settime(id, 0, &it, NULL);
	is_int(getoverrun(id), 0, "setting forgets them");
	while (take(SIGRTMIN, &si, false) > 0)
		;
	it = of(1, 1);
	settime(id, 0, &it, NULL);
	usleep(20000);
	take(SIGRTMIN, &si, true);
	ok(si.si_overrun > 1000000, "a period of a nanosecond");
	it = of(0, 0);
	settime(id, 0, &it, NULL);
	while (take(SIGRTMIN, &si, false) > 0)
		;
	it = of(1, 1);		/* absolute, long ago */
	settime(id, TIMER_ABSTIME, &it, NULL);
	take(SIGRTMIN, &si, true);
	is_int(delete(id), 0, "delete while it runs");
	while (take(SIGRTMIN, &si, false) > 0)
		;
	e.signo = SIGUSR1;
	block(SIGUSR1);
	create(CLOCK_REALTIME, &e, &id);
	settime(id, TIMER_ABSTIME, &it, NULL);
	is_int(take(SIGUSR1, &si, true), SIGUSR1, "since 1970, every nanosecond");
	is_int(si.si_overrun, INT_MAX, "DELAYTIMER_MAX overruns");
	is_int(getoverrun(id), INT_MAX, "timer_getoverrun says so");
	delete(id);
	while (take(SIGUSR1, &si, false) > 0)
		;
}

/* Two timers with one standard signal: each has its own instance. */
static void two(void)
{
	struct event e = { .signo = SIGUSR1, .notify = SIGEV_SIGNAL };
	struct itimerspec it = of(1, 0);
	int id[2], sum = 0, n = 0;
	siginfo_t si;

	for (int i = 0; i < 2; i++) {
		e.value.sival_int = 1 << i;
		create(CLOCK_MONOTONIC, &e, &id[i]);
		settime(id[i], 0, &it, NULL);
	}
	usleep(20000);
	while (take(SIGUSR1, &si, false) > 0) {
		n++;
		sum += si.si_value.sival_int;
	}
	ok(n == 2 && sum == 3, "two timers, one signal: both come");
	usleep(1000);
	settime(id[0], 0, &it, NULL);
	usleep(20000);
	delete(id[0]);
	is_int(take(SIGUSR1, &si, false), SIGUSR1, "a pending signal outlives its timer");
	settime(id[1], 0, &it, NULL);
	usleep(20000);
	settime(id[1], 0, &it, NULL);
	usleep(20000);
	take(SIGUSR1, &si, false);
	is_int(take(SIGUSR1, &si, false), -1, "expired twice while pending: one signal");
	delete(id[1]);
}

/* Ignored, then wanted again: the timer has gone on. */
static void ignored(void)
{
	struct event e = { .signo = SIGUSR2, .notify = SIGEV_SIGNAL };
	struct itimerspec it = of(2 * MS, 2 * MS), old;
	siginfo_t si;
	int id;

	signal(SIGUSR2, SIG_IGN);
	create(CLOCK_MONOTONIC, &e, &id);
	settime(id, 0, &it, NULL);
	usleep(20000);
	gettime(id, &old);
	ok(ns_of(old.it_interval) == 2 * MS, "an ignored signal leaves the timer on");
	signal(SIGUSR2, SIG_DFL);
	block(SIGUSR2);
	is_int(take(SIGUSR2, &si, true), SIGUSR2, "no longer ignored, it comes");
	delete(id);
	while (take(SIGUSR2, &si, false) > 0)
		;
}

/* --- SIGEV_THREAD_ID */

static int thread_tid, thread_got, thread_ready;

static void *thread_waits(void *arg)
{
	siginfo_t si;

	(void)arg;
	__atomic_store_n(&thread_tid, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	thread_got = take(SIGRTMIN + 1, &si, true) == SIGRTMIN + 1 && si.si_code == SI_TIMER;
	while (!__atomic_load_n(&thread_ready, __ATOMIC_SEQ_CST))
		usleep(1000);
	return NULL;
}

static void thread_id(void)
{
	struct event e = { .signo = SIGRTMIN + 1, .notify = SIGEV_THREAD_ID };
	struct itimerspec it = of(2 * MS, 0);
	sigset_t pending;
	pthread_t t;
	int id;

	block(SIGRTMIN + 1);
	pthread_create(&t, NULL, thread_waits, NULL);
	while (!__atomic_load_n(&thread_tid, __ATOMIC_SEQ_CST))
		sched_yield();
	e.tid = thread_tid;
	is_int(create(CLOCK_MONOTONIC, &e, &id), 0, "SIGEV_THREAD_ID");
	settime(id, 0, &it, NULL);
	usleep(20000);
	settime(id, 0, &it, NULL);	/* pends for that thread */
	usleep(20000);
	sigpending(&pending);
	is_int(sigismember(&pending, SIGRTMIN + 1), 0, "its signal is not for others");
	__atomic_store_n(&thread_ready, 1, __ATOMIC_SEQ_CST);
	pthread_join(t, NULL);
	is_int(thread_got, 1, "but for that thread");
	it = of(MS, MS);
	is_int(settime(id, 0, &it, NULL), 0, "the thread has gone: the timer may be set");
	usleep(10000);
	is_int(gettime(id, &it), 0, "and read");
	is_int(delete(id), 0, "and deleted");
}

/* --- CPU clocks */

static void burn(clockid_t clock, long ns)
{
	long until = now(clock) + ns;

	while (now(clock) < until)
		;
}

static void cpu(clockid_t clock, const char *name)
{
	struct event e = { .signo = SIGRTMIN + 2, .notify = SIGEV_SIGNAL };
	struct itimerspec it = of(30 * MS, 0), old;
	long start = now(clock);
	siginfo_t si;
	int id = -1, n = 0;

	block(SIGRTMIN + 2);
	is_int(create(clock, &e, &id), 0, "%s: create", name);
	settime(id, 0, &it, NULL);
	gettime(id, &old);
	ok(ns_of(old.it_value) > 0 && ns_of(old.it_value) <= 30 * MS, "%s: what is left", name);
	while (take(SIGRTMIN + 2, &si, false) < 0 && now(clock) - start < 20000 * MS)
		;
	ok(now(clock) - start >= 30 * MS && now(clock) - start < 20000 * MS, "%s: expires by CPU time", name);
	ok(si.si_code == SI_TIMER && si.si_timerid == id, "%s: siginfo", name);
	it = of(10 * MS, 10 * MS);
	settime(id, 0, &it, NULL);
	for (start = now(clock); n < 4 && now(clock) - start < 20000 * MS;)
		if (take(SIGRTMIN + 2, &si, false) > 0)
			n += 1 + si.si_overrun;
	ok(n >= 4 && now(clock) - start >= 30 * MS, "%s: an interval", name);
	it = of(now(clock) + 20 * MS, 0);
	settime(id, TIMER_ABSTIME, &it, NULL);
	while (take(SIGRTMIN + 2, &si, false) > 0)
		;
	burn(clock, 100 * MS);
	is_int(take(SIGRTMIN + 2, &si, true), SIGRTMIN + 2, "%s: an absolute time", name);
	is_int(delete(id), 0, "%s: delete", name);
}

static void other_cpu(void)
{
	struct event e = { .signo = SIGRTMIN + 2, .notify = SIGEV_SIGNAL };
	struct itimerspec it = of(20 * MS, 0);
	clockid_t clock;
	siginfo_t si;
	pid_t pid;
	int id;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		for (;;)
			;
	clock_getcpuclockid(pid, &clock);
	is_int(create(clock, &e, &id), 0, "another process's CPU clock");
	settime(id, 0, &it, NULL);
	is_int(take(SIGRTMIN + 2, &si, true), SIGRTMIN + 2, "expires with it");
	it = of(1000 * 1000 * MS, 0);
	settime(id, 0, &it, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	is_errno(settime(id, 0, &it, NULL) == -1, ESRCH, "when it has gone it is not set any more: ESRCH");
	is_int(delete(id), 0, "but deleted");
	is_errno(create(clock, &e, &id) == -1, EINVAL, "nor created");
	is_errno(create(((~1) << 3) | 4 | 2, &e, &id) == -1, EINVAL, "another process's thread's clock");
}

/* --- the wall clock is set */

static void wall_set(void)
{
	struct event e = { .signo = SIGRTMIN, .notify = SIGEV_SIGNAL };
	long wall = now(CLOCK_REALTIME), mono = now(CLOCK_MONOTONIC);
	struct timespec ts = ts_of(wall + 3600l * 1000000000);
	struct itimerspec absolute = of(wall + 3000l * 1000000000, 0), relative = of(3000l * 1000000000, 0), it;
	int abs_id, rel_id;
	siginfo_t si;

	create(CLOCK_REALTIME, &e, &abs_id);
	create(CLOCK_REALTIME, &e, &rel_id);
	settime(abs_id, TIMER_ABSTIME, &absolute, NULL);
	settime(rel_id, 0, &relative, NULL);
	is_int(clock_settime(CLOCK_REALTIME, &ts), 0, "the clock is set an hour ahead");
	is_int(take(SIGRTMIN, &si, true), SIGRTMIN, "a signal");
	is_int(si.si_timerid, abs_id, "of the absolute timer");
	is_int(take(SIGRTMIN, &si, false), -1, "not of the relative one");
	gettime(rel_id, &it);
	ok(ns_of(it.it_value) > 2000l * 1000000000, "which goes on");
	absolute = of(now(CLOCK_REALTIME) + 30000 * MS, 0);
	settime(abs_id, TIMER_ABSTIME, &absolute, NULL);
	ts = ts_of(wall + (now(CLOCK_MONOTONIC) - mono));
	clock_settime(CLOCK_REALTIME, &ts);
	gettime(abs_id, &it);
	ok(ns_of(it.it_value) > 3000l * 1000000000, "set back, it has longer to go");
	delete(abs_id);
	delete(rel_id);
}

/* --- processes */

static int child_has_none(void)
{
	struct itimerspec it;
	int id = -1;

	if (gettime(0, &it) != -1 || errno != EINVAL)
		return 1;
	if (create(CLOCK_MONOTONIC, NULL, &id) || id != 0)
		return 2;
	return 0;
}

static int limited(void)
{
	struct rlimit lim = { 3, 3 };
	struct itimerspec it = of(1, 0);
	int id[4], n = 0;

	if (setresuid(12346, 12346, 12346) || setrlimit(RLIMIT_SIGPENDING, &lim))
		return 2;
	while (n < 4 && create(CLOCK_MONOTONIC, NULL, &id[n]) == 0)
		n++;
	if (n != 3 || errno != EAGAIN)
		return 3;
	block(SIGALRM);
	settime(id[0], 0, &it, NULL);
	usleep(10000);
	delete(id[1]);
	if (create(CLOCK_MONOTONIC, NULL, &id[1]))
		return 4;
	return create(CLOCK_MONOTONIC, NULL, &id[3]) == -1 && errno == EAGAIN ? 0 : 1;
}

static int execs(void)
{
	struct itimerspec it = of(MS, MS);
	int id;

	block(SIGALRM);
	create(CLOCK_MONOTONIC, NULL, &id);
	settime(id, 0, &it, NULL);
	usleep(10000);
	execl("/proc/self/exe", "time_posix_timer", "execed", NULL);
	return 2;
}

static int execed(void)
{
	struct itimerspec it;
	sigset_t pending;

	if (gettime(0, &it) != -1 || errno != EINVAL)
		return 1;
	sigpending(&pending);
	return sigismember(&pending, SIGALRM) ? 3 : 0;
}

static void proc_file(void)
{
	struct event e = { .value.sival_ptr = (void *)0x1234, .signo = 40, .notify = SIGEV_SIGNAL };
	char text[1024], want[256];
	int ids[3], fd, n;

	create(CLOCK_REALTIME, &e, &ids[0]);
	e.notify = SIGEV_THREAD_ID;
	e.tid = (int)syscall(SYS_gettid);
	create(CLOCK_MONOTONIC, &e, &ids[1]);
	e.notify = SIGEV_NONE;
	create(CLOCK_BOOTTIME, &e, &ids[2]);
	fd = open("/proc/self/timers", O_RDONLY);
	n = (int)read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n < 0 ? 0 : n] = 0;
	snprintf(want, sizeof(want), "ID: %d\nsignal: 40/0000000000001234\nnotify: signal/pid.%d\nClockID: 0\n", ids[0], getpid());
	ok(strstr(text, want) != NULL, "/proc/self/timers: SIGEV_SIGNAL");
	snprintf(want, sizeof(want), "ID: %d\nsignal: 40/0000000000001234\nnotify: signal/tid.%d\nClockID: 1\n", ids[1], getpid());
	ok(strstr(text, want) != NULL, "/proc/self/timers: SIGEV_THREAD_ID");
	snprintf(want, sizeof(want), "ID: %d\nsignal: 40/0000000000001234\nnotify: none/pid.%d\nClockID: 7\n", ids[2], getpid());
	ok(strstr(text, want) != NULL, "/proc/self/timers: SIGEV_NONE");
	for (int i = 0; i < 3; i++)
		delete(ids[i]);
}

/* --- many, and threads that set, delete and wait at the same time */

static void many(void)
{
	struct event e = { .signo = SIGRTMIN + 3, .notify = SIGEV_SIGNAL };
	struct itimerspec it = of(MS, 0);
	int ids[1000], n = 0, bad = 0;
	siginfo_t si;

	block(SIGRTMIN + 3);
	for (int i = 0; i < 1000; i++) {
		bad += create(CLOCK_MONOTONIC, &e, &ids[i]) != 0;
		bad += settime(ids[i], 0, &it, NULL) != 0;
	}
	while (n < 1000 && take(SIGRTMIN + 3, &si, true) > 0)
		n++;
	is_int(n, 1000, "a thousand timers");
	for (int i = 0; i < 1000; i++)
		bad += delete(ids[i]) != 0;
	is_int(bad, 0, "without an error");
}

static volatile int racing_id;

static void *racer(void *arg)
{
	struct itimerspec it = of(10000, 10000);
	siginfo_t si;

	(void)arg;
	for (int i = 0; i < 3000; i++) {
		settime(racing_id, 0, &it, NULL);
		getoverrun(racing_id);
		take(SIGRTMIN + 4, &si, false);
		if (i % 16 == 0)
			delete(racing_id);
	}
	return NULL;
}

static void races(void)
{
	struct event e = { .signo = SIGRTMIN + 4, .notify = SIGEV_SIGNAL };
	pthread_t t[3];
	siginfo_t si;
	int id = -1;

	block(SIGRTMIN + 4);
	create(CLOCK_MONOTONIC, &e, &id);
	racing_id = id;
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, racer, NULL);
	for (int i = 0; i < 2000; i++) {
		if (create(i & 1 ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &e, &id) == 0) {
			int old = racing_id;

			racing_id = id;
			delete(old);
		}
	}
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	delete(racing_id);
	while (take(SIGRTMIN + 4, &si, false) > 0)
		;
	usleep(5000);
	is_int(take(SIGRTMIN + 4, &si, false), -1, "all deleted under each other's hands: silence");
}

int main(int argc, char **argv)
{
	clockid_t self;

	if (argc > 1 && strcmp(argv[1], "execed") == 0)
		return execed();
	is_int(in_child(child_has_none), 0, "ids start at 0 in each process");
	clocks();
	alarm_clocks();
	is_int(in_child(unprivileged_alarm), 0, "alarm clocks need CAP_WAKE_ALARM");
	errors();
	none();
	off();
	standard_event();
	for_a_thread();
	intervals();
	two();
	ignored();
	thread_id();
	cpu(CLOCK_PROCESS_CPUTIME_ID, "CLOCK_PROCESS_CPUTIME_ID");
	cpu(CLOCK_THREAD_CPUTIME_ID, "CLOCK_THREAD_CPUTIME_ID");
	clock_getcpuclockid(getpid(), &self);
	cpu(self, "clock_getcpuclockid");
	other_cpu();
	wall_set();
	is_int(in_child(child_has_none), 0, "not inherited over fork");
	is_int(in_child(limited), 0, "RLIMIT_SIGPENDING: EAGAIN");
	is_int(in_child(execs), 0, "gone after exec, with its pending signal");
	proc_file();
	many();
	races();
	return done_testing();
}
