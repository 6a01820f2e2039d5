/* SPDX-License-Identifier: MPL-2.0 */
/* Rows about directories: reading them, making and removing what is in them. */
#define _GNU_SOURCE
#include "kbench.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int dir;
static char buf[32768];

static void fill_folder(int files)
{
	char name[32];

	check(mkdir("dir", 0755), "mkdir");
	for (int i = 0; i < files; i++) {
		sprintf(name, "dir/file%d", i);
		close((int)check(open(name, O_CREAT | O_WRONLY, 0644), name));
	}
	dir = (int)check(open("dir", O_RDONLY | O_DIRECTORY), "dir");
}

static void read_folder(unsigned int ops)
{
	while (ops-- > 0) {
		check(lseek(dir, 0, SEEK_SET), "lseek");
		while (check(syscall(SYS_getdents64, dir, buf, sizeof(buf)), "getdents64") > 0)
			;
	}
}

static size_t file_size;

static void set_size(int size)
{
	file_size = (size_t)size;
}

static void create_delete(unsigned int ops)
{
	while (ops-- > 0) {
		int fd = (int)check(open("new", O_CREAT | O_WRONLY | O_TRUNC, 0644), "open");

		if (file_size > 0)
			check(write(fd, buf, file_size), "write");
		close(fd);
		check(unlink("new"), "unlink");
	}
}

static void make_remove(unsigned int ops)
{
	while (ops-- > 0) {
		check(mkdir("new", 0755), "mkdir");
		check(rmdir("new"), "rmdir");
	}
}

static void make_one(int arg)
{
	(void)arg;
	close(make_file("one", 0));
}

static void rename_back_and_forth(unsigned int ops)
{
	for (; ops > 1; ops -= 2) {
		check(rename("one", "two"), "rename");
		check(rename("two", "one"), "rename");
	}
}

const struct row file_rows[] = {
	{"readdir-100", 50, fill_folder, read_folder, 100, NULL},
	{"create-0k", 200, set_size, create_delete, 0, NULL},
	{"create-10k", 200, set_size, create_delete, 10240, NULL},
	{"mkdir", 200, NULL, make_remove, 0, NULL},
	{"rename", 200, make_one, rename_back_and_forth, 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};
