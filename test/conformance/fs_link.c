/* SPDX-License-Identifier: MPL-2.0 */
/* link(2), unlink(2), symlink(2), readlink(2), rename(2), renameat2(2), mknod(2). */
#include "fs_util.h"
#include <pthread.h>
#include <sys/sysmacros.h>

enum { NOREPLACE = 1, EXCHANGE = 2, WHITEOUT = 4 };

static int raw_rename2(const char *from, const char *to, unsigned flags)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static ino_t ino_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_ino;
}

static long links_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? -1 : (long)st.st_nlink;
}

static void linking(void)
{
	int fd;

	fs_make("a", "data");
	mkdir("dir", 0755);
	symlink("a", "sym");
	is_int(link("a", "b"), 0, "link");
	ok(ino_of("a") == ino_of("b") && links_of("a") == 2, "one inode, two links");
	is_errno(link("a", "b") == -1, EEXIST, "onto what exists");
	is_errno(link("none", "c") == -1, ENOENT, "of nothing");
	is_errno(link("a", "no/c") == -1, ENOENT, "into nothing");
	is_errno(link("a", "a/c") == -1, ENOTDIR, "into a file");
	is_errno(link("dir", "dir2") == -1, EPERM, "of a directory");
	is_errno(link("a", "c/") == -1, ENOENT, "to a name with a slash");
	is_int(link("sym", "sym2"), 0, "of a symlink");
	ok(S_ISLNK(fs_mode("sym2")) && links_of("sym") == 2, "is a link to the symlink");
	is_int(linkat(AT_FDCWD, "sym", AT_FDCWD, "c", AT_SYMLINK_FOLLOW), 0, "AT_SYMLINK_FOLLOW");
	is_int((long)ino_of("c"), (long)ino_of("a"), "is one to its target");
	is_errno(linkat(AT_FDCWD, "a", AT_FDCWD, "d", 0x100) == -1, EINVAL, "an unknown flag");
	is_errno(link(BAD_PTR, "d") == -1, EFAULT, "a bad old path");
	is_errno(link("a", BAD_PTR) == -1, EFAULT, "a bad new path");
	mkdir("mnt", 0755);
	mount("m", "mnt", "tmpfs", 0, NULL);
	is_errno(link("a", "mnt/a") == -1, EXDEV, "across mounts");
	is_errno(rename("a", "mnt/a") == -1, EXDEV, "rename across mounts");
	is_errno(rename("mnt", "mnt2") == -1, EBUSY, "rename of a mount point");
	is_errno(rmdir("mnt") == -1, EBUSY, "rmdir of a mount point");
	umount("mnt");
	fd = open("a", O_RDONLY);
	unlink("a");
	unlink("b");
	unlink("c");
	is_errno(linkat(fd, "", AT_FDCWD, "back", AT_EMPTY_PATH) == -1, ENOENT, "a file without names gets none again");
	close(fd);
}

static void unlinking(void)
{
	char buf[8];
	int fd;

	fs_make("u", "still");
	fd = open("u", O_RDWR);
	is_int(unlink("u"), 0, "unlink of an open file");
	ok(!fs_exists("u"), "the name is gone");
	is_int(pread(fd, buf, 8, 0), 5, "the data is not");
	is_int(write(fd, "more!", 5), 5, "and can be written");
	close(fd);
	is_errno(unlink("u") == -1, ENOENT, "again");
	is_errno(unlink("") == -1, ENOENT, "an empty name");
	is_errno(unlink("dir/") == -1, EISDIR, "a directory with a slash");
	fs_make("f", "");
	is_errno(unlink("f/") == -1, ENOTDIR, "a file with a slash");
	is_errno(unlink("f/x") == -1, ENOTDIR, "in a file");
	is_errno(unlink(BAD_PTR) == -1, EFAULT, "a bad pointer");
	is_int(unlink("sym"), 0, "a symlink itself goes");
	is_errno(unlinkat(99, "f", 0) == -1, EBADF, "unlinkat from a bad descriptor");
}

