/* SPDX-License-Identifier: MPL-2.0 */
/* mlock(2), mlock2(2), munlock(2), mlockall(2), munlockall(2). */
#include "mm_util.h"

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif
#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

static long lock2(void *p, size_t n, unsigned int flags)
{
	return syscall(SYS_mlock2, p, n, flags);
}

static bool is_in_core(void *p)
{
	unsigned char v = 0;

	return mincore(p, PAGE, &v) == 0 && (v & 1);
}

static void locking(void)
{
	char *p = map_anon(4 * PAGE);

	is_int(mlock(p, 2 * PAGE), 0, "mlock");
	ok(is_in_core(p) && is_in_core(p + PAGE) && !is_in_core(p + 2 * PAGE), "makes the pages present");
	is_int(mlock(p + 2 * PAGE + 5, 1), 0, "an unaligned range");
	ok(is_in_core(p + 2 * PAGE) && !is_in_core(p + 3 * PAGE), "locks the page around it");
	is_int(lock2(p + 3 * PAGE, PAGE, MLOCK_ONFAULT), 0, "mlock2 with MLOCK_ONFAULT");
	ok(!is_in_core(p + 3 * PAGE), "does not");
	is_int(munlock(p, 4 * PAGE), 0, "munlock");
	is_int(munlock(p, 4 * PAGE), 0, "munlock of what is not locked");
	is_int(mlock(p, 0), 0, "length 0");
	is_errno(lock2(p, PAGE, 2) == -1, EINVAL, "an unknown flag");
	munmap(p + PAGE, PAGE);
	is_errno(mlock(p, 4 * PAGE) == -1, ENOMEM, "a hole in the range");
	is_errno(munlock(p, 4 * PAGE) == -1, ENOMEM, "munlock of a hole");
	is_errno(mlock(p + PAGE, PAGE) == -1, ENOMEM, "nothing mapped");
	is_errno(syscall(SYS_mlock, (void *)PAGE, ~0ul - PAGE) == -1, EINVAL, "a length that wraps");
	munmap(p, 4 * PAGE);
	p = mmap(NULL, PAGE, PROT_NONE, ANON, -1, 0);
	is_errno(mlock(p, PAGE) == -1, ENOMEM, "memory without access");
	munmap(p, PAGE);
}

static int limited(void)
{
	struct rlimit rl = { 4 * PAGE, 4 * PAGE };
	char *p;

	setrlimit(RLIMIT_MEMLOCK, &rl);
	if (setresuid(1000, 1000, 1000))
		return 1;
	p = map_anon(8 * PAGE);
	if (mlock(p, 8 * PAGE) != -1 || errno != ENOMEM)
		return 2;
	if (mlock(p, 4 * PAGE) || mlock(p, 4 * PAGE) || mlock(p, 2 * PAGE))
		return 3;
	if (mlock(p + 4 * PAGE, PAGE) != -1 || errno != ENOMEM)
		return 4;
	if (munlock(p, PAGE) || mlock(p + 4 * PAGE, PAGE))
		return 5;
	if (munmap(p, 2 * PAGE) || mlock(p + 5 * PAGE, PAGE))
		return 6;
	if (mlockall(MCL_CURRENT) != -1 || errno != ENOMEM)
		return 7;
	return 0;
}

static int limit_zero(void)
{
	struct rlimit rl = { 0, 0 };
	char *p = map_anon(PAGE);

	setrlimit(RLIMIT_MEMLOCK, &rl);
	if (setresuid(1000, 1000, 1000))
		return 1;
	if (mlock(p, PAGE) != -1 || errno != EPERM)
		return 2;
	if (mlockall(MCL_FUTURE) != -1 || errno != EPERM)
		return 3;
	return munlock(p, PAGE) || munlockall() ? 4 : 0;
}

static int all_future(void)
{
	char *p, *q;

	if (mlockall(MCL_FUTURE))
		return 1;
	p = map_anon(PAGE);
	if (!is_in_core(p))
		return 2;
	if (munlockall())
		return 3;
	q = map_anon(PAGE);
	if (is_in_core(q))
		return 4;
	if (mlockall(MCL_FUTURE | MCL_ONFAULT))
		return 5;
	q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return is_in_core(q) ? 6 : 0;
}

static int all_current(void)
{
	char *p = map_anon(16 * PAGE);

	if (mlockall(MCL_CURRENT))
		return 1;
	for (int i = 0; i < 16; i++)
		if (!is_in_core(p + i * PAGE))
			return 2;
	return munlockall();
}

int main(void)
{
	locking();
	is_errno(mlockall(0) == -1, EINVAL, "mlockall without flags");
	is_errno(mlockall(128) == -1, EINVAL, "mlockall with an unknown flag");
	is_errno(mlockall(MCL_ONFAULT) == -1, EINVAL, "mlockall with MCL_ONFAULT alone");
	if (geteuid()) {
		skip("needs root");
	} else {
		is_int(in_child(limited), 0, "RLIMIT_MEMLOCK");
		is_int(in_child(limit_zero), 0, "RLIMIT_MEMLOCK 0: EPERM");
		is_int(in_child(all_future), 0, "mlockall(MCL_FUTURE)");
		is_int(in_child(all_current), 0, "mlockall(MCL_CURRENT)");
	}
	return done_testing();
}
