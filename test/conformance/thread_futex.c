/* SPDX-License-Identifier: MPL-2.0 */
/* futex(2): private and shared, requeues, bitsets, FUTEX_WAKE_OP, timeouts, bad memory; what is not there; futex_waitv. */
#include "tap.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

static long futex(void *addr, int op, unsigned val, const void *timeout_or_val2, void *addr2, unsigned val3)
{
	return syscall(SYS_futex, addr, op, val, timeout_or_val2, addr2, val3);
}

static struct timespec ms(long n)
{
	return (struct timespec){ n / 1000, n % 1000 * 1000000 };
}

static struct timespec after(clockid_t clock, long n)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_sec += n / 1000;
	ts.tv_nsec += n % 1000 * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return ts;
}

/* --- waiters in threads */

struct sleeper {
	pthread_t thread;
	uint32_t *word;
	int op;
	unsigned bitset;
	long result;
	int error, is_done;
};

static void *sleeper_body(void *arg)
{
	struct sleeper *s = arg;

	s->result = futex(s->word, s->op, 0, NULL, NULL, s->bitset);
	s->error = errno;
	__atomic_store_n(&s->is_done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void start(struct sleeper *s, uint32_t *word, int op, unsigned bitset)
{
	*s = (struct sleeper){ .word = word, .op = op, .bitset = bitset };
	pthread_create(&s->thread, NULL, sleeper_body, s);
}

static int done(struct sleeper *s, int n)
{
	int count = 0;

	for (int i = 0; i < n; i++)
		count += __atomic_load_n(&s[i].is_done, __ATOMIC_SEQ_CST);
	return count;
}

static void join(struct sleeper *s, int n)
{
	for (int i = 0; i < n; i++)
		pthread_join(s[i].thread, NULL);
}

/* Wakes until that many have been woken: those that do not sleep yet are waited for. Never more. */
static int wake(uint32_t *word, int op, int n, unsigned bitset)
{
	int woken = 0;

	while (woken < n) {
		woken += (int)futex(word, op, (unsigned)(n - woken), NULL, NULL, bitset);
		sched_yield();
	}
	return woken;
}

/* How many sleep on the word, found by requeueing them to where they are. */
static int sleeping(uint32_t *word, int flag)
{
	return (int)futex(word, FUTEX_CMP_REQUEUE | flag, 0, (void *)(long)INT_MAX, word, *word);
}

static void await(uint32_t *word, int flag, int n)
{
	while (sleeping(word, flag) != n)
		sched_yield();
}

static void basic(int flag, uint32_t *word, const char *name)
{
	struct sleeper s[4];
	uint32_t other = 0;

	*word = 0;
	for (int i = 0; i < 4; i++)
		start(&s[i], word, FUTEX_WAIT | flag, 0);
	await(word, flag, 4);
	is_int(futex(word, FUTEX_WAKE | flag, 0, NULL, NULL, 0), 1, "%s: waking none wakes one", name);
	is_int(futex(word, FUTEX_WAKE | flag, 2, NULL, NULL, 0), 2, "%s: two", name);
	is_int(futex(&other, FUTEX_WAKE | flag, 1, NULL, NULL, 0), 0, "%s: none on another word", name);
	is_int(futex(word, FUTEX_WAKE | flag, INT_MAX, NULL, NULL, 0), 1, "%s: the rest", name);
	join(s, 4);
	ok(s[0].result == 0 && s[3].result == 0, "%s: they return 0", name);
	is_errno(futex(word, FUTEX_WAIT | flag, 1, NULL, NULL, 0) == -1, EAGAIN, "%s: another value", name);
}

/* A page of a shared file mapped twice is one word; a private key is by address. */
static void keys(void)
{
	int fd = open("futex-file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	uint32_t *a, *b, *p;
	struct sleeper s;

	ftruncate(fd, 8192);
	a = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	basic(0, a, "shared, a file");
	basic(FUTEX_PRIVATE_FLAG, a, "private, a file");
	basic(0, p, "shared, a private mapping");
	a[1024] = 0;
	start(&s, &a[1024], FUTEX_WAIT, 0);
	is_int(wake(b, FUTEX_WAKE, 1, 0), 1, "one word through two mappings");
	join(&s, 1);
	start(&s, &a[1024], FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0);
	await(&a[1024], FUTEX_PRIVATE_FLAG, 1);
	is_int(futex(b, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0), 0, "private: another address is another word");
	is_int(futex(&a[1024], FUTEX_WAKE, 1, NULL, NULL, 0), 0, "private and shared do not meet");
	wake(&a[1024], FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0);
	join(&s, 1);
	munmap(a, 8192);
	munmap(b, 4096);
	munmap(p, 8192);
	close(fd);
	unlink("futex-file");
}

static void between_processes(void)
{
	uint32_t *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(futex(word, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ? 0 : 1);
	is_int(wake(word, FUTEX_WAKE, 1, 0), 1, "a child is woken");
	waitpid(pid, &status, 0);
	is_int(status, 0, "through shared memory");
	munmap(word, 4096);
}

/* --- bitsets, requeues, operations */

static void bitsets(void)
{
	uint32_t word = 0;
	struct sleeper s[2];

	start(&s[0], &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 1);
	start(&s[1], &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 2);
	await(&word, FUTEX_PRIVATE_FLAG, 2);
	is_int(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 9, NULL, NULL, 4), 0, "no common bit");
	is_int(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 9, NULL, NULL, 6), 1, "one");
	pthread_join(s[1].thread, NULL);
	is_int(s[0].is_done, 0, "the right one");
	is_int(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 9, NULL, NULL, 0), 1, "FUTEX_WAKE wakes any");
	pthread_join(s[0].thread, NULL);
	start(&s[0], &word, FUTEX_WAIT_BITSET, 0x80000000);
	start(&s[1], &word, FUTEX_WAIT_BITSET, 1);
	await(&word, 0, 2);
	is_int(futex(&word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 2), 0, "shared: no common bit");
	is_int(futex(&word, FUTEX_WAKE_BITSET, 9, NULL, NULL, 0x80000002), 1, "shared: one");
	pthread_join(s[0].thread, NULL);
	is_int(s[1].is_done, 0, "the right one");
	is_int(futex(&word, FUTEX_WAKE_BITSET, 0, NULL, NULL, 1), 1, "0 to wake is 1");
	pthread_join(s[1].thread, NULL);
	is_errno(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0) == -1, EINVAL, "waiting for no bit");
	is_errno(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0) == -1, EINVAL, "waking no bit");
}

