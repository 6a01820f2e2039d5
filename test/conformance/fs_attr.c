/* SPDX-License-Identifier: MPL-2.0 */
/* chmod(2), chown(2), umask(2), utimensat(2), utime, utimes, futimesat; what writes and changes do to times and to setuid bits. */
#include "fs_util.h"
#include <utime.h>

static struct stat st;

static void modes(void)
{
	int fd;

	fs_make("f", "x");
	mkdir("d", 0755);
	symlink("f", "s");
	is_int(chmod("f", 07777), 0, "chmod");
	is_int(fs_mode("f"), S_IFREG | 07777, "all twelve bits");
	is_int(chmod("f", 0170640), 0, "other bits are ignored");
	is_int(fs_mode("f"), S_IFREG | 0640, "as they are no permission bits");
	is_int(chmod("s", 0600), 0, "through a symlink");
	is_int(fs_mode("f"), S_IFREG | 0600, "the target's mode");
	is_int(fs_mode("s"), S_IFLNK | 0777, "not the symlink's");
	fd = open("f", O_RDONLY);
	is_int(fchmod(fd, 0644), 0, "fchmod");
	is_int(fs_mode("f"), S_IFREG | 0644, "of a read-only descriptor");
	close(fd);
	is_int(fchmodat(AT_FDCWD, "d", 01700, 0), 0, "fchmodat");
	is_errno(chmod("none", 0600) == -1, ENOENT, "of nothing");
	is_errno(chmod("f/x", 0600) == -1, ENOTDIR, "in a file");
	is_errno(chmod(BAD_PTR, 0600) == -1, EFAULT, "a bad pointer");
	is_errno(fchmod(99, 0600) == -1, EBADF, "a bad descriptor");
	is_int(umask(027), 022, "umask gives the former");
	fs_make("masked", "");
	is_int(fs_mode("masked"), S_IFREG | 0640, "and counts");
	is_int(umask(01777), 027, "only permission bits are kept");
	is_int(umask(022), 0777, "of it");
}

static int mode_body(void)
{
	int bad = 0;

	bad |= ERRNO_OF(chmod("f", 0600)) != EPERM ? 1 : 0;
	bad |= chmod("mine", 0600) ? 2 : 0;
	/* setgid of a group one is not in goes */
	bad |= chmod("mine", 02755) || (fs_mode("mine") & 07777) != 0755 ? 4 : 0;
	bad |= ERRNO_OF(chown("f", SOMEBODY, (gid_t)-1)) != EPERM ? 8 : 0;
	bad |= ERRNO_OF(chown("mine", 0, (gid_t)-1)) != EPERM ? 16 : 0;
	bad |= chown("mine", SOMEBODY, (gid_t)-1) ? 32 : 0;
	return bad;
}

static int group_body(void)
{
	int bad = 0;

	bad |= chown("mine", (uid_t)-1, SOMEBODY) ? 1 : 0;
	bad |= ERRNO_OF(chown("mine", (uid_t)-1, 4)) != EPERM ? 2 : 0;
	return bad;
}

static void owners(void)
{
	int fd = open("f", O_RDONLY);

	is_int(chown("f", 5, 6), 0, "chown");
	stat("f", &st);
	ok(st.st_uid == 5 && st.st_gid == 6, "both");
	is_int(chown("f", (uid_t)-1, 7), 0, "the group alone");
	is_int(fchown(fd, 8, (gid_t)-1), 0, "fchown of the user alone");
	stat("f", &st);
	ok(st.st_uid == 8 && st.st_gid == 7, "each");
	is_int(lchown("s", 9, 9), 0, "lchown");
	lstat("s", &st);
	is_int((long)st.st_uid, 9, "of the symlink");
	stat("f", &st);
	is_int((long)st.st_uid, 8, "not of its target");
	is_int(fchownat(AT_FDCWD, "s", 10, 10, AT_SYMLINK_NOFOLLOW), 0, "fchownat, AT_SYMLINK_NOFOLLOW");
	is_int(fchownat(fd, "", 11, 11, AT_EMPTY_PATH), 0, "AT_EMPTY_PATH");
	stat("f", &st);
	is_int((long)st.st_uid, 11, "of the descriptor");
	is_errno(fchownat(AT_FDCWD, "s", 0, 0, 4) == -1, EINVAL, "an unknown flag");
	is_errno(chown("none", 0, 0) == -1, ENOENT, "of nothing");
	is_errno(chown(BAD_PTR, 0, 0) == -1, EFAULT, "a bad pointer");
	is_errno(fchown(99, 0, 0) == -1, EBADF, "a bad descriptor");
	chown("f", 0, 0);
	chmod("f", 06755);
	chown("f", 1, 1);
	is_int(fs_mode("f"), S_IFREG | 0755, "chown clears setuid and setgid");
	chmod("f", 02745);
	chown("f", 1, 1);
	is_int(fs_mode("f"), S_IFREG | 02745, "setgid without group execution stays");
	chmod("d", 06755);
	chown("d", 1, 1);
	is_int(fs_mode("d"), S_IFDIR | 06755, "a directory keeps its bits");
	chown("f", 0, 0);
	close(fd);
	fs_make("mine", "m");
	chown("mine", SOMEBODY, 4);
	is_int(as_somebody(mode_body), 0, "who may chmod and chown");
	is_int(as_somebody(group_body), 0, "an owner may give it to his groups only");
}

