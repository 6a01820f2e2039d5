/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Restartable sequences: registration and its errors; the CPU's number; sequences given up on preemption, migration, signals and membarrier, and only
 * within their bounds; descriptions that make no sense; fork, threads, exec. The C library's own registration is taken off first, so it makes none for threads.
 */
#include "tap.h"
#include <linux/membarrier.h>
#include <linux/rseq.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define SIG 0x53053053u

extern const ptrdiff_t __rseq_offset;
extern const unsigned __rseq_size;

static struct rseq area;		/* the main thread's */
static volatile struct rseq *const mine = &area;

static int rseq(volatile void *p, uint32_t len, int flags, uint32_t sig)
{
	return (int)syscall(SYS_rseq, p, len, flags, sig);
}

static void *libc_area(void)
{
	return (char *)__builtin_thread_pointer() + __rseq_offset;
}

static int cpus(void)
{
	return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void unpin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < cpus(); i++)
		CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* --- Registration. */

/* What is left in the memory is no description yet. */
static int child_leftover(void)
{
	static struct rseq old = { .rseq_cs = 64 };

	if (rseq(&old, 32, 0, SIG))
		return 1;
	usleep(1000);
	return *(volatile __u64 *)&old.rseq_cs ? 2 : 0;
}

static int child_unwritable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return rseq(p, 32, 0, SIG) ? 1 : 0;
}

static int child_unmapped(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (rseq(p, 32, 0, SIG))
		return 1;
	munmap(p, 4096);
	for (;;)
		usleep(1000);		/* off the CPU and back */
}

static int child_unregister_unwritable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err;

	/* The thread must not leave its CPU between the two, or it gets SIGSEGV: that, too, is an answer. */
	if (rseq(p, 32, 0, SIG))
		return 1;
	mprotect(p, 4096, PROT_READ);
	err = rseq(p, 32, RSEQ_FLAG_UNREGISTER, SIG);
	return err == -1 && errno == EFAULT ? 0 : 2;
}

static void registering(void)
{
	int status;

	if (__rseq_size)
		is_int(rseq(libc_area(), 32, RSEQ_FLAG_UNREGISTER, SIG), 0, "the C library's area is registered, and taken off");
	else
		ok(false, "the C library has registered an area");
	is_int((int)((volatile struct rseq *)libc_area())->cpu_id, RSEQ_CPU_ID_UNINITIALIZED, "it says so");
	is_errno(rseq(libc_area(), 32, RSEQ_FLAG_UNREGISTER, SIG) == -1, EINVAL, "nothing to take off");
	is_errno(rseq(&area, 32, 2, SIG) == -1, EINVAL, "a flag that is none");
	is_errno(rseq(&area, 32, 3, SIG) == -1, EINVAL, "and with UNREGISTER");
	is_errno(rseq(&area, 31, 0, SIG) == -1, EINVAL, "too short");
	is_errno(rseq(&area, 64, 0, SIG) == -1, EINVAL, "too long");
	is_errno(rseq((char *)&area + 8, 32, 0, SIG) == -1, EINVAL, "not aligned");
	is_errno(rseq((void *)0xffff800000000000, 32, 0, SIG) == -1, EFAULT, "not the program's memory");
	is_errno(rseq(NULL, 32, 0, SIG) == -1, EFAULT, "NULL");
	is_errno(rseq((void *)64, 32, 0, SIG) == -1, EFAULT, "unmapped");
	is_int(in_child(child_leftover), 0, "a description left in the memory is cleared");
	area.cpu_id = 1234;
	area.rseq_cs = 0;
	is_int(rseq(&area, 32, 0, SIG), 0, "an area is registered");
	ok(mine->cpu_id < (unsigned)cpus() && mine->cpu_id_start == mine->cpu_id, "it has the CPU");
	is_errno(rseq(&area, 32, 0, SIG) == -1, EBUSY, "once");
	is_errno(rseq(&area, 32, 0, SIG + 1) == -1, EPERM, "with another signature");
	is_errno(rseq(&area, 64, 0, SIG) == -1, EINVAL, "with another length");
	is_errno(rseq((char *)&area + 32, 32, 0, SIG) == -1, EINVAL, "at another place");
	is_errno(rseq(&area, 32, RSEQ_FLAG_UNREGISTER, SIG + 1) == -1, EPERM, "taken off with another signature");
	is_errno(rseq(&area, 64, RSEQ_FLAG_UNREGISTER, SIG) == -1, EINVAL, "taken off with another length");
	is_errno(rseq((char *)&area + 32, 32, RSEQ_FLAG_UNREGISTER, SIG) == -1, EINVAL, "taken off at another place");
	is_int(rseq(&area, 32, RSEQ_FLAG_UNREGISTER, SIG), 0, "taken off");
	ok(mine->cpu_id == (uint32_t)RSEQ_CPU_ID_UNINITIALIZED && mine->cpu_id_start == 0, "says so");
	ok(in_child(child_unwritable) == SIGSEGV, "an area that cannot be written: SIGSEGV");
	ok(in_child(child_unmapped) == SIGSEGV, "an area unmapped: SIGSEGV");
	status = in_child(child_unregister_unwritable);
	ok(status == 0 || status == SIGSEGV, "one made read-only is not taken off");
	ok(getauxval(27) == 0 && getauxval(28) == 0, "no AT_RSEQ_FEATURE_SIZE, AT_RSEQ_ALIGN");
	is_int(rseq(&area, 32, 0, SIG), 0, "registered again");
}

