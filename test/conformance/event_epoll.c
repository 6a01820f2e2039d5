/* SPDX-License-Identifier: MPL-2.0 */
/* epoll(7): level and edge, one-shot, exclusive, nests, closed files and duplicates, waiting, masks, limits, errors, /proc/self/fdinfo. */
#include "fs_util.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
#define MAX_EVENTS 16

static struct epoll_event out[MAX_EVENTS];

static int ctl(int ep, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = { .events = events, .data.u64 = data };

	return epoll_ctl(ep, op, fd, &e);
}

static int add(int ep, int fd, uint32_t events)
{
	return ctl(ep, EPOLL_CTL_ADD, fd, events, (uint64_t)fd);
}

static int mod(int ep, int fd, uint32_t events)
{
	return ctl(ep, EPOLL_CTL_MOD, fd, events, (uint64_t)fd);
}

static int del(int ep, int fd)
{
	return epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
}

static int look(int ep)
{
	memset(out, 0, sizeof(out));
	return epoll_wait(ep, out, MAX_EVENTS, 0);
}

static void put(int fd, uint64_t n)
{
	write(fd, &n, sizeof(n));
}

static void take(int fd)
{
	uint64_t n;

	read(fd, &n, sizeof(n));
}

static int event(void)
{
	return eventfd(0, EFD_NONBLOCK);
}

static bool is_polled(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void levels_and_edges(void)
{
	int ep = epoll_create1(0), p[2], fd = event();
	char c;

	pipe(p);
	is_int(add(ep, p[0], EPOLLIN), 0, "a pipe's read end");
	is_int(look(ep), 0, "is empty");
	write(p[1], "ab", 2);
	is_int(look(ep), 1, "something is written");
	ok(out[0].events == EPOLLIN && out[0].data.u64 == (uint64_t)p[0], "events and data");
	is_int(look(ep), 1, "level-triggered: it says so again");
	read(p[0], &c, 1);
	is_int(look(ep), 1, "and while some is left");
	read(p[0], &c, 1);
	is_int(look(ep), 0, "no longer when all is read");
	is_int(mod(ep, p[0], EPOLLIN | EPOLLET), 0, "edge-triggered");
	is_int(look(ep), 0, "nothing yet");
	write(p[1], "a", 1);
	is_int(look(ep), 1, "one write, one event");
	is_int(look(ep), 0, "no second");
	write(p[1], "b", 1);
	is_int(look(ep), 1, "but one for more data");
	is_int(look(ep), 0, "once");
	is_int(mod(ep, p[0], EPOLLIN | EPOLLET), 0, "EPOLL_CTL_MOD");
	is_int(look(ep), 1, "says what is true once more");
	is_int(mod(ep, p[0], EPOLLIN | EPOLLONESHOT), 0, "EPOLLONESHOT");
	is_int(look(ep), 1, "one event");
	write(p[1], "c", 1);
	is_int(look(ep), 0, "then it is disabled");
	close(p[1]);
	is_int(look(ep), 0, "for the end of file, too");
	is_int(mod(ep, p[0], EPOLLIN | EPOLLONESHOT), 0, "armed again");
	is_int(look(ep), 1, "it tells");
	is_int(out[0].events, EPOLLIN | EPOLLHUP, "data and the end");
	is_int(mod(ep, p[0], 0), 0, "no events asked for");
	is_int(look(ep), 1, "EPOLLHUP is told all the same");
	is_int(out[0].events, EPOLLHUP, "alone");
	is_int(mod(ep, p[0], EPOLLET), 0, "edge-triggered, no events");
	is_int(look(ep), 1, "once");
	is_int(look(ep), 0, "only");
	is_int(del(ep, p[0]), 0, "EPOLL_CTL_DEL");
	is_int(look(ep), 0, "is gone");
	is_int(add(ep, fd, EPOLLIN | EPOLLOUT), 0, "an eventfd both ways");
	is_int(look(ep), 1, "one event");
	is_int(out[0].events, EPOLLOUT, "writable");
	put(fd, 1);
	look(ep);
	is_int(out[0].events, EPOLLIN | EPOLLOUT, "and readable: one event for both");
	is_int(ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN, 0xfedcba9876543210ull), 0, "other data");
	ok(look(ep) == 1 && out[0].data.u64 == 0xfedcba9876543210ull, "comes back");
	close(fd);
	close(p[0]);
	close(ep);
}

