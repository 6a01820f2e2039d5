/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The states of frames: see frame/page.h. Every change is a compare-and-swap from the one state that is right, so two owners
 * of one frame are found out at the moment the second appears.
 * In the debug build a free frame's contents are poisoned for KASAN from release to claim.
 */
#include <frame/page.h>
#include <frame/kasan.h>
#include <frame/log.h>
#include <frame/policy.h>
#include <frame/report.h>
#include <frame/core/internal.h>

static const char *const state_names[] = { "reserved", "free", "kernel", "untyped" };

/* Panics; returns only to a test that expects it, and the operation is refused. */
static __cold_ void bad_frame(const struct page *p, const char *what)
{
	u32 state = __atomic_load_n(&p->f_state, __ATOMIC_RELAXED);

	if (report_swallow(REPORT_FRAME))
		return;
	panic("frame %#llx: %s (state %s, references %u, mapped %d)", (unsigned long long)page_pfn(p), what,
	      state < ARRAY_SIZE(state_names) ? state_names[state] : "corrupt", page_refs(p), p->map_count);
}

static bool state_change(struct page *p, u32 from, u32 to)
{
	return __atomic_compare_exchange_n(&p->f_state, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void frames_claim(struct page *first, u64 n, enum frame_state to)
{
	BUG_ON(to != FRAME_KERNEL && to != FRAME_UNTYPED);
	for (u64 i = 0; i < n; i++) {
		struct page *p = first + i;

		if (!state_change(p, FRAME_FREE, to)) {
			bad_frame(p, "claimed but not free");
			return;
		}
		p->f_pt_lock = 0;
		p->f_pt_live = 0;
		__atomic_store_n(&p->f_refs, 1, __ATOMIC_RELEASE);
	}
	kasan_unpoison(page_kva(first), n << PAGE_SHIFT);
}

static bool release_one(struct page *p)
{
	u32 state = __atomic_load_n(&p->f_state, __ATOMIC_RELAXED);
	const char *wrong = NULL;

	if (state != FRAME_KERNEL && state != FRAME_UNTYPED)
		wrong = "released but not claimed";
	else if (__atomic_load_n(&p->map_count, __ATOMIC_RELAXED) != 0)
		wrong = "released but mapped";
	else if (page_refs(p) != 0 && !page_freeze(p, 1))	/* atomically: a look-up that takes a reference now is caught, not overrun */
		wrong = "released but referenced";
	else if (!state_change(p, state, FRAME_FREE))
		wrong = "released twice at once";
	if (wrong)
		bad_frame(p, wrong);
	return !wrong;
}

void frames_release(struct page *first, u64 n)
{
	for (u64 i = 0; i < n; i++)
		if (!release_one(first + i))
			return;
	kasan_poison(page_kva(first), n << PAGE_SHIFT, KASAN_FREE_PAGE);
}

void frames_donate(struct page *first, u64 n)
{
	for (struct page *p = first; p < first + n; p++)
		if (!state_change(p, FRAME_RESERVED, FRAME_FREE)) {
			bad_frame(p, "donated but not reserved");
			return;
		}
	kasan_poison(page_kva(first), n << PAGE_SHIFT, KASAN_FREE_PAGE);
}

void page_put(struct page *p)
{
	u32 before = __atomic_fetch_sub(&p->f_refs, 1, __ATOMIC_ACQ_REL);

	if (likely(before > 1))
		return;
	if (unlikely(before == 0 || __atomic_load_n(&p->f_state, __ATOMIC_RELAXED) != FRAME_UNTYPED)) {
		bad_frame(p, "last reference put, but not an untyped frame's");
		page_get(p);			/* refused */
		return;
	}
	policy_untyped_free(p);
}
