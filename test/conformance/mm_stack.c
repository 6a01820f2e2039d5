/* SPDX-License-Identifier: MPL-2.0 */
/* Stacks: growth by faults, RLIMIT_STACK, the guard gap, MAP_GROWSDOWN. */
#include "mm_util.h"

static __attribute__((noinline)) int deeper(int n)
{
	volatile char frame[PAGE];

	frame[0] = (char)n;
	return n ? deeper(n - 1) + frame[0] - (char)n : 0;
}

static int deep(void)
{
	return deeper(1000);		/* 4 MiB */
}

static int endless(void)
{
	signal(SIGSEGV, SIG_DFL);
	return deeper(1 << 30);
}

static int small_limit(void)
{
	struct rlimit rl = { 1ul << 20, 1ul << 20 };

	signal(SIGSEGV, SIG_DFL);
	setrlimit(RLIMIT_STACK, &rl);
	return deeper(1000);
}

static int within_small_limit(void)
{
	struct rlimit rl = { 2ul << 20, 2ul << 20 };

	setrlimit(RLIMIT_STACK, &rl);
	return deeper(200);
}

/* A stack overflow is caught on another stack. */
static int overflow_caught(void)
{
	int sig = sigsetjmp(fault_jump, 1);

	return sig ? sig : deeper(1 << 30);
}

/* The kernel writes to the stack below what is mapped: it grows all the same. */
static int kernel_grows(void)
{
	int fd = temp_file(64 * PAGE);
	char *p = __builtin_frame_address(0);

	p -= 512 * PAGE;
	return pread(fd, p, PAGE, 0) == PAGE && p[0] == 'a' ? 0 : 1;
}

static void growing(void)
{
	char *place = free_place(1024 * PAGE), *p, *wall;

	p = mmap(place + 1000 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	ok(p != MAP_FAILED, "MAP_GROWSDOWN");
	p[0] = 1;
	is_int(write_faults(p - 1), 0, "a write just below it grows it");
	is_int(write_faults(p - 50 * PAGE), 0, "so does one further down");
	is_int(read_faults(p - 51 * PAGE), 0, "and a read");
	wall = mmap(p - 600 * PAGE, PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0);
	ok(wall != MAP_FAILED, "another mapping below");
	is_int(write_faults(p - 340 * PAGE), 0, "it grows to within the guard gap of 256 pages");
	is_int(write_faults(p - 345 * PAGE), SIGSEGV, "but not into it");
	is_int(fault_code, SEGV_MAPERR, "SEGV_MAPERR");
	munmap(wall, PAGE);
	is_int(write_faults(p - 345 * PAGE), 0, "when the other is gone it does");
	is_int(mprotect(p, PAGE, PROT_READ | PROT_GROWSDOWN), 0, "mprotect with PROT_GROWSDOWN");
	is_int(write_faults(p - 345 * PAGE), SIGSEGV, "goes down to the start");
	munmap(p - 345 * PAGE, 349 * PAGE);
}

int main(void)
{
	struct rlimit rl;

	catch_faults();
	getrlimit(RLIMIT_STACK, &rl);
	rl.rlim_cur = 8ul << 20;
	setrlimit(RLIMIT_STACK, &rl);
	is_int(in_child(deep), 0, "4 MiB of stack");
	is_int(in_child(endless), SIGSEGV, "without end: SIGSEGV");
	is_int(in_child(small_limit), SIGSEGV, "beyond RLIMIT_STACK: SIGSEGV");
	is_int(in_child(within_small_limit), 0, "within it: none");
	is_int(in_child(overflow_caught), SIGSEGV << 8, "the handler runs on the alternate stack");
	is_int(in_child(kernel_grows), 0, "read(2) into the stack below");
	growing();
	return done_testing();
}