static void symlinks(void)
{
	char buf[64], *longest = malloc(4097);

	is_int(symlink("some where", "s"), 0, "symlink");
	memset(buf, '#', sizeof(buf));
	is_int(readlink("s", buf, sizeof(buf)), 10, "readlink");
	ok(!memcmp(buf, "some where#", 11), "the text, no NUL");
	is_int(readlink("s", buf, 4), 4, "a short buffer cuts it");
	is_errno(readlink("s", buf, 0) == -1, EINVAL, "no buffer");
	is_errno(syscall(SYS_readlink, "s", buf, -1) == -1, EINVAL, "a negative size");
	is_errno(readlink("f", buf, 8) == -1, EINVAL, "of a file");
	is_errno(readlink("dir", buf, 8) == -1, EINVAL, "of a directory");
	is_errno(readlink("none", buf, 8) == -1, ENOENT, "of nothing");
	is_errno(readlink("s", BAD_PTR, 8) == -1, EFAULT, "a bad buffer");
	is_errno(readlink(BAD_PTR, buf, 8) == -1, EFAULT, "a bad path");
	is_errno(symlink("x", "s") == -1, EEXIST, "symlink onto what exists");
	is_errno(symlink("", "e") == -1, ENOENT, "an empty target");
	is_errno(symlink("x", "no/e") == -1, ENOENT, "no directory");
	is_errno(symlink(BAD_PTR, "e") == -1, EFAULT, "a bad target");
	is_errno(symlink("x", BAD_PTR) == -1, EFAULT, "a bad name");
	memset(longest, 't', 4096);
	longest[4096] = 0;
	is_errno(symlink(longest, "e") == -1, ENAMETOOLONG, "a target of 4096 bytes");
	longest[4095] = 0;
	is_int(symlink(longest, "e"), 0, "of 4095");
	is_int(fs_size("e"), 4095, "its size");
	is_int(chmod("s", 0600) == -1 ? errno : 0, ENOENT, "chmod follows it");
	is_errno(symlinkat("x", 99, "q") == -1, EBADF, "symlinkat at a bad descriptor");
	free(longest);
}

static void renaming(void)
{
	int fd;

	fs_make("r1", "one");
	fs_make("r2", "two");
	is_int(rename("r1", "r3"), 0, "rename");
	ok(!fs_exists("r1") && fs_holds("r3", "one"), "moves");
	is_int(rename("r3", "r2"), 0, "onto a file");
	ok(!fs_exists("r3") && fs_holds("r2", "one"), "replaces it");
	is_int(rename("r2", "r2"), 0, "onto itself");
	link("r2", "r4");
	is_int(rename("r2", "r4"), 0, "onto another name of the same file");
	ok(fs_exists("r2") && fs_exists("r4"), "does nothing");
	is_errno(rename("none", "x") == -1, ENOENT, "of nothing");
	is_errno(rename("r2", "no/x") == -1, ENOENT, "into nothing");
	is_errno(rename("r2", "r4/x") == -1, ENOTDIR, "into a file");
	is_errno(rename("r2", "dir") == -1, EISDIR, "a file onto a directory");
	is_errno(rename("dir", "r2") == -1, ENOTDIR, "a directory onto a file");
	is_errno(rename("r2", "x/") == -1, ENOTDIR, "a file to a name with a slash");
	mkdir("d1", 0755);
	mkdir("d1/sub", 0755);
	mkdir("d2", 0755);
	is_errno(rename("d1", "d1/sub/x") == -1, EINVAL, "a directory into itself");
	is_errno(rename("d1/sub", "d1") == -1, ENOTEMPTY, "a directory onto its parent");
	is_int(rename("d2", "d1/sub"), 0, "a directory onto an empty one");
	ok(!fs_exists("d2") && links_of("d1") == 3 && links_of(".") >= 3, "and links are counted");
	fs_make("d1/sub/f", "");
	mkdir("d2", 0755);
	is_errno(rename("d2", "d1/sub") == -1, ENOTEMPTY, "onto one that is not empty");
	is_int(rename("d1/sub", "d2/sub"), 0, "from one directory to another");
	is_int(links_of("d1"), 2, "a link less there");
	is_int(links_of("d2"), 3, "a link more here");
	is_int(rename("d2/sub/", "d2/sub2/"), 0, "slashes at a directory's name");
	is_errno(rename(".", "x") == -1, EBUSY, "of \".\"");
	is_errno(rename("d1/..", "x") == -1, EBUSY, "of \"..\"");
	is_errno(rename("r2", ".") == -1, EBUSY, "onto \".\"");
	is_errno(rename("/", "/x") == -1, EBUSY, "of \"/\"");
	is_errno(rename(BAD_PTR, "x") == -1, EFAULT, "a bad old path");
	is_errno(rename("r2", BAD_PTR) == -1, EFAULT, "a bad new path");
	is_errno(rename("r2", long_name(256)) == -1, ENAMETOOLONG, "a long name");
	is_int(rename("r2", long_name(200)), 0, "a fairly long one");
	ok(fs_holds(long_name(200), "one"), "is found");
	is_int(rename(long_name(200), "r2"), 0, "and back");
	fs_make("victim", "v");
	fd = open("victim", O_RDONLY);
	is_int(rename("r2", "victim"), 0, "onto an open file");
	is_int(read(fd, (char[4]){ 0 }, 4), 1, "which can still be read");
	close(fd);
	is_errno(renameat(99, "a", AT_FDCWD, "b") == -1, EBADF, "renameat from a bad descriptor");
}

