/* SPDX-License-Identifier: MPL-2.0 */
/* lib/elf.h */
#include <lib/elf.h>
#include <lib/errno.h>
#include <lib/string.h>

#include "unit.h"

#define PAGE 4096UL
#define LIMIT 0x7ffffffff000UL

static struct elf_ehdr good_header(void)
{
	return (struct elf_ehdr){
		.e_ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 },
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = 1,
		.e_entry = 0x1040,
		.e_phoff = 64,
		.e_ehsize = 64,
		.e_phentsize = 56,
		.e_phnum = 4,
	};
}

static struct elf_phdr load(u64 offset, u64 vaddr, u64 filesz, u64 memsz)
{
	return (struct elf_phdr){ .p_type = PT_LOAD, .p_flags = PF_R, .p_offset = offset, .p_vaddr = vaddr,
				  .p_filesz = filesz, .p_memsz = memsz, .p_align = 4096 };
}

static void test_header(void)
{
	struct elf_ehdr eh = good_header(), bad;
	struct elf_info info;

	CHECK_EQ(elf_parse_header(&eh, sizeof(eh), &info), 0);
	CHECK(info.is_dyn && info.phnum == 4 && info.entry == 0x1040 && info.phoff == 64 &&
	      info.ph_bytes == 224);
	for (size_t len = 0; len < sizeof(eh); len++)
		CHECK_EQ(elf_parse_header(&eh, len, &info), -ENOEXEC);
	for (int i = 0; i < 7; i++) {
		bad = eh;
		bad.e_ident[i] ^= 3;
		CHECK_EQ(elf_parse_header(&bad, sizeof(bad), &info), -ENOEXEC);
	}
#define EXPECT(field, value, result)                                                               \
	do {                                                                                       \
		bad = eh;                                                                          \
		bad.field = value;                                                                 \
		CHECK_EQ(elf_parse_header(&bad, sizeof(bad), &info), result);                      \
	} while (0)
	EXPECT(e_type, ET_EXEC, 0);
	EXPECT(e_type, 1, -ENOEXEC);
	EXPECT(e_type, 4, -ENOEXEC);
	EXPECT(e_machine, 3, -ENOEXEC);
	EXPECT(e_phentsize, 32, -ENOEXEC);
	EXPECT(e_phnum, 0, -ENOEXEC);
	EXPECT(e_phnum, ELF_MAX_PHNUM, 0);
	EXPECT(e_phnum, ELF_MAX_PHNUM + 1, -ENOEXEC);
	EXPECT(e_phnum, 0xffff, -ENOEXEC);
	EXPECT(e_phoff, U64_MAX, -ENOEXEC);
	EXPECT(e_phoff, U64_MAX - 100, -ENOEXEC);
	EXPECT(e_phoff, (u64)S64_MAX - 100, -ENOEXEC);
}

static int check_one(struct elf_phdr ph)
{
	return elf_check_load(&ph, PAGE, LIMIT);
}

static void test_load(void)
{
	CHECK_EQ(check_one(load(0, 0x400000, 100, 100)), 0);
	CHECK_EQ(check_one(load(0x123, 0x400123, 100, 5000)), 0);
	CHECK_EQ(check_one(load(0x123, 0x400124, 100, 5000)), -ENOEXEC);
	CHECK_EQ(check_one(load(0x123, 0x400124, 0, 5000)), 0);
	CHECK_EQ(check_one(load(0, 0x400000, 101, 100)), -ENOEXEC);
	CHECK_EQ(check_one(load(0, 0x400000, 1, 0)), -ENOEXEC);
	CHECK_EQ(check_one(load(U64_MAX & ~0xfffUL, 0x400000, 0x2000, 0x2000)), -ENOEXEC);
	CHECK_EQ(check_one(load((u64)S64_MAX & ~0xfffUL, 0x400000, 0x2000, 0x2000)), -ENOEXEC);
	CHECK_EQ(check_one(load(0, U64_MAX & ~0xfffUL, 0, 0x2000)), -ENOEXEC);
	CHECK_EQ(check_one(load(0, U64_MAX & ~0xfffUL, 0, 0xfff)), -ENOEXEC);
	CHECK_EQ(check_one(load(0, LIMIT - PAGE, 0, PAGE)), 0);
	CHECK_EQ(check_one(load(0, LIMIT - PAGE, 0, PAGE + 1)), -ENOEXEC);
	CHECK_EQ(check_one(load(0, 0xffffffff80000000UL, 0, 1)), -ENOEXEC);
	CHECK_EQ(check_one(load(0, 0, 0, U64_MAX)), -ENOEXEC);
}

