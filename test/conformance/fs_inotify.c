/* SPDX-License-Identifier: MPL-2.0 */
/* inotify(7): which call tells which events in which order, flags, merging, limits, the end of watched files and file systems, errors. */
#include "fs_util.h"
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>

#ifndef IN_MASK_CREATE
#define IN_MASK_CREATE 0x10000000
#endif
#define ALL IN_ALL_EVENTS

static int in;
static char got[8192];
static unsigned cookies[64], n_cookies;

static const char *word(unsigned mask)
{
	static const struct { unsigned bit; const char *name; } words[] = {
		{ IN_ACCESS, "access" }, { IN_MODIFY, "modify" }, { IN_ATTRIB, "attrib" }, { IN_CLOSE_WRITE, "closew" }, { IN_CLOSE_NOWRITE, "close" },
		{ IN_OPEN, "open" }, { IN_MOVED_FROM, "from" }, { IN_MOVED_TO, "to" }, { IN_CREATE, "create" }, { IN_DELETE, "delete" },
		{ IN_DELETE_SELF, "gone" }, { IN_MOVE_SELF, "moved" }, { IN_UNMOUNT, "unmount" }, { IN_Q_OVERFLOW, "overflow" }, { IN_IGNORED, "ignored" },
		{ IN_ISDIR, "dir" },
	};
	static char text[128];

	text[0] = 0;
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (mask & words[i].bit)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", text[0] ? "|" : "", words[i].name);
	return text;
}

/* All that waits to be read, as "wd:event(name) …". */
static void gather(void)
{
	static char buf[1 << 16] __attribute__((aligned(8)));
	ssize_t n;

	got[0] = 0;
	n_cookies = 0;
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			struct inotify_event *e = (struct inotify_event *)p;
			size_t at = strlen(got);

			snprintf(got + at, sizeof(got) - at, "%s%d:%s%s%s%s", at ? " " : "", e->wd, word(e->mask), e->len ? "(" : "", e->len ? e->name : "",
				 e->len ? ")" : "");
			if (e->cookie && n_cookies < 64)
				cookies[n_cookies++] = e->cookie;
			p += sizeof(*e) + e->len;
		}
	}
}

static bool tells(const char *want, const char *what)
{
	gather();
	if (ok(!strcmp(got, want), "%s: %s", what, *want ? want : "nothing"))
		return true;
	printf("# told %s\n", got);
	return false;
}

static int watch(const char *path, unsigned mask)
{
	return inotify_add_watch(in, path, mask);
}

static void begin(void)
{
	in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

static void end(void)
{
	close(in);
	system("rm -rf a b c d e f >/dev/null 2>&1");
}

/* A directory and what happens to a file in it. */
static void file_events(void)
{
	struct timespec times[2] = { { 1, 0 }, { 2, 0 } };
	char buf[64];
	struct iovec iov = { buf, sizeof(buf) };
	int fd;

	begin();
	mkdir("d", 0755);
	is_int(watch("d", ALL), 1, "the first watch is number 1");
	fd = open("d/f", O_CREAT | O_EXCL | O_RDWR, 0644);
	tells("1:create(f) 1:open(f)", "open with O_CREAT");
	write(fd, "hello", 5);
	tells("1:modify(f)", "write");
	write(fd, "", 0);
	tells("", "a write of nothing");
	pwrite(fd, "x", 1, 0);
	tells("1:modify(f)", "pwrite");
	pread(fd, buf, 10, 0);
	tells("1:access(f)", "pread");
	pread(fd, buf, 10, 100);
	tells("", "pread at the end");
	preadv(fd, &iov, 1, 0);
	tells("1:access(f)", "preadv");
	preadv(fd, &iov, 1, 100);
	tells("1:access(f)", "preadv at the end");
	writev(fd, &iov, 1);
	tells("1:modify(f)", "writev");
	ftruncate(fd, 3);
	tells("1:modify(f)", "ftruncate");
	ftruncate(fd, 3);
	tells("1:modify(f)", "ftruncate to the same size");
	truncate("d/f", 2);
	tells("1:modify(f)", "truncate");
	fallocate(fd, 0, 0, 4096);
	tells("1:modify(f)", "fallocate");
	fchmod(fd, 0600);
	tells("1:attrib(f)", "fchmod");
	chown("d/f", 0, -1);
	tells("1:attrib(f)", "chown");
	chown("d/f", -1, -1);
	tells("", "chown of neither");
	futimens(fd, times);
	tells("1:attrib(f)", "futimens of both");
	times[0].tv_nsec = UTIME_OMIT;
	futimens(fd, times);
	tells("1:modify(f)", "futimens of mtime");
	times[0].tv_nsec = UTIME_NOW;
	times[1].tv_nsec = UTIME_OMIT;
	futimens(fd, times);
	tells("1:access(f)", "futimens of atime");
	times[0].tv_nsec = UTIME_OMIT;
	futimens(fd, times);
	tells("", "futimens of neither");
	utimensat(AT_FDCWD, "d/f", NULL, 0);
	tells("1:attrib(f)", "utimensat, now");
	fsetxattr(fd, "trusted.x", "v", 1, 0);
	tells("1:attrib(f)", "fsetxattr");
	removexattr("d/f", "trusted.x");
	tells("1:attrib(f)", "removexattr");
	dup2(fd, 50);
	close(50);
	tells("", "close of one of two descriptors");
	mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tells("", "mmap");
	munmap(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0), PAGE);
	end();
}

