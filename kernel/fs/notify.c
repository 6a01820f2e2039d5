/* SPDX-License-Identifier: MPL-2.0 */
/* Marks on inodes, and handing events to the groups that have set them: see notify.h. */
#include "fs/internal.h"
#include "fs/notify.h"
#include "mm/alloc.h"
#include "sched/sched.h"

struct notify_marks {
	struct spinlock lock;
	struct list list;		/* [lock] struct notify_mark, dead ones too while somebody looks at them */
	u32 mask;			/* [lock; a to read] of all that live */
	struct inode *inode;		/* [I] */
	struct list sb_node;		/* [sb->inodes_lock] in sb->marked */
};

static struct waitq unmount_wait = WAITQ_INIT("unmount", unmount_wait);

static struct notify_marks *marks_of(const struct inode *i)
{
	return LOAD_ACQUIRE(i->marks);
}

static struct notify_marks *marks_get(struct inode *i)
{
	struct notify_marks *c = marks_of(i), *mine, *nobody = NULL;

	if (c)
		return c;
	mine = kmalloc(sizeof(*mine), ALLOC_USER | ALLOC_ZERO);
	if (!mine)
		return NULL;
	spin_init(&mine->lock, "notify marks");
	list_init(&mine->list);
	list_init(&mine->sb_node);
	mine->inode = i;
	if (!__atomic_compare_exchange_n(&i->marks, &nobody, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		kfree(mine);
		return nobody;
	}
	spin_lock(&i->sb->inodes_lock);
	list_push_back(&i->sb->marked, &mine->sb_node);
	spin_unlock(&i->sb->inodes_lock);
	return mine;
}

/* Called before the inode leaves its super block. */
void notify_free_inode(struct inode *i)
{
	struct notify_marks *c = i->marks;

	BUG_ON(!list_empty(&c->list));
	spin_lock(&i->sb->inodes_lock);
	list_del(&c->sb_node);
	spin_unlock(&i->sb->inodes_lock);
	i->marks = NULL;
	kfree(c);
}

bool notify_wants_children(const struct inode *dir)
{
	const struct notify_marks *c = marks_of(dir);

	return c && (READ_ONCE(c->mask) & NOTIFY_CHILD);
}

/* --- Groups and marks */

void notify_group_init(struct notify_group *g, const struct notify_group_ops *ops)
{
	ref_init(&g->refs);
	g->ops = ops;
}

void notify_group_put(struct notify_group *g)
{
	if (ref_put(&g->refs))
		g->ops->free_group(g);
}

static void update_mask_locked(struct notify_marks *c)
{
	struct notify_mark *m;
	u32 mask = 0;

	list_for_each_entry(m, &c->list, node)
		if (!m->is_dead)
			mask |= m->mask;
	WRITE_ONCE(c->mask, mask);
}

struct notify_mark *notify_mark_find(const struct notify_group *g, const struct path *p)
{
	struct notify_marks *c = marks_of(p->dentry->inode);
	struct notify_mark *m;

	if (!c)
		return NULL;
	SPIN_GUARD(&c->lock);
	list_for_each_entry(m, &c->list, node)
		if (m->group == g && !m->is_dead && ref_try_get(&m->refs))
			return m;
	return NULL;
}

int notify_mark_attach(struct notify_group *g, struct notify_mark *m, const struct path *p, u32 mask)
{
	struct inode *i = p->dentry->inode;
	struct notify_marks *c = marks_get(i);

	if (!c)
		return -ENOMEM;
	ref_init(&m->refs);
	inode_get(i);
	m->inode = i;
	ref_get(&g->refs);
	m->group = g;
	m->mask = mask;
	m->is_dead = false;
	__atomic_fetch_add(&i->sb->n_marks, 1, __ATOMIC_RELAXED);
	spin_lock(&c->lock);
	list_push_back(&c->list, &m->node);
	WRITE_ONCE(c->mask, c->mask | mask);
	spin_unlock(&c->lock);
	if (S_ISDIR(i->mode) && (mask & NOTIFY_CHILD))
		d_watch_children(p->dentry);
	return 0;
}

void notify_mark_set(struct notify_mark *m, const struct path *p, u32 mask)
{
	struct notify_marks *c = marks_of(m->inode);

	spin_lock(&c->lock);
	WRITE_ONCE(m->mask, mask);
	update_mask_locked(c);
	spin_unlock(&c->lock);
	if (S_ISDIR(m->inode->mode) && (mask & NOTIFY_CHILD))
		d_watch_children(p->dentry);
}

void notify_mark_detach(struct notify_mark *m)
{
	struct notify_marks *c = marks_of(m->inode);

	spin_lock(&c->lock);
	BUG_ON(m->is_dead);
	m->is_dead = true;
	update_mask_locked(c);
	spin_unlock(&c->lock);
	notify_mark_put(m);
}

/* The super block may go with the count: the wait queue is nobody's. */
static void unpin(struct inode *i)
{
	struct super_block *sb = i->sb;

	inode_put(i);
	if (!__atomic_sub_fetch(&sb->n_marks, 1, __ATOMIC_SEQ_CST))
		waitq_wake_all(&unmount_wait);
}

void notify_mark_put(struct notify_mark *m)
{
	struct notify_group *g = m->group;
	struct inode *i = m->inode;
	struct notify_marks *c;

	if (!ref_put(&m->refs))
		return;
	c = marks_of(i);
	spin_lock(&c->lock);
	list_del(&m->node);
	spin_unlock(&c->lock);
	unpin(i);
	g->ops->free_mark(m);
	notify_group_put(g);
}

/* --- Handing out */

#define ANY (~0u)

/* The next one alive after `prev` (which is put) that wants any of the mask's events, referenced. */
static struct notify_mark *next_mark(struct notify_marks *c, struct notify_mark *prev, u32 mask)
{
	struct notify_mark *found = NULL;
	struct list *node;

