/* SPDX-License-Identifier: MPL-2.0 */
/* What signal/ asks of proc/; bound at link time. */
#ifndef SIGNAL_POLICY_H
#define SIGNAL_POLICY_H

#include "signal/signal.h"

/* The signal_thread of the current thread. */
struct signal_thread *signal_current(void);
/* Ends the current thread (the whole group is exiting with g->exit_code). */
__noreturn void signal_policy_die(void);
/* The group stopped (wait status of the stop) or continued: tell the parent (SIGCHLD by its SA_NOCLDSTOP) and wake its waiters. Called without locks. */
void signal_policy_notify_parent(struct signal_group *g, bool is_stop);
/* May another queued signal be charged to this user (RLIMIT_SIGPENDING)? true: charged. */
bool signal_policy_charge(struct signal_group *g);
void signal_policy_uncharge(struct signal_group *g);
/* Is the group's process group orphaned (SIGTSTP, SIGTTIN, SIGTTOU then do not stop)? */
bool signal_policy_is_orphaned(struct signal_group *g);
/* The current thread is about to run a handler: what its frame is to show of the registers may change (rseq(2)). Not 0: it gets SIGSEGV instead. */
__must_check int signal_policy_before_handler(void);
/* A restart block of the current thread is to be run: result of the restarted call. */
s64 signal_policy_restart(void);

#endif