static void numbers(void)
{
	int wrong = 0;

	for (int i = 0; i < 400; i++) {
		int want = i % cpus();

		pin(want);
		wrong += mine->cpu_id != (unsigned)want || mine->cpu_id_start != (unsigned)want;
	}
	is_int(wrong, 0, "the CPU's number follows the thread");
	unpin();
	wrong = 0;
	for (int i = 0; i < 300; i++) {
		unsigned before = mine->cpu_id, cpu;

		syscall(SYS_getcpu, &cpu, NULL, NULL);
		wrong += before == mine->cpu_id && before != cpu;
		sched_yield();
	}
	ok(wrong < 100, "and is getcpu's");
}

/* --- Sequences. Each runs `loops` rounds of a counting loop in a section and returns the rounds left, or -1 if it was given up. */

struct section {
	struct rseq_cs cs;
} __attribute__((aligned(32)));

static volatile long in_section;	/* it has begun: other threads may act */

#define SECTION(name, version, flags, abort_sig)									\
	__attribute__((noinline)) static long name(volatile struct rseq *r, long loops)				\
	{														\
		long left = loops;											\
															\
		__asm__ volatile goto(".pushsection __rseq_cs_" #name ", \"aw\"\n"					\
			".balign 32\n"											\
			#name "_cs: .long " #version ", " #flags "\n"							\
			".quad 1f, 2f - 1f, 4f\n"									\
			".popsection\n"											\
			"leaq " #name "_cs(%%rip), %%rax\n"								\
			"movq %%rax, 8(%0)\n"										\
			"1:\n"												\
			"movq $1, %2\n"											\
			"3: decq (%1)\n"										\
			"jnz 3b\n"											\
			"2:\n"												\
			"movq $0, 8(%0)\n"										\
			"jmp 5f\n"											\
			".byte 0x0f, 0xb9, 0x3d\n"	/* ud1 disp(%rip), %edi: the signature is its operand */	\
			".long " #abort_sig "\n"									\
			"4: jmp %l[aborted]\n"										\
			"5:\n"												\
			: : "r"(r), "r"(&left), "m"(in_section) : "rax", "memory", "cc" : aborted);			\
		return left;												\
	aborted:													\
		return -1;												\
	}

SECTION(count, 0, 0, 0x53053053)
SECTION(count_version, 1, 0, 0x53053053)
SECTION(count_flags, 0, 1, 0x53053053)
SECTION(count_signature, 0, 0, 0x12345678)

static long run_long(void)
{
	return count(mine, 1L << 62);
}

static void on_signal(int sig)
{
	(void)sig;
}

static volatile uint64_t cs_in_handler;
static volatile unsigned cpu_in_handler;

static void on_look(int sig)
{
	(void)sig;
	cs_in_handler = mine->rseq_cs;
	cpu_in_handler = mine->cpu_id;
}

static pthread_t main_thread;
static pid_t main_tid;

/* Waits until the main thread is in its section, then does something to it. */
static void *act(void *arg)
{
	void (*fn)(void) = (void (*)(void))(uintptr_t)arg;

	while (!in_section)
		sched_yield();
	fn();
	return NULL;
}

static void signal_main(void)
{
	pthread_kill(main_thread, SIGUSR1);
}

static void move_main(void)
{
	cpu_set_t set;

	for (int i = 0; i < 4; i++) {
		CPU_ZERO(&set);
		CPU_SET(i % cpus(), &set);
		sched_setaffinity(main_tid, sizeof(set), &set);
	}
}

/* Takes the CPU from the main thread: preemption, whoever shares its CPU. */
static void crowd_main(void)
{
	struct timespec short_time = { 0, 100000 };
	struct sched_param param = { .sched_priority = 10 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
	sched_setscheduler(0, SCHED_FIFO, &param);
	for (int i = 0; i < 20; i++)
		nanosleep(&short_time, NULL);
}

static void barrier_main(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0);
}

