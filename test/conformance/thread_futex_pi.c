/* SPDX-License-Identifier: MPL-2.0 */
/* futex(2) with priority inheritance: locks, hand-over by priority, what owners inherit, chains and deadlocks, dead owners, requeues, errors; glibc's mutexes. */
#include "tap.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
#define MAX 16

static long futex(void *addr, int op, unsigned val, const void *timeout_or_val2, void *addr2, unsigned val3)
{
	return syscall(SYS_futex, addr, op, val, timeout_or_val2, addr2, val3);
}

static uint32_t tid(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

static uint32_t load(uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static struct timespec in_ms(clockid_t clock, long n)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_nsec += n * 1000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

static long lock(uint32_t *word)
{
	uint32_t free = 0;

	if (__atomic_compare_exchange_n(word, &free, tid(), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return 0;
	return futex(word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
}

static long unlock(uint32_t *word)
{
	uint32_t own = tid();

	if (__atomic_compare_exchange_n(word, &own, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return 0;
	return futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

/* Fields of /proc/self/task/TID/stat: 3 state, 18 priority. */
static long stat_field(uint32_t of, int field, char *state)
{
	char path[64], text[512], *at;
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%u/stat", of);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -9999;
	text[n] = 0;
	at = strrchr(text, ')') + 2;
	*state = *at;
	for (int i = 3; i < field; i++)
		at = strchr(at, ' ') + 1;
	return atol(at);
}

/* −1 − real-time priority, or 20 + nice: the one it runs at. */
static long priority_of(uint32_t of)
{
	char state;

	return stat_field(of, 18, &state);
}

static void until_asleep(uint32_t of)
{
	char state = 'R';

	while (state != 'S') {
		stat_field(of, 3, &state);
		usleep(200);
	}
}

static void set_rt(int policy, int priority)
{
	struct sched_param p = { .sched_priority = priority };

	syscall(SYS_sched_setscheduler, 0, policy, &p);
}

/* --- threads that lock */

struct locker {
	pthread_t thread;
	uint32_t *first, *second;	/* locked in this order; first may be NULL */
	int rt;				/* SCHED_FIFO priority; 0: none */
	volatile uint32_t tid;
	volatile int has_first, go;	/* go: may lock the second */
	long result;
	int error, order;
};

static int order;

static void *lock_both(void *arg)
{
	struct locker *l = arg;

	if (l->rt)
		set_rt(SCHED_FIFO, l->rt);
	l->tid = tid();
	if (l->first)
		lock(l->first);
	l->has_first = 1;
	while (!l->go)
		usleep(200);
	l->result = lock(l->second);
	l->error = errno;
	if (!l->result) {
		l->order = __atomic_add_fetch(&order, 1, __ATOMIC_SEQ_CST);
		unlock(l->second);
	}
	if (l->first)
		unlock(l->first);
	return NULL;
}

static void start(struct locker *l, uint32_t *first, uint32_t *second, int rt)
{
	*l = (struct locker){ .first = first, .second = second, .rt = rt };
	pthread_create(&l->thread, NULL, lock_both, l);
	while (!l->has_first)
		usleep(200);
}

static void go(struct locker *l)
{
	l->go = 1;
	until_asleep(l->tid);
	while (!(load(l->second) & FUTEX_WAITERS))
		usleep(200);
	usleep(2000);
	until_asleep(l->tid);
}

static void begin(struct locker *l, uint32_t *first, uint32_t *second, int rt)
{
	start(l, first, second, rt);
	go(l);
}

static void simple(void)
{
	uint32_t word = 0;
	struct locker l;

	is_int(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0, "a free lock");
	ok(word == tid(), "the word is the owner's id");
	is_errno(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == -1, EDEADLK, "locking it again");
	is_errno(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0) == -1, EDEADLK, "trying again");
	is_int(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0, "unlocking without waiters");
	ok(word == 0, "makes it free");
	is_errno(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == -1, EPERM, "unlocking a free one");
	is_int(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), 0, "trying a free one");
	begin(&l, NULL, &word, 0);
	ok(load(&word) == (tid() | FUTEX_WAITERS), "a waiter sets its bit");
	is_errno(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0) == -1, EINVAL, "FUTEX_WAKE where somebody waits for a lock");
	is_int(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0, "unlocking hands it over");
	pthread_join(l.thread, NULL);
	ok(l.result == 0 && load(&word) == 0, "and in the end it is free");
}

static void errors(void)
{
	uint32_t word = 0, other = 0, *p = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 }, past = { 1, 0 };
	int pid = fork();
	uint32_t own = tid();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	word = (uint32_t)pid;
	is_errno(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == -1, ESRCH, "an owner that is no more");
	is_errno(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0) == -1, ESRCH, "tried");
	is_errno(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == -1, EPERM, "another's lock cannot be unlocked");
	word = FUTEX_OWNER_DIED;
	is_int(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0, "a dead owner's lock");
	ok(word == (own | FUTEX_OWNER_DIED), "the bit stays");
	word = FUTEX_OWNER_DIED | FUTEX_WAITERS;
	is_int(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), 0, "tried");
	ok((word & ~FUTEX_WAITERS) == (own | FUTEX_OWNER_DIED), "likewise");
	is_errno(futex((char *)&word + 2, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == -1, EINVAL, "an odd address");
	is_errno(futex((char *)&word + 1, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == -1, EPERM, "to unlock, what is not ours");
	is_errno(futex(p, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == -1, EFAULT, "memory that cannot be written");
	is_errno(futex(p, FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0) == -1, EFAULT, "private too");
	munmap(p, 8192);
	is_errno(futex(p, FUTEX_TRYLOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0) == -1, EFAULT, "none at all");
	is_errno(futex(p, FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0) == -1, EFAULT, "to unlock");
	word = 1;	/* init is alive, and will not unlock it */
	is_errno(futex(&word, FUTEX_LOCK_PI, 0, &bad, NULL, 0) == -1, EINVAL, "a thousand million nanoseconds");
	is_errno(futex(&word, FUTEX_LOCK_PI2, 0, &negative, NULL, 0) == -1, EINVAL, "negative seconds");
	is_errno(futex(&word, FUTEX_LOCK_PI, 0, p, NULL, 0) == -1, EFAULT, "a bad timeout");
	is_errno(futex(&word, FUTEX_LOCK_PI, 0, &past, NULL, 0) == -1, ETIMEDOUT, "a time that is past");
	is_errno(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0) == -1, EAGAIN, "trying what another has");
	past = in_ms(CLOCK_REALTIME, 5);
	is_errno(futex(&word, FUTEX_LOCK_PI, 0, &past, NULL, 0) == -1, ETIMEDOUT, "FUTEX_LOCK_PI: real time");
	past = in_ms(CLOCK_MONOTONIC, 5);
	is_errno(futex(&word, FUTEX_LOCK_PI2, 0, &past, NULL, 0) == -1, ETIMEDOUT, "FUTEX_LOCK_PI2: monotonic");
	past = in_ms(CLOCK_REALTIME, 5);
	is_errno(futex(&word, FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0) == -1, ETIMEDOUT, "or real time");
	is_errno(futex(&word, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0) == -1, ENOSYS, "which FUTEX_LOCK_PI does not take");
	is_errno(futex(&word, FUTEX_UNLOCK_PI | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0) == -1, ENOSYS, "nor does FUTEX_UNLOCK_PI");
	is_errno(futex(&word, FUTEX_CMP_REQUEUE_PI, 2, (void *)1, &other, word) == -1, EINVAL, "FUTEX_CMP_REQUEUE_PI that wakes two");
	is_errno(futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &word, word) == -1, EINVAL, "to the same word");
	is_errno(futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &other, word + 1) == -1, EAGAIN, "another value");
	is_errno(futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)-1l, &other, word) == -1, EINVAL, "a negative count");
	is_int(futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &other, word), 0, "nobody to move");
	is_errno(futex(&word, FUTEX_WAIT_REQUEUE_PI, word + 1, NULL, &other, 0) == -1, EAGAIN, "FUTEX_WAIT_REQUEUE_PI: another value");
	is_errno(futex(&word, FUTEX_WAIT_REQUEUE_PI, word, NULL, &word, 0) == -1, EINVAL, "the same word");
	is_errno(futex(&word, FUTEX_WAIT_REQUEUE_PI, word, NULL, (char *)&other + 1, 0) == -1, EINVAL, "an odd second one");
	past = in_ms(CLOCK_MONOTONIC, 5);
	is_errno(futex(&word, FUTEX_WAIT_REQUEUE_PI, word, &past, &other, 0) == -1, ETIMEDOUT, "its time");
}

