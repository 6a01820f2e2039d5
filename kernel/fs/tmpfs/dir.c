/* SPDX-License-Identifier: MPL-2.0 */
/*
 * tmpfs directories.
 *
 * An entry is in two trees: by name (hash first) for look-ups, and by the number it was given when it was made, for reading the directory. An entry's
 * cookie comes from that number, so it stays the same while others come and go; the newest comes first, as on Linux. An entry holds a reference
 * on its inode; the dentries above are only a cache of this.
 * Locks: the directory's inode lock, shared to look, exclusive to change.
 */
#include <lib/hash.h>
#include <lib/rbtree.h>
#include <lib/string.h>
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/tmpfs/internal.h"
#include "fs/xattr.h"
#include "mm/alloc.h"

#define ENTRY_SIZE 20		/* what st_size of a directory grows by, as on Linux */

struct tmpfs_entry {
	struct rb_node by_name, by_seq;
	u64 seq, hash;
	struct inode *inode;	/* referenced */
	struct tmpfs_entry *next;	/* in a chain of those taken out */
	u32 len;
	char name[];
};

struct tmpfs_dir {
	struct rb_root by_name, by_seq;
	u64 next_seq;
};

/* The largest cookie there is: reading goes from new (small cookies) to old. 0 and 1 are "." and "..". */
#define COOKIE_END (1ull << 62)

static u64 cookie_of(const struct tmpfs_entry *e)
{
	return COOKIE_END - e->seq;
}

static struct tmpfs_dir *dir_of(const struct inode *dir)
{
	return dir->private;
}

int tmpfs_dir_init(struct inode *dir)
{
	struct tmpfs_dir *td = kmalloc(sizeof(*td), ALLOC_SLEEP | ALLOC_USER | ALLOC_ZERO);

	if (!td)
		return -ENOMEM;
	td->next_seq = 1;
	dir->private = td;
	dir->nlink = 2;
	dir->mapping.size = 2 * ENTRY_SIZE;
	return 0;
}

void tmpfs_dir_free(struct inode *dir)
{
	kfree(dir->private);
}

/* --- The trees */

struct name_key {
	const char *name;
	u32 len;
	u64 hash;
};

static int compare(const struct name_key *k, const struct tmpfs_entry *e)
{
	if (k->hash != e->hash)
		return k->hash < e->hash ? -1 : 1;
	if (k->len != e->len)
		return k->len < e->len ? -1 : 1;
	return memcmp(k->name, e->name, k->len);
}

static int compare_node(const void *key, const struct rb_node *node)
{
	return compare(key, rb_entry(node, struct tmpfs_entry, by_name));
}

static struct tmpfs_entry *find(const struct inode *dir, const struct qstr *q)
{
	struct name_key key = { q->name, q->len, hash_bytes(q->name, q->len, 0) };

	return rb_entry_or_null(rb_find(&dir_of(dir)->by_name, &key, compare_node), struct tmpfs_entry, by_name);
}

static bool name_less(const struct rb_node *a, const struct rb_node *b)
{
	const struct tmpfs_entry *e = rb_entry(a, struct tmpfs_entry, by_name);
	struct name_key key = { e->name, e->len, e->hash };

	return compare_node(&key, b) < 0;
}

static bool seq_less(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct tmpfs_entry, by_seq)->seq < rb_entry(b, struct tmpfs_entry, by_seq)->seq;
}

static int compare_seq(const void *key, const struct rb_node *node)
{
	u64 k = *(const u64 *)key, seq = rb_entry(node, struct tmpfs_entry, by_seq)->seq;

	return k < seq ? -1 : k > seq;
}

static struct tmpfs_entry *entry_new(const struct qstr *q)
{
	struct tmpfs_entry *e = kmalloc(sizeof(*e) + q->len, ALLOC_SLEEP | ALLOC_USER | ALLOC_ZERO);

	if (!e)
		return NULL;
	e->len = q->len;
	e->hash = hash_bytes(q->name, q->len, 0);
	memcpy(e->name, q->name, q->len);
	return e;
}

/* Takes over the reference on inode. */
static void insert(struct inode *dir, struct tmpfs_entry *e, struct inode *inode)
{
	struct tmpfs_dir *td = dir_of(dir);

	e->inode = inode;
	e->seq = td->next_seq++;
	rb_add(&td->by_name, &e->by_name, name_less);
	rb_add(&td->by_seq, &e->by_seq, seq_less);
	WRITE_ONCE(dir->mapping.size, dir->mapping.size + ENTRY_SIZE);
	inode_touch(dir, ATTR_MTIME | ATTR_CTIME);
}

/* Frees the entry; its reference on the inode is the caller's. */
static struct inode *extract(struct inode *dir, struct tmpfs_entry *e)
{
	struct inode *inode = e->inode;

