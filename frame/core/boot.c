/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the boot protocol said: command line, initramfs, memory ranges (handed on to memory.c). Written once by
 * boot_gather on the boot CPU, immutable after.
 */
#include <lib/cmdline.h>
#include <lib/string.h>
#include <frame/boot.h>
#include <frame/kasan.h>
#include <frame/log.h>
#include <frame/policy.h>
#include <frame/core/internal.h>
#include <frame/x86_64/image.h>
#include <frame/x86_64/start.h>

struct boot_info boot_info;
u8 boot_rsdp_copy[64] __aligned(16);

void __init boot_gather(u32 protocol, paddr_t info)
{
	boot_info.entry_cycles = boot_entry_tsc;
	if (protocol == 1)
		pvh_gather(info);
	else
		multiboot2_gather(info);
	/* An external initramfs beyond what can be addressed, or one that lies about its size, is none. */
	if (boot_info.initrd + boot_info.initrd_size < boot_info.initrd || !boot_info.initrd)
		boot_info.initrd_size = 0;
}

void __init boot_set_cmdline(const char *text)
{
	if (strscpy(boot_info.cmdline, text, sizeof(boot_info.cmdline)) < 0)
		klog(LOG_WARNING, "command line: only the first %d bytes count", BOOT_CMDLINE_MAX);
}

void __init boot_add_range(paddr_t start, u64 size, u32 type)
{
	u32 n = boot_info.n_ranges;

	if (!size || start + size < start || n >= ARRAY_SIZE(boot_info.ranges))
		return;
	boot_info.ranges[n].start = start;
	boot_info.ranges[n].end = start + size;
	boot_info.ranges[n].type = type;
	boot_info.n_ranges = n + 1;
}

const char *boot_cmdline(void)
{
	return boot_info.cmdline;
}

const void *boot_initrd(size_t *size)
{
	if (boot_info.initrd_size) {
		*size = boot_info.initrd_size;
		return (const void *)(frame_direct_base + boot_info.initrd);
	}
	*size = (size_t)(initramfs_end - initramfs_start);
	return (const void *)(frame_direct_base + image_phys(initramfs_start));
}

u64 boot_entry_cycles(void)
{
	return boot_info.entry_cycles;
}

bool boot_option(const char *name, char *value, size_t max)
{
	struct cmdline_word word;

	if (cmdline_find(boot_info.cmdline, strlen(boot_info.cmdline), name, &word))
		return false;
	if (max) {
		size_t n = word.value ? min_t(size_t, word.value_len, max - 1) : 0;

		if (n)
			memcpy(value, word.value, n);
		value[n] = 0;
	}
	return true;
}

static u64 donate(const char *start, const char *end)
{
	u64 first = image_phys(start) >> PAGE_SHIFT, last = image_phys(end) >> PAGE_SHIFT;

	if (last > first) {
		kasan_unpoison((void *)(frame_direct_base + (first << PAGE_SHIFT)), (last - first) << PAGE_SHIFT);
		frames_donate(pfn_page(first), last - first);
	}
	for (u64 i = first; i < last; i++)
		policy_frames_free(pfn_page(i), 0);
	return last > first ? last - first : 0;
}

u64 boot_free_init(void)
{
	cpu_unmap_guards();
	paging_protect_image();
	return donate(init_text_start, init_text_end) + donate(init_data_start, init_data_end) + donate(relocs_start, initramfs_start);
}
