/* SPDX-License-Identifier: MPL-2.0 */
/* read(2), write(2), pread, pwrite, readv, writev, preadv2, pwritev2, lseek, truncate, fallocate, fsync and friends. */
#include "fs_util.h"
#include <linux/falloc.h>

static char buf[1 << 17], pattern[1 << 17];

static void plain(void)
{
	int fd = open("file", O_CREAT | O_RDWR, 0644), bad = 0;

	is_int(read(fd, buf, 10), 0, "an empty file");
	is_int(write(fd, "hello world", 11), 11, "write");
	is_int(read(fd, buf, 10), 0, "at the end");
	is_int(lseek(fd, 6, SEEK_SET), 6, "lseek");
	is_int(read(fd, buf, 10), 5, "a short read at the end");
	is_int(pread(fd, buf, 5, 0), 5, "pread");
	ok(!memcmp(buf, "hello", 5), "its bytes");
	is_int(lseek(fd, 0, SEEK_CUR), 11, "pread leaves the position");
	is_int(pwrite(fd, "W", 1, 6), 1, "pwrite");
	ok(fs_holds("file", "hello World"), "its byte");
	is_int(lseek(fd, 0, SEEK_CUR), 11, "pwrite leaves the position");
	is_int(pread(fd, buf, 10, 100), 0, "pread beyond the end");
	is_errno(pread(fd, buf, 1, -1) == -1, EINVAL, "pread at -1");
	is_errno(pwrite(fd, buf, 1, -1) == -1, EINVAL, "pwrite at -1");
	is_int(write(fd, NULL, 0), 0, "a write of nothing from NULL");
	is_int(read(fd, NULL, 0), 0, "a read of nothing to NULL");
	lseek(fd, 0, SEEK_SET);
	is_errno(read(fd, BAD_PTR, 4) == -1, EFAULT, "read to a bad pointer");
	is_errno(write(fd, BAD_PTR, 4) == -1, EFAULT, "write from a bad pointer");
	is_errno(read(fd, KERNEL_PTR, 4) == -1, EFAULT, "read to a kernel pointer");
	is_errno(write(fd, KERNEL_PTR, 4) == -1, EFAULT, "write from a kernel pointer");
	is_int(lseek(fd, 0, SEEK_CUR), 0, "which leave the position");
	is_int(read(fd, fs_edge() - 4, 8), 4, "a read that half fits gives what fits");
	is_int(lseek(fd, 0, SEEK_CUR), 4, "and moves by that");
	memcpy(fs_edge() - 3, "xyz", 3);
	is_int(pwrite(fd, fs_edge() - 3, 6, 0), 3, "so does a write");
	is_errno(read(99, buf, 1) == -1, EBADF, "a bad descriptor");
	is_errno(write(-1, buf, 1) == -1, EBADF, "a negative one");
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)(i * 31 + i / 4096 * 7 + 1);
	is_int(pwrite(fd, pattern, sizeof(pattern), 1), sizeof(pattern), "128 KiB at an odd place");
	is_int(pread(fd, buf, sizeof(buf), 1), sizeof(buf), "read again");
	ok(!memcmp(buf, pattern, sizeof(buf)), "unchanged");
	for (size_t i = 0; i < 200; i++) {
		size_t at = i * 653 % 100000, n = 1 + i * 97 % 9000;

		bad += pread(fd, buf, n, (off_t)at + 1) != (ssize_t)n || memcmp(buf, pattern + at, n);
	}
	is_int(bad, 0, "pieces of it");
	close(fd);
	is_errno(read(open(".", O_RDONLY), buf, 1) == -1, EISDIR, "read of a directory");
}

static void holes(void)
{
	int fd = open("holes", O_CREAT | O_RDWR, 0644), bad = 0;
	struct stat st;

	pwrite(fd, "A", 1, 0);
	pwrite(fd, "B", 1, 10 * PAGE);
	is_int(fs_size("holes"), 10 * PAGE + 1, "the size of a file with a hole");
	fstat(fd, &st);
	is_int(st.st_blocks, 16, "two pages are allocated");
	memset(buf, 1, sizeof(buf));
	is_int(pread(fd, buf, sizeof(buf), 0), 10 * PAGE + 1, "read over it");
	for (int i = 1; i < 10 * PAGE; i++)
		bad += buf[i] != 0;
	is_int(bad, 0, "zeros");
	fstat(fd, &st);
	is_int(st.st_blocks, 16, "reading allocates nothing");
	is_int(lseek(fd, 0, SEEK_DATA), 0, "SEEK_DATA at data");
	is_int(lseek(fd, 0, SEEK_HOLE), PAGE, "SEEK_HOLE");
	is_int(lseek(fd, PAGE, SEEK_DATA), 10 * PAGE, "SEEK_DATA in the hole");
	is_int(lseek(fd, 2 * PAGE + 5, SEEK_HOLE), 2 * PAGE + 5, "SEEK_HOLE in the hole");
	is_int(lseek(fd, 10 * PAGE, SEEK_HOLE), 10 * PAGE + 1, "the end is a hole");
	is_errno(lseek(fd, 10 * PAGE + 1, SEEK_DATA) == -1, ENXIO, "SEEK_DATA at the end");
	is_errno(lseek(fd, 10 * PAGE + 1, SEEK_HOLE) == -1, ENXIO, "SEEK_HOLE at the end");
	is_errno(lseek(fd, -1, SEEK_HOLE) == -1, ENXIO, "SEEK_HOLE at -1");
	close(fd);
}

