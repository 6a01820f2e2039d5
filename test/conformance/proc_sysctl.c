/* SPDX-License-Identifier: MPL-2.0 */
/* /proc/sys (proc(5)): what programs read there, what can be set and what it does, what is refused; some files of /proc about the system. */
#include "tap.h"
#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static char text[4096];

static bool look(const char *name)
{
	char path[128];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s", name);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		close(fd);
	return n >= 0;
}

static bool set(const char *name, const char *value)
{
	char path[128];
	int fd, e;
	bool good;

	snprintf(path, sizeof(path), "/proc/%s", name);
	fd = open(path, O_WRONLY);
	good = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	e = errno;
	if (fd >= 0)
		close(fd);
	errno = e;
	return good;
}

/* Numbers between blanks, and a newline at the end: how many; the first in *first. */
static int numbers(const char *name, long *first)
{
	int n = 0;
	char *at = text, *end;

	if (!look(name) || text[0] == 0 || text[strlen(text) - 1] != '\n')
		return -1;
	for (;; at = end) {
		long v = strtol(at, &end, 10);

		if (end == at)
			break;
		if (!n++)
			*first = v;
	}
	return at[0] == '\n' && !at[1] ? n : -2;
}

static void is_number(const char *name, long least, long most)
{
	long v = -1;

	ok(numbers(name, &v) == 1 && v >= least && v <= most, "%s", name);
}

static bool reads(const char *name, const char *want)
{
	return look(name) && !strcmp(text, want);
}

/* A number that can be set, to another and back, and what is refused. */
static void is_setting(const char *name, const char *other, const char *bad)
{
	char old[64];

	if (!look(name) || strlen(text) >= sizeof(old)) {
		ok(false, "%s", name);
		return;
	}
	strcpy(old, text);
	ok(set(name, other) && reads(name, other), "%s is set", name);
	if (bad)
		is_errno(!set(name, bad), EINVAL, "%s: not to that", name);
	ok(set(name, old) && reads(name, old), "%s is set back", name);
}

static void kernel(void)
{
	struct utsname u;
	char line[256], id[64];

	uname(&u);
	snprintf(line, sizeof(line), "%s\n", u.release);
	ok(reads("sys/kernel/ostype", "Linux\n") && reads("sys/kernel/osrelease", line), "ostype, osrelease");
	snprintf(line, sizeof(line), "%s\n", u.version);
	ok(reads("sys/kernel/version", line), "version");
	snprintf(line, sizeof(line), "%s\n", u.nodename);
	ok(reads("sys/kernel/hostname", line), "hostname");
	ok(set("sys/kernel/hostname", "another\n") && uname(&u) == 0 && !strcmp(u.nodename, "another"), "is set");
	ok(set("sys/kernel/hostname", line) && reads("sys/kernel/hostname", line), "and set back");
	ok(set("sys/kernel/domainname", "example.org") && uname(&u) == 0 && !strcmp(u.domainname, "example.org"), "domainname");
	is_number("sys/kernel/cap_last_cap", 40, 40);
	is_number("sys/kernel/ngroups_max", 65536, 65536);
	is_number("sys/kernel/overflowuid", 65534, 65534);
	is_number("sys/kernel/overflowgid", 65534, 65534);
	is_number("sys/kernel/pid_max", 301, 4194304);
	is_number("sys/kernel/threads-max", 20, 1 << 30);
	is_number("sys/kernel/randomize_va_space", 2, 2);
	is_number("sys/kernel/sched_rt_period_us", 1000000, 1000000);
	is_number("sys/kernel/sched_rt_runtime_us", 950000, 950000);
	is_number("sys/kernel/sched_rr_timeslice_ms", 100, 100);
	is_number("sys/kernel/dmesg_restrict", 1, 1);
	is_number("sys/kernel/random/entropy_avail", 256, 256);
	is_number("sys/kernel/random/poolsize", 256, 256);
	long first;
	is_int(numbers("sys/kernel/printk", &first), 4, "printk: four numbers");
	ok(look("sys/kernel/random/boot_id") && strlen(text) == 37 && text[14] == '4', "boot_id");
	strcpy(id, text);
	ok(reads("sys/kernel/random/boot_id", id), "stays");
	ok(look("sys/kernel/random/uuid") && strlen(text) == 37 && text[14] == '4' && strcmp(text, id), "uuid");
	strcpy(id, text);
	ok(look("sys/kernel/random/uuid") && strcmp(text, id), "is another each time");
	is_setting("sys/kernel/pid_max", "40000\n", "100\n");
	is_setting("sys/kernel/threads-max", "5000\n", "0\n");
	is_setting("sys/kernel/randomize_va_space", "1\n", "none\n");
	is_setting("sys/kernel/sysrq", "176\n", "x\n");
}

