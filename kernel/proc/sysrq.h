/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the system is doing, told to the kernel log on request: a break on the serial console and a letter, or a letter written to /proc/sysrq-trigger (proc(5)).
 * t: all threads; w: the blocked ones; m: memory; b: reboots and o: powers off at once, with nothing written back; c: panics. Every other letter gets the line that
 * lists these.
 */
#ifndef PROC_SYSRQ_H
#define PROC_SYSRQ_H

#include <lib/types.h>

/* /proc/sys/kernel/sysrq: what may be asked for at the console: 1 all, 0 nothing, else bits: 8 dumps and crashes, 128 power off and reboot. Plain loads and stores. */
extern u32 sysrq_allowed;

void sysrq_run(u8 letter);		/* task context */
void sysrq_request(u8 letter);		/* soon, by a kernel thread; dropped if one is under way. Any context but hard */

#endif
