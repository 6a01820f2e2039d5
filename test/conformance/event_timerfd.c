/* SPDX-License-Identifier: MPL-2.0 */
/* timerfd_create(2): clocks, once and periodic, absolute, overruns, changes of the real clock, poll, ioctl, errors, /proc/self/fdinfo. */
#include "fs_util.h"
#include <sys/timerfd.h>

#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)
#endif
#ifndef CLOCK_BOOTTIME_ALARM
#define CLOCK_REALTIME_ALARM 8
#define CLOCK_BOOTTIME_ALARM 9
#endif
#define SEC 1000000000ll
#define MSEC 1000000ll
#define FAR (1000 * SEC)

static uint64_t ticks;

static ssize_t get(int fd)
{
	ticks = 0;
	return read(fd, &ticks, sizeof(ticks));
}

static struct timespec spec(long long ns)
{
	return (struct timespec){ .tv_sec = ns / SEC, .tv_nsec = ns % SEC };
}

static int set(int fd, int flags, long long value, long long interval)
{
	struct itimerspec it = { .it_interval = spec(interval), .it_value = spec(value) };

	return timerfd_settime(fd, flags, &it, NULL);
}

static long long now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * SEC + ts.tv_nsec;
}

static void set_clock(long long ns)
{
	struct timespec ts = spec(ns);

	if (clock_settime(CLOCK_REALTIME, &ts))
		bail_out("clock_settime: %s", strerror(errno));
}

static void shift_clock(long long by)
{
	set_clock(now(CLOCK_REALTIME) + by);
}

static long long left(int fd)
{
	struct itimerspec it;

	timerfd_gettime(fd, &it);
	return it.it_value.tv_sec * SEC + it.it_value.tv_nsec;
}

static int is_ready(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, ms) == 1 ? p.revents : 0;
}

