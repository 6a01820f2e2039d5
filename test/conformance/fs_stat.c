/* SPDX-License-Identifier: MPL-2.0 */
/* stat(2), lstat, fstat, fstatat, statx(2), access(2), faccessat(2), faccessat2, statfs(2), fstatfs: what they say and refuse. */
#include "fs_util.h"
#include <linux/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#define STATX_ATTR_MOUNT_ROOT_BIT 0x2000

static int raw_faccessat2(int dir, const char *path, int mode, int flags)
{
	return (int)syscall(439, dir, path, mode, flags);
}

static void stats(void)
{
	struct stat st, st2, st3;
	int fd, dir;

	fs_make("file", "12345");
	link("file", "second");
	symlink("file", "link");
	symlink("none", "dangling");
	mkdir("dir", 0750);
	is_int(stat("file", &st), 0, "stat");
	ok(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0644, "type and mode");
	ok(st.st_size == 5 && st.st_blocks == 8 && st.st_blksize == 4096, "size, blocks, block size");
	ok(st.st_nlink == 2 && st.st_uid == 0 && st.st_gid == 0 && st.st_rdev == 0, "links, owner, device");
	stat("second", &st2);
	ok(st.st_ino == st2.st_ino && st.st_dev == st2.st_dev, "two names, one inode");
	is_int(stat("link", &st2), 0, "stat of a symlink");
	is_int((long)st2.st_ino, (long)st.st_ino, "follows it");
	is_int(lstat("link", &st2), 0, "lstat");
	ok(S_ISLNK(st2.st_mode) && (st2.st_mode & 07777) == 0777 && st2.st_size == 4 && st2.st_nlink == 1, "does not");
	is_errno(stat("dangling", &st2) == -1, ENOENT, "stat of a dangling symlink");
	is_int(lstat("dangling", &st2), 0, "lstat of one");
	stat("dir", &st2);
	ok(S_ISDIR(st2.st_mode) && (st2.st_mode & 07777) == 0750 && st2.st_nlink == 2, "a directory");
	mkdir("dir/a", 0755);
	mkdir("dir/b", 0755);
	stat("dir", &st2);
	is_int((long)st2.st_nlink, 4, "two subdirectories: four links");
	is_int(st2.st_size, 80, "a directory's size on tmpfs: 20 for each entry");
	ok(st2.st_dev == st.st_dev && st2.st_ino != st.st_ino, "the same device, another inode");
	fd = open("file", O_RDONLY);
	is_int(fstat(fd, &st2), 0, "fstat");
	is_int((long)st2.st_ino, (long)st.st_ino, "the same inode");
	unlink("second");
	fstat(fd, &st2);
	is_int((long)st2.st_nlink, 1, "unlink takes a link away");
	dir = open("dir", O_RDONLY);
	is_int(fstatat(dir, "a", &st3, 0), 0, "fstatat");
	is_int(fstatat(dir, "../link", &st3, AT_SYMLINK_NOFOLLOW), 0, "AT_SYMLINK_NOFOLLOW");
	ok(S_ISLNK(st3.st_mode), "a symlink");
	is_int(fstatat(fd, "", &st3, AT_EMPTY_PATH), 0, "AT_EMPTY_PATH");
	is_int((long)st3.st_ino, (long)st.st_ino, "the descriptor's file");
	is_errno(fstatat(dir, "a", &st3, 0x8000) == -1, EINVAL, "an unknown flag");
	is_errno(fstatat(fd, "a", &st3, 0) == -1, ENOTDIR, "from a file");
	is_errno(fstatat(99, "a", &st3, 0) == -1, EBADF, "from a bad descriptor");
	is_errno(stat("", &st3) == -1, ENOENT, "an empty path");
	is_errno(stat(BAD_PTR, &st3) == -1, EFAULT, "a bad path");
	is_errno(syscall(SYS_stat, "file", BAD_PTR) == -1, EFAULT, "a bad buffer");
	is_errno(syscall(SYS_lstat, "file", KERNEL_PTR) == -1, EFAULT, "a kernel buffer");
	is_errno(syscall(SYS_fstat, fd, fs_edge() - 8) == -1, EFAULT, "a buffer that is half there");
	is_errno(fstat(99, &st3) == -1, EBADF, "fstat of a bad descriptor");
	is_errno(stat("file/x", &st3) == -1, ENOTDIR, "a file as directory");
	is_errno(stat("file/", &st3) == -1, ENOTDIR, "a file with a slash");
	is_int(stat("dir/", &st3), 0, "a directory with a slash");
	is_errno(stat(long_name(300), &st3) == -1, ENAMETOOLONG, "a long name");
	mknod("chr", S_IFCHR | 0600, makedev(300, 70000));
	stat("chr", &st3);
	ok(S_ISCHR(st3.st_mode) && major(st3.st_rdev) == 300 && minor(st3.st_rdev) == 70000, "a device's large numbers");
	mknod("blk", S_IFBLK | 0600, makedev(8, 1));
	stat("blk", &st3);
	ok(S_ISBLK(st3.st_mode) && st3.st_rdev == makedev(8, 1) && st3.st_size == 0, "a block device");
	close(fd);
	close(dir);
}

