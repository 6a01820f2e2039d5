/* SPDX-License-Identifier: MPL-2.0 */
/* inotify(7). */
#ifndef ABI_INOTIFY_H
#define ABI_INOTIFY_H

#include <lib/types.h>
#include <linux/inotify.h>

#endif