static void both_hear(void)
{
	char buf[64];
	int fd;

	begin();
	mkdir("d", 0755);
	fs_make("d/f", "text");
	watch("d", ALL);
	is_int(watch("d/f", ALL), 2, "a watch on the file as well");
	fd = open("d/f", O_RDONLY);
	read(fd, buf, 1);
	close(fd);
	tells("1:open(f) 2:open 1:access(f) 2:access 1:close(f) 2:close", "both hear, the directory first");
	fd = open("d/f", O_WRONLY | O_TRUNC);
	gather();
	ok(strstr(got, "1:modify(f) 2:modify") && strstr(got, "1:open(f) 2:open"), "O_TRUNC: modify and open");
	close(fd);
	tells("1:closew(f) 2:closew", "close after O_WRONLY");
	close(open("d/f", O_PATH));
	tells("", "O_PATH");
	close(open("d/f", O_CREAT | O_EXCL, 0600));
	tells("", "an open that fails");
	end();
}

static void name_events(void)
{
	int fd;

	begin();
	mkdir("d", 0755);
	mkdir("e", 0755);
	fs_make("d/f", "x");
	watch("d", ALL);
	watch("e", ALL);
	watch("d/f", ALL);
	link("d/f", "e/g");
	tells("3:attrib 2:create(g)", "link");
	rename("e/g", "e/h");
	tells("2:from(g) 2:to(h) 3:moved", "rename");
	ok(n_cookies == 2 && cookies[0] == cookies[1], "both ends have the same cookie");
	fd = (int)cookies[0];
	rename("e/h", "d/h");
	tells("2:from(h) 1:to(h) 3:moved", "rename across directories");
	ok(n_cookies == 2 && cookies[0] == cookies[1] && cookies[0] != (unsigned)fd, "with another cookie");
	rename("d/h", "d/f");
	tells("", "rename to another link of the same file");
	unlink("d/h");
	tells("3:attrib 1:delete(h)", "unlink of one of two links");
	fs_make("d/n", "");
	tells("1:create(n) 1:open(n) 1:closew(n)", "a new file");
	is_int(watch("d/n", ALL), 4, "watched");
	rename("d/f", "d/n");
	tells("1:from(f) 1:to(n) 4:attrib 3:moved 4:gone 4:ignored", "rename over it");
	fd = open("d/n", O_RDWR);
	tells("1:open(n) 3:open", "the watch followed the file");
	unlink("d/n");
	tells("3:attrib 1:delete(n)", "unlink while it is open");
	write(fd, "y", 1);
	fchmod(fd, 0777);
	tells("1:modify(n) 3:modify 1:attrib(n) 3:attrib", "it is still told of, by its old name too");
	close(fd);
	tells("1:closew(n) 3:closew 3:gone 3:ignored", "and goes with the last close");
	is_errno(inotify_rm_watch(in, 3) == -1, EINVAL, "the watch is no more");
	end();
}

