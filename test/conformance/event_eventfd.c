/* SPDX-License-Identifier: MPL-2.0 */
/* eventfd(2): the counter and its end, semaphores, blocking both ways, poll, fork, errors, /proc/self/fdinfo. */
#include "fs_util.h"
#include <pthread.h>
#include <sys/eventfd.h>

#define MOST 0xfffffffffffffffeull

static uint64_t value;

static ssize_t get(int fd)
{
	value = 0;
	return read(fd, &value, sizeof(value));
}

static ssize_t put(int fd, uint64_t n)
{
	return write(fd, &n, sizeof(n));
}

static int events(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI };

	poll(&p, 1, 0);
	return p.revents;
}

static void counting(void)
{
	int fd = eventfd(5, EFD_NONBLOCK);
	char buf[64];

	is_int(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR | O_NONBLOCK, "open for both, not blocking");
	is_int(fcntl(fd, F_GETFD), 0, "not close-on-exec");
	is_int(events(fd), POLLIN | POLLOUT, "5: readable and writable");
	ok(get(fd) == 8 && value == 5, "a read gets 5");
	is_errno(get(fd) == -1, EAGAIN, "then there is nothing");
	is_int(events(fd), POLLOUT, "0: writable only");
	is_int(put(fd, 0), 8, "adding 0");
	is_errno(get(fd) == -1, EAGAIN, "is still nothing");
	is_int(put(fd, 3), 8, "adding 3");
	is_int(put(fd, 4), 8, "adding 4");
	memset(buf, 'x', sizeof(buf));
	ok(read(fd, buf, sizeof(buf)) == 8 && buf[0] == 7 && buf[7] == 0 && buf[8] == 'x', "a large buffer gets 8 bytes: 7");
	is_int(put(fd, MOST), 8, "adding the most there can be");
	is_int(events(fd), POLLIN, "full: readable only");
	is_errno(put(fd, 1) == -1, EAGAIN, "no more fits");
	is_int(put(fd, 0), 8, "but nothing does");
	ok(get(fd) == 8 && value == MOST, "it is read whole");
	is_int(put(fd, MOST - 1), 8, "one less than the most");
	is_int(events(fd), POLLIN | POLLOUT, "is writable");
	is_errno(put(fd, 2) == -1, EAGAIN, "not by 2");
	is_int(put(fd, 1), 8, "by 1");
	close(fd);
	fd = eventfd(0xffffffff, EFD_CLOEXEC);
	ok(get(fd) == 8 && value == 0xffffffff, "the largest first value");
	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "EFD_CLOEXEC");
	close(fd);
	fd = (int)syscall(SYS_eventfd, 9);
	ok(get(fd) == 8 && value == 9, "the older call");
	close(fd);
}

static void semaphore(void)
{
	int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);

	ok(get(fd) == 8 && value == 1, "a semaphore of 2 gives 1");
	ok(get(fd) == 8 && value == 1, "and 1");
	is_errno(get(fd) == -1, EAGAIN, "and no more");
	put(fd, 3);
	get(fd);
	is_int(events(fd), POLLIN | POLLOUT, "after 1 of 3 it is readable");
	get(fd);
	get(fd);
	is_int(events(fd), POLLOUT, "after all 3 it is not");
	close(fd);
}

static void errors(void)
{
	int fd = eventfd(3, EFD_NONBLOCK);
	struct stat st;
	char link[64], buf[64];
	ssize_t n;

	is_errno(eventfd(0, 0x10) == -1, EINVAL, "an unknown flag");
	is_errno(read(fd, &value, 7) == -1, EINVAL, "a read of 7 bytes");
	is_errno(read(fd, &value, 0) == -1, EINVAL, "a read of none");
	is_errno(write(fd, &value, 7) == -1, EINVAL, "a write of 7 bytes");
	is_errno(put(fd, MOST + 1) == -1, EINVAL, "adding 2^64-1");
	is_errno(write(fd, BAD_PTR, 8) == -1, EFAULT, "a write from a bad pointer");
	is_errno(write(fd, KERNEL_PTR, 8) == -1, EFAULT, "a write from a kernel pointer");
	is_errno(write(fd, fs_edge() - 4, 8) == -1, EFAULT, "a write from half a number");
	is_errno(read(fd, BAD_PTR, 8) == -1, EFAULT, "a read to a bad pointer");
	is_errno(get(fd) == -1, EAGAIN, "has taken the value");
	is_int(lseek(fd, 5, SEEK_SET), 0, "lseek says 0");
	is_errno(pread(fd, &value, 8, 0) == -1, ESPIPE, "pread");
	is_errno(pwrite(fd, &value, 8, 0) == -1, ESPIPE, "pwrite");
	is_errno(ftruncate(fd, 0) == -1, EINVAL, "ftruncate");
	is_errno(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED, ENODEV, "mmap");
	is_errno(ioctl(fd, FIONREAD, &n) == -1, ENOTTY, "FIONREAD");
	fstat(fd, &st);
	is_int(st.st_mode, 0600, "a mode without a file type");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	ok(!strcmp(buf, "anon_inode:[eventfd]"), "its link in /proc/self/fd");
	close(fd);
	is_errno(get(fd) == -1, EBADF, "a closed one");
}

