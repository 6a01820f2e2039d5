/* SPDX-License-Identifier: MPL-2.0 */
/* prctl(2), arch_prctl(2), personality(2), set_tid_address(2). */
#include "tap.h"
#include <asm/prctl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#ifndef PR_SET_THP_DISABLE
#define PR_SET_THP_DISABLE 41
#define PR_GET_THP_DISABLE 42
#endif

static long raw(unsigned long op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	return syscall(SYS_prctl, op, a, b, c, d);
}

static void names(void)
{
	char name[17] = "";

	is_int(prctl(PR_SET_NAME, "a name of more than 15"), 0, "PR_SET_NAME");
	prctl(PR_GET_NAME, name);
	ok(!strcmp(name, "a name of more "), "is cut at 15 bytes");
	prctl(PR_SET_NAME, "x");
	memset(name, 'z', 16);
	prctl(PR_GET_NAME, name);
	ok(!strcmp(name, "x") && !name[15], "PR_GET_NAME fills 16 bytes");
	is_errno(raw(PR_SET_NAME, 8, 0, 0, 0) == -1, EFAULT, "a bad name");
	is_errno(raw(PR_GET_NAME, 8, 0, 0, 0) == -1, EFAULT, "a bad buffer");
}

static void signals(void)
{
	int sig = -1;

	is_int(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0, "PR_SET_PDEATHSIG");
	prctl(PR_GET_PDEATHSIG, &sig);
	is_int(sig, SIGUSR1, "PR_GET_PDEATHSIG");
	is_errno(raw(PR_SET_PDEATHSIG, 65, 0, 0, 0) == -1, EINVAL, "signal 65");
	is_errno(raw(PR_GET_PDEATHSIG, 8, 0, 0, 0) == -1, EFAULT, "a bad pointer");
	prctl(PR_SET_PDEATHSIG, 0);
}

static int pdeath_after_fork(void)
{
	int sig = -1;

	prctl(PR_GET_PDEATHSIG, &sig);
	return sig;
}

static void process(void)
{
	int v = -1;

	is_int(prctl(PR_GET_DUMPABLE), 1, "dumpable");
	is_int(prctl(PR_SET_DUMPABLE, 0), 0, "not any more");
	is_int(prctl(PR_GET_DUMPABLE), 0, "is not");
	is_errno(raw(PR_SET_DUMPABLE, 2, 0, 0, 0) == -1, EINVAL, "2 is for the kernel to set");
	prctl(PR_SET_DUMPABLE, 1);
	is_int(prctl(PR_SET_CHILD_SUBREAPER, 1), 0, "PR_SET_CHILD_SUBREAPER");
	prctl(PR_GET_CHILD_SUBREAPER, &v);
	is_int(v, 1, "PR_GET_CHILD_SUBREAPER");
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	prctl(PR_GET_CHILD_SUBREAPER, &v);
	is_int(v, 0, "and back");
	is_int(prctl(PR_GET_TIMING), 0, "PR_GET_TIMING");
	is_int(prctl(PR_SET_TIMING, 0), 0, "PR_SET_TIMING to statistical");
	is_errno(prctl(PR_SET_TIMING, 1) == -1, EINVAL, "to timestamps");
	is_int(prctl(PR_GET_TSC, &v), 0, "PR_GET_TSC");
	is_int(v, PR_TSC_ENABLE, "is enabled");
	is_int(raw(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0, "PR_GET_THP_DISABLE");
	is_int(raw(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0, "PR_SET_THP_DISABLE");
	is_int(raw(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1, "is remembered");
	is_errno(raw(PR_SET_THP_DISABLE, 1, 1, 0, 0) == -1, EINVAL, "with more arguments");
	raw(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	is_errno(raw(9999, 0, 0, 0, 0) == -1, EINVAL, "an unknown operation");
}

static int slack_of_child(void)
{
	return prctl(PR_GET_TIMERSLACK) == 12345 && prctl(PR_SET_TIMERSLACK, 0) == 0 && prctl(PR_GET_TIMERSLACK) == 12345 ? 0 : 1;
}

static void slack(void)
{
	is_int(prctl(PR_GET_TIMERSLACK), 50000, "50 microseconds of timer slack");
	is_int(prctl(PR_SET_TIMERSLACK, 12345), 0, "PR_SET_TIMERSLACK");
	is_int(prctl(PR_GET_TIMERSLACK), 12345, "is set");
	is_int(in_child(slack_of_child), 0, "a child's default is the parent's current");
	prctl(PR_SET_TIMERSLACK, 0);
	is_int(prctl(PR_GET_TIMERSLACK), 50000, "0 means the default");
}

static int no_new_privs(void)
{
	if (raw(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0 || raw(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 1) != -1 || errno != EINVAL)
		return 1;
	if (raw(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0) != -1 || errno != EINVAL)
		return 2;
	return raw(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && raw(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 3;
}

static int set_mm_as_user(void)
{
	if (setuid(5))
		return 1;
	return prctl(PR_SET_MM, PR_SET_MM_BRK, 0, 0, 0) == -1 && errno == EPERM ? 0 : 2;
}

static int arch(void)
{
	unsigned long base = 0, old;

	if (syscall(SYS_arch_prctl, ARCH_GET_FS, &old) || !old)
		return 1;
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, 0x1234) || syscall(SYS_arch_prctl, ARCH_GET_GS, &base) || base != 0x1234)
		return 2;
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, 0x800000000000) != -1 || errno != EPERM)
		return 3;
	if (syscall(SYS_arch_prctl, 0x9999, 0) != -1 || errno != EINVAL)
		return 4;
	if (syscall(SYS_arch_prctl, ARCH_GET_FS, 8) != -1 || errno != EFAULT)
		return 5;
	if (syscall(SYS_arch_prctl, ARCH_SET_FS, 0x800000000000) != -1 || errno != EPERM)
		return 6;
	return 0;
}

static int gs_in_child(void)
{
	unsigned long base = 0;

	syscall(SYS_arch_prctl, ARCH_SET_GS, 0x5678);
	if (fork() == 0) {
		syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
		_exit(base == 0x5678 ? 0 : 1);
	}
	int status;

	wait(&status);
	return WEXITSTATUS(status);
}

static int uname26(void)
{
	struct utsname u;

	if (personality(UNAME26) != 0 || uname(&u))
		return 1;
	if (strncmp(u.release, "2.6.", 4))
		return 2;
	personality(PER_LINUX32);
	uname(&u);
	return strcmp(u.machine, "i686") ? 3 : 0;
}

static void others(void)
{
	is_int(in_child(no_new_privs), 0, "PR_SET_NO_NEW_PRIVS");
	is_int(in_child(set_mm_as_user), 0, "PR_SET_MM is not for users");
	is_int(in_child(arch), 0, "arch_prctl");
	is_int(in_child(gs_in_child), 0, "the GS base over fork");
	is_int(personality(0xffffffff), 0, "personality asks");
	is_int(personality(ADDR_NO_RANDOMIZE), 0, "and sets, giving the former");
	is_int(personality(0xffffffff), ADDR_NO_RANDOMIZE, "which is kept");
	personality(0);
	is_int(in_child(uname26), 0, "UNAME26 and PER_LINUX32 show in uname");
	is_int(syscall(SYS_set_tid_address, NULL), getpid(), "set_tid_address gives the tid");
}

int main(void)
{
	names();
	signals();
	prctl(PR_SET_PDEATHSIG, SIGUSR1);
	is_int(in_child(pdeath_after_fork), 0, "the death signal is not inherited");
	prctl(PR_SET_PDEATHSIG, 0);
	process();
	slack();
	others();
	return done_testing();
}
