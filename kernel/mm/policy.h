/* SPDX-License-Identifier: MPL-2.0 */
/* What mm/ asks of folders above it; bound at link time. */
#ifndef MM_POLICY_H
#define MM_POLICY_H

#include "mm/mm.h"

/* The current process's limits. proc/ defines. Task context, does not sleep. */
void mm_policy_limits(struct mm_limits *out);
/* Shared anonymous memory needs a mapping: tmpfs-like, owned by the VMAs. Gives one reference to *f, which the caller drops with (*ops)->put
 * once it is mapped. fs/tmpfs defines. -ENOMEM */
__must_check int mm_shared_anon(u64 len, struct mapping **m, struct file **f, const struct vma_ops **ops);
/* Nothing could be reclaimed: choose and kill a victim. True if one was told to die (or the current task is dying). proc/oom.c. Task context. */
bool mm_policy_oom(void);

#endif