/* The calls that the C library makes of newfstatat. */
static void old_stats(void)
{
	struct stat st, st2;
	int fd = open("file", O_RDONLY), path = open("link", O_PATH | O_NOFOLLOW);

	fstatat(AT_FDCWD, "file", &st, 0);
	memset(&st2, 0xee, sizeof(st2));
	is_int(syscall(SYS_stat, "link", &st2), 0, "the call stat");
	ok(!memcmp(&st, &st2, sizeof(st)), "follows a symlink, and says what newfstatat says");
	memset(&st2, 0xee, sizeof(st2));
	is_int(syscall(SYS_fstat, fd, &st2), 0, "the call fstat");
	ok(!memcmp(&st, &st2, sizeof(st)), "says the same");
	fstatat(AT_FDCWD, "link", &st, AT_SYMLINK_NOFOLLOW);
	memset(&st2, 0xee, sizeof(st2));
	is_int(syscall(SYS_lstat, "link", &st2), 0, "the call lstat");
	ok(!memcmp(&st, &st2, sizeof(st)) && S_ISLNK(st2.st_mode), "says it of the symlink");
	is_int(syscall(SYS_fstat, path, &st2), 0, "fstat of an O_PATH descriptor");
	ok(!memcmp(&st, &st2, sizeof(st)), "of a symlink: itself");
	is_int(syscall(SYS_lstat, "dangling", &st2), 0, "lstat of a dangling symlink");
	is_errno(syscall(SYS_stat, "dangling", &st2) == -1, ENOENT, "stat of one");
	is_errno(syscall(SYS_fstat, 99, &st2) == -1, EBADF, "fstat of a bad descriptor");
	is_errno(syscall(SYS_stat, BAD_PTR, &st2) == -1, EFAULT, "stat of a bad path");
	is_errno(syscall(SYS_lstat, BAD_PTR, &st2) == -1, EFAULT, "lstat of one");
	close(fd);
	close(path);
}

static void statx_fields(void)
{
	static const struct {
		unsigned mask;
		const char *name;
	} fields[] = { { STATX_ATIME, "STATX_ATIME" }, { STATX_MTIME, "STATX_MTIME" }, { STATX_CTIME, "STATX_CTIME" }, { STATX_BTIME, "STATX_BTIME" } };
	struct statx all, sx;

	fs_make("times", "1");
	syscall(SYS_statx, AT_FDCWD, "times", 0, STATX_BASIC_STATS | STATX_BTIME, &all);
	ok(all.stx_btime.tv_sec > 0 && all.stx_btime.tv_sec <= all.stx_ctime.tv_sec, "a new file was born before it last changed");
	utimensat(AT_FDCWD, "times", (struct timespec[]){ { 1000, 1 }, { 2000, 2 } }, 0);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		memset(&sx, 0xee, sizeof(sx));
		is_int(syscall(SYS_statx, AT_FDCWD, "times", 0, fields[i].mask, &sx), 0, "%s alone", fields[i].name);
		ok((sx.stx_mask & fields[i].mask) == fields[i].mask, "is given");
		ok(sx.stx_atime.tv_sec == 1000 && sx.stx_atime.tv_nsec == 1 && sx.stx_mtime.tv_sec == 2000 && sx.stx_mtime.tv_nsec == 2 &&
		   sx.stx_ctime.tv_sec >= all.stx_ctime.tv_sec, "with the times that were set, and the change's own");
		ok(fields[i].mask != STATX_BTIME || !memcmp(&sx.stx_btime, &all.stx_btime, sizeof(sx.stx_btime)), "the birth stays");
	}
}