static void requeues(int flag, uint32_t *words, const char *name)
{
	struct sleeper s[5];

	words[0] = 0;
	words[1] = 5;
	for (int i = 0; i < 5; i++)
		start(&s[i], &words[0], FUTEX_WAIT | flag, 0);
	await(&words[0], flag, 5);
	is_errno(futex(&words[0], FUTEX_CMP_REQUEUE | flag, 1, (void *)1, &words[1], 7) == -1, EAGAIN, "%s: another value", name);
	is_int(futex(&words[0], FUTEX_CMP_REQUEUE | flag, 1, (void *)2, &words[1], 0), 3, "%s: one woken and two moved", name);
	is_int(sleeping(&words[0], flag), 2, "%s: two are left", name);
	is_int(sleeping(&words[1], flag), 2, "%s: two have come", name);
	is_int(futex(&words[0], FUTEX_REQUEUE | flag, 1, (void *)(long)INT_MAX, &words[1], 0), 2, "%s: FUTEX_REQUEUE counts both, too", name);
	is_int(futex(&words[1], FUTEX_WAKE | flag, INT_MAX, NULL, NULL, 0), 3, "%s: the moved ones are woken there", name);
	join(s, 5);
	is_int(done(s, 5), 5, "%s: all are awake", name);
	is_errno(futex(&words[0], FUTEX_REQUEUE | flag, (unsigned)-1, (void *)1, &words[1], 0) == -1, EINVAL, "%s: a negative count", name);
	is_errno(futex(&words[0], FUTEX_CMP_REQUEUE | flag, 1, (void *)-1, &words[1], 0) == -1, EINVAL, "%s: a negative count to move", name);
}

