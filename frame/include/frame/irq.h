/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Interrupt lines and soft work.
 *
 * Hard handlers run with interrupts disabled on an interrupt stack: acknowledge the device, queue, raise soft work. Soft work runs
 * at the outermost interrupt exit or soft_enable, interrupts on, preemption off, at most 64 items; then the CPU's soft thread goes on.
 */
#ifndef FRAME_IRQ_H
#define FRAME_IRQ_H

#include <lib/types.h>

/* Registers a handler of line `gsi` (global system interrupt, ISA lines 0-15 as overridden by the MADT). The handler returns whether it was its device.
 * Several may share a line. -EINVAL no such line, -EBUSY the frame's own, -ENOMEM. Task context. */
__must_check int irq_attach(u32 gsi, bool (*handler)(void *arg), void *arg, const char *name);
/* No handler of this registration runs any more on return. Task context. */
void irq_detach(u32 gsi, void *arg);
/* Counts of line `gsi` on a CPU (for /proc/interrupts); name gets the first handler's. False beyond the last line. */
bool irq_stat(u32 gsi, u32 cpu, u64 *count, const char **name);

enum soft_kind { SOFT_TIMER, SOFT_NET_TX, SOFT_NET_RX, SOFT_BLOCK, SOFT_TTY, SOFT_RCU, SOFT_SCHED, SOFT_LOG, SOFT_TEST /* ktest */, SOFT_KINDS };

/* One handler a kind, before it is first raised. It does one bounded item and returns whether more remains. Soft context. */
void soft_register(enum soft_kind kind, bool (*handler)(void));
/* Asks for it on this CPU. Any context. */
void soft_raise(enum soft_kind kind);
/* One bounded round from the soft thread (task context). True if more remains. */
bool soft_run_some(void);

#endif
