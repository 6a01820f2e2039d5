/* SPDX-License-Identifier: MPL-2.0 */
/* mmap(2) of files: coherence with read and write, private copies, truncation, SIGBUS, errors by open mode. */
#include "mm_util.h"

static char file_byte(int fd, off_t at)
{
	char c = 0;

	if (pread(fd, &c, 1, at) != 1)
		return '?';
	return c;
}

static void shared_mapping(void)
{
	int fd = temp_file(4 * PAGE);
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *q;

	ok(p != MAP_FAILED, "shared, writable");
	ok(p[0] == 'a' && p[PAGE] == 'b' && p[4 * PAGE - 1] == 'd', "shows the file");
	p[10] = 'P';
	ok(file_byte(fd, 10) == 'P', "a store is seen by read");
	is_int(pwrite(fd, "Q", 1, 2 * PAGE), 1, "a write");
	ok(p[2 * PAGE] == 'Q', "is seen in the mapping");
	q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE);
	ok(q != MAP_FAILED && q[0] == 'Q', "another mapping, with an offset");
	p[2 * PAGE] = 'R';
	ok(q[0] == 'R', "sees stores at once");
	munmap(q, PAGE);
	close(fd);
	p[0] = 'S';
	ok(p[0] == 'S' && p[3 * PAGE] == 'd', "the mapping outlives the descriptor");
	munmap(p, 4 * PAGE);
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

/* The times change at a write through the mapping, not when it is made or read. */
static void times(void)
{
	const struct timespec ticks = { .tv_nsec = 50 * 1000 * 1000 };
	int fd = temp_file(2 * PAGE);
	struct stat before, after;
	char *p;

	fstat(fd, &before);
	nanosleep(&ticks, NULL);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ok(p != MAP_FAILED && p[PAGE] == 'b', "mapped and read");
	fstat(fd, &after);
	ok(!is_later(&after.st_mtim, &before.st_mtim) && !is_later(&after.st_ctim, &before.st_ctim), "that is no change");
	munmap(p, 2 * PAGE);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p[0] = 'P';
	is_int(msync(p, PAGE, MS_SYNC), 0, "written, msync");
	fstat(fd, &after);
	ok(is_later(&after.st_mtim, &before.st_mtim) && is_later(&after.st_ctim, &before.st_ctim), "mtime and ctime are new");
	munmap(p, 2 * PAGE);
	before = after;
	nanosleep(&ticks, NULL);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	p[0] = 'Q';
	fstat(fd, &after);
	ok(!is_later(&after.st_mtim, &before.st_mtim), "a private write changes nothing");
	munmap(p, PAGE);
	close(fd);
}

static void private_mapping(void)
{
	int fd = temp_file(3 * PAGE);
	char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	ok(p != MAP_FAILED && p[0] == 'a', "private, writable");
	p[0] = 'P';
	ok(file_byte(fd, 0) == 'a', "a store does not reach the file");
	p[PAGE] = 'Q';
	ok(p[PAGE] == 'Q' && p[PAGE + 1] == 'b', "a first store without a read before");
	is_int(pwrite(fd, "WW", 2, 0), 2, "a write to the copied page");
	ok(p[0] == 'P' && p[1] == 'a', "is not seen");
	is_int(pwrite(fd, "W", 1, 2 * PAGE), 1, "a write to a page not copied");
	ok(p[2 * PAGE] == 'W', "is");
	munmap(p, 3 * PAGE);
	close(fd);
}

