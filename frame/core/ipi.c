/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Calls to other CPUs.
 *
 * Each CPU has one outgoing call (it waits for it, with soft work and preemption disabled, so a second cannot begin) and an
 * inbox: one bit for each CPU that wants something. A caller writes its call, sets its bit in each target's inbox, and sends an
 * interrupt to those whose inbox was empty; a target empties its inbox and serves all who are in it. So any number of CPUs may
 * call each other at once: each waits with interrupts enabled and serves the others meanwhile.
 *
 * What may not be: waiting for a CPU that spins, interrupts disabled, for something that the caller holds. Hard locks are held
 * with interrupts disabled, where calls are refused.
 */
#include <frame/core/internal.h>
#include <frame/ipi.h>
#include <frame/log.h>
#include <frame/preempt.h>

struct call {
	void (*fn)(void *arg);		/* [caller, before the inbox bits] */
	void *arg;			/* [caller, before the inbox bits] */
	struct cpuset waiting;		/* [a] targets that have not yet finished */
};

static struct call calls[FRAME_MAX_CPUS] __aligned(64);		/* by caller */
static struct cpuset inbox[FRAME_MAX_CPUS] __aligned(64);	/* [a] by target: callers to serve */

_Static_assert(FRAME_MAX_CPUS <= 64, "one word holds a set");

static void serve_inbox(void)
{
	u64 callers = __atomic_exchange_n(&inbox[cpu_id()].bits[0], 0, __ATOMIC_ACQ_REL);

	while (callers) {
		struct call *c = &calls[__builtin_ctzll(callers)];

		callers &= callers - 1;
		c->fn(c->arg);
		cpuset_del(&c->waiting, cpu_id());	/* the caller may go on and reuse it from here on */
	}
}

void ipi_handle(u32 vector)
{
	/* VECTOR_RESCHEDULE has done its work by arriving: the interrupt's exit looks at task.work. */
	if (vector == VECTOR_CALL)
		serve_inbox();
}

static void call_others(u64 targets, void (*fn)(void *arg), void *arg)
{
	struct call *c = &calls[cpu_id()];
	u64 me = 1ul << cpu_id();

	BUG_ON(CPU_LOCAL_->irq_depth);
	c->fn = fn;
	c->arg = arg;
	__atomic_store_n(&c->waiting.bits[0], targets, __ATOMIC_RELEASE);
	for (u64 left = targets; left; left &= left - 1) {
		u32 cpu = (u32)__builtin_ctzll(left);

		if (!__atomic_fetch_or(&inbox[cpu].bits[0], me, __ATOMIC_SEQ_CST))
			apic_send_ipi(cpu, VECTOR_CALL);
	}
}

void ipi_call(const struct cpuset *cpus, void (*fn)(void *arg), void *arg)
{
	u64 targets, me;

	soft_disable();			/* soft work on this CPU may want to call, too */
	me = 1ul << cpu_id();
	targets = __atomic_load_n(&cpus->bits[0], __ATOMIC_RELAXED);
	if (targets & ~me)
		call_others(targets & ~me, fn, arg);
	if (targets & me) {
		irq_disable();
		fn(arg);
		irq_enable_only();
	}
	if (targets & ~me)
		while (__atomic_load_n(&calls[cpu_id()].waiting.bits[0], __ATOMIC_ACQUIRE))
			arch_relax();
	soft_enable();
}

void ipi_reschedule(u32 cpu)
{
	apic_send_ipi(cpu, VECTOR_RESCHEDULE);
}
