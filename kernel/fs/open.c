/* SPDX-License-Identifier: MPL-2.0 */
/*
 * open(2): resolving, creating, checking.
 *
 * O_CREAT: the parent is resolved, then the name is looked up with the directory locked, so that finding nothing and creating is one step (O_EXCL).
 * A name found in the cache needs no lock. A symlink at the end is followed and the step done again at its target's parent.
 */
#include <lib/printf.h>
#include "abi/fcntl.h"
#include "abi/process.h"
#include "fs/calls.h"
#include "fs/notify.h"
#include "fs/walk.h"

static u32 access_of(u32 flags)
{
	static const u8 by_mode[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };
	u32 mask = by_mode[flags & O_ACCMODE];

	return flags & O_TRUNC ? mask | MAY_WRITE : mask;
}

/* What is there and may it be opened so? */
static int may_open(const struct path *p, u32 flags)
{
	struct inode *i = p->dentry->inode;
	u32 mask = access_of(flags), mnt = READ_ONCE(p->mnt->flags);
	int err;

	switch (i->mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		if (mask & MAY_WRITE)
			return -EISDIR;
		break;
	case S_IFCHR:
	case S_IFBLK:
		if (mnt & MOUNT_NODEV)
			return -EACCES;
		break;
	}
	/* Devices, FIFOs and sockets are not written to by writing to them. */
	err = inode_permission(i, mask);
	if (err)
		return err;
	if ((mask & MAY_WRITE) && S_ISREG(i->mode) && (mnt & MOUNT_RDONLY))
		return -EROFS;
	if ((i->flags & INODE_APPEND) && (((mask & MAY_WRITE) && !(flags & O_APPEND)) || (flags & O_TRUNC)))
		return -EPERM;
	if ((flags & O_NOATIME) && !inode_owner_or_capable(i))
		return -EPERM;
	return 0;
}

static int open_and_truncate(const struct path *p, u32 flags, struct file **out)
{
	int err = mnt_want_write(p->mnt);

	if (err)
		return err;
	err = file_open_path(p, flags, current_cred(), out);
	if (!err) {
		err = truncate_path(p, 0, ATTR_OPEN);
		if (err)
			file_put(*out);
	}
	mnt_drop_write(p->mnt);
	return err;
}

static int open_found(const struct path *p, u32 flags, struct file **out)
{
	struct inode *i = p->dentry->inode;
	int err;

	if ((flags & O_CREAT) && S_ISDIR(i->mode))
		return flags & O_EXCL ? -EEXIST : -EISDIR;
	if ((flags & O_DIRECTORY) && !S_ISDIR(i->mode))
		return -ENOTDIR;
	err = may_open(p, flags);
	if (err)
		return err;
	if (!(flags & O_TRUNC) || !S_ISREG(i->mode))
		return file_open_path(p, flags, current_cred(), out);
	err = inode_writable_get(i);	/* an O_RDONLY open truncates too */
	if (err)
		return err;
	err = open_and_truncate(p, flags, out);
	inode_writable_put(i);
	return err;
}

static int open_plain(struct walk *w, u32 flags, struct file **out)
{
	int err = walk_to_end(w);

	if (unlikely(err))
		return err;
	return flags & O_PATH ? file_open_path(&w->at, flags, current_cred(), out) : open_found(&w->at, flags, out);
}

/* --- O_CREAT */

static int create_locked(struct inode *dir, struct dentry *d, u32 mode, int write_err)
{
	int err = write_err ? write_err : may_create_in(dir);

	if (err)
		return err;
	return dir->ops->create ? dir->ops->create(dir, d, S_IFREG | (mode & 07777 & ~fsctx_umask())) : -EACCES;
}

/* The last name's entry, positive; *is_new: it was made now. */
static int find_or_create(struct walk *w, u32 mode, struct dentry **out, bool *is_new)
{
	struct inode *dir = w->inode;
	struct dentry *d = d_lookup(w->at.dentry, &w->last);
	int err, write_err;

	*is_new = false;
	*out = d;
	if (d && !d_is_negative(d) && !(d_flags(d) & (D_IN_LOOKUP | D_REVALIDATE)))
		return 0;
	if (d)
		d_put(d);
	write_err = mnt_want_write(w->at.mnt);
	rwsem_write_lock_nested(&dir->lock, INODE_PARENT);
	err = d_lookup_fs(w->at.dentry, &w->last, true, &d);
	if (!err && d_is_negative(d)) {
		err = create_locked(dir, d, mode, write_err);
		*is_new = !err;
		if (err)
			d_put(d);
		else
			notify_create(dir, d);
	}
	rwsem_write_unlock(&dir->lock);
	if (!write_err)
		mnt_drop_write(w->at.mnt);
	*out = d;
	return err;
}