static void other_kinds(void)
{
	int fd;

	begin();
	mkdir("d", 0755);
	mkdir("e", 0755);
	watch("d", ALL);
	watch("e", ALL);
	mkdir("d/sub", 0755);
	tells("1:create|dir(sub)", "mkdir");
	is_int(watch("d/sub", ALL), 3, "watched");
	chmod("d/sub", 0700);
	tells("1:attrib|dir(sub) 3:attrib|dir", "chmod of a directory");
	rename("d/sub", "e/sub");
	tells("1:from|dir(sub) 2:to|dir(sub) 3:moved", "rename of a directory");
	fd = open("e/sub", O_RDONLY);
	tells("2:open|dir(sub) 3:open|dir", "open of a directory");
	char dents[256];
	syscall(SYS_getdents64, fd, dents, sizeof(dents));
	tells("2:access|dir(sub) 3:access|dir", "getdents64");
	close(fd);
	tells("2:close|dir(sub) 3:close|dir", "close of a directory");
	rmdir("e/sub");
	tells("3:gone 3:ignored 2:delete|dir(sub)", "rmdir");
	symlink("x", "d/sl");
	tells("1:create(sl)", "symlink");
	is_int(watch("d/sl", ALL | IN_DONT_FOLLOW), 4, "a watch on a symlink");
	lchown("d/sl", 0, 0);
	tells("1:attrib(sl) 4:attrib", "lchown");
	unlink("d/sl");
	tells("4:attrib 4:gone 4:ignored 1:delete(sl)", "unlink of the last link");
	mknod("d/p", S_IFIFO | 0600, 0);
	fd = open("d/p", O_RDWR);
	write(fd, "z", 1);
	read(fd, dents, 1);
	close(fd);
	unlink("d/p");
	tells("1:create(p) 1:open(p) 1:closew(p) 1:delete(p)", "a FIFO: its data is no business of the directory's");
	mknod("d/p", S_IFIFO | 0600, 0);
	is_int(watch("d/p", ALL), 5, "watched itself");
	fd = open("d/p", O_RDWR);
	write(fd, "z", 1);
	read(fd, dents, 1);
	close(fd);
	tells("1:create(p) 1:open(p) 5:open 5:modify 5:access 1:closew(p) 5:closew", "a watched FIFO");
	unlink("d/p");
	gather();
	fs_make("d/a", "1");
	fs_make("e/b", "2");
	gather();
	syscall(SYS_renameat2, AT_FDCWD, "d/a", AT_FDCWD, "e/b", 2);
	tells("1:from(a) 2:to(b) 2:from(b) 1:to(a)", "RENAME_EXCHANGE");
	ok(n_cookies == 4 && cookies[0] == cookies[1] && cookies[2] == cookies[3] && cookies[0] != cookies[2], "two pairs of cookies");
	end();
}

static void moved_subtrees(void)
{
	int fd;

	begin();
	mkdir("d", 0755);
	mkdir("e", 0755);
	fs_make("d/f", "x");
	watch("e", ALL);
	fd = open("d/f", O_RDWR);
	write(fd, "x", 1);
	tells("", "an unwatched directory");
	rename("d/f", "e/g");
	write(fd, "x", 1);
	tells("1:to(g) 1:modify(g)", "a file moved into a watched directory while it is open");
	rename("e/g", "d/f");
	write(fd, "x", 1);
	tells("1:from(g)", "and out of it");
	watch("d", IN_MODIFY);
	write(fd, "x", 1);
	tells("2:modify(f)", "a watch that comes after the open");
	rename("d", "dd");
	rename("e", "d");
	write(fd, "x", 1);
	tells("1:moved 2:modify(f)", "watches follow their directories, not names");
	inotify_rm_watch(in, 2);
	write(fd, "x", 1);
	tells("2:ignored", "rm_watch tells ignored, and nothing after it");
	close(fd);
	rename("d", "e");
	rename("dd", "d");
	end();
}

