/* SPDX-License-Identifier: MPL-2.0 */
/* sched_setaffinity, sched_getaffinity, getcpu, sched_yield; threads stay where they are put. */
#include "tap.h"
#include <sched.h>
#include <sys/syscall.h>

#define BAD ((void *)8)
#define NO_PID 4194303
#define WORDS 128

static long set(pid_t pid, unsigned long len, const void *mask)
{
	return syscall(SYS_sched_setaffinity, pid, len, mask);
}

static long get(pid_t pid, unsigned long len, void *mask)
{
	return syscall(SYS_sched_getaffinity, pid, len, mask);
}

static unsigned cpu_now(void)
{
	unsigned cpu = 12345, node = 12345;

	return syscall(SYS_getcpu, &cpu, &node, NULL) || node > 63 ? 99999 : cpu;
}

static unsigned long all[WORDS];

static void errors(void)
{
	unsigned long mask[WORDS] = { 0 };

	is_errno(set(0, sizeof(mask), mask) == -1, EINVAL, "no CPU at all");
	mask[WORDS - 1] = 1;
	is_errno(set(0, sizeof(mask), mask) == -1, EINVAL, "only CPUs that are not there");
	is_errno(set(0, 0, all) == -1, EINVAL, "length 0");
	is_errno(set(0, 8, BAD) == -1, EFAULT, "sched_setaffinity: a bad address");
	is_errno(set(NO_PID, 8, all) == -1, ESRCH, "no such process");
	is_errno(set(-1, 8, all) == -1, ESRCH, "a negative pid");
	is_errno(get(0, 7, mask) == -1, EINVAL, "sched_getaffinity: a length that is not of whole words");
	is_errno(get(0, 0, mask) == -1, EINVAL, "length 0");
	is_errno(get(0, 8, BAD) == -1, EFAULT, "a bad address");
	is_errno(get(NO_PID, 8, mask) == -1, ESRCH, "no such process");
	is_errno(get(-1, 8, mask) == -1, ESRCH, "a negative pid");
	is_errno(syscall(SYS_getcpu, BAD, NULL, NULL) == -1, EFAULT, "getcpu to a bad address");
	is_errno(syscall(SYS_getcpu, NULL, BAD, NULL) == -1, EFAULT, "node to a bad address");
	is_int(syscall(SYS_getcpu, NULL, NULL, NULL), 0, "getcpu(NULL, NULL)");
}

static void everywhere(unsigned n)
{
	unsigned long one[WORDS], back[WORDS];
	int wrong = 0, strayed = 0;

	for (unsigned round = 0; round < 3 * n; round++) {
		unsigned cpu = round % n;

		memset(one, 0, sizeof(one));
		one[cpu / 64] = 1ul << cpu % 64;
		wrong += set(0, sizeof(one), one) != 0;
		strayed += cpu_now() != cpu;
		memset(back, 0, sizeof(back));
		wrong += get(0, sizeof(back), back) <= 0 || memcmp(one, back, sizeof(one));
		for (int i = 0; i < 20; i++) {
			sched_yield();
			if (i % 5 == 0)
				usleep(200);
			strayed += cpu_now() != cpu;
		}
	}
	is_int(wrong, 0, "each CPU can be chosen, and is told");
	is_int(strayed, 0, "one is there at once, and stays");
	is_int(set(0, sizeof(all), all), 0, "all CPUs again");
	memset(back, 0, sizeof(back));
	get(0, sizeof(back), back);
	ok(!memcmp(all, back, sizeof(all)), "are told");
	memset(back, 0xff, sizeof(back));
	is_int(set(0, sizeof(back), back), 0, "all that there could be");
	memset(back, 0, sizeof(back));
	get(0, sizeof(back), back);
	ok(!memcmp(all, back, sizeof(all)), "are those that there are");
}

static unsigned last_cpu;

static int inherits(void)
{
	unsigned long back[WORDS] = { 0 };

	get(0, sizeof(back), back);
	return cpu_now() == last_cpu && back[last_cpu / 64] == 1ul << last_cpu % 64 ? 0 : 1;
}

/* Moves a child that computes, and one that sleeps. */
static void others(unsigned n)
{
	unsigned long one[WORDS] = { 0 }, back[WORDS] = { 0 };
	int status, fds[2];
	unsigned seen = 0;
	pid_t pid;

	if (n < 2 || pipe(fds)) {
		skip("one CPU");
		return;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		for (;;) {
			unsigned cpu = cpu_now();

			if (cpu == n - 1 && write(fds[1], &cpu, sizeof(cpu)) == sizeof(cpu))
				pause();
		}
	}
	one[0] = 1;
	is_int(set(pid, sizeof(one), one), 0, "a child to the first CPU");
	one[0] = 0;
	one[(n - 1) / 64] = 1ul << (n - 1) % 64;
	is_int(set(pid, sizeof(one), one), 0, "to the last");
	ok(read(fds[0], &seen, sizeof(seen)) == sizeof(seen) && seen == n - 1, "it runs there");
	one[(n - 1) / 64] = 0;
	one[0] = 1;
	is_int(set(pid, sizeof(one), one), 0, "back while it sleeps");
	get(pid, sizeof(back), back);
	is_int(back[0], 1, "that is told");
	kill(pid, 9);
	waitpid(pid, &status, 0);
}

static int unprivileged(void)
{
	unsigned long one = 1;

	if (setuid(65534))
		return 1;
	if (set(1, 8, &one) != -1 || errno != EPERM)
		return 2;
	if (set(0, 8, &one))
		return 3;
	if (get(1, sizeof(all), all) <= 0)
		return 4;
	return 0;
}

int main(void)
{
	long size = get(0, sizeof(all), all);
	unsigned long one[WORDS] = { 0 };
	unsigned n = sysconf(_SC_NPROCESSORS_ONLN);

	ok(size > 0 && size % 8 == 0, "sched_getaffinity returns whole words");
	last_cpu = n - 1;
	errors();
	everywhere(n);
	one[last_cpu / 64] = 1ul << last_cpu % 64;
	set(0, sizeof(one), one);
	is_int(in_child(inherits), 0, "a child inherits it");
	set(0, sizeof(all), all);
	others(n);
	is_int(in_child(unprivileged), 0, "others' CPUs are not for an unprivileged process to choose");
	is_int(syscall(SYS_sched_yield), 0, "sched_yield");
	return done_testing();
}
