/* SPDX-License-Identifier: MPL-2.0 */
/* Planted memory bugs that KASAN must catch, and good accesses that it must let pass (debug build). Reads, so that nothing is destroyed. */
#include <lib/string.h>
#include <frame/kasan.h>
#include "mm/alloc.h"
#include "ktest.h"

#ifdef KEEL_DEBUG

/* What the compiler cannot see through. */
extern u64 ktest_kasan_sink;
extern void *ktest_kasan_slot;
u64 ktest_kasan_sink;
void *ktest_kasan_slot;

static void *hide(void *p)
{
	WRITE_ONCE(ktest_kasan_slot, p);
	return READ_ONCE(ktest_kasan_slot);
}

static size_t hide_number(size_t n)
{
	WRITE_ONCE(ktest_kasan_sink, n);
	return READ_ONCE(ktest_kasan_sink);
}

KTEST(kasan_heap_overflow)
{
	u8 *p = kmalloc(40, ALLOC_ZERO), *q = kmalloc(16, 0);

	if (!p || !q) {
		ktest_fail(__FILE__, __LINE__, "no memory");
		return;
	}
	p = hide(p);
	for (u32 i = 0; i < 40; i++)
		ktest_kasan_sink += p[i];
	KT_EXPECT_REPORT(REPORT_KASAN_HEAP)
		ktest_kasan_sink = p[40];
	KT_EXPECT_REPORT(REPORT_KASAN_HEAP)
		ktest_kasan_sink = get_le32(p + 38);
	KT_EXPECT_REPORT(REPORT_KASAN_HEAP)
		memcpy(q, p + 30, hide_number(12));
	KT_EXPECT_REPORT(REPORT_KASAN_HEAP)
		ktest_kasan_sink = (u64)memcmp(p, p + 1, hide_number(40));
	kfree(p);
	kfree(q);
}

KTEST(kasan_use_after_free)
{
	u8 *p = kmalloc(64, ALLOC_ZERO), *q;

	if (!p) {
		ktest_fail(__FILE__, __LINE__, "no memory");
		return;
	}
	q = hide(p);
	ktest_kasan_sink = q[20];
	kfree(p);
	KT_EXPECT_REPORT(REPORT_KASAN_FREED)
		ktest_kasan_sink = q[20];
}

KTEST(kasan_use_of_a_free_page)
{
	u8 *p = kpage_alloc(0, ALLOC_ZERO), *q;

	if (!p) {
		ktest_fail(__FILE__, __LINE__, "no memory");
		return;
	}
	q = hide(p);
	ktest_kasan_sink = q[PAGE_SIZE - 1];
	kpage_free(p, 0);
	KT_EXPECT_REPORT(REPORT_KASAN_FREED)
		ktest_kasan_sink = q[PAGE_SIZE - 1];
}

KTEST(kasan_stack_overflow)
{
	u8 buf[13], *p = hide(buf);

	memset(buf, 1, sizeof(buf));
	for (u32 i = 0; i < sizeof(buf); i++)
		ktest_kasan_sink += p[i];
	KT_EXPECT_REPORT(REPORT_KASAN_STACK)
		ktest_kasan_sink = p[hide_number(13)];
	KT_EXPECT_REPORT(REPORT_KASAN_STACK)
		ktest_kasan_sink = *(p - 1);
	ktest_kasan_sink += buf[3];
}

static u8 global_bytes[21];

KTEST(kasan_global_overflow)
{
	u8 *p = hide(global_bytes);

	for (u32 i = 0; i < sizeof(global_bytes); i++)
		ktest_kasan_sink += p[i];
	KT_EXPECT_REPORT(REPORT_KASAN_GLOBAL)
		ktest_kasan_sink = p[hide_number(21)];
	KT_EXPECT_REPORT(REPORT_KASAN_GLOBAL)
		ktest_kasan_sink = p[hide_number(24)];
}


KTEST(kasan_poison_and_unpoison)
{
	u8 *p = kmalloc(64, ALLOC_ZERO);

	if (!p) {
		ktest_fail(__FILE__, __LINE__, "no memory");
		return;
	}
	p = hide(p);
	kasan_poison(p, 64, KASAN_REDZONE);
	KT_EXPECT_REPORT(REPORT_KASAN_HEAP)
		ktest_kasan_sink = p[0];
	kasan_unpoison(p, 11);
	for (u32 i = 0; i < 11; i++)
		ktest_kasan_sink += p[i];
	KT_EXPECT_REPORT(REPORT_KASAN_HEAP)
		ktest_kasan_sink = p[11];
	kasan_unpoison(p, 64);
	for (u32 size = 1; size <= 64; size++)
		for (u32 at = 0; at + size <= 64; at++)
			ktest_kasan_sink += (u64)memcmp(p + at, p + at, hide_number(size));
	kfree(p);
}

#endif
