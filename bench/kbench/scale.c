/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Rows of the same work with 1, 10 and 100 times as much around it, named WORK-SIZE: what the
 * kernel does well does not grow, or with the logarithm.
 */
#define _GNU_SOURCE
#include "kbench.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

static void hold(int arg)
{
	(void)arg;
	for (;;)
		pause();
}

static void raise_limit(int resource, rlim_t value)
{
	struct rlimit limit = {value, value};

	check(setrlimit(resource, &limit), "setrlimit");
}

/* --- processes --- */

static void start_processes(int count)
{
	for (int i = 0; i < count; i++)
		start_peer(hold, 0);
}

static void fork_exit(unsigned int ops)
{
	while (ops-- > 0) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		check(pid < 0 ? -1 : waitpid(pid, NULL, 0), "fork");
	}
}

static void kill_self(unsigned int ops)
{
	while (ops-- > 0)
		check(kill(getpid(), 0), "kill");
}

/* --- threads --- */

static void *sleeper(void *arg)
{
	hold(0);
	return arg;
}

static void start_threads(int count)
{
	pthread_attr_t small;
	pthread_t id;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	for (int i = 0; i < count; i++)
		check(pthread_create(&id, &small, sleeper, NULL) == 0 ? 0 : -1, "pthread_create");
}

static void *finish(void *arg)
{
	return arg;
}

static void create_join(unsigned int ops)
{
	while (ops-- > 0) {
		pthread_t id;

		check(pthread_create(&id, NULL, finish, NULL) == 0 ? 0 : -1, "pthread_create");
		pthread_join(id, NULL);
	}
}

/* --- descriptors --- */

static int source, event, epoll;

static void open_many(int count)
{
	raise_limit(RLIMIT_NOFILE, 20000);
	source = make_file("file", 0);
	for (int i = 0; i < count; i++)
		check(dup(source), "dup");
}

static void dup_close(unsigned int ops)
{
	while (ops-- > 0)
		close((int)check(dup(source), "dup"));
}

/* One of many is ready. */
static void watch_many(int count)
{
	struct epoll_event wanted = {.events = EPOLLIN};
	int fds[2];

	raise_limit(RLIMIT_NOFILE, 20000);
	check(pipe(fds), "pipe");
	epoll = (int)check(epoll_create1(0), "epoll_create1");
	for (int i = 0; i < count; i++)
		check(epoll_ctl(epoll, EPOLL_CTL_ADD, (int)check(dup(fds[0]), "dup"), &wanted), "epoll_ctl");
	event = (int)check(eventfd(1, 0), "eventfd");
	check(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted), "epoll_ctl");
}

static void wait_ready(unsigned int ops)
{
	struct epoll_event got[8];

	while (ops-- > 0)
		check(epoll_wait(epoll, got, 8, -1), "epoll_wait");
}

/* --- mappings --- */

static char *area;

/* Every second page of an area protected: so many mappings that do not merge. */
static void map_many(int count)
{
	area = map_anonymous((size_t)count * 2 * PAGE, MAP_PRIVATE);
	for (int i = 0; i < count; i++)
		check(mprotect(area + (size_t)i * 2 * PAGE, PAGE, PROT_READ), "mprotect");
}

static void map_unmap(unsigned int ops)
{
	while (ops-- > 0)
		check(munmap(map_anonymous(65536, MAP_PRIVATE), 65536), "munmap");
}

static void touch_drop(unsigned int ops)
{
	for (; ops > 0; ops--) {
		area[PAGE] = 1;
		check(madvise(area + PAGE, PAGE, MADV_DONTNEED), "madvise");
	}
}

/* --- timers --- */

static timer_t own_timer;

static void arm_many(int count)
{
	struct sigevent quiet = {.sigev_notify = SIGEV_NONE};
	struct itimerspec later = {.it_value = {100000, 0}};

	raise_limit(RLIMIT_SIGPENDING, 20000);
	for (int i = 0; i <= count; i++) {
		check(timer_create(CLOCK_MONOTONIC, &quiet, &own_timer), "timer_create");
		later.it_value.tv_sec += (i * 7919) % 10007;
		check(timer_settime(own_timer, 0, &later, NULL), "timer_settime");
	}
}

static void arm(unsigned int ops)
{
	struct itimerspec later = {.it_value = {100000, 0}};

	while (ops-- > 0) {
		later.it_value.tv_sec = 100000 + (ops & 1023);
		check(timer_settime(own_timer, 0, &later, NULL), "timer_settime");
	}
}

/* --- files in a directory --- */

static void make_many(int count)
{
	char name[32];

	for (int i = 0; i < count; i++) {
		sprintf(name, "file%d", i);
		close((int)check(open(name, O_CREAT | O_WRONLY, 0644), name));
	}
}

static void create_delete(unsigned int ops)
{
	while (ops-- > 0) {
		close((int)check(open("new", O_CREAT | O_WRONLY, 0644), "open"));
		check(unlink("new"), "unlink");
	}
}

static void stat_one(unsigned int ops)
{
	struct stat st;

	while (ops-- > 0)
		check(stat("file7", &st), "stat");
}

/* --- data in a file --- */

static void make_big(int kib)
{
	source = make_file("file", (size_t)kib << 10);
}

static void read_page(unsigned int ops)
{
	char page[PAGE];

	while (ops-- > 0)
		check(pread(source, page, sizeof(page), PAGE), "pread");
}

#define SCALE(name, smallest, ops, prepare, run) \
	{name "-" #smallest, ops, prepare, run, smallest, NULL}, {name "-" #smallest "0", ops, prepare, run, smallest * 10, NULL}, \
	{name "-" #smallest "00", ops, prepare, run, smallest * 100, NULL}

const struct row scale_rows[] = {
	SCALE("processes-fork", 5, 10, start_processes, fork_exit),
	SCALE("processes-kill", 5, 200, start_processes, kill_self),
	SCALE("threads-create", 5, 20, start_threads, create_join),
	SCALE("fds-dup", 100, 200, open_many, dup_close),
	SCALE("fds-fork", 100, 10, open_many, fork_exit),
	SCALE("fds-epoll", 100, 200, watch_many, wait_ready),
	SCALE("mappings-mmap", 100, 100, map_many, map_unmap),
	SCALE("mappings-fault", 100, 100, map_many, touch_drop),
	SCALE("mappings-fork", 100, 5, map_many, fork_exit),
	SCALE("timers-arm", 100, 200, arm_many, arm),
	SCALE("files-create", 100, 100, make_many, create_delete),
	SCALE("files-stat", 100, 200, make_many, stat_one),
	SCALE("data-pread", 100, 200, make_big, read_page),
	{NULL, 0, NULL, NULL, 0, NULL},
};