static void *stay(void *arg)
{
	pause();
	return arg;
}

static int thread_limit(void)
{
	pthread_t t;
	int err;

	if (!set("sys/kernel/threads-max", "20\n"))
		return 1;
	err = 0;
	for (int i = 0; i < 30 && !err; i++)
		err = pthread_create(&t, NULL, stay, NULL);
	return err == EAGAIN ? 0 : 2;
}

static void limits(void)
{
	char old[64];

	look("sys/kernel/threads-max");
	snprintf(old, sizeof(old), "%.60s", text);
	int status = in_child(thread_limit);
	ok(set("sys/kernel/threads-max", old), "threads-max is set back");
	is_int(status, 0, "threads-max holds: EAGAIN");
}

static void files(void)
{
	long v;

	is_number("sys/fs/nr_open", 1048576, 1048576);
	is_number("sys/fs/file-max", 8192, 0x7fffffffffffffff);
	is_int(numbers("sys/fs/file-nr", &v), 3, "file-nr");
	ok(numbers("sys/fs/inode-nr", &v) == 2 && v > 10, "inode-nr");
	ok(numbers("sys/fs/inode-state", &v) == 7 && v > 10, "inode-state");
	is_number("sys/fs/overflowuid", 65534, 65534);
	is_number("sys/fs/overflowgid", 65534, 65534);
	is_number("sys/fs/lease-break-time", 45, 45);
	is_number("sys/fs/leases-enable", 1, 1);
	is_number("sys/fs/pipe-max-size", 1048576, 1048576);
	is_number("sys/fs/pipe-user-pages-soft", 16384, 16384);
	is_number("sys/fs/pipe-user-pages-hard", 0, 0);
	is_number("sys/fs/epoll/max_user_watches", 100, 0x7fffffffffff);
	is_number("sys/fs/inotify/max_queued_events", 16384, 16384);
	is_number("sys/fs/inotify/max_user_instances", 128, 128);
	is_number("sys/fs/inotify/max_user_watches", 8192, 1048576);
	is_setting("sys/fs/lease-break-time", "10\n", "soon\n");
	is_setting("sys/fs/leases-enable", "0\n", NULL);
	is_setting("sys/fs/inotify/max_user_instances", "200\n", "-1\n");
}

static void memory(void)
{
	is_number("sys/vm/overcommit_memory", 0, 0);
	is_number("sys/vm/overcommit_ratio", 50, 50);
	is_number("sys/vm/overcommit_kbytes", 0, 0);
	is_number("sys/vm/max_map_count", 65530, 65530);
	is_number("sys/vm/mmap_min_addr", 65536, 65536);
	is_setting("sys/vm/overcommit_ratio", "60\n", "x\n");
	is_setting("sys/vm/max_map_count", "70000\n", "-1\n");
	ok(set("sys/vm/drop_caches", "3\n"), "drop_caches");
	is_errno(!set("sys/vm/drop_caches", "7\n"), EINVAL, "not of that kind");
}

static void system_files(void)
{
	ok(look("devices") && !strncmp(text, "Character devices:\n", 19) && strstr(text, "\n  1 mem\n") && strstr(text, "\nBlock devices:\n"), "/proc/devices");
	ok(look("filesystems") && strstr(text, "nodev\ttmpfs\n") && strstr(text, "nodev\tproc\n"), "/proc/filesystems");
	ok(look("swaps") && !strncmp(text, "Filename", 8), "/proc/swaps");
	ok(look("partitions") && (!text[0] || !strncmp(text, "major minor  #blocks  name\n", 27)), "/proc/partitions");
	ok(look("diskstats"), "/proc/diskstats");
	ok(look("interrupts") && strstr(text, "CPU0"), "/proc/interrupts");
	ok(look("vmstat") && strstr(text, "nr_free_pages "), "/proc/vmstat");
}

static int as_user(void)
{
	if (setgid(7) || setuid(7))
		return 1;
	if (set("sys/kernel/hostname", "mine") || errno != EACCES)
		return 2;
	return look("sys/kernel/hostname") ? 0 : 3;
}

int main(void)
{
	kernel();
	limits();
	files();
	memory();
	system_files();
	is_int(in_child(as_user), 0, "a user may look, not set");
	return done_testing();
}
