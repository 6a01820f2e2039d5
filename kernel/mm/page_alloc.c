/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Physical memory: a binary buddy allocator under per-CPU lists of single frames.
 *
 * Free blocks of 2^order frames, aligned to their size, stand on zone.free[order]; the head has PG_BUDDY and its order in `index`. Freeing
 * merges a block with its buddy (the block whose number differs in bit `order`) while that is free as a whole. Single frames, nearly all
 * of the traffic, come from an array a CPU, filled with one whole block at a time and emptied by halves; frames in it are FREE without
 * PG_BUDDY, so nothing merges with them.
 *
 * Reserves. Below `low` user allocations reclaim first; below `min` so do the kernel's; what may not sleep, and what a dying task needs to
 * get out, goes down to a half of `min`. Nobody takes the rest of it but the frame's page tables for a task that dies.
 * The frame checks us: each hand-out claims its frames, each return releases them, and a frame that is in use panics there. It also poisons free
 * frames for KASAN.
 *
 * Locking: zone.lock (soft: frees come from RCU callbacks). A CPU's list: soft work disabled. Never sleeps but in alloc_slow, with nothing held.
 */
#include <lib/list.h>
#include <lib/string.h>
#include <frame/boot.h>
#include <frame/log.h>
#include <frame/percpu.h>
#include <frame/policy.h>
#include <frame/spinlock.h>
#include "object/current.h"
#include "sync/policy.h"
#include "mm/alloc.h"
#include "mm/page_alloc.h"
#include "mm/page_flags.h"
#include "mm/policy.h"

#define PCP_MAX 64
#define OOM_WAIT_NS (2 * NSEC_PER_MSEC)
#define OOM_TRIES 500		/* with the wait: a second for the victim to go */

struct pcp {
	u32 n;
	struct page *page[PCP_MAX];
};

static PERCPU(struct pcp, pcp);

static struct zone {
	struct spinlock_soft lock;
	struct list free[PAGE_MAX_ORDER + 1];	/* [lock] */
	u64 n_free;				/* [lock; a to read] frames in free[] */
	u64 total;				/* [lock; a to read] */
	u64 min, low;				/* [a] watermarks */
	u32 batch_order;			/* [a] a CPU's list is filled by blocks of this order */
	u32 pcp_high;				/* [a] and holds at most so many */
} zone = { .lock = SPINLOCK_INIT("page allocator") };

static u64 frame_pages_out;			/* [a] frames the frame has */

/* --- Buddy lists. zone.lock is held. */

static void block_put_locked(struct page *p, u32 order)
{
	p->index = order;
	p->flags = PG_BUDDY;
	list_push_front(&zone.free[order], &p->lru);
}

static void block_take_locked(struct page *p)
{
	list_del(&p->lru);
	p->flags = 0;
	p->index = 0;
}

static bool is_free_block(u64 pfn, u32 order)
{
	struct page *p;

	if (pfn + (1ul << order) > frame_pfn_end)
		return false;
	p = pfn_page(pfn);
	return (p->flags & PG_BUDDY) && p->index == order &&
	       __atomic_load_n(&p->f_state, __ATOMIC_RELAXED) == FRAME_FREE;
}

static void buddy_free_locked(struct page *p, u32 order)
{
	u64 pfn = page_pfn(p);

	zone.n_free += 1ul << order;
	for (; order < PAGE_MAX_ORDER; order++) {
		u64 buddy = pfn ^ (1ul << order);

		if (!is_free_block(buddy, order))
			break;
		block_take_locked(pfn_page(buddy));
		pfn &= buddy;
	}
	block_put_locked(pfn_page(pfn), order);
}

static struct page *buddy_alloc_locked(u32 order)
{
	struct page *p;
	u32 o = order;

	while (o <= PAGE_MAX_ORDER && list_empty(&zone.free[o]))
		o++;
	if (o > PAGE_MAX_ORDER)
		return NULL;
	p = list_first_entry(&zone.free[o], struct page, lru);
	block_take_locked(p);
	while (o > order) {
		o--;
		block_put_locked(p + (1ul << o), o);
	}
	zone.n_free -= 1ul << order;
	return p;
}

/* How far down this allocation may go. */
static u64 floor_pages(u32 flags)
{
	if (flags & ALLOC_USER)
		return zone.low;
	return flags & ALLOC_ATOMIC ? zone.min / 2 : zone.min;
}