static void wake_op(int flag, const char *name)
{
	static const struct {
		int op, arg, cmp, cmparg;
		uint32_t before, after;
		int wakes;
	} t[] = {
		{ FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 3, 3, 9, 1 }, { FUTEX_OP_ADD, 2, FUTEX_OP_CMP_NE, 3, 3, 5, 0 },
		{ FUTEX_OP_ADD, -1, FUTEX_OP_CMP_GT, 0, 1, 0, 1 }, { FUTEX_OP_OR, 12, FUTEX_OP_CMP_LT, -1, (uint32_t)-2, (uint32_t)-2, 1 },
		{ FUTEX_OP_ANDN, 3, FUTEX_OP_CMP_LE, 6, 7, 4, 0 }, { FUTEX_OP_XOR, 5, FUTEX_OP_CMP_GE, 7, 7, 2, 1 },
		{ FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 4, FUTEX_OP_CMP_EQ, 0, 0, 16, 1 },
	};
	uint32_t words[2] = { 0, 0 };
	struct sleeper s[2];

	for (unsigned i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		words[1] = 0;
		start(&s[0], &words[0], FUTEX_WAIT | flag, 0);
		start(&s[1], &words[1], FUTEX_WAIT | flag, 0);
		await(&words[0], flag, 1);
		await(&words[1], flag, 1);
		words[1] = t[i].before;
		is_int(futex(&words[0], FUTEX_WAKE_OP | flag, 1, (void *)1, &words[1], (unsigned)FUTEX_OP(t[i].op, t[i].arg, t[i].cmp, t[i].cmparg)), 1 + t[i].wakes,
		       "%s: operation %u", name, i);
		is_int(words[1], t[i].after, "%s: its result", name);
		if (!t[i].wakes)
			wake(&words[1], FUTEX_WAKE | flag, 1, 0);
		join(s, 2);
	}
	is_errno(futex(&words[0], FUTEX_WAKE_OP | flag, 1, (void *)1, &words[1], 7u << 28) == -1, ENOSYS, "%s: an unknown operation", name);
	is_errno(futex(&words[0], FUTEX_WAKE_OP | flag, 1, (void *)1, &words[1], 15u << 24) == -1, ENOSYS, "%s: an unknown comparison", name);
}

/* --- timeouts and signals */

static void on_signal(int sig)
{
	(void)sig;
}

static void *poke(void *arg)
{
	struct sleeper *s = arg;

	while (!__atomic_load_n(&s->is_done, __ATOMIC_SEQ_CST)) {
		usleep(2000);
		pthread_kill(s->thread, SIGUSR1);
	}
	return NULL;
}

