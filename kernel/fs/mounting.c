/* SPDX-License-Identifier: MPL-2.0 */
/*
 * mount(2), umount2(2): what programs may do to the topology.
 *
 * All of it holds mounts_sem for writing, so mounts cannot come or go meanwhile; the paths involved are looked up before and checked again under it.
 * There is no propagation: every mount is private; the requests to make one shared, slave or unbindable are refused.
 */
#include <lib/string.h>
#include "abi/mount.h"
#include "abi/process.h"
#include "fs/calls.h"
#include "fs/fdtable.h"
#include "fs/internal.h"

static bool may_mount(void)
{
	return capable(current_cred()->ns, CAP_SYS_ADMIN);
}

static bool is_in_our_ns(const struct mount *m)
{
	return m->ns == mntns_current();
}

static bool is_dir(const struct dentry *d)
{
	return S_ISDIR(d->inode->mode);
}

/* The per-mount flags of mount(2)'s; relatime is the default. */
static u32 mount_flags_of(u64 flags)
{
	u32 out = flags & MS_NOATIME ? 0 : MOUNT_RELATIME;

	if (flags & MS_RDONLY)
		out |= MOUNT_RDONLY;
	if (flags & MS_NOSUID)
		out |= MOUNT_NOSUID;
	if (flags & MS_NODEV)
		out |= MOUNT_NODEV;
	if (flags & MS_NOEXEC)
		out |= MOUNT_NOEXEC;
	if (flags & MS_NOATIME)
		out |= MOUNT_NOATIME;
	if (flags & MS_NODIRATIME)
		out |= MOUNT_NODIRATIME;
	if (flags & MS_STRICTATIME)
		out &= ~(u32)(MOUNT_RELATIME | MOUNT_NOATIME);
	return out;
}

#define ATIME_FLAGS (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)
#define MOUNT_ATIME_FLAGS (MOUNT_NOATIME | MOUNT_NODIRATIME | MOUNT_RELATIME)

/* --- Hanging */

/* Hangs m (and what hangs on it) at `where`, on top of what may have been mounted there since the look-up. Takes m's reference over on success. [m] */
static int hang(struct mount *m, struct path *where)
{
	while (mount_down(where))
		;
	if (!is_in_our_ns(where->mnt))
		return -EINVAL;
	if (is_dir(m->root) != is_dir(where->dentry))
		return -ENOTDIR;
	if (where->dentry->inode->flags & INODE_DEAD || (!d_is_hashed(where->dentry) && where->dentry->parent != where->dentry))
		return -ENOENT;
	mount_attach(m, where, where->mnt->ns);
	return 0;
}

static int hang_locked(struct mount *m, const struct path *target)
{
	struct path where = *target;
	int err;

	path_get(&where);
	rwsem_write_lock(&mounts_sem);
	err = hang(m, &where);
	rwsem_write_unlock(&mounts_sem);
	path_put(&where);
	return err;
}

static int mount_new(const char *source, const struct path *where, const char *name, u64 flags, const char *options)
{
	const struct fs_type *type = name ? fs_find(name) : NULL;
	struct super_block *sb;
	struct mount *m;
	int err;

	if (!name)
		return -EINVAL;
	if (!type)
		return -ENODEV;
	err = super_mount(type, source, flags & MS_RDONLY ? SB_RDONLY : 0, options, &sb);
	if (err)
		return err;
	if (where->dentry == where->mnt->root && where->mnt->sb == sb && where->mnt->root == sb->root) {
		super_put(sb);
		return -EBUSY;		/* a single-instance type, mounted here already */
	}
	err = mount_create(sb, sb->root, source, mount_flags_of(flags), &m);
	super_put(sb);
	if (err)
		return err;
	err = hang_locked(m, where);
	if (err)
		mount_put(m);
	return err;
}

/* --- Bind mounts */

static int copy_mount(const struct mount *m, struct dentry *root, struct mount **out)
{
	return mount_create(m->sb, root, m->source, m->flags & MOUNT_USER_FLAGS, out);
}

/* Copies of all that hangs below `from` (within its directory `below`) onto the copy `to`, which does not hang anywhere yet, so that a tree bound into itself
 * is copied once. On failure what was made hangs on `to`. [m] */
static int copy_tree(struct mount *from, const struct dentry *below, struct mount *to)
{
	struct mount *m;
	int err = 0;

	from->copy = to;
	for (m = mount_next(from, from); m && !err; m = mount_next(m, from)) {
		struct path where = { m->parent->copy, m->mountpoint };

		m->copy = NULL;
		if (!where.mnt || (m->parent == from && !d_is_ancestor(below, m->mountpoint)))
			continue;
		err = copy_mount(m, m->root, &m->copy);
		if (!err)
			mount_attach(m->copy, &where, mntns_current());
	}
	return err;
}

