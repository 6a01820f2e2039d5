/* SPDX-License-Identifier: MPL-2.0 */
/* mremap(2). */
#include "mm_util.h"

static void *remap(void *old, unsigned long old_len, unsigned long new_len, unsigned long flags, void *to)
{
	return (void *)syscall(SYS_mremap, old, old_len, new_len, flags, to);
}

static void fill(char *p, int pages)
{
	for (int i = 0; i < pages; i++)
		p[i * PAGE] = (char)(i + 1);
}

static bool is_filled(const char *p, int pages)
{
	for (int i = 0; i < pages; i++)
		if (p[i * PAGE] != (char)(i + 1))
			return false;
	return true;
}

static void resizing(void)
{
	char *p = map_anon(8 * PAGE), *q;

	fill(p, 8);
	q = remap(p, 8 * PAGE, 4 * PAGE, 0, NULL);
	ok(q == p && is_filled(p, 4) && !is_mapped(p + 4 * PAGE), "shrink");
	q = remap(p, 4 * PAGE, 6 * PAGE, 0, NULL);
	ok(q == p && is_filled(p, 4) && p[4 * PAGE] == 0 && p[5 * PAGE] == 0, "grow into free space, zeroed");
	mmap(p + 6 * PAGE, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0);
	is_errno(remap(p, 6 * PAGE, 7 * PAGE, 0, NULL) == MAP_FAILED, ENOMEM, "no space, no MREMAP_MAYMOVE");
	q = remap(p, 6 * PAGE, 12 * PAGE, MREMAP_MAYMOVE, NULL);
	ok(q != MAP_FAILED && q != p && is_filled(q, 4) && q[11 * PAGE] == 0, "moves with MREMAP_MAYMOVE");
	ok(!is_mapped(p) && is_mapped(p + 6 * PAGE), "the old place is free");
	munmap(p + 6 * PAGE, PAGE);
	p = remap(q, 12 * PAGE, 12 * PAGE, MREMAP_MAYMOVE, NULL);
	ok(p == q, "the same size stays");
	munmap(p, 12 * PAGE);
}

static void fixed(void)
{
	char *p = map_anon(4 * PAGE), *to = map_anon(6 * PAGE), *q;

	fill(p, 4);
	memset(to, 99, 6 * PAGE);
	q = remap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE);
	ok(q == to + PAGE && is_filled(q, 4), "MREMAP_FIXED moves there");
	ok(to[0] == 99 && to[5 * PAGE] == 99 && !is_mapped(p), "the neighbours stay, the old place is free");
	q = remap(to + 2 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p);
	ok(q == p && p[0] == 2 && !is_mapped(to + 2 * PAGE), "one page out of the middle");
	munmap(p, PAGE);
	munmap(to, 6 * PAGE);
	p = map_anon(4 * PAGE);
	fill(p, 4);
	to = free_place(8 * PAGE);
	q = remap(p, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ok(q == to && is_filled(q, 2) && !is_mapped(p + 2 * PAGE) && !is_mapped(q + 2 * PAGE), "moved and shrunk");
	munmap(q, 2 * PAGE);
}

static void errors(void)
{
	char *p = map_anon(4 * PAGE), *to = free_place(8 * PAGE);

	is_errno(remap(p + 1, PAGE, PAGE, 0, NULL) == MAP_FAILED, EINVAL, "an unaligned old address");
	is_errno(remap(p, PAGE, 0, 0, NULL) == MAP_FAILED, EINVAL, "new size 0");
	is_errno(remap(p, PAGE, PAGE, 64, NULL) == MAP_FAILED, EINVAL, "an unknown flag");
	is_errno(remap(p, PAGE, PAGE, MREMAP_FIXED, to) == MAP_FAILED, EINVAL, "MREMAP_FIXED without MREMAP_MAYMOVE");
	is_errno(remap(p, PAGE, PAGE, MREMAP_DONTUNMAP, NULL) == MAP_FAILED, EINVAL, "MREMAP_DONTUNMAP without MREMAP_MAYMOVE");
	is_errno(remap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL) == MAP_FAILED, EINVAL, "MREMAP_DONTUNMAP with another size");
	is_errno(remap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 1) == MAP_FAILED, EINVAL, "an unaligned new address");
	is_errno(remap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE) == MAP_FAILED, EINVAL, "new overlaps old");
	is_errno(remap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)(1ul << 47)) == MAP_FAILED, EINVAL, "new address beyond the address space");
	is_errno(remap(to, PAGE, 2 * PAGE, MREMAP_MAYMOVE, NULL) == MAP_FAILED, EFAULT, "nothing mapped");
	is_errno(remap(p + 2 * PAGE, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, NULL) == MAP_FAILED, EFAULT, "old range over the end");
	is_errno(remap(p, 0, PAGE, MREMAP_MAYMOVE, NULL) == MAP_FAILED, EINVAL, "old size 0 of private memory");
	is_errno(remap(p, 4 * PAGE, 1ul << 47, MREMAP_MAYMOVE, NULL) == MAP_FAILED, ENOMEM, "new size beyond the address space");
	munmap(p, 4 * PAGE);
}

