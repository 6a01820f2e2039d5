/* SPDX-License-Identifier: MPL-2.0 */
/*
 * ELF programs: static, position-independent, and with an interpreter (PT_INTERP: the dynamic linker). elf(5), gABI chapter 5.
 *
 * Everything is checked and mapped into a new address space while the old one is untouched, so a file that does not make sense gets an errno. Segments are private
 * file mappings; what p_memsz has beyond p_filesz is anonymous memory, and the rest of the file's last page is cleared.
 */
#include <lib/elf.h>
#include <lib/errno.h>
#include <lib/string.h>
#include "abi/process.h"
#include "mm/alloc.h"
#include "object/random.h"
#include "fs/vfs.h"
#include "proc/exec.h"

#define DYN_BASE ALIGN_DOWN(USPACE_END / 3 * 2, PAGE_SIZE)	/* where position-independent programs go, and up */
#define DYN_RANDOM_PAGES (1ul << 28)
#define BRK_RANDOM_PAGES (1ul << 13)				/* 32 MiB */

struct image {
	struct file *file;
	struct elf_info info;
	struct elf_layout layout;
	void *table;			/* program headers */
	u64 bias;			/* added to every address in the file */
};

static bool is_random(u32 at_least)
{
	return READ_ONCE(mm_tunables.randomize_va_space) >= at_least && !(READ_ONCE(current_process()->personality) & ADDR_NO_RANDOMIZE);
}

/* --- decode */

static int image_read(struct image *im, const void *head, size_t head_len)
{
	ssize_t n;
	int err = elf_parse_header(head, head_len, &im->info);

	if (err)
		return err;
	if (!im->file->ops->mmap)
		return -ENOEXEC;
	im->table = kmalloc(im->info.ph_bytes, ALLOC_SLEEP | ALLOC_USER);
	if (!im->table)
		return -ENOMEM;
	n = kern_read(im->file, im->table, im->info.ph_bytes, im->info.phoff);
	if (n < 0)
		return (int)n;
	if ((size_t)n < im->info.ph_bytes)
		return -ENOEXEC;
	return elf_check_phdrs(&im->info, im->table, PAGE_SIZE, USPACE_END, &im->layout);
}

static int interp_path(const struct image *im, char **out)
{
	size_t size = im->layout.interp_size;
	char *path = kmalloc(size, ALLOC_SLEEP | ALLOC_USER);
	ssize_t n;
	int err = 0;

	if (!path)
		return -ENOMEM;
	n = kern_read(im->file, path, size, im->layout.interp_offset);
	if (n < 0 || (size_t)n < size)
		err = n < 0 ? (int)n : -EIO;
	if (!err)
		err = elf_check_interp(path, size);
	if (err)
		kfree(path);
	else
		*out = path;
	return err;
}

/* The interpreter's image; whatever is wrong with its contents is ELIBBAD. */
static int open_interp(struct exec *x, const struct image *im, struct image *interp)
{
	u8 head[sizeof(struct elf_ehdr)];
	char *path;
	ssize_t n;
	int err = interp_path(im, &path);

	if (err)
		return err;
	/* An empty name is the current directory to Linux, as in scripts. */
	err = *path ? exec_open(x, AT_FDCWD_KEEL, path, 0, &interp->file) : -EACCES;
	kfree(path);
	if (err)
		return err;
	n = kern_read(interp->file, head, sizeof(head), 0);
	if (n < 0 || (size_t)n < sizeof(head))
		return n < 0 ? (int)n : -EIO;
	err = image_read(interp, head, sizeof(head));
	return err == -ENOEXEC ? -ELIBBAD : err;
}

static void image_fini(struct image *im)
{
	kfree(im->table);
	if (im->file)
		exec_close(im->file);
}

/* --- where it goes */

static int place_program(struct image *im)
{
	const struct elf_layout *l = &im->layout;
	u64 base, end;

	if (!im->info.is_dyn)
		return 0;
	base = DYN_BASE;
	if (is_random(1))
		base += random_below(DYN_RANDOM_PAGES) << PAGE_SHIFT;
	base = ALIGN_DOWN(base, l->max_align);
	im->bias = base - ALIGN_DOWN(l->lo, l->max_align);
	end = l->hi + im->bias;
	return end < base || end > USPACE_END ? -ENOMEM : 0;
}

/* The interpreter goes wherever there is a hole for all of it. */
static int place_interp(struct mm *mm, struct image *im)
{
	const struct elf_layout *l = &im->layout;
	struct mm_map_request rq = { .vma_flags = VMA_NORESERVE };
	u64 lo = ALIGN_DOWN(l->lo, l->max_align), at;
	int err;

	if (!im->info.is_dyn)
		return 0;
	if (add_overflows(l->hi - lo, l->max_align - PAGE_SIZE, &rq.len))
		return -ENOMEM;
	err = mm_map(mm, &rq, &at);
	if (!err)
		err = mm_unmap(mm, at, rq.len);
	if (!err)
		im->bias = ALIGN_UP(at, l->max_align) - lo;
	return err;
}

/* --- mapping */

static u32 prot_of(const struct elf_phdr *ph)
{
	return (ph->p_flags & PF_R ? VMA_READ : 0) | (ph->p_flags & PF_W ? VMA_WRITE : 0) | (ph->p_flags & PF_X ? VMA_EXEC : 0);
}

