/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Out of memory: the process whose death gives most back is killed (proc(5), /proc/PID/oom_score). Its memory in pages, page tables included, plus
 * oom_score_adj thousandths of all memory; −1000 means never, and init never.
 *
 * One victim at a time: until the last one is a zombie (its memory is free then, and not before), who comes waits for it. If that takes long its anonymous pages are
 * dropped by the kernel thread of deferred work, for it may be asleep in the kernel; after five seconds it is given up. oom_lock guards the victim.
 */
#include <frame/clock.h>
#include "mm/alloc.h"
#include "mm/policy.h"
#include "proc/internal.h"
#include "proc/oom.h"

#define REAP_AFTER_NS (100 * NSEC_PER_MSEC)
#define NEVER S64_MIN
#define GIVE_UP_AFTER_NS (5 * NSEC_PER_SEC)

static struct spinlock_soft oom_lock = SPINLOCK_INIT("oom");
static struct process *victim;		/* [oom_lock] referenced */
static u64 victim_since_ns;		/* [oom_lock] */
static struct deferred reap_note;
static bool is_reaping;			/* [a] reap_note is queued */

/* Some thread's address space, referenced; NULL: all have left it. */
static struct mm *mm_of(struct process *p)
{
	struct mm *mm = NULL;
	struct thread *t;

	SPIN_GUARD_SOFT(&p->lock);
	rcu_read_lock();
	list_for_each_entry_rcu(t, &p->threads, process_node) {
		if (t->sched.actor.mm) {
			mm = mm_get(t->sched.actor.mm);
			break;
		}
	}
	rcu_read_unlock();
	return mm;
}

static u64 pages_of(struct process *p)
{
	u64 pages = 0;
	struct thread *t;

	SPIN_GUARD_SOFT(&p->lock);
	rcu_read_lock();
	list_for_each_entry_rcu(t, &p->threads, process_node) {
		const struct mm *mm = t->sched.actor.mm;

		if (mm) {
			pages = READ_ONCE(mm->rss_anon) + READ_ONCE(mm->rss_file) + READ_ONCE(mm->rss_shmem) + READ_ONCE(mm->us.table_pages);
			break;
		}
	}
	rcu_read_unlock();
	return pages;
}

static u64 all_pages(void)
{
	struct mem_stat mem;

	mem_stat(&mem);
	return max(mem.total, 1ul);
}

/* In pages; NEVER: must not be killed, or has nothing to give. */
static s64 badness(struct process *p, u64 all)
{
	s32 adj = READ_ONCE(p->oom_score_adj);
	u64 pages = p->signal.is_init || adj <= -1000 || READ_ONCE(p->is_oom_done) ? 0 : pages_of(p);

	return pages ? (s64)pages + (s64)adj * (s64)(all / 1000) : NEVER;
}

u64 oom_score(struct process *p)
{
	u64 all = all_pages();
	s64 bad = badness(p, all);

	return bad == NEVER ? 0 : (u64)max((1000 + bad * 1000 / (s64)all) * 2 / 3, 0l);
}

static struct process *choose(void)
{
	struct process *p, *worst = NULL;
	u64 all = all_pages();
	s64 most = NEVER;

	for (s32 at = 1; (p = process_next(at)) != NULL;) {
		s64 bad = badness(p, all);

		at = process_tgid(p) + 1;
		if (bad > most) {
			if (worst)
				process_put(worst);
			worst = p;
			most = bad;
		} else {
			process_put(p);
		}
	}
	return worst;
}

/* In the kernel thread. */
static void reap(struct deferred *d)
{
	struct process *p;
	struct mm *mm;

	(void)d;
	spin_lock_soft(&oom_lock);
	p = victim;
	if (p)
		process_get(p);
	spin_unlock_soft(&oom_lock);
	if (p) {
		mm = mm_of(p);
		if (mm)
			mm_zap_for_oom(mm);
		mm_put(mm);
		process_put(p);
	}
	__atomic_store_n(&is_reaping, false, __ATOMIC_RELEASE);
}

/* True: the last victim is still on its way, wait for it. */
static bool is_waiting_locked(u64 now)
{
	if (!victim)
		return false;
	if (!READ_ONCE(victim->is_zombie) && now - victim_since_ns < GIVE_UP_AFTER_NS) {
		if (now - victim_since_ns > REAP_AFTER_NS && !__atomic_exchange_n(&is_reaping, true, __ATOMIC_ACQ_REL)) {
			reap_note.fn = reap;
			deferred_push(&reap_note);
		}
		return true;
	}
	WRITE_ONCE(victim->is_oom_done, true);
	process_put(victim);
	victim = NULL;
	return false;
}

static bool kill_somebody_locked(u64 now)
{
	struct process *p = choose();

	if (!p)
		return false;
	klog(LOG_ERR, "out of memory: killed process %d (%s), %lu kB, oom_score_adj %d", process_tgid(p), p->leader->sched.comm,
	     pages_of(p) * (PAGE_SIZE / 1024), p->oom_score_adj);
	victim = p;
	victim_since_ns = now;
	signal_kill_group(&p->signal, KSIGKILL);
	return true;
}

bool mm_policy_oom(void)
{
	u64 now = clock_now_ns();

	if (current_killed())
		return true;
	SPIN_GUARD_SOFT(&oom_lock);
	return is_waiting_locked(now) || kill_somebody_locked(now);
}

void oom_no_victim(void)
{
	struct process *p = current_process();

	if (p->signal.is_init)
		panic("out of memory: init cannot go on, and nobody else can be killed");
	klog(LOG_ERR, "out of memory: nobody can be killed, so process %d (%s), which needs some, ends", process_tgid(p), current_sched()->comm);
	signal_kill_group(&p->signal, KSIGKILL);
}
