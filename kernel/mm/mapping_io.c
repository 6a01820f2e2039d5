/* SPDX-License-Identifier: MPL-2.0 */
/*
 * read(2) and write(2) through the page cache, for every file system that keeps pages in a mapping.
 *
 * Reading finds pages without a lock, up to READ_GANG by one walk, and copies while holding references only. Writing is called with the inode lock held, so no other write and no
 * truncation runs; but a page fault on the program's buffer may need this very mapping, so user memory is copied without faults while a page is locked,
 * and faulted in between. A page that is written as a whole, or that lies in a hole of a memory file, is filled before anybody can see it: no zeroing first.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include "sched/sched.h"
#include "mm/internal.h"
#include "mm/page_lock.h"

#define READ_GANG 16u		/* pages at once */

static size_t chunk_at(u64 pos, size_t n)
{
	return min(n, PAGE_SIZE - (pos & ~PAGE_MASK));
}

/* --- Reading. */

/* page: what a look-up found, with a reference that is taken over; NULL if it was not there or not ready. */
static ssize_t read_page(struct mapping *m, struct page *page, u64 pos, size_t n, struct iov_iter *it)
{
	size_t done;
	int err;

	if (unlikely(!page)) {
		err = mapping_get(m, pos >> PAGE_SHIFT, false, &page);
		if (err)
			return err;
		if (!page)
			return (ssize_t)iov_zero(it, n);
	} else if (page_has(page, PG_LRU) && !page_has(page, PG_REFERENCED)) {
		page_flag_set(page, PG_REFERENCED);
	}
	done = iov_copy_to(it, (char *)page_kva(page) + (pos & ~PAGE_MASK), n);
	page_put(page);
	return (ssize_t)done;
}

static ssize_t read_one(struct mapping *m, u64 pos, size_t n, struct iov_iter *it)
{
	struct page *page = mapping_lookup(m, pos >> PAGE_SHIFT);

	if (unlikely(page && !page_has(page, PG_UPTODATE))) {
		page_put(page);
		page = NULL;
	}
	return read_page(m, page, pos, n, it);
}

/* Bytes of several pages, found by one walk of the tree. A short count is a fault; an error is reported if it is met first. */
static ssize_t read_gang(struct mapping *m, u64 pos, size_t len, struct iov_iter *it)
{
	__uninitialized struct page *pages[READ_GANG];
	u32 n_pages = (u32)(((pos & ~PAGE_MASK) + len + PAGE_SIZE - 1) >> PAGE_SHIFT), i;
	ssize_t done = 0, got = 0;
	size_t n;

	if (n_pages == 1)
		return read_one(m, pos, len, it);
	mapping_gang_lookup(m, pos >> PAGE_SHIFT, n_pages, pages);
	for (i = 0; i < n_pages; i++, done += got) {
		n = chunk_at(pos + (u64)done, len - (size_t)done);
		got = read_page(m, pages[i], pos + (u64)done, n, it);
		if (unlikely(got < (ssize_t)n))
			break;
	}
	if (likely(i == n_pages))
		return done;
	while (++i < n_pages)
		if (pages[i])
			page_put(pages[i]);
	return got > 0 ? done + got : done ? done : got;
}

ssize_t mapping_read(struct mapping *m, u64 pos, struct iov_iter *it)
{
	u64 start = pos;
	ssize_t got = 0;

	while (it->count) {
		u64 size = LOAD_ACQUIRE(m->size);
		size_t n;

		if (pos >= size)
			break;
		n = min(min(it->count, size - pos), READ_GANG * PAGE_SIZE - (pos & ~PAGE_MASK));
		got = read_gang(m, pos, n, it);
		if (got > 0)
			pos += (u64)got;
		if (got < (ssize_t)n) {
			got = got < 0 ? got : -EFAULT;
			break;
		}
		got = 0;
		if (task_work(current_task()) & (TASK_WORK_RESCHED | TASK_WORK_KILL)) {
			if (current_killed())
				break;
			sched_check();
		}
	}
	return pos > start ? (ssize_t)(pos - start) : got;
}

