/* SPDX-License-Identifier: MPL-2.0 */
/* Dumps of the system's state. Threads are looked up one by one, by their ids: they come and go meanwhile, and no lock is held while a line is printed. */
#include <frame/log.h>
#include <frame/machine.h>
#include "mm/alloc.h"
#include "proc/inspect.h"
#include "proc/internal.h"
#include "proc/symbols.h"
#include "proc/sysrq.h"

#define DEPTH 32
#define KIB (PAGE_SIZE / 1024)

static void dump_thread(struct thread *t)
{
	struct symbol_place place;
	u64 pcs[DEPTH];
	size_t n = thread_backtrace(t, pcs, ARRAY_SIZE(pcs));

	klog(LOG_INFO, "task:%-15s state:%c cpu:%u pid:%d tgid:%d ppid:%d", t->sched.comm, sched_state_letter(t), READ_ONCE(t->sched.cpu), thread_tid(t),
	     process_tgid(t->process), process_ppid(t->process));
	for (size_t i = 0; i < n; i++)
		if (symbol_of_return(pcs[i], &place))
			klog(LOG_INFO, "  %s+0x%x/0x%x", place.name, place.offset, place.size);
}

static void dump_threads(bool are_blocked_only)
{
	struct process *p;

	for (s32 tgid = 1; (p = process_next(tgid)) != NULL; process_put(p)) {
		tgid = process_tgid(p) + 1;
		for (s32 tid = 1; (tid = process_next_tid(p, tid)) != 0; tid++) {
			struct thread *t = thread_find_get(tid);

			if (!t)
				continue;
			if (!are_blocked_only || sched_state_letter(t) == 'D')
				dump_thread(t);
			thread_put(t);
		}
	}
}

static void dump_memory(void)
{
	struct mem_stat m;

	mem_stat(&m);
	klog(LOG_INFO, "total:%lukB free:%lukB available:%lukB cached:%lukB shmem:%lukB dirty:%lukB writeback:%lukB", m.total * KIB, m.free * KIB, m.available * KIB,
	     m.cached * KIB, m.shmem * KIB, m.dirty * KIB, m.writeback * KIB);
	klog(LOG_INFO, "active_anon:%lukB inactive_anon:%lukB active_file:%lukB inactive_file:%lukB unevictable:%lukB mapped:%lukB", m.active_anon * KIB,
	     m.inactive_anon * KIB, m.active_file * KIB, m.inactive_file * KIB, m.unevictable * KIB, m.mapped * KIB);
	klog(LOG_INFO, "slab_reclaimable:%lukB slab_unreclaimable:%lukB kernel_stack:%lukB pagetables:%lukB committed:%lukB", m.slab_reclaimable * KIB,
	     m.slab_unreclaimable * KIB, m.kernel_stack * KIB, m.page_tables * KIB, m.committed * KIB);
	slab_report_live();
}

void sysrq_run(u8 letter)
{
	switch (letter) {
	case 't':
		klog(LOG_INFO, "sysrq: Show State");
		dump_threads(false);
		break;
	case 'w':
		klog(LOG_INFO, "sysrq: Show Blocked State");
		dump_threads(true);
		break;
	case 'm':
		klog(LOG_INFO, "sysrq: Show Memory");
		dump_memory();
		break;
	case 'b':
		klog(LOG_EMERG, "sysrq: Resetting");
		machine_reboot();
	case 'o':
		klog(LOG_EMERG, "sysrq: Power Off");
		machine_power_off();
	case 'c':
		panic("sysrq triggered crash");
	default:
		klog(LOG_INFO, "sysrq: HELP : reboot(b) crash(c) show-memory-usage(m) poweroff(o) show-task-states(t) show-blocked-tasks(w)");
	}
}

u32 sysrq_allowed = 1;

static bool is_allowed(u8 letter)
{
	u32 allowed = READ_ONCE(sysrq_allowed);

	switch (letter) {
	case 't':
	case 'w':
	case 'm':
	case 'c':
		return allowed == 1 || (allowed & 8);
	case 'b':
	case 'o':
		return allowed == 1 || (allowed & 128);
	default:
		return allowed != 0;	/* the list of letters */
	}
}

static u8 requested;			/* [a] 0: none is under way */

static void run_requested(struct deferred *d)
{
	(void)d;
	sysrq_run(__atomic_load_n(&requested, __ATOMIC_RELAXED));
	__atomic_store_n(&requested, 0, __ATOMIC_RELEASE);
}

void sysrq_request(u8 letter)
{
	static struct deferred request = { .fn = run_requested };
	u8 none = 0;

	if (!letter)
		letter = '?';
	if (!is_allowed(letter)) {
		klog(LOG_INFO, "sysrq: this operation is disabled (/proc/sys/kernel/sysrq)");
		return;
	}
	if (__atomic_compare_exchange_n(&requested, &none, letter, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		deferred_push(&request);
}