static void fairness(void)
{
	int ep = epoll_create1(0), fd[5];
	unsigned seen = 0;

	for (int i = 0; i < 5; i++) {
		fd[i] = event();
		ctl(ep, EPOLL_CTL_ADD, fd[i], EPOLLIN, (uint64_t)i);
		put(fd[i], 1);
	}
	is_int(look(ep), 5, "five are ready");
	for (int i = 0; i < 5; i++) {
		is_int(epoll_wait(ep, out, 1, 0), 1, "one at a time");
		seen |= 1u << out[0].data.u64;
	}
	is_int(seen, 31, "each has its turn");
	is_int(epoll_wait(ep, out, 3, 0), 3, "three at a time");
	for (int i = 0; i < 5; i++)
		close(fd[i]);
	is_int(look(ep), 0, "none when all are closed");
	close(ep);
}

static void ctl_errors(void)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), fd = event(), file, dir = open("/", O_RDONLY), path = open("/", O_PATH);
	char buf[8];

	fs_make("file", "text");
	file = open("file", O_RDWR);
	is_int(fcntl(ep, F_GETFD), FD_CLOEXEC, "EPOLL_CLOEXEC");
	is_int(fcntl(ep, F_GETFL) & O_ACCMODE, O_RDWR, "open for both");
	is_errno(syscall(SYS_epoll_create, 0) == -1, EINVAL, "epoll_create of size 0");
	is_errno(syscall(SYS_epoll_create, -1) == -1, EINVAL, "of size -1");
	is_errno(epoll_create1(1) == -1, EINVAL, "epoll_create1 with an unknown flag");
	is_errno(add(ep, file, EPOLLIN) == -1, EPERM, "a regular file");
	is_errno(add(ep, dir, EPOLLIN) == -1, EPERM, "a directory");
	is_errno(del(ep, file) == -1, EPERM, "even to delete");
	is_errno(add(ep, path, EPOLLIN) == -1, EBADF, "an O_PATH descriptor");
	is_errno(add(path, fd, EPOLLIN) == -1, EBADF, "or as the epoll");
	is_errno(add(ep, -1, EPOLLIN) == -1, EBADF, "a bad descriptor");
	is_errno(add(-1, fd, EPOLLIN) == -1, EBADF, "a bad epoll");
	is_errno(add(fd, ep, EPOLLIN) == -1, EINVAL, "an eventfd as the epoll");
	is_errno(add(ep, ep, EPOLLIN) == -1, EINVAL, "itself");
	is_errno(epoll_ctl(ep, EPOLL_CTL_ADD, fd, BAD_PTR) == -1, EFAULT, "an event at a bad pointer");
	is_errno(epoll_ctl(-1, EPOLL_CTL_MOD, -1, BAD_PTR) == -1, EFAULT, "which is looked at first");
	is_errno(epoll_ctl(-1, EPOLL_CTL_DEL, -1, BAD_PTR) == -1, EBADF, "but not to delete");
	is_errno(mod(ep, fd, EPOLLIN) == -1, ENOENT, "change what is not there");
	is_errno(del(ep, fd) == -1, ENOENT, "delete what is not there");
	is_int(add(ep, fd, EPOLLIN), 0, "add");
	is_errno(add(ep, fd, EPOLLOUT) == -1, EEXIST, "add it again");
	is_errno(ctl(ep, 9, fd, EPOLLIN, 0) == -1, EINVAL, "an unknown operation");
	is_errno(read(ep, buf, 8) == -1, EINVAL, "read of an epoll");
	is_errno(write(ep, buf, 8) == -1, EINVAL, "write");
	is_int(lseek(ep, 1, SEEK_SET), 0, "lseek says 0");
	ok(del(ep, fd) == 0 && add(ep, fd, EPOLLIN) == 0, "deleted, it may be added again");
	close(dir);
	close(path);
	close(file);
	close(fd);
	close(ep);
	unlink("file");
}

