/* SPDX-License-Identifier: MPL-2.0 */
/* lib/rbtree.h: invariants after every step, against an array. */
#include <lib/rbtree.h>

#include "unit.h"

#define MAX_KEY 400

struct item {
	struct rb_node node;
	int key;
	int max; /* augmented: the largest weight below */
	int weight;
};

static bool less(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry((struct rb_node *)a, struct item, node)->key <
	       rb_entry((struct rb_node *)b, struct item, node)->key;
}

static int cmp(const void *key, const struct rb_node *node)
{
	return *(const int *)key - rb_entry((struct rb_node *)node, struct item, node)->key;
}

static void update(struct rb_node *node)
{
	struct item *it = rb_entry(node, struct item, node);
	struct item *left = rb_entry_or_null(node->left, struct item, node);
	struct item *right = rb_entry_or_null(node->right, struct item, node);

	it->max = it->weight;
	if (left)
		it->max = max(it->max, left->max);
	if (right)
		it->max = max(it->max, right->max);
}

static const struct rb_augment augment = { .update = update };

/* The black height; checks order, links, colours and, if asked, the augmented value. */
static int check_subtree(struct rb_node *node, struct rb_node *parent, bool is_augmented)
{
	struct item *it = rb_entry_or_null(node, struct item, node);
	int left, right;

	if (!node)
		return 1;
	CHECK(node->parent == parent);
	CHECK(node->color == RB_RED || node->color == RB_BLACK);
	CHECK(!(node->color == RB_RED && parent && parent->color == RB_RED));
	left = check_subtree(node->left, node, is_augmented);
	right = check_subtree(node->right, node, is_augmented);
	CHECK_EQ(left, right);
	if (is_augmented) {
		int have = it->max;

		update(node);
		CHECK_EQ(have, it->max);
	}
	return left + (node->color == RB_BLACK);
}

static void check_tree(struct rb_root *root, const bool *present, bool is_augmented)
{
	struct item *it;
	struct rb_node *node;
	int key = 0, n = 0;

	CHECK(!root->node || root->node->color == RB_BLACK);
	check_subtree(root->node, NULL, is_augmented);
	rb_for_each_entry(it, root, node) {
		while (key < it->key)
			CHECK(!present[key++]);
		CHECK(present[key++]);
		n++;
	}
	while (key < MAX_KEY)
		CHECK(!present[key++]);
	for (node = rb_last(root); node; node = rb_prev(node))
		n--;
	CHECK_EQ(n, 0);
}

static void check_find(struct rb_root *root, const bool *present, int key)
{
	int ge = key, le = key;
	struct item *it;

	it = rb_entry_or_null(rb_find(root, &key, cmp), struct item, node);
	CHECK(present[key] ? it && it->key == key : !it);
	while (ge < MAX_KEY && !present[ge])
		ge++;
	it = rb_entry_or_null(rb_find_first_ge(root, &key, cmp), struct item, node);
	CHECK(ge == MAX_KEY ? !it : it && it->key == ge);
	while (le >= 0 && !present[le])
		le--;
	it = rb_entry_or_null(rb_find_last_le(root, &key, cmp), struct item, node);
	CHECK(le < 0 ? !it : it && it->key == le);
}

static void random_ops(bool is_augmented)
{
	static struct item items[MAX_KEY];
	bool present[MAX_KEY] = { false };
	struct rb_root root = RB_ROOT_INIT;

	for (int i = 0; i < MAX_KEY; i++)
		items[i] = (struct item){ .key = i, .weight = (int)unit_random_below(1000) };
	for (int step = 0; step < 8000; step++) {
		/* Phases of growth and of shrinking. */
		int bound = step / 1000 % 2 ? 30 : 70;
		int key = (int)unit_random_below(MAX_KEY);
		bool wants = (int)unit_random_below(100) < bound;

		CHECK(rb_is_linked(&items[key].node) == present[key]);
		if (wants && !present[key])
			is_augmented ? rb_add_augmented(&root, &items[key].node, less, &augment) :
				       rb_add(&root, &items[key].node, less);
		else if (!wants && present[key])
			is_augmented ? rb_erase_augmented(&items[key].node, &root, &augment) :
				       rb_erase(&items[key].node, &root);
		present[key] = wants;
		if (step % 16 == 0)
			check_tree(&root, present, is_augmented);
		check_find(&root, present, (int)unit_random_below(MAX_KEY));
	}
}

