/* SPDX-License-Identifier: MPL-2.0 */
/* lib/radix.h: against a sorted array. */
#include <pthread.h>

#include <lib/errno.h>
#include <lib/radix.h>

#include "unit.h"

static long live;        /* nodes out */
static long until_fail;  /* allocations left; < 0: no limit */

static void *node_alloc(void *ctx)
{
	(void)ctx;
	if (until_fail == 0)
		return NULL;
	until_fail--;
	live++;
	return malloc(RADIX_NODE_SIZE);
}

static void node_free(void *ctx, void *node)
{
	(void)ctx;
	live--;
	free(node);
}

static const struct radix_alloc alloc = { .alloc = node_alloc, .free = node_free };

/* Entries are any pointers that are not NULL. */
static char entries[4096];

#define MAX_MODEL 600

struct model {
	u64 index[MAX_MODEL];
	void *entry[MAX_MODEL];
	u8 tags[MAX_MODEL];
	int n;
};

/* The first position with an index >= @index. */
static int model_find(const struct model *m, u64 index)
{
	int i = 0;

	while (i < m->n && m->index[i] < index)
		i++;
	return i;
}

static void model_insert(struct model *m, u64 index, void *entry)
{
	int at = model_find(m, index);

	for (int i = m->n++; i > at; i--) {
		m->index[i] = m->index[i - 1];
		m->entry[i] = m->entry[i - 1];
		m->tags[i] = m->tags[i - 1];
	}
	m->index[at] = index;
	m->entry[at] = entry;
	m->tags[at] = 0;
}

static void model_erase(struct model *m, int at)
{
	m->n--;
	for (int i = at; i < m->n; i++) {
		m->index[i] = m->index[i + 1];
		m->entry[i] = m->entry[i + 1];
		m->tags[i] = m->tags[i + 1];
	}
}

/* Indices of all sizes, clustered so that they meet again. */
static u64 random_index(void)
{
	static const u64 bases[] = { 0, 0, 0, 60, 4090, 262100, 1UL << 24, 1UL << 40, 1UL << 59,
				     1UL << 60, U64_MAX - 100 };

	return bases[unit_random_below(ARRAY_SIZE(bases))] + unit_random_below(100);
}

static void check_next(const struct radix_root *root, const struct model *m, u64 from)
{
	int at = model_find(m, from);
	u64 index = from;
	void *entry = NULL;

	CHECK(radix_next(root, &index, &entry) == (at < m->n));
	if (at < m->n)
		CHECK(index == m->index[at] && entry == m->entry[at]);
	for (int tag = 0; tag < RADIX_TAGS; tag++) {
		index = from;
		for (at = model_find(m, from); at < m->n && !(m->tags[at] & (1 << tag));)
			at++;
		CHECK(radix_next_tagged(root, (enum radix_tag)tag, &index, &entry) == (at < m->n));
		if (at < m->n)
			CHECK(index == m->index[at] && entry == m->entry[at]);
	}
}

static void check_range(const struct radix_root *root, const struct model *m, u64 from)
{
	void *found[200];
	u32 n = (u32)min(unit_random_below(ARRAY_SIZE(found)), U64_MAX - from);
	int at = model_find(m, from);

	radix_lookup_range(root, from, n, found);
	for (u32 i = 0; i < n; i++) {
		bool is_present = at < m->n && m->index[at] == from + i;

		CHECK(found[i] == (is_present ? m->entry[at] : NULL));
		at += is_present;
	}
}

static void check_all(const struct radix_root *root, const struct model *m)
{
	static u64 indices[MAX_MODEL + 1];
	static void *found[MAX_MODEL + 1];
	u8 all_tags = 0;

	CHECK_EQ(root->count, m->n);
	CHECK_EQ(radix_gang(root, 0, MAX_MODEL + 1, indices, found), m->n);
	for (int i = 0; i < m->n; i++) {
		CHECK(indices[i] == m->index[i] && found[i] == m->entry[i]);
		CHECK(radix_lookup(root, m->index[i]) == m->entry[i]);
		for (int tag = 0; tag < RADIX_TAGS; tag++)
			CHECK(radix_tag_get(root, m->index[i], (enum radix_tag)tag) ==
			      !!(m->tags[i] & (1 << tag)));
		all_tags |= m->tags[i];
	}
	for (int tag = 0; tag < RADIX_TAGS; tag++)
		CHECK(radix_tagged(root, (enum radix_tag)tag) == !!(all_tags & (1 << tag)));
}

