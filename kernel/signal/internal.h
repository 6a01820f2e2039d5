/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of signal/ share. */
#ifndef SIGNAL_INTERNAL_H
#define SIGNAL_INTERNAL_H

#include "signal/signal.h"

struct sig_entry {
	struct rb_node node;
	u64 key;			/* signal << 48 | arrival */
	bool is_charged;
	struct signal_source *source;	/* [g] whose it is; NULL: freed when it is taken */
	struct sig_pending *queue;	/* [g] where a source's is queued */
	struct siginfo_k info;
};

#define SIGS_STOP	(sig_bit(KSIGSTOP) | sig_bit(KSIGTSTP) | sig_bit(KSIGTTIN) | sig_bit(KSIGTTOU))
#define SIGS_IGNORED_BY_DEFAULT	(sig_bit(KSIGCONT) | sig_bit(KSIGCHLD) | sig_bit(KSIGWINCH) | sig_bit(KSIGURG))
#define SIGS_UNBLOCKABLE	(sig_bit(KSIGKILL) | sig_bit(KSIGSTOP))
#define SIGS_SYNCHRONOUS	(sig_bit(KSIGSEGV) | sig_bit(KSIGBUS) | sig_bit(KSIGILL) | sig_bit(KSIGTRAP) | sig_bit(KSIGFPE) | sig_bit(KSIGSYS))

/* All with group->lock held. */
void sig_pending_init(struct sig_pending *p);
__must_check int sig_pending_add(struct signal_group *g, struct sig_pending *p, const struct siginfo_k *info);
void sig_pending_add_source(struct sig_pending *p, struct signal_source *s, const struct siginfo_k *info);
void sig_pending_discard(struct signal_group *g, struct sig_pending *p, sigset_k set);
/* Takes the most urgent signal of `set` that is pending: synchronous ones first, then by number, oldest first. 0: none. */
u32 sig_pending_take(struct signal_group *g, struct sig_pending *p, sigset_k set, struct siginfo_k *info);

struct sigaction_k sig_action_of(struct signal_group *g, u32 sig);
/* What the whole action says of this alone: one word, so no lock of the sighand. */
static inline u64 sig_handler_of(const struct signal_group *g, u32 sig)
{
	return READ_ONCE(g->hand->action[sig - 1].handler);
}
void signal_begin_group_exit_locked(struct signal_group *g, s32 wait_status);
/* Sets or clears TASK_WORK_SIGNAL of the current thread to fit what is pending. */
void signal_recalculate_locked(struct signal_thread *t);
/* Somebody else must take shared signals of `set` that `t` does not (any more). */
void signal_retarget_locked(struct signal_thread *t, sigset_k set);

/* --- signalfd.c */
void signalfd_notify_locked(struct signal_group *g, u32 sig);	/* sig has been queued for the group or a thread of it */
void signalfd_group_end(struct signal_group *g);		/* the group has no threads any more; its lock is not held but will be taken once more */

#endif
