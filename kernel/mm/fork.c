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

/* Counts and references the pages of a run, up to one that is pinned: how many before it. */
static u32 take_shareable(const struct upte *run, u32 n, s64 rss[3])
{
	u32 i, anon = 0;

	for (i = 0; i < n; i++) {
		struct page *p = run[i].page;

		if (unlikely(run[i].bits & UPTE_SPECIAL))
			continue;
		if (likely(page_has(p, PG_ANON))) {
			if (unlikely(p->pins) && (run[i].bits & UPTE_EXCLUSIVE))
				break;
			anon++;
		} else {
			rss[page_has(p, PG_SHMEM) ? RSS_SHMEM : RSS_FILE]++;
		}
		page_get(p);
	}
	rss[RSS_ANON] += anon;
	return i;
}

/* Copies the entries that `from` stands on, and moves it past them. */
static int copy_run(struct ucursor *from, struct ucursor *to, const struct upte *run, u32 n, const struct vma *v, s64 rss[3])
{
	int err = 0;

	for (u32 i = 0, part; i < n && !err; i += part) {
		part = take_shareable(run + i, n - i, rss);
		if (likely(part)) {
			ucursor_share(from, to, UPTE_WRITE | UPTE_EXCLUSIVE, part);
		} else {
			part = 1;
			rss[RSS_ANON]++;
			err = copy_pinned(from, to, &run[i], v);
		}
		ucursor_advance(from, part);
	}
	return err;
}

/* Copies entries from *at up to the end of the leaf table that holds the first present one, and moves *at there. */
static int copy_leaf(struct vma *v, const struct vma *child, u64 *at, s64 rss[3])
{
	__uninitialized struct upte run[UCURSOR_BATCH];
	__uninitialized struct ucursor from, to;
	u64 first, end;
	bool is_present;
	int err = 0;
	u32 n;

	ucursor_open(&from, &v->mm->us, *at, v->end);
	is_present = ucursor_next(&from, run);
	first = from.at;
	ucursor_close(&from);
	if (!is_present) {
		*at = v->end;
		return 0;
	}
	end = min(v->end, ALIGN_DOWN(first, TABLE_SPAN) + TABLE_SPAN);
	err = uspace_prepare(&child->mm->us, first, end);
	if (err)
		return err;
	ucursor_open(&from, &v->mm->us, first, end);
	ucursor_open(&to, &child->mm->us, first, end);
	while (!err && (n = ucursor_next_run(&from, run, UCURSOR_BATCH)))
		err = copy_run(&from, &to, run, n, child, rss);
	ucursor_close(&to);
	ucursor_close(&from);
	*at = end;
	return err;
}

static int copy_vma(struct vma *v, struct mm *child, struct vma_chain *chain)
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
	vma_chain_add(chain, n);
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
	struct vma_chain chain = { 0 };
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
		err = current_killed() ? -EINTR : copy_vma(v, child, &chain);
		if (err)
			break;
	}
	vma_chain_link(&chain, child);
	rwsem_write_unlock(&child->lock);
	mm_write_unlock(parent);
	if (err) {
		mm_put(child);
		return err;
	}
	*out = child;
	return 0;
}
