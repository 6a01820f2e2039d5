/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Faults on mappings: shared pages straight from the page cache, private writes into a copy.
 *
 * mapping->invalidate is held for reading from the check of the size until the entry stands, so truncation, which holds it for writing while it unmaps
 * and removes pages, sees every entry or none. Beyond the page that holds the last byte: SIGBUS (mmap(2)).
 * Where writes must be noticed (write_page), a shared page is mapped read-only until the first write fault marks it dirty under its page lock. Memory
 * file systems need no notice: there the entry is writable at once.
 * A read fault maps what is in the cache of the 16 pages around as well: the next faults are saved for a little more work now.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include "mm/internal.h"
#include "mm/page_lock.h"

#define AROUND 16

static u64 *rss_of(struct mm *mm, const struct page *p)
{
	return page_has(p, PG_SHMEM) ? &mm->rss_shmem : &mm->rss_file;
}

static inline s64 set_mapped(struct page *p)
{
	return !page_has(p, PG_MAPPED) && !page_flag_test_set(p, PG_MAPPED);
}

/* Maps a cache page where nothing is; takes the reference over. */
static void map_cached(struct mm *mm, struct ucursor *c, struct page *p, u32 bits)
{
	ucursor_map(c, p, bits);
	__atomic_fetch_add(rss_of(mm, p), 1, __ATOMIC_RELAXED);
	if (set_mapped(p))
		mem_account(offsetof(struct mem_stat, mapped), 1);
}

static u32 shared_bits(const struct fault *f, bool is_writable_now)
{
	u32 bits = vma_pte_bits(f->v);

	if (!(f->v->flags & VMA_SHARED) || (mapping_tracks_dirty(f->v->mapping) && !is_writable_now))
		bits &= ~(u32)UPTE_WRITE;
	return bits;
}

/* The window of pages around the fault, within the VMA, the file and one leaf table. */
static u64 window(const struct fault *f, u64 n_file_pages, u32 *n)
{
	u64 start = max(ALIGN_DOWN(f->addr, AROUND * PAGE_SIZE), f->v->start);
	u64 end = min(ALIGN_DOWN(f->addr, AROUND * PAGE_SIZE) + AROUND * PAGE_SIZE, f->v->end);
	u64 left = n_file_pages - vma_index(f->v, start);

	*n = (u32)min((end - start) >> PAGE_SHIFT, left);
	return start;
}

/* Counts those of a mapping's pages that have been mapped, bits of `mapped`, and puts the others' references. */
static void settle_around(struct mm *mm, struct page *const *pages, u32 n, u64 mapped)
{
	s64 n_rss = 0, n_mapped = 0;
	struct page *last = NULL;

	for (u32 i = 0; i < n; i++) {
		struct page *p = pages[i];

		if (!p)
			continue;
		if (mapped & (1ull << i)) {
			n_rss++;
			n_mapped += set_mapped(p);
			last = p;
		} else {
			page_put(p);
		}
	}
	if (last)
		__atomic_fetch_add(rss_of(mm, last), (u64)n_rss, __ATOMIC_RELAXED);
	if (n_mapped)
		mem_account(offsetof(struct mem_stat, mapped), n_mapped);
}

/* mapping->invalidate is held for reading. -1: the page in question is not in the cache. */
static int fault_around(struct fault *f, u64 n_file_pages)
{
	__uninitialized struct ucursor c;
	__uninitialized struct page *pages[AROUND];
	struct upte e;
	u64 start, mapped = 0;
	int r = -1;
	u32 n, wanted;

	start = window(f, n_file_pages, &n);
	wanted = (u32)((f->addr - start) >> PAGE_SHIFT);
	if (!mapping_gang_lookup(f->v->mapping, vma_index(f->v, start), n, pages))
		return -1;
	if (uspace_prepare(&f->mm->us, start, start + n * PAGE_SIZE))
		r = FAULT_OOM;
	else if (pages[wanted])
		r = FAULT_OK;
	ucursor_open(&c, &f->mm->us, start, start + n * PAGE_SIZE);
	if (r == FAULT_OK && ucursor_seek(&c, start, &e))
		mapped = ucursor_map_run(&c, pages, n, shared_bits(f, false), wanted);
	settle_around(f->mm, pages, n, mapped);
	ucursor_close(&c);
	return r;
}

