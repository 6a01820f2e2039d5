/* SPDX-License-Identifier: MPL-2.0 */
/* Address spaces without a process: the tree, faults, copy-on-write, moving, limits of the tree's invariants under random calls. */
#include <lib/errno.h>
#include <lib/string.h>
#include "abi/mman.h"
#include "object/random.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "ktest.h"

static const struct mm_map_request anon = { .prot = VMA_READ | VMA_WRITE };

static u64 map(struct mm *mm, u64 len)
{
	struct mm_map_request rq = anon;
	u64 addr = 0;

	rq.len = len;
	KT_EXPECT_EQ(mm_map(mm, &rq, &addr), 0);
	return addr;
}

static u64 map_at(struct mm *mm, u64 addr, u64 len)
{
	struct mm_map_request rq = anon;
	u64 got = 0;

	rq.len = len;
	rq.addr = addr;
	rq.is_fixed = true;
	KT_EXPECT_EQ(mm_map(mm, &rq, &got), 0);
	KT_EXPECT_EQ(got, addr);
	return got;
}

static u8 peek(struct mm *mm, u64 addr)
{
	u8 c = 0xee;

	KT_EXPECT_EQ(mm_access(mm, addr, &c, 1, false, false), 1);
	return c;
}

static void poke(struct mm *mm, u64 addr, u8 c)
{
	KT_EXPECT_EQ(mm_access(mm, addr, &c, 1, true, false), 1);
}

static struct mm *create(void)
{
	struct mm *mm = NULL;

	KT_EXPECT_EQ(mm_create(&mm), 0);
	return mm;
}

KTEST(mm_anonymous_memory)
{
	struct mem_stat before, after;
	struct mm *mm;
	u64 a;

	mem_stat(&before);
	mm = create();
	a = map(mm, 100 * PAGE_SIZE);
	KT_EXPECT_EQ(mm_fault(mm, a, false, false), FAULT_OK);
	KT_EXPECT_EQ(mm->rss_anon, 0);		/* the zero page */
	KT_EXPECT_EQ(peek(mm, a), 0);
	KT_EXPECT_EQ(mm_fault(mm, a, true, false), FAULT_OK);
	KT_EXPECT_EQ(mm_fault(mm, a + PAGE_SIZE, true, false), FAULT_OK);
	KT_EXPECT_EQ(mm->rss_anon, 2);
	poke(mm, a + 5, 42);
	KT_EXPECT_EQ(peek(mm, a + 5), 42);
	KT_EXPECT_EQ(mm_fault(mm, a, false, true), FAULT_ACCERR);
	KT_EXPECT_EQ(mm_fault(mm, a + 100 * PAGE_SIZE, false, false), FAULT_MAPERR);
	KT_EXPECT_EQ(mm_fault(mm, 0, false, false), FAULT_MAPERR);
	KT_EXPECT_EQ(mm_fault(mm, ~0ul, true, false), FAULT_MAPERR);
	KT_EXPECT_EQ(mm_protect(mm, a, PAGE_SIZE, VMA_READ, false, false), 0);
	KT_EXPECT_EQ(mm_fault(mm, a, true, false), FAULT_ACCERR);
	KT_EXPECT_EQ(mm_unmap(mm, a, 100 * PAGE_SIZE), 0);
	KT_EXPECT_EQ(mm->rss_anon, 0);
	KT_EXPECT_EQ(mm->n_vmas, 0);
	KT_EXPECT_EQ(mm->total_pages, 0);
	mm_put(mm);
	mem_stat(&after);
	KT_EXPECT_EQ(after.anon, before.anon);
	KT_EXPECT_EQ(after.committed, before.committed);
}

KTEST(mm_split_and_merge)
{
	struct mm *mm = create();
	u64 a = map_at(mm, 0x10000000, 64 * PAGE_SIZE);

	for (u64 i = 0; i < 64; i += 2)
		KT_EXPECT_EQ(mm_protect(mm, a + i * PAGE_SIZE, PAGE_SIZE, VMA_READ, false, false), 0);
	KT_EXPECT_EQ(mm->n_vmas, 64);
	for (u64 i = 0; i < 64; i += 2)
		KT_EXPECT_EQ(mm_protect(mm, a + i * PAGE_SIZE, PAGE_SIZE, VMA_READ | VMA_WRITE, false, false), 0);
	KT_EXPECT_EQ(mm->n_vmas, 1);
	map_at(mm, a - 8 * PAGE_SIZE, 8 * PAGE_SIZE);
	map_at(mm, a + 64 * PAGE_SIZE, 8 * PAGE_SIZE);
	KT_EXPECT_EQ(mm->n_vmas, 1);
	KT_EXPECT_EQ(mm_unmap(mm, a, PAGE_SIZE), 0);
	KT_EXPECT_EQ(mm->n_vmas, 2);
	mm_put(mm);
}

