/* SPDX-License-Identifier: MPL-2.0 */
/* memfd_create(2) and file seals: fcntl(2), F_ADD_SEALS, F_GET_SEALS. */
#include "fs_util.h"
#include <linux/memfd.h>
#include <pthread.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/sendfile.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x10
#endif

static char buf[1 << 16], pattern[1 << 16];

static int memfd(const char *name, unsigned int flags)
{
	return (int)syscall(SYS_memfd_create, name, flags);
}

/* A sealable file of four pages. */
static int sealable(void)
{
	int fd = memfd("seals", MFD_ALLOW_SEALING);

	if (fd < 0 || write(fd, pattern, 4 * PAGE) != 4 * PAGE)
		bail_out("memfd_create: %s", strerror(errno));
	return fd;
}

static int sealed(int seals)
{
	int fd = sealable();

	if (fcntl(fd, F_ADD_SEALS, seals))
		bail_out("F_ADD_SEALS: %s", strerror(errno));
	return fd;
}

static const char *link_of(int fd)
{
	static char text[600];
	char path[40];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	return text;
}

static int reopen(int fd, int flags)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags);
}

static bool maps_show(const char *text)
{
	static char maps[1 << 16];
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, maps + len, sizeof(maps) - 1 - len)) > 0)
		len += n;
	maps[len] = 0;
	close(fd);
	return strstr(maps, text) != NULL;
}

static void create(void)
{
	int fd = memfd("a file", MFD_CLOEXEC), fd2;
	struct stat st;
	char *m;

	ok(fd >= 0, "memfd_create");
	is_int(fcntl(fd, F_GETFD), FD_CLOEXEC, "MFD_CLOEXEC");
	is_int(fcntl(fd, F_GETFL) & ~0100000, O_RDWR, "open for reading and writing");
	ok(!strcmp(link_of(fd), "/memfd:a file (deleted)"), "its name in /proc/self/fd");
	fstat(fd, &st);
	ok(S_ISREG(st.st_mode), "a regular file");
	is_int(st.st_mode & 07777, 0777, "its mode");
	is_int(st.st_size, 0, "its size");
	is_int(st.st_nlink, 0, "no link");
	ok(st.st_uid == 0 && st.st_gid == 0, "its owner");
	is_int(write(fd, "hello", 5), 5, "write");
	is_int(pwrite(fd, "J", 1, 0), 1, "pwrite");
	is_int(lseek(fd, 0, SEEK_SET), 0, "lseek");
	ok(read(fd, buf, 100) == 5 && !memcmp(buf, "Jello", 5), "read");
	is_int(ftruncate(fd, 2 * PAGE), 0, "ftruncate");
	m = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ok(m != MAP_FAILED && !memcmp(m, "Jello", 5), "mmap");
	ok(maps_show("/memfd:a file (deleted)"), "its name in /proc/self/maps");
	m[PAGE] = 'x';
	ok(pread(fd, buf, 1, PAGE) == 1 && buf[0] == 'x', "shared with read");
	fd2 = reopen(fd, O_RDONLY);
	ok(fd2 >= 0 && pread(fd2, buf, 5, 0) == 5, "opened anew through /proc");
	is_errno(write(fd2, "x", 1) == -1, EBADF, "for reading only");
	is_int(fchmod(fd, 0600), 0, "fchmod");
	is_int(fallocate(fd, 0, 0, 4 * PAGE), 0, "fallocate");
	fstat(fd, &st);
	is_int(st.st_size, 4 * PAGE, "grows");
	is_int(flock(fd, LOCK_EX), 0, "flock");
	close(fd), close(fd2);
	is_int(m[PAGE], 'x', "a mapping outlives the descriptors");
	munmap(m, 2 * PAGE);
	fd = memfd("", 0);
	ok(!strcmp(link_of(fd), "/memfd: (deleted)"), "an empty name");
	is_int(fcntl(fd, F_GETFD), 0, "not close-on-exec");
	fd2 = memfd("", 0);
	ok(fd2 >= 0 && fd2 != fd, "the same name again");
	write(fd, "1", 1);
	is_int(read(fd2, buf, 1), 0, "is another file");
	close(fd), close(fd2);
	fd = memfd("with/slash", 0);
	ok(!strcmp(link_of(fd), "/memfd:with/slash (deleted)"), "a slash");
	close(fd);
	fd = memfd(long_name(249), 0);
	ok(fd >= 0, "249 letters");
	is_int(strlen(link_of(fd)), 7 + 249 + 10, "all shown");
	close(fd);
}