static void statxs(void)
{
	struct statx sx;
	struct stat st;

	stat("file", &st);
	memset(&sx, 0xee, sizeof(sx));
	is_int(syscall(SYS_statx, AT_FDCWD, "file", 0, STATX_BASIC_STATS | STATX_BTIME, &sx), 0, "statx");
	ok((sx.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS, "has the basic fields");
	ok((sx.stx_mask & STATX_BTIME) && sx.stx_btime.tv_sec > 0, "and the birth time");
	ok(sx.stx_ino == st.st_ino && sx.stx_size == 5 && sx.stx_mode == st.st_mode && sx.stx_nlink == st.st_nlink && sx.stx_blocks == 8,
	   "as stat has them");
	ok(makedev(sx.stx_dev_major, sx.stx_dev_minor) == st.st_dev && sx.stx_blksize == 4096, "device and block size");
	ok(sx.stx_mtime.tv_sec == st.st_mtim.tv_sec && sx.stx_mtime.tv_nsec == st.st_mtim.tv_nsec, "times");
	is_int(syscall(SYS_statx, AT_FDCWD, "file", 0, 0, &sx), 0, "nothing asked");
	is_int(syscall(SYS_statx, AT_FDCWD, ".", 0, STATX_MNT_ID, &sx), 0, "the mount's id");
	ok((sx.stx_mask & STATX_MNT_ID) && (sx.stx_attributes & sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT_BIT), "and that this is its root");
	is_int(syscall(SYS_statx, AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &sx), 0, "AT_SYMLINK_NOFOLLOW");
	ok(S_ISLNK(sx.stx_mode), "a symlink");
	is_errno(syscall(SYS_statx, AT_FDCWD, "file", 0, 0x80000000u, &sx) == -1, EINVAL, "the reserved mask bit");
	is_errno(syscall(SYS_statx, AT_FDCWD, "file", 0x6000, 0, &sx) == -1, EINVAL, "both sync flags");
	is_errno(syscall(SYS_statx, AT_FDCWD, "file", 0x10, 0, &sx) == -1, EINVAL, "an unknown flag");
	is_errno(syscall(SYS_statx, AT_FDCWD, "file", 0, 0, BAD_PTR) == -1, EFAULT, "a bad buffer");
	is_errno(syscall(SYS_statx, AT_FDCWD, BAD_PTR, 0, 0, &sx) == -1, EFAULT, "a bad path");
	is_errno(syscall(SYS_statx, AT_FDCWD, "none", 0, 0, &sx) == -1, ENOENT, "nothing there");
}

static int access_as_somebody(void)
{
	int bad = 0;

	bad |= access("file", R_OK) ? 1 : 0;
	bad |= ERRNO_OF(access("file", W_OK)) != EACCES ? 2 : 0;
	bad |= ERRNO_OF(access("private", R_OK)) != EACCES ? 4 : 0;
	bad |= access("private", F_OK) ? 8 : 0;
	bad |= ERRNO_OF(access("dir/a", F_OK)) != EACCES ? 16 : 0;
	bad |= access("program", X_OK) ? 32 : 0;
	return bad;
}

/* access asks for the real user, who is nobody here; AT_EACCESS for the effective one, who is root. */
static int access_real(void)
{
	if (setresuid(SOMEBODY, 0, 0))
		return 50;
	if (ERRNO_OF(access("private", R_OK)) != EACCES)
		return 1;
	if (raw_faccessat2(AT_FDCWD, "private", R_OK, 0x200))
		return 2;
	if (open("private", O_RDONLY) < 0)
		return 3;
	return 0;
}

static void accesses(void)
{
	int fd, path, dir = open("dir", O_RDONLY);

	fs_make("private", "p");
	chmod("private", 0600);
	fs_make("program", "p");
	chmod("program", 0755);
	is_int(access("file", F_OK), 0, "F_OK");
	is_int(access("file", R_OK | W_OK), 0, "root may read and write");
	is_errno(access("file", X_OK) == -1, EACCES, "but not execute what nobody may");
	is_int(access("program", X_OK), 0, "a program");
	is_int(access("dir", R_OK | W_OK | X_OK), 0, "a directory");
	is_errno(access("none", F_OK) == -1, ENOENT, "nothing there");
	is_errno(access("dangling", F_OK) == -1, ENOENT, "a dangling symlink");
	is_int(faccessat(AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW), 0, "AT_SYMLINK_NOFOLLOW");
	is_errno(access("file", 8) == -1, EINVAL, "a bad mode");
	is_errno(access(BAD_PTR, F_OK) == -1, EFAULT, "a bad pointer");
	is_errno(raw_faccessat2(AT_FDCWD, "file", F_OK, 4) == -1, EINVAL, "an unknown flag");
	is_errno(access("file/x", F_OK) == -1, ENOTDIR, "a file as directory");
	is_int(as_somebody(access_as_somebody), 0, "without privileges");
	fd = open("private", O_RDONLY);
	path = open("link", O_PATH | O_NOFOLLOW);
	is_int(raw_faccessat2(fd, "", R_OK | W_OK, AT_EMPTY_PATH), 0, "AT_EMPTY_PATH: the descriptor's file");
	is_errno(raw_faccessat2(fd, "", X_OK, AT_EMPTY_PATH) == -1, EACCES, "which nobody may execute");
	is_int(raw_faccessat2(path, "", X_OK, AT_EMPTY_PATH), 0, "a symlink's own permissions");
	is_errno(raw_faccessat2(path, "", X_OK, 0) == -1, ENOENT, "without it an empty path is none");
	is_errno(raw_faccessat2(99, "", F_OK, AT_EMPTY_PATH) == -1, EBADF, "of a bad descriptor");
	is_int(raw_faccessat2(fd, "", F_OK, AT_EMPTY_PATH | AT_EACCESS | AT_SYMLINK_NOFOLLOW), 0, "all flags");
	is_int(syscall(SYS_faccessat, AT_FDCWD, "private", R_OK), 0, "faccessat, without flags");
	is_int(syscall(SYS_faccessat, dir, "../private", W_OK), 0, "from a directory");
	is_errno(syscall(SYS_faccessat, dir, "private", F_OK) == -1, ENOENT, "where another name is");
	is_errno(syscall(SYS_faccessat, AT_FDCWD, "private", X_OK) == -1, EACCES, "refused");
	is_errno(syscall(SYS_faccessat, AT_FDCWD, "private", 8) == -1, EINVAL, "a bad mode");
	is_errno(syscall(SYS_faccessat, fd, "x", F_OK) == -1, ENOTDIR, "from a file");
	is_errno(syscall(SYS_faccessat, 99, "x", F_OK) == -1, EBADF, "from a bad descriptor");
	close(fd);
	close(path);
	close(dir);
	is_int(in_child(access_real), 0, "the real user counts, with AT_EACCESS the effective one");
}

static void statfss(void)
{
	struct statfs sf, sf2;
	int fd = open("file", O_RDWR);

	is_int(statfs("file", &sf), 0, "statfs");
	ok(sf.f_type == 0x01021994 && sf.f_bsize == 4096 && sf.f_frsize == 4096 && sf.f_namelen == 255, "tmpfs, 4096, names of 255");
	ok(sf.f_blocks > 0 && sf.f_bfree <= sf.f_blocks && sf.f_bavail == sf.f_bfree && sf.f_files > 0 && sf.f_ffree < sf.f_files, "sizes");
	ftruncate(fd, 0);
	fstatfs(fd, &sf);
	pwrite(fd, "x", 1, 10 * PAGE);
	is_int(fstatfs(fd, &sf2), 0, "fstatfs");
	is_int((long)(sf.f_bfree - sf2.f_bfree), 1, "a page more is a block less");
	is_errno(statfs("none", &sf) == -1, ENOENT, "nothing there");
	is_errno(statfs("file", BAD_PTR) == -1, EFAULT, "a bad buffer");
	is_errno(statfs(BAD_PTR, &sf) == -1, EFAULT, "a bad path");
	is_errno(fstatfs(99, &sf) == -1, EBADF, "a bad descriptor");
	close(fd);
}

int main(void)
{
	fs_begin();
	stats();
	old_stats();
	statxs();
	statx_fields();
	accesses();
	statfss();
	return fs_end();
}
