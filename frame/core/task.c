/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Tasks: stacks and the rules of the switch.
 *
 * Stacks are mapped with a guard page below. Mapping and unmapping are dear (page tables, flushes on every CPU), so a dead task's stack
 * stays mapped: a few a CPU, further ones on a common list, and only what exceeds that is unmapped. A cached stack is linked through its
 * lowest word. stack_lock (soft) guards the common list; the CPUs' own caches are used with soft work disabled.
 */
#include <lib/string.h>
#include <frame/kasan.h>
#include <frame/log.h>
#include <frame/policy.h>
#include <frame/preempt.h>
#include <frame/rcu.h>
#include <frame/spinlock.h>
#include <frame/uspace.h>
#include <frame/core/internal.h>
#include <frame/x86_64/layout.h>

#define STACK_PAGES (STACK_SIZE / PAGE_SIZE)
#define CACHE_PER_CPU 4
#define CACHE_COMMON 16

struct cached_stack {
	struct cached_stack *next;
};

struct stack_cache {
	struct cached_stack *first;
	u32 n;
};

static PERCPU(struct stack_cache, cpu_stacks);
static struct spinlock_soft stack_lock = SPINLOCK_INIT("stack cache");
static struct stack_cache common_stacks;	/* [stack_lock] */
static u64 stack_frames;			/* [a] in all stacks, cached ones too */

u64 task_stack_frames(void)
{
	return READ_ONCE(stack_frames);
}

static struct cached_stack *cache_pop(struct stack_cache *c)
{
	struct cached_stack *s = c->first;

	if (s) {
		c->first = s->next;
		c->n--;
	}
	return s;
}

static bool cache_push(struct stack_cache *c, struct cached_stack *s, u32 limit)
{
	if (c->n >= limit)
		return false;
	s->next = c->first;
	c->first = s;
	c->n++;
	return true;
}

static struct cached_stack *stack_from_cache(void)
{
	struct cached_stack *s;

	soft_disable();
	s = cache_pop(this_cpu(cpu_stacks));
	soft_enable();
	if (!s) {
		SPIN_GUARD_SOFT(&stack_lock);
		s = cache_pop(&common_stacks);
	}
	return s;
}

static bool stack_to_cache(struct cached_stack *s)
{
	bool is_kept;

	soft_disable();
	is_kept = cache_push(this_cpu(cpu_stacks), s, CACHE_PER_CPU);
	soft_enable();
	if (!is_kept) {
		SPIN_GUARD_SOFT(&stack_lock);
		is_kept = cache_push(&common_stacks, s, CACHE_COMMON);
	}
	return is_kept;
}

static void free_pages(struct page *const *pages, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		frames_release(pages[i], 1);
		policy_frames_free(pages[i], 0);
	}
}

int stack_alloc(void **stack)
{
	struct cached_stack *s = stack_from_cache();
	struct page *pages[STACK_PAGES];
	u32 n;
	u64 va;

	if (s) {
		kasan_unpoison(s, STACK_SIZE);
		*stack = s;
		return 0;
	}
	for (n = 0; n < STACK_PAGES; n++) {
		pages[n] = policy_frames_alloc(0, true);
		if (!pages[n])
			goto fail;
		frames_claim(pages[n], 1, FRAME_KERNEL);
	}
	va = kmap_reserve(STACK_SIZE);
	if (!va)
		goto fail;
	if (kmap_pages(va, pages, STACK_PAGES, KMAP_WRITE)) {
		kmap_free(va, STACK_SIZE);
		goto fail;
	}
	__atomic_fetch_add(&stack_frames, STACK_PAGES, __ATOMIC_RELAXED);
	*stack = (void *)va;
	kasan_unpoison(*stack, STACK_SIZE);
	/* Nothing of a former owner; and under QEMU's emulation, stores to a page where firmware once ran are slow until that is overwritten. */
	memset(*stack, 0, STACK_SIZE);
	return 0;
fail:
	free_pages(pages, n);
	return -ENOMEM;
}