static void timeouts(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct timespec ts = ms(10), past = { 0, 1 };
	uint32_t word = 0;
	struct sleeper s;
	pthread_t t;

	is_errno(futex(&word, FUTEX_WAIT, 0, &ts, NULL, 0) == -1, ETIMEDOUT, "a relative timeout");
	ts = after(CLOCK_MONOTONIC, 10);
	is_errno(futex(&word, FUTEX_WAIT_BITSET, 0, &ts, NULL, 1) == -1, ETIMEDOUT, "an absolute one");
	is_errno(futex(&word, FUTEX_WAIT_BITSET, 0, &past, NULL, 1) == -1, ETIMEDOUT, "one that is past");
	ts = after(CLOCK_REALTIME, 10);
	is_errno(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &ts, NULL, 1) == -1, ETIMEDOUT, "FUTEX_CLOCK_REALTIME");
	is_errno(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 1) == -1, ETIMEDOUT, "past");
	is_errno(futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0) == -1, ENOSYS, "FUTEX_CLOCK_REALTIME where there is no time");
	ts.tv_nsec = 1000000000;
	is_errno(futex(&word, FUTEX_WAIT, 0, &ts, NULL, 0) == -1, EINVAL, "a thousand million nanoseconds");
	ts = (struct timespec){ -1, 0 };
	is_errno(futex(&word, FUTEX_WAIT, 0, &ts, NULL, 0) == -1, EINVAL, "negative seconds");
	is_errno(futex(&word, FUTEX_WAIT, 0, (void *)8, NULL, 0) == -1, EFAULT, "a bad timeout");
	ts = ms(0);
	is_errno(futex(&word, FUTEX_WAIT, 1, &ts, NULL, 0) == -1, EAGAIN, "the value is looked at first");
	sigaction(SIGUSR1, &sa, NULL);
	start(&s, &word, FUTEX_WAIT, 0);
	pthread_create(&t, NULL, poke, &s);
	join(&s, 1);
	pthread_join(t, NULL);
	ok(s.result == -1 && s.error == EINTR, "a handler ends the wait: EINTR");
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &sa, NULL);
	start(&s, &word, FUTEX_WAIT, 0);
	pthread_create(&t, NULL, poke, &s);
	usleep(20000);
	is_int(wake(&word, FUTEX_WAKE, 1, 0), 1, "SA_RESTART: it goes on");
	join(&s, 1);
	pthread_join(t, NULL);
	is_int(s.result, 0, "and is woken");
}

/* --- memory */

static void memory(void)
{
	uint32_t *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), word = 0;
	char *odd = (char *)p;
	struct timespec ts = ms(1);
	int fd;

	is_errno(futex(odd + 1, FUTEX_WAIT, 0, &ts, NULL, 0) == -1, EINVAL, "an odd address");
	is_errno(futex(odd + 2, FUTEX_WAKE, 1, NULL, NULL, 0) == -1, EINVAL, "to wake");
	is_errno(futex(p, FUTEX_REQUEUE, 1, (void *)1, odd + 1, 0) == -1, EINVAL, "as the second word");
	is_errno(futex(p, FUTEX_WAIT, 0, &ts, NULL, 0) == -1, ETIMEDOUT, "a page never touched");
	mprotect(p, 4096, PROT_READ);
	is_errno(futex(p, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &ts, NULL, 0) == -1, ETIMEDOUT, "private: read-only memory");
	is_errno(futex(p, FUTEX_WAIT, 0, &ts, NULL, 0) == -1, EFAULT, "shared: read-only anonymous memory");
	is_errno(futex(&word, FUTEX_WAKE_OP, 1, (void *)1, p, FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)) == -1, EFAULT, "FUTEX_WAKE_OP cannot write it");
	is_errno(futex(p, FUTEX_WAKE, 1, NULL, NULL, 0) == -1, EFAULT, "to wake, too");
	is_int(futex(p, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0), 0, "private: it is a word to wake");
	munmap(p, 8192);
	is_errno(futex(p, FUTEX_WAIT, 0, &ts, NULL, 0) == -1, EFAULT, "unmapped: to wait");
	is_errno(futex(p, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &ts, NULL, 0) == -1, EFAULT, "private too");
	is_errno(futex(p, FUTEX_WAKE, 1, NULL, NULL, 0) == -1, EFAULT, "to wake, shared");
	is_int(futex(p, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0), 0, "to wake, private: nobody is there");
	is_errno(futex((void *)0xffffffff80000000, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0) == -1, EFAULT, "a kernel address");
	is_errno(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, p, 0) == -1, EFAULT, "as the second word");
	fd = open("futex-file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	ftruncate(fd, 4096);
	p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
	is_errno(futex(p, FUTEX_WAIT, 0, &ts, NULL, 0) == -1, ETIMEDOUT, "a read-only mapping of a file");
	is_errno(futex(p + 1024, FUTEX_WAIT, 0, &ts, NULL, 0) == -1, EFAULT, "beyond the end of the file");
	munmap(p, 8192);
	close(fd);
	unlink("futex-file");
}

