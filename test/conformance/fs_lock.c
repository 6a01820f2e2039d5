/* SPDX-License-Identifier: MPL-2.0 */
/* flock(2), fcntl(2) record locks and open-file-description locks: conflicts, splitting and merging, waiting, deadlock, who inherits and what lets go. */
#include "fs_util.h"
#include <sys/sysmacros.h>
#include <pthread.h>
#include <sys/file.h>

static int set_lk(int fd, int cmd, int type, long start, long len)
{
	struct flock fl = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

	return fcntl(fd, cmd, &fl);
}

/* A child that does what it is told over a pipe: each command is a struct order, each answer an errno. */
struct order {
	int cmd, type;
	long start, len;
};

struct helper {
	pid_t pid;
	int to, from;
};

static void serve(const char *path, int in, int out)
{
	int fd = open(path, O_RDWR);
	struct order o;

	while (read(in, &o, sizeof(o)) == sizeof(o)) {
		int err = o.cmd == -1 ? ERRNO_OF(flock(fd, o.type)) : ERRNO_OF(set_lk(fd, o.cmd, o.type, o.start, o.len));

		write(out, &err, sizeof(err));
	}
	_exit(0);
}

static struct helper helper_start(const char *path)
{
	struct helper h;
	int to[2], from[2];

	pipe(to);
	pipe(from);
	h.pid = fork();
	if (h.pid == 0) {
		close(to[1]);
		close(from[0]);
		serve(path, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	h.to = to[1];
	h.from = from[0];
	return h;
}

static void tell(struct helper *h, int cmd, int type, long start, long len)
{
	struct order o = { cmd, type, start, len };

	write(h->to, &o, sizeof(o));
}

static int answer(struct helper *h)
{
	int err = -1;

	read(h->from, &err, sizeof(err));
	return err;
}

static int ask(struct helper *h, int cmd, int type, long start, long len)
{
	tell(h, cmd, type, start, len);
	return answer(h);
}

/* Has it answered within ms? */
static bool answers(struct helper *h, int ms)
{
	struct pollfd p = { h->from, POLLIN, 0 };

	return poll(&p, 1, ms) == 1;
}

static void helper_end(struct helper *h)
{
	close(h->to);
	close(h->from);
	kill(h->pid, SIGKILL);
	waitpid(h->pid, NULL, 0);
}

static void is_lock(int fd, int cmd, int type, long start, long len, int want_type, long want_start, long want_len, pid_t want_pid, const char *what)
{
	struct flock fl = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
	int r = fcntl(fd, cmd, &fl);
	bool same = r == 0 && fl.l_type == want_type;

	if (want_type != F_UNLCK)
		same = same && fl.l_start == want_start && fl.l_len == want_len && fl.l_pid == want_pid && fl.l_whence == SEEK_SET;
	else
		same = same && fl.l_start == start && fl.l_len == len;
	ok(same, "%s", what);
	if (!same)
		printf("# %d type %d start %ld len %ld pid %d\n", r, fl.l_type, (long)fl.l_start, (long)fl.l_len, fl.l_pid);
}

static void records(void)
{
	struct helper h = helper_start("file");
	int fd = open("file", O_RDWR), fd2;

	is_int(set_lk(fd, F_SETLK, F_WRLCK, 0, 100), 0, "write lock of 0-99");
	is_int(ask(&h, F_SETLK, F_WRLCK, 50, 10), EAGAIN, "another's write lock inside");
	is_int(ask(&h, F_SETLK, F_RDLCK, 99, 10), EAGAIN, "a read lock that touches it");
	is_int(ask(&h, F_SETLK, F_WRLCK, 100, 10), 0, "one beside it");
	is_lock(fd, F_GETLK, F_WRLCK, 0, 0, F_WRLCK, 100, 10, h.pid, "F_GETLK tells whose and where");
	is_lock(fd, F_GETLK, F_WRLCK, 0, 100, F_UNLCK, 0, 0, 0, "one's own is not in the way");
	is_int(set_lk(fd, F_SETLK, F_RDLCK, 0, 100), 0, "turned into a read lock");
	is_int(ask(&h, F_SETLK, F_RDLCK, 0, 50), 0, "then others may read");
	is_int(ask(&h, F_SETLK, F_WRLCK, 0, 50), EAGAIN, "and not write");
	is_errno(set_lk(fd, F_SETLK, F_WRLCK, 0, 100) == -1, EAGAIN, "nor back to a write lock while another reads");
	is_int(ask(&h, F_SETLK, F_UNLCK, 0, 0), 0, "the other lets all go");
	is_int(set_lk(fd, F_SETLK, F_WRLCK, 0, 100), 0, "now it is one again");
	is_int(set_lk(fd, F_SETLK, F_UNLCK, 40, 20), 0, "a hole in the middle");
	is_int(ask(&h, F_SETLK, F_WRLCK, 40, 20), 0, "is for others");
	is_int(ask(&h, F_SETLK, F_WRLCK, 39, 1), EAGAIN, "below it is not");
	is_int(ask(&h, F_SETLK, F_WRLCK, 60, 1), EAGAIN, "nor above");
	is_int(ask(&h, F_SETLK, F_UNLCK, 0, 0), 0, "gone");
	is_int(set_lk(fd, F_SETLK, F_WRLCK, 30, 40), 0, "filled again");
	is_int(ask(&h, F_SETLK, F_RDLCK, 0, 0), EAGAIN, "one lock to the end");
	is_int(set_lk(fd, F_SETLK, F_RDLCK, 10, 10), 0, "a read lock inside a write lock");
	is_int(ask(&h, F_SETLK, F_RDLCK, 10, 10), 0, "just there others may read");
	is_int(ask(&h, F_SETLK, F_RDLCK, 9, 1), EAGAIN, "and nowhere else");
	is_int(ask(&h, F_SETLK, F_UNLCK, 0, 0), 0, "gone");
	fd2 = open("file", O_RDONLY);
	close(fd2);
	is_int(ask(&h, F_SETLK, F_WRLCK, 0, 0), 0, "closing any descriptor of the file lets all go");
	is_int(ask(&h, F_SETLK, F_UNLCK, 0, 0), 0, "gone");
	set_lk(fd, F_SETLK, F_WRLCK, 0, 0);
	close(fd);
	is_int(ask(&h, F_SETLK, F_WRLCK, 0, 0), 0, "so does the close of the one");
	fd = open("file", O_RDWR);
	is_errno(set_lk(fd, F_SETLK, F_WRLCK, 5, 1) == -1, EAGAIN, "now the other has it");
	helper_end(&h);
	is_int(set_lk(fd, F_SETLK, F_WRLCK, 5, 1), 0, "its exit lets go");
	close(fd);
}

static void ranges(void)
{
	struct helper h = helper_start("file");
	int fd = open("file", O_RDWR);
	struct flock fl;

	ftruncate(fd, 1000);
	fl = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -10, .l_len = 0 };
	is_int(fcntl(fd, F_SETLK, &fl), 0, "SEEK_END, ten before");
	is_int(ask(&h, F_SETLK, F_WRLCK, 989, 1), 0, "what is below is free");
	is_int(ask(&h, F_SETLK, F_WRLCK, 990, 1), EAGAIN, "the rest is locked");
	is_int(ask(&h, F_SETLK, F_WRLCK, 1l << 40, 1), EAGAIN, "to the end of all files");
	fl.l_type = F_UNLCK;
	fcntl(fd, F_SETLK, &fl);
	lseek(fd, 500, SEEK_SET);
	fl = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = 0, .l_len = -5 };
	is_int(fcntl(fd, F_SETLK, &fl), 0, "SEEK_CUR, a negative length");
	is_int(ask(&h, F_SETLK, F_WRLCK, 495, 1), EAGAIN, "495 is locked");
	is_int(ask(&h, F_SETLK, F_WRLCK, 494, 1), 0, "494 is not");
	is_int(ask(&h, F_SETLK, F_WRLCK, 500, 1), 0, "500 is not");
	fl = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = -1, .l_len = 1 };
	is_errno(fcntl(fd, F_SETLK, &fl) == -1, EINVAL, "before the start");
	fl = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 3, .l_len = -4 };
	is_errno(fcntl(fd, F_SETLK, &fl) == -1, EINVAL, "a length that goes before the start");
	fl = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = LONG_MAX, .l_len = 1 };
	is_errno(fcntl(fd, F_SETLK, &fl) == -1, EOVERFLOW, "a start that overflows");
	fl = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LONG_MAX, .l_len = 2 };
	is_errno(fcntl(fd, F_SETLK, &fl) == -1, EOVERFLOW, "an end that overflows");
	is_int(set_lk(fd, F_SETLK, F_WRLCK, LONG_MAX, 1), 0, "the last byte there is");
	is_lock(fd, F_OFD_GETLK, F_WRLCK, LONG_MAX, 1, F_WRLCK, LONG_MAX, 0, getpid(), "shown with length 0");
	fl = (struct flock){ .l_type = F_WRLCK, .l_whence = 3 };
	is_errno(fcntl(fd, F_SETLK, &fl) == -1, EINVAL, "a bad l_whence");
	is_errno(set_lk(fd, F_SETLK, 3, 0, 1) == -1, EINVAL, "a bad l_type");
	is_errno(set_lk(fd, F_GETLK, F_UNLCK, 0, 1) == -1, EINVAL, "F_GETLK with F_UNLCK");
	is_errno(fcntl(fd, F_SETLK, BAD_PTR) == -1, EFAULT, "a bad pointer");
	is_errno(fcntl(fd, F_GETLK, KERNEL_PTR) == -1, EFAULT, "a kernel pointer");
	is_errno(set_lk(99, F_SETLK, F_WRLCK, 0, 1) == -1, EBADF, "a bad descriptor");
	close(fd);
	fd = open("file", O_RDONLY);
	is_errno(set_lk(fd, F_SETLK, F_WRLCK, 0, 1) == -1, EBADF, "a write lock through a read-only descriptor");
	is_int(set_lk(fd, F_SETLK, F_RDLCK, 0, 1), 0, "a read lock is fine");
	close(fd);
	fd = open("file", O_WRONLY);
	is_errno(set_lk(fd, F_SETLK, F_RDLCK, 0, 1) == -1, EBADF, "a read lock through a write-only descriptor");
	close(fd);
	helper_end(&h);
}

