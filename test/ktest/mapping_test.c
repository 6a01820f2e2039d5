/* SPDX-License-Identifier: MPL-2.0 */
/* The page cache on its own: a mapping of each kind, without a file system. */
#include <lib/errno.h>
#include <lib/string.h>
#include "sync/rcu_wait.h"
#include "mm/mapping.h"
#include "mm/alloc.h"
#include "mm/page_alloc.h"
#include "ktest.h"

#define PAGES 200

static s64 reserved;		/* [a] */
static u64 limit = ~0ul;

static int count_reserve(struct mapping *m, u64 index)
{
	(void)m;
	(void)index;
	if ((u64)__atomic_add_fetch(&reserved, 1, __ATOMIC_RELAXED) <= limit)
		return 0;
	__atomic_sub_fetch(&reserved, 1, __ATOMIC_RELAXED);
	return -ENOSPC;
}

static void count_released(struct mapping *m, u64 n)
{
	(void)m;
	__atomic_sub_fetch(&reserved, (s64)n, __ATOMIC_RELAXED);
}

static const struct mapping_ops memory_ops = { .reserve = count_reserve, .released = count_released, .is_memory = true };

static ssize_t put(struct mapping *m, u64 pos, void *buf, size_t n)
{
	struct iov_iter it;

	iov_kernel(&it, buf, n);
	return mapping_write(m, pos, &it);
}

static ssize_t get(struct mapping *m, u64 pos, void *buf, size_t n)
{
	struct iov_iter it;

	iov_kernel(&it, buf, n);
	return mapping_read(m, pos, &it);
}

KTEST(mapping_memory_reads_what_was_written)
{
	static char out[3 * PAGE_SIZE], in[3 * PAGE_SIZE];
	struct mapping m;

	mapping_init(&m, &memory_ops, NULL);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + i / 251);
	KT_EXPECT_EQ(get(&m, 0, in, 10), 0);
	KT_EXPECT_EQ(put(&m, 1000, out, 2 * PAGE_SIZE + 5), 2 * PAGE_SIZE + 5);
	KT_EXPECT_EQ(m.size, 1000 + 2 * PAGE_SIZE + 5);
	KT_EXPECT_EQ(get(&m, 0, in, 1000), 1000);
	KT_EXPECT(memchr_inv(in, 0, 1000) == NULL);
	KT_EXPECT_EQ(get(&m, 1000, in, sizeof(in)), 2 * PAGE_SIZE + 5);
	KT_EXPECT(memcmp(in, out, 2 * PAGE_SIZE + 5) == 0);
	KT_EXPECT_EQ(put(&m, 1003, out + 100, 10), 10);
	KT_EXPECT_EQ(get(&m, 1003, in, 10), 10);
	KT_EXPECT(memcmp(in, out + 100, 10) == 0);
	KT_EXPECT_EQ(reserved, 3);
	mapping_fini(&m);
	KT_EXPECT_EQ(reserved, 0);
}

KTEST(mapping_truncate_and_punch)
{
	static char page[PAGE_SIZE];
	struct mapping m;
	u64 index;
	char c;

	mapping_init(&m, &memory_ops, NULL);
	memset(page, 'x', sizeof(page));
	for (u64 i = 0; i < PAGES; i++)
		KT_EXPECT_EQ(put(&m, i * PAGE_SIZE, page, PAGE_SIZE), PAGE_SIZE);
	KT_EXPECT_EQ(m.n_pages, PAGES);
	mapping_punch(&m, 10 * PAGE_SIZE + 100, 20 * PAGE_SIZE + 200);
	KT_EXPECT_EQ(m.n_pages, PAGES - 9);
	KT_EXPECT(get(&m, 10 * PAGE_SIZE + 99, &c, 1) == 1 && c == 'x');
	KT_EXPECT(get(&m, 10 * PAGE_SIZE + 100, &c, 1) == 1 && c == 0);
	KT_EXPECT(get(&m, 20 * PAGE_SIZE + 199, &c, 1) == 1 && c == 0);
	KT_EXPECT(get(&m, 20 * PAGE_SIZE + 200, &c, 1) == 1 && c == 'x');
	KT_EXPECT_EQ(mapping_next_hole(&m, 0), 11);
	KT_EXPECT(mapping_next_data(&m, 11, &index) && index == 20);
	mapping_truncate(&m, 5 * PAGE_SIZE + 7);
	KT_EXPECT_EQ(m.n_pages, 6);
	KT_EXPECT(!mapping_next_data(&m, 6, &index));
	mapping_truncate(&m, 100 * PAGE_SIZE);
	KT_EXPECT(get(&m, 5 * PAGE_SIZE + 6, &c, 1) == 1 && c == 'x');
	KT_EXPECT(get(&m, 5 * PAGE_SIZE + 7, &c, 1) == 1 && c == 0);
	KT_EXPECT(get(&m, 99 * PAGE_SIZE, &c, 1) == 1 && c == 0);
	mapping_fini(&m);
	KT_EXPECT_EQ(reserved, 0);
}

KTEST(mapping_full_is_enospc)
{
	static char page[PAGE_SIZE];
	struct mapping m;

	mapping_init(&m, &memory_ops, NULL);
	limit = 2;
	KT_EXPECT_EQ(put(&m, 0, page, PAGE_SIZE), PAGE_SIZE);
	KT_EXPECT_EQ(put(&m, PAGE_SIZE, page, PAGE_SIZE), PAGE_SIZE);
	KT_EXPECT_EQ(put(&m, 2 * PAGE_SIZE, page, PAGE_SIZE), -ENOSPC);
	KT_EXPECT_EQ(put(&m, 9 * PAGE_SIZE, page, 1), -ENOSPC);
	KT_EXPECT_EQ(m.size, 2 * PAGE_SIZE);
	limit = ~0ul;
	mapping_fini(&m);
	KT_EXPECT_EQ(reserved, 0);
}