/* FUTEX_LOCK_PI2 and FUTEX_TRYLOCK_PI, private and shared: one lock, whoever takes it by which call. */
static void other_locks(int flag, const char *name)
{
	uint32_t word = 0, own = tid();
	struct timespec never = { -1, 0 }, later = in_ms(CLOCK_MONOTONIC, 1000000);
	struct locker l;

	is_int(futex(&word, FUTEX_LOCK_PI2 | flag, 0, &later, NULL, 0), 0, "%s: FUTEX_LOCK_PI2 of a free lock", name);
	ok(load(&word) == own, "the word is the owner's id");
	is_errno(futex(&word, FUTEX_LOCK_PI2 | flag, 0, NULL, NULL, 0) == -1, EDEADLK, "again");
	is_errno(futex(&word, FUTEX_TRYLOCK_PI | flag, 0, NULL, NULL, 0) == -1, EDEADLK, "or tried");
	is_int(futex(&word, FUTEX_UNLOCK_PI | flag, 0, NULL, NULL, 0), 0, "unlocked");
	ok(load(&word) == 0, "it is free");
	is_int(futex(&word, FUTEX_TRYLOCK_PI | flag, 0, &never, NULL, 0), 0, "%s: FUTEX_TRYLOCK_PI takes it, whatever the timeout says", name);
	ok(load(&word) == own, "the word is the owner's id");
	if (!flag) {
		begin(&l, NULL, &word, 0);
		ok(load(&word) == (own | FUTEX_WAITERS), "another waits for it");
		is_int(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0, "and gets it");
		pthread_join(l.thread, NULL);
		is_int(futex(&word, FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, 0, &(struct timespec){ 1, 0 }, NULL, 0), 0, "a time that is past, for a free lock");
	}
	is_int(futex(&word, FUTEX_UNLOCK_PI | flag, 0, NULL, NULL, 0), 0, "unlocked");
	word = 1;
	is_errno(futex(&word, FUTEX_TRYLOCK_PI | flag, 0, NULL, NULL, 0) == -1, EAGAIN, "%s: FUTEX_TRYLOCK_PI of what another has", name);
	ok(load(&word) == (1 | FUTEX_WAITERS) || load(&word) == 1, "leaves it to its owner");
}

