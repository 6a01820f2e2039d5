/* SPDX-License-Identifier: MPL-2.0 */
/* mount(2): tmpfs, devtmpfs, bind, move, remount and their flags; umount2(2); chroot(2), pivot_root(2). */
#include "fs_util.h"
#include <linux/stat.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

static dev_t dev_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_dev;
}

static unsigned long flags_of(const char *path)
{
	struct statvfs sv;

	return statvfs(path, &sv) ? ~0ul : sv.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME | ST_NODIRATIME | ST_RELATIME);
}

static void plain(void)
{
	struct stat st;

	mkdir("m", 0711);
	fs_make("m/hidden", "h");
	is_int(mount("one", "m", "tmpfs", 0, "mode=1750,uid=5,gid=6,size=1m"), 0, "mount of a tmpfs");
	stat("m", &st);
	ok((st.st_mode & 07777) == 01750 && st.st_uid == 5 && st.st_gid == 6, "mode=, uid=, gid=");
	ok(!fs_exists("m/hidden"), "covers what was there");
	ok(dev_of("m") != dev_of("."), "another device");
	ok(dev_of("m/..") == dev_of("."), "\"..\" leaves it");
	fs_make("m/f", "one");
	is_int(mount("two", "m", "tmpfs", 0, NULL), 0, "another on top");
	ok(!fs_exists("m/f"), "covers the first");
	is_int(umount("m"), 0, "umount takes the top one");
	ok(fs_holds("m/f", "one"), "the first is back");
	is_int(umount("m"), 0, "and away");
	ok(fs_holds("m/hidden", "h"), "what was covered is back");
	is_errno(umount("m") == -1, EINVAL, "umount of what is no mount");
}

static void errors(void)
{
	int fd;

	is_errno(mount("x", "m", "nosuchfs", 0, NULL) == -1, ENODEV, "an unknown type");
	is_errno(mount("x", "none", "tmpfs", 0, NULL) == -1, ENOENT, "on nothing");
	is_errno(mount("x", "m/hidden", "tmpfs", 0, NULL) == -1, ENOTDIR, "on a file");
	is_errno(mount("x", "m", "tmpfs", 0, "nonsense") == -1, EINVAL, "an unknown option");
	is_errno(mount("x", "m", "tmpfs", 0, "size=abc") == -1, EINVAL, "a bad size");
	is_errno(mount("x", "m", "tmpfs", 0, "mode=9") == -1, EINVAL, "a bad mode");
	is_errno(mount("x", "m", "tmpfs", 0, BAD_PTR) == -1, EFAULT, "bad options");
	is_errno(mount("x", "m", BAD_PTR, 0, NULL) == -1, EFAULT, "a bad type");
	is_errno(mount(BAD_PTR, "m", "tmpfs", 0, NULL) == -1, EFAULT, "a bad source");
	is_errno(mount("x", BAD_PTR, "tmpfs", 0, NULL) == -1, EFAULT, "a bad target");
	is_errno(mount("x", "m", NULL, 0, NULL) == -1, EINVAL, "no type");
	is_errno(mount("none", "m", NULL, MS_BIND, NULL) == -1, ENOENT, "a bind of nothing");
	is_errno(mount("x", "m", NULL, MS_REMOUNT, NULL) == -1, EINVAL, "a remount of what is no mount");
	is_errno(mount("m", "m", NULL, MS_MOVE, NULL) == -1, EINVAL, "a move of what is no mount");
	is_errno(umount("none") == -1, ENOENT, "umount of nothing");
	is_errno(umount(BAD_PTR) == -1, EFAULT, "a bad pointer");
	is_errno(umount2("m", 0x100) == -1, EINVAL, "an unknown flag");
	mount("busy", "m", "tmpfs", 0, NULL);
	fd = open("m/f", O_CREAT | O_RDWR, 0644);
	is_errno(umount("m") == -1, EBUSY, "umount with an open file");
	is_errno(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL) == -1, EBUSY, "remount read-only with a file open for writing");
	is_int(umount2("m", MNT_DETACH), 0, "MNT_DETACH");
	ok(fs_exists("m/hidden"), "it is out of sight");
	is_int(write(fd, "w", 1), 1, "the open file lives");
	close(fd);
	mount("busy", "m", "tmpfs", 0, NULL);
	chdir("m");
	is_errno(umount("../m") == -1, EBUSY, "umount of the working directory");
	chdir("..");
	symlink("m", "ml");
	is_errno(umount2("ml", UMOUNT_NOFOLLOW) == -1, EINVAL, "UMOUNT_NOFOLLOW of a symlink");
	is_errno(umount2("m", MNT_EXPIRE) == -1, EAGAIN, "MNT_EXPIRE marks");
	is_int(umount2("m", MNT_EXPIRE), 0, "and the second time unmounts");
	mount("again", "m", "tmpfs", 0, NULL);
	umount2("m", MNT_EXPIRE);
	fs_make("m/used", "");
	is_errno(umount2("m", MNT_EXPIRE) == -1, EAGAIN, "but not if it was used in between");
	is_errno(umount2("m", MNT_EXPIRE | MNT_FORCE) == -1, EINVAL, "MNT_EXPIRE and MNT_FORCE");
	is_errno(umount2("m", MNT_EXPIRE | MNT_DETACH) == -1, EINVAL, "MNT_EXPIRE and MNT_DETACH");
	fd = open("m/used", O_RDWR);
	is_errno(umount2("m", MNT_FORCE) == -1, EBUSY, "MNT_FORCE breaks no file that is open");
	is_errno(umount2("ml", UMOUNT_NOFOLLOW | MNT_DETACH) == -1, EINVAL, "nor UMOUNT_NOFOLLOW a symlink's mount");
	ok(fs_holds("m/used", ""), "it is still there");
	close(fd);
	is_int(umount2("m", MNT_FORCE), 0, "MNT_FORCE of one that is not in use");
	ok(fs_exists("m/hidden"), "takes it away");
	mount("again", "m", "tmpfs", 0, NULL);
	is_int(umount2("m", UMOUNT_NOFOLLOW), 0, "UMOUNT_NOFOLLOW of a directory");
	mount("again", "m", "tmpfs", 0, NULL);
	is_int(umount2("ml", MNT_DETACH | MNT_FORCE), 0, "a symlink is followed otherwise");
	ok(fs_exists("m/hidden"), "to what it names");
}