static int map_file_part(struct mm *mm, const struct image *im, const struct elf_phdr *ph)
{
	u64 in_page = ph->p_vaddr & ~PAGE_MASK, at;
	struct mm_map_request rq = {
		.addr = ph->p_vaddr + im->bias - in_page, .len = ph->p_filesz + in_page, .prot = prot_of(ph),
		.vma_flags = VMA_MAY_READ | VMA_MAY_WRITE | VMA_MAY_EXEC, .is_fixed = true,
		.file = im->file, .ops = &file_vma_ops, .pgoff = (ph->p_offset - in_page) >> PAGE_SHIFT,
	};
	int err = im->file->ops->mmap(im->file, &rq);

	return err ? err : mm_map(mm, &rq, &at);
}

static int map_zero_part(struct mm *mm, u64 start, u64 end, u32 prot)
{
	const struct mm_map_request rq = { .addr = start, .len = end - start, .prot = prot, .is_fixed = true };
	u64 at;

	return start < end ? mm_map(mm, &rq, &at) : 0;
}

/* The rest of the last file page, which the file's next bytes would fill: all of it, for ld.so takes what is behind its variables as zeroed memory. */
static int clear_tail(struct mm *mm, u64 start, u64 end)
{
	static char zeros[PAGE_SIZE];	/* read only; the buffer's type is that of reads */
	ssize_t n;

	if (start >= end)
		return 0;
	n = mm_access(mm, start, zeros, end - start, true, true);
	if (n < 0 || (u64)n < end - start)
		return n < 0 ? (int)n : -EIO;
	return 0;
}

static int map_segment(struct mm *mm, const struct image *im, const struct elf_phdr *ph)
{
	u64 start = ph->p_vaddr + im->bias, file_end = start + ph->p_filesz, end = start + ph->p_memsz;
	u64 zero_start = ph->p_filesz ? ALIGN_UP(file_end, PAGE_SIZE) : ALIGN_DOWN(start, PAGE_SIZE);
	int err = 0;

	if (ph->p_filesz)
		err = map_file_part(mm, im, ph);
	if (!err)
		err = map_zero_part(mm, zero_start, ALIGN_UP(end, PAGE_SIZE), prot_of(ph));
	if (!err && ph->p_filesz && end > file_end)
		err = clear_tail(mm, file_end, zero_start);
	return err;
}

/* Where code, data and heap are, for /proc/PID/stat and brk(2). */
static void note_segment(struct mm *mm, const struct image *im, const struct elf_phdr *ph)
{
	u64 start = ph->p_vaddr + im->bias, file_end = start + ph->p_filesz;

	if (!mm->start_code || start < mm->start_code)
		mm->start_code = start;
	mm->start_data = max(mm->start_data, start);
	if (ph->p_flags & PF_X)
		mm->end_code = max(mm->end_code, file_end);
	mm->end_data = max(mm->end_data, file_end);
	mm->start_brk = max(mm->start_brk, ALIGN_UP(start + ph->p_memsz, PAGE_SIZE));
}

static int map_image(struct mm *mm, const struct image *im, bool is_program)
{
	for (u32 i = 0; i < im->info.phnum; i++) {
		struct elf_phdr ph;
		int err;

		elf_phdr_get(im->table, i, &ph);
		if (ph.p_type != PT_LOAD || !ph.p_memsz)
			continue;
		err = map_segment(mm, im, &ph);
		if (err)
			return err;
		if (is_program)
			note_segment(mm, im, &ph);
	}
	return 0;
}

static void place_brk(struct mm *mm)
{
	if (is_random(2))
		mm->start_brk += random_below(BRK_RANDOM_PAGES) << PAGE_SHIFT;
	mm->brk = mm->start_brk;
}

static int make_mm(struct exec *x)
{
	int err = mm_create(&x->mm);

	if (!err && (READ_ONCE(current_process()->personality) & ADDR_NO_RANDOMIZE))
		mm_layout(x->mm, rlimit_current(KRLIMIT_STACK), false);
	return err;
}

static int map_all(struct exec *x, struct image *program, struct image *interp)
{
	int err = place_program(program);

	if (!err)
		err = make_mm(x);
	if (!err)
		err = map_image(x->mm, program, true);
	if (err)
		return err;
	place_brk(x->mm);
	if (!interp->file)
		return 0;
	err = place_interp(x->mm, interp);
	return err ? err : map_image(x->mm, interp, false);
}

int load_elf(struct exec *x)
{
	struct image program = { .file = x->file }, interp = { .file = NULL };
	int err = image_read(&program, x->head, x->head_len);

	if (!err && program.layout.interp_size)
		err = open_interp(x, &program, &interp);
	if (!err)
		err = map_all(x, &program, &interp);
	if (!err) {
		x->program_entry = program.info.entry + program.bias;
		x->entry = interp.file ? interp.info.entry + interp.bias : x->program_entry;
		x->interp_base = interp.bias;
		x->phdr = program.layout.phdr_vaddr ? program.layout.phdr_vaddr + program.bias : 0;
		x->phnum = program.info.phnum;
		x->is_stack_exec = program.layout.is_stack_exec;
	}
	if (!err && x->entry >= USPACE_END)
		err = interp.file ? -EINVAL : -ENOEXEC;
	program.file = NULL;		/* x's */
	image_fini(&program);
	image_fini(&interp);
	return err;
}
