/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Making and removing names: mkdir, mknod, symlink, link, unlink, rmdir. rename is in rename.c, open's creation in open.c.
 *
 * Each resolves the parent, takes mount write access, locks the parent for writing, looks the last name up through the cache, checks, and calls the
 * file system. Errors come in the order programs on Linux see: what is there (EEXIST) before whether it could be made (EROFS, EACCES).
 */
#include <lib/string.h>
#include "abi/process.h"
#include "fs/calls.h"
#include "fs/notify.h"
#include "fs/walk.h"

struct fs_tunables fs_tunables = { .protected_hardlinks = 1, .protected_symlinks = 1, .leases_enable = 1, .lease_break_time = 45, .nr_open = 1u << 20 };

int may_create_in(struct inode *dir)
{
	if (dir->flags & INODE_DEAD)
		return -ENOENT;
	return inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

/* path_resolution(7) and unlink(2): in a sticky directory only the owner of the file or of the directory. */
static bool is_sticky_for(const struct inode *dir, const struct inode *i)
{
	kuid_t me = current_cred()->fsuid;

	if (!(dir->mode & S_ISVTX) || kuid_eq(me, i->uid) || kuid_eq(me, dir->uid))
		return false;
	return !capable(i->sb->user_ns, CAP_FOWNER);
}

int may_delete(struct inode *dir, struct dentry *victim, bool is_dir)
{
	struct inode *i = victim->inode;
	int err = inode_permission(dir, MAY_WRITE | MAY_EXEC);

	if (err)
		return err;
	if ((dir->flags & INODE_APPEND) || is_sticky_for(dir, i) || (i->flags & (INODE_APPEND | INODE_IMMUTABLE)))
		return -EPERM;
	if (is_dir && !S_ISDIR(i->mode))
		return -ENOTDIR;
	if (is_dir && victim->parent == victim)
		return -EBUSY;
	if (!is_dir && S_ISDIR(i->mode))
		return -EISDIR;
	return dir->flags & INODE_DEAD ? -ENOENT : 0;
}

/* --- Making */

struct creation {
	struct walk w;
	struct dentry *d;	/* negative */
	struct inode *dir;	/* locked */
};

static void create_end(struct creation *c, int err)
{
	if (!err)
		notify_create(c->dir, c->d);
	d_put(c->d);
	rwsem_write_unlock(&c->dir->lock);
	mnt_drop_write(c->w.at.mnt);
	walk_end(&c->w);
}

static int create_locked(struct creation *c, int write_err, bool is_dir)
{
	struct walk *w = &c->w;
	int err = d_lookup_fs(w->at.dentry, &w->last, true, &c->d);

	if (err)
		return err;
	if (!d_is_negative(c->d))
		err = -EEXIST;
	else if (w->has_slash && !is_dir)
		err = -ENOENT;
	else
		err = write_err ? write_err : may_create_in(c->dir);
	if (err)
		d_put(c->d);
	return err;
}

static int create_begin(struct creation *c, s32 dirfd, const struct user_path *up, bool is_dir)
{
	struct walk *w = &c->w;
	int err, write_err;

	walk_init(w, dirfd, up, 0);
	err = walk_to_parent(w);
	if (!err && w->last_type != LAST_NAME)
		err = -EEXIST;
	if (err) {
		walk_end(w);
		return err;
	}
	write_err = mnt_want_write(w->at.mnt);
	c->dir = w->inode;
	rwsem_write_lock_nested(&c->dir->lock, INODE_PARENT);
	err = create_locked(c, write_err, is_dir);
	if (!err)
		return 0;
	rwsem_write_unlock(&c->dir->lock);
	if (!write_err)
		mnt_drop_write(w->at.mnt);
	walk_end(w);
	return err;
}

int fs_mkdir(s32 dirfd, const struct user_path *up, u32 mode)
{
	struct creation c __uninitialized;
	int err = create_begin(&c, dirfd, up, true);

	if (err)
		return err;
	mode &= 01777 & ~fsctx_umask();
	err = c.dir->ops->mkdir ? c.dir->ops->mkdir(c.dir, c.d, mode) : -EPERM;
	create_end(&c, err);
	return err;
}

static int make_node(struct inode *dir, struct dentry *d, u32 mode, u64 rdev)
{
	bool is_device = S_ISCHR(mode) || S_ISBLK(mode), is_whiteout = S_ISCHR(mode) && !rdev;

	if (S_ISREG(mode))
		return dir->ops->create ? dir->ops->create(dir, d, mode) : -EACCES;
	if (is_device && !is_whiteout && !capable(dir->sb->user_ns, CAP_MKNOD))
		return -EPERM;
	return dir->ops->mknod ? dir->ops->mknod(dir, d, mode, is_device ? rdev : 0) : -EPERM;
}

int fs_mknod(s32 dirfd, const struct user_path *up, u32 mode, u64 rdev)
{
	struct creation c __uninitialized;
	int err;

	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		break;
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	err = create_begin(&c, dirfd, up, false);
	if (err)
		return err;
	err = make_node(c.dir, c.d, (mode & (S_IFMT | 07777)) & ~fsctx_umask(), rdev);
	create_end(&c, err);
	return err;
}

int fs_symlink(const char *target, s32 dirfd, const struct user_path *up)
{
	struct creation c __uninitialized;
	int err;

	if (!*target)
		return -ENOENT;
	err = create_begin(&c, dirfd, up, false);
	if (err)
		return err;
	err = c.dir->ops->symlink ? c.dir->ops->symlink(c.dir, c.d, target, (u32)strlen(target)) : -EPERM;
	create_end(&c, err);
	return err;
}

/* proc(5), protected_hardlinks: to files of others only if one may read and write them and they give no privileges. */
static bool may_link(struct inode *i)
{
	if (!fs_tunables.protected_hardlinks || inode_owner_or_capable(i))
		return true;
	if (!S_ISREG(i->mode) || (i->mode & S_ISUID) || (i->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		return false;
	return !inode_permission(i, MAY_READ | MAY_WRITE);
}

static int link_locked(struct inode *dir, struct dentry *d, struct inode *i)
{
	int err;

	if (dir->sb != i->sb)
		return -EXDEV;
	if ((i->flags & (INODE_APPEND | INODE_IMMUTABLE)) || !dir->ops->link || S_ISDIR(i->mode))
		return -EPERM;
	rwsem_write_lock_nested(&i->lock, INODE_CHILD);
	if (!i->nlink && !(i->flags & INODE_LINKABLE))
		err = -ENOENT;
	else
		err = dir->ops->link(dir, d, i);
	if (!err)
		i->flags &= ~(u32)INODE_LINKABLE;
	rwsem_write_unlock(&i->lock);
	if (!err)
		notify_links(i);
	return err;
}

int fs_link(s32 olddir, const struct user_path *old, s32 newdir, const struct user_path *new, u32 lookup)
{
	struct creation c __uninitialized;
	struct path p;
	int err;

	if ((lookup & LOOKUP_EMPTY) && !capable(current_cred()->ns, CAP_DAC_READ_SEARCH))
		return -ENOENT;
	err = fs_lookup(olddir, old, lookup, &p);
	if (err)
		return err;
	err = create_begin(&c, newdir, new, false);
	if (!err) {
		struct inode *i = p.dentry->inode;

		err = p.mnt != c.w.at.mnt ? -EXDEV : !may_link(i) ? -EPERM : link_locked(c.dir, c.d, i);
		create_end(&c, err);
	}
	path_put(&p);
	return err;
}

/* --- Removing */

static int remove_locked(struct inode *dir, struct dentry *d, bool is_rmdir)
{
	struct inode *i = d->inode;
	int (*method)(struct inode *dir, struct dentry *d) = is_rmdir ? dir->ops->rmdir : dir->ops->unlink;
	int err = may_delete(dir, d, is_rmdir);

	if (err)
		return err;
	if (!method)
		return -EPERM;
	if (d_flags(d) & D_MOUNTED)
		return -EBUSY;
	rwsem_write_lock_nested(&i->lock, INODE_CHILD);
	err = method(dir, d);
	if (!err && is_rmdir)
		i->flags |= INODE_DEAD;
	rwsem_write_unlock(&i->lock);
	if (err)
		return err;
	if (is_rmdir)
		d_prune_children(d);
	else
		notify_links(i);
	d_delete(d);
	notify_delete(dir, d, is_rmdir);
	return 0;
}

/* The inode is kept until the directory is unlocked: freeing a long file takes time. */
static int remove_last(struct walk *w, bool is_rmdir)
{
	struct inode *dir = w->inode, *victim = NULL;
	struct dentry *d;
	int err;

	rwsem_write_lock_nested(&dir->lock, INODE_PARENT);
	err = d_lookup_fs(w->at.dentry, &w->last, true, &d);
	if (!err) {
		if (d_is_negative(d)) {
			err = -ENOENT;
		} else if (w->has_slash && !is_rmdir) {
			err = S_ISDIR(d->inode->mode) ? -EISDIR : -ENOTDIR;
		} else {
			victim = d->inode;
			inode_get(victim);
			err = remove_locked(dir, d, is_rmdir);
		}
		d_put(d);
	}
	rwsem_write_unlock(&dir->lock);
	if (victim)
		inode_put(victim);
	return err;
}

static int check_last_type(const struct walk *w, bool is_rmdir)
{
	if (w->last_type == LAST_NAME)
		return 0;
	if (!is_rmdir)
		return -EISDIR;
	return w->last_type == LAST_DOTDOT ? -ENOTEMPTY : w->last_type == LAST_DOT ? -EINVAL : -EBUSY;
}

int fs_unlink(s32 dirfd, const struct user_path *up, bool is_rmdir)
{
	struct walk w __uninitialized;
	int err;

	walk_init(&w, dirfd, up, 0);
	err = walk_to_parent(&w);
	if (!err)
		err = check_last_type(&w, is_rmdir);
	if (!err)
		err = mnt_want_write(w.at.mnt);
	if (!err) {
		err = remove_last(&w, is_rmdir);
		mnt_drop_write(w.at.mnt);
	}
	walk_end(&w);
	return err;
}
