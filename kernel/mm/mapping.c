/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The page cache: what files have in memory. One copy of each page, shared by read(2), write(2) and mmap(2).
 *
 * A mapping's tree holds one reference to each of its pages. Look-ups run under RCU without a lock: the tree's reference of a page that was removed is
 * dropped only after a grace period, so whoever found the page may take a reference; it may then hold a page that is no longer in the file, which
 * is as if it had come a moment earlier. Removed pages wait for the grace period in batches: linked by lru, the first one's
 * owner and index (of no more use) are the batch's rcu_head, so nothing is allocated for it. Pages that may be read in or written out are removed one by
 * one under their page lock, which I/O holds.
 *
 * A page is PG_UPTODATE once its contents are the file's; memory mappings insert only such pages. Others insert an empty locked page and fill it.
 *
 * Locking: tree_lock (soft) for changes of the tree, tags and n_pages. The interval tree of VMAs is guarded by vmas_lock. Truncation and punching hold `invalidate`
 * for writing while entries are unmapped and pages removed; faults hold it for reading. mm/mapping_io.c has read and write.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <frame/log.h>
#include <frame/rcu.h>
#include "sched/sched.h"
#include "mm/internal.h"
#include "mm/page_lock.h"

#define GANG 64
#define TAG_DIRTY RADIX_TAG_0

/* --- Tree nodes: freed after a grace period. */

struct tree_node {
	struct radix_node node;
	struct rcu_head rcu;
};

static struct slab_cache *node_cache;

static void *node_alloc(void *ctx)
{
	struct tree_node *n = slab_alloc(node_cache, ALLOC_SLEEP | ALLOC_USER);

	(void)ctx;
	return n ? &n->node : NULL;
}

static void node_free_rcu(struct rcu_head *head)
{
	slab_free(node_cache, container_of(head, struct tree_node, rcu));
}

static void node_free(void *ctx, void *node)
{
	struct tree_node *n = container_of(node, struct tree_node, node);

	(void)ctx;
	rcu_call(&n->rcu, node_free_rcu);
}

static const struct radix_alloc node_alloc_ops = { .alloc = node_alloc, .free = node_free };

void mapping_init_caches(void)
{
	node_cache = slab_create("radix_node", sizeof(struct tree_node), 0, SLAB_RECLAIMABLE, NULL);
}

void mapping_init(struct mapping *m, const struct mapping_ops *ops, void *host)
{
	*m = (struct mapping){ .ops = ops, .host = host };
	radix_init(&m->pages, &node_alloc_ops);
	spin_init_soft(&m->tree_lock, "mapping tree");
	rwsem_init(&m->invalidate, "mapping invalidate");
	mutex_init(&m->vmas_lock, "mapping vmas");
}

/* --- Putting pages in. */

static void account_pages(const struct mapping *m, s64 n)
{
	mem_account(offsetof(struct mem_stat, cached), n);
	if (m->ops->is_memory)
		mem_account(offsetof(struct mem_stat, shmem), n);
}

static int insert_once(struct mapping *m, u64 index, struct page *page, struct radix_preload *pl)
{
	int err;

	spin_lock_soft(&m->tree_lock);
	err = radix_insert(&m->pages, index, page, pl);
	if (!err)
		m->n_pages++;
	spin_unlock_soft(&m->tree_lock);
	return err;
}

/* flags: PG_UPTODATE, or PG_LOCKED for a page still to be filled. */
static int insert(struct mapping *m, u64 index, struct page *page, u32 flags)
{
	__uninitialized struct radix_preload pl;
	int err;

	pl.nr = 0;
	pl.wanted = 0;
	page->owner = m;
	page->index = index;
	page->flags = flags | PG_CACHE | (m->ops->is_memory ? PG_SHMEM : 0);
	do
		err = insert_once(m, index, page, &pl);
	while (err == -EAGAIN && (err = radix_preload_fill(&pl, &node_alloc_ops)) == 0);
	radix_preload_drain(&pl, &node_alloc_ops);
	if (err) {
		page->flags = 0;
		page->owner = NULL;
		page->index = 0;
		return err;
	}
	account_pages(m, 1);
	if (m->ops->read_page)
		lru_add(page);
	return 0;
}