static void step(struct radix_root *root, struct model *m, struct radix_preload *pl)
{
	u64 index = random_index();
	int at = model_find(m, index);
	bool is_present = at < m->n && m->index[at] == index;
	void *entry = &entries[unit_random_below(sizeof(entries))];
	enum radix_tag tag = (enum radix_tag)unit_random_below(RADIX_TAGS);
	int err;

	CHECK(radix_lookup(root, index) == (is_present ? m->entry[at] : NULL));
	switch (unit_random_below(m->n > MAX_MODEL / 2 ? 10 : 6)) {
	case 0:
	case 1:
	case 2:
		do {
			err = radix_insert(root, index, entry, pl);
		} while (err == -EAGAIN && (err = radix_preload_fill(pl, root->alloc)) == 0);
		CHECK_EQ(err, is_present ? -EEXIST : 0);
		if (!is_present)
			model_insert(m, index, entry);
		break;
	case 3:
		radix_tag_set(root, index, tag);
		if (is_present)
			m->tags[at] |= (u8)(1 << tag);
		break;
	case 4:
		radix_tag_clear(root, index, tag);
		if (is_present)
			m->tags[at] &= (u8)~(1 << tag);
		break;
	case 5:
		CHECK(radix_replace(root, index, entry) == (is_present ? m->entry[at] : NULL));
		if (is_present)
			m->entry[at] = entry;
		break;
	default:
		CHECK(radix_erase(root, index) == (is_present ? m->entry[at] : NULL));
		if (is_present)
			model_erase(m, at);
		break;
	}
	check_next(root, m, random_index());
	check_range(root, m, random_index());
}

static void random_ops(bool with_preload)
{
	static struct model m;
	struct radix_preload preload = { 0 };
	struct radix_root root;

	until_fail = -1;
	m.n = 0;
	radix_init(&root, &alloc);
	for (int i = 0; i < 20000; i++) {
		step(&root, &m, with_preload ? &preload : NULL);
		if (i % 500 == 0)
			check_all(&root, &m);
	}
	while (m.n) {
		int at = (int)unit_random_below((u64)m.n);

		CHECK(radix_erase(&root, m.index[at]) == m.entry[at]);
		model_erase(&m, at);
	}
	check_all(&root, &m);
	CHECK(root.top == NULL && radix_empty(&root));
	radix_preload_drain(&preload, &alloc);
	CHECK_EQ(live, 0);
}

static void test_random(void)
{
	random_ops(false);
}

static void test_preload(void)
{
	random_ops(true);
}

/* Every single allocation that fails leaves the tree as it was. */
static void test_alloc_failure(void)
{
	struct radix_root root;
	u64 index = 5;
	void *entry;

	radix_init(&root, &alloc);
	until_fail = -1;
	CHECK_EQ(radix_insert(&root, 5, entries, NULL), 0);
	CHECK_EQ(live, 1);
	for (long n = 0; n < RADIX_MAX_PRELOAD; n++) {
		until_fail = n;
		CHECK_EQ(radix_insert(&root, U64_MAX, entries + 1, NULL), -ENOMEM);
		CHECK_EQ(live, 1);
		CHECK(radix_next(&root, &index, &entry) && index == 5 && entry == entries);
	}
	until_fail = RADIX_MAX_PRELOAD;
	CHECK_EQ(radix_insert(&root, U64_MAX, entries + 1, NULL), 0);
	CHECK_EQ(live, 1 + RADIX_MAX_PRELOAD);
	until_fail = -1;
	CHECK(radix_erase(&root, U64_MAX) == entries + 1);
	CHECK_EQ(live, 1);
	CHECK(radix_erase(&root, 5) == entries);
	CHECK_EQ(live, 0);
}

