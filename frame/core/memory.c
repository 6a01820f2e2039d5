/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The memory map, early allocation, and the array of struct page.
 *
 * The boot protocol's map is brought into order once: `map` holds the machine's RAM, sorted, disjoint, in whole pages; each
 * range is either free or taken by the frame (image, initramfs, what early_alloc gave out). Ranges that the firmware calls
 * anything but usable win over usable ones that they overlap.
 *
 * early_alloc lives until the kernel first asks for the map (boot_memory): from then on the free ranges are the kernel's and
 * the map is immutable. Struct pages exist for RAM only: the window is mapped sparsely, 64 bytes a frame, rounded to pages;
 * zero means RESERVED, so nothing need be written but zeros.
 *
 * Locking: none. Everything here but the readers of the final map runs on the boot CPU before the others start.
 */
#include <frame/core/internal.h>
#include <frame/log.h>
#include <lib/string.h>

#define MAP_MAX 320u
#define LOW_MEMORY 0x100000ull

struct mem_range {
	paddr_t start, end;
	bool is_taken;
};

static struct mem_range map[MAP_MAX];
static u32 n_map;
static u64 ram_bytes;
static bool is_frozen;			/* the kernel has seen the map */
static u8 *chunk, *chunk_end;		/* what early_alloc has left of its current page(s) */

static struct mem_range ram[MAP_MAX] __initdata;	/* the map before anything was taken: taking changes `map` underfoot */
static u32 n_ram __initdata;

u64 frame_pfn_end __ro_after_init;
paddr_t smp_trampoline_page __ro_after_init;

static void map_insert(u32 at, struct mem_range r)
{
	if (n_map == MAP_MAX)
		panic("memory map has more than %u ranges", MAP_MAX);
	memmove(&map[at + 1], &map[at], (n_map - at) * sizeof(map[0]));
	map[at] = r;
	n_map++;
}

static void map_remove(u32 at)
{
	n_map--;
	memmove(&map[at], &map[at + 1], (n_map - at) * sizeof(map[0]));
}

/* Adds free RAM, keeping the map sorted; overlapping and adjacent ranges become one. Nothing is taken yet. */
static void map_add(paddr_t start, paddr_t end)
{
	u32 i = 0;

	while (i < n_map && map[i].end < start)
		i++;
	while (i < n_map && map[i].start <= end) {
		start = min(start, map[i].start);
		end = max(end, map[i].end);
		map_remove(i);
	}
	map_insert(i, (struct mem_range){ start, end, false });
}

/* Cuts [start, end) out of the map (is_taken false) or marks it as taken. */
static void map_carve(paddr_t start, paddr_t end, bool is_taken)
{
	for (u32 i = 0; i < n_map; i++) {
		u32 n_before = n_map;
		struct mem_range r = map[i];
		paddr_t from = max(start, r.start), to = min(end, r.end);

		if (from >= to || r.is_taken)
			continue;
		map_remove(i);
		if (to < r.end)
			map_insert(i, (struct mem_range){ to, r.end, false });
		if (is_taken)
			map_insert(i, (struct mem_range){ from, to, true });
		if (r.start < from)
			map_insert(i, (struct mem_range){ r.start, from, false });
		if (n_map < n_before)
			i--;			/* nothing is left of it: the next one has its place */
	}
	/* Neighbours that are both taken become one, so that many small allocations do not fill the array. */
	for (u32 i = 1; i < n_map; i++) {
		if (map[i].is_taken && map[i - 1].is_taken && map[i - 1].end == map[i].start) {
			map[i - 1].end = map[i].end;
			map_remove(i--);
		}
	}
}

static void __init map_build(void)
{
	u32 n = min(boot_info.n_ranges, (u32)ARRAY_SIZE(boot_info.ranges));

	for (u32 i = 0; i < n; i++) {
		paddr_t start = boot_info.ranges[i].start, end = min(boot_info.ranges[i].end, (paddr_t)PHYS_LIMIT);

		if (boot_info.ranges[i].type != 1 || start >= PHYS_LIMIT)
			continue;
		start = ALIGN_UP(start, PAGE_SIZE);
		end = ALIGN_DOWN(end, PAGE_SIZE);
		if (start < end)
			map_add(start, end);
	}
	for (u32 i = 0; i < n; i++) {
		paddr_t start = boot_info.ranges[i].start, end = boot_info.ranges[i].end;

		if (boot_info.ranges[i].type == 1 || start >= end || start >= PHYS_LIMIT)
			continue;
		end = min(end, (paddr_t)PHYS_LIMIT);
		map_carve(ALIGN_DOWN(start, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE), false);
	}
	map_carve(0, PAGE_SIZE, false);		/* the firmware's data, and physical address 0 stays invalid */
	if (!n_map)
		panic("the boot loader told of no memory");
	for (u32 i = 0; i < n_map; i++)
		ram_bytes += map[i].end - map[i].start;
	frame_pfn_end = map[n_map - 1].end >> PAGE_SHIFT;
}

/* The page below 1 MiB where secondary CPUs start in real mode. */
static void __init trampoline_reserve(void)
{
	if (map[0].start < LOW_MEMORY && !map[0].is_taken && map[0].start + PAGE_SIZE <= map[0].end) {
		smp_trampoline_page = map[0].start;
		map_carve(smp_trampoline_page, smp_trampoline_page + PAGE_SIZE, true);
	}
}

