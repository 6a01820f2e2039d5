/* SPDX-License-Identifier: MPL-2.0 */
/*
 * read(2) and write(2) through the page cache, for every file system that keeps pages in a mapping.
 *
 * Reading finds pages without a lock and copies while holding a reference only. Writing is called with the inode lock held, so no other write and no
 * truncation runs; but a page fault on the program's buffer may need this very mapping, so user memory is copied without faults while a page is locked,
 * and faulted in between. A page that is written as a whole, or that lies in a hole of a memory file, is filled before anybody can see it: no zeroing first.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include "sched/sched.h"
#include "mm/internal.h"
#include "mm/page_lock.h"

static size_t chunk_at(u64 pos, size_t n)
{
	return min(n, PAGE_SIZE - (pos & ~PAGE_MASK));
}

/* --- Reading. */

static ssize_t read_chunk(struct mapping *m, u64 pos, size_t n, struct iov_iter *it)
{
	struct page *page = mapping_lookup(m, pos >> PAGE_SHIFT);
	size_t done;
	int err;

	if (unlikely(!page || !page_has(page, PG_UPTODATE))) {
		if (page)
			page_put(page);
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

ssize_t mapping_read(struct mapping *m, u64 pos, struct iov_iter *it)
{
	u64 start = pos;
	ssize_t got = 0;

	while (it->count) {
		u64 size = LOAD_ACQUIRE(m->size);
		size_t n;

		if (pos >= size)
			break;
		n = chunk_at(pos, min(it->count, size - pos));
		got = read_chunk(m, pos, n, it);
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
