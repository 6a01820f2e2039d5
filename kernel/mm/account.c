/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How much memory processes may ask for: the overcommit account (proc(5), /proc/sys/vm/overcommit_memory), RLIMIT_AS, RLIMIT_DATA and RLIMIT_MEMLOCK
 * (getrlimit(2)), and each address space's own counts.
 *
 * Charged is private writable memory without MAP_NORESERVE (in mode 2 with it, too), and shared anonymous memory by tmpfs. One atomic counter.
 * An address space's counts are guarded by mm->lock (writing).
 */
#include <lib/errno.h>
#include "abi/mman.h"
#include "abi/process.h"
#include "object/cred.h"
#include "mm/internal.h"
#include "mm/page_alloc.h"

struct mm_tunables mm_tunables = {
	.overcommit_memory = OVERCOMMIT_GUESS,
	.overcommit_ratio = 50,
	.max_map_count = 65530,
	.randomize_va_space = 2,
	.mmap_min_addr = 65536,
	.admin_reserve_kbytes = 8192,
	.user_reserve_kbytes = 131072,
};

static u64 committed;		/* [a] pages */

u64 mm_committed_pages(void)
{
	return READ_ONCE(committed);
}

u64 mm_commit_limit(void)
{
	u64 kbytes = READ_ONCE(mm_tunables.overcommit_kbytes);

	if (kbytes)
		return kbytes >> (PAGE_SHIFT - 10);
	return page_alloc_total() * READ_ONCE(mm_tunables.overcommit_ratio) / 100;
}

/* Mode 2: the limit, less what is kept for root's and the user's own recovery (Documentation of admin_reserve_kbytes, user_reserve_kbytes). */
static bool fits_strictly(u64 total)
{
	u64 limit = mm_commit_limit(), reserve = 0;
	const struct mm *mm = current_mm();

	if (!capable(&init_user_ns, CAP_SYS_ADMIN))
		reserve += READ_ONCE(mm_tunables.admin_reserve_kbytes) >> (PAGE_SHIFT - 10);
	if (mm)
		reserve += min(mm->total_pages / 32, READ_ONCE(mm_tunables.user_reserve_kbytes) >> (PAGE_SHIFT - 10));
	return limit > reserve && total <= limit - reserve;
}

int mm_commit_charge(u64 pages)
{
	u64 total = __atomic_add_fetch(&committed, pages, __ATOMIC_RELAXED);
	u32 mode = READ_ONCE(mm_tunables.overcommit_memory);

	/* Mode 0 refuses only what could never be: one request larger than all memory and swap. */
	if (mode == OVERCOMMIT_ALWAYS || (mode == OVERCOMMIT_GUESS && pages <= page_alloc_total()) ||
	    (mode == OVERCOMMIT_NEVER && fits_strictly(total)))
		return 0;
	mm_commit_uncharge(pages);
	return -ENOMEM;
}

void mm_commit_uncharge(u64 pages)
{
	__atomic_fetch_sub(&committed, pages, __ATOMIC_RELAXED);
}

bool mm_is_accountable(u32 vma_flags)
{
	if ((vma_flags & VMA_NORESERVE) && READ_ONCE(mm_tunables.overcommit_memory) != OVERCOMMIT_NEVER)
		return false;
	return (vma_flags & (VMA_WRITE | VMA_SHARED)) == VMA_WRITE;
}

/* RLIMIT_DATA counts private writable memory that is not a stack: getrlimit(2). */
static bool is_data(u32 vma_flags)
{
	return (vma_flags & (VMA_WRITE | VMA_SHARED | VMA_GROWSDOWN)) == VMA_WRITE;
}

int mm_may_expand(struct mm *mm, u32 vma_flags, u64 pages, const struct mm_limits *lim)
{
	if (mm->total_pages + pages > lim->as_bytes >> PAGE_SHIFT)
		return -ENOMEM;
	if (is_data(vma_flags) && mm->data_pages + pages > lim->data_bytes >> PAGE_SHIFT)
		return -ENOMEM;
	return 0;
}

void mm_count_pages(struct mm *mm, u32 vma_flags, s64 pages)
{
	mm->total_pages += (u64)pages;
	mm->peak_pages = max(mm->peak_pages, mm->total_pages);
	if (vma_flags & VMA_GROWSDOWN)
		mm->stack_pages += (u64)pages;
	else if ((vma_flags & (VMA_EXEC | VMA_WRITE)) == VMA_EXEC)
		mm->exec_pages += (u64)pages;
	else if (is_data(vma_flags))
		mm->data_pages += (u64)pages;
	if (vma_flags & VMA_LOCKED)
		mm->locked_pages += (u64)pages;
	if (vma_flags & VMA_ACCOUNT)
		mm->committed_pages += (u64)pages;
}

int mm_lock_allowed(const struct mm *mm, u64 more_pages, const struct mm_limits *lim)
{
	if (lim->can_lock || mm->locked_pages + more_pages <= lim->memlock_bytes >> PAGE_SHIFT)
		return 0;
	return -EAGAIN;
}
