/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Page locks and waiting for write-back. A waiter sets PG_WAITERS after it is on the queue of the page's hash and before it looks at the flag
 * again; who clears the flag wakes if PG_WAITERS is set. So either the waiter sees the flag clear or the other sees the waiter. PG_WAITERS is cleared
 * by the waker: those who still wait set it again.
 */
#include <lib/hash.h>
#include <lib/errno.h>
#include "sync/wait.h"
#include "mm/page_lock.h"

#define QUEUES_LOG2 6

static struct waitq queues[1 << QUEUES_LOG2];

void page_lock_init(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(queues); i++)
		waitq_init(&queues[i], "page wait");
}

static struct waitq *queue_of(const struct page *p)
{
	return &queues[hash_bits(hash_ptr(p), QUEUES_LOG2)];
}

static bool is_clear_or_mark(struct page *p, u32 flag)
{
	if (!page_has(p, flag))
		return true;
	page_flag_set(p, PG_WAITERS);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !page_has(p, flag);
}

static void clear_and_wake(struct page *p, u32 flag)
{
	if (__atomic_fetch_and(&p->flags, ~(flag | PG_WAITERS), __ATOMIC_SEQ_CST) & PG_WAITERS)
		waitq_wake_all(queue_of(p));
}

bool page_trylock(struct page *p)
{
	return !page_flag_test_set(p, PG_LOCKED);
}

void page_lock(struct page *p)
{
	while (!page_trylock(p))
		(void)WAIT_EVENT(queue_of(p), is_clear_or_mark(p, PG_LOCKED), SLEEP_UNINTERRUPTIBLE, SLEEP_FOREVER);
}

int page_lock_killable(struct page *p)
{
	while (!page_trylock(p))
		if (WAIT_EVENT(queue_of(p), is_clear_or_mark(p, PG_LOCKED), SLEEP_KILLABLE, SLEEP_FOREVER))
			return -EINTR;
	return 0;
}

void page_unlock(struct page *p)
{
	clear_and_wake(p, PG_LOCKED);
}

void page_wait_writeback(struct page *p)
{
	(void)WAIT_EVENT(queue_of(p), is_clear_or_mark(p, PG_WRITEBACK), SLEEP_UNINTERRUPTIBLE, SLEEP_FOREVER);
}

void page_end_writeback(struct page *p)
{
	clear_and_wake(p, PG_WRITEBACK);
}