static void seeks(void)
{
	int fd = open("file", O_RDWR);

	ftruncate(fd, 1000);
	is_int(lseek(fd, -10, SEEK_END), 990, "SEEK_END");
	is_int(lseek(fd, 5000, SEEK_CUR), 5990, "SEEK_CUR beyond the end");
	is_int(read(fd, buf, 1), 0, "nothing there");
	is_errno(lseek(fd, -1, SEEK_SET) == -1, EINVAL, "before the start");
	is_errno(lseek(fd, -6000, SEEK_CUR) == -1, EINVAL, "before the start from here");
	is_errno(lseek(fd, -1001, SEEK_END) == -1, EINVAL, "before the start from the end");
	is_errno(lseek(fd, 0, 5) == -1, EINVAL, "a bad whence");
	is_errno(lseek(fd, 0, -1) == -1, EINVAL, "a negative whence");
	is_int(lseek(fd, 0, SEEK_CUR), 5990, "none of which moves");
	is_int(lseek(fd, LONG_MAX, SEEK_SET), LONG_MAX, "as far as there is");
	is_errno(lseek(fd, LONG_MAX, SEEK_END) == -1, EINVAL, "further");
	is_errno(lseek(99, 0, SEEK_SET) == -1, EBADF, "a bad descriptor");
	lseek(fd, 2000, SEEK_SET);
	is_int(write(fd, "z", 1), 1, "write beyond the end");
	is_int(fs_size("file"), 2001, "makes a hole");
	close(fd);
}

static void vectors(void)
{
	int fd = open("vec", O_CREAT | O_RDWR, 0644);
	static struct iovec many[1100];
	struct iovec iov[4] = { { "ab", 2 }, { "", 0 }, { "cde", 3 }, { "f", 1 } };
	char a[3], b[8];

	is_int(writev(fd, iov, 4), 6, "writev");
	ok(fs_holds("vec", "abcdef"), "gathers");
	lseek(fd, 0, SEEK_SET);
	iov[0] = (struct iovec){ a, 3 };
	iov[1] = (struct iovec){ b, 8 };
	is_int(readv(fd, iov, 2), 6, "readv");
	ok(!memcmp(a, "abc", 3) && !memcmp(b, "def", 3), "scatters");
	is_int(preadv(fd, iov, 2, 1), 5, "preadv");
	ok(!memcmp(a, "bcd", 3) && !memcmp(b, "ef", 2), "from there");
	is_int(pwritev(fd, (struct iovec[]){ { "XY", 2 }, { "Z", 1 } }, 2, 2), 3, "pwritev");
	ok(fs_holds("vec", "abXYZf"), "there");
	is_int(readv(fd, NULL, 0), 0, "no segments");
	is_errno(readv(fd, iov, -1) == -1, EINVAL, "-1 segments");
	is_errno(readv(fd, many, 1025) == -1, EINVAL, "1025 segments");
	is_int(readv(fd, many, 1024), 0, "1024 empty segments");
	is_errno(readv(fd, BAD_PTR, 1) == -1, EFAULT, "a bad array");
	iov[0] = (struct iovec){ a, (size_t)-1 };
	is_errno(readv(fd, iov, 1) == -1, EINVAL, "a length of -1");
	iov[0] = (struct iovec){ a, (size_t)LONG_MAX };
	iov[1] = (struct iovec){ a, (size_t)LONG_MAX };
	ok(readv(fd, iov, 2) == -1 && (errno == EINVAL || errno == EFAULT), "lengths that overflow");
	lseek(fd, 0, SEEK_SET);
	iov[0] = (struct iovec){ a, 2 };
	iov[1] = (struct iovec){ BAD_PTR, 4 };
	is_int(readv(fd, iov, 2), 2, "a bad second segment: what came before counts");
	iov[0] = (struct iovec){ BAD_PTR, 4 };
	is_errno(writev(fd, iov, 1) == -1, EFAULT, "a bad segment");
	is_errno(preadv(fd, iov, 1, -1) == -1, EINVAL, "preadv at -1");
	iov[0] = (struct iovec){ b, 8 };
	is_int(preadv2(fd, iov, 1, 0, 0), 6, "preadv2");
	lseek(fd, 1, SEEK_SET);
	is_int(preadv2(fd, iov, 1, -1, 0), 5, "preadv2 at -1: the position");
	is_int(lseek(fd, 0, SEEK_CUR), 6, "which moves");
	iov[0] = (struct iovec){ "+", 1 };
	is_int(pwritev2(fd, iov, 1, 0, RWF_APPEND), 1, "RWF_APPEND");
	ok(fs_holds("vec", "abXYZf+"), "at the end");
	is_int(pwritev2(fd, iov, 1, 0, RWF_DSYNC), 1, "RWF_DSYNC");
	is_int(pwritev2(fd, iov, 1, 1, RWF_SYNC), 1, "RWF_SYNC");
	is_errno(pwritev2(fd, iov, 1, 0, 0x4000000) == -1, EOPNOTSUPP, "an unknown flag");
	is_errno(preadv2(fd, iov, 1, -2, 0) == -1, EINVAL, "preadv2 at -2");
	close(fd);
}

