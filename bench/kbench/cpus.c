/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Rows in which every CPU does the same work at once, on things they share or each on its own: one
 * thread or process a CPU, bound to it, released together. An operation is one worker's.
 */
#define _GNU_SOURCE
#include "kbench.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CPUS = 64, PAGE = 4096 };

/* Shared by the workers, threads or processes. */
static struct shared {
	pthread_barrier_t start, end;
	unsigned int ops;	/* of each worker */
} *shared;

static void (*work)(int worker, unsigned int ops);
static int workers, fd;

static void work_loop(int worker)
{
	cpu_set_t own;

	CPU_ZERO(&own);
	CPU_SET((size_t)worker, &own);
	check(sched_setaffinity(0, sizeof(own), &own), "sched_setaffinity");
	for (;;) {
		pthread_barrier_wait(&shared->start);
		work(worker, shared->ops);
		pthread_barrier_wait(&shared->end);
	}
}

static void *work_thread(void *arg)
{
	work_loop((int)(intptr_t)arg);
	return NULL;
}

static void prepare(void)
{
	pthread_barrierattr_t attr;

	workers = (int)sysconf(_SC_NPROCESSORS_ONLN);
	shared = map_anonymous(sizeof(*shared), MAP_SHARED);
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->start, &attr, (unsigned int)workers + 1);
	pthread_barrier_init(&shared->end, &attr, (unsigned int)workers + 1);
}

static void start_threads(void (*what)(int, unsigned int))
{
	pthread_t id;

	prepare();
	work = what;
	for (intptr_t i = 0; i < workers; i++)
		check(pthread_create(&id, NULL, work_thread, (void *)i) == 0 ? 0 : -1, "pthread_create");
}

static void start_processes(void (*what)(int, unsigned int))
{
	prepare();
	work = what;
	for (int i = 0; i < workers; i++)
		start_peer(work_loop, i);
}

static void run(unsigned int ops)
{
	shared->ops = ops / (unsigned int)workers;
	pthread_barrier_wait(&shared->start);
	pthread_barrier_wait(&shared->end);
}

/* --- what the workers do --- */

static void open_close(int worker, unsigned int ops)
{
	(void)worker;
	while (ops-- > 0)
		close((int)check(open("file", O_RDONLY), "open"));
}

static void stat_file(int worker, unsigned int ops)
{
	struct stat st;

	(void)worker;
	while (ops-- > 0)
		check(stat("file", &st), "stat");
}

static void read_page(int worker, unsigned int ops)
{
	char page[PAGE];

	(void)worker;
	while (ops-- > 0)
		check(pread(fd, page, sizeof(page), 0), "pread");
}

static void create_delete(int worker, unsigned int ops)
{
	char name[16];

	sprintf(name, "new%d", worker);
	while (ops-- > 0) {
		close((int)check(open(name, O_CREAT | O_WRONLY, 0644), "open"));
		check(unlink(name), "unlink");
	}
}

static void map_touch_unmap(int worker, unsigned int ops)
{
	(void)worker;
	while (ops-- > 0)
		check(munmap(touched(16 * PAGE), 16 * PAGE), "munmap");
}

static void fork_exit(int worker, unsigned int ops)
{
	(void)worker;
	while (ops-- > 0) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		check(pid < 0 ? -1 : waitpid(pid, NULL, 0), "fork");
	}
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock_unlock(int worker, unsigned int ops)
{
	(void)worker;
	while (ops-- > 0) {
		pthread_mutex_lock(&mutex);
		check(lseek(fd, 0, SEEK_CUR), "lseek");
		pthread_mutex_unlock(&mutex);
	}
}

static int pipes[MAX_CPUS][2];

/* Each worker hands the token to the next CPU. */
static void pass_on(int worker, unsigned int ops)
{
	char token;

	for (; ops > 0; ops--) {
		if (worker == 0)
			check(write(pipes[1 % workers][1], &token, 1), "write");
		check(read(pipes[worker][0], &token, 1), "read");
		if (worker != 0)
			check(write(pipes[(worker + 1) % workers][1], &token, 1), "write");
	}
}

/* --- the rows: by number, since what they prepare differs --- */

enum which { OPEN, STAT, PREAD, CREATE, MAP_THREADS, MAP_PROCESSES, FORK, MUTEX, RING };

static void prepare_row(int which)
{
	static void (*const works[])(int, unsigned int) = {
		[OPEN] = open_close, [STAT] = stat_file, [PREAD] = read_page, [CREATE] = create_delete,
		[MAP_THREADS] = map_touch_unmap, [MAP_PROCESSES] = map_touch_unmap, [FORK] = fork_exit,
		[MUTEX] = lock_unlock, [RING] = pass_on,
	};

	fd = make_file("file", 65536);
	for (int i = 0; i < MAX_CPUS && which == RING; i++)
		check(pipe(pipes[i]), "pipe");
	if (which == MAP_THREADS || which == MUTEX || which == OPEN || which == PREAD)
		start_threads(works[which]);
	else
		start_processes(works[which]);
}

const struct row cpus_rows[] = {
	{"open-threads", 1000, prepare_row, run, OPEN, NULL},
	{"stat-processes", 2000, prepare_row, run, STAT, NULL},
	{"pread-threads", 2000, prepare_row, run, PREAD, NULL},
	{"create-processes", 400, prepare_row, run, CREATE, NULL},
	{"map-threads", 100, prepare_row, run, MAP_THREADS, NULL},
	{"map-processes", 100, prepare_row, run, MAP_PROCESSES, NULL},
	{"fork-processes", 20, prepare_row, run, FORK, NULL},
	{"mutex-threads", 2000, prepare_row, run, MUTEX, NULL},
	{"ring-processes", 400, prepare_row, run, RING, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};
