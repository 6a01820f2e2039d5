/* SPDX-License-Identifier: MPL-2.0 */
/* What threads and processes have used: getrusage(2), times(2), wait4(2). Times are the frame's stamps at each entry to and exit from user mode. */
#include "proc/internal.h"

void usage_add(struct cpu_usage *to, const struct cpu_usage *from)
{
	to->user_ns += from->user_ns;
	to->system_ns += from->system_ns;
	to->min_faults += from->min_faults;
	to->maj_faults += from->maj_faults;
	to->n_voluntary += from->n_voluntary;
	to->n_involuntary += from->n_involuntary;
	to->in_blocks += from->in_blocks;
	to->out_blocks += from->out_blocks;
	to->max_rss_pages = max(to->max_rss_pages, from->max_rss_pages);
}

void thread_usage(const struct thread *t, struct cpu_usage *out)
{
	*out = (struct cpu_usage){
		.min_faults = READ_ONCE(t->min_faults), .maj_faults = READ_ONCE(t->maj_faults),
		.n_voluntary = READ_ONCE(t->sched.n_voluntary), .n_involuntary = READ_ONCE(t->sched.n_involuntary),
	};
	task_times(&t->sched.actor.task, &out->user_ns, &out->system_ns);
}

/* The address space's peak; mm changes under process->lock, which is held. */
static u64 peak_rss(const struct thread *t)
{
	return t->sched.actor.mm ? READ_ONCE(t->sched.actor.mm->rss_peak) : 0;
}

void process_usage(struct process *p, struct cpu_usage *out)
{
	struct cpu_usage one;
	struct thread *t;

	SPIN_GUARD_SOFT(&p->lock);
	*out = p->dead_threads;
	rcu_read_lock();
	list_for_each_entry_rcu(t, &p->threads, process_node) {
		if (t->is_dead)
			continue;
		thread_usage(t, &one);
		one.max_rss_pages = peak_rss(t);
		usage_add(out, &one);
	}
	rcu_read_unlock();
}

void process_children_usage(struct process *p, struct cpu_usage *out)
{
	SPIN_GUARD_SOFT(&p->lock);
	*out = p->waited_children;
}

void process_cpu_time(struct process *p, u64 *user_ns, u64 *system_ns)
{
	struct cpu_usage u;

	process_usage(p, &u);
	*user_ns = u.user_ns;
	*system_ns = u.system_ns;
}
