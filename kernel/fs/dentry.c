/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The dentry cache: names of the tree, positive and negative.
 *
 * Life: made referenced by d_alloc below a parent that it pins; hashed, so that look-ups find it; at its last put it stays, cached, if it is hashed, and
 * goes to the LRU; the shrinker, a removal or an unmount then make it dead. `refs` has one special value: D_REFS_DEAD, set by compare-and-swap from 0 by
 * whoever frees it (or, for a moment, from 1 by d_delete): no look-up can get it any more, so the freer needs no lock to take it apart. Memory is freed
 * after a grace period. While a reference is held, a positive dentry stays positive.
 *
 * Look-ups walk hash chains under RCU. They may meet a dentry that is being renamed: its sequence count tells, and a chain walk that was led astray ends in a
 * miss, which is believed only if rename_seq has not changed. A new name is hashed before the file system is asked (D_IN_LOOKUP), so that two tasks never
 * ask, and never make two dentries for one name; the second waits.
 *
 * Locks: rename_lock → d->lock → LRU lock → bucket lock. No two dentry locks are held together.
 */
#include <lib/string.h>
#include <frame/log.h>
#include "fs/internal.h"
#include "fs/notify.h"
#include "mm/alloc.h"
#include "object/random.h"
#include "sched/sched.h"
#include "sync/wait.h"

struct bucket {
	struct hlist_head head;		/* [lock; RCU to read] */
	struct spinlock lock;
};

static struct bucket *buckets;		/* [I] */
static u32 bucket_shift;		/* [I] 32 - log2 of their number */
u64 dcache_seed;
static struct slab_cache *dentry_cache;

struct seqcount rename_seq;
struct spinlock rename_lock = SPINLOCK_INIT("rename");

static struct {
	struct spinlock lock;
	struct list list;		/* [lock] least recently used first */
} lru = { SPINLOCK_INIT("dentry lru"), LIST_INIT(lru.list) };

#define LOOKUP_WAITQS 16
static struct waitq lookup_waits[LOOKUP_WAITQS];

/* A name too long for the dentry; shared by a dentry and what was renamed to it. */
struct long_name {
	u32 refs;			/* [a] */
	struct rcu_head rcu;
	char text[];
};

static inline struct bucket *bucket_of(u32 hash)
{
	return &buckets[hash >> bucket_shift];
}

static void free_rcu(struct rcu_head *head)
{
	slab_free(dentry_cache, container_of(head, struct dentry, rcu));
}

static void long_name_free_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct long_name, rcu));
}

static void long_name_put(struct long_name *n)
{
	if (n && !__atomic_sub_fetch(&n->refs, 1, __ATOMIC_ACQ_REL))
		rcu_call(&n->rcu, long_name_free_rcu);
}

/* --- Making one */

static bool set_name(struct dentry *d, const char *name, u32 len)
{
	memset(d->inline_name, 0, sizeof(d->inline_name));
	d->name.len = len;
	if (likely(len < DENTRY_INLINE_NAME)) {
		memcpy(d->inline_name, name, len);
		d->name.name = d->inline_name;
		return true;
	}
	d->long_name = kmalloc(sizeof(struct long_name) + len + 8, ALLOC_SLEEP | ALLOC_USER);
	if (!d->long_name)
		return false;
	d->long_name->refs = 1;
	memcpy(d->long_name->text, name, len);
	memset(d->long_name->text + len, 0, 8);
	d->name.name = d->long_name->text;
	return true;
}

/* Referenced, unhashed, negative; parent NULL: a root. */
static struct dentry *d_alloc(struct super_block *sb, struct dentry *parent, const char *name, u32 len)
{
	struct dentry *d = slab_alloc(dentry_cache, ALLOC_SLEEP | ALLOC_USER);

	if (!d)
		return NULL;
	hlist_node_init(&d->hash);
	d->parent = d;
	d->inode = NULL;
	d->name.hash = 0;
	d->seq.seq = 0;
	d->flags = 0;
	d->refs = 1;
	spin_init(&d->lock, "dentry");
	list_init(&d->children);
	list_init(&d->sibling);
	list_init(&d->lru);
	d->ops = NULL;
	d->sb = sb;
	d->n_mounted = 0;
	d->long_name = NULL;
	d->private = NULL;
	if (!set_name(d, name, len)) {
		slab_free(dentry_cache, d);
		return NULL;
	}
	if (parent) {
		d->parent = d_get(parent);
		spin_lock(&parent->lock);
		list_push_front(&parent->children, &d->sibling);
		if (notify_parent_watches(parent))
			d->flags = D_PARENT_WATCHED;
		spin_unlock(&parent->lock);
	}
	return d;
}

