/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Uses up what the first argument names, until the kernel refuses or ends it. For the tables of this folder, which state what becomes of the machine.
 *
 *	memory		anonymous pages			forks		processes, each of which eats
 *	sparse		page tables			pipes		full pipes in many processes
 *	bomb		forks for ever			threads		threads that stay
 *	files		descriptors			maps		mappings that cannot merge
 *	tmpfs		one file			stopped		memory, then sleeps in the kernel
 *	many-threads	10,000 of them, all alive	many-maps N	N mappings
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define HUGE_SPAN (64ul << 30)

static long amount;

static char *reserve(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

/* Each step touches one page. */
static int touch_all(size_t step)
{
	char *p = reserve(HUGE_SPAN);

	for (size_t at = 0; at < HUGE_SPAN; at += step)
		p[at] = 1;
	return 1;
}

static int memory(void)
{
	return touch_all(PAGE);
}

static int sparse(void)
{
	return touch_all(2ul << 20);
}

/* Eight children that eat, and end with their parent. */
static int eight(int (*eat)(void))
{
	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(eat());
		}
	while (wait(NULL) > 0)
		;
	return 0;
}

static int forks(void)
{
	return eight(memory);
}

static int fill_pipes(void)
{
	static char data[65536];
	int fd[2];

	while (pipe2(fd, O_NONBLOCK) == 0) {
		fcntl(fd[1], F_SETPIPE_SZ, 1 << 20);
		while (write(fd[1], data, sizeof(data)) > 0)
			;
	}
	pause();
	return 0;
}

static int pipes(void)
{
	return eight(fill_pipes);
}

static int bomb(void)
{
	time_t end = time(NULL) + 2;

	signal(SIGCHLD, SIG_IGN);
	while (time(NULL) < end)
		if (fork() < 0)
			usleep(1000);
	return 0;
}

static void *stay(void *arg)
{
	pause();
	return arg;
}

static int threads(void)
{
	pthread_attr_t attr;
	pthread_t t;
	int n = 0, err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	while ((err = pthread_create(&t, &attr, stay, NULL)) == 0)
		n++;
	printf("%s after %s threads\n", strerror(err), n > 100 ? "many" : "few");
	return 0;
}

static int files(void)
{
	struct rlimit l = { 20000, 20000 };
	int n = 0;

	setrlimit(RLIMIT_NOFILE, &l);
	while (open("/dev/null", O_RDONLY) >= 0)
		n++;
	printf("%s after %s descriptors\n", strerror(errno), n > 19000 ? "20000" : "few");
	return 0;
}

static int maps(void)
{
	char *p = reserve(1ul << 30);
	long n = 0;

	for (size_t at = 0; at < 1ul << 30; at += 2 * PAGE, n++)
		if (mprotect(p + at, PAGE, PROT_READ))
			break;
	printf("%s after %s mappings\n", strerror(errno), n * 2 > 65000 && n * 2 < 66000 ? "65530" : "other");
	return 0;
}

static bool set_limit(const char *path, long n)
{
	FILE *f = fopen(path, "w");

	return f && fprintf(f, "%ld\n", n) > 0 && !fclose(f);
}

static pthread_barrier_t all_alive;

static void *meet(void *arg)
{
	pthread_barrier_wait(&all_alive);
	return arg;
}

/* 10,000 at once, who end at once. Twice: what the first ones had is there for the second. */
static int many_threads(void)
{
	enum { N = 10000 };
	static pthread_t t[N];
	pthread_attr_t attr;
	int err = 0, i;

	if (!set_limit("/proc/sys/kernel/threads-max", 2 * N))
		return 1;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	for (int round = 0; round < 2; round++) {
		pthread_barrier_init(&all_alive, NULL, N + 1);
		for (i = 0; i < N && (err = pthread_create(&t[i], &attr, meet, NULL)) == 0; i++)
			;
		if (err) {
			printf("%s after %d threads\n", strerror(err), i);
			return 1;
		}
		pthread_barrier_wait(&all_alive);
		for (i = 0; i < N; i++)
			pthread_join(t[i], NULL);
		printf("%d threads\n", N);
	}
	return 0;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* n mappings, made one by one. The last tenth must not cost more than some times the first one: a tree has grown by three levels, a list would have by far more. */
static int many_maps(void)
{
	const long tenth = amount / 10, n = 10 * tenth;
	double start, took[10];
	char *p = reserve((size_t)n * PAGE);

	if (!set_limit("/proc/sys/vm/max_map_count", n + 1000))
		return 1;
	for (long i = 0; i < 10; i++) {
		start = seconds();
		for (long at = i * tenth; at < (i + 1) * tenth; at += 2)
			if (mprotect(p + at * PAGE, PAGE, PROT_READ)) {
				printf("%s after %ld\n", strerror(errno), at);
				return 2;
			}
		took[i] = seconds() - start;
	}
	printf("%ld mappings, %s\n", n, took[9] < 8 * took[0] + 1 ? "each in its time" : "slower and slower");
	if (munmap(p, (size_t)n * PAGE))
		return 3;
	printf("unmapped\n");
	return 0;
}

static int tmpfs(void)
{
	static char data[65536];
	int fd = open("/tmp/big", O_CREAT | O_WRONLY, 0600);

	while (write(fd, data, sizeof(data)) > 0)
		;
	printf("%s\n", strerror(errno));
	return unlink("/tmp/big");
}

/* The memory is one process's, who sleeps in the kernel when another asks for it. */
static int stopped(void)
{
	int fd[2];
	char *p = reserve(HUGE_SPAN);
	struct sysinfo info;

	if (pipe(fd) || sysinfo(&info))
		return 1;
	if (fork() == 0) {
		for (size_t at = 0; at < info.freeram / 10 * 6; at += PAGE)
			p[at] = 1;
		(void)!write(fd[1], "x", 1);
		kill(getpid(), SIGSTOP);
		return 0;
	}
	(void)!read(fd[0], p, 1);
	signal(SIGCHLD, SIG_DFL);
	for (size_t at = 0; at < info.freeram / 10 * 5; at += PAGE)
		p[at] = 1;
	printf("survived\n");
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} ways[] = {
	{ "memory", memory }, { "sparse", sparse }, { "forks", forks }, { "pipes", pipes }, { "bomb", bomb }, { "threads", threads },
	{ "files", files }, { "maps", maps }, { "tmpfs", tmpfs }, { "stopped", stopped },
	{ "many-threads", many_threads }, { "many-maps", many_maps },
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	amount = argc > 2 ? atol(argv[2]) : 0;
	for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(argv[1], ways[i].name))
			return ways[i].run();
	return 99;
}