static void renaming2(void)
{
	struct stat st;

	fs_make("x", "xx");
	fs_make("y", "yy");
	mkdir("xd", 0755);
	mkdir("xd/in", 0755);
	is_errno(raw_rename2("x", "y", NOREPLACE) == -1, EEXIST, "RENAME_NOREPLACE onto what exists");
	is_int(raw_rename2("x", "z", NOREPLACE), 0, "to a free name");
	is_int(raw_rename2("z", "y", EXCHANGE), 0, "RENAME_EXCHANGE");
	ok(fs_holds("z", "yy") && fs_holds("y", "xx"), "of two files");
	is_int(raw_rename2("z", "xd", EXCHANGE), 0, "of a file and a directory");
	ok(S_ISDIR(fs_mode("z")) && fs_holds("xd", "yy") && fs_exists("z/in"), "each is where the other was");
	is_errno(raw_rename2("z", "none", EXCHANGE) == -1, ENOENT, "with nothing");
	is_errno(raw_rename2("z", "z/in", EXCHANGE) == -1, EINVAL, "with what is in it");
	is_errno(raw_rename2("z/in", "z", EXCHANGE) == -1, EINVAL, "with what it is in");
	is_errno(raw_rename2("y", "w", NOREPLACE | EXCHANGE) == -1, EINVAL, "both flags");
	is_errno(raw_rename2("y", "w", 64) == -1, EINVAL, "an unknown flag");
	is_int(raw_rename2("y", "w", WHITEOUT), 0, "RENAME_WHITEOUT");
	ok(lstat("y", &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0 && fs_holds("w", "xx"), "leaves a device 0:0");
}

static int sticky_body(void)
{
	if (ERRNO_OF(unlink("tmp/theirs")) != EPERM)
		return 1;
	if (ERRNO_OF(rename("tmp/theirs", "tmp/mine")) != EPERM)
		return 2;
	if (ERRNO_OF(rmdir("tmp/dir")) != EPERM)
		return 3;
	close(open("tmp/own", O_CREAT | O_WRONLY, 0644));
	if (ERRNO_OF(rename("tmp/own", "tmp/theirs")) != EPERM)
		return 4;
	if (unlink("tmp/own"))
		return 5;
	return ERRNO_OF(unlink("w")) == EACCES ? 0 : 6;
}

static void sticky(void)
{
	mkdir("tmp", 0);
	chmod("tmp", 01777);
	fs_make("tmp/theirs", "");
	mkdir("tmp/dir", 0777);
	is_int(as_somebody(sticky_body), 0, "a sticky directory keeps others' files");
}

static int mknod_body(void)
{
	chdir("tmp");
	if (ERRNO_OF(mknod("dev", S_IFCHR | 0600, makedev(1, 3))) != EPERM)
		return 1;
	if (mknod("fifo", S_IFIFO | 0600, 0) || mknod("sock", S_IFSOCK | 0600, 0) || mknod("reg", 0600, 0))
		return 2;
	return 0;
}

static void nodes(void)
{
	is_int(mknod("n1", 0644, 0), 0, "mknod without a type");
	is_int(fs_mode("n1"), S_IFREG | 0644, "makes a file");
	is_int(mknod("n2", S_IFREG | 0600, 0), 0, "S_IFREG");
	is_int(mknod("n3", S_IFCHR | 0666, makedev(1, 3)), 0, "S_IFCHR");
	is_int(fs_mode("n3"), S_IFCHR | 0644, "with the umask");
	is_errno(mknod("n4", S_IFDIR | 0755, 0) == -1, EPERM, "S_IFDIR");
	is_errno(mknod("n4", S_IFLNK | 0755, 0) == -1, EINVAL, "S_IFLNK");
	is_errno(mknod("n4", 0030000, 0) == -1, EINVAL, "no type that exists");
	is_errno(mknod("n3", S_IFREG, 0) == -1, EEXIST, "onto what exists");
	is_errno(mknod(BAD_PTR, 0644, 0) == -1, EFAULT, "a bad pointer");
	is_errno(mknodat(99, "x", 0644, 0) == -1, EBADF, "a bad descriptor");
	is_int(syscall(SYS_mknod, "old", S_IFIFO | 0666, 0), 0, "the call mknod");
	is_int(fs_mode("old"), S_IFIFO | 0644, "makes a fifo, and heeds the umask");
	is_int(syscall(SYS_mknod, "old-dev", S_IFCHR | 0600, makedev(1, 3)), 0, "and a device");
	ok(open("old-dev", O_WRONLY | O_CLOEXEC) >= 0, "which opens");
	is_errno(syscall(SYS_mknod, "old", 0644, 0) == -1, EEXIST, "not onto what exists");
	is_errno(syscall(SYS_mknod, "none/old", 0644, 0) == -1, ENOENT, "nor in no directory");
	is_errno(syscall(SYS_mknod, "d0", S_IFDIR | 0755, 0) == -1, EPERM, "nor directories");
	is_errno(syscall(SYS_mknod, BAD_PTR, 0644, 0) == -1, EFAULT, "a bad pointer");
	is_int(as_somebody(mknod_body), 0, "devices are for the privileged");
}

/* Renames between two directories, back and forth from both sides, and look-ups meanwhile. */
static volatile int stop;

static void *mover(void *arg)
{
	const char *from = arg, *to = from[1] == '1' ? "m2/ping" : "m1/ping";
	char mine[16];

	snprintf(mine, sizeof(mine), "%s/ping", from);
	while (!stop)
		rename(mine, to);
	return NULL;
}

static void *looker(void *arg)
{
	long seen = 0;

	while (!stop)
		seen += fs_exists("m1/ping") + fs_exists("m2/ping") + fs_exists("m1/../m2/ping");
	return (void *)(uintptr_t)(seen + (long)arg);
}

static void racing(void)
{
	pthread_t t[4];
	void *seen;

	mkdir("m1", 0755);
	mkdir("m2", 0755);
	fs_make("m1/ping", "pong");
	pthread_create(&t[0], NULL, mover, "m1");
	pthread_create(&t[1], NULL, mover, "m2");
	pthread_create(&t[2], NULL, looker, NULL);
	pthread_create(&t[3], NULL, looker, NULL);
	sleep_ms(400);
	stop = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], &seen);
	is_int(fs_holds("m1/ping", "pong") + fs_holds("m2/ping", "pong"), 1, "a file that is moved about is in one place");
	ok(seen != NULL, "and was seen");
}