int mapping_insert(struct mapping *m, u64 index, struct page *page)
{
	return insert(m, index, page, PG_UPTODATE);
}

/* --- Looking up. */

struct page *mapping_lookup(struct mapping *m, u64 index)
{
	struct page *page;

	rcu_read_lock();
	page = radix_lookup(&m->pages, index);
	if (page && !page_try_get(page))
		page = NULL;
	rcu_read_unlock();
	return page;
}

u32 mapping_gang_lookup(struct mapping *m, u64 first, u32 n, struct page **out)
{
	u32 found = 0;

	rcu_read_lock();
	radix_lookup_range(&m->pages, first, n, (void **)out);
	for (u32 i = 0; i < n; i++) {
		struct page *page = out[i];

		if (!page)
			continue;
		if (page_has(page, PG_UPTODATE) && page_try_get(page))
			found++;
		else
			out[i] = NULL;
	}
	rcu_read_unlock();
	return found;
}

/* A page that somebody else is filling, or that could not be filled before: wait, and fill it if need be. Takes the reference over on failure. */
static int wait_uptodate(struct mapping *m, struct page *page)
{
	int err;

	if (page_lock_killable(page)) {
		page_put(page);
		return -EINTR;
	}
	err = 0;
	if (!page_has(page, PG_CACHE))
		err = -EAGAIN;		/* removed meanwhile */
	else if (!page_has(page, PG_UPTODATE))
		err = m->ops->read_page ? m->ops->read_page(m, page) : -EIO;
	if (!err)
		page_flag_set(page, PG_UPTODATE);
	page_unlock(page);
	if (err)
		page_put(page);
	return err;
}

/* A new page for a hole, referenced for the caller beside the tree. -EEXIST: somebody was first. */
static int fill_hole(struct mapping *m, u64 index, struct page **out)
{
	bool reads = m->ops->read_page != NULL;
	struct page *page;
	int err = 0;

	if (!reads && m->ops->reserve)
		err = m->ops->reserve(m, index);
	if (err)
		return err;
	page = page_alloc(0, FRAME_UNTYPED, ALLOC_SLEEP | ALLOC_USER | ALLOC_ZERO);
	err = page ? 0 : current_killed() ? -EINTR : -ENOMEM;
	if (!err) {
		page_get(page);
		err = insert(m, index, page, reads ? PG_LOCKED : PG_UPTODATE);
		if (err) {
			(void)page_drop(page);
			page_free(page, 0);
		}
	}
	if (err) {
		if (!reads && m->ops->released)
			m->ops->released(m, 1);
		return err;
	}
	if (reads) {
		err = m->ops->read_page(m, page);
		if (!err)
			page_flag_set(page, PG_UPTODATE);
		page_unlock(page);
		if (err) {
			page_put(page);
			return err;
		}
	}
	*out = page;
	return 0;
}

int mapping_get(struct mapping *m, u64 index, bool create, struct page **out)
{
	int err;

	*out = NULL;
	for (;;) {
		struct page *page = mapping_lookup(m, index);

		if (page && likely(page_has(page, PG_UPTODATE))) {
			*out = page;
			return 0;
		}
		if (page) {
			err = wait_uptodate(m, page);
			if (!err)
				*out = page;
		} else {
			if (!create && !m->ops->read_page)
				return 0;
			err = fill_hole(m, index, out);
		}
		if (err != -EEXIST && err != -EAGAIN)
			return err;
	}
}

/* --- Dirty pages. */

void mapping_set_dirty(struct mapping *m, struct page *page)
{
	if (!mapping_tracks_dirty(m) || page_flag_test_set(page, PG_DIRTY))
		return;
	spin_lock_soft(&m->tree_lock);
	if (page_has(page, PG_CACHE))
		radix_tag_set(&m->pages, page->index, TAG_DIRTY);
	spin_unlock_soft(&m->tree_lock);
	mem_account(offsetof(struct mem_stat, dirty), 1);
}

static struct page *next_dirty(struct mapping *m, u64 *index, u64 last)
{
	void *entry;
	struct page *page = NULL;

