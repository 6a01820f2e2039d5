/* SPDX-License-Identifier: MPL-2.0 */
/* open(2), openat(2), creat(2), openat2(2): every flag that tmpfs honours, and each error. */
#include "fs_util.h"
#include <sys/sysmacros.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

struct how {
	uint64_t flags, mode, resolve;
};
enum { NO_XDEV = 1, NO_MAGICLINKS = 2, NO_SYMLINKS = 4, BENEATH = 8, IN_ROOT = 16, CACHED = 32 };

static int open_how(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct how how = { flags, mode, resolve };

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static int closed(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd;
}

/* Opens and closes: 0, or -1 with errno. */
static int try(const char *path, int flags)
{
	return closed(open(path, flags, 0644)) < 0 ? -1 : 0;
}

static void creation(void)
{
	int fd;

	is_errno(try("new", O_RDWR) == -1, ENOENT, "not there");
	fd = open("new", O_CREAT | O_RDWR, 0666);
	ok(fd >= 0, "O_CREAT");
	is_int(fs_mode("new"), S_IFREG | 0644, "the mode, less the umask");
	write(fd, "12345", 5);
	close(fd);
	is_errno(try("new", O_CREAT | O_EXCL | O_RDWR) == -1, EEXIST, "O_EXCL on what exists");
	is_int(try("new", O_CREAT | O_RDWR), 0, "O_CREAT on what exists");
	is_int(fs_size("new"), 5, "leaves it alone");
	is_int(try("new", O_WRONLY | O_TRUNC), 0, "O_TRUNC");
	is_int(fs_size("new"), 0, "empties it");
	fs_make("new", "12345");
	is_int(closed(creat("new", 0600)) < 0, 0, "creat");
	is_int(fs_size("new"), 0, "empties it too");
	is_int(fs_mode("new"), S_IFREG | 0644, "and leaves the mode");
	fd = open("ro", O_CREAT | O_RDWR, 0400);
	is_int(write(fd, "w", 1), 1, "a new file may be written whatever its mode");
	close(fd);
	fd = open("bits", O_CREAT | O_WRONLY, 07777);
	is_int(fs_mode("bits"), S_IFREG | 07755, "all mode bits, less the umask");
	close(fd);
	symlink("target", "dangling");
	is_errno(try("dangling", O_CREAT | O_EXCL | O_WRONLY) == -1, EEXIST, "O_EXCL does not follow a symlink");
	is_int(try("dangling", O_CREAT | O_WRONLY), 0, "O_CREAT through a dangling symlink");
	ok(fs_exists("target"), "makes its target");
	is_errno(try("no/file", O_CREAT | O_WRONLY) == -1, ENOENT, "no such directory");
	is_errno(try("new/file", O_CREAT | O_WRONLY) == -1, ENOTDIR, "a file as directory");
	is_errno(try("slash/", O_CREAT | O_WRONLY) == -1, EISDIR, "O_CREAT of a name with a slash at its end");
	is_errno(try("new/", O_RDONLY) == -1, ENOTDIR, "a file's name with a slash at its end");
}

static void kinds(void)
{
	int fd;

	mkdir("dir", 0755);
	symlink("new", "link");
	is_int(try("dir", O_RDONLY), 0, "a directory for reading");
	is_errno(try("dir", O_WRONLY) == -1, EISDIR, "a directory for writing");
	is_errno(try("dir", O_RDWR) == -1, EISDIR, "for both");
	is_errno(try("dir", O_RDONLY | O_CREAT) == -1, EISDIR, "with O_CREAT");
	is_errno(try("dir", O_RDONLY | O_TRUNC) == -1, EISDIR, "with O_TRUNC");
	is_int(try("dir", O_RDONLY | O_DIRECTORY), 0, "O_DIRECTORY");
	is_errno(try("new", O_RDONLY | O_DIRECTORY) == -1, ENOTDIR, "O_DIRECTORY of a file");
	is_errno(try("none", O_RDONLY | O_DIRECTORY) == -1, ENOENT, "of nothing");
	is_int(try("link", O_RDONLY), 0, "a symlink");
	is_errno(try("link", O_RDONLY | O_NOFOLLOW) == -1, ELOOP, "O_NOFOLLOW of a symlink");
	is_errno(try("link", O_RDONLY | O_NOFOLLOW | O_DIRECTORY) == -1, ENOTDIR, "and O_DIRECTORY");
	is_int(try("new", O_RDONLY | O_NOFOLLOW), 0, "O_NOFOLLOW of a file");
	symlink("loop2", "loop1");
	symlink("loop1", "loop2");
	is_errno(try("loop1", O_RDONLY) == -1, ELOOP, "symlinks in a ring");
	is_errno(try("", O_RDONLY) == -1, ENOENT, "an empty path");
	is_errno(try(BAD_PTR, O_RDONLY) == -1, EFAULT, "a bad pointer");
	is_errno(try(KERNEL_PTR, O_RDONLY) == -1, EFAULT, "a kernel pointer");
	is_errno(try(NULL, O_RDONLY) == -1, EFAULT, "NULL");
	is_errno(try(long_name(256), O_RDONLY) == -1, ENAMETOOLONG, "a name of 256 bytes");
	is_errno(try(long_name(255), O_RDONLY) == -1, ENOENT, "of 255");
	is_int(try(long_name(255), O_CREAT | O_WRONLY), 0, "which may be made");
	is_errno(try(long_name(4096), O_RDONLY) == -1, ENAMETOOLONG, "a path of 4096 bytes");
	fs_edge()[-1] = 'x';
	is_errno(try(fs_edge() - 1, O_RDONLY) == -1, EFAULT, "a path that runs into nothing");
	mknod("nodev", S_IFCHR | 0600, makedev(240, 77));
	is_errno(try("nodev", O_RDONLY) == -1, ENXIO, "a device that nobody drives");
	mknod("sock", S_IFSOCK | 0600, 0);
	is_errno(try("sock", O_RDONLY) == -1, ENXIO, "a socket");
	fd = open("new", O_RDONLY);
	is_errno(write(fd, "x", 1) == -1, EBADF, "write to a read-only descriptor");
	close(fd);
	fd = open("new", O_WRONLY);
	is_errno(read(fd, &fd, 1) == -1, EBADF, "read from a write-only one");
	close(fd);
	fd = open("new", 3);
	ok(fd >= 0, "access mode 3");
	if (fd >= 0) {
		char c;

		is_errno(read(fd, &c, 1) == -1, EBADF, "may not read");
		is_errno(write(fd, &c, 1) == -1, EBADF, "nor write");
		close(fd);
	}
}

static void flags(void)
{
	char buf[8];
	int fd, fd2;

	fs_make("app", "abc");
	fd = open("app", O_RDWR | O_APPEND);
	is_int(write(fd, "d", 1), 1, "O_APPEND");
	lseek(fd, 0, SEEK_SET);
	write(fd, "e", 1);
	ok(fs_holds("app", "abcde"), "writes at the end, wherever the position");
	is_int(lseek(fd, 0, SEEK_CUR), 5, "which moves there");
	is_int(fcntl(fd, F_GETFL) & ~0100000, O_RDWR | O_APPEND, "F_GETFL");
	close(fd);
	fd = open("app", O_RDONLY | O_CLOEXEC);
	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "O_CLOEXEC");
	is_int(fcntl(fd, F_GETFL) & ~0100000, O_RDONLY, "is not a status flag");
	close(fd);
	fd = open("app", O_RDWR | O_SYNC | O_NONBLOCK | O_NOATIME | O_NOCTTY | O_CREAT, 0644);
	is_int(fcntl(fd, F_GETFL) & ~0100000, O_RDWR | O_SYNC | O_NONBLOCK | O_NOATIME, "F_GETFL shows what lasts");
	close(fd);
	fd = open("app", O_RDWR | O_DSYNC);
	is_int(fcntl(fd, F_GETFL) & ~0100000, O_RDWR | O_DSYNC, "O_DSYNC");
	close(fd);
	fd = open("app", O_RDONLY | 0x40000000);
	ok(fd >= 0, "open ignores flags that it does not know");
	is_int(fcntl(fd, F_GETFL) & ~0100000, O_RDONLY, "and forgets them");
	close(fd);
	fd = open("app", O_RDONLY);
	fd2 = open("app", O_RDONLY);
	read(fd, buf, 2);
	is_int(lseek(fd2, 0, SEEK_CUR), 0, "two opens have two positions");
	close(fd);
	close(fd2);
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	ok(fd >= 0, "O_TMPFILE");
	is_int(write(fd, "tmp", 3), 3, "can be written");
	snprintf(buf, sizeof(buf), "%d", fd);
	is_int(linkat(fd, "", AT_FDCWD, "linked", AT_EMPTY_PATH), 0, "and given a name");
	ok(fs_holds("linked", "tmp"), "under which its data is");
	close(fd);
	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	is_errno(linkat(fd, "", AT_FDCWD, "linked2", AT_EMPTY_PATH) == -1, ENOENT, "with O_EXCL it cannot");
	close(fd);
	is_errno(open(".", O_TMPFILE | O_RDONLY, 0600) == -1, EINVAL, "O_TMPFILE must be writable");
	is_errno(open("app", O_TMPFILE | O_RDWR, 0600) == -1, ENOTDIR, "O_TMPFILE in a file");
	is_errno(open("none", O_TMPFILE | O_RDWR, 0600) == -1, ENOENT, "in nothing");
}

