/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the parts of the frame ask of each other; not for kernel/. "init" functions are called once, in the order of core/start.c.
 * Owner files stand beside each group.
 */
#ifndef FRAME_CORE_INTERNAL_H
#define FRAME_CORE_INTERNAL_H

#include <lib/types.h>
#include <frame/page.h>
#include <frame/boot.h>
#include <frame/task.h>
#include <frame/user.h>
#include <frame/log.h>
#include <frame/report.h>

#define __init __attribute__((section(".init.text"), cold))
#define __initdata __attribute__((section(".init.data")))
#define __ro_after_init __attribute__((section(".data.ro_after_init")))

/* --- x86_64/serial.c: early console on COM1; polled. */
void early_console_init(void);
void early_console_write(const char *text, size_t len);

/* --- x86_64/pvh.c, multiboot2.c → core/boot.c: start information gathered into one structure. */
struct boot_info {
	char cmdline[BOOT_CMDLINE_MAX + 1];
	paddr_t initrd;
	size_t initrd_size;
	paddr_t rsdp;			/* 0: unknown */
	u32 n_ranges;
	struct { paddr_t start, end; u32 type; } ranges[128];	/* as told: type 1 usable */
	u64 entry_cycles;
};
extern struct boot_info boot_info;
void boot_gather(u32 protocol, paddr_t info);	/* core/boot.c; protocol 1: PVH, 2: multiboot2. Before frame_start */
u64 image_slide(void);				/* x86_64/kaslr.c: how far above its link address the image lies */
bool boot_option(const char *name, char *value, size_t max);	/* word "name" or "name=value" on the command line */

/* --- core/memory.c: memory map, early allocation, struct pages. */
void memory_init(void);			/* sorts the map, builds direct map and struct pages; paging works as final on return */
/* Zeroed memory in the direct map that is never freed, before the kernel's allocator runs. Panics if there is none. */
void *early_alloc(size_t size, size_t align);

/* For paging.c and its like: free RAM in whole pages before the allocator runs, not zeroed (is_top: from the highest addresses); 0 if there is none. */
paddr_t memory_take(u64 size, u64 align, bool is_top);
bool memory_is_ram(paddr_t start, u64 size);	/* any part of it */
bool memory_is_early(void);			/* early_alloc may still be used: the kernel has not asked for the map */
extern paddr_t smp_trampoline_page;		/* below 1 MiB, taken; 0: there is none */

/* The image's bounds and their symbols: x86_64/image.h. Until memory_init the boot tables map the first 4 GiB of physical memory, writable and
 * executable, at 0 and at frame_direct_base (0xffff8000…, F2 defines it with that initial value), the image's first GiB at KERNEL_BASE,
 * and in the debug build the whole KASAN shadow to one writable page (so reports must stay off until kasan_init). The boot tables need not
 * be kept after paging_init; the boot stack and the boot CPU's per-CPU copy are in .bss. boot_free_init is core/boot.c's (F1): it calls
 * paging_protect_image() and donates init text and data. */
/* --- x86_64/paging.c: kernel mappings. Kernel half of every root is shared: all top-level kernel entries exist from memory_init on. */
enum { KMAP_WRITE = 1, KMAP_EXEC = 2, KMAP_UNCACHED = 4 };
#define PHYS_LIMIT (1ull << 46)			/* what the direct map has room for */
#define LARGE_PAGE (2ull << 20)
void paging_init(void);			/* by memory_init: new tables with the image W^X; not yet loaded */
void image_bounds(paddr_t *start, paddr_t *end);
/* Maps early memory with the largest pages that fit; panics if there is no memory for tables. Flags KMAP_*. */
void paging_map(u64 va, paddr_t phys, u64 size, u32 flags);
/* Maps [va, va+size) → frames in the vmap window. May allocate tables (policy_frames_alloc or early_alloc). -ENOMEM. */
__must_check int kmap_pages(u64 va, struct page *const *pages, size_t n, u32 flags);
__must_check int kmap_phys(u64 va, paddr_t phys, size_t size, u32 flags);
/* kmap_unmap and kmap_free are also called in soft context (task_fini): their locks are spinlock_soft; interrupts are on. */
void kmap_unmap(u64 va, size_t size);	/* this CPU forgets at once, the others before the addresses are reserved again; frames stay the caller's */
struct page *kmap_page(u64 va);		/* the frame mapped at `va` of the vmap window; panics if there is none */
u64 kmap_reserve(size_t size);		/* address space in the vmap window with an unmapped guard page below; 0 if none. kmap_free returns it */
void kmap_free(u64 va, size_t size);
void paging_protect_image(void);	/* W^X and read-only after init; called by boot_free_init */
void paging_unmap_guard(const void *page);	/* of the image's own mapping; before paging_protect_image */
void cpu_unmap_guards(void);		/* x86_64/cpu.c: those below the boot CPU's stacks */
void paging_load_kernel(void);		/* CR3 = the kernel's own tables */
paddr_t paging_kernel_root(void);

