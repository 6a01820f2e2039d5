/* SPDX-License-Identifier: MPL-2.0 */
/* What the boot protocol told us, whichever it was (PVH, multiboot2). Immutable after start-up. */
#ifndef FRAME_BOOT_H
#define FRAME_BOOT_H

#include <lib/types.h>
#include <frame/page.h>

struct boot_range {
	paddr_t start, end;	/* bytes */
	bool is_usable;		/* RAM that the kernel may have; what the frame itself took is not in it */
};

#define BOOT_CMDLINE_MAX 4095
const char *boot_cmdline(void);			/* NUL-terminated, at most BOOT_CMDLINE_MAX bytes: what is longer is cut */
/* The external initramfs, in the direct map; *size 0 if none. Its frames may be donated page by page when it was read. */
const void *boot_initrd(size_t *size);
/* Range i of the memory map, sorted and without overlap; false beyond the last. Usable ranges' frames are RESERVED until frames_donate. */
bool boot_memory(u32 i, struct boot_range *out);
u64 boot_memory_bytes(void);			/* all RAM the machine has */
/* An ACPI table by signature, checksum verified, NULL if there is none. `n`: the n-th of that name. */
const void *boot_acpi_table(const char sig[4], u32 n, size_t *len);
/* Instructions/time facts for the log: cycle counter at entry. */
u64 boot_entry_cycles(void);
/* Starts the other CPUs (at most `limit`, 0: all): each arrives in policy_secondary_start. Task context, allocator ready. */
void boot_start_cpus(u32 limit);
/* Frees the frame's start-up code and data, and says how many frames: after this no __init function may run. */
u64 boot_free_init(void);

#endif
