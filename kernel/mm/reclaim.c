/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Getting memory back: clean file pages in LRU order, the shrinkers' objects, empty slabs.
 *
 * On the lists are pages that can be read in again (mappings with read_page). They enter the inactive list; used again while there (PG_REFERENCED, set by read and
 * by unmapping an accessed entry, or an accessed entry now) they move to the active one; the active list's tail goes back when it outgrows the inactive one.
 * Anonymous and tmpfs pages cannot leave without swap and are on no list, so a machine full of them comes to the OOM killer at once, without scanning.
 *
 * Direct reclaim never enters a file system: dirty pages are passed over. It runs one at a time (reclaim_lock); who comes meanwhile waits and then tries again.
 *
 * Locking: lru_lock (soft) for the lists and PG_LRU, PG_ACTIVE. Under it pages are only moved to a private list; a page is then try-locked, unmapped
 * (vmas_lock by trylock: the allocation may have been made under it), frozen, and removed.
 */
#include <lib/list.h>
#include <frame/rcu.h>
#include <frame/policy.h>
#include <frame/spinlock.h>
#include "sched/sched.h"
#include "mm/internal.h"
#include "mm/page_alloc.h"
#include "mm/page_lock.h"

#define SCAN_BATCH 32
#define SCAN_ROUNDS 64
#define DROP_BATCH 65536u
#define DROP_ROUNDS 64

struct lru {
	struct list pages;	/* [lru_lock] newest in front */
	u64 n;			/* [lru_lock] */
};

static struct spinlock_soft lru_lock = SPINLOCK_INIT("lru");
static struct lru active = { LIST_INIT(active.pages), 0 }, inactive = { LIST_INIT(inactive.pages), 0 };
static struct mutex reclaim_lock = MUTEX_INIT("reclaim", reclaim_lock);
static struct mutex shrinkers_lock = MUTEX_INIT("shrinkers", shrinkers_lock);
static LIST_HEAD_DEFINE(shrinkers);	/* [shrinkers_lock] */

/* --- Lists. */

static void push_locked(struct page *p, bool is_active)
{
	struct lru *to = is_active ? &active : &inactive;

	list_push_front(&to->pages, &p->lru);
	to->n++;
	page_flag_set(p, PG_LRU | (is_active ? PG_ACTIVE : 0));
	mem_account(is_active ? offsetof(struct mem_stat, active_file) : offsetof(struct mem_stat, inactive_file), 1);
}

static void unlink_locked(struct page *p)
{
	bool is_active = page_has(p, PG_ACTIVE);

	list_del(&p->lru);
	(is_active ? &active : &inactive)->n--;
	page_flag_clear(p, PG_LRU | PG_ACTIVE);
	mem_account(is_active ? offsetof(struct mem_stat, active_file) : offsetof(struct mem_stat, inactive_file), -1);
}

void lru_add(struct page *p)
{
	SPIN_GUARD_SOFT(&lru_lock);
	push_locked(p, false);
}

void lru_remove(struct page *p)
{
	SPIN_GUARD_SOFT(&lru_lock);
	if (page_has(p, PG_LRU))
		unlink_locked(p);
}

/* --- One page. */

/* Unmaps it everywhere if no lock is in the way; entries that were used mark the page referenced. */
static bool try_unmap(struct mapping *m, const struct page *p)
{
	struct vma *v;

	if (!page_map_count(p))
		return true;
	if (!mutex_trylock(&m->vmas_lock))
		return false;
	for (v = mapping_vma_first(m, p->index, p->index); v; v = mapping_vma_next(v, p->index, p->index)) {
		u64 at = v->start + ((p->index - v->pgoff) << PAGE_SHIFT);

		if (v->flags & VMA_LOCKED) {
			mutex_unlock(&m->vmas_lock);
			return false;
		}
		mm_zap_file_pages(v->mm, m, at, at + PAGE_SIZE, false);
	}
	mutex_unlock(&m->vmas_lock);
	return page_map_count(p) == 0;
}