static void ends(void)
{
	int fd = temp_file(PAGE + 100);
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	bool zero = true;

	ok(p != MAP_FAILED, "a mapping longer than the file");
	for (size_t i = PAGE + 100; i < 2 * PAGE; i++)
		zero &= p[i] == 0;
	ok(zero, "the rest of the last page is zero");
	is_int(read_faults(p + 2 * PAGE), SIGBUS, "a read beyond it: SIGBUS");
	is_int(fault_code, BUS_ADRERR, "BUS_ADRERR");
	ok(fault_addr == p + 2 * PAGE, "si_addr");
	is_int(write_faults(p + 3 * PAGE), SIGBUS, "a write: SIGBUS");
	p[PAGE + 200] = 'x';
	ok(file_byte(fd, PAGE + 200) == '?', "a store behind the end does not lengthen the file");
	is_int(ftruncate(fd, 4 * PAGE), 0, "lengthen it");
	ok(p[3 * PAGE] == 0, "now it can be read");
	p[3 * PAGE] = 'y';
	ok(file_byte(fd, 3 * PAGE) == 'y', "and written");
	is_int(ftruncate(fd, PAGE), 0, "shorten it");
	is_int(read_faults(p + PAGE), SIGBUS, "pages that were there are gone");
	is_int(read_faults(p + 3 * PAGE), SIGBUS, "all of them");
	is_int(ftruncate(fd, 4 * PAGE), 0, "lengthen it again");
	ok(p[3 * PAGE] == 0 && p[PAGE + 50] == 0, "they are zero");
	munmap(p, 4 * PAGE);
	close(fd);
}

static void truncated_copies(void)
{
	int fd = temp_file(3 * PAGE);
	char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	p[0] = 'X';
	p[2 * PAGE] = 'Y';
	is_int(ftruncate(fd, PAGE), 0, "shorten under a private mapping");
	ok(p[0] == 'X', "a copy within the file stays");
	is_int(read_faults(p + 2 * PAGE), SIGBUS, "a copy beyond the end is gone");
	is_int(ftruncate(fd, 3 * PAGE), 0, "lengthen");
	ok(p[2 * PAGE] == 0, "the file's page is seen");
	munmap(p, 3 * PAGE);
	close(fd);
}

static void partial_truncation(void)
{
	int fd = temp_file(2 * PAGE);
	char *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);

	is_int(ftruncate(fd, 100), 0, "shorten within a page");
	ok(p[99] == 'a' && p[100] == 0 && p[PAGE - 1] == 0, "the rest of the page is zero");
	munmap(p, 2 * PAGE);
	close(fd);
}

static void holes(void)
{
	int fd = temp_file(0);
	char *p, *q;

	is_int(ftruncate(fd, 64 * PAGE), 0, "a file of holes");
	p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	q = mmap(NULL, 64 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ok(p[5 * PAGE] == 0 && q[5 * PAGE] == 0, "reads as zero");
	p[5 * PAGE] = 'h';
	ok(q[5 * PAGE] == 'h' && file_byte(fd, 5 * PAGE) == 'h', "a store into a hole that was read is seen by all");
	q[63 * PAGE] == 0 ? pwrite(fd, "z", 1, 63 * PAGE) : 0;
	ok(p[63 * PAGE] == 'z' && q[63 * PAGE] == 'z', "so is a write");
	munmap(p, 64 * PAGE);
	munmap(q, 64 * PAGE);
	close(fd);
}

static void open_modes(void)
{
	char name[] = "/tmp/mm_modes_XXXXXX";
	int fd = mkstemp(name), ro, wo, ap;
	char *p, *q, c = 0;

	is_int(pwrite(fd, "x", 1, 0), 1, "a file");
	ro = open(name, O_RDONLY);
	wo = open(name, O_WRONLY);
	ap = open(name, O_RDWR | O_APPEND);
	is_errno(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, wo, 0) == MAP_FAILED, EACCES, "not open for reading, private");
	is_errno(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, wo, 0) == MAP_FAILED, EACCES, "not open for reading, shared");
	is_errno(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0) == MAP_FAILED, EACCES, "shared writable, not open for writing");
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0);
	ok(p != MAP_FAILED && write_faults(p) == 0, "private writable, open for reading");
	munmap(p, PAGE);
	ok(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ap, 0) != MAP_FAILED, "O_APPEND is no hindrance");
	is_errno(mmap(NULL, PAGE, PROT_READ, 0x7, ro, 0) == MAP_FAILED, EINVAL, "an unknown type");
	is_errno(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, ro, 0) == MAP_FAILED, EINVAL, "length 0");
	q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_POPULATE, fd, 0);
	ok(q != MAP_FAILED, "MAP_SHARED_VALIDATE with flags that are known");
	q[0] = 'V';
	ok(pread(fd, &c, 1, 0) == 1 && c == 'V', "is shared with the file");
	munmap(q, PAGE);
	q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE, ro, 0);
	ok(q != MAP_FAILED && *q == 'V', "read-only too");
	munmap(q, PAGE);
	is_errno(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED_VALIDATE, ro, 0) == MAP_FAILED, EACCES, "writable needs a file open for writing");
	is_errno(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x200000, ro, 0) == MAP_FAILED, EOPNOTSUPP, "MAP_SHARED_VALIDATE with an unknown flag");
	is_errno(syscall(SYS_mmap, NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, ro, ~0ul << 12) == -1, EOVERFLOW, "offset and length overflow");
	is_errno(syscall(SYS_mmap, NULL, ~0ul << 12, PROT_READ, MAP_PRIVATE, ro, ~0ul << 12) == -1, ENOMEM, "but first the address space is too small");
	close(ro);
	close(wo);
	close(ap);
	close(fd);
	ro = open("/", O_RDONLY | O_DIRECTORY);
	is_errno(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 0) == MAP_FAILED, ENODEV, "a directory");
	close(ro);
	int pipe_fd[2];

	if (pipe(pipe_fd) == 0)
		is_errno(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, pipe_fd[0], 0) == MAP_FAILED, ENODEV, "a pipe");
	unlink(name);
}