void stack_free(void *stack)
{
	struct page *pages[STACK_PAGES];
	u64 va = (u64)stack;

	/* What died in the middle of functions has left red zones behind. */
	kasan_unpoison(stack, STACK_SIZE);
	if (stack_to_cache(stack))
		return;
	for (u32 i = 0; i < STACK_PAGES; i++)
		pages[i] = kmap_page(va + i * PAGE_SIZE);
	kmap_unmap(va, STACK_SIZE);
	kmap_free(va, STACK_SIZE);
	free_pages(pages, STACK_PAGES);
	__atomic_fetch_sub(&stack_frames, STACK_PAGES, __ATOMIC_RELAXED);
}

int task_init(struct task *t, void (*fn)(void *arg), void *arg, bool is_user)
{
	int err = stack_alloc(&t->stack);

	if (err)
		return err;
	arch_task_setup(t, fn, arg, is_user);
	return 0;
}

void task_fini(struct task *t)
{
	BUG_ON(__atomic_load_n(&t->on_cpu, __ATOMIC_ACQUIRE) || t == current_task());
	stack_free(t->stack);
	t->stack = NULL;
	t->regs = NULL;
	t->fpu = NULL;
}

void task_adopt(struct task *t)
{
	struct task *standin = current_task();

	irq_disable();
	t->stack = standin->stack;
	t->system_cycles = standin->system_cycles ? standin->system_cycles : 0 - arch_stamp();
	t->on_cpu = 1;
	CPU_LOCAL_->current = t;
	irq_enable();
}

/* The switched-from task's registers are saved: others may run it from here on. */
static void finish_switch(struct task *prev)
{
	__atomic_store_n(&prev->on_cpu, 0, __ATOMIC_RELEASE);
	policy_switched(prev);
}

void task_switch(struct task *next)
{
	struct task *prev = current_task();

	BUG_ON(cpu_irq_depth_() == 0 || in_hard());
	if (__atomic_exchange_n(&next->on_cpu, 1, __ATOMIC_ACQUIRE)) {
		if (report_swallow(REPORT_TASK))
			return;
		panic("task 0x%lx is to run on two CPUs", (u64)next);
	}
	if (CPU_LOCAL_->rcu_need_qs)
		rcu_quiescent();
	if (next->uspace)
		uspace_load(next->uspace);
	finish_switch(arch_task_switch(prev, next));
}

void task_begin(struct task *prev, void (*fn)(void *arg), void *arg)
{
	finish_switch(prev);
	BUG_ON(cpu_irq_depth_() != 1 || cpu_preempt_count_() != 0);
	irq_enable();
	fn(arg);
	panic("a task's function returned");
}

void task_set_uspace(struct uspace *us)
{
	struct task *t = current_task();
	struct uspace *old = t->uspace;

	irq_disable();
	if (old != us) {
		t->uspace = us;
		if (us)
			uspace_load(us);
		if (old)
			uspace_unload(old);
	}
	irq_enable();
}

static bool is_running(u64 cycles)
{
	return (s64)cycles < 0;
}

/* The counters of two CPUs may differ a little: a turn that begins only now has lasted for nothing. */
static u64 sum_ns(u64 cycles, u64 now)
{
	u64 sum = is_running(cycles) ? cycles + now : cycles;

	return is_running(sum) ? 0 : task_cycles_to_ns(sum);
}

/* The owner CPU updates without a lock: read until nothing moved, the time included, so that it is the task's while a counter runs. */
void task_times(const struct task *t, u64 *user_ns, u64 *system_ns)
{
	u64 user, system, now;

	do {
		user = LOAD_ACQUIRE(t->user_cycles);
		system = LOAD_ACQUIRE(t->system_cycles);
		now = arch_stamp();
	} while ((is_running(user) && is_running(system)) || user != LOAD_ACQUIRE(t->user_cycles) || system != LOAD_ACQUIRE(t->system_cycles));
	*user_ns = sum_ns(user, now);
	*system_ns = sum_ns(system, now);
}
