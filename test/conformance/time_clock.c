/* SPDX-License-Identifier: MPL-2.0 */
/* Reading and setting clocks: clock_gettime, clock_getres, clock_settime, time, gettimeofday, settimeofday. */
#include "tap.h"
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define BAD ((void *)8)
#define NSEC 1000000000LL

static const struct {
	int id;
	const char *name;
	long res;
} clocks[] = {
	{ CLOCK_REALTIME, "CLOCK_REALTIME", 1 }, { CLOCK_MONOTONIC, "CLOCK_MONOTONIC", 1 },
	{ CLOCK_PROCESS_CPUTIME_ID, "CLOCK_PROCESS_CPUTIME_ID", 1 }, { CLOCK_THREAD_CPUTIME_ID, "CLOCK_THREAD_CPUTIME_ID", 1 },
	{ CLOCK_MONOTONIC_RAW, "CLOCK_MONOTONIC_RAW", 1 }, { CLOCK_REALTIME_COARSE, "CLOCK_REALTIME_COARSE", 4000000 },
	{ CLOCK_MONOTONIC_COARSE, "CLOCK_MONOTONIC_COARSE", 4000000 }, { CLOCK_BOOTTIME, "CLOCK_BOOTTIME", 1 },
	{ CLOCK_TAI, "CLOCK_TAI", 1 },
};
#define N_CLOCKS (sizeof(clocks) / sizeof(clocks[0]))

static long get(int id, void *ts)
{
	return syscall(SYS_clock_gettime, id, ts);
}

static long set(int id, const void *ts)
{
	return syscall(SYS_clock_settime, id, ts);
}

static long res(int id, void *ts)
{
	return syscall(SYS_clock_getres, id, ts);
}