/* --- Per-CPU lists. Soft work is disabled. */

static bool pcp_fill(struct pcp *list, u64 floor)
{
	u32 order = zone.batch_order;
	struct page *p = NULL;

	spin_lock_soft(&zone.lock);
	if (zone.n_free >= floor + (1ul << order))
		for (p = buddy_alloc_locked(order); !p && order; p = buddy_alloc_locked(order))
			order--;
	else if (zone.n_free > floor)
		p = buddy_alloc_locked(order = 0);
	spin_unlock_soft(&zone.lock);
	if (!p)
		return false;
	for (u32 i = 1u << order; i-- > 0;)
		list->page[list->n++] = p + i;
	return true;
}

static void pcp_spill(struct pcp *list, u32 keep)
{
	spin_lock_soft(&zone.lock);
	for (u32 i = 0; i < list->n - keep; i++)
		buddy_free_locked(list->page[i], 0);
	spin_unlock_soft(&zone.lock);
	memmove(list->page, list->page + (list->n - keep), keep * sizeof(list->page[0]));
	list->n = keep;
}

/* This CPU's list back to the buddy lists. */
static void drain_here(void)
{
	struct pcp *list;

	soft_disable();
	list = this_cpu(pcp);
	if (list->n)
		pcp_spill(list, 0);
	soft_enable();
}

/* --- FREE frames. */

static struct page *free_frames(u32 order, u64 floor)
{
	struct page *p = NULL;

	soft_disable();
	if (order == 0) {
		struct pcp *list = this_cpu(pcp);

		if (likely(list->n) || pcp_fill(list, floor))
			p = list->page[--list->n];
	} else {
		spin_lock_soft(&zone.lock);
		if (zone.n_free >= floor + (1ul << order))
			p = buddy_alloc_locked(order);
		spin_unlock_soft(&zone.lock);
	}
	soft_enable();
	return p;
}

/* Soft work may interrupt but not hard handlers: "any context but hard". */
static void return_frames(struct page *p, u32 order)
{
	soft_disable();
	if (order == 0) {
		struct pcp *list = this_cpu(pcp);

		if (list->n >= zone.pcp_high)
			pcp_spill(list, zone.pcp_high / 2);
		list->page[list->n++] = p;
	} else {
		spin_lock_soft(&zone.lock);
		buddy_free_locked(p, order);
		spin_unlock_soft(&zone.lock);
	}
	soft_enable();
}

/*
 * Memory is short and the caller can wait: reclaim, and if that gives nothing and a user program is behind it, let the OOM killer choose and wait
 * for its victim. Bounded: whatever happens the caller gets a frame or NULL.
 */
static struct page *alloc_slow(u32 order, u32 flags)
{
	struct page *p = NULL;

	for (u32 tries = 0; !p && tries < OOM_TRIES; tries++) {
		u64 progress;

		if (in_atomic() || current_killed())
			return free_frames(order, zone.min / 2);
		progress = reclaim_pages(MAX_CONST(32u, 1u << order));
		drain_here();
		p = free_frames(order, floor_pages(flags));
		if (p || (progress && tries < 8))
			continue;
		if (!(flags & ALLOC_USER) || order > 3 || !mm_policy_oom())
			return free_frames(order, zone.min);
		if (current_killed())
			continue;
		sched_prepare_sleep(SLEEP_KILLABLE);
		(void)sched_sleep_until(clock_now_ns() + OOM_WAIT_NS);
	}
	return p;
}

static struct page *alloc_frames(u32 order, u32 flags)
{
	struct page *p;

	ASSERT(order <= PAGE_MAX_ORDER);
	p = free_frames(order, floor_pages(flags));
	if (unlikely(!p) && !(flags & ALLOC_ATOMIC))
		p = alloc_slow(order, flags);
	return p;
}

/* --- The face. */

struct page *page_alloc(u32 order, enum frame_state state, u32 flags)
{
	struct page *p;

	if (alloc_inject_failure())
		return NULL;
	p = alloc_frames(order, flags);
	if (unlikely(!p))
		return NULL;
	frames_claim(p, 1ul << order, state);
	if (flags & ALLOC_ZERO)
		memset(page_kva(p), 0, PAGE_SIZE << order);
	return p;
}

