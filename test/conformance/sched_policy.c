/* SPDX-License-Identifier: MPL-2.0 */
/* sched_setscheduler, sched_getscheduler, sched_setparam, sched_getparam, priority ranges, intervals, sched_setattr, sched_getattr. */
#include "tap.h"
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#define BAD ((void *)8)
#define NO_PID 4194303
#define RESET 0x40000000

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static long set(pid_t pid, int policy, int priority)
{
	struct sched_param p = { .sched_priority = priority };

	return syscall(SYS_sched_setscheduler, pid, policy, &p);
}

static int get(pid_t pid)
{
	return syscall(SYS_sched_getscheduler, pid);
}

static int priority(void)
{
	struct sched_param p = { .sched_priority = -1 };

	return syscall(SYS_sched_getparam, 0, &p) ? -2 : p.sched_priority;
}

static int child_has_it(void)
{
	int policy = get(0), own = get(getppid()) & ~RESET;

	return (policy & RESET) || policy != (own == SCHED_FIFO || own == SCHED_RR ? SCHED_OTHER : own) || priority() != 0;
}

static void policies(void)
{
	static const struct {
		int policy, priority;
		const char *name;
	} good[] = {
		{ SCHED_FIFO, 1, "SCHED_FIFO 1" }, { SCHED_FIFO, 99, "SCHED_FIFO 99" }, { SCHED_RR, 50, "SCHED_RR 50" }, { SCHED_BATCH, 0, "SCHED_BATCH" },
		{ SCHED_IDLE, 0, "SCHED_IDLE" }, { SCHED_OTHER, 0, "SCHED_OTHER" },
	}, bad[] = {
		{ SCHED_FIFO, 0, "SCHED_FIFO 0" }, { SCHED_FIFO, 100, "SCHED_FIFO 100" }, { SCHED_RR, -1, "SCHED_RR -1" }, { SCHED_OTHER, 1, "SCHED_OTHER 1" },
		{ SCHED_BATCH, 1, "SCHED_BATCH 1" }, { SCHED_IDLE, 1, "SCHED_IDLE 1" }, { 4, 0, "policy 4" }, { 77, 0, "policy 77" }, { 6, 0, "SCHED_DEADLINE" },
		{ -1, 0, "policy -1" }, { INT_MAX, 0, "policy INT_MAX" },
	};

	is_int(get(0), SCHED_OTHER, "SCHED_OTHER at first");
	is_int(priority(), 0, "priority 0");
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		is_int(set(0, good[i].policy, good[i].priority), 0, "%s", good[i].name);
		is_int(get(getpid()), good[i].policy, "the policy is told");
		is_int(priority(), good[i].priority, "and the priority");
	}
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_errno(set(0, bad[i].policy, bad[i].priority) == -1, EINVAL, "%s is refused", bad[i].name);
	is_int(get(0), SCHED_OTHER, "and nothing has changed");
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		is_int(set(0, good[i].policy | RESET, good[i].priority), 0, "%s with SCHED_RESET_ON_FORK", good[i].name);
		is_int(get(0), good[i].policy | RESET, "which is told");
		is_int(in_child(child_has_it), 0, "a child has neither it nor real-time priority");
	}
	is_int(set(0, SCHED_OTHER, 0), 0, "without");
	is_int(get(0), SCHED_OTHER, "again");
}

