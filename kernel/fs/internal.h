/* SPDX-License-Identifier: MPL-2.0 */
/* What fs core's files ask of each other; not for other folders. Each group names its file. */
#ifndef FS_INTERNAL_H
#define FS_INTERNAL_H

#include <lib/types.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include "abi/stat.h"
#include "fs/vfs.h"

enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4, MAY_APPEND = 8, MAY_CHDIR = 16 };

/* Lock subclasses of inode->lock. */
enum { INODE_PARENT = 0, INODE_PARENT2 = 1, INODE_CHILD = 2, INODE_CHILD2 = 3 };

static inline bool inode_is(const struct inode *i, u32 type)
{
	return (READ_ONCE(i->mode) & S_IFMT) == type;
}

static inline bool d_is_negative(const struct dentry *d)
{
	return !READ_ONCE(d->inode);
}

static inline bool path_eq(const struct path *a, const struct path *b)
{
	return a->mnt == b->mnt && a->dentry == b->dentry;
}

/* --- Names (dentry.c, name.h's inline part). All reads go by words: 8 readable bytes must follow each name. */
#define NAME_ONES 0x0101010101010101ul
#define NAME_HIGHS 0x8080808080808080ul
#define NAME_SLASHES (NAME_ONES * '/')

extern u64 dcache_seed;			/* [I] random */

static inline u64 name_salt(const struct dentry *parent)
{
	return ((u64)(uintptr_t)parent >> 6) + dcache_seed;
}

static inline u64 name_hash_word(u64 h, u64 word)
{
	h = (h ^ word) * HASH_K0;
	return h ^ h >> 32;
}

static inline u32 name_hash_end(u64 h)
{
	return (u32)((h * HASH_K1) >> 32);
}

static inline u64 name_zero_bytes(u64 w)
{
	return (w - NAME_ONES) & ~w & NAME_HIGHS;
}

/* The component that starts at `text`, up to a slash or NUL: its length, and its hash below `parent`. */
static inline u32 name_scan(const struct dentry *parent, const char *text, u32 *hash)
{
	u64 h = name_salt(parent), w, end;
	u32 len = 0;

	for (;; len += 8) {
		w = get_le64(text + len);
		end = name_zero_bytes(w) | name_zero_bytes(w ^ NAME_SLASHES);
		if (end)
			break;
		h = name_hash_word(h, w);
	}
	end = (end & -end) >> 7;	/* the lowest one is exact: bit 8n for byte n */
	w &= end - 1;
	*hash = name_hash_end(name_hash_word(h, w));
	return len + (u32)__builtin_ctzl(end) / 8;
}

static inline bool name_eq(const char *a, const char *b, u32 len)
{
	for (; len >= 8; len -= 8, a += 8, b += 8)
		if (get_le64(a) != get_le64(b))
			return false;
	return !len || !((get_le64(a) ^ get_le64(b)) << (64 - 8 * len));
}

