/* SPDX-License-Identifier: MPL-2.0 */
/* membarrier(2): what is offered, registration, errors, and that the barrier takes place: Dekker's algorithm with the fence on one side only. */
#include "tap.h"
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define ALL_COMMANDS 0x1ff

static int membarrier(int cmd, unsigned flags, int cpu)
{
	return (int)syscall(SYS_membarrier, cmd, flags, cpu);
}

static const struct {
	int use, registration;
	const char *name;
} expedited[] = {
	{ MEMBARRIER_CMD_PRIVATE_EXPEDITED, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, "PRIVATE_EXPEDITED" },
	{ MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, "PRIVATE_EXPEDITED_SYNC_CORE" },
	{ MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, "PRIVATE_EXPEDITED_RSEQ" },
};

static void errors(void)
{
	is_int(membarrier(MEMBARRIER_CMD_QUERY, 0, 0), ALL_COMMANDS, "QUERY tells all commands");
	is_errno(membarrier(MEMBARRIER_CMD_QUERY, 1, 0) == -1, EINVAL, "QUERY with a flag");
	is_errno(membarrier(MEMBARRIER_CMD_QUERY, 2, 0) == -1, EINVAL, "QUERY with a flag that is none");
	is_errno(membarrier(MEMBARRIER_CMD_GLOBAL, MEMBARRIER_CMD_FLAG_CPU, 0) == -1, EINVAL, "GLOBAL for a CPU");
	is_errno(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, MEMBARRIER_CMD_FLAG_CPU, 0) == -1, EINVAL, "PRIVATE_EXPEDITED for a CPU");
	is_errno(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_FLAG_CPU, 0) == -1, EINVAL, "a registration for a CPU");
	is_errno(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 2, 0) == -1, EINVAL, "PRIVATE_EXPEDITED_RSEQ with a flag that is none");
	is_errno(membarrier(1 << 9, 0, 0) == -1, EINVAL, "a command beyond all");
	is_errno(membarrier(-1, 0, 0) == -1, EINVAL, "a negative command");
	is_errno(membarrier(3, 0, 0) == -1, EINVAL, "two commands at once");
	is_int(membarrier(MEMBARRIER_CMD_GLOBAL, 0, 77), 0, "GLOBAL");
	is_int(membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0), 0, "GLOBAL_EXPEDITED needs no registration");
	for (unsigned i = 0; i < 3; i++)
		is_errno(membarrier(expedited[i].use, 0, 0) == -1, EPERM, "%s before registration", expedited[i].name);
	is_errno(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_FLAG_CPU, 0) == -1, EPERM, "for a CPU, too");
}

static int child_registers(void)
{
	if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0))
		return 1;
	if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0))
		return 2;
	/* Each is registered for by itself. */
	return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == -1 && errno == EPERM ? 0 : 3;
}

static int child_has_it(void)
{
	return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) ? 1 : 0;
}

static int child_execs(void)
{
	execl("/proc/self/exe", "again", "registered", (char *)NULL);
	return 9;
}

static void registering(void)
{
	is_int(in_child(child_registers), 0, "registered for SYNC_CORE is for that alone");
	is_errno(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) == -1, EPERM, "a child registers for itself");
	for (unsigned i = 0; i < 3; i++) {
		is_int(membarrier(expedited[i].registration, 0, 0), 0, "REGISTER_%s", expedited[i].name);
		is_int(membarrier(expedited[i].registration, 0, 0), 0, "and again");
		is_int(membarrier(expedited[i].use, 0, 0), 0, "%s", expedited[i].name);
	}
	is_int(membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0), 0, "REGISTER_GLOBAL_EXPEDITED");
	is_int(membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0), 0, "GLOBAL_EXPEDITED");
	for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++)
		if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_FLAG_CPU, cpu))
			ok(false, "PRIVATE_EXPEDITED_RSEQ for a CPU");
	is_int(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_FLAG_CPU, 4095), 0, "for a CPU there is not");
	is_int(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_FLAG_CPU, -7), 0, "for a negative CPU");
	is_int(in_child(child_has_it), 0, "a child has its parent's registrations");
	is_int(in_child(child_execs), 0, "a new program does not");
}

/* --- Dekker: at least one of two sees the other's store. The fast side has no fence; the slow side calls. */

