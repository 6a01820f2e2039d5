/* SPDX-License-Identifier: MPL-2.0 */
/* /proc/PID/stat, statm, status (proc(5)). */
#include "abi/process.h"
#include "fs/fdtable.h"
#include "fs/proc/internal.h"
#include "object/pid_ns.h"
#include "proc/inspect.h"
#include "proc/pgrp.h"
#include "tty/tty.h"

#define KB(pages) ((pages) * (PAGE_SIZE / 1024))

struct masks {
	sigset_k pending, shared, blocked, ignored, caught;
};

static void read_masks(const struct thread *t, struct masks *m)
{
	struct signal_group *g = &t->process->signal;

	*m = (struct masks){ 0 };
	SPIN_GUARD_SOFT(&g->lock);
	m->pending = t->signal.pending.set;
	m->shared = g->shared.set;
	m->blocked = t->signal.blocked;
	if (!g->hand)
		return;
	SPIN_GUARD_SOFT(&g->hand->lock);
	for (u32 i = 1; i <= SIG_COUNT; i++) {
		u64 h = g->hand->action[i - 1].handler;

		if (h == 1)
			m->ignored |= sig_bit(i);
		else if (h)
			m->caught |= sig_bit(i);
	}
}

/* A process's figures are its threads' together, a task's its own. */
static void read_usage(const struct proc_subject *s, struct cpu_usage *u)
{
	if (s->is_process)
		process_usage(s->thread->process, u);
	else
		thread_usage(s->thread, u);
}

static u64 resident(const struct mm *mm)
{
	return READ_ONCE(mm->rss_anon) + READ_ONCE(mm->rss_file) + READ_ONCE(mm->rss_shmem);
}

int proc_show_stat(struct proc_text *t, const struct proc_subject *s)
{
	struct thread *th = s->thread;
	struct process *p = th->process;
	struct cpu_usage u, children = p->waited_children;
	struct mm *mm = proc_mm(s);
	bool can_see = may_ptrace_read(th) == 0;
	struct masks m;
	s32 foreground;
	u32 tty = tty_number_of(p, &foreground);

	read_masks(th, &m);
	read_usage(s, &u);
	pt_add(t, "%d (%s) %c %d %d %d %u %d %u ", thread_tid(th), th->sched.comm, sched_state_letter(th), process_ppid(p), process_pgid(p), process_sid(p), tty,
	       foreground, mm ? 0x400000u : 0x404000u);
	pt_add(t, "%lu %lu %lu %lu %lu %lu %ld %ld ", u.min_faults, children.min_faults, u.maj_faults, children.maj_faults, u.user_ns / NS_PER_TICK,
	       u.system_ns / NS_PER_TICK, (s64)(children.user_ns / NS_PER_TICK), (s64)(children.system_ns / NS_PER_TICK));
	pt_add(t, "%d %d %u 0 %lu %lu %lu %lu ", th->sched.rt_priority ? -1 - th->sched.rt_priority : 20 + th->sched.nice, th->sched.nice, process_thread_count(p),
	       th->sched.start_ns / NS_PER_TICK, mm ? READ_ONCE(mm->total_pages) * PAGE_SIZE : 0, mm ? resident(mm) : 0, process_limit(p, KRLIMIT_RSS));
	if (mm && can_see)
		pt_add(t, "%lu %lu %lu 0 0 ", mm->start_code, mm->end_code, mm->start_stack);
	else
		pt_add(t, "%u %u 0 0 0 ", mm ? 1u : 0u, mm ? 1u : 0u);
	pt_add(t, "%lu %lu %lu %lu 0 0 0 %d %u %u %u 0 0 0 ", m.pending & 0x7fffffff, m.blocked & 0x7fffffff, m.ignored & 0x7fffffff, m.caught & 0x7fffffff,
	       p->exit_signal, th->sched.cpu, (u32)th->sched.own_rt_priority, (u32)th->sched.own_policy);
	if (mm && can_see)
		pt_add(t, "%lu %lu %lu %lu %lu %lu %lu %d\n", mm->start_data, mm->end_data, mm->start_brk, mm->arg_start, mm->arg_end, mm->env_start, mm->env_end,
		       p->is_zombie ? p->exit_status : 0);
	else
		pt_add(t, "0 0 0 0 0 0 0 %d\n", can_see && p->is_zombie ? p->exit_status : 0);
	if (mm)
		mm_put(mm);
	return 0;
}

int proc_show_statm(struct proc_text *t, const struct proc_subject *s)
{
	struct mm *mm = proc_mm(s);

	if (!mm) {
		pt_add(t, "0 0 0 0 0 0 0\n");
		return 0;
	}
	pt_add(t, "%lu %lu %lu %lu 0 %lu 0\n", READ_ONCE(mm->total_pages), resident(mm), READ_ONCE(mm->rss_file) + READ_ONCE(mm->rss_shmem),
	       (ALIGN_UP(mm->end_code, PAGE_SIZE) - ALIGN_DOWN(mm->start_code, PAGE_SIZE)) / PAGE_SIZE, READ_ONCE(mm->data_pages) + READ_ONCE(mm->stack_pages));
	mm_put(mm);
	return 0;
}

