/* SPDX-License-Identifier: MPL-2.0 */
/* process_vm_readv(2), process_vm_writev(2), process_madvise(2). Task context. */
#ifndef PROC_VM_COPY_H
#define PROC_VM_COPY_H

#include "mm/iov.h"

struct pid;

/* Between `local` and the n ranges of the memory of thread `tid`; bytes moved up to the first that could not be, -EFAULT if that is none, -ESRCH, -EPERM. */
__must_check ssize_t process_vm_copy(s32 tid, struct iov_iter *local, const struct iov_seg *remote, size_t n, bool is_write);

/* MADV_COLD, MADV_PAGEOUT or MADV_WILLNEED for the ranges in turn: how many bytes were advised, or why the first was not. -EINVAL, -ESRCH, -EACCES (another's), -EPERM (no CAP_SYS_NICE), as mm_advise */
__must_check s64 process_vm_advise(struct pid *pid, const struct iov_seg *ranges, size_t n, s32 advice);

#endif