static void errors(void)
{
	struct sched_param p = { .sched_priority = 0 };

	is_errno(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL) == -1, EINVAL, "sched_setscheduler: NULL");
	is_errno(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, BAD) == -1, EFAULT, "a bad address");
	is_errno(syscall(SYS_sched_setscheduler, -1, SCHED_OTHER, &p) == -1, EINVAL, "a negative pid");
	is_errno(syscall(SYS_sched_setscheduler, NO_PID, SCHED_OTHER, &p) == -1, ESRCH, "no such process");
	is_errno(syscall(SYS_sched_setscheduler, NO_PID, 77, &p) == -1, ESRCH, "looked for before the policy is");
	is_errno(syscall(SYS_sched_getscheduler, -1) == -1, EINVAL, "sched_getscheduler: a negative pid");
	is_errno(syscall(SYS_sched_getscheduler, NO_PID) == -1, ESRCH, "no such process");
	is_errno(syscall(SYS_sched_setparam, 0, NULL) == -1, EINVAL, "sched_setparam: NULL");
	is_errno(syscall(SYS_sched_setparam, 0, BAD) == -1, EFAULT, "a bad address");
	is_errno(syscall(SYS_sched_setparam, -1, &p) == -1, EINVAL, "a negative pid");
	is_errno(syscall(SYS_sched_setparam, NO_PID, &p) == -1, ESRCH, "no such process");
	p.sched_priority = 1;
	is_errno(syscall(SYS_sched_setparam, 0, &p) == -1, EINVAL, "a priority that SCHED_OTHER does not have");
	is_errno(syscall(SYS_sched_getparam, 0, NULL) == -1, EINVAL, "sched_getparam: NULL");
	is_errno(syscall(SYS_sched_getparam, 0, BAD) == -1, EFAULT, "a bad address");
	is_errno(syscall(SYS_sched_getparam, -1, &p) == -1, EINVAL, "a negative pid");
	is_errno(syscall(SYS_sched_getparam, NO_PID, &p) == -1, ESRCH, "no such process");
	set(0, SCHED_FIFO, 10);
	p.sched_priority = 20;
	is_int(syscall(SYS_sched_setparam, 0, &p), 0, "sched_setparam under SCHED_FIFO");
	is_int(priority(), 20, "changes the priority");
	is_int(get(0), SCHED_FIFO, "and not the policy");
	p.sched_priority = 0;
	is_errno(syscall(SYS_sched_setparam, 0, &p) == -1, EINVAL, "0 is none for SCHED_FIFO");
	set(0, SCHED_OTHER, 0);
}

static void ranges(void)
{
	static const int rt[] = { SCHED_FIFO, SCHED_RR }, fair[] = { SCHED_OTHER, SCHED_BATCH, SCHED_IDLE }, none[] = { 4, 77, -1, 100 };
	struct timespec ts = { -1, -1 };

	for (int i = 0; i < 2; i++) {
		is_int(syscall(SYS_sched_get_priority_max, rt[i]), 99, "greatest priority of policy %d", rt[i]);
		is_int(syscall(SYS_sched_get_priority_min, rt[i]), 1, "least");
	}
	for (int i = 0; i < 3; i++) {
		is_int(syscall(SYS_sched_get_priority_max, fair[i]), 0, "greatest priority of policy %d", fair[i]);
		is_int(syscall(SYS_sched_get_priority_min, fair[i]), 0, "least");
	}
	for (int i = 0; i < 4; i++) {
		is_errno(syscall(SYS_sched_get_priority_max, none[i]) == -1, EINVAL, "sched_get_priority_max(%d)", none[i]);
		is_errno(syscall(SYS_sched_get_priority_min, none[i]) == -1, EINVAL, "sched_get_priority_min(%d)", none[i]);
	}
	set(0, SCHED_RR, 1);
	is_int(syscall(SYS_sched_rr_get_interval, 0, &ts), 0, "sched_rr_get_interval of SCHED_RR");
	ok(ts.tv_sec == 0 && ts.tv_nsec == 100000000, "is 100 ms");
	set(0, SCHED_FIFO, 1);
	is_int(syscall(SYS_sched_rr_get_interval, 0, &ts), 0, "of SCHED_FIFO");
	ok(ts.tv_sec == 0 && ts.tv_nsec == 0, "is without end");
	set(0, SCHED_OTHER, 0);
	is_int(syscall(SYS_sched_rr_get_interval, 0, &ts), 0, "of SCHED_OTHER");
	ok(ts.tv_sec == 0 && ts.tv_nsec >= 0 && ts.tv_nsec <= 100000000, "is some milliseconds");
	is_errno(syscall(SYS_sched_rr_get_interval, 0, BAD) == -1, EFAULT, "a bad address");
	is_errno(syscall(SYS_sched_rr_get_interval, -1, &ts) == -1, EINVAL, "a negative pid");
	is_errno(syscall(SYS_sched_rr_get_interval, NO_PID, &ts) == -1, ESRCH, "no such process");
}

static long setattr(const void *a)
{
	return syscall(SYS_sched_setattr, 0, a, 0);
}

