/* SPDX-License-Identifier: MPL-2.0 */
/* copy_file_range(2). */
#include "pattern.h"

#define SIZE 200000

static long copy(int in, loff_t *off_in, int out, loff_t *off_out, size_t len, unsigned int flags)
{
	return syscall(SYS_copy_file_range, in, off_in, out, off_out, len, flags);
}

static void copies(void)
{
	int in = pattern_file("in", SIZE), out = open("out", O_CREAT | O_TRUNC | O_RDWR, 0644);
	loff_t from = 1000, to = 50;

	is_int(copy(in, NULL, out, NULL, 10, 0), 10, "at the positions");
	is_int(lseek(in, 0, SEEK_CUR), 10, "the source's moves");
	is_int(lseek(out, 0, SEEK_CUR), 10, "the target's too");
	is_int(copy(in, &from, out, &to, 5000, 0), 5000, "at offsets");
	ok(from == 6000 && to == 5050, "which are told on");
	is_int(lseek(in, 0, SEEK_CUR), 10, "the positions stay");
	is_int(lseek(out, 0, SEEK_CUR), 10, "both");
	ok(pread(out, buf, sizeof(buf), 0) == 5050 && !memcmp(buf, pattern, 10) && !buf[10] && !buf[49] && !memcmp(buf + 50, pattern + 1000, 5000),
	   "the bytes");
	from = 0;
	to = 0;
	is_int(copy(in, &from, out, &to, 1 << 30, 0), SIZE, "all of it");
	ok(pread(out, buf, sizeof(buf), 0) == SIZE && !memcmp(buf, pattern, SIZE), "is there");
	is_int(copy(in, &from, out, &to, 100, 0), 0, "at the end");
	from = SIZE + 5000;
	is_int(copy(in, &from, out, &to, 100, 0), 0, "beyond it");
	from = SIZE - 5;
	is_int(copy(in, &from, out, &to, 100, 0), 5, "up to it");
	from = 1000;
	is_int(copy(in, &from, out, &to, SSIZE_MAX, 0), SIZE - 1000, "the largest length");
	is_int(copy(in, &from, out, &to, 0, 0), 0, "length 0");
	from = 0;
	to = 100000;
	is_int(copy(in, &from, in, &to, 100000, 0), 100000, "within one file");
	ok(pread(in, buf, SIZE, 0) == SIZE && !memcmp(buf, pattern, 100000) && !memcmp(buf + 100000, pattern, 100000), "the second half is the first");
	close(in), close(out);
}