static int bind_locked(const struct path *from, struct path *where, bool is_recursive, struct list *dead)
{
	struct mount *m;
	int err;

	if (!is_in_our_ns(from->mnt))
		return -EINVAL;
	err = copy_mount(from->mnt, from->dentry, &m);
	if (err)
		return err;
	if (is_recursive)
		err = copy_tree(from->mnt, from->dentry, m);
	if (!err)
		err = hang(m, where);
	if (err)
		mount_detach(m, dead);
	return err;
}

static int mount_bind(const char *source, const struct path *target, u64 flags)
{
	struct path from, where = *target;
	LIST_HEAD_DEFINE(dead);
	int err;

	if (!source || !*source)
		return -EINVAL;
	err = path_lookup(AT_FDCWD_KEEL, source, LOOKUP_FOLLOW, &from);
	if (err)
		return err;
	path_get(&where);
	rwsem_write_lock(&mounts_sem);
	err = bind_locked(&from, &where, flags & MS_REC, &dead);
	rwsem_write_unlock(&mounts_sem);
	mounts_bury(&dead);
	path_put(&where);
	path_put(&from);
	return err;
}

/* --- Moving */

static int move_locked(const struct path *from, struct path *where, struct dentry **former_point)
{
	struct mount *m = from->mnt;

	while (mount_down(where))
		;
	if (!is_in_our_ns(m) || !is_in_our_ns(where->mnt) || from->dentry != m->root || m->parent == m)
		return -EINVAL;
	if (is_dir(m->root) != is_dir(where->dentry))
		return -EINVAL;
	for (const struct mount *up = where->mnt; ; up = up->parent) {
		if (up == m)
			return -ELOOP;
		if (up->parent == up)
			break;
	}
	*former_point = mount_uproot(m);
	mount_plant(m, where);
	return 0;
}

static int mount_move(const char *source, const struct path *target)
{
	struct dentry *former_point = NULL;
	struct path from, where = *target;
	int err;

	if (!source || !*source)
		return -EINVAL;
	err = path_lookup(AT_FDCWD_KEEL, source, LOOKUP_FOLLOW, &from);
	if (err)
		return err;
	path_get(&where);
	rwsem_write_lock(&mounts_sem);
	err = move_locked(&from, &where, &former_point);
	rwsem_write_unlock(&mounts_sem);
	if (former_point)
		d_put(former_point);
	path_put(&where);
	path_put(&from);
	return err;
}

/* --- Changing what is mounted */

/* MS_REMOUNT without any of the access-time flags keeps them: mount(2). */
static u32 remount_flags(const struct mount *m, u64 flags)
{
	u32 new = mount_flags_of(flags);

	if (!(flags & ATIME_FLAGS))
		new = (new & ~(u32)MOUNT_ATIME_FLAGS) | (m->flags & MOUNT_ATIME_FLAGS);
	return new;
}

static int remount_locked(struct mount *m, u64 flags, const char *options)
{
	u32 new = remount_flags(m, flags);
	int err = 0;

	if (flags & MS_BIND) {
		if ((new & MOUNT_RDONLY) && !(m->flags & MOUNT_RDONLY))
			err = mount_make_readonly(m);
	} else {
		err = super_remount(m->sb, flags & MS_RDONLY ? SB_RDONLY : 0, options);
	}
	if (!err)
		mount_set_flags(m, new);
	return err;
}

static int remount(const struct path *p, u64 flags, const char *options)
{
	int err = -EINVAL;

	rwsem_write_lock(&mounts_sem);
	if (p->dentry == p->mnt->root && is_in_our_ns(p->mnt))
		err = remount_locked(p->mnt, flags, options);
	rwsem_write_unlock(&mounts_sem);
	return err;
}

/* MS_PRIVATE: what every mount is. */
static int change_propagation(const struct path *p, u64 flags)
{
	u64 type = flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE);

	if (p->dentry != p->mnt->root || type != MS_PRIVATE || (flags & ~(MS_PRIVATE | MS_REC | MS_SILENT)))
		return -EINVAL;
	return 0;
}

int fs_mount(const char *source, const struct path *where, const char *type, u64 flags, const char *options)
{
	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~MS_MGC_MSK;
	if (flags & MS_NOUSER)
		return -EINVAL;
	if (!may_mount())
		return -EPERM;
	if (flags & MS_REMOUNT)
		return remount(where, flags, options);
	if (flags & MS_BIND)
		return mount_bind(source, where, flags);
	if (flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))
		return change_propagation(where, flags);
	if (flags & MS_MOVE)
		return mount_move(source, where);
	return mount_new(source, where, type, flags, options);
}

/* --- umount2(2) */