/* --- who gets it */

static void by_priority(void)
{
	static const int rt[6] = { 0, 5, 0, 20, 5, 20 }, want[6] = { 5, 3, 6, 1, 4, 2 };
	struct locker l[6];
	uint32_t word = 0;
	int bad = 0;

	order = 0;
	lock(&word);
	for (int i = 0; i < 6; i++)
		begin(&l[i], NULL, &word, rt[i]);
	unlock(&word);
	for (int i = 0; i < 6; i++) {
		pthread_join(l[i].thread, NULL);
		bad += l[i].order != want[i];
	}
	is_int(bad, 0, "by real-time priority, then in order of arrival");
}

static void inheritance(void)
{
	struct locker l[3];
	struct sched_param p;
	uint32_t word = 0, own = tid();
	long normal = priority_of(own);

	lock(&word);
	begin(&l[0], NULL, &word, 0);
	is_int(priority_of(own), normal, "an ordinary waiter lends nothing");
	begin(&l[1], NULL, &word, 10);
	is_int(priority_of(own), -11, "the owner runs at the priority of who waits");
	begin(&l[2], NULL, &word, 30);
	is_int(priority_of(own), -31, "of the highest");
	ok(syscall(SYS_sched_getscheduler, 0) == SCHED_OTHER && syscall(SYS_sched_getparam, 0, &p) == 0 && p.sched_priority == 0, "its own policy is what it was");
	unlock(&word);
	is_int(priority_of(own), normal, "until it unlocks");
	for (int i = 0; i < 3; i++)
		pthread_join(l[i].thread, NULL);
	set_rt(SCHED_FIFO, 20);
	lock(&word);
	begin(&l[0], NULL, &word, 10);
	is_int(priority_of(own), -21, "a lower one lends nothing");
	begin(&l[1], NULL, &word, 40);
	is_int(priority_of(own), -41, "a higher one does");
	set_rt(SCHED_OTHER, 0);
	is_int(priority_of(own), -41, "whatever the owner's own becomes");
	unlock(&word);
	is_int(priority_of(own), normal, "which it has again afterwards");
	for (int i = 0; i < 2; i++)
		pthread_join(l[i].thread, NULL);
}

