/* SPDX-License-Identifier: MPL-2.0 */
/* lib/list.h */
#include <lib/list.h>

#include "unit.h"

struct item {
	int value;
	struct list link;
	struct hlist_node hash;
};

/* The list's values as decimal digits, checked backwards too. */
static long digits(struct list *head)
{
	struct item *it;
	long forward = 0, backward = 0, scale = 1;

	list_for_each_entry(it, head, link)
		forward = forward * 10 + it->value;
	list_for_each_entry_reverse(it, head, link) {
		backward += it->value * scale;
		scale *= 10;
	}
	CHECK_EQ(forward, backward);
	return forward;
}

static void fill(struct list *head, struct item *items, int first, int n)
{
	list_init(head);
	for (int i = 0; i < n; i++) {
		items[i].value = first + i;
		list_push_back(head, &items[i].link);
	}
}

static void test_basic(void)
{
	struct item items[4], extra = { .value = 9 };
	LIST_HEAD_DEFINE(head);

	CHECK(list_empty(&head));
	CHECK(list_first_entry_or_null(&head, struct item, link) == NULL);
	CHECK(list_pop_front(&head) == NULL);
	fill(&head, items, 1, 4);
	CHECK_EQ(digits(&head), 1234);
	list_push_front(&head, &extra.link);
	CHECK_EQ(digits(&head), 91234);
	list_move_back(&head, &extra.link);
	CHECK_EQ(digits(&head), 12349);
	list_move_front(&head, &items[2].link);
	CHECK_EQ(digits(&head), 31249);
	list_del(&items[2].link);
	CHECK(!list_is_linked(&items[2].link));
	list_del(&items[2].link);
	CHECK_EQ(digits(&head), 1249);
	list_replace(&extra.link, &items[2].link);
	CHECK_EQ(digits(&head), 1243);
	list_insert_before(&items[2].link, &extra.link);
	CHECK_EQ(digits(&head), 12493);
	CHECK_EQ(list_last_entry(&head, struct item, link)->value, 3);
	CHECK_EQ(list_next_entry(&items[0], link)->value, 2);
	CHECK(list_pop_front(&head) == &items[0].link);
	CHECK_EQ(digits(&head), 2493);
	CHECK(!list_is_singular(&head));
}

static void test_safe_and_splice(void)
{
	struct item a[3], b[3], *pos, *tmp;
	struct list ha, hb;

	fill(&ha, a, 1, 3);
	fill(&hb, b, 4, 3);
	list_splice_back(&ha, &hb);
	CHECK_EQ(digits(&ha), 123456);
	CHECK(list_empty(&hb));
	list_splice_back(&ha, &hb);
	CHECK_EQ(digits(&ha), 123456);
	list_for_each_entry_safe(pos, tmp, &ha, link)
		if (pos->value % 2)
			list_move_back(&hb, &pos->link);
	CHECK_EQ(digits(&ha), 246);
	CHECK_EQ(digits(&hb), 135);
	list_splice_front(&ha, &hb);
	CHECK_EQ(digits(&ha), 135246);
	list_for_each_entry_safe(pos, tmp, &ha, link)
		list_del(&pos->link);
	CHECK(list_empty(&ha));
}

static void test_rcu(void)
{
	struct item items[3], *pos;
	struct list head;
	long seen = 0;

	list_init(&head);
	for (int i = 0; i < 3; i++)
		items[i].value = i + 1;
	list_push_back_rcu(&head, &items[1].link);
	list_push_back_rcu(&head, &items[2].link);
	list_push_front_rcu(&head, &items[0].link);
	CHECK_EQ(digits(&head), 123);
	/* A reader that stands on a removed entry still finds the rest. */
	list_for_each_entry_rcu(pos, &head, link) {
		if (pos == &items[1])
			list_del_rcu(&items[1].link);
		seen = seen * 10 + pos->value;
	}
	CHECK_EQ(seen, 123);
	CHECK_EQ(digits(&head), 13);
}

static long hdigits(struct hlist_head *head)
{
	struct item *it;
	long n = 0, rcu = 0;

	hlist_for_each_entry(it, head, hash)
		n = n * 10 + it->value;
	hlist_for_each_entry_rcu(it, head, hash)
		rcu = rcu * 10 + it->value;
	CHECK_EQ(n, rcu);
	return n;
}

static void test_hlist(void)
{
	struct hlist_head head = { 0 };
	struct item items[4] = { 0 }, *pos;
	struct hlist_node *tmp;

	CHECK(hlist_empty(&head));
	for (int i = 0; i < 4; i++) {
		items[i].value = i + 1;
		CHECK(!hlist_is_linked(&items[i].hash));
		if (i % 2)
			hlist_add(&head, &items[i].hash);
		else
			hlist_add_rcu(&head, &items[i].hash);
	}
	CHECK_EQ(hdigits(&head), 4321);
	hlist_del(&items[1].hash);
	hlist_del(&items[1].hash);
	CHECK_EQ(hdigits(&head), 431);
	hlist_del_rcu(&items[3].hash);
	CHECK(!hlist_is_linked(&items[3].hash));
	CHECK(items[3].hash.next == &items[2].hash);
	CHECK_EQ(hdigits(&head), 31);
	hlist_for_each_entry_safe(pos, tmp, &head, hash)
		hlist_del(&pos->hash);
	CHECK(hlist_empty(&head));
}

UNIT_TESTS("list", UNIT(test_basic), UNIT(test_safe_and_splice), UNIT(test_rcu), UNIT(test_hlist));