/* --- Writing. Each returns bytes written: 0 means the user's memory was not there; or -errno. */

static ssize_t write_present(struct mapping *m, struct page *page, u64 pos, size_t n, struct iov_iter *it)
{
	bool tracks = mapping_tracks_dirty(m);
	size_t done;
	int err;

	if (tracks) {
		err = page_lock_killable(page);
		if (err)
			return err;
		if (!page_has(page, PG_CACHE)) {	/* reclaimed meanwhile */
			page_unlock(page);
			return -EAGAIN;
		}
		page_wait_writeback(page);
		err = m->ops->reserve && !page_has(page, PG_DIRTY) ? m->ops->reserve(m, page->index) : 0;
		if (err) {
			page_unlock(page);
			return err;
		}
	}
	done = iov_nofault_from(it, (char *)page_kva(page) + (pos & ~PAGE_MASK), n);
	if (tracks) {
		if (done)
			mapping_set_dirty(m, page);
		page_unlock(page);
	}
	return (ssize_t)done;
}

/* A hole, or a page that is wholly overwritten: fills a new page, then inserts it. */
static ssize_t write_new(struct mapping *m, u64 pos, size_t n, struct iov_iter *it)
{
	size_t offset = pos & ~PAGE_MASK, done;
	struct page *page;
	char *at;
	int err = m->ops->reserve ? m->ops->reserve(m, pos >> PAGE_SHIFT) : 0;

	if (err)
		return err;
	page = page_alloc(0, FRAME_UNTYPED, ALLOC_SLEEP | ALLOC_USER);
	if (!page) {
		err = current_killed() ? -EINTR : -ENOMEM;
		goto out_release;
	}
	at = page_kva(page);
	memset(at, 0, offset);
	done = iov_nofault_from(it, at + offset, n);
	memset(at + offset + done, 0, PAGE_SIZE - offset - done);
	if (done == n || (done && !m->ops->read_page)) {
		err = mapping_insert(m, pos >> PAGE_SHIFT, page);
		if (!err) {
			mapping_set_dirty(m, page);
			return (ssize_t)done;
		}
		if (err == -EEXIST)
			err = -EAGAIN;
	}
	iov_revert(it, done);
	page_free(page, 0);
out_release:
	if (m->ops->released)
		m->ops->released(m, 1);
	return err;
}

static ssize_t write_chunk(struct mapping *m, u64 pos, size_t n, struct iov_iter *it)
{
	bool whole = n == PAGE_SIZE || !m->ops->read_page;
	struct page *page = mapping_lookup(m, pos >> PAGE_SHIFT);
	ssize_t done;
	int err;

	iov_settle(it);		/* write_new may have to go back by what it took */
	if (!page && whole && it->seg_off + n <= it->seg->len)
		return write_new(m, pos, n, it);
	if (!page || !page_has(page, PG_UPTODATE)) {
		if (page)
			page_put(page);
		err = mapping_get(m, pos >> PAGE_SHIFT, true, &page);
		if (err)
			return err;
	}
	done = write_present(m, page, pos, n, it);
	page_put(page);
	return done;
}

ssize_t mapping_write(struct mapping *m, u64 pos, struct iov_iter *it)
{
	u64 start = pos;
	ssize_t done = 0;

	while (it->count) {
		size_t n = chunk_at(pos, it->count);

		done = write_chunk(m, pos, n, it);
		if (done == -EAGAIN)
			continue;
		if (done < 0)
			break;
		if (done == 0) {
			done = iov_prefault(it, n, false);
			if (done)
				break;
			continue;
		}
		pos += (u64)done;
		if (pos > READ_ONCE(m->size))
			STORE_RELEASE(m->size, pos);
		if (task_work(current_task()) & (TASK_WORK_RESCHED | TASK_WORK_KILL)) {
			if (current_killed()) {
				done = -EINTR;
				break;
			}
			sched_check();
		}
	}
	return pos > start ? (ssize_t)(pos - start) : done > 0 ? 0 : done;
}
