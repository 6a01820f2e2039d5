/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Looking into an address space from outside: another process's memory (ptrace(2), /proc/PID/mem), the list of mappings and their use (/proc/PID/maps,
 * smaps), and what a futex word is.
 *
 * Locking: mm->lock for reading, a page at a time; the copy is made with only a reference held.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include "sched/sched.h"
#include "mm/internal.h"

/* Reading needs VMA_READ; force needs VMA_MAY_READ. Writing needs VMA_WRITE; force a private mapping that could have it. */
static bool may_access(const struct vma *v, bool is_write, bool force)
{
	if (!is_write)
		return (v->flags & VMA_READ) || (force && (v->flags & VMA_MAY_READ));
	return (v->flags & VMA_WRITE) || (force && (v->flags & (VMA_MAY_WRITE | VMA_SHARED)) == VMA_MAY_WRITE);
}

/* The page as the table has it now, referenced; NULL if the fault's work was undone meanwhile. */
static struct page *present_page(struct fault *f)
{
	__uninitialized struct ucursor c;
	struct page *page = NULL;
	struct upte e;

	ucursor_open(&c, &f->mm->us, f->addr, f->addr + PAGE_SIZE);
	if (ucursor_seek(&c, f->addr, &e) && e.page &&
	    (!f->is_write || (e.bits & UPTE_WRITE) || (f->is_forced && (e.bits & UPTE_EXCLUSIVE)))) {
		page = e.page;
		page_get(page);
	}
	ucursor_close(&c);
	return page;
}

/* One try: 0 with *out NULL means again. */
static int try_get_page(struct fault *f, u64 addr, bool force, struct page **out)
{
	int r;

	if (rwsem_read_lock_killable(&f->mm->lock))
		return -EINTR;
	*out = NULL;
	f->is_unlocked = false;
	f->v = mm_find_vma(f->mm, addr);
	if (!f->v || f->v->start > addr || (f->v->flags & VMA_IO) || !may_access(f->v, f->is_write, force)) {
		rwsem_read_unlock(&f->mm->lock);
		return -EFAULT;
	}
	f->is_forced = force && f->is_write && !(f->v->flags & VMA_WRITE);
	r = fault_page(f);
	if (r == FAULT_OK)
		*out = present_page(f);
	if (!f->is_unlocked)
		rwsem_read_unlock(&f->mm->lock);
	return r == FAULT_OK || r == FAULT_RETRY ? 0 : r == FAULT_KILLED ? -EINTR : r == FAULT_OOM ? -ENOMEM : -EFAULT;
}

static int get_page(struct mm *mm, u64 addr, bool is_write, bool force, struct page **out)
{
	struct fault f = { .mm = mm, .addr = ALIGN_DOWN(addr, PAGE_SIZE), .is_write = is_write };
	int r;

	do
		r = try_get_page(&f, addr, force, out);
	while (!r && !*out);
	fault_finish(&f);
	return r;
}

int mm_get_page(struct mm *mm, u64 addr, struct page **out)
{
	return addr < USPACE_END ? get_page(mm, addr, false, false, out) : -EFAULT;
}

ssize_t mm_access(struct mm *mm, u64 addr, void *buf, size_t len, bool is_write, bool force)
{
	size_t done = 0;

	if (addr >= USPACE_END)
		return len ? -EIO : 0;
	len = min(len, USPACE_END - addr);
	while (done < len) {
		size_t offset = (addr + done) & ~PAGE_MASK, n = min(len - done, PAGE_SIZE - offset);
		struct page *page;
		char *at;
		int err = get_page(mm, addr + done, is_write, force, &page);

		if (err)
			return done ? (ssize_t)done : err == -EFAULT ? -EIO : err;
		at = (char *)page_kva(page) + offset;
		if (is_write)
			memcpy(at, (char *)buf + done, n);
		else
			memcpy((char *)buf + done, at, n);
		page_put(page);
		done += n;
		sched_check();
	}
	return (ssize_t)done;
}

/* --- Lists and numbers. */

int mm_each_vma(struct mm *mm, int (*fn)(const struct vma *v, void *arg), void *arg)
{
	struct vma *v;
	int r = 0;

	r = rwsem_read_lock_killable(&mm->lock);
	if (r)
		return r;
	rb_for_each_entry(v, &mm->vmas, node) {
		r = fn(v, arg);
		if (r)
			break;
	}
	rwsem_read_unlock(&mm->lock);
	return r;
}

static void count_usage(const struct upte *e, struct vma_usage *u)
{
	s32 users = max(page_map_count(e->page), 1);
	bool is_dirty = (e->bits & UPTE_DIRTY) || page_has(e->page, PG_DIRTY);

	u->rss++;
	u->pss_bytes += PAGE_SIZE / (u64)users;
	if (page_has(e->page, PG_ANON))
		u->anonymous++;
	if ((e->bits & UPTE_ACCESSED) || page_has(e->page, PG_REFERENCED))
		u->referenced++;
	if (users > 1 && is_dirty)
		u->shared_dirty++;
	else if (users > 1)
		u->shared_clean++;
	else if (is_dirty)
		u->private_dirty++;
	else
		u->private_clean++;
}

void mm_vma_usage(const struct vma *v, struct vma_usage *out)
{
	__uninitialized struct ucursor c;
	struct upte e;

	*out = (struct vma_usage){ 0 };
	ucursor_open(&c, &v->mm->us, v->start, v->end);
	while (ucursor_next(&c, &e)) {
		if (!(e.bits & UPTE_SPECIAL))
			count_usage(&e, out);
		ucursor_advance(&c, 1);
	}
	ucursor_close(&c);
}

/* --- Futex words. */

/* A word in shared memory is known by where it is in the mapping: all who map it mean the same futex. Any other is this address space's own. */
int mm_futex_key(struct mm *mm, u64 addr, bool is_private, bool is_write, struct mm_key *key)
{
	struct vma *v;
	int err = 0;

	if (addr >= USPACE_END)
		return -EFAULT;
	*key = (struct mm_key){ .a = (u64)(uintptr_t)mm, .b = ALIGN_DOWN(addr, PAGE_SIZE), .off = (u32)(addr & ~PAGE_MASK) };
	if (is_private)
		return 0;
	err = rwsem_read_lock_killable(&mm->lock);
	if (err)
		return err;
	v = mm_find_vma(mm, addr);
	if (!v || v->start > addr || !may_access(v, is_write || !v->mapping, false)) {
		err = -EFAULT;		/* anonymous memory must be writable, as Linux has it */
	} else if (v->mapping && (v->flags & VMA_SHARED) && vma_index(v, addr) >= DIV_ROUND_UP(READ_ONCE(v->mapping->size), PAGE_SIZE)) {
		err = -EFAULT;		/* cut off since it was mapped */
	} else if (v->mapping && (v->flags & VMA_SHARED)) {
		key->is_shared = true;
		key->mapping = v->mapping;
		key->a = (u64)(uintptr_t)v->mapping;
		key->b = vma_index(v, addr);
		key->file = v->file;
		key->ops = v->ops;
		if (key->file)
			key->ops->get(key->file);
	}
	rwsem_read_unlock(&mm->lock);
	return err;
}

void mm_futex_key_put(struct mm_key *key)
{
	if (key->file)
		key->ops->put(key->file);
	key->file = NULL;
}
