/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters of pipe(2) and pipe2(2). */
#include "abi/fcntl.h"
#include "fs/fdtable.h"
#include "fs/pipe.h"
#include "fs/vfs.h"
#include "syscall/handlers.h"

static int make_pipe(uaddr_t out, u32 flags)
{
	bool is_cloexec = (flags & O_CLOEXEC) != 0;
	struct file *in_file, *out_file;
	s32 fds[2];
	int err = pipe_create(&in_file, &out_file, flags);

	if (err)
		return err;
	fds[0] = fd_reserve(0, is_cloexec);
	fds[1] = fds[0] < 0 ? fds[0] : fd_reserve(0, is_cloexec);
	err = fds[1] < 0 ? fds[1] : uput(out, fds, sizeof(fds));
	if (!err) {
		fd_install(fds[0], in_file);
		fd_install(fds[1], out_file);
		return 0;
	}
	if (fds[1] >= 0)
		fd_unreserve(fds[1]);
	if (fds[0] >= 0)
		fd_unreserve(fds[0]);
	file_put(in_file);
	file_put(out_file);
	return err;
}

s64 sys_pipe(const struct syscall_args *a)
{
	return make_pipe(arg_uaddr(a, 0), 0);
}

s64 sys_pipe2(const struct syscall_args *a)
{
	return make_pipe(arg_uaddr(a, 0), (u32)a->v[1]);
}
