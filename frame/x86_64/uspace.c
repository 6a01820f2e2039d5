/* SPDX-License-Identifier: MPL-2.0 */
/*
 * User address spaces: four-level tables and the cursors that change them. The contract is in frame/uspace.h.
 *
 *	root (level 4)     256 user entries; the kernel's are copied and never change
 *	levels 3 and 2     grow by compare-and-swap (uspace_prepare), shrink only in uspace_fini, which goes by the list of tables
 *	leaf (level 1)     changed under the lock word in its own struct page (f_pt_lock); f_pt_live counts its entries
 *
 * So two CPUs that fault in different 2 MiB of one space meet nowhere. The hardware sets accessed and dirty bits at any time,
 * hence entries change by exchange or compare-and-swap, and what it has set since the entry was reported is not lost.
 *
 * uspace_trim takes empty leaf tables out. A cursor that is not under the mm lock (reverse mapping) may be about to lock one:
 * it walks with preemption disabled, so the table is freed by RCU, and looks again, after locking, whether the table is still
 * in its place (1). Trim takes it out under the same lock (2), and flushes before the free, since processors cache the upper
 * levels too.
 *
 * Replacing a page goes through "absent": with old and new translations in different CPUs' TLBs at once, a thread could read
 * the old page after another has written the new one.
 */
#include <frame/core/internal.h>
#include <frame/ipi.h>
#include <frame/log.h>
#include <frame/policy.h>
#include <frame/rcu.h>
#include <frame/report.h>
#include <frame/spinlock.h>
#include <frame/uspace.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/paging.h>
#include <lib/errno.h>

#define UPPER_BITS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)
#define LEAF_SPAN PT_SPAN(2)

static void leaf_lock(struct page *leaf)
{
	spin_word_take((struct spin_word *)(void *)&leaf->f_pt_lock);
}

static void leaf_unlock(struct page *leaf)
{
	spin_word_give((struct spin_word *)(void *)&leaf->f_pt_lock);
}

/* --- Entries */

#define SAME_BITS (PTE_WRITE | PTE_DIRTY | PTE_ACCESSED | PTE_EXCLUSIVE | PTE_SPECIAL)
_Static_assert(UPTE_WRITE == PTE_WRITE && UPTE_DIRTY == PTE_DIRTY && UPTE_ACCESSED == PTE_ACCESSED && UPTE_EXCLUSIVE == PTE_EXCLUSIVE &&
	       UPTE_SPECIAL == PTE_SPECIAL && UPTE_READ == PTE_PRESENT && UPTE_EXEC == PTE_USER, "bits that need no translation");

static u64 entry_make(const struct page *page, u32 bits)
{
	u64 e = page_phys(page) | PTE_USER | (bits & SAME_BITS);

	e |= bits & (UPTE_READ | UPTE_WRITE | UPTE_EXEC) ? PTE_PRESENT : PTE_NONE;
	if (!(bits & UPTE_EXEC) && cpu_features.nx)
		e |= PTE_NX;
	return e;
}

static u32 entry_report(u64 e)
{
	u32 bits = e & (SAME_BITS | UPTE_READ | UPTE_EXEC);	/* PTE_USER is always set */

	return (e & PTE_NX) || !(e & PTE_PRESENT) ? bits & ~(u32)UPTE_EXEC : bits;
}

static struct page *entry_page(u64 e)
{
	return (struct page *)((u64)frame_pages + ((e & PTE_ADDR) >> PAGE_SHIFT) * sizeof(struct page));	/* one shift */
}

/* Whether a CPU that still goes by `old` may do what `new` forbids, or not report what it must (dirty). */
static bool is_stricter(u64 old, u64 new)
{
	if (!(old & PTE_PRESENT))
		return false;
	return !(new & PTE_PRESENT) || (old & ~new & (PTE_WRITE | PTE_DIRTY)) || (new & ~old & PTE_NX);
}

/* --- Tables */

int uspace_init(struct uspace *us)
{
	u64 *root = table_alloc();

	if (!root)
		return -ENOMEM;
	paging_fill_root(root);
	*us = (struct uspace){ .root = (u64)root - frame_direct_base, .table_pages = 1 };
	spin_init(&us->lock, "uspace");
	list_init(&us->tables);
	return 0;
}

