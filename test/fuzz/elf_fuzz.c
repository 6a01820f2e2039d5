/* SPDX-License-Identifier: MPL-2.0 */
/* libFuzzer on lib/elf.h: headers that were accepted must keep the header file's promises. */
#include <lib/elf.h>

#define PAGE 4096UL
#define LIMIT 0x7ffffffff000UL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_load(const struct elf_phdr *ph, const struct elf_layout *layout)
{
	u64 end;

	if (ph->p_type != PT_LOAD || !ph->p_memsz)
		return;
	if (ph->p_filesz > ph->p_memsz || add_overflows(ph->p_offset, ph->p_filesz, &end))
		abort();
	if (add_overflows(ph->p_vaddr, ph->p_memsz, &end) || end > LIMIT)
		abort();
	if (ph->p_vaddr < layout->lo || end > layout->hi || layout->hi > LIMIT)
		abort();
	if (ph->p_filesz && (ph->p_vaddr - ph->p_offset) % PAGE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_info info;
	struct elf_layout layout;

	if (elf_parse_header(data, size, &info))
		return 0;
	if (info.phoff > size || info.ph_bytes > size - info.phoff)
		return 0;
	if (elf_check_phdrs(&info, data + info.phoff, PAGE, LIMIT, &layout))
		return 0;
	for (unsigned int i = 0; i < info.phnum; i++) {
		struct elf_phdr ph;

		elf_phdr_get(data + info.phoff, i, &ph);
		check_load(&ph, &layout);
	}
	if (layout.interp_size && layout.interp_offset <= size && layout.interp_size <= size - layout.interp_offset)
		(void)!elf_check_interp((const char *)data + layout.interp_offset, layout.interp_size);
	return 0;
}
