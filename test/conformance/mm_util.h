/* SPDX-License-Identifier: MPL-2.0 */
/* For the tests of mmap(2) and its family. */
#ifndef MM_UTIL_H
#define MM_UTIL_H

#include "tap.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PAGE 4096ul
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* --- Does an access fault, and how? 0, SIGSEGV or SIGBUS; fault_code and fault_addr tell more. */
static sigjmp_buf fault_jump;
__attribute__((unused)) static int fault_code;
__attribute__((unused)) static void *fault_addr;

__attribute__((unused)) static void fault_handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	fault_code = info->si_code;
	fault_addr = info->si_addr;
	siglongjmp(fault_jump, sig);
}

__attribute__((unused)) static void catch_faults(void)
{
	struct sigaction sa = { .sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
	static char stack[65536];
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };

	sigaltstack(&alt, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

__attribute__((unused, noinline)) static int read_faults(const void *p)
{
	int sig = sigsetjmp(fault_jump, 1);

	if (!sig)
		(void)*(const volatile char *)p;
	return sig;
}

__attribute__((unused, noinline)) static int write_faults(void *p)
{
	int sig = sigsetjmp(fault_jump, 1);

	if (!sig)
		*(volatile char *)p = 'w';
	return sig;
}

__attribute__((unused, noinline)) static int call_faults(void *p)
{
	int sig = sigsetjmp(fault_jump, 1);

	if (!sig)
		((void (*)(void))p)();
	return sig;
}

__attribute__((unused)) static char *map_anon(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, ANON, -1, 0);

	if (p == MAP_FAILED)
		bail_out("mmap: %s", strerror(errno));
	return p;
}

/* A place of len bytes where nothing is mapped, with nothing mapped in the page before and after. */
__attribute__((unused)) static char *free_place(size_t len)
{
	char *p = map_anon(len + 2 * PAGE);

	munmap(p, len + 2 * PAGE);
	return p + PAGE;
}

/* An open file of `size` bytes, already unlinked; byte i is 'a' + i / PAGE % 26. */
__attribute__((unused)) static int temp_file(size_t size)
{
	char name[] = "/tmp/mm_test_XXXXXX", page[PAGE];
	int fd;

	mkdir("/tmp", 0777);
	fd = mkstemp(name);
	if (fd < 0)
		bail_out("mkstemp: %s", strerror(errno));
	unlink(name);
	for (size_t at = 0; at < size; at += PAGE) {
		size_t n = size - at < PAGE ? size - at : PAGE;

		memset(page, 'a' + (int)(at / PAGE % 26), sizeof(page));
		if (pwrite(fd, page, n, (off_t)at) != (ssize_t)n)
			bail_out("pwrite: %s", strerror(errno));
	}
	return fd;
}

/* Is the page mapped? mincore(2) fails with ENOMEM for a hole. */
__attribute__((unused)) static bool is_mapped(const void *p)
{
	unsigned char v;

	return mincore((void *)((uintptr_t)p & ~(PAGE - 1)), PAGE, &v) == 0;
}

/* Number of lines of /proc/self/maps, or -1 without /proc. */
__attribute__((unused)) static int count_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	int n = 0, c;

	if (!f)
		return -1;
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

#endif
