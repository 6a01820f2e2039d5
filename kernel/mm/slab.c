/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Objects of one size: slab caches under per-CPU magazines.
 *
 * A slab is a block of 2^order frames cut into objects at a fixed stride. Which are free is a bitmap: in the head page's `index` if there
 * are at most 64 objects, else in words at the slab's end; so a free object's bytes are untouched and a type-safe cache's objects stay what
 * they were. `pins` of the head page counts objects that are out. Slabs with some free objects stand on cache.partial; full ones on no list.
 *
 * A CPU's magazine is an array of free objects: the fast paths of slab_alloc and slab_free are a decrement and an increment there, with
 * soft work disabled (objects are freed by RCU callbacks), no lock and no atomic. It is filled and emptied by halves under cache.lock.
 * Magazines are made when a CPU first frees or allocates there; without memory for one everything goes through the lock.
 *
 * A slab that became empty goes back to the page allocator unless it is the cache's only one. With SLAB_RCU_TYPESAFE not before a grace period has
 * passed: a reader who looks at a freed object sees an object of this type, perhaps another one (he must check after taking a reference).
 *
 * Debug build: each object ends in a red zone; freed objects are poisoned and wait in a quarantine (a ring of the last 512) before they can be
 * handed out again; live objects are counted and reported (slab_report_live). Constructed and type-safe objects stay readable, so they get the red zone only.
 *
 * Locking: cache.lock (soft), nothing inside it. Frames are taken and given back outside it.
 */
#include <lib/list.h>
#include <lib/string.h>
#include <frame/kasan.h>
#include <frame/log.h>
#include <frame/percpu.h>
#include <frame/rcu.h>
#include <frame/spinlock.h>
#include "mm/alloc.h"
#include "mm/page_alloc.h"
#include "mm/page_flags.h"

#define MAGAZINE_MAX 30
#define SLAB_MAX_ORDER 4
#define QUARANTINE 512

#ifdef KEEL_DEBUG
static const size_t redzone = 32;
#else
static const size_t redzone = 0;
#endif

struct magazine {
	u32 n;
	void *obj[MAGAZINE_MAX];
};

struct slab_cache {
	struct spinlock_soft lock;
	struct list partial;		/* [lock] slabs with free objects; those with objects out stand in front */
	u64 n_empty;			/* [lock] slabs on `partial` without objects out */
	u64 n_slabs, n_out;		/* [lock] slabs; objects out of them, in magazines or in use */
	const char *name;		/* [I] */
	void (*ctor)(void *obj);	/* [I] */
	struct list node;		/* [I] in all_caches */
	u32 size, stride;		/* [I] bytes: of the object; from one to the next */
	u32 reciprocal;			/* [I] 2^32 / stride, rounded up */
	u32 per_slab;			/* [I] objects */
	u32 bitmap_at;			/* [I] offset of the free bitmap in the slab; 0: in page.index */
	u32 order, flags;		/* [I] */
	u32 magazine_size;		/* [I] */
	s64 live;			/* [a] objects handed out; debug build */
	struct magazine *magazine[FRAME_MAX_CPUS];	/* [the CPU's, soft work disabled] */
};

static LIST_HEAD_DEFINE(all_caches);	/* grows during start-up only */
static struct slab_cache cache_of_caches, cache_of_magazines;

/* --- One slab. cache.lock is held, but for slab_create_pages and slab_release_pages. */

static struct page *slab_head(const void *obj)
{
	struct page *p = kva_page(obj);

	return page_has(p, PG_TAIL) ? p - p->index : p;
}

static u64 *slab_bitmap(const struct slab_cache *c, struct page *slab)
{
	return c->bitmap_at ? (u64 *)(void *)((char *)page_kva(slab) + c->bitmap_at) : &slab->index;
}

static void *slab_take_locked(const struct slab_cache *c, struct page *slab)
{
	u64 *map = slab_bitmap(c, slab);
	u32 word = 0, bit;

	while (!map[word])
		word++;
	bit = (u32)__builtin_ctzll(map[word]);
	map[word] &= map[word] - 1;
	slab->pins++;
	return (char *)page_kva(slab) + (size_t)(word * 64 + bit) * c->stride;
}