static void wait_errors(void)
{
	int ep = epoll_create1(0), ep2 = epoll_create1(0), fd = event(), other, in;
	struct timespec bad = { 0, -1 };
	char name[128], buf[1024];
	sigset_t set;
	ssize_t n;

	sigemptyset(&set);
	add(ep, fd, EPOLLIN);
	put(fd, 1);
	is_errno(epoll_wait(ep, out, 0, 0) == -1, EINVAL, "epoll_wait for no events");
	is_errno(epoll_wait(ep, out, -1, 0) == -1, EINVAL, "for less");
	is_errno(epoll_wait(ep, out, 0x7fffffff, 0) == -1, EINVAL, "for too many");
	is_int(epoll_wait(ep, out, 0x7fffffff / 12, 0), 1, "for as many as may be");
	is_errno(epoll_wait(-1, out, 1, 0) == -1, EBADF, "on a bad descriptor");
	is_errno(epoll_wait(fd, out, 1, 0) == -1, EINVAL, "on an eventfd");
	is_errno(epoll_wait(ep2, KERNEL_PTR, 1, 0) == -1, EFAULT, "into kernel memory, even if nothing comes");
	is_errno(epoll_wait(ep, BAD_PTR, 1, 0) == -1, EFAULT, "to a bad pointer");
	is_errno(epoll_wait(ep, (void *)(fs_edge() - 8), 1, 0) == -1, EFAULT, "to half an event");
	is_int(look(ep), 1, "the event is not lost");
	mod(ep, fd, EPOLLIN | EPOLLET);
	is_errno(epoll_wait(ep, BAD_PTR, 1, 0) == -1, EFAULT, "edge-triggered: a bad pointer");
	is_int(look(ep), 1, "loses nothing either");
	add(ep, other = event(), EPOLLOUT);
	mod(ep, fd, EPOLLIN);
	is_int(epoll_wait(ep, (void *)(fs_edge() - 20), 2, 0), 1, "room for one of two: one");
	is_int(look(ep), 2, "both are told then");
	is_errno(epoll_pwait(-1, out, 1, 0, BAD_PTR) == -1, EFAULT, "epoll_pwait with a bad mask");
	is_errno(syscall(SYS_epoll_pwait, ep, out, 1, 0, &set, 4) == -1, EINVAL, "a mask of 4 bytes");
	is_int(syscall(SYS_epoll_pwait, ep, out, 1, 0, NULL, 4), 1, "no mask of 4 bytes");
	is_errno(syscall(SYS_epoll_pwait2, ep, out, 1, &bad, NULL, 8) == -1, EINVAL, "epoll_pwait2 with a negative time");
	is_errno(syscall(SYS_epoll_pwait2, ep, out, 1, BAD_PTR, NULL, 8) == -1, EFAULT, "at a bad pointer");
	bad.tv_nsec = 1000;
	is_int(syscall(SYS_epoll_pwait2, ep2, out, 1, &bad, NULL, 8), 0, "a microsecond");
	is_int(syscall(SYS_epoll_pwait2, ep, out, 1, NULL, NULL, 8), 1, "for ever");

	ctl(ep, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLET, 0x123456789abcull);
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", ep);
	in = open(name, O_RDONLY);
	n = read(in, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	snprintf(name, sizeof(name), "\ntfd: %8d events: 80000019 data:     123456789abc  pos:0 ino:", fd);
	ok(strstr(buf, name) != NULL, "fdinfo shows what is watched");
	close(in);
	close(other);
	close(fd);
	close(ep);
	close(ep2);
}

/* Each event alone: what an eventfd (read, write), an empty pipe, and a pipe without writer tell. */
static void each_event(void)
{
	static const struct {
		uint32_t asked, event, hung_up;
	} rows[] = {
		{ EPOLLIN, EPOLLIN, EPOLLHUP },
		{ EPOLLPRI, 0, EPOLLHUP },
		{ EPOLLOUT, EPOLLOUT, EPOLLHUP },
		{ EPOLLERR, 0, EPOLLHUP },
		{ EPOLLHUP, 0, EPOLLHUP },
		{ EPOLLRDNORM, 0, EPOLLHUP },
		{ EPOLLRDBAND, 0, EPOLLHUP },
		{ EPOLLWRNORM, 0, EPOLLHUP },
		{ EPOLLWRBAND, 0, EPOLLHUP },
		{ EPOLLMSG, 0, EPOLLHUP },
		{ EPOLLRDHUP, 0, EPOLLHUP },
	};
	int fd = event(), file, p[2], with_data[2];

	put(fd, 1);
	file = open("nobody-polls", O_CREAT | O_RDWR, 0644);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int ep = epoll_create1(0);
		uint32_t data = rows[i].asked & (EPOLLIN | EPOLLRDNORM);

		pipe(p);
		is_int(add(ep, fd, rows[i].asked), 0, "event %#x of an eventfd", rows[i].asked);
		is_int(look(ep), rows[i].event != 0, "is told if there is such a one");
		is_int(out[0].events, rows[i].event, "and no other");
		del(ep, fd);
		pipe(with_data);
		write(with_data[1], "x", 1);
		add(ep, with_data[0], rows[i].asked);
		is_int(look(ep), data != 0, "of a pipe with data");
		is_int(out[0].events, data, "likewise");
		del(ep, with_data[0]);
		add(ep, p[0], rows[i].asked | EPOLLET);
		is_int(look(ep), 0, "nothing of an empty pipe");
		close(p[1]);
		is_int(look(ep), 1, "its writer gone: one");
		is_int(out[0].events, rows[i].hung_up, "EPOLLHUP, asked or not");
		is_errno(add(ep, file, rows[i].asked) == -1, EPERM, "an ordinary file, never");
		close(p[0]);
		close(with_data[0]);
		close(with_data[1]);
		close(ep);
	}
	close(file);
	close(fd);
}

