/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a file of kernel/ that is fuzzed on the host finds in place of the kernel: memory that is counted, so that nothing is lost, and that fails where
 * the input says so. Included once, before the file's own text; the current task, which the kernel finds through a CPU register, is replaced by macros.
 */
#ifndef TEST_FUZZ_KERNEL_H
#define TEST_FUZZ_KERNEL_H

#include <lib/string.h>
#include <lib/types.h>
#include <frame/log.h>
#include "mm/alloc.h"

/* The UAPI headers leave out what the C library declares too, but its headers of those names are not included here; but struct timeval comes
 * with stdlib.h, so the UAPI's gets another name. */
#undef __GLIBC__
#define timeval uapi_timeval

static struct {
	size_t n_live;			/* allocations not freed */
	u32 until_failure;		/* the n-th from now fails; 0: none does */
} fuzz_memory;

static void *fuzz_alloc(size_t align, size_t size, bool is_zero)
{
	void *p;

	if (fuzz_memory.until_failure && !--fuzz_memory.until_failure)
		return NULL;
	if (posix_memalign(&p, align, size ? size : 1))
		abort();
	memset(p, is_zero ? 0 : 0xa5, size);
	fuzz_memory.n_live++;
	return p;
}

void *kmalloc(size_t size, u32 flags)
{
	return fuzz_alloc(16, size, flags & ALLOC_ZERO);
}

void kfree(void *p)
{
	fuzz_memory.n_live -= p != NULL;
	free(p);
}

static void fuzz_begin(u32 until_failure)
{
	fuzz_memory.n_live = 0;
	fuzz_memory.until_failure = until_failure;
}

static void fuzz_end(void)
{
	if (fuzz_memory.n_live) {
		fprintf(stderr, "%zu allocations are lost\n", fuzz_memory.n_live);
		abort();
	}
}

void klog(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

__noreturn void bug_at(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

#endif
