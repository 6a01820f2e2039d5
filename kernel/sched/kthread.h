/* SPDX-License-Identifier: MPL-2.0 */
/* Kernel threads. fn(arg) may return: the thread then ends. */
#ifndef SCHED_KTHREAD_H
#define SCHED_KTHREAD_H

#include "sched/sched.h"

struct kthread;

/* Creates and starts one. cpu ≥ 0: bound to that CPU. *out (may be NULL) must be given to kthread_join sometime. -ENOMEM */
__must_check int kthread_create(struct kthread **out, void (*fn)(void *arg), void *arg, s32 cpu, const char *name);
void kthread_join(struct kthread *k);		/* waits until it has ended; frees it */
void kthread_ask_stop(struct kthread *k);	/* kthread_should_stop becomes true for it, and it is woken */
bool kthread_should_stop(void);
void kthread_wake(struct kthread *k);

#endif
