/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Calls about one existing file: stat, access, readlink, and the changes of its attributes.
 *
 * stat(2) of a name in the cache happens under RCU alone: attributes are read while the walk's sequence counts hold still.
 */
#include <lib/string.h>
#include "abi/process.h"
#include "abi/signal.h"
#include "fs/leases.h"
#include "fs/calls.h"
#include "fs/seals.h"
#include "fs/walk.h"

int fs_lookup(s32 dirfd, const struct user_path *up, u32 lookup, struct path *out)
{
	struct walk w __uninitialized;
	int err;

	walk_init(&w, dirfd, up, lookup);
	err = walk_to_end(&w);
	if (likely(!err))
		walk_take(&w, out);
	walk_end(&w);
	return err;
}

int path_lookup(s32 dirfd, const char *text, u32 flags, struct path *out)
{
	struct user_path up __uninitialized;
	int err = user_path_kernel(&up, text);

	if (err)
		return err;
	err = up.len || (flags & LOOKUP_EMPTY) ? fs_lookup(dirfd, &up, flags, out) : -ENOENT;
	user_path_put(&up);
	return err;
}

int path_lookup_user(s32 dirfd, uaddr_t addr, u32 flags, struct path *out)
{
	struct user_path up __uninitialized;
	int err = user_path_get(&up, addr, flags);

	if (err)
		return err;
	err = fs_lookup(dirfd, &up, flags, out);
	user_path_put(&up);
	return err;
}

/* --- Queries */

static int stat_rcu(struct walk *w, struct kstat *st)
{
	int err = walk_rcu_start(w);

	if (unlikely(err))
		return err;
	if (likely(!w->inode->ops->getattr)) {
		generic_fill_stat(w->inode, st);
		stat_add_mount(&w->at, st);
		return walk_rcu_done(w);
	}
	walk_rcu_leave(w);
	return WALK_UNSURE;
}

int fs_stat(s32 dirfd, const struct user_path *up, u32 lookup, struct kstat *st)
{
	struct walk w __uninitialized;
	int err;

	walk_init(&w, dirfd, up, lookup);
	err = stat_rcu(&w, st);
	if (unlikely(err == WALK_UNSURE)) {
		err = walk_retry_referenced(&w);
		if (!err)
			err = vfs_getattr(&w.at, st);
	}
	walk_end(&w);
	return err;
}

/* access(2): the answer for the real ids, with the capabilities they would have: all permitted ones for root, else none. */
static int real_ids(struct cred **out)
{
	struct cred *c;
	int err = cred_prepare(&c);

	if (err)
		return err;
	c->fsuid = c->uid;
	c->fsgid = c->gid;
	if (!(c->securebits & 4))	/* SECBIT_NO_SETUID_FIXUP */
		c->effective = kuid_eq(c->uid, KUID_ROOT) ? c->permitted : 0;
	*out = c;
	return 0;
}

static int access_path(const struct path *p, u32 mask)
{
	struct inode *i = p->dentry->inode;
	int err;

	if (!mask)
		return 0;
	if ((mask & MAY_EXEC) && S_ISREG(i->mode) && (READ_ONCE(p->mnt->flags) & MOUNT_NOEXEC))
		return -EACCES;
	err = inode_permission(i, mask);
	if (err || !(mask & MAY_WRITE) || !(S_ISREG(i->mode) || S_ISDIR(i->mode) || S_ISLNK(i->mode)))
		return err;
	return READ_ONCE(p->mnt->flags) & MOUNT_RDONLY ? -EROFS : 0;
}

static int access_as_now(s32 dirfd, const struct user_path *up, u32 lookup, u32 mask)
{
	struct path p;
	int err = fs_lookup(dirfd, up, lookup, &p);

	if (err)
		return err;
	err = access_path(&p, mask);
	path_put(&p);
	return err;
}

int fs_access(s32 dirfd, const struct user_path *up, u32 lookup, u32 mask, bool use_effective)
{
	const struct cred *now = current_cred();
	struct cred *real, *back;
	int err;

	if (use_effective || (kuid_eq(now->uid, now->fsuid) && kgid_eq(now->gid, now->fsgid) &&
			      (!kuid_eq(now->uid, KUID_ROOT) ? !now->effective : now->effective == now->permitted)))
		return access_as_now(dirfd, up, lookup, mask);
	err = real_ids(&real);
	if (err)
		return err;
	err = cred_prepare(&back);
	if (err) {
		cred_abandon(real);
		return err;
	}
	cred_commit(real);
	err = access_as_now(dirfd, up, lookup, mask);
	cred_commit(back);
	return err;
}

