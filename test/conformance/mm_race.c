/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Threads of execution that share an address space (clone with CLONE_VM) fault, map, unmap and protect at once, and files are truncated under
 * mappings. Nothing may be lost that was written, no byte of another's may be seen, and nothing may hang.
 *
 * Every unmapping waits for all CPUs: on a busy host, whose turn comes tens of milliseconds later, a thousand of them take a minute. keel-test: seconds=300
 */
#include "mm_util.h"
#include <sched.h>

#define THREADS 4
#define FRESH 500	/* pages; the counts here suit emulated CPUs that outnumber the real ones */

static _Atomic int failures, stop;
static char *area;
static int file_fd;

static int run_threads(int (*fn)(void *arg), int n)
{
	pid_t pids[THREADS];
	int bad = 0, status;

	failures = 0;
	for (long i = 0; i < n; i++) {
		char *stack = map_anon(64 * PAGE);

		pids[i] = clone(fn, stack + 64 * PAGE, CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD, (void *)i);
		if (pids[i] < 0)
			bail_out("clone: %s", strerror(errno));
	}
	for (int i = 0; i < n; i++)
		if (waitpid(pids[i], &status, 0) != pids[i] || status)
			bad++;
	return bad + failures;
}

/* All touch all pages of fresh memory: every page must come up once. Each adds to its own byte. */
static int same_pages(void *arg)
{
	long me = (long)arg;

	for (int i = 0; i < FRESH; i++)
		area[i * PAGE + me]++;
	return 0;
}

static void fault_race(void)
{
	long sum = 0;

	area = map_anon(FRESH * PAGE);
	is_int(run_threads(same_pages, THREADS), 0, "faults on the same pages");
	for (int i = 0; i < FRESH; i++)
		for (int t = 0; t < THREADS; t++)
			sum += area[i * PAGE + t];
	is_int(sum, FRESH * THREADS, "lose no write");
	munmap(area, FRESH * PAGE);
}

static int map_and_unmap(void *arg)
{
	long me = (long)arg;

	for (int round = 0; round < 40; round++) {
		size_t n = (size_t)(round % 7 + 1) * PAGE;
		char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, ANON, -1, 0);

		if (p == MAP_FAILED) {
			failures++;
			continue;
		}
		for (size_t i = 0; i < n; i += PAGE)
			if (p[i] != 0)
				failures++;
			else
				p[i] = (char)(me + 1);
		sched_yield();
		for (size_t i = 0; i < n; i += PAGE)
			if (p[i] != (char)(me + 1))
				failures++;
		if (munmap(p, n))
			failures++;
	}
	return 0;
}

static int protect_to_and_fro(void *arg)
{
	char *mine = area + (long)arg * 64 * PAGE;

	for (int round = 0; round < 50; round++) {
		char *p = mine + round % 64 * PAGE;

		*p = (char)round;
		if (mprotect(p, PAGE, PROT_READ) || *p != (char)round || mprotect(p, PAGE, PROT_READ | PROT_WRITE))
			failures++;
		(*p)++;
		if (*p != (char)(round + 1))
			failures++;
	}
	return 0;
}

/* Forks while the others write: each child's picture must be of one moment for one page. */
static int fork_and_check(void *arg)
{
	if ((long)arg) {
		for (int round = 0; !stop; round++)
			for (int i = 0; i < 16; i++) {
				_Atomic int *pair = (_Atomic int *)(area + ((long)arg * 16 + i) * PAGE);

				pair[0] = round;
				pair[1] = round;
			}
		return 0;
	}
	for (int n = 0; n < 8; n++) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0) {
			for (int i = 16; i < 16 * THREADS; i++) {
				_Atomic int *pair = (_Atomic int *)(area + i * PAGE);
				int a = pair[0], b = pair[1];

				if (a != b && a != b + 1)
					_exit(1);
				pair[0] = -1;		/* must not reach the parent */
				if (pair[1] != b)
					_exit(2);
			}
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			failures++;
	}
	stop = 1;
	return 0;
}

/* One truncates and extends a file; the others read it through a mapping: zeros or the pattern, or SIGBUS which ends the child. */
static int shrink_and_grow(void)
{
	char page[PAGE];

	memset(page, 'p', PAGE);
	for (int round = 0; round < 60; round++) {
		if (ftruncate(file_fd, 0) || ftruncate(file_fd, 16 * PAGE) ||
		    pwrite(file_fd, page, PAGE, (round % 16) * (off_t)PAGE) != (ssize_t)PAGE)
			return 1;
	}
	return 0;
}

static int read_mapped(void)
{
	volatile char *p = mmap(NULL, 16 * PAGE, PROT_READ, MAP_SHARED, file_fd, 0);
	volatile int bad = 0;

	for (volatile int i = 0; i < 5000; i++) {
		char c = 0;

		if (sigsetjmp(fault_jump, 1) == 0)
			c = p[i % 16 * PAGE + 77];
		if (c != 0 && c != 'p')
			bad = 1;
	}
	return bad;
}

static void truncate_race(void)
{
	pid_t pids[3];
	int bad = 0, status;

	file_fd = temp_file(16 * PAGE);
	if (ftruncate(file_fd, 0))
		bad++;
	fflush(stdout);
	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(i ? read_mapped() : shrink_and_grow());
	}
	for (int i = 0; i < 3; i++)
		if (waitpid(pids[i], &status, 0) != pids[i] || status)
			bad++;
	is_int(bad, 0, "truncation under mappings");
	close(file_fd);
}

/* Unmaps while another reads through the kernel: EFAULT or success, never anything else. */
static int unmap_under_read(void *arg)
{
	if ((long)arg == 0) {
		for (int n = 0; n < 100; n++) {
			munmap(area, 4 * PAGE);
			if (mmap(area, 4 * PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0) != area)
				failures++;
		}
		stop = 1;
		return 0;
	}
	while (!stop) {
		ssize_t n = pread(file_fd, area, 4 * PAGE, 0);

		if (n < 0 ? errno != EFAULT : n > (ssize_t)(4 * PAGE))
			failures++;
	}
	return 0;
}

int main(void)
{
	catch_faults();
	fault_race();
	is_int(run_threads(map_and_unmap, THREADS), 0, "mapping and unmapping");
	area = map_anon(THREADS * 64 * PAGE);
	is_int(run_threads(protect_to_and_fro, THREADS), 0, "protecting pieces of one mapping");
	munmap(area, THREADS * 64 * PAGE);
	area = map_anon(16 * THREADS * PAGE);
	is_int(run_threads(fork_and_check, THREADS), 0, "fork while others write");
	munmap(area, 16 * THREADS * PAGE);
	truncate_race();
	stop = 0;
	file_fd = temp_file(4 * PAGE);
	area = map_anon(4 * PAGE);
	is_int(run_threads(unmap_under_read, 2), 0, "munmap while read(2) fills the memory");
	return done_testing();
}