static void clocks(void)
{
	static const struct { clockid_t id; const char *name; } all[] = {
		{ CLOCK_REALTIME, "CLOCK_REALTIME" }, { CLOCK_MONOTONIC, "CLOCK_MONOTONIC" }, { CLOCK_BOOTTIME, "CLOCK_BOOTTIME" },
		{ CLOCK_REALTIME_ALARM, "CLOCK_REALTIME_ALARM" }, { CLOCK_BOOTTIME_ALARM, "CLOCK_BOOTTIME_ALARM" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		clockid_t base = all[i].id == CLOCK_REALTIME_ALARM ? CLOCK_REALTIME : all[i].id == CLOCK_BOOTTIME_ALARM ? CLOCK_BOOTTIME : all[i].id;
		int fd = timerfd_create(all[i].id, 0);
		long long start = now(base);

		ok(fd >= 0, "a timer on %s", all[i].name);
		is_int(set(fd, 0, 20 * MSEC, 0), 0, "20 ms from now");
		ok(get(fd) == 8 && ticks == 1 && now(base) >= start + 20 * MSEC, "has expired once, not too early");
		ok(left(fd) == 0, "and is off");
		start = now(base);
		is_int(set(fd, TFD_TIMER_ABSTIME, start + 20 * MSEC, 0), 0, "the same as a time");
		ok(get(fd) == 8 && ticks == 1 && now(base) >= start + 20 * MSEC, "not too early");
		is_int(set(fd, TFD_TIMER_ABSTIME, start, 0), 0, "a time that has passed");
		ok(get(fd) == 8 && ticks == 1, "expires at once");
		close(fd);
	}
}

static void periods(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec it, old;
	long long start, passed;

	is_errno(get(fd) == -1, EAGAIN, "not set: nothing to read");
	is_int(is_ready(fd, 0), 0, "and not ready");
	timerfd_gettime(fd, &it);
	ok(!it.it_value.tv_sec && !it.it_value.tv_nsec && !it.it_interval.tv_sec && !it.it_interval.tv_nsec, "timerfd_gettime says 0");
	start = now(CLOCK_MONOTONIC);
	set(fd, 0, 10 * MSEC, 5 * MSEC);
	is_int(is_ready(fd, 10000), POLLIN, "poll wakes up");
	sleep_ms(60);
	get(fd);
	passed = now(CLOCK_MONOTONIC) - start;
	ok(ticks >= 9 && (long long)ticks <= (passed - 10 * MSEC) / (5 * MSEC) + 1, "the periods that have passed are counted");
	ok(left(fd) <= 5 * MSEC, "the next is within one");
	sleep_ms(20);
	ok(left(fd) <= 5 * MSEC, "asking for the time left goes on to the next period");
	ok(get(fd) == 8 && ticks >= 3, "and loses no tick");
	set(fd, 0, FAR, 7 * SEC);
	it = (struct itimerspec){ .it_value = { 5, 6 }, .it_interval = { 3, 4 } };
	is_int(timerfd_settime(fd, 0, &it, &old), 0, "a new setting");
	ok(old.it_interval.tv_sec == 7 && old.it_value.tv_sec >= 900 && old.it_value.tv_sec < 1000, "tells the old one");
	timerfd_gettime(fd, &it);
	ok(it.it_interval.tv_sec == 3 && it.it_interval.tv_nsec == 4 && it.it_value.tv_sec <= 5, "and is told");
	set(fd, 0, 1, 0);
	is_int(is_ready(fd, 10000), POLLIN, "1 ns");
	set(fd, 0, FAR, 0);
	is_int(is_ready(fd, 0), 0, "a new setting forgets expiries");
	is_int(set(fd, 0, 0, 9 * SEC), 0, "value 0 turns it off");
	timerfd_gettime(fd, &it);
	ok(it.it_value.tv_sec == 0 && it.it_interval.tv_sec == 9, "the interval stays");
	is_errno(get(fd) == -1, EAGAIN, "and nothing comes");
	set(fd, 0, 1, 1);
	sleep_ms(5);
	ok(get(fd) == 8 && ticks > 1000000, "a period of 1 ns");
	it = (struct itimerspec){ .it_value = { 0x7fffffffffffffffl, 999999999 } };
	is_int(timerfd_settime(fd, 0, &it, NULL), 0, "the longest time");
	ok(left(fd) > 0 && is_ready(fd, 0) == 0, "does not come");
	close(fd);
}

static void errors(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), p[2];
	struct itimerspec it = { .it_value = { 1, 0 } };

	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "TFD_CLOEXEC");
	is_int(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR | O_NONBLOCK, "TFD_NONBLOCK");
	pipe(p);
	is_errno(timerfd_create(99, 0) == -1, EINVAL, "no such clock");
	is_errno(timerfd_create(CLOCK_TAI, 0) == -1, EINVAL, "CLOCK_TAI");
	is_errno(timerfd_create(CLOCK_THREAD_CPUTIME_ID, 0) == -1, EINVAL, "a CPU-time clock");
	is_errno(timerfd_create(CLOCK_MONOTONIC, 0x10) == -1, EINVAL, "an unknown flag");
	is_errno(timerfd_settime(fd, 4, &it, NULL) == -1, EINVAL, "timerfd_settime with an unknown flag");
	is_errno(timerfd_settime(-1, 0, &it, NULL) == -1, EBADF, "of a bad descriptor");
	is_errno(timerfd_settime(p[0], 0, &it, NULL) == -1, EINVAL, "of a pipe");
	is_errno(timerfd_settime(fd, 0, BAD_PTR, NULL) == -1, EFAULT, "from a bad pointer");
	is_errno(timerfd_settime(fd, 0, &it, BAD_PTR) == -1, EFAULT, "the old one to a bad pointer");
	ok(left(fd) > 0, "the timer is set all the same");
	is_errno(set(fd, 0, -SEC, 0) == -1, EINVAL, "a negative time");
	it.it_value.tv_nsec = SEC;
	is_errno(timerfd_settime(fd, 0, &it, NULL) == -1, EINVAL, "10^9 nanoseconds");
	it = (struct itimerspec){ .it_value = { 1, 0 }, .it_interval = { 0, -1 } };
	is_errno(timerfd_settime(fd, 0, &it, NULL) == -1, EINVAL, "a negative interval");
	is_errno(timerfd_settime(-1, 0, &it, NULL) == -1, EINVAL, "is looked at before the descriptor");
	is_errno(timerfd_gettime(-1, &it) == -1, EBADF, "timerfd_gettime of a bad descriptor");
	is_errno(timerfd_gettime(p[0], &it) == -1, EINVAL, "of a pipe");
	is_errno(timerfd_gettime(fd, BAD_PTR) == -1, EFAULT, "to a bad pointer");
	is_errno(read(fd, &ticks, 7) == -1, EINVAL, "a read of 7 bytes");
	is_errno(write(fd, &ticks, 8) == -1, EINVAL, "a write");
	is_int(lseek(fd, 1, SEEK_SET), 0, "lseek says 0");
	is_errno(pread(fd, &ticks, 8, 0) == -1, ESPIPE, "pread");
	set(fd, 0, 1, 0);
	is_ready(fd, 10000);
	is_errno(read(fd, BAD_PTR, 8) == -1, EFAULT, "a read to a bad pointer");
	is_errno(get(fd) == -1, EAGAIN, "has taken the ticks");
	is_errno(ioctl(fd, FIONREAD, &ticks) == -1, ENOTTY, "FIONREAD");
	close(p[0]);
	close(p[1]);
	close(fd);
}

static int alarm_clock(void)
{
	return ERRNO_OF(timerfd_create(CLOCK_BOOTTIME_ALARM, 0));
}

static int alarm_fd;

static int alarm_set(void)
{
	struct itimerspec it = { .it_value = { 1, 0 } };

	return ERRNO_OF(timerfd_settime(alarm_fd, 0, &it, NULL));
}

static void privileges(void)
{
	alarm_fd = timerfd_create(CLOCK_REALTIME_ALARM, 0);
	is_int(as_somebody(alarm_clock), EPERM, "an alarm clock without CAP_WAKE_ALARM");
	is_int(as_somebody(alarm_set), EPERM, "and setting one");
	close(alarm_fd);
}

