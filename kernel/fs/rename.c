/* SPDX-License-Identifier: MPL-2.0 */
/*
 * rename(2), renameat2(2).
 *
 * Locks: renames between directories of one file system exclude each other by its rename mutex, so the tree's shape holds still while they look at who is
 * above whom. Then both directories, the ancestor first, else by address; then what is moved or replaced: directories that are replaced, and files,
 * by address. A moved directory is not locked: nothing in it changes.
 */
#include "abi/fcntl.h"
#include "fs/calls.h"
#include "fs/notify.h"
#include "fs/walk.h"

struct renaming {
	struct walk from, to;
	struct inode *old_dir, *new_dir;
	struct dentry *old, *new;
	u32 flags;
};

static void lock_dirs(struct renaming *r)
{
	struct dentry *a = r->from.at.dentry, *b = r->to.at.dentry;
	bool b_first;

	if (a == b) {
		rwsem_write_lock_nested(&r->old_dir->lock, INODE_PARENT);
		return;
	}
	mutex_lock(&r->old_dir->sb->rename_mutex);
	b_first = d_is_ancestor(b, a) || (!d_is_ancestor(a, b) && (uintptr_t)b < (uintptr_t)a);
	rwsem_write_lock_nested(b_first ? &r->new_dir->lock : &r->old_dir->lock, INODE_PARENT);
	rwsem_write_lock_nested(b_first ? &r->old_dir->lock : &r->new_dir->lock, INODE_PARENT2);
}

static void unlock_dirs(struct renaming *r)
{
	rwsem_write_unlock(&r->old_dir->lock);
	if (r->old_dir != r->new_dir) {
		rwsem_write_unlock(&r->new_dir->lock);
		mutex_unlock(&r->old_dir->sb->rename_mutex);
	}
}