static void attributes(void)
{
	struct attr a = { .size = sizeof(a), .policy = SCHED_FIFO, .priority = 7 }, b;
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	is_int(sizeof(a), 56, "the struct has 56 bytes");
	is_int(setattr(&a), 0, "sched_setattr");
	memset(&b, 0x55, sizeof(b));
	is_int(syscall(SYS_sched_getattr, 0, &b, sizeof(b), 0), 0, "sched_getattr");
	ok(b.size == 56 && b.policy == SCHED_FIFO && b.priority == 7 && b.nice == 0 && b.flags == 0, "tells what was set");
	a = (struct attr){ .size = 48, .policy = SCHED_OTHER, .nice = 5 };
	is_int(setattr(&a), 0, "the first version of the struct");
	memset(&b, 0x55, sizeof(b));
	is_int(syscall(SYS_sched_getattr, 0, &b, 48, 0), 0, "read as the first version");
	ok(b.size == 48 && b.policy == SCHED_OTHER && b.nice == 5 && b.util_min == 0x55555555, "is no longer than that");
	is_int(getpriority(PRIO_PROCESS, 0), 5, "getpriority tells the nice value");
	a = (struct attr){ .size = 0, .policy = SCHED_BATCH, .nice = 50 };
	is_int(setattr(&a), 0, "size 0 is the first version");
	is_int(getpriority(PRIO_PROCESS, 0), 19, "the nice value is cut to 19");
	a = (struct attr){ .size = sizeof(a), .policy = SCHED_OTHER, .flags = 1 };
	is_int(setattr(&a), 0, "reset on fork");
	is_int(get(0), SCHED_OTHER | RESET, "is told by sched_getscheduler");
	syscall(SYS_sched_getattr, 0, &b, sizeof(b), 0);
	is_int(b.flags, 1, "and by sched_getattr");
	a = (struct attr){ .size = sizeof(a), .policy = SCHED_RR, .priority = 9, .flags = 8 };
	is_errno(setattr(&a) == -1, EINVAL, "keeping the policy SCHED_OTHER, a real-time priority");
	a = (struct attr){ .size = sizeof(a), .policy = SCHED_RR, .priority = 9 };
	setattr(&a);
	a = (struct attr){ .size = sizeof(a), .policy = SCHED_OTHER, .priority = 11, .flags = 8 };
	is_int(setattr(&a), 0, "keeping the policy");
	ok(get(0) == SCHED_RR && priority() == 11, "changes the priority");
	a = (struct attr){ .size = sizeof(a), .policy = SCHED_FIFO, .priority = 33, .flags = 0x10 };
	is_int(setattr(&a), 0, "keeping the parameters");
	ok(get(0) == SCHED_RR && priority() == 11, "changes nothing, the policy neither");
	a = (struct attr){ .size = sizeof(a), .policy = SCHED_OTHER, .flags = 0x10 };
	is_errno(setattr(&a) == -1, EINVAL, "though it must fit the policy");
	set(0, SCHED_OTHER, 0);

	a = (struct attr){ .size = 47, .policy = SCHED_OTHER };
	is_errno(setattr(&a) == -1, E2BIG, "a struct too small");
	is_int(a.size, 56, "the right size is told");
	memset(page, 0, 8192);
	((struct attr *)page)->size = 4096;
	is_int(setattr(page), 0, "a page of zeros beyond it");
	page[100] = 1;
	is_errno(setattr(page) == -1, E2BIG, "something beyond it");
	is_int(((struct attr *)page)->size, 56, "the size that is known is told");
	((struct attr *)page)->size = 4097;
	is_errno(setattr(page) == -1, E2BIG, "more than a page");
	a = (struct attr){ .size = sizeof(a), .policy = SCHED_OTHER, .flags = 0x80 };
	is_errno(setattr(&a) == -1, EINVAL, "an unknown flag");
	a = (struct attr){ .size = sizeof(a), .policy = 0x80000000 };
	is_errno(setattr(&a) == -1, EINVAL, "a negative policy");
	a = (struct attr){ .size = sizeof(a), .policy = SCHED_FIFO, .priority = 100 };
	is_errno(setattr(&a) == -1, EINVAL, "a priority too high");
	a = (struct attr){ .size = sizeof(a), .policy = 4 };
	is_errno(setattr(&a) == -1, EINVAL, "an unknown policy");
	is_errno(setattr(NULL) == -1, EINVAL, "NULL");
	is_errno(setattr(BAD) == -1, EFAULT, "a bad address");
	a = (struct attr){ .size = sizeof(a) };
	is_errno(syscall(SYS_sched_setattr, 0, &a, 1) == -1, EINVAL, "flags of the call");
	is_errno(syscall(SYS_sched_setattr, -1, &a, 0) == -1, EINVAL, "a negative pid");
	is_errno(syscall(SYS_sched_setattr, NO_PID, &a, 0) == -1, ESRCH, "no such process");
	is_errno(syscall(SYS_sched_getattr, 0, &b, 47, 0) == -1, EINVAL, "sched_getattr: too small");
	is_errno(syscall(SYS_sched_getattr, 0, &b, 4097, 0) == -1, EINVAL, "more than a page");
	is_errno(syscall(SYS_sched_getattr, 0, &b, sizeof(b), 1) == -1, EINVAL, "flags");
	is_errno(syscall(SYS_sched_getattr, 0, NULL, sizeof(b), 0) == -1, EINVAL, "NULL");
	is_errno(syscall(SYS_sched_getattr, 0, BAD, sizeof(b), 0) == -1, EFAULT, "a bad address");
	is_errno(syscall(SYS_sched_getattr, -1, &b, sizeof(b), 0) == -1, EINVAL, "a negative pid");
	is_errno(syscall(SYS_sched_getattr, NO_PID, &b, sizeof(b), 0) == -1, ESRCH, "no such process");
}