/* The entry of va at `level`, or NULL if a table above is missing; then *missing is the level of the absent entry. */
static u64 *find_entry(const struct uspace *us, u64 va, u32 level, u32 *missing)
{
	u64 *table = phys_kva(us->root);

	for (u32 l = 4; l > level; l--) {
		u64 e = __atomic_load_n(&table[pt_index(va, l)], __ATOMIC_ACQUIRE);

		if (!(e & PTE_PRESENT)) {
			*missing = l;
			return NULL;
		}
		table = phys_kva(e & PTE_ADDR);
	}
	return &table[pt_index(va, level)];
}

/* Puts a new table into an absent entry, unless somebody else does first. */
static int grow(struct uspace *us, u64 *entry)
{
	u64 absent = 0, *table;

	if (__atomic_load_n(entry, __ATOMIC_ACQUIRE) & PTE_PRESENT)
		return 0;
	table = table_alloc();
	if (!table)
		return -ENOMEM;
	if (!__atomic_compare_exchange_n(entry, &absent, ((u64)table - frame_direct_base) | UPPER_BITS, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED)) {
		table_free(table);
		return 0;
	}
	spin_lock(&us->lock);
	list_push_back(&us->tables, &kva_page(table)->lru);
	spin_unlock(&us->lock);
	__atomic_fetch_add(&us->table_pages, 1, __ATOMIC_RELAXED);
	return 0;
}

int uspace_prepare(struct uspace *us, u64 start, u64 end)
{
	BUG_ON(end > USPACE_END || start > end);
	for (u64 va = ALIGN_DOWN(start, LEAF_SPAN); va < end; va += LEAF_SPAN) {
		u64 *table = phys_kva(us->root);

		for (u32 l = 4; l > 1; l--) {
			u64 *entry = &table[pt_index(va, l)];
			int err = grow(us, entry);

			if (err)
				return err;
			table = phys_kva(__atomic_load_n(entry, __ATOMIC_ACQUIRE) & PTE_ADDR);
		}
	}
	return 0;
}

static void leaf_free_rcu(struct rcu_head *head)
{
	struct page *leaf = container_of((struct list *)(void *)head, struct page, lru);

	frames_release(leaf, 1);
	policy_frames_free(leaf, 0);
}

/* Flushes and frees what trim has taken out; the kernel's half of a table's struct page is ours: it is a KERNEL frame. */
static void trim_flush(struct uspace *us, struct page **leaves, u32 *n, u64 start, u64 end)
{
	_Static_assert(sizeof(struct rcu_head) <= sizeof(struct list), "an rcu_head fits in page.lru");
	if (!*n)
		return;
	tlb_flush(us, start, end);
	spin_lock(&us->lock);
	for (u32 i = 0; i < *n; i++)
		list_del(&leaves[i]->lru);
	spin_unlock(&us->lock);
	for (u32 i = 0; i < *n; i++)
		rcu_call((struct rcu_head *)(void *)&leaves[i]->lru, leaf_free_rcu);
	__atomic_fetch_sub(&us->table_pages, *n, __ATOMIC_RELAXED);
	*n = 0;
}

/* Takes the leaf table at *entry out if it is empty. */
static struct page *trim_one(u64 *entry)
{
	u64 e = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
	struct page *leaf;
	bool is_out;

	if (!(e & PTE_PRESENT))
		return NULL;
	leaf = entry_page(e);
	if (__atomic_load_n(&leaf->f_pt_live, __ATOMIC_RELAXED))
		return NULL;
	preempt_disable();
	leaf_lock(leaf);
	is_out = leaf->f_pt_live == 0;
	if (is_out)
		__atomic_store_n(entry, 0, __ATOMIC_RELEASE);	/* (2) */
	leaf_unlock(leaf);
	preempt_enable();
	return is_out ? leaf : NULL;
}

