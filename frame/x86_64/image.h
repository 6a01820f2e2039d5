/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What kernel.lds says about the image: page-aligned bounds, in the order they lie in memory. All virtual addresses (top 2 GiB); the
 * physical address is image_phys(symbol). The image ends with the embedded initramfs (maybe empty), which is donated page by page.
 */
#ifndef FRAME_X86_64_IMAGE_H
#define FRAME_X86_64_IMAGE_H

#include <lib/types.h>
#include <frame/page.h>
#include <frame/x86_64/layout.h>

extern const char image_start[];
extern const char text_start[], text_end[];			/* execute, read */
extern const char init_text_start[], init_text_end[];		/* execute, read; freed by boot_free_init */
extern const char rodata_start[], rodata_end[];			/* read; exception table, notes */
extern const char init_data_start[], init_data_end[];		/* read, write; freed by boot_free_init */
extern const char ro_after_init_start[], ro_after_init_end[];	/* read only after boot_free_init */
extern const char data_start[], bss_end[];			/* read, write: data, per-CPU template and boot CPU's copy, bss, boot stack */
extern const char relocs_start[], relocs_end[];			/* read; freed by boot_free_init. The end is exact, not aligned */
extern const char initramfs_start[], initramfs_end[];		/* initramfs_end is exact, not aligned */
extern const char image_end[];					/* page aligned */

extern u64 image_base;						/* kaslr.c: KERNEL_BASE, and by how much the image was moved */

extern char percpu_start[], percpu_end[];			/* the template (linked addresses) */
extern char percpu_boot[];					/* the boot CPU's copy */

/* Constructors (KASAN's registration of globals). */
extern void (*const init_array_start[])(void), (*const init_array_end[])(void);

static inline paddr_t image_phys(const void *sym)
{
	return (u64)sym - image_base;
}

#endif
