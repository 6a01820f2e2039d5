/* SPDX-License-Identifier: MPL-2.0 */
/* Extended attributes: xattr(7). A file system that has them names its methods in inode_ops.xattrs. */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include <lib/types.h>

struct inode;
struct path;

#define XATTR_NAME_BYTES 256		/* with NUL */

/* Called with the inode lock held: shared for get and list, exclusive for set. Names come whole, prefix included. */
struct xattr_ops {
	ssize_t (*get)(struct inode *inode, const char *name, void *buf, size_t size);	/* length; size 0: only that. -ENODATA, -ERANGE, -EOPNOTSUPP */
	/* value NULL: remove. flags: XATTR_CREATE, XATTR_REPLACE. -EEXIST, -ENODATA, -ENOMEM, -ENOSPC, -EOPNOTSUPP */
	int (*set)(struct inode *inode, const char *name, const void *value, size_t size, u32 flags);
	ssize_t (*list)(struct inode *inode, char *buf, size_t size);	/* names with their NULs; as get */
};

/* Attributes kept in memory, in inode->xattrs: trusted.* and security.*, as tmpfs has them. */
extern const struct xattr_ops memory_xattr_ops;
void xattrs_free(struct inode *inode);

/* The calls, with permissions; errors as the man pages have them. */
__must_check ssize_t xattr_get(const struct path *p, const char *name, void *buf, size_t size);
__must_check int xattr_set(const struct path *p, const char *name, const void *value, size_t size, u32 flags);
__must_check int xattr_remove(const struct path *p, const char *name);
__must_check ssize_t xattr_list(const struct path *p, char *buf, size_t size);

#endif