static void no_access(void)
{
	uint32_t *p = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), word = 0;
	struct timespec ts = ms(1);

	is_errno(futex(p, FUTEX_WAIT, 0, &ts, NULL, 0) == -1, EFAULT, "PROT_NONE: to wait");
	is_errno(futex(p, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &ts, NULL, 0) == -1, EFAULT, "private too");
	is_errno(futex(p, FUTEX_WAKE, 1, NULL, NULL, 0) == -1, EFAULT, "to wake");
	is_int(futex(p, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0), 0, "to wake, private");
	is_errno(futex(&word, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, (void *)1, p, FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)) == -1, EFAULT, "to change");
	is_errno(futex(p, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, (void *)1, &word, 0) == -1, EFAULT, "to requeue from, with a look");
	munmap(p, 4096);
}

/* The memory goes away below a sleeper: he sleeps on, and his time ends. */
static void memory_that_goes(void)
{
	char *kinds[] = { "anonymous", "a file", "a file cut short" };
	struct sleeper s;
	uint32_t *p;
	int fd;

	for (int i = 0; i < 3; i++) {
		fd = open("futex-file", O_RDWR | O_CREAT | O_TRUNC, 0600);
		ftruncate(fd, 8192);	/* a hole */
		p = i ? mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096) : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		start(&s, p, FUTEX_WAIT, 0);
		await(p, 0, 1);
		if (i == 2)
			ftruncate(fd, 0);
		else
			munmap(p, 4096);
		is_errno(futex(p, FUTEX_WAKE, 1, NULL, NULL, 0) == -1, EFAULT, "%s, gone: nobody can be woken", kinds[i]);
		if (i == 2)
			ftruncate(fd, 8192);
		else
			p = mmap(p, 4096, PROT_READ | PROT_WRITE, (i ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS) | MAP_FIXED, i ? fd : -1, i ? 4096 : 0);
		is_int(wake(p, FUTEX_WAKE, 1, 0), 1, "%s, back: he still sleeps there", kinds[i]);
		join(&s, 1);
		munmap(p, 4096);
		close(fd);
	}
	unlink("futex-file");
}

static void unknown(void)
{
	uint32_t word = 0;

	is_errno(futex(&word, 2, 0, NULL, NULL, 0) == -1, ENOSYS, "FUTEX_FD");
	is_errno(futex(&word, 14, 0, NULL, NULL, 0) == -1, ENOSYS, "operation 14");
	is_errno(futex(&word, 127, 0, NULL, NULL, 0) == -1, ENOSYS, "operation 127");
}

/* --- threads that hand a token round, moved and woken at the same time */

#define HANDS 4
#define ROUNDS 500
static uint32_t token;

