/* SPDX-License-Identifier: MPL-2.0 */
/* adjtimex and clock_adjtime: reading, what is settable, jumps, permissions. */
#include "tap.h"
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>

#define BAD ((void *)8)
#define NSEC 1000000000LL

static long adj(void *tx)
{
	return syscall(SYS_adjtimex, tx);
}

static long cadj(int id, void *tx)
{
	return syscall(SYS_clock_adjtime, id, tx);
}

static bool is_state(long r)
{
	return r >= TIME_OK && r <= TIME_ERROR;
}

static void reading(void)
{
	struct timex tx = { .modes = 0 };
	struct timespec ts;

	ok(is_state(adj(&tx)), "adjtimex reads");
	clock_gettime(CLOCK_REALTIME, &ts);
	ok(tx.time.tv_sec >= ts.tv_sec - 5 && tx.time.tv_sec <= ts.tv_sec, "the time is the real time");
	ok(tx.tick >= 9000 && tx.tick <= 11000, "the tick is near 10000");
	is_int(tx.tolerance, 32768000, "the tolerance is 500 ppm");
	is_int(tx.precision, 1, "the precision is a microsecond");
	ok(tx.freq >= -32768000 && tx.freq <= 32768000, "the frequency is within it");
	ok(is_state(cadj(CLOCK_REALTIME, &tx)), "clock_adjtime reads");
	is_errno(adj(BAD) == -1, EFAULT, "adjtimex of a bad address");
	is_errno(cadj(CLOCK_REALTIME, BAD) == -1, EFAULT, "clock_adjtime of a bad address");
	tx.modes = 0;
	is_errno(cadj(CLOCK_MONOTONIC, &tx) == -1, EOPNOTSUPP, "CLOCK_MONOTONIC is not adjusted directly");
	is_errno(cadj(CLOCK_PROCESS_CPUTIME_ID, &tx) == -1, EOPNOTSUPP, "nor are CPU clocks");
	is_errno(cadj(10, &tx) == -1, EINVAL, "a clock that does not exist");
	is_errno(cadj(10, BAD) == -1, EFAULT, "the address is looked at first");
	tx.modes = ADJ_OFFSET_SS_READ;
	ok(is_state(adj(&tx)), "what is left of adjtime");
	is_int(tx.offset, 0, "is nothing");
}

static void invalid(void)
{
	struct timex tx = { .modes = ADJ_TICK, .tick = 8999 };

	is_errno(adj(&tx) == -1, EINVAL, "a tick too short");
	tx = (struct timex){ .modes = ADJ_TICK, .tick = 11001 };
	is_errno(adj(&tx) == -1, EINVAL, "a tick too long");
	tx = (struct timex){ .modes = 0x8000 };
	is_errno(adj(&tx) == -1, EINVAL, "half of ADJ_OFFSET_SINGLESHOT");
	tx = (struct timex){ .modes = ADJ_SETOFFSET, .time = { 0, -1 } };
	is_errno(adj(&tx) == -1, EINVAL, "ADJ_SETOFFSET: negative microseconds");
	tx = (struct timex){ .modes = ADJ_SETOFFSET, .time = { 0, 1000000 } };
	is_errno(adj(&tx) == -1, EINVAL, "ADJ_SETOFFSET: too many microseconds");
	tx = (struct timex){ .modes = ADJ_SETOFFSET | ADJ_NANO, .time = { 0, NSEC } };
	is_errno(adj(&tx) == -1, EINVAL, "ADJ_SETOFFSET: too many nanoseconds");
}

static int unprivileged(void)
{
	struct timex tx = { .modes = 0 };

	if (setuid(65534))
		return 1;
	if (!is_state(adj(&tx)))
		return 2;
	tx.modes = ADJ_OFFSET_SS_READ;
	if (!is_state(adj(&tx)))
		return 3;
	tx.modes = ADJ_FREQUENCY;
	if (adj(&tx) != -1 || errno != EPERM)
		return 4;
	tx.modes = ADJ_OFFSET_SINGLESHOT;
	if (adj(&tx) != -1 || errno != EPERM)
		return 5;
	tx = (struct timex){ .modes = ADJ_TICK, .tick = 1 };
	if (adj(&tx) != -1 || errno != EPERM)
		return 6;
	return 0;
}

