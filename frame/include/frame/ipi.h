/* SPDX-License-Identifier: MPL-2.0 */
/* Calls to other CPUs. */
#ifndef FRAME_IPI_H
#define FRAME_IPI_H

#include <lib/types.h>
#include <frame/percpu.h>

/* Runs fn(arg) in hard context on each CPU of the set (this one included if in it), and waits until all have. Preemption may be on;
 * interrupts must be enabled unless the set is just this CPU. */
void ipi_call(const struct cpuset *cpus, void (*fn)(void *arg), void *arg);
/* Nothing fetched before is executed after: other CPUs' writes to code are seen (SDM 3A, "Serializing Instructions"). */
void cpu_sync_core(void);
/* Makes a CPU pass through its interrupt exit soon, where TASK_WORK_RESCHED of its current task is seen. Any context. */
void ipi_reschedule(u32 cpu);

#endif