void uspace_trim(struct uspace *us, u64 start, u64 end)
{
	struct page *leaves[32];
	u64 va = ALIGN_DOWN(start, LEAF_SPAN), first = va;
	u32 n = 0;

	while (va < end) {
		u32 missing = 2;
		u64 *entry = find_entry(us, va, 2, &missing);
		struct page *leaf = entry ? trim_one(entry) : NULL;

		if (leaf) {
			if (!n)
				first = va;
			leaves[n++] = leaf;
		}
		va = ALIGN_DOWN(va, PT_SPAN(entry ? 2 : missing)) + PT_SPAN(entry ? 2 : missing);
		if (n == ARRAY_SIZE(leaves))
			trim_flush(us, leaves, &n, first, va);
	}
	trim_flush(us, leaves, &n, first, va);
}

static void unload_here(void *arg)
{
	BUG_ON(current_task()->uspace == arg);
	uspace_unload(arg);
}

void uspace_fini(struct uspace *us)
{
	/* CPUs that hold it lazily. None can load it any more, so the set only shrinks. */
	struct cpuset cpus;
	struct list *node;
	u64 any = 0;

	for (u32 i = 0; i < ARRAY_SIZE(cpus.bits); i++)
		any |= cpus.bits[i] = __atomic_load_n(&us->cpus.bits[i], __ATOMIC_ACQUIRE);
	if (any)
		ipi_call(&cpus, unload_here, us);
	while ((node = list_pop_front(&us->tables))) {
		struct page *table = list_entry(node, struct page, lru);

		BUG_ON(table->f_pt_live);
		table_free(page_kva(table));
	}
	table_free(phys_kva(us->root));
	*us = (struct uspace){ 0 };
}

/* --- Cursors */

void ucursor_open(struct ucursor *c, struct uspace *us, u64 start, u64 end)
{
	BUG_ON(!IS_ALIGNED(start | end, PAGE_SIZE) || start > end || end > USPACE_END);
	c->us = us;
	c->at = start;
	c->end = end;
	c->leaf = NULL;
	c->leaf_page = NULL;
	c->flush_start = ~0ull;
	c->flush_end = 0;
	c->n_removed = 0;
	preempt_disable();
}

static void leave(struct ucursor *c)
{
	if (!c->leaf)
		return;
	c->leaf = NULL;
	leaf_unlock(c->leaf_page);
}

/* Locks the leaf table of c->at: 0. If there is none: for how much address space that is true. */
static u64 enter(struct ucursor *c)
{
	u32 missing = 2;
	u64 *entry = find_entry(c->us, c->at, 2, &missing);

	while (entry) {
		u64 e = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
		struct page *leaf;

		if (!(e & PTE_PRESENT))
			break;
		leaf = entry_page(e);
		leaf_lock(leaf);
		if (likely(((__atomic_load_n(entry, __ATOMIC_ACQUIRE) ^ e) & (PTE_ADDR | PTE_PRESENT)) == 0)) {	/* (1) */
			c->leaf = phys_kva(e & PTE_ADDR);
			c->leaf_page = leaf;
			c->leaf_end = min(ALIGN_DOWN(c->at, LEAF_SPAN) + LEAF_SPAN, c->end);
			return 0;
		}
		leaf_unlock(leaf);
	}
	return PT_SPAN(missing);
}

/* Flushes what is due and drops the removed pages. The leaf may be locked: whoever waits for it has interrupts on. */
static void settle(struct ucursor *c)
{
	if (c->flush_start < c->flush_end)
		tlb_flush(c->us, c->flush_start, c->flush_end);
	c->flush_start = ~0ull;
	c->flush_end = 0;
	for (u32 i = 0; i < c->n_removed; i++) {
		struct page *page = c->removed[i];

		__atomic_fetch_sub(&page->map_count, 1, __ATOMIC_RELAXED);
		if (page_drop(page))
			policy_untyped_free(page);
	}
	c->n_removed = 0;
}