static int write_body(void)
{
	int fd = open("priv", O_WRONLY);

	return write(fd, "w", 1) == 1 ? 0 : 1;
}

static int truncate_body(void)
{
	return truncate("priv", 0) ? 1 : 0;
}

static void privileges(void)
{
	fs_make("priv", "p");
	chmod("priv", 06777);
	is_int(as_somebody(write_body), 0, "somebody writes a setuid program");
	is_int(fs_mode("priv"), S_IFREG | 0777, "which is one no more");
	chmod("priv", 06777);
	is_int(as_somebody(truncate_body), 0, "or empties it");
	is_int(fs_mode("priv"), S_IFREG | 0777, "the same");
	chmod("priv", 06777);
	write_body();
	is_int(fs_mode("priv"), S_IFREG | 06777, "root may");
}

/* --- times */

static bool same(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_now(struct timespec t)
{
	time_t now = time(NULL);

	return t.tv_sec >= now - 2 && t.tv_sec <= now + 1;
}

static const struct timespec long_ago[2] = { { 1000, 1 }, { 2000, 999999999 } };

static void setting(void)
{
	struct timespec ts[2];
	int fd = open("f", O_RDONLY);

	is_int(utimensat(AT_FDCWD, "f", long_ago, 0), 0, "utimensat");
	stat("f", &st);
	ok(same(st.st_atim, long_ago[0]) && same(st.st_mtim, long_ago[1]), "nanoseconds");
	ok(is_now(st.st_ctim), "ctime is now");
	ts[0] = (struct timespec){ 0, UTIME_OMIT };
	ts[1] = (struct timespec){ 0, UTIME_NOW };
	is_int(utimensat(AT_FDCWD, "f", ts, 0), 0, "UTIME_OMIT, UTIME_NOW");
	stat("f", &st);
	ok(same(st.st_atim, long_ago[0]) && is_now(st.st_mtim), "as they say");
	is_int(futimens(fd, NULL), 0, "futimens NULL");
	stat("f", &st);
	ok(is_now(st.st_atim) && is_now(st.st_mtim), "both now");
	is_int(utimensat(AT_FDCWD, "s", long_ago, AT_SYMLINK_NOFOLLOW), 0, "AT_SYMLINK_NOFOLLOW");
	lstat("s", &st);
	ok(same(st.st_mtim, long_ago[1]), "the symlink's own");
	ts[0] = (struct timespec){ 0, UTIME_OMIT };
	ts[1] = (struct timespec){ 0, UTIME_OMIT };
	is_int(utimensat(AT_FDCWD, "none", ts, 0), 0, "both UTIME_OMIT: not even the path is looked at");
	ts[0] = (struct timespec){ 0, 1000000000 };
	is_errno(utimensat(AT_FDCWD, "f", ts, 0) == -1, EINVAL, "too many nanoseconds");
	ts[0] = (struct timespec){ 0, -1 };
	is_errno(utimensat(AT_FDCWD, "f", ts, 0) == -1, EINVAL, "negative ones");
	is_errno(utimensat(AT_FDCWD, "f", long_ago, 0x40) == -1, EINVAL, "an unknown flag");
	is_errno(utimensat(AT_FDCWD, "none", NULL, 0) == -1, ENOENT, "of nothing");
	is_errno(syscall(SYS_utimensat, AT_FDCWD, "f", BAD_PTR, 0) == -1, EFAULT, "bad times");
	is_errno(syscall(SYS_utimensat, AT_FDCWD, BAD_PTR, NULL, 0) == -1, EFAULT, "a bad path");
	is_errno(syscall(SYS_utimensat, 99, NULL, NULL, 0) == -1, EBADF, "a bad descriptor");
	is_int(syscall(SYS_utime, "f", &(struct utimbuf){ 11, 22 }), 0, "utime");
	stat("f", &st);
	ok(st.st_atim.tv_sec == 11 && st.st_mtim.tv_sec == 22, "seconds");
	is_int(syscall(SYS_utimes, "f", (struct timeval[2]){ { 33, 5 }, { 44, 6 } }), 0, "utimes");
	stat("f", &st);
	ok(st.st_atim.tv_nsec == 5000 && st.st_mtim.tv_nsec == 6000, "microseconds");
	is_errno(syscall(SYS_utimes, "f", (struct timeval[2]){ { 33, 1000000 }, { 44, 6 } }) == -1, EINVAL, "too many microseconds");
	is_int(syscall(SYS_futimesat, AT_FDCWD, "f", NULL), 0, "futimesat");
	ts[0] = (struct timespec){ -5, 0 };
	ts[1] = (struct timespec){ 1l << 40, 3 };
	is_int(utimensat(AT_FDCWD, "f", ts, 0), 0, "before 1970 and far ahead");
	stat("f", &st);
	ok(same(st.st_atim, ts[0]) && same(st.st_mtim, ts[1]), "are kept");
	close(fd);
}

static int times_body(void)
{
	int bad = 0;

	bad |= ERRNO_OF(utimensat(AT_FDCWD, "f", NULL, 0)) != EACCES ? 1 : 0;
	bad |= ERRNO_OF(utimensat(AT_FDCWD, "f", long_ago, 0)) != EPERM ? 2 : 0;
	bad |= utimensat(AT_FDCWD, "priv", NULL, 0) ? 4 : 0;
	bad |= ERRNO_OF(utimensat(AT_FDCWD, "priv", long_ago, 0)) != EPERM ? 8 : 0;
	bad |= utimensat(AT_FDCWD, "mine", long_ago, 0) ? 16 : 0;
	return bad;
}

/* Sets all times back, does something, and tells which became now: 1 access, 2 modification, 4 change. */
static int touched(const char *path, void (*fn)(void))
{
	static const struct timespec old[2] = { { 1000, 0 }, { 1001, 0 } };
	struct timespec ctime_before;

	utimensat(AT_FDCWD, path, old, AT_SYMLINK_NOFOLLOW);
	lstat(path, &st);
	ctime_before = st.st_ctim;
	sleep_ms(25);
	fn();
	if (lstat(path, &st))
		return -1;
	return (same(st.st_atim, old[0]) ? 0 : 1) | (same(st.st_mtim, old[1]) ? 0 : 2) | (same(st.st_ctim, ctime_before) ? 0 : 4);
}

static void do_read(void) { char c; int fd = open("f", O_RDONLY); read(fd, &c, 1); close(fd); }
static void do_read_noatime(void) { char c; int fd = open("f", O_RDONLY | O_NOATIME); read(fd, &c, 1); close(fd); }
static void do_write(void) { int fd = open("f", O_WRONLY); write(fd, "w", 1); close(fd); }
static void do_open(void) { close(open("f", O_RDWR)); }
static void do_truncate_same(void) { truncate("f", fs_size("f")); }
static void do_ftruncate_same(void) { int fd = open("f", O_RDWR); ftruncate(fd, fs_size("f")); close(fd); }
static void do_truncate(void) { truncate("f", fs_size("f") + 1); }
static void do_otrunc(void) { close(open("f", O_WRONLY | O_TRUNC)); }
static void do_chmod(void) { chmod("f", 0644); }
static void do_chown(void) { chown("f", 0, 0); }
static void do_link(void) { link("f", "f2"); }
static void do_unlink(void) { unlink("f2"); }
static void do_rename(void) { rename("f", "g"); rename("g", "f"); }
static void do_create(void) { fs_make("d/new", ""); }
static void do_remove(void) { unlink("d/new"); }
static void do_list(void) { char b[256]; int fd = open("d", O_RDONLY); syscall(SYS_getdents64, fd, b, sizeof(b)); close(fd); }
static void do_readlink(void) { char b[8]; readlink("s", b, 8); }
static void do_stat(void) { stat("f", &st); }

static void changing(void)
{
	is_int(as_somebody(times_body), 0, "who may set times");
	chmod("f", 0644);
	is_int(touched("f", do_read), 1, "read: atime");
	is_int(touched("f", do_read_noatime), 0, "read with O_NOATIME: nothing");
	is_int(touched("f", do_write), 6, "write: mtime, ctime");
	is_int(touched("f", do_open), 0, "open: nothing");
	is_int(touched("f", do_stat), 0, "stat: nothing");
	is_int(touched("f", do_truncate), 6, "truncate: mtime, ctime");
	is_int(touched("f", do_truncate_same), 6, "truncate to the same size: the same");
	is_int(touched("f", do_ftruncate_same), 6, "ftruncate to it, too");
	is_int(touched("f", do_otrunc), 6, "O_TRUNC");
	is_int(touched("f", do_chmod), 4, "chmod: ctime");
	is_int(touched("f", do_chown), 4, "chown: ctime");
	is_int(touched("f", do_link), 4, "link: ctime");
	is_int(touched("f", do_unlink), 4, "unlink of another name: ctime");
	is_int(touched("f", do_rename), 4, "rename: ctime");
	is_int(touched("d", do_create), 6, "creating in a directory: mtime, ctime");
	is_int(touched("d", do_remove), 6, "removing in it");
	is_int(touched("d", do_list), 1, "listing it: atime");
	is_int(touched("s", do_readlink), 1, "readlink: atime");
}

int main(void)
{
	fs_begin();
	modes();
	owners();
	privileges();
	setting();
	changing();
	return fs_end();
}
