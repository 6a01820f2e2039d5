/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The end, and its evidence: panic, warnings, backtraces.
 *
 * panic() is entered once: the first CPU wins, the others stop by NMI (panic_nmi) or when they panic themselves. A panic
 * within the panic on the same CPU says so briefly and goes on to the end; a third one just halts. It takes no lock.
 * Backtraces follow frame pointers (the build keeps them). Every word is read through panic_arch_peek, so a broken chain ends the trace
 * and not the machine.
 */
#include <lib/printf.h>
#include <lib/string.h>
#include <frame/boot.h>
#include <frame/clock.h>
#include <frame/log.h>
#include <frame/machine.h>
#include <frame/policy.h>
#include <frame/preempt.h>
#include <frame/core/internal.h>

#define BACKTRACE_MAX 32
#define FRAME_BYTES_MAX 0x10000u	/* a frame larger than this is no frame */
#define KERNEL_HALF 0xffff800000000000ul
#define IMAGE_START 0xffffffff80000000ul

#define NO_CPU (~0u)
static u32 panic_cpu = NO_CPU;		/* [a] who panics */
static u32 panic_depth;			/* [panic_cpu] */
static u32 stopped_cpus;		/* [a] */
static u64 warnings;			/* [a] */

/* --- Backtraces */

static bool frame_follows(u64 old, u64 new)
{
	return new % 8 == 0 && new >= KERNEL_HALF && new > old && new - old < FRAME_BYTES_MAX;
}

size_t backtrace_from(u64 fp, u64 stack_low, u64 stack_high, u64 *pcs, size_t max)
{
	size_t n = 0;

	while (n < max && fp % 8 == 0 && fp >= stack_low && fp + 16 <= stack_high) {
		u64 next, pc;

		if (!panic_arch_peek(fp, &next) || !panic_arch_peek(fp + 8, &pc) || pc < IMAGE_START)
			break;
		pcs[n++] = pc;
		if (next <= fp)
			break;
		fp = next;
	}
	return n;
}

/* The same on whatever stacks there are: interrupt stacks lead back to the interrupted one, which may lie lower, once. */
static size_t backtrace_any(u64 fp, u64 *pcs, size_t max)
{
	bool has_jumped = false;
	size_t n = 0;

	if (fp % 8 != 0 || fp < KERNEL_HALF)
		return 0;
	while (n < max) {
		u64 next, pc;

		if (!panic_arch_peek(fp, &next) || !panic_arch_peek(fp + 8, &pc) || pc < IMAGE_START)
			break;
		pcs[n++] = pc;
		if (!frame_follows(fp, next)) {
			if (has_jumped || next % 8 != 0 || next < KERNEL_HALF)
				break;
			has_jumped = true;
		}
		fp = next;
	}
	return n;
}

size_t __noinline task_backtrace(const struct task *t, u64 *pcs, size_t max)
{
	u64 fp;

	if (!t)
		return backtrace_any((u64)__builtin_frame_address(0), pcs, max);
	/* A task that was switched away from has its frame pointer on top of what the switch saved. */
	fp = task_saved_fp(t);
	return backtrace_from(fp, (u64)t->stack, (u64)t->regs, pcs, max);
}

void __noinline backtrace_print(enum log_level level, u64 fp)
{
	u64 pcs[BACKTRACE_MAX];
	size_t n = backtrace_any(fp ? fp : (u64)__builtin_frame_address(0), pcs, ARRAY_SIZE(pcs));

	if (image_slide())
		klog(level, "kaslr: 0x%lx", image_slide());	/* to be subtracted, to have the addresses of the ELF file */
	for (size_t i = 0; i < n; i++)
		klog(level, "backtrace: 0x%lx", pcs[i]);
}

/* --- Warnings */

void kwarn(const char *fmt, ...)
{
	char text[256];
	va_list args;

	__atomic_fetch_add(&warnings, 1, __ATOMIC_RELAXED);
	va_start(args, fmt);
	(void)vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	klog(LOG_WARNING, "warning: %s", text);
	backtrace_print(LOG_WARNING, (u64)__builtin_frame_address(0));
}