static void readonly(void)
{
	int fd;

	is_int(mount("ro", "m", "tmpfs", MS_RDONLY, NULL), 0, "a read-only mount");
	is_errno(open("m/f", O_CREAT | O_WRONLY, 0644) == -1, EROFS, "creating");
	is_errno(mkdir("m/d", 0755) == -1, EROFS, "mkdir");
	is_int(mount(NULL, "m", NULL, MS_REMOUNT, NULL), 0, "remount writable");
	fs_make("m/f", "f");
	is_int(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0, "and back");
	is_errno(open("m/f", O_WRONLY) == -1, EROFS, "open for writing");
	is_errno(open("m/f", O_RDONLY | O_TRUNC) == -1, EROFS, "O_TRUNC");
	is_errno(truncate("m/f", 0) == -1, EROFS, "truncate");
	is_errno(unlink("m/f") == -1, EROFS, "unlink");
	is_errno(chmod("m/f", 0600) == -1, EROFS, "chmod");
	is_errno(chown("m/f", 1, 1) == -1, EROFS, "chown");
	is_errno(rename("m/f", "m/g") == -1, EROFS, "rename");
	is_errno(link("m/f", "m/g") == -1, EROFS, "link");
	is_errno(symlink("f", "m/g") == -1, EROFS, "symlink");
	is_errno(utimensat(AT_FDCWD, "m/f", NULL, 0) == -1, EROFS, "utimensat");
	is_errno(access("m/f", W_OK) == -1, EROFS, "access W_OK");
	is_errno(mknod("m/g", S_IFREG, 0) == -1, EROFS, "mknod");
	is_errno(mkdir("m/f", 0755) == -1, EEXIST, "mkdir of what exists: EEXIST");
	is_errno(rmdir("m/none") == -1, EROFS, "rmdir of nothing");
	fd = open("m/f", O_RDONLY);
	ok(fd >= 0, "reading is fine");
	close(fd);
	umount("m");
}