struct dentry *d_alloc_unhashed(struct dentry *parent, const char *name, u32 len)
{
	return d_alloc(parent->sb, parent, name, len);
}

struct dentry *d_alloc_anon(struct super_block *sb, const char *name)
{
	struct dentry *d = d_alloc(sb, NULL, name, (u32)strlen(name));

	if (d)
		d->flags = D_ANON;
	return d;
}

struct dentry *d_make_root(struct super_block *sb, struct inode *inode)
{
	struct dentry *d = d_alloc(sb, NULL, "/", 1);

	if (!d) {
		inode_put(inode);
		return NULL;
	}
	d_bind(d, inode);
	return d;
}

/* --- References */

struct dentry *d_get(struct dentry *d)
{
	u32 old = __atomic_fetch_add(&d->refs, 1, __ATOMIC_RELAXED);

	BUG_ON(old == 0 || (old & D_REFS_DEAD));
	return d;
}

static void lru_add(struct dentry *d)
{
	d_flag_set(d, D_REFERENCED);
	if (d_flags(d) & D_LRU)
		return;
	SPIN_GUARD(&lru.lock);
	if (d_flags(d) & D_LRU)
		return;
	d_flag_set(d, D_LRU);
	if (__atomic_load_n(&d->refs, __ATOMIC_SEQ_CST) & D_REFS_DEAD)
		d_flag_clear(d, D_LRU);		/* R1: made dead since the caller's put */
	else
		list_push_back(&lru.list, &d->lru);
}

/* R1: a dead dentry's count was changed before D_LRU is looked at here; lru_add sets D_LRU before it looks at the count. */
static void lru_remove(struct dentry *d)
{
	if (!(d_flags(d) & D_LRU))
		return;
	SPIN_GUARD(&lru.lock);
	if (d_flags(d) & D_LRU) {
		d_flag_clear(d, D_LRU);
		list_del(&d->lru);
	}
}

/* A move may change the hash meanwhile. */
static void unhash(struct dentry *d)
{
	bool is_done = false;

	while (!is_done && d_is_hashed(d)) {
		u32 hash = READ_ONCE(d->name.hash);
		struct bucket *b = bucket_of(hash);

		spin_lock(&b->lock);
		is_done = READ_ONCE(d->name.hash) == hash;
		if (is_done)
			hlist_del_rcu(&d->hash);
		spin_unlock(&b->lock);
	}
}

/* Its last name may be gone, and this its last user: then those who watch it hear so. */
static void let_inode_go(struct inode *inode)
{
	if (unlikely(READ_ONCE(inode->marks)) && !READ_ONCE(inode->nlink))
		notify_inode_gone(inode);
	inode_put(inode);
}

/* Takes a dead dentry apart; returns the parent, whose reference it held, or NULL. */
static struct dentry *d_destroy(struct dentry *d)
{
	struct dentry *parent = d->parent;
	struct inode *inode = d->inode;

	lru_remove(d);
	if (parent != d) {
		spin_lock(&parent->lock);
		list_del(&d->sibling);
		spin_unlock(&parent->lock);
	}
	seq_write_begin(&d->seq);	/* walkers that stand on it notice */
	WRITE_ONCE(d->inode, NULL);
	seq_write_end(&d->seq);
	long_name_put(d->long_name);
	rcu_call(&d->rcu, free_rcu);
	if (inode)
		let_inode_go(inode);
	return parent != d ? parent : NULL;
}