static void flags(void)
{
	int fd;

	begin();
	mkdir("d", 0755);
	fs_make("d/a", "x");
	watch("d", IN_CREATE);
	fs_make("d/b", "");
	tells("1:create(b)", "only what was asked for");
	is_int(watch("d", IN_DELETE), 1, "a second add changes the watch");
	fs_make("d/c", "");
	unlink("d/c");
	tells("1:delete(c)", "to the new mask");
	is_int(watch("d", IN_CREATE | IN_MASK_ADD), 1, "IN_MASK_ADD");
	fs_make("d/c", "");
	unlink("d/c");
	tells("1:create(c) 1:delete(c)", "both masks");
	is_errno(watch("d", IN_OPEN | IN_MASK_CREATE) == -1, EEXIST, "IN_MASK_CREATE of what is watched");
	is_int(watch("d/a", IN_OPEN | IN_MASK_CREATE), 2, "IN_MASK_CREATE of what is not");
	is_errno(watch("d/b", IN_OPEN | IN_MASK_CREATE | IN_MASK_ADD) == -1, EINVAL, "IN_MASK_CREATE and IN_MASK_ADD");
	is_errno(watch("d/b", IN_OPEN | IN_ONLYDIR) == -1, ENOTDIR, "IN_ONLYDIR of a file");
	is_int(watch("d", IN_CREATE | IN_ONLYDIR), 1, "IN_ONLYDIR of a directory");
	symlink("a", "d/link");
	gather();
	is_int(watch("d/link", IN_OPEN), 2, "symlinks are followed");
	is_int(watch("d/link", IN_OPEN | IN_DONT_FOLLOW), 3, "IN_DONT_FOLLOW");
	close(open("d/link", O_RDONLY));
	tells("2:open", "an open through the link opens the file");
	inotify_rm_watch(in, 2);
	inotify_rm_watch(in, 3);
	tells("2:ignored 3:ignored", "two removed");
	is_int(watch("d/a", IN_OPEN | IN_ONESHOT), 4, "numbers go on");
	close(open("d/a", O_RDONLY));
	close(open("d/a", O_RDONLY));
	tells("4:open 4:ignored", "IN_ONESHOT");
	is_int(watch("d", ALL | IN_EXCL_UNLINK), 1, "IN_EXCL_UNLINK");
	fd = open("d/a", O_RDWR);
	unlink("d/a");
	gather();
	write(fd, "x", 1);
	tells("", "an unlinked file is not told of");
	fchmod(fd, 0700);
	tells("1:attrib(a)", "but its attributes are");
	close(fd);
	tells("", "nor its close");
	end();
}

static void merging(void)
{
	struct inotify_event *e;
	char buf[512] __attribute__((aligned(8)));
	int fd, n = -1;

	begin();
	mkdir("d", 0755);
	watch("d", IN_MODIFY | IN_ATTRIB | IN_CREATE);
	fd = open("d/f", O_CREAT | O_RDWR, 0600);
	for (int i = 0; i < 5; i++)
		write(fd, "x", 1);
	fchmod(fd, 0600);
	fchmod(fd, 0640);
	write(fd, "x", 1);
	tells("1:create(f) 1:modify(f) 1:attrib(f) 1:modify(f)", "identical events in a row are one");
	/* Sizes. */
	for (int len = 1; len <= 255; len += len == 1 ? 14 : len == 15 ? 1 : len == 16 ? 14 : 225) {
		char path[8300];

		snprintf(path, sizeof(path), "d/%s", long_name((size_t)len));
		close(open(path, O_CREAT | O_WRONLY, 0600));
		ioctl(in, FIONREAD, &n);
		is_int(n, 16 + (len + 1 + 15) / 16 * 16, "FIONREAD with a name of %d letters", len);
		is_errno(read(in, buf, (size_t)n - 1) == -1, EINVAL, "a buffer one byte too small");
		is_int(read(in, buf, (size_t)n), n, "one just large enough");
		e = (struct inotify_event *)buf;
		ok(e->len == (unsigned)n - 16 && strlen(e->name) == (size_t)len && !e->name[e->len - 1], "the name is padded with NULs");
	}
	write(fd, "x", 1);
	fchmod(fd, 0600);
	is_int(read(in, buf, 60), 32, "a read takes as many events as fit");
	is_int(read(in, buf, 64), 32, "and the next one the rest");
	is_errno(read(in, buf, 64) == -1, EAGAIN, "none left");
	is_errno(read(in, buf, 0) == -1, EAGAIN, "a read of nothing");
	write(fd, "x", 1);
	is_errno(read(in, buf, 0) == -1, EINVAL, "a read of nothing with an event waiting");
	is_errno(read(in, BAD_PTR, 64) == -1, EFAULT, "a bad buffer");
	close(fd);
	end();
}