static void slab_give_locked(const struct slab_cache *c, struct page *slab, const void *obj)
{
	u64 offset = (u64)((const char *)obj - (const char *)page_kva(slab));
	u32 i = (u32)((offset * c->reciprocal) >> 32);
	u64 *map = slab_bitmap(c, slab);

	BUG_ON(slab->owner != c || (size_t)i * c->stride != offset);
	BUG_ON(map[i / 64] >> (i % 64) & 1);	/* freed twice */
	map[i / 64] |= 1ul << (i % 64);
	slab->pins--;
}

static void slab_account(const struct slab_cache *c, s64 slabs)
{
	size_t which = c->flags & SLAB_RECLAIMABLE ? offsetof(struct mem_stat, slab_reclaimable)
						    : offsetof(struct mem_stat, slab_unreclaimable);

	mem_account(which, slabs * (1l << c->order));
}

static struct page *slab_create_pages(struct slab_cache *c, u32 flags)
{
	struct page *slab = page_alloc(c->order, FRAME_KERNEL, flags & ~(u32)ALLOC_ZERO);
	u64 *map;

	if (!slab)
		return NULL;
	for (u32 i = 1; i < 1u << c->order; i++) {
		slab[i].flags = PG_SLAB | PG_TAIL;
		slab[i].owner = c;
		slab[i].index = i;
	}
	slab->owner = c;
	__atomic_store_n(&slab->flags, PG_SLAB, __ATOMIC_RELEASE);
	map = slab_bitmap(c, slab);
	for (u32 i = 0; i < c->per_slab; i += 64)
		map[i / 64] = c->per_slab - i >= 64 ? ~0ul : (1ul << (c->per_slab - i)) - 1;
	for (u32 i = 0; c->ctor && i < c->per_slab; i++)
		c->ctor((char *)page_kva(slab) + (size_t)i * c->stride);
	for (u32 i = 0; i < c->per_slab; i++) {
		char *obj = (char *)page_kva(slab) + (size_t)i * c->stride;

		kasan_poison(obj + ALIGN_UP(c->size, 8u), c->stride - ALIGN_UP(c->size, 8u), KASAN_REDZONE);
		if (!c->ctor && !(c->flags & SLAB_RCU_TYPESAFE))
			kasan_poison(obj, ALIGN_UP(c->size, 8u), KASAN_FREE_OBJECT);
	}
	slab_account(c, 1);
	return slab;
}

static void slab_free_rcu(struct rcu_head *head)
{
	struct page *slab = container_of((void *)head, struct page, lru);
	const struct slab_cache *c = slab->owner;

	page_free(slab, c->order);
}

static void slab_release_pages(struct slab_cache *c, struct page *slab)
{
	_Static_assert(sizeof(struct rcu_head) <= sizeof(slab->lru), "an unlisted page's lru serves as its rcu_head");

	slab_account(c, -1);
	if (c->flags & SLAB_RCU_TYPESAFE)
		rcu_call((struct rcu_head *)(void *)&slab->lru, slab_free_rcu);
	else
		page_free(slab, c->order);
}

/* Up to n objects from slabs that have them. Returns how many. */
static u32 objects_take_locked(struct slab_cache *c, void **obj, u32 n)
{
	u32 got = 0;

	while (got < n && !list_empty(&c->partial)) {
		struct page *slab = list_first_entry(&c->partial, struct page, lru);

		if (slab->pins == 0)
			c->n_empty--;
		while (got < n && slab->pins < c->per_slab)
			obj[got++] = slab_take_locked(c, slab);
		if (slab->pins == c->per_slab)
			list_del(&slab->lru);
	}
	c->n_out += got;
	return got;
}