	spin_lock(&c->lock);
	for (node = prev ? prev->node.next : c->list.next; node != &c->list && !found; node = node->next) {
		struct notify_mark *m = list_entry(node, struct notify_mark, node);

		if (!m->is_dead && (mask == ANY || (m->mask & mask)) && ref_try_get(&m->refs))
			found = m;
	}
	spin_unlock(&c->lock);
	if (prev)
		notify_mark_put(prev);
	return found;
}

static void tell(const struct inode *i, const struct notify_event *e)
{
	struct notify_marks *c = marks_of(i);
	u32 mask = e->mask & NOTIFY_ALL;
	struct notify_mark *m = NULL;

	if (!c || !(READ_ONCE(c->mask) & mask))
		return;
	while ((m = next_mark(c, m, mask)))
		m->group->ops->event(m, e);
}

/* Everybody loses the inode, and hears `mask` first, asked for or not. */
static void remove_all(struct notify_marks *c, u32 mask)
{
	const struct notify_event e = { .mask = mask | (mask && S_ISDIR(c->inode->mode) ? NOTIFY_ISDIR : 0) };
	struct notify_mark *m = NULL;

	while ((m = next_mark(c, m, ANY))) {
		if (mask)
			m->group->ops->event(m, &e);
		m->group->ops->gone(m);
	}
}

static void tell_parent(struct dentry *d, const struct notify_event *e)
{
	struct notify_event named = *e;
	char name[FS_NAME_MAX + 1];
	struct dentry *parent = d_get_parent_and_name(d, name, &named.name_len);

	named.name = name;
	if (notify_parent_watches(parent))
		tell(parent->inode, &named);
	else
		d_unwatch_child(parent, d);
	d_put(parent);
}

/* What passes through devices and pipes is told to who watches those themselves only: else directories' watchers could time the typing of others. */
static bool is_told_to_parent(const struct inode *i, u32 mask)
{
	return S_ISREG(i->mode) || S_ISDIR(i->mode) || S_ISLNK(i->mode) || !(mask & (NOTIFY_ACCESS | NOTIFY_MODIFY));
}

/* The directory's watchers come first, as on Linux. */
static void tell_both(struct dentry *d, struct inode *i, struct notify_event *e)
{
	if (S_ISDIR(i->mode))
		e->mask |= NOTIFY_ISDIR;
	e->is_unlinked = d->parent != d && !d_is_hashed(d);
	if ((d_flags(d) & D_PARENT_WATCHED) && is_told_to_parent(i, e->mask))
		tell_parent(d, e);
	tell(i, e);
}

void notify_file_event(const struct file *f, u32 mask)
{
	struct notify_event e = { .mask = mask, .file = f };

	if (!(f->mode & (FMODE_NONOTIFY | FMODE_PATH)))
		tell_both(f->path.dentry, f->inode, &e);
}

void notify_dentry_event(struct dentry *d, u32 mask)
{
	struct notify_event e = { .mask = mask };

	tell_both(d, d->inode, &e);
}

void notify_inode_event(struct inode *i, u32 mask)
{
	struct notify_event e = { .mask = mask };

	/* inotify(7) has it for directories too, but running Linux leaves it out of the events named after "self". */
	if (S_ISDIR(i->mode) && !(mask & (NOTIFY_DELETE_SELF | NOTIFY_MOVE_SELF)))
		e.mask |= NOTIFY_ISDIR;
	tell(i, &e);
}

void notify_entry_event(struct inode *dir, const struct qstr *name, u32 mask, u32 cookie)
{
	struct notify_event e = { .mask = mask, .cookie = cookie, .name = name->name, .name_len = name->len };

	tell(dir, &e);
}

void notify_move_event(struct inode *old_dir, const struct qstr *old, struct inode *new_dir, const struct qstr *new, struct inode *moved)
{
	static u32 last_cookie;		/* [a] */
	u32 is_dir = S_ISDIR(moved->mode) ? NOTIFY_ISDIR : 0, cookie;

	do {
		cookie = __atomic_add_fetch(&last_cookie, 1, __ATOMIC_RELAXED);
	} while (!cookie);
	notify_entry_event(old_dir, old, NOTIFY_MOVED_FROM | is_dir, cookie);
	notify_entry_event(new_dir, new, NOTIFY_MOVED_TO | is_dir, cookie);
}

/* --- The end of what is watched */

void notify_inode_gone(struct inode *i)
{
	notify_inode_event(i, NOTIFY_DELETE_SELF);
	remove_all(marks_of(i), 0);
}

/* The next marked inode of a super block that is going, referenced; each is taken off the list. */
static struct inode *next_marked(struct super_block *sb)
{
	SPIN_GUARD(&sb->inodes_lock);
	while (!list_empty(&sb->marked)) {
		struct notify_marks *c = list_entry(list_pop_front(&sb->marked), struct notify_marks, sb_node);

		if (ref_try_get(&c->inode->refs))
			return c->inode;
	}
	return NULL;
}

void notify_unmount(struct super_block *sb)
{
	struct inode *i;

	while ((i = next_marked(sb))) {
		remove_all(marks_of(i), NOTIFY_UNMOUNT);
		inode_put(i);
	}
	(void)WAIT_EVENT(&unmount_wait, !__atomic_load_n(&sb->n_marks, __ATOMIC_SEQ_CST), SLEEP_UNINTERRUPTIBLE, SLEEP_FOREVER);
}
