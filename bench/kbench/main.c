/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The driver: chooses rows, runs each in its own process, and prints a line for what happened.
 * ./keel bench starts it as process 1, reads these lines from the console, and matches them with
 * the regions that the plugin counted, in order:
 *
 *	kbench: row NAME			it will be prepared now
 *	kbench: begin NAME			it was warmed up
 *	kbench: done NAME OPS NS [NS...]	one region each, and its nanoseconds
 *	kbench: value NAME UNIT VALUE		instead of begin and done: a quantity
 *	kbench: none NAME REASON		no such call here
 *	kbench: failed NAME REASON
 *	kbench: end
 *
 * usage: kbench [--list] [--only PATTERN[,PATTERN...]] [--runs N] [--cat FILE] [--run COMMAND]
 *
 * A pattern matches names of rows and of groups; the rest of the words is done in their order.
 */
#define _GNU_SOURCE
#include "kbench.h"
#include "mark.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct group groups[] = {
	{"call", call_rows}, {"file", file_rows}, {"event", event_rows}, {"signal", signal_rows}, {"ipc", ipc_rows},
	{"net", net_rows}, {"process", process_rows}, {"memory", memory_rows}, {"bandwidth", bandwidth_rows}, {"user", user_rows},
	{"scale", scale_rows}, {"cpus", cpus_rows}, {"cost", cost_rows},
};
enum { GROUPS = sizeof(groups) / sizeof(groups[0]), MAX_RUNS = 64 };

unsigned int runs = 2;
static const struct row *current;

/* One write, so that no other line gets in between. */
static __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
	char line[2048] = "kbench: ";
	size_t len = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	va_end(args);
	strcat(line, "\n");
	if (write(1, line, strlen(line)) < 0)
		_exit(1);
}

long check(long result, const char *what)
{
	if (result >= 0)
		return result;
	if (errno == ENOSYS || errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT)
		say("none %s no such call: %s", current->name, what);
	else
		say("failed %s %s: %s", current->name, what, strerror(errno));
	_exit(1);
}

void report_value(const char *unit, double value)
{
	say("value %s %s %.0f", current->name, unit, value);
	_exit(0);
}

pid_t start_peer(void (*work)(int arg), int arg)
{
	pid_t pid = (pid_t)check(fork(), "fork");

	if (pid == 0) {
		work(arg);
		_exit(0);
	}
	return pid;
}

static unsigned long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* A shell runs the command, with output that nobody reads. */
static void measure_shell(const char *name, const char *command)
{
	unsigned long long start;
	int status;

	say("begin %s", name);
	start = now_ns();
	mark_begin();
	status = run_quietly(command);
	mark_end();
	if (status == 0)
		say("done %s 1 %llu", name, now_ns() - start);
	else
		say("failed %s its status is %#x", name, (unsigned int)status);
}

static void measure(const struct row *row)
{
	unsigned long long ns[MAX_RUNS];
	char text[MAX_RUNS * 21] = "";

	if (row->prepare != NULL)
		row->prepare(row->arg);
	row->run(row->ops);
	say("begin %s", row->name);
	for (unsigned int i = 0; i + 1 < runs; i++) {
		unsigned long long start = now_ns();

		mark_begin();
		row->run(row->ops);
		mark_end();
		ns[i] = now_ns() - start;
	}
	for (unsigned int i = 0; i + 1 < runs; i++)
		sprintf(text + strlen(text), " %llu", ns[i]);
	say("done %s %u%s", row->name, row->ops, text);
}

/* Each row has a file system of its own. */
static void enter_folder(void)
{
	check(mkdir(FOLDER, 0755) < 0 && errno != EEXIST ? -1 : 0, FOLDER);
	check(mount("tmpfs", FOLDER, "tmpfs", 0, NULL), "mount");
	check(chdir(FOLDER), FOLDER);
}

