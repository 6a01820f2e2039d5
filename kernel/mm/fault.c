/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Page faults: one entry of a page table is worked out from the VMA.
 *
 *	absent, anonymous, read		the zero page, read-only, without a reference (UPTE_SPECIAL)
 *	absent, anonymous, write	a new zeroed page, exclusive, writable
 *	absent, file			mm/fault_file.c: the mapping's page, or a private copy of it for a private write
 *	read-only, write, private	copy-on-write: an exclusive page becomes writable, any other is copied
 *	read-only, write, shared	mm/fault_file.c: the page becomes dirty, then writable
 *	present and permitted		another CPU was first, or the translation was stale: nothing to do
 *
 * Exclusive (UPTE_EXCLUSIVE) says: this entry is the page's only user for ever, until fork shares it. An anonymous page that was shared can become exclusive again
 * when ours is the one reference left, which nobody else can then take: not another entry, not a pin, not a look-up.
 *
 * Locking: mm->lock for reading throughout, so the VMA holds still; the cursor's leaf lock decides races between faults: what another
 * CPU put there meanwhile wins. Nothing sleeps below the cursor: a page comes from there without sleeping, and if there is none, the cursor is closed, a page
 * is allocated with sleeping (fault.spare) and the fault tried again. For I/O mm->lock is dropped, and the fault starts over (FAULT_RETRY).
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <frame/policy.h>
#include "sched/sched.h"
#include "mm/internal.h"
#include "mm/page_alloc.h"
#include "mm/policy.h"

#define OOM_WAIT_NS (20 * NSEC_PER_MSEC)
#define OOM_TRIES 100

/* A page for this fault. NULL: close the cursor, call make_spare, try again. */
static struct page *take_page(struct fault *f, u32 zero)
{
	struct page *p = f->spare;

	if (p) {
		f->spare = NULL;
		return p;
	}
	return page_alloc(0, FRAME_UNTYPED, ALLOC_ATOMIC | ALLOC_USER | zero);
}

static int make_spare(struct fault *f)
{
	f->spare = page_alloc(0, FRAME_UNTYPED, ALLOC_SLEEP | ALLOC_USER | ALLOC_ZERO);
	if (f->spare)
		return FAULT_RETRY;
	return current_killed() ? FAULT_KILLED : FAULT_OOM;
}

void fault_finish(struct fault *f)
{
	if (f->spare)
		page_free(f->spare, 0);
	f->spare = NULL;
}

static void add_rss(u64 *counter, struct mm *mm)
{
	u64 now = __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);

	/* Nearly exact: the sum is looked at when it may have passed the peak. */
	if (now > READ_ONCE(mm->rss_peak) || (now & 31) == 0) {
		u64 sum = READ_ONCE(mm->rss_anon) + READ_ONCE(mm->rss_file) + READ_ONCE(mm->rss_shmem);

		if (sum > READ_ONCE(mm->rss_peak))
			WRITE_ONCE(mm->rss_peak, sum);
	}
}

static u32 owned_bits(const struct fault *f)
{
	return vma_pte_bits(f->v) | UPTE_EXCLUSIVE | UPTE_ACCESSED | (f->is_write ? UPTE_DIRTY : 0);
}

/* Nothing there, anonymous. */
static int fault_absent(struct fault *f, struct ucursor *c)
{
	struct page *p;

	if (!f->is_write) {
		ucursor_map(c, zero_page, (vma_pte_bits(f->v) & ~(u32)UPTE_WRITE) | UPTE_SPECIAL);
		return FAULT_OK;
	}
	p = take_page(f, ALLOC_ZERO);
	if (!p)
		return FAULT_RETRY;
	anon_page_init(p, f->v, f->addr);
	ucursor_map(c, p, owned_bits(f));
	add_rss(&f->mm->rss_anon, f->mm);
	return FAULT_OK;
}

/* A private page that may not be written yet. */
static int fault_copy(struct fault *f, struct ucursor *c, const struct upte *e)
{
	bool is_zero = (e->bits & UPTE_SPECIAL) != 0, is_anon = !is_zero && page_has(e->page, PG_ANON);
	s64 rss[3] = { 0, 0, 0 };
	struct page *p;

	if (is_anon && ((e->bits & UPTE_EXCLUSIVE) || page_refs(e->page) == 1)) {
		ucursor_protect(c, e, owned_bits(f));
		return FAULT_OK;
	}
	p = take_page(f, is_zero ? ALLOC_ZERO : 0);
	if (!p)
		return FAULT_RETRY;
	if (!is_zero)
		memcpy(page_kva(p), page_kva(e->page), PAGE_SIZE);
	anon_page_init(p, f->v, f->addr);
	mm_count_unmapped(e, 1, f->v->mapping, rss);
	rss[RSS_ANON]++;
	ucursor_replace(c, p, owned_bits(f));
	mm_rss_add(f->mm, rss);
	return FAULT_OK;
}