static void *hand(void *arg)
{
	uint32_t me = (uint32_t)(uintptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		uint32_t seen;

		while ((seen = __atomic_load_n(&token, __ATOMIC_SEQ_CST)) % HANDS != me)
			futex(&token, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
		__atomic_store_n(&token, seen + 1, __ATOMIC_SEQ_CST);
		futex(&token, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	}
	return NULL;
}

static void race(void)
{
	pthread_t t[HANDS];

	for (uintptr_t i = 0; i < HANDS; i++)
		pthread_create(&t[i], NULL, hand, (void *)i);
	for (int i = 0; i < HANDS; i++)
		pthread_join(t[i], NULL);
	is_int(token, HANDS * ROUNDS, "no wake is lost");
}

/* --- futex_waitv: several words at once */

static uint32_t many[FUTEX_WAITV_MAX + 1];

static long waitv(const void *waiters, unsigned n, unsigned flags, const void *timeout, clockid_t clock)
{
	return syscall(449, waiters, n, flags, timeout, clock);
}

static void fill(struct futex_waitv *w, unsigned n, unsigned flags)
{
	for (unsigned i = 0; i < n; i++)
		w[i] = (struct futex_waitv){ .uaddr = (uintptr_t)&many[i], .val = 0, .flags = FUTEX_32 | flags };
}

static void waitv_errors(void)
{
	struct futex_waitv w[FUTEX_WAITV_MAX + 1];
	struct timespec past = { 0, 1 }, bad = { 0, 1000000000 }, soon;
	char *hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	fill(w, FUTEX_WAITV_MAX + 1, FUTEX_PRIVATE_FLAG);
	is_errno(waitv(w, 2, 1, NULL, 0) == -1, EINVAL, "waitv: flags");
	is_errno(waitv(w, 0, 0, NULL, 0) == -1, EINVAL, "waitv: no words");
	is_errno(waitv(w, FUTEX_WAITV_MAX + 1, 0, NULL, 0) == -1, EINVAL, "waitv: too many");
	is_errno(waitv(NULL, 1, 0, NULL, 0) == -1, EINVAL, "waitv: a null array");
	is_errno(waitv(hole, 1, 0, NULL, 0) == -1, EFAULT, "waitv: a bad array");
	is_errno(waitv(w, 2, 0, hole, CLOCK_MONOTONIC) == -1, EFAULT, "waitv: a bad timeout");
	is_errno(waitv(w, 2, 0, &past, CLOCK_BOOTTIME) == -1, EINVAL, "waitv: another clock");
	is_errno(waitv(w, 2, 0, &bad, CLOCK_MONOTONIC) == -1, EINVAL, "waitv: a thousand million nanoseconds");
	is_errno(waitv(w, FUTEX_WAITV_MAX, 0, &past, CLOCK_MONOTONIC) == -1, ETIMEDOUT, "waitv: the most, a time that is past");
	is_errno(waitv(w, 2, 0, &past, CLOCK_REALTIME) == -1, ETIMEDOUT, "waitv: of the other clock");
	soon = after(CLOCK_MONOTONIC, 10);
	is_errno(waitv(w, 2, 0, &soon, CLOCK_MONOTONIC) == -1, ETIMEDOUT, "waitv: a time to come");
	soon = after(CLOCK_REALTIME, 10);
	is_errno(waitv(w, 2, 0, &soon, CLOCK_REALTIME) == -1, ETIMEDOUT, "waitv: real time");
	w[1].val = 1;
	is_errno(waitv(w, 2, 0, NULL, 0) == -1, EAGAIN, "waitv: another value in the second");
	w[1].val = 0;
	w[1].__reserved = 1;
	is_errno(waitv(w, 2, 0, NULL, 0) == -1, EINVAL, "waitv: the reserved member");
	w[1].__reserved = 0;
	w[1].flags = FUTEX_PRIVATE_FLAG;
	is_errno(waitv(w, 2, 0, NULL, 0) == -1, EINVAL, "waitv: without a size");
	w[1].flags = FUTEX_32 | 4;
	is_errno(waitv(w, 2, 0, NULL, 0) == -1, EINVAL, "waitv: an unknown flag of a word");
	w[1].flags = FUTEX_32 | FUTEX_PRIVATE_FLAG;
	w[1].uaddr++;
	is_errno(waitv(w, 2, 0, NULL, 0) == -1, EINVAL, "waitv: an odd address");
	w[1].uaddr = (uintptr_t)hole;
	is_errno(waitv(w, 2, 0, NULL, 0) == -1, EFAULT, "waitv: memory that is not there");
	munmap(hole, 4096);
}

static unsigned waitv_n, waitv_flag;

static void *waitv_body(void *arg)
{
	struct sleeper *s = arg;
	struct futex_waitv w[FUTEX_WAITV_MAX];

	fill(w, waitv_n, waitv_flag);
	s->result = waitv(w, waitv_n, 0, NULL, 0);
	s->error = errno;
	__atomic_store_n(&s->is_done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void start_waitv(struct sleeper *s, unsigned n, unsigned flag)
{
	*s = (struct sleeper){ .is_done = 0 };
	waitv_n = n;
	waitv_flag = flag;
	pthread_create(&s->thread, NULL, waitv_body, s);
	await(&many[n - 1], (int)flag, 1);
}

static void waitv_wakes(unsigned flag, const char *name)
{
	static uint32_t other;
	struct sleeper s;

	start_waitv(&s, FUTEX_WAITV_MAX, flag);
	is_int(futex(&many[77], FUTEX_WAKE | (int)flag, 1, NULL, NULL, 0), 1, "waitv, %s: one word of many is woken", name);
	join(&s, 1);
	is_int(s.result, 77, "waitv, %s: its index", name);
	is_int(futex(&many[3], FUTEX_WAKE | (int)flag, 1, NULL, NULL, 0), 0, "waitv, %s: it waits on no other any more", name);
	start_waitv(&s, 1, flag);
	futex(&many[0], FUTEX_WAKE | (int)flag, 1, NULL, NULL, 0);
	join(&s, 1);
	is_int(s.result, 0, "waitv, %s: one word", name);
	start_waitv(&s, 3, flag);
	is_int(futex(&many[1], FUTEX_CMP_REQUEUE | (int)flag, 0, (void *)1, &other, 0), 1, "waitv, %s: a word is requeued", name);
	is_int(futex(&other, FUTEX_WAKE | (int)flag, 1, NULL, NULL, 0), 1, "waitv, %s: and woken there", name);
	join(&s, 1);
	is_int(s.result, 1, "waitv, %s: the index it had", name);
}

static void waitv_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct sleeper s;
	pthread_t t;

	sigaction(SIGUSR1, &sa, NULL);
	start_waitv(&s, 2, FUTEX_PRIVATE_FLAG);
	pthread_create(&t, NULL, poke, &s);
	join(&s, 1);
	pthread_join(t, NULL);
	ok(s.result == -1 && s.error == EINTR, "waitv: a handler ends the wait: EINTR");
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &sa, NULL);
	start_waitv(&s, 2, FUTEX_PRIVATE_FLAG);
	pthread_create(&t, NULL, poke, &s);
	usleep(20000);
	wake(&many[1], FUTEX_WAKE_PRIVATE, 1, 0);
	join(&s, 1);
	pthread_join(t, NULL);
	is_int(s.result, 1, "waitv: SA_RESTART goes on");
}

/* Each round one of the words is changed and woken: the waiter must see it, by the wake or by the value. */
static void *waitv_count(void *arg)
{
	struct futex_waitv w[4];
	uint32_t sum = 0;

	fill(w, 4, FUTEX_PRIVATE_FLAG);
	while (sum < 4 * ROUNDS) {
		sum = 0;
		for (int i = 0; i < 4; i++) {
			w[i].val = __atomic_load_n(&many[i], __ATOMIC_SEQ_CST);
			sum += (uint32_t)w[i].val;
		}
		if (sum < 4 * ROUNDS)
			waitv(w, 4, 0, NULL, 0);
	}
	return arg;
}

static void *waitv_add(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		__atomic_fetch_add((uint32_t *)arg, 1, __ATOMIC_SEQ_CST);
		futex(arg, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	}
	return NULL;
}

static void waitv_race(void)
{
	pthread_t t[6];

	for (int i = 0; i < 6; i++)
		pthread_create(&t[i], NULL, i < 2 ? waitv_count : waitv_add, i < 2 ? NULL : &many[i - 2]);
	for (int i = 0; i < 6; i++)
		pthread_join(t[i], NULL);
	ok(many[0] == ROUNDS && many[3] == ROUNDS, "waitv: no wake is lost");
}

int main(void)
{
	static uint32_t words[2];
	uint32_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	basic(FUTEX_PRIVATE_FLAG, &words[0], "private");
	basic(0, &words[0], "shared");
	keys();
	between_processes();
	bitsets();
	requeues(FUTEX_PRIVATE_FLAG, words, "private");
	requeues(0, shared, "shared");
	wake_op(FUTEX_PRIVATE_FLAG, "private");
	wake_op(0, "shared");
	timeouts();
	memory();
	no_access();
	memory_that_goes();
	unknown();
	race();
	waitv_errors();
	waitv_wakes(FUTEX_PRIVATE_FLAG, "private");
	waitv_wakes(0, "shared");
	waitv_signals();
	waitv_race();
	return done_testing();
}
