/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Allocations that fail on purpose (debug build): every error path of the kernel can be walked without filling the memory.
 *
 *	keel.failalloc=N		every N-th allocation made for a user process fails
 *	keel.failalloc=sites		the first allocation from each place in the code fails, once; sites:N: the N-th
 *
 * The same words written to /proc/sys/kernel/keel_failalloc start anew, all places forgotten; "off" ends it, and the words in force change
 * nothing, so that who writes may try until it succeeds. A place is the innermost few return addresses,
 * hashed and remembered in a hash set; when that is full, later places do not fail. What fails by place is told in the log, with these addresses
 * ("failalloc: ..."), so that a test can say which were reached.
 *
 * Any context is hit, kernel threads and interrupts too where places are counted; but the first process, init, is spared: without it there is nothing to test.
 * All atomic, no lock: allocations that race with a write may go by the old words or the new.
 */
#ifdef KEEL_DEBUG
#include <lib/cmdline.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <frame/boot.h>
#include <frame/log.h>
#include <frame/preempt.h>
#include <frame/task.h>
#include "object/current.h"
#include "mm/alloc.h"
#include "mm/page_alloc.h"

#define SITE_SLOTS 8192
#define SITE_PROBES 16
#define SITE_DEPTH 8		/* enough to tell the callers of kmalloc and of small helpers apart; the first is in this file */
#define LINE_MAX (SITE_DEPTH * 19)

static u64 every;			/* [a] 0: not by number */
static u64 by_site;			/* [a] which visit of a place fails; 0: not by place */
static u64 sequence;			/* [a] */
static struct process *spared;		/* [a] init, the first process to allocate; only compared */
static struct site {
	u64 place, n_visits;		/* [a] */
} sites[SITE_SLOTS];

/* Finds or enters the place. NULL: there is no room. */
static struct site *site_of(u64 place)
{
	u64 at = hash_u64(place);

	for (u32 i = 0; i < SITE_PROBES; i++) {
		struct site *s = &sites[(at + i) % SITE_SLOTS];
		u64 seen = 0;

		if (__atomic_compare_exchange_n(&s->place, &seen, place, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) || seen == place)
			return s;
	}
	return NULL;
}

static void tell(const u64 *pcs, size_t n)
{
	char line[LINE_MAX + 1];
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += (size_t)scnprintf(line + len, sizeof(line) - len, " 0x%lx", pcs[i]);
	klog(LOG_DEBUG, "failalloc:%s", len ? line : "");
}

static bool is_sites_turn(u64 nth)
{
	u64 pcs[SITE_DEPTH];
	size_t n = task_backtrace(NULL, pcs, SITE_DEPTH);
	struct site *s = site_of(hash_bytes(pcs, n * sizeof(pcs[0]), 0) | 1);

	if (!s || __atomic_add_fetch(&s->n_visits, 1, __ATOMIC_RELAXED) != nth)
		return false;
	tell(pcs, n);
	return true;
}

bool alloc_inject_failure(void)
{
	u64 nth = __atomic_load_n(&by_site, __ATOMIC_RELAXED), n = __atomic_load_n(&every, __ATOMIC_RELAXED);
	struct process *p = current_task() ? current_actor()->process : NULL, *first = __atomic_load_n(&spared, __ATOMIC_RELAXED);

	if (unlikely(!first && p && __atomic_compare_exchange_n(&spared, &first, p, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)))
		return false;
	if (likely(!nth && !n) || !first || p == first || in_hard())
		return false;
	if (nth)
		return is_sites_turn(nth);
	return p && !in_atomic() && __atomic_add_fetch(&sequence, 1, __ATOMIC_RELAXED) % n == 0;
}

int alloc_inject_set(const char *words, size_t len)
{
	u64 nth = 0, n = 0;

	while (len && (words[len - 1] == '\n' || words[len - 1] == ' '))
		len--;
	if (str_eq_len(words, len, "sites"))
		nth = 1;
	else if (len > 6 && memcmp(words, "sites:", 6) == 0) {
		if (parse_u64(words + 6, len - 6, 10, &nth))
			return -EINVAL;
	} else if (!str_eq_len(words, len, "off") && parse_u64(words, len, 10, &n))
		return -EINVAL;
	if (nth == by_site && n == every)
		return 0;
	__atomic_store_n(&by_site, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&every, n, __ATOMIC_RELAXED);
	for (u32 i = 0; i < SITE_SLOTS; i++) {
		__atomic_store_n(&sites[i].n_visits, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&sites[i].place, 0, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&by_site, nth, __ATOMIC_RELAXED);
	return 0;
}

void alloc_inject_get(char *words, size_t max)
{
	u64 nth = __atomic_load_n(&by_site, __ATOMIC_RELAXED), n = __atomic_load_n(&every, __ATOMIC_RELAXED);

	if (nth)
		(void)scnprintf(words, max, nth == 1 ? "sites" : "sites:%lu", nth);
	else if (n)
		(void)scnprintf(words, max, "%lu", n);
	else
		(void)scnprintf(words, max, "off");
}

void alloc_inject_init(void)
{
	const char *line = boot_cmdline();
	struct cmdline_word word;

	if (cmdline_find(line, strlen(line), "keel.failalloc", &word) || !word.value)
		return;
	if (alloc_inject_set(word.value, word.value_len))
		klog(LOG_WARNING, "mm: keel.failalloc: a number or \"sites\" is expected\n");
}
#else
#include "mm/page_alloc.h"
#endif