/* The kernel itself reads and writes mapped memory: a write whose buffer is the file's own mapping. */
static void own_buffer(void)
{
	int fd = temp_file(8 * PAGE);
	char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	is_int(pwrite(fd, p, 2 * PAGE, 4 * PAGE), 2 * PAGE, "write from the file's own mapping");
	ok(p[4 * PAGE] == 'a' && p[5 * PAGE] == 'b', "arrives");
	is_int(pread(fd, p + 6 * PAGE, 2 * PAGE, PAGE), 2 * PAGE, "read into it");
	ok(p[6 * PAGE] == 'b' && p[7 * PAGE] == 'c', "arrives");
	is_int(pwrite(fd, p, PAGE, 0), PAGE, "a page onto itself");
	munmap(p, 8 * PAGE);
	close(fd);
}

static void bad_buffers(void)
{
	int fd = temp_file(2 * PAGE);
	char *p = map_anon(2 * PAGE);

	munmap(p + PAGE, PAGE);
	is_errno(pread(fd, p + PAGE, 10, 0) == -1, EFAULT, "read into nothing");
	is_errno(pwrite(fd, p + PAGE, 10, 0) == -1, EFAULT, "write from nothing");
	is_int(pread(fd, p + PAGE - 5, 10, 0), 5, "read over the end of a mapping is short");
	is_int(pwrite(fd, p + PAGE - 5, 10, 0), 5, "so is a write");
	mprotect(p, PAGE, PROT_READ);
	is_errno(pread(fd, p, 10, 0) == -1, EFAULT, "read into read-only memory");
	mprotect(p, PAGE, PROT_NONE);
	is_errno(pwrite(fd, p, 10, 0) == -1, EFAULT, "write from memory without access");
	is_errno(pread(fd, (void *)(1ul << 62), 10, 0) == -1, EFAULT, "read to a kernel address");
	munmap(p, PAGE);
	close(fd);
}

int main(void)
{
	catch_faults();
	shared_mapping();
	times();
	private_mapping();
	ends();
	truncated_copies();
	partial_truncation();
	holes();
	open_modes();
	own_buffer();
	bad_buffers();
	return done_testing();
}
