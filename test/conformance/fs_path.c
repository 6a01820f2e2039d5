/* SPDX-License-Identifier: MPL-2.0 */
/* path_resolution(7): dots, slashes, symlinks and their limits, long paths, search permission, deep trees; and each path call with bad pointers. */
#include "fs_util.h"
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <utime.h>

static int probe(const char *path)
{
	struct stat st;

	return stat(path, &st) ? errno : 0;
}

static void dots(void)
{
	mkdir("a", 0755);
	mkdir("a/b", 0755);
	fs_make("a/b/f", "f");
	is_int(probe("a/./b/.././b/f"), 0, "dots on the way");
	is_int(probe("a//b///f"), 0, "many slashes");
	is_int(probe("./a/b/f"), 0, "a dot first");
	is_int(probe("a/b/f/"), ENOTDIR, "a file and a slash");
	is_int(probe("a/b/f/."), ENOTDIR, "a file and a dot");
	is_int(probe("a/b/f/.."), ENOTDIR, "a file and two dots");
	is_int(probe("a/none/.."), ENOENT, "through nothing and back");
	is_int(probe("a/b/"), 0, "a directory and a slash");
	is_int(probe("/"), 0, "the root");
	is_int(probe("/.."), 0, "above the root");
	is_int(probe("/../../../"), 0, "far above");
	is_int(probe("///"), 0, "three slashes");
	is_int(probe("..."), ENOENT, "three dots are a name");
	is_int(probe(""), ENOENT, "nothing");
	is_int(mkdir("...", 0755), 0, "which may be made");
	is_int(probe(".../../a"), 0, "and used");
}

static void symlinks(void)
{
	char name[32], target[32];

	symlink("b", "a/rel");
	symlink("../a/b", "a/up");
	symlink("f", "a/b/g");
	is_int(probe("a/rel/f"), 0, "a relative symlink counts from its directory");
	is_int(probe("a/up/f"), 0, "so does one with dots");
	is_int(probe("a/rel/../b/f"), 0, "two dots after a symlink leave its target");
	is_int(probe("a/rel/"), 0, "a symlink to a directory, and a slash");
	is_int(probe("a/b/g/"), ENOTDIR, "a symlink to a file, and a slash");
	symlink("self", "self");
	is_int(probe("self"), ELOOP, "a symlink to itself");
	is_int(probe("self/x"), ELOOP, "on the way");
	for (int i = 0; i < 42; i++) {
		snprintf(name, sizeof(name), "chain%d", i);
		snprintf(target, sizeof(target), i ? "chain%d" : "a", i - 1);
		symlink(target, name);
	}
	is_int(probe("chain39"), 0, "40 symlinks");
	is_int(probe("chain40"), ELOOP, "41");
	is_int(probe("chain20/../chain18/b"), 0, "40 in two pieces");
	is_int(probe("chain20/../chain19/b"), ELOOP, "41 in two pieces");
	symlink("a/b/", "slash");
	is_int(probe("slash/f"), 0, "a target with a slash at its end");
	symlink("a/b/f/", "fslash");
	is_int(probe("fslash"), ENOTDIR, "a file with one");
	symlink(fs_dir, "absolute");
	is_int(probe("absolute/a/b/f"), 0, "an absolute symlink");
	is_int(probe("absolute/absolute/absolute/a"), 0, "again and again");
}

static void lengths(void)
{
	static char path[5000];
	int depth = 0;

	memset(path, '/', 4095);
	path[4095] = 0;
	is_int(probe(path), 0, "4095 slashes");
	path[4095] = '/';
	path[4096] = 0;
	is_int(probe(path), ENAMETOOLONG, "4096");
	for (int i = 0; i < 4094; i += 2)
		memcpy(path + i, "./", 2);
	path[4094] = 0;
	is_int(probe(path), 0, "4094 bytes of ./");
	is_int(probe(long_name(255)), ENOENT, "a name of 255 bytes");
	is_int(probe(long_name(256)), ENAMETOOLONG, "of 256");
	strcpy(path, "a/");
	strcat(strcat(path, long_name(256)), "/x");
	is_int(probe(path), ENAMETOOLONG, "in the middle");
	for (int n = 1; n <= 255; n += 1 + n / 8) {
		char one[256], two[256];

		strcpy(one, long_name((size_t)n));
		strcpy(two, one);
		two[n - 1] = 'm';
		mkdir(one, 0755);
		if (probe(one) || probe(two) != ENOENT || rmdir(one))
			ok(false, "names of %d bytes that differ in the last", n);
	}
	ok(true, "names of many lengths");
	chdir("a");
	while (depth < 1000 && !mkdir("deep", 0755) && !chdir("deep"))
		depth++;
	is_int(depth, 1000, "a thousand directories deep");
	is_errno(syscall(SYS_getcwd, path, sizeof(path)) == -1, ENAMETOOLONG, "getcwd: longer than a page");
	for (int i = 0; i < depth; i++) {
		chdir("..");
		rmdir("deep");
	}
	is_int(probe("deep"), ENOENT, "and back up, removing them");
	chdir("..");
}

