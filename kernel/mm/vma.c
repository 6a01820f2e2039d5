/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The tree of VMAs of an address space.
 *
 * VMAs never overlap. They stand in mm->vmas by start; each node also knows what its subtree spans [sub_start, sub_end) and the largest hole inside
 * that span, all computed from its own range and its two children, so a hole of a given length is found in O(log n). A stack (VMA_GROWSDOWN) counts
 * as beginning a guard gap lower, so nothing is placed there but by MAP_FIXED.
 * A VMA with a mapping is in the mapping's interval tree as well, keyed by page offset; so its range changes under mm->lock *and* mapping->vmas_lock.
 *
 * Locking: every change holds mm->lock for writing. VMAs that leave the tree are buried: mm_write_unlock frees them after the lock is dropped,
 * because the last put of a file may take inode locks, which come before mm->lock.
 */
#include <lib/list.h>
#include <lib/rbtree.h>
#include <frame/log.h>
#include "mm/internal.h"

static struct slab_cache *vma_cache;

void vma_caches_init(void)
{
	vma_cache = slab_create("vma", sizeof(struct vma), 0, 0, NULL);
}

struct vma *vma_alloc(struct mm *mm)
{
	struct vma *v = slab_alloc(vma_cache, ALLOC_SLEEP | ALLOC_ZERO);

	if (v)
		v->mm = mm;
	return v;
}

void vma_free(struct vma *v)
{
	/* Only now that no CPU can write through it any more: seals count on that. */
	if (v->mapping && (v->flags & VMA_SHARED) && (v->flags & VMA_MAY_WRITE))
		mapping_writable_put(v->mapping);
	if (v->file)
		v->ops->put(v->file);
	slab_free(vma_cache, v);
}

/* --- Augmentation. */

u64 vma_gap_start(const struct vma *v)
{
	if (!(v->flags & VMA_GROWSDOWN))
		return v->start;
	return v->start > STACK_GUARD_GAP ? v->start - STACK_GUARD_GAP : 0;
}

static struct vma *vma_of(struct rb_node *n)
{
	return rb_entry_or_null(n, struct vma, node);
}

static void gap_update(struct rb_node *node)
{
	struct vma *v = rb_entry(node, struct vma, node);
	const struct vma *l = vma_of(node->left), *r = vma_of(node->right);
	u64 start = vma_gap_start(v), gap = 0;

	v->sub_start = start;
	v->sub_end = v->end;
	if (l) {
		gap = l->gap;
		if (start > l->sub_end && start - l->sub_end > gap)
			gap = start - l->sub_end;
		v->sub_start = l->sub_start;
	}
	if (r) {
		gap = max(gap, r->gap);
		if (r->sub_start > v->end && r->sub_start - v->end > gap)
			gap = r->sub_start - v->end;
		v->sub_end = r->sub_end;
	}
	v->gap = gap;
}

static const struct rb_augment gap_augment = { gap_update };

static bool vma_less(const struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct vma, node)->start < rb_entry(b, struct vma, node)->start;
}

/* --- Looking up. */

struct vma *mm_find_vma(struct mm *mm, u64 addr)
{
	struct vma *v = __atomic_load_n(&mm->last_hit, __ATOMIC_RELAXED), *best = NULL;
	struct rb_node *n = mm->vmas.node;

	if (v && v->start <= addr && addr < v->end)
		return v;
	while (n) {
		v = rb_entry(n, struct vma, node);
		if (addr >= v->end) {
			n = n->right;
			continue;
		}
		best = v;
		if (addr >= v->start)
			break;
		n = n->left;
	}
	if (best)
		__atomic_store_n(&mm->last_hit, best, __ATOMIC_RELAXED);
	return best;
}

struct vma *vma_next(const struct vma *v)
{
	return vma_of(rb_next(&v->node));
}

struct vma *vma_prev(const struct vma *v)
{
	return vma_of(rb_prev(&v->node));
}

/*
 * The highest hole of `len` bytes within the part of [low, high) that lies in [lo, hi), where the subtree of v is all that lies in [lo, hi).
 * Subtrees whose holes are too small, or that lie beyond [low, high), are passed over; a hole that is large enough but cut by low or high can
 * disappoint once on each side, so the walk is O(log n). Recursion is as deep as the tree: 2 log2(65530) at most.
 */
struct hole {
	u64 len, low, high, at;
};

static bool hole_fits(struct hole *h, u64 lo, u64 hi)
{
	lo = max(lo, h->low);
	hi = min(hi, h->high);
	if (hi < lo || hi - lo < h->len)
		return false;
	h->at = hi - h->len;
	return true;
}

static bool hole_search(struct hole *h, const struct vma *v, u64 lo, u64 hi)
{
	u64 start;

	if (lo >= h->high || hi <= h->low)
		return false;
	if (!v)
		return hole_fits(h, lo, hi);
	if (v->gap < h->len && (v->sub_start <= lo || v->sub_start - lo < h->len) && (hi <= v->sub_end || hi - v->sub_end < h->len))
		return false;
	if (hole_search(h, vma_of(v->node.right), v->end, hi))
		return true;
	start = vma_gap_start(v);
	return start > lo && hole_search(h, vma_of(v->node.left), lo, start);
}

bool vma_find_gap(const struct mm *mm, u64 len, u64 low, u64 high, u64 *addr)
{
	struct hole h = { .len = len, .low = low, .high = high };

	if (!hole_search(&h, vma_of(mm->vmas.node), 0, USPACE_END))
		return false;
	*addr = h.at;
	return true;
}

