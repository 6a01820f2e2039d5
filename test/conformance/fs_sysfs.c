/* SPDX-License-Identifier: MPL-2.0 */
/* sysfs(5): the tree as a file system, and what glibc, lscpu and numactl read below /sys/devices/system. */
#include "fs_util.h"
#include <dirent.h>
#include <sched.h>
#include <sys/vfs.h>

#define CPU "/sys/devices/system/cpu/"
#define NODE "/sys/devices/system/node/"
#define SYSFS_MAGIC_ 0x62656572
#define MAX_CPUS 1024

static char text[PAGE + 1];

/* The text of a file, without the last newline. */
static const char *slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, PAGE);

	close(fd);
	text[n > 0 ? n : 0] = 0;
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = 0;
	return n < 0 ? "(unreadable)" : text;
}

static const char *slurp_cpu(int cpu, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), CPU "cpu%d/%s", cpu, name);
	return slurp(path);
}

/* "0-3,5" as a set; false: no such list. */
static bool parse_list(const char *s, bool *set)
{
	memset(set, 0, MAX_CPUS);
	while (*s) {
		char *end;
		long first = strtol(s, &end, 10), last = first;

		if (end == s)
			return false;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		for (long i = first; i <= last && i < MAX_CPUS; i++)
			set[i] = true;
		s = *end == ',' ? end + 1 : end;
		if (*end && *end != ',')
			return false;
	}
	return true;
}

/* "f" or "3,ffffffff" as a set. */
static bool parse_mask(const char *s, bool *set)
{
	int bit = 0;

	memset(set, 0, MAX_CPUS);
	for (size_t i = strlen(s); i-- > 0;) {
		int digit = s[i] >= 'a' ? s[i] - 'a' + 10 : s[i] - '0';

		if (s[i] == ',')
			continue;
		if (digit < 0 || digit > 15)
			return false;
		for (int b = 0; b < 4; b++, bit++)
			set[bit] = digit >> b & 1;
	}
	return bit > 0;
}

static int count(const bool *set)
{
	int n = 0;

	for (int i = 0; i < MAX_CPUS; i++)
		n += set[i];
	return n;
}

static void check_cpus(void)
{
	bool online[MAX_CPUS], set[MAX_CPUS];
	cpu_set_t mine;

	ok(parse_list(slurp(CPU "online"), online), "online is a list");
	sched_getaffinity(0, sizeof(mine), &mine);
	is_int(count(online), CPU_COUNT(&mine), "as many as the process may run on");
	is_int(sysconf(_SC_NPROCESSORS_ONLN), count(online), "sysconf(_SC_NPROCESSORS_ONLN)");
	is_int(sysconf(_SC_NPROCESSORS_CONF), count(online), "sysconf(_SC_NPROCESSORS_CONF)");
	ok(parse_list(slurp(CPU "present"), set) && !memcmp(set, online, sizeof(set)), "present is the same");
	ok(parse_list(slurp(CPU "possible"), set) && !memcmp(set, online, sizeof(set)), "possible is the same");
	is_int(strlen(slurp(CPU "offline")), 0, "none is offline");
	is_int(strlen(slurp(CPU "isolated")), 0, "none is isolated");
	ok(atoi(slurp(CPU "kernel_max")) >= count(online) - 1, "kernel_max");
}

/* A mask and a list of the same CPUs, `cpu` among them. */
static bool agree(int cpu, const char *name, bool *set)
{
	char list[64];
	bool other[MAX_CPUS];

	snprintf(list, sizeof(list), "%s_list", name);
	return parse_mask(slurp_cpu(cpu, name), set) && parse_list(slurp_cpu(cpu, list), other) && !memcmp(set, other, sizeof(other)) && set[cpu];
}

static void check_topology(void)
{
	bool package[MAX_CPUS], core[MAX_CPUS], other[MAX_CPUS];
	int bad = 0, cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);

	for (int cpu = 0; cpu < cpus; cpu++) {
		bad += !agree(cpu, "topology/package_cpus", package) || !agree(cpu, "topology/core_cpus", core);
		for (int i = 0; i < MAX_CPUS; i++)
			bad += core[i] && !package[i];
		bad += !agree(cpu, "topology/core_siblings", other) || memcmp(other, package, sizeof(other));
		bad += !agree(cpu, "topology/thread_siblings", other) || memcmp(other, core, sizeof(other));
		bad += !agree(cpu, "topology/die_cpus", other);
		bad += atoi(slurp_cpu(cpu, "topology/core_id")) != cpu;
		bad += atoi(slurp_cpu(cpu, "topology/physical_package_id")) != 0;
		bad += atoi(slurp_cpu(cpu, "topology/die_id")) != 0;
	}
	is_int(bad, 0, "each CPU's topology holds together");
}