/* Kill what the row left and wait until it has gone. */
static void clean_up(pid_t group)
{
	kill(-group, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	umount(FOLDER);
}

static void run_row(const struct row *row)
{
	int status = 0;
	pid_t pid;

	current = row;
	say("row %s", row->name);
	pid = fork();
	if (pid < 0)
		say("failed %s fork: %s", row->name, strerror(errno));
	if (pid < 0)
		return;
	if (pid == 0) {
		setpgid(0, 0);
		enter_folder();
		measure(row);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		say("failed %s killed by signal %d", row->name, WTERMSIG(status));
	clean_up(pid);
}

static void run_shell(const char *name, const char *prepare, const char *command)
{
	int status = 0;
	pid_t pid;

	say("row %s", name);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		enter_folder();
		if (prepare != NULL && system(prepare) != 0)
			say("failed %s its preparation failed", name);
		else
			measure_shell(name, command);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	clean_up(pid);
}

/* Comma-separated patterns; one matches a row's name or its group's. */
static bool chosen(const char *patterns, const char *group, const char *name)
{
	char copy[2048];

	if (patterns == NULL)
		return true;
	snprintf(copy, sizeof(copy), "%s", patterns);
	for (char *at = strtok(copy, ","); at != NULL; at = strtok(NULL, ","))
		if (fnmatch(at, name, 0) == 0 || fnmatch(at, group, 0) == 0)
			return true;
	return false;
}

static void list(void)
{
	for (int g = 0; g < GROUPS; g++)
		for (const struct row *row = groups[g].rows; row->name != NULL; row++)
			printf("%s %s %u %s\n", groups[g].name, row->name, row->ops, row->unit != NULL ? row->unit : "op");
	for (const struct app *app = apps; app->name != NULL; app++)
		printf("apps %s 1 run\n", app->name);
}

static void run_chosen(const char *patterns)
{
	for (int g = 0; g < GROUPS; g++)
		for (const struct row *row = groups[g].rows; row->name != NULL; row++)
			if (chosen(patterns, groups[g].name, row->name))
				run_row(row);
	for (const struct app *app = apps; app->name != NULL; app++)
		if (chosen(patterns, "apps", app->name))
			run_shell(app->name, app->prepare, app->command);
}

static int usage(const char *word)
{
	fprintf(stderr, "kbench: not understood: %s\nusage: kbench [--list] [--only PATTERN[,PATTERN...]] [--runs N] [--cat FILE] [--run COMMAND]\n", word);
	return 2;
}

/* What an init does before and after, when the kernel started us. */
static void as_init(void)
{
	static const char *const mounts[][2] = {{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"tmpfs", "/tmp"}, {"sysfs", "/sys"}};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i][1], 0755);
		mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, NULL);
	}
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
}

static void print_file(const char *path)
{
	char buf[65536];
	ssize_t len;
	int fd = open(path, O_RDONLY);

	while (fd >= 0 && (len = read(fd, buf, sizeof(buf))) > 0)
		if (write(1, buf, (size_t)len) < 0)
			break;
}

int main(int argc, char **argv)
{
	const char *only = NULL;

	if (argc == 2 && strcmp(argv[1], "--exit") == 0)
		_exit(0);	/* what rows execute */
	setvbuf(stdout, NULL, _IONBF, 0);
	if (getpid() == 1)
		as_init();
	else
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (strcmp(argv[i], "--list") == 0) {
			list();
			return 0;
		} else if (strcmp(argv[i], "--only") == 0 && more) {
			only = argv[++i];
		} else if (strcmp(argv[i], "--runs") == 0 && more && atoi(argv[i + 1]) >= 1 && atoi(argv[i + 1]) < MAX_RUNS) {
			runs = 1 + (unsigned int)atoi(argv[++i]);
		} else if (strcmp(argv[i], "--cat") == 0 && more) {
			print_file(argv[++i]);
			only = "";
		} else if (strcmp(argv[i], "--run") == 0 && more) {
			run_shell("run", NULL, argv[++i]);
			only = "";
		} else {
			return usage(argv[i]);
		}
	}
	run_chosen(only);
	say("end");
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	return 0;
}
