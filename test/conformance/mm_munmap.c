/* SPDX-License-Identifier: MPL-2.0 */
/* munmap(2) and brk(2). */
#include "mm_util.h"

static void unmapping(void)
{
	char *p = map_anon(10 * PAGE);

	memset(p, 1, 10 * PAGE);
	is_int(munmap(p + 3 * PAGE, 2 * PAGE), 0, "a hole in the middle");
	ok(p[3 * PAGE - 1] == 1 && p[5 * PAGE] == 1, "both sides stay");
	is_int(read_faults(p + 3 * PAGE), SIGSEGV, "the hole's first byte faults");
	is_int(fault_code, SEGV_MAPERR, "with SEGV_MAPERR");
	is_int(read_faults(p + 5 * PAGE - 1), SIGSEGV, "so does its last");
	is_int(munmap(p + 3 * PAGE, 2 * PAGE), 0, "unmapping a hole is no error");
	is_int(munmap(p + PAGE, 6 * PAGE), 0, "a range over a hole");
	ok(p[0] == 1 && p[7 * PAGE] == 1 && !is_mapped(p + PAGE) && !is_mapped(p + 6 * PAGE), "takes what is there");
	is_int(munmap(p + 9 * PAGE, 1), 0, "a length that is no multiple of the page size");
	ok(!is_mapped(p + 9 * PAGE), "is rounded up");
	is_int(munmap(p, 10 * PAGE), 0, "all the rest");
	ok(!is_mapped(p) && !is_mapped(p + 8 * PAGE), "is gone");
	is_errno(munmap(p, 0) == -1, EINVAL, "length 0");
	is_errno(munmap(p + 1, PAGE) == -1, EINVAL, "an unaligned address");
	is_errno(syscall(SYS_munmap, 1ul << 47, PAGE) == -1, EINVAL, "beyond the address space");
	is_errno(syscall(SYS_munmap, p, ~0ul) == -1, EINVAL, "a length beyond everything");
	is_errno(syscall(SYS_munmap, p, 1ul << 47) == -1, EINVAL, "a length over the end");
	is_errno(syscall(SYS_munmap, ~0ul << 12, PAGE) == -1, EINVAL, "the top of 64 bits");
}

static int only_a_hole_left(void)
{
	char *p = mmap(NULL, 140000 * PAGE, PROT_NONE, ANON, -1, 0), *q = map_anon(3 * PAGE);

	for (long n = 0; n < 70000; n++)
		if (mprotect(p + 2 * n * PAGE, PAGE, PROT_READ))
			break;
	while (mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		;
	if (munmap(q + PAGE, PAGE) != -1 || errno != ENOMEM)
		return 1;
	return munmap(q, 3 * PAGE);
}

static char *current_break(void)
{
	return (char *)syscall(SYS_brk, 0);
}

static int data_limit(void)
{
	struct rlimit rl = { 1ul << 20, 1ul << 20 };
	char *old = current_break();

	setrlimit(RLIMIT_DATA, &rl);
	return (char *)syscall(SYS_brk, old + (8ul << 20)) == old ? 0 : 1;
}

static void breaking(void)
{
	char *old = current_break(), *now, *wall;

	ok((char *)syscall(SYS_brk, old + 5 * PAGE + 3) == old + 5 * PAGE + 3, "brk moves the break to the byte");
	ok(current_break() == old + 5 * PAGE + 3, "brk(0) tells it");
	memset(old, 3, 5 * PAGE);
	ok((char *)syscall(SYS_brk, old) == old, "and back");
	ok((char *)syscall(SYS_brk, old + 5 * PAGE) == old + 5 * PAGE, "up again");
	now = (char *)(((uintptr_t)old + PAGE - 1) & ~(PAGE - 1));
	ok(now[0] == 0 && now[3 * PAGE] == 0, "the heap is zero again");
	ok((char *)syscall(SYS_brk, 1) == old + 5 * PAGE, "below the start: nothing happens");
	ok((char *)syscall(SYS_brk, 1ul << 47) == old + 5 * PAGE, "beyond the address space: nothing happens");
	ok((char *)syscall(SYS_brk, ~0ul) == old + 5 * PAGE, "far beyond: nothing happens");
	wall = mmap(now + 16 * PAGE, PAGE, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	ok(wall == now + 16 * PAGE, "a mapping above the heap");
	ok((char *)syscall(SYS_brk, now + 17 * PAGE) == old + 5 * PAGE, "is not run over");
	munmap(wall, PAGE);
	is_int(in_child(data_limit), 0, "RLIMIT_DATA holds the break");
	syscall(SYS_brk, old);
}

int main(void)
{
	catch_faults();
	unmapping();
	is_int(in_child(only_a_hole_left), 0, "a hole that would be one mapping too many: ENOMEM");
	breaking();
	return done_testing();
}
