/* SPDX-License-Identifier: MPL-2.0 */
/* What proc/ asks of folders to its right; bound at link time. */
#ifndef PROC_POLICY_H
#define PROC_POLICY_H

#include <frame/ucopy.h>
#include <frame/user_regs.h>

struct file;
struct pid;
struct process;
struct thread;

/* Runs the call and stores its result in the register set. syscall/dispatch.c. */
void syscall_dispatch(struct user_regs *r);
/* A session leader exits (or gives its terminal up): the terminal loses its session, the foreground group is hung up. tty/job.c. Task context. */
void proc_policy_session_leader_exit(struct process *p);
/* Wakes one waiter on a futex word (CLONE_CHILD_CLEARTID). ipc/futex.c. Task context. */
void proc_policy_futex_wake(uaddr_t addr);
/* The current thread ends or execs: locks on its robust list are marked as left by a dead owner (get_robust_list(2)), and the priority-inheritance ones that somebody waits for
 * are handed on. is_end: it will own none any more. ipc/robust.c. Task context, the mm still there. */
void proc_policy_robust_exit(bool is_end);
/* Its own scheduling policy has changed: where it waits for a priority-inheritance futex its place and what it lends change, too. ipc/pi.c. Task context. */
void proc_policy_pi_adjust(struct thread *t);

/* The process that an open directory /proc/PID is about, referenced; NULL: it is none. fs/proc/. */
struct pid *proc_policy_pid_of_dir(const struct file *f);

/* /proc/sys/kernel/keel_trace: the tracer's setting. syscall/trace.c. */
__must_check int proc_policy_trace_set(const char *what);
void proc_policy_trace_get(char *buf, size_t max);

#endif
