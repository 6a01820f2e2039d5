/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters of signalfd(2): the older call has no flags. */
#include "fs/fdtable.h"
#include "signal/signalfd.h"
#include "syscall/handlers.h"

static s64 make_or_change(const struct syscall_args *a, u32 flags)
{
	s32 fd = (s32)a->v[0];
	struct fdref ref;
	sigset_k set;
	int err;

	if (a->v[2] != sizeof(set))
		return -EINVAL;
	if (uget(&set, arg_uaddr(a, 1), sizeof(set)))
		return -EFAULT;
	if (fd == -1)
		return signalfd_create(set, flags);
	err = fd_borrow(fd, &ref);
	if (err)
		return err;
	err = signalfd_change(ref.file, set);
	fd_end(&ref);
	return err ? err : fd;
}

s64 sys_signalfd(const struct syscall_args *a)
{
	return make_or_change(a, 0);
}

s64 sys_signalfd4(const struct syscall_args *a)
{
	return make_or_change(a, (u32)a->v[3]);
}
