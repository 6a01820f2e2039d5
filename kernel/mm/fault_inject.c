/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Allocations that fail on purpose (debug build): every error path of the kernel can be walked without filling the memory.
 *
 *	keel.failalloc=N	every N-th allocation made for a user process fails
 *	keel.failalloc=sites	the first allocation for a user process from each place in the code fails, once
 *
 * A place is the innermost few return addresses, hashed and remembered in a hash set; when that is full, later places do not fail.
 * Only tasks with a process are hit, and the first process, init, is spared: without it there is nothing to test. All atomic, no lock.
 */
#ifdef KEEL_DEBUG
#include <lib/cmdline.h>
#include <lib/hash.h>
#include <lib/string.h>
#include <frame/boot.h>
#include <frame/log.h>
#include <frame/preempt.h>
#include <frame/task.h>
#include "object/current.h"
#include "mm/page_alloc.h"

#define SITE_SLOTS 1024
#define SITE_PROBES 16
#define SITE_DEPTH 6		/* enough to tell the callers of kmalloc and of small helpers apart */

static u64 every;			/* 0: off */
static bool by_site;
static u64 sequence;			/* [a] */
static struct process *spared;		/* [a] init; only compared */
static u64 sites[SITE_SLOTS];		/* [a] places that have failed once */

static bool is_new_site(u64 site)
{
	u64 at = hash_u64(site);

	for (u32 i = 0; i < SITE_PROBES; i++) {
		u64 *slot = &sites[(at + i) % SITE_SLOTS], seen = 0;

		if (__atomic_compare_exchange_n(slot, &seen, site, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
		if (seen == site)
			return false;
	}
	return false;
}

static u64 place(void)
{
	u64 pcs[SITE_DEPTH];
	size_t n = task_backtrace(NULL, pcs, SITE_DEPTH);

	return hash_bytes(pcs, n * sizeof(pcs[0]), 0) | 1;
}

static bool is_spared(struct process *p)
{
	struct process *first = NULL;

	if (!p || __atomic_compare_exchange_n(&spared, &first, p, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return true;
	return first == p;
}

bool alloc_inject_failure(void)
{
	if (likely(!every && !by_site))
		return false;
	if (in_atomic() || !current_task() || is_spared(current_actor()->process))
		return false;
	if (by_site)
		return is_new_site(place());
	return __atomic_add_fetch(&sequence, 1, __ATOMIC_RELAXED) % every == 0;
}

void alloc_inject_init(void)
{
	const char *line = boot_cmdline();
	struct cmdline_word word;

	if (cmdline_find(line, strlen(line), "keel.failalloc", &word) || !word.value)
		return;
	if (str_eq_len(word.value, word.value_len, "sites"))
		by_site = true;
	else if (parse_u64(word.value, word.value_len, 10, &every))
		klog(LOG_WARNING, "mm: keel.failalloc: a number or \"sites\" is expected\n");
}
#else
#include "mm/page_alloc.h"
#endif