	rb_erase(&e->by_name, &dir_of(dir)->by_name);
	rb_erase(&e->by_seq, &dir_of(dir)->by_seq);
	WRITE_ONCE(dir->mapping.size, dir->mapping.size - ENTRY_SIZE);
	inode_touch(dir, ATTR_MTIME | ATTR_CTIME);
	kfree(e);
	return inode;
}

static bool is_empty(const struct inode *dir)
{
	return rb_empty(&dir_of(dir)->by_name);
}

void tmpfs_dir_take_all(struct inode *dir, struct tmpfs_entry **chain)
{
	struct tmpfs_dir *td = dir_of(dir);
	struct tmpfs_entry *e;
	struct rb_node *next;

	rb_for_each_entry_postorder_safe(e, next, &td->by_seq, by_seq) {
		e->next = *chain;
		*chain = e;
	}
	rb_root_init(&td->by_name);
	rb_root_init(&td->by_seq);
}

void tmpfs_entries_put(struct tmpfs_entry *chain)
{
	while (chain) {
		struct tmpfs_entry *next = chain->next;

		inode_put(chain->inode);
		kfree(chain);
		chain = next;
	}
}

/* --- Methods */

static int lookup(struct inode *dir, struct dentry *d)
{
	struct tmpfs_entry *e = find(dir, &d->name);

	if (e)
		inode_get(e->inode);
	d_instantiate(d, e ? e->inode : NULL);
	return 0;
}

/* A new inode under the dentry's name; link: the text of a symlink. */
static int make(struct inode *dir, struct dentry *d, u32 mode, u64 rdev, const char *link, u32 link_len)
{
	struct tmpfs_entry *e = entry_new(&d->name);
	struct inode *inode;
	int err;

	if (!e)
		return -ENOMEM;
	err = tmpfs_inode_new(dir->sb, dir, mode, rdev, &inode);
	if (err) {
		kfree(e);
		return err;
	}
	if (link && tmpfs_set_link(inode, link, link_len)) {
		inode_put(inode);
		kfree(e);
		return -ENOMEM;
	}
	insert(dir, e, inode);
	inode_get(inode);
	d_instantiate(d, inode);
	return 0;
}

static int create(struct inode *dir, struct dentry *d, u32 mode)
{
	return make(dir, d, mode, 0, NULL, 0);
}

static int mknod(struct inode *dir, struct dentry *d, u32 mode, u64 rdev)
{
	return make(dir, d, mode, rdev, NULL, 0);
}

static int mkdir(struct inode *dir, struct dentry *d, u32 mode)
{
	int err = make(dir, d, S_IFDIR | mode, 0, NULL, 0);

	if (!err)
		WRITE_ONCE(dir->nlink, dir->nlink + 1);
	return err;
}

static int symlink(struct inode *dir, struct dentry *d, const char *target, u32 len)
{
	return make(dir, d, S_IFLNK | 0777, 0, target, len);
}

static int tmpfile(struct inode *dir, struct inode **out, u32 mode)
{
	int err = tmpfs_inode_new(dir->sb, dir, mode, 0, out);

	if (!err)
		(*out)->nlink = 0;
	return err;
}

/* A link costs memory, so it counts as an inode; the first name of an O_TMPFILE does not. */
static int link(struct inode *dir, struct dentry *d, struct inode *inode)
{
	struct tmpfs_entry *e;

	if (inode->nlink && !tmpfs_reserve_inode(tmpfs_of(dir->sb)))
		return -ENOSPC;
	e = entry_new(&d->name);
	if (!e) {
		if (inode->nlink)
			tmpfs_release_inode(tmpfs_of(dir->sb));
		return -ENOMEM;
	}
	WRITE_ONCE(inode->nlink, inode->nlink + 1);
	inode_touch(inode, ATTR_CTIME);
	inode_get(inode);
	insert(dir, e, inode);
	inode_get(inode);
	d_instantiate(d, inode);
	return 0;
}

/* One name of it is gone. */
static void drop_link(struct inode *inode)
{
	bool is_dir = S_ISDIR(inode->mode);

	if (!is_dir && inode->nlink > 1)
		tmpfs_release_inode(tmpfs_of(inode->sb));
	WRITE_ONCE(inode->nlink, is_dir ? 0 : inode->nlink - 1);
	inode_touch(inode, ATTR_CTIME);
	inode_put(inode);
}

static int unlink(struct inode *dir, struct dentry *d)
{
	struct tmpfs_entry *e = find(dir, &d->name);

	if (!e)
		return -ENOENT;
	drop_link(extract(dir, e));
	return 0;
}

static int rmdir(struct inode *dir, struct dentry *d)
{
	if (!is_empty(d->inode))
		return -ENOTEMPTY;
	WRITE_ONCE(dir->nlink, dir->nlink - 1);
	return unlink(dir, d);
}

static void add_links(struct inode *dir, s32 n)
{
	WRITE_ONCE(dir->nlink, dir->nlink + (u32)n);
}

