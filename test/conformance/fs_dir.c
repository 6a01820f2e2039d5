/* SPDX-License-Identifier: MPL-2.0 */
/* mkdir(2), rmdir(2), getdents(2), getdents64(2) and seeking in directories, chdir(2), fchdir(2), getcwd(2). */
#include "fs_util.h"

enum { DT_DIR_ = 4 };

struct dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

struct dirent_old {
	unsigned long ino;
	unsigned long off;
	unsigned short reclen;
	char name[];
};

static void making(void)
{
	is_int(mkdir("a", 0777), 0, "mkdir");
	is_int(fs_mode("a"), S_IFDIR | 0755, "its mode");
	is_errno(mkdir("a", 0777) == -1, EEXIST, "again");
	is_errno(mkdir("a/", 0777) == -1, EEXIST, "with a slash");
	is_int(mkdir("b/", 0755), 0, "a new one with a slash");
	is_errno(mkdir("c/d", 0755) == -1, ENOENT, "no parent");
	fs_make("file", "");
	is_errno(mkdir("file", 0755) == -1, EEXIST, "where a file is");
	is_errno(mkdir("file/x", 0755) == -1, ENOTDIR, "in a file");
	is_errno(mkdir("", 0755) == -1, ENOENT, "an empty name");
	is_errno(mkdir(".", 0755) == -1, EEXIST, "\".\"");
	is_errno(mkdir("..", 0755) == -1, EEXIST, "\"..\"");
	is_errno(mkdir("/", 0755) == -1, EEXIST, "\"/\"");
	is_errno(mkdir("a/.", 0755) == -1, EEXIST, "\"a/.\"");
	symlink("nowhere", "dangling");
	is_errno(mkdir("dangling", 0755) == -1, EEXIST, "where a dangling symlink is");
	is_errno(mkdir(BAD_PTR, 0755) == -1, EFAULT, "a bad pointer");
	is_errno(mkdir(long_name(256), 0755) == -1, ENAMETOOLONG, "a long name");
	is_errno(mkdirat(99, "x", 0755) == -1, EBADF, "mkdirat from a bad descriptor");
	mkdir("sticky", 0);
	chmod("sticky", 02777);
	chown("sticky", 0, 500);
	mkdir("sticky/sub", 0700);
	is_int(fs_mode("sticky/sub"), S_IFDIR | 02700, "a setgid directory hands its bit on");
	mkdir("t", 01777);
	is_int(fs_mode("t"), S_IFDIR | 01755, "the sticky bit may be given");
}

static void removing(void)
{
	mkdir("full", 0755);
	fs_make("full/f", "");
	is_errno(rmdir("full") == -1, ENOTEMPTY, "rmdir of a directory that is not empty");
	is_errno(rmdir("none") == -1, ENOENT, "of nothing");
	is_errno(rmdir("file") == -1, ENOTDIR, "of a file");
	is_errno(rmdir(".") == -1, EINVAL, "of \".\"");
	is_errno(rmdir("a/.") == -1, EINVAL, "of \"a/.\"");
	is_errno(rmdir("a/..") == -1, ENOTEMPTY, "of \"a/..\"");
	is_errno(rmdir("/") == -1, EBUSY, "of \"/\"");
	is_errno(rmdir(BAD_PTR) == -1, EFAULT, "a bad pointer");
	symlink("a", "link");
	is_errno(rmdir("link") == -1, ENOTDIR, "of a symlink");
	is_errno(unlink("a") == -1, EISDIR, "unlink of a directory");
	is_errno(unlinkat(AT_FDCWD, "file", AT_REMOVEDIR) == -1, ENOTDIR, "unlinkat with AT_REMOVEDIR of a file");
	is_errno(unlinkat(AT_FDCWD, "a", 0x1000) == -1, EINVAL, "an unknown flag");
	is_int(unlinkat(AT_FDCWD, "b", AT_REMOVEDIR), 0, "unlinkat with AT_REMOVEDIR");
	is_int(rmdir("a/"), 0, "rmdir with a slash");
	unlink("full/f");
	is_int(rmdir("full"), 0, "rmdir of one that is empty now");
}