/* The waiter's own priority changes, and its time ends. */
static void *wait_a_while(void *arg)
{
	struct locker *l = arg;
	struct timespec ts = in_ms(CLOCK_REALTIME, 200);

	set_rt(SCHED_FIFO, 10);
	l->tid = tid();
	l->result = futex(l->second, FUTEX_LOCK_PI, 0, &ts, NULL, 0);
	l->error = errno;
	return NULL;
}

static void changes(void)
{
	struct locker l = { .second = &(uint32_t){ 0 } };
	struct sched_param p = { .sched_priority = 50 };
	uint32_t own = tid();
	long normal = priority_of(own);

	lock(l.second);
	begin(&l, NULL, l.second, 10);
	syscall(SYS_sched_setscheduler, l.tid, SCHED_FIFO, &p);
	is_int(priority_of(own), -51, "the waiter's priority is raised");
	p.sched_priority = 5;
	syscall(SYS_sched_setscheduler, l.tid, SCHED_RR, &p);
	is_int(priority_of(own), -6, "and lowered");
	p.sched_priority = 0;
	syscall(SYS_sched_setscheduler, l.tid, SCHED_OTHER, &p);
	is_int(priority_of(own), normal, "and ordinary");
	unlock(l.second);
	pthread_join(l.thread, NULL);
	lock(l.second);
	l = (struct locker){ .second = l.second };
	pthread_create(&l.thread, NULL, wait_a_while, &l);
	while (!l.tid)
		usleep(200);
	while (priority_of(own) != -11)
		usleep(200);
	pthread_join(l.thread, NULL);
	ok(l.result == -1 && l.error == ETIMEDOUT, "a waiter whose time ends");
	is_int(priority_of(own), normal, "takes back what it lent");
	is_int(futex(l.second, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0, "unlocking with a bit for nobody");
	is_int(*l.second, 0, "makes it free");
}

static void chain(void)
{
	uint32_t word[4] = { 0 }, own = tid();
	struct locker l[4];
	long normal = priority_of(own);

	lock(&word[0]);
	for (int i = 0; i < 3; i++)
		begin(&l[i], &word[i + 1], &word[i], 0);
	begin(&l[3], NULL, &word[3], 25);
	is_int(priority_of(own), -26, "over a chain of four");
	is_int(priority_of(l[1].tid), -26, "and each in between");
	is_errno(futex(&word[3], FUTEX_LOCK_PI, 0, NULL, NULL, 0) == -1, EDEADLK, "a deadlock over four");
	is_int(priority_of(own), -26, "changes nothing");
	unlock(&word[0]);
	is_int(priority_of(own), normal, "unlocked");
	for (int i = 0; i < 4; i++)
		pthread_join(l[i].thread, NULL);
	ok(!l[0].result && !l[1].result && !l[2].result && !l[3].result, "all have had it");
}

/* --- dead owners */

struct robust_lock {
	struct robust_list node;
	uint32_t word;
};

static struct {
	struct robust_list_head head;
	struct robust_lock lock;
	volatile int stage;
} *sh;

static int robust_owner(void)
{
	sh->head.list.next = (void *)((uintptr_t)&sh->lock.node | 1);
	sh->lock.node.next = &sh->head.list;
	sh->head.futex_offset = offsetof(struct robust_lock, word) - offsetof(struct robust_lock, node);
	syscall(SYS_set_robust_list, &sh->head, sizeof(sh->head));
	lock(&sh->lock.word);
	sh->stage = 1;
	while (!(load(&sh->lock.word) & FUTEX_WAITERS))
		usleep(200);
	while (sh->stage != 2)
		usleep(200);
	return 0;
}

static int plain_owner(void)
{
	lock(&sh->lock.word);
	sh->stage = 1;
	while (sh->stage != 2)
		usleep(200);
	return 0;
}

static void *kill_later(void *arg)
{
	(void)arg;
	while (!(load(&sh->lock.word) & FUTEX_WAITERS))
		usleep(200);
	usleep(5000);
	sh->stage = 2;
	return NULL;
}

static void after_death(int (*owner)(void), const char *name)
{
	pthread_t t;
	pid_t pid;

	memset(sh, 0, sizeof(*sh));
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(owner());
	while (sh->stage != 1)
		usleep(200);
	pthread_create(&t, NULL, kill_later, NULL);
	is_int(futex(&sh->lock.word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0, "%s: the waiter gets the lock", name);
	ok(load(&sh->lock.word) == (tid() | FUTEX_WAITERS | FUTEX_OWNER_DIED), "%s: and is told", name);
	is_int(futex(&sh->lock.word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0, "%s: it can unlock it", name);
	is_int(load(&sh->lock.word), 0, "%s: free", name);
	pthread_join(t, NULL);
	waitpid(pid, NULL, 0);
}

/* Several who die one after the other with what they were handed. */
static int dies_with_it(void)
{
	return futex(&sh->lock.word, FUTEX_LOCK_PI, 0, NULL, NULL, 0) ? 1 : 0;
}

static void one_after_the_other(void)
{
	pid_t pid[4];
	int bad = 0, status;

	memset(sh, 0, sizeof(*sh));
	sh->lock.word = tid();
	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		if (!pid[i])
			_exit(dies_with_it());
	}
	while (!(load(&sh->lock.word) & FUTEX_WAITERS))
		usleep(200);
	usleep(20000);
	futex(&sh->lock.word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	for (int i = 0; i < 4; i++) {
		waitpid(pid[i], &status, 0);
		bad += status != 0;
	}
	is_int(bad, 0, "four that die with the lock one after the other");
}

/* --- requeues */

static uint32_t cond, mutex;

struct waiter {
	pthread_t thread;
	volatile uint32_t tid;
	volatile int is_over;
	int rt, flag;			/* flag: FUTEX_PRIVATE_FLAG or 0 */
	long result;
	int error;
};

static void on_signal(int sig)
{
	(void)sig;
}

static void *wait_requeue(void *arg)
{
	struct waiter *w = arg;

	if (w->rt)
		set_rt(SCHED_FIFO, w->rt);
	w->tid = tid();
	w->result = futex(&cond, FUTEX_WAIT_REQUEUE_PI | w->flag, 0, NULL, &mutex, 0);
	w->error = errno;
	if (!w->result) {
		w->error = (load(&mutex) & FUTEX_TID_MASK) == tid() ? 0 : 1;
		futex(&mutex, FUTEX_UNLOCK_PI | w->flag, 0, NULL, NULL, 0);
	}
	w->is_over = 1;
	return NULL;
}

static void wait_by(struct waiter *w, int rt, int flag)
{
	*w = (struct waiter){ .rt = rt, .flag = flag };
	pthread_create(&w->thread, NULL, wait_requeue, w);
	while (!w->tid)
		usleep(200);
	usleep(2000);
	until_asleep(w->tid);
}

static void wait_there(struct waiter *w, int rt)
{
	wait_by(w, rt, FUTEX_PRIVATE_FLAG);
}

static long requeue(int n)
{
	return futex(&cond, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, (void *)(long)n, &mutex, cond);
}

static void requeues(void)
{
	struct waiter w[4];
	uint32_t other = 0;
	long normal = priority_of(tid());
	int bad = 0;

	wait_there(&w[0], 0);
	is_errno(futex(&cond, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0) == -1, EINVAL, "FUTEX_WAKE does not wake who waits to be moved");
	is_errno(futex(&cond, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, (void *)1, &other, 0) == -1, EINVAL, "nor FUTEX_CMP_REQUEUE");
	is_errno(futex(&cond, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE_FLAG, 1, (void *)1, &other, 0) == -1, EINVAL, "to another lock than it named");
	is_int(requeue(0), 1, "a free lock: the waiter has it");
	pthread_join(w[0].thread, NULL);
	ok(w[0].result == 0 && w[0].error == 0, "and returns with it");
	is_int(load(&mutex), 0, "free again");
	for (int i = 0; i < 4; i++)
		wait_there(&w[i], i == 2 ? 15 : 0);
	mutex = tid();
	is_int(requeue(1), 2, "a lock that is taken: two are moved");
	is_int(requeue(5), 2, "and the others");
	is_int(priority_of(tid()), -16, "its owner inherits");
	usleep(5000);
	ok(!w[0].is_over && !w[1].is_over && !w[2].is_over && !w[3].is_over, "they wait for it");
	futex(&mutex, FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
	is_int(priority_of(tid()), normal, "until it unlocks");
	for (int i = 0; i < 4; i++) {
		pthread_join(w[i].thread, NULL);
		bad += w[i].result != 0 || w[i].error != 0;
	}
	is_int(bad, 0, "all return with the lock");
	wait_there(&w[0], 0);
	mutex = tid();
	requeue(0);
	pthread_kill(w[0].thread, SIGUSR1);
	pthread_join(w[0].thread, NULL);
	ok(w[0].result == -1 && w[0].error == EAGAIN, "a signal after the move: EAGAIN");
	futex(&mutex, FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
	wait_there(&w[0], 0);
	pthread_kill(w[0].thread, SIGUSR1);
	usleep(5000);
	until_asleep(w[0].tid);
	is_int(requeue(0), 1, "a signal before it: it waits on");
	pthread_join(w[0].thread, NULL);
}

static void shared_requeues(void)
{
	struct waiter w[2];

	wait_by(&w[0], 0, 0);
	wait_by(&w[1], 0, 0);
	mutex = tid();
	is_int(futex(&cond, FUTEX_CMP_REQUEUE_PI, 1, (void *)5l, &mutex, cond), 2, "shared: two are moved to a lock that is taken");
	ok(load(&mutex) == (tid() | FUTEX_WAITERS), "and wait for it");
	is_int(futex(&mutex, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0, "until it is free");
	for (int i = 0; i < 2; i++) {
		pthread_join(w[i].thread, NULL);
		ok(w[i].result == 0 && w[i].error == 0, "each returns with the lock");
	}
	is_int(load(&mutex), 0, "free in the end");
}

/* A signal does not end the wait for a lock, SA_RESTART or not. */
static void signals(void)
{
	uint32_t word = 0;
	struct locker l;

	lock(&word);
	begin(&l, NULL, &word, 0);
	pthread_kill(l.thread, SIGUSR1);
	usleep(5000);
	until_asleep(l.tid);
	unlock(&word);
	pthread_join(l.thread, NULL);
	is_int(l.result, 0, "a handler does not end the wait for a lock");
}

/* --- glibc */

static pthread_mutex_t pi_mutex;
static pthread_cond_t pi_cond = PTHREAD_COND_INITIALIZER;
static int counter, turn;

static void *count(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&pi_mutex);
		counter++;
		if (i % 64 == 0)
			sched_yield();
		pthread_mutex_unlock(&pi_mutex);
	}
	return NULL;
}

static void *take_turns(void *arg)
{
	int own = (int)(long)arg;

	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&pi_mutex);
		while (turn != own)
			pthread_cond_wait(&pi_cond, &pi_mutex);
		turn = !turn;
		pthread_cond_signal(&pi_cond);
		pthread_mutex_unlock(&pi_mutex);
	}
	return NULL;
}

static void *die_with_mutex(void *arg)
{
	pthread_mutex_lock(&pi_mutex);
	return arg;
}

static void init_mutex(int type, int robust)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	pthread_mutexattr_settype(&a, type);
	pthread_mutexattr_setrobust(&a, robust);
	pthread_mutex_init(&pi_mutex, &a);
}

static void glibc(void)
{
	pthread_t t[4];

	init_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, count, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	is_int(counter, 8000, "PTHREAD_PRIO_INHERIT: four threads count");
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, take_turns, (void *)(long)i);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	ok(true, "PTHREAD_PRIO_INHERIT: and take turns at a condition");
	init_mutex(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ROBUST);
	pthread_create(&t[0], NULL, die_with_mutex, NULL);
	pthread_join(t[0], NULL);
	is_int(pthread_mutex_lock(&pi_mutex), EOWNERDEAD, "a robust one's owner ended");
	is_int(pthread_mutex_consistent(&pi_mutex), 0, "it is made consistent");
	is_int(pthread_mutex_lock(&pi_mutex), EDEADLK, "an error-checking one is not locked twice");
	is_int(pthread_mutex_unlock(&pi_mutex), 0, "and unlocked");
	pthread_mutex_lock(&pi_mutex);
	pthread_create(&t[0], NULL, count, NULL);
	pthread_mutex_unlock(&pi_mutex);
	pthread_join(t[0], NULL);
	pthread_mutex_destroy(&pi_mutex);
}

