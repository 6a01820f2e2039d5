/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Per-CPU machine state: feature bits, GDT, TSS, IDT, control registers, SYSCALL.
 *
 * The IDT is one for all CPUs; each CPU has its GDT and TSS in its per-CPU data. Stacks of a CPU: the interrupt stack, four IST
 * stacks in one aligned block (the word 16 bytes below the top of each names the CPU's data: entry.S, "paranoid"), and for
 * secondaries the idle task's.
 */
#include <lib/string.h>
#include <frame/ipi.h>
#include <frame/kasan.h>
#include <frame/policy.h>
#include <frame/core/internal.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/image.h>
#include <frame/x86_64/start.h>

struct idt_gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, reserved;
};

struct patch_site {
	s32 at;			/* relative to this field */
	u32 opcode;		/* third byte of CLAC or STAC */
};

#define GATE_INTERRUPT 0x8e
#define GATE_INTERRUPT_USER 0xee

extern const struct patch_site smap_table_start[], smap_table_end[];

struct cpu_features cpu_features __ro_after_init;
u64 frame_percpu_delta[FRAME_MAX_CPUS] __ro_after_init;

static struct idt_gate idt[256] __ro_after_init __aligned(4096);
static u8 boot_ist_stacks[IST_STACKS][IST_STACK_SIZE] __aligned(IST_STACK_SIZE);
static struct {
	u8 guard[PAGE_SIZE], stack[STACK_SIZE];
} boot_irq __aligned(4096);

/* First in the per-CPU section: boot.S fills in the boot CPU's copy. */
struct cpu_local cpu_local_template __attribute__((section(".percpu.first"), used)) = { .irq_depth = 1 };
static PERCPU(struct arch_cpu, arch_cpu);
/* Current until the kernel adopts the start-up stack. */
static PERCPU(struct task, startup_task);

struct cpu_local *cpu_local_of(u32 cpu)
{
	return cpu_var(cpu_local_template, cpu);
}

static __init void detect_features(void)
{
	struct cpu_features *f = &cpu_features;
	struct cpuid l0 = cpuid(0, 0), l1 = cpuid(1, 0), e0 = cpuid(0x80000000, 0);
	struct cpuid l7 = l0.a >= 7 ? cpuid(7, 0) : (struct cpuid){ 0 };
	struct cpuid e1 = cpuid(0x80000001, 0);
	struct cpuid e7 = e0.a >= 0x80000007 ? cpuid(0x80000007, 0) : (struct cpuid){ 0 };
	struct cpuid e8 = e0.a >= 0x80000008 ? cpuid(0x80000008, 0) : (struct cpuid){ .a = 48 << 8 | 36 };

	f->max_leaf = l0.a;
	f->max_ext_leaf = e0.a;
	f->pge = l1.d & BIT(13);
	f->pat = l1.d & BIT(16);
	f->fxsr = l1.d & BIT(24);
	f->pcid = l1.c & BIT(17);
	f->x2apic = l1.c & BIT(21);
	f->tsc_deadline = l1.c & BIT(24);
	f->xsave = l1.c & BIT(26);
	f->avx = l1.c & BIT(28);
	f->rdrand = l1.c & BIT(30);
	f->hypervisor = l1.c & BIT(31);
	f->fsgsbase = l7.b & BIT(0);
	f->smep = l7.b & BIT(7);
	f->invpcid = l7.b & BIT(10);
	f->rdseed = l7.b & BIT(18);
	f->smap = l7.b & BIT(20);
	f->umip = l7.c & BIT(2);
	f->nx = e1.d & BIT(20);
	f->page_1g = e1.d & BIT(26);
	f->rdtscp = e1.d & BIT(27);
	f->tsc_invariant = e7.d & BIT(8);
	f->phys_bits = e8.a & 0xff;
	f->virt_bits = e8.a >> 8 & 0xff;
	f->xsaveopt = f->xsave && l0.a >= 0xd && (cpuid(0xd, 1).a & BIT(0));
}

/* The image is still writable here: CLAC and STAC become real where there is SMAP; they are undefined without it. */
static __init void patch_smap(void)
{
	if (!cpu_features.smap)
		return;
	for (const struct patch_site *p = smap_table_start; p < smap_table_end; p++) {
		u8 *at = (u8 *)((u64)&p->at + (u64)(s64)p->at);

		at[0] = 0x0f;
		at[1] = 0x01;
		at[2] = (u8)p->opcode;
	}
}

