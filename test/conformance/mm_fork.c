/* SPDX-License-Identifier: MPL-2.0 */
/* What fork(2) makes of memory: copies on write, shared mappings, madvise(2)'s MADV_DONTFORK and MADV_WIPEONFORK, locks. */
#include "mm_util.h"
#include <sched.h>

static char *priv, *shared, *file_priv, *dont, *wipe;
static int fd;

static int child_sees(void)
{
	if (priv[0] != 1 || priv[PAGE] != 0 || shared[0] != 2 || file_priv[0] != 'X' || file_priv[PAGE] != 'b')
		return 1;
	if (is_mapped(dont))
		return 2;
	if (wipe[0] != 0)
		return 3;
	priv[0] = 11;
	priv[PAGE] = 12;
	shared[0] = 13;
	shared[PAGE] = 14;
	file_priv[0] = 'Y';
	file_priv[PAGE] = 'Y';
	wipe[0] = 15;
	return 0;
}

static void inheritance(void)
{
	fd = temp_file(2 * PAGE);
	priv = map_anon(2 * PAGE);
	shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	file_priv = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	dont = map_anon(PAGE);
	wipe = map_anon(PAGE);
	priv[0] = 1;
	shared[0] = 2;
	file_priv[0] = 'X';
	wipe[0] = 3;
	is_int(madvise(dont, PAGE, MADV_DONTFORK), 0, "MADV_DONTFORK");
	is_int(madvise(wipe, PAGE, MADV_WIPEONFORK), 0, "MADV_WIPEONFORK");
	is_int(in_child(child_sees), 0, "the child has what it should have");
	ok(priv[0] == 1 && priv[PAGE] == 0, "its private writes are not seen here");
	ok(shared[0] == 13 && shared[PAGE] == 14, "its shared writes are");
	ok(file_priv[0] == 'X' && file_priv[PAGE] == 'b', "nor are those to a private file mapping");
	ok(wipe[0] == 3, "wiped memory is whole here");
	is_errno(madvise(shared, PAGE, MADV_WIPEONFORK) == -1, EINVAL, "MADV_WIPEONFORK of shared memory");
	is_errno(madvise(file_priv, PAGE, MADV_WIPEONFORK) == -1, EINVAL, "MADV_WIPEONFORK of a file mapping");
	is_int(madvise(dont, PAGE, MADV_DOFORK) | madvise(wipe, PAGE, MADV_KEEPONFORK), 0, "undone");
}

static int child_has_both(void)
{
	return is_mapped(dont) && wipe[0] == 3 ? 0 : 1;
}

/* Parent, child and grandchild write to pages in turn; none sees another's. */
static char *family;
#define FAMILY_PAGES 40

static int check_pages(int want)
{
	for (int i = 0; i < FAMILY_PAGES; i++)
		if (family[i * PAGE] != want)
			return 1;
	return 0;
}

static void write_pages(int value)
{
	for (int i = 0; i < FAMILY_PAGES; i++)
		family[i * PAGE] = (char)value;
}

static int grandchild(void)
{
	if (check_pages(2))
		return 1;
	write_pages(3);
	return check_pages(3);
}

static int child_of_family(void)
{
	if (check_pages(1))
		return 1;
	write_pages(2);
	if (in_child(grandchild))
		return 2;
	return check_pages(2);
}

static void generations(void)
{
	family = map_anon(FAMILY_PAGES * PAGE);
	write_pages(1);
	is_int(in_child(child_of_family), 0, "three generations write to the same pages");
	is_int(check_pages(1), 0, "each has its own");
	write_pages(4);
	is_int(check_pages(4), 0, "the parent can write when the children are gone");
}

/* Reads of untouched memory share one page of zeros: a write must not be seen by another. */
static void zeros(void)
{
	char *a = map_anon(PAGE), *b = map_anon(PAGE);

	ok(a[0] == 0 && b[0] == 0, "two pages read as zero");
	a[0] = 1;
	ok(b[0] == 0 && a[1] == 0, "a write to one stays there");
	munmap(a, PAGE);
	munmap(b, PAGE);
}

/* Both processes write to all pages at once, many times over. */
static int storm_child(void)
{
	for (int round = 0; round < 20; round++)
		for (int i = 0; i < FAMILY_PAGES; i++)
			family[i * PAGE + 8] = (char)(family[i * PAGE + 8] + 1);
	for (int i = 0; i < FAMILY_PAGES; i++)
		if (family[i * PAGE + 8] != 20)
			return 1;
	return 0;
}

static void storm(void)
{
	int failures = 0, status;
	pid_t pids[8];

	fflush(stdout);
	for (int i = 0; i < FAMILY_PAGES; i++)
		family[i * PAGE + 8] = 0;
	for (int n = 0; n < 8; n++) {
		pids[n] = fork();
		if (pids[n] == 0)
			_exit(storm_child());
	}
	if (storm_child())
		failures++;
	for (int n = 0; n < 8; n++)
		if (waitpid(pids[n], &status, 0) != pids[n] || status)
			failures++;
	is_int(failures, 0, "nine processes count in copies of the same pages");
}

/* A child that shares the address space (clone without copying) sees every write. */
static char *common;

static int thread_main(void *arg)
{
	(void)arg;
	common[0] = 55;
	munmap(common + PAGE, PAGE);
	return 0;
}

static void sharing(void)
{
	char *stack = map_anon(16 * PAGE);
	int status = -1;
	pid_t pid;

	common = map_anon(2 * PAGE);
	common[PAGE] = 1;
	pid = clone(thread_main, stack + 16 * PAGE, CLONE_VM | SIGCHLD, NULL);
	ok(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "clone with CLONE_VM");
	ok(common[0] == 55, "its write is seen");
	is_int(read_faults(common + PAGE), SIGSEGV, "its munmap too");
	munmap(stack, 16 * PAGE);
}

static int lock_child(void)
{
	struct rlimit rl = { PAGE, PAGE };
	char *p;

	/* Locks are not inherited (mlock(2)): there is room for one page. */
	setrlimit(RLIMIT_MEMLOCK, &rl);
	if (setresuid(1000, 1000, 1000))
		return 1;
	p = map_anon(PAGE);
	return mlock(p, PAGE) ? 2 : 0;
}

static void big_and_sparse(void)
{
	char *p = mmap(NULL, 1ul << 35, PROT_READ | PROT_WRITE, ANON | MAP_NORESERVE, -1, 0);
	int status = -1;
	pid_t pid;

	p[0] = 1;
	p[(1ul << 34) + 5] = 2;
	p[(1ul << 35) - 1] = 3;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(p[0] == 1 && p[(1ul << 34) + 5] == 2 && p[(1ul << 35) - 1] == 3 && p[12345] == 0 ? 0 : 1);
	waitpid(pid, &status, 0);
	is_int(status, 0, "32 GiB with three pages in it");
	munmap(p, 1ul << 35);
}

int main(void)
{
	catch_faults();
	inheritance();
	is_int(in_child(child_has_both), 0, "then the child has both");
	generations();
	zeros();
	storm();
	sharing();
	if (geteuid()) {
		skip("needs root");
	} else {
		char *p = map_anon(64 * PAGE);

		is_int(mlock(p, 64 * PAGE), 0, "mlock");
		is_int(in_child(lock_child), 0, "memory locks are not inherited");
	}
	big_and_sparse();
	return done_testing();
}