static void exclusive(void)
{
	static const struct { uint32_t bits; bool is_good; } sets[] = {
		{ EPOLLIN, true }, { EPOLLOUT, true }, { EPOLLERR | EPOLLHUP, true }, { EPOLLET, true }, { EPOLLWAKEUP, true }, { 0, true },
		{ EPOLLPRI, false }, { EPOLLRDHUP, false }, { EPOLLONESHOT, false }, { EPOLLRDNORM, false }, { 1 << 24, false },
	};
	int a = epoll_create1(0), b = epoll_create1(0), fd = event();

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		is_int(add(a, fd, EPOLLEXCLUSIVE | sets[i].bits), sets[i].is_good ? 0 : -1, "EPOLLEXCLUSIVE with %#x", sets[i].bits);
		del(a, fd);
	}
	is_errno(add(a, b, EPOLLEXCLUSIVE | EPOLLIN) == -1, EINVAL, "of an epoll");
	add(a, fd, EPOLLIN);
	is_errno(mod(a, fd, EPOLLEXCLUSIVE | EPOLLIN) == -1, EINVAL, "in EPOLL_CTL_MOD");
	del(a, fd);
	add(a, fd, EPOLLEXCLUSIVE | EPOLLIN);
	is_errno(mod(a, fd, EPOLLIN) == -1, EINVAL, "nor can it be modified later");
	add(b, fd, EPOLLEXCLUSIVE | EPOLLIN);
	put(fd, 1);
	ok(look(a) == 1 || look(b) == 1, "nobody waits: at least one is told");
	take(fd);
	is_int(look(a) + look(b), 0, "none when it is read");
	close(fd);
	close(a);
	close(b);
}