/* Our path's reference and the tree's are all there may be. */
static bool is_busy(const struct mount *m)
{
	return !list_empty(&m->children) || ref_count(&m->refs) > 2;
}

static int expire_locked(struct mount *m)
{
	if (is_busy(m))
		return -EBUSY;
	if (__atomic_fetch_or(&m->flags, MOUNT_EXPIRY_MARK, __ATOMIC_ACQ_REL) & MOUNT_EXPIRY_MARK)
		return 0;
	return -EAGAIN;
}

static int umount_locked(const struct path *p, u32 flags, struct list *dead)
{
	struct mount *m = p->mnt;

	if (p->dentry != m->root || !is_in_our_ns(m))
		return -EINVAL;
	if (flags & MNT_EXPIRE) {
		int err = flags & (MNT_FORCE | MNT_DETACH) ? -EINVAL : expire_locked(m);

		if (err)
			return err;
	}
	if (m->parent == m)
		return flags & MNT_DETACH ? -EINVAL : -EBUSY;	/* the first root stays */
	if (!(flags & MNT_DETACH) && is_busy(m))
		return -EBUSY;
	mount_detach(m, dead);
	return 0;
}

/* Without MNT_DETACH the root of the caller is not taken away but made read-only, as on Linux. */
static int umount_own_root(struct mount *m)
{
	int err;

	rwsem_write_lock(&mounts_sem);
	err = super_remount(m->sb, SB_RDONLY, NULL);
	rwsem_write_unlock(&mounts_sem);
	return err;
}

static int umount(const struct path *p, u32 flags, struct list *dead)
{
	struct path root;
	bool is_own_root;
	int err;

	if (!may_mount())
		return -EPERM;
	fsctx_root(&root);
	is_own_root = p->mnt == root.mnt && p->dentry == p->mnt->root;
	path_put(&root);
	if (is_own_root && (flags & MNT_EXPIRE))
		return -EINVAL;
	if (is_own_root && !(flags & MNT_DETACH))
		return umount_own_root(p->mnt);
	rwsem_write_lock(&mounts_sem);
	err = umount_locked(p, flags, dead);
	rwsem_write_unlock(&mounts_sem);
	return err;
}

int fs_umount(const struct path *p, u32 flags)
{
	LIST_HEAD_DEFINE(dead);
	int err = umount(p, flags, &dead);

	mounts_bury(&dead);
	d_put(p->dentry);
	mount_put_unexpired(p->mnt);	/* our own look is no use */
	return err;
}

/* --- pivot_root(2) */

static int check_pivot(const struct path *new, const struct path *old, const struct path *root)
{
	const struct mount *m;

	if (!is_in_our_ns(new->mnt) || !is_in_our_ns(old->mnt) || !is_in_our_ns(root->mnt))
		return -EINVAL;
	if (new->dentry->inode->flags & INODE_DEAD)
		return -ENOENT;
	if (new->mnt == root->mnt || old->mnt == root->mnt)
		return -EBUSY;
	if (root->dentry != root->mnt->root || root->mnt->parent == root->mnt || new->dentry != new->mnt->root || new->mnt->parent == new->mnt)
		return -EINVAL;
	/* put_old must be at or below new_root, and new_root below the root. */
	for (m = old->mnt; m != new->mnt; m = m->parent)
		if (m->parent == m)
			return -EINVAL;
	if (old->mnt == new->mnt && !d_is_ancestor(new->dentry, old->dentry))
		return -EINVAL;
	for (m = new->mnt; m != root->mnt; m = m->parent)
		if (m->parent == m)
			return -EINVAL;
	return 0;
}

/* new_root takes root's place; root goes to put_old. Paths pin what they need; *points gets the mountpoints let go. */
static int pivot_locked(const struct path *new, struct path *old, const struct path *root, struct dentry *points[2])
{
	struct path place;
	int err;

	while (mount_down(old))
		;
	err = check_pivot(new, old, root);
	if (err)
		return err;
	place = (struct path){ root->mnt->parent, root->mnt->mountpoint };
	points[0] = mount_uproot(new->mnt);
	points[1] = mount_uproot(root->mnt);
	mount_plant(root->mnt, old);
	mount_plant(new->mnt, &place);
	return 0;
}

int fs_pivot_root(const struct path *new_root, const struct path *put_old)
{
	struct dentry *points[2] = { NULL, NULL };
	struct path root, old = *put_old;
	int err;

	if (!may_mount())
		return -EPERM;
	fsctx_root(&root);
	path_get(&old);
	rwsem_write_lock(&mounts_sem);
	err = pivot_locked(new_root, &old, &root, points);
	rwsem_write_unlock(&mounts_sem);
	if (!err) {
		fsctx_replace_all(&root, new_root);
		d_put(points[0]);
		d_put(points[1]);
	}
	path_put(&old);
	path_put(&root);
	return err;
}
