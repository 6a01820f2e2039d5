/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Telling who watches what happens to files: the hooks that the core calls, and the marks that inotify (and one day fanotify) sets.
 *
 * A mark is one group's interest in one inode. An inode that was ever marked has a struct notify_marks (inode->marks, NULL for all others); it keeps the
 * marks and the union of their masks. Entries of a watched directory have D_PARENT_WATCHED in their dentry, so an operation on a file that nobody watches
 * costs two loads. The flag is set on all children when a directory is marked, on new and moved ones under the parent's lock, and taken away by the first
 * event that finds nobody interested.
 *
 * A mark pins its inode, but no mount: an unmount removes the marks (NOTIFY_UNMOUNT) and waits for those that are still looked at.
 * A mark leaves its inode's list with its last reference; until then a dead one is skipped. So events are handed out without any lock held, and
 * a group's methods may sleep.
 *
 * Locks: all hooks are called in task context, some with inode locks held. Inode locks → a group's own mutex is fine, the reverse is not: a group takes no inode
 * lock while it holds a lock of its own. Spinlocks: marks->lock and the group's lock do not nest in each other; dentry lock → nothing of ours.
 */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include "abi/stat.h"
#include "fs/vfs.h"

/* The numbers of inotify(7); fanotify(7) has the same. */
enum {
	NOTIFY_ACCESS = 1, NOTIFY_MODIFY = 2, NOTIFY_ATTRIB = 4, NOTIFY_CLOSE_WRITE = 8, NOTIFY_CLOSE_NOWRITE = 0x10, NOTIFY_OPEN = 0x20,
	NOTIFY_MOVED_FROM = 0x40, NOTIFY_MOVED_TO = 0x80, NOTIFY_CREATE = 0x100, NOTIFY_DELETE = 0x200, NOTIFY_DELETE_SELF = 0x400, NOTIFY_MOVE_SELF = 0x800,
	NOTIFY_UNMOUNT = 0x2000, NOTIFY_ISDIR = 0x40000000,
};
#define NOTIFY_ALL 0xfffu
/* What a directory's watcher hears of its entries. */
#define NOTIFY_CHILD (NOTIFY_ACCESS | NOTIFY_MODIFY | NOTIFY_ATTRIB | NOTIFY_CLOSE_WRITE | NOTIFY_CLOSE_NOWRITE | NOTIFY_OPEN)

struct notify_event {
	u32 mask;			/* NOTIFY_*: usually one bit, and NOTIFY_ISDIR */
	u32 cookie;			/* the same for both ends of a rename, else 0 */
	const char *name;		/* of the entry of the marked directory; NULL: it is about the marked inode */
	u32 name_len;
	const struct file *file;	/* what it was done through; NULL: by name, or a change of attributes */
	bool is_unlinked;		/* the file's name is gone */
};

struct notify_mark;
struct notify_group;

struct notify_group_ops {
	void (*event)(struct notify_mark *m, const struct notify_event *e);	/* one that the mark asks for */
	void (*gone)(struct notify_mark *m);		/* the inode or its file system goes: the group must let the mark go too, unless it has */
	void (*free_mark)(struct notify_mark *m);
	void (*free_group)(struct notify_group *g);
};

struct notify_group {
	struct ref refs;		/* its user's, and one a mark */
	const struct notify_group_ops *ops;	/* [I] */
};

struct notify_mark {
	struct ref refs;		/* the group's, and one for each who looks at it */
	struct list node;		/* [marks->lock] in marks->list */
	struct inode *inode;		/* [I] referenced */
	struct notify_group *group;	/* [I] referenced */
	u32 mask;			/* [marks->lock; a to read] events, and bits of the group's own beyond NOTIFY_ALL */
	bool is_dead;			/* [marks->lock] */
};

