/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Extended attributes: who may (xattr(7)), and attributes that live in memory with their inode.
 *
 * The in-memory ones hang in a tree by name off inode->xattrs, under the inode lock: shared to read, exclusive to change.
 */
#include <lib/rbtree.h>
#include <lib/string.h>
#include "abi/fcntl.h"
#include "abi/process.h"
#include "abi/stat.h"
#include "fs/internal.h"
#include "fs/notify.h"
#include "fs/xattr.h"
#include "mm/alloc.h"

#define TRUSTED "trusted."
#define SECURITY "security."
#define SYSTEM "system."
#define USER "user."

/* --- Permission */

static int may_use_user(const struct inode *i, u32 mask)
{
	if (!S_ISREG(i->mode) && !S_ISDIR(i->mode))
		return mask & MAY_WRITE ? -EPERM : -ENODATA;
	if (S_ISDIR(i->mode) && (i->mode & S_ISVTX) && (mask & MAY_WRITE) && !inode_owner_or_capable(i))
		return -EPERM;
	return 0;
}

static int may_use(struct inode *i, const char *name, u32 mask)
{
	int err;

	if ((mask & MAY_WRITE) && (i->flags & (INODE_IMMUTABLE | INODE_APPEND)))
		return -EPERM;
	if (str_startswith(name, SECURITY)) {
		u32 cap = str_eq_len(name, strlen(name), "security.capability") ? CAP_SETFCAP : CAP_SYS_ADMIN;

		return !(mask & MAY_WRITE) || capable(i->sb->user_ns, cap) ? 0 : -EPERM;
	}
	if (str_startswith(name, SYSTEM))
		return 0;
	if (str_startswith(name, TRUSTED)) {
		if (capable(i->sb->user_ns, CAP_SYS_ADMIN))
			return 0;
		return mask & MAY_WRITE ? -EPERM : -ENODATA;
	}
	err = str_startswith(name, USER) ? may_use_user(i, mask) : 0;
	return err ? err : inode_permission(i, mask);
}

/* --- The calls */

static const struct xattr_ops *ops_of(const struct inode *i)
{
	return i->ops ? i->ops->xattrs : NULL;
}

ssize_t xattr_get(const struct path *p, const char *name, void *buf, size_t size)
{
	struct inode *i = p->dentry->inode;
	ssize_t n = may_use(i, name, MAY_READ);

	if (n)
		return n;
	if (!ops_of(i))
		return -EOPNOTSUPP;
	rwsem_read_lock(&i->lock);
	n = ops_of(i)->get(i, name, buf, size);
	rwsem_read_unlock(&i->lock);
	return n;
}

static int change(const struct path *p, const char *name, const void *value, size_t size, u32 flags)
{
	struct inode *i = p->dentry->inode;
	int err = mnt_want_write(p->mnt);

	if (err)
		return err;
	rwsem_write_lock(&i->lock);
	err = may_use(i, name, MAY_WRITE);
	if (!err)
		err = ops_of(i) ? ops_of(i)->set(i, name, value, size, flags) : -EOPNOTSUPP;
	if (!err)
		notify_change(p->dentry, NOTIFY_ATTRIB);
	rwsem_write_unlock(&i->lock);
	mnt_drop_write(p->mnt);
	return err;
}

int xattr_set(const struct path *p, const char *name, const void *value, size_t size, u32 flags)
{
	return change(p, name, value, size, flags);
}

int xattr_remove(const struct path *p, const char *name)
{
	return change(p, name, NULL, 0, XATTR_REPLACE);
}

ssize_t xattr_list(const struct path *p, char *buf, size_t size)
{
	struct inode *i = p->dentry->inode;
	ssize_t n;

	if (!ops_of(i))
		return 0;
	rwsem_read_lock(&i->lock);
	n = ops_of(i)->list(i, buf, size);
	rwsem_read_unlock(&i->lock);
	return n;
}

/* --- In memory */

struct xattr {
	struct rb_node node;
	char *name;		/* behind the value */
	size_t size;
	u8 value[];
};

struct xattr_tree {
	struct rb_root root;
};

