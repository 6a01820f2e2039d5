/* SPDX-License-Identifier: MPL-2.0 */
/* Page-table entries, and what paging.c, vmap.c, uspace.c, tlb.c and memory.c share. Not for kernel/. */
#ifndef FRAME_X86_64_PAGING_H
#define FRAME_X86_64_PAGING_H

#include <lib/types.h>
#include <frame/page.h>
#include <frame/percpu.h>

#define PTE_PRESENT	0x001ull
#define PTE_WRITE	0x002ull
#define PTE_USER	0x004ull
#define PTE_PWT		0x008ull
#define PTE_PCD		0x010ull
#define PTE_ACCESSED	0x020ull
#define PTE_DIRTY	0x040ull
#define PTE_LARGE	0x080ull
#define PTE_GLOBAL	0x100ull
#define PTE_EXCLUSIVE	0x200ull	/* ours: UPTE_EXCLUSIVE */
#define PTE_SPECIAL	0x400ull	/* ours: UPTE_SPECIAL */
#define PTE_NONE	0x800ull	/* ours: a page is mapped, but PTE_PRESENT is clear (PROT_NONE) */
#define PTE_NX		(1ull << 63)
#define PTE_ADDR	0x000ffffffffff000ull

#define PT_ENTRIES 512u
#define PT_SHIFT(level) (12u + 9u * ((level) - 1u))	/* level 1: 4 KiB, 2: 2 MiB, 3: 1 GiB, 4: 512 GiB */
#define PT_SPAN(level) (1ull << PT_SHIFT(level))

static inline u32 pt_index(u64 va, u32 level)
{
	return (u32)(va >> PT_SHIFT(level)) & (PT_ENTRIES - 1);
}

/* Where things lie (DESIGN section 4) with nokaslr; otherwise they are chosen in the ranges from one to the next. */
#define DIRECT_BASE	0xffff800000000000ull	/* 64 TiB at most; frame_direct_base */
#define VMAP_BASE	0xffffc90000000000ull	/* vmap_base */
#define VMAP_SIZE	0x0000004000000000ull	/* 256 GiB, all in one top-level entry */
#define PAGES_LOWEST	0xffffd90000000000ull
#define PAGES_BASE	0xffffea0000000000ull	/* 1 TiB at most; frame_pages */
#define KASAN_OFFSET	0xdffffc0000000000ull

extern u64 vmap_base;

/* The contents of a page table (any RAM) at its physical address; works from boot on. */
static inline void *phys_kva(paddr_t phys)
{
	return (void *)(frame_direct_base + phys);
}

/* A zeroed page table in a KERNEL frame (or early memory); NULL if there is no memory. May sleep once the allocator runs. */
u64 *table_alloc(void);
void table_free(u64 *table);

void paging_fill_root(u64 *root);	/* the kernel's half of a top-level table that is all zeros */

/* tlb.c */
struct uspace;
void tlb_flush(struct uspace *us, u64 start, u64 end);	/* on every CPU of the space's set; interrupts on if that is not just this one */
void tlb_flush_kernel(void);				/* all kernel translations on every CPU; interrupts on */
void tlb_flush_kernel_here(u64 va, u64 size);		/* this CPU only */

#endif
