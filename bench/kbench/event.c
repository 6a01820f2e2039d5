/* SPDX-License-Identifier: MPL-2.0 */
/* Rows about many descriptors at once (pipes that nobody writes to), and eventfd. */
#define _GNU_SOURCE
#include "kbench.h"

#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

enum { FDS = 100 };

static int fds[FDS], pipe_fds[2], epoll;

static void make_fds(int arg)
{
	(void)arg;
	check(pipe(pipe_fds), "pipe");
	for (int i = 0; i < FDS; i++)
		fds[i] = (int)check(dup(pipe_fds[0]), "dup");
}

static void do_select(unsigned int ops)
{
	while (ops-- > 0) {
		struct timeval now = {0, 0};
		fd_set set;

		FD_ZERO(&set);
		for (int i = 0; i < FDS; i++)
			FD_SET(fds[i], &set);
		check(select(fds[FDS - 1] + 1, &set, NULL, NULL, &now), "select");
	}
}

static void do_poll(unsigned int ops)
{
	struct pollfd polled[FDS];

	for (int i = 0; i < FDS; i++)
		polled[i] = (struct pollfd){fds[i], POLLIN, 0};
	while (ops-- > 0)
		check(poll(polled, FDS, 0), "poll");
}

static void watch_fds(int ready)
{
	int event = (int)check(eventfd(ready ? 1 : 0, EFD_NONBLOCK), "eventfd");
	struct epoll_event wanted = {.events = EPOLLIN};

	make_fds(0);
	epoll = (int)check(epoll_create1(0), "epoll_create1");
	for (int i = 0; i < FDS; i++)
		check(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &wanted), "epoll_ctl");
	check(epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted), "epoll_ctl");
}

static void do_epoll_wait(unsigned int ops)
{
	struct epoll_event got[8];

	while (ops-- > 0)
		check(epoll_wait(epoll, got, 8, 0), "epoll_wait");
}

static void do_epoll_ctl(unsigned int ops)
{
	struct epoll_event wanted = {.events = EPOLLIN};

	while (ops-- > 0) {
		check(epoll_ctl(epoll, EPOLL_CTL_DEL, fds[ops % FDS], NULL), "epoll_ctl");
		check(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[ops % FDS], &wanted), "epoll_ctl");
	}
}

static int event_fd;

static void make_eventfd(int arg)
{
	(void)arg;
	event_fd = (int)check(eventfd(0, 0), "eventfd");
}

static void do_eventfd(unsigned int ops)
{
	uint64_t value = 1;

	while (ops-- > 0) {
		check(write(event_fd, &value, sizeof(value)), "write");
		check(read(event_fd, &value, sizeof(value)), "read");
	}
}

const struct row event_rows[] = {
	{"select-100", 100, make_fds, do_select, 0, NULL},
	{"poll-100", 100, make_fds, do_poll, 0, NULL},
	{"epoll-wait", 500, watch_fds, do_epoll_wait, 0, NULL},
	{"epoll-ready", 500, watch_fds, do_epoll_wait, 1, NULL},
	{"epoll-ctl", 500, watch_fds, do_epoll_ctl, 0, NULL},
	{"eventfd", 500, make_eventfd, do_eventfd, 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};