static void info(void)
{
	int fd = eventfd(0xabc, 0), in;
	char path[64], buf[512];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	in = open(path, O_RDONLY);
	n = read(in, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	ok(strstr(buf, "\neventfd-count:              abc\n") != NULL, "fdinfo shows the count in hexadecimal");
	ok(strstr(buf, "flags:\t02\n") != NULL, "and the flags");
	close(in);
	close(fd);
	in = open("/", O_PATH);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", in);
	fd = open(path, O_RDONLY);
	n = read(fd, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	ok(strstr(buf, "flags:\t010000000\n") != NULL, "fdinfo of an O_PATH descriptor");
	close(fd);
	close(in);
}

/* --- Blocking */

static int shared, done_fd;

static void *reader(void *arg)
{
	uint64_t n = 0, one = 1;

	read(shared, &n, sizeof(n));
	write(done_fd, &one, sizeof(one));
	return (void *)(uintptr_t)n;
}

static void *writer(void *arg)
{
	put(shared, (uint64_t)(uintptr_t)arg);
	return NULL;
}

static void blocking(void)
{
	pthread_t t[8];
	uint64_t sum = 0;
	void *got;

	shared = eventfd(0, 0);
	done_fd = eventfd(0, EFD_SEMAPHORE);
	pthread_create(&t[0], NULL, reader, NULL);
	sleep_ms(20);
	put(shared, 42);
	pthread_join(t[0], &got);
	is_int((long)(uintptr_t)got, 42, "a blocked read gets what is written");
	put(shared, MOST);
	pthread_create(&t[0], NULL, writer, (void *)7ul);
	pthread_create(&t[1], NULL, writer, (void *)9ul);
	sleep_ms(20);
	ok(get(shared) == 8 && value == MOST, "a full counter is read");
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	ok(get(shared) == 8 && value == 16, "and both blocked writes go through");
	close(shared);
	close(done_fd);

	shared = eventfd(0, EFD_SEMAPHORE);
	done_fd = eventfd(0, EFD_SEMAPHORE);
	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, reader, NULL);
	sleep_ms(20);
	put(shared, 3);
	for (int i = 0; i < 3; i++)
		get(done_fd);
	is_int(events(done_fd), POLLOUT, "a semaphore lets 3 of 8 readers through");
	for (int i = 0; i < 5; i++)
		put(shared, 1);
	for (int i = 0; i < 8; i++) {
		pthread_join(t[i], &got);
		sum += (uintptr_t)got;
	}
	is_int((long)sum, 8, "and the others one by one");
	close(shared);
	close(done_fd);
}

static int child_reads(void)
{
	return get(shared) == 8 ? (int)value : 99;
}

static int child_writes(void)
{
	return put(shared, 11) == 8 ? 0 : 99;
}

static void interrupted(void)
{
	shared = eventfd(0, 0);
	catch(SIGALRM, 0);
	alarm_ms(50);
	is_errno(get(shared) == -1, EINTR, "a signal ends a blocked read");
	put(shared, MOST);
	alarm_ms(50);
	is_errno(put(shared, 1) == -1, EINTR, "and a blocked write");
	get(shared);
	is_int(in_child(child_writes), 0, "a child writes");
	ok(get(shared) == 8 && value == 11, "the parent reads");
	put(shared, 23);
	is_int(WEXITSTATUS(in_child(child_reads)), 23, "and the other way round");
	close(shared);
}

/* readv(2), RWF_NOWAIT: on a descriptor that would wait. */
static void not_waiting(void)
{
	struct iovec iov = { &value, sizeof(value) };
	int fd = eventfd(0, 0);

	is_errno(preadv2(fd, &iov, 1, -1, RWF_NOWAIT) == -1, EAGAIN, "RWF_NOWAIT does not wait");
	put(fd, 3);
	is_int(preadv2(fd, &iov, 1, -1, RWF_NOWAIT), 8, "and reads what is there");
	close(fd);
}

int main(void)
{
	counting();
	semaphore();
	errors();
	info();
	blocking();
	interrupted();
	not_waiting();
	return done_testing();
}
