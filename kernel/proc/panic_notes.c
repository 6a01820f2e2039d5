/* SPDX-License-Identifier: MPL-2.0 */
/* What a panic says of the program that was running. */
#include <frame/policy.h>
#include "proc/internal.h"

void policy_panic_notes(void)
{
	if (sched_in_idle())
		klog(LOG_EMERG, "running: idle");
	else if (current_actor()->is_kthread)
		klog(LOG_EMERG, "running: kernel thread %s", current_sched()->comm);
	else
		klog(LOG_EMERG, "running: %s[%d] of process %d", current_sched()->comm, thread_tid(current_thread()), process_tgid(current_process()));
}
