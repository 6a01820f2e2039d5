/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The tree of sysfs: registered nodes, found by name and listed in the order of their coming.
 *
 * A node never goes, so a pointer to one is good for ever and who has it needs no reference. A directory's children are in two trees, by name and by number,
 * both under tree_lock.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include "abi/stat.h"
#include "fs/sys/internal.h"
#include "mm/alloc.h"

static struct rwsem tree_lock;
static u64 last_ino = 1;		/* [tree_lock] */
struct sysfs_node sysfs_root = { .name = "", .ino = 1, .mode = S_IFDIR | 0555 };

void sysfs_tree_init(void)
{
	rwsem_init(&tree_lock, "sysfs tree");
}

/* --- looking; tree_lock is held */

struct name_key {
	const char *name;
	u32 len;
};

static int compare_name(const void *key, const struct rb_node *node)
{
	const struct name_key *k = key;
	const char *name = container_of(node, const struct sysfs_node, name_node)->name;
	int order = strncmp(k->name, name, k->len);

	return order ? order : name[k->len] ? -1 : 0;
}

static bool is_before_by_name(const struct rb_node *a, const struct rb_node *b)
{
	return strcmp(container_of(a, const struct sysfs_node, name_node)->name, container_of(b, const struct sysfs_node, name_node)->name) < 0;
}

static int compare_ino(const void *key, const struct rb_node *node)
{
	u64 wanted = *(const u64 *)key, ino = container_of(node, const struct sysfs_node, ino_node)->ino;

	return wanted < ino ? -1 : wanted > ino;
}

static bool is_before_by_ino(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, const struct sysfs_node, ino_node)->ino < container_of(b, const struct sysfs_node, ino_node)->ino;
}

static struct sysfs_node *find_locked(const struct sysfs_node *dir, const char *name, u32 len)
{
	struct name_key key = { name, len };
	struct rb_node *found = rb_find(&dir->by_name, &key, compare_name);

	return found ? container_of(found, struct sysfs_node, name_node) : NULL;
}

struct sysfs_node *sysfs_find(const struct sysfs_node *dir, const char *name, u32 len)
{
	struct sysfs_node *found;

	rwsem_read_lock(&tree_lock);
	found = find_locked(dir, name, len);
	rwsem_read_unlock(&tree_lock);
	return found;
}

struct sysfs_node *sysfs_next(const struct sysfs_node *dir, u64 ino)
{
	struct rb_node *found;

	rwsem_read_lock(&tree_lock);
	found = rb_find_first_ge(&dir->by_ino, &ino, compare_ino);
	rwsem_read_unlock(&tree_lock);
	return found ? container_of(found, struct sysfs_node, ino_node) : NULL;
}

/* --- registering */

/* A node that nobody can find yet; the name is copied behind it. */
static struct sysfs_node *make(struct sysfs_node *parent, const char *name, u32 mode)
{
	size_t len = strlen(name);
	struct sysfs_node *n = kmalloc(sizeof(*n) + len + 1, ALLOC_SLEEP | ALLOC_ZERO);

	if (!n)
		return NULL;
	memcpy((char *)(n + 1), name, len);
	n->name = (const char *)(n + 1);
	n->parent = parent ? parent : &sysfs_root;
	n->mode = mode;
	return n;
}

/* Puts it in its place, or frees it. */
static int publish(struct sysfs_node *n)
{
	struct sysfs_node *dir = n->parent;

	rwsem_write_lock(&tree_lock);
	if (find_locked(dir, n->name, (u32)strlen(n->name))) {
		rwsem_write_unlock(&tree_lock);
		kfree(n);
		return -EEXIST;
	}
	n->ino = ++last_ino;
	rb_add(&dir->by_name, &n->name_node, is_before_by_name);
	rb_add(&dir->by_ino, &n->ino_node, is_before_by_ino);
	if (S_ISDIR(n->mode))
		__atomic_fetch_add(&dir->n_dirs, 1, __ATOMIC_RELAXED);
	rwsem_write_unlock(&tree_lock);
	return 0;
}

static int add_attr(struct sysfs_node *dir, const struct sysfs_attr *attr, const void *object)
{
	struct sysfs_node *n = make(dir, attr->name, S_IFREG | attr->mode);

	if (!n)
		return -ENOMEM;
	n->attr = attr;
	n->object = object;
	return publish(n);
}

int sysfs_add(struct sysfs_node *parent, const char *name, const struct sysfs_attr *attrs, u32 n_attrs, const void *object, struct sysfs_node **out)
{
	struct sysfs_node *dir = make(parent, name, S_IFDIR | 0755);
	int err = dir ? publish(dir) : -ENOMEM;

	for (u32 i = 0; !err && i < n_attrs; i++)
		err = add_attr(dir, &attrs[i], object);
	if (!err && out)
		*out = dir;
	return err;
}

int sysfs_add_link(struct sysfs_node *parent, const char *name, const struct sysfs_node *target)
{
	struct sysfs_node *n = make(parent, name, S_IFLNK | 0777);

	if (!n)
		return -ENOMEM;
	n->target = target;
	return publish(n);
}