u64 kwarn_count(void)
{
	return __atomic_load_n(&warnings, __ATOMIC_RELAXED);
}

/* --- Panic */

bool panic_is_under_way(void)
{
	return __atomic_load_n(&panic_cpu, __ATOMIC_RELAXED) != NO_CPU;
}

void panic_nmi(void)
{
	u32 cpu = __atomic_load_n(&panic_cpu, __ATOMIC_ACQUIRE);

	if (cpu == NO_CPU || cpu == cpu_id())
		return;
	__atomic_fetch_add(&stopped_cpus, 1, __ATOMIC_SEQ_CST);
	panic_arch_halt();
}

static void stop_others(void)
{
	u64 until = clock_now_ns() + 20 * NSEC_PER_MSEC;
	u32 spins = 0;

	if (cpu_count() < 2)
		return;
	apic_send_nmi_others();
	/* Bounded twice: the clock itself may be what broke. */
	while (__atomic_load_n(&stopped_cpus, __ATOMIC_SEQ_CST) < cpu_count() - 1 && clock_now_ns() < until && ++spins < 1u << 24)
		;
}

/* panic= as kernel-parameters has it: 0 (default) stay, n > 0 reboot after n seconds, n < 0 at once. */
static __noreturn void panic_end(void)
{
	char value[16];
	s64 seconds = 0;

	if (boot_option("panic", value, sizeof(value)) && parse_s64(value, strlen(value), 0, &seconds))
		seconds = 0;
	if (seconds == 0)
		panic_arch_halt();
	for (s64 i = 0; i < seconds && i < 86400; i++)
		clock_delay_ns(NSEC_PER_SEC);
	panic_arch_exit();
	machine_reboot();
}

/* True for the one that reports; a second panic on this CPU goes straight to the end, on another it stops there. */
static void panic_enter(const char *fmt, va_list args)
{
	u32 expected = NO_CPU, cpu = cpu_id();

	irq_disable();
	if (!__atomic_compare_exchange_n(&panic_cpu, &expected, cpu, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) && expected != cpu) {
		__atomic_fetch_add(&stopped_cpus, 1, __ATOMIC_SEQ_CST);
		panic_arch_halt();
	}
	if (++panic_depth > 2)
		panic_arch_halt();
	if (panic_depth == 1)
		stop_others();
	log_panic_mode();
	if (panic_depth == 2) {
		char text[128];

		(void)vscnprintf(text, sizeof(text), fmt, args);
		klog(LOG_EMERG, "panic: %s (while panicking)", text);
		panic_end();
	}
}

static __noreturn void panic_finish(const char *fmt, va_list args, const struct user_regs *regs, u64 fp)
{
	char text[512];

	(void)vscnprintf(text, sizeof(text), fmt, args);
	klog(LOG_EMERG, "panic: %s", text);
	klog(LOG_EMERG, "cpu %u, task 0x%lx, preempt %x, irq depth %u", cpu_id(), (u64)current_task(), CPU_LOCAL_->preempt,
	     CPU_LOCAL_->irq_depth - 1);
	if (regs)
		panic_arch_regs(regs);
	backtrace_print(LOG_EMERG, fp);
	policy_panic_notes();
	klog(LOG_EMERG, "end of panic");
	panic_end();
}

void panic(const char *fmt, ...)
{
	va_list args, copy;

	va_start(args, fmt);
	va_copy(copy, args);
	panic_enter(fmt, args);
	panic_finish(fmt, copy, NULL, (u64)__builtin_frame_address(0));
}

void panic_regs(const struct user_regs *regs, const char *fmt, ...)
{
	va_list args, copy;

	va_start(args, fmt);
	va_copy(copy, args);
	panic_enter(fmt, args);
	panic_finish(fmt, copy, regs, panic_arch_fp(regs));
}

void bug_at(const char *what, const char *file, int line)
{
	panic("bug: %s at %s:%d", what, file, line);
}

void sleep_in_atomic(void)
{
	if (panic_is_under_way() || report_swallow(REPORT_SLEEP_ATOMIC))
		return;
	panic("sleep in atomic: preempt %x, irq depth %u", CPU_LOCAL_->preempt, CPU_LOCAL_->irq_depth);
}