static void truncation(void)
{
	int fd, bad = 0;
	char *map;

	fs_make("tr", "0123456789");
	fd = open("tr", O_RDWR);
	is_int(ftruncate(fd, 4), 0, "ftruncate");
	ok(fs_holds("tr", "0123"), "cut");
	is_int(truncate("tr", 8), 0, "truncate to more");
	pread(fd, buf, 8, 0);
	ok(!memcmp(buf, "0123\0\0\0\0", 8), "zeros come");
	is_int(ftruncate(fd, 3 * PAGE), 0, "three pages");
	pwrite(fd, pattern, 3 * PAGE, 0);
	map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	is_int(ftruncate(fd, PAGE + 10), 0, "cut while mapped");
	is_int(ftruncate(fd, 3 * PAGE), 0, "and longer again");
	for (int i = PAGE + 10; i < 3 * PAGE; i++)
		bad += map[i] != 0;
	is_int(bad, 0, "what was cut is gone");
	is_int(map[PAGE + 9], pattern[PAGE + 9], "the rest is there");
	munmap(map, 3 * PAGE);
	is_errno(ftruncate(fd, -1) == -1, EINVAL, "ftruncate to -1");
	is_errno(truncate("tr", -1) == -1, EINVAL, "truncate to -1");
	is_errno(truncate("none", 0) == -1, ENOENT, "of nothing");
	is_errno(truncate(".", 0) == -1, EISDIR, "of a directory");
	is_errno(truncate(BAD_PTR, 0) == -1, EFAULT, "a bad pointer");
	is_errno(truncate("tr/x", 0) == -1, ENOTDIR, "a file as directory");
	close(fd);
	fd = open("tr", O_RDONLY);
	is_errno(ftruncate(fd, 0) == -1, EINVAL, "ftruncate of a read-only descriptor");
	close(fd);
	is_errno(ftruncate(99, 0) == -1, EBADF, "of a bad one");
	fd = open(".", O_RDONLY);
	is_errno(ftruncate(fd, 0) == -1, EINVAL, "of a directory's");
	close(fd);
}