/* What rename(2) says of the two names, before permissions. */
static int check_names(const struct renaming *r)
{
	bool exchanges = r->flags & RENAME_EXCHANGE, has_target = !d_is_negative(r->new);

	if (d_is_negative(r->old))
		return -ENOENT;
	if ((r->flags & RENAME_NOREPLACE) && has_target)
		return -EEXIST;
	if (exchanges && !has_target)
		return -ENOENT;
	if (exchanges && !S_ISDIR(r->new->inode->mode) && r->to.has_slash)
		return -ENOTDIR;
	if (!S_ISDIR(r->old->inode->mode) && (r->from.has_slash || (!exchanges && r->to.has_slash)))
		return -ENOTDIR;
	if (r->old_dir == r->new_dir)
		return 0;
	if (d_is_ancestor(r->old, r->to.at.dentry))
		return -EINVAL;
	if (has_target && d_is_ancestor(r->new, r->from.at.dentry))
		return exchanges ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int check_permission(const struct renaming *r)
{
	bool old_is_dir = S_ISDIR(r->old->inode->mode), new_is_dir = !d_is_negative(r->new) && S_ISDIR(r->new->inode->mode);
	bool exchanges = r->flags & RENAME_EXCHANGE;
	int err = may_delete(r->old_dir, r->old, old_is_dir);

	if (err)
		return err;
	if (d_is_negative(r->new))
		err = may_create_in(r->new_dir);
	else
		err = may_delete(r->new_dir, r->new, exchanges ? new_is_dir : old_is_dir);
	if (err)
		return err;
	if (!r->old_dir->ops->rename)
		return -EPERM;
	/* A directory's ".." changes. */
	if (r->old_dir != r->new_dir && old_is_dir)
		err = inode_permission(r->old->inode, MAY_WRITE);
	if (!err && r->old_dir != r->new_dir && exchanges && new_is_dir)
		err = inode_permission(r->new->inode, MAY_WRITE);
	if (err)
		return err;
	return (d_flags(r->old) | d_flags(r->new)) & D_MOUNTED ? -EBUSY : 0;
}

static void lock_two(struct inode *a, struct inode *b)
{
	if (a && b && (uintptr_t)b < (uintptr_t)a) {
		struct inode *t = a;

		a = b;
		b = t;
	}
	if (a)
		rwsem_write_lock_nested(&a->lock, INODE_CHILD);
	if (b)
		rwsem_write_lock_nested(&b->lock, INODE_CHILD2);
}

static void unlock_two(struct inode *a, struct inode *b)
{
	if (a)
		rwsem_write_unlock(&a->lock);
	if (b)
		rwsem_write_unlock(&b->lock);
}

/* Directories are locked, the names in the cache have moved. */
static void tell(const struct renaming *r, struct inode *source, struct inode *target)
{
	notify_move(r->old_dir, &r->from.last, r->new_dir, &r->to.last, source);
	if (target && (r->flags & RENAME_EXCHANGE))
		notify_move(r->new_dir, &r->to.last, r->old_dir, &r->from.last, target);
	else if (target)
		notify_links(target);
	notify_move_self(source);
	if (target && (r->flags & RENAME_EXCHANGE))
		notify_move_self(target);
}

static int move(struct renaming *r)
{
	struct inode *source = r->old->inode, *target = r->new->inode;
	struct inode *lock_a = S_ISDIR(source->mode) ? NULL : source;
	struct inode *lock_b = (r->flags & RENAME_EXCHANGE) && target && S_ISDIR(target->mode) ? NULL : target;
	bool replaces = target && !(r->flags & RENAME_EXCHANGE);
	int err;

	lock_two(lock_a, lock_b);
	err = r->old_dir->ops->rename(r->old_dir, r->old, r->new_dir, r->new, r->flags);
	if (!err && replaces && S_ISDIR(target->mode))
		target->flags |= INODE_DEAD;
	unlock_two(lock_a, lock_b);
	if (err)
		return err;
	if (replaces && S_ISDIR(target->mode))
		d_prune_children(r->new);
	if (r->flags & RENAME_EXCHANGE)
		d_exchange(r->old, r->new);
	else
		d_move(r->old, r->new);
	tell(r, source, target);
	return 0;
}

/* Both directories are locked, both names looked up. */
static int rename_found(struct renaming *r)
{
	int err = check_names(r);

	if (err)
		return err;
	if (r->old->inode == r->new->inode)
		return 0;		/* rename(2): two names of one file: nothing happens */
	err = check_permission(r);
	return err ? err : move(r);
}

/* The replaced inode is kept until the directories are unlocked: freeing a long file takes time. */
static int rename_locked(struct renaming *r, struct inode **victim)
{
	int err = d_lookup_fs(r->from.at.dentry, &r->from.last, true, &r->old);

	if (err)
		return err;
	err = d_lookup_fs(r->to.at.dentry, &r->to.last, true, &r->new);
	if (!err) {
		*victim = r->new->inode;
		if (*victim)
			inode_get(*victim);
		err = rename_found(r);
		d_put(r->new);
	}
	d_put(r->old);
	return err;
}

static int rename_parents(struct renaming *r)
{
	struct inode *victim = NULL;
	int err;

	if (r->from.at.mnt != r->to.at.mnt)
		return -EXDEV;
	if (r->from.last_type != LAST_NAME)
		return -EBUSY;
	if (r->to.last_type != LAST_NAME)
		return r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	err = mnt_want_write(r->from.at.mnt);
	if (err)
		return err;
	r->old_dir = r->from.inode;
	r->new_dir = r->to.inode;
	lock_dirs(r);
	err = rename_locked(r, &victim);
	unlock_dirs(r);
	mnt_drop_write(r->from.at.mnt);
	if (victim)
		inode_put(victim);
	return err;
}

int fs_rename(s32 olddir, const struct user_path *old, s32 newdir, const struct user_path *new, u32 flags)
{
	struct renaming r __uninitialized;
	int err;

	if ((flags & RENAME_EXCHANGE) && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)))
		return -EINVAL;
	r.flags = flags;
	walk_init(&r.from, olddir, old, 0);
	walk_init(&r.to, newdir, new, 0);
	err = walk_to_parent(&r.from);
	if (!err)
		err = walk_to_parent(&r.to);
	if (!err)
		err = rename_parents(&r);
	walk_end(&r.to);
	walk_end(&r.from);
	return err;
}
