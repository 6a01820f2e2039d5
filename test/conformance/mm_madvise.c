/* SPDX-License-Identifier: MPL-2.0 */
/* madvise(2). MADV_DONTFORK and MADV_WIPEONFORK: mm_fork.c. */
#include "mm_util.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

static void dropping(void)
{
	int fd = temp_file(4 * PAGE);
	char *p = map_anon(4 * PAGE);

	memset(p, 1, 4 * PAGE);
	is_int(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED), 0, "MADV_DONTNEED of anonymous memory");
	ok(p[0] == 1 && p[PAGE] == 0 && p[2 * PAGE] == 0 && p[3 * PAGE] == 1, "zeroes it");
	munmap(p, 4 * PAGE);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	p[0] = 'X';
	is_int(madvise(p, 4 * PAGE, MADV_DONTNEED), 0, "of a private file mapping");
	ok(p[0] == 'a', "brings the file's pages back");
	munmap(p, 4 * PAGE);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p[0] = 'Y';
	is_int(madvise(p, 4 * PAGE, MADV_DONTNEED), 0, "of a shared mapping");
	ok(p[0] == 'Y', "loses nothing");
	munmap(p, 4 * PAGE);
	close(fd);
	p = map_anon(PAGE);
	p[0] = 1;
	is_int(madvise(p, PAGE, MADV_FREE), 0, "MADV_FREE");
	ok(p[0] == 1 || p[0] == 0, "old contents or zero");
	p[0] = 2;
	ok(p[0] == 2, "a later write stays");
	munmap(p, PAGE);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	is_errno(madvise(p, PAGE, MADV_FREE) == -1, EINVAL, "MADV_FREE of shared memory");
	munmap(p, PAGE);
}

static void removing(void)
{
	int fd = temp_file(4 * PAGE);
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q;

	memset(p, 1, 4 * PAGE);
	is_int(madvise(p + PAGE, PAGE, MADV_REMOVE), 0, "MADV_REMOVE of shared memory");
	ok(p[0] == 1 && p[PAGE] == 0 && p[2 * PAGE] == 1, "punches a hole");
	munmap(p, 4 * PAGE);
	q = map_anon(PAGE);
	is_errno(madvise(q, PAGE, MADV_REMOVE) == -1, EINVAL, "MADV_REMOVE of private memory");
	munmap(q, PAGE);
	p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	is_int(madvise(p, PAGE, MADV_REMOVE), 0, "MADV_REMOVE of a mapping that could be writable");
	ok(p[0] == 0 && p[PAGE] == 'b', "punches the file");
	munmap(p, 4 * PAGE);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	is_errno(madvise(p, PAGE, MADV_REMOVE) == -1, EACCES, "MADV_REMOVE of a private file mapping");
	munmap(p, 4 * PAGE);
	close(fd);
}

static void filling(void)
{
	unsigned char vec[4] = { 0 };
	char *p = map_anon(4 * PAGE);

	is_int(madvise(p, 2 * PAGE, MADV_POPULATE_READ), 0, "MADV_POPULATE_READ");
	is_int(madvise(p + 2 * PAGE, PAGE, MADV_POPULATE_WRITE), 0, "MADV_POPULATE_WRITE");
	mincore(p, 4 * PAGE, vec);
	ok((vec[0] & vec[1] & vec[2] & 1) && !(vec[3] & 1), "make pages present");
	mprotect(p, PAGE, PROT_READ);
	is_errno(madvise(p, PAGE, MADV_POPULATE_WRITE) == -1, EINVAL, "MADV_POPULATE_WRITE of read-only memory");
	mprotect(p, PAGE, PROT_NONE);
	is_errno(madvise(p, PAGE, MADV_POPULATE_READ) == -1, EINVAL, "MADV_POPULATE_READ of memory without access");
	munmap(p + PAGE, PAGE);
	is_errno(madvise(p + PAGE, 2 * PAGE, MADV_POPULATE_READ) == -1, ENOMEM, "MADV_POPULATE_READ of a hole");
	munmap(p, 4 * PAGE);
}

static void accepted(void)
{
	static const struct { int advice; const char *name; } all[] = {
		{ MADV_NORMAL, "MADV_NORMAL" }, { MADV_RANDOM, "MADV_RANDOM" }, { MADV_SEQUENTIAL, "MADV_SEQUENTIAL" },
		{ MADV_DONTDUMP, "MADV_DONTDUMP" }, { MADV_DODUMP, "MADV_DODUMP" },
		{ MADV_HUGEPAGE, "MADV_HUGEPAGE" }, { MADV_NOHUGEPAGE, "MADV_NOHUGEPAGE" },
		{ 20, "MADV_COLD" }, { 21, "MADV_PAGEOUT" },
	};
	char *p = map_anon(4 * PAGE);

	memset(p, 3, 4 * PAGE);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		is_int(madvise(p + PAGE, 2 * PAGE, all[i].advice), 0, "%s", all[i].name);
	ok(p[PAGE] == 3 && p[2 * PAGE] == 3, "none of them changes contents");
	munmap(p, 4 * PAGE);
	int fd = temp_file(PAGE);

	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	is_int(madvise(p, PAGE, MADV_WILLNEED), 0, "MADV_WILLNEED of a file");
	is_int(madvise((void *)((unsigned long)&fd & ~(PAGE - 1)), PAGE, MADV_WILLNEED), 0, "and of anonymous memory");
	munmap(p, PAGE);
	close(fd);
}

static void errors(void)
{
	char *p = map_anon(4 * PAGE);

	memset(p, 1, 4 * PAGE);
	is_errno(madvise(p + 1, PAGE, MADV_NORMAL) == -1, EINVAL, "an unaligned address");
	is_errno(madvise(p, PAGE, 9999) == -1, EINVAL, "an unknown advice");
	is_errno(madvise(p, PAGE, -1) == -1, EINVAL, "advice -1");
	is_errno(madvise(p, ~0ul, MADV_NORMAL) == -1, EINVAL, "a length that wraps");
	is_int(madvise(p, 0, MADV_DONTNEED), 0, "length 0");
	munmap(p + PAGE, PAGE);
	is_errno(madvise(p, 4 * PAGE, MADV_DONTNEED) == -1, ENOMEM, "a hole in the range");
	ok(p[0] == 0 && p[2 * PAGE] == 0 && p[3 * PAGE] == 0, "what is mapped is advised all the same");
	is_errno(madvise(p + PAGE, PAGE, MADV_DONTNEED) == -1, ENOMEM, "nothing mapped");
	if (mlock(p, PAGE) == 0) {
		is_errno(madvise(p, PAGE, MADV_DONTNEED) == -1, EINVAL, "MADV_DONTNEED of locked memory");
		munlock(p, PAGE);
	} else {
		skip("mlock");
	}
	munmap(p, 4 * PAGE);
}

int main(void)
{
	catch_faults();
	dropping();
	removing();
	filling();
	accepted();
	errors();
	return done_testing();
}
