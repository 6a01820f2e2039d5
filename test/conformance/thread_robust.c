/* SPDX-License-Identifier: MPL-2.0 */
/* Robust futexes: get_robust_list(2), set_robust_list(2), the death of owners, lists that are none. */
#include "tap.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

struct lock {
	struct robust_list node;
	uint32_t word;
};

struct shared {
	struct robust_list_head head;
	struct lock lock[4];
	uint32_t go;
};

static struct shared *sh;

static void wait_for(uint32_t *word, uint32_t value)
{
	while (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value)
		sched_yield();
}

static uint32_t tid(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

static void init(int n)
{
	memset(sh, 0, sizeof(*sh));
	sh->head.futex_offset = offsetof(struct lock, word) - offsetof(struct lock, node);
	sh->head.list.next = n ? &sh->lock[0].node : &sh->head.list;
	for (int i = 0; i < n; i++)
		sh->lock[i].node.next = i + 1 < n ? &sh->lock[i + 1].node : &sh->head.list;
}

static void use(void)
{
	syscall(SYS_set_robust_list, &sh->head, sizeof(sh->head));
}

/* --- what a child that dies leaves */

static int owner(void)
{
	use();
	sh->lock[0].word = tid();
	sh->lock[1].word = tid() | FUTEX_WAITERS;
	sh->lock[2].word = tid() + 1;
	return 0;
}

static int pending(void)
{
	use();
	sh->lock[0].word = sh->lock[3].word = tid();
	sh->head.list_op_pending = &sh->lock[3].node;
	return 0;
}

static int pending_listed(void)
{
	use();
	sh->lock[0].word = tid();
	sh->head.list_op_pending = &sh->lock[0].node;
	return 0;
}

static int pi(void)
{
	use();
	sh->lock[0].word = tid() | FUTEX_WAITERS;
	sh->lock[0].node.next = (struct robust_list *)((uintptr_t)&sh->lock[1].node | 1);
	sh->lock[1].word = tid();
	return 0;
}

static int circular(void)
{
	use();
	sh->lock[0].word = sh->lock[1].word = tid();
	sh->lock[1].node.next = &sh->lock[0].node;
	return 0;
}

static int broken(void)
{
	use();
	sh->lock[0].word = sh->lock[1].word = tid();
	sh->lock[1].node.next = (void *)8;
	return 0;
}

static int bad_head(void)
{
	syscall(SYS_set_robust_list, 8, sizeof(sh->head));
	return 0;
}

static int odd_word(void)
{
	use();
	sh->lock[0].word = tid();
	sh->head.futex_offset++;
	return 0;
}

static int killed(void)
{
	owner();
	kill(getpid(), 9);
	return 0;
}

static int by_exec(void)
{
	owner();
	execl("/proc/self/exe", "thread_robust", "execed", NULL);
	return 1;
}

static void deaths(void)
{
	init(3);
	is_int(in_child(owner), 0, "an owner dies");
	is_int(sh->lock[0].word, FUTEX_OWNER_DIED, "its lock says so");
	is_int(sh->lock[1].word, (long)(FUTEX_OWNER_DIED | FUTEX_WAITERS), "and keeps FUTEX_WAITERS");
	ok(sh->lock[2].word > 1 && !(sh->lock[2].word & FUTEX_OWNER_DIED), "somebody else's is left alone");
	init(3);
	is_int(in_child(killed), 9, "killed");
	is_int(sh->lock[0].word, FUTEX_OWNER_DIED, "the same");
	init(3);
	is_int(in_child(by_exec), 0, "exec");
	is_int(sh->lock[0].word, FUTEX_OWNER_DIED, "the same");
	init(1);
	is_int(in_child(pending), 0, "in the middle of locking");
	is_int(sh->lock[0].word, FUTEX_OWNER_DIED, "the lock on the list");
	is_int(sh->lock[3].word, FUTEX_OWNER_DIED, "and the pending one");
	init(1);
	is_int(in_child(pending_listed), 0, "in the middle of unlocking");
	is_int(sh->lock[0].word, FUTEX_OWNER_DIED, "the pending one is on the list, too");
	init(2);
	is_int(in_child(pi), 0, "a list with a priority-inheritance futex");
	ok((sh->lock[0].word & FUTEX_OWNER_DIED) && (sh->lock[1].word & FUTEX_OWNER_DIED), "both are marked");
	init(2);
	is_int(in_child(circular), 0, "a list without end");
	ok(sh->lock[0].word == FUTEX_OWNER_DIED && sh->lock[1].word == FUTEX_OWNER_DIED, "its locks are marked");
	init(2);
	is_int(in_child(broken), 0, "a list that leads nowhere");
	ok(sh->lock[0].word == FUTEX_OWNER_DIED && sh->lock[1].word == FUTEX_OWNER_DIED, "as far as it goes");
	is_int(in_child(bad_head), 0, "a bad head");
	init(1);
	is_int(in_child(odd_word), 0, "words at odd addresses");
}

/* --- waiters */

static int woken;

static void *waiter(void *arg)
{
	uint32_t *word = arg, value = __atomic_load_n(word, __ATOMIC_SEQ_CST);

	__atomic_store_n(&sh->go, 1, __ATOMIC_SEQ_CST);
	if (syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0) == 0)
		__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Sleepers on the word, found by requeueing them to where they are. */
static void await(uint32_t *word, int n)
{
	while (syscall(SYS_futex, word, FUTEX_CMP_REQUEUE, 0, 1000, word, *word) != n)
		sched_yield();
}

static pid_t holder(uint32_t word, bool is_pending)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		use();
		if (is_pending)
			sh->head.list_op_pending = &sh->lock[0].node;
		sh->lock[0].word = word ? tid() | word : 0;
		__atomic_store_n(&sh->go, 2, __ATOMIC_SEQ_CST);
		wait_for(&sh->go, 3);
		_exit(0);
	}
	wait_for(&sh->go, 2);
	return pid;
}