static void paths(void)
{
	struct stat st;
	int fd = open("app", O_PATH), dir;
	char c;

	ok(fd >= 0, "O_PATH");
	is_errno(read(fd, &c, 1) == -1, EBADF, "read");
	is_errno(write(fd, &c, 1) == -1, EBADF, "write");
	is_errno(ftruncate(fd, 0) == -1, EBADF, "ftruncate");
	is_errno(fchmod(fd, 0600) == -1, EBADF, "fchmod");
	is_errno(fchown(fd, 0, 0) == -1, EBADF, "fchown");
	is_errno(mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED, EBADF, "mmap");
	is_errno(lseek(fd, 0, SEEK_SET) == -1, EBADF, "lseek");
	is_errno(fsync(fd) == -1, EBADF, "fsync");
	is_int(fstat(fd, &st), 0, "fstat is fine");
	close(fd);
	fd = open("link", O_PATH | O_NOFOLLOW);
	ok(fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode), "O_PATH and O_NOFOLLOW: the symlink itself");
	is_int(readlinkat(fd, "", &c, 1), 1, "readlinkat of it");
	close(fd);
	dir = open("dir", O_PATH);
	fd = openat(dir, "inside", O_CREAT | O_WRONLY, 0644);
	ok(fd >= 0 && fs_exists("dir/inside"), "openat from an O_PATH directory");
	close(fd);
	is_int(fchdir(dir), 0, "fchdir to it");
	fchdir(open("..", O_RDONLY));
	close(dir);
	chmod("dir", 0);
	fd = open("dir", O_PATH | O_TRUNC | O_WRONLY);
	ok(fd >= 0, "O_PATH ignores other flags and needs no permission on the file");
	close(fd);
	chmod("dir", 0755);
	fd = openat(AT_FDCWD, "app", O_RDONLY);
	is_errno(openat(fd, "x", O_RDONLY) == -1, ENOTDIR, "openat from a file");
	is_int(closed(openat(fd, "/", O_RDONLY)) < 0, 0, "an absolute path does not look at the descriptor");
	close(fd);
	is_errno(openat(99, "x", O_RDONLY) == -1, EBADF, "openat from a bad descriptor");
	is_int(closed(openat(99, "/", O_RDONLY)) < 0, 0, "which an absolute path does not mind");
}