static void flags(void)
{
	mount("fl", "m", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	is_int((long)flags_of("m"), ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_RELATIME, "nosuid, nodev, noexec, and relatime by itself");
	mknod("m/null", S_IFCHR | 0666, makedev(1, 3));
	is_errno(open("m/null", O_RDWR) == -1, EACCES, "nodev");
	fs_make("m/prog", "#!/bin/sh\n");
	chmod("m/prog", 0755);
	is_errno(execl("m/prog", "prog", (char *)NULL) == -1, EACCES, "noexec");
	is_errno(access("m/prog", X_OK) == -1, EACCES, "access X_OK");
	is_errno(mmap(NULL, 1, PROT_EXEC, MAP_PRIVATE, open("m/prog", O_RDONLY | O_CLOEXEC), 0) == MAP_FAILED, EPERM, "mmap with PROT_EXEC");
	is_int(mount(NULL, "m", NULL, MS_REMOUNT | MS_NOATIME, NULL), 0, "remount with noatime");
	is_int((long)flags_of("m"), ST_NOATIME, "replaces the flags");
	is_int(mount(NULL, "m", NULL, MS_REMOUNT | MS_STRICTATIME | MS_NODIRATIME, NULL), 0, "strictatime and nodiratime");
	is_int((long)flags_of("m"), ST_NODIRATIME, "no relatime");
	umount2("m", MNT_DETACH);
}

static void binds(void)
{
	fs_make("src", "file");
	mkdir("tree", 0755);
	mkdir("tree/sub", 0755);
	fs_make("tree/f", "t");
	is_int(mount("tree", "m", NULL, MS_BIND, NULL), 0, "MS_BIND");
	ok(fs_holds("m/f", "t"), "shows the tree");
	ok(dev_of("m") == dev_of("tree"), "the same device");
	fs_make("m/new", "n");
	ok(fs_holds("tree/new", "n"), "the same files");
	is_errno(rename("m/new", "tree/new2") == -1, EXDEV, "rename between the two");
	is_errno(link("m/new", "tree/new2") == -1, EXDEV, "link between them");
	is_int(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0, "a read-only bind");
	is_errno(unlink("m/new") == -1, EROFS, "through it");
	is_int(unlink("tree/new"), 0, "not beside it");
	mount("inner", "tree/sub", "tmpfs", 0, NULL);
	fs_make("tree/sub/inside", "");
	ok(!fs_exists("m/sub/inside"), "what is mounted later in the tree is not in the bind");
	umount("m");
	mount("tree", "m", NULL, MS_BIND, NULL);
	ok(!fs_exists("m/sub/inside"), "nor what was before");
	umount("m");
	is_int(mount("tree", "m", NULL, MS_BIND | MS_REC, NULL), 0, "MS_BIND and MS_REC");
	ok(fs_exists("m/sub/inside"), "brings it along");
	is_errno(umount("m") == -1, EBUSY, "umount with a mount in it");
	is_int(umount2("m", MNT_DETACH), 0, "MNT_DETACH takes all");
	umount("tree/sub");
	fs_make("target", "");
	is_int(mount("src", "target", NULL, MS_BIND, NULL), 0, "a bind of a file");
	ok(fs_holds("target", "file"), "onto a file");
	is_errno(unlink("target") == -1, EBUSY, "which cannot be unlinked");
	is_errno(rename("target", "t2") == -1, EBUSY, "nor renamed");
	is_errno(mount("src", "m", NULL, MS_BIND, NULL) == -1, ENOTDIR, "of a file onto a directory");
	is_errno(mount("tree", "src", NULL, MS_BIND, NULL) == -1, ENOTDIR, "of a directory onto a file");
	umount("target");
}

static void moves(void)
{
	mkdir("from", 0755);
	mkdir("to", 0755);
	mount("mv", "from", "tmpfs", 0, NULL);
	fs_make("from/f", "m");
	mount(NULL, ".", NULL, MS_PRIVATE, NULL);
	is_int(mount("from", "to", NULL, MS_MOVE, NULL), 0, "MS_MOVE");
	ok(fs_holds("to/f", "m") && !fs_exists("from/f"), "it is there, and not here");
	mkdir("to/inside", 0755);
	is_errno(mount("to", "to/inside", NULL, MS_MOVE, NULL) == -1, ELOOP, "into itself");
	umount("to");
}

static void devices(void)
{
	struct stat st;

	is_int(mount("dev", "m", "devtmpfs", 0, NULL), 0, "devtmpfs");
	ok(stat("m/null", &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3) && (st.st_mode & 0777) == 0666, "null");
	ok(stat("m/zero", &st) == 0 && st.st_rdev == makedev(1, 5), "zero");
	ok(stat("m/full", &st) == 0 && st.st_rdev == makedev(1, 7), "full");
	ok(stat("m/random", &st) == 0 && st.st_rdev == makedev(1, 8), "random");
	ok(stat("m/urandom", &st) == 0 && st.st_rdev == makedev(1, 9), "urandom");
	ok(stat("m/kmsg", &st) == 0 && st.st_rdev == makedev(1, 11), "kmsg");
	ok(stat("m/tty", &st) == 0 && st.st_rdev == makedev(5, 0) && (st.st_mode & 0777) == 0666, "tty");
	ok(stat("m/console", &st) == 0 && st.st_rdev == makedev(5, 1), "console");
	ok(stat("m/ttyS0", &st) == 0 && st.st_rdev == makedev(4, 64), "ttyS0");
	mkdir("m2", 0755);
	mount("dev", "m2", "devtmpfs", 0, NULL);
	fs_make("m/keel-test-file", "");
	ok(fs_exists("m2/keel-test-file"), "all mounts of it are one");
	unlink("m2/keel-test-file");
	ok(dev_of("m") == dev_of("m2"), "one device");
	umount("m");
	umount("m2");
}

static int mount_body(void)
{
	if (ERRNO_OF(mount("x", "m", "tmpfs", 0, NULL)) != EPERM)
		return 1;
	if (ERRNO_OF(umount("m")) != EPERM)
		return 2;
	if (ERRNO_OF(chroot(".")) != EPERM)
		return 3;
	return ERRNO_OF(mount("m", "m", NULL, MS_BIND, NULL)) == EPERM ? 0 : 4;
}

static int chroot_body(void)
{
	char buf[256];
	int fd = open(".", O_RDONLY);

	if (chroot("jail") || chdir("/"))
		return 1;
	if (!fs_exists("/inside") || !fs_exists("/../inside") || fs_exists("/jail"))
		return 2;
	symlink("/inside", "/link");
	if (!fs_holds("/link", "in"))
		return 3;
	if (syscall(SYS_getcwd, buf, sizeof(buf)) != 2 || strcmp(buf, "/"))
		return 4;
	/* The way out that chroot(2) tells of: a directory that was open before. */
	fchdir(fd);
	if (!fs_exists("jail"))
		return 5;
	if (syscall(SYS_getcwd, buf, sizeof(buf)) <= 0 || strncmp(buf, "(unreachable)/", 14))
		return 6;
	return 0;
}

static int pivot_body(void)
{
	char buf[64];

	/* In a tree of our own, so that nobody else's root moves. */
	if (syscall(SYS_unshare, 0x20000))
		return 77;
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (mount("np", "jail", "tmpfs", 0, NULL) || mkdir("jail/old", 0755))
		return 1;
	if (chdir("jail"))
		return 2;
	if (syscall(SYS_pivot_root, ".", "old"))
		return errno == EINVAL ? 77 : 3;
	if (chdir("/") || !fs_exists("/old/tmp"))
		return 4;
	if (umount2("/old", MNT_DETACH) || fs_exists("/old/tmp"))
		return 5;
	return syscall(SYS_getcwd, buf, sizeof(buf)) == 2 ? 0 : 6;
}

static void roots(void)
{
	int status;

	mkdir("jail", 0755);
	fs_make("jail/inside", "in");
	is_int(as_somebody(mount_body), 0, "mount, umount and chroot are for the privileged");
	is_int(in_child(chroot_body), 0, "chroot");
	is_errno(chroot("none") == -1, ENOENT, "to nothing");
	is_errno(chroot("src") == -1, ENOTDIR, "to a file");
	is_errno(chroot(BAD_PTR) == -1, EFAULT, "a bad pointer");
	is_errno(syscall(SYS_pivot_root, "jail", "none") == -1, ENOENT, "pivot_root to nothing");
	is_errno(syscall(SYS_pivot_root, "src", "src") == -1, ENOTDIR, "to a file");
	is_errno(syscall(SYS_pivot_root, BAD_PTR, "jail") == -1, EFAULT, "a bad pointer");
	status = in_child(pivot_body);
	if (status == 77 << 8)
		skip("pivot_root: no mount namespace of our own, or the root is a rootfs");
	else
		is_int(status, 0, "pivot_root");
}

/* --- /proc/self/mounts and mountinfo tell of changes: proc(5) */

static int poll_mounts(int fd, short events, int ms)
{
	struct pollfd p = { fd, events, 0 };

	return poll(&p, 1, ms) == 1 ? p.revents : 0;
}

static int select_mounts(int fd)
{
	struct timeval none = { 0, 0 };
	fd_set in, except;

	FD_ZERO(&in);
	FD_ZERO(&except);
	FD_SET(fd, &in);
	FD_SET(fd, &except);
	select(fd + 1, &in, NULL, &except, &none);
	return (FD_ISSET(fd, &in) ? 1 : 0) | (FD_ISSET(fd, &except) ? 2 : 0);
}

static void changed(int fd, const char *what)
{
	is_int(poll_mounts(fd, POLLPRI, 0), POLLPRI | POLLERR, "%s: a change is told", what);
	is_int(poll_mounts(fd, POLLPRI, 0), 0, "once");
}

static void watched_by_epoll(int fd)
{
	struct epoll_event e = { .events = EPOLLPRI, .data.fd = fd };
	int ep = epoll_create1(0), status;
	pid_t pid;

	is_int(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e), 0, "epoll takes it");
	is_int(epoll_wait(ep, &e, 1, 0), 0, "nothing at first");
	pid = fork();
	if (pid == 0) {
		usleep(50000);
		_exit(mount("w", "watched", "tmpfs", 0, NULL) ? 1 : 0);
	}
	is_int(epoll_wait(ep, &e, 1, -1), 1, "a mount ends the wait");
	is_int(e.events, EPOLLPRI | EPOLLERR, "with EPOLLPRI and EPOLLERR");
	waitpid(pid, &status, 0);
	umount("watched");
	close(ep);
}

