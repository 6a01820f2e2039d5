/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Copying an address space for fork(2): the child gets copies of the VMAs, and of the page-table entries that could not be found again by a fault: those
 * of VMAs with anonymous pages. Their pages become shared and read-only in both (UPTE_EXCLUSIVE goes): the next write copies. Pinned pages are
 * copied at once, so that the device goes on writing where the parent looks. Pages of files and of shared memory come back by faults.
 *
 * Locking: the parent's mm->lock for writing, so nothing faults meanwhile; the child's is free but taken for the checker's sake. Tables of the child are made
 * one leaf at a time between cursors, since cursors do not sleep.
 */
#include <lib/string.h>
#include <frame/log.h>
#include "sched/sched.h"
#include "mm/internal.h"

/* The child's VMA like v, not linked. */
static struct vma *vma_dup(const struct vma *v, struct mm *child)
{
	struct vma *n = vma_alloc(child);

	if (!n)
		return NULL;
	n->start = v->start;
	n->end = v->end;
	n->pgoff = v->pgoff;
	n->flags = v->flags & ~(u32)(VMA_LOCKED | VMA_LOCK_ONFAULT);
	n->mapping = v->mapping;
	n->file = v->file;
	n->ops = v->ops;
	n->special = v->special;
	if (n->file)
		n->ops->get(n->file);
	if (n->mapping && (n->flags & VMA_SHARED) && (n->flags & VMA_MAY_WRITE))
		__atomic_fetch_add(&n->mapping->n_writable, 1, __ATOMIC_RELAXED);
	if (v->family && !(v->flags & VMA_WIPEONFORK))
		anon_family_join(n, v->family);
	return n;
}

/* A pinned page cannot be shared: the child gets a copy. -ENOMEM: no memory without sleeping. */
static int copy_pinned(struct ucursor *from, struct ucursor *to, const struct upte *e, const struct vma *n)
{
	struct page *copy = page_alloc(0, FRAME_UNTYPED, ALLOC_ATOMIC | ALLOC_USER);
	struct upte absent;

	if (!copy)
		return -ENOMEM;
	if (!ucursor_seek(to, from->at, &absent)) {
		page_put(copy);
		return -ENOMEM;
	}
	memcpy(page_kva(copy), page_kva(e->page), PAGE_SIZE);
	anon_page_init(copy, n, from->at);
	ucursor_map(to, copy, e->bits);
	return 0;
}

/* Copies the entry that `from` stands on. */
static int copy_entry(struct ucursor *from, struct ucursor *to, const struct upte *e, const struct vma *n, s64 rss[3])
{
	if (e->bits & UPTE_SPECIAL) {
		ucursor_share(from, to, 0);
		return 0;
	}
	if (page_has(e->page, PG_ANON)) {
		rss[RSS_ANON]++;
		if (unlikely(e->page->pins) && (e->bits & UPTE_EXCLUSIVE))
			return copy_pinned(from, to, e, n);
	} else {
		rss[page_has(e->page, PG_SHMEM) ? RSS_SHMEM : RSS_FILE]++;
	}
	page_get(e->page);
	ucursor_share(from, to, UPTE_WRITE | UPTE_EXCLUSIVE);
	return 0;
}

/* Copies entries from *at up to the end of the leaf table that holds the first present one, and moves *at there. */
static int copy_leaf(struct vma *v, const struct vma *n, u64 *at, s64 rss[3])
{
	__uninitialized struct ucursor from, to;
	u64 first, end;
	struct upte e;
	bool is_present;
	int err = 0;

	ucursor_open(&from, &v->mm->us, *at, v->end);
	is_present = ucursor_next(&from, &e);
	first = from.at;
	ucursor_close(&from);
	if (!is_present) {
		*at = v->end;
		return 0;
	}
	end = min(v->end, ALIGN_DOWN(first, TABLE_SPAN) + TABLE_SPAN);
	err = uspace_prepare(&n->mm->us, first, end);
	if (err)
		return err;
	ucursor_open(&from, &v->mm->us, first, end);
	ucursor_open(&to, &n->mm->us, first, end);
	while (!err && ucursor_next(&from, &e)) {
		err = copy_entry(&from, &to, &e, n, rss);
		ucursor_advance(&from);
	}
	ucursor_close(&to);
	ucursor_close(&from);
	*at = end;
	return err;
}

static int copy_vma(struct vma *v, struct mm *child)
{
	s64 rss[3] = { 0, 0, 0 };
	struct vma *n;
	int err = 0;

	if ((v->flags & VMA_ACCOUNT) && mm_commit_charge(vma_pages(v)))
		return -ENOMEM;
	n = vma_dup(v, child);
	if (!n) {
		if (v->flags & VMA_ACCOUNT)
			mm_commit_uncharge(vma_pages(v));
		return -ENOMEM;
	}
	vma_link(n);
	mm_count_pages(child, n->flags, (s64)vma_pages(n));
	if (!n->family)
		return 0;
	for (u64 at = v->start; !err && at < v->end;) {
		err = copy_leaf(v, n, &at, rss);
		sched_check();
	}
	mm_rss_add(child, rss);
	return err;
}

int mm_fork(struct mm *parent, struct mm **out)
{
	struct mm *child;
	struct vma *v;
	int err;

	err = mm_write_lock(parent);
	if (err)
		return err;
	err = mm_create_like(parent, &child);
	if (err) {
		mm_write_unlock(parent);
		return err;
	}
	rwsem_write_lock_nested(&child->lock, 1);
	rb_for_each_entry(v, &parent->vmas, node) {
		if (v->flags & VMA_DONTFORK)
			continue;
		err = current_killed() ? -EINTR : copy_vma(v, child);
		if (err)
			break;
	}
	rwsem_write_unlock(&child->lock);
	mm_write_unlock(parent);
	if (err) {
		mm_put(child);
		return err;
	}
	*out = child;
	return 0;
}
