/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Mounts: the places where file systems hang, and the way across them.
 *
 * A mount is one (super block, root dentry) with flags; it hangs on a (parent mount, mountpoint dentry) pair, found by a hash, or is the top of its
 * namespace. References: one for hanging in a tree, one for each path into it. Parents are not pinned by children: no mount goes while something hangs on
 * it, but a lazy unmount, which takes the whole subtree apart.
 *
 * Locks: mounts_sem (sleeping) guards the topology; mount_lock and mount_seq publish changes of it to path walkers, who look under RCU and believe
 * what they found if mount_seq has not changed.
 */
#include <lib/string.h>
#include <frame/log.h>
#include "abi/mount.h"
#include "fs/internal.h"
#include "fs/fdtable.h"
#include "fs/poll.h"
#include "mm/alloc.h"
#include "object/nsproxy.h"
#include "sched/sched.h"

#define MOUNT_BUCKETS 512

static struct hlist_head buckets[MOUNT_BUCKETS];	/* [mount_lock; RCU to read] */
static struct spinlock mount_lock = SPINLOCK_INIT("mount");
struct seqcount mount_seq;
struct rwsem mounts_sem;
static struct slab_cache *mount_cache;
static u32 last_id;					/* [a] */
static u32 n_changes;					/* [a] of the topology, and of mounts' flags */
static struct waitq changes_wait = WAITQ_INIT("mount changes", changes_wait);
static struct mntns initial_ns = { .refs = { 1 }, .mounts = LIST_INIT(initial_ns.mounts) };

static void mount_cache_init(void)
{
	rwsem_init(&mounts_sem, "mounts");
	mount_cache = slab_create("mount", sizeof(struct mount), 64, 0, NULL);
}

struct mntns *mntns_current(void)
{
	struct nsproxy *ns = current_actor()->ns;

	return ns && ns->mnt ? ns->mnt : &initial_ns;
}

/* --- Life */

int mount_create(struct super_block *sb, struct dentry *root, const char *source, u32 flags, struct mount **out)
{
	struct mount *m = slab_alloc(mount_cache, ALLOC_SLEEP | ALLOC_ZERO);

	if (!m)
		return -ENOMEM;
	ref_init(&m->refs);
	m->flags = flags;
	m->root = d_get(root);
	m->sb = sb;
	super_get(sb);
	m->parent = m;
	m->mountpoint = m->root;
	list_init(&m->ns_node);
	list_init(&m->child);
	list_init(&m->children);
	list_init(&m->sb_node);
	m->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
	strlcpy(m->source, source ? source : "none", sizeof(m->source));
	spin_lock(&mount_lock);
	list_push_back(&sb->mounts, &m->sb_node);
	spin_unlock(&mount_lock);
	*out = m;
	return 0;
}

int mount_internal(const struct fs_type *t, struct mount **out)
{
	struct super_block *sb;
	int err = super_mount(t, t->name, 0, NULL, &sb);

	if (err)
		return err;
	__atomic_fetch_or(&sb->flags, SB_INTERNAL, __ATOMIC_RELAXED);
	err = mount_create(sb, sb->root, t->name, MOUNT_NOATIME, out);
	super_put(sb);
	return err;
}

void mount_get(struct mount *m)
{
	ref_get(&m->refs);
}

static void free_rcu(struct rcu_head *head)
{
	slab_free(mount_cache, container_of(head, struct mount, rcu));
}

void mount_put_unexpired(struct mount *m)
{
	if (!ref_put(&m->refs))
		return;
	spin_lock(&mount_lock);
	list_del(&m->sb_node);
	spin_unlock(&mount_lock);
	d_put(m->root);
	super_put(m->sb);
	rcu_call(&m->rcu, free_rcu);
}

/* umount2(2), MNT_EXPIRE: use in between takes the mark away. */
void mount_put(struct mount *m)
{
	if (unlikely(READ_ONCE(m->flags) & MOUNT_EXPIRY_MARK))
		__atomic_fetch_and(&m->flags, ~(u32)MOUNT_EXPIRY_MARK, __ATOMIC_RELAXED);
	mount_put_unexpired(m);
}

void path_get(const struct path *p)
{
	mount_get(p->mnt);
	d_get(p->dentry);
}

void path_put(const struct path *p)
{
	d_put(p->dentry);
	mount_put(p->mnt);
}

/* --- Crossing */

static struct hlist_head *bucket_of(const struct mount *parent, const struct dentry *d)
{
	return &buckets[hash_bits(hash_combine(hash_ptr(parent), (u64)(uintptr_t)d), 9)];
}