static void waiting(void)
{
	struct helper h = helper_start("file"), h2 = helper_start("file");
	int fd = open("file", O_RDWR);

	set_lk(fd, F_SETLK, F_WRLCK, 0, 10);
	tell(&h, F_SETLKW, F_WRLCK, 5, 10);
	ok(!answers(&h, 50), "F_SETLKW waits");
	tell(&h2, F_SETLKW, F_RDLCK, 0, 3);
	ok(!answers(&h2, 50), "a second one, elsewhere in the range");
	is_int(set_lk(fd, F_SETLK, F_UNLCK, 8, 2), 0, "a part is let go");
	ok(!answers(&h, 50), "which is not enough");
	is_int(set_lk(fd, F_SETLK, F_UNLCK, 3, 7), 0, "more");
	ok(answers(&h, 2000) && answer(&h) == 0, "the first has it");
	ok(!answers(&h2, 30), "the second waits on");
	is_int(set_lk(fd, F_SETLK, F_RDLCK, 0, 3), 0, "the write lock becomes a read lock");
	ok(answers(&h2, 2000) && answer(&h2) == 0, "and the reader has his");
	is_errno(set_lk(fd, F_SETLK, F_WRLCK, 5, 1) == -1, EAGAIN, "it is really the other's");
	ask(&h, F_SETLK, F_UNLCK, 0, 0);
	ask(&h2, F_SETLK, F_UNLCK, 0, 0);

	/* A deadlock: we hold 0 and wait for 1, the other holds 1 and wants 0. */
	set_lk(fd, F_SETLK, F_UNLCK, 0, 0);
	set_lk(fd, F_SETLK, F_WRLCK, 0, 1);
	is_int(ask(&h, F_SETLK, F_WRLCK, 1, 1), 0, "the other has byte 1");
	tell(&h, F_SETLKW, F_WRLCK, 0, 1);
	ok(!answers(&h, 50), "and waits for byte 0");
	is_errno(set_lk(fd, F_SETLKW, F_WRLCK, 1, 1) == -1, EDEADLK, "waiting for byte 1 would be a deadlock");
	set_lk(fd, F_SETLK, F_UNLCK, 0, 0);
	ok(answers(&h, 2000) && answer(&h) == 0, "letting go resolves it");
	ask(&h, F_SETLK, F_UNLCK, 0, 0);

	/* Three in a ring. */
	set_lk(fd, F_SETLK, F_WRLCK, 0, 1);
	ask(&h, F_SETLK, F_WRLCK, 1, 1);
	ask(&h2, F_SETLK, F_WRLCK, 2, 1);
	tell(&h, F_SETLKW, F_WRLCK, 2, 1);
	ok(!answers(&h, 30), "1 waits for 2");
	tell(&h2, F_SETLKW, F_WRLCK, 0, 1);
	ok(!answers(&h2, 30), "2 waits for 0");
	is_errno(set_lk(fd, F_SETLKW, F_WRLCK, 1, 1) == -1, EDEADLK, "0 for 1: a ring of three");
	close(fd);
	ok(answers(&h2, 2000) && answer(&h2) == 0, "close lets a waiter go on");
	ask(&h2, F_SETLK, F_UNLCK, 0, 0);
	ok(answers(&h, 2000) && answer(&h) == 0, "and the next");
	helper_end(&h);
	helper_end(&h2);
}

