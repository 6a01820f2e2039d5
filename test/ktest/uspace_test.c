/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Promises of frame/uspace.h. Threads of the test load a space of their own making and look at it through ucopy_nofault_*, which goes
 * through the CPU's translations: what they still hold shows.
 */
#include <frame/clock.h>
#include <frame/log.h>
#include <frame/page.h>
#include <frame/policy.h>
#include <frame/preempt.h>
#include <frame/task.h>
#include <frame/ucopy.h>
#include <frame/uspace.h>
#include <lib/string.h>
#include "ktest.h"

#define BASE 0x10000000ul
#define LEAF_SPAN 0x200000ul
#define RW (UPTE_READ | UPTE_WRITE)

static struct uspace space;

static struct page *user_page(u64 value)
{
	struct page *p = policy_frames_alloc(0, true);

	BUG_ON(!p);
	frames_claim(p, 1, FRAME_UNTYPED);
	for (u32 i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		((u64 *)page_kva(p))[i] = value;
	return p;
}

static void map_at(struct uspace *us, u64 va, struct page *p, u32 bits)
{
	struct ucursor c;
	struct upte e;

	BUG_ON(uspace_prepare(us, va, va + PAGE_SIZE));
	ucursor_open(&c, us, va, va + PAGE_SIZE);
	BUG_ON(!ucursor_seek(&c, va, &e) || e.page);
	ucursor_map(&c, p, bits);
	ucursor_close(&c);
}

static struct upte look(struct uspace *us, u64 va)
{
	struct ucursor c;
	struct upte e;

	ucursor_open(&c, us, va, va + PAGE_SIZE);
	(void)ucursor_seek(&c, va, &e);
	ucursor_close(&c);
	return e;
}

static u64 unmap_all(struct uspace *us, u64 start, u64 end)
{
	struct ucursor c;
	struct upte e;
	u64 n = 0;

	ucursor_open(&c, us, start, end);
	while (ucursor_next(&c, &e)) {
		ucursor_unmap(&c, 1);
		ucursor_advance(&c, 1);
		n++;
	}
	ucursor_close(&c);
	return n;
}

static bool space_begin(void)
{
	if (uspace_init(&space) == 0)
		return true;
	ktest_skip("no memory");
	return false;
}

KTEST(uspace_map_counts)
{
	struct page *p;

	if (!space_begin())
		return;
	p = user_page(1);
	page_get(p);			/* the test's */
	map_at(&space, BASE, p, UPTE_READ | UPTE_ACCESSED);
	KT_EXPECT_EQ(p->map_count, 1);
	KT_EXPECT_EQ(page_refs(p), 2);
	KT_EXPECT(look(&space, BASE).page == p);
	KT_EXPECT_EQ(look(&space, BASE).bits, UPTE_READ | UPTE_ACCESSED);
	KT_EXPECT(!look(&space, BASE + PAGE_SIZE).page);
	KT_EXPECT(!look(&space, BASE + LEAF_SPAN).page);
	KT_EXPECT_EQ(unmap_all(&space, 0, USPACE_END), 1);
	KT_EXPECT_EQ(p->map_count, 0);
	KT_EXPECT_EQ(page_refs(p), 1);
	page_put(p);
	uspace_fini(&space);
}

KTEST(uspace_bits_round_trip)
{
	static const u32 kinds[] = { 0, UPTE_READ, RW, RW | UPTE_EXEC, UPTE_READ | UPTE_EXEC | UPTE_EXCLUSIVE, UPTE_EXCLUSIVE,
				     RW | UPTE_DIRTY | UPTE_ACCESSED };
	struct ucursor c;
	struct upte e;

	if (!space_begin())
		return;
	map_at(&space, BASE, user_page(1), RW);
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		ucursor_open(&c, &space, BASE, BASE + PAGE_SIZE);
		KT_EXPECT(ucursor_seek(&c, BASE, &e));
		ucursor_protect(&c, &e, kinds[i]);
		ucursor_close(&c);
		KT_EXPECT(look(&space, BASE).page);
		KT_EXPECT_EQ(look(&space, BASE).bits, kinds[i]);
	}
	KT_EXPECT_EQ(unmap_all(&space, 0, USPACE_END), 1);
	uspace_fini(&space);
}

