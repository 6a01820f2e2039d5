/* SPDX-License-Identifier: MPL-2.0 */
/* Sleeping by the machine's clocks, interruptible: under nanosleep(2) and clock_nanosleep(2). */
#ifndef TIME_SLEEP_H
#define TIME_SLEEP_H

#include <lib/types.h>

enum sleep_clock { SLEEP_MONOTONIC, SLEEP_REALTIME, SLEEP_TAI };

/* Until the clock shows `until_ns`, whatever is done to it meanwhile. 0, or -ERESTARTSYS. */
__must_check int clock_sleep_until(enum sleep_clock clock, s64 until_ns);

#endif
