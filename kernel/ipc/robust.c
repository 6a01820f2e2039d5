/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Robust futexes (get_robust_list(2), set_robust_list(2)): a thread that ends while it holds locks leaves them marked, and one waiter of each is woken.
 *
 * The list is user memory: it may be absent, circular, or be changed while it is read. The walk takes at most ROBUST_LIST_LIMIT steps and stops at the first bad address.
 */
#include "abi/process.h"
#include "ipc/pi.h"
#include "object/uaccess.h"
#include "proc/policy.h"
#include "proc/thread.h"
#include "sync/policy.h"

struct robust_head_abi {	/* struct robust_list_head of <linux/futex.h>, its pointers as addresses */
	u64 first;
	s64 futex_offset;
	u64 pending;
};
_Static_assert(sizeof(struct robust_head_abi) == sizeof(struct robust_list_head), "struct robust_list_head");

#define ENTRY_IS_PI 1ul		/* low bit of an entry: a priority-inheritance futex */

/* `entry` with the bit that says what kind it is. A pending one may have been unlocked a moment ago, its waiter not yet woken. */
static void mark_dead(u64 entry, u64 offset, u32 tid, bool is_pending)
{
	bool is_pi = (entry & ENTRY_IS_PI) != 0;
	u64 at = (entry & ~ENTRY_IS_PI) + offset;
	u32 value, seen;

	if (at % sizeof(u32) || uget(&value, uaddr(at), sizeof(value)))
		return;
	if (is_pending && !is_pi && !value)
		proc_policy_futex_wake(uaddr(at));
	while ((value & FUTEX_TID_MASK) == tid) {
		int err = ucopy_cmpxchg32(current_uspace(), uaddr(at), value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen);

		if (err && ucopy_prefault(current_uspace(), uaddr(at), sizeof(u32), true))
			return;
		if (err)
			continue;
		if (seen == value) {
			if (!is_pi && (value & FUTEX_WAITERS))
				proc_policy_futex_wake(uaddr(at));
			return;
		}
		value = seen;
	}
}

static void leave_robust_list(void)
{
	struct thread *t = current_thread();
	u32 tid = (u32)thread_tid(t);
	struct robust_head_abi head;
	u64 list = t->robust_list.v, entry;

	t->robust_list = UADDR_NULL;
	if (!list || uget(&head, uaddr(list), sizeof(head)))
		return;
	entry = head.first;
	for (u32 i = 0; i < ROBUST_LIST_LIMIT && (entry & ~ENTRY_IS_PI) != list; i++) {
		u64 next, at = entry & ~ENTRY_IS_PI;
		bool is_end = uget(&next, uaddr(at), sizeof(next)) != 0;

		if (at != (head.pending & ~ENTRY_IS_PI))
			mark_dead(entry, (u64)head.futex_offset, tid, false);
		if (is_end)
			break;
		entry = next;
	}
	if (head.pending)
		mark_dead(head.pending, (u64)head.futex_offset, tid, true);
}

/* The list first: it marks the words of priority-inheritance locks, their next owner adds his name. */
void proc_policy_robust_exit(bool is_end)
{
	leave_robust_list();
	pi_exit(current_thread(), is_end);
}