/* --- status */

static const char *state_name(char letter)
{
	switch (letter) {
	case 'R':
		return "R (running)";
	case 'S':
		return "S (sleeping)";
	case 'D':
		return "D (disk sleep)";
	case 'T':
		return "T (stopped)";
	case 't':
		return "t (tracing stop)";
	case 'Z':
		return "Z (zombie)";
	default:
		return "X (dead)";
	}
}

static void show_memory(struct proc_text *t, struct mm *mm)
{
	u64 exec = mm->exec_pages, file = READ_ONCE(mm->rss_file), shmem = READ_ONCE(mm->rss_shmem), anon = READ_ONCE(mm->rss_anon);
	u64 text = (ALIGN_UP(mm->end_code, PAGE_SIZE) - ALIGN_DOWN(mm->start_code, PAGE_SIZE)) / PAGE_SIZE;

	pt_add(t, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8lu kB\n", KB(max(mm->peak_pages, mm->total_pages)), KB(mm->total_pages),
	       KB(mm->locked_pages), 0ul);
	pt_add(t, "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nRssFile:\t%8lu kB\nRssShmem:\t%8lu kB\n", KB(max(READ_ONCE(mm->rss_peak), anon + file + shmem)),
	       KB(anon + file + shmem), KB(anon), KB(file), KB(shmem));
	pt_add(t, "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\nVmLib:\t%8lu kB\nVmPTE:\t%8lu kB\nVmSwap:\t%8lu kB\n", KB(mm->data_pages), KB(mm->stack_pages),
	       KB(text), KB(exec > text ? exec - text : 0), KB(READ_ONCE(mm->us.table_pages)), 0ul);
}

static void show_ids(struct proc_text *t, const struct thread *th)
{
	const struct cred *c = cred_get_of(&th->sched.actor);

	pt_add(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->uid.v, c->euid.v, c->suid.v, c->fsuid.v, c->gid.v, c->egid.v, c->sgid.v, c->fsgid.v);
	pt_add(t, "FDSize:\t%u\nGroups:\t", thread_fd_capacity((struct thread *)th));
	for (u32 i = 0; i < c->groups->n; i++)
		pt_add(t, "%u ", c->groups->gid[i].v);
	pt_add(t, "\n");
	cred_put(c);
}

static void show_capabilities(struct proc_text *t, const struct thread *th)
{
	const struct cred *c = cred_get_of(&th->sched.actor);

	pt_add(t, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%016lx\nNoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", c->inheritable,
	       c->permitted, c->effective, c->bounding, c->ambient, c->no_new_privs);
	cred_put(c);
}

static void show_cpus(struct proc_text *t, const struct cpuset *allowed)
{
	const char *separator = "";

	pt_add(t, "Cpus_allowed:\t%lx\nCpus_allowed_list:\t", allowed->bits[0]);
	for (u32 cpu = 0; cpu < FRAME_MAX_CPUS; cpu++) {
		u32 first = cpu;

		if (!cpuset_has(allowed, cpu))
			continue;
		while (cpu + 1 < FRAME_MAX_CPUS && cpuset_has(allowed, cpu + 1))
			cpu++;
		pt_add(t, first == cpu ? "%s%u" : "%s%u-%u", separator, first, cpu);
		separator = ",";
	}
	pt_add(t, "\n");
}

int proc_show_status(struct proc_text *t, const struct proc_subject *s)
{
	struct thread *th = s->thread;
	struct process *p = th->process;
	struct mm *mm = proc_mm(s);
	struct masks m;

	read_masks(th, &m);
	pt_add(t, "Name:\t");
	pt_escaped(t, th->sched.comm, "\n\\");
	pt_add(t, "\nUmask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", thread_umask(th), state_name(sched_state_letter(th)),
	       process_tgid(p), thread_tid(th), process_ppid(p));
	show_ids(t, th);
	pt_add(t, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", process_tgid(p), thread_tid(th), process_pgid(p), process_sid(p));
	if (mm) {
		show_memory(t, mm);
		mm_put(mm);
	}
	pt_add(t, "Threads:\t%u\nSigQ:\t%lu/%lu\nSigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", process_thread_count(p),
	       READ_ONCE(p->signal.n_queued), process_limit(p, KRLIMIT_SIGPENDING), m.pending, m.shared, m.blocked, m.ignored, m.caught);
	show_capabilities(t, th);
	show_cpus(t, &th->sched.affinity);
	pt_add(t, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n", th->sched.n_voluntary, th->sched.n_involuntary);
	return 0;
}