paddr_t memory_take(u64 size, u64 align, bool is_top)
{
	for (u32 n = 0; n < n_map; n++) {
		struct mem_range r = map[is_top ? n_map - 1 - n : n];
		paddr_t at;

		r.start = max(r.start, (paddr_t)LOW_MEMORY);
		if (r.is_taken || r.end < r.start + size)
			continue;
		at = is_top ? ALIGN_DOWN(r.end - size, align) : ALIGN_UP(r.start, align);
		if (at < r.start || at + size > r.end)
			continue;
		map_carve(at, at + size, true);
		return at;
	}
	return 0;
}

void *early_alloc(size_t size, size_t align)
{
	u8 *p = (u8 *)ALIGN_UP((u64)chunk, align);

	BUG_ON(is_frozen || !size || !is_power_of_two(align));
	if (p + size > chunk_end) {
		u64 bytes = ALIGN_UP(size, PAGE_SIZE);
		paddr_t at = memory_take(bytes, max(align, (size_t)PAGE_SIZE), false);

		if (!at)
			panic("no memory for %zu bytes at start-up", size);
		p = (void *)(frame_direct_base + at);
		/* A large request must not throw away a mostly empty page. */
		if (!chunk || (u64)(chunk_end - chunk) <= bytes - size) {
			chunk = p + size;
			chunk_end = p + bytes;
		}
	} else {
		chunk = p + size;
	}
	return memset(p, 0, size);
}

/* Backs the struct pages of one range of RAM. */
static void __init pages_map(paddr_t start, paddr_t end)
{
	u64 va = ALIGN_DOWN((u64)pfn_page(start >> PAGE_SHIFT), PAGE_SIZE);
	u64 va_end = ALIGN_UP((u64)pfn_page(end >> PAGE_SHIFT), PAGE_SIZE);
	static u64 mapped_to;			/* ranges are sorted; two may share a page of the array */

	va = max(va, mapped_to);
	while (va < va_end) {
		u64 size = min(ALIGN_DOWN(va, LARGE_PAGE) + LARGE_PAGE, va_end) - va;
		paddr_t at = memory_take(size, size == LARGE_PAGE ? size : PAGE_SIZE, true);

		for (; !at && size > PAGE_SIZE; at = memory_take(size, PAGE_SIZE, true))
			size = ALIGN_DOWN(size / 2, PAGE_SIZE);
		if (!at)
			panic("no memory for struct page");
		__memset((void *)(frame_direct_base + at), 0, size);	/* plain memset in cold code becomes rep stosb */
		paging_map(va, at, size, KMAP_WRITE);
		va += size;
	}
	mapped_to = max(va, mapped_to);
}

/* Before the boot tables, whose shadow is one page for everything, are left. */
static void __init shadow_map(void)
{
#ifdef KEEL_DEBUG
	for (u32 i = 0; i < n_ram; i++)
		if (kasan_map_shadow(frame_direct_base + ram[i].start, frame_direct_base + ram[i].end) ||
		    kasan_map_shadow((u64)pfn_page(ram[i].start >> PAGE_SHIFT), (u64)pfn_page(ram[i].end >> PAGE_SHIFT)))
			panic("no memory for KASAN's shadow");
#endif
}

/* A loader that names an initramfs where there is no memory gives none. */
static void __init initrd_check(void)
{
	paddr_t start = boot_info.initrd, end = start + boot_info.initrd_size;

	for (u32 i = 0; i < n_map; i++)
		if (start >= map[i].start && end <= map[i].end)
			return;
	if (boot_info.initrd_size)
		klog(LOG_ERR, "initramfs: 0x%lx-0x%lx is not in memory", start, end);
	boot_info.initrd_size = 0;
}

void __init memory_init(void)
{
	paddr_t image, image_to;

	map_build();
	image_bounds(&image, &image_to);
	map_carve(image, image_to, true);
	initrd_check();
	if (boot_info.initrd_size)
		map_carve(ALIGN_DOWN(boot_info.initrd, PAGE_SIZE),
			  ALIGN_UP(boot_info.initrd + boot_info.initrd_size, PAGE_SIZE), true);
	trampoline_reserve();
	memcpy(ram, map, sizeof(ram));
	n_ram = n_map;
	paging_init();
	for (u32 i = 0; i < n_ram; i++)
		paging_map(frame_direct_base + ram[i].start, ram[i].start, ram[i].end - ram[i].start, KMAP_WRITE);
	shadow_map();
	paging_load_kernel();
	for (u32 i = 0; i < n_ram; i++)
		pages_map(ram[i].start, ram[i].end);
}

bool memory_is_early(void)
{
	return !is_frozen;
}

bool memory_is_ram(paddr_t start, u64 size)
{
	u32 lo = 0, hi = n_map;

	while (lo < hi) {			/* the first range that ends beyond `start` */
		u32 mid = (lo + hi) / 2;

		if (map[mid].end <= start)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n_map && map[lo].start < start + size;
}

bool boot_memory(u32 i, struct boot_range *out)
{
	is_frozen = true;
	if (i >= n_map)
		return false;
	*out = (struct boot_range){ map[i].start, map[i].end, !map[i].is_taken };
	return true;
}

u64 boot_memory_bytes(void)
{
	return ram_bytes;
}
