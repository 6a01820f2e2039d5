/* SPDX-License-Identifier: MPL-2.0 */
/*
 * tmpfs instances: options, accounts as df sees them, the first root ("rootfs"), and the hidden instance that shared anonymous memory lives in.
 */
#include <lib/printf.h>
#include <lib/string.h>
#include <frame/log.h>
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/tmpfs/internal.h"
#include "fs/tmpfs/tmpfs.h"
#include "mm/alloc.h"
#include "mm/policy.h"

#define TMPFS_MAGIC_NR 0x01021994u

struct mount *tmpfs_hidden;			/* [I after tmpfs_init] */
static struct tmpfs_sb *rootfs;			/* [I] */

static u64 half_of_memory(void)
{
	struct mem_stat ms;

	mem_stat(&ms);
	return ms.total / 2;
}

/* --- Options: tmpfs(5) */

/* size=: bytes with k, m, g, or a percentage of memory. */
static int parse_size_option(const char *s, size_t len, u64 *pages)
{
	struct mem_stat ms;
	u64 n;

	if (len && s[len - 1] == '%') {
		if (parse_u64(s, len - 1, 10, &n))
			return -EINVAL;
		mem_stat(&ms);
		*pages = ms.total * min(n, 1000u) / 100;
		return 0;
	}
	if (parse_size(s, len, &n))
		return -EINVAL;
	*pages = DIV_ROUND_UP(n, PAGE_SIZE);
	return 0;
}

static int parse_owner(struct tmpfs_sb *ts, const char *key, const char *value, size_t len)
{
	struct user_ns *ns = current_cred()->ns;
	u32 id;

	if (parse_u32(value, len, 10, &id))
		return -EINVAL;
	if (*key == 'u') {
		ts->has_uid = true;
		return make_kuid(ns, id, &ts->uid) ? 0 : -EINVAL;
	}
	ts->has_gid = true;
	return make_kgid(ns, id, &ts->gid) ? 0 : -EINVAL;
}

static int parse_option(struct tmpfs_sb *ts, const char *s, size_t len)
{
	const char *eq = memchr(s, '=', len), *value = eq ? eq + 1 : s + len;
	size_t key_len = eq ? (size_t)(eq - s) : len, value_len = len - (size_t)(value - s);
	u64 n;

	if (str_eq_len(s, key_len, "size"))
		return parse_size_option(value, value_len, &ts->max_blocks);
	if (str_eq_len(s, key_len, "nr_blocks"))
		return parse_size(value, value_len, &ts->max_blocks) ? -EINVAL : 0;
	if (str_eq_len(s, key_len, "nr_inodes"))
		return parse_size(value, value_len, &ts->max_inodes) ? -EINVAL : 0;
	if (str_eq_len(s, key_len, "mode")) {
		if (parse_u64(value, value_len, 8, &n))
			return -EINVAL;
		ts->mode = (u32)n & 07777;
		return 0;
	}
	if (str_eq_len(s, key_len, "uid") || str_eq_len(s, key_len, "gid"))
		return parse_owner(ts, s, value, value_len);
	if (!eq && (str_eq_len(s, key_len, "inode64") || str_eq_len(s, key_len, "inode32")))
		return 0;
	return -EINVAL;
}

static int parse_options(struct tmpfs_sb *ts, const char *s)
{
	while (s && *s) {
		const char *comma = strchr(s, ',');
		size_t len = comma ? (size_t)(comma - s) : strlen(s);
		int err = len ? parse_option(ts, s, len) : 0;

		if (err) {
			klog(LOG_INFO, "tmpfs: bad option: %s", s);
			return err;
		}
		s += len + (comma ? 1 : 0);
	}
	return 0;
}

/* mount(2), MS_REMOUNT: new limits, which must hold what is there. */
static int remount(struct super_block *sb, u32 flags, const char *options)
{
	struct tmpfs_sb *ts = tmpfs_of(sb), new = *ts;
	int err = parse_options(&new, options);

	(void)flags;
	if (err)
		return err;
	if (new.max_blocks && new.max_blocks < READ_ONCE(ts->used_blocks))
		return -EINVAL;
	if (new.max_inodes && new.max_inodes < READ_ONCE(ts->used_inodes))
		return -EINVAL;
	if ((new.max_blocks && !ts->max_blocks) || (new.max_inodes && !ts->max_inodes))
		return -EINVAL;		/* tmpfs(5): unlimited stays unlimited */
	WRITE_ONCE(ts->max_blocks, new.max_blocks);
	WRITE_ONCE(ts->max_inodes, new.max_inodes);
	return 0;
}

/* What differs from the defaults, in Linux's order and units. */
static void show_options(struct super_block *sb, char *buf, size_t max)
{
	const struct tmpfs_sb *ts = tmpfs_of(sb);
	u64 half = half_of_memory();
	size_t n = 0;

	if (max)
		*buf = 0;
	if (ts->max_blocks != half)
		n += (size_t)scnprintf(buf + n, max - n, ",size=%luk", ts->max_blocks * (PAGE_SIZE / 1024));
	if (ts->max_inodes != half)
		n += (size_t)scnprintf(buf + n, max - n, ",nr_inodes=%lu", ts->max_inodes);
	if (ts->mode != 01777)
		n += (size_t)scnprintf(buf + n, max - n, ",mode=%03o", ts->mode);
	if (ts->has_uid && ts->uid.v)
		n += (size_t)scnprintf(buf + n, max - n, ",uid=%u", from_kuid(sb->user_ns, ts->uid));
	if (ts->has_gid && ts->gid.v)
		n += (size_t)scnprintf(buf + n, max - n, ",gid=%u", from_kgid(sb->user_ns, ts->gid));
	(void)scnprintf(buf + n, max - n, ",inode64");
}