/* The first entry of the leaf that is not zero, from c->at on; 0: none, and c->at is at its end. */
static inline u64 next_in_leaf(struct ucursor *c)
{
	const u64 *entry = &c->leaf[pt_index(c->at, 1)], *end = entry + ((c->leaf_end - c->at) >> PAGE_SHIFT);
	u64 e = __atomic_load_n(entry, __ATOMIC_RELAXED);

	if (likely(e))
		return e;
	if (!c->leaf_page->f_pt_live)
		entry = end;
	while (end - entry >= 4 && !(entry[0] | entry[1] | entry[2] | entry[3]))
		entry += 4;
	while (entry < end && !(e = __atomic_load_n(entry, __ATOMIC_RELAXED)))
		entry++;
	c->at = c->leaf_end - (u64)(end - entry) * PAGE_SIZE;
	return e;
}

static inline struct upte report(u64 e)
{
	return (struct upte){ entry_page(e), entry_report(e) };
}

u32 ucursor_next_run(struct ucursor *c, struct upte *out, u32 most)
{
	const u64 *entry;
	u64 span, e = 0;
	u32 n = 0;

	while (!e && c->at < c->end) {
		span = likely(c->leaf) ? 0 : enter(c);
		e = span ? 0 : next_in_leaf(c);
		if (span)
			c->at = min(ALIGN_DOWN(c->at, span) + span, c->end);
		else if (!e)
			leave(c);
	}
	if (!e)
		return 0;
	entry = &c->leaf[pt_index(c->at, 1)];
	most = min(most, (u32)((c->leaf_end - c->at) >> PAGE_SHIFT));
	do
		out[n] = report(e);
	while (++n < most && (e = __atomic_load_n(&entry[n], __ATOMIC_RELAXED)));
	return n;
}

bool ucursor_seek(struct ucursor *c, u64 va, struct upte *out)
{
	bool has_table;
	u64 e;

	BUG_ON(va >= c->end || !IS_ALIGNED(va, PAGE_SIZE));
	if (c->leaf && (c->at ^ va) >= LEAF_SPAN)
		leave(c);
	c->at = va;
	has_table = c->leaf || !enter(c);
	e = has_table ? __atomic_load_n(&c->leaf[pt_index(va, 1)], __ATOMIC_RELAXED) : 0;
	*out = e ? report(e) : (struct upte){ 0 };
	return has_table;
}

/* The entry the cursor stands on. */
static inline u64 *entry_of(struct ucursor *c)
{
	BUG_ON(c->at >= c->end);
	if (unlikely(!c->leaf))
		BUG_ON(enter(c));
	return &c->leaf[pt_index(c->at, 1)];
}

/* The promise that user programs only ever see UNTYPED frames. */
static bool is_mappable(const struct page *page)
{
	if (likely(__atomic_load_n(&page->f_state, __ATOMIC_RELAXED) == FRAME_UNTYPED))
		return true;
	if (!report_swallow(REPORT_FRAME))
		panic("frame %#lx of the kernel mapped for the user", page_pfn(page));
	return false;			/* a test of this */
}

static u64 entry_for(struct page *page, u32 bits)
{
	if (!(bits & UPTE_SPECIAL))
		__atomic_fetch_add(&page->map_count, 1, __ATOMIC_RELAXED);
	return entry_make(page, bits);
}

static inline void must_flush(struct ucursor *c, u32 n)
{
	c->flush_start = min(c->flush_start, c->at);
	c->flush_end = max(c->flush_end, c->at + n * PAGE_SIZE);
}

void ucursor_map(struct ucursor *c, struct page *page, u32 bits)
{
	u64 *entry = entry_of(c);

	BUG_ON(*entry);
	if (!is_mappable(page))
		return;
	__atomic_store_n(entry, entry_for(page, bits), __ATOMIC_RELEASE);
	c->leaf_page->f_pt_live++;
}

u64 ucursor_map_run(struct ucursor *c, struct page *const *pages, u32 n, u32 bits, u32 accessed)
{
	u64 *entry = entry_of(c), mapped = 0;

	BUG_ON(n > 64 || n > (c->leaf_end - c->at) >> PAGE_SHIFT);
	for (u32 i = 0; i < n; i++) {
		if (!pages[i] || entry[i] || !is_mappable(pages[i]))
			continue;
		__atomic_store_n(&entry[i], entry_for(pages[i], i == accessed ? bits | UPTE_ACCESSED : bits), __ATOMIC_RELEASE);
		c->leaf_page->f_pt_live++;
		mapped |= 1ull << i;
	}
	return mapped;
}

