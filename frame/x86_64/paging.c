/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The kernel's own page tables.
 *
 * The upper half of every top-level table is the same 256 entries, all of which are there from memory_init on: the direct
 * map of RAM, the vmap window (stacks, device registers), struct pages, KASAN's shadow in the debug build, and the image. So
 * a change below the top level is seen in every address space, and a new space copies 2 KiB once.
 *
 *	direct map	RAM only, with 1 GiB, 2 MiB and 4 KiB pages; never executable; the image's text and constants read-only
 *	image		4 KiB pages: text executable and read-only, constants read-only, data writable and not executable
 *	vmap window	4 KiB pages, mapped and unmapped by kmap_*; addresses are handed out by vmap.c
 *
 * Kernel tables are never freed. Missing ones are put in by compare-and-swap, so growth needs no lock; entries of the last
 * level belong to whoever reserved the addresses.
 */
#include <frame/core/internal.h>
#include <frame/kasan.h>
#include <frame/log.h>
#include <frame/policy.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/image.h>
#include <frame/x86_64/paging.h>
#include <lib/errno.h>
#include <lib/string.h>

/* As they are without kaslr.c. */
struct page *frame_pages __ro_after_init = (struct page *)PAGES_BASE;
u64 frame_direct_base __ro_after_init = DIRECT_BASE;
u64 vmap_base __ro_after_init = VMAP_BASE;

static u64 *kernel_root __ro_after_init;

u64 *table_alloc(void)
{
	struct page *page;

	if (memory_is_early())
		return early_alloc(PAGE_SIZE, PAGE_SIZE);
	page = policy_frames_alloc(0, true);
	if (!page)
		return NULL;
	frames_claim(page, 1, FRAME_KERNEL);
	return memset(page_kva(page), 0, PAGE_SIZE);
}

void table_free(u64 *table)
{
	struct page *page = kva_page(table);

	if (__atomic_load_n(&page->f_state, __ATOMIC_RELAXED) == FRAME_RESERVED)
		return;				/* early memory: lost, at most a page at start-up */
	frames_release(page, 1);
	policy_frames_free(page, 0);
}