static __init void fill_idt(void)
{
	static const u8 ists[32] = { [1] = IST_DEBUG, [2] = IST_NMI, [8] = IST_DOUBLE_FAULT, [18] = IST_MACHINE_CHECK };

	for (u32 v = 0; v < 256; v++) {
		u64 to = (u64)trap_stubs + v * TRAP_STUB_SIZE;

		idt[v] = (struct idt_gate){
			.offset_low = (u16)to,
			.offset_middle = (u16)(to >> 16),
			.offset_high = (u32)(to >> 32),
			.selector = SEL_KERNEL_CS,
			.ist = v < 32 ? ists[v] : 0,
			/* int3, into and INT 0x80 are the user's to raise; any other INT n is a protection fault. */
			.type = v == 3 || v == 4 || v == VECTOR_INT80 ? GATE_INTERRUPT_USER : GATE_INTERRUPT,
		};
	}
}

static void load_tables(struct arch_cpu *a)
{
	struct {
		u16 limit;
		u64 base;
	} __packed gdtr = { sizeof(a->gdt) - 1, (u64)a->gdt }, idtr = { sizeof(idt) - 1, (u64)idt };
	u64 tss = (u64)&a->tss;

	a->gdt[SEL_KERNEL_CS / 8] = 0x00af9b000000ffff;
	a->gdt[SEL_KERNEL_DS / 8] = 0x00cf93000000ffff;
	a->gdt[SEL_USER_DS / 8] = 0x00cff3000000ffff;
	a->gdt[SEL_USER_CS / 8] = 0x00affb000000ffff;
	a->gdt[SEL_TSS / 8] = (sizeof(a->tss) - 1) | (tss & 0xffffff) << 16 | 0x89ul << 40 | (tss >> 24 & 0xff) << 56;
	a->gdt[SEL_TSS / 8 + 1] = tss >> 32;
	a->gdt[SEL_CPU_NUMBER / 8] = 0x0000f10000000000 | cpu_id();
	a->tss.iomap_base = sizeof(a->tss);
	__asm__ volatile("lgdt %0\n"
			 "	pushq %1\n"
			 "	leaq 1f(%%rip), %%rax\n"
			 "	pushq %%rax\n"
			 "	lretq\n"
			 "1:	movl %2, %%ss\n"
			 "	movl %3, %%ds\n"
			 "	movl %3, %%es\n"
			 "	lidt %4\n"
			 "	ltr %w5\n"
			 : : "m"(gdtr), "i"(SEL_KERNEL_CS), "r"(SEL_KERNEL_DS), "r"(0), "m"(idtr), "r"(SEL_TSS) : "rax", "memory");
}

static void set_control_registers(void)
{
	const struct cpu_features *f = &cpu_features;
	u64 cr4 = read_cr4() & ~(CR4_TSD | CR4_PCIDE);

	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP | CR0_AM);
	cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
	cr4 |= (f->pge ? CR4_PGE : 0) | (f->smep ? CR4_SMEP : 0) | (f->smap ? CR4_SMAP : 0);
	cr4 |= (f->umip ? CR4_UMIP : 0) | (f->fsgsbase ? CR4_FSGSBASE : 0) | (f->xsave ? CR4_OSXSAVE : 0);
	write_cr4(cr4);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | (f->nx ? EFER_NXE : 0));
	wrmsr(MSR_STAR, (u64)SEL_USER_BASE << 48 | (u64)SEL_KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)entry_syscall);
	wrmsr(MSR_FMASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC | RFLAGS_ID | 0x8d5);
	wrmsr(MSR_SYSENTER_CS, 0);		/* SYSENTER is a protection fault */
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	wrmsr(MSR_FS_BASE, 0);
	if (f->rdtscp)
		wrmsr(MSR_TSC_AUX, cpu_id());	/* the user's RDTSCP and RDPID */
}

/* On the CPU itself, GS already right. */
static void init_this_cpu(struct cpu_local *c)
{
	struct arch_cpu *a = this_cpu(arch_cpu);
	u64 ist = c->arch[ARCH_IST_STACKS];

	c->arch[ARCH_STATE] = (u64)a;
	for (u32 i = 0; i < IST_STACKS; i++) {
		u64 *top = (u64 *)(ist + (i + 1) * IST_STACK_SIZE - 16);

		*top = (u64)c;
		a->tss.ist[i] = (u64)top;
	}
	set_control_registers();
	load_tables(a);
	fpu_init_cpu();
}

/* Entropy for the canary; a lowest byte of zero ends string overruns. Never returns through a checked frame. */
static __init void stir_canary(void)
{
	u64 v = CPU_LOCAL_->canary;
	u64 r = 0;

	if (cpu_features.rdrand)
		__asm__ volatile("rdrand %0" : "=r"(r) : : "cc");
	CPU_LOCAL_->canary = (v ^ r ^ rdtsc() << 13) & ~0xfful;
}

