/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Mapping the vDSO: [vvar], one page of numbers that the kernel writes and programs read, and right above it [vdso], the image.
 *
 * The pages are those of two mappings that belong to no file and stay for ever. Programs may protect, move and unmap the areas as any other, whole
 * (special VMAs are not split); the image may even be made writable, which gives the process a copy of its own, the numbers never.
 *
 * Parameters: vdso=0 maps nothing; tsc=unstable makes the functions ask the kernel.
 */
#include <lib/clock_page.h>
#include <lib/cmdline.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <frame/boot.h>
#include <frame/clock.h>
#include <frame/log.h>
#include "mm/alloc.h"
#include "mm/mapping.h"
#include "object/random.h"
#include "proc/exec.h"
#include "proc/vdso.h"
#include "time/wall.h"

static const struct mapping_ops page_ops;	/* nothing to read, nothing to write back */
static struct mapping image, numbers;
static u64 image_bytes;				/* [I] after vdso_init; 0: no vDSO */

static struct page *add_page(struct mapping *m)
{
	struct page *page = page_alloc(0, FRAME_UNTYPED, ALLOC_SLEEP | ALLOC_ZERO);

	if (!page || mapping_insert(m, m->size >> PAGE_SHIFT, page))
		panic("no memory for the vDSO");
	m->size += PAGE_SIZE;
	return page;
}

static void share_clock(void)
{
	struct clock_page *page = page_kva(add_page(&numbers));
	const char *line = boot_cmdline();
	struct cmdline_word word;

	_Static_assert(sizeof(*page) <= PAGE_SIZE, "one page");
	clock_user_counter(&page->base_cycles, &page->ns_per_cycle);
	if (!cmdline_find(line, strlen(line), "tsc", &word) && word.value_len == 8 && !memcmp(word.value, "unstable", 8))
		page->ns_per_cycle = 0;
	wall_share(page);
}

void vdso_init(void)
{
	size_t bytes = (size_t)(vdso_image_end - vdso_image);
	const char *line = boot_cmdline();
	struct cmdline_word word;

	if (!cmdline_find(line, strlen(line), "vdso", &word) && word.value_len == 1 && word.value[0] == '0')
		return;
	mapping_init(&image, &page_ops, NULL);
	mapping_init(&numbers, &page_ops, NULL);
	for (size_t at = 0; at < bytes; at += PAGE_SIZE)
		memcpy(page_kva(add_page(&image)), vdso_image + at, min(bytes - at, PAGE_SIZE));
	share_clock();
	image_bytes = image.size;
}

/* Where there is room for both. Randomised: above the stack, within the same page table; else, or if that is taken, wherever mmap puts it. */
static int find_place(struct exec *x, u64 len, u64 *at)
{
	struct mm_map_request rq = { .len = len, .vma_flags = VMA_NORESERVE };
	u64 start = ALIGN_UP(x->stack_end, PAGE_SIZE), end = min(ALIGN_UP(start + 1, 512 * PAGE_SIZE), USPACE_END);
	int err;

	if (exec_is_random() && start + len <= end)
		rq.addr = start + (random_below(((end - start - len) >> PAGE_SHIFT) + 1) << PAGE_SHIFT);
	err = mm_map(x->mm, &rq, at);
	return err ? err : mm_unmap(x->mm, *at, len);
}

int vdso_map(struct exec *x)
{
	struct mm_map_request rq = {
		.len = PAGE_SIZE, .prot = VMA_READ, .vma_flags = VMA_VDSO | VMA_IO | VMA_DONTDUMP | VMA_MAY_READ,
		.is_fixed = true, .is_noreplace = true, .mapping = &numbers, .special = "[vvar]",
	};
	u64 at;
	int err;

	if (!image_bytes)
		return 0;
	err = find_place(x, PAGE_SIZE + image_bytes, &rq.addr);
	if (!err)
		err = mm_map(x->mm, &rq, &at);
	if (err)
		return err;
	x->vdso = rq.addr + PAGE_SIZE;
	rq = (struct mm_map_request){
		.addr = x->vdso, .len = image_bytes, .prot = VMA_READ | VMA_EXEC,
		.vma_flags = VMA_VDSO | VMA_MAY_READ | VMA_MAY_WRITE | VMA_MAY_EXEC,
		.is_fixed = true, .is_noreplace = true, .mapping = &image, .special = "[vdso]",
	};
	return mm_map(x->mm, &rq, &at);
}
