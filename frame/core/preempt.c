/* SPDX-License-Identifier: MPL-2.0 */
/* The rare ends of preempt_enable, spin_lock and their like. */
#include <frame/policy.h>
#include <frame/preempt.h>
#include <frame/spinlock.h>
#include <frame/core/internal.h>

/*
 * The scheduler itself enables interrupts and drops locks on its way out, and each interrupt's exit may ask again: is_preempting keeps
 * all that from nesting on one stack. Whoever finds it set leaves the work to the loop below, which looks again after clearing it.
 */
void preempt_reschedule(void)
{
	struct task *t = current_task();

	if (t->is_preempting)
		return;
	do {
		WRITE_ONCE(t->is_preempting, true);
		policy_reschedule();
		WRITE_ONCE(t->is_preempting, false);
	} while (preempt_resched_wanted());
}

/* Reads until it looks free, so that the line stays shared meanwhile. */
void spin_contended(struct spin_word *w)
{
	do {
		while (spin_word_held(w))
			arch_relax();
	} while (!spin_word_try(w));
}
