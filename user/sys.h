/* SPDX-License-Identifier: MPL-2.0 */
/*
 * System calls for programs of ours that run without a C library.
 *
 * Each function is the raw call: it returns the kernel's value, -errno on failure.
 * Only what user/ uses is here; add a line when a program needs another call.
 */
#ifndef KEEL_USER_SYS_H
#define KEEL_USER_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <asm/unistd.h>
#include <linux/poll.h>

long syscall6(long nr, long a, long b, long c, long d, long e, long f);
void *memcpy(void *dst, const void *src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

#define SYS0(nr) syscall6(nr, 0, 0, 0, 0, 0, 0)
#define SYS1(nr, a) syscall6(nr, (long)(a), 0, 0, 0, 0, 0)
#define SYS2(nr, a, b) syscall6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS3(nr, a, b, c) syscall6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS4(nr, a, b, c, d) syscall6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS5(nr, a, b, c, d, e) \
	syscall6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

static inline long sys_read(int fd, void *buf, size_t len)
{
	return SYS3(__NR_read, fd, buf, len);
}

static inline long sys_write(int fd, const void *buf, size_t len)
{
	return SYS3(__NR_write, fd, buf, len);
}

static inline long sys_open(const char *path, int flags)
{
	return SYS3(__NR_open, path, flags, 0);
}

static inline long sys_close(int fd)
{
	return SYS1(__NR_close, fd);
}

static inline long sys_poll(struct pollfd *fds, unsigned int count, int timeout_ms)
{
	return SYS3(__NR_poll, fds, count, timeout_ms);
}

static inline long sys_pipe2(int fds[2], int flags)
{
	return SYS2(__NR_pipe2, fds, flags);
}

static inline long sys_dup2(int from, int to)
{
	return SYS2(__NR_dup2, from, to);
}

static inline long sys_fcntl(int fd, int cmd, long arg)
{
	return SYS3(__NR_fcntl, fd, cmd, arg);
}

static inline long sys_ioctl(int fd, unsigned long cmd, void *arg)
{
	return SYS3(__NR_ioctl, fd, cmd, arg);
}

static inline long sys_fork(void)
{
	return SYS0(__NR_fork);
}

static inline long sys_execve(const char *path, char *const argv[], char *const envp[])
{
	return SYS3(__NR_execve, path, argv, envp);
}

static inline long sys_wait4(int pid, int *status, int options)
{
	return SYS4(__NR_wait4, pid, status, options, 0);
}

static inline long sys_kill(int pid, int sig)
{
	return SYS2(__NR_kill, pid, sig);
}

static inline long sys_setsid(void)
{
	return SYS0(__NR_setsid);
}

static inline long sys_chdir(const char *path)
{
	return SYS1(__NR_chdir, path);
}

static inline long sys_mkdir(const char *path, int mode)
{
	return SYS2(__NR_mkdir, path, mode);
}

static inline long sys_chmod(const char *path, int mode)
{
	return SYS2(__NR_chmod, path, mode);
}

static inline long sys_mount(const char *source, const char *target, const char *type)
{
	return SYS5(__NR_mount, source, target, type, 0, 0);
}

static inline long sys_sync(void)
{
	return SYS0(__NR_sync);
}

static inline long sys_reboot(unsigned int magic1, unsigned int magic2, unsigned int cmd)
{
	return SYS4(__NR_reboot, magic1, magic2, cmd, 0);
}

static inline _Noreturn void sys_exit(int status)
{
	for (;;)
		SYS1(__NR_exit_group, status);
}

#endif