/* --- x86_64/uspace.c */
void uspace_load(struct uspace *us);	/* this CPU; interrupts off. NULL: kernel tables may stay lazily loaded */
void uspace_unload(struct uspace *us);	/* this CPU leaves the set */

/* --- x86_64/cpu.c: per-CPU machine state: GDT, IDT, TSS, MSRs, control registers, feature bits. */
void cpu_init_boot(void);		/* GS works from here on */
void cpu_init_secondary(u32 cpu);	/* on the secondary itself */
__must_check int cpu_alloc(u32 cpu);	/* percpu copy, stacks, TSS for one CPU; sets frame_percpu_delta. -ENOMEM */
struct cpu_local *cpu_local_of(u32 cpu);

/* --- x86_64/traps.c ↔ apic.c. The entry code (F1) does hard_enter(); irq_dispatch(vector); hard_exit(); on the CPU's interrupt stack with
 * interrupts off and irq_depth 1. hard_exit may turn interrupts on for soft work (irq_depth 0 meanwhile) but returns with them off and
 * irq_depth 1 again; soft work at interrupt exit so runs on the interrupt stack, that of soft_enable() on the task's. NMIs do not pass here.
 * x86_64/arch.h has port, MSR, CR, cpuid helpers; x86_64/layout.h names the slots of cpu_local.arch[]. */
void irq_dispatch(u32 vector);		/* core/irq.c: called by entry code with interrupts off, hard context entered */
void hard_enter(void);			/* core/soft.c */
void hard_exit(void);			/* runs soft work at the outermost exit; then preemption is up to the entry code */

/* --- x86_64/acpi.c, apic.c, smp.c, clock.c */
void acpi_init(void);
void apic_init(void);			/* LAPIC of the boot CPU, IOAPICs, PIC masked */
void apic_init_secondary(void);
void apic_eoi(void);
void apic_send_ipi(u32 cpu, u8 vector);
void apic_send_nmi_others(void);	/* panic: stop everybody */
u32 acpi_cpu_count(void);		/* enabled CPUs in the MADT, boot CPU first */
u32 acpi_apic_id(u32 cpu);
void acpi_set_apic_id(u32 cpu, u32 apic_id);	/* smp.c, when CPUs before it did not start */
void clock_init(void);
void clock_init_secondary(void);
void clock_event_fired(void);		/* timer vector; interrupts off */
/* --- core/irq.c ↔ x86_64/ioapic.c: the lines, by global system interrupt. Several CPUs may call at once. */
u32 irqchip_lines(void);		/* 0 … n-1 exist; 0 on a machine without an interrupt controller for lines */
u32 irqchip_resolve(u32 gsi);		/* where the firmware has redirected ISA lines 0-15 to; others as they are */
bool irqchip_is_reserved(u32 gsi);	/* the frame's own */
void irqchip_enable(u32 gsi, u8 vector);
void irqchip_disable(u32 gsi);
void smp_init(void);			/* early memory for the trampoline, if there are more CPUs than one */
/* --- x86_64/machine.c */
void machine_init(void);		/* finds out how to turn this machine off, while ACPI tables can be mapped */
bool machine_owns_mmio(paddr_t start, u64 size);	/* registers that are the frame's own */
void ipi_handle(u32 vector);

/* Vectors. Exceptions 0-31; device lines 32-127; 128 is INT 0x80, which user programs may raise (it kills them); 129-223 are free (MSI). */
enum { VECTOR_DEVICE_FIRST = 32, VECTOR_DEVICE_LAST = 127, VECTOR_INT80 = 128, VECTOR_TIMER = 236, VECTOR_CALL = 237, VECTOR_RESCHEDULE = 238, VECTOR_SPURIOUS = 255 };