static void wakes(uint32_t word, bool is_pending, const char *name)
{
	pthread_t t[2];
	int status = -1;
	pid_t pid;

	init(is_pending ? 0 : 1);
	pid = holder(word, is_pending);
	woken = 0;
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, waiter, &sh->lock[0].word);
	await(&sh->lock[0].word, 2);
	__atomic_store_n(&sh->go, 3, __ATOMIC_SEQ_CST);
	waitpid(pid, &status, 0);
	is_int(status, 0, "%s: it dies", name);
	while (!__atomic_load_n(&woken, __ATOMIC_SEQ_CST))
		sched_yield();
	is_int(syscall(SYS_futex, &sh->lock[0].word, FUTEX_WAKE, 1000, NULL, NULL, 0), 1, "%s: one of two waiters was woken", name);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}

/* --- a thread of a living process; glibc's own robust mutexes */

static pthread_mutex_t mutex;

static void *lock_and_leave(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&mutex);
	return NULL;
}

static void threads(void)
{
	pthread_mutexattr_t attr;
	pthread_t t;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&mutex, &attr);
	for (int i = 0; i < 20; i++) {
		pthread_create(&t, NULL, lock_and_leave, NULL);
		pthread_join(t, NULL);
		if (pthread_mutex_lock(&mutex) != EOWNERDEAD || pthread_mutex_consistent(&mutex) || pthread_mutex_unlock(&mutex)) {
			ok(false, "a robust mutex");
			return;
		}
	}
	ok(true, "a robust mutex: EOWNERDEAD, twenty times");
}

/* --- the calls */

static int other_user(void)
{
	void *head;
	size_t len;

	if (setresuid(12345, 12345, 12345))
		return 2;
	return syscall(SYS_get_robust_list, getppid(), &head, &len) == -1 && errno == EPERM ? 0 : 1;
}

static int calls_of_child(void)
{
	struct robust_list_head mine;
	void *head = NULL;
	size_t len = 0;
	int status = -1;

	if (syscall(SYS_set_robust_list, &mine, sizeof(mine)) || syscall(SYS_get_robust_list, 0, &head, &len) || head != &mine || len != sizeof(mine))
		return 1;
	head = NULL;
	if (syscall(SYS_get_robust_list, getpid(), &head, &len) || head != &mine)
		return 2;
	if (syscall(SYS_fork) == 0)	/* glibc's fork sets one */
		_exit(syscall(SYS_get_robust_list, 0, &head, &len) || head != NULL);
	wait(&status);
	return status == 0 ? 0 : 3;
}

static void calls(void)
{
	void *head;
	size_t len;

	is_errno(syscall(SYS_set_robust_list, &sh->head, sizeof(sh->head) - 1) == -1, EINVAL, "a head of another size");
	is_errno(syscall(SYS_get_robust_list, 4000000, &head, &len) == -1, ESRCH, "no such thread");
	is_errno(syscall(SYS_get_robust_list, 0, 8, &len) == -1, EFAULT, "a bad place for the head");
	is_errno(syscall(SYS_get_robust_list, 0, &head, 8) == -1, EFAULT, "a bad place for the length");
	is_int(in_child(other_user), 0, "another user's: EPERM");
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "execed") == 0)
		return 0;
	sh = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	calls();
	is_int(in_child(calls_of_child), 0, "set and get; a child starts without");
	deaths();
	wakes(FUTEX_WAITERS, false, "FUTEX_WAITERS");
	wakes(0, true, "an unlocked word, pending");
	threads();
	return done_testing();
}