KTEST(uspace_refuses_kernel_frames)
{
	struct page *p;
	struct ucursor c;
	struct upte e;

	if (!space_begin())
		return;
	p = policy_frames_alloc(0, true);
	BUG_ON(!p || uspace_prepare(&space, BASE, BASE + PAGE_SIZE));
	frames_claim(p, 1, FRAME_KERNEL);
	ucursor_open(&c, &space, BASE, BASE + PAGE_SIZE);
	KT_EXPECT(ucursor_seek(&c, BASE, &e));
	KT_EXPECT_REPORT(REPORT_FRAME)
		ucursor_map(&c, p, RW);
	ucursor_close(&c);
	KT_EXPECT(!look(&space, BASE).page);
	KT_EXPECT_EQ(p->map_count, 0);
	frames_release(p, 1);
	policy_frames_free(p, 0);
	uspace_fini(&space);
}

KTEST(uspace_machine_sees_it)
{
	u64 v = 0;
	struct ucursor c;
	struct upte e;

	if (!space_begin())
		return;
	task_set_uspace(&space);
	KT_EXPECT_EQ(ucopy_nofault_from(&space, &v, uaddr(BASE), 8), 8);
	map_at(&space, BASE, user_page(77), UPTE_READ);
	KT_EXPECT_EQ(ucopy_nofault_from(&space, &v, uaddr(BASE), 8), 0);
	KT_EXPECT_EQ(v, 77);
	KT_EXPECT(look(&space, BASE).bits & UPTE_ACCESSED);
	KT_EXPECT_EQ(ucopy_nofault_to(&space, uaddr(BASE), &v, 8), 8);
	ucursor_open(&c, &space, BASE, BASE + PAGE_SIZE);
	KT_EXPECT(ucursor_seek(&c, BASE, &e));
	ucursor_protect(&c, &e, RW);
	ucursor_close(&c);
	KT_EXPECT_EQ(ucopy_nofault_to(&space, uaddr(BASE), &v, 8), 0);
	/* The last chance to learn of the write. */
	ucursor_open(&c, &space, BASE, BASE + PAGE_SIZE);
	KT_EXPECT(ucursor_seek(&c, BASE, &e));
	KT_EXPECT(ucursor_unmap(&c, 1) & UPTE_DIRTY);
	ucursor_close(&c);
	KT_EXPECT_EQ(ucopy_nofault_from(&space, &v, uaddr(BASE), 8), 8);
	task_set_uspace(NULL);
	uspace_fini(&space);
}

KTEST(uspace_dirty_is_not_lost)
{
	u64 v = 5;
	struct ucursor c;
	struct upte e;

	if (!space_begin())
		return;
	task_set_uspace(&space);
	map_at(&space, BASE, user_page(1), RW);
	ucursor_open(&c, &space, BASE, BASE + PAGE_SIZE);
	KT_EXPECT(ucursor_seek(&c, BASE, &e));
	KT_EXPECT(!(e.bits & UPTE_DIRTY));
	KT_EXPECT_EQ(ucopy_nofault_to(&space, uaddr(BASE), &v, 8), 0);	/* as another thread might, right now */
	KT_EXPECT(ucursor_protect(&c, &e, UPTE_READ) & UPTE_DIRTY);
	ucursor_close(&c);
	KT_EXPECT(look(&space, BASE).bits & UPTE_DIRTY);
	KT_EXPECT_EQ(unmap_all(&space, 0, USPACE_END), 1);
	task_set_uspace(NULL);
	uspace_fini(&space);
}

KTEST(uspace_special_holds_nothing)
{
	struct page *p = user_page(9);

	if (!space_begin())
		return;
	for (u32 i = 0; i < 200; i++)
		map_at(&space, BASE + i * PAGE_SIZE, p, UPTE_READ | UPTE_SPECIAL);
	KT_EXPECT_EQ(page_refs(p), 1);
	KT_EXPECT_EQ(p->map_count, 0);
	KT_EXPECT_EQ(unmap_all(&space, 0, USPACE_END), 200);
	KT_EXPECT_EQ(page_refs(p), 1);
	page_put(p);
	uspace_fini(&space);
}