/* --- races: locks, timeouts, priorities and deaths all at once */

static uint32_t racy[3];
static int inside[3], n_bad;

static void *race(void *arg)
{
	unsigned seed = (unsigned)(long)arg * 7919 + 1;

	for (int i = 0; i < 400; i++) {
		int n = (int)((seed = seed * 1103515245 + 12345) >> 16) % 3;
		struct timespec ts = in_ms(CLOCK_MONOTONIC, 1);
		uint32_t free = 0;
		long r = 0;

		if (seed >> 28 == 0)
			set_rt(seed >> 27 & 1 ? SCHED_FIFO : SCHED_OTHER, seed >> 27 & 1 ? (int)(seed >> 20 & 15) + 1 : 0);
		if (!__atomic_compare_exchange_n(&racy[n], &free, tid(), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			r = futex(&racy[n], FUTEX_LOCK_PI2 | FUTEX_PRIVATE_FLAG, 0, seed >> 26 & 1 ? &ts : NULL, NULL, 0);
		if (r) {
			if (errno != ETIMEDOUT)
				__atomic_add_fetch(&n_bad, 1, __ATOMIC_SEQ_CST);
			continue;
		}
		if (__atomic_exchange_n(&inside[n], 1, __ATOMIC_SEQ_CST) || (load(&racy[n]) & FUTEX_TID_MASK) != tid())
			__atomic_add_fetch(&n_bad, 1, __ATOMIC_SEQ_CST);
		if (i % 16 == 0)
			usleep(100);
		__atomic_store_n(&inside[n], 0, __ATOMIC_SEQ_CST);
		free = tid();
		if (!__atomic_compare_exchange_n(&racy[n], &free, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
		    futex(&racy[n], FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0))
			__atomic_add_fetch(&n_bad, 1, __ATOMIC_SEQ_CST);
	}
	set_rt(SCHED_OTHER, 0);
	return NULL;
}

static void races(void)
{
	pthread_t t[MAX];

	for (long i = 0; i < MAX; i++)
		pthread_create(&t[i], NULL, race, (void *)i);
	for (int i = 0; i < MAX; i++)
		pthread_join(t[i], NULL);
	is_int(n_bad, 0, "sixteen threads, three locks: one inside at a time, nobody lost");
	ok(!(racy[0] & FUTEX_TID_MASK) && !(racy[1] & FUTEX_TID_MASK) && !(racy[2] & FUTEX_TID_MASK), "and all free in the end");
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &sa, NULL);
	sh = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	simple();
	errors();
	other_locks(FUTEX_PRIVATE_FLAG, "private");
	other_locks(0, "shared");
	by_priority();
	inheritance();
	changes();
	chain();
	after_death(robust_owner, "a robust one");
	after_death(plain_owner, "one that is on no list");
	one_after_the_other();
	requeues();
	shared_requeues();
	signals();
	glibc();
	races();
	return done_testing();
}
