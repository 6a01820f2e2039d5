/* SPDX-License-Identifier: MPL-2.0 */
/* Signal-driven I/O: O_ASYNC, F_SETOWN, F_SETOWN_EX, F_SETSIG (fcntl(2)) on pipes. */
#include "fs_util.h"

static volatile sig_atomic_t count;
static volatile siginfo_t last;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	last = *info;
	count++;
}

static void expect(int want, const char *what)
{
	for (int i = 0; i < 100 && count < want; i++)
		sleep_ms(5);
	sleep_ms(10);
	is_int(count, want, "%s", what);
	count = 0;
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	struct f_owner_ex ex = { -1, -1 };
	int p[2], rt = SIGRTMIN + 2, status;
	pid_t pid;
	char c;

	fs_begin();
	pipe(p);
	sigaction(SIGIO, &sa, NULL);
	sigaction(rt, &sa, NULL);
	is_int(fcntl(p[0], F_GETOWN), 0, "no owner at first");
	is_int(fcntl(p[0], F_GETSIG), 0, "no signal of its own");
	is_int(fcntl(p[0], F_SETOWN, getpid()), 0, "F_SETOWN");
	is_int(fcntl(p[0], F_GETOWN), getpid(), "F_GETOWN");
	write(p[1], "x", 1);
	expect(0, "nothing without O_ASYNC");
	read(p[0], &c, 1);
	is_int(fcntl(p[0], F_SETFL, O_ASYNC), 0, "O_ASYNC");
	ok((fcntl(p[0], F_GETFL) & O_ASYNC) != 0, "F_GETFL shows it");
	write(p[1], "x", 1);
	expect(1, "SIGIO when data comes");
	ok(last.si_signo == SIGIO && last.si_code == SI_KERNEL, "from the kernel, without details");
	read(p[0], &c, 1);
	is_int(fcntl(p[0], F_SETSIG, rt), 0, "F_SETSIG");
	is_int(fcntl(p[0], F_GETSIG), rt, "F_GETSIG");
	write(p[1], "x", 1);
	expect(1, "that signal");
	ok(last.si_signo == rt && last.si_code == POLL_IN && last.si_fd == p[0], "with the reason and the descriptor");
	ok((last.si_band & POLLIN) != 0, "and the events");
	read(p[0], &c, 1);
	is_int(fcntl(p[0], F_SETSIG, 0), 0, "F_SETSIG 0: SIGIO again");
	is_int(fcntl(p[0], F_SETOWN, -getpgrp()), 0, "F_SETOWN to the group");
	is_int(fcntl(p[0], F_GETOWN_EX, &ex), 0, "F_GETOWN_EX");
	ok(ex.type == F_OWNER_PGRP && ex.pid == getpgrp(), "a group");
	is_int(fcntl(p[0], F_GETOWN), -getpgrp(), "F_GETOWN: its negative id");
	is_int(syscall(SYS_fcntl, p[0], F_GETOWN), getpgrp() <= 4095 ? -1 : -getpgrp(), "which the bare call shows as an error if it is small (fcntl(2), BUGS)");
	is_int(fcntl(p[0], F_SETOWN, getpid()), 0, "F_SETOWN to a process");
	is_int(syscall(SYS_fcntl, p[0], F_GETOWN), getpid(), "the bare F_GETOWN");
	ex = (struct f_owner_ex){ F_OWNER_TID, gettid() };
	is_int(fcntl(p[0], F_SETOWN_EX, &ex), 0, "F_SETOWN_EX to a thread");
	ex.type = -1;
	is_int(fcntl(p[0], F_GETOWN_EX, &ex), 0, "F_GETOWN_EX");
	ok(ex.type == F_OWNER_TID && ex.pid == gettid(), "a thread");
	write(p[1], "x", 1);
	expect(1, "a signal to the thread");
	read(p[0], &c, 1);
	pid = fork();
	if (pid == 0) {
		write(p[1], "y", 1);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	expect(1, "another process's write");
	read(p[0], &c, 1);
	is_int(fcntl(p[0], F_SETFL, 0), 0, "O_ASYNC off");
	write(p[1], "x", 1);
	expect(0, "no more signals");
	is_errno(fcntl(p[0], F_SETOWN, 4194303) == -1, ESRCH, "F_SETOWN to nobody");
	is_errno(fcntl(p[0], F_SETOWN, INT_MIN) == -1, EINVAL, "F_SETOWN INT_MIN");
	is_errno(fcntl(p[0], F_SETSIG, 65) == -1, EINVAL, "F_SETSIG 65");
	is_errno(fcntl(p[0], F_SETSIG, -1) == -1, EINVAL, "F_SETSIG -1");
	ex = (struct f_owner_ex){ 7, getpid() };
	is_errno(fcntl(p[0], F_SETOWN_EX, &ex) == -1, EINVAL, "a bad owner type");
	is_errno(fcntl(p[0], F_SETOWN_EX, BAD_PTR) == -1, EFAULT, "F_SETOWN_EX from a bad pointer");
	is_errno(fcntl(p[0], F_GETOWN_EX, BAD_PTR) == -1, EFAULT, "F_GETOWN_EX to a bad pointer");
	is_int(fcntl(p[0], F_SETOWN, 0), 0, "F_SETOWN 0");
	is_int(fcntl(p[0], F_GETOWN), 0, "nobody again");
	is_int(syscall(SYS_fcntl, p[0], F_GETOWN), 0, "also to the bare call");
	is_errno(syscall(SYS_fcntl, 99, F_GETOWN) == -1, EBADF, "of a bad descriptor");
	return fs_end();
}
