/* SPDX-License-Identifier: MPL-2.0 */
/* Promises of frame/page.h: states, references, and that their misuse is caught. Frames come from the kernel's allocator by policy.h. */
#include <frame/boot.h>
#include <frame/page.h>
#include <frame/policy.h>
#include "ktest.h"

static struct page *take(enum frame_state state)
{
	struct page *p = policy_frames_alloc(0, true);

	if (p)
		frames_claim(p, 1, state);
	else
		ktest_skip("no memory");
	return p;
}

static void give(struct page *p)
{
	frames_release(p, 1);
	policy_frames_free(p, 0);
}

KTEST(page_addresses_agree)
{
	struct page *p = take(FRAME_KERNEL);

	if (!p)
		return;
	KT_EXPECT(pfn_page(page_pfn(p)) == p);
	KT_EXPECT(kva_page(page_kva(p)) == p);
	KT_EXPECT_EQ(page_phys(p), page_pfn(p) << PAGE_SHIFT);
	KT_EXPECT(page_pfn(p) < frame_pfn_end);
	give(p);
}

KTEST(page_memory_map_is_sorted)
{
	struct boot_range r;
	u64 bytes = 0;
	paddr_t end = 0;

	for (u32 i = 0; boot_memory(i, &r); i++) {
		KT_EXPECT(r.start >= end && r.start < r.end);
		KT_EXPECT_EQ((r.start | r.end) & ~PAGE_MASK, 0);
		bytes += r.end - r.start;
		end = r.end;
	}
	KT_EXPECT_EQ(bytes, boot_memory_bytes());
	KT_EXPECT_EQ(end >> PAGE_SHIFT, frame_pfn_end);
}

KTEST(page_claim_and_release)
{
	struct page *p = take(FRAME_KERNEL);

	if (!p)
		return;
	KT_EXPECT_EQ(p->f_state, FRAME_KERNEL);
	KT_EXPECT_EQ(page_refs(p), 1);
	frames_release(p, 1);
	KT_EXPECT_EQ(p->f_state, FRAME_FREE);
	KT_EXPECT_EQ(page_refs(p), 0);
	KT_EXPECT(!page_try_get(p));
	policy_frames_free(p, 0);
}

KTEST(page_references)
{
	struct page *p = take(FRAME_UNTYPED);

	if (!p)
		return;
	page_get(p);
	KT_EXPECT(page_try_get(p));
	KT_EXPECT_EQ(page_refs(p), 3);
	KT_EXPECT(!page_freeze(p, 2));
	page_put(p);
	KT_EXPECT(!page_drop(p));
	KT_EXPECT(page_freeze(p, 1));
	KT_EXPECT(!page_try_get(p));
	give(p);
}

KTEST(page_misuse_is_caught)
{
	struct page *p = take(FRAME_KERNEL);

	if (!p)
		return;
	KT_EXPECT_REPORT(REPORT_FRAME)
		frames_claim(p, 1, FRAME_UNTYPED);	/* in use */
	KT_EXPECT_EQ(p->f_state, FRAME_KERNEL);
	KT_EXPECT_REPORT(REPORT_FRAME)
		frames_donate(p, 1);			/* not reserved */
	page_get(p);
	KT_EXPECT_REPORT(REPORT_FRAME)
		frames_release(p, 1);			/* referenced by another */
	KT_EXPECT_EQ(page_refs(p), 2);
	KT_EXPECT(!page_drop(p));
	p->map_count = 1;
	KT_EXPECT_REPORT(REPORT_FRAME)
		frames_release(p, 1);			/* mapped */
	p->map_count = 0;
	KT_EXPECT_REPORT(REPORT_FRAME)
		page_put(p);				/* the last reference of a kernel frame */
	KT_EXPECT_EQ(page_refs(p), 1);
	frames_release(p, 1);
	KT_EXPECT_REPORT(REPORT_FRAME)
		frames_release(p, 1);			/* free already */
	policy_frames_free(p, 0);
}

static struct page *shared;

static void get_and_put(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < 20000; i++) {
		if (!page_try_get(shared))
			ktest_fail(__FILE__, __LINE__, "reference refused");
		page_put(shared);
	}
}

KTEST(page_references_on_every_cpu)
{
	shared = take(FRAME_UNTYPED);
	if (!shared)
		return;
	ktest_on_every_cpu(get_and_put, NULL);
	KT_EXPECT_EQ(page_refs(shared), 1);
	give(shared);
}
