/* SPDX-License-Identifier: MPL-2.0 */
/*
 * epoll(7) under threads: what is added, changed, deleted and closed while events come in and others wait. No wake-up may be lost (a lost one ends the test
 * by a time limit that is far beyond what any machine needs), nothing may be told of what has gone.
 */
#include "fs_util.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#define LONG_MS 60000

static int ctl(int ep, int op, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, op, fd, &e);
}

static void put(int fd, uint64_t n)
{
	while (write(fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

static uint64_t take(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

/* --- Ping-pong: each side waits for the other in an epoll; one lost wake-up ends it */

static int ping_fd, pong_fd;
static uint32_t mode;

enum { ROUNDS = 1500 };

static void *pong(void *arg)
{
	int ep = epoll_create1(0);
	struct epoll_event e;
	long n = 0;

	ctl(ep, EPOLL_CTL_ADD, ping_fd, EPOLLIN | mode);
	for (; n < ROUNDS; n++) {
		if (epoll_wait(ep, &e, 1, LONG_MS) != 1)
			break;
		take(ping_fd);
		if (mode & EPOLLONESHOT)
			ctl(ep, EPOLL_CTL_MOD, ping_fd, EPOLLIN | mode);
		put(pong_fd, 1);
	}
	close(ep);
	return (void *)n;
}

static void ping_pong(uint32_t events, const char *what)
{
	int ep = epoll_create1(0), n = 0;
	struct epoll_event e;
	pthread_t t;
	void *got;

	mode = events;
	ping_fd = eventfd(0, EFD_NONBLOCK);
	pong_fd = eventfd(0, EFD_NONBLOCK);
	ctl(ep, EPOLL_CTL_ADD, pong_fd, EPOLLIN | (events & EPOLLET));
	pthread_create(&t, NULL, pong, NULL);
	for (; n < ROUNDS; n++) {
		put(ping_fd, 1);
		if (epoll_wait(ep, &e, 1, LONG_MS) != 1)
			break;
		take(pong_fd);
	}
	pthread_join(t, &got);
	ok(n == ROUNDS && (long)got == ROUNDS, "ping-pong, %s", what);
	close(ping_fd);
	close(pong_fd);
	close(ep);
}

/* --- Workers on one epoll: everything that is written is read, by whomever */

enum { WORKERS = 4, FILES = 8, WRITES = 400 };

static int work_ep, files[FILES], stop_fd, n_writers_done;
static uint64_t n_read;

static void *work(void *arg)
{
	struct epoll_event e[3];

	for (;;) {
		int n = epoll_wait(work_ep, e, 3, LONG_MS);

		if (n <= 0)
			return (void *)1;
		for (int i = 0; i < n; i++) {
			if (e[i].data.fd == stop_fd)
				return NULL;
			__atomic_fetch_add(&n_read, take(e[i].data.fd), __ATOMIC_RELAXED);
			if (mode & EPOLLONESHOT)
				ctl(work_ep, EPOLL_CTL_MOD, e[i].data.fd, EPOLLIN | mode);
		}
	}
}

static void *write_all(void *arg)
{
	for (int i = 0; i < WRITES; i++)
		for (int j = 0; j < FILES; j++)
			put(files[j], 1);
	__atomic_fetch_add(&n_writers_done, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void workers(uint32_t events, const char *what)
{
	pthread_t w[WORKERS], t[2];
	const uint64_t all = 2 * FILES * WRITES;
	long bad = 0, start;
	void *got;

	mode = events;
	n_read = 0;
	work_ep = epoll_create1(0);
	stop_fd = eventfd(0, 0);
	for (int i = 0; i < FILES; i++) {
		files[i] = eventfd(0, EFD_NONBLOCK);
		ctl(work_ep, EPOLL_CTL_ADD, files[i], EPOLLIN | mode);
	}
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&w[i], NULL, work, NULL);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, write_all, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	start = now_ms();
	while (__atomic_load_n(&n_read, __ATOMIC_RELAXED) < all && now_ms() - start < LONG_MS)
		sleep_ms(1);
	is_int((long)__atomic_load_n(&n_read, __ATOMIC_RELAXED), (long)all, "all that is written is read by four workers, %s", what);
	ctl(work_ep, EPOLL_CTL_ADD, stop_fd, EPOLLIN);
	put(stop_fd, 1);
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(w[i], &got);
		bad += got != NULL;
	}
	is_int(bad, 0, "and all of them end, %s", what);
	for (int i = 0; i < FILES; i++)
		close(files[i]);
	close(stop_fd);
	close(work_ep);
}

/* --- One wake-up a write: exclusive epolls on one file; each write is taken by somebody */

static int tokens;
static uint64_t n_taken;

static void *take_tokens(void *arg)
{
	int ep = epoll_create1(0);
	struct epoll_event e;

	ctl(ep, EPOLL_CTL_ADD, tokens, EPOLLIN | EPOLLEXCLUSIVE);
	ctl(ep, EPOLL_CTL_ADD, stop_fd, EPOLLIN);
	while (epoll_wait(ep, &e, 1, LONG_MS) == 1 && e.data.fd != stop_fd)
		__atomic_fetch_add(&n_taken, take(tokens), __ATOMIC_RELAXED);
	close(ep);
	return NULL;
}

static void exclusive(void)
{
	pthread_t w[WORKERS];
	long start;

	tokens = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE);
	stop_fd = eventfd(0, 0);
	n_taken = 0;
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&w[i], NULL, take_tokens, NULL);
	for (int i = 0; i < 600; i++)
		put(tokens, 1 + i % 3);
	start = now_ms();
	while (__atomic_load_n(&n_taken, __ATOMIC_RELAXED) < 1200 && now_ms() - start < LONG_MS)
		sleep_ms(1);
	is_int((long)n_taken, 1200, "exclusive epolls take every token");
	put(stop_fd, 1);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(w[i], NULL);
	close(tokens);
	close(stop_fd);
}

/* --- Everything at once: files come and go under waiters, writers and nests */

static int chaos_ep, outer_ep;
static int chaos_fds[FILES];	/* [a] */
static int is_over;		/* [a] */

static bool over(void)
{
	return __atomic_load_n(&is_over, __ATOMIC_RELAXED);
}

static void *chaos_files(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < 700; i++) {
		int slot = rand_r(&seed) % FILES, kind = rand_r(&seed) % 3, fd, p[2];
		struct itimerspec it = { .it_value = { 0, 200000 }, .it_interval = { 0, 300000 } };

		if (kind == 0) {
			fd = eventfd(0, EFD_NONBLOCK);
		} else if (kind == 1) {
			fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
			timerfd_settime(fd, 0, &it, NULL);
		} else {
			pipe(p);
			write(p[1], "x", 1);
			fd = p[0];
			close(p[1]);
		}
		ctl(chaos_ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | (rand_r(&seed) % 2 ? EPOLLET : 0));
		close(__atomic_exchange_n(&chaos_fds[slot], fd, __ATOMIC_RELAXED));
	}
	return NULL;
}

static void *chaos_change(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	while (!over()) {
		int fd = __atomic_load_n(&chaos_fds[rand_r(&seed) % FILES], __ATOMIC_RELAXED);

		switch (rand_r(&seed) % 4) {
		case 0:
			ctl(chaos_ep, EPOLL_CTL_DEL, fd, 0);
			break;
		case 1:
			ctl(chaos_ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLEXCLUSIVE);
			break;
		case 2:
			ctl(chaos_ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT);
			break;
		default:
			put(fd, 1);
			sched_yield();
		}
	}
	return NULL;
}

static void *chaos_wait(void *arg)
{
	struct epoll_event e[4];
	int ep = arg ? outer_ep : chaos_ep;

	while (!over()) {
		int n = epoll_wait(ep, e, 4, 1);

		for (int i = 0; i < n && !arg; i++)
			take(e[i].data.fd);
	}
	return NULL;
}

static void *chaos_nest(void *arg)
{
	while (!over()) {
		int middle = epoll_create1(0);

		ctl(middle, EPOLL_CTL_ADD, chaos_ep, EPOLLIN);
		ctl(outer_ep, EPOLL_CTL_ADD, middle, EPOLLIN | EPOLLET);
		ctl(chaos_ep, EPOLL_CTL_ADD, outer_ep, EPOLLIN);	/* a circle: refused */
		ctl(outer_ep, EPOLL_CTL_DEL, chaos_ep, 0);
		ctl(outer_ep, EPOLL_CTL_ADD, chaos_ep, EPOLLIN);
		close(middle);
	}
	return NULL;
}

static void chaos(void)
{
	void *(*const fns[])(void *) = { chaos_files, chaos_files, chaos_change, chaos_wait, chaos_wait, chaos_nest };
	enum { N = sizeof(fns) / sizeof(fns[0]) };
	struct epoll_event e[FILES + 1];
	pthread_t t[N];
	int fd, n;

	chaos_ep = epoll_create1(0);
	outer_ep = epoll_create1(0);
	for (int i = 0; i < FILES; i++)
		chaos_fds[i] = eventfd(0, EFD_NONBLOCK);
	for (uintptr_t i = 0; i < N; i++)
		pthread_create(&t[i], NULL, fns[i], (void *)(fns[i] == chaos_wait ? i % 2 : i + 1));
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	__atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
	for (int i = 2; i < N; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < FILES; i++)
		close(chaos_fds[i]);
	n = epoll_wait(chaos_ep, e, FILES + 1, 0);
	is_int(n, 0, "when all files are closed nothing is told");
	fd = eventfd(0, 0);
	is_int(ctl(chaos_ep, EPOLL_CTL_ADD, fd, EPOLLIN), 0, "the epoll is as good as new");
	ctl(outer_ep, EPOLL_CTL_DEL, chaos_ep, 0);
	is_int(ctl(outer_ep, EPOLL_CTL_ADD, chaos_ep, EPOLLIN), 0, "and so is the one around it");
	is_int(epoll_wait(outer_ep, e, 1, 0), 0, "nothing");
	put(fd, 1);
	is_int(epoll_wait(outer_ep, e, 1, LONG_MS), 1, "an event");
	close(fd);
	close(chaos_ep);
	close(outer_ep);
}

/* --- A file is closed, or the epoll, while others wait on it */

static void *wait_long(void *arg)
{
	struct epoll_event e;

	return (void *)(intptr_t)epoll_wait(work_ep, &e, 1, LONG_MS);
}

static void closing(void)
{
	int fd = eventfd(0, 0), other = eventfd(0, 0), copy, good = 0;
	pthread_t t;
	void *got;

	for (int i = 0; i < 30; i++) {
		work_ep = epoll_create1(0);
		copy = dup(work_ep);
		ctl(work_ep, EPOLL_CTL_ADD, fd, EPOLLIN);
		pthread_create(&t, NULL, wait_long, NULL);
		if (i % 2)
			sleep_ms(1);
		close(fd);
		ctl(copy, EPOLL_CTL_ADD, other, EPOLLIN);
		put(other, 1);
		pthread_join(t, &got);
		good += (intptr_t)got == 1;
		take(other);
		close(work_ep);
		close(copy);
		fd = eventfd(0, 0);
	}
	is_int(good, 30, "a waiter outlives the file it waited for");
	close(fd);
	close(other);
}

/* --- Who polls an epoll is told what is ready, also while another scans it and has that in hand */

static bool is_scanned;

static void *scan_on(void *arg)
{
	struct epoll_event e;

	while (__atomic_load_n(&is_scanned, __ATOMIC_RELAXED))
		epoll_wait(work_ep, &e, 1, 0);
	return NULL;
}

static void polled(void)
{
	int fd = eventfd(1, 0), outer = epoll_create1(0), n_polled = 0, n_nested = 0;
	struct pollfd p = { .events = POLLIN };
	struct epoll_event e;
	pthread_t t;

	work_ep = p.fd = epoll_create1(0);
	ctl(work_ep, EPOLL_CTL_ADD, fd, EPOLLIN);
	ctl(outer, EPOLL_CTL_ADD, work_ep, EPOLLIN);
	is_scanned = true;
	pthread_create(&t, NULL, scan_on, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		n_polled += poll(&p, 1, 0) == 1;
		n_nested += epoll_wait(outer, &e, 1, 0) == 1;
	}
	__atomic_store_n(&is_scanned, false, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	is_int(n_polled, ROUNDS, "poll of an epoll that another thread scans");
	is_int(n_nested, ROUNDS, "and the epoll around it");
	close(outer);
	close(work_ep);
	close(fd);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	ping_pong(0, "level-triggered");
	ping_pong(EPOLLET, "edge-triggered");
	ping_pong(EPOLLONESHOT, "one-shot");
	workers(0, "level-triggered");
	workers(EPOLLET, "edge-triggered");
	workers(EPOLLONESHOT, "one-shot");
	exclusive();
	closing();
	polled();
	chaos();
	return done_testing();
}