KTEST(mm_copy_on_write)
{
	struct mm *mm = create(), *child = NULL, *grandchild = NULL;
	u64 a = map(mm, 600 * PAGE_SIZE);

	for (u64 i = 0; i < 600; i += 100)
		poke(mm, a + i * PAGE_SIZE, (u8)(i / 100 + 1));
	KT_EXPECT_EQ(mm_fork(mm, &child), 0);
	KT_EXPECT_EQ(child->rss_anon, 6);
	poke(child, a, 50);
	KT_EXPECT_EQ(peek(mm, a), 1);
	KT_EXPECT_EQ(peek(child, a), 50);
	poke(mm, a + 100 * PAGE_SIZE, 60);
	KT_EXPECT_EQ(peek(child, a + 100 * PAGE_SIZE), 2);
	KT_EXPECT_EQ(mm_fork(child, &grandchild), 0);
	mm_put(child);
	KT_EXPECT_EQ(peek(grandchild, a), 50);
	KT_EXPECT_EQ(peek(grandchild, a + 500 * PAGE_SIZE), 6);
	poke(grandchild, a + 500 * PAGE_SIZE, 70);
	KT_EXPECT_EQ(peek(mm, a + 500 * PAGE_SIZE), 6);
	mm_put(mm);
	KT_EXPECT_EQ(peek(grandchild, a + 200 * PAGE_SIZE), 3);
	mm_put(grandchild);
}

KTEST(mm_forced_access)
{
	struct mm *mm = create();
	u64 a = map(mm, 2 * PAGE_SIZE);
	u8 c = 9;

	poke(mm, a, 1);
	KT_EXPECT_EQ(mm_protect(mm, a, 2 * PAGE_SIZE, VMA_READ, false, false), 0);
	KT_EXPECT(mm_access(mm, a, &c, 1, true, false) < 0);
	KT_EXPECT_EQ(mm_access(mm, a, &c, 1, true, true), 1);
	KT_EXPECT_EQ(peek(mm, a), 9);
	KT_EXPECT_EQ(mm_access(mm, a + PAGE_SIZE, &c, 1, true, true), 1);
	KT_EXPECT_EQ(mm_fault(mm, a, true, false), FAULT_ACCERR);
	KT_EXPECT_EQ(mm_protect(mm, a, 2 * PAGE_SIZE, 0, false, false), 0);
	KT_EXPECT(mm_access(mm, a, &c, 1, false, false) < 0);
	c = 0;
	KT_EXPECT_EQ(mm_access(mm, a, &c, 1, false, true), 1);
	KT_EXPECT_EQ(c, 9);
	KT_EXPECT(mm_access(mm, a + 5 * PAGE_SIZE, &c, 1, false, true) < 0);
	mm_put(mm);
}

KTEST(mm_remap_moves_pages)
{
	struct mm *mm = create();
	u64 a = map(mm, 1000 * PAGE_SIZE), b;

	for (u64 i = 0; i < 1000; i += 3)
		poke(mm, a + i * PAGE_SIZE, (u8)(i % 200 + 1));
	KT_EXPECT_EQ(mm_remap(mm, a, 1000 * PAGE_SIZE, 3000 * PAGE_SIZE, MREMAP_MAYMOVE, 0, &b), 0);
	for (u64 i = 0; i < 1000; i += 3)
		KT_EXPECT_EQ(peek(mm, b + i * PAGE_SIZE), (u8)(i % 200 + 1));
	KT_EXPECT_EQ(peek(mm, b + 2999 * PAGE_SIZE), 0);
	KT_EXPECT_EQ(mm->rss_anon, 334);
	mm_put(mm);
}

/* --- Random calls against a model: which pages are mapped, writable, and what is in them. */

#define SPACE 512
#define BASE 0x40000000ul

struct model {
	struct mm *mm;
	bool mapped[SPACE], writable[SPACE];
	u8 value[SPACE];
};