static void create_errors(void)
{
	char *edge = fs_edge();
	struct rlimit old, rl;

	is_errno(memfd(long_name(250), 0) == -1, EINVAL, "250 letters");
	is_errno(memfd(BAD_PTR, 0) == -1, EFAULT, "a bad name");
	is_errno(memfd(KERNEL_PTR, 0) == -1, EFAULT, "a worse one");
	memcpy(edge - 3, "abc", 3);
	is_errno(memfd(edge - 3, 0) == -1, EFAULT, "one without an end");
	is_errno(memfd("x", 0x100) == -1, EINVAL, "an unknown flag");
	is_errno(memfd("x", 8) == -1, EINVAL, "MFD_NOEXEC_SEAL, which comes later");
	is_errno(memfd("x", 16) == -1, EINVAL, "MFD_EXEC");
	is_errno(memfd("x", MFD_HUGE_2MB) == -1, EINVAL, "a size of huge pages without MFD_HUGETLB");
	is_errno(memfd(BAD_PTR, 0x100) == -1, EINVAL, "flags are looked at first");
	getrlimit(RLIMIT_NOFILE, &old);
	rl = old;
	rl.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &rl);
	is_errno(memfd("x", 0) == -1, EMFILE, "no descriptor left");
	is_errno(memfd(BAD_PTR, 0) == -1, EFAULT, "the name is looked at before that");
	setrlimit(RLIMIT_NOFILE, &old);
}

static int runs(void)
{
	extern char **environ;
	char *argv[] = { "memfd-child", "7", NULL };
	int self = open("/proc/self/exe", O_RDONLY), fd = memfd("program", MFD_CLOEXEC);
	off_t off = 0;

	while (sendfile(fd, self, &off, 1 << 20) > 0)
		;
	fexecve(fd, argv, environ);
	return 1;
}

static void add_seals(void)
{
	int fd = memfd("none", 0), ro, p[2];

	is_int(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL, "without MFD_ALLOW_SEALING: F_SEAL_SEAL");
	is_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == -1, EPERM, "and nothing more");
	close(fd);
	fd = sealable();
	is_int(fcntl(fd, F_GET_SEALS), 0, "MFD_ALLOW_SEALING: none");
	is_int(fcntl(fd, F_ADD_SEALS, 0), 0, "adding none");
	is_int(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0, "adding one");
	is_int(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0, "again and another");
	is_int(fcntl(fd, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK, "both are there");
	ro = reopen(fd, O_RDONLY);
	is_int(fcntl(ro, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK, "through another descriptor too");
	is_errno(fcntl(ro, F_ADD_SEALS, F_SEAL_WRITE) == -1, EPERM, "one that is open for reading adds none");
	is_errno(fcntl(ro, F_ADD_SEALS, 0x100) == -1, EPERM, "nor unknown ones");
	is_errno(fcntl(fd, F_ADD_SEALS, 0x100) == -1, EINVAL, "an unknown seal");
	is_int(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), 0, "F_SEAL_SEAL");
	is_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1, EPERM, "ends it");
	is_errno(fcntl(fd, F_ADD_SEALS, 0) == -1, EPERM, "even for none");
	is_errno(fcntl(fd, F_ADD_SEALS, 0x100) == -1, EINVAL, "unknown ones are noticed before");
	close(fd), close(ro);
	pipe(p);
	is_errno(fcntl(p[1], F_GET_SEALS) == -1, EINVAL, "a pipe has none");
	is_errno(fcntl(p[1], F_ADD_SEALS, F_SEAL_GROW) == -1, EINVAL, "and gets none");
	is_errno(fcntl(p[0], F_ADD_SEALS, F_SEAL_GROW) == -1, EPERM, "its other end");
	close(p[0]), close(p[1]);
	fd = open("plain", O_CREAT | O_RDWR, 0644);
	is_int(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL, "a tmpfs file: F_SEAL_SEAL");
	is_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == -1, EPERM, "and nothing more");
	close(fd);
	fd = open(".", O_RDONLY);
	is_errno(fcntl(fd, F_GET_SEALS) == -1, EINVAL, "a directory");
	close(fd);
	fd = open("/dev/null", O_RDWR);
	is_errno(fcntl(fd, F_GET_SEALS) == -1, EINVAL, "a device");
	close(fd);
	is_errno(fcntl(99, F_GET_SEALS) == -1, EBADF, "a bad descriptor");
}