/* All names of a directory, one getdents64 of `size` bytes after another; how many, each checked once. */
static int list(int fd, size_t size, char seen[][32], int max)
{
	static char buf[65536];
	int n = 0;
	long len;

	while ((len = syscall(SYS_getdents64, fd, buf, size)) > 0) {
		for (long at = 0; at < len;) {
			struct dirent64 *d = (struct dirent64 *)(buf + at);

			if (n < max)
				snprintf(seen[n], 32, "%s", d->name);
			n++;
			at += d->reclen;
		}
	}
	return len < 0 ? -errno : n;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool is_unique(char names[][32], int n)
{
	qsort(names, (size_t)n, 32, compare);
	for (int i = 1; i < n; i++)
		if (!strcmp(names[i], names[i - 1]))
			return false;
	return true;
}

static void reading(void)
{
	enum { N = 300 };
	static char names[N + 10][32];
	char buf[512], path[64];
	struct dirent64 *d = (struct dirent64 *)buf;
	struct stat st;
	int fd, bad = 0;
	long len, off;

	mkdir("list", 0755);
	fd = open("list", O_RDONLY | O_DIRECTORY);
	is_int(list(fd, 4096, names, 5), 2, "an empty directory has two entries");
	ok(is_unique(names, 2) && !strcmp(names[0], ".") && !strcmp(names[1], ".."), "\".\" and \"..\"");
	for (int i = 0; i < N; i++) {
		snprintf(path, sizeof(path), "list/entry%03d", i);
		fs_make(path, "");
	}
	lseek(fd, 0, SEEK_SET);
	is_int(list(fd, 65536, names, N + 5), N + 2, "300 files");
	ok(is_unique(names, N + 2), "each once");
	lseek(fd, 0, SEEK_SET);
	is_int(list(fd, 48, names, N + 5), N + 2, "one at a time");
	ok(is_unique(names, N + 2), "each once");
	is_int(syscall(SYS_getdents64, fd, buf, sizeof(buf)), 0, "then no more");
	lseek(fd, 0, SEEK_SET);
	is_errno(syscall(SYS_getdents64, fd, buf, 20) == -1, EINVAL, "a buffer too small for one");
	len = syscall(SYS_getdents64, fd, buf, sizeof(buf));
	ok(len > 0 && !strcmp(d->name, ".") && d->type == DT_DIR_, "the first is \".\", a directory");
	stat("list", &st);
	is_int((long)d->ino, (long)st.st_ino, "with its inode number");
	for (long at = 0; at < len; at += ((struct dirent64 *)(buf + at))->reclen) {
		d = (struct dirent64 *)(buf + at);
		bad += d->reclen % 8 != 0 || d->reclen < 19 + strlen(d->name) + 1;
	}
	is_int(bad, 0, "records are aligned and long enough");
	off = d->off;
	is_int(lseek(fd, 0, SEEK_CUR), off, "the position is the last entry's d_off");
	syscall(SYS_getdents64, fd, buf, sizeof(buf));
	strncpy(path, ((struct dirent64 *)buf)->name, sizeof(path) - 1);
	lseek(fd, off, SEEK_SET);
	syscall(SYS_getdents64, fd, buf, sizeof(buf));
	ok(!strcmp(path, ((struct dirent64 *)buf)->name), "seeking to a d_off goes on there");
	is_errno(syscall(SYS_getdents64, fd, BAD_PTR, 4096) == -1, EFAULT, "a bad buffer");
	is_errno(syscall(SYS_getdents64, 99, buf, sizeof(buf)) == -1, EBADF, "a bad descriptor");
	is_errno(syscall(SYS_getdents64, open("file", O_RDONLY), buf, sizeof(buf)) == -1, ENOTDIR, "a file's");
	lseek(fd, 0, SEEK_SET);
	len = syscall(SYS_getdents, fd, buf, sizeof(buf));
	ok(len > 0 && !strcmp(((struct dirent_old *)buf)->name, "."), "getdents, the old one");
	is_int(buf[((struct dirent_old *)buf)->reclen - 1], DT_DIR_, "the type in the last byte");
	close(fd);
}

/* Entries that come and go while a directory is read: those that stay are seen once. */
static void changing(void)
{
	static char names[400][32];
	char path[64];
	int fd, n = 0, kept = 0;
	char buf[256];
	long len;

	mkdir("chg", 0755);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "chg/%c%02d", i & 1 ? 'k' : 'g', i);
		fs_make(path, "");
	}
	fd = open("chg", O_RDONLY);
	for (int turn = 0; (len = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0; turn++) {
		for (long at = 0; at < len; at += ((struct dirent64 *)(buf + at))->reclen)
			snprintf(names[n++], 32, "%s", ((struct dirent64 *)(buf + at))->name);
		for (int i = turn * 10; i < turn * 10 + 10 && i < 100; i += 2) {
			snprintf(path, sizeof(path), "chg/g%02d", i);
			unlink(path);
		}
	}
	for (int i = 0; i < n; i++)
		kept += names[i][0] == 'k';
	is_int(kept, 50, "reading while others are unlinked: those that stay are all there");
	ok(is_unique(names, n), "each once");
	close(fd);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "chg/%c%02d", i & 1 ? 'k' : 'g', i);
		unlink(path);
	}
	fd = open("chg", O_RDONLY);
	is_int(list(fd, 4096, names, 4), 2, "empty again");
	is_int(rmdir("chg"), 0, "rmdir while it is open");
	lseek(fd, 0, SEEK_SET);
	is_errno(syscall(SYS_getdents64, fd, buf, sizeof(buf)) == -1, ENOENT, "reading a removed directory");
	is_errno(openat(fd, "x", O_CREAT | O_WRONLY, 0644) == -1, ENOENT, "creating in it");
	is_errno(mkdirat(fd, "x", 0755) == -1, ENOENT, "mkdir in it");
	close(fd);
}

