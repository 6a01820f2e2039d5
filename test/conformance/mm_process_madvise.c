/* SPDX-License-Identifier: MPL-2.0 */
/* process_madvise(2): advice for another process's memory, who may give it, and what is wrong with it. */
#include "child.h"
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif
#define PAGE 4096ul

static char *p;
static int fd;

static long advise(int pidfd, const void *iov, unsigned long n, int advice, unsigned flags)
{
	return syscall(SYS_process_madvise, pidfd, iov, n, advice, flags);
}

static long one(int pidfd, void *at, size_t len, int advice)
{
	struct iovec v = { at, len };

	return advise(pidfd, &v, 1, advice, 0);
}

static int as_user(void)
{
	int own = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (setgid(5) || setuid(5))
		return 1;
	if (one(fd, p, PAGE, MADV_COLD) != -1 || errno != EACCES)
		return 2;
	return one(own, p, PAGE, MADV_COLD) == -1 && errno == EPERM ? 0 : 3;	/* CAP_SYS_NICE even for oneself */
}

int main(void)
{
	struct iovec v[3];
	pid_t pid;

	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 7, 4 * PAGE);
	munmap(p + 2 * PAGE, PAGE);
	pid = sleeper();
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	is_int(one(fd, p, 2 * PAGE, MADV_COLD), 2 * PAGE, "MADV_COLD");
	is_int(one(fd, p, PAGE, MADV_PAGEOUT), PAGE, "MADV_PAGEOUT");
	is_int(one(fd, p, PAGE, MADV_WILLNEED), PAGE, "MADV_WILLNEED");
	v[0] = (struct iovec){ p, PAGE };
	v[1] = (struct iovec){ p + 3 * PAGE, PAGE };
	v[2] = (struct iovec){ p + 2 * PAGE, PAGE };
	is_int(advise(fd, v, 2, MADV_COLD, 0), 2 * PAGE, "two ranges");
	is_int(advise(fd, v, 3, MADV_COLD, 0), 2 * PAGE, "a third that is not mapped");
	is_errno(advise(fd, v + 2, 1, MADV_COLD, 0) == -1, ENOMEM, "that alone");
	is_int(advise(fd, v, 0, MADV_COLD, 0), 0, "none");
	is_errno(one(fd, p, PAGE, MADV_DONTNEED) == -1, EINVAL, "MADV_DONTNEED is not for others");
	is_errno(one(fd, p, PAGE, 12345) == -1, EINVAL, "no advice");
	is_errno(one(fd, p + 1, PAGE, MADV_COLD) == -1, EINVAL, "not the start of a page");
	is_errno(advise(fd, v, 1, MADV_COLD, 1) == -1, EINVAL, "flags");
	is_errno(advise(fd, v, 1025, MADV_COLD, 0) == -1, EINVAL, "too many ranges");
	is_errno(advise(fd, (void *)8, 1, MADV_COLD, 0) == -1, EFAULT, "a bad array");
	is_errno(advise(-1, v, 1, MADV_COLD, 0) == -1, EBADF, "no descriptor");
	is_errno(advise(0, v, 1, MADV_COLD, 0) == -1, EBADF, "not of a process");
	is_int(in_child(as_user), 0, "another's process, and no CAP_SYS_NICE");
	end(pid);
	is_errno(advise(fd, v, 1, MADV_COLD, 0) == -1, ESRCH, "a process that is no more");
	return done_testing();
}