static void nests(void)
{
	int fd = event(), ep[8], first;

	for (int i = 0; i < 8; i++)
		ep[i] = epoll_create1(0);
	add(ep[0], fd, EPOLLIN);
	for (int i = 0; i < 4; i++)
		is_int(add(ep[i + 1], ep[i], EPOLLIN), 0, "%d in a chain", i + 2);
	is_errno(add(ep[5], ep[4], EPOLLIN) == -1, ELOOP, "but not 6");
	is_errno(add(ep[0], ep[5], EPOLLIN) == -1, ELOOP, "at the other end neither");
	is_errno(add(ep[0], ep[1], EPOLLIN) == -1, ELOOP, "a circle of two");
	is_errno(add(ep[0], ep[4], EPOLLIN) == -1, ELOOP, "and of five");
	ok(!is_polled(ep[4]) && look(ep[4]) == 0, "nothing below: not ready");
	put(fd, 1);
	ok(is_polled(ep[4]) && is_polled(ep[0]), "an event far below makes all ready");
	ok(look(ep[4]) == 1 && out[0].events == EPOLLIN && out[0].data.u64 == (uint64_t)ep[3], "the top tells of the one below");
	take(fd);
	ok(!is_polled(ep[4]) && look(ep[4]) == 0 && look(ep[2]) == 0, "and no longer when it is read");
	del(ep[3], ep[2]);
	is_int(add(ep[5], ep[4], EPOLLIN), 0, "cut in the middle, the chain may grow");
	is_int(add(ep[6], ep[2], EPOLLIN), 0, "at both parts");
	is_errno(add(ep[3], ep[6], EPOLLIN) == -1, ELOOP, "joined by a longer way it is too long again");
	put(fd, 1);
	ok(!is_polled(ep[5]) && is_polled(ep[6]), "one part has the event");
	mod(ep[6], ep[2], EPOLLIN | EPOLLET);
	is_int(look(ep[6]), 1, "edge-triggered on an epoll: one event");
	is_int(look(ep[6]), 0, "no second");
	put(fd, 1);
	is_int(look(ep[6]), 1, "one for what happens below");
	first = ep[0];
	close(first);
	ok(!is_polled(ep[6]) && look(ep[2]) == 0, "closed, the one below tells nothing more");
	close(fd);
	for (int i = 1; i < 8; i++)
		close(ep[i]);
	/* A net: every one of a level watches each of the next. Ways are many, epolls few. */
	fd = event();
	enum { LEVELS = 3, WIDTH = 4 };
	int net[LEVELS][WIDTH];

	for (int i = 0; i < LEVELS; i++)
		for (int j = 0; j < WIDTH; j++) {
			net[i][j] = epoll_create1(0);
			for (int k = 0; i && k < WIDTH; k++)
				add(net[i][j], net[i - 1][k], EPOLLIN);
			if (!i)
				add(net[0][j], fd, EPOLLIN);
		}
	put(fd, 1);
	ok(is_polled(net[LEVELS - 1][WIDTH - 1]) && look(net[LEVELS - 1][0]) == WIDTH, "a net of epolls");
	take(fd);
	ok(!is_polled(net[LEVELS - 1][WIDTH - 1]) && look(net[LEVELS - 1][0]) == 0, "and back");
	for (int i = 0; i < LEVELS; i++)
		for (int j = 0; j < WIDTH; j++)
			close(net[i][j]);
	close(fd);
}

static int shared_ep, shared_fd;

static int child_adds(void)
{
	int p[2];

	pipe(p);
	write(p[1], "x", 1);
	return add(shared_ep, p[0], EPOLLIN) || look(shared_ep) != 1;
}

static void descriptors(void)
{
	int ep = epoll_create1(0), fd = event(), copy = dup(fd), ep_copy;

	is_int(add(ep, fd, EPOLLIN), 0, "a descriptor");
	is_int(ctl(ep, EPOLL_CTL_ADD, copy, EPOLLIN, 77), 0, "its duplicate is another");
	put(fd, 1);
	is_int(look(ep), 2, "both are ready");
	is_int(del(ep, copy), 0, "one is deleted");
	close(fd);
	is_int(look(ep), 1, "the other is closed, but the file stays open: still told");
	is_errno(del(ep, fd) == -1, EBADF, "and cannot be deleted any more");
	is_int(dup2(copy, fd), fd, "unless the descriptor comes back");
	is_int(del(ep, fd), 0, "then it can");
	add(ep, fd, EPOLLIN);
	close(copy);
	close(fd);
	is_int(look(ep), 0, "the last descriptor is closed: gone");
	fd = event();
	is_int(add(ep, fd, EPOLLIN), 0, "a new file with the same number is new");
	ep_copy = dup(ep);
	put(fd, 1);
	is_int(look(ep_copy), 1, "a duplicate of the epoll");
	close(ep);
	is_int(look(ep_copy), 1, "outlives it");
	shared_ep = ep_copy;
	take(fd);
	is_int(in_child(child_adds), 0, "a child adds a file of its own");
	is_int(look(ep_copy), 0, "which goes when the child ends");
	close(ep_copy);
	close(fd);
}

