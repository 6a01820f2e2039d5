/* SPDX-License-Identifier: MPL-2.0 */
/* For the tests of file calls: a fresh tmpfs to work in, unprivileged children, bad pointers, files with known contents. */
#ifndef FS_UTIL_H
#define FS_UTIL_H

#include "tap.h"
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

/* Tests hand over bad pointers and don't care for every result. */
#pragma GCC diagnostic ignored "-Wunused-result"
#pragma GCC diagnostic ignored "-Wnonnull"
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"

#define PAGE 4096
#define SOMEBODY 1000
#define BAD_PTR ((void *)0x10)				/* never mapped */
#define KERNEL_PTR ((void *)0xffff800000001000ul)	/* never a user's */
#define UNUSED __attribute__((unused))

static char fs_dir[64];

/* The working directory becomes an empty tmpfs of its own. */
UNUSED static void fs_begin(void)
{
	mkdir("/tmp", 01777);
	strcpy(fs_dir, "/tmp/fs-XXXXXX");
	if (!mkdtemp(fs_dir) || mount("fs-test", fs_dir, "tmpfs", 0, "mode=755") || chdir(fs_dir))
		bail_out("no fresh tmpfs: %s", strerror(errno));
	umask(022);
	signal(SIGPIPE, SIG_IGN);
}

UNUSED static int fs_end(void)
{
	if (chdir("/") || umount2(fs_dir, MNT_DETACH) || rmdir(fs_dir))
		printf("# clean-up of %s: %s\n", fs_dir, strerror(errno));
	return done_testing();
}

/* A file with these bytes. */
UNUSED static void fs_make(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bail_out("cannot make %s: %s", path, strerror(errno));
	close(fd);
}

/* A file holds exactly these bytes. */
UNUSED static bool fs_holds(const char *path, const char *text)
{
	size_t len = strlen(text);
	char buf[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	close(fd);
	return n == (ssize_t)len && !memcmp(buf, text, len);
}

UNUSED static bool fs_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

UNUSED static mode_t fs_mode(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_mode;
}

UNUSED static long fs_size(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? -1 : (long)st.st_size;
}

/* Gives up every privilege. For children. */
UNUSED static void become(uid_t id)
{
	if (setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id))
		_exit(99);
}

static int (*fs_body)(void);

UNUSED static int fs_as_somebody_body(void)
{
	become(SOMEBODY);
	return fs_body();
}

/* fn runs without privileges in a child; its result (0 … 98), or -1 if it died. */
UNUSED static int as_somebody(int (*fn)(void))
{
	int status;

	fs_body = fn;
	status = in_child(fs_as_somebody_body);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* errno of a failed call, 0 of one that went well: for children, to be their result. */
#define ERRNO_OF(call) ((call) < 0 ? errno : 0)

UNUSED static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

UNUSED static void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

UNUSED static void on_signal(int sig)
{
	(void)sig;
}

/* A handler that does nothing, with these SA_* flags. */
UNUSED static void catch(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

/* SIGALRM after ms, once. */
UNUSED static void alarm_ms(long ms)
{
	struct itimerval it = { .it_value = { ms / 1000, ms % 1000 * 1000 } };

	setitimer(ITIMER_REAL, &it, NULL);
}

/* Two pages, of which the second is not accessible: pointers to its edge. */
UNUSED static char *fs_edge(void)
{
	static char *pages;

	if (!pages) {
		pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		mprotect(pages + PAGE, PAGE, PROT_NONE);
	}
	return pages + PAGE;
}

/* A number in /proc/sys/fs: what it was, or -errno. It becomes `value`, unless that is negative. */
UNUSED static long fs_setting(const char *name, long value)
{
	char path[128], text[32];
	long old = -1;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/fs/%s", name);
	fd = open(path, O_RDWR);
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = 0;
	if (n > 0)
		old = atol(text);
	n = value < 0 ? 0 : snprintf(text, sizeof(text), "%ld\n", value);
	if (n && pwrite(fd, text, (size_t)n, 0) != n)
		old = -errno;
	close(fd);
	return old;
}

/* A name of n letters. */
UNUSED static const char *long_name(size_t n)
{
	static char buf[8192];

	memset(buf, 'n', n);
	buf[n] = 0;
	return buf;
}

#endif