/* A private write to a page that is not in the table: copies it without mapping it first. */
static int copy_private(struct fault *f, struct page *page)
{
	__uninitialized struct ucursor c;
	struct page *copy = page_alloc(0, FRAME_UNTYPED, ALLOC_SLEEP | ALLOC_USER);
	struct upte e;
	bool is_there;

	if (!copy)
		return FAULT_OOM;
	memcpy(page_kva(copy), page_kva(page), PAGE_SIZE);
	ucursor_open(&c, &f->mm->us, f->addr, f->addr + PAGE_SIZE);
	is_there = ucursor_seek(&c, f->addr, &e) && !e.page;
	if (is_there) {
		anon_page_init(copy, f->v, f->addr);
		ucursor_map(&c, copy, vma_pte_bits(f->v) | UPTE_EXCLUSIVE | UPTE_ACCESSED | UPTE_DIRTY);
		__atomic_fetch_add(&f->mm->rss_anon, 1, __ATOMIC_RELAXED);
	}
	ucursor_close(&c);
	if (!is_there)
		page_free(copy, 0);
	return is_there ? FAULT_OK : FAULT_RETRY;
}

/* The page, shared: absent from the table, or there but not writable yet. Takes the reference over. */
static int map_shared(struct fault *f, struct page *page)
{
	u32 bits = shared_bits(f, f->is_write) | UPTE_ACCESSED | (f->is_write ? UPTE_DIRTY : 0);
	__uninitialized struct ucursor c;
	struct upte e;
	int r = FAULT_OK;

	ucursor_open(&c, &f->mm->us, f->addr, f->addr + PAGE_SIZE);
	if (!ucursor_seek(&c, f->addr, &e)) {
		r = FAULT_RETRY;
	} else if (!e.page) {
		map_cached(f->mm, &c, page, bits);
		page = NULL;
	} else if (e.page == page && f->is_write && !(e.bits & UPTE_WRITE)) {
		ucursor_protect(&c, &e, e.bits | bits);
	}
	ucursor_close(&c);
	if (page)
		page_put(page);
	return r;
}

/* Before a shared page becomes writable: room for it is reserved and it is marked dirty. */
static int make_dirty(struct fault *f, struct page *page)
{
	struct mapping *m = f->v->mapping;
	int err = 0;

	if (!mapping_tracks_dirty(m) || page_has(page, PG_DIRTY))
		return 0;
	page_lock(page);
	if (m->ops->reserve)
		err = m->ops->reserve(m, page->index);
	if (!err)
		mapping_set_dirty(m, page);
	page_unlock(page);
	return err;
}

static int result_of(int err)
{
	return err == -ENOMEM ? FAULT_OOM : err == -EINTR ? FAULT_KILLED : FAULT_SIGBUS;
}

/* mapping->invalidate is held for reading. */
static int fault_mapped(struct fault *f, u64 n_pages)
{
	struct mapping *m = f->v->mapping;
	bool is_shared = (f->v->flags & VMA_SHARED) != 0;
	struct page *page;
	int r;

	if (!f->is_write) {
		r = fault_around(f, n_pages);
		if (r >= 0)
			return r;
	}
	r = mapping_get(m, vma_index(f->v, f->addr), true, &page);
	if (r)
		return result_of(r);
	if (uspace_prepare(&f->mm->us, f->addr, f->addr + PAGE_SIZE)) {
		page_put(page);
		return FAULT_OOM;
	}
	if (f->is_write && !is_shared) {
		r = copy_private(f, page);
		page_put(page);
		return r;
	}
	r = f->is_write ? make_dirty(f, page) : 0;
	if (r) {
		page_put(page);
		return result_of(r);
	}
	if (f->is_write && f->v->file)
		f->v->ops->written(f->v->file);
	return map_shared(f, page);
}

/* The page must be read in: that is waited for without mm->lock, the file kept by a reference; then the fault starts over. */
static int read_unlocked(struct fault *f)
{
	struct mapping *m = f->v->mapping;
	const struct vma_ops *ops = f->v->ops;
	struct file *file = f->v->file;
	u64 index = vma_index(f->v, f->addr);
	struct page *page = NULL;
	int err;

	ops->get(file);
	f->was_retried = f->is_unlocked = true;
	rwsem_read_unlock(&f->mm->lock);
	err = mapping_get(m, index, true, &page);
	if (page)
		page_put(page);
	ops->put(file);
	return err ? result_of(err) : FAULT_RETRY;
}

int fault_file(struct fault *f)
{
	struct mapping *m = f->v->mapping;
	u64 index = vma_index(f->v, f->addr), n_pages;
	struct page *page;
	bool is_ready;
	int r;

	rwsem_read_lock(&m->invalidate);
	n_pages = DIV_ROUND_UP(LOAD_ACQUIRE(m->size), PAGE_SIZE);
	if (index >= n_pages) {
		rwsem_read_unlock(&m->invalidate);
		return FAULT_SIGBUS;
	}
	if (m->ops->read_page && f->v->file && !f->was_retried) {
		page = mapping_lookup(m, index);
		is_ready = page && page_has(page, PG_UPTODATE);
		if (page)
			page_put(page);
		if (!is_ready) {
			rwsem_read_unlock(&m->invalidate);
			return read_unlocked(f);
		}
	}
	r = fault_mapped(f, n_pages);
	rwsem_read_unlock(&m->invalidate);
	return r;
}
