/* SPDX-License-Identifier: MPL-2.0 */
/* What fs/ core asks of folders to its right: declared here, defined there, bound at link time. */
#ifndef FS_POLICY_H
#define FS_POLICY_H

#include <lib/types.h>
#include "object/cred.h"

struct fs_type;
struct pid;

/* --- proc/ defines */
u64 fd_limit(void);				/* RLIMIT_NOFILE of the current process */
u64 fs_policy_file_size_limit(void);		/* RLIMIT_FSIZE of the current process; ~0: none (kernel threads too) */
void fs_policy_signal(u32 sig);			/* to the current thread: SIGXFSZ, SIGPIPE. Nothing for kernel threads */
/* Runs d->fn(d) soon in a task context that holds no lock: the current thread on its way to user mode, or a kernel thread if the current one will
 * not get there. Task or soft context, also with spinlocks held; never fails. The same shape as struct notification of proc/thread.h. */
struct deferred {
	struct deferred *next;
	void (*fn)(struct deferred *d);
};
void fs_policy_defer(struct deferred *d);
/* Signal-driven I/O (fcntl(2), F_SETOWN, F_SETSIG): tells the owner that `events` (POLL*) have come, if the one who set it may signal him. Task context. */
enum sigio_owner { SIGIO_TO_THREAD, SIGIO_TO_PROCESS, SIGIO_TO_GROUP };	/* F_OWNER_* */
struct sigio {
	enum sigio_owner type;
	struct pid *pid;
	kuid_t uid, euid;
	u32 sig;			/* 0: SIGIO without details */
	s32 fd;
	u32 events;
};
void fs_policy_sigio(const struct sigio *s);
struct pid *fs_policy_current_pid(void);	/* of the current process; not referenced */

/* --- fs/tmpfs defines: the type that the first root is an instance of ("rootfs" in /proc/mounts) */
const struct fs_type *fs_policy_root_type(void);

#endif
