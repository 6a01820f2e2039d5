/* SPDX-License-Identifier: MPL-2.0 */
/* The devices that every system has: null, zero, full, random, urandom, kmsg. */
#ifndef FS_DEV_DEVICES_H
#define FS_DEV_DEVICES_H

void devices_init(void);	/* after the page cache and the log are there */

#endif
