/* SPDX-License-Identifier: MPL-2.0 */
/* pivot_root(2) from a chroot on a mount of its own, and umount2(2) with MNT_DETACH of mounts that are in use: what was open works on, what is looked up anew does not find it. */
#include "tap.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PLACE "/tmp/detach"
#define USERS 4

static volatile struct shared {
	int n_ready, is_over, n_bad;
	long n_done;
} *sh;

static bool make(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	bool good = fd >= 0 && write(fd, "text", 4) == 4;

	close(fd);
	return good;
}

static bool is_mounted(const char *path)
{
	char line[512];
	FILE *f = fopen("/proc/self/mounts", "r");
	bool found = false;

	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, path) != NULL;
	if (f)
		fclose(f);
	return found;
}

/* --- pivot_root */

/* The new root is a mount below ours, which is one too: nobody else's root moves. */
static int pivoting(void)
{
	char cwd[64];
	int old_root;

	if (mount("outer", PLACE, "tmpfs", 0, NULL) || chroot(PLACE) || chdir("/"))
		return 1;
	if (!make("/outer") || mkdir("/new", 0755) || mount("inner", "/new", "tmpfs", 0, NULL) || !make("/new/inner") || mkdir("/new/old", 0755) ||
	    mkdir("/new/sub", 0755) || mkdir("/plain", 0755))
		return 2;
	if (syscall(SYS_pivot_root, "/plain", "/plain") != -1 || errno != EBUSY)
		return 3;			/* on the current root */
	if (mount("other", "/plain", "tmpfs", 0, NULL) || syscall(SYS_pivot_root, "/new", "/plain") != -1 || errno != EINVAL)
		return 4;			/* put_old not below new_root */
	if (syscall(SYS_pivot_root, "/new/sub", "/new/old") != -1 || errno != EINVAL)
		return 13;			/* no mount point */
	if (syscall(SYS_pivot_root, "/", "/new/old") != -1 || errno != EBUSY)
		return 5;			/* the current root */
	old_root = open("/", O_PATH | O_DIRECTORY);
	if (syscall(SYS_pivot_root, "/new", "/new/old"))
		return 6;
	if (access("/inner", F_OK) || access("/old/outer", F_OK) || access("/outer", F_OK) == 0)
		return 7;
	if (syscall(SYS_getcwd, cwd, sizeof(cwd)) <= 0 || strcmp(cwd, "/"))
		return 8;			/* the working directory was the old root: it is the new one */
	if (access("../inner", F_OK) || faccessat(old_root, "outer", F_OK, 0))
		return 9;
	if (umount2("/old", MNT_DETACH) || access("/old/outer", F_OK) == 0)
		return 10;
	if (faccessat(old_root, "outer", F_OK, 0) || faccessat(old_root, "new", F_OK, 0))
		return 11;			/* what is open stays */
	return syscall(SYS_pivot_root, "/sub", "/sub") == -1 && errno == EBUSY ? 0 : 12;
}

static void pivot(void)
{
	is_int(in_child(pivoting), 0, "pivot_root moves root and working directory, the old root is below and can be detached");
	while (umount2(PLACE, MNT_DETACH) == 0)
		;
	ok(!is_mounted(PLACE), "nothing is left");
}

/* --- lazy unmounts */

static void in_use(void)
{
	int fd, dir, map_fd;
	char cwd[128], *p;
	struct stat st;

	if (mount("busy", PLACE, "tmpfs", 0, NULL) || mkdir(PLACE "/sub", 0755) || mount("below", PLACE "/sub", "tmpfs", 0, NULL))
		bail_out("mount: %s", strerror(errno));
	make(PLACE "/file");
	make(PLACE "/sub/file");
	fd = open(PLACE "/file", O_RDWR);
	dir = open(PLACE, O_RDONLY | O_DIRECTORY);
	map_fd = open(PLACE "/sub/file", O_RDWR);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	close(map_fd);
	if (chdir(PLACE "/sub"))
		bail_out("chdir");
	is_errno(umount2(PLACE, 0) == -1, EBUSY, "in use: EBUSY");
	is_errno(umount2(PLACE, MNT_EXPIRE | MNT_DETACH) == -1, EINVAL, "MNT_DETACH and MNT_EXPIRE");
	is_int(umount2(PLACE, MNT_DETACH), 0, "MNT_DETACH of a mount in use, with another below");
	ok(access(PLACE "/file", F_OK) == -1 && !is_mounted(PLACE), "nobody finds it any more");
	is_int(write(fd, "more", 4), 4, "an open file can be written");
	ok(fstatat(dir, "file", &st, 0) == 0 && st.st_size == 4, "its directory looked into");
	ok(openat(dir, "new", O_CREAT | O_WRONLY, 0600) >= 0, "and a file made there");
	ok(fstatat(dir, "sub/file", &st, 0) == -1 && errno == ENOENT, "the mount below it is not there any more");
	ok(access("file", F_OK) == 0, "a working directory there goes on");
	ok(syscall(SYS_getcwd, cwd, sizeof(cwd)) > 0 && !strncmp(cwd, "(unreachable)", 13), "and is unreachable");
	ok(!memcmp(p, "text", 4), "a mapping is there");
	p[0] = 'T';
	is_int(chdir("/"), 0, "away");
	munmap(p, 4096);
	close(fd);
	close(dir);
	is_int(mount("again", PLACE, "tmpfs", 0, NULL), 0, "the place is free for another");
	is_int(umount2(PLACE, 0), 0, "which nobody uses");
}

/* Makes, writes, renames and removes files by path and by directory, whatever becomes of the mount. */
static int user(int n)
{
	char name[64], other[64];

	snprintf(name, sizeof(name), PLACE "/file-%d", n);
	snprintf(other, sizeof(other), PLACE "/other-%d", n);
	__atomic_add_fetch(&sh->n_ready, 1, __ATOMIC_SEQ_CST);
	while (!sh->is_over) {
		int fd = open(name, O_CREAT | O_RDWR, 0600);
		char buf[4];

		if (fd >= 0 && (write(fd, "abcd", 4) != 4 || pread(fd, buf, 4, 0) != 4 || memcmp(buf, "abcd", 4)))
			sh->n_bad++;
		if (rename(name, other) && errno != ENOENT && errno != EXDEV)	/* one before, one after */
			sh->n_bad++;
		if (unlink(other) && errno != ENOENT)
			sh->n_bad++;
		close(fd);
		__atomic_add_fetch(&sh->n_done, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

static void under_load(void)
{
	int bad = 0, status;
	long before;

	for (int i = 0; i < USERS; i++)
		if (fork() == 0)
			_exit(user(i));
	while (sh->n_ready < USERS)
		usleep(500);
	for (int i = 0; i < 150; i++) {
		if (mount("load", PLACE, "tmpfs", 0, NULL))
			bad++;
		before = sh->n_done;
		while (sh->n_done < before + USERS)
			sched_yield();
		if (umount2(PLACE, MNT_DETACH))
			bad++;
	}
	sh->is_over = 1;
	while (wait(&status) > 0)
		bad += status != 0;
	is_int(bad, 0, "mounted and detached 150 times under four who work there");
	is_int(sh->n_bad, 0, "whose files keep what they wrote");
	ok(!is_mounted(PLACE), "and nothing is left");
}

int main(void)
{
	sh = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	mkdir("/tmp", 01777);
	mkdir(PLACE, 0755);
	pivot();
	in_use();
	under_load();
	return done_testing();
}