static void interrupted(void)
{
	struct helper h = helper_start("file");
	int fd = open("file", O_RDWR);

	ask(&h, F_SETLK, F_WRLCK, 0, 1);
	catch(SIGALRM, 0);
	alarm_ms(50);
	is_errno(set_lk(fd, F_SETLKW, F_WRLCK, 0, 1) == -1, EINTR, "a signal ends F_SETLKW");
	ask(&h, F_SETLK, F_UNLCK, 0, 1);
	is_int(ask(&h, F_SETLK, F_WRLCK, 0, 1), 0, "which did not get the lock later");
	ask(&h, -1, LOCK_EX, 0, 0);
	alarm_ms(50);
	is_errno(flock(fd, LOCK_EX) == -1, EINTR, "a signal ends flock");
	close(fd);
	helper_end(&h);
}

static int child_has_no_lock(void)
{
	int fd = open("file", O_RDWR);

	return ERRNO_OF(set_lk(fd, F_SETLK, F_WRLCK, 0, 1));
}

static void inheritance(void)
{
	int fd = open("file", O_RDWR);

	set_lk(fd, F_SETLK, F_WRLCK, 0, 1);
	is_int(in_child(child_has_no_lock), EAGAIN << 8, "record locks are not inherited by fork");
	close(fd);
}

