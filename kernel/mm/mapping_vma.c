/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which VMAs map a part of a mapping: an interval tree keyed by the first page number, each node knowing the largest last number in its subtree.
 * Look-ups of all VMAs that overlap a range cost O(log n) and O(1) for each found. Guarded by mapping->vmas_lock; a VMA in the tree keeps its
 * address space's page tables alive, since it is taken out before they go.
 */
#include <lib/errno.h>
#include "mm/internal.h"

static u64 last_of(const struct vma *v)
{
	return v->pgoff + vma_pages(v) - 1;
}

static struct vma *vma_of(struct rb_node *n)
{
	return rb_entry_or_null(n, struct vma, mapping_node);
}

static void max_update(struct rb_node *node)
{
	struct vma *v = rb_entry(node, struct vma, mapping_node);
	const struct vma *l = vma_of(node->left), *r = vma_of(node->right);

	v->mapping_max = last_of(v);
	if (l)
		v->mapping_max = max(v->mapping_max, l->mapping_max);
	if (r)
		v->mapping_max = max(v->mapping_max, r->mapping_max);
}

static const struct rb_augment max_augment = { max_update };

static bool is_before(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct vma, mapping_node)->pgoff < rb_entry(b, struct vma, mapping_node)->pgoff;
}

void mapping_vma_link(struct vma *v)
{
	rb_add_augmented(&v->mapping->vmas, &v->mapping_node, is_before, &max_augment);
}

void mapping_vma_unlink(struct vma *v)
{
	rb_erase_augmented(&v->mapping_node, &v->mapping->vmas, &max_augment);
}

/* The first in order, below `v`, that ends at or after `first`; it overlaps if it begins at or before `last`. */
static struct vma *leftmost(struct vma *v, u64 first, u64 last)
{
	while (v) {
		struct vma *l = vma_of(v->mapping_node.left);

		if (l && l->mapping_max >= first) {
			v = l;
			continue;
		}
		if (v->pgoff > last)
			return NULL;
		if (last_of(v) >= first)
			return v;
		v = vma_of(v->mapping_node.right);
		if (v && v->mapping_max < first)
			return NULL;
	}
	return NULL;
}

struct vma *mapping_vma_first(struct mapping *m, u64 first, u64 last)
{
	struct vma *root = vma_of(m->vmas.node);

	return root && root->mapping_max >= first ? leftmost(root, first, last) : NULL;
}

struct vma *mapping_vma_next(struct vma *v, u64 first, u64 last)
{
	for (;;) {
		struct vma *r = vma_of(v->mapping_node.right);
		struct rb_node *n = &v->mapping_node, *up;

		if (r && r->mapping_max >= first)
			return leftmost(r, first, last);
		/* Up to the first ancestor of which we are to the left. */
		for (up = n->parent; up && up->right == n; up = n->parent)
			n = up;
		if (!up)
			return NULL;
		v = vma_of(up);
		if (v->pgoff > last)
			return NULL;
		if (last_of(v) >= first)
			return v;
	}
}

static void unmap_from(struct vma *v, u64 first, u64 last, bool even_private)
{
	u64 from = max(first, v->pgoff), to = min(last, last_of(v));

	mm_zap_file_pages(v->mm, v->mapping, v->start + ((from - v->pgoff) << PAGE_SHIFT),
			  v->start + ((to + 1 - v->pgoff) << PAGE_SHIFT), even_private);
}

/* Takes pages first … last out of all page tables. even_private: copies made by private mappings as well (truncation). */
void mapping_unmap_range(struct mapping *m, u64 first, u64 last, bool even_private)
{
	struct vma *v;

	if (rb_empty(&m->vmas))
		return;
	mutex_lock(&m->vmas_lock);
	for (v = mapping_vma_first(m, first, last); v; v = mapping_vma_next(v, first, last))
		unmap_from(v, first, last, even_private);
	mutex_unlock(&m->vmas_lock);
}

/* --- Shared writable VMAs, counted for those who want none (seals). */

int mapping_writable_get(struct mapping *m)
{
	s32 n = READ_ONCE(m->n_writable);

	do {
		if (n < 0)
			return -EPERM;
	} while (!__atomic_compare_exchange_n(&m->n_writable, &n, n + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return 0;
}

int mapping_writable_deny(struct mapping *m)
{
	s32 n = READ_ONCE(m->n_writable);

	do {
		if (n > 0)
			return -EBUSY;
	} while (!__atomic_compare_exchange_n(&m->n_writable, &n, -1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return 0;
}

void mapping_writable_put(struct mapping *m)
{
	__atomic_fetch_sub(&m->n_writable, 1, __ATOMIC_RELEASE);
}
