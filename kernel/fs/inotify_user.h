/* SPDX-License-Identifier: MPL-2.0 */
/* What a user has of inotify's: instances and watches, counted against /proc/sys/fs/inotify. For inotify.c alone. */
#ifndef FS_INOTIFY_USER_H
#define FS_INOTIFY_USER_H

#include "object/cred.h"

struct inotify_user;

/* One instance more for the user: -EMFILE, -ENOMEM. Given back by inotify_user_put. */
__must_check int inotify_user_get(kuid_t uid, struct inotify_user **out);
void inotify_user_put(struct inotify_user *u);
__must_check bool inotify_user_add_watch(struct inotify_user *u);
void inotify_user_drop_watch(struct inotify_user *u);

#endif