struct mount *mount_find_rcu(const struct mount *parent, const struct dentry *d)
{
	struct mount *m;

	_Static_assert(MOUNT_BUCKETS == 1 << 9, "bucket_of takes 9 bits");
	hlist_for_each_entry_rcu(m, bucket_of(parent, d), hash)
		if (READ_ONCE(m->parent) == parent && READ_ONCE(m->mountpoint) == d)
			return m;
	return NULL;
}

bool mount_down(struct path *p)
{
	struct mount *m;
	bool has_ref;
	u32 seq;

	for (;;) {
		seq = seq_read_begin(&mount_seq);
		rcu_read_lock();
		m = mount_find_rcu(p->mnt, p->dentry);
		has_ref = m && ref_try_get(&m->refs);
		rcu_read_unlock();
		if (!seq_read_retry(&mount_seq, seq) && (has_ref || !m))
			break;
		if (has_ref)
			mount_put(m);
	}
	if (!m)
		return false;
	d_get(m->root);
	path_put(p);
	*p = (struct path){ m, m->root };
	return true;
}

bool mount_up(struct path *p)
{
	for (;;) {
		u32 seq = seq_read_begin(&mount_seq);
		bool is_top, has_mount, has_dentry;
		struct path up;

		rcu_read_lock();
		up = (struct path){ READ_ONCE(p->mnt->parent), READ_ONCE(p->mnt->mountpoint) };
		is_top = up.mnt == p->mnt;
		has_mount = !is_top && ref_try_get(&up.mnt->refs);
		has_dentry = has_mount && d_try_get(up.dentry);
		rcu_read_unlock();
		if (!seq_read_retry(&mount_seq, seq) && (is_top || has_dentry)) {
			if (is_top)
				return false;
			path_put(p);
			*p = up;
			return true;
		}
		if (has_dentry)
			d_put(up.dentry);
		if (has_mount)
			mount_put(up.mnt);
	}
}

/* --- Topology: mounts_sem is held for writing */

static void topology_begin(void)
{
	spin_lock(&mount_lock);
	seq_write_begin(&mount_seq);
}

static void note_change(void)
{
	__atomic_fetch_add(&n_changes, 1, __ATOMIC_RELEASE);
	waitq_wake_all(&changes_wait);
}

u32 mount_changes(struct poll_wait *pw)
{
	poll_wait_on(pw, &changes_wait);
	return __atomic_load_n(&n_changes, __ATOMIC_ACQUIRE);
}

static void topology_end(void)
{
	seq_write_end(&mount_seq);
	spin_unlock(&mount_lock);
	note_change();
}

static void hang_locked(struct mount *m, struct mount *parent, struct dentry *point)
{
	WRITE_ONCE(m->parent, parent);
	WRITE_ONCE(m->mountpoint, point);
	if (!point->n_mounted++)
		d_flag_set(point, D_MOUNTED);
	hlist_add_rcu(bucket_of(parent, point), &m->hash);
	list_push_back(&parent->children, &m->child);
}

/* The reference on the mountpoint is the caller's from here on. */
static struct dentry *unhang_locked(struct mount *m)
{
	struct dentry *point = m->mountpoint;

	if (m->parent == m)
		return NULL;
	hlist_del_rcu(&m->hash);
	list_del(&m->child);
	if (!--point->n_mounted)
		d_flag_clear(point, D_MOUNTED);
	WRITE_ONCE(m->parent, m);
	WRITE_ONCE(m->mountpoint, m->root);
	return point;
}

void mount_attach(struct mount *m, const struct path *where, struct mntns *ns)
{
	d_get(where->dentry);
	topology_begin();
	hang_locked(m, where->mnt, where->dentry);
	m->ns = ns;
	list_push_back(&ns->mounts, &m->ns_node);
	topology_end();
}

/* The next of the tree under `top` after m, parents before children. */
struct mount *mount_next(const struct mount *m, const struct mount *top)
{
	if (!list_empty(&m->children))
		return list_first_entry(&m->children, struct mount, child);
	for (; m != top; m = m->parent)
		if (m->child.next != &m->parent->children)
			return list_entry(m->child.next, struct mount, child);
	return NULL;
}

/* Leaves first. `dead` gathers the mounts, by ns_node, with the mountpoints they still pin in m->mountpoint. */
void mount_detach(struct mount *top, struct list *dead)
{
	for (;;) {
		struct mount *m = top;
		struct dentry *point;

		while (!list_empty(&m->children))
			m = list_first_entry(&m->children, struct mount, child);
		topology_begin();
		point = unhang_locked(m);
		m->ns = NULL;
		list_del(&m->ns_node);
		topology_end();
		m->detached_from = point;
		list_push_back(dead, &m->ns_node);
		if (m == top)
			return;
	}
}