static void waiting(void)
{
	struct pollfd p = { .events = POLLIN | POLLOUT };
	char buf[64];

	in = inotify_init();
	is_int(fcntl(in, F_GETFD), 0, "inotify_init: no close-on-exec");
	p.fd = in;
	mkdir("d", 0755);
	watch("d", IN_CREATE);
	is_int(poll(&p, 1, 0), 0, "poll: nothing yet");
	if (fork() == 0) {
		sleep_ms(50);
		fs_make("d/x", "");
		_exit(0);
	}
	is_int(poll(&p, 1, -1), 1, "poll waits for an event");
	is_int(p.revents, POLLIN, "POLLIN");
	is_int(read(in, buf, sizeof(buf)), 32, "read it");
	wait(NULL);
	if (fork() == 0) {
		sleep_ms(50);
		fs_make("d/y", "");
		_exit(0);
	}
	is_int(read(in, buf, sizeof(buf)), 32, "a blocking read waits for one");
	wait(NULL);
	catch(SIGALRM, 0);
	alarm_ms(50);
	is_errno(read(in, buf, sizeof(buf)) == -1, EINTR, "and is interrupted by a signal");
	close(in);
	in = inotify_init1(IN_CLOEXEC);
	is_int(fcntl(in, F_GETFD), FD_CLOEXEC, "IN_CLOEXEC");
	is_int(fcntl(in, F_GETFL) & (O_NONBLOCK | O_ACCMODE), 0, "no IN_NONBLOCK, read only");
	end();
}

static int unreadable(void)
{
	int fd = inotify_init();

	return ERRNO_OF(inotify_add_watch(fd, "d/secret", IN_OPEN));
}

static int behind_locked_door(void)
{
	int fd = inotify_init();

	return ERRNO_OF(inotify_add_watch(fd, "d/f", IN_OPEN));
}

static void errors(void)
{
	int other = open("/dev/null", O_RDONLY), opath;

	begin();
	mkdir("d", 0755);
	fs_make("d/secret", "");
	fs_make("d/f", "");
	chmod("d/secret", 0200);
	is_errno(inotify_init1(1) == -1, EINVAL, "inotify_init1: unknown flags");
	is_errno(watch("d", 0) == -1, EINVAL, "no events");
	is_errno(inotify_add_watch(-1, "d", 0) == -1, EINVAL, "no events, before the descriptor");
	is_errno(watch("d", 0x800000) == -1, EINVAL, "an unknown event");
	is_errno(watch("d", IN_OPEN | 0x1000) == -1, EINVAL, "an unknown event among others");
	is_errno(inotify_add_watch(-1, "nope", IN_OPEN) == -1, EBADF, "add: bad descriptor");
	is_errno(inotify_add_watch(other, "nope", IN_OPEN) == -1, EINVAL, "add: not inotify");
	opath = open("d", O_PATH);
	is_errno(inotify_add_watch(opath, "d", IN_OPEN) == -1, EBADF, "add: O_PATH");
	is_errno(watch("nope", IN_OPEN) == -1, ENOENT, "no such file");
	is_errno(watch("", IN_OPEN) == -1, ENOENT, "empty path");
	is_errno(watch("d/f/x", IN_OPEN) == -1, ENOTDIR, "not a directory in the path");
	is_errno(watch(BAD_PTR, IN_OPEN) == -1, EFAULT, "bad pointer");
	is_errno(watch(long_name(4096), IN_OPEN) == -1, ENAMETOOLONG, "long path");
	is_int(as_somebody(unreadable), EACCES, "no read permission");
	chmod("d", 0700);
	is_int(as_somebody(behind_locked_door), EACCES, "no search permission");
	is_errno(inotify_rm_watch(-1, 1) == -1, EBADF, "rm: bad descriptor");
	is_errno(inotify_rm_watch(other, 1) == -1, EINVAL, "rm: not inotify");
	is_errno(inotify_rm_watch(in, 1) == -1, EINVAL, "rm: no such watch");
	is_errno(inotify_rm_watch(in, -1) == -1, EINVAL, "rm: -1");
	ok(watch("d", IN_ISDIR) > 0, "IN_ISDIR alone is no error");
	is_errno(write(in, "x", 1) == -1, EBADF, "write");
	is_int(inotify_rm_watch(in, 1), 0, "rm");
	tells("1:ignored", "rm");
	close(other);
	close(opath);
	end();
}

