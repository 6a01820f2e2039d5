/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Live counters of memory use, one set a CPU, summed when read. A CPU's share may be negative (a page counted here may be uncounted there);
 * the sum may be off by what is in flight. Atomic adds on the own CPU's copy: no lock, and no matter if the task moves in between.
 */
#include <lib/types.h>
#include <frame/percpu.h>
#include <frame/task.h>
#include "mm/alloc.h"
#include "mm/page_alloc.h"
#include "mm/mm.h"
#include "mm/internal.h"

#define N_COUNTERS (sizeof(struct mem_stat) / sizeof(u64))

struct mem_counters {
	s64 v[N_COUNTERS];
};

static PERCPU(struct mem_counters, counters);

void mem_account(size_t which, s64 pages)
{
	__atomic_fetch_add(&this_cpu(counters)->v[which / sizeof(u64)], pages, __ATOMIC_RELAXED);
}

static s64 mem_counter(size_t which)
{
	s64 sum = 0;

	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		sum += READ_ONCE(cpu_var(counters, cpu)->v[which / sizeof(u64)]);
	return sum > 0 ? sum : 0;
}

#define LIVE(field) ((u64)mem_counter(offsetof(struct mem_stat, field)))

void mem_stat(struct mem_stat *out)
{
	u64 frame = page_alloc_frame_pages(), reclaimable;

	*out = (struct mem_stat){
		.total = page_alloc_total(), .free = page_alloc_free(),
		.cached = LIVE(cached), .buffers = LIVE(buffers), .shmem = LIVE(shmem), .anon = LIVE(anon),
		.mapped = LIVE(mapped), .dirty = LIVE(dirty), .writeback = LIVE(writeback),
		.slab_reclaimable = LIVE(slab_reclaimable), .slab_unreclaimable = LIVE(slab_unreclaimable),
		.kernel_stack = task_stack_frames(), .active_file = LIVE(active_file),
		.inactive_file = LIVE(inactive_file), .mlocked = LIVE(mlocked), .unevictable = LIVE(mlocked),
		.committed = mm_committed_pages(), .commit_limit = mm_commit_limit(),
	};
	/* Without swap neither anonymous memory nor tmpfs can be evicted, so their pages are on no list: all count as active. */
	out->active_anon = out->anon + out->shmem;
	/* The frame takes frames for stacks and page tables, and few others at start-up. */
	out->page_tables = frame > out->kernel_stack ? frame - out->kernel_stack : 0;
	reclaimable = out->active_file + out->inactive_file + out->slab_reclaimable / 2;
	out->available = out->free + reclaimable;
	out->available = out->available > page_alloc_low() ? out->available - page_alloc_low() : 0;
}
