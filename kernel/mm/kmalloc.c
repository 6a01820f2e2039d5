/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory of any size: slab caches of fixed sizes up to two pages, whole blocks of frames beyond (marked PG_LARGE, their order in `index`).
 * kfree finds out from the frame which it is. Powers of two are aligned to their size (up to a page).
 */
#include <lib/string.h>
#include <frame/kasan.h>
#include <frame/log.h>
#include "mm/alloc.h"
#include "mm/page_alloc.h"
#include "mm/page_flags.h"

#define SMALL_MAX 1024		/* classes by 16 bytes up to here, by 512 beyond */
#define SLAB_MAX (2 * PAGE_SIZE)

static const struct {
	u16 size;
	const char *name;
} classes[] = {
	{ 16, "kmalloc-16" }, { 32, "kmalloc-32" }, { 48, "kmalloc-48" }, { 64, "kmalloc-64" }, { 96, "kmalloc-96" },
	{ 128, "kmalloc-128" }, { 192, "kmalloc-192" }, { 256, "kmalloc-256" }, { 384, "kmalloc-384" }, { 512, "kmalloc-512" },
	{ 768, "kmalloc-768" }, { 1024, "kmalloc-1k" }, { 1536, "kmalloc-1536" }, { 2048, "kmalloc-2k" }, { 3072, "kmalloc-3k" },
	{ 4096, "kmalloc-4k" }, { 6144, "kmalloc-6k" }, { 8192, "kmalloc-8k" },
};

static struct slab_cache *by_16[SMALL_MAX / 16 + 1], *by_512[SLAB_MAX / 512 + 1];	/* [I] after start-up */

void kmalloc_init(void)
{
	u32 from_16 = 0, from_512 = 0;

	for (u32 i = 0; i < ARRAY_SIZE(classes); i++) {
		u32 size = classes[i].size;
		struct slab_cache *c = slab_create(classes[i].name, size, is_power_of_two(size) ? min(size, 4096u) : 16, 0, NULL);

		for (; from_16 <= SMALL_MAX / 16 && from_16 * 16 <= size; from_16++)
			by_16[from_16] = c;
		for (; from_512 * 512 <= size; from_512++)
			by_512[from_512] = c;
	}
}

static void *large_alloc(size_t size, u32 flags)
{
	u32 order = ilog2((size - 1) / PAGE_SIZE) + 1;
	struct page *p;

	if (order > PAGE_MAX_ORDER)
		return NULL;
	p = page_alloc(order, FRAME_KERNEL, flags);
	if (!p)
		return NULL;
	p->index = order;
	__atomic_store_n(&p->flags, PG_LARGE, __ATOMIC_RELEASE);
	return page_kva(p);
}

void *kmalloc(size_t size, u32 flags)
{
	if (size <= SMALL_MAX)
		return slab_alloc_sized(by_16[(size + 15) / 16], size, flags);
	if (size <= SLAB_MAX)
		return slab_alloc_sized(by_512[(size + 511) / 512], size, flags);
	return large_alloc(size, flags);
}

void *kmalloc_array(size_t n, size_t size, u32 flags)
{
	size_t bytes;

	if (mul_overflows(n, size, &bytes))
		return NULL;
	return kmalloc(bytes, flags);
}

/* All of what this answers may be used. */
size_t kmalloc_size(const void *p)
{
	const struct page *page = kva_page(p);
	size_t size;

	if (page_has(page, PG_LARGE))
		return PAGE_SIZE << page->index;
	size = slab_object_size(page->owner);
	kasan_unpoison(p, size);
	return size;
}

void *krealloc(void *p, size_t size, u32 flags)
{
	size_t old = p ? kmalloc_size(p) : 0;
	void *q;

	if (p && size <= old)
		return p;
	q = kmalloc(size, flags);
	if (!q || !p)
		return q;
	memcpy(q, p, old);
	kfree(p);
	return q;
}

char *kstrdup(const char *s, size_t max, u32 flags)
{
	size_t n = strnlen(s, max);
	char *copy = kmalloc(n + 1, flags);

	if (!copy)
		return NULL;
	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

void kfree(void *p)
{
	struct page *page;

	if (!p)
		return;
	page = kva_page(p);
	if (page_has(page, PG_LARGE)) {
		page_free(page, (u32)page->index);
		return;
	}
	BUG_ON(!page_has(page, PG_SLAB));
	slab_free(page->owner, p);
}
