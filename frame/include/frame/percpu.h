/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Per-CPU data, and the two counters that say what this CPU may do.
 *
 * GS points to this CPU's `struct cpu_local` while in the kernel. Its first fields have fixed offsets that
 * assembly and the compiler (stack canary at gs:40) rely on. PERCPU variables live in section .percpu, one copy
 * a CPU, at a distance of `percpu_delta` from the linked address.
 *
 * Contexts. `preempt` counts, in one word: bits 0-7 preempt_disable depth (spinlocks included), bits 8-15 soft
 * work disabled or running, bits 16-23 hard interrupt nesting. `irq_depth` counts irq_disable nesting;
 * invariant: irq_depth > 0 if and only if the CPU's interrupt flag is clear (entry code keeps it so; user mode
 * runs with 1, so that entry and exit need not touch it).
 * Sleeping is allowed only while both are zero.
 *
 * A pointer to this CPU's data stays right only while preemption is disabled.
 */
#ifndef FRAME_PERCPU_H
#define FRAME_PERCPU_H

#include <lib/types.h>

struct task;

#define FRAME_MAX_CPUS 64

struct cpu_local {
	struct cpu_local *self;		/*  0 */
	u64 percpu_delta;		/*  8: add to a PERCPU variable's address */
	struct task *current;		/* 16 */
	u32 preempt;			/* 24 */
	u32 irq_depth;			/* 28 */
	u32 cpu;			/* 32: 0 … cpu_count()-1 */
	u32 rcu_need_qs;		/* 36: RCU waits for this CPU */
	u64 canary;			/* 40: fixed by the compiler's ABI */
	u64 user_run_sp;		/* 48: kernel stack pointer to return from user_run with */
	u64 scratch;			/* 56: entry code */
	u64 soft_pending;		/* 64: bit a soft kind */
	u64 arch[23];			/* 72: frame/x86_64's own (TSS pointer, apic id, …) */
};
_Static_assert(offsetof(struct cpu_local, canary) == 40, "gcc and clang read the canary at gs:40");

/*
 * CPU_LOCAL_->field: this CPU's, for code that has preemption off. In the debug build it goes through the `self` pointer, since
 * gcc 12's KASAN takes %gs-relative addresses for plain ones. What runs with preemption on (below, and preempt.h) must be one
 * instruction, lest the task migrates between a load and its store: hence the assembly.
 */
#ifdef KEEL_DEBUG
static inline struct cpu_local *cpu_local_self_(void)
{
	struct cpu_local *self;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(self) : "i"(offsetof(struct cpu_local, self)));
	return self;
}
#define CPU_LOCAL_ cpu_local_self_()
#else
#ifdef __clang__
#define frame_gs_ __attribute__((address_space(256)))
#else
#define frame_gs_ __seg_gs
#endif
#define CPU_LOCAL_ ((struct cpu_local frame_gs_ *)0)
#endif

#define PREEMPT_ONE	1u
#define PREEMPT_SOFT	0x100u
#define PREEMPT_HARD	0x10000u
#define PREEMPT_SOFT_MASK 0xff00u
#define PREEMPT_HARD_MASK 0xff0000u

static inline u32 cpu_id(void)
{
	u32 cpu;

	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(cpu) : "i"(offsetof(struct cpu_local, cpu)));
	return cpu;
}

/* Always the same for the code of one task, so the compiler may reuse it. */
static inline struct task *current_task(void)
{
	struct task *t;

	__asm__("movq %%gs:%c1, %0" : "=r"(t) : "i"(offsetof(struct cpu_local, current)));
	return t;
}

static inline u32 cpu_preempt_count_(void)
{
	u32 count;

	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(count) : "i"(offsetof(struct cpu_local, preempt)));
	return count;
}

static inline u32 cpu_irq_depth_(void)
{
	u32 depth;

	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(depth) : "i"(offsetof(struct cpu_local, irq_depth)));
	return depth;
}

static inline void cpu_preempt_add_(u32 n)
{
	__asm__ volatile("addl %0, %%gs:%c1" : : "ri"(n), "i"(offsetof(struct cpu_local, preempt)) : "memory", "cc");
}

/* Number of CPUs that are running Keel; grows only during start-up, before user code runs. */
u32 cpu_count(void);

/* A variable with one copy a CPU. Static initialisers hold for every copy. Not for arrays by bare type: use a struct. */
#define PERCPU(type, name) __attribute__((section(".percpu"), used)) type name

extern u64 frame_percpu_delta[FRAME_MAX_CPUS];

static inline void *percpu_at(const void *linked, u64 delta)
{
	return (void *)((u64)linked + delta);
}

/* This CPU's copy (preemption must be off), and CPU `n`'s copy. */
#define this_cpu(var)	((__typeof__(&(var)))percpu_at(&(var), CPU_LOCAL_->percpu_delta))
#define cpu_var(var, n)	((__typeof__(&(var)))percpu_at(&(var), frame_percpu_delta[n]))

/* A set of CPUs. */
struct cpuset {
	u64 bits[FRAME_MAX_CPUS / 64];
};

static inline bool cpuset_has(const struct cpuset *s, u32 cpu)
{
	return __atomic_load_n(&s->bits[cpu / 64], __ATOMIC_RELAXED) >> (cpu % 64) & 1;
}

static inline void cpuset_add(struct cpuset *s, u32 cpu)
{
	__atomic_fetch_or(&s->bits[cpu / 64], 1ul << (cpu % 64), __ATOMIC_SEQ_CST);
}

static inline void cpuset_del(struct cpuset *s, u32 cpu)
{
	__atomic_fetch_and(&s->bits[cpu / 64], ~(1ul << (cpu % 64)), __ATOMIC_SEQ_CST);
}

#endif
