/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Root, working directory and umask: what threads share by CLONE_FS.
 *
 * Paths are changed under the lock and a sequence count; path walks read them under RCU without a reference (dentries and mounts are freed by RCU).
 * Kernel threads have none of their own: theirs is `initial`, whose root is the first mount. All contexts are on one list for pivot_root(2); all_lock is taken before a context's own.
 */
#include "fs/internal.h"
#include "fs/fdtable.h"
#include "mm/alloc.h"

struct fsctx {
	struct ref refs;
	struct spinlock lock;
	struct seqcount seq;		/* [lock] */
	struct path root, cwd;		/* [lock; seq to read] */
	u32 umask;			/* [a] */
	struct list node;		/* [all_lock] */
};

static struct fsctx initial = { .refs = { 1 }, .lock = SPINLOCK_INIT("fs context"), .umask = 022, .node = LIST_INIT(initial.node) };
static struct spinlock all_lock = SPINLOCK_INIT("fs contexts");
static struct list all = LIST_INIT(all);	/* [all_lock] */

static struct fsctx *current_fsctx(void)
{
	struct fsctx *c = current_actor()->fs;

	return c ? c : &initial;
}

void fsctx_init(const struct path *root)
{
	initial.root = initial.cwd = *root;
	path_get(root);
	path_get(root);
	list_push_back(&all, &initial.node);
}

int fsctx_fork(struct fsctx *old, struct fsctx **out)
{
	struct fsctx *c = kmalloc(sizeof(*c), ALLOC_SLEEP | ALLOC_USER);

	if (!c)
		return -ENOMEM;
	ref_init(&c->refs);
	spin_init(&c->lock, "fs context");
	c->seq.seq = 0;
	list_init(&c->node);
	spin_lock(&all_lock);		/* around it: a pivot_root changes both or neither */
	spin_lock(&old->lock);
	c->root = old->root;
	c->cwd = old->cwd;
	c->umask = old->umask;
	path_get(&c->root);
	path_get(&c->cwd);
	spin_unlock(&old->lock);
	list_push_back(&all, &c->node);
	spin_unlock(&all_lock);
	*out = c;
	return 0;
}

int fsctx_create_initial(struct fsctx **out)
{
	return fsctx_fork(&initial, out);
}

struct fsctx *fsctx_get(struct fsctx *c)
{
	ref_get(&c->refs);
	return c;
}

void fsctx_put(struct fsctx *c)
{
	if (!ref_put(&c->refs))
		return;
	spin_lock(&all_lock);
	list_del(&c->node);
	spin_unlock(&all_lock);
	path_put(&c->root);
	path_put(&c->cwd);
	kfree(c);
}

bool fsctx_is_shared(const struct fsctx *c)
{
	return ref_count(&c->refs) > 1;
}

u32 fsctx_umask(void)
{
	return READ_ONCE(current_fsctx()->umask);
}

u32 fsctx_set_umask(u32 mask)
{
	return __atomic_exchange_n(&current_fsctx()->umask, mask & 0777, __ATOMIC_RELAXED);
}

/* --- Reading */

static void read_rcu(const struct fsctx *c, const struct path *which, struct path *out)
{
	u32 seq;

	do {
		seq = seq_read_begin(&c->seq);
		*out = (struct path){ READ_ONCE(which->mnt), READ_ONCE(which->dentry) };
	} while (seq_read_retry(&c->seq, seq));
}

void fsctx_root_rcu(struct path *out)
{
	const struct fsctx *c = current_fsctx();

	read_rcu(c, &c->root, out);
}

void fsctx_cwd_rcu(struct path *out)
{
	const struct fsctx *c = current_fsctx();

	read_rcu(c, &c->cwd, out);
}

static void read_path(struct fsctx *c, const struct path *which, struct path *out)
{
	SPIN_GUARD(&c->lock);
	*out = *which;
	path_get(out);
}

void fsctx_root_of(struct fsctx *c, struct path *out)
{
	read_path(c, &c->root, out);
}

void fsctx_cwd_of(struct fsctx *c, struct path *out)
{
	read_path(c, &c->cwd, out);
}

void fsctx_root(struct path *out)
{
	fsctx_root_of(current_fsctx(), out);
}

void fsctx_cwd(struct path *out)
{
	fsctx_cwd_of(current_fsctx(), out);
}

/* --- Changing */

static void set_path_locked(struct fsctx *c, struct path *which, const struct path *p)
{
	seq_write_begin(&c->seq);
	WRITE_ONCE(which->mnt, p->mnt);
	WRITE_ONCE(which->dentry, p->dentry);
	seq_write_end(&c->seq);
}

static void set_path(struct fsctx *c, struct path *which, const struct path *p)
{
	struct path old;

	path_get(p);
	spin_lock(&c->lock);
	old = *which;
	set_path_locked(c, which, p);
	spin_unlock(&c->lock);
	path_put(&old);
}

void fsctx_set_root(const struct path *p)
{
	struct fsctx *c = current_fsctx();

	set_path(c, &c->root, p);
}

void fsctx_set_cwd(const struct path *p)
{
	struct fsctx *c = current_fsctx();

	set_path(c, &c->cwd, p);
}

/* The caller holds references on `from`, so that no put here is the last one. */
void fsctx_replace_all(const struct path *from, const struct path *to)
{
	u64 n_gone = 0;
	struct fsctx *c;

	spin_lock(&all_lock);
	list_for_each_entry(c, &all, node) {
		struct path *const both[] = { &c->root, &c->cwd };

		spin_lock(&c->lock);
		for (u32 i = 0; i < ARRAY_SIZE(both); i++)
			if (path_eq(both[i], from)) {
				path_get(to);
				set_path_locked(c, both[i], to);
				n_gone++;
			}
		spin_unlock(&c->lock);
	}
	spin_unlock(&all_lock);
	while (n_gone--)
		path_put(from);
}

u32 fsctx_umask_of(const struct fsctx *c)
{
	return READ_ONCE(c->umask);
}
