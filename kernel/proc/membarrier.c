/* SPDX-License-Identifier: MPL-2.0 */
/*
 * membarrier(2): a memory barrier on other CPUs, so that their programs can do without.
 *
 * The expedited commands interrupt CPUs. For one process these are the CPUs that may hold translations of its address space (uspace.cpus, a superset of
 * those that run it): a CPU enters that set, with a full barrier, before it runs user code there. Taking a run-queue lock on the way in or out
 * is a full barrier for threads that do not run. The global expedited command interrupts all CPUs once anybody has registered for it: whose process each
 * CPU runs is not known without looking into other CPUs' tasks, and the command is rare. The global command waits for an RCU grace period: each CPU
 * passes a task switch, an interrupt or the idle loop.
 *
 * What a process has registered for is its address space's (mm->membarrier); a child has it as well, a new program does not.
 */
#include <lib/errno.h>
#include <frame/ipi.h>
#include <frame/percpu.h>
#include "abi/rseq.h"
#include "mm/mm.h"
#include "proc/rseq.h"
#include "proc/thread.h"
#include "sync/rcu_wait.h"

#define COMMANDS (MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |			\
		  MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |					\
		  MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |			\
		  MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)

static bool has_global;		/* [a] somebody has registered for the global expedited command; stays */

/* On each CPU meant, in hard context. */
static void barrier(void *arg)
{
	(void)arg;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void sync_core(void *arg)
{
	(void)arg;
	cpu_sync_core();
}

/* arg: the address space. Its thread here, if it has an rseq area, goes through rseq_work before it goes on. */
static void restart_section(void *arg)
{
	struct sched_task *t = current_sched();

	if (!sched_in_idle() && t->actor.mm == arg && (READ_ONCE(t->switch_work) & TASK_WORK_RSEQ))
		task_work_set(&t->actor.task, TASK_WORK_RSEQ);
}

static void call(u64 cpus, void (*fn)(void *arg), void *arg)
{
	const struct cpuset set = { { cpus } };

	_Static_assert(ARRAY_SIZE(set.bits) == 1, "one word holds a set");
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (cpus)
		ipi_call(&set, fn, arg);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static u64 all_cpus(void)
{
	return ~0ull >> (64 - cpu_count());
}

/* registered: the bit that the process must have set. */
static s64 private_barrier(s32 registered, void (*fn)(void *arg), u64 among)
{
	struct mm *mm = current_mm();

	if (!(LOAD_ACQUIRE(mm->membarrier) & (u32)registered))
		return -EPERM;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	call(READ_ONCE(mm->us.cpus.bits[0]) & among, fn, mm);
	return 0;
}

static s64 register_for(s32 cmd)
{
	__atomic_fetch_or(&current_mm()->membarrier, (u32)cmd, __ATOMIC_SEQ_CST);
	if (cmd == MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED)
		__atomic_store_n(&has_global, true, __ATOMIC_SEQ_CST);
	return 0;
}

/* The CPUs meant by MEMBARRIER_CMD_FLAG_CPU; one that there is not is nobody's. */
static u64 chosen_cpus(u32 flags, s32 cpu)
{
	if (!(flags & MEMBARRIER_CMD_FLAG_CPU) || cpu < 0)
		return ~0ull;
	return (u32)cpu < cpu_count() ? 1ull << cpu : 0;
}

s64 membarrier(s32 cmd, u32 flags, s32 cpu)
{
	if (flags && cmd != MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ)
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_CMD_QUERY:
		return COMMANDS;
	case MEMBARRIER_CMD_GLOBAL:
		if (cpu_count() > 1)
			rcu_synchronize();
		return 0;
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		call(LOAD_ACQUIRE(has_global) ? all_cpus() : 0, barrier, NULL);
		return 0;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		return private_barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, barrier, ~0ull);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
		return private_barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, sync_core, ~0ull);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
		return private_barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, restart_section, chosen_cpus(flags, cpu));
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		return register_for(cmd);
	default:
		return -EINVAL;
	}
}