/* --- Waiting */

static void *waits(void *arg)
{
	struct epoll_event e;

	return (void *)(intptr_t)(epoll_wait(shared_ep, &e, 1, 20000) == 1 ? (long)e.data.u64 : -1);
}

static volatile sig_atomic_t n_signals;

static void on_count(int sig)
{
	n_signals++;
}

static int pending_in_pwait(int ep, int timeout, const sigset_t *mask)
{
	return epoll_pwait(ep, out, MAX_EVENTS, timeout, mask);
}

static void waiting(void)
{
	struct sigaction sa = { .sa_handler = on_count, .sa_flags = SA_RESTART };
	sigset_t none, usr1, now;
	pthread_t t[2];
	long start;
	void *got;

	shared_ep = epoll_create1(0);
	shared_fd = event();
	start = now_ms();
	is_int(epoll_wait(shared_ep, out, 1, 30), 0, "30 ms without anything");
	ok(now_ms() - start >= 29, "are waited");
	add(shared_ep, shared_fd, EPOLLIN);
	pthread_create(&t[0], NULL, waits, NULL);
	sleep_ms(20);
	put(shared_fd, 1);
	pthread_join(t[0], &got);
	is_int((long)(intptr_t)got, shared_fd, "a waiting thread is woken");
	take(shared_fd);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, waits, NULL);
	sleep_ms(20);
	put(shared_fd, 1);
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], &got);
		is_int((long)(intptr_t)got, shared_fd, "level-triggered: each of two waiting threads is");
	}
	take(shared_fd);
	pthread_create(&t[0], NULL, waits, NULL);
	sleep_ms(20);
	mod(shared_ep, shared_fd, EPOLLOUT);
	pthread_join(t[0], &got);
	is_int((long)(intptr_t)got, shared_fd, "a change of the events wakes, too");
	mod(shared_ep, shared_fd, EPOLLIN);
	pthread_create(&t[0], NULL, waits, NULL);
	sleep_ms(20);
	int other = event();

	add(shared_ep, other, EPOLLOUT);
	pthread_join(t[0], &got);
	is_int((long)(intptr_t)got, other, "an addition that is ready does");
	close(other);

	sigaction(SIGALRM, &sa, NULL);
	alarm_ms(30);
	is_errno(epoll_wait(shared_ep, out, 1, -1) == -1, EINTR, "a signal ends it, SA_RESTART or not");
	is_int(n_signals, 1, "after the handler");
	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	raise(SIGUSR1);
	is_int(n_signals, 1, "a blocked signal waits");
	is_int(pending_in_pwait(shared_ep, 0, &usr1), 0, "epoll_pwait with it blocked: nothing");
	is_int(n_signals, 1, "it still waits");
	is_errno(pending_in_pwait(shared_ep, -1, &none) == -1, EINTR, "epoll_pwait lets it in");
	is_int(n_signals, 2, "and the handler has run");
	sigprocmask(SIG_BLOCK, NULL, &now);
	ok(sigismember(&now, SIGUSR1) == 1, "the mask is back");
	put(shared_fd, 1);
	raise(SIGUSR1);
	is_int(pending_in_pwait(shared_ep, -1, &none), 1, "an event and a signal: the event");
	sigprocmask(SIG_BLOCK, NULL, &now);
	ok(sigismember(&now, SIGUSR1) == 1, "the mask is back, too");
	sigprocmask(SIG_UNBLOCK, &usr1, NULL);
	close(shared_fd);
	close(shared_ep);
}

/* --- The limit */

static long watches(void)
{
	char buf[32] = "";
	int fd = open("/proc/sys/fs/epoll/max_user_watches", O_RDONLY);

	read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return atol(buf);
}