static inline bool qstr_is_dot(const char *name, u32 len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

/* --- dentry.c */
#define D_REFS_DEAD 0x80000000u

extern struct seqcount rename_seq;	/* changes with every move in the tree: [rename_lock] */
extern struct spinlock rename_lock;

static inline u32 d_flags(const struct dentry *d)
{
	return __atomic_load_n(&d->flags, __ATOMIC_ACQUIRE);
}

static inline void d_flag_set(struct dentry *d, u32 bits)
{
	__atomic_fetch_or(&d->flags, bits, __ATOMIC_SEQ_CST);
}

static inline void d_flag_clear(struct dentry *d, u32 bits)
{
	__atomic_fetch_and(&d->flags, ~bits, __ATOMIC_SEQ_CST);
}

/* Under RCU, or with another guarantee that the memory stays. */
static inline __must_check bool d_try_get(struct dentry *d)
{
	u32 n = __atomic_load_n(&d->refs, __ATOMIC_RELAXED);

	while (!(n & D_REFS_DEAD))
		if (__atomic_compare_exchange_n(&d->refs, &n, n + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return true;
	return false;
}

static inline bool d_is_hashed(const struct dentry *d)
{
	return hlist_is_linked(&d->hash);
}

static inline bool d_revalidate(struct dentry *d)
{
	return !(d_flags(d) & D_REVALIDATE) || d->ops->revalidate(d);
}

void dcache_init(void);
/* Under RCU: the entry, with the sequence its name and inode were read under; NULL: not cached, or being changed. */
struct dentry *d_lookup_rcu(const struct dentry *parent, const struct qstr *name, u32 *seq);
struct dentry *d_lookup(struct dentry *parent, const struct qstr *name);	/* referenced, or NULL */
/* Through the cache, asking the file system if need be; referenced, may be negative. `locked`: the caller holds the directory's lock. */
__must_check int d_lookup_fs(struct dentry *parent, const struct qstr *name, bool locked, struct dentry **out);
void d_delete(struct dentry *d);	/* the name is gone: negative if nobody else uses it, else unhashed. Directory locked */
void d_move(struct dentry *d, struct dentry *target);		/* directories locked; target is unhashed */
void d_exchange(struct dentry *a, struct dentry *b);
/* Watching (notify.h): the flag of all children, now and to come; of one whose parent's watchers have gone. */
void d_watch_children(struct dentry *d);
void d_unwatch_child(struct dentry *parent, struct dentry *d);
/* The parent, referenced, and the name below it (FS_NAME_MAX bytes, no NUL) as of one moment. */
struct dentry *d_get_parent_and_name(struct dentry *d, char *name, u32 *len);
void d_prune_children(struct dentry *d);	/* forgets unused entries below a directory that was removed */
void d_shrink_tree(struct dentry *root);	/* forgets everything below; the caller holds a reference; nobody uses the tree any more */
bool d_is_ancestor(const struct dentry *a, const struct dentry *d);	/* a == d counts; the rename mutex is held */
/* Gives an unhashed dentry (O_TMPFILE) nothing; a fresh one below parent for an inode that has no name there. */
struct dentry *d_alloc_unhashed(struct dentry *parent, const char *name, u32 len);
void d_bind(struct dentry *d, struct inode *inode);		/* as d_instantiate, but does not hash */

/* --- inode.c */
void inode_cache_init(void);
/* Mode bits only, no mount, no read-only check; under RCU too unless ops->permission is set. */
__must_check int generic_permission(struct inode *i, u32 mask);
__must_check int inode_writable_get(struct inode *i);		/* open for writing: -ETXTBSY */
void inode_writable_put(struct inode *i);
void mount_touch_atime(const struct mount *m, struct inode *i);	/* also under RCU */
bool inode_owner_or_capable(const struct inode *i);
__must_check int vfs_setattr_locked(const struct path *p, struct iattr *a);	/* write access and inode lock held */

/* --- attr.c */
void stat_add_mount(const struct path *p, struct kstat *st);

/* --- mount.c */
struct mntns {
	struct ref refs;
	struct mount *root;		/* [m] */
	struct list mounts;		/* [m] in the order of mounting */
};

extern struct seqcount mount_seq;	/* changes with the topology of mounts */
extern struct rwsem mounts_sem;		/* [m]: the topology of mounts; taken before inode locks */

struct mntns *mntns_current(void);
__must_check int mount_create(struct super_block *sb, struct dentry *root, const char *source, u32 flags, struct mount **out);
struct mount *mount_find_rcu(const struct mount *parent, const struct dentry *d);
bool mount_down(struct path *p);	/* to what is mounted here, referenced; false: nothing */
bool mount_up(struct path *p);		/* from a mount's root to where it hangs, referenced; false: top */
void mount_get(struct mount *m);
void mount_put(struct mount *m);	/* may sleep */
void mount_put_unexpired(struct mount *m);
void mount_attach(struct mount *m, const struct path *where, struct mntns *ns);	/* [m] takes over the reference */
void mount_detach(struct mount *m, struct list *dead);		/* [m] m and all below it; then mounts_bury without the lock */
void mounts_bury(struct list *dead);
struct dentry *mount_uproot(struct mount *m);			/* [m] from its place, with what hangs below; returns the mountpoint for d_put */
void mount_plant(struct mount *m, const struct path *where);	/* [m] where NULL: top of its namespace */
struct mount *mount_next(const struct mount *m, const struct mount *top);	/* [m] pre-order */
__must_check int mount_make_readonly(struct mount *m);		/* -EBUSY */
void mount_set_flags(struct mount *m, u32 flags);
__must_check int mounts_hold_writers(struct super_block *sb);	/* [m] -EBUSY; else mounts_release_writers must follow */
void mounts_release_writers(struct super_block *sb);

/* --- super.c */
const struct fs_type *fs_find(const char *name);
__must_check int super_mount(const struct fs_type *t, const char *source, u32 flags, const char *options, struct super_block **out);
__must_check int super_remount(struct super_block *sb, u32 flags, const char *options);	/* [m] */
void super_get(struct super_block *sb);

/* --- file.c */
void file_cache_init(void);

/* Offsets are signed to programs: what would end beyond the largest is refused before it begins. */
static inline bool passes_end(u64 pos, u64 len)
{
	return unlikely(pos > INT64_MAX || len > INT64_MAX - pos);
}

/* --- modify.c. The directory is locked. */
__must_check int may_create_in(struct inode *dir);
__must_check int may_delete(struct inode *dir, struct dentry *victim, bool is_dir);

/* --- query.c: mount write access is held; a regular file */
__must_check int truncate_path(const struct path *p, u64 size, u32 valid);

/* --- fsctx.c */
void fsctx_root_rcu(struct path *out);	/* unreferenced */
void fsctx_cwd_rcu(struct path *out);
void fsctx_init(const struct path *root);
/* pivot_root(2): everybody whose root or working directory was `from` moves to `to`. */
void fsctx_replace_all(const struct path *from, const struct path *to);

#endif
