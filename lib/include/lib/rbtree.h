/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/rbtree.h: intrusive red-black trees, plain, with a cached leftmost node, and augmented.
 *
 * Contract: insert and erase are O(log n); first/last O(log n), rb_first_cached O(1), next/prev
 * amortised O(1). The colour is a field of its own, no tagged pointers; a zeroed node is unlinked
 * and rb_is_linked() tells. A node is erased only from the tree it is in. Equal keys are allowed:
 * rb_add puts a new one after its equals. Augmented trees keep in each node a value computed from
 * the node and its two children; `update(node)` recomputes it and every change of the tree calls it
 * bottom-up on all the nodes whose subtree changed: use only the _augmented functions on such a
 * tree, and rb_propagate() after changing a node's own value in place.
 * Locking: the caller's. There are no RCU guarantees.
 */
#ifndef LIB_RBTREE_H
#define LIB_RBTREE_H

#include <lib/types.h>

enum rb_color { RB_UNLINKED = 0, RB_RED, RB_BLACK };

struct rb_node {
	struct rb_node *parent;
	struct rb_node *left;
	struct rb_node *right;
	u8 color; /* enum rb_color */
};

struct rb_root {
	struct rb_node *node;
};

struct rb_root_cached {
	struct rb_root root;
	struct rb_node *leftmost;
};

struct rb_augment {
	/* Recompute @node's value from its own data and its children's values. */
	void (*update)(struct rb_node *node);
};

#define RB_ROOT_INIT                                                                               \
	{                                                                                          \
		NULL                                                                               \
	}
#define RB_ROOT_CACHED_INIT                                                                        \
	{                                                                                          \
		{ NULL }, NULL                                                                     \
	}

#define rb_entry(ptr, type, member) container_of(ptr, type, member)
#define __rb_entry_or_null(ptr, type, member, n)                                                   \
	({                                                                                         \
		__auto_type n = (ptr);                                                             \
		n ? rb_entry(n, type, member) : NULL;                                              \
	})
#define rb_entry_or_null(ptr, type, member)                                                        \
	__rb_entry_or_null(ptr, type, member, __lib_unique(rb_n))

static inline void rb_root_init(struct rb_root *root)
{
	root->node = NULL;
}

static inline void rb_root_cached_init(struct rb_root_cached *root)
{
	root->root.node = NULL;
	root->leftmost = NULL;
}

static inline void rb_node_init(struct rb_node *node)
{
	*node = (struct rb_node){ 0 };
}

static inline bool rb_empty(const struct rb_root *root)
{
	return root->node == NULL;
}

static inline bool rb_is_linked(const struct rb_node *node)
{
	return node->color != RB_UNLINKED;
}

/* First, last, and the neighbours in key order; NULL at the ends. */
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

/* Children before parents: for tearing a whole tree down without rebalancing. */
struct rb_node *rb_first_postorder(const struct rb_root *root);
struct rb_node *rb_next_postorder(const struct rb_node *node);

/* Hang @node, red, at *@link below @parent; rb_insert_color or rb_insert_augmented must follow. */
static inline void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	node->parent = parent;
	node->left = NULL;
	node->right = NULL;
	node->color = RB_RED;
	*link = node;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root);
/* Leaves @node unlinked. */
void rb_erase(struct rb_node *node, struct rb_root *root);
/*
 * @node, with an equal key, takes the place of @old, which is left unlinked. O(1); for augmented
 * trees call rb_propagate(@node) afterwards.
 */
void rb_replace(struct rb_node *old, struct rb_node *node, struct rb_root *root);

void rb_insert_augmented(struct rb_node *node, struct rb_root *root, const struct rb_augment *aug);
void rb_erase_augmented(struct rb_node *node, struct rb_root *root, const struct rb_augment *aug);
/*
 * A whole tree from @n nodes in key order, each the former's `right`: O(n), the root's former content
 * is forgotten. @aug NULL: a plain tree.
 */
void rb_build(struct rb_root *root, struct rb_node *chain, size_t n, const struct rb_augment *aug);
/* Recomputes @node and all its ancestors. */
void rb_propagate(struct rb_node *node, const struct rb_augment *aug);

/* The tree with a cached first node. */
static inline struct rb_node *rb_first_cached(const struct rb_root_cached *root)
{
	return root->leftmost;
}

