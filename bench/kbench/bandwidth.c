/* SPDX-License-Identifier: MPL-2.0 */
/* Rows that move data, a MiB an operation; and work of user code alone, to see what is not the kernel's. */
#define _GNU_SOURCE
#include "kbench.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1 << 20, CHUNK = 65536, FILE_SIZE = 4 * MIB };

static int fd, fds[2];
static char buf[CHUNK];
static uint64_t *words;

static void pour(int arg)
{
	(void)arg;
	for (;;)
		check(write(fds[1], buf, CHUNK), "write");
}

static void make_pipe(int arg)
{
	(void)arg;
	check(pipe(fds), "pipe");
	start_peer(pour, 0);
}

static void drink(unsigned int mib)
{
	for (size_t left = (size_t)mib * MIB; left > 0;)
		left -= (size_t)check(read(fds[0], buf, left < CHUNK ? left : CHUNK), "read");
}

static void open_file(int arg)
{
	(void)arg;
	fd = make_file("file", FILE_SIZE);
}

static void read_file(unsigned int mib)
{
	for (size_t left = (size_t)mib * MIB; left > 0; left -= CHUNK)
		check(pread(fd, buf, CHUNK, (off_t)(left % FILE_SIZE)) == CHUNK ? 0 : -1, "pread");
}

static void write_file(unsigned int mib)
{
	for (size_t left = (size_t)mib * MIB; left > 0; left -= CHUNK)
		check(pwrite(fd, buf, CHUNK, (off_t)(left % FILE_SIZE)) == CHUNK ? 0 : -1, "pwrite");
}

/* A word of each cache line: more would measure the loop. */
static uint64_t sum(const uint64_t *data)
{
	uint64_t result = 0;

	for (size_t i = 0; i < MIB / sizeof(*data); i += 8)
		result += data[i];
	return result;
}

static uint64_t sums;

static void read_mapping(unsigned int mib)
{
	while (mib-- > 0) {
		void *data = mmap(NULL, MIB, PROT_READ, MAP_SHARED, fd, 0);

		check(data == MAP_FAILED ? -1 : 0, "mmap");
		sums += sum(data);
		check(munmap(data, MIB), "munmap");
	}
}

static void get_words(int arg)
{
	(void)arg;
	words = (uint64_t *)touched(2 * MIB);
}

static void copy_memory(unsigned int mib)
{
	while (mib-- > 0) {
		memcpy(words, (char *)words + MIB, MIB);
		__asm__ __volatile__("" ::: "memory");
	}
}

static void read_clock(unsigned int ops)
{
	struct timespec now;

	while (ops-- > 0)
		clock_gettime(CLOCK_MONOTONIC, &now);
}

const struct row bandwidth_rows[] = {
	{"pipe-stream", 8, make_pipe, drink, 0, "MiB"},
	{"file-read", 8, open_file, read_file, 0, "MiB"},
	{"file-write", 8, open_file, write_file, 0, "MiB"},
	{"mmap-read", 4, open_file, read_mapping, 0, "MiB"},
	{NULL, 0, NULL, NULL, 0, NULL},
};

const struct row user_rows[] = {
	{"memcpy", 8, get_words, copy_memory, 0, "MiB"},
	{"clock-vdso", 1000, NULL, read_clock, 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};
