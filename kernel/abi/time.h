/* SPDX-License-Identifier: MPL-2.0 */
/* Clocks, timers, adjtimex. */
#ifndef ABI_TIME_H
#define ABI_TIME_H

#include <lib/types.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/timex.h>

#endif
