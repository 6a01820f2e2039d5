/* SPDX-License-Identifier: MPL-2.0 */
/* A user has a record while he has instances. Records hang in a tree under users_lock, which is innermost. */
#include <lib/errno.h>
#include <lib/rbtree.h>
#include <frame/spinlock.h>
#include "fs/inotify.h"
#include "fs/inotify_user.h"
#include "mm/alloc.h"

#define WATCHES_LEAST 8192u		/* of max_user_watches at start */
#define WATCHES_MOST (1u << 20)
#define WATCH_BYTES 1024		/* about what a watch keeps in memory, with its inode */

struct inotify_limits inotify_limits = { .max_queued_events = 16384, .max_user_instances = 128, .max_user_watches = WATCHES_LEAST };

struct inotify_user {
	struct rb_node node;
	kuid_t uid;			/* [I] */
	u32 n_instances;		/* [users_lock] */
	u32 n_watches;			/* [a] */
};

static struct spinlock users_lock = SPINLOCK_INIT("inotify users");
static struct rb_root users = RB_ROOT_INIT;	/* [users_lock] by uid */

/* One hundredth of memory, as Linux has it. */
void inotify_init_limits(void)
{
	struct mem_stat ms;

	mem_stat(&ms);
	inotify_limits.max_user_watches = (u32)clamp(ms.total * PAGE_SIZE / 100 / WATCH_BYTES, (u64)WATCHES_LEAST, (u64)WATCHES_MOST);
}

/* The user's record; `fresh` is hung in if there is none (and then belongs to the tree). */
static struct inotify_user *find_locked(kuid_t uid, struct inotify_user *fresh)
{
	struct rb_node **link = &users.node, *parent = NULL;

	while (*link) {
		struct inotify_user *u = rb_entry(*link, struct inotify_user, node);

		parent = *link;
		if (kuid_eq(u->uid, uid))
			return u;
		link = uid.v < u->uid.v ? &parent->left : &parent->right;
	}
	fresh->uid = uid;
	rb_link_node(&fresh->node, parent, link);
	rb_insert_color(&fresh->node, &users);
	return fresh;
}

int inotify_user_get(kuid_t uid, struct inotify_user **out)
{
	struct inotify_user *fresh = kmalloc(sizeof(*fresh), ALLOC_ZERO | ALLOC_USER), *u, *unused;
	int err = 0;

	if (!fresh)
		return -ENOMEM;
	spin_lock(&users_lock);
	u = find_locked(uid, fresh);
	unused = u == fresh ? NULL : fresh;
	if (u->n_instances < READ_ONCE(inotify_limits.max_user_instances))
		u->n_instances++;
	else
		err = -EMFILE;
	if (!u->n_instances) {
		rb_erase(&u->node, &users);
		unused = u;
	}
	spin_unlock(&users_lock);
	kfree(unused);
	*out = u;
	return err;
}

void inotify_user_put(struct inotify_user *u)
{
	bool is_last;

	spin_lock(&users_lock);
	is_last = --u->n_instances == 0;
	if (is_last)
		rb_erase(&u->node, &users);
	spin_unlock(&users_lock);
	if (is_last)
		kfree(u);
}

bool inotify_user_add_watch(struct inotify_user *u)
{
	if (__atomic_add_fetch(&u->n_watches, 1, __ATOMIC_RELAXED) <= READ_ONCE(inotify_limits.max_user_watches))
		return true;
	inotify_user_drop_watch(u);
	return false;
}

void inotify_user_drop_watch(struct inotify_user *u)
{
	__atomic_fetch_sub(&u->n_watches, 1, __ATOMIC_RELAXED);
}