/* It comes first when the directory is read, as what was renamed does on Linux. */
static void make_newest(struct inode *dir, struct tmpfs_entry *e)
{
	struct tmpfs_dir *td = dir_of(dir);

	rb_erase(&e->by_seq, &td->by_seq);
	e->seq = td->next_seq++;
	rb_add(&td->by_seq, &e->by_seq, seq_less);
}

static int exchange(struct inode *old_dir, struct tmpfs_entry *a, struct inode *new_dir, struct tmpfs_entry *b)
{
	struct inode *t = a->inode;
	s32 a_dirs = S_ISDIR(a->inode->mode), b_dirs = S_ISDIR(b->inode->mode);

	a->inode = b->inode;
	b->inode = t;
	make_newest(old_dir, a);
	make_newest(new_dir, b);
	if (old_dir != new_dir) {
		add_links(old_dir, b_dirs - a_dirs);
		add_links(new_dir, a_dirs - b_dirs);
	}
	inode_touch(old_dir, ATTR_MTIME | ATTR_CTIME);
	inode_touch(new_dir, ATTR_MTIME | ATTR_CTIME);
	inode_touch(a->inode, ATTR_CTIME);
	inode_touch(b->inode, ATTR_CTIME);
	return 0;
}

/* Everything that can fail comes first. The moved entry is made anew, so that readers of the directory meet it as new. */
static int rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *new, u32 flags)
{
	struct tmpfs_entry *from = find(old_dir, &old->name), *to = find(new_dir, &new->name), *e;
	struct inode *moved, *whiteout = NULL;
	bool is_dir;
	int err;

	if (!from)
		return -ENOENT;
	if (flags & RENAME_EXCHANGE)
		return to ? exchange(old_dir, from, new_dir, to) : -ENOENT;
	moved = from->inode;
	is_dir = S_ISDIR(moved->mode);
	if (to && S_ISDIR(to->inode->mode) && !is_empty(to->inode))
		return -ENOTEMPTY;
	e = entry_new(&new->name);
	if (!e)
		return -ENOMEM;
	if (flags & RENAME_WHITEOUT) {
		err = tmpfs_inode_new(old_dir->sb, old_dir, S_IFCHR, 0, &whiteout);
		if (err) {
			kfree(e);
			return err;
		}
	}
	if (to) {
		if (is_dir)
			add_links(new_dir, -1);
		drop_link(extract(new_dir, to));
	}
	if (whiteout) {
		from->inode = whiteout;
		make_newest(old_dir, from);
	} else {
		(void)extract(old_dir, from);
	}
	insert(new_dir, e, moved);
	if (is_dir) {
		add_links(old_dir, -1);
		add_links(new_dir, 1);
	}
	inode_touch(old_dir, ATTR_MTIME | ATTR_CTIME);
	inode_touch(moved, ATTR_CTIME);
	return 0;
}

/* --- Reading: getdents(2) */

static u8 type_of(const struct inode *i)
{
	return (u8)((READ_ONCE(i->mode) & S_IFMT) >> 12);	/* DT_* are the type bits */
}

static int iterate(struct file *f, struct dir_sink *sink)
{
	struct inode *dir = f->inode;
	struct rb_node *node;
	u64 seq;

	if (f->pos == 0) {
		if (!sink->emit(sink, ".", 1, 1, dir->ino, ABI_DT_DIR))
			return 0;
		f->pos = 1;
	}
	if (f->pos == 1) {
		if (!sink->emit(sink, "..", 2, 2, f->path.dentry->parent->inode->ino, ABI_DT_DIR))
			return 0;
		f->pos = 2;
	}
	if (f->pos >= COOKIE_END)
		return 0;
	seq = COOKIE_END - f->pos;
	for (node = rb_find_last_le(&dir_of(dir)->by_seq, &seq, compare_seq); node; node = rb_prev(node)) {
		const struct tmpfs_entry *e = rb_entry(node, struct tmpfs_entry, by_seq);
		u64 next = cookie_of(e) + 1;

		if (!sink->emit(sink, e->name, e->len, next, e->inode->ino, type_of(e->inode)))
			return 0;
		f->pos = next;
	}
	return 0;
}

static int sync_nothing(struct file *f, u64 start, u64 end, bool data_only)
{
	(void)f;
	(void)start;
	(void)end;
	(void)data_only;
	return 0;
}

const struct inode_ops tmpfs_dir_ops = {
	.lookup = lookup, .create = create, .mknod = mknod, .mkdir = mkdir, .symlink = symlink, .link = link, .unlink = unlink, .rmdir = rmdir,
	.rename = rename, .tmpfile = tmpfile, .xattrs = &memory_xattr_ops,
};

const struct file_ops tmpfs_dir_fops = { .iterate = iterate, .fsync = sync_nothing };
