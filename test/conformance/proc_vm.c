/* SPDX-License-Identifier: MPL-2.0 */
/* process_vm_readv(2), process_vm_writev(2): pieces of any size, protections, what is moved before an error, who may. */
#include "tap.h"
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#define PAGE 4096

static char *area, *seen;	/* area: 8 pages, private; page 3 is a hole, page 5 read-only. seen: shared, a word from the child */
static char buf[8 * PAGE];

static pid_t make_target(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (int i = 0; i < 8 * PAGE; i++)
			if (i / PAGE != 3 && i / PAGE != 5)
				area[i] = (char)(i % 251);
		__atomic_store_n(seen, 1, __ATOMIC_SEQ_CST);
		/* 2: all is written. */
		while (__atomic_load_n(seen, __ATOMIC_SEQ_CST) != 2)
			usleep(1000);
		for (int i = 0; i < 2 * PAGE; i++)
			if (area[i] != 'w')
				_exit(1);
		_exit(0);
	}
	while (!__atomic_load_n(seen, __ATOMIC_SEQ_CST))
		usleep(1000);
	return pid;
}

static int differs(const char *got, size_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (got[i] != (char)((at + i) % 251))
			return 1;
	return 0;
}

static struct iovec iov(void *at, size_t n)
{
	return (struct iovec){ at, n };
}

static void reads(pid_t pid)
{
	struct iovec l[3] = { iov(buf, 100), iov(buf + 200, 5000), iov(buf + 6000, 900) };
	struct iovec r[3] = { iov(area + 50, 4000), iov(area, 0), iov(area + 4050, 2000) };

	is_int(process_vm_readv(pid, l, 3, r, 3, 0), 6000, "pieces of different sizes on both sides");
	is_int(differs(buf, 50, 100) | differs(buf + 200, 150, 5000) | differs(buf + 6000, 5150, 900), 0, "come in order");
	l[0] = iov(buf, 10);
	r[0] = iov(area + 3, 4000);
	is_int(process_vm_readv(pid, l, 1, r, 1, 0), 10, "the shorter side ends it");
	is_int(process_vm_readv(pid, r, 1, l, 0, 0), 0, "no remote piece");
	is_int(process_vm_readv(pid, l, 0, r, 1, 0), 0, "no local piece");
	l[0] = iov(buf, 8 * PAGE);
	r[0] = iov(area + 2 * PAGE - 8, 8);
	r[1] = iov(area + 3 * PAGE, 8);
	is_int(process_vm_readv(pid, l, 1, r, 2, 0), 8, "a piece that is not there ends it");
	is_errno(process_vm_readv(pid, l, 1, r + 1, 1, 0) == -1, EFAULT, "if it is the first: EFAULT");
	r[0] = iov(area + 2 * PAGE + 96, 2 * PAGE);
	is_int(process_vm_readv(pid, l, 1, r, 1, 0), PAGE - 96, "one that ends amid: up to the page that is not there");
	is_int(differs(buf, 2 * PAGE + 96, PAGE - 96), 0, "it is right so far");
	r[0] = iov((void *)0xffff800000000000, 8);
	is_errno(process_vm_readv(pid, l, 1, r, 1, 0) == -1, EFAULT, "a kernel address");
	r[0] = iov(area + 5 * PAGE, 8);
	is_int(process_vm_readv(pid, l, 1, r, 1, 0), 8, "read-only memory, never touched");
	is_int(buf[0], 0, "is zero");
}

static void writes(pid_t pid)
{
	struct iovec l = iov(buf, 2 * PAGE), r[2] = { iov(area, 100), iov(area + 100, 2 * PAGE - 100) };
	int status = -1;

	memset(buf, 'w', sizeof(buf));
	is_int(process_vm_writev(pid, &l, 1, r, 2, 0), 2 * PAGE, "writev");
	is_int(area[0], 0, "does not change the caller's memory");
	r[0] = iov(area + 6 * PAGE, 8);
	r[1] = iov(area + 5 * PAGE, 8);
	is_int(process_vm_writev(pid, &l, 1, r, 2, 0), 8, "read-only memory ends it");
	is_errno(process_vm_writev(pid, &l, 1, r + 1, 1, 0) == -1, EFAULT, "if it is the first: EFAULT");
	__atomic_store_n(seen, 2, __ATOMIC_SEQ_CST);
	waitpid(pid, &status, 0);
	is_int(status, 0, "the target sees what was written");
}