static void errors(void)
{
	int in = pattern_file("a", PAGE), out = pattern_file("b", PAGE), ro = open("b", O_RDONLY), wo = open("a", O_WRONLY);
	int app = open("b", O_RDWR | O_APPEND), dir = open(".", O_RDONLY), path = open("a", O_PATH), null = open("/dev/null", O_RDWR), p[2], other;
	loff_t from = 0, to = 100, neg = -1, far = LONG_MAX;

	pipe(p);
	is_errno(copy(in, NULL, out, NULL, 1, 1) == -1, EINVAL, "flags");
	is_errno(copy(-1, NULL, out, NULL, 1, 1) == -1, EBADF, "a bad source is noticed before");
	is_errno(copy(dir, NULL, out, NULL, 1, 1) == -1, EINVAL, "a directory not");
	is_errno(copy(in, BAD_PTR, out, NULL, 1, 1) == -1, EFAULT, "a bad pointer is");
	is_errno(copy(-1, NULL, out, NULL, 1, 0) == -1, EBADF, "a bad source");
	is_errno(copy(in, NULL, -1, NULL, 1, 0) == -1, EBADF, "a bad target");
	is_errno(copy(wo, NULL, out, NULL, 1, 0) == -1, EBADF, "a source not open for reading");
	is_errno(copy(in, NULL, ro, NULL, 1, 0) == -1, EBADF, "a target not open for writing");
	is_errno(copy(in, NULL, app, NULL, 1, 0) == -1, EBADF, "a target with O_APPEND");
	is_errno(copy(path, NULL, out, NULL, 1, 0) == -1, EBADF, "an O_PATH descriptor");
	is_errno(copy(dir, NULL, out, NULL, 1, 0) == -1, EISDIR, "a directory as source");
	is_errno(copy(in, NULL, dir, NULL, 1, 0) == -1, EISDIR, "as target");
	is_errno(copy(p[0], NULL, out, NULL, 1, 0) == -1, EINVAL, "a pipe as source");
	is_errno(copy(in, NULL, p[1], NULL, 1, 0) == -1, EINVAL, "as target");
	is_errno(copy(null, NULL, out, NULL, 1, 0) == -1, EINVAL, "a device");
	is_errno(copy(in, NULL, out, BAD_PTR, 1, 0) == -1, EFAULT, "a bad pointer to the target's offset");
	is_errno(copy(in, NULL, out, KERNEL_PTR, 1, 0) == -1, EFAULT, "a worse one");
	is_errno(copy(in, &neg, out, NULL, 10, 0) == -1, EOVERFLOW, "offset -1 as source");
	is_errno(copy(in, NULL, out, &neg, 10, 0) == -1, EOVERFLOW, "as target");
	is_errno(copy(in, &(loff_t){ 5 }, out, NULL, -1ul, 0) == -1, EOVERFLOW, "a length that overflows");
	is_errno(copy(in, NULL, out, &far, 1, 0) == -1, EFBIG, "beyond the largest file");
	is_errno(copy(in, &from, in, &to, 101, 0) == -1, EINVAL, "overlapping ranges");
	is_errno(copy(in, &to, in, &from, 101, 0) == -1, EINVAL, "the other way round");
	is_int(copy(in, &from, in, &to, 100, 0), 100, "ranges that only touch");
	from = 0;
	to = PAGE + 100;
	is_int(copy(in, &from, in, &to, 2 * PAGE, 0), PAGE, "lengths count as cut at the end of the source");
	mkdir("other", 0755);
	mount("other", "other", "tmpfs", 0, NULL);
	other = open("other/f", O_CREAT | O_RDWR, 0644);
	is_errno(copy(in, NULL, other, NULL, 1, 0) == -1, EXDEV, "another tmpfs");
	is_errno(copy(in, NULL, other, NULL, 0, 0) == -1, EXDEV, "even length 0");
	close(other);
	umount("other");
	other = open("/proc/version", O_RDONLY);
	is_errno(copy(other, NULL, out, NULL, 1, 0) == -1, EXDEV, "from /proc");
	close(other);
	close(in), close(out), close(ro), close(wo), close(app), close(dir), close(path), close(null), close(p[0]), close(p[1]);
}

static volatile sig_atomic_t n_xfsz;

static void on_xfsz(int sig)
{
	(void)sig;
	n_xfsz++;
}

static void limits(void)
{
	struct rlimit rl = { 10000, RLIM_INFINITY };
	int in = pattern_file("in", SIZE), out = open("limit", O_CREAT | O_RDWR, 0644);
	struct stat st;

	signal(SIGXFSZ, on_xfsz);
	setrlimit(RLIMIT_FSIZE, &rl);
	is_int(copy(in, NULL, out, NULL, SIZE, 0), 10000, "RLIMIT_FSIZE: up to it");
	is_int(n_xfsz, 0, "no signal yet");
	is_errno(copy(in, NULL, out, NULL, SIZE, 0) == -1, EFBIG, "at it");
	is_int(n_xfsz, 1, "SIGXFSZ");
	is_int(lseek(in, 0, SEEK_CUR), 10000, "the position");
	rl.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &rl);
	fchmod(out, 06755);
	lseek(in, 0, SEEK_SET);
	lseek(out, 0, SEEK_SET);
	is_int(copy(in, NULL, out, NULL, 10, 0), 10, "over a setuid file as root");
	fstat(out, &st);
	is_int(st.st_mode & 07777, 06755, "which keeps its mode");
	close(in), close(out);
}

int main(void)
{
	fs_begin();
	pattern_begin();
	copies();
	errors();
	limits();
	return fs_end();
}