static void shrink_grow(void)
{
	int fd = sealed(F_SEAL_SHRINK), again;

	is_errno(ftruncate(fd, PAGE) == -1, EPERM, "F_SEAL_SHRINK: ftruncate to less");
	is_int(ftruncate(fd, 4 * PAGE), 0, "to the same");
	is_int(ftruncate(fd, 5 * PAGE), 0, "to more");
	again = reopen(fd, O_RDWR | O_TRUNC);
	is_errno(again == -1, EPERM, "O_TRUNC");
	is_int(pwrite(fd, "x", 1, 0), 1, "write");
	is_int(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8 * PAGE), 0, "punching a hole");
	close(fd);
	fd = sealed(F_SEAL_GROW);
	is_errno(ftruncate(fd, 4 * PAGE + 1) == -1, EPERM, "F_SEAL_GROW: ftruncate to more");
	is_int(ftruncate(fd, 3 * PAGE + 10), 0, "to less");
	is_errno(pwrite(fd, "x", 1, 3 * PAGE + 10) == -1, EPERM, "a write behind the end");
	is_errno(pwrite(fd, "xy", 2, 3 * PAGE + 9) == -1, EPERM, "one across it");
	is_int(pwrite(fd, "x", 1, 3 * PAGE + 9), 1, "one up to it");
	is_int(pwrite(fd, pattern, 4 * PAGE, 5), 3 * PAGE - 5, "a long one: whole pages");
	is_int(pwrite(fd, pattern, 3 * PAGE, PAGE), 2 * PAGE, "also from a page's start");
	is_int(lseek(fd, 0, SEEK_END), 3 * PAGE + 10, "the size stays");
	is_errno(fallocate(fd, 0, 0, 4 * PAGE) == -1, EPERM, "fallocate");
	is_errno(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE) == -1, EPERM, "even with FALLOC_FL_KEEP_SIZE");
	is_int(fallocate(fd, 0, 0, 3 * PAGE), 0, "within the size");
	is_int(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8 * PAGE), 0, "punching a hole");
	close(fd);
}

static void write_seal(void)
{
	int fd = sealable(), p[2];
	struct iovec iov = { pattern, 10 };
	off_t off = 0;
	char *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *r, *priv;

	is_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1, EBUSY, "F_SEAL_WRITE with a writable shared mapping");
	is_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW) == -1, EBUSY, "with another seal");
	is_int(fcntl(fd, F_GET_SEALS), 0, "adds neither");
	mprotect(m, PAGE, PROT_READ);
	is_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1, EBUSY, "a mapping that could become writable");
	r = mremap(m, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	is_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1, EBUSY, "one that was moved");
	munmap(r + PAGE, PAGE);
	is_errno(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1, EBUSY, "one of which a part went");
	munmap(r, PAGE);
	priv = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	is_int(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0, "none, and a private one");
	is_errno(pwrite(fd, "x", 1, 0) == -1, EPERM, "write");
	is_errno(pwritev(fd, &iov, 1, 0) == -1, EPERM, "pwritev");
	is_int(pwrite(fd, "x", 0, 0), 0, "of nothing");
	is_errno(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE) == -1, EPERM, "punching a hole");
	pipe(p);
	write(p[1], "abc", 3);
	is_errno(splice(p[0], NULL, fd, &off, 3, 0) == -1, EPERM, "splice");
	ioctl(p[0], FIONREAD, &off);
	is_int(read(p[0], buf, 10), 3, "which leaves the pipe alone");
	is_errno(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED, EPERM, "a writable shared mapping");
	priv[0] = '!';
	ok(pread(fd, buf, 1, 0) == 1 && buf[0] == pattern[0], "the private mapping is its own");
	munmap(priv, PAGE);
	off = 0;
	is_int(splice(fd, &off, p[1], NULL, 10, 0), 10, "reading by splice");
	write(p[1], "zzz", 3);
	read(p[0], buf, 13);
	ok(pread(fd, buf, PAGE, 0) == PAGE && !memcmp(buf, pattern, PAGE), "which gives nobody a way in");
	is_int(ftruncate(fd, PAGE), 0, "ftruncate to less");
	is_int(ftruncate(fd, 8 * PAGE), 0, "to more");
	is_int(fallocate(fd, 0, 0, 9 * PAGE), 0, "fallocate");
	close(fd), close(p[0]), close(p[1]);
}

