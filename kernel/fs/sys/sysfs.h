/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The file system of the kernel's objects, sysfs(5): a directory an object, a file an attribute, links between them.
 *
 * Whoever has objects to show registers their directories here, at start-up or when they come. Nodes stay for good: what goes away (a device that is pulled)
 * will need a way to wait for running `show`s.
 */
#ifndef FS_SYS_SYSFS_H
#define FS_SYS_SYSFS_H

#include <lib/types.h>

struct sysfs_node;

/* An attribute is a short text, at most a page. `object` is what its directory was registered with. */
struct sysfs_attr {
	const char *name;
	u32 mode;							/* permission bits */
	size_t (*show)(const void *object, char *buf, size_t max);	/* writes text as scnprintf does, returns its length */
	int (*store)(const void *object, const char *text, size_t len);	/* one write is one value; NUL-terminated; 0 or -errno */
};

/* A directory `name` (copied) below `parent`, NULL: the root, with its attributes (kept by reference). `out` may be NULL.
 * -ENOMEM, -EEXIST; what has been added stays. */
__must_check int sysfs_add(struct sysfs_node *parent, const char *name, const struct sysfs_attr *attrs, u32 n_attrs, const void *object, struct sysfs_node **out);
/* A symbolic link `name` below `parent` to another node. -ENOMEM, -EEXIST */
__must_check int sysfs_add_link(struct sysfs_node *parent, const char *name, const struct sysfs_node *target);

void sysfs_init(void);		/* once all CPUs run */

#endif
