/* SPDX-License-Identifier: MPL-2.0 */
/* Rows of single calls: what it costs to enter the kernel, to find a descriptor, to walk a path. */
#define _GNU_SOURCE
#include "kbench.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEEP FOLDER "/1/2/3/4/file"	/* seven names */
#define SHALLOW "/kbench.file"

static int fd;
static char buf[4096];

static void null(unsigned int ops)
{
	while (ops-- > 0)
		syscall(SYS_getppid);
}

static void open_zero(int arg)
{
	(void)arg;
	fd = (int)check(open("/dev/zero", O_RDONLY), "/dev/zero");
}

static void open_null(int arg)
{
	(void)arg;
	fd = (int)check(open("/dev/null", O_RDWR), "/dev/null");
}

static void open_file(int arg)
{
	(void)arg;
	fd = make_file("file", 65536);
}

static void read_byte(unsigned int ops)
{
	while (ops-- > 0)
		check(read(fd, buf, 1), "read");
}

static void write_byte(unsigned int ops)
{
	while (ops-- > 0)
		check(write(fd, buf, 1), "write");
}

static void seek(unsigned int ops)
{
	while (ops-- > 0)
		check(lseek(fd, ops & 4095, SEEK_SET), "lseek");
}

static void get_flags(unsigned int ops)
{
	while (ops-- > 0)
		check(fcntl(fd, F_GETFL), "fcntl");
}

static void stat_fd(unsigned int ops)
{
	struct stat st;

	while (ops-- > 0)
		check(fstat(fd, &st), "fstat");
}

static const char *path;

static void make_shallow(int arg)
{
	(void)arg;
	close((int)check(open(SHALLOW, O_CREAT | O_RDWR, 0644), SHALLOW));
	path = SHALLOW;
}

static void make_deep(int arg)
{
	(void)arg;
	mkdir("1", 0755);
	mkdir("1/2", 0755);
	mkdir("1/2/3", 0755);
	mkdir("1/2/3/4", 0755);
	close((int)check(open(DEEP, O_CREAT | O_RDWR, 0644), DEEP));
	path = DEEP;
}

static void stat_path(unsigned int ops)
{
	struct stat st;

	while (ops-- > 0)
		check(stat(path, &st), "stat");
}

static void stat_missing(unsigned int ops)
{
	struct stat st;

	while (ops-- > 0)
		check(stat(FOLDER "/missing", &st) == 0 ? -1 : 0, "a missing name");
}

static void make_named(int arg)
{
	open_file(arg);
	path = FOLDER "/file";
}

static void open_close(unsigned int ops)
{
	while (ops-- > 0)
		close((int)check(open(path, O_RDONLY), "open"));
}

static void dup_close(unsigned int ops)
{
	while (ops-- > 0)
		close((int)check(dup(fd), "dup"));
}

static void read_page(unsigned int ops)
{
	while (ops-- > 0)
		check(pread(fd, buf, sizeof(buf), 4096), "pread");
}

static void write_page(unsigned int ops)
{
	while (ops-- > 0)
		check(pwrite(fd, buf, sizeof(buf), 4096), "pwrite");
}

static void clock_call(unsigned int ops)
{
	struct timespec now;

	while (ops-- > 0)
		check(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now), "clock_gettime");
}

static void random_bytes(unsigned int ops)
{
	while (ops-- > 0)
		check(getrandom(buf, 16, 0), "getrandom");
}

const struct row call_rows[] = {
	{"null", 1000, NULL, null, 0, NULL},
	{"read-1", 1000, open_zero, read_byte, 0, NULL},
	{"write-1", 1000, open_null, write_byte, 0, NULL},
	{"lseek", 1000, open_file, seek, 0, NULL},
	{"fcntl", 1000, open_file, get_flags, 0, NULL},
	{"fstat", 1000, open_file, stat_fd, 0, NULL},
	{"stat", 1000, make_shallow, stat_path, 0, NULL},
	{"stat-deep", 1000, make_deep, stat_path, 0, NULL},
	{"stat-missing", 1000, NULL, stat_missing, 0, NULL},
	{"open-close", 1000, make_named, open_close, 0, NULL},
	{"dup", 1000, open_file, dup_close, 0, NULL},
	{"pread", 500, open_file, read_page, 0, NULL},
	{"pwrite", 500, open_file, write_page, 0, NULL},
	{"clock-call", 1000, NULL, clock_call, 0, NULL},
	{"getrandom", 500, NULL, random_bytes, 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};