/* Does the entry already allow what the fault wants? A forced write needs an own copy, writable or not. */
static bool is_enough(const struct fault *f, const struct upte *e)
{
	if (!f->is_write || (e->bits & UPTE_WRITE))
		return true;
	return f->is_forced && !(f->v->flags & VMA_SHARED) && (e->bits & UPTE_EXCLUSIVE);
}

static int fault_once(struct fault *f)
{
	__uninitialized struct ucursor c;
	bool is_private = !(f->v->flags & VMA_SHARED);
	struct upte e;
	int r;

	if (f->is_write && is_private && anon_family_prepare(f->v))
		return FAULT_OOM;
	ucursor_open(&c, &f->mm->us, f->addr, f->addr + PAGE_SIZE);
	if (unlikely(!ucursor_seek(&c, f->addr, &e))) {
		ucursor_close(&c);
		return uspace_prepare(&f->mm->us, f->addr, f->addr + PAGE_SIZE) ? FAULT_OOM : FAULT_RETRY;
	}
	if (e.page && is_enough(f, &e))
		r = FAULT_OK;
	else if (e.page && is_private)
		r = fault_copy(f, &c, &e);
	else if (!e.page && vma_is_anon(f->v))
		r = fault_absent(f, &c);
	else
		r = -1;
	ucursor_close(&c);
	if (r == -1)
		return fault_file(f);
	return r == FAULT_RETRY ? make_spare(f) : r;
}

int fault_page(struct fault *f)
{
	int r;

	do
		r = fault_once(f);
	while (r == FAULT_RETRY && !f->is_unlocked);
	return r;
}

/* --- Stacks that grow. */

/* Extends the stack v down to the page of addr: its limit, the guard gap to what lies below, and the usual limits permitting. */
int vma_grow_down(struct vma *v, u64 addr)
{
	struct mm *mm = v->mm;
	struct vma *prev = vma_prev(v);
	u64 start = ALIGN_DOWN(addr, PAGE_SIZE), pages;
	struct mm_limits lim;

	if (start >= v->start)
		return 0;
	pages = (v->start - start) >> PAGE_SHIFT;
	mm_policy_limits(&lim);
	if (v->end - start > lim.stack_bytes || pages > v->pgoff || mm_check_min_addr(start))
		return -ENOMEM;
	if (prev && (start < prev->end ||
		     (!(prev->flags & VMA_GROWSDOWN) && (prev->flags & (VMA_READ | VMA_WRITE | VMA_EXEC)) &&
		      start - prev->end < STACK_GUARD_GAP)))
		return -ENOMEM;
	if (mm_may_expand(mm, v->flags, pages, &lim) || ((v->flags & VMA_LOCKED) && mm_lock_allowed(mm, pages, &lim)))
		return -ENOMEM;
	if ((v->flags & VMA_ACCOUNT) && mm_commit_charge(pages))
		return -ENOMEM;
	mm_count_pages(mm, v->flags, (s64)pages);
	vma_set_range(v, start, v->end, v->pgoff - pages);
	return 0;
}

/* addr lies below the first VMA that ends above it: a stack? mm->lock is held for reading and is dropped. */
static int grow_stack(struct mm *mm, u64 addr)
{
	struct vma *v;
	int r = FAULT_RETRY;

	rwsem_read_unlock(&mm->lock);
	if (mm_write_lock(mm))
		return FAULT_KILLED;
	v = mm_find_vma(mm, addr);
	if (!v || (v->start > addr && (!(v->flags & VMA_GROWSDOWN) || vma_grow_down(v, addr))))
		r = FAULT_MAPERR;
	mm_write_unlock(mm);
	return r;
}

/* --- Entry. */

static bool is_allowed(const struct vma *v, bool is_write, bool is_exec)
{
	if (is_write)
		return v->flags & VMA_WRITE;
	if (is_exec)
		return v->flags & VMA_EXEC;
	return v->flags & (VMA_READ | VMA_WRITE | VMA_EXEC);
}