static void how2(void)
{
	struct how how = { O_RDONLY, 0, 0 };
	char larger[64];
	int dir, fd;

	mkdir("top", 0755);
	mkdir("top/sub", 0755);
	fs_make("top/file", "f");
	symlink("/app", "top/abs");
	symlink("../app", "top/up");
	symlink("file", "top/rel");
	dir = open("top", O_RDONLY);
	is_int(closed(open_how(dir, "file", O_RDONLY, 0, 0)) < 0, 0, "openat2");
	is_errno(open_how(dir, "file", O_RDONLY, 0644, 0) == -1, EINVAL, "a mode without O_CREAT");
	is_errno(open_how(dir, "file", 1ull << 40, 0, 0) == -1, EINVAL, "an unknown flag");
	is_errno(open_how(dir, "file", O_RDONLY, 0, 1 << 10) == -1, EINVAL, "an unknown resolve flag");
	is_errno(open_how(dir, "n", O_CREAT | O_WRONLY, 010000, 0) == -1, EINVAL, "a mode beyond 07777");
	is_errno(open_how(dir, "file", O_PATH | O_RDWR | O_TRUNC, 0, 0) == -1, EINVAL, "O_PATH with flags it has no use for");
	is_errno(open_how(dir, "file", O_RDONLY, 0, BENEATH | IN_ROOT) == -1, EINVAL, "BENEATH and IN_ROOT");
	is_errno(open_how(dir, "../app", O_RDONLY, 0, BENEATH) == -1, EXDEV, "BENEATH: ..");
	is_errno(open_how(dir, "/app", O_RDONLY, 0, BENEATH) == -1, EXDEV, "BENEATH: an absolute path");
	is_errno(open_how(dir, "up", O_RDONLY, 0, BENEATH) == -1, EXDEV, "BENEATH: a symlink up");
	is_errno(open_how(dir, "abs", O_RDONLY, 0, BENEATH) == -1, EXDEV, "BENEATH: an absolute symlink");
	is_int(closed(open_how(dir, "sub/../rel", O_RDONLY, 0, BENEATH)) < 0, 0, "BENEATH: around inside");
	is_errno(open_how(dir, "rel", O_RDONLY, 0, NO_SYMLINKS) == -1, ELOOP, "NO_SYMLINKS");
	is_int(closed(open_how(dir, "file", O_RDONLY, 0, NO_SYMLINKS)) < 0, 0, "NO_SYMLINKS without one");
	is_int(closed(open_how(dir, "/../../file", O_RDONLY, 0, IN_ROOT)) < 0, 0, "IN_ROOT: .. stops at the directory");
	is_errno(open_how(dir, "up", O_RDONLY, 0, IN_ROOT) == -1, ENOENT, "IN_ROOT: a symlink out stays in");
	is_int(closed(open_how(dir, "rel", O_RDONLY, 0, NO_XDEV | NO_MAGICLINKS)) < 0, 0, "NO_XDEV, NO_MAGICLINKS on ordinary ground");
	mount("x", "top/sub", "tmpfs", 0, NULL);
	is_errno(open_how(dir, "sub", O_RDONLY, 0, NO_XDEV) == -1, EXDEV, "NO_XDEV: into a mount");
	umount("top/sub");
	is_int(closed(open_how(dir, "file", O_RDONLY, 0, CACHED)) < 0, 0, "CACHED: a name that was just looked up");
	is_int(closed(open_how(dir, "file", O_RDWR, 0, CACHED | NO_SYMLINKS)) < 0, 0, "CACHED with others");
	is_errno(open_how(dir, "file", O_RDWR | O_TRUNC, 0, CACHED) == -1, EAGAIN, "CACHED and O_TRUNC may wait");
	is_errno(open_how(dir, "n", O_RDWR | O_CREAT, 0644, CACHED) == -1, EAGAIN, "and O_CREAT");
	is_errno(open_how(dir, ".", O_RDWR | O_TMPFILE, 0644, CACHED) == -1, EAGAIN, "and O_TMPFILE");
	ok(fs_holds("top/file", "f") && !fs_exists("top/n"), "and do nothing");
	fd = open_how(dir, "made", O_CREAT | O_EXCL | O_RDWR, 0640, BENEATH);
	ok(fd >= 0, "openat2 creates");
	is_int(fs_mode("top/made"), S_IFREG | 0640, "with the mode");
	close(fd);
	is_errno(syscall(SYS_openat2, dir, "file", &how, 8) == -1, EINVAL, "a struct too small");
	is_errno(syscall(SYS_openat2, dir, "file", BAD_PTR, sizeof(how)) == -1, EFAULT, "a bad struct");
	memset(larger, 0, sizeof(larger));
	fd = (int)syscall(SYS_openat2, dir, "file", larger, sizeof(larger));
	ok(fd >= 0, "a larger struct that ends in zeros");
	close(fd);
	larger[60] = 1;
	is_errno(syscall(SYS_openat2, dir, "file", larger, sizeof(larger)) == -1, E2BIG, "that does not");
	close(dir);
}

