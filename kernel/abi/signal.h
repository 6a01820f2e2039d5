/* SPDX-License-Identifier: MPL-2.0 */
/* sigaction(2), siginfo, signal frames: numbers and layouts; structs with pointers are mirrored. */
#ifndef ABI_SIGNAL_H
#define ABI_SIGNAL_H

#include <lib/types.h>
#include <linux/signal.h>
#include <asm/sigcontext.h>

struct kernel_sigaction_abi {	/* rt_sigaction(2) as the kernel takes it on x86-64 */
	u64 handler;
	u64 flags;
	u64 restorer;
	u64 mask;
};

struct stack_abi {		/* sigaltstack(2) */
	u64 ss_sp;
	s32 ss_flags;
	u32 pad;
	u64 ss_size;
};
_Static_assert(sizeof(struct stack_abi) == sizeof(stack_t), "stack_t");
_Static_assert(sizeof(siginfo_t) == 128, "siginfo_t");

struct sigevent_abi {		/* sigevent(7) */
	u64 value;
	s32 signo, notify;
	s32 tid;		/* SIGEV_THREAD_ID */
	u8 pad[44];
};
_Static_assert(sizeof(struct sigevent_abi) == sizeof(sigevent_t) && offsetof(struct sigevent_abi, notify) == offsetof(sigevent_t, sigev_notify), "sigevent_t");
_Static_assert(offsetof(struct sigevent_abi, tid) == offsetof(sigevent_t, sigev_notify_thread_id), "sigevent_t");

#endif