static int search_body(void)
{
	int bad = 0;

	bad |= probe("wall") ? 1 : 0;
	bad |= probe("wall/in") != EACCES ? 2 : 0;
	bad |= probe("wall/none") != EACCES ? 4 : 0;
	bad |= probe("wall/..") != EACCES ? 8 : 0;
	bad |= open("wall", O_RDONLY) >= 0 ? 0 : 16;
	bad |= probe("noread/in") ? 32 : 0;
	bad |= ERRNO_OF(open("noread", O_RDONLY)) != EACCES ? 64 : 0;
	return bad;
}

static void permission(void)
{
	mkdir("wall", 0755);
	mkdir("wall/in", 0755);
	chmod("wall", 0744);
	mkdir("noread", 0755);
	mkdir("noread/in", 0755);
	chmod("noread", 0711);
	is_int(as_somebody(search_body), 0, "search and read permission on directories");
}

static void bad_pointers(void)
{
	static void *const bad[] = { NULL, BAD_PTR, KERNEL_PTR, (void *)-1ul, (void *)0x7fffffffffff };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		void *p = bad[i];
		struct stat st;
		char buf[64];
		int n = 0;

#define FAULTS(call) (n += (call) == -1 && errno == EFAULT)
		FAULTS(syscall(SYS_open, p, O_RDONLY));
		FAULTS(syscall(SYS_creat, p, 0644));
		FAULTS(syscall(SYS_stat, p, &st));
		FAULTS(syscall(SYS_lstat, p, &st));
		FAULTS(syscall(SYS_access, p, 0));
		FAULTS(syscall(SYS_truncate, p, 0l));
		FAULTS(syscall(SYS_chdir, p));
		FAULTS(syscall(SYS_chroot, p));
		FAULTS(syscall(SYS_mkdir, p, 0755));
		FAULTS(syscall(SYS_rmdir, p));
		FAULTS(syscall(SYS_link, p, "x"));
		FAULTS(syscall(SYS_link, "a/b/f", p));
		FAULTS(syscall(SYS_unlink, p));
		FAULTS(syscall(SYS_symlink, p, "x"));
		FAULTS(syscall(SYS_symlink, "x", p));
		FAULTS(syscall(SYS_readlink, p, buf, 8));
		FAULTS(syscall(SYS_rename, p, "x"));
		FAULTS(syscall(SYS_rename, "a", p));
		FAULTS(syscall(SYS_chmod, p, 0644));
		FAULTS(syscall(SYS_chown, p, 0, 0));
		FAULTS(syscall(SYS_lchown, p, 0, 0));
		FAULTS(syscall(SYS_utime, p, NULL));
		FAULTS(syscall(SYS_mknod, p, 0644, 0));
		FAULTS(syscall(SYS_statfs, p, buf));
		FAULTS(syscall(SYS_umount2, p, 0));
		FAULTS(syscall(SYS_mount, "x", p, "tmpfs", 0, NULL));
		FAULTS(syscall(SYS_getxattr, p, "user.x", buf, 8));
		FAULTS(syscall(SYS_listxattr, p, buf, 8));
		FAULTS(syscall(SYS_execve, p, NULL, NULL));
		is_int(n, 29, "29 calls refuse bad path %zu", i);
	}
}

int main(void)
{
	fs_begin();
	dots();
	symlinks();
	lengths();
	permission();
	bad_pointers();
	return fs_end();
}
