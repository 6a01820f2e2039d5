/* SPDX-License-Identifier: MPL-2.0 */
/* ioctl(2): what every file answers, ENOTTY for what it does not. */
#include "fs_util.h"
#include <asm/ioctls.h>
#include <linux/fs.h>
#include <termios.h>

int main(void)
{
	int fd, dir, p[2], n = -1, on = 1, off = 0;
	struct termios tio;
	long long size = -1;

	fs_begin();
	fs_make("file", "0123456789");
	fd = open("file", O_RDWR);
	dir = open(".", O_RDONLY);
	pipe(p);
	is_int(ioctl(fd, FIOCLEX), 0, "FIOCLEX");
	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "sets close-on-exec");
	is_int(ioctl(fd, FIONCLEX), 0, "FIONCLEX");
	is_int(fcntl(fd, F_GETFD), 0, "clears it");
	is_int(ioctl(fd, FIONBIO, &on), 0, "FIONBIO 1");
	ok((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, "sets O_NONBLOCK");
	is_int(ioctl(fd, FIONBIO, &off), 0, "FIONBIO 0");
	ok((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0, "clears it");
	is_int(ioctl(fd, FIONREAD, &n), 0, "FIONREAD of a file");
	is_int(n, 10, "all of it is before us");
	lseek(fd, 4, SEEK_SET);
	ioctl(fd, FIONREAD, &n);
	is_int(n, 6, "less from the middle");
	lseek(fd, 15, SEEK_SET);
	ioctl(fd, FIONREAD, &n);
	is_int(n, -5, "negative beyond the end");
	is_int(ioctl(fd, FIOQSIZE, &size), 0, "FIOQSIZE of a file");
	is_int(size, 4096, "the space it takes");
	is_int(ioctl(dir, FIOQSIZE, &size), 0, "FIOQSIZE of a directory");
	is_errno(ioctl(p[0], FIOQSIZE, &size) == -1, ENOTTY, "FIOQSIZE of a pipe");
	is_int(ioctl(fd, FIGETBSZ, &n), 0, "FIGETBSZ");
	is_int(n, 4096, "the block size");
	is_errno(ioctl(fd, FIOASYNC, &on) == -1, ENOTTY, "FIOASYNC of a file");
	is_int(ioctl(p[0], FIOASYNC, &on), 0, "FIOASYNC of a pipe");
	ok((fcntl(p[0], F_GETFL) & O_ASYNC) != 0, "sets O_ASYNC");
	is_int(ioctl(p[0], FIOASYNC, &off), 0, "FIOASYNC 0");
	ok((fcntl(p[0], F_GETFL) & O_ASYNC) == 0, "clears it");
	is_errno(ioctl(fd, TCGETS, &tio) == -1, ENOTTY, "TCGETS of a file");
	is_errno(ioctl(dir, TCGETS, &tio) == -1, ENOTTY, "of a directory");
	is_errno(ioctl(p[0], TCGETS, &tio) == -1, ENOTTY, "of a pipe");
	is_errno(ioctl(dir, FIONREAD, &n) == -1, ENOTTY, "FIONREAD of a directory");
	is_errno(ioctl(fd, 0xdeadbeef, 0) == -1, ENOTTY, "an unknown command");
	is_errno(ioctl(fd, FIONREAD, BAD_PTR) == -1, EFAULT, "FIONREAD to a bad pointer");
	is_errno(ioctl(p[0], FIONREAD, BAD_PTR) == -1, EFAULT, "of a pipe");
	is_errno(ioctl(fd, FIONBIO, BAD_PTR) == -1, EFAULT, "FIONBIO from a bad pointer");
	is_errno(ioctl(fd, FIOQSIZE, KERNEL_PTR) == -1, EFAULT, "FIOQSIZE to a kernel pointer");
	is_errno(ioctl(99, FIONREAD, &n) == -1, EBADF, "a bad descriptor");
	close(fd);
	fd = open("file", O_PATH);
	is_errno(ioctl(fd, FIOCLEX) == -1, EBADF, "an O_PATH descriptor");
	return fs_end();
}
