/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where things lie in virtual memory is chosen anew at each boot, unless the command line says nokaslr: the image (in steps of 2 MiB, in its
 * GiB), the direct map (4 GiB), the vmap window (pages) and the struct pages (1 GiB). Physical addresses stay as they were loaded.
 *
 * frame_prepare is the first C to run, on the boot page tables, with the image where it was linked. Afterwards boot.S moves the image: what
 * had been stored there before is kept, so no address of the image may have been.
 */
#include <frame/core/internal.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/image.h>
#include <frame/x86_64/paging.h>
#include <frame/x86_64/start.h>

#define GIB (1ull << 30)
#define DIRECT_STEP (4 * GIB)		/* the boot tables map so much of it: four entries of one table */

u64 image_base __ro_after_init = KERNEL_BASE;

/* The cycle counter tells little more than how long the firmware took; hardware random numbers where there are any. */
static u64 __init hard_random(void)
{
	u64 r = 0;

	if (cpuid(1, 0).c & BIT(30))
		__asm__ volatile("rdrand %0" : "=r"(r) : : "cc");
	return r ^ rdtsc();
}

/* 0 … n-1. Splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators". */
static u64 __init choose(u64 n)
{
	static u64 state __initdata;
	u64 z;

	state += hard_random() + 0x9e3779b97f4a7c15;
	z = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return (u64)((unsigned __int128)z * n >> 64);
}

static u64 __init memory_end(void)
{
	u64 end = DIRECT_STEP;

	for (u32 i = 0; i < boot_info.n_ranges; i++)
		if (boot_info.ranges[i].type == 1)
			end = max(end, min(boot_info.ranges[i].end, (paddr_t)PHYS_LIMIT));
	return ALIGN_UP(end, DIRECT_STEP);
}

/* The first 4 GiB, as far as the boot tables have them, come along. */
static void __init move_direct_map(void)
{
	u64 base = DIRECT_BASE + choose((VMAP_BASE - DIRECT_BASE - memory_end()) / DIRECT_STEP + 1) * DIRECT_STEP;

	for (u32 i = 0; i < DIRECT_STEP / GIB; i++)
		boot_pdpt_direct[pt_index(base, 3) + i] = boot_pdpt_low[i];
	boot_pml4[pt_index(base, 4)] = image_phys(boot_pdpt_direct) | PTE_PRESENT | PTE_WRITE;
	frame_direct_base = base;
}

u64 image_slide(void)
{
	return image_base - KERNEL_BASE;
}

u64 __init frame_prepare(u32 protocol, u32 info)
{
	u64 free = GIB - image_phys(image_end), slide;

	boot_gather(protocol, info);
	if (boot_option("nokaslr", NULL, 0))
		return 0;
	move_direct_map();
	vmap_base = VMAP_BASE + choose((PAGES_LOWEST - VMAP_BASE) / PT_SPAN(4)) * PT_SPAN(4) + choose(VMAP_SIZE >> PAGE_SHIFT) * PAGE_SIZE;
	frame_pages = (struct page *)(PAGES_LOWEST + choose((PAGES_BASE - PAGES_LOWEST) / GIB + 1) * GIB);
	slide = choose(free / LARGE_PAGE + 1) * LARGE_PAGE;
	image_base += slide;
	return slide;
}