static void ofd(void)
{
	int a = open("file", O_RDWR), b = open("file", O_RDWR), c;
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1, .l_pid = 1 };

	is_errno(fcntl(a, F_OFD_SETLK, &fl) == -1, EINVAL, "l_pid must be 0");
	is_int(set_lk(a, F_OFD_SETLK, F_WRLCK, 0, 10), 0, "an open file description's lock");
	is_errno(set_lk(b, F_OFD_SETLK, F_WRLCK, 5, 1) == -1, EAGAIN, "conflicts with another's of the same process");
	is_errno(set_lk(b, F_SETLK, F_WRLCK, 5, 1) == -1, EAGAIN, "and with the process's");
	is_lock(b, F_OFD_GETLK, F_RDLCK, 0, 0, F_WRLCK, 0, 10, -1, "F_OFD_GETLK says pid -1");
	is_lock(b, F_GETLK, F_RDLCK, 0, 0, F_WRLCK, 0, 10, -1, "so does F_GETLK");
	c = dup(a);
	close(a);
	is_errno(set_lk(b, F_OFD_SETLK, F_WRLCK, 5, 1) == -1, EAGAIN, "a duplicate keeps it");
	close(open("file", O_RDONLY));
	is_errno(set_lk(b, F_OFD_SETLK, F_WRLCK, 5, 1) == -1, EAGAIN, "other closes don't touch it");
	close(c);
	is_int(set_lk(b, F_OFD_SETLK, F_WRLCK, 5, 1), 0, "the last close lets it go");
	close(b);
}