/* Gives objects back; empty slabs beyond one are moved to `freed`. */
static void objects_give_locked(struct slab_cache *c, void *const *obj, u32 n, struct list *freed)
{
	c->n_out -= n;
	for (u32 i = 0; i < n; i++) {
		struct page *slab = slab_head(obj[i]);
		bool was_full = slab->pins == c->per_slab;

		slab_give_locked(c, slab, obj[i]);
		if (was_full)
			list_push_front(&c->partial, &slab->lru);
		if (slab->pins)
			continue;
		if (c->n_empty) {
			list_move_back(freed, &slab->lru);
			c->n_slabs--;
		} else {
			list_move_back(&c->partial, &slab->lru);
			c->n_empty++;
		}
	}
}

static u64 release_list(struct slab_cache *c, struct list *freed)
{
	u64 pages = 0;

	while (!list_empty(freed)) {
		struct page *slab = list_first_entry(freed, struct page, lru);

		list_del(&slab->lru);
		slab_release_pages(c, slab);
		pages += 1ul << c->order;
	}
	return pages;
}

static void objects_give(struct slab_cache *c, void *const *obj, u32 n)
{
	LIST_HEAD_DEFINE(freed);

	spin_lock_soft(&c->lock);
	objects_give_locked(c, obj, n, &freed);
	spin_unlock_soft(&c->lock);
	(void)release_list(c, &freed);
}

static u32 objects_take(struct slab_cache *c, void **obj, u32 n, u32 flags)
{
	struct page *slab;
	u32 got;

	spin_lock_soft(&c->lock);
	got = objects_take_locked(c, obj, n);
	spin_unlock_soft(&c->lock);
	if (got)
		return got;
	slab = slab_create_pages(c, flags);
	if (!slab)
		return 0;
	spin_lock_soft(&c->lock);
	list_push_front(&c->partial, &slab->lru);
	c->n_empty++;
	c->n_slabs++;
	got = objects_take_locked(c, obj, n);
	spin_unlock_soft(&c->lock);
	return got;
}

/* --- Magazines. */

/* This CPU's, made if need be; soft work is disabled. */
static struct magazine *magazine_here(struct slab_cache *c)
{
	struct magazine **slot = &c->magazine[cpu_id()];

	if (likely(*slot) || !c->magazine_size)
		return *slot;
	if (objects_take(&cache_of_magazines, (void **)slot, 1, ALLOC_ATOMIC)) {
		kasan_unpoison(*slot, sizeof(struct magazine));
		(*slot)->n = 0;
	}
	return *slot;
}

/* Refills outside the disabled section, since it may sleep; so it may end on another CPU, or find the magazine filled meanwhile. */
static __noinline void *alloc_refill(struct slab_cache *c, u32 flags)
{
	void *obj[MAGAZINE_MAX / 2 + 1];
	u32 want = c->magazine_size / 2 + 1, got = objects_take(c, obj, want, flags), left;
	struct magazine *m;

	if (!got)
		return NULL;
	left = got - 1;
	soft_disable();
	m = magazine_here(c);
	while (left && m && m->n < c->magazine_size) {
		m->obj[m->n++] = obj[left];
		left--;
	}
	soft_enable();
	if (left)
		objects_give(c, obj + 1, left);
	return obj[0];
}

/* What follows is apart from what it is rarely needed for, so that it saves no registers and has no array. */
static inline void *object_alloc(struct slab_cache *c, u32 flags)
{
	struct magazine *m;
	void *obj = NULL;

	soft_disable();
	m = c->magazine[cpu_id()];
	if (likely(m && m->n))
		obj = m->obj[--m->n];
	soft_enable();
	return likely(obj) ? obj : alloc_refill(c, flags);
}

/* The magazine is full, or there is none. */
static __noinline void free_empty(struct slab_cache *c, void *obj)
{
	struct magazine *m;
	void *out[MAGAZINE_MAX / 2 + 1];
	u32 n_out = 0;

	soft_disable();
	m = magazine_here(c);
	if (unlikely(!m || m->n >= c->magazine_size)) {
		while (m && n_out < c->magazine_size / 2)
			out[n_out++] = m->obj[--m->n];
		if (!n_out)
			out[n_out++] = obj;
		else
			m->obj[m->n++] = obj;
	} else {
		m->obj[m->n++] = obj;
	}
	soft_enable();
	if (n_out)
		objects_give(c, out, n_out);
}

