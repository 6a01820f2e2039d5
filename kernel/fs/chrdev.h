/* SPDX-License-Identifier: MPL-2.0 */
/* Character devices: every device is one table of functions under a number and a name in devtmpfs. */
#ifndef FS_CHRDEV_H
#define FS_CHRDEV_H

#include "fs/vfs.h"

/* Registers ops under dev_make(major, minor) and makes the node `name` (may hold slashes) in devtmpfs with `mode` bits. -EBUSY, -ENOMEM */
__must_check int chrdev_register(u32 major, u32 minor, const char *name, u32 mode, const struct file_ops *ops, void *private);
const struct file_ops *chrdev_find(u64 dev, void **private);	/* NULL: -ENXIO at open */

struct chrdev {
	struct list node;
	u64 dev;
	u32 mode;
	const struct file_ops *ops;
	void *private;
	char name[32];
};

/* devtmpfs: fn is told of every device, those that are there already and those that come; in task context, under the list's mutex. Devices never go. */
void chrdev_set_listener(void (*fn)(const struct chrdev *d));
/* /proc/devices: the least major number ≥ from that has devices, and the name of its first one; false: there is none. */
bool chrdev_next_major(u32 from, u32 *major, char name[32]);

#endif
