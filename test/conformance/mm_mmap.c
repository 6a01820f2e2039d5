/* SPDX-License-Identifier: MPL-2.0 */
/* mmap(2) of anonymous memory: placement, protection, flags, each documented error. */
#include "mm_util.h"

static void *raw_mmap(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags, long fd, unsigned long off)
{
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, off);
}

static bool all_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void basics(void)
{
	char *p = map_anon(3 * PAGE + 5), *q;

	ok(((uintptr_t)p & (PAGE - 1)) == 0, "the address is page aligned");
	ok(all_zero(p, 4 * PAGE), "the length is rounded up, the memory is zero");
	memset(p, 7, 4 * PAGE);
	ok(p[4 * PAGE - 1] == 7, "it keeps what is written");
	is_int(munmap(p, 4 * PAGE), 0, "munmap");
	ok(!is_mapped(p), "nothing is left");
	q = map_anon(PAGE);
	ok(all_zero(q, PAGE), "memory that was used comes back zero");
	munmap(q, PAGE);
	p = raw_mmap(0, PAGE, PROT_READ, ANON, 12345, 0);
	ok(p != MAP_FAILED, "the descriptor is ignored for anonymous memory");
	ok(all_zero(p, PAGE), "read-only memory reads as zero");
	munmap(p, PAGE);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ok(p != MAP_FAILED && all_zero(p, PAGE), "shared anonymous memory is zero");
	munmap(p, PAGE);
	p = mmap(NULL, 1ul << 36, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	ok(p != MAP_FAILED, "64 GiB without access and reservation");
	munmap(p, 1ul << 36);
}

static void errors(void)
{
	char *p = map_anon(PAGE);

	is_errno(raw_mmap(0, 0, PROT_READ, ANON, -1, 0) == MAP_FAILED, EINVAL, "length 0");
	is_errno(raw_mmap(0, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED, EINVAL, "neither shared nor private");
	is_errno(raw_mmap(0, PAGE, PROT_READ, ANON, -1, 1) == MAP_FAILED, EINVAL, "offset not page aligned");
	is_errno(raw_mmap(0, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED, EINVAL, "MAP_SHARED_VALIDATE of anonymous memory");
	is_errno(raw_mmap(0, 2 << 20, PROT_READ, ANON | MAP_HUGETLB, -1, 0) == MAP_FAILED, ENOMEM, "MAP_HUGETLB without huge pages");
	is_errno(raw_mmap((unsigned long)p + 1, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0) == MAP_FAILED, EINVAL, "MAP_FIXED at an unaligned address");
	is_errno(raw_mmap(0, ~0ul, PROT_READ, ANON, -1, 0) == MAP_FAILED, ENOMEM, "length beyond everything");
	is_errno(raw_mmap(0, 1ul << 47, PROT_READ, ANON | MAP_NORESERVE, -1, 0) == MAP_FAILED, ENOMEM, "length of the whole address space");
	is_errno(raw_mmap(1ul << 47, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0) == MAP_FAILED, ENOMEM, "MAP_FIXED beyond the address space");
	is_errno(raw_mmap((1ul << 47) - PAGE, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0) == MAP_FAILED, ENOMEM, "MAP_FIXED at the last page, which stays free");
	is_errno(raw_mmap(~0ul << 12, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0) == MAP_FAILED, ENOMEM, "MAP_FIXED at the top of 64 bits");
	is_errno(raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, -1, 0) == MAP_FAILED, EBADF, "a file mapping of descriptor -1");
	is_errno(raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, 999, 0) == MAP_FAILED, EBADF, "a file mapping of a closed descriptor");
	is_errno(raw_mmap(0, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0) == MAP_FAILED, EINVAL, "a shared stack");
	ok(raw_mmap(0, PAGE, PROT_READ | 0x100, ANON, -1, 0) != MAP_FAILED, "unknown protection bits are ignored");
	is_errno(raw_mmap((unsigned long)p, PAGE, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED, EEXIST, "MAP_FIXED_NOREPLACE over a mapping");
	munmap(p, PAGE);
}

static void placement(void)
{
	char *place = free_place(4 * PAGE), *p, *q;

	p = mmap(place, PAGE, PROT_READ, ANON, -1, 0);
	ok(p == place, "a hint that is free is taken");
	q = mmap(place, PAGE, PROT_READ, ANON, -1, 0);
	ok(q != MAP_FAILED && q != place, "a hint that is not free is not");
	munmap(q, PAGE);
	munmap(p, PAGE);
	p = mmap(place + 123, PAGE, PROT_READ, ANON, -1, 0);
	ok(p == place, "an unaligned hint is rounded down");
	q = mmap(place + PAGE, PAGE, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	ok(q == place + PAGE, "MAP_FIXED_NOREPLACE of a free place");
	munmap(p, 2 * PAGE);
	p = mmap((void *)(1ul << 50), PAGE, PROT_READ, ANON, -1, 0);
	ok(p != MAP_FAILED, "a hint beyond the address space is ignored");
	munmap(p, PAGE);
	p = mmap(NULL, PAGE, PROT_READ, ANON | MAP_32BIT, -1, 0);
	ok(p != MAP_FAILED && (uintptr_t)p < 1ul << 31, "MAP_32BIT stays below 2 GiB");
	munmap(p, PAGE);
	p = map_anon(PAGE);
	q = map_anon(PAGE);
	ok(q < p, "the next mapping lies below the last");
	munmap(p, PAGE);
	munmap(q, PAGE);
}

static void fixed(void)
{
	char *p = map_anon(5 * PAGE), *q;

	memset(p, 1, 5 * PAGE);
	q = mmap(p + PAGE, 3 * PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0);
	ok(q == p + PAGE, "MAP_FIXED goes where it is told");
	ok(p[PAGE - 1] == 1 && p[4 * PAGE] == 1, "the neighbours stay");
	ok(all_zero(q, 3 * PAGE), "what was there is replaced");
	munmap(p, 5 * PAGE);
}

static void protection(void)
{
	char *p = mmap(NULL, PAGE, PROT_NONE, ANON, -1, 0);

	is_int(read_faults(p), SIGSEGV, "PROT_NONE cannot be read");
	is_int(fault_code, SEGV_ACCERR, "si_code SEGV_ACCERR");
	ok(fault_addr == p, "si_addr is the address");
	is_int(write_faults(p), SIGSEGV, "PROT_NONE cannot be written");
	munmap(p, PAGE);
	is_int(read_faults(p + 17), SIGSEGV, "nothing mapped");
	is_int(fault_code, SEGV_MAPERR, "si_code SEGV_MAPERR");
	ok(fault_addr == p + 17, "si_addr is the very byte");
	p = mmap(NULL, PAGE, PROT_READ, ANON, -1, 0);
	is_int(read_faults(p), 0, "PROT_READ can be read");
	is_int(write_faults(p), SIGSEGV, "and not written");
	is_int(fault_code, SEGV_ACCERR, "si_code SEGV_ACCERR");
	munmap(p, PAGE);
	p = mmap(NULL, PAGE, PROT_WRITE, ANON, -1, 0);
	is_int(write_faults(p), 0, "PROT_WRITE can be written");
	is_int(read_faults(p), 0, "and, on x86, read");
	munmap(p, PAGE);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, ANON, -1, 0);
	*p = (char)0xc3;
	is_int(call_faults(p), SIGSEGV, "without PROT_EXEC it cannot be run");
	is_int(fault_code, SEGV_ACCERR, "si_code SEGV_ACCERR");
	mprotect(p, PAGE, PROT_READ | PROT_EXEC);
	is_int(call_faults(p), 0, "with PROT_EXEC it can");
	munmap(p, PAGE);
	is_int(read_faults((void *)8), SIGSEGV, "the first page is not mapped");
}

/* vm.mmap_min_addr as the system has it. */
static unsigned long lowest_address(void)
{
	FILE *f = fopen("/proc/sys/vm/mmap_min_addr", "r");
	unsigned long n = 65536;

	if (f && fscanf(f, "%lu", &n) != 1)
		n = 65536;
	if (f)
		fclose(f);
	return n;
}

static int low_address_as_user(void)
{
	unsigned long lowest = lowest_address();

	if (setresuid(1000, 1000, 1000))
		return 2;
	if (mmap((void *)(lowest - PAGE), PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0) != MAP_FAILED)
		return 3;
	if (errno != EPERM)
		return 4;
	if (mmap((void *)lowest, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0) == MAP_FAILED)
		return 6;
	/* A low hint is raised to the lowest address allowed. */
	return (uintptr_t)mmap((void *)1, PAGE, PROT_READ, ANON, -1, 0) >= lowest ? 0 : 5;
}

static int limit_as(void)
{
	struct rlimit rl = { 64ul << 20, 64ul << 20 };
	char *p;

	setrlimit(RLIMIT_AS, &rl);
	if (mmap(NULL, 128ul << 20, PROT_READ, ANON, -1, 0) != MAP_FAILED || errno != ENOMEM)
		return 1;
	p = mmap(NULL, 8ul << 20, PROT_READ, ANON, -1, 0);
	return p != MAP_FAILED && munmap(p, 8ul << 20) == 0 ? 0 : 2;
}

static int limit_data(void)
{
	struct rlimit rl = { 16ul << 20, 16ul << 20 };

	setrlimit(RLIMIT_DATA, &rl);
	if (mmap(NULL, 32ul << 20, PROT_READ | PROT_WRITE, ANON, -1, 0) != MAP_FAILED || errno != ENOMEM)
		return 1;
	if (mmap(NULL, 32ul << 20, PROT_READ, ANON, -1, 0) == MAP_FAILED)
		return 2;
	return mmap(NULL, 32ul << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? 3 : 0;
}

static int limit_memlock(void)
{
	struct rlimit rl = { 4 * PAGE, 4 * PAGE };

	setrlimit(RLIMIT_MEMLOCK, &rl);
	if (setresuid(1000, 1000, 1000))
		return 1;
	if (mmap(NULL, 8 * PAGE, PROT_READ, ANON | MAP_LOCKED, -1, 0) != MAP_FAILED || errno != EAGAIN)
		return 2;
	if (mmap(NULL, 2 * PAGE, PROT_READ, ANON | MAP_LOCKED, -1, 0) == MAP_FAILED)
		return 3;
	return 0;
}

static int limit_memlock_zero(void)
{
	struct rlimit rl = { 0, 0 };

	setrlimit(RLIMIT_MEMLOCK, &rl);
	if (setresuid(1000, 1000, 1000))
		return 1;
	return mmap(NULL, PAGE, PROT_READ, ANON | MAP_LOCKED, -1, 0) == MAP_FAILED && errno == EPERM ? 0 : 2;
}

static int too_many(void)
{
	char *p = mmap(NULL, 140000 * PAGE, PROT_NONE, ANON, -1, 0);
	long n;

	for (n = 0; n < 70000; n++)
		if (mprotect(p + 2 * n * PAGE, PAGE, PROT_READ))
			break;
	if (errno != ENOMEM || n < 32000 || n > 33000)
		return 1;
	/* The last ones may still be used up; then mmap and a hole by munmap fail. */
	for (n = 0; n < 100; n++)
		if (mmap(NULL, PAGE, n & 1 ? PROT_READ : PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			break;
	if (n == 100 || errno != ENOMEM)
		return 2;
	return munmap(p, 140000 * PAGE) == 0 ? 0 : 3;
}

static void limits(void)
{
	if (geteuid()) {
		skip("needs root");
	} else {
		is_int(in_child(low_address_as_user), 0, "below mmap_min_addr: EPERM without privilege");
		is_int(in_child(limit_memlock), 0, "MAP_LOCKED beyond RLIMIT_MEMLOCK: EAGAIN");
		is_int(in_child(limit_memlock_zero), 0, "MAP_LOCKED with RLIMIT_MEMLOCK 0: EPERM");
	}
	is_int(in_child(limit_as), 0, "beyond RLIMIT_AS: ENOMEM");
	is_int(in_child(limit_data), 0, "beyond RLIMIT_DATA: ENOMEM, for private writable memory only");
	is_int(in_child(too_many), 0, "more mappings than vm.max_map_count: ENOMEM");
	is_errno(mmap(NULL, 1ul << 44, PROT_READ | PROT_WRITE, ANON, -1, 0) == MAP_FAILED, ENOMEM, "an obvious overcommit");
	ok(mmap(NULL, 1ul << 44, PROT_READ | PROT_WRITE, ANON | MAP_NORESERVE, -1, 0) != MAP_FAILED, "unless MAP_NORESERVE");
}

static void populated(void)
{
	unsigned char vec[4] = { 0 };
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, ANON | MAP_POPULATE, -1, 0);

	is_int(mincore(p, 4 * PAGE, vec), 0, "mincore of populated memory");
	ok((vec[0] & vec[1] & vec[2] & vec[3] & 1) == 1, "MAP_POPULATE makes all pages present");
	munmap(p, 4 * PAGE);
	p = map_anon(4 * PAGE);
	p[PAGE] = 1;
	mincore(p, 4 * PAGE, vec);
	ok(!(vec[0] & 1) && (vec[1] & 1) && !(vec[2] & 1) && !(vec[3] & 1), "without it only what was touched is");
	munmap(p, 4 * PAGE);
	p = mmap(NULL, 2 * PAGE, PROT_NONE, ANON | MAP_POPULATE, -1, 0);
	ok(p != MAP_FAILED, "MAP_POPULATE without access is no error");
	munmap(p, 2 * PAGE);
}

static void merging(void)
{
	char *p = free_place(64 * PAGE);
	int before, after;

	before = count_maps();
	if (before < 0) {
		skip("no /proc");
		return;
	}
	for (int i = 0; i < 64; i++)
		mmap(p + i * PAGE, PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0);
	after = count_maps();
	ok(after <= before + 1, "adjacent mappings that are alike become one");
	munmap(p, 64 * PAGE);
}

int main(void)
{
	catch_faults();
	basics();
	errors();
	placement();
	fixed();
	protection();
	limits();
	populated();
	merging();
	return done_testing();
}
