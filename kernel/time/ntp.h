/* SPDX-License-Identifier: MPL-2.0 */
/* Steering the wall clock: adjtimex(2), clock_adjtime(2). */
#ifndef TIME_NTP_H
#define TIME_NTP_H

#include <lib/types.h>

struct __kernel_timex;

void ntp_init(void);
/* Does what tx->modes asks, then fills *tx with the state. The clock state (TIME_OK …), or -EINVAL, -EPERM (CAP_SYS_TIME). */
__must_check int ntp_adjust(struct __kernel_timex *tx);
/* clock_settime: steering that was under way is dropped, the clock is unsynchronised. */
void ntp_clear(void);

#endif