static void future_write(void)
{
	int fd = sealable();
	char *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *r;

	is_int(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0, "F_SEAL_FUTURE_WRITE with a writable shared mapping");
	m[0] = 'M';
	ok(pread(fd, buf, 1, 0) == 1 && buf[0] == 'M', "which goes on");
	is_errno(pwrite(fd, "x", 1, 0) == -1, EPERM, "write");
	is_errno(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE) == -1, EPERM, "punching a hole");
	is_errno(madvise(m, PAGE, MADV_REMOVE) == -1, EPERM, "MADV_REMOVE");
	is_errno(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED, EPERM, "a new writable shared mapping");
	r = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ok(r != MAP_FAILED && r[0] == 'M', "a readable one");
	is_errno(mprotect(r, PAGE, PROT_READ | PROT_WRITE) == -1, EACCES, "which cannot become writable");
	munmap(r, PAGE);
	r = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ok(r != MAP_FAILED, "a private one");
	munmap(r, PAGE);
	is_int(ftruncate(fd, 8 * PAGE), 0, "ftruncate");
	munmap(m, PAGE);
	close(fd);
}

/* --- Once the seal stands, nobody may get another byte in. */

static char *shared;
static volatile int stop;

static void *scribble(void *arg)
{
	(void)arg;
	while (!stop)
		shared[0]++;
	return NULL;
}

static int race_fd;

static void *map_and_write(void *arg)
{
	for (int i = 0; i < 200; i++) {
		char *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, race_fd, 0);

		if (m != MAP_FAILED) {
			m[0]++;
			munmap(m, PAGE);
		}
	}
	return arg;
}

static void seal_race(void)
{
	int bad = 0;

	for (int round = 0; round < 10; round++) {
		char before, after;
		pthread_t t[2];

		race_fd = sealable();
		for (int i = 0; i < 2; i++)
			pthread_create(&t[i], NULL, map_and_write, NULL);
		while (fcntl(race_fd, F_ADD_SEALS, F_SEAL_WRITE))
			if (errno != EBUSY || sched_yield())
				bad++;
		pread(race_fd, &before, 1, 0);
		for (int i = 0; i < 2; i++)
			pthread_join(t[i], NULL);
		pread(race_fd, &after, 1, 0);
		bad += before != after;
		close(race_fd);
	}
	is_int(bad, 0, "threads that map, write and unmap while the seal is put on");
}

static void unmap_race(void)
{
	int bad = 0;
	pid_t pid;

	for (int round = 0; round < 8; round++) {
		int fd = sealable(), status;
		char before, after;

		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			pthread_t t;

			shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			pthread_create(&t, NULL, scribble, NULL);
			sleep_ms(1);
			munmap(shared, PAGE);		/* the other thread dies of it */
			sleep(10);
			_exit(0);
		}
		sleep_ms(1);
		while (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) && errno == EBUSY)
			sched_yield();
		pread(fd, &before, 1, 0);
		sleep_ms(1);
		pread(fd, &after, 1, 0);
		bad += before != after;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		close(fd);
	}
	is_int(bad, 0, "nor does a mapping on its way out let a byte in");
}

int main(int argc, char **argv)
{
	int status;

	if (argc > 1)
		return atoi(argv[1]);
	fs_begin();
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)(i * 7 + i / 251);
	create();
	create_errors();
	status = in_child(runs);
	is_int(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 7, "fexecve of a memfd");
	add_seals();
	shrink_grow();
	write_seal();
	future_write();
	seal_race();
	unmap_race();
	return fs_end();
}
