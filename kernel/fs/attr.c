/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Attributes: chmod(2), chown(2), utimensat(2), truncate(2) come down to one struct iattr, checked by setattr_check and applied by the file system's
 * setattr or setattr_apply, both under the inode's lock; and stat(2) in the other direction.
 */
#include "abi/process.h"
#include "fs/internal.h"
#include "fs/notify.h"

#define ATTR_TIMES_SET (ATTR_ATIME | ATTR_MTIME)

static bool may_chown(const struct inode *i, const struct iattr *a)
{
	const struct cred *c = current_cred();
	bool is_owner = kuid_eq(i->uid, c->fsuid);

	if (capable(i->sb->user_ns, CAP_CHOWN))
		return true;
	if ((a->valid & ATTR_UID) && !(is_owner && kuid_eq(a->uid, i->uid)))
		return false;
	if ((a->valid & ATTR_GID) && !(is_owner && (cred_in_group(c, a->gid) || kgid_eq(a->gid, i->gid))))
		return false;
	return true;
}

int setattr_check(struct inode *i, const struct iattr *a)
{
	if (a->valid & ATTR_SIZE)
		if (a->size > i->sb->max_bytes)
			return -EFBIG;
	if ((a->valid & (ATTR_UID | ATTR_GID)) && !may_chown(i, a))
		return -EPERM;
	if ((a->valid & ATTR_MODE) && !inode_owner_or_capable(i))
		return -EPERM;
	if (a->valid & (ATTR_TIMES_SET | ATTR_ATIME_NOW | ATTR_MTIME_NOW)) {
		if ((a->valid & ATTR_TOUCH) && !(i->flags & (INODE_IMMUTABLE | INODE_APPEND)))
			return inode_owner_or_capable(i) ? 0 : inode_permission(i, MAY_WRITE);
		if (!inode_owner_or_capable(i))
			return -EPERM;
	}
	return 0;
}

/* chmod(2): the setgid bit is dropped for a caller outside the file's group. */
static void apply_mode(struct inode *i, u32 mode, kgid_t gid)
{
	if ((mode & S_ISGID) && !S_ISDIR(i->mode) && !cred_in_group(current_cred(), gid) && !capable(i->sb->user_ns, CAP_FSETID))
		mode &= ~(u32)S_ISGID;
	WRITE_ONCE(i->mode, (i->mode & S_IFMT) | (mode & ~(u32)S_IFMT));
}

/* chown(2), write(2), truncate(2): setuid goes, and setgid if the group may execute. */
static u32 without_privileges(u32 mode)
{
	if (!S_ISREG(mode))
		return mode;
	mode &= ~(u32)S_ISUID;
	return mode & S_IXGRP ? mode & ~(u32)S_ISGID : mode;
}

static void apply_times(struct inode *i, const struct iattr *a)
{
	struct timespec_k now;

	time_now_coarse(&now);
	spin_lock(&i->times_lock);
	seq_write_begin(&i->times_seq);
	if (a->valid & ATTR_ATIME_NOW)
		i->atime = now;
	else if (a->valid & ATTR_ATIME)
		i->atime = a->atime;
	if (a->valid & ATTR_MTIME_NOW)
		i->mtime = now;
	else if (a->valid & ATTR_MTIME)
		i->mtime = a->mtime;
	i->ctime = now;
	seq_write_end(&i->times_seq);
	spin_unlock(&i->times_lock);
}

void setattr_apply(struct inode *i, const struct iattr *a)
{
	struct iattr times = *a;

	if (a->valid & ATTR_UID)
		i->uid = a->uid;
	if (a->valid & ATTR_GID)
		i->gid = a->gid;
	if (a->valid & ATTR_KILL_PRIV)
		WRITE_ONCE(i->mode, without_privileges(i->mode));
	if (a->valid & ATTR_MODE)
		apply_mode(i, a->mode, i->gid);
	if (a->valid & ATTR_SIZE) {
		bool changes = a->size != READ_ONCE(i->mapping.size) || READ_ONCE(i->mapping.n_pages);

		mapping_truncate(&i->mapping, a->size);
		/* truncate(2) of a path leaves the times of a file without pages whose size stays; ftruncate and O_TRUNC (ATTR_OPEN) set them, as on Linux. */
		if (changes || (a->valid & ATTR_OPEN))
			times.valid |= ATTR_MTIME_NOW;
		else if (a->valid == ATTR_SIZE)
			return;
	}
	apply_times(i, &times);
}