/* --- Changing. */

static void link_mapping(struct vma *v)
{
	struct mapping *m = v->mapping;

	if (m) {
		mutex_lock(&m->vmas_lock);
		mapping_vma_link(v);
		mutex_unlock(&m->vmas_lock);
	}
}

void vma_link(struct vma *v)
{
	rb_add_augmented(&v->mm->vmas, &v->node, vma_less, &gap_augment);
	v->mm->n_vmas++;
	link_mapping(v);
}

void vma_chain_add(struct vma_chain *c, struct vma *v)
{
	if (c->last)
		c->last->node.right = &v->node;
	else
		c->first = v;
	c->last = v;
	c->n++;
	link_mapping(v);
}

void vma_chain_link(struct vma_chain *c, struct mm *mm)
{
	rb_build(&mm->vmas, c->first ? &c->first->node : NULL, c->n, &gap_augment);
	mm->n_vmas = c->n;
}

void vma_unlink(struct vma *v)
{
	struct mapping *m = v->mapping;

	if (m) {
		mutex_lock(&m->vmas_lock);
		mapping_vma_unlink(v);
		mutex_unlock(&m->vmas_lock);
	}
	rb_erase_augmented(&v->node, &v->mm->vmas, &gap_augment);
	v->mm->n_vmas--;
	v->mm->last_hit = NULL;
}

void vma_bury(struct vma *v)
{
	if (v->family)
		anon_family_leave(v);
	list_push_back(&v->mm->dead, &v->family_node);
}

int mm_write_lock(struct mm *mm)
{
	return rwsem_write_lock_killable(&mm->lock);
}

void mm_write_unlock(struct mm *mm)
{
	LIST_HEAD_DEFINE(dead);

	if (list_empty(&mm->dead)) {
		rwsem_write_unlock(&mm->lock);
		return;
	}
	list_splice_back(&dead, &mm->dead);
	rwsem_write_unlock(&mm->lock);
	while (!list_empty(&dead)) {
		struct vma *v = list_first_entry(&dead, struct vma, family_node);

		list_del(&v->family_node);
		vma_free(v);
	}
}

void vma_set_range(struct vma *v, u64 start, u64 end, u64 pgoff)
{
	struct mapping *m = v->mapping;

	if (m) {
		mutex_lock(&m->vmas_lock);
		mapping_vma_unlink(v);
	}
	v->start = start;
	v->end = end;
	v->pgoff = pgoff;
	rb_propagate(&v->node, &gap_augment);
	if (m) {
		mapping_vma_link(v);
		mutex_unlock(&m->vmas_lock);
	}
}

/* The upper half is a new VMA; pages stay where they are. */
int vma_split(struct vma *v, u64 addr, struct vma **upper)
{
	struct vma *u;

	if (v->flags & VMA_VDSO)
		return -EINVAL;		/* its parts would be of no use; as Linux */
	if (v->mm->n_vmas >= mm_tunables.max_map_count)
		return -ENOMEM;
	u = vma_alloc(v->mm);
	if (!u)
		return -ENOMEM;
	u->start = addr;
	u->end = v->end;
	u->pgoff = vma_index(v, addr);
	u->flags = v->flags;
	u->mapping = v->mapping;
	u->file = v->file;
	u->ops = v->ops;
	u->special = v->special;
	if (u->file)
		u->ops->get(u->file);
	if (u->mapping && (u->flags & VMA_SHARED) && (u->flags & VMA_MAY_WRITE))
		__atomic_fetch_add(&u->mapping->n_writable, 1, __ATOMIC_RELAXED);
	if (v->family)
		anon_family_join(u, v->family);
	vma_set_range(v, v->start, addr, v->pgoff);
	vma_link(u);
	*upper = u;
	return 0;
}

int vma_isolate(struct vma **v, u64 start, u64 end)
{
	struct vma *upper;
	int err;

	if ((*v)->start < start) {
		err = vma_split(*v, start, &upper);
		if (err)
			return err;
		*v = upper;
	}
	return (*v)->end > end ? vma_split(*v, end, &upper) : 0;
}

/* --- Merging. */

static bool are_alike(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && a->flags == b->flags && a->mapping == b->mapping && a->file == b->file &&
	       a->ops == b->ops && !a->special && !b->special && a->pgoff + vma_pages(a) == b->pgoff &&
	       (a->family == b->family || !a->family || !b->family);
}

/* b's pages become a's. */
static void absorb(struct vma *a, struct vma *b)
{
	u64 end = b->end;

	if (!a->family && b->family)
		anon_family_join(a, b->family);
	vma_unlink(b);
	vma_bury(b);
	vma_set_range(a, a->start, end, a->pgoff);
}

struct vma *vma_merge(struct vma *v)
{
	struct vma *prev = vma_prev(v), *next = vma_next(v);

	if (next && are_alike(v, next))
		absorb(v, next);
	if (prev && are_alike(prev, v)) {
		absorb(prev, v);
		return prev;
	}
	return v;
}

bool vma_extends(const struct vma *v, const struct mm_map_request *rq, u32 flags, u64 start, u64 end)
{
	u64 pgoff = rq->mapping ? rq->pgoff : start >> PAGE_SHIFT;

	if (v->flags != flags || v->mapping != rq->mapping || v->file != rq->file || v->ops != rq->ops || v->special || rq->special)
		return false;
	if (v->end == start)
		return v->pgoff + vma_pages(v) == pgoff;
	return v->start == end && pgoff + ((end - start) >> PAGE_SHIFT) == v->pgoff;
}
