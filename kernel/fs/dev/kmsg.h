/* SPDX-License-Identifier: MPL-2.0 */
/* The kernel log as programs see it: /dev/kmsg, and what syslog(2) shares with it. */
#ifndef FS_DEV_KMSG_H
#define FS_DEV_KMSG_H

#include <lib/types.h>

struct waitq;

extern const struct file_ops kmsg_ops;

void kmsg_init(void);
struct waitq *kmsg_waitq(void);		/* woken when a record has come */
u64 kmsg_cleared_seq(void);		/* first record after the last SYSLOG_ACTION_CLEAR */
void kmsg_clear(void);

#endif
