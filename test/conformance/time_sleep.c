/* SPDX-License-Identifier: MPL-2.0 */
/* nanosleep and clock_nanosleep: how long, until when, interrupted, stopped and continued, refused. */
#include "tap.h"
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define BAD ((void *)8)
#define NSEC 1000000000LL
#define MSEC 1000000LL

static long nsleep(const void *req, void *rem)
{
	return syscall(SYS_nanosleep, req, rem);
}

static long csleep(int id, int flags, const void *req, void *rem)
{
	return syscall(SYS_clock_nanosleep, id, flags, req, rem);
}

static long long now(int id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

static struct timespec to_ts(long long ns)
{
	return (struct timespec){ ns / NSEC, ns % NSEC };
}

static volatile sig_atomic_t n_signals;

static void on_signal(int sig)
{
	(void)sig;
	n_signals++;
}

static void catch(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

static void alarm_in(long long ns)
{
	struct itimerval it = { .it_value = { ns / NSEC, ns % NSEC / 1000 } };

	n_signals = 0;
	setitimer(ITIMER_REAL, &it, NULL);
}

static void lengths(void)
{
	static const long long ns[] = { 0, 1, 1000, MSEC, 30 * MSEC };

	for (unsigned i = 0; i < 5; i++) {
		struct timespec ts = to_ts(ns[i]), rem = { 5, 5 };
		long long start = now(CLOCK_MONOTONIC), took;

		is_int(nsleep(&ts, &rem), 0, "nanosleep for %lld ns", ns[i]);
		took = now(CLOCK_MONOTONIC) - start;
		ok(took >= ns[i], "not shorter");
		ok(took < ns[i] + 2 * NSEC, "nor much longer");
		ok(rem.tv_sec == 5 && rem.tv_nsec == 5, "nothing is stored");
		start = now(CLOCK_MONOTONIC);
		is_int(csleep(CLOCK_REALTIME, 0, &ts, NULL), 0, "clock_nanosleep for as long");
		ok(now(CLOCK_MONOTONIC) - start >= ns[i], "not shorter");
	}
}

static void errors(void)
{
	struct timespec ok_ts = { 0, 1 };
	static const struct timespec bad[] = { { 0, -1 }, { 0, NSEC }, { -1, 0 }, { 0, LONG_MAX }, { LONG_MIN, 0 } };
	static const int readable_only[] = { CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_THREAD_CPUTIME_ID };

	for (unsigned i = 0; i < 5; i++) {
		is_errno(nsleep(&bad[i], NULL) == -1, EINVAL, "nanosleep refuses time %u", i);
		is_errno(csleep(CLOCK_MONOTONIC, 0, &bad[i], NULL) == -1, EINVAL, "so does clock_nanosleep");
		is_errno(csleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &bad[i], NULL) == -1, EINVAL, "also if absolute");
	}
	is_errno(nsleep(BAD, NULL) == -1, EFAULT, "nanosleep from a bad address");
	is_errno(nsleep(NULL, NULL) == -1, EFAULT, "nanosleep(NULL)");
	is_int(nsleep(&ok_ts, BAD), 0, "a bad address for what remains does not matter when nothing does");
	is_errno(csleep(CLOCK_MONOTONIC, 0, BAD, NULL) == -1, EFAULT, "clock_nanosleep from a bad address");
	is_errno(csleep(10, 0, &ok_ts, NULL) == -1, EINVAL, "a clock that does not exist");
	is_errno(csleep(10, 0, BAD, NULL) == -1, EINVAL, "looked at before the time");
	for (unsigned i = 0; i < 4; i++)
		is_errno(csleep(readable_only[i], 0, &ok_ts, NULL) == -1, EOPNOTSUPP, "clock %d is for reading only", readable_only[i]);
	is_errno(csleep((~0 << 3) | 6, 0, &ok_ts, NULL) == -1, EINVAL, "the own thread's CPU clock");
	is_int(csleep(CLOCK_BOOTTIME, 0, &ok_ts, NULL), 0, "CLOCK_BOOTTIME can be slept on");
	is_int(csleep(CLOCK_TAI, 0, &ok_ts, NULL), 0, "CLOCK_TAI can be slept on");
	is_int(csleep(CLOCK_MONOTONIC, 2, &ok_ts, NULL), 0, "unknown flags are ignored");
}

static void absolute(void)
{
	static const int ids[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI };

	for (unsigned i = 0; i < 4; i++) {
		struct timespec ts = to_ts(now(ids[i]) + 20 * MSEC);

		is_int(csleep(ids[i], TIMER_ABSTIME, &ts, BAD), 0, "until a time of clock %d", ids[i]);
		ok(now(ids[i]) >= ts.tv_sec * NSEC + ts.tv_nsec, "it is that late");
		is_int(csleep(ids[i], TIMER_ABSTIME, &ts, NULL), 0, "a time that is past");
		is_int(csleep(ids[i], TIMER_ABSTIME, &(struct timespec){ 0, 0 }, NULL), 0, "the beginning of time");
	}
}

static void interrupted(void)
{
	struct timespec ts = { 30, 0 }, rem = { 0, 0 };
	long long start;

	catch(SIGALRM, 0);
	start = now(CLOCK_MONOTONIC);
	alarm_in(30 * MSEC);
	is_errno(nsleep(&ts, &rem) == -1, EINTR, "a signal with a handler ends nanosleep");
	is_int(n_signals, 1, "the handler has run");
	ok(rem.tv_sec >= 25 && rem.tv_sec <= 29 && rem.tv_nsec >= 0 && rem.tv_nsec < NSEC, "what remains is stored");
	ok(now(CLOCK_MONOTONIC) - start + rem.tv_sec * NSEC + rem.tv_nsec >= 30 * NSEC, "and together it is what was asked for");
	alarm_in(10 * MSEC);
	is_errno(nsleep(&ts, NULL) == -1, EINTR, "without a place for it");
	alarm_in(10 * MSEC);
	is_errno(nsleep(&ts, BAD) == -1, EFAULT, "with a bad place for it");
	ts = (struct timespec){ 30, 0 };
	alarm_in(10 * MSEC);
	is_errno(nsleep(&ts, &ts) == -1, EINTR, "the same variable for both");
	ok(ts.tv_sec < 30, "has what remains");

	catch(SIGALRM, SA_RESTART);
	ts = (struct timespec){ 30, 0 };
	alarm_in(10 * MSEC);
	is_errno(nsleep(&ts, &rem) == -1, EINTR, "SA_RESTART does not restart nanosleep");
	ts = to_ts(now(CLOCK_MONOTONIC) + 30 * NSEC);
	rem = (struct timespec){ 7, 7 };
	alarm_in(10 * MSEC);
	is_errno(csleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, &rem) == -1, EINTR, "nor clock_nanosleep until a time");
	ok(rem.tv_sec == 7 && rem.tv_nsec == 7, "which stores nothing");
	rem = (struct timespec){ 0, 0 };
	ts = (struct timespec){ 30, 0 };
	alarm_in(10 * MSEC);
	is_errno(csleep(CLOCK_REALTIME, 0, &ts, &rem) == -1, EINTR, "nor clock_nanosleep for a time");
	ok(rem.tv_sec >= 25 && rem.tv_sec < 30, "which stores what remains");
}