__attribute__((no_stack_protector)) void __init cpu_init_boot(void)
{
	struct cpu_local *c = (struct cpu_local *)(void *)percpu_boot;
	struct task *t;

	frame_percpu_delta[0] = c->percpu_delta;
	t = this_cpu(startup_task);
	t->stack = boot_stack;
	t->on_cpu = 1;
	c->current = t;
	c->arch[ARCH_IRQ_STACK] = (u64)boot_irq.stack + sizeof(boot_irq.stack);
	c->arch[ARCH_IST_STACKS] = (u64)boot_ist_stacks;
	detect_features();
	stir_canary();
	patch_smap();
	fill_idt();
	fpu_init_boot();
	init_this_cpu(c);
}

void cpu_unmap_guards(void)
{
	paging_unmap_guard(boot_stack_guard);
	paging_unmap_guard(boot_irq.guard);
}

/* 2^order frames of the kernel's, in the direct map: aligned to their size. */
static void *alloc_frames(size_t size)
{
	u32 order = size <= PAGE_SIZE ? 0 : ilog2(size - 1) + 1 - PAGE_SHIFT;
	struct page *page = policy_frames_alloc(order, true);

	if (!page)
		return NULL;
	frames_claim(page, 1ul << order, FRAME_KERNEL);
	kasan_unpoison(page_kva(page), PAGE_SIZE << order);
	return page_kva(page);
}

static void free_frames(void *kva, size_t size)
{
	u32 order = size <= PAGE_SIZE ? 0 : ilog2(size - 1) + 1 - PAGE_SHIFT;

	if (!kva)
		return;
	frames_release(kva_page(kva), 1ul << order);
	policy_frames_free(kva_page(kva), order);
}

int cpu_alloc(u32 cpu)
{
	size_t size = (size_t)(percpu_end - percpu_start);
	void *copy = alloc_frames(size), *ist = alloc_frames((size_t)IST_STACKS * IST_STACK_SIZE);
	void *irq_stack = NULL, *idle_stack = NULL;
	struct cpu_local *c;

	if (!copy || !ist || stack_alloc(&irq_stack) || stack_alloc(&idle_stack))
		goto fail;
	__memcpy(copy, percpu_start, size);
	frame_percpu_delta[cpu] = (u64)copy - (u64)percpu_start;
	c = cpu_local_of(cpu);
	c->self = c;
	c->percpu_delta = frame_percpu_delta[cpu];
	c->cpu = cpu;
	c->canary = CPU_LOCAL_->canary;
	c->current = cpu_var(startup_task, cpu);
	c->current->stack = idle_stack;
	c->current->on_cpu = 1;
	c->arch[ARCH_IRQ_STACK] = (u64)irq_stack + STACK_SIZE;
	c->arch[ARCH_IST_STACKS] = (u64)ist;
	c->arch[ARCH_IDLE_STACK] = (u64)idle_stack;
	return 0;
fail:
	if (irq_stack)
		stack_free(irq_stack);
	free_frames(copy, size);
	free_frames(ist, (size_t)IST_STACKS * IST_STACK_SIZE);
	return -ENOMEM;
}

u64 cpu_idle_stack_top(u32 cpu)
{
	return cpu_local_of(cpu)->arch[ARCH_IDLE_STACK] + STACK_SIZE;
}

/* Called first thing by a secondary, on its idle stack: nothing before it may use per-CPU data or the canary. */
__attribute__((no_stack_protector)) void cpu_init_secondary(u32 cpu)
{
	struct cpu_local *c = (struct cpu_local *)((u64)&cpu_local_template + frame_percpu_delta[cpu]);

	wrmsr(MSR_GS_BASE, (u64)c);
	init_this_cpu(c);
}

void cpu_sync_core(void)
{
	(void)cpuid(0, 0);
}

void cpu_set_fs_base(u64 base)
{
	if (cpu_features.fsgsbase)
		__asm__ volatile("wrfsbase %0" : : "r"(base));
	else
		wrmsr(MSR_FS_BASE, base);
}

u64 cpu_fs_base(void)
{
	u64 base;

	if (!cpu_features.fsgsbase)
		return rdmsr(MSR_FS_BASE);
	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

/* Interrupts are off; what could still come between the SWAPGSes is paranoid. */
void cpu_set_user_gs_base(u64 base)
{
	if (cpu_features.fsgsbase)
		__asm__ volatile("swapgs; wrgsbase %0; swapgs" : : "r"(base) : "memory");
	else
		wrmsr(MSR_KERNEL_GS_BASE, base);
}

u64 cpu_user_gs_base(void)
{
	u64 base;

	if (!cpu_features.fsgsbase)
		return rdmsr(MSR_KERNEL_GS_BASE);
	__asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(base) : : "memory");
	return base;
}