static void flocks(void)
{
	struct helper h = helper_start("file");
	int a = open("file", O_RDWR), b = open("file", O_RDONLY), c;

	is_int(flock(a, LOCK_EX), 0, "LOCK_EX");
	is_errno(flock(b, LOCK_SH | LOCK_NB) == -1, EWOULDBLOCK, "another open file is locked out, same process or not");
	is_int(ask(&h, -1, LOCK_SH | LOCK_NB, 0, 0), EWOULDBLOCK, "so is another process");
	is_int(set_lk(a, F_SETLK, F_WRLCK, 0, 0), 0, "record locks are another world");
	is_int(flock(a, LOCK_SH), 0, "to LOCK_SH");
	is_int(flock(b, LOCK_SH | LOCK_NB), 0, "shared by two");
	is_int(ask(&h, -1, LOCK_SH | LOCK_NB, 0, 0), 0, "by three");
	is_errno(flock(a, LOCK_EX | LOCK_NB) == -1, EWOULDBLOCK, "not to be made exclusive");
	is_int(flock(b, LOCK_UN), 0, "LOCK_UN");
	is_int(ask(&h, -1, LOCK_UN, 0, 0), 0, "LOCK_UN");
	is_int(flock(b, LOCK_EX | LOCK_NB), 0, "the failed change had given the first one's lock up");
	is_int(flock(b, LOCK_UN), 0, "LOCK_UN");
	is_int(flock(a, LOCK_EX), 0, "LOCK_EX");
	c = dup(a);
	close(a);
	is_int(ask(&h, -1, LOCK_EX | LOCK_NB, 0, 0), EWOULDBLOCK, "a duplicate keeps it");
	tell(&h, -1, LOCK_EX, 0, 0);
	ok(!answers(&h, 50), "LOCK_EX waits");
	close(c);
	ok(answers(&h, 2000) && answer(&h) == 0, "until the last close");
	is_errno(flock(b, LOCK_SH | LOCK_NB) == -1, EWOULDBLOCK, "now it is the other's");
	is_errno(flock(b, 0) == -1, EINVAL, "no operation");
	is_errno(flock(b, LOCK_SH | LOCK_EX) == -1, EINVAL, "two operations");
	is_errno(flock(99, LOCK_SH) == -1, EBADF, "a bad descriptor");
	is_int(flock(b, LOCK_UN), 0, "unlocking what is not locked");
	close(b);
	helper_end(&h);
	b = open("file", O_PATH);
	is_errno(flock(b, LOCK_SH) == -1, EBADF, "an O_PATH descriptor");
	close(b);
}