/* The page is locked and referenced by us. Frozen at two references, the tree's and ours, it cannot be found any more: then it is removed. */
static bool remove_clean(struct page *p)
{
	struct mapping *m = p->owner;
	bool is_removed = false;

	if (!page_has(p, PG_CACHE) || page_has(p, PG_DIRTY | PG_WRITEBACK) || p->pins || !try_unmap(m, p))
		return false;
	if (page_has(p, PG_DIRTY) || page_flag_test_clear(p, PG_REFERENCED))
		return false;
	spin_lock_soft(&m->tree_lock);
	if (page_has(p, PG_CACHE) && !page_has(p, PG_DIRTY) && page_freeze(p, 2)) {
		mapping_remove_page_locked(m, p);
		is_removed = true;
	}
	spin_unlock_soft(&m->tree_lock);
	if (is_removed) {
		mem_account(offsetof(struct mem_stat, cached), -1);
		if (m->ops->released)
			m->ops->released(m, 1);
	}
	return is_removed;
}

static void free_page_rcu(struct rcu_head *head)
{
	policy_untyped_free(container_of((void *)head, struct page, owner));
}

/* Of a page that was isolated with a reference: freed, or back on a list. */
static bool reclaim_page(struct page *p)
{
	bool is_used = page_flag_test_clear(p, PG_REFERENCED), is_removed = false;

	if (!is_used && page_trylock(p)) {
		is_removed = remove_clean(p);
		page_unlock(p);
	}
	if (is_removed) {
		/* Readers who have just found it in the tree still look at its reference count. */
		rcu_call((struct rcu_head *)(void *)&p->owner, free_page_rcu);
		return true;
	}
	spin_lock_soft(&lru_lock);
	if (page_has(p, PG_CACHE) && !page_has(p, PG_LRU))
		push_locked(p, is_used);
	spin_unlock_soft(&lru_lock);
	page_put(p);
	return false;
}

/* --- Scanning. */

static u32 isolate(struct page **out, u32 max)
{
	u32 n = 0;

	SPIN_GUARD_SOFT(&lru_lock);
	while (active.n > inactive.n && active.n) {
		struct page *p = list_last_entry(&active.pages, struct page, lru);

		unlink_locked(p);
		page_flag_clear(p, PG_REFERENCED);
		push_locked(p, false);
	}
	while (n < max && inactive.n) {
		struct page *p = list_last_entry(&inactive.pages, struct page, lru);

		unlink_locked(p);
		if (page_try_get(p))
			out[n++] = p;
	}
	return n;
}

static u64 reclaim_file(u64 want)
{
	struct page *batch[SCAN_BATCH];
	u64 freed = 0;

	for (u32 round = 0; freed < want && round < SCAN_ROUNDS; round++) {
		u32 n = isolate(batch, SCAN_BATCH);

		for (u32 i = 0; i < n; i++)
			freed += reclaim_page(batch[i]);
		if (n < SCAN_BATCH && round)	/* a second look, at what was used when the first came */
			break;
	}
	return freed;
}

void shrinker_register(struct shrinker *s)
{
	MUTEX_GUARD(&shrinkers_lock);
	list_push_back(&shrinkers, &s->node);
}

/* shrinkers_lock is not needed: shrinkers are only added, at start-up. */
static u64 reclaim_objects(u64 want)
{
	struct shrinker *s;
	u64 freed = 0;

	list_for_each_entry(s, &shrinkers, node)
		freed += s->scan(s, want * 4);
	return freed;
}

u64 reclaim_pages(u64 want)
{
	u64 freed;

	/* A shrinker or a file's last put that allocates comes back here: it gets what there is. */
	if (mutex_is_held(&reclaim_lock) || mutex_lock_killable(&reclaim_lock))
		return 0;
	freed = reclaim_file(want);
	if (freed < want && reclaim_objects(want))
		freed++;
	freed += slab_shrink();
	mutex_unlock(&reclaim_lock);
	return freed;
}

/* What is used meanwhile comes again, so the rounds are bounded. What was used lately is passed over the first time; what is freed may free its parent. */
void mem_drop_caches(bool pages, bool objects)
{
	u32 idle = 0;

	if (mutex_lock_killable(&reclaim_lock))
		return;
	for (u32 round = 0; pages && round < DROP_ROUNDS && !current_killed() && reclaim_file(DROP_BATCH); round++)
		sched_check();
	for (u32 round = 0; objects && round < DROP_ROUNDS && idle < 3 && !current_killed(); round++) {
		idle = reclaim_objects(DROP_BATCH) ? 0 : idle + 1;
		sched_check();
	}
	(void)slab_shrink();
	mutex_unlock(&reclaim_lock);
}
