/* SPDX-License-Identifier: MPL-2.0 */
/* The page lock: PG_LOCKED, with hashed wait queues. Sleeping lock; order: mapping invalidation → page lock → mapping tree. */
#ifndef MM_PAGE_LOCK_H
#define MM_PAGE_LOCK_H

#include <lib/types.h>
#include "mm/page_flags.h"

void page_lock(struct page *p);
__must_check int page_lock_killable(struct page *p);	/* -EINTR */
__must_check bool page_trylock(struct page *p);
void page_unlock(struct page *p);
void page_wait_writeback(struct page *p);		/* the page is locked or referenced */
void page_end_writeback(struct page *p);		/* any context */
void page_lock_init(void);

#endif
