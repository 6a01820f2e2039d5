/* SPDX-License-Identifier: MPL-2.0 */
/* PVH: struct hvm_start_info (Xen's public boot ABI, docs/misc/pvh) → boot_info. Runs on the boot page tables. */
#include <lib/string.h>
#include <frame/core/internal.h>
#include <frame/x86_64/start.h>

#define PVH_MAGIC 0x336ec578

struct pvh_start_info {
	u32 magic, version, flags, n_modules;
	u64 modules, cmdline, rsdp;
	u64 memmap;			/* version 1 and later */
	u32 n_memmap, reserved;
};

struct pvh_module {
	u64 start, size, cmdline, reserved;
};

struct pvh_range {
	u64 start, size;
	u32 type, reserved;
};

void __init pvh_gather(paddr_t info)
{
	const struct pvh_start_info *si = boot_phys(info);
	const struct pvh_range *ranges;
	const struct pvh_module *mod;

	if (!si || si->magic != PVH_MAGIC)
		return;
	boot_info.rsdp = si->rsdp;
	if (boot_phys(si->cmdline) && si->cmdline)
		boot_set_cmdline(boot_phys(si->cmdline));
	mod = boot_phys(si->modules);
	if (si->n_modules && mod) {
		boot_info.initrd = mod->start;
		boot_info.initrd_size = mod->size;
	}
	ranges = boot_phys(si->memmap);
	if (si->version < 1 || !ranges)
		return;
	for (u32 i = 0; i < si->n_memmap; i++)
		boot_add_range(ranges[i].start, ranges[i].size, ranges[i].type);
}
