/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters of setxattr(2), getxattr(2), listxattr(2), removexattr(2) and their l- and f- kinds: names and values in and out. */
#include "abi/fcntl.h"
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "fs/xattr.h"
#include "mm/alloc.h"
#include "syscall/handlers.h"

/* What a call is about: a path that is looked up, or a descriptor's. */
enum target { FOLLOW, NO_FOLLOW, DESCRIPTOR };

struct subject {
	struct path path;
	struct fdref fd;
	enum target target;
};

static int subject_begin(struct subject *s, enum target target, u64 arg)
{
	int err;

	s->target = target;
	if (target != DESCRIPTOR)
		return path_lookup_user(AT_FDCWD, uaddr(arg), target == FOLLOW ? LOOKUP_FOLLOW : 0, &s->path);
	err = fd_borrow((s32)arg, &s->fd);
	if (!err)
		s->path = s->fd.file->path;
	return err;
}

static void subject_end(struct subject *s)
{
	if (s->target == DESCRIPTOR)
		fd_end(&s->fd);
	else
		path_put(&s->path);
}

static int get_name(char name[XATTR_NAME_BYTES], u64 arg)
{
	ssize_t n = ucopy_string(current_uspace(), name, uaddr(arg), XATTR_NAME_BYTES);

	if (n == -ENAMETOOLONG || n == 0)
		return -ERANGE;
	return n < 0 ? (int)n : 0;
}

/* --- set, remove */

static s64 set_value(const struct path *p, const struct syscall_args *a)
{
	char name[XATTR_NAME_BYTES];
	size_t size = a->v[3];
	void *value;
	int err = get_name(name, a->v[1]);

	if (err)
		return err;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	value = kmalloc(size + 1, ALLOC_USER);
	if (!value)
		return -ENOMEM;
	err = size ? uget(value, arg_uaddr(a, 2), size) : 0;
	if (!err)
		err = xattr_set(p, name, value, size, (u32)a->v[4]);
	kfree(value);
	return err;
}

static s64 set(const struct syscall_args *a, enum target target)
{
	struct subject s;
	s64 ret = subject_begin(&s, target, a->v[0]);

	if (ret)
		return ret;
	ret = set_value(&s.path, a);
	subject_end(&s);
	return ret;
}

static s64 remove(const struct syscall_args *a, enum target target)
{
	char name[XATTR_NAME_BYTES];
	struct subject s;
	s64 ret = subject_begin(&s, target, a->v[0]);

	if (ret)
		return ret;
	ret = get_name(name, a->v[1]);
	if (!ret)
		ret = xattr_remove(&s.path, name);
	subject_end(&s);
	return ret;
}

/* --- get, list: name NULL lists */

static ssize_t fetch(const struct path *p, const char *name, uaddr_t to, size_t size)
{
	size_t max = min(size, (size_t)(name ? XATTR_SIZE_MAX : XATTR_LIST_MAX));
	void *buf = max ? kmalloc(max, ALLOC_USER) : NULL;
	ssize_t n;

	if (max && !buf)
		return -ENOMEM;
	n = name ? xattr_get(p, name, buf, max) : xattr_list(p, buf, max);
	if (n > 0 && max && uput(to, buf, (size_t)n))
		n = -EFAULT;
	if (n == -ERANGE && size > max)
		n = -E2BIG;
	kfree(buf);
	return n;
}

static s64 get(const struct syscall_args *a, enum target target)
{
	char name[XATTR_NAME_BYTES];
	struct subject s;
	s64 ret = subject_begin(&s, target, a->v[0]);

	if (ret)
		return ret;
	ret = get_name(name, a->v[1]);
	if (!ret)
		ret = fetch(&s.path, name, arg_uaddr(a, 2), a->v[3]);
	subject_end(&s);
	return ret;
}

static s64 list(const struct syscall_args *a, enum target target)
{
	struct subject s;
	s64 ret = subject_begin(&s, target, a->v[0]);

	if (ret)
		return ret;
	ret = fetch(&s.path, NULL, arg_uaddr(a, 1), a->v[2]);
	subject_end(&s);
	return ret;
}

s64 sys_setxattr(const struct syscall_args *a)
{
	return set(a, FOLLOW);
}

s64 sys_lsetxattr(const struct syscall_args *a)
{
	return set(a, NO_FOLLOW);
}

s64 sys_fsetxattr(const struct syscall_args *a)
{
	return set(a, DESCRIPTOR);
}

s64 sys_getxattr(const struct syscall_args *a)
{
	return get(a, FOLLOW);
}

s64 sys_lgetxattr(const struct syscall_args *a)
{
	return get(a, NO_FOLLOW);
}

s64 sys_fgetxattr(const struct syscall_args *a)
{
	return get(a, DESCRIPTOR);
}

s64 sys_listxattr(const struct syscall_args *a)
{
	return list(a, FOLLOW);
}

s64 sys_llistxattr(const struct syscall_args *a)
{
	return list(a, NO_FOLLOW);
}

s64 sys_flistxattr(const struct syscall_args *a)
{
	return list(a, DESCRIPTOR);
}

s64 sys_removexattr(const struct syscall_args *a)
{
	return remove(a, FOLLOW);
}

s64 sys_lremovexattr(const struct syscall_args *a)
{
	return remove(a, NO_FOLLOW);
}

s64 sys_fremovexattr(const struct syscall_args *a)
{
	return remove(a, DESCRIPTOR);
}