/* Many pages, wide apart: batches, jumps over absent tables, and tables given back. */
KTEST(uspace_sparse_walk_and_trim)
{
	static const u64 steps[] = { PAGE_SIZE, LEAF_SPAN, LEAF_SPAN * 512, LEAF_SPAN * 512 * 512 };
	u64 tables, n = 0;
	u64 begun = clock_now_ns();

	if (!space_begin())
		return;
	for (u32 s = 0; s < ARRAY_SIZE(steps); s++)
		for (u64 i = 1; i < 100; i++, n++)
			map_at(&space, BASE + i * steps[s] + s * 0x1000000, user_page(i), RW);
	tables = space.table_pages;
	KT_EXPECT(tables > 300);
	KT_EXPECT_EQ(unmap_all(&space, 0, USPACE_END), n);
	uspace_trim(&space, 0, USPACE_END);
	KT_EXPECT(space.table_pages < tables - 295);
	KT_EXPECT_EQ(unmap_all(&space, 0, USPACE_END), 0);
	uspace_fini(&space);
	KT_EXPECT(clock_now_ns() - begun < 10 * NSEC_PER_SEC);
}

/* Each CPU in its own 2 MiB and all in one shared, at once. */
static void map_and_unmap(void *arg)
{
	u64 mine, own_page;

	(void)arg;
	preempt_disable();
	mine = cpu_id();
	preempt_enable();
	own_page = BASE + mine * PAGE_SIZE;
	for (u32 round = 0; round < 30; round++) {
		u64 start = BASE + (mine + 1) * LEAF_SPAN;

		for (u32 i = 0; i < 100; i++)
			map_at(&space, start + i * PAGE_SIZE, user_page(mine), RW);
		map_at(&space, own_page, user_page(mine), RW);
		KT_EXPECT_EQ(unmap_all(&space, start, start + LEAF_SPAN), 100);
		KT_EXPECT_EQ(unmap_all(&space, own_page, own_page + PAGE_SIZE), 1);
	}
}

KTEST(uspace_parallel)
{
	if (!space_begin())
		return;
	ktest_on_every_cpu(map_and_unmap, NULL);
	KT_EXPECT_EQ(unmap_all(&space, 0, USPACE_END), 0);
	uspace_fini(&space);
}

/* One CPU replaces a page again and again; no other may see an older one once the replacement is done. */
static u64 done_value;
static u32 readers_left, readers_ready;

static void replace_or_read(void *arg)
{
	struct ucursor c;
	struct upte e;
	u64 v, least;
	bool is_writer;

	(void)arg;
	task_set_uspace(&space);
	preempt_disable();
	is_writer = cpu_id() == 0;
	preempt_enable();
	__atomic_add_fetch(&readers_ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&readers_ready, __ATOMIC_SEQ_CST) < cpu_count())
		ktest_sleep_ms(1);
	for (u64 i = 1; is_writer && i <= 100; i++) {
		struct page *p = user_page(i);

		ucursor_open(&c, &space, BASE, BASE + PAGE_SIZE);
		KT_EXPECT(ucursor_seek(&c, BASE, &e));
		ucursor_replace(&c, p, RW);
		__atomic_store_n(&done_value, i, __ATOMIC_RELEASE);
		ucursor_close(&c);
	}
	while (!is_writer) {
		least = __atomic_load_n(&done_value, __ATOMIC_ACQUIRE);
		if (ucopy_nofault_from(&space, &v, uaddr(BASE), 8) == 0 && v < least)
			ktest_fail(__FILE__, __LINE__, "read %lu when %lu was there", v, least);
		if (least == 100)
			break;
	}
	task_set_uspace(NULL);
}

