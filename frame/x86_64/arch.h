/* SPDX-License-Identifier: MPL-2.0 */
/* The x86-64 half's own tools: instructions as functions, CPU features, descriptor tables. Not for kernel/, nor for frame/core. */
#ifndef FRAME_X86_64_ARCH_H
#define FRAME_X86_64_ARCH_H

#include <lib/types.h>
#include <frame/page.h>
#include <frame/percpu.h>
#include <frame/x86_64/layout.h>

struct user_regs;

#define NO_KASAN __attribute__((no_sanitize_address))

/* --- I/O ports */
static inline void outb(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outw(u16 port, u16 v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outl(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u16 inw(u16 port)
{
	u16 v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u32 inl(u16 port)
{
	u32 v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

/* --- Registers */
static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

/* Neither before what stands before it nor after what follows (SDM 2B, RDTSC): clocks of two CPUs can be compared. */
static inline u64 rdtsc_ordered(void)
{
	u32 lo, hi;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(lo), "=d"(hi) : : "memory");
	return (u64)hi << 32 | lo;
}

#define MSR_APIC_BASE		0x1b
#define MSR_TSC_DEADLINE	0x6e0
#define MSR_SYSENTER_CS		0x174
#define MSR_PAT			0x277
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_FMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_TSC_AUX		0xc0000103

#define EFER_SCE 1ul
#define EFER_LME 0x100ul
#define EFER_NXE 0x800ul

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

#define CR0_MP 0x2ul
#define CR0_EM 0x4ul
#define CR0_TS 0x8ul
#define CR0_NE 0x20ul
#define CR0_WP 0x10000ul
#define CR0_AM 0x40000ul
#define CR4_TSD 0x4ul
#define CR4_PGE 0x80ul
#define CR4_OSFXSR 0x200ul
#define CR4_OSXMMEXCPT 0x400ul
#define CR4_UMIP 0x800ul
#define CR4_FSGSBASE 0x10000ul
#define CR4_PCIDE 0x20000ul
#define CR4_OSXSAVE 0x40000ul
#define CR4_SMEP 0x100000ul
#define CR4_SMAP 0x200000ul

#define FRAME_CR_(n)								\
static inline u64 read_cr##n(void)						\
{										\
	u64 v;									\
										\
	__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v) : : "memory");		\
	return v;								\
}										\
static inline void write_cr##n(u64 v)						\
{										\
	__asm__ volatile("mov %0, %%cr" #n : : "r"(v) : "memory");		\
}
FRAME_CR_(0)
FRAME_CR_(2)
FRAME_CR_(3)
FRAME_CR_(4)
#undef FRAME_CR_

static inline u64 read_rflags(void)
{
	u64 v;

	__asm__ volatile("pushfq; popq %0" : "=r"(v) : : "memory");
	return v;
}

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline void invlpg(u64 va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

struct cpuid {
	u32 a, b, c, d;
};

static inline struct cpuid cpuid(u32 leaf, u32 sub)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
	return r;
}

/* What the boot CPU has and is used (all CPUs are taken to be alike). [I] after cpu_init_boot. */
struct cpu_features {
	bool nx, pge, page_1g, smep, smap, umip, fsgsbase, pcid, invpcid, x2apic, tsc_deadline, tsc_invariant;
	bool fxsr, xsave, xsaveopt, avx, rdrand, rdseed, hypervisor, pat, rdtscp;
	u32 max_leaf, max_ext_leaf;
	u8 phys_bits, virt_bits;
};
extern struct cpu_features cpu_features;

/* --- Per-CPU machine state */
struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];		/* ist[0] is IST 1 */
	u64 reserved2;
	u16 reserved3;
	u16 iomap_base;		/* beyond the limit: no port is the user's */
} __packed;
_Static_assert(sizeof(struct tss) == 104, "TSS");

enum { IST_DOUBLE_FAULT = 1, IST_NMI, IST_DEBUG, IST_MACHINE_CHECK, IST_STACKS = 4 };

struct arch_cpu {
	u64 gdt[SEL_CPU_NUMBER / 8 + 1];
	struct tss tss __aligned(16);
};

#define CPU_ARCH_(i) (CPU_LOCAL_->arch[i])

/* Loads fs base / the user's gs base; reads them (interrupts off). cpu.c */
void cpu_set_fs_base(u64 base);
void cpu_set_user_gs_base(u64 base);
u64 cpu_fs_base(void);
u64 cpu_user_gs_base(void);

/* --- Faults that are expected: if the instruction at label `from` faults, execution goes on at `to` with the faulting
 * address (CR2 of a page fault, else 0) in RDX. */
struct fault_fixup {
	s32 from, to;		/* relative to the field's own address */
};

/* For rare registers that may not exist: 0 or -EIO. */

/* --- entry.S */
extern const u8 trap_stubs[];	/* 256 stubs of TRAP_STUB_SIZE bytes */
#define TRAP_STUB_SIZE 16
void entry_syscall(void);
u32 user_enter(struct user_regs *regs, u32 use_sysret);

/* --- fpu.c */
struct fpu_area;
void fpu_init_boot(void);
void fpu_init_cpu(void);
size_t fpu_area_size(void);		/* multiple of 64 */
void fpu_area_init(struct fpu_area *fpu);	/* the state of a fresh program */
void fpu_save(struct fpu_area *fpu);	/* live registers → area */
void fpu_restore(const struct fpu_area *fpu);
u32 fpu_pending(u32 trap);		/* unmasked status bits of trap 16 or 19 */

/* --- switch.S */
struct task;
struct task *switch_stacks(u64 *save_sp, u64 load_sp, struct task *prev);
void task_trampoline(void);

#endif