static void test_zero_needs_no_node(void)
{
	struct radix_root root;

	radix_init(&root, &alloc);
	until_fail = 0;
	CHECK_EQ(radix_insert(&root, 0, entries, NULL), 0);
	CHECK_EQ(radix_insert(&root, 0, entries, NULL), -EEXIST);
	radix_tag_set(&root, 0, RADIX_TAG_2);
	CHECK(radix_tagged(&root, RADIX_TAG_2) && !radix_tagged(&root, RADIX_TAG_0));
	CHECK(radix_erase(&root, 0) == entries && radix_empty(&root));
	CHECK(!radix_tagged(&root, RADIX_TAG_2));
	until_fail = -1;
}

static void count_entry(void *ctx, u64 index, void *entry)
{
	u64 *last = ctx;

	CHECK(index == 0 || index > last[0]);
	CHECK(entry == &entries[index % sizeof(entries)]);
	last[0] = index;
	last[1]++;
}

static void test_destroy(void)
{
	struct radix_root root;
	u64 state[2] = { 0 };
	int n = 0;

	radix_init(&root, &alloc);
	for (int i = 0; i < 500; i++) {
		u64 index = random_index();

		n += radix_insert(&root, index, &entries[index % sizeof(entries)], NULL) == 0;
	}
	radix_destroy(&root, count_entry, state);
	CHECK_EQ(state[1], n);
	CHECK_EQ(live, 0);
	CHECK(radix_empty(&root) && radix_lookup(&root, 5) == NULL);
	radix_destroy(&root, NULL, NULL);
}

/*
 * Readers without a lock: what stays in the tree is found always, and nothing is found that never
 * was there.
 */
static struct radix_root shared;
static bool is_done;

static void *reader(void *arg)
{
	long *bad = arg;

	while (!LOAD_ACQUIRE(is_done)) {
		for (u64 i = 0; i < 8; i++)
			*bad += radix_lookup(&shared, i * 64 + 7) != &entries[i];
		for (u64 index = 0, n = 0;; index++) {
			void *entry;

			if (!radix_next(&shared, &index, &entry)) {
				*bad += n < 8;
				break;
			}
			n += index % 64 == 7 && index < 512;
			*bad += entry < (void *)entries || entry > (void *)(entries + 100);
			if (index == U64_MAX)
				break;
		}
	}
	return NULL;
}

static void *kept[200000];
static size_t nr_kept;

/* The end of the grace period is the end of the test. */
static void keep_node(void *ctx, void *node)
{
	(void)ctx;
	kept[nr_kept++] = node;
}

static void test_lockless_readers(void)
{
	static const struct radix_alloc deferring = { .alloc = node_alloc, .free = keep_node };
	pthread_t threads[2];
	long bad[2] = { 0 };

	until_fail = -1;
	radix_init(&shared, &deferring);
	for (u64 i = 0; i < 8; i++)
		CHECK_EQ(radix_insert(&shared, i * 64 + 7, &entries[i], NULL), 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, reader, &bad[i]);
	for (int i = 0; i < 20000 && nr_kept + 40 < ARRAY_SIZE(kept); i++) {
		u64 index = random_index();

		if (index < 512 && index % 64 == 7)
			continue;
		if (!radix_erase(&shared, index))
			CHECK_EQ(radix_insert(&shared, index, &entries[50], NULL), 0);
	}
	STORE_RELEASE(is_done, true);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		CHECK_EQ(bad[i], 0);
	}
	radix_destroy(&shared, NULL, NULL);
	CHECK_EQ((long)nr_kept, live);
	while (nr_kept)
		free(kept[--nr_kept]);
	live = 0;
}

UNIT_TESTS("radix", UNIT(test_random), UNIT(test_preload), UNIT(test_alloc_failure),
	   UNIT(test_zero_needs_no_node), UNIT(test_destroy), UNIT(test_lockless_readers));
