/* SPDX-License-Identifier: MPL-2.0 */
/* Rows about signals: installing a handler, a signal to oneself, a fault that a handler leaves by a jump. */
#define _GNU_SOURCE
#include "kbench.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf back;

static void nothing(int number)
{
	(void)number;
}

static void leave(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static void install(void (*handler)(int), int number)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_NODEFER};

	check(sigaction(number, &action, NULL), "sigaction");
}

static void install_usr1(int arg)
{
	(void)arg;
	install(nothing, SIGUSR1);
}

static void do_install(unsigned int ops)
{
	while (ops-- > 0)
		install(nothing, SIGUSR1);
}

static void do_deliver(unsigned int ops)
{
	pid_t self = getpid();

	while (ops-- > 0)
		check(kill(self, SIGUSR1), "kill");
}

static char *forbidden;

static void map_forbidden(int arg)
{
	(void)arg;
	forbidden = touched(4096);
	check(mprotect(forbidden, 4096, PROT_READ), "mprotect");
	install(leave, SIGSEGV);
}

static void do_fault(unsigned int ops)
{
	for (volatile unsigned int left = ops; left > 0; left--)
		if (sigsetjmp(back, 0) == 0)
			*(volatile char *)forbidden = 1;
}

const struct row signal_rows[] = {
	{"sig-install", 1000, NULL, do_install, 0, NULL},
	{"sig-deliver", 500, install_usr1, do_deliver, 0, NULL},
	{"sig-fault", 500, map_forbidden, do_fault, 0, NULL},
	{NULL, 0, NULL, NULL, 0, NULL},
};