static void removing_all(void)
{
	/* rm -r: read, unlink everything, until nothing is left. */
	static char names[400][32];
	int fd = open("list", O_RDONLY), n, rounds = 0;

	while ((n = list(fd, 1000, names, 350)) > 2 && rounds++ < 5) {
		for (int i = 0; i < n; i++)
			unlinkat(fd, names[i], 0);
		lseek(fd, 0, SEEK_SET);
	}
	is_int(n, 2, "all entries can be removed after one reading");
	is_int(rounds, 1, "of one");
	close(fd);
	is_int(rmdir("list"), 0, "and the directory");
}

static int cwd_gone(void)
{
	char buf[PATH_MAX];

	mkdir("gone", 0755);
	chdir("gone");
	rmdir("../gone");
	if (syscall(SYS_getcwd, buf, sizeof(buf)) != -1 || errno != ENOENT)
		return 1;
	if (open("x", O_CREAT | O_WRONLY, 0644) != -1 || errno != ENOENT)
		return 2;
	if (open(".", O_RDONLY) < 0)
		return 3;
	return chdir("..") ? 4 : 0;
}

static int no_search(void)
{
	if (ERRNO_OF(chdir("closed")) != EACCES)
		return 1;
	if (ERRNO_OF(mkdir("mine", 0755)) != EACCES)
		return 2;
	return ERRNO_OF(rmdir("t")) != EACCES ? 3 : 0;
}

static void working(void)
{
	char buf[PATH_MAX], want[128];
	int fd;

	mkdir("w", 0755);
	mkdir("closed", 0700);
	is_int(chdir("w"), 0, "chdir");
	snprintf(want, sizeof(want), "%s/w", fs_dir);
	is_int(syscall(SYS_getcwd, buf, sizeof(buf)), (long)strlen(want) + 1, "getcwd: the length with the NUL");
	ok(!strcmp(buf, want), "the path");
	is_errno(syscall(SYS_getcwd, buf, strlen(want)) == -1, ERANGE, "a buffer one too small");
	is_int(syscall(SYS_getcwd, buf, strlen(want) + 1), (long)strlen(want) + 1, "just large enough");
	is_errno(syscall(SYS_getcwd, buf, 0) == -1, ERANGE, "no buffer");
	is_errno(syscall(SYS_getcwd, BAD_PTR, 4096) == -1, EFAULT, "a bad buffer");
	fd = open("..", O_RDONLY);
	is_int(fchdir(fd), 0, "fchdir");
	ok(fs_exists("w"), "back");
	close(fd);
	rename("w", "v");
	chdir("v");
	rename("../v", "../u");
	syscall(SYS_getcwd, buf, sizeof(buf));
	snprintf(want, sizeof(want), "%s/u", fs_dir);
	ok(!strcmp(buf, want), "getcwd follows a rename");
	chdir("..");
	is_errno(chdir("none") == -1, ENOENT, "chdir to nothing");
	is_errno(chdir("file") == -1, ENOTDIR, "to a file");
	is_errno(chdir("") == -1, ENOENT, "to an empty path");
	is_errno(chdir(BAD_PTR) == -1, EFAULT, "a bad pointer");
	is_errno(fchdir(99) == -1, EBADF, "fchdir to a bad descriptor");
	fd = open("file", O_RDONLY);
	is_errno(fchdir(fd) == -1, ENOTDIR, "to a file's");
	close(fd);
	is_int(in_child(cwd_gone), 0, "a working directory that was removed");
	is_int(as_somebody(no_search), 0, "permissions");
}

int main(void)
{
	fs_begin();
	making();
	removing();
	reading();
	changing();
	removing_all();
	working();
	return fs_end();
}
