/* SPDX-License-Identifier: MPL-2.0 */
/* Slab caches and kmalloc. */
#include <lib/string.h>
#include <frame/rcu.h>
#include "object/random.h"
#include "mm/alloc.h"
#include "ktest.h"

KTEST(kmalloc_sizes)
{
	for (size_t size = 1; size <= 20000; size += size < 300 ? 1 : 97) {
		char *p = kmalloc(size, ALLOC_SLEEP);

		KT_EXPECT(p != NULL);
		if (!p)
			return;
		KT_EXPECT_EQ((u64)(uintptr_t)p & 15, 0);
		if (is_power_of_two(size) && size >= 16 && size <= 4096)
			KT_EXPECT_EQ((u64)(uintptr_t)p & (size - 1), 0);
		memset(p, 0x5a, size);
		KT_EXPECT(kmalloc_size(p) >= size);
		kfree(p);
	}
	kfree(NULL);
}

KTEST(kmalloc_limits)
{
	void *p = kmalloc(4ul << 20, ALLOC_SLEEP);

	if (p)
		kfree(p);
	KT_EXPECT(kmalloc((4ul << 20) + 1, ALLOC_SLEEP) == NULL);
	KT_EXPECT(kmalloc(~0ul, ALLOC_SLEEP) == NULL);
	KT_EXPECT(kmalloc_array(1ul << 40, 1ul << 40, ALLOC_SLEEP) == NULL);
	p = kmalloc(0, ALLOC_SLEEP);
	KT_EXPECT(p != NULL);
	kfree(p);
}

KTEST(kmalloc_zero_and_grow)
{
	char *p = kmalloc(1000, ALLOC_SLEEP | ALLOC_ZERO), *q;

	KT_EXPECT(p && memchr_inv(p, 0, 1000) == NULL);
	memset(p, 7, 1000);
	q = krealloc(p, 5000, ALLOC_SLEEP);
	KT_EXPECT(q && memchr_inv(q, 7, 1000) == NULL);
	kfree(q);
	q = kstrdup("a string that is cut", 8, ALLOC_SLEEP);
	KT_EXPECT(q && strcmp(q, "a string") == 0);
	kfree(q);
}

#define SAFE_MARK 0x600df00du

struct safe {
	u32 mark;
	u32 pad[13];
};

static void safe_ctor(void *obj)
{
	struct safe *s = obj;

	s->mark = SAFE_MARK;
}

KTEST(slab_typesafe_objects_stay_what_they_are)
{
	static struct slab_cache *cache;
	static struct safe *held[400];

	if (!cache)
		cache = slab_create("ktest typesafe", sizeof(struct safe), 0, SLAB_RCU_TYPESAFE, safe_ctor);
	for (u32 i = 0; i < ARRAY_SIZE(held); i++) {
		held[i] = slab_alloc(cache, ALLOC_SLEEP);
		KT_EXPECT(held[i] && held[i]->mark == SAFE_MARK);
	}
	rcu_read_lock();
	for (u32 i = 0; i < ARRAY_SIZE(held); i++)
		slab_free(cache, held[i]);
	for (u32 i = 0; i < ARRAY_SIZE(held); i++)
		KT_EXPECT_EQ(held[i]->mark, SAFE_MARK);
	rcu_read_unlock();
}

KTEST(slab_objects_are_apart)
{
	static struct slab_cache *cache;
	static u8 *held[300];

	if (!cache)
		cache = slab_create("ktest apart", 72, 0, 0, NULL);
	for (u32 i = 0; i < ARRAY_SIZE(held); i++) {
		held[i] = slab_alloc(cache, ALLOC_SLEEP);
		KT_EXPECT(held[i] != NULL);
		memset(held[i], (int)(i & 0xff), 72);
	}
	for (u32 i = 0; i < ARRAY_SIZE(held); i++) {
		KT_EXPECT(memchr_inv(held[i], (int)(i & 0xff), 72) == NULL);
		slab_free(cache, held[i]);
	}
}

/* Objects allocated on one CPU are freed on another. */
static void *mailbox[64];

static void exchange(void *arg)
{
	static const u16 sizes[] = { 24, 64, 200, 700, 3000 };

	(void)arg;
	for (u32 i = 0; i < 5000; i++) {
		u64 *p = kmalloc(sizes[random_below(ARRAY_SIZE(sizes))], ALLOC_SLEEP), *old;

		KT_EXPECT(p != NULL);
		if (!p)
			return;
		p[0] = p[1] = (u64)(uintptr_t)p;
		old = __atomic_exchange_n(&mailbox[random_below(ARRAY_SIZE(mailbox))], (void *)p, __ATOMIC_ACQ_REL);
		if (!old)
			continue;
		KT_EXPECT(old[0] == (u64)(uintptr_t)old && old[1] == old[0]);
		kfree(old);
	}
}

KTEST(slab_across_cpus)
{
	ktest_on_every_cpu(exchange, NULL);
	for (u32 i = 0; i < ARRAY_SIZE(mailbox); i++) {
		kfree(mailbox[i]);
		mailbox[i] = NULL;
	}
}

#ifdef KEEL_DEBUG
KTEST(slab_use_after_free_is_caught)
{
	char *p = kmalloc(100, ALLOC_SLEEP);

	kfree(p);
	KT_EXPECT_REPORT(REPORT_KASAN_FREED)
		__atomic_store_n(p + 5, 1, __ATOMIC_RELAXED);
}

KTEST(slab_overflow_is_caught)
{
	char *p = kmalloc(100, ALLOC_SLEEP);

	KT_EXPECT_REPORT(REPORT_KASAN_HEAP)
		__atomic_store_n(p + 100, 1, __ATOMIC_RELAXED);
	kfree(p);
	p = kmalloc(128, ALLOC_SLEEP);
	KT_EXPECT_REPORT(REPORT_KASAN_HEAP)
		__atomic_store_n(p + 128, 1, __ATOMIC_RELAXED);
	kfree(p);
}
#endif