static void watching(const char *name)
{
	int fd = open(name, O_RDONLY), other = open(name, O_RDONLY), from;
	char c;

	is_int(poll_mounts(fd, POLLIN | POLLRDNORM | POLLPRI | POLLOUT, 0), POLLIN | POLLRDNORM, "%s: to be read, nothing new", name);
	is_int(select_mounts(fd), 1, "select says the same");
	mount("w", "watched", "tmpfs", 0, NULL);
	changed(fd, "mount");
	is_int(poll_mounts(other, POLLIN | POLLPRI, 0), POLLIN | POLLPRI | POLLERR, "to everybody who has it open");
	from = open(name, O_RDONLY);
	is_int(poll_mounts(from, POLLPRI, 0), 0, "but not who opened it later");
	close(from);
	mount(NULL, "watched", NULL, MS_REMOUNT | MS_NOSUID, NULL);
	is_int(select_mounts(fd), 3, "a remount: an exceptional condition");
	is_int(select_mounts(fd), 1, "once");
	is_int(read(fd, &c, 1), 1, "reading");
	is_int(poll_mounts(other, POLLPRI, 0), POLLPRI | POLLERR, "tells nobody else");
	mount("watched", "watched2", NULL, MS_MOVE, NULL);
	changed(fd, "a move");
	mount("watched2", "watched", NULL, MS_BIND, NULL);
	changed(fd, "a bind");
	is_errno(mount("x", "none", "tmpfs", 0, NULL) == -1, ENOENT, "a mount that fails");
	is_int(poll_mounts(fd, POLLPRI, 0), 0, "is no change");
	umount("watched");
	umount("watched2");
	changed(fd, "umount");
	poll_mounts(other, POLLPRI, 0);
	watched_by_epoll(fd);
	close(fd);
	close(other);
}

