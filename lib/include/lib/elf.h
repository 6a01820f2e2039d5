/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/elf.h: ELF64 headers of x86-64 programs, decoded and checked (elf(5), gABI chapters 4 and 5).
 *
 * Contract: pure decode over buffers of any alignment; no I/O. After elf_check_phdrs has answered
 * 0, for every PT_LOAD with p_memsz > 0: p_filesz <= p_memsz; p_offset + p_filesz and,
 * page-rounded, p_vaddr + p_memsz do not wrap and the latter stays within the given limit; if
 * p_filesz > 0, p_offset and p_vaddr agree modulo the page size. Nothing is said about the file's
 * length: what lies beyond it is SIGBUS when touched, as on Linux. Constants are written with the
 * tokens of the UAPI headers, so that a file may see both.
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include <lib/types.h>

#define EI_CLASS 4
#define EI_DATA 5
#define EI_VERSION 6
#define EI_OSABI 7
#define ELFCLASS64 2
#define ELFDATA2LSB 1
#define EV_CURRENT 1
#define ET_EXEC 2
#define ET_DYN 3
#define EM_X86_64 62

#define PT_NULL 0
#define PT_LOAD 1
#define PT_DYNAMIC 2
#define PT_INTERP 3
#define PT_NOTE 4
#define PT_PHDR 6
#define PT_TLS 7
#define PT_LOOS 0x60000000
#define PT_GNU_EH_FRAME (PT_LOOS + 0x474e550)
#define PT_GNU_STACK (PT_LOOS + 0x474e551)
#define PT_GNU_RELRO (PT_LOOS + 0x474e552)
#define PT_GNU_PROPERTY (PT_LOOS + 0x474e553)

#define PF_X 0x1
#define PF_W 0x2
#define PF_R 0x4

/* The auxiliary vector (getauxval(3)). */
#define AT_NULL 0
#define AT_IGNORE 1
#define AT_EXECFD 2
#define AT_PHDR 3
#define AT_PHENT 4
#define AT_PHNUM 5
#define AT_PAGESZ 6
#define AT_BASE 7
#define AT_FLAGS 8
#define AT_ENTRY 9
#define AT_NOTELF 10
#define AT_UID 11
#define AT_EUID 12
#define AT_GID 13
#define AT_EGID 14
#define AT_PLATFORM 15
#define AT_HWCAP 16
#define AT_CLKTCK 17
#define AT_SECURE 23
#define AT_BASE_PLATFORM 24
#define AT_RANDOM 25
#define AT_HWCAP2 26
#define AT_EXECFN 31
#define AT_SYSINFO_EHDR 33
#define AT_MINSIGSTKSZ 51

struct elf_ehdr {
	u8 e_ident[16];
	u16 e_type;
	u16 e_machine;
	u32 e_version;
	u64 e_entry;
	u64 e_phoff;
	u64 e_shoff;
	u32 e_flags;
	u16 e_ehsize;
	u16 e_phentsize;
	u16 e_phnum;
	u16 e_shentsize;
	u16 e_shnum;
	u16 e_shstrndx;
};
static_assert(sizeof(struct elf_ehdr) == 64, "ABI");

struct elf_phdr {
	u32 p_type;
	u32 p_flags;
	u64 p_offset;
	u64 p_vaddr;
	u64 p_paddr;
	u64 p_filesz;
	u64 p_memsz;
	u64 p_align;
};
static_assert(sizeof(struct elf_phdr) == 56, "ABI");

/* The program header table may take at most 64 KiB. */
#define ELF_MAX_PHNUM (65536 / sizeof(struct elf_phdr))
#define ELF_INTERP_MAX 4096

/* What the header says. */
struct elf_info {
	bool is_dyn;     /* ET_DYN: to be placed anywhere */
	u16 phnum;       /* 1..ELF_MAX_PHNUM */
	u64 entry;
	u64 phoff;
	size_t ph_bytes; /* phnum * sizeof(struct elf_phdr); phoff + ph_bytes does not wrap */
};

/* What the program headers say, together. */
struct elf_layout {
	u64 lo;             /* first page of all PT_LOADs, rounded down */
	u64 hi;             /* their end, rounded up */
	u64 max_align;      /* largest power of two among their p_align, at least one page */
	u64 phdr_vaddr;     /* where the headers are in memory (AT_PHDR), 0 if they are not */
	u64 interp_offset;  /* of PT_INTERP's text, including its NUL */
	u64 interp_size;    /* 0: there is none; else 2..ELF_INTERP_MAX */
	u32 nr_loads;       /* PT_LOADs with p_memsz > 0 */
	bool has_stack;     /* PT_GNU_STACK is there */
	bool is_stack_exec; /* and says so */
};

/*
 * Checks the header in the first @len bytes of a file: 0, or -ENOEXEC if it is no ELF program for
 * this machine.
 */
int __must_check elf_parse_header(const void *buf, size_t len, struct elf_info *info);

/*
 * Checks the whole program header table, info->ph_bytes at @table, and sums it up. @page_size is a
 * power of two; @limit the first address no mapping may reach. 0 or -ENOEXEC. A file without a
 * PT_LOAD is refused.
 */
int __must_check elf_check_phdrs(const struct elf_info *info, const void *table, u64 page_size,
				 u64 limit, struct elf_layout *layout);
/* One PT_LOAD alone. */
int __must_check elf_check_load(const struct elf_phdr *ph, u64 page_size, u64 limit);
/* Copies header number @i (below info->phnum) out of the table. */
void elf_phdr_get(const void *table, unsigned int i, struct elf_phdr *ph);
/* Checks the text of PT_INTERP as read from the file: NUL-terminated at its end; 0 or -ENOEXEC. */
int __must_check elf_check_interp(const char *path, size_t size);

#endif