static void test_random(void)
{
	random_ops(false);
}

static void test_augmented(void)
{
	random_ops(true);
}

static void test_propagate(void)
{
	struct item items[20] = { 0 };
	struct rb_root root = RB_ROOT_INIT;

	for (int i = 0; i < 20; i++) {
		items[i].key = i;
		rb_add_augmented(&root, &items[i].node, less, &augment);
	}
	items[13].weight = 77;
	rb_propagate(&items[13].node, &augment);
	CHECK_EQ(rb_entry(root.node, struct item, node)->max, 77);
}

static void test_cached(void)
{
	struct item items[200] = { 0 };
	struct rb_root_cached root = RB_ROOT_CACHED_INIT;
	int last = -1, n = 0;

	CHECK(rb_first_cached(&root) == NULL);
	for (int i = 0; i < 200; i++) {
		items[i].key = (int)unit_random_below(50);
		rb_add_cached(&root, &items[i].node, less);
		CHECK(rb_first_cached(&root) == rb_first(&root.root));
	}
	for (struct rb_node *node; (node = rb_first_cached(&root)) != NULL; n++) {
		CHECK(node == rb_first(&root.root));
		CHECK(rb_entry(node, struct item, node)->key >= last);
		last = rb_entry(node, struct item, node)->key;
		rb_erase_cached(node, &root);
	}
	CHECK_EQ(n, 200);
	CHECK(rb_empty(&root.root));
}

/* Equal keys stay in the order of their insertion. */
static void test_equal(void)
{
	struct item items[50] = { 0 }, *it;
	struct rb_root root = RB_ROOT_INIT;
	struct rb_node *tmp;
	int n = 0;

	for (int i = 0; i < 50; i++)
		rb_add(&root, &items[i].node, less);
	rb_for_each_entry(it, &root, node)
		CHECK(it == &items[n++]);
	rb_for_each_entry_safe(it, tmp, &root, node)
		rb_erase(&it->node, &root);
	CHECK(rb_empty(&root));
}

static void test_replace_and_postorder(void)
{
	struct item items[100] = { 0 }, other = { .key = 42 }, *it;
	struct rb_root root = RB_ROOT_INIT;
	struct rb_node *tmp;
	bool seen[100] = { false };
	int n = 0;

	for (int i = 0; i < 100; i++) {
		items[i].key = i;
		rb_add(&root, &items[i].node, less);
	}
	rb_replace(&items[42].node, &other.node, &root);
	CHECK(!rb_is_linked(&items[42].node));
	check_subtree(root.node, NULL, false);
	CHECK(rb_find(&root, &other.key, cmp) == &other.node);
	rb_for_each_entry_postorder_safe(it, tmp, &root, node) {
		struct item *left = rb_entry_or_null(it->node.left, struct item, node);
		struct item *right = rb_entry_or_null(it->node.right, struct item, node);

		CHECK(!left || seen[left->key]);
		CHECK(!right || seen[right->key]);
		seen[it->key] = true;
		n++;
	}
	CHECK_EQ(n, 100);
}

/* Trees of each size are built whole, and can be changed after that. */
static void test_build(void)
{
	static struct item items[MAX_KEY];
	bool present[MAX_KEY] = { false };

	for (int n = 0; n <= MAX_KEY; n++) {
		struct rb_root root = { &items[0].node };

		for (int i = 0; i < n; i++) {
			items[i] = (struct item){ .key = i, .weight = (int)unit_random_below(1000) };
			items[i].node.right = i + 1 < n ? &items[i + 1].node : NULL;
			present[i] = true;
		}
		rb_build(&root, n ? &items[0].node : NULL, (size_t)n, n % 2 ? &augment : NULL);
		check_tree(&root, present, n % 2);
		for (int i = n - 1; i >= 0; i -= 3) {
			n % 2 ? rb_erase_augmented(&items[i].node, &root, &augment) : rb_erase(&items[i].node, &root);
			present[i] = false;
		}
		check_tree(&root, present, n % 2);
	}
}

UNIT_TESTS("rbtree", UNIT(test_random), UNIT(test_augmented), UNIT(test_propagate), UNIT(test_cached),
	   UNIT(test_equal), UNIT(test_replace_and_postorder), UNIT(test_build));