KTEST(uspace_replace_is_seen_everywhere)
{
	if (!space_begin())
		return;
	readers_ready = 0;
	done_value = 0;
	map_at(&space, BASE, user_page(0), RW);
	ktest_on_every_cpu(replace_or_read, NULL);
	KT_EXPECT_EQ(unmap_all(&space, 0, USPACE_END), 1);
	uspace_fini(&space);
}

/* One CPU unmaps; when the cursor is closed, nobody can read the page any more. */
static u32 phase;

static void unmap_or_read(void *arg)
{
	u64 v;
	bool is_writer;

	(void)arg;
	task_set_uspace(&space);
	preempt_disable();
	is_writer = cpu_id() == 0;
	preempt_enable();
	__atomic_add_fetch(&readers_ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&readers_ready, __ATOMIC_SEQ_CST) < cpu_count())
		ktest_sleep_ms(1);
	if (is_writer) {
		for (u32 i = 1; i <= 100; i++) {
			map_at(&space, BASE, user_page(i), UPTE_READ);
			__atomic_store_n(&phase, 2 * i - 1, __ATOMIC_SEQ_CST);
			clock_delay_ns(20 * NSEC_PER_USEC);
			unmap_all(&space, BASE, BASE + PAGE_SIZE);
			__atomic_store_n(&phase, 2 * i, __ATOMIC_SEQ_CST);
			clock_delay_ns(20 * NSEC_PER_USEC);
		}
		__atomic_store_n(&phase, ~0u, __ATOMIC_SEQ_CST);
	} else {
		for (u32 before = 0; before != ~0u;) {
			before = __atomic_load_n(&phase, __ATOMIC_SEQ_CST);
			if (ucopy_nofault_from(&space, &v, uaddr(BASE), 8) == 0 && before % 2 == 0 &&
			    __atomic_load_n(&phase, __ATOMIC_SEQ_CST) == before && v * 2 <= before)
				ktest_fail(__FILE__, __LINE__, "page %lu read after it was unmapped", v);
		}
	}
	task_set_uspace(NULL);
	__atomic_sub_fetch(&readers_left, 1, __ATOMIC_SEQ_CST);
}

KTEST(uspace_unmap_is_seen_everywhere)
{
	if (!space_begin())
		return;
	readers_ready = 0;
	phase = 0;
	readers_left = cpu_count();
	BUG_ON(uspace_prepare(&space, BASE, BASE + PAGE_SIZE));
	ktest_on_every_cpu(unmap_or_read, NULL);
	KT_EXPECT_EQ(readers_left, 0);
	KT_EXPECT_EQ(unmap_all(&space, 0, USPACE_END), 0);
	uspace_fini(&space);
}

/* CPU 0 gives empty tables back; the others walk as reverse mapping does, without the lock that keeps them. */
static u32 is_over;

static void trim_or_walk(void *arg)
{
	struct ucursor c;
	struct upte e;

	(void)arg;
	preempt_disable();
	if (cpu_id() == 0) {
		preempt_enable();
		for (u32 i = 0; i < 500; i++) {
			map_at(&space, BASE, user_page(i), RW);
			unmap_all(&space, BASE, BASE + PAGE_SIZE);
			uspace_trim(&space, BASE, BASE + PAGE_SIZE);
		}
		__atomic_store_n(&is_over, 1, __ATOMIC_SEQ_CST);
		return;
	}
	preempt_enable();
	while (!__atomic_load_n(&is_over, __ATOMIC_SEQ_CST)) {
		ucursor_open(&c, &space, BASE, BASE + LEAF_SPAN);
		while (ucursor_next(&c, &e)) {
			KT_EXPECT(e.page->f_state == FRAME_UNTYPED);
			ucursor_advance(&c, 1);
		}
		ucursor_close(&c);
	}
}

KTEST(uspace_trim_under_walkers)
{
	if (!space_begin())
		return;
	is_over = 0;
	ktest_on_every_cpu(trim_or_walk, NULL);
	uspace_fini(&space);
}

