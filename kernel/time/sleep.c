/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Sleeping until a clock shows a time. Who sleeps by the time of day waits on the queue of its changes, too: a clock that is set ends the sleep, or
 * makes it longer (clock_nanosleep(2)). The monotonic clock may be steered meanwhile: the deadline is computed anew until it is reached.
 */
#include <frame/clock.h>
#include "sync/wait.h"
#include "time/sleep.h"
#include "time/wall.h"

static u64 deadline_of(enum sleep_clock clock, s64 until_ns)
{
	switch (clock) {
	case SLEEP_REALTIME:
		return wall_to_deadline(until_ns);
	case SLEEP_TAI:
		return wall_tai_to_deadline(until_ns);
	case SLEEP_MONOTONIC:
		break;
	}
	return until_ns <= 0 ? 0 : wall_monotonic_to_deadline((u64)until_ns);
}

static int sleep_monotonic(u64 deadline_ns)
{
	sched_prepare_sleep(SLEEP_INTERRUPTIBLE);
	return waitq_sleep(SLEEP_INTERRUPTIBLE, deadline_ns);
}

int clock_sleep_until(enum sleep_clock clock, s64 until_ns)
{
	for (;;) {
		u32 seq = wall_seq();
		u64 deadline_ns = deadline_of(clock, until_ns);
		int err;

		if (!deadline_ns)
			return 0;
		if (clock == SLEEP_MONOTONIC)
			err = sleep_monotonic(deadline_ns);
		else
			err = WAIT_EVENT(wall_changes(), wall_seq() != seq, SLEEP_INTERRUPTIBLE, deadline_ns);
		if (err == -ERESTARTSYS)
			return deadline_of(clock, until_ns) ? err : 0;
	}
}
