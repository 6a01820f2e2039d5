/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Process identity (pid_namespaces(7)).
 *
 * Each namespace has an id allocator (numbers are given out cyclically, from 300 on after the first round, as on Linux) and a radix tree number → struct pid, read under RCU.
 * A struct pid exists while somebody refers to it; its numbers are taken while it has users in any of its lists (a process group outlives its leader).
 * Locking: pid_lock guards allocators and trees; pid->lock the user lists. pid_lock is taken after pid->lock.
 */
#include <lib/errno.h>
#include <lib/idalloc.h>
#include <lib/radix.h>
#include <lib/string.h>
#include "object/pid.h"
#include "object/pid_ns.h"
#include "object/policy.h"

#define PID_MAX_DEFAULT 32768
#define RESERVED_PIDS 300

static struct spinlock_soft pid_lock = SPINLOCK_INIT("pid table");
static s32 pid_max = PID_MAX_DEFAULT;			/* [a] */
static u64 first_map[PID_MAX_DEFAULT / 64 + 16];	/* the first namespace's bitmap, until pid_max is raised */

struct rcu_node_block {
	struct radix_node node;		/* must be first */
	struct rcu_head rcu;
};

static void *tree_alloc(void *ctx)
{
	(void)ctx;
	return kmalloc(sizeof(struct rcu_node_block), ALLOC_SLEEP);
}

static void tree_free_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct rcu_node_block, rcu));
}

static void tree_free(void *ctx, void *node)
{
	(void)ctx;
	rcu_call(&container_of((struct radix_node *)node, struct rcu_node_block, node)->rcu, tree_free_rcu);
}

static const struct radix_alloc tree_ops = { tree_alloc, tree_free, NULL };

struct pid_ns init_pid_ns = {
	.refs = { 1 },
	.tree = { .alloc = &tree_ops },
};

void pid_init(void)
{
	BUG_ON(idalloc_bytes(PID_MAX_DEFAULT) > sizeof(first_map));
	idalloc_init(&init_pid_ns.ids, first_map, PID_MAX_DEFAULT);
}

/* --- numbers */

static int take_number(struct pid_ns *ns, s32 wanted, u32 *nr)
{
	u32 end = (u32)pid_max_get();

	if (wanted)
		return idalloc_take(&ns->ids, (u32)wanted) == 0 ? 0 : -EEXIST;
	return idalloc_alloc_cyclic(&ns->ids, ns->ids.next >= RESERVED_PIDS ? RESERVED_PIDS : 1, end, nr) == 0 ? 0 : -EAGAIN;
}

/* Gives `pid` its number in `ns` and makes it findable. */
static int hash_number(struct pid *pid, struct pid_ns *ns, u32 level, s32 wanted)
{
	struct radix_preload preload = { 0 };
	u32 nr = (u32)wanted;
	int err;

	spin_lock_soft(&pid_lock);
	err = take_number(ns, wanted, &nr);
	spin_unlock_soft(&pid_lock);
	if (err)
		return err;
	pid->numbers[level] = (struct pid_number){ (s32)nr, ns };
	do {
		spin_lock_soft(&pid_lock);
		err = radix_insert(&ns->tree, nr, pid, &preload);
		if (err && err != -EAGAIN)
			idalloc_free(&ns->ids, nr);
		spin_unlock_soft(&pid_lock);
	} while (err == -EAGAIN && (err = radix_preload_fill(&preload, &tree_ops)) == 0);
	radix_preload_drain(&preload, &tree_ops);
	if (err == -ENOMEM) {
		SPIN_GUARD_SOFT(&pid_lock);
		idalloc_free(&ns->ids, nr);
	}
	return err;
}

static void unhash_number(const struct pid_number *n)
{
	SPIN_GUARD_SOFT(&pid_lock);
	radix_erase(&n->ns->tree, (u64)n->nr);
	idalloc_free(&n->ns->ids, (u32)n->nr);
}