static long with(void (*fn)(void))
{
	pthread_t t;
	long left;

	in_section = 0;
	pthread_create(&t, NULL, act, (void *)(uintptr_t)fn);
	left = run_long();
	pthread_join(t, NULL);
	return left;
}

static void sections(void)
{
	int done = 0, given_up = 0;

	for (int i = 0; i < 200; i++) {
		long left = count(mine, 50);

		done += left == 0;
		given_up += left == -1;
	}
	ok(done > 0 && done + given_up == 200, "short sequences are finished");
	is_int((long)mine->rseq_cs, 0, "and none is left");
	signal(SIGUSR1, on_look);
	is_int(with(signal_main), -1, "a signal handler ends a sequence");
	ok(cs_in_handler == 0 && cpu_in_handler < (unsigned)cpus(), "the handler finds none");
	is_int((long)mine->rseq_cs, 0, "nor does the abort handler");
	pin(0);
	is_int(with(crowd_main), -1, "preemption ends a sequence");
	unpin();
	if (cpus() > 1)
		is_int(with(move_main), -1, "migration ends a sequence");
	else
		skip("one CPU");
	unpin();
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0);
	is_int(with(barrier_main), -1, "membarrier ends a sequence");
	signal(SIGUSR1, SIG_DFL);
}

/* A description left behind is cleared when the thread goes on elsewhere; the code outside runs on. */
static void outside(void)
{
	static struct section s = { .cs = { .start_ip = 0x10000, .post_commit_offset = 16 } };
	static const uint32_t text[2] = { SIG, 0 };
	int n;

	s.cs.abort_ip = (uint64_t)(uintptr_t)&text[1];
	mine->rseq_cs = (uint64_t)(uintptr_t)&s;
	for (n = 0; n < 1000 && mine->rseq_cs; n++)
		usleep(1000);
	is_int((long)mine->rseq_cs, 0, "a description that is not in force is cleared");
}

/* --- What makes no sense: SIGSEGV, in children. */

static void leave_cpu(void)
{
	for (int i = 0; i < 10; i++)
		usleep(3000);
}

static struct section bad __attribute__((aligned(32)));
static const uint32_t text[2] = { SIG, 0 };

static int child_with(uint64_t start, uint64_t offset, uint64_t abort_ip)
{
	bad.cs = (struct rseq_cs){ .start_ip = start, .post_commit_offset = offset, .abort_ip = abort_ip };
	mine->rseq_cs = (uint64_t)(uintptr_t)&bad;
	leave_cpu();
	return mine->rseq_cs ? 1 : 0;
}

static int child_bad_pointer(void) { mine->rseq_cs = 64; leave_cpu(); return 0; }
static int child_kernel_pointer(void) { mine->rseq_cs = 0xffff800000000000; leave_cpu(); return 0; }
static int child_good(void) { return child_with(0x10000, 16, (uintptr_t)&text[1]); }
static int child_wrong_sig(void) { return child_with(0x10000, 16, (uintptr_t)&text[0]); }
static int child_bad_abort(void) { return child_with(0x10000, 16, 64); }
static int child_kernel_abort(void) { return child_with(0x10000, 16, 0xffff800000000000); }
static int child_kernel_start(void) { return child_with(0xffff800000000000, 16, (uintptr_t)&text[1]); }
static int child_overflow(void) { return child_with(0x10000, ~0ULL, (uintptr_t)&text[1]); }
static int child_abort_inside(void) { return child_with((uintptr_t)&text[0], 16, (uintptr_t)&text[1]); }

static int child_section(long (*fn)(volatile struct rseq *, long))
{
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };	/* the first may come before the sequence has begun */

	signal(SIGALRM, on_signal);
	setitimer(ITIMER_REAL, &often, NULL);
	return fn(mine, 1L << 62) == -1 ? 0 : 1;
}

static int child_plain(void) { return child_section(count); }
static int child_version(void) { return child_section(count_version); }
static int child_flags(void) { return child_section(count_flags); }
static int child_signature(void) { return child_section(count_signature); }
static int child_area_flags(void) { mine->flags = 4; return child_section(count); }

static void nonsense(void)
{
	is_int(in_child(child_good), 0, "a description that makes sense");
	is_int(in_child(child_bad_pointer), SIGSEGV, "one that cannot be read");
	is_int(in_child(child_kernel_pointer), SIGSEGV, "one in the kernel");
	is_int(in_child(child_wrong_sig), SIGSEGV, "a wrong signature");
	is_int(in_child(child_bad_abort), SIGSEGV, "a signature that cannot be read");
	is_int(in_child(child_kernel_abort), SIGSEGV, "an abort address in the kernel");
	is_int(in_child(child_kernel_start), SIGSEGV, "a start in the kernel");
	is_int(in_child(child_overflow), SIGSEGV, "a length that wraps around");
	is_int(in_child(child_abort_inside), SIGSEGV, "an abort address within");
	is_int(in_child(child_plain), 0, "a timer's signal in a sequence");
	is_int(in_child(child_version), SIGSEGV, "version 1");
	is_int(in_child(child_flags), SIGSEGV, "flags of a description, deprecated");
	is_int(in_child(child_area_flags), SIGSEGV, "flags of the area, deprecated");
	is_int(in_child(child_signature), SIGSEGV, "a wrong signature before the abort handler");
}

