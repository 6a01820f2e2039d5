/* SPDX-License-Identifier: MPL-2.0 */
/* What the kernel's own memory goes to: slabinfo(5), KernelStack in /proc/meminfo, and /proc/sys/vm/drop_caches of proc(5). */
#include "fs_util.h"

#define DROP "/proc/sys/vm/drop_caches"
#define FILES 2000

/* Sums what slabinfo's lines say; false: a line makes no sense. */
static bool sum(unsigned long *active_bytes)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	char line[512], name[64];
	int bad = !f, lines = 0;

	*active_bytes = 0;
	while (f && fgets(line, sizeof(line), f)) {
		unsigned long active, all, size, per_slab, pages, active_slabs, slabs;

		if (++lines == 1)
			bad += strcmp(line, "slabinfo - version: 2.1\n") != 0;
		else if (lines == 2)
			bad += strncmp(line, "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables", 90) != 0;
		if (lines <= 2)
			continue;
		if (sscanf(line, "%63s %lu %lu %lu %lu %lu : tunables 0 0 0 : slabdata %lu %lu 0", name, &active, &all, &size, &per_slab, &pages,
			   &active_slabs, &slabs) != 8) {
			bad++;
			continue;
		}
		bad += active > all || active_slabs > slabs || !size || !per_slab || !pages || size * per_slab > pages * PAGE;
		*active_bytes += active * size;
	}
	if (f)
		fclose(f);
	return !bad && lines > 10;
}

static void check_slabinfo(void)
{
	unsigned long before, after;
	struct stat st;
	char name[32];

	ok(!stat("/proc/slabinfo", &st) && st.st_mode == (S_IFREG | 0400), "slabinfo is for root");
	ok(sum(&before), "its lines make sense");
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		fs_make(name, "");
	}
	ok(sum(&after) && after > before + FILES * 256, "files take memory");
}

static int write_drop(const char *text)
{
	int fd = open(DROP, O_WRONLY), err = 0;

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = errno;
	close(fd);
	return err;
}

static void check_drop(void)
{
	struct stat st;

	ok(!stat(DROP, &st) && st.st_mode == (S_IFREG | 0200), "drop_caches is for root to write");
	is_int(write_drop("1"), 0, "the page cache");
	is_int(write_drop("2\n"), 0, "names and inodes");
	is_int(write_drop("3"), 0, "both");
	is_errno(open(DROP, O_RDONLY) == -1, EACCES, "not even root reads it");
	is_errno(open("/proc/sys/kernel/ostype", O_WRONLY) == -1, EACCES, "nor writes what only shows");
	is_int(write_drop("0"), EINVAL, "0");
	is_int(write_drop("5"), EINVAL, "5");
	is_int(write_drop("-1"), EINVAL, "a negative number");
	is_int(write_drop("x"), EINVAL, "no number");
	ok(fs_exists("file-7"), "files of a tmpfs stay");
}

static void unprivileged(void)
{
	if (setgid(SOMEBODY) || setuid(SOMEBODY))
		_exit(1);
	_exit(open("/proc/slabinfo", O_RDONLY) != -1 || errno != EACCES || open(DROP, O_WRONLY) != -1 || errno != EACCES);
}

/* A line of /proc/meminfo, in kB. */
static long meminfo(const char *name)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kb = -1;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			kb = atol(line + strlen(name));
	if (f)
		fclose(f);
	return kb;
}

static void check_stacks(void)
{
	long before = meminfo("KernelStack:"), after;
	pid_t pid[64];

	for (int i = 0; i < 64; i++) {
		pid[i] = fork();
		if (!pid[i])
			for (;;)
				pause();
	}
	after = meminfo("KernelStack:");
	for (int i = 0; i < 64; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	ok(before > 0 && after >= before + 32 * 8, "meminfo: processes have kernel stacks");
}

int main(void)
{
	pid_t pid;
	int status;

	fs_begin();
	check_slabinfo();
	check_drop();
	check_stacks();
	pid = fork();
	if (!pid)
		unprivileged();
	waitpid(pid, &status, 0);
	is_int(status, 0, "neither is for anybody else");
	return fs_end();
}