/* The kernel entry of `va` at `level`, growing tables above it as needed. NULL: no memory, or a large page is in the way. */
static u64 *kernel_entry(u64 va, u32 level, bool is_create)
{
	u64 *table = kernel_root;

	for (u32 l = 4; l > level; l--) {
		u64 *entry = &table[pt_index(va, l)];
		u64 e = __atomic_load_n(entry, __ATOMIC_ACQUIRE);

		if (!(e & PTE_PRESENT)) {
			u64 *new = is_create ? table_alloc() : NULL;
			u64 fresh;

			if (!new)
				return NULL;
			fresh = ((u64)new - frame_direct_base) | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
			if (__atomic_compare_exchange_n(entry, &e, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
				e = fresh;
			else
				table_free(new);
		}
		if (e & PTE_LARGE)
			return NULL;
		table = phys_kva(e & PTE_ADDR);
	}
	return &table[pt_index(va, level)];
}

static u64 entry_bits(u32 flags)
{
	u64 e = PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY;

	if (flags & KMAP_WRITE)
		e |= PTE_WRITE;
	if (!(flags & KMAP_EXEC) && cpu_features.nx)
		e |= PTE_NX;
	if (flags & KMAP_UNCACHED)
		e |= PTE_PCD | PTE_PWT;
	if (cpu_features.pge)
		e |= PTE_GLOBAL;
	return e;
}

static u32 best_level(u64 va, paddr_t phys, u64 size)
{
	u32 level = cpu_features.page_1g ? 3 : 2;

	while (level > 1 && (size < PT_SPAN(level) || !IS_ALIGNED(va | phys, PT_SPAN(level))))
		level--;
	return level;
}

void paging_map(u64 va, paddr_t phys, u64 size, u32 flags)
{
	u64 bits = entry_bits(flags);

	while (size) {
		u32 level = best_level(va, phys, size);
		u64 *entry = kernel_entry(va, level, true);

		BUG_ON(!entry || (*entry & PTE_PRESENT));
		for (;;) {			/* the entries that follow in this table */
			*entry = phys | bits | (level > 1 ? PTE_LARGE : 0);
			va += PT_SPAN(level);
			phys += PT_SPAN(level);
			size -= PT_SPAN(level);
			if (size < PT_SPAN(level) || !pt_index(va, level) || best_level(va, phys, size) != level)
				break;
			entry++;
		}
	}
}

void image_bounds(paddr_t *start, paddr_t *end)
{
	*start = image_phys(image_start);
	*end = image_phys(image_end);
}

static void __init map_image(const char *start, const char *end, u32 flags)
{
	/* Always small pages, so that parts can be changed and freed later. */
	for (u64 va = (u64)start; va < (u64)end; va += PAGE_SIZE)
		paging_map(va, image_phys((const void *)va), PAGE_SIZE, flags);
}

/* Takes write permission away from [start, end) of the image, in its own mapping and in the direct map. */
static void set_readonly(u64 va, u64 end)
{
	for (; va < end; va += PAGE_SIZE) {
		u64 *entry = kernel_entry(va, 1, false);

		BUG_ON(!entry);
		__atomic_and_fetch(entry, ~PTE_WRITE, __ATOMIC_RELAXED);
	}
}

void __init paging_init(void)
{
	kernel_root = table_alloc();
	/* Top-level entries that later growth would need: all of the vmap window and its shadow. */
	BUG_ON(!kernel_entry(vmap_base, 3, true));
	map_image(text_start, init_text_end, KMAP_EXEC);
	map_image(rodata_start, rodata_end, 0);
	map_image(init_data_start, bss_end, KMAP_WRITE);
	map_image(bss_end, image_end, 0);	/* with the kernel's tables between it and relocs_start */
#ifdef KEEL_DEBUG
	BUG_ON(!kernel_entry(KASAN_OFFSET + (vmap_base >> 3), 3, true));
	BUG_ON(kasan_map_shadow((u64)image_start, (u64)image_end));
#endif
}

paddr_t paging_kernel_root(void)
{
	return (u64)kernel_root - frame_direct_base;
}

/* Few of the 256 are in use; those are noted when start-up is over. */
void paging_fill_root(u64 *root)
{
	static u8 used[PT_ENTRIES / 2];
	static u32 n_used;			/* [a] 0: not yet noted */
	u32 n = __atomic_load_n(&n_used, __ATOMIC_ACQUIRE);

	if (!n && !memory_is_early()) {
		for (u32 i = PT_ENTRIES / 2; i < PT_ENTRIES; i++)
			if (kernel_root[i])
				used[n++] = (u8)(i - PT_ENTRIES / 2);
		__atomic_store_n(&n_used, n, __ATOMIC_RELEASE);
	}
	for (u32 i = 0; i < n; i++)
		root[PT_ENTRIES / 2 + used[i]] = kernel_root[PT_ENTRIES / 2 + used[i]];
}

void paging_load_kernel(void)
{
	write_cr3(paging_kernel_root());
}

/* Splits what large page of the direct map holds va, so that single pages below it can differ. */
static void direct_split(u64 va)
{
	for (u32 level = 3; level > 1; level--) {
		u64 *entry = kernel_entry(va, level, false);
		u64 *table, e;

		if (!entry || !(*entry & PTE_LARGE))
			continue;
		e = *entry;
		table = table_alloc();
		BUG_ON(!table);
		for (u32 i = 0; i < PT_ENTRIES; i++)
			table[i] = (e & ~PTE_LARGE) + i * PT_SPAN(level - 1) + (level > 2 ? PTE_LARGE : 0);
		__atomic_store_n(entry, ((u64)table - frame_direct_base) | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED,
				 __ATOMIC_RELEASE);
	}
}

static void direct_set_readonly(const char *start, const char *end)
{
	u64 from = frame_direct_base + image_phys(start), to = frame_direct_base + image_phys(end);

	for (u64 va = ALIGN_DOWN(from, LARGE_PAGE); va < to; va += LARGE_PAGE)
		direct_split(va);
	set_readonly(from, to);
}

/* Text and constants have been read-only since paging_init; what was written during start-up only becomes so here, and so
 * do all of them in the direct map. Init sections are the caller's to free: their image mapping goes, their frames stay. */
void paging_protect_image(void)
{
	set_readonly((u64)ro_after_init_start, (u64)ro_after_init_end);
	direct_set_readonly(text_start, text_end);
	direct_set_readonly(rodata_start, rodata_end);
	direct_set_readonly(ro_after_init_start, ro_after_init_end);
	for (u64 va = (u64)init_text_start; va < (u64)init_text_end; va += PAGE_SIZE)
		*kernel_entry(va, 1, false) = 0;
	for (u64 va = (u64)init_data_start; va < (u64)init_data_end; va += PAGE_SIZE)
		*kernel_entry(va, 1, false) = 0;
	tlb_flush_kernel();
}

/* Takes a page of the image's own mapping away: the guard below a start-up stack. paging_protect_image, which follows, flushes. */
void paging_unmap_guard(const void *page)
{
	u64 *entry = kernel_entry((u64)page, 1, false);

	BUG_ON(!entry);
	__atomic_store_n(entry, 0, __ATOMIC_RELEASE);
}

static bool in_window(u64 va, u64 size)
{
	return va - vmap_base < VMAP_SIZE && size <= VMAP_SIZE - (va - vmap_base);
}

/* One page of the vmap window. */
static int map_one(u64 va, paddr_t phys, u64 bits)
{
	u64 *entry = kernel_entry(va, 1, true);

	if (!entry)
		return -ENOMEM;
	BUG_ON(__atomic_load_n(entry, __ATOMIC_RELAXED) & PTE_PRESENT);
	__atomic_store_n(entry, phys | bits, __ATOMIC_RELEASE);
	return 0;
}

static int shadow_ready(u64 va, u64 size)
{
#ifdef KEEL_DEBUG
	int err = kasan_map_shadow(va, va + size);

	if (err)
		return err;
	kasan_unpoison((const void *)va, size);
#else
	(void)va;
	(void)size;
#endif
	return 0;
}

/* The frames are `pages` or, if that is NULL, those from `phys` on. */
static int map_window(u64 va, struct page *const *pages, paddr_t phys, size_t n, u32 flags)
{
	u64 bits = entry_bits(flags);
	int err = shadow_ready(va, n << PAGE_SHIFT);

	BUG_ON(!in_window(va, n << PAGE_SHIFT) || !IS_ALIGNED(va | phys, PAGE_SIZE));
	for (size_t i = 0; i < n && !err; i++) {
		err = map_one(va + (i << PAGE_SHIFT), pages ? page_phys(pages[i]) : phys + (i << PAGE_SHIFT), bits);
		if (err)
			kmap_unmap(va, i << PAGE_SHIFT);
	}
	return err;
}

int kmap_pages(u64 va, struct page *const *pages, size_t n, u32 flags)
{
	return map_window(va, pages, 0, n, flags);
}

int kmap_phys(u64 va, paddr_t phys, size_t size, u32 flags)
{
	return map_window(va, NULL, phys, DIV_ROUND_UP(size, PAGE_SIZE), flags);
}

void kmap_unmap(u64 va, size_t size)
{
	BUG_ON(!in_window(va, size));
	for (u64 off = 0; off < size; off += PAGE_SIZE) {
		u64 *entry = kernel_entry(va + off, 1, false);

		BUG_ON(!entry);
		__atomic_store_n(entry, 0, __ATOMIC_RELEASE);
	}
	kasan_poison((const void *)va, size, KASAN_FREE_PAGE);
	tlb_flush_kernel_here(va, size);
}

struct page *kmap_page(u64 va)
{
	u64 *entry = kernel_entry(va, 1, false);

	BUG_ON(!entry || !(*entry & PTE_PRESENT));
	return pfn_page((*entry & PTE_ADDR) >> PAGE_SHIFT);
}

#ifdef KEEL_DEBUG
int NO_KASAN kasan_map_shadow(u64 start, u64 end)
{
	u64 va = ALIGN_DOWN((start >> 3) + KASAN_OFFSET, PAGE_SIZE);
	u64 to = ALIGN_UP((end >> 3) + KASAN_OFFSET, PAGE_SIZE);
	u64 bits = entry_bits(KMAP_WRITE);

	while (va < to) {
		u64 *entry = kernel_entry(va, 1, true);
		u64 *frame, expected = 0;

		if (!entry)
			return -ENOMEM;
		if (!__atomic_load_n(entry, __ATOMIC_ACQUIRE)) {
			frame = table_alloc();
			if (!frame)
				return -ENOMEM;
			if (!__atomic_compare_exchange_n(entry, &expected, ((u64)frame - frame_direct_base) | bits, false,
							 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
				table_free(frame);
		}
		va += PAGE_SIZE;
	}
	return 0;
}
#endif
