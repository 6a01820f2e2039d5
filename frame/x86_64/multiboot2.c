/* SPDX-License-Identifier: MPL-2.0 */
/* Multiboot2 (GRUB): the tags of its information structure → boot_info. Runs on the boot page tables. */
#include <lib/string.h>
#include <frame/core/internal.h>
#include <frame/x86_64/start.h>

enum { TAG_END = 0, TAG_CMDLINE = 1, TAG_MODULE = 3, TAG_MMAP = 6, TAG_ACPI_OLD = 14, TAG_ACPI_NEW = 15 };

struct mb2_tag {
	u32 type, size;
};

struct mb2_module {
	struct mb2_tag tag;
	u32 start, end;
};

struct mb2_mmap {
	struct mb2_tag tag;
	u32 entry_size, entry_version;
};

struct mb2_range {
	u64 start, size;
	u32 type, reserved;
};

static __init void gather_mmap(const struct mb2_mmap *map)
{
	if (map->entry_size < sizeof(struct mb2_range))
		return;
	for (u32 off = sizeof(*map); off + map->entry_size <= map->tag.size; off += map->entry_size) {
		const struct mb2_range *r = (const void *)((const u8 *)map + off);

		boot_add_range(r->start, r->size, r->type);
	}
}

static __init void gather_tag(const struct mb2_tag *tag)
{
	const struct mb2_module *mod = (const void *)tag;

	switch (tag->type) {
	case TAG_CMDLINE:
		boot_set_cmdline((const char *)(tag + 1));
		break;
	case TAG_MODULE:
		if (!boot_info.initrd_size && mod->end > mod->start) {
			boot_info.initrd = mod->start;
			boot_info.initrd_size = mod->end - mod->start;
		}
		break;
	case TAG_MMAP:
		gather_mmap((const void *)tag);
		break;
	case TAG_ACPI_OLD:
	case TAG_ACPI_NEW:
		/* A copy of the RSDP lies in the tag itself; ACPI 2's is preferred. */
		if (!boot_info.rsdp || tag->type == TAG_ACPI_NEW) {
			size_t n = min_t(size_t, tag->size - sizeof(*tag), sizeof(boot_rsdp_copy));

			memcpy(boot_rsdp_copy, tag + 1, n);
			boot_info.rsdp = image_phys(boot_rsdp_copy);
		}
		break;
	default:
		break;
	}
}

void __init multiboot2_gather(paddr_t info)
{
	const u32 *head = boot_phys(info);
	u32 total;

	if (!head)
		return;
	total = head[0];
	for (u32 off = 8; off + sizeof(struct mb2_tag) <= total;) {
		const struct mb2_tag *tag = boot_phys(info + off);

		if (tag->type == TAG_END || tag->size < sizeof(*tag) || off + tag->size > total)
			break;
		gather_tag(tag);
		off += ALIGN_UP(tag->size, 8u);
	}
}