/* Look-ups retry while they meet a dead dentry, so it leaves its chain before this task can be preempted: RCU or a spinlock is held. */
static bool make_dead(struct dentry *d)
{
	u32 none = 0;

	if (!__atomic_compare_exchange_n(&d->refs, &none, D_REFS_DEAD, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return false;
	unhash(d);
	return true;
}

/* The last reference but one; from the moment the count is 0 another may free it: hence RCU. Returns what is to be put next. */
static struct dentry *put_last(struct dentry *d)
{
	bool is_dead = false;

	rcu_read_lock();
	if (!__atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL)) {
		if (d_is_hashed(d) && !(d_flags(d) & D_NOCACHE) && d_revalidate(d)) {
			if ((d_flags(d) & (D_LRU | D_REFERENCED)) != (D_LRU | D_REFERENCED))
				lru_add(d);
		} else {
			is_dead = make_dead(d);
		}
	}
	rcu_read_unlock();
	return is_dead ? d_destroy(d) : NULL;
}

void d_put(struct dentry *d)
{
	while (d) {
		u32 n = __atomic_load_n(&d->refs, __ATOMIC_RELAXED);

		BUG_ON(n == 0 || (n & D_REFS_DEAD));
		if (n > 1) {
			if (__atomic_compare_exchange_n(&d->refs, &n, n - 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
				return;
		} else {
			d = put_last(d);
		}
	}
}

/* --- Binding inodes */

static void set_inode_locked(struct dentry *d, struct inode *inode)
{
	const struct inode_ops *ops = inode ? inode->ops : d->parent->inode ? d->parent->inode->ops : NULL;

	seq_write_begin(&d->seq);
	WRITE_ONCE(d->inode, inode);
	d->ops = ops;
	if (ops && ops->revalidate)
		d_flag_set(d, D_REVALIDATE);
	else if (d->flags & D_REVALIDATE)
		d_flag_clear(d, D_REVALIDATE);
	seq_write_end(&d->seq);
}

void d_bind(struct dentry *d, struct inode *inode)
{
	spin_lock(&d->lock);
	BUG_ON(d->inode);
	set_inode_locked(d, inode);
	spin_unlock(&d->lock);
}

static void end_lookup(struct dentry *d)
{
	if (!(d_flags(d) & D_IN_LOOKUP))
		return;
	d_flag_clear(d, D_IN_LOOKUP);
	if (d_flags(d) & D_WAITED)
		waitq_wake_all(&lookup_waits[hash_ptr(d) % LOOKUP_WAITQS]);
}

void d_instantiate(struct dentry *d, struct inode *inode)
{
	d_bind(d, inode);
	if (!d_is_hashed(d) && d->parent != d) {
		struct bucket *b = bucket_of(d->name.hash);

		SPIN_GUARD(&b->lock);
		hlist_add_rcu(&b->head, &d->hash);
	}
	end_lookup(d);
}

void d_drop(struct dentry *d)
{
	SPIN_GUARD(&d->lock);
	unhash(d);
}

/* The frozen count keeps walkers from taking a reference while the dentry turns negative under them: they look again. */
void d_delete(struct dentry *d)
{
	struct inode *inode = NULL;
	u32 one = 1;

	spin_lock(&d->lock);
	if (__atomic_compare_exchange_n(&d->refs, &one, D_REFS_DEAD, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		inode = d->inode;
		set_inode_locked(d, NULL);
		__atomic_store_n(&d->refs, 1, __ATOMIC_RELEASE);
	} else {
		d_flag_set(d, D_UNLINKED);
		unhash(d);
	}
	spin_unlock(&d->lock);
	if (inode)
		let_inode_go(inode);
}

/* --- Look-up */

struct dentry *d_lookup_rcu(const struct dentry *parent, const struct qstr *name, u32 *seq)
{
	struct dentry *d;

	hlist_for_each_entry_rcu(d, &bucket_of(name->hash)->head, hash) {
		const char *text;
		u32 s;

		if (READ_ONCE(d->name.hash) != name->hash || READ_ONCE(d->parent) != parent)
			continue;
		s = __atomic_load_n(&d->seq.seq, __ATOMIC_ACQUIRE);
		if (READ_ONCE(d->name.len) != name->len)
			continue;
		text = READ_ONCE(d->name.name);
		if ((s & 1) || seq_read_retry(&d->seq, s))	/* text may be shorter than len */
			return NULL;
		if (!name_eq(text, name->name, name->len) || !d_is_hashed(d))
			continue;
		*seq = s;
		return d;
	}
	return NULL;
}

/* A referenced dentry is still what was looked for. */
static bool still_is(const struct dentry *d, const struct dentry *parent, u32 seq)
{
	return !seq_read_retry(&d->seq, seq) && READ_ONCE(d->parent) == parent && d_is_hashed(d);
}

struct dentry *d_lookup(struct dentry *parent, const struct qstr *name)
{
	for (;;) {
		u32 moves = seq_read_begin(&rename_seq), seq;
		struct dentry *d;
		bool has_ref;

		rcu_read_lock();
		d = d_lookup_rcu(parent, name, &seq);
		has_ref = d && d_try_get(d);
		rcu_read_unlock();
		if (has_ref) {
			if (still_is(d, parent, seq))
				return d;
			d_put(d);
		} else if (!d && !seq_read_retry(&rename_seq, moves)) {
			return NULL;
		}
	}
}

static struct dentry *find_in_bucket(struct bucket *b, const struct dentry *parent, const struct qstr *name)
{
	struct dentry *d;

	hlist_for_each_entry(d, &b->head, hash)
		if (d->name.hash == name->hash && d->parent == parent && d->name.len == name->len && name_eq(d->name.name, name->name, name->len) &&
		    d_try_get(d))
			return d;
	return NULL;
}

static void wait_for_lookup(struct dentry *d)
{
	struct waitq *q = &lookup_waits[hash_ptr(d) % LOOKUP_WAITQS];

	d_flag_set(d, D_WAITED);
	(void)WAIT_EVENT(q, !(d_flags(d) & D_IN_LOOKUP), SLEEP_UNINTERRUPTIBLE, SLEEP_FOREVER);
}

/* Hashes a new dentry for the name, or finds that another was quicker. The directory is locked, at least shared: no name can come or go otherwise. */
static int insert_or_find(struct dentry *parent, const struct qstr *name, struct dentry **out, bool *is_new)
{
	struct dentry *d = d_alloc(parent->sb, parent, name->name, name->len), *other;
	struct bucket *b = bucket_of(name->hash);

	if (!d)
		return -ENOMEM;
	d->name.hash = name->hash;
	d->flags |= D_IN_LOOKUP;
	spin_lock(&b->lock);
	other = find_in_bucket(b, parent, name);
	if (!other)
		hlist_add_rcu(&b->head, &d->hash);
	spin_unlock(&b->lock);
	*is_new = !other;
	*out = other ? other : d;
	if (other) {
		d->flags = 0;
		d_put(d);
	}
	return 0;
}

static int ask_fs(struct inode *dir, struct dentry *d)
{
	int err = -ENOENT;

	if (!(dir->flags & INODE_DEAD))
		err = dir->ops->lookup(dir, d);
	if (!err && (d_flags(d) & D_IN_LOOKUP))
		err = -EIO;		/* answered neither */
	if (err) {
		d_drop(d);
		end_lookup(d);
		d_put(d);
	}
	return err;
}

int d_lookup_fs(struct dentry *parent, const struct qstr *name, bool locked, struct dentry **out)
{
	struct inode *dir = parent->inode;
	struct dentry *d;
	bool is_new;
	int err;

	for (;;) {
		is_new = false;
		err = 0;
		d = d_lookup(parent, name);
		if (!d) {
			if (!locked)
				rwsem_read_lock(&dir->lock);
			err = insert_or_find(parent, name, &d, &is_new);
			if (!err && is_new)
				err = ask_fs(dir, d);
			if (!locked)
				rwsem_read_unlock(&dir->lock);
			if (err)
				return err;
		}
		if (!is_new && (d_flags(d) & D_IN_LOOKUP))
			wait_for_lookup(d);
		if (d_is_hashed(d) && (is_new || d_revalidate(d)))
			break;
		d_drop(d);
		d_put(d);
	}
	*out = d;
	return 0;
}

int d_lookup_locked(struct dentry *parent, const char *name, u32 len, struct dentry **out)
{
	char padded[FS_NAME_MAX + 9] = { 0 };
	struct qstr q = { padded, len, 0 };

	if (len > FS_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(padded, name, len);
	if (name_scan(parent, padded, &q.hash) != len || !len)
		return -EINVAL;
	return d_lookup_fs(parent, &q, true, out);
}

/* --- Moving */

static void reparent(struct dentry *d, struct dentry *to)
{
	struct dentry *from = d->parent;

	if (from == to)
		return;
	spin_lock(&from->lock);
	list_del(&d->sibling);
	spin_unlock(&from->lock);
	spin_lock(&to->lock);
	WRITE_ONCE(d->parent, to);
	list_push_front(&to->children, &d->sibling);
	if (notify_parent_watches(to))
		d_flag_set(d, D_PARENT_WATCHED);
	spin_unlock(&to->lock);
}

static void rehash(struct dentry *d, u32 hash)
{
	struct bucket *b;

	unhash(d);
	WRITE_ONCE(d->name.hash, hash);
	b = bucket_of(hash);
	SPIN_GUARD(&b->lock);
	hlist_add_rcu(&b->head, &d->hash);
}

static void take_name(struct dentry *d, const char *inline_name, struct long_name *long_name, u32 len)
{
	memcpy(d->inline_name, inline_name, DENTRY_INLINE_NAME);
	d->long_name = long_name;
	WRITE_ONCE(d->name.name, long_name ? long_name->text : d->inline_name);
	WRITE_ONCE(d->name.len, len);
}

/* All of the tree's changes are between these: walkers of one name see d->seq, walkers upwards and misses rename_seq. */
static void move_begin(struct dentry *a, struct dentry *b)
{
	spin_lock(&rename_lock);
	seq_write_begin(&rename_seq);
	seq_write_begin(&a->seq);
	seq_write_begin(&b->seq);
}

static void move_end(struct dentry *a, struct dentry *b)
{
	seq_write_end(&b->seq);
	seq_write_end(&a->seq);
	seq_write_end(&rename_seq);
	spin_unlock(&rename_lock);
}

/* The target keeps its name, for those who have it open; d gets a copy (or shares it, if it is long). */
void d_move(struct dentry *d, struct dentry *target)
{
	struct dentry *old_parent = d->parent, *new_parent = target->parent;
	struct long_name *former = d->long_name;

	if (old_parent != new_parent)
		d_get(new_parent);
	move_begin(d, target);
	if (target->long_name)
		__atomic_fetch_add(&target->long_name->refs, 1, __ATOMIC_RELAXED);
	unhash(target);
	if (target->inode)
		d_flag_set(target, D_UNLINKED);
	unhash(d);
	take_name(d, target->inline_name, target->long_name, target->name.len);
	reparent(d, new_parent);
	rehash(d, target->name.hash);
	move_end(d, target);
	long_name_put(former);
	if (old_parent != new_parent)
		d_put(old_parent);
}

void d_exchange(struct dentry *a, struct dentry *b)
{
	struct dentry *a_parent = a->parent, *b_parent = b->parent;
	struct long_name *long_name = a->long_name;
	u32 len = a->name.len, hash = a->name.hash;
	char inline_name[DENTRY_INLINE_NAME];

	memcpy(inline_name, a->inline_name, sizeof(inline_name));
	move_begin(a, b);
	unhash(a);
	unhash(b);
	take_name(a, b->inline_name, b->long_name, b->name.len);
	take_name(b, inline_name, long_name, len);
	reparent(a, b_parent);
	reparent(b, a_parent);
	rehash(a, b->name.hash);
	rehash(b, hash);
	move_end(a, b);
}

bool d_is_ancestor(const struct dentry *a, const struct dentry *d)
{
	for (;; d = d->parent) {
		if (d == a)
			return true;
		if (d->parent == d)
			return false;
	}
}

/* --- Watching */

void d_watch_children(struct dentry *d)
{
	struct dentry *child;

	SPIN_GUARD(&d->lock);
	list_for_each_entry(child, &d->children, sibling)
		if (!(d_flags(child) & D_PARENT_WATCHED))
			d_flag_set(child, D_PARENT_WATCHED);
}

/* Under the parent's lock nobody can have begun to watch, or moved the child away, unseen. */
void d_unwatch_child(struct dentry *parent, struct dentry *d)
{
	SPIN_GUARD(&parent->lock);
	if (READ_ONCE(d->parent) == parent && !notify_parent_watches(parent))
		d_flag_clear(d, D_PARENT_WATCHED);
}

struct dentry *d_get_parent_and_name(struct dentry *d, char *name, u32 *len)
{
	for (;;) {
		u32 seq = seq_read_begin(&d->seq);
		struct dentry *parent;
		const char *text;
		bool has_ref;

		rcu_read_lock();
		parent = READ_ONCE(d->parent);
		text = READ_ONCE(d->name.name);
		*len = READ_ONCE(d->name.len);
		has_ref = !seq_read_retry(&d->seq, seq) && d_try_get(parent);
		if (has_ref)
			memcpy(name, text, *len);
		rcu_read_unlock();
		if (has_ref && !seq_read_retry(&d->seq, seq))
			return parent;
		if (has_ref)
			d_put(parent);
	}
}

/* --- Forgetting */

static void destroy_list(struct list *dead)
{
	struct dentry *d, *next;

	list_for_each_entry_safe(d, next, dead, lru) {
		list_del(&d->lru);
		d_put(d_destroy(d));
	}
}

void d_prune_children(struct dentry *d)
{
	LIST_HEAD_DEFINE(dead);
	struct dentry *child;

	spin_lock(&d->lock);
	list_for_each_entry(child, &d->children, sibling)
		if (make_dead(child)) {
			lru_remove(child);
			list_push_back(&dead, &child->lru);
		}
	spin_unlock(&d->lock);
	destroy_list(&dead);
}

/* A child that can be had; some may be on their way out in the hands of the shrinker: *is_empty false. */
static struct dentry *get_child(struct dentry *d, bool *is_empty)
{
	struct dentry *child;

	SPIN_GUARD(&d->lock);
	*is_empty = list_empty(&d->children);
	list_for_each_entry(child, &d->children, sibling)
		if (d_try_get(child))
			return child;
	return NULL;
}

void d_shrink_tree(struct dentry *root)
{
	struct dentry *d = root;

	for (;;) {
		bool is_empty;
		struct dentry *child = get_child(d, &is_empty);

		if (child) {
			d = child;
		} else if (!is_empty) {
			sched_yield();
		} else if (d == root) {
			return;
		} else {
			struct dentry *parent = d->parent;

			d_drop(d);
			d_put(d);
			d = parent;
		}
	}
}

/* Moves up to `want` unused ones from the LRU to `dead`; recently used ones get a second round. Dentries in use leave the list: their last put brings
 * them back. That put looks at D_LRU after it has made the count 0; here the flag goes first and the count is looked at after: one of the two sees. */
static u64 collect(struct list *dead, u64 want)
{
	u64 n = 0, tries = 4 * want;

	SPIN_GUARD(&lru.lock);
	while (n < want && tries-- && !list_empty(&lru.list)) {
		struct dentry *d = list_first_entry(&lru.list, struct dentry, lru);

		if (d_flags(d) & D_REFERENCED) {
			d_flag_clear(d, D_REFERENCED);
			list_move_back(&lru.list, &d->lru);
			continue;
		}
		list_del(&d->lru);
		d_flag_clear(d, D_LRU);
		if (make_dead(d)) {
			list_push_back(dead, &d->lru);
			n++;
		}
	}
	return n;
}

static u64 shrink(struct shrinker *s, u64 want)
{
	LIST_HEAD_DEFINE(dead);
	u64 n;

	(void)s;
	n = collect(&dead, want);
	destroy_list(&dead);
	return n;
}

static struct shrinker shrinker = { .scan = shrink };

void dcache_init(void)
{
	struct mem_stat ms;
	u32 order = 2, bits;

	/* A bucket for every 8 pages of memory or so. */
	mem_stat(&ms);
	while (order < PAGE_MAX_ORDER && (PAGE_SIZE << order) / sizeof(struct bucket) < ms.total / 8)
		order++;
	buckets = kpage_alloc(order, ALLOC_SLEEP);
	if (!buckets)
		panic("no memory for the dentry cache");
	bits = ilog2((PAGE_SIZE << order) / sizeof(struct bucket));
	bucket_shift = 32 - bits;
	for (u32 i = 0; i < 1u << bits; i++) {
		hlist_init(&buckets[i].head);
		spin_init(&buckets[i].lock, "dentry bucket");
	}
	for (u32 i = 0; i < LOOKUP_WAITQS; i++)
		waitq_init(&lookup_waits[i], "dentry look-up");
	dcache_seed = random_u64();
	dentry_cache = slab_create("dentry", sizeof(struct dentry), 64, SLAB_RECLAIMABLE, NULL);
	shrinker_register(&shrinker);
}