static void set_watches(long n)
{
	char buf[32];
	int fd = open("/proc/sys/fs/epoll/max_user_watches", O_WRONLY), len = snprintf(buf, sizeof(buf), "%ld\n", n);

	write(fd, buf, (size_t)len);
	close(fd);
}

static int limited(void)
{
	int ep = epoll_create1(0), ep2 = epoll_create1(0), a = event(), b = event(), c = event();

	if (add(ep, a, EPOLLIN) || add(ep2, b, EPOLLIN))
		return 1;
	if (add(ep, c, EPOLLIN) != -1 || errno != ENOSPC)
		return 2;
	if (del(ep2, b) || add(ep, c, EPOLLIN))
		return 3;
	close(c);
	if (add(ep, b, EPOLLIN))
		return 4;
	close(ep);
	return add(ep2, a, EPOLLIN) || add(ep2, b, EPOLLIN) ? 5 : 0;
}

static void limit(void)
{
	long before = watches();

	ok(before > 1000, "/proc/sys/fs/epoll/max_user_watches");
	set_watches(2);
	is_int(as_somebody(limited), 0, "no more than that, over all of a user's epolls; ends give them back");
	set_watches(before);
}

static int block_suspend(void)
{
	int ep = epoll_create1(0), fd = event();
	char path[64], buf[512], want[64];
	ssize_t n;

	if (add(ep, fd, EPOLLIN | EPOLLWAKEUP))
		return 1;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ep);
	int in = open(path, O_RDONLY);

	n = read(in, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	snprintf(want, sizeof(want), "events: %8x", getuid() ? EPOLLIN | EPOLLERR | EPOLLHUP : EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLWAKEUP);
	return n > 0 && !strstr(buf, want) ? 2 : 0;
}

static void many(void)
{
	enum { N = 600 };
	static int fd[N];
	static struct epoll_event all[N];
	int ep = epoll_create1(0), n_good = 0, n;
	struct rlimit old, more = { N + 100, N + 100 };
	static char buf[N * 100];
	char path[64];

	getrlimit(RLIMIT_NOFILE, &old);
	if (more.rlim_max < old.rlim_max)
		more.rlim_max = old.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &more))
		bail_out("no room for %d descriptors", N);
	for (int i = 0; i < N; i++) {
		fd[i] = event();
		n_good += ctl(ep, EPOLL_CTL_ADD, fd[i], EPOLLIN | EPOLLET, (uint64_t)i) == 0;
	}
	is_int(n_good, N, "600 files in one epoll");
	for (int i = 0; i < N; i += 3)
		put(fd[i], 1);
	n = epoll_wait(ep, all, N, 0);
	is_int(n, N / 3, "a third of them ready");
	n_good = 0;
	for (int i = 0; i < n; i++)
		n_good += all[i].data.u64 == (uint64_t)(3 * i);
	is_int(n_good, N / 3, "in the order they became so");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ep);
	int in = open(path, O_RDONLY), len = 0, got;

	while ((got = (int)read(in, buf + len, sizeof(buf) - 1 - (size_t)len)) > 0)
		len += got;
	n_good = 0;
	for (char *p = buf; (p = strstr(p, "tfd: ")); p++)
		n_good++;
	is_int(n_good, N, "fdinfo shows all of them");
	close(in);
	for (int i = 0; i < N; i++)
		close(fd[i]);
	in = open(path, O_RDONLY);
	len = (int)read(in, buf, sizeof(buf) - 1);
	buf[len > 0 ? len : 0] = 0;
	ok(len > 0 && !strstr(buf, "tfd:"), "and none when they are closed");
	close(in);
	close(ep);
	setrlimit(RLIMIT_NOFILE, &old);
}

int main(void)
{
	fs_begin();
	levels_and_edges();
	fairness();
	ctl_errors();
	wait_errors();
	each_event();
	exclusive();
	nests();
	descriptors();
	waiting();
	limit();
	is_int(in_child(block_suspend), 0, "EPOLLWAKEUP of root is kept");
	is_int(as_somebody(block_suspend), 0, "of others it is dropped");
	many();
	return fs_end();
}
