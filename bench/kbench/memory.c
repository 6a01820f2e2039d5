/* SPDX-License-Identifier: MPL-2.0 */
/* Rows about address spaces: mapping, protecting, and each kind of page fault. */
#define _GNU_SOURCE
#include "kbench.h"

#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, AROUND = 16 * PAGE, MIB = 1 << 20 };

static void map_unmap(unsigned int ops)
{
	while (ops-- > 0)
		check(munmap(map_anonymous(65536, MAP_PRIVATE), 65536), "munmap");
}

static void touch_mib(unsigned int ops)
{
	while (ops-- > 0)
		check(munmap(touched(MIB), MIB), "munmap");
}

static char *memory;

static void map_touched(int pages)
{
	memory = touched((size_t)pages * PAGE);
}

/* 16 pages in the middle of a larger mapping, which so becomes three, and one again. */
static void protect(unsigned int ops)
{
	for (; ops > 1; ops -= 2) {
		check(mprotect(memory + 65536, 65536, PROT_READ), "mprotect");
		check(mprotect(memory + 65536, 65536, PROT_READ | PROT_WRITE), "mprotect");
	}
}

static void grow_shrink(unsigned int ops)
{
	while (ops-- > 0) {
		check(sbrk(65536) == (void *)-1 ? -1 : 0, "sbrk");
		check(sbrk(-65536) == (void *)-1 ? -1 : 0, "sbrk");
	}
}

/* Each run goes on where the last one ended. */
static size_t next;

static void map_fresh(int pages)
{
	memory = map_anonymous((size_t)pages * PAGE * runs, MAP_PRIVATE);
	/* Small pages, whatever the kernel would like: the row is about one fault a page. */
	madvise(memory, (size_t)pages * PAGE * runs, MADV_NOHUGEPAGE);
}

static void touch_pages(unsigned int ops)
{
	for (; ops > 0; ops--, next += PAGE)
		memory[next] = 1;
}

/* Further apart than a kernel would map around a fault. */
static void map_file(int faults)
{
	size_t size = (size_t)faults * AROUND * runs;

	memory = mmap(NULL, size, PROT_READ, MAP_SHARED, make_file("file", size), 0);
	check(memory == MAP_FAILED ? -1 : 0, "mmap");
}

static void read_apart(unsigned int ops)
{
	for (; ops > 0; ops--, next += AROUND)
		*(volatile char *)(memory + next);
}

static void hold(int arg)
{
	(void)arg;
	for (;;)
		pause();
}

/* A child keeps the pages shared. */
static void share_pages(int pages)
{
	memory = touched((size_t)pages * PAGE * runs);
	start_peer(hold, 0);
}

const struct row memory_rows[] = {
	{"mmap-munmap", 200, NULL, map_unmap, 0, NULL},
	{"touch-1m", 5, NULL, touch_mib, 0, NULL},
	{"mprotect", 200, map_touched, protect, 48, NULL},
	{"brk", 200, NULL, grow_shrink, 0, NULL},
	{"fault-anon", 400, map_fresh, touch_pages, 400, NULL},
	{"fault-file", 64, map_file, read_apart, 64, NULL},
	{"fault-cow", 400, share_pages, touch_pages, 400, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};
