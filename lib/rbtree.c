/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Red-black trees (Cormen et al., Introduction to Algorithms, chapter 13, with NULL for the black
 * leaves).
 *
 * Invariants: the root is black; a red node has black children; every path from a node down to a
 * NULL has the same number of black nodes. So the longest path is at most twice the shortest. Each
 * body is written once, for plain and augmented trees (@aug NULL or not) and for both directions,
 * and is specialised by inlining.
 */
#include <lib/rbtree.h>

enum dir { LEFT, RIGHT };

static __always_inline struct rb_node **child_of(struct rb_node *node, enum dir dir)
{
	return dir == LEFT ? &node->left : &node->right;
}

static __always_inline bool is_red(const struct rb_node *node)
{
	return node && node->color == RB_RED;
}

/* What pointed to @old now points to @node (may be NULL). */
static __always_inline void set_parent_link(struct rb_root *root, struct rb_node *parent,
					    struct rb_node *old, struct rb_node *node)
{
	if (!parent)
		root->node = node;
	else if (parent->left == old)
		parent->left = node;
	else
		parent->right = node;
}

/* @node sinks to @dir; its child on the other side takes its place. */
static __always_inline void rotate(struct rb_node *node, enum dir dir, struct rb_root *root,
				   const struct rb_augment *aug)
{
	enum dir other = dir == LEFT ? RIGHT : LEFT;
	struct rb_node *up = *child_of(node, other);
	struct rb_node *inner = *child_of(up, dir);

	*child_of(node, other) = inner;
	if (inner)
		inner->parent = node;
	set_parent_link(root, node->parent, node, up);
	up->parent = node->parent;
	*child_of(up, dir) = node;
	node->parent = up;
	if (aug) {
		aug->update(node);
		aug->update(up);
	}
}

/*
 * @node and @parent, on side @dir of @grand, are red. Returns the node to go on with, NULL if all
 * is well.
 */
static __always_inline struct rb_node *insert_step(struct rb_node *node, struct rb_node *parent,
						   struct rb_node *grand, enum dir dir,
						   struct rb_root *root,
						   const struct rb_augment *aug)
{
	enum dir other = dir == LEFT ? RIGHT : LEFT;
	struct rb_node *uncle = *child_of(grand, other);

	if (is_red(uncle)) {
		parent->color = RB_BLACK;
		uncle->color = RB_BLACK;
		grand->color = RB_RED;
		return grand;
	}
	if (node == *child_of(parent, other)) {
		rotate(parent, dir, root, aug);
		parent = node;
	}
	parent->color = RB_BLACK;
	grand->color = RB_RED;
	rotate(grand, other, root, aug);
	return NULL;
}

static __always_inline void insert_rebalance(struct rb_node *node, struct rb_root *root,
					     const struct rb_augment *aug)
{
	while (node && is_red(node->parent)) {
		struct rb_node *parent = node->parent;
		struct rb_node *grand = parent->parent; /* exists: the root is black */

		if (parent == grand->left)
			node = insert_step(node, parent, grand, LEFT, root, aug);
		else
			node = insert_step(node, parent, grand, RIGHT, root, aug);
	}
	root->node->color = RB_BLACK;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	insert_rebalance(node, root, NULL);
}

void rb_propagate(struct rb_node *node, const struct rb_augment *aug)
{
	for (; node; node = node->parent)
		aug->update(node);
}

void rb_insert_augmented(struct rb_node *node, struct rb_root *root, const struct rb_augment *aug)
{
	rb_propagate(node, aug);
	insert_rebalance(node, root, aug);
}

/*
 * The next @n nodes of the chain as a subtree whose top is at @depth. The halves of each differ by
 * one at most, so all levels are full but the deepest: that is red, the others are black.
 */
static struct rb_node *build(struct rb_node **chain, size_t n, unsigned int depth,
			     unsigned int deepest, const struct rb_augment *aug)
{
	size_t n_left = (n - 1) / 2, n_right = n - n_left - 1;
	struct rb_node *left = n_left ? build(chain, n_left, depth + 1, deepest, aug) : NULL;
	struct rb_node *node = *chain;

	*chain = node->right;
	node->left = left;
	node->right = n_right ? build(chain, n_right, depth + 1, deepest, aug) : NULL;
	if (left)
		left->parent = node;
	if (node->right)
		node->right->parent = node;
	node->color = depth && depth == deepest ? RB_RED : RB_BLACK;
	if (aug)
		aug->update(node);
	return node;
}

