/* SPDX-License-Identifier: MPL-2.0 */
/* Between boot.S, the boot protocols and core/start.c. */
#ifndef FRAME_X86_64_START_H
#define FRAME_X86_64_START_H

#include <frame/core/internal.h>
#include <frame/x86_64/image.h>

/* What the boot page tables map; NULL for 0 and beyond 4 GiB. */
static inline const void *boot_phys(paddr_t phys)
{
	return phys && phys < (4ull << 30) ? (const void *)(frame_direct_base + phys) : NULL;
}

void pvh_gather(paddr_t info);
void multiboot2_gather(paddr_t info);
void boot_set_cmdline(const char *text);		/* what is too long is cut, and told of */
void boot_add_range(paddr_t start, u64 size, u32 type);
extern u8 boot_rsdp_copy[64];
extern u64 boot_entry_tsc;
extern u8 boot_stack_guard[], boot_stack[], boot_stack_top[];
extern u64 boot_pml4[], boot_pdpt_low[], boot_pdpt_direct[];

/* kaslr.c: by how much boot.S must move the image, which is still where it was linked. Only then frame_start. */
u64 frame_prepare(u32 protocol, u32 info);
__noreturn void frame_start(void);

#endif