/* What inotify(7) tells of a change: setting one of the two times looks like the access or write that would have set it. */
static u32 events_of(u32 valid)
{
	bool has_atime = valid & (ATTR_ATIME | ATTR_ATIME_NOW), has_mtime = valid & (ATTR_MTIME | ATTR_MTIME_NOW);
	u32 mask = valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_KILL_PRIV) ? NOTIFY_ATTRIB : 0;

	if (valid & ATTR_SIZE)
		mask |= NOTIFY_MODIFY;
	if (has_atime && has_mtime)
		return mask | NOTIFY_ATTRIB;
	return mask | (has_atime ? NOTIFY_ACCESS : has_mtime ? NOTIFY_MODIFY : 0);
}

int vfs_setattr_locked(const struct path *p, struct iattr *a)
{
	struct inode *i = p->dentry->inode;
	int err = 0;

	if (i->flags & (INODE_IMMUTABLE | INODE_APPEND))
		if (a->valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_TIMES_SET | ATTR_SIZE))
			return -EPERM;
	if ((a->valid & ATTR_KILL_PRIV) && without_privileges(i->mode) == i->mode)
		a->valid &= ~(u32)ATTR_KILL_PRIV;
	err = setattr_check(i, a);
	if (err)
		return err;
	if (i->ops->setattr)
		err = i->ops->setattr(i, a);
	else
		setattr_apply(i, a);
	if (!err)
		notify_change(p->dentry, events_of(a->valid));
	return err;
}

int vfs_setattr(const struct path *p, struct iattr *a)
{
	int err = mnt_want_write(p->mnt);

	if (err)
		return err;
	rwsem_write_lock(&p->dentry->inode->lock);
	err = vfs_setattr_locked(p, a);
	rwsem_write_unlock(&p->dentry->inode->lock);
	mnt_drop_write(p->mnt);
	return err;
}

/* What root may not keep: others' setuid programs stay what they were. The caller holds the inode lock and writes. */
bool inode_drop_privileges(struct inode *i)
{
	u32 mode = i->mode, clean;

	if (likely(!(mode & (S_ISUID | S_ISGID))))
		return false;
	clean = without_privileges(mode);
	if (clean == mode || capable(i->sb->user_ns, CAP_FSETID))
		return false;
	WRITE_ONCE(i->mode, clean);
	inode_touch(i, ATTR_CTIME);
	return true;
}

/* --- stat */

void generic_fill_stat(const struct inode *i, struct kstat *st)
{
	u32 seq;

	st->ino = i->ino;
	st->size = READ_ONCE(i->mapping.size);
	st->blocks = READ_ONCE(i->blocks) + READ_ONCE(i->mapping.n_pages) * (PAGE_SIZE / 512);
	st->dev = i->sb->dev;
	st->rdev = i->rdev;
	st->mode = READ_ONCE(i->mode);
	st->nlink = READ_ONCE(i->nlink);
	st->blksize = i->sb->blksize;
	st->uid = i->uid;
	st->gid = i->gid;
	do {
		seq = seq_read_begin(&i->times_seq);
		st->atime = i->atime;
		st->mtime = i->mtime;
		st->ctime = i->ctime;
		st->btime = i->btime;
	} while (seq_read_retry(&i->times_seq, seq));
	st->attributes = (i->flags & INODE_IMMUTABLE ? STATX_ATTR_IMMUTABLE : 0) | (i->flags & INODE_APPEND ? STATX_ATTR_APPEND : 0);
	st->attributes_mask = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP;
	st->mnt_id = 0;
	st->has_btime = true;
}

/* What the place says, whatever the file system: statx(2). */
void stat_add_mount(const struct path *p, struct kstat *st)
{
	st->mnt_id = p->mnt->id;
	st->attributes_mask |= STATX_ATTR_MOUNT_ROOT | STATX_ATTR_AUTOMOUNT | STATX_ATTR_DAX;
	if (p->dentry == p->mnt->root)
		st->attributes |= STATX_ATTR_MOUNT_ROOT;
}

int vfs_getattr(const struct path *p, struct kstat *st)
{
	struct inode *i = p->dentry->inode;
	int err = 0;

	if (i->ops->getattr)
		err = i->ops->getattr(p, st);
	else
		generic_fill_stat(i, st);
	stat_add_mount(p, st);
	return err;
}