/* --- core/task.c, x86_64/task.c */
u64 cpu_idle_stack_top(u32 cpu);	/* a secondary's first stack, made by cpu_alloc; cpu_init_secondary must run on it first of all */
__must_check int stack_alloc(void **stack);	/* STACK_SIZE bytes with a guard page below; may sleep. -ENOMEM */
void stack_free(void *stack);
void task_times_init(void);		/* after clock_init */
/* What the CPU's own half does: first frame, FPU, bases, entry stack, time stamps. */
void arch_task_setup(struct task *t, void (*fn)(void *arg), void *arg, bool is_user);
struct task *arch_task_switch(struct task *prev, struct task *next);	/* returns the task that was switched from */
__noreturn void task_begin(struct task *prev, void (*fn)(void *arg), void *arg);	/* first C on a new stack */
u64 arch_stamp(void);

/* --- core/rcu.c */
void rcu_init(void);
void rcu_quiescent(void);		/* this CPU holds no reader; called when gs:rcu_need_qs is set at switch, user entry, idle */
void rcu_idle_enter(void);
void rcu_idle_exit(void);
/* An IPI handler need not tell RCU anything: hard_enter and hard_exit do, for every interrupt. */
void rcu_hard_enter(void);		/* an interrupt ends RCU's idle state */
void rcu_hard_exit(void);		/* outermost, interrupts off, hard context left: quiescent if nothing is disabled */

/* --- core/soft.c */
bool soft_running(void);		/* this CPU runs a soft handler, or an interrupt on top of one (in_soft() says "or is disabled") */

/* --- x86_64/mem.S: the unchecked ones. memcpy etc. are weak aliases of these, which KASAN overrides. */
void *__memcpy(void *dst, const void *src, size_t n);
void *__memmove(void *dst, const void *src, size_t n);
void *__memset(void *dst, int c, size_t n);
int __memcmp(const void *a, const void *b, size_t n);

/* --- core/log.c, core/panic.c. klog works from the first instruction of C on; before log_init it touches no per-CPU data and no clock.
 * log_init needs GS, boot_info and a clock_now_ns that returns 0 while it is not ready; it reads quiet, loglevel=, panic=. */
void log_init(void);
void log_panic_mode(void);		/* the other CPUs stand still: print everything, wait for nobody */
void vklog(enum log_level level, const char *fmt, va_list args) __printf(2, 0);
void backtrace_print(enum log_level level, u64 frame_pointer);	/* 0: the caller's */
bool panic_is_under_way(void);
bool report_swallow(enum report_kind kind);	/* core/report.c: true if the current task expected it; it has been counted */
/* x86_64/panic_arch.c */
void panic_arch_regs(const struct user_regs *regs);
u64 panic_arch_fp(const struct user_regs *regs);
u64 task_saved_fp(const struct task *t);	/* frame pointer of a task that is not running; 0 if unknown */
bool panic_arch_peek(u64 addr, u64 *value);	/* reads kernel memory that may not be there */
__noreturn void panic_arch_halt(void);
void panic_arch_exit(void);		/* ends QEMU with a failure if it can (isa-debug-exit); returns if not */
/* core/panic.c (F3): an NMI arrived. If a panic stops the machine, this CPU halts here for good; else returns (spurious NMI). */
void panic_nmi(void);
size_t backtrace_from(u64 frame_pointer, u64 stack_low, u64 stack_high, u64 *pcs, size_t max);
__noreturn void panic_regs(const struct user_regs *regs, const char *fmt, ...) __printf(2, 3);

/* --- debug/: no-ops in the release build */
#ifdef KEEL_DEBUG
void kasan_init(void);			/* shadow for direct map, image, vmap window is real from here on */
/* x86_64/paging.c provides: backs the shadow of [start, end) with zeroed frames. memory_init does so for all RAM in the direct map, for
 * struct pages and the image, kmap_* for what they map: kasan_init need not. */
__must_check int kasan_map_shadow(u64 start, u64 end);
#else
static inline void kasan_init(void)
{
}
#endif

#endif