static void errors(pid_t pid)
{
	static struct iovec many[IOV_MAX + 1];
	struct iovec l = iov(buf, 8), r = iov(area, 8), bad = iov(area + 3 * PAGE, 8), huge = iov(buf, SIZE_MAX);
	pid_t zombie;

	for (int i = 0; i <= IOV_MAX; i++)
		many[i] = iov(area, 1);
	is_errno(process_vm_readv(pid, &l, 1, &r, 1, 1) == -1, EINVAL, "flags");
	is_errno(process_vm_readv(pid, many, IOV_MAX + 1, &r, 1, 0) == -1, EINVAL, "too many local pieces");
	is_errno(process_vm_readv(pid, &l, 1, many, IOV_MAX + 1, 0) == -1, EINVAL, "too many remote ones");
	is_int(process_vm_readv(pid, &l, 1, many, IOV_MAX, 0), 8, "the most there may be");
	is_errno(process_vm_readv(pid, &huge, 1, &r, 1, 0) == -1, EINVAL, "a length that is negative");
	is_errno(process_vm_readv(pid, (void *)8, 1, &r, 1, 0) == -1, EFAULT, "a bad array");
	is_errno(process_vm_readv(pid, &l, 1, (void *)8, 1, 0) == -1, EFAULT, "a bad remote array");
	is_errno(process_vm_readv(pid, &bad, 1, &r, 1, 0) == -1, EFAULT, "local memory that is not there");
	is_errno(process_vm_writev(pid, &bad, 1, &r, 1, 0) == -1, EFAULT, "to write from");
	is_errno(process_vm_readv(4000000, &l, 1, &r, 1, 0) == -1, ESRCH, "nobody's id");
	is_errno(process_vm_readv(-1, &l, 1, &r, 1, 0) == -1, ESRCH, "a negative id");
	zombie = fork();
	if (zombie == 0)
		_exit(0);
	waitid(P_PID, (id_t)zombie, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	is_errno(process_vm_readv(zombie, &l, 1, &r, 1, 0) == -1, ESRCH, "a zombie");
	waitpid(zombie, NULL, 0);
	strcpy(buf + 100, "mine");
	l = iov(buf + 200, 5);
	r = iov(buf + 100, 5);
	is_int(process_vm_readv(getpid(), &l, 1, &r, 1, 0), 5, "the caller himself");
	is_int(strcmp(buf + 200, "mine"), 0, "what he has there");
}

static pid_t target;

static int by_a_user(void)
{
	struct iovec l = iov(buf, 8), r = iov(area, 8);

	if (setgid(1234) || setuid(1234))
		return 2;
	return process_vm_readv(target, &l, 1, &r, 1, 0) == -1 && errno == EPERM && process_vm_writev(target, &l, 1, &r, 1, 0) == -1 && errno == EPERM ? 0 : 1;
}

/* Of the same user: what prctl(PR_SET_DUMPABLE) says decides. */
static int among_users(int dumpable)
{
	struct iovec l = iov(buf, 8), r = iov(area, 8);
	pid_t pid;
	long n;

	if (setgid(1234) || setuid(1234))
		return 2;
	*seen = 0;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, dumpable);
		__atomic_store_n(seen, 1, __ATOMIC_SEQ_CST);
		for (;;)
			pause();
	}
	while (!__atomic_load_n(seen, __ATOMIC_SEQ_CST))
		usleep(1000);
	n = process_vm_readv(pid, &l, 1, &r, 1, 0);
	kill(pid, SIGKILL);
	return dumpable ? n != 8 : n != -1 || errno != EPERM;
}

static int dumpable(void)
{
	return among_users(1);
}

static int undumpable(void)
{
	return among_users(0);
}

/* The memory comes and goes meanwhile, and so does the process. */
static void *churn(void *arg)
{
	for (;;) {
		char *p = mmap(area, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

		p[0] = 1;
		munmap(p, PAGE);
	}
	return arg;
}

static void race(void)
{
	int bad = 0;

	for (int round = 0; round < 5; round++) {
		struct iovec l = iov(buf, 2 * PAGE), r = iov(area, 2 * PAGE);
		pid_t pid = fork();

		if (pid == 0) {
			pthread_t t;

			pthread_create(&t, NULL, churn, NULL);
			pause();
		}
		for (int i = 0; i < 400; i++) {
			long n = (i & 1 ? process_vm_writev : process_vm_readv)(pid, &l, 1, &r, 1, 0);

			bad += n != 2 * PAGE && n != PAGE && !(n == -1 && (errno == EFAULT || (i > 200 && errno == ESRCH)));
			if (i == 200)
				kill(pid, SIGKILL);
		}
		waitpid(pid, NULL, 0);
	}
	is_int(bad, 0, "memory that comes and goes");
}

int main(void)
{
	area = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	seen = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	munmap(area + 3 * PAGE, PAGE);
	mprotect(area + 5 * PAGE, PAGE, PROT_READ);
	target = make_target();
	reads(target);
	errors(target);
	is_int(in_child(by_a_user), 0, "a user may not with root's");
	is_int(in_child(dumpable), 0, "one of the same user may be read");
	is_int(in_child(undumpable), 0, "unless it is not dumpable");
	writes(target);
	race();
	return done_testing();
}
