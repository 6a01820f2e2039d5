/* SPDX-License-Identifier: MPL-2.0 */
/* Resource limits, getrlimit(2): sixteen pairs a process, inherited by fork, kept over execve. Enforced where the resources are. */
#include <lib/errno.h>
#include "abi/process.h"
#include "abi/signal.h"
#include "fs/vfs.h"
#include "mm/policy.h"
#include "proc/internal.h"

#define MIB (1ull << 20)

/* What Linux 6.1's init starts with. */
void limits_init_defaults(struct rlimit_k limits[RLIMIT_COUNT])
{
	u64 threads = thread_limit() / 2;

	for (u32 i = 0; i < RLIMIT_COUNT; i++)
		limits[i] = (struct rlimit_k){ RLIM_UNLIMITED, RLIM_UNLIMITED };
	limits[KRLIMIT_STACK].soft = 8 * MIB;
	limits[KRLIMIT_CORE].soft = 0;
	limits[KRLIMIT_NPROC] = limits[KRLIMIT_SIGPENDING] = (struct rlimit_k){ threads, threads };
	limits[KRLIMIT_NOFILE] = (struct rlimit_k){ 1024, 4096 };
	limits[KRLIMIT_MEMLOCK] = (struct rlimit_k){ 8 * MIB, 8 * MIB };
	limits[KRLIMIT_MSGQUEUE] = (struct rlimit_k){ 819200, 819200 };
	limits[KRLIMIT_NICE] = limits[KRLIMIT_RTPRIO] = (struct rlimit_k){ 0, 0 };
}

u64 rlimit_current(u32 which)
{
	return current_actor()->is_kthread ? RLIM_UNLIMITED : READ_ONCE(current_process()->limits[which].soft);
}

/* prlimit(2): all of the target's user and group ids must be the caller's real ones, or CAP_SYS_RESOURCE. */
int may_prlimit(const struct thread *t)
{
	const struct cred *me = current_cred(), *it;
	bool ok;

	if (t->process == current_process())
		return 0;
	it = cred_get_of(&t->sched.actor);
	ok = (kuid_eq(me->uid, it->euid) && kuid_eq(me->uid, it->suid) && kuid_eq(me->uid, it->uid) && kgid_eq(me->gid, it->egid) &&
	      kgid_eq(me->gid, it->sgid) && kgid_eq(me->gid, it->gid)) || capable(it->ns, CAP_SYS_RESOURCE);
	cred_put(it);
	return ok ? 0 : -EPERM;
}

static int check_new(const struct process *p, u32 which, const struct rlimit_k *new)
{
	if (new->soft > new->hard)
		return -EINVAL;
	if (which == KRLIMIT_NOFILE && new->hard > READ_ONCE(fs_tunables.nr_open))
		return -EPERM;
	if (new->hard > p->limits[which].hard && !capable(&init_user_ns, CAP_SYS_RESOURCE))
		return -EPERM;
	return 0;
}

int process_rlimit(struct process *p, u32 which, const struct rlimit_k *new, struct rlimit_k *old)
{
	int err = 0;

	if (which >= RLIMIT_COUNT)
		return -EINVAL;
	spin_lock_soft(&p->lock);
	if (new)
		err = check_new(p, which, new);
	if (!err && old)
		*old = p->limits[which];
	if (!err && new) {
		WRITE_ONCE(p->limits[which].soft, new->soft);
		WRITE_ONCE(p->limits[which].hard, new->hard);
		if (which == KRLIMIT_CPU)
			p->cpu_limit_next_ns = 0;
	}
	spin_unlock_soft(&p->lock);
	if (!err && new && which == KRLIMIT_CPU)
		cpu_timers_arm(p);
	return err;
}

/* --- for the folders to the left */

void mm_policy_limits(struct mm_limits *out)
{
	*out = (struct mm_limits){
		.as_bytes = rlimit_current(KRLIMIT_AS), .data_bytes = rlimit_current(KRLIMIT_DATA), .stack_bytes = rlimit_current(KRLIMIT_STACK),
		.memlock_bytes = rlimit_current(KRLIMIT_MEMLOCK), .can_lock = capable(&init_user_ns, CAP_IPC_LOCK),
	};
}

u64 fd_limit(void)
{
	return rlimit_current(KRLIMIT_NOFILE);
}

u64 fs_policy_file_size_limit(void)
{
	return rlimit_current(KRLIMIT_FSIZE);
}