/* 150 pages around a table's end, all of them `p`, with a hole at 10; the one at 20 is special: it holds no reference. */
#define RUN_PAGES 150u
#define RUN_BASE (BASE + LEAF_SPAN - 100 * PAGE_SIZE)
#define RUN_HOLE 10u
#define RUN_SPECIAL 20u

static void map_run(struct page *p)
{
	for (u32 i = 0; i < RUN_PAGES; i++) {
		if (i == RUN_HOLE)
			continue;
		if (i != RUN_SPECIAL)
			page_get(p);
		map_at(&space, RUN_BASE + i * PAGE_SIZE, p, i == RUN_SPECIAL ? UPTE_READ | UPTE_SPECIAL : RW | UPTE_EXCLUSIVE | UPTE_DIRTY);
	}
}

/* Runs end at a hole, at a table's end and at `most`: 10, then 64 + 25 up to the table's end, then 50. */
static void share_runs(struct uspace *child, struct page *p)
{
	static const u32 lengths[] = { 10, 64, 25, 50, 0 };
	static struct upte run[UCURSOR_BATCH];
	struct ucursor from, to;
	u32 i = 0, n;

	ucursor_open(&from, &space, RUN_BASE, RUN_BASE + RUN_PAGES * PAGE_SIZE);
	do {
		n = ucursor_next_run(&from, run, UCURSOR_BATCH);
		KT_EXPECT_EQ(n, lengths[i++]);
		for (u32 k = 0; k < n; k++) {
			KT_EXPECT(run[k].page == p);
			if (!(run[k].bits & UPTE_SPECIAL))
				page_get(p);
		}
		if (!n)
			break;
		ucursor_open(&to, child, from.at, from.at + n * PAGE_SIZE);
		ucursor_share(&from, &to, UPTE_WRITE | UPTE_EXCLUSIVE, n);
		ucursor_close(&to);
		ucursor_advance(&from, n);
	} while (i < ARRAY_SIZE(lengths));
	ucursor_close(&from);
}

static u32 unmap_runs(struct uspace *us)
{
	static struct upte run[UCURSOR_BATCH];
	struct ucursor c;
	u32 sum = 0, n;

	ucursor_open(&c, us, RUN_BASE, RUN_BASE + RUN_PAGES * PAGE_SIZE);
	while ((n = ucursor_next_run(&c, run, sum ? 40 : 7))) {		/* several fit one batch, and not evenly */
		KT_EXPECT(ucursor_unmap(&c, n) & UPTE_READ);
		ucursor_advance(&c, n);
		sum += n;
	}
	ucursor_close(&c);
	return sum;
}

KTEST(uspace_runs)
{
	static struct uspace child;
	struct page *p;

	if (!space_begin())
		return;
	BUG_ON(uspace_init(&child) || uspace_prepare(&child, RUN_BASE, RUN_BASE + RUN_PAGES * PAGE_SIZE));
	p = user_page(1);
	map_run(p);
	share_runs(&child, p);
	KT_EXPECT_EQ(p->map_count, 2 * (RUN_PAGES - 2));
	KT_EXPECT_EQ(page_refs(p), 1 + 2 * (RUN_PAGES - 2));
	for (u32 i = 0; i < RUN_PAGES; i++) {
		u32 bits = i == RUN_HOLE ? 0 : i == RUN_SPECIAL ? UPTE_READ | UPTE_SPECIAL : UPTE_READ | UPTE_DIRTY;

		KT_EXPECT_EQ(look(&space, RUN_BASE + i * PAGE_SIZE).bits, bits);
		KT_EXPECT_EQ(look(&child, RUN_BASE + i * PAGE_SIZE).bits, bits);
	}
	KT_EXPECT_EQ(unmap_runs(&child), RUN_PAGES - 1);
	KT_EXPECT_EQ(p->map_count, RUN_PAGES - 2);
	KT_EXPECT_EQ(unmap_runs(&space), RUN_PAGES - 1);
	KT_EXPECT_EQ(p->map_count, 0);
	KT_EXPECT_EQ(page_refs(p), 1);
	page_put(p);
	uspace_fini(&child);
	uspace_fini(&space);
}