static inline void object_free(struct slab_cache *c, void *obj)
{
	struct magazine *m;

	soft_disable();
	m = c->magazine[cpu_id()];
	if (likely(m && m->n < c->magazine_size)) {
		m->obj[m->n++] = obj;
		soft_enable();
	} else {
		soft_enable();
		free_empty(c, obj);
	}
}

/* --- Quarantine and red zones (debug build). */

#ifdef KEEL_DEBUG
static struct {
	struct spinlock_soft lock;
	u32 at;
	struct { struct slab_cache *cache; void *obj; } ring[QUARANTINE];
} quarantine = { .lock = SPINLOCK_INIT("slab quarantine") };

/* Puts (cache, obj) in and takes the oldest out. */
static void quarantine_swap(struct slab_cache **c, void **obj)
{
	struct slab_cache *old_cache;
	void *old;

	spin_lock_soft(&quarantine.lock);
	old_cache = quarantine.ring[quarantine.at].cache;
	old = quarantine.ring[quarantine.at].obj;
	quarantine.ring[quarantine.at].cache = *c;
	quarantine.ring[quarantine.at].obj = *obj;
	quarantine.at = (quarantine.at + 1) % QUARANTINE;
	spin_unlock_soft(&quarantine.lock);
	*c = old_cache;
	*obj = old;
}

static void object_out(struct slab_cache *c, void *obj, size_t size)
{
	__atomic_fetch_add(&c->live, 1, __ATOMIC_RELAXED);
	kasan_poison(obj, ALIGN_UP(c->size, 8u), KASAN_REDZONE);
	kasan_unpoison(obj, size);
}

static void object_in(struct slab_cache *c, void *obj)
{
	struct page *slab = slab_head(obj);

	BUG_ON(!page_has(slab, PG_SLAB) || slab->owner != c);
	__atomic_fetch_sub(&c->live, 1, __ATOMIC_RELAXED);
	if (c->ctor || (c->flags & SLAB_RCU_TYPESAFE)) {
		object_free(c, obj);
		return;
	}
	*(u8 *)obj = *(const u8 *)obj;	/* a poisoned object here is a double free: KASAN reports it */
	kasan_poison(obj, ALIGN_UP(c->size, 8u), KASAN_FREE_OBJECT);
	quarantine_swap(&c, &obj);
	if (obj)
		object_free(c, obj);
}
#else
static inline void object_out(struct slab_cache *c, void *obj, size_t size)
{
	(void)c;
	(void)obj;
	(void)size;
}

static inline void object_in(struct slab_cache *c, void *obj)
{
	object_free(c, obj);
}
#endif

/* --- The face. */

void *slab_alloc_sized(struct slab_cache *c, size_t size, u32 flags)
{
	void *obj;

	if (alloc_inject_failure())
		return NULL;
	obj = object_alloc(c, flags);
	if (unlikely(!obj))
		return NULL;
	object_out(c, obj, size);
	if (flags & ALLOC_ZERO)
		memset(obj, 0, size);
	return obj;
}

void *slab_alloc(struct slab_cache *c, u32 flags)
{
	return slab_alloc_sized(c, c->size, flags);
}

void slab_free(struct slab_cache *c, void *obj)
{
	if (obj)
		object_in(c, obj);
}

size_t slab_object_size(const struct slab_cache *c)
{
	return c->size;
}

/* The smallest block that wastes at most an eighth and holds four objects; natural alignment makes powers of two stay aligned. */
static void choose_layout(struct slab_cache *c)
{
	for (c->order = 0;; c->order++) {
		size_t bytes = PAGE_SIZE << c->order, n = bytes / c->stride, map = 0;

		if (n > 64) {
			map = DIV_ROUND_UP(n, 64) * sizeof(u64);
			n = (bytes - map) / c->stride;
		}
		c->per_slab = (u32)n;
		c->bitmap_at = map ? (u32)(bytes - map) : 0;
		if (c->order == SLAB_MAX_ORDER || (n >= 4 && bytes - n * c->stride <= bytes / 8))
			break;
	}
}

