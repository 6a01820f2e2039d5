/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The frame, from the stack pointer up: return address (the action's restorer), ucontext, siginfo, and above that, 64-byte aligned, the FPU state in the
 * processor's standard XSAVE format with Linux's marks in its software-reserved bytes.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include <frame/task.h>
#include <frame/ucopy.h>
#include <frame/user.h>
#include "abi/x86_64/sigframe.h"

#define USER_CS 0x33
#define USER_SS 0x2b
#define RFLAGS_DF (1u << 10)
#define RFLAGS_TF (1u << 8)
#define RFLAGS_RF (1u << 16)
/* What sigreturn may set: CF PF AF ZF SF TF DF OF RF AC. */
#define RFLAGS_USER 0x50dd5u
#define UC_FLAGS 7		/* UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS */
#define SW_RESERVED 464		/* offset of struct _fpx_sw_bytes in the FXSAVE area */

struct sigcontext_abi {
	u64 r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags;
	u16 cs, gs, fs, ss;
	u64 err, trapno, oldmask, cr2, fpstate, reserved[8];
};
_Static_assert(sizeof(struct sigcontext_abi) == sizeof(struct sigcontext), "struct sigcontext");

struct ucontext_abi {
	u64 uc_flags, uc_link;
	struct stack_abi uc_stack;
	struct sigcontext_abi uc_mcontext;
	u64 uc_sigmask;
};

struct rt_sigframe {
	u64 return_address;
	struct ucontext_abi uc;
	siginfo_t info;
};

static void fill_context(struct sigcontext_abi *c, const struct user_regs *r, const struct sigframe_request *rq)
{
	*c = (struct sigcontext_abi){
		.r8 = r->r8, .r9 = r->r9, .r10 = r->r10, .r11 = r->r11, .r12 = r->r12, .r13 = r->r13, .r14 = r->r14, .r15 = r->r15,
		.di = r->rdi, .si = r->rsi, .bp = r->rbp, .bx = r->rbx, .dx = r->rdx, .ax = r->rax, .cx = r->rcx, .sp = r->rsp, .ip = r->rip,
		.flags = r->rflags, .cs = (u16)r->cs, .ss = (u16)r->ss, .err = rq->error_code, .trapno = rq->trap_number,
		.oldmask = rq->mask, .cr2 = rq->fault_addr,
	};
}

static void restore_context(struct user_regs *r, const struct sigcontext_abi *c)
{
	u64 keep = r->rflags & ~(u64)RFLAGS_USER;

	*r = (struct user_regs){
		.r8 = c->r8, .r9 = c->r9, .r10 = c->r10, .r11 = c->r11, .r12 = c->r12, .r13 = c->r13, .r14 = c->r14, .r15 = c->r15,
		.rdi = c->di, .rsi = c->si, .rbp = c->bp, .rbx = c->bx, .rdx = c->dx, .rax = c->ax, .rcx = c->cx, .rsp = c->sp, .rip = c->ip,
		.rflags = keep | (c->flags & RFLAGS_USER), .cs = USER_CS, .ss = USER_SS, .orig_rax = ~0ull,
	};
}

/* Marks the FPU image as Linux does, so that debuggers and user code can tell its extent. */
static void mark_fpu(u8 *fpu, u64 size)
{
	struct _fpx_sw_bytes sw = {
		.magic1 = FP_XSTATE_MAGIC1, .extended_size = (u32)size + FP_XSTATE_MAGIC2_SIZE, .xfeatures = fpu_features(), .xstate_size = (u32)size,
	};

	memcpy(fpu + SW_RESERVED, &sw, sizeof(sw));
	put_le32(fpu + size, FP_XSTATE_MAGIC2);
}

static bool put(u64 to, const void *from, size_t n)
{
	return ucopy_to(current_task()->uspace, uaddr(to), from, n) == 0;
}

static bool get(void *to, u64 from, size_t n)
{
	return ucopy_from(current_task()->uspace, to, uaddr(from), n) == 0;
}

size_t sigframe_fpu_size(void)
{
	return fpu_state_size() + FP_XSTATE_MAGIC2_SIZE;
}

int sigframe_push(const struct sigframe_request *rq, u64 limit)
{
	struct user_regs *r = current_task()->regs;
	u64 size = fpu_state_size();
	u64 fpu_at = ALIGN_DOWN(rq->sp - sigframe_fpu_size(), 64);
	u64 at = ALIGN_DOWN(fpu_at - sizeof(struct rt_sigframe), 16) - 8;
	struct rt_sigframe f = { .return_address = rq->restorer, .info = rq->info };

	if (at < limit || at > rq->sp || !(rq->flags & SA_RESTORER))
		return -EFAULT;
	fpu_store(rq->fpu);
	mark_fpu(rq->fpu, size);
	f.uc.uc_flags = UC_FLAGS;
	f.uc.uc_stack = rq->stack;
	fill_context(&f.uc.uc_mcontext, r, rq);
	f.uc.uc_mcontext.fpstate = fpu_at;
	f.uc.uc_sigmask = rq->mask;
	if (!put(fpu_at, rq->fpu, sigframe_fpu_size()) || !put(at, &f, sizeof(f)))
		return -EFAULT;
	r->rdi = rq->sig;
	r->rsi = at + offsetof(struct rt_sigframe, info);
	r->rdx = at + offsetof(struct rt_sigframe, uc);
	r->rax = 0;
	r->rsp = at;
	r->rip = rq->handler;
	r->cs = USER_CS;
	r->ss = USER_SS;
	r->rflags &= ~(u64)(RFLAGS_DF | RFLAGS_TF | RFLAGS_RF);
	r->orig_rax = ~0ull;
	fpu_reset();
	return 0;
}

int sigframe_pop(void *fpu, u64 *mask, struct stack_abi *stack)
{
	struct user_regs *r = current_task()->regs;
	struct ucontext_abi uc;
	u64 size = fpu_state_size();
	int err;

	/* The handler's RET popped the return address. */
	if (!get(&uc, r->rsp - sizeof(u64) + offsetof(struct rt_sigframe, uc), sizeof(uc)))
		return -EFAULT;
	if (uc.uc_mcontext.fpstate) {
		if (!get(fpu, uc.uc_mcontext.fpstate, size))
			return -EFAULT;
		err = fpu_load(fpu, size);
		if (err)
			return err;
	} else {
		fpu_reset();
	}
	restore_context(r, &uc.uc_mcontext);
	*mask = uc.uc_sigmask;
	*stack = uc.uc_stack;
	return 0;
}
