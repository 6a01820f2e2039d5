/* SPDX-License-Identifier: MPL-2.0 */
/* Changing who the current thread is: credentials(7), capabilities(7). All give 0, -EINVAL (no such id), -EPERM, -EAGAIN or -ENOMEM as the calls do. */
#ifndef PROC_IDENTITY_H
#define PROC_IDENTITY_H

#include <lib/types.h>
#include "object/cred.h"

struct thread;

#define ID_KEEP (~0u)		/* set*id's −1 */

__must_check int identity_setuid(u32 uid);
__must_check int identity_setreuid(u32 ruid, u32 euid);
__must_check int identity_setresuid(u32 ruid, u32 euid, u32 suid);
u32 identity_setfsuid(u32 uid);		/* the former one, whether it was changed or not */
__must_check int identity_setgid(u32 gid);
__must_check int identity_setregid(u32 rgid, u32 egid);
__must_check int identity_setresgid(u32 rgid, u32 egid, u32 sgid);
u32 identity_setfsgid(u32 gid);
__must_check int identity_setgroups(struct group_list *groups);	/* takes over the reference, whatever the result */

/* Makes `new` (of cred_prepare) current; capability effects have been applied. Takes it over, whatever the result. */
__must_check int identity_commit(struct cred *new);

struct cap_sets {
	cap_set_t effective, permitted, inheritable;
};
bool cap_is_valid(u64 cap);
void identity_capget(const struct thread *t, struct cap_sets *out);
__must_check int identity_capset(const struct cap_sets *sets);
/* prctl(2)'s parts */
__must_check int identity_drop_bounding(u64 cap);
__must_check int identity_set_securebits(u64 bits);
__must_check int identity_set_keepcaps(bool is_on);
__must_check int identity_set_no_new_privs(void);
__must_check int identity_ambient(u64 op, u64 cap);	/* PR_CAP_AMBIENT_*: 0, 1 (IS_SET), -EINVAL, -EPERM */

#endif