static int statfs(struct super_block *sb, struct statfs_k *out)
{
	const struct tmpfs_sb *ts = tmpfs_of(sb);
	u64 blocks = READ_ONCE(ts->max_blocks), inodes = READ_ONCE(ts->max_inodes);

	if (blocks) {
		out->blocks = blocks;
		out->bavail = out->bfree = blocks - min(blocks, READ_ONCE(ts->used_blocks));
	}
	if (inodes) {
		out->files = inodes;
		out->ffree = inodes - min(inodes, READ_ONCE(ts->used_inodes));
	}
	return 0;
}

/* The last mount is gone, and with it all dentries and open files: only the entries hold inodes. They are all taken out before any is put, so that
 * no inode is freed while the list is walked and no tree is freed by recursion. */
static void kill(struct super_block *sb)
{
	struct tmpfs_entry *chain = NULL;
	struct inode *i;

	spin_lock(&sb->inodes_lock);
	list_for_each_entry(i, &sb->inodes, sb_node)
		if (S_ISDIR(i->mode))
			tmpfs_dir_take_all(i, &chain);
	spin_unlock(&sb->inodes_lock);
	tmpfs_entries_put(chain);
	if (sb->root) {
		d_put(sb->root);
		sb->root = NULL;
	}
	if (tmpfs_of(sb) == rootfs)
		rootfs = NULL;
	kfree(sb->private);
}

static const struct super_ops super_ops = {
	.evict = tmpfs_evict, .free_inode = tmpfs_free_inode, .statfs = statfs, .kill = kill, .remount = remount, .show_options = show_options,
};

static int fill(struct super_block *sb, struct tmpfs_sb *ts)
{
	struct inode *root;
	int err = tmpfs_inode_new(sb, NULL, S_IFDIR | ts->mode, 0, &root);

	if (err)
		return err;
	root->uid = ts->uid;
	root->gid = ts->gid;
	sb->root = d_make_root(sb, root);
	return sb->root ? 0 : -ENOMEM;
}

int tmpfs_mount_with(const struct fs_type *t, const struct tmpfs_sb *defaults, const char *options, struct super_block **out)
{
	struct tmpfs_sb *ts = kmalloc(sizeof(*ts), ALLOC_SLEEP);
	struct super_block *sb;
	int err;

	if (!ts)
		return -ENOMEM;
	*ts = *defaults;
	err = parse_options(ts, options);
	if (!err)
		err = super_create(t, &super_ops, &sb);
	if (err) {
		kfree(ts);
		return err;
	}
	sb->private = ts;
	sb->magic = TMPFS_MAGIC_NR;
	err = fill(sb, ts);
	if (err) {
		super_put(sb);
		return err;
	}
	*out = sb;
	return 0;
}

static int mount_tmpfs(const struct fs_type *t, const char *source, u32 flags, const char *options, struct super_block **out)
{
	u64 half = half_of_memory();
	const struct cred *c = current_cred();
	struct tmpfs_sb defaults = { .max_blocks = half, .max_inodes = half, .mode = 01777, .uid = c->fsuid, .gid = c->fsgid };

	(void)source;
	(void)flags;
	return tmpfs_mount_with(t, &defaults, options, out);
}

static int mount_rootfs(const struct fs_type *t, const char *source, u32 flags, const char *options, struct super_block **out)
{
	struct tmpfs_sb defaults = { .mode = 01777 };
	int err;

	(void)source;
	(void)flags;
	if (rootfs)
		return -EBUSY;
	err = tmpfs_mount_with(t, &defaults, options, out);
	if (!err)
		rootfs = tmpfs_of(*out);
	return err;
}

static int mount_hidden(const struct fs_type *t, const char *source, u32 flags, const char *options, struct super_block **out)
{
	struct tmpfs_sb defaults = { .mode = 0777 };

	(void)source;
	(void)flags;
	return tmpfs_mount_with(t, &defaults, options, out);
}

static struct fs_type tmpfs_type = { .name = "tmpfs", .is_user_mountable = true, .mount = mount_tmpfs };
static const struct fs_type rootfs_type = { .name = "rootfs", .mount = mount_rootfs };
static const struct fs_type hidden_type = { .name = "tmpfs", .mount = mount_hidden };

const struct fs_type *fs_policy_root_type(void)
{
	return &rootfs_type;
}

void tmpfs_init(void)
{
	if (fs_register(&tmpfs_type) || mount_internal(&hidden_type, &tmpfs_hidden))
		panic("no memory for tmpfs");
	devtmpfs_init();
}

void tmpfs_rootfs_settle(void)
{
	struct mem_stat ms;

	if (!rootfs)
		return;
	mem_stat(&ms);
	WRITE_ONCE(rootfs->max_blocks, max(ms.total / 2, rootfs->used_blocks + ms.free / 2));
	WRITE_ONCE(rootfs->max_inodes, max(ms.total / 2, rootfs->used_inodes * 2));
}

/* --- mmap(2), MAP_SHARED | MAP_ANONYMOUS: a file without a name */

int mm_shared_anon(u64 len, struct mapping **m, struct file **f, const struct vma_ops **ops)
{
	struct inode *i;
	int err = tmpfs_inode_new(tmpfs_hidden->sb, NULL, S_IFREG | 0777, 0, &i);

	if (err)
		return err;
	i->mapping.size = ALIGN_UP(len, PAGE_SIZE);
	i->nlink = 0;
	err = file_alloc_anon(tmpfs_hidden, i, "/dev/zero (deleted)", O_RDWR, &tmpfs_file_ops, f);
	if (err) {
		inode_put(i);
		return err;
	}
	*m = &i->mapping;
	*ops = &file_vma_ops;
	return 0;
}
