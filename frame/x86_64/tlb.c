/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which address space a CPU has loaded, and making CPUs forget translations.
 *
 * Invariant: if a CPU's CR3 holds a space's root, its bit is set in that space's `cpus`. It sets the bit before it loads and
 * clears it after it has left. Whoever changes entries does so, passes a full fence, and then reads the set: either the
 * reader sees the bit, or the CPU loads CR3 after the change and walks the new entries.
 *
 * Kernel tasks run on whatever space was loaded before them (lazily): they touch no user address, and going back to the
 * same process costs nothing. A flush that meets such a CPU does not flush but takes the space away from it, so it is
 * asked at most once however long it idles.
 *
 * Full flushes are by CR3 reload, which spares the kernel's global pages; kernel changes by INVLPG or by toggling CR4.PGE.
 */
#include <frame/core/internal.h>
#include <frame/ipi.h>
#include <frame/log.h>
#include <frame/preempt.h>
#include <frame/task.h>
#include <frame/uspace.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/paging.h>

#define INVLPG_MAX_PAGES 32u		/* beyond, refilling everything is cheaper */

static PERCPU(struct uspace *, loaded_space);	/* [this CPU, interrupts off or preemption off] */

void uspace_load(struct uspace *us)
{
	struct uspace **loaded = this_cpu(loaded_space), *old = *loaded;

	if (!us || us == old)
		return;
	cpuset_add(&us->cpus, cpu_id());
	*loaded = us;
	write_cr3(us->root);
	if (old)
		cpuset_del(&old->cpus, cpu_id());
}

void uspace_unload(struct uspace *us)
{
	struct uspace **loaded = this_cpu(loaded_space);

	if (*loaded != us)
		return;
	*loaded = NULL;
	paging_load_kernel();
	cpuset_del(&us->cpus, cpu_id());
}

static void flush_here(u64 start, u64 end)
{
	if ((end - start) >> PAGE_SHIFT > INVLPG_MAX_PAGES) {
		write_cr3(read_cr3());
		return;
	}
	for (; start < end; start += PAGE_SIZE)
		invlpg(start);
}

struct flush_request {
	struct uspace *us;
	u64 start, end;
};

/* Hard context. */
static void flush_remote(void *arg)
{
	const struct flush_request *r = arg;

	if (*this_cpu(loaded_space) != r->us)
		return;
	if (current_task()->uspace != r->us)
		uspace_unload(r->us);		/* a kernel task's leftover */
	else
		flush_here(r->start, r->end);
}

void tlb_flush(struct uspace *us, u64 start, u64 end)
{
	struct flush_request r = { us, start, end };
	struct cpuset others;
	u64 any = 0;

	preempt_disable();
	if (*this_cpu(loaded_space) == us)
		flush_here(start, end);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (u32 i = 0; i < ARRAY_SIZE(others.bits); i++)
		others.bits[i] = __atomic_load_n(&us->cpus.bits[i], __ATOMIC_RELAXED);
	cpuset_del(&others, cpu_id());
	for (u32 i = 0; i < ARRAY_SIZE(others.bits); i++)
		any |= others.bits[i];
	if (any)
		ipi_call(&others, flush_remote, &r);
	preempt_enable();
}

static void flush_kernel_remote(void *arg)
{
	(void)arg;
	if (cpu_features.pge) {
		u64 cr4 = read_cr4();

		write_cr4(cr4 & ~CR4_PGE);
		write_cr4(cr4);
	} else {
		write_cr3(read_cr3());
	}
}

void tlb_flush_kernel(void)
{
	struct cpuset all = { { 0 } };

	for (u32 i = 0; i < cpu_count(); i++)
		all.bits[i / 64] |= 1ul << (i % 64);
	ipi_call(&all, flush_kernel_remote, NULL);
}

void tlb_flush_kernel_here(u64 va, u64 size)
{
	for (u64 off = 0; off < size; off += PAGE_SIZE)
		invlpg(va + off);
}