static void check_nodes(void)
{
	unsigned long total = 0, free_kb = 0, used = 0;
	bool online[MAX_CPUS], set[MAX_CPUS];
	char target[64] = "";
	const char *p;

	ok(!strcmp(slurp(NODE "online"), "0") && !strcmp(slurp(NODE "possible"), "0"), "one node");
	ok(!strcmp(slurp(NODE "has_cpu"), "0") && !strcmp(slurp(NODE "has_memory"), "0"), "with CPUs and memory");
	parse_list(slurp(CPU "online"), online);
	ok(parse_list(slurp(NODE "node0/cpulist"), set) && !memcmp(set, online, sizeof(set)), "all CPUs are in it");
	ok(parse_mask(slurp(NODE "node0/cpumap"), set) && !memcmp(set, online, sizeof(set)), "as a mask, too");
	ok(!strcmp(slurp(NODE "node0/distance"), "10"), "its distance to itself");
	p = slurp(NODE "node0/meminfo");
	ok(sscanf(p, "Node 0 MemTotal: %lu kB\nNode 0 MemFree: %lu kB\nNode 0 MemUsed: %lu kB\n", &total, &free_kb, &used) == 3 && total &&
	   used == total - free_kb, "its memory");
	is_int(readlink(CPU "cpu0/node0", target, sizeof(target) - 1), 16, "a link from the CPU to its node");
	ok(!strcmp(target, "../../node/node0"), "is relative");
	is_int(readlink(NODE "node0/cpu0", target, sizeof(target) - 1), 14, "and one back");
	ok(!access(CPU "cpu0/node0/cpulist", R_OK) && !access(NODE "node0/cpu0/topology/core_id", R_OK), "they lead there");
}

static int subdirectories(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int n = 0;

	while (dir && (e = readdir(dir)) != NULL)
		n += e->d_type == DT_DIR && e->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void check_stat(void)
{
	struct statfs fs;
	struct stat st, again;

	ok(!statfs("/sys", &fs) && fs.f_type == SYSFS_MAGIC_ && fs.f_bsize == PAGE && fs.f_blocks == 0, "statfs");
	ok(!stat(CPU "online", &st) && st.st_mode == (S_IFREG | 0444) && st.st_size == PAGE && st.st_nlink == 1, "an attribute: a page, read only");
	ok(!stat(CPU, &st) && st.st_mode == (S_IFDIR | 0755) && st.st_size == 0, "a directory");
	is_int(st.st_nlink, 2 + subdirectories(CPU), "has a link from each subdirectory");
	ok(!lstat(CPU "cpu0/node0", &st) && st.st_mode == (S_IFLNK | 0777) && st.st_size == 0, "a link");
	ok(!stat("/sys", &st) && st.st_mode == (S_IFDIR | 0555) && st.st_ino == 1, "the root");
	stat(CPU "online", &st);
	ok(!chmod(CPU "online", 0400) && !stat(CPU "online", &again) && again.st_mode == (S_IFREG | 0400), "chmod");
	ok(!chown(CPU "online", 5, 6) && !stat(CPU "online", &again) && again.st_uid == 5 && again.st_gid == 6, "chown");
	ok(!chown(CPU "online", 0, 0) && !chmod(CPU "online", 0444) && again.st_ino == st.st_ino, "and back");
	mkdir("second", 0755);
	ok(!mount("sysfs", "second", "sysfs", 0, NULL), "a second mount");
	ok(!stat("second/devices/system/cpu/online", &again) && again.st_dev == st.st_dev && again.st_ino == st.st_ino, "shows the same files");
	ok(!umount("second"), "and goes");
}

static void check_reading(void)
{
	char first[64] = "", rest[64] = "", byte[2] = "";
	int fd = open(CPU "kernel_max", O_RDONLY);
	ssize_t n = read(fd, first, sizeof(first));

	ok(n > 1 && first[n - 1] == '\n', "an attribute is a line");
	is_int(read(fd, rest, sizeof(rest)), 0, "then the end");
	ok(lseek(fd, 0, SEEK_SET) == 0 && read(fd, byte, 1) == 1 && byte[0] == first[0], "again from the start, a byte");
	is_int(read(fd, rest, sizeof(rest)), n - 1, "and the rest");
	ok(pread(fd, rest, sizeof(rest), 1) == n - 1 && !memcmp(rest, first + 1, (size_t)n - 1), "pread in the middle");
	is_int(pread(fd, rest, sizeof(rest), 1000), 0, "and beyond the end");
	is_int(read(fd, rest, 0), 0, "of nothing");
	lseek(fd, 0, SEEK_SET);
	is_errno(read(fd, BAD_PTR, 4) == -1, EFAULT, "to a bad address");
	is_errno(write(fd, "1", 1) == -1, EBADF, "no writing to what is open for reading");
	is_errno(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED, ENODEV, "no mapping");
	is_errno(ioctl(fd, TCGETS, rest) == -1, ENOTTY, "no terminal");
	close(fd);
}

static void check_errors(void)
{
	is_errno(open(CPU "nosuch", O_RDONLY) == -1, ENOENT, "what is not there");
	is_errno(open(CPU "online/x", O_RDONLY) == -1, ENOTDIR, "below an attribute");
	is_errno(open(CPU "online", O_WRONLY) == -1, EACCES, "what has nothing to write, for writing, as root");
	is_errno(open(CPU "new", O_CREAT | O_WRONLY, 0644) == -1, EACCES, "a new file");
	is_errno(mkdir(CPU "new", 0755) == -1, EPERM, "a new directory");
	is_errno(symlink("x", CPU "new") == -1, EPERM, "a new link");
	is_errno(mknod(CPU "new", S_IFIFO | 0644, 0) == -1, EPERM, "a new FIFO");
	is_errno(link(CPU "online", CPU "new") == -1, EPERM, "another name");
	is_errno(unlink(CPU "online") == -1, EPERM, "removing a file");
	is_errno(rmdir(CPU "cpu0") == -1, EPERM, "removing a directory");
	is_errno(rename(CPU "online", CPU "new") == -1, EPERM, "renaming");
	is_errno(mkdir(CPU "cpu0", 0755) == -1, EEXIST, "a directory that is there");
}

int main(void)
{
	fs_begin();
	check_cpus();
	check_topology();
	check_nodes();
	check_stat();
	check_reading();
	check_errors();
	return fs_end();
}