static void ignored(void)
{
	struct timespec ts = { 0, 60 * MSEC };
	long long start = now(CLOCK_MONOTONIC);

	signal(SIGALRM, SIG_IGN);
	alarm_in(10 * MSEC);
	is_int(nsleep(&ts, NULL), 0, "an ignored signal does not end it");
	ok(now(CLOCK_MONOTONIC) - start >= 60 * MSEC, "nor shorten it");
}

/* What becomes of a sleep of 150 ms whose process is stopped and continued meanwhile. */
static int sleeper(int id, int flags)
{
	long long start = now(CLOCK_MONOTONIC), took;
	struct timespec ts = flags ? to_ts(now(id) + 150 * MSEC) : to_ts(150 * MSEC);

	if (csleep(id, flags, &ts, NULL))
		return errno;
	took = now(CLOCK_MONOTONIC) - start;
	return took >= 150 * MSEC && took < 5 * NSEC ? 0 : 200;
}

static void stopped(int id, int flags, const char *what)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(sleeper(id, flags));
	usleep(40000);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	ok(WIFSTOPPED(status), "%s: stopped", what);
	usleep(20000);
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	is_int(status, 0, "%s: sleeps on for what is left", what);
}

static void clock_set_meanwhile(void)
{
	struct timespec ts, t;
	long long start;
	int status;
	pid_t pid;

	if (getenv("NO_SETTIME")) {
		skip("the clock is not to be set here");
		return;
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	start = now(CLOCK_MONOTONIC);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		usleep(50000);
		t = (struct timespec){ ts.tv_sec + 3600, ts.tv_nsec };
		_exit(clock_settime(CLOCK_REALTIME, &t) != 0);
	}
	t = (struct timespec){ ts.tv_sec + 3000, 0 };
	is_int(csleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL), 0, "setting the clock ahead ends a sleep until a time");
	waitpid(pid, &status, 0);
	is_int(status, 0, "the clock was set");
	ok(now(CLOCK_MONOTONIC) - start < 60 * NSEC, "soon");
	start = now(CLOCK_MONOTONIC) - start;
	t = to_ts(ts.tv_sec * NSEC + ts.tv_nsec + start);
	clock_settime(CLOCK_REALTIME, &t);
}

static void long_ones(void)
{
	struct timespec ts = { LONG_MAX, NSEC - 1 }, rem = { 0, 0 };

	catch(SIGALRM, 0);
	alarm_in(20 * MSEC);
	is_errno(nsleep(&ts, &rem) == -1, EINTR, "the longest nanosleep");
	ok(rem.tv_sec > 1000000000, "leaves much");
	alarm_in(20 * MSEC);
	is_errno(csleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL) == -1, EINTR, "the farthest time");
	alarm_in(20 * MSEC);
	is_errno(csleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == -1, EINTR, "on the monotonic clock, too");
}

/* Sleeping costs no CPU time. */
static void cheap(void)
{
	struct timespec ts = { 0, 300 * MSEC };
	long long before = now(CLOCK_PROCESS_CPUTIME_ID);

	nsleep(&ts, NULL);
	ok(now(CLOCK_PROCESS_CPUTIME_ID) - before < 100 * MSEC, "a sleep takes no CPU time");
}

int main(void)
{
	lengths();
	errors();
	absolute();
	interrupted();
	ignored();
	stopped(CLOCK_MONOTONIC, 0, "relative");
	stopped(CLOCK_REALTIME, 0, "relative, CLOCK_REALTIME");
	stopped(CLOCK_MONOTONIC, TIMER_ABSTIME, "absolute");
	stopped(CLOCK_REALTIME, TIMER_ABSTIME, "absolute, CLOCK_REALTIME");
	clock_set_meanwhile();
	long_ones();
	cheap();
	return done_testing();
}