static void allocation(void)
{
	int fd = open("fa", O_CREAT | O_RDWR, 0644), ro = open("fa", O_RDONLY), p[2], bad = 0;
	struct stat st;

	is_int(fallocate(fd, 0, 0, 5 * PAGE), 0, "fallocate");
	fstat(fd, &st);
	ok(st.st_size == 5 * PAGE && st.st_blocks == 40, "size and blocks");
	is_int(fallocate(fd, FALLOC_FL_KEEP_SIZE, 5 * PAGE, 2 * PAGE), 0, "FALLOC_FL_KEEP_SIZE");
	fstat(fd, &st);
	ok(st.st_size == 5 * PAGE && st.st_blocks == 56, "more blocks, the same size");
	pwrite(fd, pattern, 5 * PAGE, 0);
	is_int(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE - 10, 2 * PAGE + 20), 0, "FALLOC_FL_PUNCH_HOLE");
	fstat(fd, &st);
	ok(st.st_size == 5 * PAGE && st.st_blocks == 40, "two pages are free");
	pread(fd, buf, 5 * PAGE, 0);
	for (int i = 0; i < 5 * PAGE; i++)
		bad += buf[i] != (i >= PAGE - 10 && i < 3 * PAGE + 10 ? 0 : pattern[i]);
	is_int(bad, 0, "zeros in the hole, the rest as it was");
	is_errno(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1) == -1, EOPNOTSUPP, "PUNCH_HOLE without KEEP_SIZE");
	is_errno(fallocate(fd, 0, 0, 0) == -1, EINVAL, "length 0");
	is_errno(fallocate(fd, 0, -1, 1) == -1, EINVAL, "offset -1");
	is_errno(fallocate(fd, 0, 0, -1) == -1, EINVAL, "length -1");
	is_errno(fallocate(fd, 0, LONG_MAX, 2) == -1, EFBIG, "beyond the largest file");
	is_errno(fallocate(fd, 0x1000, 0, 1) == -1, EOPNOTSUPP, "an unknown mode");
	is_errno(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE) == -1, EOPNOTSUPP, "COLLAPSE_RANGE");
	is_errno(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, PAGE) == -1, EOPNOTSUPP, "ZERO_RANGE");
	is_errno(fallocate(ro, 0, 0, 1) == -1, EBADF, "a read-only descriptor");
	is_errno(fallocate(99, 0, 0, 1) == -1, EBADF, "a bad one");
	pipe(p);
	is_errno(fallocate(p[1], 0, 0, 1) == -1, ESPIPE, "a pipe");
	is_errno(fallocate(open(".", O_RDONLY), 0, 0, 1) == -1, EBADF, "a directory");
	close(fd);
	close(ro);
}

static volatile sig_atomic_t n_xfsz;

static void on_xfsz(int sig)
{
	(void)sig;
	n_xfsz++;
}

static int size_limit(void)
{
	struct rlimit lim = { 1000, 1000 };
	int fd = open("limited", O_CREAT | O_RDWR, 0644), bad = 0;

	signal(SIGXFSZ, on_xfsz);
	setrlimit(RLIMIT_FSIZE, &lim);
	bad |= pwrite(fd, pattern, 2000, 0) != 1000 ? 1 : 0;
	bad |= n_xfsz ? 2 : 0;
	bad |= pwrite(fd, pattern, 1, 1000) != -1 || errno != EFBIG ? 4 : 0;
	bad |= n_xfsz != 1 ? 8 : 0;
	bad |= ftruncate(fd, 1001) != -1 || errno != EFBIG ? 16 : 0;
	bad |= n_xfsz != 2 ? 32 : 0;
	return bad;
}

static void limits(void)
{
	int fd = open("huge", O_CREAT | O_RDWR, 0644);

	is_int(in_child(size_limit), 0, "RLIMIT_FSIZE: a short write, then EFBIG and SIGXFSZ");
	is_errno(pwrite(fd, "x", 1, LONG_MAX) == -1, EINVAL, "a write beyond all files");
	close(fd);
	mkdir("small", 0755);
	mount("s", "small", "tmpfs", 0, "size=64k,nr_inodes=4");
	fd = open("small/f", O_CREAT | O_RDWR, 0644);
	is_int(write(fd, pattern, sizeof(pattern)), 65536, "a full file system: a short write");
	is_errno(write(fd, pattern, 1) == -1, ENOSPC, "then ENOSPC");
	is_int(ftruncate(fd, 0), 0, "made empty");
	is_int(write(fd, pattern, 4096), 4096, "there is room again");
	is_errno(fallocate(fd, 0, 0, 1 << 20) == -1, ENOSPC, "fallocate: ENOSPC");
	close(open("small/g", O_CREAT | O_WRONLY, 0644));
	close(open("small/h", O_CREAT | O_WRONLY, 0644));
	is_errno(open("small/i", O_CREAT | O_WRONLY, 0644) == -1, ENOSPC, "no inodes left");
	is_errno(mkdir("small/d", 0755) == -1, ENOSPC, "mkdir: ENOSPC");
	is_errno(symlink("x", "small/s") == -1, ENOSPC, "symlink: ENOSPC");
	unlink("small/h");
	is_int(mkdir("small/d", 0755), 0, "unlink makes room");
	close(fd);
	umount("small");
}