/* Several processes that create, rename and remove the same few names: whatever happens, nothing breaks. */
static void crowd(void)
{
	int status, bad = 0;

	mkdir("crowd", 0777);
	for (int k = 0; k < 4; k++) {
		if (fork() == 0) {
			unsigned seed = (unsigned)k * 7919 + 1;
			char a[32], b[32];

			for (int i = 0; i < 1500; i++) {
				seed = seed * 1103515245 + 12345;
				snprintf(a, sizeof(a), "crowd/%u", seed >> 16 & 3);
				snprintf(b, sizeof(b), "crowd/%u", seed >> 18 & 3);
				switch (seed >> 20 & 7) {
				case 0: close(open(a, O_CREAT | O_RDWR, 0644)); break;
				case 1: unlink(a); break;
				case 2: rename(a, b); break;
				case 3: link(a, b); break;
				case 4: mkdir(a, 0755); break;
				case 5: rmdir(a); break;
				case 6: symlink("1", a); break;
				case 7: raw_rename2(a, b, EXCHANGE); break;
				}
			}
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		bad += status != 0;
	is_int(bad, 0, "four processes at the same names");
	for (int i = 0; i < 4; i++) {
		char a[32];

		snprintf(a, sizeof(a), "crowd/%d", i);
		if (unlink(a))
			rmdir(a);
	}
	is_int(rmdir("crowd"), 0, "everything can be removed afterwards");
}

int main(void)
{
	fs_begin();
	linking();
	unlinking();
	symlinks();
	renaming();
	renaming2();
	sticky();
	nodes();
	racing();
	crowd();
	return fs_end();
}
