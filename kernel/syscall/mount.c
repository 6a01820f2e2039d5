/* SPDX-License-Identifier: MPL-2.0 */
/* mount(2), umount2(2), pivot_root(2). */
#include <lib/string.h>
#include "abi/fcntl.h"
#include "abi/mount.h"
#include "abi/process.h"
#include "fs/calls.h"
#include "mm/alloc.h"
#include "syscall/handlers.h"

struct mount_strings {
	char *type, *source, *data;	/* each may be NULL */
};

static void strings_put(struct mount_strings *s)
{
	kfree(s->type);
	kfree(s->source);
	kfree(s->data);
}

/* A string of at most a page; EINVAL if it is longer, as Linux has it here. */
static int get_string(uaddr_t from, char **out)
{
	char *text;
	ssize_t n;

	if (!from.v)
		return 0;
	text = kmalloc(PAGE_SIZE, ALLOC_SLEEP | ALLOC_USER);
	if (!text)
		return -ENOMEM;
	*out = text;
	n = ucopy_string(current_uspace(), text, from, PAGE_SIZE);
	return n == -ENAMETOOLONG ? -EINVAL : n < 0 ? (int)n : 0;
}

/* mount(2): up to a page, of which as much is taken as is there. */
static int get_data(uaddr_t from, char **out)
{
	size_t missed;

	if (!from.v)
		return 0;
	*out = kmalloc(PAGE_SIZE, ALLOC_SLEEP | ALLOC_USER | ALLOC_ZERO);
	if (!*out)
		return -ENOMEM;
	missed = ucopy_from(current_uspace(), *out, from, PAGE_SIZE - 1);
	return missed == PAGE_SIZE - 1 ? -EFAULT : 0;
}

static int strings_get(const struct syscall_args *a, struct mount_strings *s)
{
	int err = get_string(arg_uaddr(a, 2), &s->type);

	if (!err)
		err = get_string(arg_uaddr(a, 0), &s->source);
	return err ? err : get_data(arg_uaddr(a, 4), &s->data);
}

s64 sys_mount(const struct syscall_args *a)
{
	struct mount_strings s = { NULL, NULL, NULL };
	struct path where;
	s64 err = strings_get(a, &s);

	if (!err)
		err = path_lookup_user(AT_FDCWD, arg_uaddr(a, 1), LOOKUP_FOLLOW, &where);
	if (!err) {
		err = fs_mount(s.source, &where, s.type, a->v[3], s.data);
		path_put(&where);
	}
	strings_put(&s);
	return err;
}

s64 sys_umount2(const struct syscall_args *a)
{
	u32 flags = (u32)a->v[1];
	struct path p;
	s64 err = path_lookup_user(AT_FDCWD, arg_uaddr(a, 0), flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &p);

	return err ? err : fs_umount(&p, flags);
}

s64 sys_pivot_root(const struct syscall_args *a)
{
	struct path new_root, put_old;
	s64 err;

	if (!capable(current_cred()->ns, CAP_SYS_ADMIN))
		return -EPERM;
	err = path_lookup_user(AT_FDCWD, arg_uaddr(a, 0), LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new_root);
	if (err)
		return err;
	err = path_lookup_user(AT_FDCWD, arg_uaddr(a, 1), LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &put_old);
	if (!err) {
		err = fs_pivot_root(&new_root, &put_old);
		path_put(&put_old);
	}
	path_put(&new_root);
	return err;
}
