/* SPDX-License-Identifier: MPL-2.0 */
/* Rows in which processes wait for each other: round trips, and rings of processes that hand a token on. */
#define _GNU_SOURCE
#include "kbench.h"

#include <linux/futex.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int to_peer[2], from_peer[2];

static void echo_pipe(int arg)
{
	char byte;

	(void)arg;
	while (read(to_peer[0], &byte, 1) == 1)
		check(write(from_peer[1], &byte, 1), "write");
}

static void make_pipes(int arg)
{
	(void)arg;
	check(pipe(to_peer), "pipe");
	check(pipe(from_peer), "pipe");
	start_peer(echo_pipe, 0);
}

static void pipe_round_trip(unsigned int ops)
{
	char byte = 1;

	while (ops-- > 0) {
		check(write(to_peer[1], &byte, 1), "write");
		check(read(from_peer[0], &byte, 1), "read");
	}
}

/* A word that two processes set in turn: 0 is ours, 1 the peer's. */
static uint32_t *turn;

static void wait_turn(uint32_t other)
{
	while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) == other)
		syscall(SYS_futex, turn, FUTEX_WAIT, other, NULL, NULL, 0);
}

static void give_turn(uint32_t whose)
{
	__atomic_store_n(turn, whose, __ATOMIC_RELEASE);
	check(syscall(SYS_futex, turn, FUTEX_WAKE, 1, NULL, NULL, 0), "futex");
}

static void futex_peer(int arg)
{
	(void)arg;
	for (;;) {
		wait_turn(0);
		give_turn(0);
	}
}

static void make_futex(int arg)
{
	(void)arg;
	turn = map_anonymous(4096, MAP_SHARED);
	start_peer(futex_peer, 0);
}

static void futex_round_trip(unsigned int ops)
{
	while (ops-- > 0) {
		give_turn(1);
		wait_turn(1);
	}
}

/* A ring of processes; each touches its own memory when it has the token. arg: processes << 16 | KiB. */
enum { RING_MAX = 128 };

static int ring[RING_MAX][2];
static int ring_size, ring_kib;

static void touch_own(char *memory)
{
	for (int at = 0; at < ring_kib * 1024; at += 64)
		memory[at]++;
}

static void ring_member(int place)
{
	char *memory = touched((size_t)ring_kib * 1024 + 4096);
	char token;

	while (read(ring[place][0], &token, 1) == 1) {
		touch_own(memory);
		check(write(ring[(place + 1) % ring_size][1], &token, 1), "write");
	}
}

static char *own_memory;

static void make_ring(int arg)
{
	ring_size = arg >> 16;
	ring_kib = arg & 0xffff;
	for (int i = 0; i < ring_size; i++)
		check(pipe(ring[i]), "pipe");
	for (int i = 1; i < ring_size; i++)
		start_peer(ring_member, i);
	own_memory = touched((size_t)ring_kib * 1024 + 4096);
}

/* One operation is one hop: so this goes round once for `ring_size` of them. */
static void go_round(unsigned int ops)
{
	char token = 1;

	for (; ops >= (unsigned int)ring_size; ops -= (unsigned int)ring_size) {
		check(write(ring[1 % ring_size][1], &token, 1), "write");
		check(read(ring[0][0], &token, 1), "read");
		touch_own(own_memory);
	}
}

static void do_yield(unsigned int ops)
{
	while (ops-- > 0)
		check(syscall(SYS_sched_yield), "sched_yield");
}

const struct row ipc_rows[] = {
	{"pipe-trip", 200, make_pipes, pipe_round_trip, 0, NULL},
	{"futex-trip", 200, make_futex, futex_round_trip, 0, NULL},
	{"ctx-2p-0k", 400, make_ring, go_round, 2 << 16, NULL},
	{"ctx-8p-16k", 400, make_ring, go_round, 8 << 16 | 16, NULL},
	{"ctx-96p-64k", 384, make_ring, go_round, 96 << 16 | 64, NULL},
	{"yield", 500, NULL, do_yield, 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};
