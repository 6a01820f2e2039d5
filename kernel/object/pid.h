/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Process identity is an object, not a number: a struct pid carries one number a PID-namespace level and the lists of those who use it
 * as thread id, process id, process group or session. Numbers are translated at the boundary, in the reader's namespace.
 * Look-up by number is under RCU and takes no lock.
 */
#ifndef OBJECT_PID_H
#define OBJECT_PID_H

#include <lib/types.h>
#include <lib/list.h>
#include <frame/rcu.h>
#include <frame/spinlock.h>
#include "object/ref.h"

#define PID_MAX_LEVELS 32
#define PID_LIMIT 4194304		/* PID_MAX_LIMIT of proc(5) */

enum pid_type { PID_TID, PID_TGID, PID_PGID, PID_SID, PID_TYPES };

struct pid_ns;
struct tty;
struct pid_watch;
extern struct pid_ns init_pid_ns;

void pid_init(void);

struct pid_number {
	s32 nr;
	struct pid_ns *ns;
};

struct pid {
	struct ref refs;
	struct rcu_head rcu;
	u32 level;
	struct spinlock_soft lock;		/* guards users[] */
	struct list users[PID_TYPES];		/* [lock] PID_TID: threads; others: processes, by their pid_link */
	struct tty *session_tty;		/* [a, tty/'s job lock] controlling terminal of the session this is the id of */
	struct pid_watch *watch;		/* [lock] its pidfds (proc/pidfd.c); NULL: there are none */
	struct pid_number numbers[];		/* level+1 of them */
};

/* A free number in each level of `ns`; wanted[] (may be NULL) asks for particular ones (clone3 set_tid). -EAGAIN none free (limit), -EEXIST, -ENOMEM */
__must_check int pid_create(struct pid_ns *ns, const s32 *wanted, size_t n_wanted, struct pid **out);
struct pid *pid_get(struct pid *p);
void pid_put(struct pid *p);
void pid_abandon(struct pid *p);		/* created but never used: frees the numbers and the reference */
void pid_attach(struct pid *p, enum pid_type type, struct list *link);	/* `link` becomes a user; the caller keeps its reference */
void pid_detach(struct pid *p, struct list *link);	/* no user any more; the numbers become free with the last user of any type */
struct pid *pid_find(struct pid_ns *ns, s32 nr);	/* under rcu_read_lock; NULL: none */
struct pid *pid_find_get(struct pid_ns *ns, s32 nr);	/* referenced */
s32 pid_nr(const struct pid *p, const struct pid_ns *ns);	/* 0 if not visible there */
struct pid *pid_next(struct pid_ns *ns, s32 from);	/* first with number ≥ from, referenced; for /proc */
s32 pid_last(struct pid_ns *ns);		/* most recently given number (loadavg) */
s32 pid_max_get(void);
__must_check int pid_max_set(s32 max);		/* /proc/sys/kernel/pid_max: -EINVAL */

#endif
