/* SPDX-License-Identifier: MPL-2.0 */
/* poll(2), select(2). */
#ifndef ABI_POLL_H
#define ABI_POLL_H

#include <lib/types.h>
#include <linux/poll.h>
#include <linux/posix_types.h>

#endif