/* --- A mapping with a backing store: one page of memory for each page. */

static char store[16][PAGE_SIZE];
static u32 n_reads, n_writes;
static bool is_broken;

static int store_read(struct mapping *m, struct page *p)
{
	(void)m;
	n_reads++;
	if (is_broken)
		return -EIO;
	memcpy(page_kva(p), store[p->index], PAGE_SIZE);
	return 0;
}

static int store_write(struct mapping *m, struct page *p)
{
	(void)m;
	n_writes++;
	if (is_broken)
		return -EIO;
	memcpy(store[p->index], page_kva(p), PAGE_SIZE);
	return 0;
}

static const struct mapping_ops store_ops = { .read_page = store_read, .write_page = store_write };

KTEST(mapping_with_store)
{
	static char buf[PAGE_SIZE];
	struct mapping m;

	for (u32 i = 0; i < ARRAY_SIZE(store); i++)
		memset(store[i], 'A' + (int)i, PAGE_SIZE);
	n_reads = n_writes = 0;
	mapping_init(&m, &store_ops, NULL);
	mapping_truncate(&m, sizeof(store));
	KT_EXPECT(get(&m, 3 * PAGE_SIZE, buf, 10) == 10 && buf[0] == 'D');
	KT_EXPECT(get(&m, 3 * PAGE_SIZE + 50, buf, 10) == 10 && buf[0] == 'D');
	KT_EXPECT_EQ(n_reads, 1);
	memset(buf, 'z', sizeof(buf));
	KT_EXPECT_EQ(put(&m, 4 * PAGE_SIZE, buf, PAGE_SIZE), PAGE_SIZE);	/* whole: not read */
	KT_EXPECT_EQ(n_reads, 1);
	KT_EXPECT_EQ(put(&m, 5 * PAGE_SIZE + 1, buf, 1), 1);			/* in part: read first */
	KT_EXPECT_EQ(n_reads, 2);
	KT_EXPECT_EQ(mapping_sync(&m, 0, sizeof(store)), 0);
	KT_EXPECT_EQ(n_writes, 2);
	KT_EXPECT(store[4][0] == 'z' && store[5][0] == 'F' && store[5][1] == 'z' && store[5][2] == 'F');
	KT_EXPECT_EQ(mapping_sync(&m, 0, sizeof(store)), 0);
	KT_EXPECT_EQ(n_writes, 2);
	is_broken = true;
	KT_EXPECT_EQ(get(&m, 9 * PAGE_SIZE, buf, 10), -EIO);
	KT_EXPECT_EQ(put(&m, 4 * PAGE_SIZE, buf, 1), 1);
	KT_EXPECT_EQ(mapping_sync(&m, 0, sizeof(store)), -EIO);
	is_broken = false;
	KT_EXPECT(get(&m, 9 * PAGE_SIZE, buf, 10) == 10 && buf[0] == 'J');
	KT_EXPECT_EQ(mapping_sync(&m, 0, sizeof(store)), 0);
	mapping_fini(&m);
}

KTEST(mapping_clean_pages_are_reclaimed)
{
	struct mapping m;
	struct mem_stat before, after;
	char c;

	mapping_init(&m, &store_ops, NULL);
	mapping_truncate(&m, sizeof(store));
	for (u64 i = 0; i < ARRAY_SIZE(store); i++)
		KT_EXPECT_EQ(get(&m, i * PAGE_SIZE, &c, 1), 1);
	c = 'd';
	KT_EXPECT_EQ(put(&m, 0, &c, 1), 1);
	mem_stat(&before);
	KT_EXPECT_EQ(m.n_pages, ARRAY_SIZE(store));
	KT_EXPECT(before.active_file + before.inactive_file >= ARRAY_SIZE(store));
	(void)reclaim_pages(ARRAY_SIZE(store));
	KT_EXPECT(m.n_pages < ARRAY_SIZE(store) && m.n_pages >= 1);
	mem_stat(&after);
	KT_EXPECT(after.cached <= before.cached);
	KT_EXPECT(get(&m, 0, &c, 1) == 1 && c == 'd');
	KT_EXPECT(get(&m, 7 * PAGE_SIZE, &c, 1) == 1);
	mapping_fini(&m);
	rcu_synchronize();
}

static struct mapping shared;

static void read_while_it_changes(void *arg)
{
	static u32 turn;
	bool is_writer = __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED) % 2 == 0;
	char buf[64];

	(void)arg;
	for (u32 i = 0; i < 3000; i++) {
		u64 pos = i % 50 * PAGE_SIZE;
		ssize_t n = get(&shared, pos, buf, sizeof(buf));

		KT_EXPECT(n >= 0);
		for (ssize_t k = 0; k < n; k++)
			KT_EXPECT(buf[k] == 0 || buf[k] == 'w');
		if (is_writer && i % 10 == 0)
			mapping_punch(&shared, pos, pos + 3 * PAGE_SIZE);
		if (is_writer) {
			struct page *p;

			if (!mapping_get(&shared, i % 50, true, &p)) {
				memset(page_kva(p), 'w', 64);
				page_put(p);
			}
		}
	}
}

KTEST(mapping_lookups_race_with_removal)
{
	mapping_init(&shared, &memory_ops, NULL);
	mapping_truncate(&shared, 60 * PAGE_SIZE);
	ktest_on_every_cpu(read_while_it_changes, NULL);
	mapping_fini(&shared);
	KT_EXPECT_EQ(reserved, 0);
}