int pid_create(struct pid_ns *ns, const s32 *wanted, size_t n_wanted, struct pid **out)
{
	struct pid *pid = kmalloc(sizeof(*pid) + (ns->level + 1) * sizeof(pid->numbers[0]), ALLOC_SLEEP | ALLOC_ZERO | ALLOC_USER);
	struct pid_ns *at = ns;
	int err = 0;

	if (!pid)
		return -ENOMEM;
	ref_init(&pid->refs);
	pid->level = ns->level;
	spin_init_soft(&pid->lock, "pid");
	for (u32 t = 0; t < PID_TYPES; t++)
		list_init(&pid->users[t]);
	for (u32 i = 0; at; i++, at = at->parent) {
		err = hash_number(pid, at, at->level, i < n_wanted ? wanted[i] : 0);
		if (err)
			break;
	}
	if (err) {
		for (u32 l = pid->level; pid->numbers[l].ns; l--) {
			unhash_number(&pid->numbers[l]);
			if (l == 0)
				break;
		}
		pid_put(pid);
		return err;
	}
	*out = pid;
	return 0;
}

/* --- users */

void pid_attach(struct pid *pid, enum pid_type type, struct list *link)
{
	SPIN_GUARD_SOFT(&pid->lock);
	list_push_back(&pid->users[type], link);
}

static bool has_users(const struct pid *pid)
{
	for (u32 t = 0; t < PID_TYPES; t++)
		if (!list_empty(&pid->users[t]))
			return true;
	return false;
}

void pid_detach(struct pid *pid, struct list *link)
{
	bool is_last;

	spin_lock_soft(&pid->lock);
	list_del(link);
	is_last = !has_users(pid);
	if (is_last)
		for (u32 l = 0; l <= pid->level; l++)
			unhash_number(&pid->numbers[l]);
	spin_unlock_soft(&pid->lock);
}

void pid_abandon(struct pid *pid)
{
	for (u32 l = 0; l <= pid->level; l++)
		unhash_number(&pid->numbers[l]);
	pid_put(pid);
}

/* --- references and look-up */

struct pid *pid_get(struct pid *p)
{
	ref_get(&p->refs);
	return p;
}

static void pid_free(struct rcu_head *head)
{
	kfree(container_of(head, struct pid, rcu));
}

void pid_put(struct pid *p)
{
	if (p && ref_put(&p->refs))
		rcu_call(&p->rcu, pid_free);
}

struct pid *pid_find(struct pid_ns *ns, s32 nr)
{
	return nr > 0 ? radix_lookup(&ns->tree, (u64)nr) : NULL;
}

struct pid *pid_find_get(struct pid_ns *ns, s32 nr)
{
	struct pid *p;

	rcu_read_lock();
	p = pid_find(ns, nr);
	if (p && !ref_try_get(&p->refs))
		p = NULL;
	rcu_read_unlock();
	return p;
}

struct pid *pid_next(struct pid_ns *ns, s32 from)
{
	u64 index = from > 0 ? (u64)from : 1;
	void *entry = NULL;

	rcu_read_lock();
	while (radix_next(&ns->tree, &index, &entry)) {
		struct pid *p = entry;

		if (ref_try_get(&p->refs)) {
			rcu_read_unlock();
			return p;
		}
		index++;
	}
	rcu_read_unlock();
	return NULL;
}

s32 pid_nr(const struct pid *p, const struct pid_ns *ns)
{
	return p && ns->level <= p->level && p->numbers[ns->level].ns == ns ? p->numbers[ns->level].nr : 0;
}

s32 pid_last(struct pid_ns *ns)
{
	u32 next = READ_ONCE(ns->ids.next);

	return next ? (s32)next - 1 : 0;
}

s32 pid_max_get(void)
{
	return READ_ONCE(pid_max);
}

int pid_max_set(s32 max)
{
	size_t bytes = idalloc_bytes((u32)max);
	void *map = NULL;

	if (max < RESERVED_PIDS + 1 || max > PID_LIMIT)
		return -EINVAL;
	if ((u32)max > READ_ONCE(init_pid_ns.ids.nr)) {
		map = kmalloc(bytes, ALLOC_SLEEP);
		if (!map)
			return -ENOMEM;
	}
	spin_lock_soft(&pid_lock);
	if (map && (u32)max > init_pid_ns.ids.nr) {
		void *old = init_pid_ns.ids.level[0];

		idalloc_grow(&init_pid_ns.ids, map, (u32)max);
		map = old == first_map ? NULL : old;
	}
	WRITE_ONCE(pid_max, max);
	spin_unlock_soft(&pid_lock);
	kfree(map);
	return 0;
}