/* proc(5), protected_fifos and protected_regular: in a sticky directory that others may write to (2: or the group), O_CREAT opens only what is one's own or the
 * directory's owner's. Root is no exception: it is the one to be protected. */
static bool may_open_created(u32 dir_mode, kuid_t dir_uid, const struct inode *i)
{
	u32 mode = READ_ONCE(i->mode), level = 0;

	if (S_ISFIFO(mode))
		level = READ_ONCE(fs_tunables.protected_fifos);
	else if (S_ISREG(mode))
		level = READ_ONCE(fs_tunables.protected_regular);
	if (!level || !(dir_mode & S_ISVTX) || kuid_eq(i->uid, dir_uid) || kuid_eq(i->uid, current_cred()->fsuid))
		return true;
	return !(dir_mode & S_IWOTH) && !(level > 1 && (dir_mode & S_IWGRP));
}

static int open_new(const struct walk *w, struct dentry *d, u32 flags, struct file **out)
{
	struct path p = { w->at.mnt, d };
	int err = file_open_path(&p, flags, current_cred(), out);

	d_put(d);
	return err;
}

static int open_create(struct walk *w, const struct open_request *rq, struct file **out)
{
	int err = walk_to_parent(w);

	while (!err) {
		struct dentry *d;
		kuid_t dir_uid;
		u32 dir_mode;
		bool is_new;

		if (w->last_type != LAST_NAME) {
			err = walk_last(w);
			return err ? err : open_found(&w->at, rq->flags, out);
		}
		if (w->has_slash)
			return -EISDIR;
		err = find_or_create(w, rq->mode, &d, &is_new);
		if (err)
			return err;
		if (is_new)
			return open_new(w, d, rq->flags, out);
		if (rq->flags & O_EXCL) {
			d_put(d);
			return -EEXIST;
		}
		dir_mode = READ_ONCE(w->inode->mode);
		dir_uid = w->inode->uid;
		err = walk_into_last(w, d);
		if (!err)
			return may_open_created(dir_mode, dir_uid, w->inode) ? open_found(&w->at, rq->flags, out) : -EACCES;
		err = err > 0 ? 0 : err;
	}
	return err;
}

/* --- O_TMPFILE */

static int make_tmpfile(struct inode *dir, u32 mode, struct inode **out)
{
	int err = inode_permission(dir, MAY_WRITE | MAY_EXEC);

	if (err)
		return err;
	if (!dir->ops->tmpfile)
		return -EOPNOTSUPP;
	rwsem_write_lock(&dir->lock);
	err = dir->flags & INODE_DEAD ? -ENOENT : dir->ops->tmpfile(dir, out, S_IFREG | (mode & 07777 & ~fsctx_umask()));
	rwsem_write_unlock(&dir->lock);
	return err;
}

static int open_unnamed(const struct path *dir, struct inode *i, u32 flags, struct file **out)
{
	struct path p = { dir->mnt, NULL };
	char name[24];
	int err;

	/* The name that /proc/PID/fd shows, as Linux makes it. */
	p.dentry = d_alloc_unhashed(dir->dentry, name, (u32)scnprintf(name, sizeof(name), "#%lu", i->ino));
	if (!p.dentry) {
		inode_put(i);
		return -ENOMEM;
	}
	if (!(flags & O_EXCL))
		i->flags |= INODE_LINKABLE;
	d_bind(p.dentry, i);
	err = file_open_path(&p, flags, current_cred(), out);
	d_put(p.dentry);
	return err;
}

static int open_tmpfile(struct walk *w, const struct open_request *rq, struct file **out)
{
	struct inode *i;
	int err = walk_to_end(w);

	if (err)
		return err;
	err = mnt_want_write(w->at.mnt);
	if (err)
		return err;
	err = make_tmpfile(w->inode, rq->mode, &i);
	if (!err)
		err = open_unnamed(&w->at, i, rq->flags, out);
	mnt_drop_write(w->at.mnt);
	return err;
}

/* --- The call */

static u32 lookup_of(const struct open_request *rq)
{
	u32 lookup = rq->lookup;

	if (!(rq->flags & O_NOFOLLOW) && (rq->flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL))
		lookup |= LOOKUP_FOLLOW;
	return rq->flags & O_DIRECTORY ? lookup | LOOKUP_DIRECTORY : lookup;
}

int fs_open(s32 dirfd, const struct user_path *up, const struct open_request *rq, struct file **out)
{
	struct walk w __uninitialized;
	int err;

	walk_init(&w, dirfd, up, lookup_of(rq));
	if (rq->flags & __O_TMPFILE)
		err = open_tmpfile(&w, rq, out);
	else if (rq->flags & O_CREAT)
		err = open_create(&w, rq, out);
	else
		err = open_plain(&w, rq->flags, out);
	walk_end(&w);
	if (!err)
		notify_open(*out);
	return err;
}