static void cache_init(struct slab_cache *c, const char *name, size_t size, size_t align, u32 flags, void (*ctor)(void *obj))
{
	align = max(align, sizeof(u64));
	spin_init_soft(&c->lock, "slab");
	list_init(&c->partial);
	c->name = name;
	c->ctor = ctor;
	c->flags = flags;
	c->size = (u32)size;
	c->stride = (u32)ALIGN_UP(size + redzone, align);
	c->reciprocal = (u32)(((1ul << 32) + c->stride - 1) / c->stride);
	c->magazine_size = size <= 256 ? MAGAZINE_MAX : size <= 1024 ? 14 : size <= 4096 ? 6 : 2;
	choose_layout(c);
	BUG_ON(!c->per_slab || c->stride < 8);
	list_push_back(&all_caches, &c->node);
}

struct slab_cache *slab_create(const char *name, size_t size, size_t align, u32 flags, void (*ctor)(void *obj))
{
	struct slab_cache *c = slab_alloc(&cache_of_caches, ALLOC_ATOMIC | ALLOC_ZERO);

	if (!c)
		panic("no memory for the cache of %s", name);
	cache_init(c, name, size, align, flags, ctor);
	return c;
}

void slab_init(void)
{
	cache_init(&cache_of_magazines, "magazine", sizeof(struct magazine), 0, 0, NULL);
	cache_of_magazines.magazine_size = 0;
	cache_init(&cache_of_caches, "slab_cache", sizeof(struct slab_cache), 0, 0, NULL);
	cache_of_caches.magazine_size = 0;
}

/* --- Giving back, looking at. */

static u64 cache_shrink(struct slab_cache *c)
{
	LIST_HEAD_DEFINE(freed);
	void *out[MAGAZINE_MAX];
	struct magazine *m;
	u32 n = 0;

	soft_disable();
	m = c->magazine[cpu_id()];
	while (m && m->n)
		out[n++] = m->obj[--m->n];
	soft_enable();
	spin_lock_soft(&c->lock);
	objects_give_locked(c, out, n, &freed);
	while (c->n_empty) {		/* the empty one stands at the back */
		list_move_back(&freed, &list_last_entry(&c->partial, struct page, lru)->lru);
		c->n_empty--;
		c->n_slabs--;
	}
	spin_unlock_soft(&c->lock);
	return release_list(c, &freed);
}

u64 slab_shrink(void)
{
	struct slab_cache *c;
	u64 pages = 0;

	list_for_each_entry(c, &all_caches, node)
		pages += cache_shrink(c);
	return pages;
}

/* In magazines: other CPUs change theirs meanwhile, so the sum is near the truth. */
static u64 n_in_magazines(const struct slab_cache *c)
{
	u64 n = 0;

	for (u32 cpu = 0; cpu < cpu_count(); cpu++) {
		const struct magazine *m = READ_ONCE(c->magazine[cpu]);	/* once made it stays */

		n += m ? READ_ONCE(m->n) : 0;
	}
	return n;
}

void slab_each(void (*fn)(const struct slab_stat *st, void *arg), void *arg)
{
	struct slab_cache *c;

	list_for_each_entry(c, &all_caches, node) {
		struct slab_stat st = { .name = c->name, .size = c->size, .per_slab = c->per_slab, .pages = 1u << c->order };
		u64 n_idle = n_in_magazines(c);

		spin_lock_soft(&c->lock);
		st.n_slabs = c->n_slabs;
		st.n_active = c->n_out - min(c->n_out, n_idle);
		st.n_active_slabs = c->n_slabs - c->n_empty;
		spin_unlock_soft(&c->lock);
		fn(&st, arg);
	}
}

void slab_report_live(void)
{
	struct slab_cache *c;

	list_for_each_entry(c, &all_caches, node) {
		s64 live = __atomic_load_n(&c->live, __ATOMIC_RELAXED);

		if (live > 0 && c != &cache_of_caches)
			klog(LOG_INFO, "slab: %s: %lld objects of %u bytes are in use", c->name, (long long)live, c->size);
	}
}
