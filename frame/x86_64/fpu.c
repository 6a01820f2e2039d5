/* SPDX-License-Identifier: MPL-2.0 */
/*
 * FPU state. The kernel uses no FPU register, so a user task's state stays in the registers while it is in the kernel; task
 * switches save and restore it eagerly. Areas are in XSAVE's standard format (FXSAVE's where there is no XSAVE), 64-byte aligned, at
 * the top of the task's stack.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <frame/preempt.h>
#include <frame/user.h>
#include <frame/core/internal.h>
#include <frame/x86_64/arch.h>

#define XCR0_X87 1ul
#define XCR0_SSE 2ul
#define XCR0_AVX 4ul
#define XCR0_AVX512 0xe0ul

#define LEGACY_SIZE 512
#define HEADER_SIZE 64
#define FCW_DEFAULT 0x37f
#define MXCSR_DEFAULT 0x1f80

struct fpu_area {
	u16 fcw, fsw;
	u8 ftw, reserved0;
	u16 fop;
	u64 fip, fdp;
	u32 mxcsr, mxcsr_mask;
	u8 registers[480];
	u64 xstate_bv, xcomp_bv;	/* XSAVE header; absent with FXSAVE */
	u64 header_reserved[6];
};
_Static_assert(sizeof(struct fpu_area) == LEGACY_SIZE + HEADER_SIZE, "XSAVE area");

static u64 xcr0 __ro_after_init;		/* 0: FXSAVE */
static u32 area_size __ro_after_init;
static u32 mxcsr_mask __ro_after_init;

static void set_xcr0(void)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((u32)xcr0), "d"((u32)(xcr0 >> 32)));
}

/* Finds out the features; the size needs CR4.OSXSAVE and XCR0, set here for the boot CPU ahead of fpu_init_cpu. */
void __init fpu_init_boot(void)
{
	struct fpu_area probe __aligned(64) = { 0 };

	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
	write_cr0(read_cr0() & ~(CR0_EM | CR0_TS));
	__asm__ volatile("fxsave64 %0" : "=m"(probe));
	mxcsr_mask = probe.mxcsr_mask ? probe.mxcsr_mask : 0xffbf;
	area_size = LEGACY_SIZE;
	if (!cpu_features.xsave || cpu_features.max_leaf < 0xd)
		return;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	xcr0 = cpuid(0xd, 0).a & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512);
	if ((xcr0 & XCR0_AVX512) != XCR0_AVX512 || !(xcr0 & XCR0_AVX))
		xcr0 &= ~XCR0_AVX512;
	set_xcr0();
	area_size = cpuid(0xd, 0).b;
}

void fpu_init_cpu(void)
{
	u32 mxcsr = MXCSR_DEFAULT;

	if (xcr0)
		set_xcr0();
	__asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
}

size_t fpu_area_size(void)
{
	return ALIGN_UP((size_t)area_size, 64);
}

void fpu_area_init(struct fpu_area *fpu)
{
	__memset(fpu, 0, area_size);
	fpu->fcw = FCW_DEFAULT;
	fpu->mxcsr = MXCSR_DEFAULT;
}

/* The assembly's operands stand for the whole area by the memory clobber. */
static void save_standard(struct fpu_area *fpu)
{
	if (xcr0)
		__asm__ volatile("xsave64 (%0)" : : "r"(fpu), "a"(~0u), "d"(~0u) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(fpu) : "memory");
}

void fpu_save(struct fpu_area *fpu)
{
	if (cpu_features.xsaveopt)
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(fpu), "a"(~0u), "d"(~0u) : "memory");
	else
		save_standard(fpu);
}

void fpu_restore(const struct fpu_area *fpu)
{
	if (xcr0)
		__asm__ volatile("xrstor64 (%0)" : : "r"(fpu), "a"(~0u), "d"(~0u) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(fpu) : "memory");
}

u32 fpu_pending(u32 trap)
{
	u32 mxcsr;
	u16 status, control;

	if (trap == 19) {
		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		return mxcsr & ~(mxcsr >> 7) & 0x3f;
	}
	__asm__ volatile("fnstsw %0; fnstcw %1" : "=m"(status), "=m"(control));
	return (u32)status & ~(u32)control & 0x3f;
}

size_t fpu_state_size(void)
{
	return area_size;
}

u64 fpu_features(void)
{
	return xcr0 ? xcr0 : XCR0_X87 | XCR0_SSE;
}

void fpu_fork(struct task *child)
{
	struct task *t = current_task();

	if (!t->fpu || !child->fpu)
		return;
	irq_disable();
	save_standard(t->fpu);
	__memcpy(child->fpu, t->fpu, area_size);
	if (cpu_features.fsgsbase) {
		t->fs_base = cpu_fs_base();
		t->gs_base = cpu_user_gs_base();
	}
	child->fs_base = t->fs_base;
	child->gs_base = t->gs_base;
	irq_enable();
}

void fpu_store(void *buf)
{
	struct task *t = current_task();

	preempt_disable();
	save_standard(t->fpu);
	preempt_enable();
	/* A switch in between saves the same values. */
	memcpy(buf, t->fpu, area_size);
}

static int check(const struct fpu_area *f, size_t size)
{
	if (f->mxcsr & ~mxcsr_mask)
		return -EINVAL;
	if (!xcr0 || size == LEGACY_SIZE)
		return 0;
	if (f->xstate_bv & ~xcr0 || f->xcomp_bv)
		return -EINVAL;
	for (u32 i = 0; i < ARRAY_SIZE(f->header_reserved); i++)
		if (f->header_reserved[i])
			return -EINVAL;
	return 0;
}

/* A buffer of just the legacy 512 bytes sets x87 and SSE and leaves the rest in its initial state. */
int fpu_load(const void *buf, size_t size)
{
	struct fpu_area head = { 0 };
	struct task *t = current_task();

	if (size != LEGACY_SIZE && size < area_size)
		return -EINVAL;
	memcpy(&head, buf, size == LEGACY_SIZE ? LEGACY_SIZE : min_t(size_t, sizeof(head), area_size));
	if (check(&head, size))
		return -EINVAL;
	preempt_disable();
	if (size == LEGACY_SIZE || !xcr0) {
		__memset(t->fpu, 0, area_size);
		memcpy(t->fpu, buf, LEGACY_SIZE);
		if (xcr0)
			t->fpu->xstate_bv = XCR0_X87 | XCR0_SSE;
	} else {
		memcpy(t->fpu, buf, area_size);
	}
	fpu_restore(t->fpu);
	preempt_enable();
	return 0;
}

void fpu_reset(void)
{
	struct task *t = current_task();

	preempt_disable();
	fpu_area_init(t->fpu);
	fpu_restore(t->fpu);
	preempt_enable();
}