static void check_model(struct model *m)
{
	u64 pages = 0;

	for (u64 i = 0; i < SPACE; i++) {
		u64 at = BASE + i * PAGE_SIZE;
		struct vma *v = mm_find_vma(m->mm, at);
		bool is_there = v && v->start <= at;

		pages += m->mapped[i];
		KT_EXPECT_EQ(is_there, m->mapped[i]);
		if (is_there)
			KT_EXPECT_EQ((v->flags & VMA_WRITE) != 0, m->writable[i]);
		if (is_there)
			KT_EXPECT_EQ(peek(m->mm, at), m->value[i]);
	}
	KT_EXPECT_EQ(m->mm->total_pages, pages);
}

static void random_call(struct model *m)
{
	u64 first = random_below(SPACE), n = 1 + random_below(MIN_CONST(SPACE - first, 40ul)), at = BASE + first * PAGE_SIZE;
	bool is_whole = true;

	for (u64 i = first; i < first + n; i++)
		is_whole &= m->mapped[i];
	switch (random_below(4)) {
	case 0:
		map_at(m->mm, at, n * PAGE_SIZE);
		for (u64 i = first; i < first + n; i++) {
			m->mapped[i] = m->writable[i] = true;
			m->value[i] = 0;
		}
		break;
	case 1:
		KT_EXPECT_EQ(mm_unmap(m->mm, at, n * PAGE_SIZE), 0);
		for (u64 i = first; i < first + n; i++)
			m->mapped[i] = false;
		break;
	case 2:
		if (!is_whole)
			break;
		KT_EXPECT_EQ(mm_protect(m->mm, at, n * PAGE_SIZE, first % 2 ? VMA_READ : VMA_READ | VMA_WRITE, false, false), 0);
		for (u64 i = first; i < first + n; i++)
			m->writable[i] = first % 2 == 0;
		break;
	default:
		for (u64 i = first; i < first + n; i++) {
			if (!m->mapped[i] || !m->writable[i])
				continue;
			m->value[i] = (u8)random_u64();
			poke(m->mm, BASE + i * PAGE_SIZE, m->value[i]);
		}
	}
}

KTEST(mm_random_calls)
{
	static struct model m;
	struct mm *child = NULL;

	memset(&m, 0, sizeof(m));
	m.mm = create();
	for (u32 round = 0; round < 1500; round++) {
		random_call(&m);
		if (round % 100 == 99)
			check_model(&m);
		if (round % 300 == 299) {	/* go on in the child */
			KT_EXPECT_EQ(mm_fork(m.mm, &child), 0);
			mm_put(m.mm);
			m.mm = child;
			check_model(&m);
		}
	}
	KT_EXPECT_EQ(mm_unmap(m.mm, BASE, SPACE * PAGE_SIZE), 0);
	KT_EXPECT_EQ(m.mm->n_vmas, 0);
	KT_EXPECT_EQ(m.mm->rss_anon, 0);
	mm_put(m.mm);
}

KTEST(mm_gap_search)
{
	struct mm *mm = create();
	u64 last = map(mm, PAGE_SIZE), next;

	/* Top-down, and a freed hole is found again by what fits. */
	for (u32 i = 0; i < 50; i++) {
		struct mm_map_request rq = anon;

		rq.len = (i % 5 + 1) * PAGE_SIZE;
		rq.prot = i % 2 ? VMA_READ : VMA_READ | VMA_WRITE;
		KT_EXPECT_EQ(mm_map(mm, &rq, &next), 0);
		KT_EXPECT_EQ(next + rq.len, last);
		last = next;
	}
	KT_EXPECT_EQ(mm_unmap(mm, last + 30 * PAGE_SIZE, 7 * PAGE_SIZE), 0);
	KT_EXPECT_EQ(map(mm, 7 * PAGE_SIZE), last + 30 * PAGE_SIZE);
	KT_EXPECT_EQ(map(mm, 8 * PAGE_SIZE), last - 8 * PAGE_SIZE);
	mm_put(mm);
}

static struct mm *common;
static u64 common_at;

static void fault_all(void *arg)
{
	(void)arg;
	for (u64 i = 0; i < 300; i++)
		KT_EXPECT_EQ(mm_fault(common, common_at + i * PAGE_SIZE, i % 3 != 0, false), FAULT_OK);
}

KTEST(mm_faults_on_every_cpu)
{
	common = create();
	common_at = map(common, 300 * PAGE_SIZE);
	ktest_on_every_cpu(fault_all, NULL);
	KT_EXPECT_EQ(common->rss_anon, 200);
	mm_put(common);
}