void mounts_bury(struct list *dead)
{
	struct mount *m, *next;

	list_for_each_entry_safe(m, next, dead, ns_node) {
		struct dentry *point = m->detached_from;

		list_del(&m->ns_node);
		m->detached_from = NULL;
		if (point)
			d_put(point);
		mount_put(m);
	}
}

struct dentry *mount_uproot(struct mount *m)
{
	struct dentry *point;

	topology_begin();
	point = unhang_locked(m);
	topology_end();
	return point;
}

void mount_plant(struct mount *m, const struct path *where)
{
	if (where)
		d_get(where->dentry);
	topology_begin();
	if (where)
		hang_locked(m, where->mnt, where->dentry);
	else
		m->ns->root = m;
	topology_end();
}

int mount_each(int (*fn)(const struct mount *m, void *arg), void *arg)
{
	struct mntns *ns = mntns_current();
	struct mount *m;
	int err = 0;

	rwsem_read_lock(&mounts_sem);
	list_for_each_entry(m, &ns->mounts, ns_node) {
		err = fn(m, arg);
		if (err)
			break;
	}
	rwsem_read_unlock(&mounts_sem);
	return err;
}

/* --- Writers. A writer counts itself, then looks at the flags; who makes a mount read-only sets HOLD, then looks at the count. */

int mnt_want_write(struct mount *m)
{
	for (;;) {
		u32 flags;

		__atomic_fetch_add(&m->n_writers, 1, __ATOMIC_SEQ_CST);
		flags = __atomic_load_n(&m->flags, __ATOMIC_SEQ_CST);
		if (likely(!(flags & (MOUNT_HOLD | MOUNT_RDONLY)) && !(READ_ONCE(m->sb->flags) & SB_RDONLY)))
			return 0;
		mnt_drop_write(m);
		if (!(flags & MOUNT_HOLD))
			return -EROFS;
		sched_yield();
	}
}

void mnt_drop_write(struct mount *m)
{
	__atomic_fetch_sub(&m->n_writers, 1, __ATOMIC_RELEASE);
}

static bool hold_writers(struct mount *m)
{
	__atomic_fetch_or(&m->flags, MOUNT_HOLD, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&m->n_writers, __ATOMIC_SEQ_CST) == 0;
}

static void release_writers(struct mount *m)
{
	__atomic_fetch_and(&m->flags, ~(u32)MOUNT_HOLD, __ATOMIC_SEQ_CST);
}

int mount_make_readonly(struct mount *m)
{
	bool is_free = hold_writers(m);

	if (is_free)
		__atomic_fetch_or(&m->flags, MOUNT_RDONLY, __ATOMIC_SEQ_CST);
	release_writers(m);
	return is_free ? 0 : -EBUSY;
}

void mount_set_flags(struct mount *m, u32 flags)
{
	u32 old = READ_ONCE(m->flags);

	while (!__atomic_compare_exchange_n(&m->flags, &old, (old & ~(u32)MOUNT_USER_FLAGS) | (flags & MOUNT_USER_FLAGS), true, __ATOMIC_SEQ_CST,
					    __ATOMIC_RELAXED))
		;
	note_change();
}

void mounts_release_writers(struct super_block *sb)
{
	struct mount *m;

	SPIN_GUARD(&mount_lock);
	list_for_each_entry(m, &sb->mounts, sb_node)
		release_writers(m);
}

int mounts_hold_writers(struct super_block *sb)
{
	bool is_free = true;
	struct mount *m;

	spin_lock(&mount_lock);
	list_for_each_entry(m, &sb->mounts, sb_node)
		is_free &= hold_writers(m);
	spin_unlock(&mount_lock);
	if (is_free)
		return 0;
	mounts_release_writers(sb);
	return -EBUSY;
}

/* --- Start-up */

static struct mount *mount_first_root(void)
{
	const struct fs_type *type = fs_policy_root_type();
	struct super_block *sb;
	struct mount *m;

	if (super_mount(type, type->name, 0, NULL, &sb) || mount_create(sb, sb->root, type->name, 0, &m))
		panic("cannot mount the first root");
	super_put(sb);
	m->ns = &initial_ns;
	initial_ns.root = m;
	list_push_back(&initial_ns.mounts, &m->ns_node);
	return m;
}

void vfs_init(void)
{
	struct mount *m;

	dcache_init();
	inode_cache_init();
	mount_cache_init();
	file_cache_init();
	m = mount_first_root();
	fsctx_init(&(struct path){ m, m->root });
}