/* @is_leftmost: the insertion went left all the way down. */
static inline void rb_insert_color_cached(struct rb_node *node, struct rb_root_cached *root,
					  bool is_leftmost)
{
	if (is_leftmost)
		root->leftmost = node;
	rb_insert_color(node, &root->root);
}

static inline void rb_erase_cached(struct rb_node *node, struct rb_root_cached *root)
{
	if (root->leftmost == node)
		root->leftmost = rb_next(node);
	rb_erase(node, &root->root);
}

/* Ordered insertion and search; inline so that the comparison is, too. */
static __always_inline bool __rb_add_link(struct rb_root *root, struct rb_node *node,
						 bool (*less)(const struct rb_node *a,
							      const struct rb_node *b))
{
	struct rb_node **link = &root->node;
	struct rb_node *parent = NULL;
	bool is_leftmost = true;

	while (*link) {
		parent = *link;
		if (less(node, parent)) {
			link = &parent->left;
		} else {
			link = &parent->right;
			is_leftmost = false;
		}
	}
	rb_link_node(node, parent, link);
	return is_leftmost;
}

static __always_inline void rb_add(struct rb_root *root, struct rb_node *node,
					  bool (*less)(const struct rb_node *a,
						       const struct rb_node *b))
{
	(void)__rb_add_link(root, node, less);
	rb_insert_color(node, root);
}

static __always_inline void rb_add_cached(struct rb_root_cached *root, struct rb_node *node,
						 bool (*less)(const struct rb_node *a,
							      const struct rb_node *b))
{
	rb_insert_color_cached(node, root, __rb_add_link(&root->root, node, less));
}

static __always_inline void rb_add_augmented(struct rb_root *root, struct rb_node *node,
						    bool (*less)(const struct rb_node *a,
								 const struct rb_node *b),
						    const struct rb_augment *aug)
{
	(void)__rb_add_link(root, node, less);
	rb_insert_augmented(node, root, aug);
}

/* cmp(key, node) is < 0, 0 or > 0 as the key is before, at or after the node. Any equal node. */
static __always_inline struct rb_node *
rb_find(const struct rb_root *root, const void *key,
	int (*cmp)(const void *key, const struct rb_node *node))
{
	struct rb_node *node = root->node;

	while (node) {
		int c = cmp(key, node);

		if (c == 0)
			return node;
		node = c < 0 ? node->left : node->right;
	}
	return NULL;
}

/* The first node, in key order, at or after the key. */
static __always_inline struct rb_node *
rb_find_first_ge(const struct rb_root *root, const void *key,
		 int (*cmp)(const void *key, const struct rb_node *node))
{
	struct rb_node *node = root->node;
	struct rb_node *best = NULL;

	while (node) {
		if (cmp(key, node) <= 0) {
			best = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return best;
}

/* The last node, in key order, at or before the key. */
static __always_inline struct rb_node *
rb_find_last_le(const struct rb_root *root, const void *key,
		int (*cmp)(const void *key, const struct rb_node *node))
{
	struct rb_node *node = root->node;
	struct rb_node *best = NULL;

	while (node) {
		if (cmp(key, node) >= 0) {
			best = node;
			node = node->right;
		} else {
			node = node->left;
		}
	}
	return best;
}

#define rb_for_each_entry(pos, root, member)                                                       \
	for ((pos) = rb_entry_or_null(rb_first(root), __typeof__(*(pos)), member); (pos);          \
	     (pos) = rb_entry_or_null(rb_next(&(pos)->member), __typeof__(*(pos)), member))
/* @pos may be erased or freed in the body; @tmp is a struct rb_node *. */
#define rb_for_each_entry_safe(pos, tmp, root, member)                                             \
	for ((pos) = rb_entry_or_null(rb_first(root), __typeof__(*(pos)), member);                 \
	     (pos) && ((tmp) = rb_next(&(pos)->member), true);                                     \
	     (pos) = rb_entry_or_null(tmp, __typeof__(*(pos)), member))
/* For freeing everything: @pos may be freed in the body, the tree must not be touched otherwise. */
#define rb_for_each_entry_postorder_safe(pos, tmp, root, member)                                   \
	for ((pos) = rb_entry_or_null(rb_first_postorder(root), __typeof__(*(pos)), member);       \
	     (pos) && ((tmp) = rb_next_postorder(&(pos)->member), true);                           \
	     (pos) = rb_entry_or_null(tmp, __typeof__(*(pos)), member))

#endif
