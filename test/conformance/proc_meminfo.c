/* SPDX-License-Identifier: MPL-2.0 */
/* proc(5): /proc/meminfo adds up and follows what programs do; /proc/sys/vm/drop_caches. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

#define DROP "/proc/sys/vm/drop_caches"
#define THREADS 100
#define SPAN (64ul << 21)	/* 64 page tables' worth of addresses */

static long info(const char *name)
{
	char line[256];
	FILE *f = fopen("/proc/meminfo", "r");
	long value = -1;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			value = strtol(line + strlen(name) + 1, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

static void test_sums(void)
{
	static const char *const names[] = { "MemFree", "MemAvailable", "Cached", "AnonPages", "Slab", "KernelStack", "PageTables", "Committed_AS" };
	long total = info("MemTotal");

	ok(total > 0, "MemTotal");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		long v = info(names[i]);

		ok(v > 0 && v < total, "%s is some of it", names[i]);
	}
	ok(info("MemFree") + info("Cached") + info("AnonPages") + info("Slab") + info("KernelStack") + info("PageTables") <= total, "parts are no more than the whole");
}

static pthread_barrier_t barrier;

static void *stay(void *arg)
{
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return arg;
}

static void test_stacks(void)
{
	pthread_t t[THREADS];
	pthread_attr_t attr;
	long before = info("KernelStack"), with;
	int n = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	while (n < THREADS && !pthread_create(&t[n], &attr, stay, NULL))
		n++;
	if (n < THREADS)
		_exit(1);
	pthread_barrier_wait(&barrier);
	with = info("KernelStack");
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	/* Some stacks may have been there, unused. */
	ok(with >= before + (THREADS - 50) * 8, "KernelStack grows with threads");
}

static int touch(int tell, int wait)
{
	char *p = mmap(NULL, SPAN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), byte;

	madvise(p, SPAN, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < SPAN; at += 2ul << 20)
		p[at] = 1;
	return write(tell, "x", 1) != 1 || read(wait, &byte, 1) != 0;
}

static void test_tables(void)
{
	long before = info("PageTables"), with;
	int told[2], wait[2], status;
	char byte;
	pid_t pid;

	if (pipe(told) || pipe(wait))
		_exit(1);
	pid = fork();
	if (!pid) {
		close(wait[1]);
		_exit(touch(told[1], wait[0]));
	}
	if (read(told[0], &byte, 1) != 1)
		_exit(1);
	with = info("PageTables");
	close(wait[1]);
	waitpid(pid, &status, 0);
	ok(with >= before + 60 * 4, "PageTables grows with what is mapped");
	ok(info("PageTables") < before + 30 * 4, "and shrinks again");
}

static int write_drop(const char *text)
{
	int fd = open(DROP, O_WRONLY), err = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

static void test_drop(void)
{
	struct stat st;

	ok(stat(DROP, &st) == 0 && st.st_mode == (S_IFREG | 0200), "drop_caches is for writing");
	ok(write_drop("1\n") == 0 && write_drop("2") == 0 && write_drop("3\n") == 0, "1, 2, 3");
	ok(write_drop("0\n") == EINVAL && write_drop("5") == EINVAL && write_drop("x\n") == EINVAL, "others: EINVAL");
}

int main(void)
{
	test_sums();
	test_stacks();
	test_tables();
	test_drop();
	return done_testing();
}