/* Children that each take the lock, read a number, and write it back one larger. */
static void exclusion(void)
{
	enum { CHILDREN = 4, TURNS = 60 };
	int fd = open("count", O_CREAT | O_RDWR, 0644), n = 0;

	write(fd, &n, sizeof(n));
	for (int i = 0; i < CHILDREN; i++) {
		if (fork() == 0) {
			int mine = open("count", O_RDWR);

			for (int t = 0; t < TURNS; t++) {
				if (i & 1 ? set_lk(mine, F_OFD_SETLKW, F_WRLCK, 0, 0) : set_lk(mine, F_SETLKW, F_WRLCK, 0, 4))
					_exit(1);
				pread(mine, &n, sizeof(n), 0);
				if (t % 8 == 0)
					sched_yield();
				n++;
				pwrite(mine, &n, sizeof(n), 0);
				set_lk(mine, i & 1 ? F_OFD_SETLK : F_SETLK, F_UNLCK, 0, 0);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < CHILDREN; i++) {
		int status;

		wait(&status);
		is_int(status, 0, "child %d got every lock", i);
	}
	pread(fd, &n, sizeof(n), 0);
	is_int(n, CHILDREN * TURNS, "no turn was lost");
	close(fd);
}

/* Many locks: every other byte, then all at once. */
static void many(void)
{
	struct helper h = helper_start("file");
	int fd = open("file", O_RDWR), bad = 0;

	for (long i = 0; i < 4000; i++)
		bad += set_lk(fd, F_SETLK, i & 2 ? F_WRLCK : F_RDLCK, i * 3, 2) != 0;
	is_int(bad, 0, "4000 locks");
	is_int(ask(&h, F_SETLK, F_WRLCK, 2, 1), 0, "a gap");
	is_int(ask(&h, F_SETLK, F_WRLCK, 3 * 3999 + 1, 1), EAGAIN, "the last");
	ask(&h, F_SETLK, F_UNLCK, 0, 0);
	is_int(set_lk(fd, F_SETLK, F_WRLCK, 0, 0), 0, "one over all");
	is_lock(fd, F_OFD_GETLK, F_WRLCK, 0, 0, F_WRLCK, 0, 0, getpid(), "they are one now");
	is_int(set_lk(fd, F_SETLK, F_UNLCK, 1, 0), 0, "all but the first byte go");
	is_int(ask(&h, F_SETLK, F_WRLCK, 1, 0), 0, "to the other");
	close(fd);
	helper_end(&h);
}

/* Does the file have this text? */
static bool has_text(const char *path, const char *fmt, ...)
{
	static char text[1 << 16];
	char want[200];
	va_list args;
	int fd = open(path, O_RDONLY);
	ssize_t n, len = 0;

	while ((n = read(fd, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += n;
	close(fd);
	text[len] = 0;
	va_start(args, fmt);
	vsnprintf(want, sizeof(want), fmt, args);
	va_end(args);
	return strstr(text, want) != NULL;
}

static void shown(void)
{
	struct helper h = helper_start("file");
	int fd = open("file", O_RDWR), other = open("file", O_RDWR), me = getpid();
	char where[64], info[64];
	struct stat st;

	fstat(fd, &st);
	snprintf(where, sizeof(where), "%02x:%02x:%lu", major(st.st_dev), minor(st.st_dev), (unsigned long)st.st_ino);
	snprintf(info, sizeof(info), "/proc/self/fdinfo/%d", fd);
	set_lk(fd, F_SETLK, F_WRLCK, 10, 20);
	set_lk(fd, F_SETLK, F_RDLCK, 100, 0);
	ok(has_text("/proc/locks", ": POSIX  ADVISORY  WRITE %d %s 10 29\n", me, where), "/proc/locks: a write lock");
	ok(has_text("/proc/locks", ": POSIX  ADVISORY  READ %d %s 100 EOF\n", me, where), "/proc/locks: a read lock to the end");
	ok(has_text(info, "\nlock:\t1: POSIX  ADVISORY  WRITE %d %s 10 29\n", me, where), "fdinfo: the first");
	ok(has_text(info, ": POSIX  ADVISORY  READ %d %s 100 EOF\n", me, where), "fdinfo: the second");
	tell(&h, F_SETLKW, F_WRLCK, 15, 2);
	ok(!answers(&h, 100), "another waits");
	ok(has_text("/proc/locks", ": -> POSIX  ADVISORY  WRITE %d %s 15 16\n", h.pid, where), "/proc/locks: who waits");
	set_lk(fd, F_SETLK, F_UNLCK, 0, 0);
	ok(answers(&h, 60000) && answer(&h) == 0, "no more");
	ok(has_text("/proc/locks", ": POSIX  ADVISORY  WRITE %d %s 15 16\n", h.pid, where), "/proc/locks: it has the lock now");
	ok(!has_text(info, "lock:"), "fdinfo shows no locks of others");
	set_lk(fd, F_OFD_SETLK, F_RDLCK, 40, 1);
	ok(has_text("/proc/locks", ": OFDLCK ADVISORY  READ -1 %s 40 40\n", where), "/proc/locks: an open file description's");
	ok(has_text(info, "\nlock:\t1: OFDLCK ADVISORY  READ -1 %s 40 40\n", where), "fdinfo: an open file description's");
	flock(other, LOCK_EX);
	ok(has_text("/proc/locks", ": FLOCK  ADVISORY  WRITE %d %s 0 EOF\n", me, where), "/proc/locks: flock");
	snprintf(info, sizeof(info), "/proc/self/fdinfo/%d", other);
	ok(has_text(info, "\nlock:\t1: FLOCK  ADVISORY  WRITE %d %s 0 EOF\n", me, where), "fdinfo: flock");
	close(other);
	close(fd);
	ok(!has_text("/proc/locks", " %d %s ", me, where), "/proc/locks: all gone");
	helper_end(&h);
}

static int locks_after_exec(void)
{
	int fd = open("file", O_RDWR), keeps;

	set_lk(fd, F_SETLK, F_WRLCK, 0, 1);
	keeps = fcntl(fd, F_DUPFD, 70);
	(void)keeps;
	execl("/proc/self/exe", "fs_lock", "held", NULL);
	return 1;
}

/* After exec: the record lock is still ours, so another process is kept out. */
static int held(void)
{
	struct helper h = helper_start("file");

	return ask(&h, F_SETLK, F_WRLCK, 0, 1) == EAGAIN ? 0 : 1;
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return held();
	fs_begin();
	fs_make("file", "0123456789");
	records();
	ranges();
	waiting();
	interrupted();
	inheritance();
	ofd();
	flocks();
	exclusion();
	many();
	shown();
	is_int(in_child(locks_after_exec), 0, "record locks survive exec");
	return fs_end();
}
