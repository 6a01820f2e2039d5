/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Addresses in the vmap window: kmap_reserve and kmap_free.
 *
 * The window is cut into segments without gaps, each free, reserved, or stale (returned, but other CPUs may still hold its
 * translations). One tree has all segments by address, another the free ones by size: best fit, O(log n). A segment includes
 * the guard page below what the caller gets.
 * Stale segments gather until there are many; then one flush of every CPU makes them all free. That costs one interrupt per
 * hundreds of stacks instead of one each.
 * A returned segment is its own record, so kmap_free allocates nothing. Records come from whole pages that are never returned.
 *
 * Locking: `lock`, for everything here. kmap_free is called in soft context, hence the type. Flushing is done without it.
 */
#include <frame/core/internal.h>
#include <frame/ipi.h>
#include <frame/log.h>
#include <frame/policy.h>
#include <frame/spinlock.h>
#include <frame/x86_64/paging.h>
#include <lib/rbtree.h>
#include <lib/string.h>

#define STALE_MAX_PAGES 4096u		/* 16 MiB of addresses: about 800 stacks */

enum seg_state { SEG_FREE, SEG_RESERVED, SEG_STALE };

struct segment {
	struct rb_node by_addr;		/* [l] */
	struct rb_node by_size;		/* [l] linked while free */
	struct list stale;		/* [l] on `stale_list`, or (by_addr unlinked) on `spare` */
	u64 start, pages;		/* [l] */
	u32 state;			/* [l] */
};

static struct spinlock_soft lock = SPINLOCK_INIT("vmap");
static struct rb_root by_addr, by_size;		/* [l] */
static LIST_HEAD_DEFINE(spare);			/* [l] records not in use */
static LIST_HEAD_DEFINE(stale_list);		/* [l] */
static u64 stale_pages;				/* [l] */
static u32 n_spare;				/* [l] */
static bool is_ready;				/* [l] */

static bool less_addr(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, const struct segment, by_addr)->start < rb_entry(b, const struct segment, by_addr)->start;
}

static bool less_size(const struct rb_node *a, const struct rb_node *b)
{
	const struct segment *x = rb_entry(a, const struct segment, by_size);
	const struct segment *y = rb_entry(b, const struct segment, by_size);

	return x->pages != y->pages ? x->pages < y->pages : x->start < y->start;
}

static int cmp_pages(const void *key, const struct rb_node *n)
{
	u64 pages = *(const u64 *)key, have = rb_entry(n, const struct segment, by_size)->pages;

	return pages < have ? -1 : pages > have;
}

static int cmp_addr(const void *key, const struct rb_node *n)
{
	u64 start = *(const u64 *)key, have = rb_entry(n, const struct segment, by_addr)->start;

	return start < have ? -1 : start > have;
}

static void spare_add_locked(struct segment *s)
{
	list_push_back(&spare, &s->stale);
	n_spare++;
}

static struct segment *spare_pop_locked(void)
{
	struct list *node = list_pop_front(&spare);

	if (!node)
		return NULL;
	n_spare--;
	return list_entry(node, struct segment, stale);
}

/* Makes sure that a record is to be had. May sleep. */
static bool spare_refill(void)
{
	struct segment *s;
	u32 n;

	spin_lock_soft(&lock);
	n = n_spare;
	spin_unlock_soft(&lock);
	if (n)
		return true;
	s = (struct segment *)(void *)table_alloc();
	if (!s)
		return false;
	spin_lock_soft(&lock);
	for (size_t i = 0; i < PAGE_SIZE / sizeof(*s); i++)
		spare_add_locked(&s[i]);
	spin_unlock_soft(&lock);
	return true;
}

static void free_insert_locked(struct segment *s)
{
	s->state = SEG_FREE;
	rb_node_init(&s->by_size);
	rb_add(&by_size, &s->by_size, less_size);
}

/* s is in by_addr: joins it with free neighbours and offers it again. */
static void make_free_locked(struct segment *s)
{
	struct segment *prev = rb_entry_or_null(rb_prev(&s->by_addr), struct segment, by_addr);
	struct segment *next = rb_entry_or_null(rb_next(&s->by_addr), struct segment, by_addr);

	if (next && next->state == SEG_FREE) {
		rb_erase(&next->by_size, &by_size);
		rb_erase(&next->by_addr, &by_addr);
		s->pages += next->pages;
		spare_add_locked(next);
	}
	if (prev && prev->state == SEG_FREE) {
		rb_erase(&prev->by_size, &by_size);
		rb_erase(&s->by_addr, &by_addr);
		prev->pages += s->pages;
		spare_add_locked(s);
		s = prev;
	}
	free_insert_locked(s);
}

/* Takes the stale segments, flushes, and frees them. Interrupts on, lock not held. */
static void purge_stale(void)
{
	LIST_HEAD_DEFINE(taken);
	struct list *node;

	spin_lock_soft(&lock);
	list_splice_back(&taken, &stale_list);
	stale_pages = 0;
	spin_unlock_soft(&lock);
	if (list_empty(&taken))
		return;
	tlb_flush_kernel();
	spin_lock_soft(&lock);
	while ((node = list_pop_front(&taken)))
		make_free_locked(list_entry(node, struct segment, stale));
	spin_unlock_soft(&lock);
}

static u64 reserve_locked(u64 pages)
{
	struct rb_node *n = rb_find_first_ge(&by_size, &pages, cmp_pages);
	struct segment *s, *rest;

	if (!n)
		return 0;
	s = rb_entry(n, struct segment, by_size);
	if (s->pages > pages) {
		rest = spare_pop_locked();
		if (!rest)
			return 0;
		*rest = (struct segment){ .start = s->start + (pages << PAGE_SHIFT), .pages = s->pages - pages };
		rb_erase(&s->by_size, &by_size);
		s->pages = pages;
		rb_add(&by_addr, &rest->by_addr, less_addr);
		free_insert_locked(rest);
	} else {
		rb_erase(&s->by_size, &by_size);
	}
	s->state = SEG_RESERVED;
	return s->start;
}

static void window_init_locked(void)
{
	struct segment *all = spare_pop_locked();

	*all = (struct segment){ .start = vmap_base, .pages = VMAP_SIZE >> PAGE_SHIFT };
	rb_add(&by_addr, &all->by_addr, less_addr);
	free_insert_locked(all);
	is_ready = true;
}

u64 kmap_reserve(size_t size)
{
	u64 pages = (ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT) + 1, start = 0;
	bool is_crowded;

	if (!size || size >= VMAP_SIZE)
		return 0;
	for (int tries = 0; tries < 3 && !start; tries++) {
		if (!spare_refill())
			return 0;
		spin_lock_soft(&lock);
		if (!is_ready)
			window_init_locked();
		start = reserve_locked(pages);
		is_crowded = stale_pages > STALE_MAX_PAGES;
		spin_unlock_soft(&lock);
		if (is_crowded || !start)
			purge_stale();
	}
	return start ? start + PAGE_SIZE : 0;
}

void kmap_free(u64 va, size_t size)
{
	u64 start = va - PAGE_SIZE;
	struct segment *s;
	struct rb_node *n;

	spin_lock_soft(&lock);
	n = rb_find(&by_addr, &start, cmp_addr);
	BUG_ON(!n);
	s = rb_entry(n, struct segment, by_addr);
	BUG_ON(s->state != SEG_RESERVED || s->pages != (ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT) + 1);
	s->state = SEG_STALE;
	list_push_back(&stale_list, &s->stale);
	stale_pages += s->pages;
	spin_unlock_soft(&lock);
}