static volatile int fast_flag __attribute__((aligned(64))), slow_flag __attribute__((aligned(64)));
static volatile int fast_saw __attribute__((aligned(64))), slow_saw __attribute__((aligned(64)));
static volatile int turn __attribute__((aligned(64))), done_turn __attribute__((aligned(64)));
static int rounds;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *fast(void *arg)
{
	(void)arg;
	pin((int)sysconf(_SC_NPROCESSORS_ONLN) - 1);
	for (int i = 1; i <= rounds; i++) {
		for (unsigned spins = 1; __atomic_load_n(&turn, __ATOMIC_ACQUIRE) < i; spins++)
			if (spins % 1024 == 0)
				sched_yield();
		fast_flag = 1;
		__asm__ volatile("" : : : "memory");
		fast_saw = slow_flag;
		__atomic_store_n(&done_turn, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

static int both_blind(int cmd, int n)
{
	pthread_t t;
	int blind = 0;

	turn = done_turn = 0;
	rounds = n;
	pthread_create(&t, NULL, fast, NULL);
	for (int i = 1; i <= n; i++) {
		fast_flag = slow_flag = 0;
		__atomic_store_n(&turn, i, __ATOMIC_SEQ_CST);
		slow_flag = 1;
		membarrier(cmd, 0, 0);
		slow_saw = fast_flag;
		while (__atomic_load_n(&done_turn, __ATOMIC_ACQUIRE) < i)
			sched_yield();
		blind += !fast_saw && !slow_saw;
	}
	pthread_join(t, NULL);
	return blind;
}

/* --- SYNC_CORE: a function rewritten by one thread is executed by another in its new form. */

static unsigned char *code;
static volatile int want, have, is_over;

static void *executor(void *arg)
{
	int (*fn)(void) = (int (*)(void))code;
	long wrong = 0;

	(void)arg;
	pin((int)sysconf(_SC_NPROCESSORS_ONLN) - 1);
	for (int last = 0; !is_over;) {
		int w = __atomic_load_n(&want, __ATOMIC_ACQUIRE);

		if (w == last) {
			sched_yield();
			continue;
		}
		wrong += fn() != w;
		last = w;
		__atomic_store_n(&have, w, __ATOMIC_RELEASE);
	}
	return (void *)wrong;
}

static void rewriting(void)
{
	static const unsigned char text[] = { 0xb8, 0, 0, 0, 0, 0xc3 };		/* mov $0, %eax; ret */
	void *wrong;
	pthread_t t;

	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(code, text, sizeof(text));
	pthread_create(&t, NULL, executor, NULL);
	for (int i = 1; i <= 300; i++) {
		memcpy(code + 1, &i, sizeof(i));
		membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
		__atomic_store_n(&want, i, __ATOMIC_RELEASE);
		while (__atomic_load_n(&have, __ATOMIC_ACQUIRE) != i)
			sched_yield();
	}
	is_over = 1;
	pthread_join(t, &wrong);
	is_int((long)wrong, 0, "code written before SYNC_CORE is what others execute");
}

/* --- Many at once, threads coming and going. */

static void *caller(void *arg)
{
	static const int cmds[] = { MEMBARRIER_CMD_PRIVATE_EXPEDITED, MEMBARRIER_CMD_GLOBAL_EXPEDITED, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
				    MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ };
	long failed = 0;

	(void)arg;
	for (int i = 0; i < 200; i++)
		failed += membarrier(cmds[i % 4], 0, 0) != 0;
	return (void *)failed;
}

static void many(void)
{
	long failed = 0;

	for (int n = 0; n < 5; n++) {
		pthread_t t[6];

		for (int i = 0; i < 6; i++)
			pthread_create(&t[i], NULL, caller, NULL);
		failed += membarrier(MEMBARRIER_CMD_GLOBAL, 0, 0) != 0;
		for (int i = 0; i < 6; i++) {
			void *result;

			pthread_join(t[i], &result);
			failed += (long)result;
		}
	}
	is_int(failed, 0, "many threads call at once");
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == -1 && errno == EPERM ? 0 : 1;
	errors();
	registering();
	is_int(both_blind(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 1000), 0, "PRIVATE_EXPEDITED: one of two sees the other");
	is_int(both_blind(MEMBARRIER_CMD_GLOBAL_EXPEDITED, 300), 0, "GLOBAL_EXPEDITED: one of two sees the other");
	is_int(both_blind(MEMBARRIER_CMD_GLOBAL, 20), 0, "GLOBAL: one of two sees the other");
	rewriting();
	many();
	return done_testing();
}