static void watchers(void)
{
	mkdir("watched", 0755);
	mkdir("watched2", 0755);
	if (access("/proc/self/mountinfo", R_OK))
		bail_out("no /proc");
	watching("/proc/self/mounts");
	watching("/proc/self/mountinfo");
}

/* Mounts and unmounts in one process, look-ups through the place in others. */
static void racing(void)
{
	int bad = 0, status;

	mkdir("race", 0755);
	fs_make("race/under", "");
	for (int k = 0; k < 3; k++) {
		if (fork() == 0) {
			struct stat st;

			for (int i = 0; i < 3000; i++)
				if (stat("race/../race/under", &st) && errno != ENOENT)
					_exit(1);
			_exit(0);
		}
	}
	for (int i = 0; i < 60; i++) {
		if (mount("r", "race", "tmpfs", 0, NULL) || umount2("race", i & 1 ? MNT_DETACH : 0))
			bad += errno != EBUSY;
	}
	while (umount2("race", MNT_DETACH) == 0)
		;
	while (wait(&status) > 0)
		bad += status != 0;
	is_int(bad, 0, "mounting and unmounting while others look");
}

int main(void)
{
	fs_begin();
	mount(NULL, ".", NULL, MS_PRIVATE, NULL);
	plain();
	errors();
	readonly();
	flags();
	binds();
	moves();
	devices();
	roots();
	watchers();
	racing();
	return fs_end();
}
