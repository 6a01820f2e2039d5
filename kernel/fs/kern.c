/* SPDX-License-Identifier: MPL-2.0 */
/* The kernel's own use of names: start-up, unpacking, exec of /init, tests. Paths are relative to the current (or first) root. */
#include "abi/fcntl.h"
#include "fs/calls.h"
#include "fs/internal.h"

int kern_open(const char *path, u32 flags, u32 mode, struct file **out)
{
	struct open_request rq = { .flags = flags | O_LARGEFILE, .mode = mode };
	struct user_path up __uninitialized;
	int err = user_path_kernel(&up, path);

	if (err)
		return err;
	err = fs_open(AT_FDCWD, &up, &rq, out);
	user_path_put(&up);
	return err;
}

int kern_mkdir(const char *path, u32 mode)
{
	struct user_path up __uninitialized;
	int err = user_path_kernel(&up, path);

	if (err)
		return err;
	err = fs_mkdir(AT_FDCWD, &up, mode);
	user_path_put(&up);
	return err;
}

int kern_mknod(const char *path, u32 mode, u64 rdev)
{
	struct user_path up __uninitialized;
	int err = user_path_kernel(&up, path);

	if (err)
		return err;
	err = fs_mknod(AT_FDCWD, &up, mode, rdev);
	user_path_put(&up);
	return err;
}

int kern_symlink(const char *target, const char *path)
{
	struct user_path up __uninitialized;
	int err = user_path_kernel(&up, path);

	if (err)
		return err;
	err = fs_symlink(target, AT_FDCWD, &up);
	user_path_put(&up);
	return err;
}

int kern_link(const char *old, const char *path)
{
	struct user_path from __uninitialized, to __uninitialized;
	int err = user_path_kernel(&from, old);

	if (err)
		return err;
	err = user_path_kernel(&to, path);
	if (!err) {
		err = fs_link(AT_FDCWD, &from, AT_FDCWD, &to, 0);
		user_path_put(&to);
	}
	user_path_put(&from);
	return err;
}

static int remove(const char *path, bool is_rmdir)
{
	struct user_path up __uninitialized;
	int err = user_path_kernel(&up, path);

	if (err)
		return err;
	err = fs_unlink(AT_FDCWD, &up, is_rmdir);
	user_path_put(&up);
	return err;
}

int kern_unlink(const char *path)
{
	return remove(path, false);
}

int kern_rmdir(const char *path)
{
	return remove(path, true);
}