void ucursor_share(struct ucursor *from, struct ucursor *to, u32 without, u32 n)
{
	u64 *entry = entry_of(from), *copy, none = without & SAME_BITS, before = 0;

	to->at = from->at;
	copy = entry_of(to);
	BUG_ON(n > (min(from->leaf_end, to->leaf_end) - from->at) >> PAGE_SHIFT);
	for (u32 i = 0; i < n; i++) {
		u64 e = __atomic_load_n(&entry[i], __ATOMIC_RELAXED);

		BUG_ON(!e || copy[i]);
		if (!(e & PTE_SPECIAL))
			__atomic_fetch_add(&entry_page(e)->map_count, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&copy[i], e & ~none, __ATOMIC_RELEASE);
		if (e & none)
			__atomic_fetch_and(&entry[i], ~none, __ATOMIC_SEQ_CST);
		before |= e;
	}
	to->leaf_page->f_pt_live += n;
	if (is_stricter(before, before & ~none))
		must_flush(from, n);
}

u32 ucursor_replace(struct ucursor *c, struct page *page, u32 bits)
{
	u64 *entry = entry_of(c), old;

	if (!is_mappable(page))
		return 0;
	if (unlikely(c->n_removed == UCURSOR_BATCH))
		settle(c);
	old = __atomic_exchange_n(entry, 0, __ATOMIC_SEQ_CST);
	BUG_ON(!old);
	if (old & PTE_PRESENT)
		tlb_flush(c->us, c->at, c->at + PAGE_SIZE);
	__atomic_store_n(entry, entry_for(page, bits), __ATOMIC_RELEASE);
	if (!(old & PTE_SPECIAL))
		c->removed[c->n_removed++] = entry_page(old);	/* it goes when it has been flushed */
	return entry_report(old);
}

u32 ucursor_protect(struct ucursor *c, const struct upte *reported, u32 bits)
{
	u64 *entry = entry_of(c);
	u64 old = __atomic_load_n(entry, __ATOMIC_RELAXED), new;

	BUG_ON(!old);
	do {
		/* What the machine has set since the kernel looked stays set. */
		new = entry_make(entry_page(old), bits) | (old & ~(u64)reported->bits & (PTE_DIRTY | PTE_ACCESSED));
		BUG_ON((old ^ new) & PTE_SPECIAL);
	} while (!__atomic_compare_exchange_n(entry, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	if (is_stricter(old, new))
		must_flush(c, 1);
	return entry_report(old);
}

u32 ucursor_unmap(struct ucursor *c, u32 n)
{
	u64 *entry = entry_of(c), all = 0;
	u32 n_removed;

	BUG_ON(n > UCURSOR_BATCH || n > (c->leaf_end - c->at) >> PAGE_SHIFT);
	if (unlikely(c->n_removed + n > UCURSOR_BATCH))
		settle(c);
	n_removed = c->n_removed;
	for (u32 i = 0; i < n; i++) {
		u64 old = __atomic_exchange_n(&entry[i], 0, __ATOMIC_SEQ_CST);

		BUG_ON(!old);
		all |= old;
		if (likely(!(old & PTE_SPECIAL)))
			c->removed[n_removed++] = entry_page(old);
	}
	c->n_removed = n_removed;
	c->leaf_page->f_pt_live -= n;
	if (all & PTE_PRESENT)
		must_flush(c, n);
	return entry_report(all);
}

void ucursor_advance(struct ucursor *c, u32 n)
{
	c->at += n * PAGE_SIZE;
	if (!(c->at & (LEAF_SPAN - 1)))
		leave(c);
	if (c->n_removed < UCURSOR_BATCH)
		return;
	ucursor_close(c);			/* nothing is held: a chance for others in long walks */
	preempt_disable();
}

void ucursor_close(struct ucursor *c)
{
	leave(c);
	settle(c);
	preempt_enable();
}