static struct xattr *find(struct xattr_tree *t, const char *name, struct rb_node **parent, struct rb_node ***link)
{
	*parent = NULL;
	*link = &t->root.node;
	while (**link) {
		struct xattr *x = rb_entry(**link, struct xattr, node);
		int order = strcmp(name, x->name);

		if (!order)
			return x;
		*parent = **link;
		*link = order < 0 ? &(*parent)->left : &(*parent)->right;
	}
	return NULL;
}

/* -EOPNOTSUPP: a name space that is not kept; -EINVAL: a prefix and nothing behind it. */
static int check_name(const char *name)
{
	size_t prefix;

	if (str_startswith(name, TRUSTED))
		prefix = sizeof(TRUSTED) - 1;
	else if (str_startswith(name, SECURITY))
		prefix = sizeof(SECURITY) - 1;
	else
		return -EOPNOTSUPP;
	return name[prefix] ? 0 : -EINVAL;
}

static ssize_t memory_get(struct inode *inode, const char *name, void *buf, size_t size)
{
	struct xattr_tree *t = inode->xattrs;
	struct rb_node *parent, **link;
	struct xattr *x;
	int err = check_name(name);

	if (err)
		return err;
	x = t ? find(t, name, &parent, &link) : NULL;
	if (!x)
		return -ENODATA;
	if (!size)
		return (ssize_t)x->size;
	if (size < x->size)
		return -ERANGE;
	memcpy(buf, x->value, x->size);
	return (ssize_t)x->size;
}

static struct xattr *xattr_new(const char *name, const void *value, size_t size)
{
	size_t name_size = strlen(name) + 1;
	struct xattr *x = kmalloc(sizeof(*x) + size + name_size, ALLOC_USER);

	if (!x)
		return NULL;
	x->size = size;
	memcpy(x->value, value, size);
	x->name = (char *)x->value + size;
	memcpy(x->name, name, name_size);
	return x;
}

static int memory_remove(struct xattr_tree *t, struct xattr *x)
{
	if (!x)
		return -ENODATA;
	rb_erase(&x->node, &t->root);
	kfree(x);
	return 0;
}

static int tree_set(struct xattr_tree *t, const char *name, const void *value, size_t size, u32 flags)
{
	struct rb_node *parent, **link;
	struct xattr *old = find(t, name, &parent, &link), *x;

	if (!value)
		return memory_remove(t, old);
	if (old && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!old && (flags & XATTR_REPLACE))
		return -ENODATA;
	x = xattr_new(name, value, size);
	if (!x)
		return -ENOMEM;
	if (old) {
		rb_replace(&old->node, &x->node, &t->root);
		kfree(old);
		return 0;
	}
	rb_link_node(&x->node, parent, link);
	rb_insert_color(&x->node, &t->root);
	return 0;
}

static int memory_set(struct inode *inode, const char *name, const void *value, size_t size, u32 flags)
{
	int err = check_name(name);

	if (err)
		return err;
	if (!inode->xattrs)
		inode->xattrs = kmalloc(sizeof(struct xattr_tree), ALLOC_USER | ALLOC_ZERO);
	if (!inode->xattrs)
		return -ENOMEM;
	return tree_set(inode->xattrs, name, value, size, flags);
}

static ssize_t memory_list(struct inode *inode, char *buf, size_t size)
{
	bool sees_trusted = capable(inode->sb->user_ns, CAP_SYS_ADMIN);
	struct xattr_tree *t = inode->xattrs;
	size_t done = 0;

	for (struct rb_node *node = t ? rb_first(&t->root) : NULL; node; node = rb_next(node)) {
		const struct xattr *x = rb_entry(node, struct xattr, node);
		size_t n = strlen(x->name) + 1;

		if (!sees_trusted && str_startswith(x->name, TRUSTED))
			continue;
		if (size && size - done < n)
			return -ERANGE;
		if (size)
			memcpy(buf + done, x->name, n);
		done += n;
	}
	return (ssize_t)done;
}

const struct xattr_ops memory_xattr_ops = { .get = memory_get, .set = memory_set, .list = memory_list };

void xattrs_free(struct inode *inode)
{
	struct xattr_tree *t = inode->xattrs;
	struct rb_node *next;
	struct xattr *x;

	inode->xattrs = NULL;
	rb_for_each_entry_postorder_safe(x, next, &t->root, node)
		kfree(x);
	kfree(t);
}