static int child_is_plain(void)
{
	return get(0) == SCHED_OTHER && getpriority(PRIO_PROCESS, 0) == 0 ? 0 : 1;
}

static int child_is_rr(void)
{
	return get(0) == SCHED_RR && priority() == 3 ? 0 : 1;
}

static int child_is_nice(void)
{
	return get(0) == SCHED_BATCH && getpriority(PRIO_PROCESS, 0) == 4 ? 0 : 1;
}

static void inheritance(void)
{
	set(0, SCHED_RR, 3);
	is_int(in_child(child_is_rr), 0, "a child inherits policy and priority");
	set(0, SCHED_RR | RESET, 3);
	is_int(in_child(child_is_plain), 0, "with reset on fork it does not");
	set(0, SCHED_OTHER, 0);
	setpriority(PRIO_PROCESS, 0, -5);
	set(0, SCHED_OTHER | RESET, 0);
	is_int(in_child(child_is_plain), 0, "nor a negative nice value");
	set(0, SCHED_BATCH, 0);
	setpriority(PRIO_PROCESS, 0, 4);
	is_int(in_child(child_is_nice), 0, "nice and SCHED_BATCH are inherited");
	set(0, SCHED_OTHER, 0);
	setpriority(PRIO_PROCESS, 0, 0);
}

static int unprivileged(void)
{
	struct rlimit lim = { 0, 0 };
	struct attr a = { .size = sizeof(a), .policy = SCHED_OTHER, .nice = -1 };

	setrlimit(RLIMIT_RTPRIO, &lim);
	setrlimit(RLIMIT_NICE, &lim);
	if (setuid(65534))
		return 1;
	if (set(0, SCHED_FIFO, 1) != -1 || errno != EPERM)
		return 2;
	if (set(1, SCHED_OTHER, 0) != -1 || errno != EPERM)
		return 3;
	if (setattr(&a) != -1 || errno != EPERM)
		return 4;
	if (set(0, SCHED_BATCH, 0) || set(0, SCHED_OTHER, 0))
		return 5;
	if (set(0, SCHED_IDLE, 0))
		return 6;
	if (set(0, SCHED_OTHER, 0) != -1 || errno != EPERM)
		return 7;		/* without RLIMIT_NICE there is no way back */
	if (set(0, SCHED_IDLE | RESET, 0))
		return 8;
	if (set(0, SCHED_IDLE, 0) != -1 || errno != EPERM)
		return 9;
	return 0;
}

static int limited(void)
{
	struct rlimit lim = { 10, 10 };

	setrlimit(RLIMIT_RTPRIO, &lim);
	if (setuid(65534))
		return 1;
	if (set(0, SCHED_FIFO, 10))
		return 2;
	if (set(0, SCHED_FIFO, 11) != -1 || errno != EPERM)
		return 3;
	if (set(0, SCHED_RR, 5) || set(0, SCHED_OTHER, 0))
		return 4;
	return 0;
}

int main(void)
{
	policies();
	errors();
	ranges();
	attributes();
	inheritance();
	is_int(in_child(unprivileged), 0, "what an unprivileged process may not do");
	is_int(in_child(limited), 0, "what RLIMIT_RTPRIO lets it do");
	return done_testing();
}