/* Sets a field, reads it back, puts the former value back. */
static void settable(void)
{
	struct timex old = { .modes = 0 }, tx;

	adj(&old);
	tx = (struct timex){ .modes = ADJ_FREQUENCY, .freq = 65536 };
	ok(is_state(adj(&tx)), "the frequency: one ppm faster");
	is_int(tx.freq, 65536, "is told at once");
	tx = (struct timex){ .modes = ADJ_FREQUENCY, .freq = 1000000000 };
	ok(is_state(adj(&tx)), "more than the tolerance");
	is_int(tx.freq, 32768000, "is cut to it");
	tx = (struct timex){ .modes = ADJ_TICK, .tick = 10001 };
	ok(is_state(adj(&tx)), "the tick");
	is_int(tx.tick, 10001, "is told");
	tx = (struct timex){ .modes = ADJ_MAXERROR | ADJ_ESTERROR, .maxerror = 1000, .esterror = 500 };
	ok(is_state(adj(&tx)), "the errors");
	ok(tx.maxerror >= 1000 && tx.maxerror < 10000 && tx.esterror == 500, "are told");
	tx = (struct timex){ .modes = ADJ_STATUS, .status = STA_PLL };
	is_int(adj(&tx), TIME_OK, "synchronised");
	ok((tx.status & (STA_PLL | STA_UNSYNC)) == STA_PLL, "the status says so");
	tx = (struct timex){ .modes = ADJ_NANO };
	ok(is_state(adj(&tx)) && (tx.status & STA_NANO), "nanoseconds");
	tx = (struct timex){ .modes = ADJ_MICRO };
	ok(is_state(adj(&tx)) && !(tx.status & STA_NANO), "microseconds");
	tx = (struct timex){ .modes = ADJ_TIMECONST, .constant = 3 };
	ok(is_state(adj(&tx)), "the time constant");
	is_int(tx.constant, 7, "in microseconds is four more");
	tx = (struct timex){ .modes = ADJ_TAI, .constant = 37 };
	ok(is_state(adj(&tx)), "the offset of TAI");
	is_int(tx.tai, 37, "is told");
	{
		struct timespec tai, real;

		clock_gettime(CLOCK_REALTIME, &real);
		clock_gettime(CLOCK_TAI, &tai);
		ok(tai.tv_sec - real.tv_sec >= 37 && tai.tv_sec - real.tv_sec <= 39, "and CLOCK_TAI shows it");
	}
	tx = (struct timex){ .modes = ADJ_OFFSET_SINGLESHOT, .offset = 2000 };
	ok(is_state(adj(&tx)), "adjtime: two milliseconds");
	is_int(tx.offset, 0, "nothing was left of the former");
	tx = (struct timex){ .modes = ADJ_OFFSET_SS_READ };
	ok(is_state(adj(&tx)) && tx.offset > 0 && tx.offset <= 2000, "something is left");
	tx = (struct timex){ .modes = ADJ_OFFSET_SINGLESHOT, .offset = 0 };
	adj(&tx);
	tx = (struct timex){ .modes = ADJ_TAI, .constant = old.tai };
	adj(&tx);
	tx = (struct timex){ .modes = ADJ_FREQUENCY | ADJ_TICK | ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR, .freq = old.freq, .tick = old.tick,
			     .status = old.status, .maxerror = old.maxerror, .esterror = old.esterror };
	ok(is_state(adj(&tx)), "everything back");
}

static long long real_minus_mono(void)
{
	struct timespec r, m;

	clock_gettime(CLOCK_MONOTONIC, &m);
	clock_gettime(CLOCK_REALTIME, &r);
	return (r.tv_sec - m.tv_sec) * NSEC + r.tv_nsec - m.tv_nsec;
}

static void jumps(void)
{
	struct timex tx = { .modes = ADJ_SETOFFSET, .time = { 100, 500000 } };
	long long before = real_minus_mono(), d;

	ok(is_state(adj(&tx)), "ADJ_SETOFFSET ahead");
	d = real_minus_mono() - before;
	ok(d > 100 * NSEC && d < 101 * NSEC, "the clock has jumped by that");
	tx = (struct timex){ .modes = ADJ_SETOFFSET | ADJ_NANO, .time = { -101, 500000000 } };
	ok(is_state(cadj(CLOCK_REALTIME, &tx)), "ADJ_SETOFFSET back, in nanoseconds");
	d = real_minus_mono() - before;
	ok(d > -NSEC / 5 && d < NSEC / 5, "the clock is back");
	tx = (struct timex){ .modes = ADJ_MICRO };
	adj(&tx);
}

int main(void)
{
	reading();
	invalid();
	is_int(in_child(unprivileged), 0, "reading is free, changing needs a privilege");
	if (getenv("NO_SETTIME")) {
		skip("the clock is not to be set here");
	} else {
		settable();
		jumps();
	}
	return done_testing();
}
