/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Signals storming four threads: they tgkill each other with real-time signals, an outside process sends to the whole process, and meanwhile memory is mapped and unmapped, protected and
 * faulted on, children come and go, and calls are interrupted. Real-time signals queue: each one that was accepted is handled once; standard ones at least once after the last was sent.
 */
#include "tap.h"
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define THREADS 4
#define ROUNDS 400
#define BURST 32			/* from outside, then a pause: the storm is to shake the threads, not to stop them */
#define RT_OWN (SIGRTMIN + 2)		/* thread to thread */
#define RT_OUTSIDE (SIGRTMIN + 3)	/* another process to the process */

static struct shared {
	int sent_outside, handled_outside, handled_own, sent_own, n_usr1, n_faults, is_over, is_outside_over, n_bad;
	pid_t process;
} *sh;

static pid_t tids[THREADS];
static pthread_barrier_t barrier;
static __thread char *page;

static void add(int *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_SEQ_CST);
}

static int get(int *n)
{
	return __atomic_load_n(n, __ATOMIC_SEQ_CST);
}

static void on_rt(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_signo != sig || info->si_code != (sig == RT_OWN ? SI_TKILL : SI_QUEUE) || (sig == RT_OUTSIDE && info->si_value.sival_int != 4711))
		add(&sh->n_bad);
	add(sig == RT_OWN ? &sh->handled_own : &sh->handled_outside);
}

static void on_usr1(int sig)
{
	(void)sig;
	add(&sh->n_usr1);
}

/* The page is made accessible, and the access done again. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (sig != SIGSEGV || info->si_code != SEGV_ACCERR || info->si_addr != page || mprotect(page, 4096, PROT_READ | PROT_WRITE))
		add(&sh->n_bad);
	add(&sh->n_faults);
}

static void send_own(pid_t to)
{
	if (syscall(SYS_tgkill, sh->process, to, RT_OWN) == 0)
		add(&sh->sent_own);
	else if (errno != EAGAIN)
		add(&sh->n_bad);
}

/* Signals are held back meanwhile, by this thread: a fork starts anew when one is pending, and in such a storm might never end. */
static void fork_once(void)
{
	sigset_t all, old;
	int status = 0;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0)
		_exit(42);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			add(&sh->n_bad);
	if (pid > 0 && status != 42 << 8)
		add(&sh->n_bad);
}

static void *storm(void *arg)
{
	int own = (int)(long)arg;
	uint64_t sum = 0;

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	tids[own] = (pid_t)syscall(SYS_gettid);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < ROUNDS; i++) {
		send_own(tids[(own + i) % THREADS]);
		mprotect(page, 4096, i & 1 ? PROT_READ : PROT_NONE);
		*page = (char)i;		/* a fault, in the middle of it all */
		sum += (unsigned char)*page;
		if (i % 8 == 0) {
			char *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			p[5000] = 1;
			munmap(p, 16384);
		}
		if (i % 64 == own)
			fork_once();
	}
	pthread_barrier_wait(&barrier);
	return (void *)(uintptr_t)(sum > 0);
}

static int outside(void)
{
	union sigval value = { .sival_int = 4711 };

	while (!get(&sh->is_over)) {
		if (sigqueue(sh->process, RT_OUTSIDE, value) == 0)
			add(&sh->sent_outside);
		else if (errno != EAGAIN)
			return 1;
		if (kill(sh->process, SIGUSR1))
			return 2;
		if (get(&sh->sent_outside) % BURST == 0)
			usleep(2000);
	}
	add(&sh->is_outside_over);
	return 0;
}

int main(void)
{
	struct sigaction rt = { .sa_sigaction = on_rt, .sa_flags = SA_SIGINFO | SA_RESTART }, fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };
	struct sigaction usr1 = { .sa_handler = on_usr1 };
	pthread_t t[THREADS];
	int status, n;
	pid_t pid;

	sh = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sh->process = getpid();
	sigaction(RT_OWN, &rt, NULL);
	sigaction(RT_OUTSIDE, &rt, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGUSR1, &usr1, NULL);
	pthread_barrier_init(&barrier, NULL, THREADS);
	pid = fork();
	if (pid == 0)
		_exit(outside());
	for (long i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, storm, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	add(&sh->is_over);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	is_int(status, 0, "the outside process sent all it wanted");
	n = get(&sh->n_usr1);
	kill(getpid(), SIGUSR1);
	ok(get(&sh->n_usr1) > n && n > 0, "standard signals come, if not as often as sent");
	while (get(&sh->handled_outside) < get(&sh->sent_outside))
		usleep(1000);
	ok(get(&sh->handled_outside) == get(&sh->sent_outside) && sh->sent_outside > 0, "real-time signals to the process: each handled once");
	ok(get(&sh->handled_own) == get(&sh->sent_own) && sh->sent_own > THREADS * ROUNDS / 2, "real-time signals to threads: each handled once");
	is_int(sh->n_faults, THREADS * ROUNDS, "each fault reached its handler");
	is_int(sh->n_bad, 0, "nothing was mixed up");
	return done_testing();
}