static void clock_changes(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK), mono = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	int cancel = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
	long long start;

	set(fd, TFD_TIMER_ABSTIME, now(CLOCK_REALTIME) + FAR, 0);
	shift_clock(2 * FAR);
	is_int(is_ready(fd, 10000), POLLIN, "the clock is set beyond an absolute time");
	ok(get(fd) == 8 && ticks == 1, "which then has come");
	start = now(CLOCK_REALTIME);
	set(fd, 0, FAR, 0);
	set(mono, cancel, now(CLOCK_MONOTONIC) + FAR, 0);
	shift_clock(-2 * FAR);
	shift_clock(3 * FAR);
	is_int(is_ready(fd, 0), 0, "a relative time does not care");
	is_errno(get(mono) == -1, EAGAIN, "nor does the monotonic clock");
	shift_clock(-FAR);
	set(fd, cancel, now(CLOCK_REALTIME) + FAR, 0);
	is_errno(get(fd) == -1, EAGAIN, "TFD_TIMER_CANCEL_ON_SET: nothing yet");
	shift_clock(SEC);
	is_int(is_ready(fd, 10000), POLLIN, "a change of the clock makes it readable");
	is_errno(get(fd) == -1, ECANCELED, "with ECANCELED");
	is_errno(get(fd) == -1, EAGAIN, "once");
	ok(left(fd) > 0, "the timer is still set");
	shift_clock(-SEC);
	is_errno(set(fd, cancel, now(CLOCK_REALTIME) + FAR, 0) == -1, ECANCELED, "setting it anew after a change says so");
	is_int(set(fd, cancel, now(CLOCK_REALTIME) + FAR, 0), 0, "once");
	shift_clock(SEC);
	is_int(set(fd, TFD_TIMER_ABSTIME, now(CLOCK_REALTIME) + FAR, 0), 0, "without the flag it is not said");
	is_errno(get(fd) == -1, EAGAIN, "nor later");
	/* One that has expired when the clock is set back. */
	set(fd, TFD_TIMER_ABSTIME, now(CLOCK_REALTIME), FAR);
	is_int(is_ready(fd, 10000), POLLIN, "a period has begun");
	shift_clock(-2 * FAR);
	is_errno(get(fd) == -1, EAGAIN, "and the clock is set back: nothing to read");
	ok(left(fd) > FAR, "the next is far");
	fcntl(fd, F_SETFL, 0);
	set(fd, TFD_TIMER_ABSTIME, now(CLOCK_REALTIME), FAR);
	is_int(is_ready(fd, 10000), POLLIN, "the same again");
	shift_clock(-2 * FAR);
	is_int(get(fd), 0, "a read that might wait reads no bytes");
	set_clock(start);
	close(fd);
	close(mono);
}

static void set_ticks(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	uint64_t n = 7;

	is_int(ioctl(fd, TFD_IOC_SET_TICKS, &n), 0, "TFD_IOC_SET_TICKS");
	ok(get(fd) == 8 && ticks == 7, "sets the ticks");
	n = 0;
	is_errno(ioctl(fd, TFD_IOC_SET_TICKS, &n) == -1, EINVAL, "not to 0");
	is_errno(ioctl(fd, TFD_IOC_SET_TICKS, BAD_PTR) == -1, EFAULT, "from a bad pointer");
	close(fd);
}

static void info(void)
{
	int fd = timerfd_create(CLOCK_BOOTTIME, 0), in;
	char path[64], buf[512];
	ssize_t n;

	set(fd, 0, 5 * FAR, 3 * SEC + 5);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	in = open(path, O_RDONLY);
	n = read(in, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	ok(strstr(buf, "\nclockid: 7\nticks: 0\nsettime flags: 00\nit_value: (49") != NULL, "fdinfo: clock, ticks, flags, value");
	ok(strstr(buf, "\nit_interval: (3, 5)\n") != NULL, "and interval");
	close(in);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	ok(!strcmp(buf, "anon_inode:[timerfd]"), "its link in /proc/self/fd");
	close(fd);
}

static int shared;

static int child_reads(void)
{
	return get(shared) == 8 ? (int)ticks : 99;
}

static void blocking(void)
{
	shared = timerfd_create(CLOCK_MONOTONIC, 0);
	catch(SIGALRM, 0);
	alarm_ms(50);
	is_errno(get(shared) == -1, EINTR, "a signal ends a blocked read");
	set(shared, 0, 20 * MSEC, 0);
	is_int(WEXITSTATUS(in_child(child_reads)), 1, "a child reads the parent's timer");
	close(shared);
}

static void nowait_refused(void)
{
	uint64_t n;
	struct iovec iov = { &n, sizeof(n) };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	is_errno(preadv2(fd, &iov, 1, -1, RWF_NOWAIT) == -1, EOPNOTSUPP, "RWF_NOWAIT is not for timers");
	close(fd);
}

int main(void)
{
	clocks();
	periods();
	errors();
	privileges();
	set_ticks();
	info();
	blocking();
	clock_changes();
	nowait_refused();
	return done_testing();
}
