/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Families of anonymous memory: which VMAs may map an anonymous page.
 *
 * A VMA gets a family with its first anonymous page. fork(2), splits and mremap(2) hand the family on, together with the numbering (vma_index), so
 * a page created by one member has the same number in all of them: (family, index) in page.owner and page.index is the page's identity, and
 * the VMAs on family.members that cover the index are all that can map it. Two members may have different pages at one index (after
 * copy-on-write): who walks them compares the entry with the page.
 * Merging joins two VMAs only if their families agree or one has none.
 *
 * Locking: family.lock guards members; order: mapping tree → family → page-table cursor. A VMA's `family` is set once under mm->family_lock, by faults
 * that hold mm->lock for reading; otherwise it changes with mm->lock held for writing.
 */
#include <lib/list.h>
#include <frame/log.h>
#include <frame/spinlock.h>
#include "mm/internal.h"

struct anon_family {
	struct ref refs;	/* one a member */
	struct spinlock lock;
	struct list members;	/* [lock] VMAs by family_node */
};

int anon_family_prepare(struct vma *v)
{
	struct anon_family *f;
	bool is_used = false;

	if (__atomic_load_n(&v->family, __ATOMIC_ACQUIRE))
		return 0;
	f = kmalloc(sizeof(*f), ALLOC_SLEEP);
	if (!f)
		return -ENOMEM;
	ref_init(&f->refs);
	spin_init(&f->lock, "anon family");
	list_init(&f->members);
	spin_lock(&v->mm->family_lock);
	if (!v->family) {
		list_push_back(&f->members, &v->family_node);
		__atomic_store_n(&v->family, f, __ATOMIC_RELEASE);
		is_used = true;
	}
	spin_unlock(&v->mm->family_lock);
	if (!is_used)
		kfree(f);
	return 0;
}

void anon_family_join(struct vma *v, struct anon_family *f)
{
	ref_get(&f->refs);
	v->family = f;
	spin_lock(&f->lock);
	list_push_back(&f->members, &v->family_node);
	spin_unlock(&f->lock);
}

void anon_family_leave(struct vma *v)
{
	struct anon_family *f = v->family;

	spin_lock(&f->lock);
	list_del(&v->family_node);
	spin_unlock(&f->lock);
	v->family = NULL;
	if (ref_put(&f->refs))
		kfree(f);
}

/* A new page, not yet visible to anyone. */
void anon_page_init(struct page *p, const struct vma *v, u64 addr)
{
	p->owner = v->family;
	p->index = vma_index(v, addr);
	p->flags = PG_ANON | PG_UPTODATE;
	mem_account(offsetof(struct mem_stat, anon), 1);
}
