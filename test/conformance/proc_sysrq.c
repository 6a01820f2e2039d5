/* SPDX-License-Identifier: MPL-2.0 */
/* /proc/sysrq-trigger: dumps in the kernel log (proc(5)). */
#include "tap.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/klog.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static char text[1 << 20];

static long trigger(const char *letters)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);
	long n;

	klogctl(5 /* clear */, NULL, 0);
	n = fd < 0 ? -errno : write(fd, letters, strlen(letters));
	close(fd);
	text[0] = 0;
	fd = klogctl(3 /* read all */, text, sizeof(text) - 1);
	text[fd > 0 ? fd : 0] = 0;
	return n;
}

static int as_user(void)
{
	return setuid(5) || open("/proc/sysrq-trigger", O_WRONLY) != -1 || errno != EACCES;
}

int main(void)
{
	struct stat st;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_NAME, "quitesleepy");
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	usleep(20000);
	klogctl(6 /* console off: it is slow */, NULL, 0);
	ok(!stat("/proc/sysrq-trigger", &st) && (st.st_mode & 07777) == 0200, "for root to write");
	is_int(trigger("h"), 1, "h");
	ok(strstr(text, "sysrq: HELP") && strstr(text, "(m)") && strstr(text, "(t)") && strstr(text, "(w)"), "lists the letters");
	is_int(trigger("m\n"), 2, "m");
	ok(strstr(text, "sysrq: Show Memory") && strstr(text, "free:"), "shows memory");
	is_int(trigger("w"), 1, "w");
	ok(strstr(text, "sysrq: Show Blocked State") && !strstr(text, "quitesleepy"), "shows blocked tasks, not the others");
	is_int(trigger("t"), 1, "t");
	ok(strstr(text, "sysrq: Show State") && strstr(text, "quitesleepy") && strstr(text, "syscall"), "shows tasks and where they wait");
	is_int(trigger("?"), 1, "no letter");
	ok(strstr(text, "sysrq: HELP") != NULL, "is answered with the list");
	klogctl(7 /* console on */, NULL, 0);
	is_int(in_child(as_user), 0, "not for users");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return done_testing();
}
