/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The x86-64 half of tasks: layout of a stack, the switch, idling.
 *
 * A stack from its top down: FPU area (user tasks), struct user_regs, then the frames of the code that runs. What the switch exchanges
 * beside the stack: FPU, FS and user GS bases, the entry stack of SYSCALL and TSS, time stamps. Interrupts are off throughout.
 */
#include <frame/log.h>
#include <frame/preempt.h>
#include <frame/rcu.h>
#include <frame/core/internal.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/stamp.h>

bool stamp_is_tsc __ro_after_init;
static u64 stamp_mult __ro_after_init;		/* nanoseconds a stamp unit, times 2^32 */

void __init task_times_init(void)
{
	u64 hz = clock_cycle_hz();

	stamp_is_tsc = hz != 0;
	stamp_mult = hz ? (NSEC_PER_SEC << 32) / hz : 1ull << 32;
	current_task()->system_cycles = 0 - stamp_now();
}

u64 arch_stamp(void)
{
	return stamp_now();
}

u64 task_cycles_to_ns(u64 cycles)
{
	return (u64)((unsigned __int128)cycles * stamp_mult >> 32);
}

void arch_task_setup(struct task *t, void (*fn)(void *arg), void *arg, bool is_user)
{
	u64 top = (u64)t->stack + STACK_SIZE;
	u64 *sp;

	if (is_user) {
		top -= fpu_area_size();
		t->fpu = (struct fpu_area *)top;
		fpu_area_init(t->fpu);
	}
	t->regs = (struct user_regs *)(top - sizeof(struct user_regs));
	*t->regs = (struct user_regs){ .rflags = RFLAGS_IF | 2, .cs = SEL_USER_CS, .ss = SEL_USER_DS, .orig_rax = ~0ul };
	sp = (u64 *)ALIGN_DOWN((u64)t->regs, 16);
	*--sp = 0;				/* the end of the frame-pointer chain; keeps the trampoline's stack aligned */
	*--sp = 0;
	*--sp = (u64)task_trampoline;
	*--sp = 0;				/* rbp */
	*--sp = 0;				/* rbx */
	*--sp = (u64)fn;			/* r12 */
	*--sp = (u64)arg;			/* r13 */
	*--sp = 0;				/* r14 */
	*--sp = 0;				/* r15 */
	t->sp = (u64)sp;
}

void arch_load_bases(const struct task *t)
{
	cpu_set_fs_base(t->fs_base);
	cpu_set_user_gs_base(t->gs_base);
}

/* Programs may load selectors; nobody needs to see another's. Null ones are the rule, and the bases are set after. */
static void reset_selectors(void)
{
	u32 ds, es, fs, gs;

	__asm__ volatile("movl %%ds, %0; movl %%es, %1; movl %%fs, %2; movl %%gs, %3" : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	if (likely(!(ds | es | fs | gs)))
		return;
	/* Loading GS changes the current GS base: that must be the user's meanwhile. */
	__asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%fs; swapgs; movl %0, %%gs; swapgs" : : "r"(0) : "memory");
}

static void save_user(struct task *t)
{
	fpu_save(t->fpu);
	if (cpu_features.fsgsbase) {
		t->fs_base = cpu_fs_base();
		t->gs_base = cpu_user_gs_base();
	}
	reset_selectors();
}

struct task *arch_task_switch(struct task *prev, struct task *next)
{
	struct cpu_local *c = cpu_local_of(cpu_id());

	stamp_turn(&next->system_cycles, &prev->system_cycles);
	if (prev->fpu)
		save_user(prev);
	if (next->fpu) {
		u64 top = (u64)(next->regs + 1);

		fpu_restore(next->fpu);
		arch_load_bases(next);
		c->arch[ARCH_KERNEL_SP] = top;
		((struct arch_cpu *)c->arch[ARCH_STATE])->tss.rsp[0] = top;
	}
	c->current = next;
	return switch_stacks(&prev->sp, next->sp, prev);
}

void cpu_idle_wait(void)
{
	struct cpu_local *c = cpu_local_of(cpu_id());

	BUG_ON(c->irq_depth != 1);
	if (task_work(current_task()) & TASK_WORK_RESCHED)
		return;
	/* Not to be preempted in here: the scheduler would run while RCU takes this CPU for idle. */
	c->preempt += PREEMPT_ONE;
	rcu_idle_enter();
	c->irq_depth = 0;
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	c->irq_depth = 1;
	rcu_idle_exit();
	c->preempt -= PREEMPT_ONE;
}

void arch_relax(void)
{
	cpu_relax();
}