/* --- Inheritance. */

static int child_inherits(void)
{
	if (rseq(&area, 32, 0, SIG) != -1 || errno != EBUSY)
		return 1;
	pin(cpus() - 1);
	return mine->cpu_id == (unsigned)(cpus() - 1) ? 0 : 2;
}

static int child_execs(void)
{
	execl("/proc/self/exe", "again", "exec", (char *)NULL);
	return 9;
}

static int vfork_result;

static void *thread_has_none(void *arg)
{
	static struct rseq other;

	(void)arg;
	if (rseq(&area, 32, RSEQ_FLAG_UNREGISTER, SIG) != -1 || errno != EINVAL)
		return (void *)1;
	if (rseq(&other, 32, 0, SIG) || other.cpu_id >= (unsigned)cpus())
		return (void *)2;
	return rseq(&other, 32, RSEQ_FLAG_UNREGISTER, SIG) ? (void *)3 : NULL;
}

static void inheriting(void)
{
	pthread_t t;
	void *result;
	pid_t pid;
	int status;

	is_int(in_child(child_inherits), 0, "a child of fork has the registration");
	is_int(in_child(child_execs), 0, "a new program has none but its library's");
	pid = vfork();
	if (!pid) {
		vfork_result = rseq(&area, 32, RSEQ_FLAG_UNREGISTER, SIG) == -1 ? errno : 0;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	is_int(vfork_result, EINVAL, "a child that shares the memory has none");
	pthread_create(&t, NULL, thread_has_none, NULL);
	pthread_join(t, &result);
	is_int((long)result, 0, "a thread has its own");
}

/* --- A counter a CPU, counted by threads on all CPUs without atomic instructions: nothing may be lost. */

#define N_THREADS 6
#define N_ROUNDS 30000

static struct {
	volatile long n;
	char pad[120];
} counters[64] __attribute__((aligned(128)));

static bool add_here(volatile struct rseq *r, unsigned cpu)
{
	__asm__ volatile goto(".pushsection __rseq_cs_add, \"aw\"\n"
		".balign 32\n"
		"add_cs: .long 0, 0\n"
		".quad 1f, 2f - 1f, 4f\n"
		".popsection\n"
		"leaq add_cs(%%rip), %%rax\n"
		"movq %%rax, 8(%0)\n"
		"1:\n"
		"cmpl %1, 4(%0)\n"
		"jnz 4f\n"
		"movq (%2), %%rax\n"
		"incq %%rax\n"
		"movq %%rax, (%2)\n"
		"2:\n"
		"jmp %l[done]\n"
		".byte 0x0f, 0xb9, 0x3d\n"
		".long 0x53053053\n"
		"4: jmp %l[failed]\n"
		: : "r"(r), "r"(cpu), "r"(&counters[cpu].n) : "rax", "memory", "cc" : done, failed);
done:
	return true;
failed:
	return false;
}

static void *counter(void *arg)
{
	struct rseq own = { .rseq_cs = 0 };
	volatile struct rseq *r = &own;

	(void)arg;
	if (rseq(r, 32, 0, SIG))
		return (void *)1;
	for (int i = 0; i < N_ROUNDS; i++) {
		while (!add_here(r, r->cpu_id_start))
			;
		if (i % 512 == 0)
			sched_yield();
	}
	return rseq(r, 32, RSEQ_FLAG_UNREGISTER, SIG) ? (void *)2 : NULL;
}

static void counting(void)
{
	pthread_t t[N_THREADS];
	long sum = 0, failed = 0;

	for (int i = 0; i < N_THREADS; i++)
		pthread_create(&t[i], NULL, counter, NULL);
	for (int i = 0; i < N_THREADS; i++) {
		void *result;

		pthread_join(t[i], &result);
		failed += (long)result;
	}
	is_int(failed, 0, "each thread registers an area");
	for (unsigned i = 0; i < 64; i++)
		sum += counters[i].n;
	is_int(sum, (long)N_THREADS * N_ROUNDS, "counters of each CPU lose nothing");
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return rseq(libc_area(), 32, 0, SIG) == -1 && errno == EBUSY ? 0 : 1;
	main_thread = pthread_self();
	main_tid = getpid();
	registering();
	numbers();
	sections();
	outside();
	nonsense();
	inheriting();
	counting();
	return done_testing();
}