void notify_group_init(struct notify_group *g, const struct notify_group_ops *ops);
void notify_group_put(struct notify_group *g);
/* The group's mark on what is at the path, referenced; NULL. */
struct notify_mark *notify_mark_find(const struct notify_group *g, const struct path *p);
/* Hangs a new mark on the inode at the path; the group has none there. The first reference is the group's, to be given up by notify_mark_detach. -ENOMEM */
__must_check int notify_mark_attach(struct notify_group *g, struct notify_mark *m, const struct path *p, u32 mask);
void notify_mark_set(struct notify_mark *m, const struct path *p, u32 mask);	/* another mask */
void notify_mark_detach(struct notify_mark *m);		/* no event begins any more; once only */
void notify_mark_put(struct notify_mark *m);

/* --- Life of inodes and file systems */
struct notify_marks;
void notify_free_inode(struct inode *i);		/* i->marks is set; nobody else has the inode */
void notify_inode_gone(struct inode *i);		/* the last name and the last user have gone */
void notify_unmount(struct super_block *sb);
bool notify_wants_children(const struct inode *dir);

static inline bool notify_parent_watches(const struct dentry *parent)
{
	const struct inode *dir = READ_ONCE(parent->inode);

	return dir && unlikely(READ_ONCE(dir->marks)) && notify_wants_children(dir);
}

/* --- Hooks. Out of line: only where somebody may be watching. */
void notify_file_event(const struct file *f, u32 mask);
void notify_dentry_event(struct dentry *d, u32 mask);
void notify_inode_event(struct inode *i, u32 mask);
void notify_entry_event(struct inode *dir, const struct qstr *name, u32 mask, u32 cookie);
void notify_move_event(struct inode *old_dir, const struct qstr *old, struct inode *new_dir, const struct qstr *new, struct inode *moved);

static inline bool notify_is_watched(const struct dentry *d, const struct inode *i)
{
	return READ_ONCE(i->marks) || (READ_ONCE(d->flags) & D_PARENT_WATCHED);
}

static inline void notify_file(const struct file *f, u32 mask)
{
	if (unlikely(notify_is_watched(f->path.dentry, f->inode)))
		notify_file_event(f, mask);
}

static inline void notify_access(const struct file *f)
{
	notify_file(f, NOTIFY_ACCESS);
}

static inline void notify_modify(const struct file *f)
{
	notify_file(f, NOTIFY_MODIFY);
}

static inline void notify_open(const struct file *f)
{
	notify_file(f, NOTIFY_OPEN);
}

static inline void notify_close(const struct file *f)
{
	notify_file(f, f->mode & FMODE_WRITE ? NOTIFY_CLOSE_WRITE : NOTIFY_CLOSE_NOWRITE);
}

/* Attributes, also the size, of what a dentry names. */
static inline void notify_change(struct dentry *d, u32 mask)
{
	if (mask && unlikely(notify_is_watched(d, d->inode)))
		notify_dentry_event(d, mask);
}

/* The number of links changed: only watchers of the inode itself hear of it. */
static inline void notify_links(struct inode *i)
{
	if (unlikely(READ_ONCE(i->marks)))
		notify_inode_event(i, NOTIFY_ATTRIB);
}

/* The directory is locked; `name` is what was made or removed there. */
static inline void notify_create(struct inode *dir, const struct dentry *d)
{
	if (unlikely(READ_ONCE(dir->marks)))
		notify_entry_event(dir, &d->name, NOTIFY_CREATE | (d->inode && S_ISDIR(d->inode->mode) ? NOTIFY_ISDIR : 0), 0);
}

static inline void notify_delete(struct inode *dir, const struct dentry *d, bool is_dir)
{
	if (unlikely(READ_ONCE(dir->marks)))
		notify_entry_event(dir, &d->name, NOTIFY_DELETE | (is_dir ? NOTIFY_ISDIR : 0), 0);
}

/* Both directories are locked. */
static inline void notify_move(struct inode *old_dir, const struct qstr *old, struct inode *new_dir, const struct qstr *new, struct inode *moved)
{
	if (unlikely(READ_ONCE(old_dir->marks) || READ_ONCE(new_dir->marks)))
		notify_move_event(old_dir, old, new_dir, new, moved);
}

static inline void notify_move_self(struct inode *i)
{
	if (unlikely(READ_ONCE(i->marks)))
		notify_inode_event(i, NOTIFY_MOVE_SELF);
}

#endif