	spin_lock_soft(&m->tree_lock);
	if (radix_next_tagged(&m->pages, TAG_DIRTY, index, &entry) && *index <= last) {
		page = entry;
		page_get(page);
	}
	spin_unlock_soft(&m->tree_lock);
	return page;
}

/* Writes one dirty page out. Its shared entries become read-only first, so a later store is noticed. */
static int write_out(struct mapping *m, struct page *page)
{
	int err = 0;

	page_lock(page);
	page_wait_writeback(page);
	if (page_has(page, PG_CACHE) && page_flag_test_clear(page, PG_DIRTY)) {
		spin_lock_soft(&m->tree_lock);
		radix_tag_clear(&m->pages, page->index, TAG_DIRTY);
		spin_unlock_soft(&m->tree_lock);
		mem_account(offsetof(struct mem_stat, dirty), -1);
		mapping_unmap_range(m, page->index, page->index, false);
		page_flag_set(page, PG_WRITEBACK);
		mem_account(offsetof(struct mem_stat, writeback), 1);
		err = m->ops->write_page(m, page);
		mem_account(offsetof(struct mem_stat, writeback), -1);
		page_end_writeback(page);
		if (err) {
			mapping_set_dirty(m, page);
			__atomic_fetch_add(&m->error_seq, 1, __ATOMIC_RELAXED);
		}
	}
	page_unlock(page);
	return err;
}

int mapping_sync(struct mapping *m, u64 start, u64 end)
{
	u64 index = start >> PAGE_SHIFT, last;
	struct page *page;
	int err = 0, e;

	if (!mapping_tracks_dirty(m) || end <= start)
		return 0;
	last = (end - 1) >> PAGE_SHIFT;
	while ((page = next_dirty(m, &index, last))) {
		e = write_out(m, page);
		err = err ? err : e;
		page_put(page);
		if (index++ == last)
			break;
		if (current_killed())
			return err ? err : -EINTR;
		sched_check();
	}
	return err;
}

/* --- Taking pages out. */

void mapping_remove_page_locked(struct mapping *m, struct page *p)
{
	(void)radix_erase(&m->pages, p->index);
	m->n_pages--;
	if (page_flag_test_clear(p, PG_DIRTY))
		mem_account(offsetof(struct mem_stat, dirty), -1);
	page_flag_clear(p, PG_CACHE);
}

static void put_batch(struct page *first)
{
	struct list *at = first->lru.next;

	while (at != &first->lru) {
		struct page *p = list_entry(at, struct page, lru);

		at = at->next;
		page_put(p);
	}
	page_put(first);
}

static void put_batch_rcu(struct rcu_head *head)
{
	put_batch(container_of((void *)head, struct page, owner));
}

/* Takes up to GANG pages of [*index, last] out of the tree; *first is the head of their list. */
static u32 remove_gang(struct mapping *m, u64 *index, u64 last, struct page **first)
{
	__uninitialized struct page *gang[GANG];
	void *entry;
	u32 n = 0;

	spin_lock_soft(&m->tree_lock);
	while (n < GANG && *index <= last && radix_next(&m->pages, index, &entry) && *index <= last) {
		gang[n] = entry;
		mapping_remove_page_locked(m, gang[n++]);
		if ((*index)++ == last)
			break;
	}
	spin_unlock_soft(&m->tree_lock);
	if (n)
		list_init(&gang[0]->lru);
	for (u32 i = 1; i < n; i++)
		list_push_back(&gang[0]->lru, &gang[i]->lru);
	*first = n ? gang[0] : NULL;
	return n;
}

/* The same for one page that may be under I/O. */
static u32 remove_one(struct mapping *m, u64 *index, u64 last, struct page **first)
{
	struct page *page = NULL;
	void *entry;
	bool is_ours;

	do {
		spin_lock_soft(&m->tree_lock);
		if (radix_next(&m->pages, index, &entry) && *index <= last) {
			page = entry;
			if (!page_try_get(page))
				page = NULL;
		}
		spin_unlock_soft(&m->tree_lock);
		if (!page)
			return 0;
		page_lock(page);
		page_wait_writeback(page);
		spin_lock_soft(&m->tree_lock);
		is_ours = page_has(page, PG_CACHE);	/* not reclaimed meanwhile */
		if (is_ours)
			mapping_remove_page_locked(m, page);
		spin_unlock_soft(&m->tree_lock);
		page_unlock(page);
		if (!is_ours)
			page_put(page);
	} while (!is_ours);
	lru_remove(page);
	(void)page_drop(page);		/* ours; the tree's is left */
	list_init(&page->lru);
	*first = page;
	return 1;
}

