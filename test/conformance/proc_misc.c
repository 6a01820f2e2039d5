/* SPDX-License-Identifier: MPL-2.0 */
/* uname(2), sethostname(2), sysinfo(2), reboot(2)'s and syslog(2)'s errors, getrandom(2), vhangup(2). */
#include "tap.h"
#include <signal.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static int names_as_user(void)
{
	if (setuid(5))
		return 1;
	if (sethostname("x", 1) != -1 || errno != EPERM || setdomainname("x", 1) != -1 || errno != EPERM)
		return 2;
	return 0;
}

static void names(void)
{
	static char long_name[65];
	struct utsname u, old;

	memset(long_name, 'h', 64);
	uname(&old);
	ok(!strcmp(old.sysname, "Linux") && !strcmp(old.machine, "x86_64") && !strncmp(old.release, "6.", 2), "uname");
	is_int(sethostname("a.host", 6), 0, "sethostname");
	uname(&u);
	ok(!strcmp(u.nodename, "a.host"), "shows in uname");
	is_int(setdomainname("dom", 3), 0, "setdomainname");
	uname(&u);
	ok(!strcmp(u.domainname, "dom"), "shows as well");
	is_int(sethostname(long_name, 64), 0, "64 bytes");
	uname(&u);
	ok(!strcmp(u.nodename, long_name), "all of them");
	is_errno(sethostname(long_name, 65) == -1, EINVAL, "65 bytes");
	is_errno(syscall(SYS_sethostname, long_name, -1) == -1, EINVAL, "-1 bytes");
	is_errno(syscall(SYS_sethostname, 8, 4) == -1, EFAULT, "a bad pointer");
	is_errno(syscall(SYS_uname, 8) == -1, EFAULT, "uname with a bad pointer");
	is_int(sethostname("", 0), 0, "an empty name");
	sethostname(old.nodename, strlen(old.nodename));
	setdomainname(old.domainname, strlen(old.domainname));
	is_int(in_child(names_as_user), 0, "not for users");
}

static void system_info(void)
{
	struct sysinfo si;

	memset(&si, 0xff, sizeof(si));
	is_int(sysinfo(&si), 0, "sysinfo");
	ok(si.uptime >= 0 && si.uptime < 1000000 && si.procs >= 2 && si.mem_unit == 1, "uptime and processes");
	ok(si.totalram > (8 << 20) && si.freeram > 0 && si.freeram < si.totalram, "memory");
	is_errno(syscall(SYS_sysinfo, 8) == -1, EFAULT, "a bad pointer to sysinfo");
}

static int reboot_as_user(void)
{
	if (setuid(5))
		return 1;
	return syscall(SYS_reboot, 1, 2, 3, 0) == -1 && errno == EPERM ? 0 : 2;
}

static void rebooting(void)
{
	is_errno(syscall(SYS_reboot, 1, 672274793, 0, 0) == -1, EINVAL, "reboot with a wrong magic number");
	is_errno(syscall(SYS_reboot, 0xfee1dead, 1, 0, 0) == -1, EINVAL, "or the other");
	is_errno(syscall(SYS_reboot, 0xfee1dead, 672274793, 12345, 0) == -1, EINVAL, "an unknown command");
	is_int((int)syscall(SYS_reboot, 0xfee1dead, 672274793, 0, 0), 0, "Ctrl-Alt-Del off");
	is_int((int)syscall(SYS_reboot, 0xfee1dead, 672274793, 0x89abcdef, 0), 0, "on");
	is_int((int)syscall(SYS_reboot, 0xfee1dead, 85072278, 0, 0), 0, "and off, with another date");
	is_errno(syscall(SYS_reboot, 0xfee1dead, 672274793, 0xa1b2c3d4, 8) == -1, EFAULT, "a bad restart command");
	is_int(in_child(reboot_as_user), 0, "not for users, whatever the magic");
}

static int log_as_user(void)
{
	char buf[64];

	if (setuid(5))
		return 1;
	return klogctl(3, buf, sizeof(buf)) == -1 && errno == EPERM && klogctl(10, NULL, 0) == -1 && errno == EPERM ? 0 : 2;
}

static void kernel_log(void)
{
	char buf[4096];
	int n;

	is_errno(klogctl(11, NULL, 0) == -1, EINVAL, "an unknown action");
	is_errno(klogctl(3, NULL, 10) == -1, EINVAL, "reading to nowhere");
	is_errno(klogctl(3, buf, -1) == -1, EINVAL, "a negative length");
	is_int(klogctl(3, buf, 0), 0, "nothing asked");
	is_errno(klogctl(8, NULL, 0) == -1, EINVAL, "console level 0");
	is_errno(klogctl(8, NULL, 9) == -1, EINVAL, "console level 9");
	ok(klogctl(10, NULL, 0) >= 4096, "the buffer's size");
	n = klogctl(3, buf, sizeof(buf));
	ok(n > 0 && n <= (int)sizeof(buf) && buf[0] == '<' && buf[n - 1] == '\n', "the last lines, whole");
	is_int(klogctl(0, NULL, 0) | klogctl(1, NULL, 0), 0, "open and close");
	is_errno(klogctl(3, (char *)8, 4096) == -1, EFAULT, "a bad buffer");
	is_int(in_child(log_as_user), 0, "not for users");
}

static void random_numbers(void)
{
	unsigned char a[4096] = { 0 }, b[4096] = { 0 };
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int zeros = 0;

	is_int(getrandom(a, sizeof(a), 0), sizeof(a), "getrandom");
	is_int(getrandom(b, sizeof(b), GRND_RANDOM), sizeof(b), "GRND_RANDOM");
	ok(memcmp(a, b, sizeof(a)) != 0, "are not the same");
	for (unsigned i = 0; i < sizeof(a); i++)
		zeros += !a[i];
	ok(zeros < 64, "and look random");
	is_int(getrandom(a, 0, 0), 0, "no bytes");
	is_int(getrandom(a, 7, GRND_INSECURE), 7, "GRND_INSECURE");
	is_errno(getrandom(a, 1, 8) == -1, EINVAL, "an unknown flag");
	is_errno(getrandom(a, 1, GRND_INSECURE | GRND_RANDOM) == -1, EINVAL, "flags that contradict");
	is_errno(syscall(SYS_getrandom, 8, 16, 0) == -1, EFAULT, "a bad buffer of getrandom");
	munmap(page + 4096, 4096);
	is_int(syscall(SYS_getrandom, page, 8192, 0), 4096, "half a bad buffer");
}

static int hang_up_as_user(void)
{
	if (setuid(5))
		return 1;
	return vhangup() == -1 && errno == EPERM ? 0 : 2;
}

static int hang_up_without_terminal(void)
{
	return setsid() < 0 || vhangup() ? 1 : 0;
}

static void hanging_up(void)
{
	is_int(in_child(hang_up_as_user), 0, "vhangup without privilege: EPERM");
	is_int(in_child(hang_up_without_terminal), 0, "without a terminal there is nothing to do");
}

int main(void)
{
	names();
	system_info();
	rebooting();
	kernel_log();
	random_numbers();
	hanging_up();
	return done_testing();
}