static int too_many_instances(void)
{
	for (int i = 0; i < 5; i++)
		if (inotify_init() < 0)
			return i == 3 && errno == EMFILE ? 0 : 1;
	return 2;
}

/* Does the real or the effective user count? Two of each. */
static int which_user_counts(void)
{
	int first, second;

	if (setresuid(SOMEBODY, SOMEBODY + 1, 0))
		return 50;
	for (int i = 0; i < 3; i++)
		if (inotify_init() < 0)
			return 51;
	first = inotify_init();
	if (setresuid(-1, 0, -1) || setresuid(SOMEBODY + 2, SOMEBODY + 1, 0))
		return 52;
	second = inotify_init();
	return (first >= 0) * 10 + (second >= 0);
}

static int too_many_watches(void)
{
	int fd = inotify_init(), other = inotify_init();

	if (inotify_add_watch(fd, "d/a", IN_OPEN) != 1 || inotify_add_watch(other, "d/b", IN_OPEN) != 1)
		return 1;
	if (inotify_add_watch(fd, "d", IN_OPEN) >= 0 || errno != ENOSPC)
		return 2;
	if (inotify_add_watch(fd, "d/a", IN_CLOSE) != 1)
		return 3;	/* no new one */
	close(other);
	return inotify_add_watch(fd, "d", IN_OPEN) > 1 ? 0 : 4;
}

static void limits(void)
{
	long queued = fs_setting("inotify/max_queued_events", -1), instances = fs_setting("inotify/max_user_instances", 3), watches = fs_setting("inotify/max_user_watches", 2);

	is_int(queued, 16384, "max_queued_events");
	is_int(instances, 128, "max_user_instances");
	ok(watches >= 8192, "max_user_watches is at least 8192");
	mkdir("d", 0755);
	fs_make("d/a", "");
	fs_make("d/b", "");
	is_int(as_somebody(too_many_instances), 0, "the fourth of three instances: EMFILE");
	is_int(as_somebody(too_many_instances), 0, "another time: they went with their process");
	is_int(WEXITSTATUS(in_child(which_user_counts)), 0, "the effective user pays");
	is_int(as_somebody(too_many_watches), 0, "the third of two watches, in two instances: ENOSPC");
	fs_setting("inotify/max_user_instances", instances);
	fs_setting("inotify/max_user_watches", watches);
	fs_setting("inotify/max_queued_events", 3);
	begin();
	fs_setting("inotify/max_queued_events", queued);
	watch("d", IN_CREATE);
	for (int i = 0; i < 10; i++) {
		char name[16];

		snprintf(name, sizeof(name), "d/n%d", i);
		fs_make(name, "");
	}
	tells("1:create(n0) 1:create(n1) 1:create(n2) -1:overflow", "three events fit");
	fs_make("d/more", "");
	tells("1:create(more)", "after a read there is room");
	end();
}

static void fdinfo_lines(void)
{
	char path[64], text[4096], want[128];
	struct stat st;
	int fd, n, lines = 0;

	begin();
	mkdir("d", 0755);
	fs_make("d/f", "");
	watch("d", ALL | IN_EXCL_UNLINK | IN_ONESHOT);
	watch("d/f", IN_OPEN | IN_CLOSE_WRITE);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", in);
	fd = open(path, O_RDONLY);
	n = (int)read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	close(fd);
	stat("d/f", &st);
	snprintf(want, sizeof(want), "\ninotify wd:2 ino:%lx sdev:%lx mask:28 ignored_mask:0", (unsigned long)st.st_ino, (unsigned long)st.st_dev);
	ok(strstr(text, want) != NULL, "fdinfo: wd, ino, sdev, mask");
	stat("d", &st);
	snprintf(want, sizeof(want), "\ninotify wd:1 ino:%lx sdev:%lx mask:84000fff ignored_mask:0", (unsigned long)st.st_ino, (unsigned long)st.st_dev);
	ok(strstr(text, want) != NULL, "fdinfo: flags are in the mask");
	for (const char *p = text; (p = strstr(p, "\ninotify ")); p++)
		lines++;
	is_int(lines, 2, "a line for each watch");
	end();
	fd = open("/", O_PATH);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	ok(fs_holds(path, "") || fs_exists(path), "fdinfo of an O_PATH descriptor can be read");
	close(fd);
}