static ssize_t magic_text(const struct path *p, char *buf, size_t max)
{
	struct inode *i = p->dentry->inode;

	return i->ops->readlink ? i->ops->readlink(i, buf, max) : -EINVAL;
}

/* readlink(2): EINVAL if it is none; with an empty path and an O_PATH descriptor of a link, that link (ENOENT for others, as Linux has it). */
ssize_t fs_readlink(s32 dirfd, const struct user_path *up, char *buf, size_t max)
{
	struct inode *i;
	struct path p;
	ssize_t n = fs_lookup(dirfd, up, LOOKUP_EMPTY, &p);

	if (n)
		return n;
	i = p.dentry->inode;
	if (!S_ISLNK(i->mode)) {
		n = up->len ? -EINVAL : -ENOENT;
	} else {
		path_touch_atime(&p);
		if (i->link) {
			n = (ssize_t)min(strlen(i->link), max);
			memcpy(buf, i->link, (size_t)n);
		} else {
			n = magic_text(&p, buf, max);
		}
	}
	path_put(&p);
	return n;
}

/* --- Changes */

int fs_chmod(const struct path *p, u32 mode)
{
	struct iattr a = { .valid = ATTR_MODE, .mode = mode & 07777 };

	if (S_ISLNK(p->dentry->inode->mode))
		return -EOPNOTSUPP;
	return vfs_setattr(p, &a);
}

int fs_chown(const struct path *p, u32 uid, u32 gid)
{
	struct user_ns *ns = current_cred()->ns;
	struct iattr a = { 0 };

	if (uid != ~0u) {
		if (!make_kuid(ns, uid, &a.uid))
			return -EINVAL;
		a.valid |= ATTR_UID;
	}
	if (gid != ~0u) {
		if (!make_kgid(ns, gid, &a.gid))
			return -EINVAL;
		a.valid |= ATTR_GID;
	}
	if (!S_ISDIR(p->dentry->inode->mode))
		a.valid |= ATTR_KILL_PRIV;
	return vfs_setattr(p, &a);
}

/* truncate(2), setrlimit(2). `valid` adds ATTR_OPEN for O_TRUNC. */
int truncate_path(const struct path *p, u64 size, u32 valid)
{
	struct inode *i = p->dentry->inode;
	struct iattr a = { .valid = ATTR_SIZE | valid, .size = size };
	int err;

	rwsem_write_lock(&i->lock);
	if (size > i->mapping.size && size > fs_policy_file_size_limit()) {
		rwsem_write_unlock(&i->lock);
		fs_policy_signal(SIGXFSZ);
		return -EFBIG;
	}
	if (!capable(i->sb->user_ns, CAP_FSETID))
		a.valid |= ATTR_KILL_PRIV;
	err = seals_check_size(&i->mapping, size);
	if (!err)
		err = vfs_setattr_locked(p, &a);
	rwsem_write_unlock(&i->lock);
	return err;
}

int fs_truncate(const struct path *p, s64 size)
{
	struct inode *i = p->dentry->inode;
	int err;

	if (S_ISDIR(i->mode))
		return -EISDIR;
	if (!S_ISREG(i->mode))
		return -EINVAL;
	err = mnt_want_write(p->mnt);
	if (err)
		return err;
	err = inode_permission(i, MAY_WRITE);
	if (!err && (i->flags & INODE_APPEND))
		err = -EPERM;
	if (!err)
		err = inode_writable_get(i);
	if (!err) {
		if (unlikely(LOAD_ACQUIRE(i->leases)))
			err = lease_break(i, true, false);
		if (!err)
			err = truncate_path(p, (u64)size, 0);
		inode_writable_put(i);
	}
	mnt_drop_write(p->mnt);
	return err;
}

int file_truncate(struct file *f, s64 size)
{
	if (size < 0 || !S_ISREG(f->inode->mode) || !(f->mode & FMODE_WRITE))
		return -EINVAL;
	if (f->inode->flags & INODE_APPEND)
		return -EPERM;
	return truncate_path(&f->path, (u64)size, ATTR_OPEN);
}

int fs_chdir(const struct path *p)
{
	int err;

	if (!S_ISDIR(p->dentry->inode->mode))
		return -ENOTDIR;
	err = inode_permission(p->dentry->inode, MAY_EXEC);
	if (!err)
		fsctx_set_cwd(p);
	return err;
}

int fs_chroot(const struct path *p)
{
	int err;

	if (!S_ISDIR(p->dentry->inode->mode))
		return -ENOTDIR;
	err = inode_permission(p->dentry->inode, MAY_EXEC);
	if (err)
		return err;
	if (!capable(current_cred()->ns, CAP_SYS_CHROOT))
		return -EPERM;
	fsctx_set_root(p);
	return 0;
}