static void syncing(void)
{
	int fd = open("file", O_RDWR), p[2];

	pipe(p);
	is_int(fsync(fd), 0, "fsync");
	is_int(fdatasync(fd), 0, "fdatasync");
	is_int(syncfs(fd), 0, "syncfs");
	is_int(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE), 0, "sync_file_range");
	is_errno(sync_file_range(fd, 0, 0, 64) == -1, EINVAL, "with an unknown flag");
	is_errno(sync_file_range(fd, -1, 0, 1) == -1, EINVAL, "at -1");
	is_int(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE), 0, "waiting before");
	is_int(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_AFTER), 0, "and after");
	is_int(sync_file_range(fd, 5, 10, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER), 0, "all of it");
	is_int(sync_file_range(fd, 1l << 40, 0, SYNC_FILE_RANGE_WAIT_AFTER), 0, "beyond the end");
	is_errno(sync_file_range(fd, 0, -1, SYNC_FILE_RANGE_WRITE) == -1, EINVAL, "a negative length");
	is_errno(sync_file_range(99, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE) == -1, EBADF, "a bad descriptor");
	is_errno(sync_file_range(p[1], 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE) == -1, ESPIPE, "a pipe");
	is_int(readahead(fd, 0, 100), 0, "readahead");
	is_errno(fsync(99) == -1, EBADF, "fsync of a bad descriptor");
	is_errno(fdatasync(99) == -1, EBADF, "fdatasync");
	is_errno(syncfs(99) == -1, EBADF, "syncfs");
	sync();
	close(fd);
	close(p[0]);
	close(p[1]);
}

/* Advice is about speed: what is in the file, and what is read of it, stays the same. */
static void advice(void)
{
	static const struct {
		int advice;
		const char *name;
	} all[] = { { POSIX_FADV_NORMAL, "NORMAL" }, { POSIX_FADV_RANDOM, "RANDOM" }, { POSIX_FADV_SEQUENTIAL, "SEQUENTIAL" },
		    { POSIX_FADV_WILLNEED, "WILLNEED" }, { POSIX_FADV_DONTNEED, "DONTNEED" }, { POSIX_FADV_NOREUSE, "NOREUSE" } };
	int fd = open("advised", O_CREAT | O_RDWR, 0644), p[2];

	pipe(p);
	ftruncate(fd, 20 * PAGE);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char text[16], seen[16];

		snprintf(text, sizeof(text), "%-15s", all[i].name);
		pwrite(fd, text, sizeof(text), 10 * PAGE);
		is_int(posix_fadvise(fd, 0, 0, all[i].advice), 0, "POSIX_FADV_%s of the whole file", all[i].name);
		is_int(posix_fadvise(fd, 10 * PAGE, PAGE, all[i].advice), 0, "of a page");
		is_int(posix_fadvise(fd, 1000 * PAGE, 5, all[i].advice), 0, "beyond the end");
		is_int(pread(fd, seen, sizeof(seen), 10 * PAGE), sizeof(seen), "read");
		ok(!memcmp(text, seen, sizeof(seen)), "what was written is still there");
		is_int(posix_fadvise(fd, 0, -1, all[i].advice), EINVAL, "a negative length");
		is_int(posix_fadvise(p[0], 0, 0, all[i].advice), ESPIPE, "of a pipe");
		is_int(posix_fadvise(99, 0, 0, all[i].advice), EBADF, "of a bad descriptor");
	}
	is_int(fs_size("advised"), 20 * PAGE, "the file has its size");
	is_int(posix_fadvise(fd, 0, 0, 77), EINVAL, "unknown advice");
	is_int(posix_fadvise(fd, 0, 0, -1), EINVAL, "advice -1");
	close(fd);
	close(p[0]);
	close(p[1]);
}

/* A write through a mapping is seen by read, and the other way round. */
static void mapped(void)
{
	int fd = open("map", O_CREAT | O_RDWR, 0644);
	char *m;

	ftruncate(fd, 2 * PAGE);
	m = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memcpy(m + 100, "by mapping", 10);
	pread(fd, buf, 10, 100);
	ok(!memcmp(buf, "by mapping", 10), "read sees what a mapping wrote");
	pwrite(fd, "by write", 8, PAGE + 5);
	ok(!memcmp(m + PAGE + 5, "by write", 8), "a mapping sees what write wrote");
	is_int(pwrite(fd, m, PAGE, PAGE), PAGE, "write from the file's own mapping");
	ok(!memcmp(m + PAGE + 100, "by mapping", 10), "copies it");
	is_int(pread(fd, m, PAGE, PAGE), PAGE, "read into the file's own mapping");
	munmap(m, 2 * PAGE);
	close(fd);
}

int main(void)
{
	fs_begin();
	plain();
	holes();
	seeks();
	vectors();
	truncation();
	allocation();
	limits();
	syncing();
	advice();
	mapped();
	return fs_end();
}
