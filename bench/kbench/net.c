/* SPDX-License-Identifier: MPL-2.0 */
/* Rows over sockets: round trips of a byte and streams, on Unix sockets and on the loopback interface. */
#define _GNU_SOURCE
#include "kbench.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum kind { UNIX, UDP, TCP };
enum { MIB = 1 << 20, CHUNK = 65536 };

static int ours, theirs;
static char buf[CHUNK];

static void loopback_up(void)
{
	int fd = (int)check(socket(AF_INET, SOCK_DGRAM, 0), "socket(AF_INET)");
	struct ifreq request = {0};

	strcpy(request.ifr_name, "lo");
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	check(ioctl(fd, SIOCSIFFLAGS, &request), "loopback interface");
	close(fd);
}

static int bound(int type, struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = (int)check(socket(AF_INET, type, 0), "socket(AF_INET)");

	*address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	check(bind(fd, (struct sockaddr *)address, sizeof(*address)), "bind");
	check(getsockname(fd, (struct sockaddr *)address, &len), "getsockname");
	return fd;
}

static void connect_to(int fd, const struct sockaddr_in *address)
{
	check(connect(fd, (const struct sockaddr *)address, sizeof(*address)), "connect");
}

static void make_udp(void)
{
	struct sockaddr_in a, b;

	ours = bound(SOCK_DGRAM, &a);
	theirs = bound(SOCK_DGRAM, &b);
	connect_to(ours, &b);
	connect_to(theirs, &a);
}

static void make_tcp(void)
{
	struct sockaddr_in address;
	int one = 1, listener = bound(SOCK_STREAM, &address);

	check(listen(listener, 1), "listen");
	ours = (int)check(socket(AF_INET, SOCK_STREAM, 0), "socket(AF_INET)");
	connect_to(ours, &address);
	theirs = (int)check(accept(listener, NULL, NULL), "accept");
	check(setsockopt(ours, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), "TCP_NODELAY");
	check(setsockopt(theirs, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), "TCP_NODELAY");
}

static void make_pair(int kind)
{
	int pair[2];

	if (kind == UNIX) {
		check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair(AF_UNIX)");
		ours = pair[0];
		theirs = pair[1];
		return;
	}
	loopback_up();
	if (kind == UDP)
		make_udp();
	else
		make_tcp();
}

static void echo(int arg)
{
	(void)arg;
	while (read(theirs, buf, 1) == 1)
		check(write(theirs, buf, 1), "write");
}

static void prepare_echo(int kind)
{
	make_pair(kind);
	start_peer(echo, 0);
}

static void round_trip(unsigned int ops)
{
	while (ops-- > 0) {
		check(write(ours, buf, 1), "write");
		check(read(ours, buf, 1), "read");
	}
}

static void pour(int arg)
{
	(void)arg;
	for (;;)
		check(write(theirs, buf, CHUNK), "write");
}

static void prepare_stream(int kind)
{
	make_pair(kind);
	start_peer(pour, 0);
}

static void drink(unsigned int mib)
{
	for (size_t left = (size_t)mib * MIB; left > 0;)
		left -= (size_t)check(read(ours, buf, left < CHUNK ? left : CHUNK), "read");
}

const struct row net_rows[] = {
	{"unix-trip", 200, prepare_echo, round_trip, UNIX, NULL},
	{"udp-trip", 200, prepare_echo, round_trip, UDP, NULL},
	{"tcp-trip", 200, prepare_echo, round_trip, TCP, NULL},
	{"unix-stream", 8, prepare_stream, drink, UNIX, "MiB"},
	{"tcp-stream", 8, prepare_stream, drink, TCP, "MiB"},
	{NULL, 0, NULL, NULL, 0, NULL},
};