/* One try. mm->lock is not held before and after. */
static int fault_try(struct fault *f, u64 addr)
{
	struct mm *mm = f->mm;
	int r;

	if (rwsem_read_lock_killable(&mm->lock))
		return FAULT_KILLED;
	f->is_unlocked = false;
	f->v = mm_find_vma(mm, addr);
	if (!f->v) {
		r = FAULT_MAPERR;
	} else if (addr < f->v->start) {
		if (f->v->flags & VMA_GROWSDOWN)
			return grow_stack(mm, addr);
		r = FAULT_MAPERR;
	} else if (!is_allowed(f->v, f->is_write, f->is_exec)) {
		r = FAULT_ACCERR;
	} else {
		r = fault_page(f);
	}
	if (!f->is_unlocked)
		rwsem_read_unlock(&mm->lock);
	return r;
}

/*
 * A fault cannot be refused as a call can: it waits for memory as long as a victim may give some, and a while if there is none, for what is on its way back. (With
 * memory at hand the failure was injected.)
 */
static int wait_for_memory(u32 *tries)
{
	++*tries;
	if (page_alloc_free() <= page_alloc_low() || *tries > OOM_TRIES / 2) {
		if (mm_policy_oom())
			*tries = 0;
		if (!current_killed()) {
			sched_prepare_sleep(SLEEP_KILLABLE);
			(void)sched_sleep_until(clock_now_ns() + OOM_WAIT_NS);
		}
	}
	if (current_killed())
		return FAULT_KILLED;
	return *tries < OOM_TRIES ? FAULT_RETRY : FAULT_OOM;
}

enum mm_fault_result mm_fault(struct mm *mm, u64 addr, bool is_write, bool is_exec)
{
	struct fault f = { .mm = mm, .addr = ALIGN_DOWN(addr, PAGE_SIZE), .is_write = is_write, .is_exec = is_exec };
	u32 tries = 0;
	int r;

	if (addr >= USPACE_END || addr < USPACE_MIN)
		return FAULT_MAPERR;
	do {
		r = fault_try(&f, addr);
		if (unlikely(r == FAULT_OOM))
			r = wait_for_memory(&tries);
	} while (r == FAULT_RETRY);
	fault_finish(&f);
	__atomic_fetch_add(f.was_retried ? &mm->n_faults_major : &mm->n_faults_minor, 1, __ATOMIC_RELAXED);
	return (enum mm_fault_result)r;
}

int policy_ucopy_fault(uaddr_t addr, bool is_write)
{
	struct mm *mm = current_mm();

	return mm && mm_fault(mm, addr.v, is_write, false) == FAULT_OK ? 0 : -EFAULT;
}

/* --- Touching a range on behalf of the program: MAP_POPULATE, mlock(2), madvise(2). */

static int touch_page(struct fault *f, u64 *at, u64 end)
{
	const u32 any = VMA_READ | VMA_WRITE | VMA_EXEC;
	int r;

	if (rwsem_read_lock_killable(&f->mm->lock))
		return -EINTR;
	f->is_unlocked = false;
	f->v = mm_find_vma(f->mm, *at);
	r = !f->v || f->v->start > *at ? -ENOMEM : 0;
	/* As far as this VMA goes without dropping the lock. */
	while (!r && *at < min(end, f->v->end)) {
		if (!(f->v->flags & any) || (f->is_write && !(f->v->flags & VMA_WRITE))) {
			r = -EACCES;
			break;
		}
		f->addr = *at;
		r = fault_page(f);
		if (r == FAULT_RETRY)
			break;
		r = r == FAULT_OK ? 0 : r == FAULT_KILLED ? -EINTR : r == FAULT_OOM ? -ENOMEM : -EFAULT;
		f->was_retried = false;
		if (!r)
			*at += PAGE_SIZE;
		if (!r && (*at & (16 * PAGE_SIZE - 1)) == 0 && (task_work(current_task()) & (TASK_WORK_RESCHED | TASK_WORK_KILL)))
			break;
	}
	if (!f->is_unlocked)
		rwsem_read_unlock(&f->mm->lock);
	return r == FAULT_RETRY ? 0 : r;
}

int mm_touch_range(struct mm *mm, u64 start, u64 end, bool is_write, bool is_forced)
{
	struct fault f = { .mm = mm, .is_write = is_write, .is_forced = is_forced };
	int r = 0;

	while (!r && start < end) {
		r = touch_page(&f, &start, end);
		sched_check();
		if (current_killed())
			r = -EINTR;
	}
	fault_finish(&f);
	return r;
}
