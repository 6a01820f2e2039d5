/* SPDX-License-Identifier: MPL-2.0 */
/* Rows that measure memory: what is used after start-up, and what a process or a thread takes of it. */
#define _GNU_SOURCE
#include "kbench.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

enum { COUNT = 100 };

static double free_bytes(void)
{
	struct sysinfo info;

	check(sysinfo(&info), "sysinfo");
	return (double)info.freeram * info.mem_unit;
}

static double total_bytes(void)
{
	struct sysinfo info;

	check(sysinfo(&info), "sysinfo");
	return (double)info.totalram * info.mem_unit;
}

static void hold(int arg)
{
	(void)arg;
	for (;;)
		pause();
}

static void *hold_thread(void *arg)
{
	hold(0);
	return arg;
}

/* What does not count as free although nothing but the kernel, the root and this program is there. */
static void measure_used(int arg)
{
	(void)arg;
	report_value("bytes", total_bytes() - free_bytes());
}

/* What the kernel can hand out at all; the rest is itself and what it set aside. */
static void measure_total(int arg)
{
	(void)arg;
	report_value("bytes", total_bytes());
}

/* The first ones pay for caches that later ones share, so they come before. */
static void measure_process(int arg)
{
	double before;

	(void)arg;
	for (int i = 0; i < COUNT; i++)
		start_peer(hold, 0);
	usleep(100000);
	before = free_bytes();
	for (int i = 0; i < COUNT; i++)
		start_peer(hold, 0);
	usleep(100000);
	report_value("bytes", (before - free_bytes()) / COUNT);
}

static void start_threads(int count)
{
	pthread_t id;

	for (int i = 0; i < count; i++)
		check(pthread_create(&id, NULL, hold_thread, NULL) == 0 ? 0 : -1, "pthread_create");
	usleep(100000);
}

static void measure_thread(int arg)
{
	double before;

	(void)arg;
	start_threads(COUNT);
	before = free_bytes();
	start_threads(COUNT);
	report_value("bytes", (before - free_bytes()) / COUNT);
}

static void nothing(unsigned int ops)
{
	(void)ops;
}

const struct row cost_rows[] = {
	{"memory-total", 1, measure_total, nothing, 0, "bytes"},
	{"memory-used", 1, measure_used, nothing, 0, "bytes"},
	{"process-memory", 1, measure_process, nothing, 0, "bytes"},
	{"thread-memory", 1, measure_thread, nothing, 0, "bytes"},
	{NULL, 0, NULL, NULL, 0, NULL},
};
