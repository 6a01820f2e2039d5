/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters: user and group ids, capabilities. */
#include "abi/process.h"
#include "proc/identity.h"
#include "proc/thread.h"
#include "syscall/args.h"
#include "syscall/handlers.h"

/* --- reading */

static s64 uid_out(kuid_t uid)
{
	return from_kuid(current_cred()->ns, uid);
}

static s64 gid_out(kgid_t gid)
{
	return from_kgid(current_cred()->ns, gid);
}

s64 sys_getuid(const struct syscall_args *a)
{
	(void)a;
	return uid_out(current_cred()->uid);
}

s64 sys_geteuid(const struct syscall_args *a)
{
	(void)a;
	return uid_out(current_cred()->euid);
}

s64 sys_getgid(const struct syscall_args *a)
{
	(void)a;
	return gid_out(current_cred()->gid);
}

s64 sys_getegid(const struct syscall_args *a)
{
	(void)a;
	return gid_out(current_cred()->egid);
}

static s64 put_ids(const struct syscall_args *a, s64 first, s64 second, s64 third)
{
	const u32 ids[3] = { (u32)first, (u32)second, (u32)third };

	for (u32 i = 0; i < 3; i++)
		if (uput(arg_uaddr(a, i), &ids[i], sizeof(ids[i])))
			return -EFAULT;
	return 0;
}

s64 sys_getresuid(const struct syscall_args *a)
{
	const struct cred *c = current_cred();

	return put_ids(a, uid_out(c->uid), uid_out(c->euid), uid_out(c->suid));
}

s64 sys_getresgid(const struct syscall_args *a)
{
	const struct cred *c = current_cred();

	return put_ids(a, gid_out(c->gid), gid_out(c->egid), gid_out(c->sgid));
}

s64 sys_getgroups(const struct syscall_args *a)
{
	const struct group_list *g = current_cred()->groups;
	s32 size = (s32)a->v[0];

	if (size < 0 || (size && (u32)size < g->n))
		return -EINVAL;
	for (u32 i = 0; size && i < g->n; i++) {
		u32 id = (u32)gid_out(g->gid[i]);

		if (uput(uaddr_add(arg_uaddr(a, 1), i * sizeof(id)), &id, sizeof(id)))
			return -EFAULT;
	}
	return g->n;
}

/* --- changing */

s64 sys_setuid(const struct syscall_args *a)
{
	return identity_setuid((u32)a->v[0]);
}

s64 sys_setgid(const struct syscall_args *a)
{
	return identity_setgid((u32)a->v[0]);
}

s64 sys_setreuid(const struct syscall_args *a)
{
	return identity_setreuid((u32)a->v[0], (u32)a->v[1]);
}

s64 sys_setregid(const struct syscall_args *a)
{
	return identity_setregid((u32)a->v[0], (u32)a->v[1]);
}

s64 sys_setresuid(const struct syscall_args *a)
{
	return identity_setresuid((u32)a->v[0], (u32)a->v[1], (u32)a->v[2]);
}

s64 sys_setresgid(const struct syscall_args *a)
{
	return identity_setresgid((u32)a->v[0], (u32)a->v[1], (u32)a->v[2]);
}

s64 sys_setfsuid(const struct syscall_args *a)
{
	return identity_setfsuid((u32)a->v[0]);
}

s64 sys_setfsgid(const struct syscall_args *a)
{
	return identity_setfsgid((u32)a->v[0]);
}

static int get_groups(uaddr_t from, u32 n, struct group_list **out)
{
	struct group_list *g;
	int err = groups_create(n, &g);

	if (err)
		return err;
	for (u32 i = 0; i < n; i++) {
		u32 id;

		err = uget(&id, uaddr_add(from, i * sizeof(id)), sizeof(id));
		if (!err && !make_kgid(current_cred()->ns, id, &g->gid[i]))
			err = -EINVAL;
		if (err) {
			groups_put(g);
			return err;
		}
	}
	groups_sort(g);
	*out = g;
	return 0;
}

s64 sys_setgroups(const struct syscall_args *a)
{
	struct group_list *g;
	int err;

	if (!capable(current_cred()->ns, CAP_SETGID))
		return -EPERM;
	if ((u32)a->v[0] > NGROUPS_MAX_KEEL)
		return -EINVAL;
	err = get_groups(arg_uaddr(a, 1), (u32)a->v[0], &g);
	return err ? err : identity_setgroups(g);
}

/* --- capabilities: one or two 32-bit halves, by the version in the header (capget(2)) */

/* 0 with the number of halves; -EINVAL with the version we prefer written back, as a probe asks for. */
static int get_header(uaddr_t from, struct __user_cap_header_struct *h, u32 *halves)
{
	const u32 preferred = _LINUX_CAPABILITY_VERSION_3;

	if (uget(h, from, sizeof(*h)))
		return -EFAULT;
	switch (h->version) {
	case _LINUX_CAPABILITY_VERSION_1:
		*halves = 1;
		return 0;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3:
		*halves = 2;
		return 0;
	default:
		return uput(from, &preferred, sizeof(preferred)) ? -EFAULT : -EINVAL;
	}
}

s64 sys_capget(const struct syscall_args *a)
{
	struct __user_cap_header_struct h;
	struct __user_cap_data_struct data[2];
	struct cap_sets sets;
	struct thread *t;
	u32 halves;
	int err = get_header(arg_uaddr(a, 0), &h, &halves);

	if (err)
		return err == -EINVAL && !a->v[1] ? 0 : err;
	if (h.pid < 0)
		return -EINVAL;
	t = h.pid ? thread_find_get(h.pid) : current_thread();
	if (!t)
		return -ESRCH;
	identity_capget(t, &sets);
	if (h.pid)
		thread_put(t);
	if (!a->v[1])
		return 0;
	for (u32 i = 0; i < 2; i++)
		data[i] = (struct __user_cap_data_struct){
			.effective = (u32)(sets.effective >> 32 * i), .permitted = (u32)(sets.permitted >> 32 * i),
			.inheritable = (u32)(sets.inheritable >> 32 * i),
		};
	return uput(arg_uaddr(a, 1), data, halves * sizeof(data[0]));
}

s64 sys_capset(const struct syscall_args *a)
{
	struct __user_cap_header_struct h;
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
	struct cap_sets sets;
	u32 halves;
	int err = get_header(arg_uaddr(a, 0), &h, &halves);

	if (err)
		return err;
	if (h.pid && h.pid != thread_tid(current_thread()))
		return -EPERM;
	if (uget(data, arg_uaddr(a, 1), halves * sizeof(data[0])))
		return -EFAULT;
	sets = (struct cap_sets){
		data[0].effective | (u64)data[1].effective << 32, data[0].permitted | (u64)data[1].permitted << 32,
		data[0].inheritable | (u64)data[1].inheritable << 32,
	};
	return identity_capset(&sets);
}
