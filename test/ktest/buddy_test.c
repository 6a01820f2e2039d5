/* SPDX-License-Identifier: MPL-2.0 */
/* The page allocator: what is handed out is whole, apart and claimed; what comes back merges; exhaustion is NULL. */
#include <lib/list.h>
#include <lib/string.h>
#include "object/random.h"
#include "mm/alloc.h"
#include "ktest.h"

static u64 free_pages(void)
{
	struct mem_stat s;

	mem_stat(&s);
	return s.free;
}

KTEST(buddy_hands_out_claimed_frames)
{
	for (u32 order = 0; order <= 4; order++) {
		struct page *p = page_alloc(order, FRAME_UNTYPED, ALLOC_ZERO);

		KT_EXPECT(p != NULL);
		if (!p)
			return;
		KT_EXPECT_EQ(page_pfn(p) & ((1u << order) - 1), 0);
		for (u32 i = 0; i < 1u << order; i++) {
			KT_EXPECT_EQ(p[i].f_state, FRAME_UNTYPED);
			KT_EXPECT_EQ(page_refs(p + i), 1);
			KT_EXPECT(p[i].owner == NULL && !p[i].flags && !p[i].index && !p[i].pins);
			KT_EXPECT(memchr_inv(page_kva(p + i), 0, PAGE_SIZE) == NULL);
		}
		memset(page_kva(p), 0xa5, PAGE_SIZE << order);
		page_free(p, order);
		KT_EXPECT_EQ(p->f_state, FRAME_FREE);
	}
}

KTEST(buddy_merges)
{
	struct page *held[256], *p;
	u32 n;

	/* Single frames freed in odd order: their neighbours must become large blocks again. */
	for (n = 0; n < 256; n++) {
		held[n] = page_alloc(0, FRAME_KERNEL, ALLOC_SLEEP);
		KT_EXPECT(held[n] != NULL);
	}
	for (u32 step = 0; step < 7; step++)
		for (n = step; n < 256; n += 7)
			page_free(held[n], 0);
	for (n = 0; n < 4; n++) {
		p = page_alloc(9, FRAME_KERNEL, ALLOC_SLEEP);
		KT_EXPECT(p != NULL);
		if (p)
			page_free(p, 9);
	}
}

KTEST(buddy_exhaustion_is_null)
{
	LIST_HEAD_DEFINE(held);
	u64 before = free_pages(), n = 0;
	struct page *p;

	while ((p = page_alloc(4, FRAME_KERNEL, ALLOC_ATOMIC | ALLOC_USER))) {
		list_push_front(&held, &p->lru);
		n++;
	}
	KT_EXPECT(n * 16 <= before && n * 16 > before / 2);
	/* The reserve: what may not sleep still gets a frame. */
	p = page_alloc(0, FRAME_KERNEL, ALLOC_ATOMIC);
	KT_EXPECT(p != NULL);
	if (p)
		page_free(p, 0);
	while (!list_empty(&held)) {
		p = list_first_entry(&held, struct page, lru);
		list_del(&p->lru);
		page_free(p, 4);
	}
	/* What other CPUs do meanwhile is small. */
	KT_EXPECT(free_pages() + 512 > before);
}

KTEST(buddy_double_free_is_caught)
{
	struct page *p = page_alloc(1, FRAME_KERNEL, ALLOC_SLEEP);

	KT_EXPECT(p != NULL);
	if (!p)
		return;
	page_free(p, 1);
	KT_EXPECT_REPORT(REPORT_FRAME)
		frames_release(p, 2);
}

static void storm(void *arg)
{
	struct page *mine[24] = { NULL };
	u32 order[24] = { 0 };

	(void)arg;
	for (u32 i = 0; i < 4000; i++) {
		u32 at = (u32)random_below(24);

		if (mine[at]) {
			u64 *word = page_kva(mine[at]);

			KT_EXPECT(*word == (u64)(uintptr_t)&mine[at]);
			page_free(mine[at], order[at]);
			mine[at] = NULL;
			continue;
		}
		order[at] = random_below(4) ? 0 : (u32)random_below(4);
		mine[at] = page_alloc(order[at], FRAME_KERNEL, ALLOC_SLEEP);
		KT_EXPECT(mine[at] != NULL);
		if (mine[at])
			*(u64 *)page_kva(mine[at]) = (u64)(uintptr_t)&mine[at];
	}
	for (u32 at = 0; at < 24; at++)
		if (mine[at])
			page_free(mine[at], order[at]);
}

KTEST(buddy_on_every_cpu)
{
	u64 before = free_pages();

	ktest_on_every_cpu(storm, NULL);
	KT_EXPECT(free_pages() + 512 > before);
}