/* Removes the pages of [index, last]. Nothing maps them (any more). is_dead: nobody can look anything up in this mapping now. */
static void remove_pages(struct mapping *m, u64 index, u64 last, bool is_dead)
{
	_Static_assert(offsetof(struct page, index) == offsetof(struct page, owner) + sizeof(void *) &&
		       sizeof(struct rcu_head) == 2 * sizeof(void *), "a removed page's owner and index serve as rcu_head");
	bool has_io = m->ops->read_page || m->ops->write_page;
	struct page *first;
	u32 n;

	while ((n = has_io ? remove_one(m, &index, last, &first) : remove_gang(m, &index, last, &first))) {
		account_pages(m, -(s64)n);
		if (m->ops->released)
			m->ops->released(m, n);
		if (is_dead)
			put_batch(first);
		else
			rcu_call((struct rcu_head *)(void *)&first->owner, put_batch_rcu);
		if (index > last)
			break;
		sched_check();
	}
}

void mapping_fini(struct mapping *m)
{
	BUG_ON(!rb_empty(&m->vmas));
	remove_pages(m, 0, U64_MAX >> PAGE_SHIFT, true);
	radix_destroy(&m->pages, NULL, NULL);
}

/* Zeroes a part of one page, if it is there. */
static void zero_part(struct mapping *m, u64 start, u64 end)
{
	struct page *page;

	if (start >= end)
		return;
	if (mapping_get(m, start >> PAGE_SHIFT, false, &page) || !page)
		return;
	memset((char *)page_kva(page) + (start & ~PAGE_MASK), 0, end - start);
	mapping_set_dirty(m, page);
	page_put(page);
}

void mapping_truncate(struct mapping *m, u64 size)
{
	u64 old = READ_ONCE(m->size), first = DIV_ROUND_UP(size, PAGE_SIZE);

	if (size >= old) {
		STORE_RELEASE(m->size, size);
		return;
	}
	rwsem_write_lock(&m->invalidate);
	STORE_RELEASE(m->size, size);
	mapping_unmap_range(m, first, U64_MAX >> PAGE_SHIFT, true);
	remove_pages(m, first, U64_MAX >> PAGE_SHIFT, false);
	zero_part(m, size, first << PAGE_SHIFT);
	rwsem_write_unlock(&m->invalidate);
}

void mapping_punch(struct mapping *m, u64 start, u64 end)
{
	u64 first = DIV_ROUND_UP(start, PAGE_SIZE), last = end >> PAGE_SHIFT;

	rwsem_write_lock(&m->invalidate);
	if (first > last) {
		zero_part(m, start, end);	/* within one page */
	} else {
		if (first < last) {
			mapping_unmap_range(m, first, last - 1, false);
			remove_pages(m, first, last - 1, false);
		}
		zero_part(m, start, first << PAGE_SHIFT);
		zero_part(m, last << PAGE_SHIFT, end);
	}
	rwsem_write_unlock(&m->invalidate);
}

/* --- Data and holes (lseek(2)). */

bool mapping_next_data(struct mapping *m, u64 start, u64 *index)
{
	void *entry;
	bool is_found;

	*index = start;
	rcu_read_lock();
	is_found = radix_next(&m->pages, index, &entry);
	rcu_read_unlock();
	return is_found;
}

u64 mapping_next_hole(struct mapping *m, u64 start)
{
	u64 indices[16], next = start;
	void *entries[16];
	size_t n;

	do {
		rcu_read_lock();
		n = radix_gang(&m->pages, next, 16, indices, entries);
		rcu_read_unlock();
		for (size_t i = 0; i < n; i++)
			if (indices[i] != next++)
				return next - 1;
	} while (n == 16);
	return next;
}
