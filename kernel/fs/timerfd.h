/* SPDX-License-Identifier: MPL-2.0 */
/* timerfd_create(2). */
#ifndef FS_TIMERFD_H
#define FS_TIMERFD_H

#include <lib/types.h>

struct file;

struct timerfd_time {
	u64 value_ns;		/* 0: off. At most S64_MAX, as the interval */
	u64 interval_ns;	/* 0: once */
};

/* flags: TFD_CLOEXEC, TFD_NONBLOCK, checked. The descriptor, -EINVAL (clock), -EPERM (alarm clocks: CAP_WAKE_ALARM), -EMFILE, -ENFILE, -ENOMEM */
__must_check s64 timerfd_create(s32 clock, u32 flags);
/* flags: TFD_TIMER_*, checked. -EINVAL (no timerfd), -EPERM, -ECANCELED (set all the same, but the clock had been changed: timerfd_create(2), NOTES) */
__must_check int timerfd_set(struct file *f, u32 flags, const struct timerfd_time *new, struct timerfd_time *old);
__must_check int timerfd_get(struct file *f, struct timerfd_time *out);

#endif