void rb_build(struct rb_root *root, struct rb_node *chain, size_t n, const struct rb_augment *aug)
{
	root->node = n ? build(&chain, n, 0, ilog2(n), aug) : NULL;
	if (n)
		root->node->parent = NULL;
}

/*
 * The subtree on side @dir of @parent lacks one black node. Returns the node whose subtree lacks it
 * now, or NULL if nothing does.
 */
static __always_inline struct rb_node *erase_step(struct rb_node *parent, enum dir dir,
						  struct rb_root *root,
						  const struct rb_augment *aug)
{
	enum dir other = dir == LEFT ? RIGHT : LEFT;
	struct rb_node *sibling = *child_of(parent, other);

	if (is_red(sibling)) {
		sibling->color = RB_BLACK;
		parent->color = RB_RED;
		rotate(parent, dir, root, aug);
		sibling = *child_of(parent, other);
	}
	if (!is_red(sibling->left) && !is_red(sibling->right)) {
		sibling->color = RB_RED;
		if (parent->color == RB_BLACK)
			return parent;
		parent->color = RB_BLACK;
		return NULL;
	}
	if (!is_red(*child_of(sibling, other))) {
		(*child_of(sibling, dir))->color = RB_BLACK;
		sibling->color = RB_RED;
		rotate(sibling, other, root, aug);
		sibling = *child_of(parent, other);
	}
	sibling->color = parent->color;
	parent->color = RB_BLACK;
	(*child_of(sibling, other))->color = RB_BLACK;
	rotate(parent, dir, root, aug);
	return NULL;
}

/* The place of @child (may be NULL) below @parent lacks one black node. */
static __always_inline void erase_rebalance(struct rb_node *child, struct rb_node *parent,
					    struct rb_root *root, const struct rb_augment *aug)
{
	if (is_red(child)) {
		child->color = RB_BLACK;
		return;
	}
	while (parent) {
		if (parent->left == child)
			child = erase_step(parent, LEFT, root, aug);
		else
			child = erase_step(parent, RIGHT, root, aug);
		if (!child)
			return;
		parent = child->parent;
	}
}

/* @heir takes over @node's links and colour. */
static __always_inline void take_place(struct rb_node *node, struct rb_node *heir,
				       struct rb_root *root)
{
	*heir = *node;
	set_parent_link(root, node->parent, node, heir);
	if (heir->left)
		heir->left->parent = heir;
	if (heir->right)
		heir->right->parent = heir;
}

static __always_inline void erase(struct rb_node *node, struct rb_root *root,
				  const struct rb_augment *aug)
{
	struct rb_node *out = node; /* the one that leaves its place: at most one child */
	struct rb_node *child, *parent;
	bool lost_black;

	if (node->left && node->right)
		for (out = node->right; out->left; out = out->left)
			;
	child = out->left ? out->left : out->right;
	parent = out->parent;
	lost_black = out->color == RB_BLACK;
	set_parent_link(root, parent, out, child);
	if (child)
		child->parent = parent;
	if (out != node) {
		take_place(node, out, root);
		if (parent == node)
			parent = out;
	}
	rb_node_init(node);
	if (aug)
		rb_propagate(parent, aug);
	if (lost_black)
		erase_rebalance(child, parent, root, aug);
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	erase(node, root, NULL);
}

void rb_erase_augmented(struct rb_node *node, struct rb_root *root, const struct rb_augment *aug)
{
	erase(node, root, aug);
}

void rb_replace(struct rb_node *old, struct rb_node *node, struct rb_root *root)
{
	take_place(old, node, root);
	rb_node_init(old);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->node;

	while (node && node->left)
		node = node->left;
	return node;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *node = root->node;

	while (node && node->right)
		node = node->right;
	return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *up;

	if (node->right) {
		for (up = node->right; up->left; up = up->left)
			;
		return up;
	}
	for (up = node->parent; up && node == up->right; up = up->parent)
		node = up;
	return up;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	struct rb_node *up;

	if (node->left) {
		for (up = node->left; up->right; up = up->right)
			;
		return up;
	}
	for (up = node->parent; up && node == up->left; up = up->parent)
		node = up;
	return up;
}

/* The leaf that is first in post-order below @node. */
static struct rb_node *first_leaf(struct rb_node *node)
{
	while (node && (node->left || node->right))
		node = node->left ? node->left : node->right;
	return node;
}

struct rb_node *rb_first_postorder(const struct rb_root *root)
{
	return first_leaf(root->node);
}

struct rb_node *rb_next_postorder(const struct rb_node *node)
{
	struct rb_node *parent = node->parent;

	if (parent && node == parent->left && parent->right)
		return first_leaf(parent->right);
	return parent;
}