static void unmount(void)
{
	int other;

	begin();
	mkdir("d", 0755);
	mount("watched", "d", "tmpfs", 0, NULL);
	mkdir("d/sub", 0755);
	fs_make("d/f", "");
	watch("d", IN_CREATE);
	watch("d/f", IN_OPEN);
	is_int(umount("d"), 0, "watches do not keep a file system mounted");
	gather();
	ok(strstr(got, "1:unmount|dir 1:ignored") != NULL, "the directory: unmount, ignored");
	ok(strstr(got, "2:unmount 2:ignored") != NULL, "the file: unmount, ignored");
	is_errno(inotify_rm_watch(in, 1) == -1, EINVAL, "the watches have gone");
	fs_make("d/below", "");
	mount("watched", "d", "tmpfs", 0, NULL);
	fs_make("d/f", "");
	watch("d/f", IN_OPEN);
	other = open("d/f", O_RDONLY);
	gather();
	umount2("d", MNT_DETACH);
	tells("", "a lazy unmount of what is in use");
	close(other);
	gather();
	ok(strstr(got, "3:unmount 3:ignored") != NULL, "tells when it has come to an end");
	end();
}

static int run_nothing(void)
{
	execl("/proc/self/exe", "fs_inotify", "nothing", NULL);
	return 1;
}

static void exec_and_others(void)
{
	int fd, two, wd;
	char path[64];

	begin();
	mkdir("d", 0755);
	wd = watch("/proc/self/exe", ALL);
	ok(wd > 0, "a watch through a magic link");
	is_int(in_child(run_nothing), 0, "exec");
	gather();
	ok(!strncmp(got, "1:open 1:access", 15), "exec opens and reads");
	inotify_rm_watch(in, wd);
	gather();
	/* Two instances hear of the same. */
	watch("d", IN_CREATE);
	two = inotify_init1(IN_NONBLOCK);
	is_int(inotify_add_watch(two, "d", IN_CREATE), 1, "another instance has numbers of its own");
	fs_make("d/x", "");
	tells("2:create(x)", "the first instance");
	fd = in;
	in = two;
	tells("1:create(x)", "the second instance");
	close(two);
	in = fd;
	fs_make("d/y", "");
	tells("2:create(y)", "the first goes on without it");
	/* O_TMPFILE gets a name. */
	fd = open("d", O_TMPFILE | O_RDWR, 0600);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	gather();
	is_int(linkat(AT_FDCWD, path, AT_FDCWD, "d/tmp", AT_SYMLINK_FOLLOW), 0, "an O_TMPFILE file gets a name");
	tells("2:create(tmp)", "which is told");
	close(fd);
	/* Writing takes setuid away. */
	watch("d", ALL);
	fd = open("d/x", O_RDWR);
	fchmod(fd, 04755);
	gather();
	fchown(fd, SOMEBODY, -1);
	tells("2:attrib(x)", "chown of a setuid file is one event");
	close(fd);
	end();
}

/* Bytes that the kernel moves between files are reads and writes, too. */
static void inside_the_kernel(void)
{
	int from, to;

	begin();
	mkdir("d", 0755);
	fs_make("d/from", "hello");
	from = open("d/from", O_RDONLY);
	to = open("d/to", O_RDWR | O_CREAT, 0644);
	watch("d", IN_ACCESS | IN_MODIFY);
	is_int(sendfile(to, from, NULL, 5), 5, "sendfile");
	gather();		/* Linux tells of the write of each page and of the call */
	ok(strstr(got, "1:access(from)") && strstr(got, "1:modify(to)"), "is a read and a write");
	is_int(sendfile(to, from, NULL, 5), 0, "sendfile at the end");
	tells("", "is neither");
	is_int(copy_file_range(from, &(off_t){ 0 }, to, &(off_t){ 0 }, 5, 0), 5, "copy_file_range");
	gather();		/* Linux tells of the write of each page and of the call */
	ok(strstr(got, "1:access(from)") && strstr(got, "1:modify(to)"), "is a read and a write");
	close(from);
	close(to);
	end();
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return 0;
	fs_begin();
	file_events();
	both_hear();
	name_events();
	other_kinds();
	moved_subtrees();
	flags();
	merging();
	waiting();
	errors();
	limits();
	fdinfo_lines();
	unmount();
	exec_and_others();
	inside_the_kernel();
	return fs_end();
}