static long long now(int id)
{
	struct timespec ts = { 0, 0 };

	get(id, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

static void reading(void)
{
	for (unsigned i = 0; i < N_CLOCKS; i++) {
		struct timespec ts = { -1, -1 };
		long long last, goes_back = 0;

		is_int(get(clocks[i].id, &ts), 0, "clock_gettime(%s)", clocks[i].name);
		ok(ts.tv_sec >= 0 && ts.tv_nsec >= 0 && ts.tv_nsec < NSEC, "%s is well formed", clocks[i].name);
		last = now(clocks[i].id);
		for (int n = 0; n < 2000; n++) {
			long long t = now(clocks[i].id);

			goes_back += t < last;
			last = t;
		}
		is_int(goes_back, 0, "%s does not go back", clocks[i].name);
		is_errno(get(clocks[i].id, BAD) == -1, EFAULT, "clock_gettime(%s) to a bad address", clocks[i].name);
		is_errno(get(clocks[i].id, NULL) == -1, EFAULT, "clock_gettime(%s) to NULL", clocks[i].name);
	}
	is_errno(get(10, &(struct timespec){ 0 }) == -1, EINVAL, "clock 10 does not exist");
	is_errno(get(12, &(struct timespec){ 0 }) == -1, EINVAL, "clock 12 does not exist");
	is_errno(get(INT_MAX, &(struct timespec){ 0 }) == -1, EINVAL, "clock INT_MAX does not exist");
	is_errno(get(100, BAD) == -1, EINVAL, "a clock that does not exist, to a bad address");
	is_errno(get(~9999999 << 3, &(struct timespec){ 0 }) == -1, EINVAL, "clock of a process that does not exist");
	is_errno(get((~0 << 3) | 3, &(struct timespec){ 0 }) == -1, EINVAL, "clock of a bad descriptor");
}

static void relations(void)
{
	long long before, middle, after;

	before = now(CLOCK_MONOTONIC);
	middle = now(CLOCK_BOOTTIME);
	after = now(CLOCK_MONOTONIC);
	ok(middle >= before - NSEC && middle <= after + NSEC, "CLOCK_BOOTTIME is near CLOCK_MONOTONIC");
	before = now(CLOCK_REALTIME_COARSE);
	middle = now(CLOCK_REALTIME);
	ok(before <= middle, "the coarse clock is not ahead of the real-time clock");
	ok(middle - before < NSEC, "nor far behind");
	before = now(CLOCK_MONOTONIC_COARSE);
	middle = now(CLOCK_MONOTONIC);
	ok(before <= middle && middle - before < NSEC, "the same for the monotonic ones");
	middle = now(CLOCK_TAI) - now(CLOCK_REALTIME);
	ok((middle + NSEC / 2) / NSEC == 0 || ((middle + NSEC / 2) / NSEC > 30 && middle / NSEC < 60), "TAI differs by whole seconds");
	before = now(CLOCK_MONOTONIC);
	usleep(20000);
	ok(now(CLOCK_MONOTONIC) - before >= 20000000, "CLOCK_MONOTONIC counts a sleep");
	before = now(CLOCK_MONOTONIC_RAW);
	usleep(20000);
	ok(now(CLOCK_MONOTONIC_RAW) - before >= 19900000, "so does CLOCK_MONOTONIC_RAW");
}

static void resolutions(void)
{
	for (unsigned i = 0; i < N_CLOCKS; i++) {
		struct timespec ts = { -1, -1 };

		is_int(res(clocks[i].id, &ts), 0, "clock_getres(%s)", clocks[i].name);
		ok(ts.tv_sec == 0 && ts.tv_nsec == clocks[i].res, "%s has the resolution it should", clocks[i].name);
		is_int(res(clocks[i].id, NULL), 0, "clock_getres(%s) to NULL", clocks[i].name);
		is_errno(res(clocks[i].id, BAD) == -1, EFAULT, "clock_getres(%s) to a bad address", clocks[i].name);
	}
	is_errno(res(10, NULL) == -1, EINVAL, "clock_getres of a clock that does not exist");
}

static void of_day(void)
{
	struct timeval tv = { -1, -1 };
	struct timezone tz = { 77, 77 };
	long t, stored = -1;
	long long before = now(CLOCK_REALTIME) / 1000, real;

	is_int(syscall(SYS_gettimeofday, &tv, &tz), 0, "gettimeofday");
	real = now(CLOCK_REALTIME) / 1000;
	ok(tv.tv_usec >= 0 && tv.tv_usec < 1000000, "microseconds in range");
	ok(tv.tv_sec * 1000000LL + tv.tv_usec >= before && tv.tv_sec * 1000000LL + tv.tv_usec <= real, "gettimeofday agrees with CLOCK_REALTIME");
	ok(tz.tz_minuteswest == 0 && tz.tz_dsttime == 0, "the time zone is zero");
	is_int(syscall(SYS_gettimeofday, NULL, NULL), 0, "gettimeofday(NULL, NULL)");
	is_errno(syscall(SYS_gettimeofday, BAD, NULL) == -1, EFAULT, "gettimeofday to a bad address");
	is_errno(syscall(SYS_gettimeofday, NULL, BAD) == -1, EFAULT, "its time zone to a bad address");
	before = now(CLOCK_REALTIME_COARSE) / NSEC;
	t = syscall(SYS_time, &stored);
	ok(t == stored, "time returns what it stores");
	ok(t >= before && t <= now(CLOCK_REALTIME) / NSEC, "time agrees with CLOCK_REALTIME");
	ok(syscall(SYS_time, NULL) >= t, "time(NULL)");
	is_errno(syscall(SYS_time, BAD) == -1, EFAULT, "time to a bad address");
}

static int unprivileged(void)
{
	struct timespec ts;
	struct timeval tv;
	struct timezone tz = { 0, 0 };

	if (setuid(65534))
		return 1;
	get(CLOCK_REALTIME, &ts);
	gettimeofday(&tv, NULL);
	if (set(CLOCK_REALTIME, &ts) != -1 || errno != EPERM)
		return 2;
	if (syscall(SYS_settimeofday, &tv, NULL) != -1 || errno != EPERM)
		return 3;
	if (syscall(SYS_settimeofday, NULL, &tz) != -1 || errno != EPERM)
		return 4;
	ts.tv_nsec = NSEC;
	if (set(CLOCK_REALTIME, &ts) != -1 || errno != EINVAL)
		return 5;
	if (set(CLOCK_REALTIME, BAD) != -1 || errno != EFAULT)
		return 6;
	if (set(CLOCK_MONOTONIC, &ts) != -1 || errno != EINVAL)
		return 7;
	if (syscall(SYS_settimeofday, NULL, NULL) != -1 || errno != EPERM)
		return 8;
	return 0;
}

static void setting_errors(void)
{
	struct timespec ts;
	struct timeval tv;
	int ids[] = { CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE,
		      CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, 10, 99 };

	get(CLOCK_REALTIME, &ts);
	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		is_errno(set(ids[i], &ts) == -1, EINVAL, "clock %d cannot be set", ids[i]);
	is_errno(set((~getpid() << 3) | 2, &ts) == -1, EPERM, "a process's CPU clock cannot be set, for another reason");
	is_errno(set(CLOCK_REALTIME, BAD) == -1, EFAULT, "clock_settime from a bad address");
	is_errno(set(CLOCK_REALTIME, &(struct timespec){ ts.tv_sec, NSEC }) == -1, EINVAL, "clock_settime: a whole second of nanoseconds");
	is_errno(set(CLOCK_REALTIME, &(struct timespec){ ts.tv_sec, -1 }) == -1, EINVAL, "clock_settime: negative nanoseconds");
	is_errno(set(CLOCK_REALTIME, &(struct timespec){ -1, 0 }) == -1, EINVAL, "clock_settime: negative seconds");
	is_errno(set(CLOCK_REALTIME, &(struct timespec){ LONG_MAX, 0 }) == -1, EINVAL, "clock_settime: too many seconds");
	is_errno(set(CLOCK_REALTIME, &(struct timespec){ 0, 0 }) == -1, EINVAL, "clock_settime: before the system was started");
	gettimeofday(&tv, NULL);
	is_errno(syscall(SYS_settimeofday, BAD, NULL) == -1, EFAULT, "settimeofday from a bad address");
	is_errno(syscall(SYS_settimeofday, &tv, BAD) == -1, EFAULT, "settimeofday: time zone from a bad address");
	is_errno(syscall(SYS_settimeofday, &(struct timeval){ tv.tv_sec, 1000000 }, NULL) == -1, EINVAL, "settimeofday: too many microseconds");
	is_errno(syscall(SYS_settimeofday, &(struct timeval){ tv.tv_sec, -1 }, NULL) == -1, EINVAL, "settimeofday: negative microseconds");
	is_errno(syscall(SYS_settimeofday, &(struct timeval){ -1, 0 }, NULL) == -1, EINVAL, "settimeofday: negative seconds");
	is_errno(syscall(SYS_settimeofday, NULL, &(struct timezone){ 901, 0 }) == -1, EINVAL, "settimeofday: more than fifteen hours west");
	is_int(syscall(SYS_settimeofday, NULL, NULL), 0, "settimeofday(NULL, NULL)");
	is_int(in_child(unprivileged), 0, "setting the clock needs a privilege, checked after the value");
}

static void setting(void)
{
	long long real = now(CLOCK_REALTIME), mono = now(CLOCK_MONOTONIC), there, elapsed;
	struct timespec ts;
	struct timeval tv;

	if (getenv("NO_SETTIME")) {
		skip("the clock is not to be set here");
		return;
	}
	ts = (struct timespec){ real / NSEC + 86400, real % NSEC };
	is_int(set(CLOCK_REALTIME, &ts), 0, "a day ahead");
	there = now(CLOCK_REALTIME);
	elapsed = now(CLOCK_MONOTONIC) - mono;
	ok(there >= real + 86400 * NSEC && there <= real + 86400 * NSEC + elapsed, "the clock shows it");
	ok(elapsed >= 0 && elapsed < 100 * NSEC, "the monotonic clock has not jumped");
	there = real + elapsed;
	tv = (struct timeval){ there / NSEC, there % NSEC / 1000 };
	is_int(syscall(SYS_settimeofday, &tv, &(struct timezone){ 0, 0 }), 0, "settimeofday back");
	there = now(CLOCK_REALTIME);
	ok(there >= real && there <= real + (now(CLOCK_MONOTONIC) - mono) + NSEC, "the clock shows that");
}

int main(void)
{
	reading();
	relations();
	resolutions();
	of_day();
	setting_errors();
	setting();
	return done_testing();
}