static void keeping(void)
{
	char *p = map_anon(4 * PAGE), *q;

	fill(p, 4);
	q = remap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	ok(q != MAP_FAILED && q != p && is_filled(q, 4), "MREMAP_DONTUNMAP moves the pages");
	ok(is_mapped(p) && p[0] == 0 && p[3 * PAGE] == 0, "and leaves zeroed memory behind");
	munmap(p, 4 * PAGE);
	munmap(q, 4 * PAGE);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fill(p, 4);
	q = remap(p, 0, 4 * PAGE, MREMAP_MAYMOVE, NULL);
	ok(q != MAP_FAILED && q != p && is_filled(q, 4), "old size 0 of shared memory: a second mapping");
	q[PAGE] = 77;
	is_int(p[PAGE], 77, "of the same pages");
	munmap(p, 4 * PAGE);
	ok(q[PAGE] == 77, "which outlives the first");
	munmap(q, 4 * PAGE);
}

static void files(void)
{
	int fd = temp_file(8 * PAGE);
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), *q, *to;

	p[PAGE] = 'X';
	q = remap(p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, NULL);
	ok(q != MAP_FAILED && q[0] == 'a' && q[PAGE] == 'X' && q[2 * PAGE] == 'c' && q[7 * PAGE] == 'h',
	   "a private file mapping: copies and pages of the file");
	to = free_place(2 * PAGE);
	p = remap(q + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ok(p == to && p[0] == 'X' && p[PAGE] == 'c' && q[0] == 'a' && q[3 * PAGE] == 'd', "a part of it elsewhere");
	munmap(p, 2 * PAGE);
	munmap(q, 8 * PAGE);
	close(fd);
}

static int as_limit(void)
{
	struct rlimit rl = { 64ul << 20, 64ul << 20 };
	char *p = map_anon(PAGE);

	setrlimit(RLIMIT_AS, &rl);
	return remap(p, PAGE, 128ul << 20, MREMAP_MAYMOVE, NULL) == MAP_FAILED && errno == ENOMEM ? 0 : 1;
}

static int lock_limit(void)
{
	struct rlimit rl = { 4 * PAGE, 4 * PAGE };
	char *p;

	setrlimit(RLIMIT_MEMLOCK, &rl);
	if (setresuid(1000, 1000, 1000))
		return 1;
	p = mmap(NULL, 2 * PAGE, PROT_READ, ANON | MAP_LOCKED, -1, 0);
	return p != MAP_FAILED && remap(p, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, NULL) == MAP_FAILED && errno == EAGAIN ? 0 : 2;
}

/* A pattern moved to and fro over table borders, part of it shared with a child. */
static void far_moves(void)
{
	size_t n = 1200;
	char *p = map_anon(n * PAGE), *q, *to;
	bool good = true;

	for (size_t i = 0; i < n; i += 3)
		p[i * PAGE] = (char)(i % 100 + 1);
	for (int round = 0; round < 4; round++) {
		to = free_place((n + 1024) * PAGE) + (size_t)round * 300 * PAGE;
		q = remap(p, n * PAGE, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		good &= q == to;
		p = q;
	}
	for (size_t i = 0; i < n; i++)
		good &= p[i * PAGE] == (char)(i % 3 ? 0 : i % 100 + 1);
	ok(good, "1200 pages moved four times");
	munmap(p, n * PAGE);
}

int main(void)
{
	catch_faults();
	resizing();
	fixed();
	errors();
	keeping();
	files();
	is_int(in_child(as_limit), 0, "RLIMIT_AS: ENOMEM");
	if (geteuid())
		skip("needs root");
	else
		is_int(in_child(lock_limit), 0, "a locked mapping beyond RLIMIT_MEMLOCK: EAGAIN");
	far_moves();
	return done_testing();
}
