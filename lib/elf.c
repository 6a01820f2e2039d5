/* SPDX-License-Identifier: MPL-2.0 */
/* ELF64 headers: decode and check (elf(5)). */
#include <lib/elf.h>
#include <lib/errno.h>
#include <lib/string.h>

int elf_parse_header(const void *buf, size_t len, struct elf_info *info)
{
	static const u8 ident[] = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT };
	struct elf_ehdr eh;
	u64 end;

	if (len < sizeof(eh))
		return -ENOEXEC;
	memcpy(&eh, buf, sizeof(eh));
	if (memcmp(eh.e_ident, ident, sizeof(ident)) != 0)
		return -ENOEXEC;
	if ((eh.e_type != ET_EXEC && eh.e_type != ET_DYN) || eh.e_machine != EM_X86_64)
		return -ENOEXEC;
	if (eh.e_phentsize != sizeof(struct elf_phdr) || eh.e_phnum < 1 ||
	    eh.e_phnum > ELF_MAX_PHNUM)
		return -ENOEXEC;
	*info = (struct elf_info){
		.is_dyn = eh.e_type == ET_DYN,
		.phnum = eh.e_phnum,
		.entry = eh.e_entry,
		.phoff = eh.e_phoff,
		.ph_bytes = (size_t)eh.e_phnum * sizeof(struct elf_phdr),
	};
	/* A file offset is an off_t. */
	if (add_overflows(info->phoff, (u64)info->ph_bytes, &end) || end > (u64)S64_MAX)
		return -ENOEXEC;
	return 0;
}

void elf_phdr_get(const void *table, unsigned int i, struct elf_phdr *ph)
{
	memcpy(ph, (const u8 *)table + (size_t)i * sizeof(*ph), sizeof(*ph));
}

int elf_check_load(const struct elf_phdr *ph, u64 page_size, u64 limit)
{
	u64 end;

	if (ph->p_filesz > ph->p_memsz)
		return -ENOEXEC;
	if (add_overflows(ph->p_offset, ph->p_filesz, &end) || end > (u64)S64_MAX)
		return -ENOEXEC;
	if (add_overflows(ph->p_vaddr, ph->p_memsz, &end) ||
	    add_overflows(end, page_size - 1, &end))
		return -ENOEXEC;
	if (ALIGN_DOWN(end, page_size) > limit)
		return -ENOEXEC;
	if (ph->p_filesz && (ph->p_vaddr - ph->p_offset) % page_size != 0)
		return -ENOEXEC;
	return 0;
}

/* PT_LOAD: checks it and widens the layout by it. */
static int add_load(const struct elf_info *info, const struct elf_phdr *ph, u64 page_size,
		    u64 limit, struct elf_layout *layout)
{
	int err = elf_check_load(ph, page_size, limit);

	if (err || !ph->p_memsz)
		return err;
	layout->lo = min(layout->lo, ALIGN_DOWN(ph->p_vaddr, page_size));
	layout->hi = max(layout->hi, ALIGN_UP(ph->p_vaddr + ph->p_memsz, page_size));
	/* Alignments that are no power of two are ignored, as on Linux. */
	if (is_power_of_two(ph->p_align))
		layout->max_align = max(layout->max_align, ph->p_align);
	if (!layout->phdr_vaddr && info->phoff >= ph->p_offset &&
	    info->phoff - ph->p_offset < ph->p_filesz)
		layout->phdr_vaddr = ph->p_vaddr + (info->phoff - ph->p_offset);
	layout->nr_loads++;
	return 0;
}

/* PT_INTERP: the first one counts. */
static int set_interp(const struct elf_phdr *ph, struct elf_layout *layout)
{
	u64 end;

	if (layout->interp_size)
		return 0;
	if (ph->p_filesz < 2 || ph->p_filesz > ELF_INTERP_MAX)
		return -ENOEXEC;
	if (add_overflows(ph->p_offset, ph->p_filesz, &end) || end > (u64)S64_MAX)
		return -ENOEXEC;
	layout->interp_offset = ph->p_offset;
	layout->interp_size = ph->p_filesz;
	return 0;
}

int elf_check_phdrs(const struct elf_info *info, const void *table, u64 page_size, u64 limit,
		    struct elf_layout *layout)
{
	int err = 0;

	*layout = (struct elf_layout){ .lo = U64_MAX, .max_align = page_size };
	for (unsigned int i = 0; i < info->phnum && !err; i++) {
		struct elf_phdr ph;

		elf_phdr_get(table, i, &ph);
		switch (ph.p_type) {
		case PT_LOAD:
			err = add_load(info, &ph, page_size, limit, layout);
			break;
		case PT_INTERP:
			err = set_interp(&ph, layout);
			break;
		case PT_GNU_STACK:
			layout->has_stack = true;
			layout->is_stack_exec = ph.p_flags & PF_X;
			break;
		default:
			break;
		}
	}
	if (err)
		return err;
	return layout->nr_loads ? 0 : -ENOEXEC;
}

int elf_check_interp(const char *path, size_t size)
{
	if (size < 2 || size > ELF_INTERP_MAX || path[size - 1] != '\0')
		return -ENOEXEC;
	return 0;
}