/* What the next owner must find zero. */
static void page_reset(struct page *p)
{
	p->owner = NULL;
	p->index = 0;
	p->flags = 0;
	p->pins = 0;
	p->charge = 0;
}

void page_free(struct page *p, u32 order)
{
	for (u64 i = 0; i < 1ul << order; i++)
		page_reset(p + i);
	frames_release(p, 1ul << order);
	return_frames(p, order);
}

void *kpage_alloc(u32 order, u32 flags)
{
	struct page *p = page_alloc(order, FRAME_KERNEL, flags);

	return p ? page_kva(p) : NULL;
}

void kpage_free(void *kva, u32 order)
{
	page_free(kva_page(kva), order);
}

/* --- For the frame (frame/policy.h). */

struct page *policy_frames_alloc(u32 order, bool may_sleep)
{
	struct page *p;

	if (may_sleep && alloc_inject_failure())
		return NULL;
	p = alloc_frames(order, may_sleep ? ALLOC_SLEEP | ALLOC_USER : ALLOC_ATOMIC);
	if (p)
		__atomic_fetch_add(&frame_pages_out, 1ul << order, __ATOMIC_RELAXED);
	return p;
}

void policy_frames_free(struct page *page, u32 order)
{
	__atomic_fetch_sub(&frame_pages_out, 1ul << order, __ATOMIC_RELAXED);
	return_frames(page, order);
}

void page_count_boot(u64 n)
{
	__atomic_fetch_add(&frame_pages_out, n, __ATOMIC_RELAXED);
	SPIN_GUARD_SOFT(&zone.lock);
	zone.total += n;		/* memory that was the image's until now */
}

void policy_untyped_free(struct page *page)
{
	u32 flags = page->flags;

	if (flags & PG_ANON)
		mem_account(offsetof(struct mem_stat, anon), -1);
	if (flags & PG_MAPPED)
		mem_account(offsetof(struct mem_stat, mapped), -1);
	if (flags & PG_MLOCKED)
		mem_account(offsetof(struct mem_stat, mlocked), -1);
	BUG_ON(flags & (PG_CACHE | PG_LRU | PG_BUDDY));
	page_free(page, 0);
}

/* --- Start-up. */

static void watermarks_set(u64 total)
{
	u64 min = clamp(total / 256, 32ul, 1024ul);

	zone.min = min;
	zone.low = min + min / 2;
	zone.batch_order = total < 16384 ? 3 : 5;
	zone.pcp_high = total < 16384 ? 16 : PCP_MAX;
}

void page_donate(struct page *first, u64 n)
{
	u64 pfn = page_pfn(first), end = pfn + n;

	frames_donate(first, n);
	spin_lock_soft(&zone.lock);
	zone.total += n;
	while (pfn < end) {
		u32 order = pfn ? (u32)__builtin_ctzll(pfn) : PAGE_MAX_ORDER;

		order = min(order, (u32)PAGE_MAX_ORDER);
		while (pfn + (1ul << order) > end)
			order--;
		buddy_free_locked(pfn_page(pfn), order);
		pfn += 1ul << order;
	}
	watermarks_set(zone.total);
	spin_unlock_soft(&zone.lock);
}

void alloc_init(void)
{
	struct boot_range r;

	for (u32 o = 0; o <= PAGE_MAX_ORDER; o++)
		list_init(&zone.free[o]);
	for (u32 i = 0; boot_memory(i, &r); i++) {
		u64 first = DIV_ROUND_UP(r.start, PAGE_SIZE), end = r.end / PAGE_SIZE;

		if (r.is_usable && first < end)
			page_donate(pfn_page(first), end - first);
	}
	slab_init();
	kmalloc_init();
	mm_init();
	alloc_inject_init();
}

u64 page_alloc_total(void)
{
	return READ_ONCE(zone.total);
}

u64 page_alloc_low(void)
{
	return READ_ONCE(zone.low);
}

u64 page_alloc_free(void)
{
	u64 n = READ_ONCE(zone.n_free);

	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		n += READ_ONCE(cpu_var(pcp, cpu)->n);
	return n;
}

u64 page_alloc_frame_pages(void)
{
	return READ_ONCE(frame_pages_out);
}