static int unprivileged(void)
{
	int bad = 0;

	bad |= ERRNO_OF(try("secret", O_RDONLY)) != EACCES ? 1 : 0;
	bad |= ERRNO_OF(try("new", O_WRONLY)) != EACCES ? 2 : 0;
	bad |= ERRNO_OF(try("made-by-me", O_CREAT | O_WRONLY)) != EACCES ? 4 : 0;
	bad |= ERRNO_OF(try("closed/file", O_RDONLY)) != EACCES ? 8 : 0;
	bad |= ERRNO_OF(try("new", O_RDONLY | O_NOATIME)) != EPERM ? 16 : 0;
	bad |= try("new", O_RDONLY) ? 32 : 0;
	return bad;
}

static int in_open_dir(void)
{
	struct stat st;
	int fd;

	chdir("free");
	fd = open("mine", O_CREAT | O_WRONLY, 0);
	if (fd < 0 || fstat(fd, &st) || st.st_uid != SOMEBODY || st.st_gid != SOMEBODY)
		return 1;
	if (ERRNO_OF(try("mine", O_RDONLY)) != EACCES)
		return 2;
	return 0;
}

static void permissions(void)
{
	fs_make("secret", "s");
	chmod("secret", 0600);
	mkdir("closed", 0700);
	fs_make("closed/file", "c");
	mkdir("free", 0777);
	chmod("free", 0777);
	is_int(as_somebody(unprivileged), 0, "permission to read, write, create, search, O_NOATIME");
	is_int(as_somebody(in_open_dir), 0, "a new file is the caller's");
}

static int busy_text(void)
{
	char *argv[] = { "prog", NULL };
	int fd = open("prog", O_WRONLY);

	if (fd < 0)
		return 50;
	execv("prog", argv);
	return errno;
}

static void text_busy(void)
{
	is_int(in_child(busy_text), ETXTBSY << 8, "exec of a file open for writing");
}

int main(void)
{
	fs_begin();
	creation();
	kinds();
	flags();
	paths();
	how2();
	permissions();
	fs_make("prog", "#!/bin/sh\n");
	chmod("prog", 0755);
	text_busy();
	return fs_end();
}
