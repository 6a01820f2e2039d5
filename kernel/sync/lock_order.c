/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The global lock order: the one place that states it (DESIGN section 4). Each chain says, from left to right, what may be held while what is taken;
 * names are lock classes, as given where the lock is initialised. The debug build learns further edges as it runs, and reports a cycle
 * with these ones however rarely the code in question meets. A new lock that nests outside or inside one of these is added here.
 *
 *	files and memory	rename mutex → inode → mm → mapping invalidate → [file-system transaction → page lock →] mapping vmas → mapping tree
 *				→ anonymous family → page-table cursor → LRU → page allocator. A page fault takes what stands from "mm" on,
 *				so it never takes an inode's lock; and who holds that may touch user memory.
 *	processes		process tree → process → signal group → sighand → pid
 *	scheduling		any wait queue → run queue (two: in CPU order, the second as subclass 1) → timer base, RCU.
 *				Nothing is woken and no memory is freed with a run queue locked.
 *	events			epoll nesting → epoll (watcher, then watched as subclass) → what poll methods take. A wake-up: any wait queue → epoll ready |
 *				epoll sleepers → run queue | epoll pollers → epoll ready. wall clock changes → timerfd → timer base.
 *				signalfd ends → signalfd listeners | signal group.
 */
#include <frame/lockdep.h>
#include <lib/types.h>
#include "sync/lock_order.h"

static const char *const files_and_memory[] = {
	"rename mutex", "inode", "mm", "mapping invalidate", "mapping vmas", "mapping tree", "mm family", "anon family", "uspace", "lru", "page allocator",
};
static const char *const processes[] = { "process tree", "process", "signal group", "sighand", "pid" };
static const char *const scheduling[] = { "completion", "run queue", "timer base" };
static const char *const epolls[] = { "epoll nesting", "epoll", "file watchers" };
static const char *const epoll_wakes[] = { "epoll pollers", "epoll ready" };
static const char *const epoll_sleeps[] = { "epoll sleepers", "run queue" };
static const char *const timerfds[] = { "wall clock changes", "timerfd", "timer base" };
static const char *const signalfds[] = { "signalfd ends", "signal group" };
static const char *const sleeping[] = { "mutex queue", "run queue", "rcu" };
static const char *const sleeping_rw[] = { "rwsem", "run queue" };

static const struct {
	const char *const *names;
	size_t n;
} chains[] = {
	{ files_and_memory, ARRAY_SIZE(files_and_memory) },
	{ processes, ARRAY_SIZE(processes) },
	{ scheduling, ARRAY_SIZE(scheduling) },
	{ epolls, ARRAY_SIZE(epolls) },
	{ epoll_wakes, ARRAY_SIZE(epoll_wakes) },
	{ epoll_sleeps, ARRAY_SIZE(epoll_sleeps) },
	{ timerfds, ARRAY_SIZE(timerfds) },
	{ signalfds, ARRAY_SIZE(signalfds) },
	{ sleeping, ARRAY_SIZE(sleeping) },
	{ sleeping_rw, ARRAY_SIZE(sleeping_rw) },
};

void lock_order_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		for (size_t j = 0; j + 1 < chains[i].n; j++)
			lock_debug_order(chains[i].names[j], chains[i].names[j + 1]);
}
