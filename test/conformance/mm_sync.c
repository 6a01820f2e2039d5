/* SPDX-License-Identifier: MPL-2.0 */
/* msync(2) and mincore(2). */
#include "mm_util.h"

static void syncing(void)
{
	int fd = temp_file(4 * PAGE);
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), c = 0;

	p[0] = 'X';
	is_int(msync(p, 4 * PAGE, MS_SYNC), 0, "MS_SYNC");
	is_int(pread(fd, &c, 1, 0), 1, "read");
	ok(c == 'X', "the file has it");
	is_int(msync(p, PAGE, MS_ASYNC), 0, "MS_ASYNC");
	is_int(msync(p, PAGE, MS_SYNC | MS_INVALIDATE), 0, "MS_INVALIDATE");
	is_int(msync(p, PAGE, 0), 0, "no flag");
	is_int(msync(p, 0, MS_SYNC), 0, "length 0");
	is_errno(msync(p, PAGE, MS_SYNC | MS_ASYNC) == -1, EINVAL, "MS_SYNC and MS_ASYNC");
	is_errno(msync(p, PAGE, 64) == -1, EINVAL, "an unknown flag");
	is_errno(msync(p + 1, PAGE, MS_SYNC) == -1, EINVAL, "an unaligned address");
	munmap(p + PAGE, PAGE);
	is_errno(msync(p, 4 * PAGE, MS_SYNC) == -1, ENOMEM, "a hole in the range");
	is_errno(msync(p + PAGE, PAGE, MS_ASYNC) == -1, ENOMEM, "nothing mapped");
	is_errno(syscall(SYS_msync, p, ~0ul - 8191, MS_SYNC) == -1, ENOMEM, "a length that wraps");
	if (mlock(p, PAGE) == 0) {
		is_errno(msync(p, PAGE, MS_INVALIDATE) == -1, EBUSY, "MS_INVALIDATE of locked memory");
		munlock(p, PAGE);
	} else {
		skip("mlock");
	}
	munmap(p, 4 * PAGE);
	close(fd);
	p = map_anon(PAGE);
	is_int(msync(p, PAGE, MS_SYNC), 0, "anonymous memory");
	munmap(p, PAGE);
}

static void in_core(void)
{
	unsigned char vec[1024];
	char *p = map_anon(1000 * PAGE);
	int n = 0, fd = temp_file(4 * PAGE);

	for (int i = 0; i < 1000; i += 10)
		p[i * PAGE] = 1;
	memset(vec, 0xff, sizeof(vec));
	is_int(mincore(p, 1000 * PAGE, vec), 0, "mincore");
	for (int i = 0; i < 1000; i++)
		n += (vec[i] & 1) == (i % 10 == 0);
	is_int(n, 1000, "tells touched from untouched");
	is_int(vec[1000], 0xff, "and writes one byte a page");
	is_int(mincore(p, 0, vec), 0, "length 0");
	is_int(mincore(p, 1, vec), 0, "length 1 is a page");
	is_errno(mincore(p + 1, PAGE, vec) == -1, EINVAL, "an unaligned address");
	is_errno(mincore(p, PAGE, (void *)8) == -1, EFAULT, "a bad vector");
	is_errno(mincore(p, PAGE, (void *)(1ul << 62)) == -1, EFAULT, "a vector in the kernel");
	is_errno(syscall(SYS_mincore, 1ul << 62, PAGE, vec) == -1, ENOMEM, "an address beyond the address space");
	is_errno(syscall(SYS_mincore, p, ~0ul >> 1, vec) == -1, ENOMEM, "a length beyond everything");
	munmap(p + PAGE, PAGE);
	is_errno(mincore(p, 3 * PAGE, vec) == -1, ENOMEM, "a hole in the range");
	munmap(p, 1000 * PAGE);
	p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	is_int(mincore(p, 4 * PAGE, vec), 0, "a file that was just written");
	ok((vec[0] & vec[3] & 1) == 1, "is in the cache, mapped or not");
	munmap(p, 4 * PAGE);
	close(fd);
}

int main(void)
{
	syncing();
	in_core();
	return done_testing();
}