static void test_layout(void)
{
	struct elf_phdr ph[5] = {
		{ .p_type = PT_INTERP, .p_offset = 0x238, .p_filesz = 28, .p_memsz = 28 },
		load(0, 0, 0x800, 0x800),
		load(0x1e00, 0x2e00, 0x300, 0x1400),
		{ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W | PF_X },
		{ .p_type = PT_NOTE, .p_offset = U64_MAX, .p_filesz = 5 },
	};
	struct elf_info info = { .phnum = 5, .phoff = 64, .ph_bytes = sizeof(ph) };
	struct elf_layout lay;

	ph[2].p_align = 0x200000;
	CHECK_EQ(elf_check_phdrs(&info, ph, PAGE, LIMIT, &lay), 0);
	CHECK(lay.lo == 0 && lay.hi == 0x5000 && lay.nr_loads == 2 && lay.max_align == 0x200000);
	CHECK(lay.phdr_vaddr == 64 && lay.interp_offset == 0x238 && lay.interp_size == 28);
	CHECK(lay.has_stack && lay.is_stack_exec);
	ph[2].p_align = 0x300000;
	CHECK_EQ(elf_check_phdrs(&info, ph, PAGE, LIMIT, &lay), 0);
	CHECK_EQ(lay.max_align, PAGE);
	ph[0].p_filesz = 1;
	CHECK_EQ(elf_check_phdrs(&info, ph, PAGE, LIMIT, &lay), -ENOEXEC);
	ph[0].p_filesz = 4097;
	CHECK_EQ(elf_check_phdrs(&info, ph, PAGE, LIMIT, &lay), -ENOEXEC);
	ph[0].p_type = PT_NULL;
	CHECK_EQ(elf_check_phdrs(&info, ph, PAGE, LIMIT, &lay), 0);
	CHECK_EQ(lay.interp_size, 0);
	ph[1].p_memsz = ph[1].p_filesz = 0;
	ph[2].p_type = PT_NULL;
	CHECK_EQ(elf_check_phdrs(&info, ph, PAGE, LIMIT, &lay), -ENOEXEC);
	CHECK(elf_check_interp("/lib", 5) == 0 && elf_check_interp("/lib", 4) == -ENOEXEC);
	CHECK(elf_check_interp("", 1) == -ENOEXEC && elf_check_interp("x", 0) == -ENOEXEC);
}

/* What was answered 0 keeps the header's promises, whatever the bytes. */
static void check_promises(const struct elf_phdr *ph, unsigned int n, const struct elf_layout *lay)
{
	for (unsigned int i = 0; i < n; i++) {
		u64 end;

		if (ph[i].p_type != PT_LOAD || !ph[i].p_memsz)
			continue;
		CHECK(ph[i].p_filesz <= ph[i].p_memsz);
		CHECK(!add_overflows(ph[i].p_offset, ph[i].p_filesz, &end));
		CHECK(!add_overflows(ph[i].p_vaddr, ph[i].p_memsz, &end) && end <= LIMIT);
		CHECK(ph[i].p_vaddr >= lay->lo && end <= lay->hi && lay->hi <= LIMIT);
		CHECK(lay->lo % PAGE == 0 && lay->hi % PAGE == 0);
	}
}

static void test_random(void)
{
	struct elf_phdr ph[4];
	u8 *p = (u8 *)ph;
	long passed = 0;

	for (int round = 0; round < 100000; round++) {
		struct elf_ehdr eh = good_header();
		struct elf_info info;
		struct elf_layout lay;
		u8 *h = (u8 *)&eh;

		h[unit_random_below(sizeof(eh))] ^= (u8)(1 << unit_random_below(8));
		ph[0] = load(0, 0, 0x800, 0x800);
		ph[1] = load(0x1e00, 0x2e00, 0x300, 0x1400);
		ph[2] = (struct elf_phdr){ .p_type = PT_INTERP, .p_offset = 5, .p_filesz = 9 };
		ph[3] = load(0x4000, 0x8000, 0, 0x1000);
		for (u64 i = unit_random_below(4); i-- > 0;)
			p[unit_random_below(sizeof(ph))] = (u8)unit_random();
		if (elf_parse_header(&eh, sizeof(eh), &info) || info.phnum > 4)
			continue;
		if (elf_check_phdrs(&info, ph, PAGE, LIMIT, &lay) == 0) {
			check_promises(ph, info.phnum, &lay);
			passed++;
		}
	}
	CHECK(passed > 1000);
}

/* A real program: this one. */
static void test_self(void)
{
	static u8 buf[65536];
	FILE *f = fopen("/proc/self/exe", "rb");
	size_t n = f ? fread(buf, 1, sizeof(buf), f) : 0;
	struct elf_info info;
	struct elf_layout lay;

	CHECK(n == sizeof(buf));
	CHECK_EQ(elf_parse_header(buf, n, &info), 0);
	CHECK_EQ(elf_check_phdrs(&info, buf + info.phoff, PAGE, LIMIT, &lay), 0);
	CHECK(lay.nr_loads >= 2 && lay.phdr_vaddr && lay.interp_size && lay.has_stack && !lay.is_stack_exec);
	CHECK_EQ(elf_check_interp((char *)buf + lay.interp_offset, lay.interp_size), 0);
	fclose(f);
}

UNIT_TESTS("elf", UNIT(test_header), UNIT(test_load), UNIT(test_layout), UNIT(test_random), UNIT(test_self));
